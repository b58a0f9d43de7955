/* Phase 2 of the step: gradients, unit by unit, summed over lanes in tree order. */
#include <omp.h>
#include <stdlib.h>

#include "base/memory.h"
#include "kernels/vector.h"
#include "step/stepper_internal.h"

/* ---- Making --------------------------------------------------------------------------------------- */

/* Number of units of a tensor side by side in one strip. */
static uint32_t units_across(const tensor *t, const backend *gemm) {
  const uint32_t units = tensor_num_units(t, gemm);
  uint32_t across = 1;
  while (across < units && tensor_unit(t, gemm, across).row == 0) across++;
  return across;
}

static void lay_out_units(stepper *s, memory_layout *layout) {
  const mlpd_network *const network = s->parts.network;
  uint32_t units = 0, strips = 0;
  for (uint32_t i = 0; i < network->num_tensors; i++) {
    const tensor *const t = &network->tensors[i];
    units += tensor_num_units(t, s->parts.gemm);
    strips += tensor_num_units(t, s->parts.gemm) / units_across(t, s->parts.gemm);
  }
  s->first_strip = memory_place(layout, (size_t)network->num_layers + 1, sizeof *s->first_strip);
  s->units = memory_place(layout, units, sizeof *s->units);
  s->strips = memory_place(layout, strips, sizeof *s->strips);
}

/* Strips begin at multiples of this: a packet's floats. */
enum { STRIP_FLOATS = 16 };

/* Creates the units of tensor i; a vector joins the layer's last strip, if there is one, and so do units that would
 * begin one elsewhere, as small heads of an ensemble do. */
static void append_units(stepper *s, uint32_t i) {
  const tensor *const t = &s->parts.network->tensors[i];
  const uint32_t units = tensor_num_units(t, s->parts.gemm), across = units_across(t, s->parts.gemm);
  for (uint32_t u = 0; u < units; u++) {
    const gradient_unit made = network_unit(s->parts.network, s->parts.gemm, i, u);
    const size_t row = t->offset + (size_t)made.row * t->stride;
    const bool is_first = s->num_strips == s->first_strip[t->layer];
    if (u % across == 0 && (is_first || (!t->vector && (u == 0 || row % STRIP_FLOATS == 0))))
      s->strips[s->num_strips++] = (strip){.layer = t->layer, .first_unit = s->num_units, .begin = row};
    strip *const of = &s->strips[s->num_strips - 1];
    s->units[s->num_units++] =
        (unit){.shape = made, .of = t, .place = row + made.column, .stride = t->stride, .strip = s->num_strips - 1};
    of->num_units++;
    of->end = row + (size_t)made.rows * t->stride;
  }
}

void stepper_list_units(stepper *s) {
  const mlpd_network *const network = s->parts.network;
  for (uint32_t l = 0, i = 0; l < network->num_layers; l++) {
    s->first_strip[l] = s->num_strips;
    for (; i < network->num_tensors && network->tensors[i].layer == l; i++) append_units(s, i);
  }
  s->first_strip[network->num_layers] = s->num_strips;
}

/* Levels of scratch for a depth-first sum over lanes: the height of the tree plus one. */
static uint32_t tree_levels(uint32_t lanes) {
  uint32_t levels = 1;
  for (uint32_t covered = 1; covered < lanes; covered *= 2) levels++;
  return levels;
}

/* Does the back end sum this tensor's products over lanes in registers? If not, lanes are added in scratch. */
static bool summed_at_once(const tensor *t, const backend *gemm) {
  return t->source == TENSOR_PRODUCT && gemm->sum_gradients != NULL;
}

/* The largest number of floats of a unit's sum, and of those added in scratch. */
static void largest_unit(const mlpd_network *network, const backend *gemm, size_t *floats, size_t *partial) {
  *floats = *partial = 0;
  for (uint32_t i = 0; i < network->num_tensors; i++) { /* the first unit of a tensor is the largest */
    const gradient_unit first = network_unit(network, gemm, i, 0);
    const size_t padded = first.rows * stepper_pad(first.columns);
    *floats = stepper_larger(*floats, padded);
    if (!summed_at_once(&network->tensors[i], gemm)) *partial = stepper_larger(*partial, padded);
  }
}

static void lay_out_scratch(stepper *s, memory_layout *layout) {
  const size_t floats = s->unit_floats + s->partial_floats * s->levels;
  s->scratch = memory_place(layout, (size_t)s->parts.threads, sizeof *s->scratch);
  for (int t = 0; t < s->parts.threads; t++) {
    float *const sum = memory_place(layout, floats, sizeof *sum);
    const float **const factors = memory_place(layout, 2 * (size_t)s->num_lanes, sizeof *factors);
    uint64_t *const rows = memory_place(layout, s->num_lanes, sizeof *rows);
    if (s->scratch == NULL) continue;
    s->scratch[t] = (scratch){
        .sum = sum, .partial = sum + s->unit_floats, .a = factors, .delta = factors + s->num_lanes, .rows = rows};
  }
}

void stepper_plan_sums(stepper *s) {
  s->levels = tree_levels(s->num_lanes);
  largest_unit(s->parts.network, s->parts.gemm, &s->unit_floats, &s->partial_floats);
}

void stepper_lay_out_sums(stepper *s, memory_layout *layout) {
  lay_out_units(s, layout);
  lay_out_scratch(s, layout);
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

/* out (unit's rows, columns), rows `stride` apart, = the unit's gradient summed over the lanes in range, in tree order;
 * partial is room for the levels below. */
static void sum_lanes(const stepper *s, const unit *part, lane_range range, float *out, uint32_t stride,
                      float *partial) {
  const uint32_t columns = (uint32_t)stepper_pad(part->shape.columns);
  if (range.end - range.begin == 1) {
    const lane *const u = &s->lane[range.begin - s->lanes.begin];
    network_gradient(s->parts.network, s->parts.gemm, &part->shape, u->row, u->count, &s->space, out, stride);
    return;
  }
  const uint32_t middle = tree_split(range);
  sum_lanes(s, part, (lane_range){range.begin, middle}, out, stride, partial);
  sum_lanes(s, part, (lane_range){middle, range.end}, partial, columns, partial + s->partial_floats);
  for (uint32_t i = 0; i < part->shape.rows; i++)
    vector_add(part->shape.columns, partial + (size_t)i * columns, out + (size_t)i * stride);
}

/* The same by the back end, which sums tiles of all lanes in registers. */
static void sum_lanes_at_once(const stepper *s, const unit *part, lane_range range, float *out, uint32_t stride,
                              const soon *next, const scratch *room) {
  const uint32_t num_lanes = range.end - range.begin;
  gradient_factors factors = {0};
  for (uint32_t i = 0; i < num_lanes; i++) {
    const lane *const u = &s->lane[range.begin - s->lanes.begin + i];
    factors = network_gradient_factors(s->parts.network, &part->shape, u->row, &s->space);
    room->a[i] = factors.a;
    room->delta[i] = factors.delta;
    room->rows[i] = u->count * factors.copies;
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

void stepper_sum_unit(const stepper *s, const unit *part, lane_range range, float *out, uint32_t stride,
                      const soon *next, const scratch *room) {
  if (summed_at_once(part->of, s->parts.gemm))
    sum_lanes_at_once(s, part, range, out, stride, next, room);
  else
    sum_lanes(s, part, range, out, stride, room->partial);
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

/* Consecutive units of a layer on one thread, which are too small to be recorded one by one. */
typedef struct unit_run {
  uint32_t layer, units;
  uint64_t began;
} unit_run;

static void end_run(stepper *s, unit_run *run, timeline_phase phase) {
  if (run->units == 0) return;
  (void)timeline_end(s->line, (uint32_t)omp_get_thread_num(), phase, run->layer + 1, run->units, run->began);
  run->units = 0;
}

/* Begins a unit of a layer. */
static void begin_unit(stepper *s, unit_run *run, timeline_phase phase, uint32_t layer) {
  if (run->layer != layer) end_run(s, run, phase);
  if (run->units++ > 0) return;
  run->layer = layer;
  run->began = timeline_begin(s->line);
}

/* ---- Into the nodes of this rank -------------------------------------------------------------------- */

void stepper_reduce_unit(stepper *s, uint32_t node, const unit *part, const soon *next, const scratch *room) {
  float *const place = reducer_floats(s->reducer, node) + part->place;
  stepper_sum_unit(s, part, reducer_node(s->reducer, node), place, part->stride, next, room);
}

static bool strip_complete(stepper *s, uint32_t place) {
  return atomic_load_explicit(&s->strips[place].left, memory_order_acquire) == 0;
}

/* Passes complete strips to the reducer and progresses messages. On the master thread. */
static void send_complete(stepper *s) {
  const uint64_t began = s->overlaps ? timeline_begin(s->line) : 0;
  while (s->sent == MLPD_OK && s->num_ready < s->num_strips && strip_complete(s, s->num_strips - 1 - s->num_ready)) {
    s->num_ready++;
    s->sent = reducer_ready(s->reducer, s->num_strips - s->num_ready);
  }
  if (s->sent == MLPD_OK) s->sent = reducer_progress(s->reducer);
  (void)timeline_end(s->line, 0, TIMELINE_MESSAGES, 0, 0, began);
}

/* Sums the units of layer l for all nodes, from the last down. Called by every thread of a parallel region; a thread
 * may return before the others are done. */
static void reduce_layer(stepper *s, uint32_t l) {
  const uint32_t nodes = reducer_num_nodes(s->reducer), begin = s->first_strip[l], end = s->first_strip[l + 1];
  if (begin == end) return; /* on all threads: the layer has no tensors */
  const uint32_t first = s->strips[begin].first_unit,
                 stop = s->strips[end - 1].first_unit + s->strips[end - 1].num_units;
  const scratch *const room = &s->scratch[omp_get_thread_num()];
  unit_run run = {0};
#pragma omp for schedule(dynamic) nowait
  for (uint32_t i = 0; i < (stop - first) * nodes; i++) {
    const unit *const part = &s->units[stop - 1 - i / nodes];
    begin_unit(s, &run, TIMELINE_GRADIENT, l);
    stepper_reduce_unit(s, i % nodes, part, &(soon){0}, room);
    if (s->record_units) end_run(s, &run, TIMELINE_GRADIENT);
    (void)atomic_fetch_sub_explicit(&s->strips[part->strip].left, 1, memory_order_release);
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
    if (deltas && l > s->parts.network->lowest_delta) stepper_run_deltas(s, l - 1, send_complete);
    reduce_layer(s, l);
  }
#pragma omp barrier
  if (omp_get_thread_num() == 0) send_complete(s);
}

/* ---- Into the weights, where one rank owns the whole tree -------------------------------------------- */

/* Sums a unit in scratch and updates its values while both are in cache. began: tick at which the unit began. */
static void update_unit(stepper *s, const unit *part, const scratch *room, uint64_t began) {
  const uint32_t me = (uint32_t)omp_get_thread_num(), layer = part->shape.layer + 1;
  /* Rows that are contiguous in the arena are contiguous here too: the optimizer then treats them as one row. */
  const uint32_t columns =
      part->shape.columns == part->stride ? part->stride : (uint32_t)stepper_pad(part->shape.columns);
  const soon next = stepper_soon_updated(s, part->place, part->stride);
  stepper_sum_unit(s, part, s->lanes, room->sum, columns, &next, room);
  const uint64_t summed = timeline_end(s->line, me, TIMELINE_GRADIENT, layer, 1, began);
  optimizer_update(s->parts.optimizer, &s->scalars, s->parts.network->parameters,
                   &(optimizer_block){.begin = part->place,
                                      .rows = part->shape.rows,
                                      .columns = part->shape.columns,
                                      .stride = part->stride,
                                      .gradient = room->sum,
                                      .gradient_stride = columns,
                                      .of = part->of});
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
