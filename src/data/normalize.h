/* Computes the statistics of columns and from them the normalisation x' = (x - shift) * scale. Only the training part
 * is used; regression targets are normalised in the same way. Statistics are computed per lane, in double, and merged
 * in lane order, so they do not depend on the number of ranks. Nothing here is collective. */
#ifndef MLPDIST_NORMALIZE_H
#define MLPDIST_NORMALIZE_H

#include "data/affine.h"
#include "data/dataset.h"

/* Statistics of columns over rows, in double. */
typedef struct column_statistics {
  uint32_t columns;
  double count;                          /* rows */
  double *mean, *m2, *minimum, *maximum; /* (columns); m2: sum of squared deviations from the mean */
} column_statistics;

mlpd_status column_statistics_create(uint32_t columns, column_statistics *made);
void column_statistics_free(column_statistics *s);
/* Computes the statistics of columns [first, first + s->columns) of rows [begin, end) of x (any, stride), in two passes
 * (means, then deviations). */
void column_statistics_of(element_type type, const void *x, uint32_t stride, uint32_t first, uint64_t begin,
                          uint64_t end, column_statistics *s);

/* The same bits from rows that are read block by block: call clear; column_sums_add for each block; column_sums_finish;
 * then column_deviations_add for each block again; column_deviations_finish. deviations (columns) is scratch memory,
 * initially 0. Without the deviations m2 stays 0. */
void column_statistics_clear(column_statistics *s);
void column_sums_add(element_type type, const void *x, uint64_t rows, column_statistics *s);
void column_sums_finish(column_statistics *s);
void column_deviations_add(element_type type, const void *x, uint64_t rows, column_statistics *s, double *deviations);
void column_deviations_finish(column_statistics *s, const double *deviations);

/* Replaces NaN in x (rows, columns) of type by fill of its column. */
void rows_fill(element_type type, void *x, uint64_t rows, uint32_t columns, const double *fill);

void column_statistics_merge(const column_statistics *other, column_statistics *into); /* Chan's formula. */

/* true if the columns are of one kind, as pixels are. The conditions: there are 16 or more; of those that are not
 * constant, three quarters span at least half of the common range; no column that spans less than a quarter of it is
 * spread evenly, as a count would be; and no column is a flag (0 or 1) whose rarer value occurs in more than 1 % of the
 * rows. */
bool column_statistics_alike(const column_statistics *s);

/* Computes shift and scale. kind must be none, scale or standard. A constant column gets scale 0 with standard: it
 * becomes 0 for any row, also for rows outside the training part. The standard deviation is that of the population
 * (divided by count). */
void affine_from_statistics(mlpd_normalize kind, const column_statistics *s, affine *a);

/* true if a column has a value more than 10 deviations from the mean. a: from these statistics, with standard. */
bool affine_is_far(const column_statistics *s, const affine *a, uint32_t column);

/* The same with robust: from the quartiles of each column. */
typedef struct column_quartiles {
  double low, median, high; /* 25 %, 50 %, 75 % */
} column_quartiles;
void affine_from_quartiles(const column_statistics *s, const column_quartiles *quartiles, affine *a);

#endif
