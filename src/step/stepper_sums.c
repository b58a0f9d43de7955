/* Phase 2 of the step: weight gradients, unit by unit, summed over lanes in tree order. */
#include <omp.h>
#include <stdlib.h>

#include "base/memory.h"
#include "kernels/vector.h"
#include "step/stepper_internal.h"

/* ---- Making --------------------------------------------------------------------------------------- */

static mlpd_status count_units(stepper *s) {
  const mlpd_network *const network = s->parts.network;
  TRY(memory_allocate(&s->first_strip, (size_t)network->num_layers + 1, sizeof *s->first_strip, "units"));
  for (uint32_t l = 0; l < network->num_layers; l++) {
    const uint32_t units = layer_num_units(&network->layers[l], s->parts.gemm);
    uint32_t across = 1;
    while (across < units && layer_unit(network, s->parts.gemm, l, across).row == 0) across++;
    s->first_strip[l + 1] = s->first_strip[l] + units / across;
    s->num_units += units;
  }
  s->num_strips = s->first_strip[network->num_layers];
  TRY(memory_allocate(&s->units, s->num_units, sizeof *s->units, "units"));
  return memory_allocate(&s->strips, s->num_strips, sizeof *s->strips, "units");
}

static mlpd_status make_units(stepper *s) {
  const mlpd_network *const network = s->parts.network;
  uint32_t u = 0;
  TRY(count_units(s));
  for (uint32_t l = 0; l < network->num_layers; l++) {
    const layer *const shape = &network->layers[l];
    const uint32_t units = layer_num_units(shape, s->parts.gemm);
    const uint32_t strips = s->first_strip[l + 1] - s->first_strip[l], across = units / strips;
    for (uint32_t i = 0; i < units; i++, u++) {
      const gradient_unit made = layer_unit(network, s->parts.gemm, l, i);
      const uint32_t place = s->first_strip[l] + i / across;
      s->units[u] = (unit){.shape = made,
                           .weight = shape->weight_offset + (size_t)made.row * shape->weight_stride + made.column,
                           .bias = shape->bias_offset + made.column,
                           .stride = shape->weight_stride,
                           .strip = place};
      if (i % across > 0) continue;
      strip *const of = &s->strips[place];
      of->layer = l;
      of->first_unit = u;
      of->num_units = across;
      of->last = place + 1 == s->first_strip[l + 1];
    }
  }
  return MLPD_OK;
}

/* Levels of scratch that a depth-first sum over lanes needs: one more than the tree is high. */
static uint32_t tree_levels(uint32_t lanes) {
  uint32_t levels = 1;
  for (uint32_t covered = 1; covered < lanes; covered *= 2) levels++;
  return levels;
}

/* Floats of a unit's sum and of its bias, at most. */
static void largest_unit(const mlpd_network *network, const backend *gemm, size_t *floats, size_t *columns) {
  *floats = *columns = 0;
  for (uint32_t l = 0; l < network->num_layers; l++) { /* the first unit of a layer is none smaller than the others */
    const gradient_unit first = layer_unit(network, gemm, l, 0);
    *floats = stepper_larger(*floats, first.rows * stepper_pad(first.columns));
    *columns = stepper_larger(*columns, stepper_pad(first.columns));
  }
}

static mlpd_status make_scratch(stepper *s) {
  TRY(memory_allocate(&s->scratch, (size_t)s->parts.threads, sizeof *s->scratch, "lane sums"));
  largest_unit(s->parts.network, s->parts.gemm, &s->unit_floats, &s->unit_columns);
  const size_t levels = s->parts.gemm->sum_gradients == NULL ? s->levels : 0;
  for (int t = 0; t < s->parts.threads; t++) {
    scratch *const made = &s->scratch[t];
    TRY(memory_allocate(&made->sum, s->unit_floats * (1 + levels), sizeof(float), "lane sums"));
    TRY(memory_allocate(&made->bias, s->unit_columns * (1 + s->levels), sizeof(float), "lane sums"));
    TRY(memory_allocate(&made->a, 2 * (size_t)s->num_lanes, sizeof *made->a, "lane sums"));
    TRY(memory_allocate(&made->rows, s->num_lanes, sizeof *made->rows, "lane sums"));
    made->partial = made->sum + s->unit_floats;
    made->partial_bias = made->bias + s->unit_columns;
    made->delta = made->a + s->num_lanes;
  }
  return MLPD_OK;
}

mlpd_status stepper_make_sums(stepper *s) {
  s->levels = tree_levels(s->num_lanes);
  TRY(make_units(s));
  return make_scratch(s);
}

void stepper_free_sums(stepper *s) {
  for (int t = 0; s->scratch != NULL && t < s->parts.threads; t++) {
    free(s->scratch[t].sum);
    free(s->scratch[t].bias);
    free(s->scratch[t].a);
    free(s->scratch[t].rows);
  }
  free(s->scratch);
  free(s->units);
  free(s->strips);
  free(s->first_strip);
}

size_t stepper_scratch_size(const mlpd_network *network, const backend *gemm, uint32_t num_lanes) {
  size_t floats = 0, columns = 0;
  largest_unit(network, gemm, &floats, &columns);
  const size_t levels = gemm->sum_gradients == NULL ? tree_levels(num_lanes) : 0;
  return (1 + levels) * floats * sizeof(float);
}

/* ---- Sums ------------------------------------------------------------------------------------------ */

/* tail = the statistics of the lanes in range, in tree order. */
static void sum_tails(const stepper *s, lane_range range, double tail[TAIL_DOUBLES]) {
  if (range.end - range.begin == 1) {
    step_tail_of_lane(&s->lane[range.begin - s->lanes.begin].sums, tail);
    return;
  }
  const uint32_t middle = tree_split(range);
  double right[TAIL_DOUBLES];
  sum_tails(s, (lane_range){range.begin, middle}, tail);
  sum_tails(s, (lane_range){middle, range.end}, right);
  for (uint32_t i = 0; i < TAIL_DOUBLES; i++) tail[i] += right[i];
}

/* bias (unit's columns) = the unit's bias gradient summed over the lanes in range, in tree order; partial is room for
 * the levels below. */
static void sum_bias(const stepper *s, const unit *part, lane_range range, float *bias, float *partial) {
  if (range.end - range.begin == 1) {
    const lane *const u = &s->lane[range.begin - s->lanes.begin];
    network_bias_gradient(s->parts.network, &part->shape, u->row, u->count, &s->space, bias);
    return;
  }
  const uint32_t middle = tree_split(range);
  sum_bias(s, part, (lane_range){range.begin, middle}, bias, partial);
  sum_bias(s, part, (lane_range){middle, range.end}, partial, partial + s->unit_columns);
  vector_add(part->shape.columns, partial, bias);
}

/* out (unit's rows, columns), rows `stride` apart, likewise. */
static void sum_weights(const stepper *s, const unit *part, lane_range range, float *out, uint32_t stride,
                        float *partial) {
  const uint32_t columns = (uint32_t)stepper_pad(part->shape.columns);
  if (range.end - range.begin == 1) {
    const lane *const u = &s->lane[range.begin - s->lanes.begin];
    network_weight_gradient(s->parts.network, s->parts.gemm, &part->shape, u->row, u->count, &s->space, out, stride);
    return;
  }
  const uint32_t middle = tree_split(range);
  sum_weights(s, part, (lane_range){range.begin, middle}, out, stride, partial);
  sum_weights(s, part, (lane_range){middle, range.end}, partial, columns, partial + s->unit_floats);
  for (uint32_t i = 0; i < part->shape.rows; i++)
    vector_add(part->shape.columns, partial + (size_t)i * columns, out + (size_t)i * stride);
}

/* The same by the back end, which sums tiles of all lanes in its registers. */
static void sum_weights_at_once(const stepper *s, const unit *part, lane_range range, float *out, uint32_t stride,
                                const soon *next, const scratch *room) {
  const uint32_t num_lanes = range.end - range.begin;
  gradient_factors factors = {0};
  for (uint32_t i = 0; i < num_lanes; i++) {
    const lane *const u = &s->lane[range.begin - s->lanes.begin + i];
    factors = network_gradient_factors(s->parts.network, &part->shape, u->row, &s->space);
    room->a[i] = factors.a;
    room->delta[i] = factors.delta;
    room->rows[i] = u->count;
  }
  lane_products lanes = {.num_lanes = num_lanes,
                         .rows = room->rows,
                         .a = room->a,
                         .delta = room->delta,
                         .lda = factors.a_stride,
                         .ldd = factors.delta_stride,
                         .num_next = next->count,
                         .next_row = next->row};
  for (uint32_t i = 0; i < next->count; i++) lanes.next[i] = next->arrays[i];
  s->parts.gemm->sum_gradients((int)part->shape.rows, (int)part->shape.columns, &lanes, out, (int)stride);
}

void stepper_sum_unit(const stepper *s, const unit *part, lane_range range, float *out, uint32_t stride, float *bias,
                      const soon *next, const scratch *room) {
  if (s->parts.gemm->sum_gradients != NULL)
    sum_weights_at_once(s, part, range, out, stride, next, room);
  else
    sum_weights(s, part, range, out, stride, room->partial);
  if (part->shape.row == 0) sum_bias(s, part, range, bias, room->partial_bias);
}

soon stepper_soon_updated(const stepper *s, size_t place, size_t row) {
  const optimizer *const o = s->parts.optimizer;
  soon next = {.arrays = {s->parts.network->parameters + place}, .count = 1, .row = row};
  for (uint32_t i = 0; i < o->num_state; i++) next.arrays[next.count++] = o->state[i] + place;
  return next;
}

void stepper_sum_tails(stepper *s, const step_wishes *wishes) {
  const uint32_t nodes = reducer_num_nodes(s->reducer);
  for (uint32_t node = 0; node < nodes; node++)
    sum_tails(s, reducer_node(s->reducer, node), reducer_doubles(s->reducer, node));
  if (nodes == 0) return;
  step_tail_add_wishes(wishes, s->parts.network, s->divides ? NULL : s->parts.optimizer,
                       reducer_doubles(s->reducer, 0));
  if (s->streamed != MLPD_OK) reducer_doubles(s->reducer, 0)[TAIL_FAILED] += 1;
}

/* ---- What is recorded of it ------------------------------------------------------------------------- */

/* Units of a layer that a thread does one after the other, when they are too small to be recorded one by one. */
typedef struct unit_run {
  uint32_t layer, units;
  uint64_t began;
} unit_run;

static void end_run(stepper *s, unit_run *run, timeline_phase phase) {
  if (run->units == 0) return;
  (void)timeline_end(s->line, (uint32_t)omp_get_thread_num(), phase, run->layer + 1, run->units, run->began);
  run->units = 0;
}

/* A unit of a layer begins. */
static void begin_unit(stepper *s, unit_run *run, timeline_phase phase, uint32_t layer) {
  if (run->layer != layer) end_run(s, run, phase);
  if (run->units++ > 0) return;
  run->layer = layer;
  run->began = timeline_begin(s->line);
}

/* ---- Into the nodes of this rank -------------------------------------------------------------------- */

void stepper_reduce_unit(stepper *s, uint32_t node, const unit *part, const soon *next, const scratch *room) {
  float *const sum = reducer_floats(s->reducer, node);
  stepper_sum_unit(s, part, reducer_node(s->reducer, node), sum + part->weight, part->stride, sum + part->bias, next,
                   room);
}

static bool strip_complete(stepper *s, uint32_t place) {
  strip *const at = &s->strips[place];
  return atomic_load_explicit(&at->left, memory_order_acquire) == 0 &&
         (!at->last || atomic_load_explicit(&s->strips[s->first_strip[at->layer]].left, memory_order_acquire) == 0);
}

/* Tells the reducer what is complete, and lets messages go on. On the master thread. */
static void send_complete(stepper *s) {
  const uint64_t began = s->overlaps ? timeline_begin(s->line) : 0;
  while (s->sent == MLPD_OK && s->num_ready < s->num_strips && strip_complete(s, s->num_strips - 1 - s->num_ready)) {
    s->num_ready++;
    s->sent = reducer_ready(s->reducer, s->num_strips - s->num_ready);
  }
  if (s->sent == MLPD_OK) s->sent = reducer_progress(s->reducer);
  (void)timeline_end(s->line, 0, TIMELINE_MESSAGES, 0, 0, began);
}

/* The units of layer l for all nodes: the first strip, which has the bias, then from the last down. Called by every
 * thread of a parallel region, which may leave before the others are done. */
static void reduce_layer(stepper *s, uint32_t l) {
  const uint32_t nodes = reducer_num_nodes(s->reducer), begin = s->first_strip[l], end = s->first_strip[l + 1];
  const uint32_t across = s->strips[begin].num_units;
  const scratch *const room = &s->scratch[omp_get_thread_num()];
  unit_run run = {0};
#pragma omp for schedule(dynamic) nowait
  for (uint32_t i = 0; i < (end - begin) * across * nodes; i++) {
    const uint32_t place = i / (across * nodes);
    strip *const at = &s->strips[place == 0 ? begin : end - place];
    begin_unit(s, &run, TIMELINE_GRADIENT, l);
    stepper_reduce_unit(s, i % nodes, &s->units[at->first_unit + i / nodes % across], &(soon){0}, room);
    if (s->record_units) end_run(s, &run, TIMELINE_GRADIENT);
    (void)atomic_fetch_sub_explicit(&at->left, 1, memory_order_release);
    if (s->overlaps && omp_get_thread_num() == 0) send_complete(s);
  }
  end_run(s, &run, TIMELINE_GRADIENT);
}

void stepper_sum_units(stepper *s, bool deltas) {
  const uint32_t layers = s->parts.network->num_layers, nodes = reducer_num_nodes(s->reducer);
#pragma omp single
  {
    s->num_ready = 0;
    for (uint32_t i = 0; i < s->num_strips; i++) atomic_init(&s->strips[i].left, nodes * s->strips[i].num_units);
  }
  for (uint32_t l = layers; l-- > 0;) {
    if (deltas && l > 0) stepper_run_deltas(s, l - 1, send_complete);
    reduce_layer(s, l);
  }
#pragma omp barrier
  if (omp_get_thread_num() == 0) send_complete(s);
}

/* ---- Into the weights, where one rank owns the whole tree -------------------------------------------- */

/* Sums a unit in scratch and updates its weights while both are in cache; from tick `began` on. */
static void update_unit(stepper *s, const unit *part, const scratch *room, uint64_t began) {
  const uint32_t me = (uint32_t)omp_get_thread_num(), layer = part->shape.layer + 1;
  float *const parameters = s->parts.network->parameters;
  /* Rows that lie together in the arena lie together here: then all are one row to the optimizer. */
  const uint32_t columns =
      part->shape.columns == part->stride ? part->stride : (uint32_t)stepper_pad(part->shape.columns);
  const soon next = stepper_soon_updated(s, part->weight, part->stride);
  stepper_sum_unit(s, part, s->lanes, room->sum, columns, room->bias, &next, room);
  const uint64_t summed = timeline_end(s->line, me, TIMELINE_GRADIENT, layer, 1, began);
  optimizer_update(s->parts.optimizer, &s->scalars, parameters,
                   &(optimizer_block){.begin = part->weight,
                                      .rows = part->shape.rows,
                                      .columns = part->shape.columns,
                                      .stride = part->stride,
                                      .gradient = room->sum,
                                      .gradient_stride = columns,
                                      .decay = true});
  if (part->shape.row == 0)
    optimizer_update(s->parts.optimizer, &s->scalars, parameters,
                     &(optimizer_block){.begin = part->bias,
                                        .rows = 1,
                                        .columns = part->shape.columns,
                                        .stride = part->shape.columns,
                                        .gradient = room->bias,
                                        .gradient_stride = columns});
  (void)timeline_end(s->line, me, TIMELINE_OPTIMIZER, layer, 1, summed);
}

void stepper_update_units(stepper *s) {
  const scratch *const room = &s->scratch[omp_get_thread_num()];
  unit_run run = {0};
#pragma omp for schedule(dynamic) nowait
  for (uint32_t i = 0; i < s->num_units; i++) {
    if (!s->record_units) begin_unit(s, &run, TIMELINE_UPDATE, s->units[i].shape.layer);
    update_unit(s, &s->units[i], room, s->record_units ? timeline_begin(s->line) : 0);
  }
  end_run(s, &run, TIMELINE_UPDATE);
#pragma omp barrier
}
