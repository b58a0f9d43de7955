#include "training/stepper.h"

#include <math.h>
#include <omp.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "distribution/comm.h"
#include "kernels/vector.h"
#include "training/step_tail.h"

enum { NORM_BLOCK = 1 << 16 }; /* floats a partial sum of squares covers: fixed, so that the norm is */

/* One lane of this rank. */
typedef struct lane {
  workspace space;
  uint32_t *order; /* (rows): the epoch's order of the lane's rows */
  uint64_t first;  /* its first row in the shard */
  uint64_t count;  /* rows in this step's microbatch */
  uint64_t begin;  /* its place in order */
  int32_t *classes;
  float *values, *weights; /* targets of the microbatch */
  loss_sums sums;
} lane;

/* A weight-gradient unit. */
typedef struct unit {
  uint32_t layer, block;
  size_t offset, count; /* floats of the arena; the bias follows with block 0 */
} unit;

struct stepper {
  stepper_parts parts;
  lane_range lanes; /* of this rank */
  lane *lane;       /* [u - lanes.begin] */
  uint32_t num_lanes;
  reducer *reducer;
  uint32_t num_units;
  unit *units;
  atomic_uint *left;   /* (num_units): nodes for which this step's sum of a unit is not there yet */
  uint32_t num_ready;  /* units the reducer knows of, from the last one down */
  mlpd_status sent;    /* of telling it */
  size_t level_floats; /* one level of a thread's tree scratch */
  uint32_t levels;
  float *scratch; /* (threads, levels, level_floats) */
  double *norms;  /* (blocks of the arena) */
  optimizer_scalars scalars;
  bool fused; /* one rank, no clipping: update a unit as soon as its sum is there */
  step_outcome outcome;
  step_times times;
};

/* ---- Making ------------------------------------------------------------------------------------ */

static mlpd_status make_lane(const stepper_parts *parts, uint32_t u, uint64_t first_position, lane *made) {
  const lane_plan *const plan = parts->plan;
  const uint64_t rows = plan->lane_begin[u + 1] - plan->lane_begin[u];
  const uint64_t most = lane_max_microbatch(plan, u);
  const uint64_t capacity = most > 0 ? most : 1;
  made->first = plan->lane_begin[u] - first_position;
  if (rows > UINT32_MAX)
    return FAIL(MLPD_ERROR_USAGE, "lane %u would hold %llu rows, more than 2^32: choose more --lanes", u,
                (unsigned long long)rows);
  TRY(workspace_create(parts->network, capacity, false, &made->space));
  TRY(memory_allocate(&made->order, rows, sizeof *made->order, "row order"));
  if (parts->rows->classes != NULL) TRY(memory_allocate(&made->classes, capacity, sizeof *made->classes, "targets"));
  if (parts->rows->values != NULL)
    TRY(memory_allocate(&made->values, capacity * parts->rows->outputs, sizeof *made->values, "targets"));
  if (parts->rows->weights != NULL)
    TRY(memory_allocate(&made->weights, capacity, sizeof *made->weights, "sample weights"));
  return MLPD_OK;
}

/* Room for the gradient of the largest unit and its bias. */
static size_t floats_of_unit(const layer *shape, uint32_t rows) {
  return ((size_t)rows * shape->weight_stride + shape->outputs + 15) / 16 * 16;
}

static mlpd_status make_units(stepper *s) {
  const mlpd_network *const network = s->parts.network;
  for (uint32_t l = 0; l < network->num_layers; l++) s->num_units += layer_num_row_blocks(&network->layers[l]);
  TRY(memory_allocate(&s->units, s->num_units, sizeof *s->units, "units"));
  unit *next = s->units;
  for (uint32_t l = 0; l < network->num_layers; l++) {
    const layer *const shape = &network->layers[l];
    for (uint32_t block = 0; block < layer_num_row_blocks(shape); block++) {
      const uint32_t begin = block * shape->row_block;
      const uint32_t rows = shape->inputs - begin < shape->row_block ? shape->inputs - begin : shape->row_block;
      *next = (unit){.layer = l,
                     .block = block,
                     .offset = shape->weight_offset + (size_t)begin * shape->weight_stride,
                     .count = (size_t)rows * shape->weight_stride};
      const size_t floats = floats_of_unit(shape, rows);
      if (floats > s->level_floats) s->level_floats = floats;
      next++;
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

static mlpd_status make_local(stepper *s) {
  const stepper_parts *const parts = &s->parts;
  const lane_plan *const plan = parts->plan;
  s->num_lanes = s->lanes.end - s->lanes.begin;
  TRY(memory_allocate(&s->lane, s->num_lanes, sizeof *s->lane, "lanes"));
  for (uint32_t i = 0; i < s->num_lanes; i++)
    TRY(make_lane(parts, s->lanes.begin + i, plan->lane_begin[s->lanes.begin], &s->lane[i]));
  TRY(make_units(s));
  TRY(memory_allocate(&s->left, s->num_units, sizeof *s->left, "units"));
  s->levels = tree_levels(s->num_lanes) + 1;
  TRY(memory_allocate(&s->scratch, (size_t)parts->threads * s->levels * s->level_floats, sizeof(float), "lane sums"));
  TRY(memory_allocate(&s->norms, parts->network->arena_size / NORM_BLOCK + 1, sizeof(double), "norms"));
  return MLPD_OK;
}

size_t stepper_size(const mlpd_network *network, const lane_plan *plan, lane_range lanes, uint64_t target_bytes,
                    int threads) {
  size_t bytes = 0, level = 0;
  for (uint32_t u = lanes.begin; u < lanes.end; u++) {
    const uint64_t most = lane_max_microbatch(plan, u), rows = plan->lane_begin[u + 1] - plan->lane_begin[u];
    bytes += workspace_size(network, most, false) + most * target_bytes + rows * sizeof(uint32_t);
  }
  for (uint32_t l = 0; l < network->num_layers; l++) {
    const layer *const shape = &network->layers[l];
    const size_t floats = floats_of_unit(shape, shape->inputs < shape->row_block ? shape->inputs : shape->row_block);
    if (floats > level) level = floats;
  }
  return bytes + (size_t)threads * (tree_levels(lanes.end - lanes.begin) + 1) * level * sizeof(float);
}

/* A bucket a unit; the bias, at the end of its layer, with the last. */
static mlpd_status make_reducer(stepper *s) {
  const stepper_parts *const parts = &s->parts;
  size_t *begin = NULL;
  mlpd_status status = memory_allocate(&begin, (size_t)s->num_units + 1, sizeof *begin, "buckets");
  for (uint32_t i = 0; status == MLPD_OK && i < s->num_units; i++) begin[i] = s->units[i].offset;
  if (status == MLPD_OK) begin[s->num_units] = parts->network->arena_size;
  status = mlpd_comm_agree(parts->comm, status);
  if (status == MLPD_OK)
    status = reducer_create(parts->comm, parts->plan->num_lanes, parts->network->arena_size, TAIL_DOUBLES,
                            parts->reduce, s->num_units, begin, &s->reducer);
  free(begin);
  return status;
}

mlpd_status stepper_create(const stepper_parts *parts, stepper **made) {
  *made = NULL;
  stepper *s = NULL;
  mlpd_status status = memory_allocate(&s, 1, sizeof *s, "stepper");
  if (status == MLPD_OK) {
    s->parts = *parts;
    const int size = mlpd_comm_size(parts->comm);
    lanes_of_rank(parts->plan->num_lanes, size, mlpd_comm_rank(parts->comm), &s->lanes.begin, &s->lanes.end);
    s->fused = size == 1 && parts->clip_norm <= 0;
    status = make_local(s);
  }
  status = mlpd_comm_agree(parts->comm, status);
  if (status == MLPD_OK) status = make_reducer(s);
  if (status != MLPD_OK) {
    stepper_free(s);
    return status;
  }
  *made = s;
  return MLPD_OK;
}

void stepper_free(stepper *s) {
  if (s == NULL) return;
  for (uint32_t i = 0; s->lane != NULL && i < s->num_lanes; i++) {
    workspace_free(&s->lane[i].space);
    free(s->lane[i].order);
    free(s->lane[i].classes);
    free(s->lane[i].values);
    free(s->lane[i].weights);
  }
  free(s->lane);
  reducer_free(s->reducer);
  free(s->units);
  free(s->left);
  free(s->scratch);
  free(s->norms);
  free(s);
}

void stepper_begin_epoch(stepper *s, uint64_t epoch) {
#pragma omp parallel for num_threads(s->parts.threads) schedule(dynamic)
  for (uint32_t i = 0; i < s->num_lanes; i++)
    lane_shuffle(s->parts.plan, s->parts.seed, epoch, s->lanes.begin + i, s->lane[i].order);
}

/* ---- Phase 1: each lane forward and back --------------------------------------------------------- */

/* Returns the seconds it took. */
static double gather(const stepper *s, lane *u, uint32_t number, uint64_t step) {
  const double start = comm_seconds();
  const shard *const rows = s->parts.rows;
  lane_microbatch(s->parts.plan, number, step, &u->begin, &u->count);
  const uint32_t *const order = u->order + u->begin;
  const char *const x = (const char *)rows->x + u->first * rows->features * element_size(rows->type);
  vector_gather_rows(rows->type, u->count, rows->features, x, order, s->parts.input->shift, s->parts.input->scale,
                     u->space.x);
  for (uint64_t i = 0; i < u->count; i++) {
    const uint64_t row = u->first + order[i];
    if (rows->classes != NULL) u->classes[i] = rows->classes[row];
    if (rows->weights != NULL) u->weights[i] = rows->weights[row];
    if (rows->values != NULL)
      memcpy(u->values + i * rows->outputs, rows->values + row * rows->outputs, rows->outputs * sizeof(float));
  }
  return comm_seconds() - start;
}

static void finish_forward(const stepper *s, lane *u) {
  const mlpd_network *const network = s->parts.network;
  const uint32_t last = network->num_layers - 1;
  const layer *const output = &network->layers[last];
  u->sums = (loss_sums){0};
  if (u->count == 0) return;
  network_finish_output(network, u->count, &u->space);
  loss_compute(s->parts.loss, output->activation, u->count, output->outputs, u->space.z[last], u->space.a[last],
               &(targets){.classes = u->classes, .values = u->values, .weights = u->weights}, u->space.delta[last],
               &u->sums);
}

/* A lane from its rows to its deltas (of all layers where one rank is alone), on one thread. */
static void run_lane(stepper *s, lane *u) {
  const mlpd_network *const network = s->parts.network;
  const backend *const gemm = s->parts.gemm;
  for (uint32_t l = 0; l < network->num_layers; l++)
    for (uint32_t block = 0; block < layer_num_column_blocks(&network->layers[l]); block++)
      network_forward_block(network, gemm, l, block, u->count, &u->space);
  finish_forward(s, u);
  for (uint32_t l = network->num_layers - 1; s->fused && l-- > 0;)
    for (uint32_t block = 0; block < layer_num_column_blocks(&network->layers[l]); block++)
      network_backward_block(network, gemm, l, block, u->count, &u->space);
}

/* The same units, but all threads on one layer of all lanes at a time: for when lanes do not feed the
 * threads evenly. Called by every thread of a parallel region. */
static void run_lanes_by_layer(stepper *s) {
  const mlpd_network *const network = s->parts.network;
  const backend *const gemm = s->parts.gemm;
  for (uint32_t l = 0; l < network->num_layers; l++) {
    const uint32_t blocks = layer_num_column_blocks(&network->layers[l]);
#pragma omp for schedule(dynamic)
    for (uint32_t i = 0; i < s->num_lanes * blocks; i++) {
      lane *const u = &s->lane[i / blocks];
      network_forward_block(network, gemm, l, i % blocks, u->count, &u->space);
    }
  }
#pragma omp for schedule(dynamic)
  for (uint32_t i = 0; i < s->num_lanes; i++) finish_forward(s, &s->lane[i]);
  for (uint32_t l = network->num_layers - 1; s->fused && l-- > 0;) {
    const uint32_t blocks = layer_num_column_blocks(&network->layers[l]);
#pragma omp for schedule(dynamic)
    for (uint32_t i = 0; i < s->num_lanes * blocks; i++) {
      lane *const u = &s->lane[i / blocks];
      network_backward_block(network, gemm, l, i % blocks, u->count, &u->space);
    }
  }
}

/* Whole lanes keep their data in one core's cache and need no barriers, but waste threads where lanes are
 * few or uneven; more than a quarter idle is where barriers cost less. */
static bool whole_lanes(const stepper *s) {
  const uint32_t threads = (uint32_t)s->parts.threads;
  const uint32_t rounds = (s->num_lanes + threads - 1) / threads;
  return threads == 1 || 4 * s->num_lanes >= 3 * rounds * threads;
}

/* ---- Phase 2: weight gradients, summed over lanes -------------------------------------------------- */

/* tail = the statistics of the lanes in range, in tree order. */
static void sum_tails(const stepper *s, lane_range range, double tail[TAIL_DOUBLES]) {
  if (range.end - range.begin == 1) {
    step_tail_of_lane(&s->lane[range.begin - s->lanes.begin].sums, tail);
    return;
  }
  const uint32_t middle = reduce_split(range);
  double right[TAIL_DOUBLES];
  sum_tails(s, (lane_range){range.begin, middle}, tail);
  sum_tails(s, (lane_range){middle, range.end}, right);
  for (uint32_t i = 0; i < TAIL_DOUBLES; i++) tail[i] += right[i];
}

/* out (count) and, for block 0, bias (outputs) = the unit's gradient summed over the lanes in range, in
 * tree order; scratch is room for the levels below. */
static void sum_unit(const stepper *s, const unit *part, lane_range range, float *out, float *bias, float *scratch) {
  const mlpd_network *const network = s->parts.network;
  if (range.end - range.begin == 1) {
    const lane *const u = &s->lane[range.begin - s->lanes.begin];
    network_weight_gradient_block(network, s->parts.gemm, part->layer, part->block, u->count, &u->space, out, bias);
    return;
  }
  const uint32_t middle = reduce_split(range);
  float *const right = scratch;
  float *const right_bias = scratch + part->count;
  sum_unit(s, part, (lane_range){range.begin, middle}, out, bias, scratch);
  sum_unit(s, part, (lane_range){middle, range.end}, right, right_bias, scratch + s->level_floats);
  vector_add(part->count, right, out);
  if (part->block == 0) vector_add(network->layers[part->layer].outputs, right_bias, bias);
}

/* Sums a unit into the node's buffer. */
static void reduce_unit(stepper *s, uint32_t node, const unit *part, float *scratch) {
  float *const sum = reducer_floats(s->reducer, node);
  sum_unit(s, part, reducer_node(s->reducer, node), sum + part->offset,
           sum + s->parts.network->layers[part->layer].bias_offset, scratch);
}

static bool bucket_complete(stepper *s, uint32_t u) {
  const bool last = u + 1 == s->num_units || s->units[u + 1].layer != s->units[u].layer;
  const uint32_t first = u - s->units[u].block; /* has the bias */
  return atomic_load_explicit(&s->left[u], memory_order_acquire) == 0 &&
         (!last || atomic_load_explicit(&s->left[first], memory_order_acquire) == 0);
}

/* Tells the reducer what is complete, and lets messages go on. On the master thread. */
static void send_complete(stepper *s) {
  while (s->sent == MLPD_OK && s->num_ready < s->num_units && bucket_complete(s, s->num_units - 1 - s->num_ready)) {
    s->num_ready++;
    s->sent = reducer_ready(s->reducer, s->num_units - s->num_ready);
  }
  if (s->sent == MLPD_OK) s->sent = reducer_progress(s->reducer);
}

/* Deltas and weight gradients from the last layer down, so that a layer's gradient travels while those below are
 * computed. Called by every thread of a parallel region. */
static void run_back_and_send(stepper *s, float *scratch) {
  const mlpd_network *const network = s->parts.network;
  const uint32_t nodes = reducer_num_nodes(s->reducer);
  const bool master = omp_get_thread_num() == 0;
  uint32_t end = s->num_units; /* units of the layer: [begin, end) */
  for (uint32_t l = network->num_layers; l-- > 0;) {
    const uint32_t blocks = layer_num_column_blocks(&network->layers[l]);
    if (l + 1 < network->num_layers) {
#pragma omp for schedule(dynamic)
      for (uint32_t i = 0; i < s->num_lanes * blocks; i++) {
        lane *const u = &s->lane[i / blocks];
        network_backward_block(network, s->parts.gemm, l, i % blocks, u->count, &u->space);
        if (master) send_complete(s);
      }
    }
    const uint32_t units = layer_num_row_blocks(&network->layers[l]), begin = end - units;
#pragma omp for schedule(dynamic) nowait
    for (uint32_t i = 0; i < nodes * units; i++) {
      const uint32_t place = i / nodes; /* the first, which has the bias, then from the last down */
      const uint32_t u = place == 0 ? begin : end - place;
      reduce_unit(s, i % nodes, &s->units[u], scratch);
      (void)atomic_fetch_sub_explicit(&s->left[u], 1, memory_order_release);
      if (master) send_complete(s);
    }
    end = begin;
  }
#pragma omp barrier
  if (master) send_complete(s);
}

/* Sums a unit in scratch and updates its weights while both are in cache: one rank owns the whole tree. */
static void update_unit(stepper *s, const unit *part, float *scratch) {
  const layer *const shape = &s->parts.network->layers[part->layer];
  float *const parameters = s->parts.network->parameters;
  float *const bias = scratch + part->count;
  sum_unit(s, part, s->lanes, scratch, bias, scratch + s->level_floats);
  optimizer_update(s->parts.optimizer, &s->scalars, parameters, scratch, part->offset, part->count, true);
  if (part->block == 0)
    optimizer_update(s->parts.optimizer, &s->scalars, parameters, bias, shape->bias_offset, shape->outputs, false);
}

/* ---- The step ------------------------------------------------------------------------------------ */

/* A batch whose samples all weigh nothing has no gradient: the step then only decays. */
static double mean_scale(const stepper *s) { return s->outcome.sums.weight > 0 ? 1 / s->outcome.sums.weight : 0; }

static double gradient_norm(stepper *s, double scale) {
  const size_t size = s->parts.network->arena_size;
  const size_t blocks = (size - 1) / NORM_BLOCK + 1;
#pragma omp parallel for num_threads(s->parts.threads)
  for (size_t i = 0; i < blocks; i++) {
    _Alignas(64) float block[NORM_BLOCK];
    const size_t begin = i * NORM_BLOCK, end = size - begin < NORM_BLOCK ? size : begin + NORM_BLOCK;
    for (size_t at = begin; at < end; at += REDUCER_READ_FLOATS) {
      const size_t stop = end - at < REDUCER_READ_FLOATS ? end : at + REDUCER_READ_FLOATS;
      const float *const read = reducer_read(s->reducer, at, stop, block + (at - begin));
      if (read != block + (at - begin)) memcpy(block + (at - begin), read, (stop - at) * sizeof *block);
    }
    s->norms[i] = vector_sum_squares(end - begin, block);
  }
  double sum = 0;
  for (size_t i = 0; i < blocks; i++) sum += s->norms[i];
  return sqrt(sum) * scale;
}

static void update_all(stepper *s, double lr) {
  double scale = mean_scale(s);
  if (s->parts.clip_norm > 0) {
    s->outcome.gradient_norm = gradient_norm(s, scale);
    if (s->outcome.gradient_norm > s->parts.clip_norm) scale *= s->parts.clip_norm / s->outcome.gradient_norm;
  }
  s->scalars = optimizer_begin(s->parts.optimizer, lr, scale);
  const size_t size = s->parts.network->arena_size;
#pragma omp parallel for num_threads(s->parts.threads) schedule(static)
  for (size_t begin = 0; begin < size; begin += REDUCER_READ_FLOATS) {
    _Alignas(64) float scratch[REDUCER_READ_FLOATS];
    const size_t end = size - begin < REDUCER_READ_FLOATS ? size : begin + REDUCER_READ_FLOATS;
    const float *const gradient = reducer_read(s->reducer, begin, end, scratch);
    optimizer_update_range(s->parts.optimizer, &s->scalars, s->parts.network, s->parts.network->parameters,
                           gradient - begin, begin, end);
  }
}

/* Phases 1 and 2 on all threads. */
static void compute(stepper *s, uint64_t step, double lr, const step_wishes *wishes) {
  const uint32_t nodes = reducer_num_nodes(s->reducer);
  const bool whole = whole_lanes(s);
  reducer_begin(s->reducer);
  s->num_ready = 0;
  s->sent = MLPD_OK;
  for (uint32_t u = 0; u < s->num_units; u++) atomic_init(&s->left[u], nodes);
#pragma omp parallel num_threads(s->parts.threads)
  {
    const int thread = omp_get_thread_num();
    float *const scratch = s->scratch + (size_t)thread * s->levels * s->level_floats;
    double gathering = 0;
#pragma omp for schedule(static)
    for (uint32_t i = 0; i < s->num_lanes; i++) {
      gathering += gather(s, &s->lane[i], s->lanes.begin + i, step);
      if (whole) run_lane(s, &s->lane[i]);
    }
    if (thread == 0) s->times.data += gathering;
    if (!whole) run_lanes_by_layer(s);
#pragma omp single
    {
      for (uint32_t node = 0; node < nodes; node++)
        sum_tails(s, reducer_node(s->reducer, node), reducer_doubles(s->reducer, node));
      if (nodes > 0) step_tail_add_wishes(wishes, s->parts.network, reducer_doubles(s->reducer, 0));
      if (s->fused) {
        s->outcome = step_tail_outcome(reducer_doubles(s->reducer, 0), mlpd_comm_size(s->parts.comm));
        if (s->outcome.finite) s->scalars = optimizer_begin(s->parts.optimizer, lr, mean_scale(s));
      }
    }
    if (!s->fused) {
      run_back_and_send(s, scratch);
    } else if (s->outcome.finite) {
#pragma omp for schedule(dynamic)
      for (uint32_t i = 0; i < s->num_units; i++) update_unit(s, &s->units[i], scratch);
    }
  }
}

#ifdef MLPD_FAULT_INJECTION
/* For tests/faults.bats alone: MLPD_FAULT_FLIP=RANK:STEP flips a bit of a weight of a rank before a step of the run. */
static void inject_fault(stepper *s) {
  static unsigned long steps;
  const char *const fault = getenv("MLPD_FAULT_FLIP");
  int rank = -1;
  unsigned long step = 0;
  if (fault != NULL && sscanf(fault, "%d:%lu", &rank, &step) == 2 && rank == mlpd_comm_rank(s->parts.comm) &&
      steps++ == step)
    *(uint32_t *)(void *)s->parts.network->parameters ^= 1u << 20;
}
#endif

mlpd_status stepper_step(stepper *s, uint64_t step, double lr, const step_wishes *wishes, step_outcome *outcome) {
#ifdef MLPD_FAULT_INJECTION
  inject_fault(s);
#endif
  const double start = comm_seconds();
  const double data_before = s->times.data;
  compute(s, step, lr, wishes);
  const double computed = comm_seconds();
  double updated = computed;
  if (!s->fused) {
    const double *tail = NULL;
    TRY(s->sent);
    TRY(reducer_finish(s->reducer, &tail));
    updated = comm_seconds();
    s->times.reduce += updated - computed;
    s->outcome = step_tail_outcome(tail, mlpd_comm_size(s->parts.comm));
    if (s->outcome.finite) update_all(s, lr);
  }
  s->times.compute += (computed - start) - (s->times.data - data_before) + (comm_seconds() - updated);
  *outcome = s->outcome;
  return MLPD_OK;
}

mlpd_status stepper_compare_weights(stepper *s) {
  const int size = mlpd_comm_size(s->parts.comm), me = mlpd_comm_rank(s->parts.comm);
  if (size == 1) return MLPD_OK;
  uint64_t *hashes = NULL, *bytes = NULL;
  mlpd_status status = memory_allocate(&hashes, (size_t)size, sizeof *hashes, "hashes");
  if (status == MLPD_OK) status = memory_allocate(&bytes, (size_t)size, sizeof *bytes, "hashes");
  TRY_GOTO(status, mlpd_comm_agree(s->parts.comm, status), done);
  const uint64_t mine = network_hash(s->parts.network, s->parts.network->parameters);
  for (int rank = 0; rank < size; rank++) bytes[rank] = sizeof mine;
  TRY_GOTO(status, comm_gather_all(s->parts.comm, &mine, bytes, hashes), done);
  int like_mine = 0, most = 0;
  for (int a = 0; a < size; a++) {
    int same = 0;
    for (int b = 0; b < size; b++) same += hashes[a] == hashes[b];
    if (same > most) most = same;
    if (a == me) like_mine = same;
  }
  static const char *const cause =
      "a bit has flipped in memory, or the machines compute differently (DNNL_MAX_CPU_ISA makes them alike); the run "
      "stops before it writes a checkpoint";
  if (2 * most <= size) /* also of two ranks that differ: nobody can tell which is right */
    status =
        FAIL(MLPD_ERROR_INTERNAL, "the weights are not the same on all ranks, and no majority has the same: %s", cause);
  else if (like_mine < most)
    status = FAIL(MLPD_ERROR_INTERNAL, "the weights of this rank are not those of the others: %s", cause);
  status = mlpd_comm_agree(s->parts.comm, status);
done:
  free(bytes);
  free(hashes);
  return status;
}

step_times stepper_times(const stepper *s) { return s->times; }
