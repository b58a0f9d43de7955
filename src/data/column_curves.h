/* Normalisation by quantiles: a number becomes its normal score, the z below which a standard normal distribution has
 * the same share as the training rows have below the number. Each column has knots (x, z), at most 1000 of them
 * quantiles of its training rows, and z is linear in between; beyond the outermost knots it stays as it is there.
 *
 * This follows scikit-learn's QuantileTransformer(output_distribution="normal"), with two differences. It interpolates
 * probabilities and takes the inverse of the normal distribution function of each row; here the inverse is taken at the
 * knots alone, so that a value costs a binary search and a multiplication. In the outermost intervals, where the
 * inverse is steep up to |z| = 5.2, further knots lie ever closer to the end: z differs by at most 0.009 (0.006 with
 * 1000 quantiles). And a value that equals several quantiles gets the score of the middle one, also at the ends, where
 * scikit-learn gives -5.2 and 5.2. Nothing here is collective. */
#ifndef MLPDIST_COLUMN_CURVES_H
#define MLPDIST_COLUMN_CURVES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

enum { CURVE_QUANTILES_MOST = 1000, CURVE_KNOTS_MOST = CURVE_QUANTILES_MOST + 100 };

typedef struct column_curves {
  uint32_t columns;
  uint64_t *first;        /* (columns + 1) first knot of each column; one without knots is mapped by shift and scale */
  double *x, *z, *slopes; /* (knots) x ascends strictly; slope from a knot to the next, 0 of the last */
  char *memory;           /* the block of the arrays */
} column_curves;

/* No column has knots yet. knots: room for those of all columns. Free with column_curves_free, on failure too. */
mlpd_status column_curves_create(uint32_t columns, uint64_t knots, column_curves *made);
uint64_t column_curves_size(uint32_t columns, uint64_t knots); /* bytes */
void column_curves_free(column_curves *c);                     /* NULL is allowed. */

/* Call it after every change of knots. */
void column_curves_settle(column_curves *c);

/* Knots of ascending quantiles (count, at most CURVE_QUANTILES_MOST), those of 0, 1 / (count - 1), ..., 1: x and z have
 * room for CURVE_KNOTS_MOST. Returns their number; 1: the column is constant, and z is 0. */
uint32_t column_curve_knots(uint32_t count, const double *quantiles, double *x, double *z);

static inline bool column_curves_has(const column_curves *c, uint32_t j) { return c->first[j] < c->first[j + 1]; }

/* z at x, and dz/dx (0 beyond the outermost knots). Column j must have knots. */
double column_curves_map(const column_curves *c, uint32_t j, double x);
double column_curves_slope(const column_curves *c, uint32_t j, double x);

mlpd_status column_curves_copy(const column_curves *c, column_curves *made);

/* *made gets the knots of column from[j] of c for column j, if known[j]; else none. */
mlpd_status column_curves_pick(const column_curves *c, const uint32_t *from, const bool *known, uint32_t columns,
                               column_curves *made);

/* z of the probability p, 0 < p <= 1/2, to 1e-15: Wichura, Algorithm AS 241, Applied Statistics 37 (1988). The same
 * bits on every processor. */
double normal_score(double p);

#endif
