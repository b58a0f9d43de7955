/* Sums over the blocks of a part, for its figures: records of doubles are added in one fixed binary tree over the
 * numbers of the blocks, so that the bits do not depend on which rank or thread has which block. Memory: one record for
 * each subtree that waits for its sibling, about 2 log2(blocks). No function here is collective unless its comment says
 * so. */
#ifndef MLPDIST_BLOCK_SUMS_H
#define MLPDIST_BLOCK_SUMS_H

#include "base/status.h"
#include "model/forward_range.h"

typedef struct block_sums {
  uint32_t doubles;        /* of a record */
  uint64_t begin, end;     /* blocks added so far */
  uint32_t num_nodes;      /* the largest subtrees of these, ascending */
  uint64_t *first, *count; /* blocks of a node: [first, first + count) */
  double *records;         /* (128, doubles): room for any range of blocks */
} block_sums;

/* Blocks begin at `begin`. Free with block_sums_free, on failure too. */
mlpd_status block_sums_create(uint64_t begin, uint32_t doubles, block_sums *made);
void block_sums_free(block_sums *s);

/* Adds the record of the next block. */
void block_sums_add(block_sums *s, const double *record);

/* The sum (doubles) over the blocks of all ranks, on all ranks; each rank's blocks are those of forward_range_of_rank
 * for `rows` rows. A rank sends its records once, to one other rank. Collective. */
mlpd_status block_sums_total(mlpd_comm *comm, uint64_t rows, block_sums *s, double *sum);

#endif
