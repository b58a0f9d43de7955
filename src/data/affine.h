/* Normalisation as an affine map of each column: x' = (x - shift) * scale, or a curve (data/column_curves.h) where
 * there is one, computed in double and rounded to float32; with a limit L numbers then become x' / sqrt(1 + (x' /
 * L)^2), also in double: close to x' near 0, never beyond +-L. Nothing here is collective. */
#ifndef MLPDIST_AFFINE_H
#define MLPDIST_AFFINE_H

#include "base/element.h"
#include "base/status.h"

typedef struct affine {
  uint32_t columns;
  double *shift, *scale;              /* (columns) */
  float *narrow_shift, *narrow_scale; /* (columns) the same in float32; affine_settle computes them */
  bool narrow;                        /* every shift and scale fits float32 */
  double limit;                       /* L; 0: none */
  struct column_curves *curves;       /* owned; NULL: none */
  const struct column_codes *codes;   /* borrowed: how columns become inputs (data/column_codes.h); NULL: unchanged */
} affine;

mlpd_status affine_create(uint32_t columns, affine *made); /* shift 0, scale 1 */
void affine_free(affine *a);

/* Moves *curves into a, which owns them from now on; *curves becomes empty, also on failure. */
mlpd_status affine_bend(affine *a, struct column_curves *curves);

void affine_straighten(affine *a); /* without curves from now on */

/* Call it after every change of shift or scale: updates narrow_shift, narrow_scale and narrow. */
void affine_settle(affine *a);

/* Number of inputs that a row becomes: its columns, or more with codes. */
uint32_t affine_width(const affine *a);

uint32_t affine_column_of(const affine *a, uint32_t input); /* the column that an input comes from */

/* Maps rows rows[0 ... m - 1] of x (any, columns) to out (m, width). rows and known are as in vector_gather_rows. If a
 * is narrow, types whose values fit float32 are mapped in float32, which loses nothing where it matters: the difference
 * of two float32 numbers close to each other is exact. All others are mapped in double. */
void affine_gather(const affine *a, element_type type, uint64_t m, uint64_t known, const void *x, const uint32_t *rows,
                   float *out);

/* dx'/dx of column j at x. */
double affine_slope(const affine *a, uint32_t j, double x);

/* What affine_gather makes of a number of column j that is not missing, up to rounding. */
float affine_number(const affine *a, uint32_t j, double value);

/* Map one value of column j, and map it back. The affine must have neither a limit nor curves. */
float affine_map(const affine *a, uint32_t j, double value);
double affine_map_back(const affine *a, uint32_t j, double value);

#endif
