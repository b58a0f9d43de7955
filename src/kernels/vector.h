/* Vector loops: sums, column sums, conversion of stored rows to float. Function multiversioning picks the
 * instruction set at run time; the bits are the same on each. Nothing here is collective. */
#ifndef MLPDIST_VECTOR_H
#define MLPDIST_VECTOR_H

#include <stdint.h>

#include "base/element.h"

/* y (n) += x (n) */
void vector_add(uint64_t n, const float *x, float *y);

/* y (n) += rate (x - y) */
void vector_approach(uint64_t n, float rate, const float *x, float *y);

/* sums (n) = sum over the m rows of x (m, n), leading dimension ld, row after row */
void vector_column_sums(uint64_t m, uint64_t n, uint64_t ld, const float *x, float *sums);

/* true if no element of x (n) is infinite or NaN */
bool vector_all_finite(uint64_t n, const float *x);

/* x = x / sqrt(1 + (x / limit)^2) for each of x (n), in double and rounded once. */
void vector_squash(uint64_t n, double limit, float *x);

/* Sum of squares of x (n) in double, by a fixed number of partial sums in a fixed order. */
double vector_sum_squares(uint64_t n, const float *x);

/* Sum of products of x (n) and y (n) in double, in the same order. */
double vector_dot(uint64_t n, const float *x, const float *y);

/* The same of y in double. */
double vector_dot_wide(uint64_t n, const float *x, const double *y);

/* y (n) += factor x (n), in double */
void vector_add_scaled(uint64_t n, double factor, const float *x, double *y);

/* out[i][j] = (x[rows[i]][j] - shift[j]) * scale[j] for out (m, d), x (any, d), shift and scale (d). The first function
 * computes in float, for types whose values fit float (8 and 16 bits, float32); the wide one computes in double, for
 * any type, and rounds the result to float. rows NULL: rows 0 to m - 1. Otherwise rows[m] to rows[known - 1] are the
 * rows that will be gathered next; they are prefetched. */
void vector_gather_rows(element_type type, uint64_t m, uint64_t known, uint64_t d, const void *x, const uint32_t *rows,
                        const float *shift, const float *scale, float *out);
void vector_gather_rows_wide(element_type type, uint64_t m, uint64_t known, uint64_t d, const void *x,
                             const uint32_t *rows, const double *shift, const double *scale, float *out);

#endif
