/* Phase 1 of the step: lanes from their rows to their deltas. */
#include <omp.h>
#include <string.h>

#include "distribution/comm.h"
#include "kernels/vector.h"
#include "training/stepper_internal.h"

enum {
  GROUP_ROWS = 128,     /* of lanes that pass a layer together */
  BLOCKS_PER_THREAD = 2 /* of a layer, at least, where products may be cut so */
};

void stepper_place_lanes(stepper *s, uint64_t step) {
  uint64_t row = 0;
  for (uint32_t i = 0; i < s->num_lanes; i++) {
    lane *const u = &s->lane[i];
    lane_microbatch(s->parts.plan, s->lanes.begin + i, step, &u->begin, &u->count);
    if (s->streamed != MLPD_OK) u->count = 0;
    u->row = row;
    row += u->count;
  }
}

/* count rows of rows, first + order[0 ...], become those of the microbatch from place on; order has `known` entries. */
static void gather_rows(const stepper *s, const lane *u, const shard *rows, uint64_t first, const uint32_t *order,
                        uint64_t place, uint64_t count, uint64_t known) {
  const char *const x = (const char *)rows->x + first * rows->features * element_size(rows->type);
  vector_gather_rows(rows->type, count, known, rows->features, x, order, s->parts.input->shift, s->parts.input->scale,
                     s->space.x + (u->row + place) * rows->features);
  for (uint64_t i = 0; i < count; i++) {
    const uint64_t row = first + order[i];
    if (rows->classes != NULL) u->classes[place + i] = rows->classes[row];
    if (rows->weights != NULL) u->weights[place + i] = rows->weights[row];
    if (rows->values != NULL)
      memcpy(u->values + (place + i) * rows->outputs, rows->values + row * rows->outputs,
             rows->outputs * sizeof(float));
  }
}

/* Returns the seconds it took. */
static double gather(const stepper *s, const lane *u) {
  const double start = comm_seconds();
  if (s->parts.stream == NULL)
    gather_rows(s, u, s->parts.rows, u->first, u->order + u->begin, 0, u->count, u->rows - u->begin);
  for (uint64_t done = 0, count = 0; s->parts.stream != NULL && done < u->count; done += count) {
    const shard *rows = NULL;
    count = u->count - done;
    const uint32_t *const order =
        stream_rows(s->parts.stream, s->lanes.begin + (uint32_t)(u - s->lane), u->begin + done, &count, &rows);
    gather_rows(s, u, rows, 0, order, done, count, count);
  }
  return comm_seconds() - start;
}

static void finish_forward(stepper *s, lane *u) {
  const mlpd_network *const network = s->parts.network;
  const uint32_t last = network->num_layers - 1;
  const layer *const output = &network->layers[last];
  const size_t place = u->row * output->outputs;
  u->sums = (loss_sums){0};
  if (u->count == 0) return;
  network_finish_output(network, u->row, u->count, &s->space);
  loss_compute(s->parts.loss, output->activation, u->count, output->outputs, s->space.z[last] + place,
               s->space.a[last] + place, &(targets){.classes = u->classes, .values = u->values, .weights = u->weights},
               s->space.delta[last] + place, &u->sums);
}

/* n rows from row on: a lane, or where products may be cut at will several. */
typedef struct rows_of_lanes {
  uint64_t row, n;
} rows_of_lanes;

typedef void block_function(const mlpd_network *network, const backend *gemm, uint32_t l, const block *part,
                            workspace *space);

static void run_layer(stepper *s, uint32_t l, const rows_of_lanes *rows, block_function *run) {
  const layer *const shape = &s->parts.network->layers[l];
  for (uint32_t i = 0; i < layer_num_blocks(shape, s->parts.gemm, rows->n, 1); i++) {
    const block part = layer_block(shape, s->parts.gemm, rows->row, rows->n, 1, i);
    run(s->parts.network, s->parts.gemm, l, &part, &s->space);
  }
}

/* Lanes [begin, end), one after the other in memory, from their rows to their deltas (of all layers where backward is
 * set), on one thread, from tick `began` on. */
static void run_group(stepper *s, uint32_t begin, uint32_t end, bool backward, uint64_t began) {
  const uint32_t me = (uint32_t)omp_get_thread_num();
  uint64_t at = began;
  const uint32_t layers = s->parts.network->num_layers;
  rows_of_lanes rows = {.row = s->lane[begin].row};
  for (uint32_t i = begin; i < end; i++) rows.n += s->lane[i].count;
  for (uint32_t l = 0; l < layers; l++) {
    run_layer(s, l, &rows, network_forward_block);
    at = timeline_end(s->line, me, TIMELINE_FORWARD, l + 1, rows.n, at);
  }
  for (uint32_t i = begin; i < end; i++) finish_forward(s, &s->lane[i]);
  at = timeline_end(s->line, me, TIMELINE_LOSS, rows.n, 0, at);
  for (uint32_t l = layers - 1; backward && l-- > 0;) {
    run_layer(s, l, &rows, network_backward_block);
    at = timeline_end(s->line, me, TIMELINE_BACKWARD, l + 1, rows.n, at);
  }
}

/* Lanes of a group: what keeps the weights in cache longer, as far as all threads have their share. */
static uint32_t group_lanes(const stepper *s) {
  if (s->parts.gemm->sum_gradients == NULL || s->num_lanes == 0) return 1;
  const uint64_t rows = (s->parts.plan->batch - 1) / s->parts.plan->num_lanes + 1;
  const uint32_t share = (s->num_lanes - 1) / (uint32_t)s->parts.threads + 1; /* of a thread */
  const uint64_t most = rows < GROUP_ROWS ? GROUP_ROWS / rows : 1, groups = (share - 1) / most + 1;
  return (uint32_t)((share - 1) / groups + 1);
}

/* Blocks of a lane to ask for, so that all threads have their share. */
static uint32_t wanted_blocks(const stepper *s) {
  return (BLOCKS_PER_THREAD * (uint32_t)s->parts.threads - 1) / s->num_lanes + 1;
}

/* All lanes' blocks of layer l. Called by every thread of a parallel region. */
static void run_blocks(stepper *s, uint32_t l, timeline_phase phase, block_function *run, void master(stepper *s)) {
  const uint32_t me = (uint32_t)omp_get_thread_num();
  const layer *const shape = &s->parts.network->layers[l];
  const backend *const gemm = s->parts.gemm;
  if (s->num_lanes == 0) return; /* on all threads of this rank */
  const uint32_t wanted = wanted_blocks(s);
  uint64_t most_count = 0;
  for (uint32_t i = 0; i < s->num_lanes; i++) most_count = stepper_larger(most_count, s->lane[i].count);
  const uint32_t blocks = layer_num_blocks(shape, gemm, most_count, wanted);
#pragma omp for schedule(dynamic)
  for (uint32_t i = 0; i < s->num_lanes * blocks; i++) {
    const lane *const u = &s->lane[i / blocks];
    if (i % blocks >= layer_num_blocks(shape, gemm, u->count, wanted)) continue;
    const block part = layer_block(shape, gemm, u->row, u->count, wanted, i % blocks);
    const uint64_t began = timeline_begin(s->line);
    run(s->parts.network, gemm, l, &part, &s->space);
    (void)timeline_end(s->line, me, phase, l + 1, part.rows, began);
    if (master != NULL && me == 0) master(s);
  }
}

void stepper_run_deltas(stepper *s, uint32_t l, void master(stepper *s)) {
  run_blocks(s, l, TIMELINE_BACKWARD, network_backward_block, master);
}

/* All threads on one layer of all lanes at a time: for when lanes do not feed the threads evenly. Called by every
 * thread of a parallel region. */
static void run_lanes_by_layer(stepper *s, bool backward) {
  const mlpd_network *const network = s->parts.network;
  for (uint32_t l = 0; l < network->num_layers; l++) run_blocks(s, l, TIMELINE_FORWARD, network_forward_block, NULL);
#pragma omp for schedule(dynamic)
  for (uint32_t i = 0; i < s->num_lanes; i++) {
    const uint64_t began = timeline_begin(s->line);
    finish_forward(s, &s->lane[i]);
    (void)timeline_end(s->line, (uint32_t)omp_get_thread_num(), TIMELINE_LOSS, s->lane[i].count, 0, began);
  }
  for (uint32_t l = network->num_layers - 1; backward && l-- > 0;) stepper_run_deltas(s, l, NULL);
}

/* Whole lanes keep their data in one core's cache and need no barriers, but waste threads where lanes are
 * few or uneven; more than a quarter idle is where barriers cost less. */
static bool whole_lanes(const stepper *s) {
  const uint32_t threads = (uint32_t)s->parts.threads;
  const uint32_t rounds = (s->num_lanes + threads - 1) / threads;
  return threads == 1 || 4 * s->num_lanes >= 3 * rounds * threads;
}

void stepper_run_lanes(stepper *s, bool backward) {
  const bool whole = whole_lanes(s);
  const uint32_t group = whole ? group_lanes(s) : 1;
  double gathering = 0;
#pragma omp for schedule(static)
  for (uint32_t begin = 0; begin < s->num_lanes; begin += group) {
    const uint32_t end = begin + group < s->num_lanes ? begin + group : s->num_lanes;
    const lane *const last = &s->lane[end - 1];
    uint64_t at = timeline_begin(s->line);
    for (uint32_t i = begin; i < end; i++) gathering += gather(s, &s->lane[i]);
    at = timeline_end(s->line, (uint32_t)omp_get_thread_num(), TIMELINE_GATHER,
                      last->row + last->count - s->lane[begin].row, 0, at);
    if (whole) run_group(s, begin, end, backward, at);
  }
  if (omp_get_thread_num() == 0) s->times.data += gathering;
  if (!whole) run_lanes_by_layer(s, backward);
}

size_t stepper_lane_events(const stepper *s) {
  const uint64_t rows = (s->parts.plan->batch - 1) / s->parts.plan->num_lanes + 1;
  size_t events = 2;                                          /* gather, loss */
  for (uint32_t l = 0; l < s->parts.network->num_layers; l++) /* forward, backward, messages */
    events += 3 * layer_num_blocks(&s->parts.network->layers[l], s->parts.gemm, rows, wanted_blocks(s));
  return s->num_lanes * events;
}
