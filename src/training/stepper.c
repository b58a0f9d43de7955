#include "training/stepper.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "distribution/comm.h"
#include "kernels/vector.h"
#include "training/step_tail.h"

enum {
  NORM_BLOCK = 1 << 16, /* floats a partial sum of squares covers: fixed, so that the norm is */
  GROUP_ROWS = 128,     /* of lanes that pass a layer together */
  BLOCKS_PER_THREAD = 2 /* of a layer, at least, where products may be cut so */
};

/* One lane of this rank. */
typedef struct lane {
  uint32_t *order; /* (rows): the epoch's order of the lane's rows */
  uint64_t first;  /* its first row in the shard */
  uint64_t count;  /* rows in this step's microbatch */
  uint64_t begin;  /* its place in order */
  uint64_t row;    /* its place in the workspace */
  int32_t *classes;
  float *values, *weights; /* targets of the microbatch */
  loss_sums sums;
} lane;

/* A weight-gradient unit and its places in the arenas. */
typedef struct unit {
  gradient_unit shape;
  size_t weight, bias; /* floats from the arena's start */
  uint32_t stride;     /* of the weights' rows */
} unit;

/* A thread's room for a unit's gradient, and for the sums of subtrees of lanes that wait for others. */
typedef struct scratch {
  float *sum, *bias;             /* (unit_floats), (unit_columns): whole sums, where this rank updates at once */
  float *partial, *partial_bias; /* (levels, unit_floats), (levels, unit_columns) */
  const float **a, **delta;      /* (lanes): factors */
  uint64_t *rows;                /* (lanes) */
} scratch;

struct stepper {
  stepper_parts parts;
  lane_range lanes; /* of this rank */
  lane *lane;       /* [u - lanes.begin] */
  uint32_t num_lanes;
  workspace space; /* of all lanes: their microbatches in lane order, with no rows between */
  reducer *reducer;
  uint32_t num_units;
  unit *units;
  size_t unit_floats, unit_columns; /* of the largest unit, multiples of a cache line */
  uint32_t levels;                  /* of partial sums */
  scratch *scratch;                 /* (threads) */
  double *norms;                    /* (blocks of the arena) */
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
  TRY(memory_allocate(&made->order, rows, sizeof *made->order, "row order"));
  if (parts->rows->classes != NULL) TRY(memory_allocate(&made->classes, capacity, sizeof *made->classes, "targets"));
  if (parts->rows->values != NULL)
    TRY(memory_allocate(&made->values, capacity * parts->rows->outputs, sizeof *made->values, "targets"));
  if (parts->rows->weights != NULL)
    TRY(memory_allocate(&made->weights, capacity, sizeof *made->weights, "sample weights"));
  return MLPD_OK;
}

static size_t pad(size_t floats) { return (floats + 15) / 16 * 16; }

static size_t larger(size_t a, size_t b) { return a > b ? a : b; }

static mlpd_status make_units(stepper *s) {
  const mlpd_network *const network = s->parts.network;
  const backend *const gemm = s->parts.gemm;
  for (uint32_t l = 0; l < network->num_layers; l++) s->num_units += layer_num_units(&network->layers[l], gemm);
  TRY(memory_allocate(&s->units, s->num_units, sizeof *s->units, "units"));
  unit *next = s->units;
  for (uint32_t l = 0; l < network->num_layers; l++) {
    const layer *const shape = &network->layers[l];
    for (uint32_t i = 0; i < layer_num_units(shape, gemm); i++, next++) {
      const gradient_unit made = layer_unit(network, gemm, l, i);
      *next = (unit){.shape = made,
                     .weight = shape->weight_offset + (size_t)made.row * shape->weight_stride + made.column,
                     .bias = shape->bias_offset + made.column,
                     .stride = shape->weight_stride};
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
    *floats = larger(*floats, first.rows * pad(first.columns));
    *columns = larger(*columns, pad(first.columns));
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

/* Rows of a step of all lanes, at most. */
static uint64_t most_rows(const lane_plan *plan, lane_range lanes) {
  uint64_t rows = 0;
  for (uint32_t u = lanes.begin; u < lanes.end; u++) rows += lane_max_microbatch(plan, u);
  return rows;
}

static mlpd_status make_local(stepper *s) {
  const stepper_parts *const parts = &s->parts;
  const lane_plan *const plan = parts->plan;
  s->num_lanes = s->lanes.end - s->lanes.begin;
  TRY(memory_allocate(&s->lane, s->num_lanes, sizeof *s->lane, "lanes"));
  for (uint32_t i = 0; i < s->num_lanes; i++)
    TRY(make_lane(parts, s->lanes.begin + i, plan->lane_begin[s->lanes.begin], &s->lane[i]));
  TRY(workspace_create(parts->network, most_rows(plan, s->lanes), false, &s->space));
  TRY(make_units(s));
  s->levels = tree_levels(s->num_lanes);
  TRY(make_scratch(s));
  TRY(memory_allocate(&s->norms, parts->network->arena_size / NORM_BLOCK + 1, sizeof(double), "norms"));
  return MLPD_OK;
}

size_t stepper_size(const mlpd_network *network, const backend *gemm, const lane_plan *plan, lane_range lanes,
                    uint64_t target_bytes, int threads) {
  size_t bytes = workspace_size(network, most_rows(plan, lanes), false), floats = 0, columns = 0;
  for (uint32_t u = lanes.begin; u < lanes.end; u++) {
    const uint64_t most = lane_max_microbatch(plan, u), rows = plan->lane_begin[u + 1] - plan->lane_begin[u];
    bytes += most * target_bytes + rows * sizeof(uint32_t);
  }
  largest_unit(network, gemm, &floats, &columns);
  const size_t levels = gemm->sum_gradients == NULL ? tree_levels(lanes.end - lanes.begin) : 0;
  return bytes + (size_t)threads * (1 + levels) * floats * sizeof(float);
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
  if (status == MLPD_OK)
    status = reducer_create(parts->comm, parts->plan->num_lanes, parts->network->arena_size, TAIL_DOUBLES,
                            parts->reduce, &s->reducer);
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
    free(s->lane[i].order);
    free(s->lane[i].classes);
    free(s->lane[i].values);
    free(s->lane[i].weights);
  }
  free(s->lane);
  workspace_free(&s->space);
  reducer_free(s->reducer);
  free(s->units);
  for (int t = 0; s->scratch != NULL && t < s->parts.threads; t++) {
    free(s->scratch[t].sum);
    free(s->scratch[t].bias);
    free(s->scratch[t].a);
    free(s->scratch[t].rows);
  }
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

/* Where the lanes' microbatches of a step are. */
static void place_lanes(stepper *s, uint64_t step) {
  uint64_t row = 0;
  for (uint32_t i = 0; i < s->num_lanes; i++) {
    lane *const u = &s->lane[i];
    lane_microbatch(s->parts.plan, s->lanes.begin + i, step, &u->begin, &u->count);
    u->row = row;
    row += u->count;
  }
}

/* Returns the seconds it took. */
static double gather(const stepper *s, lane *u) {
  const double start = comm_seconds();
  const shard *const rows = s->parts.rows;
  const uint32_t *const order = u->order + u->begin;
  const char *const x = (const char *)rows->x + u->first * rows->features * element_size(rows->type);
  vector_gather_rows(rows->type, u->count, rows->features, x, order, s->parts.input->shift, s->parts.input->scale,
                     s->space.x + u->row * rows->features);
  for (uint64_t i = 0; i < u->count; i++) {
    const uint64_t row = u->first + order[i];
    if (rows->classes != NULL) u->classes[i] = rows->classes[row];
    if (rows->weights != NULL) u->weights[i] = rows->weights[row];
    if (rows->values != NULL)
      memcpy(u->values + i * rows->outputs, rows->values + row * rows->outputs, rows->outputs * sizeof(float));
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

/* Lanes [begin, end), one after the other in memory, from their rows to their deltas, on one thread. */
static void run_group(stepper *s, uint32_t begin, uint32_t end) {
  const uint32_t layers = s->parts.network->num_layers;
  rows_of_lanes rows = {.row = s->lane[begin].row};
  for (uint32_t i = begin; i < end; i++) rows.n += s->lane[i].count;
  for (uint32_t l = 0; l < layers; l++) run_layer(s, l, &rows, network_forward_block);
  for (uint32_t i = begin; i < end; i++) finish_forward(s, &s->lane[i]);
  for (uint32_t l = layers - 1; l-- > 0;) run_layer(s, l, &rows, network_backward_block);
}

/* Lanes of a group: what keeps the weights in cache longer, as far as all threads have their share. */
static uint32_t group_lanes(const stepper *s) {
  if (s->parts.gemm->sum_gradients == NULL) return 1;
  const uint64_t rows = (s->parts.plan->batch - 1) / s->parts.plan->num_lanes + 1;
  const uint32_t share = (s->num_lanes - 1) / (uint32_t)s->parts.threads + 1; /* of a thread */
  const uint64_t most = rows < GROUP_ROWS ? GROUP_ROWS / rows : 1, groups = (share - 1) / most + 1;
  return (uint32_t)((share - 1) / groups + 1);
}

/* All lanes' blocks of layer l. Called by every thread of a parallel region. */
static void run_blocks(stepper *s, uint32_t l, uint64_t most_count, block_function *run) {
  const layer *const shape = &s->parts.network->layers[l];
  const backend *const gemm = s->parts.gemm;
  const uint32_t wanted = (BLOCKS_PER_THREAD * (uint32_t)s->parts.threads - 1) / s->num_lanes + 1;
  const uint32_t blocks = layer_num_blocks(shape, gemm, most_count, wanted);
#pragma omp for schedule(dynamic)
  for (uint32_t i = 0; i < s->num_lanes * blocks; i++) {
    const lane *const u = &s->lane[i / blocks];
    if (i % blocks >= layer_num_blocks(shape, gemm, u->count, wanted)) continue;
    const block part = layer_block(shape, gemm, u->row, u->count, wanted, i % blocks);
    run(s->parts.network, gemm, l, &part, &s->space);
  }
}

/* All threads on one layer of all lanes at a time: for when lanes do not feed the threads evenly. Called by every
 * thread of a parallel region. */
static void run_lanes_by_layer(stepper *s) {
  const mlpd_network *const network = s->parts.network;
  uint64_t most_count = 0;
  for (uint32_t i = 0; i < s->num_lanes; i++) most_count = larger(most_count, s->lane[i].count);
  for (uint32_t l = 0; l < network->num_layers; l++) run_blocks(s, l, most_count, network_forward_block);
#pragma omp for schedule(dynamic)
  for (uint32_t i = 0; i < s->num_lanes; i++) finish_forward(s, &s->lane[i]);
  for (uint32_t l = network->num_layers - 1; l-- > 0;) run_blocks(s, l, most_count, network_backward_block);
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

/* bias (unit's columns) = the unit's bias gradient summed over the lanes in range, in tree order; partial is room for
 * the levels below. */
static void sum_bias(const stepper *s, const unit *part, lane_range range, float *bias, float *partial) {
  if (range.end - range.begin == 1) {
    const lane *const u = &s->lane[range.begin - s->lanes.begin];
    network_bias_gradient(s->parts.network, &part->shape, u->row, u->count, &s->space, bias);
    return;
  }
  const uint32_t middle = reduce_split(range);
  sum_bias(s, part, (lane_range){range.begin, middle}, bias, partial);
  sum_bias(s, part, (lane_range){middle, range.end}, partial, partial + s->unit_columns);
  vector_add(part->shape.columns, partial, bias);
}

/* out (unit's rows, columns), rows `stride` apart, likewise. */
static void sum_weights(const stepper *s, const unit *part, lane_range range, float *out, uint32_t stride,
                        float *partial) {
  const uint32_t columns = (uint32_t)pad(part->shape.columns);
  if (range.end - range.begin == 1) {
    const lane *const u = &s->lane[range.begin - s->lanes.begin];
    network_weight_gradient(s->parts.network, s->parts.gemm, &part->shape, u->row, u->count, &s->space, out, stride);
    return;
  }
  const uint32_t middle = reduce_split(range);
  sum_weights(s, part, (lane_range){range.begin, middle}, out, stride, partial);
  sum_weights(s, part, (lane_range){middle, range.end}, partial, columns, partial + s->unit_floats);
  for (uint32_t i = 0; i < part->shape.rows; i++)
    vector_add(part->shape.columns, partial + (size_t)i * columns, out + (size_t)i * stride);
}

/* The same by the back end, which sums tiles of all lanes in its registers. fetched: the arrays of the optimizer. */
static void sum_weights_at_once(const stepper *s, const unit *part, lane_range range, float *out, uint32_t stride,
                                bool update_follows, const scratch *room) {
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
                         .next_row = part->stride};
  if (update_follows) {
    const optimizer *const o = s->parts.optimizer;
    lanes.next[lanes.num_next++] = s->parts.network->parameters + part->weight;
    for (uint32_t i = 0; i < o->num_state; i++) lanes.next[lanes.num_next++] = o->state[i] + part->weight;
  }
  s->parts.gemm->sum_gradients((int)part->shape.rows, (int)part->shape.columns, &lanes, out, (int)stride);
}

static void sum_unit(const stepper *s, const unit *part, lane_range range, float *out, uint32_t stride, float *bias,
                     bool update_follows, const scratch *room) {
  if (s->parts.gemm->sum_gradients != NULL)
    sum_weights_at_once(s, part, range, out, stride, update_follows, room);
  else
    sum_weights(s, part, range, out, stride, room->partial);
  if (part->shape.row == 0) sum_bias(s, part, range, bias, room->partial_bias);
}

/* Sums a unit into the node's buffer. */
static void reduce_unit(stepper *s, uint32_t node, const unit *part, const scratch *room) {
  float *const sum = reducer_floats(s->reducer, node);
  sum_unit(s, part, reducer_node(s->reducer, node), sum + part->weight, part->stride, sum + part->bias, false, room);
}

/* Sums a unit in scratch and updates its weights while both are in cache: one rank owns the whole tree. */
static void update_unit(stepper *s, const unit *part, const scratch *room) {
  float *const parameters = s->parts.network->parameters;
  const uint32_t columns = (uint32_t)pad(part->shape.columns);
  sum_unit(s, part, s->lanes, room->sum, columns, room->bias, true, room);
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
}

/* ---- The step ------------------------------------------------------------------------------------ */

/* A batch whose samples all weigh nothing has no gradient: the step then only decays. */
static double mean_scale(const stepper *s) { return s->outcome.sums.weight > 0 ? 1 / s->outcome.sums.weight : 0; }

static double gradient_norm(stepper *s, const float *gradient, double scale) {
  const size_t size = s->parts.network->arena_size;
  const size_t blocks = (size - 1) / NORM_BLOCK + 1;
#pragma omp parallel for num_threads(s->parts.threads)
  for (size_t i = 0; i < blocks; i++) {
    const size_t begin = i * NORM_BLOCK;
    s->norms[i] = vector_sum_squares(size - begin < NORM_BLOCK ? size - begin : NORM_BLOCK, gradient + begin);
  }
  double sum = 0;
  for (size_t i = 0; i < blocks; i++) sum += s->norms[i];
  return sqrt(sum) * scale;
}

static void update_all(stepper *s, const float *gradient, double lr) {
  double scale = mean_scale(s);
  if (s->parts.clip_norm > 0) {
    s->outcome.gradient_norm = gradient_norm(s, gradient, scale);
    if (s->outcome.gradient_norm > s->parts.clip_norm) scale *= s->parts.clip_norm / s->outcome.gradient_norm;
  }
  s->scalars = optimizer_begin(s->parts.optimizer, lr, scale);
  const size_t size = s->parts.network->arena_size;
#pragma omp parallel num_threads(s->parts.threads)
  {
    const size_t thread = (size_t)omp_get_thread_num(), threads = (size_t)omp_get_num_threads();
    const size_t lines = size / 16;
    optimizer_update_range(s->parts.optimizer, &s->scalars, s->parts.network, s->parts.network->parameters, gradient,
                           lines * thread / threads * 16, lines * (thread + 1) / threads * 16);
  }
}

/* Phases 1 and 2 on all threads. */
static void compute(stepper *s, uint64_t step, double lr, const step_wishes *wishes) {
  const uint32_t nodes = reducer_num_nodes(s->reducer);
  const bool whole = whole_lanes(s);
  const uint32_t group = whole ? group_lanes(s) : 1, num_groups = (s->num_lanes + group - 1) / group;
  place_lanes(s, step);
#pragma omp parallel num_threads(s->parts.threads)
  {
    const int thread = omp_get_thread_num();
    const scratch *const room = &s->scratch[thread];
    double gathering = 0;
#pragma omp for schedule(static)
    for (uint32_t g = 0; g < num_groups; g++) {
      const uint32_t begin = g * group, end = begin + group < s->num_lanes ? begin + group : s->num_lanes;
      for (uint32_t i = begin; i < end; i++) gathering += gather(s, &s->lane[i]);
      if (whole) run_group(s, begin, end);
    }
    if (thread == 0) s->times.data += gathering;
    if (!whole) run_lanes_by_layer(s);
#pragma omp single
    {
      for (uint32_t node = 0; node < nodes; node++)
        sum_tails(s, reducer_node(s->reducer, node), reducer_doubles(s->reducer, node));
      if (nodes > 0) step_tail_add_wishes(wishes, s->parts.network, s->parts.optimizer, reducer_doubles(s->reducer, 0));
      if (s->fused) {
        s->outcome = step_tail_outcome(reducer_doubles(s->reducer, 0), mlpd_comm_size(s->parts.comm));
        if (s->outcome.finite) s->scalars = optimizer_begin(s->parts.optimizer, lr, mean_scale(s));
      }
    }
    if (!s->fused) {
#pragma omp for schedule(dynamic)
      for (uint32_t i = 0; i < nodes * s->num_units; i++)
        reduce_unit(s, i / s->num_units, &s->units[i % s->num_units], room);
    } else if (s->outcome.finite) {
#pragma omp for schedule(dynamic)
      for (uint32_t i = 0; i < s->num_units; i++) update_unit(s, &s->units[i], room);
    }
  }
}

#ifdef MLPD_FAULT_INJECTION
/* For tests/faults.bats alone: MLPD_FAULT_FLIP=RANK:STEP flips a bit of a weight of a rank before a step of the run, of
 * the optimizer's state where MLPD_FAULT_STATE is set. */
static void inject_fault(stepper *s) {
  static unsigned long steps;
  const char *const fault = getenv("MLPD_FAULT_FLIP");
  int rank = -1;
  unsigned long step = 0;
  if (fault != NULL && sscanf(fault, "%d:%lu", &rank, &step) == 2 && rank == mlpd_comm_rank(s->parts.comm) &&
      steps++ == step) {
    /* Of a velocity that may be 0 a high bit: a denormal would vanish in the step. */
    if (getenv("MLPD_FAULT_STATE") != NULL)
      *(uint32_t *)(void *)s->parts.optimizer->state[0] ^= 1u << 30;
    else
      *(uint32_t *)(void *)s->parts.network->parameters ^= 1u << 20;
  }
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
    const float *gradient = NULL;
    const double *tail = NULL;
    TRY(reducer_sum(s->reducer, &gradient, &tail));
    updated = comm_seconds();
    s->times.reduce += updated - computed;
    s->outcome = step_tail_outcome(tail, mlpd_comm_size(s->parts.comm));
    if (s->outcome.finite) update_all(s, gradient, lr);
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
  const uint64_t mine = step_tail_hash(s->parts.network, s->parts.optimizer);
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
    status = FAIL(MLPD_ERROR_INTERNAL,
                  "weights or optimizer state are not the same on all ranks, and no majority has the same: %s", cause);
  else if (like_mine < most)
    status =
        FAIL(MLPD_ERROR_INTERNAL, "weights or optimizer state of this rank are not those of the others: %s", cause);
  status = mlpd_comm_agree(s->parts.comm, status);
done:
  free(bytes);
  free(hashes);
  return status;
}

step_times stepper_times(const stepper *s) { return s->times; }
