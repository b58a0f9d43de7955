/* The map of columns that normalises: x' = (x - shift) * scale, in double before the result becomes float32. Nothing
 * here is collective. */
#ifndef MLPDIST_AFFINE_H
#define MLPDIST_AFFINE_H

#include "base/element.h"
#include "base/status.h"

typedef struct affine {
  uint32_t columns;
  double *shift, *scale;              /* (columns) */
  float *narrow_shift, *narrow_scale; /* (columns) the same in float32, see affine_settle */
  bool narrow;                        /* float32 holds every shift and scale */
  const struct column_codes *codes;   /* borrowed: columns are other inputs (data/column_codes.h); NULL: they are not */
} affine;

mlpd_status affine_create(uint32_t columns, affine *made); /* shift 0, scale 1 */
void affine_free(affine *a);

/* Must follow every change of shift and scale. */
void affine_settle(affine *a);

/* Inputs of a row: its columns, or what codes make of them. */
uint32_t affine_width(const affine *a);

uint32_t affine_column_of(const affine *a, uint32_t input); /* the column that an input comes from */

/* out (m, width) gets row rows[i] of x (any, columns) of type, mapped; rows and known as of vector_gather_rows. Types
 * whose values float32 holds are mapped in float32, where a is narrow: a difference of two float32 numbers close to
 * each other is exact. All others are mapped in double. */
void affine_gather(const affine *a, element_type type, uint64_t m, uint64_t known, const void *x, const uint32_t *rows,
                   float *out);

/* One value of column j, mapped and mapped back. */
float affine_map(const affine *a, uint32_t j, double value);
double affine_map_back(const affine *a, uint32_t j, double value);

#endif
