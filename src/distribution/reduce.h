/* The canonical sum: a step's gradient is the sum of the lane gradients in one fixed binary tree over lane
 * numbers (n lanes split at the largest power of two below n), whatever the number of ranks. A rank sums
 * whole subtrees ("nodes") of its own lanes; the ranks exchange slices of them (MPI_Alltoallv), sum their
 * slice in tree order and gather the result (MPI_Allgatherv). Small buffers are gathered whole instead.
 *
 * A buffer is num_floats gradients followed by num_doubles statistics, summed in the same tree. */
#ifndef MLPDIST_REDUCE_H
#define MLPDIST_REDUCE_H

#include "base/status.h"

typedef struct lane_range {
  uint32_t begin, end;
} lane_range;

/* A rank's lanes as maximal subtrees of the tree over num_lanes lanes, in lane order; nodes has room for
 * 2 * 32. Returns their number. Not collective. */
uint32_t reduce_nodes(uint32_t num_lanes, lane_range lanes, lane_range *nodes);

/* Where the tree splits [range): the first lane of the right child; range has >= 2 lanes. Not collective. */
uint32_t reduce_split(lane_range range);

typedef struct reducer reducer;

/* Makes the buffers: one a node of this rank. Collective; arguments equal on all ranks. */
mlpd_status reducer_create(mlpd_comm *comm, uint32_t num_lanes, size_t num_floats, size_t num_doubles, mlpd_reduce mode,
                           reducer **made);
void reducer_free(reducer *r); /* NULL is allowed. Not collective */

uint32_t reducer_num_nodes(const reducer *r);             /* of this rank; may be 0. Not collective */
lane_range reducer_node(const reducer *r, uint32_t node); /* Not collective */
float *reducer_floats(reducer *r,
                      uint32_t node); /* (num_floats), 64-byte aligned: fill before reducer_sum. Not collective */
double *reducer_doubles(reducer *r, uint32_t node); /* (num_doubles). Not collective */

/* Sums all ranks' nodes in tree order; sum and totals (valid until the next call) hold the result on all
 * ranks. With one rank there is one node and nothing is copied. Collective. */
mlpd_status reducer_sum(reducer *r, const float **sum, const double **totals);

/* Bytes a reducer takes. Not collective. */
size_t reducer_size(uint32_t num_lanes, int size, int rank, size_t num_floats, mlpd_reduce mode);

#endif
