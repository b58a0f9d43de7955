/* Exact quantiles of columns over the training rows of all ranks: the same bits however the rows are spread. Many
 * values are counted, few gathered (column_gather.h). Memory does not grow with the rows. */
#ifndef MLPDIST_COLUMN_QUANTILES_H
#define MLPDIST_COLUMN_QUANTILES_H

#include "prepare/prepare.h"

typedef struct column_quantile {
  uint32_t column;
  double fraction; /* 0 to 1; 0.5: the median */
  double value;    /* found: linear between the two values next to fraction * (count - 1); NaN: there are none */
} column_quantile;

/* Finds all (count) among the values that are not missing. Those of one column lie together in `all`; the time grows
 * with the logarithm of their number. To count, the rows are read eight times for every 4096 quantiles. train: the open
 * part if rows are streamed. Collective. */
mlpd_status column_quantiles_find(mlpd_comm *comm, const part *train, const preparation *p, column_quantile *all,
                                  size_t count);

/* Bytes that finding so many takes, besides `all`. */
uint64_t column_quantiles_size(size_t count);

#endif
