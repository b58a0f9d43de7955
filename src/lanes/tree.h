/* The summation tree over lanes, as a list of additions of its nodes. Nothing here is collective. */
#ifndef MLPDIST_TREE_H
#define MLPDIST_TREE_H

#include "base/status.h"

typedef struct lane_range {
  uint32_t begin, end;
} lane_range;

/* Stores the lanes of a rank as maximal subtrees of the tree over num_lanes lanes, in lane order, in nodes (at most 2 *
 * 32), and returns their number. */
uint32_t tree_nodes(uint32_t num_lanes, lane_range lanes, lane_range *nodes);

/* The first lane of the right child of range, which has at least 2 lanes. */
uint32_t tree_split(lane_range range);

enum { MAX_NODES = 2 * 32 }; /* most nodes of a rank */

/* One addition of two slots. Slots below num_sources are sources; those above are partial sums, by depth. */
typedef struct addition {
  uint32_t left, right, out;
} addition;

typedef struct tree_sum {
  uint32_t num_sources, num_additions;
  addition *additions; /* in an order in which operands are computed before their use */
} tree_sum;

/* tree_nodes for the lanes of a rank */
uint32_t tree_nodes_of_rank(uint32_t num_lanes, int size, int rank, lane_range *nodes);

/* Plans the sum of nodes (num_nodes): disjoint subtrees in lane order. Free it with tree_sum_free. */
mlpd_status tree_sum_create(uint32_t num_lanes, const lane_range *nodes, uint32_t num_nodes, tree_sum *made);
void tree_sum_free(tree_sum *t);

/* out = the sum over the sources (zeros if there are none): source i is `bytes` bytes at sources[i] + offset, all
 * floats or all doubles. out must not be a source. */
void tree_sum_run(const tree_sum *t, const char *const *sources, size_t offset, size_t bytes, bool floats, char *out);

/* out = parts[0] + parts[1], or (parts[0] + parts[1]) + (parts[2] + parts[3]): `bytes` bytes of floats or doubles from
 * offset on. out, which points to offset, may be one of the parts. */
void tree_add(char *const *parts, int count, size_t offset, size_t bytes, bool floats, char *out);

#endif
