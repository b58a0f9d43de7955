/* The edges of --embed-edges targets: where decision trees, each of one column on the targets, split the training rows
 * of all ranks. */
#ifndef MLPDIST_COLUMN_TREES_H
#define MLPDIST_COLUMN_TREES_H

#include "prepare/prepare.h"

enum { COLUMN_TREES_ALL_ROWS = UINT32_MAX };

typedef struct column_tree {
  uint32_t column;
  uint32_t left_out; /* the fold whose targets it does not know, or COLUMN_TREES_ALL_ROWS */
  float *edges;      /* (bins + 1) */
} column_tree;

/* Writes the edges of all (count), after the model's input map: the least value, where the tree splits, and the
 * greatest value for each edge that is left over; all are 0 where there are no values. A tree splits between any two
 * neighbours of 256 quantiles (or bins + 1, if these are more). Rows count alike, whatever their weights. Trees of one
 * column lie together in `all`. Collective. */
mlpd_status column_trees_find(mlpd_comm *comm, const preparation *p, uint32_t bins, const column_tree *all,
                              uint32_t count);

/* Bytes that this needs on each rank, before the targets were read, too. */
uint64_t column_trees_size(const preparation *p, uint32_t bins);

#endif
