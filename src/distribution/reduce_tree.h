/* The tree over lanes, as a list of additions of the nodes that lie in it. */
#ifndef MLPDIST_REDUCE_TREE_H
#define MLPDIST_REDUCE_TREE_H

#include "distribution/reduce.h"

enum { MAX_NODES = 2 * 32 }; /* of a rank */

/* One addition. Slots below num_sources are sources, those above partial sums by depth. */
typedef struct addition {
  uint32_t left, right, out;
} addition;

typedef struct tree_sum {
  uint32_t num_sources, num_additions;
  addition *additions; /* operands before their use */
} tree_sum;

/* nodes_of_rank as reduce_nodes, of the lanes rank has. Not collective. */
uint32_t nodes_of_rank(uint32_t num_lanes, int size, int rank, lane_range *nodes);

/* How nodes (num_nodes), disjoint subtrees in lane order, add up. Free with tree_sum_free. Not collective. */
mlpd_status tree_sum_create(uint32_t num_lanes, const lane_range *nodes, uint32_t num_nodes, tree_sum *made);
void tree_sum_free(tree_sum *t); /* Not collective */

/* out = the sum over the sources, zeros where there are none: source i (bytes) at sources[i] + offset, all floats or
 * all doubles. out must not be a source. Not collective. */
void tree_sum_run(const tree_sum *t, const char *const *sources, size_t offset, size_t bytes, bool floats, char *out);

/* out = parts[0] + parts[1], or (parts[0] + parts[1]) + (parts[2] + parts[3]): bytes of floats or of doubles from
 * offset on; out, which is at offset, may be one of them. Not collective. */
void tree_add(char *const *parts, int count, size_t offset, size_t bytes, bool floats, char *out);

#endif
