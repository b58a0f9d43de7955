/* Exact quantiles of columns with few values: the ranks gather the values, and each sorts some of the columns. */
#ifndef MLPDIST_COLUMN_GATHER_H
#define MLPDIST_COLUMN_GATHER_H

#include "prepare/column_quantiles.h"

enum { COLUMN_GATHER_VALUES = 256 }; /* at most, over all columns, for each quantile */

typedef struct column_gather {
  uint64_t *keys;   /* (2, room) */
  uint32_t *starts; /* (most_columns + 1) */
  size_t room, most_columns;
  uint64_t *rows;  /* (ranks) training rows of each; allocated */
  uint64_t *bytes; /* (ranks) of their values of some columns; allocated */
  uint64_t all_rows;
} column_gather;

/* *fits: the values are few enough for all (count) quantiles to be found this way; equal on all ranks. The caller sets
 * the first two lines of g and frees rows and bytes, on failure too. Collective. */
mlpd_status column_gather_fits(mlpd_comm *comm, const preparation *p, const column_quantile *all, size_t count,
                               column_gather *g, bool *fits);

/* Finds all (count) as column_quantiles_find() does, if they fit. Reads the rows once for as many columns as have room.
 * Collective. */
mlpd_status column_gather_find(mlpd_comm *comm, const part *train, const preparation *p, column_quantile *all,
                               size_t count, column_gather *g);

#endif
