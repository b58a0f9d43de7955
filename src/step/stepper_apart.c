/* Phase 2 for networks that are small compared with the rows of a step: each thread of a single rank sums the gradients
 * of its own lanes. A thread then reads only what it computed itself, which is in its core's cache; only one gradient
 * per thread moves between cores. The nodes of the tree are added as those of ranks are. */
#include <omp.h>

#include "kernels/vector.h"
#include "step/stepper_internal.h"

enum { BLOCK_FLOATS = 1024, MOST_NODES = 64 /* of a thread */ };

/* A subtree of a thread's lanes. */
typedef struct thread_node {
  lane_range lanes;
  float *sum; /* (arena); gaps stay zero */
} thread_node;

struct apart {
  uint32_t num_nodes;
  thread_node *nodes;   /* in lane order */
  uint32_t *first_node; /* (threads + 1) */
};

/* Floats of x, a and delta of a row. */
static uint64_t floats_of_row(const mlpd_network *network) {
  uint64_t floats = network_inputs(network);
  for (uint32_t l = 0; l < network->num_layers; l++) floats += 2 * (uint64_t)network->layers[l].outputs;
  return floats;
}

/* The nodes of all threads; nodes may be NULL. */
static uint32_t list_nodes(uint32_t num_lanes, int threads, thread_node *nodes, uint32_t *first_node) {
  uint32_t count = 0;
  for (int t = 0; t < threads; t++) {
    lane_range mine, some[MOST_NODES];
    lanes_of_rank(num_lanes, threads, t, &mine.begin, &mine.end);
    const uint32_t more = tree_nodes(num_lanes, mine, some);
    for (uint32_t i = 0; nodes != NULL && i < more; i++) nodes[count + i].lanes = some[i];
    count += more;
    if (first_node != NULL) first_node[t + 1] = count;
  }
  return count;
}

/* Pays if a thread reads more than twice as much as it writes. */
uint32_t stepper_apart_nodes(const mlpd_network *network, const backend *gemm, const lane_plan *plan, lane_range lanes,
                             int threads) {
  const uint32_t num_lanes = lanes.end - lanes.begin;
  const uint64_t rows = (plan->batch - 1) / plan->num_lanes + 1;
  if (threads == 1 || gemm->sum_gradients == NULL ||
      stepper_sharing(network, gemm, plan, lanes, threads) != SHARE_LANES)
    return 0;
  const uint32_t nodes = list_nodes(num_lanes, threads, NULL, NULL);
  return num_lanes * rows * floats_of_row(network) >= 2 * (uint64_t)nodes * network->arena_size ? nodes : 0;
}

void stepper_lay_out_apart(stepper *s, memory_layout *layout) {
  const stepper_parts *const parts = &s->parts;
  const uint32_t nodes = stepper_apart_nodes(parts->network, parts->gemm, parts->plan, s->lanes, parts->threads);
  if (nodes == 0) return;
  apart *const made = memory_place(layout, 1, sizeof *made);
  thread_node *const list = memory_place(layout, nodes, sizeof *list);
  uint32_t *const first_node = memory_place(layout, (size_t)parts->threads + 1, sizeof *first_node);
  for (uint32_t i = 0; i < nodes; i++) {
    float *const sum = memory_place(layout, parts->network->arena_size, sizeof *sum);
    if (list != NULL) list[i].sum = sum;
  }
  s->apart = made;
  if (made == NULL) return;
  *made = (apart){.num_nodes = nodes, .nodes = list, .first_node = first_node};
  (void)list_nodes(s->num_lanes, parts->threads, list, first_node);
}

static void sum_node(stepper *s, const thread_node *node) {
  const uint32_t me = (uint32_t)omp_get_thread_num();
  const soon nothing = {.count = 0};
  for (uint32_t i = 0; i < s->num_units;) {
    const uint32_t layer = s->units[i].shape.layer;
    const uint64_t began = timeline_begin(s->line);
    uint32_t units = 0;
    for (; i < s->num_units && s->units[i].shape.layer == layer; i++, units++) {
      const unit *const part = &s->units[i];
      stepper_sum_unit(s, part, node->lanes, node->sum + part->place, part->stride, &nothing, &s->scratch[me]);
    }
    (void)timeline_end(s->line, me, TIMELINE_GRADIENT, layer + 1, units, began);
  }
}

void stepper_sum_apart(stepper *s) {
  const apart *const a = s->apart;
  const uint32_t threads = (uint32_t)s->parts.threads, team = (uint32_t)omp_get_num_threads();
  for (uint32_t share = (uint32_t)omp_get_thread_num(); share < threads; share += team)
    for (uint32_t i = a->first_node[share]; i < a->first_node[share + 1]; i++) sum_node(s, &a->nodes[i]);
}

/* The node of this range, or NULL. */
static const thread_node *find_node(const apart *a, lane_range range) {
  for (uint32_t i = 0; i < a->num_nodes; i++)
    if (a->nodes[i].lanes.begin == range.begin && a->nodes[i].lanes.end == range.end) return &a->nodes[i];
  return NULL;
}

/* Sums floats [begin, begin + count) over range into its leftmost node. */
static float *add_nodes(const apart *a, lane_range range, size_t begin, size_t count) {
  const thread_node *const node = find_node(a, range);
  if (node != NULL) return node->sum + begin;
  const uint32_t middle = tree_split(range);
  float *const left = add_nodes(a, (lane_range){range.begin, middle}, begin, count);
  vector_add(count, add_nodes(a, (lane_range){middle, range.end}, begin, count), left);
  return left;
}

void stepper_update_apart(stepper *s) {
  const size_t size = s->parts.network->arena_size;
  const uint64_t began = timeline_begin(s->line);
#pragma omp for schedule(static) nowait
  for (size_t begin = 0; begin < size; begin += BLOCK_FLOATS) {
    const size_t end = size - begin < BLOCK_FLOATS ? size : begin + BLOCK_FLOATS;
    optimizer_update_range(s->parts.optimizer, &s->scalars, s->parts.network, s->parts.network->parameters,
                           add_nodes(s->apart, s->lanes, begin, end - begin), begin, end);
  }
  (void)timeline_end(s->line, (uint32_t)omp_get_thread_num(), TIMELINE_OPTIMIZER, 0, 0, began);
}
