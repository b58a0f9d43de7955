/* Phase 1 of the step: lanes from their rows to their deltas. */
#include <omp.h>
#include <string.h>

#include "kernels/vector.h"
#include "network/ensemble.h"
#include "ranks/clock.h"
#include "ranks/comm.h"
#include "step/stepper_internal.h"

enum {
  GROUP_ROWS = 256,      /* rows of lanes that pass a layer together */
  BLOCKS_PER_THREAD = 2, /* smallest block of rows of a layer, if products may be cut there */
  SMALL_ARENA = 1 << 17, /* weights, in floats, that each core's cache holds: 512 KiB */
  FEWEST_ROWS = 4        /* rows of a thread, when threads share rows */
};

/* The context of the step for the layers; sample numbers include the rows of lanes on lower ranks. */
static void set_context(stepper *s, uint64_t step) {
  const lane_plan *const plan = s->parts.plan;
  uint64_t first = step * plan->batch;
  s->rows = 0;
  for (uint32_t u = 0; u < plan->num_lanes; u++) {
    uint64_t begin = 0, count = 0;
    lane_microbatch(plan, u, step, &begin, &count);
    if (u < s->lanes.begin) first += count;
    s->rows += count;
  }
  s->space.context = (pass_context){
      .training = true, .seed = s->parts.seed, .epoch = (uint32_t)s->epoch, .first = first, .weaker = s->weaker};
}

void stepper_place_lanes(stepper *s, uint64_t step) {
  uint64_t row = 0;
  set_context(s, step);
  for (uint32_t i = 0; i < s->num_lanes; i++) {
    lane *const u = &s->lane[i];
    lane_microbatch(s->parts.plan, s->lanes.begin + i, step, &u->begin, &u->count);
    if (s->streamed != MLPD_OK) u->count = 0;
    u->row = row;
    row += u->count;
  }
}

/* Gathers `count` rows, first + order[0 ...] of `rows`, into the microbatch from place on; order has `known` entries.
 */
static void gather_rows(const stepper *s, const lane *u, const shard *rows, uint64_t first, const uint32_t *order,
                        uint64_t place, uint64_t count, uint64_t known) {
  const char *const x = (const char *)rows->x + first * rows->features * element_size(rows->type);
  affine_gather(s->parts.input, rows->type, count, known, x, order,
                s->space.x + (u->row + place) * affine_width(s->parts.input));
  for (uint64_t i = 0; i < count; i++) {
    const uint64_t row = first + order[i];
    if (rows->classes != NULL) u->classes[place + i] = rows->classes[row];
    if (rows->weights != NULL) u->weights[place + i] = rows->weights[row];
    if (rows->folds != NULL) u->folds[place + i] = rows->folds[row];
    if (rows->values != NULL)
      memcpy(u->values + (place + i) * rows->outputs, rows->values + row * rows->outputs,
             rows->outputs * sizeof(float));
  }
}

/* Gathers `count` rows of lane u's microbatch from place on. */
static void gather(const stepper *s, const lane *u, uint64_t place, uint64_t count) {
  if (s->parts.stream == NULL) {
    const uint64_t begin = u->begin + place;
    gather_rows(s, u, s->parts.rows, u->first, u->order + begin, place, count, u->rows - begin);
    return;
  }
  for (uint64_t done = 0, some = 0; done < count; done += some) {
    const shard *rows = NULL;
    some = count - done;
    const uint32_t *const order =
        stream_rows(s->parts.stream, s->lanes.begin + (uint32_t)(u - s->lane), u->begin + place + done, &some, &rows);
    gather_rows(s, u, rows, 0, order, place + done, some, some);
  }
}

/* Computes the losses of `count` rows of lane u's microbatch from place on, and the last layer's delta; adds to the
 * lane's sums or, if requested, stores what each row contributes. */
static void finish_forward(stepper *s, lane *u, uint64_t place, uint64_t count, loss_sums *rows) {
  const targets y = {.classes = u->classes != NULL ? u->classes + place : NULL,
                     .values = u->values != NULL ? u->values + place * s->parts.rows->outputs : NULL,
                     .weights = u->weights != NULL ? u->weights + place : NULL,
                     .folds = u->folds != NULL ? u->folds + place : NULL};
  if (rows == NULL) u->sums = (loss_sums){0};
  if (count == 0) return;
  network_finish_output(s->parts.network, u->row + place, count, &s->space);
  if (rows == NULL)
    ensemble_loss(s->parts.network, &s->parts.loss, u->row + place, count, &y, &s->space, &u->sums);
  else
    ensemble_loss_rows(s->parts.network, &s->parts.loss, u->row + place, count, &y, &s->space, rows);
}

/* Some of a lane's rows. */
typedef struct lane_rows {
  uint64_t place, count; /* in its microbatch */
} lane_rows;

/* n rows from `row` on: of one lane, or of several if products may be cut anywhere. */
typedef struct rows_of_lanes {
  uint64_t row, n;
} rows_of_lanes;

/* Forward or back through one layer. */
typedef struct layer_pass {
  uint32_t layer;
  pass_way way;
} layer_pass;

static void run_block(stepper *s, layer_pass pass, const block *part) {
  if (pass.way == WAY_FORWARD)
    network_forward_block(s->parts.network, s->parts.gemm, pass.layer, part, &s->space);
  else
    network_backward_block(s->parts.network, s->parts.gemm, pass.layer, part, &s->space);
}

static void run_rows_of_layer(stepper *s, layer_pass pass, uint64_t row, uint64_t n) {
  const mlpd_network *const network = s->parts.network;
  for (uint32_t i = 0; i < network_num_blocks(network, s->parts.gemm, pass.layer, pass.way, n, 1); i++) {
    const block part = network_block(network, s->parts.gemm, pass.layer, pass.way, row, n, 1, i);
    run_block(s, pass, &part);
  }
}

/* Rows of lanes [begin, end): all at once if the layer allows it. */
static void run_layer(stepper *s, layer_pass pass, uint32_t begin, uint32_t end, const rows_of_lanes *rows) {
  if (network_reach(s->parts.network, pass.layer, pass.way) != REACH_LANE) {
    run_rows_of_layer(s, pass, rows->row, rows->n);
    return;
  }
  for (uint32_t i = begin; i < end; i++) run_rows_of_layer(s, pass, s->lane[i].row, s->lane[i].count);
}

/* The rows of lane u among rows of the workspace. */
static lane_rows rows_within(const lane *u, const rows_of_lanes *rows) {
  const uint64_t begin = stepper_larger(rows->row, u->row), end = rows->row + rows->n, lane_end = u->row + u->count;
  const uint64_t stop = end < lane_end ? end : lane_end;
  return stop > begin ? (lane_rows){begin - u->row, stop - begin} : (lane_rows){0, 0};
}

/* Takes rows of lanes [begin, end), contiguous in memory, forward and, if backward is set, back to the deltas of all
 * layers, on one thread. The lanes are whole unless they are shared by rows. */
static void run_rows(stepper *s, uint32_t begin, uint32_t end, const rows_of_lanes *rows, bool backward, double *data) {
  const mlpd_network *const network = s->parts.network;
  const uint32_t me = (uint32_t)omp_get_thread_num(), layers = network->num_layers;
  const double start = clock_seconds();
  uint64_t at = timeline_begin(s->line);
  for (uint32_t i = begin; i < end; i++) {
    const lane_rows some = rows_within(&s->lane[i], rows);
    if (some.count > 0) gather(s, &s->lane[i], some.place, some.count);
  }
  *data += clock_seconds() - start;
  at = timeline_end(s->line, me, TIMELINE_GATHER, rows->n, 0, at);
  for (uint32_t l = 0; l < layers; l++) {
    run_layer(s, (layer_pass){l, WAY_FORWARD}, begin, end, rows);
    at = timeline_end(s->line, me, TIMELINE_FORWARD, l + 1, rows->n, at);
  }
  for (uint32_t i = begin; i < end; i++) {
    lane *const u = &s->lane[i];
    const lane_rows some = rows_within(u, rows);
    finish_forward(s, u, some.place, some.count, s->row_sums != NULL ? s->row_sums + u->row + some.place : NULL);
  }
  at = timeline_end(s->line, me, TIMELINE_LOSS, rows->n, 0, at);
  for (uint32_t l = layers - 1; backward && l-- > network->lowest_delta;) {
    run_layer(s, (layer_pass){l, WAY_BACKWARD}, begin, end, rows);
    at = timeline_end(s->line, me, TIMELINE_BACKWARD, l + 1, rows->n, at);
  }
}

/* Lanes of a group: more lanes reuse the weights in cache more often, but every thread must get its share. */
static uint32_t group_lanes(const stepper *s) {
  if (s->parts.gemm->sum_gradients == NULL || s->num_lanes == 0) return 1;
  const uint64_t rows = (s->parts.plan->batch - 1) / s->parts.plan->num_lanes + 1;
  const uint32_t share = (s->num_lanes - 1) / (uint32_t)s->parts.threads + 1; /* of a thread */
  const uint64_t most = rows < GROUP_ROWS ? GROUP_ROWS / rows : 1, groups = (share - 1) / most + 1;
  return (uint32_t)((share - 1) / groups + 1);
}

/* Number of blocks of a lane to request, so that every thread gets its share. */
static uint32_t wanted_blocks(const stepper *s) {
  return (BLOCKS_PER_THREAD * (uint32_t)s->parts.threads - 1) / s->num_lanes + 1;
}

/* All lanes' blocks of a layer. Called by every thread of a parallel region. */
static void run_blocks(stepper *s, layer_pass pass, void master(stepper *s)) {
  const uint32_t me = (uint32_t)omp_get_thread_num(), l = pass.layer;
  const timeline_phase phase = pass.way == WAY_FORWARD ? TIMELINE_FORWARD : TIMELINE_BACKWARD;
  const mlpd_network *const network = s->parts.network;
  const backend *const gemm = s->parts.gemm;
  if (s->num_lanes == 0) return; /* on all threads of this rank */
  const uint32_t wanted = wanted_blocks(s);
  uint64_t most_count = 0;
  for (uint32_t i = 0; i < s->num_lanes; i++) most_count = stepper_larger(most_count, s->lane[i].count);
  const uint32_t blocks = network_num_blocks(network, gemm, l, pass.way, most_count, wanted);
#pragma omp for schedule(dynamic)
  for (uint32_t i = 0; i < s->num_lanes * blocks; i++) {
    const lane *const u = &s->lane[i / blocks];
    if (i % blocks >= network_num_blocks(network, gemm, l, pass.way, u->count, wanted)) continue;
    const block part = network_block(network, gemm, l, pass.way, u->row, u->count, wanted, i % blocks);
    const uint64_t began = timeline_begin(s->line);
    run_block(s, pass, &part);
    (void)timeline_end(s->line, me, phase, l + 1, part.rows, began);
    if (master != NULL && me == 0) master(s);
  }
}

void stepper_run_deltas(stepper *s, uint32_t l, void master(stepper *s)) {
  run_blocks(s, (layer_pass){l, WAY_BACKWARD}, master);
}

/* ---- How threads share lanes ----------------------------------------------------------------------- */

/* Rows of all lanes of a thread. */
static rows_of_lanes thread_rows(const stepper *s, uint32_t thread) {
  const lane *const last = &s->lane[s->num_lanes - 1];
  const uint64_t rows = last->row + last->count, threads = (uint64_t)s->parts.threads;
  const uint64_t begin = rows * thread / threads;
  return (rows_of_lanes){begin, rows * (thread + 1) / threads - begin};
}

/* The lanes of a thread, from 0, if threads share whole lanes. */
static lane_range thread_lanes(const stepper *s, uint32_t thread) {
  lane_range mine;
  lanes_of_rank(s->num_lanes, s->parts.threads, (int)thread, &mine.begin, &mine.end);
  return mine;
}

/* All threads work on one layer of all lanes at a time. Called by every thread of a parallel region. */
static void run_lanes_by_layer(stepper *s, bool backward) {
  const mlpd_network *const network = s->parts.network;
  for (uint32_t l = 0; l < network->num_layers; l++) run_blocks(s, (layer_pass){l, WAY_FORWARD}, NULL);
#pragma omp for schedule(dynamic)
  for (uint32_t i = 0; i < s->num_lanes; i++) {
    const uint64_t began = timeline_begin(s->line);
    finish_forward(s, &s->lane[i], 0, s->lane[i].count, NULL);
    (void)timeline_end(s->line, (uint32_t)omp_get_thread_num(), TIMELINE_LOSS, s->lane[i].count, 0, began);
  }
  for (uint32_t l = network->num_layers - 1; backward && l-- > network->lowest_delta;) stepper_run_deltas(s, l, NULL);
}

/* Gathers this thread's rows; then all threads continue together. */
static void gather_for_layers(stepper *s, uint32_t thread, double *data) {
  const rows_of_lanes rows = thread_rows(s, thread);
  const double start = clock_seconds();
  const uint64_t began = timeline_begin(s->line);
  for (uint32_t i = 0; i < s->num_lanes; i++) {
    const lane_rows some = rows_within(&s->lane[i], &rows);
    if (some.count > 0) gather(s, &s->lane[i], some.place, some.count);
  }
  *data += clock_seconds() - start;
  (void)timeline_end(s->line, (uint32_t)omp_get_thread_num(), TIMELINE_GATHER, rows.n, 0, began);
}

static void run_thread_rows(stepper *s, uint32_t thread, bool backward, double *data) {
  const rows_of_lanes rows = thread_rows(s, thread);
  run_rows(s, 0, s->num_lanes, &rows, backward, data);
}

static void run_whole_lanes(stepper *s, lane_range mine, bool backward, double *data) {
  const uint32_t group = group_lanes(s);
  for (uint32_t begin = mine.begin; begin < mine.end; begin += group) {
    const uint32_t end = begin + group < mine.end ? begin + group : mine.end;
    const lane *const first = &s->lane[begin], *const last = &s->lane[end - 1];
    run_rows(s, begin, end, &(rows_of_lanes){first->row, last->row + last->count - first->row}, backward, data);
  }
}

/* Whole lanes leave threads idle if lanes are few or uneven; if more than a quarter would be idle, barriers cost less.
 */
static bool whole_lanes(uint32_t lanes, uint32_t threads) {
  const uint32_t rounds = (lanes + threads - 1) / threads;
  return threads == 1 || 4 * lanes >= 3 * rounds * threads;
}

sharing stepper_sharing(const mlpd_network *network, const backend *gemm, const lane_plan *plan, lane_range lanes,
                        int threads) {
  const uint32_t num_lanes = lanes.end - lanes.begin;
  const uint64_t rows = (plan->batch - 1) / plan->num_lanes + 1;
  if (whole_lanes(num_lanes, (uint32_t)threads)) return SHARE_LANES;
  return gemm->sum_gradients != NULL && !network_needs_lanes(network) && network->arena_size <= SMALL_ARENA &&
                 num_lanes * rows >= FEWEST_ROWS * (uint64_t)threads
             ? SHARE_ROWS
             : SHARE_LAYERS;
}

void stepper_run_lanes(stepper *s, bool backward) {
  const uint32_t threads = (uint32_t)s->parts.threads, team = (uint32_t)omp_get_num_threads();
  double data = 0;
  /* Covers all shares even if there are fewer threads than requested. */
  for (uint32_t share = (uint32_t)omp_get_thread_num(); s->num_lanes > 0 && share < threads; share += team)
    switch (s->sharing) {
      case SHARE_LANES:
        run_whole_lanes(s, thread_lanes(s, share), backward, &data);
        break;
      case SHARE_ROWS:
        run_thread_rows(s, share, backward, &data);
        break;
      case SHARE_LAYERS:
        gather_for_layers(s, share, &data);
        break;
    }
  if (omp_get_thread_num() == 0) s->times.data += data;
  if (s->sharing != SHARE_LAYERS) return;
#pragma omp barrier
  run_lanes_by_layer(s, backward);
}

void stepper_end_lanes(stepper *s) {
  for (uint32_t i = 0; s->row_sums != NULL && i < s->num_lanes; i++) {
    lane *const u = &s->lane[i];
    u->sums = (loss_sums){0};
    loss_add(u->count, s->row_sums + u->row, &u->sums);
  }
}

size_t stepper_lane_events(const stepper *s) {
  const uint64_t rows = (s->parts.plan->batch - 1) / s->parts.plan->num_lanes + 1;
  const mlpd_network *const network = s->parts.network;
  size_t events = 2;                                 /* gather, loss */
  for (uint32_t l = 0; l < network->num_layers; l++) /* forward, backward, messages */
    events += 3 * network_num_blocks(network, s->parts.gemm, l, WAY_FORWARD, rows, wanted_blocks(s));
  return s->num_lanes * events;
}
