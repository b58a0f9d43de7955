/* Normalisation: x' = (x - shift) * scale, column by column, from the training part alone; the same for
 * regression targets. Statistics are taken a lane at a time in double and merged in lane order, so they do
 * not depend on the number of ranks. No function here is collective unless its comment says so. */
#ifndef MLPDIST_NORMALIZE_H
#define MLPDIST_NORMALIZE_H

#include "data/affine.h"
#include "data/dataset.h"

/* Statistics of columns over rows: Welford / Chan et al. merged in double. */
typedef struct column_statistics {
  uint32_t columns;
  double count;
  double *mean, *m2, *minimum, *maximum; /* (columns) */
} column_statistics;

mlpd_status column_statistics_create(uint32_t columns, column_statistics *made);
void column_statistics_free(column_statistics *s);
/* Statistics of columns [first, first + s->columns) of rows [begin, end) of x (any, stride) of type, two passes (mean,
 * then deviations). */
void column_statistics_of(element_type type, const void *x, uint32_t stride, uint32_t first, uint64_t begin,
                          uint64_t end, column_statistics *s);

/* The same bits from rows that come piece by piece: clear, add all pieces' sums, finish them, then, with the pieces
 * once more, the deviations; deviations (columns) is room, and 0 at first. Without deviations m2 stays 0. */
void column_statistics_clear(column_statistics *s);
void column_sums_add(element_type type, const void *x, uint64_t rows, column_statistics *s);
void column_sums_finish(column_statistics *s);
void column_deviations_add(element_type type, const void *x, uint64_t rows, column_statistics *s, double *deviations);
void column_deviations_finish(column_statistics *s, const double *deviations);

/* Replaces NaN in x (rows, columns) of type by fill of its column. */
void rows_fill(element_type type, void *x, uint64_t rows, uint32_t columns, const double *fill);

void column_statistics_merge(const column_statistics *other, column_statistics *into); /* Chan's formula. */

/* Are these columns of one kind, as pixels are? There are 16 or more; three of four that vary span at least half of the
 * range of all; none that spans less than a quarter of it is spread evenly, as a count is; and none is a flag, 0 or 1,
 * whose rarer value is in more than one of 100 rows. Not collective. */
bool column_statistics_alike(const column_statistics *s);

/* shift and scale by kind (resolved, not auto). A constant column gets scale 0 in standard: it becomes 0, whatever
 * other rows hold in it. Deviation is the population's (divides by count). */
void affine_from_statistics(mlpd_normalize kind, const column_statistics *s, affine *a);

#endif
