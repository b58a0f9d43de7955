/* mpi: 1 2 3 4 7 */
/* Compares the training step with a serial one written here: plain loops, one lane at a time, whole gradients summed
 * according to the definition of the tree. The weights must have the same bits, on every number of threads and ranks.
 */
#include "step/step_way.h"

#include <limits.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/activation.h"
#include "kernels/vector.h"
#include "network/layer_kind.h"
#include "quick_options.h"
#include "ranks/comm_internal.h"

#include <cmocka.h>

enum { EPOCHS = 3, SEED = 11 };

static mlpd_comm *comm;

/* Fails on all ranks where it fails on one: nobody is left behind in a collective. */
static void assert_on_all(bool good, const char *what) {
  uint64_t failures = good ? 0 : 1;
  if (!good) print_error("rank %d: %s (%s)\n", mlpd_comm_rank(comm), what, mlpd_error_message());
  if (comm_sum_u64(comm, &failures, 1) != MLPD_OK) mlpd_comm_abort(comm, 1);
  assert_int_equal(failures, 0);
}

/* ---- Data in memory -------------------------------------------------------------------------------- */

typedef struct setting {
  const char *name;
  uint64_t rows, batch;
  uint32_t inputs, hidden, outputs;
  bool values, weights; /* targets are values; samples have weights */
  mlpd_optimizer kind;
  double clip_norm;
  mlpd_activation activation;
  const char *backend;
  const layer_kind
      *norm; /* of the first hidden layer, in a network with layers at random, too; NULL: dense layers alone */
} setting;

static uint64_t mix(uint64_t x) { /* splitmix64's finalizer */
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

static float value_at(uint64_t stream, uint64_t row, uint64_t column) { /* in [-2, 2) */
  return (float)((double)(mix(mix(stream) + row * 4099 + column) >> 40) * 0x1p-22 - 2);
}

/* Rows of the "file" at positions [begin, end) of the plan. */
static shard make_shard(const setting *given, const lane_plan *plan, uint64_t begin, uint64_t end) {
  shard made = {.rows = end - begin, .features = given->inputs, .type = ELEMENT_F32, .outputs = given->outputs};
  row_run *runs = NULL;
  uint64_t num_runs = 0;
  const size_t room = made.rows + 1; /* a rank without rows has arrays, too */
  float *const x = calloc(room * given->inputs, sizeof *x);
  made.x = x;
  if (given->values)
    made.values = calloc(room * given->outputs, sizeof(float));
  else
    made.classes = calloc(room, sizeof(int32_t));
  if (given->weights) made.weights = calloc(room, sizeof(float));
  if (x == NULL || lane_plan_runs(plan, begin, end, &runs, &num_runs) != MLPD_OK) abort();
  for (uint64_t i = 0; i < num_runs; i++)
    for (uint64_t r = 0; r < runs[i].count; r++) {
      const uint64_t row = runs[i].file_row + r, at = runs[i].position + r - begin;
      for (uint32_t j = 0; j < given->inputs; j++) x[at * given->inputs + j] = value_at(1, row, j);
      for (uint32_t j = 0; given->values && j < given->outputs; j++)
        made.values[at * given->outputs + j] = value_at(2, row, j);
      if (!given->values) made.classes[at] = (int32_t)(mix(row) % given->outputs);
      if (given->weights) made.weights[at] = 2.5f + value_at(3, row, 0);
    }
  free(runs);
  return made;
}

static affine make_input(const setting *given) {
  affine made = {0};
  if (affine_create(given->inputs, &made) != MLPD_OK) abort();
  for (uint32_t j = 0; j < given->inputs; j++) {
    made.shift[j] = 0.01f * (float)j;
    made.scale[j] = 1.0f / (1 + (float)(j % 5));
  }
  affine_settle(&made);
  return made;
}

static mlpd_network *make_network_of_kinds(const setting *given) {
  const layer_spec specs[] = {
      {.kind = &layer_noise, .outputs = given->inputs, .amount = 0.2},
      {.kind = &layer_dense, .outputs = given->hidden, .no_bias = true},
      {.kind = given->norm, .outputs = given->hidden, .activation = given->activation},
      {.kind = &layer_dropout, .outputs = given->hidden, .amount = 0.3},
      {.kind = &layer_dense, .outputs = 9, .activation = MLPD_TANH},
      {.kind = &layer_dense, .outputs = given->outputs, .activation = given->values ? MLPD_IDENTITY : MLPD_SOFTMAX}};
  mlpd_network *made = NULL;
  if (network_build(given->inputs, 6, specs, false, &made) != MLPD_OK) abort();
  mlpd_network_init(made, MLPD_INIT_AUTO, SEED);
  return made;
}

/* A norm of the inputs, and the output layer. */
static mlpd_network *make_network_of_norm(const setting *given) {
  const layer_spec specs[] = {{.kind = given->norm, .outputs = given->inputs},
                              {.kind = &layer_dense, .outputs = given->outputs}};
  mlpd_network *made = NULL;
  if (network_build(given->inputs, 2, specs, false, &made) != MLPD_OK) abort();
  mlpd_network_init(made, MLPD_INIT_AUTO, SEED);
  return made;
}

static mlpd_network *make_network(const setting *given) {
  if (given->norm != NULL) return given->hidden > 0 ? make_network_of_kinds(given) : make_network_of_norm(given);
  const uint32_t widths[] = {given->inputs, given->hidden, 9, given->outputs};
  const mlpd_activation activations[] = {given->activation, MLPD_TANH, given->values ? MLPD_IDENTITY : MLPD_SOFTMAX};
  mlpd_network *made = NULL;
  if (mlpd_network_create(3, widths, activations, &made) != MLPD_OK) abort();
  mlpd_network_init(made, MLPD_INIT_AUTO, SEED);
  return made;
}

static mlpd_train_options make_options(const setting *given) {
  mlpd_train_options options;
  quick_options(&options);
  options.optimizer = given->kind;
  options.weight_decay = 0.01;
  options.clip_norm = given->clip_norm;
  return options;
}

static double rate(uint64_t step) { return 0.02 / (1 + (double)step); }

static mlpd_loss loss_of(const setting *given) { return given->values ? MLPD_MSE : MLPD_CROSS_ENTROPY; }

/* ---- The serial step ------------------------------------------------------------------------------- */

/* C (m, n) = op(A) (m, k) op(B) (k, n). For the plain back end: its definition. */
static void multiply(const backend *gemm, bool ta, bool tb, uint64_t m, uint64_t n, uint64_t k, const float *a,
                     uint64_t lda, const float *b, uint64_t ldb, float *c, uint64_t ldc) {
  if (strcmp(gemm->name, "plain") != 0) {
    gemm->sgemm(ta, tb, (int)m, (int)n, (int)k, a, (int)lda, b, (int)ldb, c, (int)ldc);
    return;
  }
  for (uint64_t i = 0; i < m; i++)
    for (uint64_t j = 0; j < n; j++) {
      float sum = 0;
      for (uint64_t p = 0; p < k; p++)
        sum += (ta ? a[p * lda + i] : a[i * lda + p]) * (tb ? b[j * ldb + p] : b[p * ldb + j]);
      c[i * ldc + j] = sum;
    }
}

typedef struct serial {
  const setting *given;
  const backend *gemm;
  mlpd_network *network;
  const lane_plan *plan;
  const shard *rows; /* all */
  const affine *input;
  uint32_t **order;      /* [lane] */
  float *first, *second; /* optimizer state */
  uint64_t steps;
} serial;

static float *arena(const mlpd_network *network) {
  float *const made = calloc(network->arena_size, sizeof *made);
  if (made == NULL) abort();
  return made;
}

/* Where a layer's weights and biases begin in the arena. */
static size_t weight_of(const mlpd_network *net, uint32_t l) { return net->tensors[2 * l].offset; }
static size_t bias_of(const mlpd_network *net, uint32_t l) { return net->tensors[2 * l + 1].offset; }

/* Columns of a block of layer l, and rows of a unit of its weights: the bits of products may depend on them. */
static uint32_t block_columns(const serial *s, uint32_t l, pass_way way, uint64_t n) {
  return network_block(s->network, s->gemm, l, way, 0, n, 1, 0).columns;
}
static uint32_t unit_rows(const serial *s, uint32_t l) {
  return tensor_unit(&s->network->tensors[2 * l], s->gemm, 0).rows;
}

/* gradient (arena) of one lane's microbatch; adds to sums. */
static void lane_gradient(const serial *s, uint32_t lane, uint64_t step, float *gradient, loss_sums *sums) {
  const mlpd_network *const net = s->network;
  const uint32_t last = net->num_layers - 1, d = s->given->inputs, k = s->given->outputs;
  uint64_t begin = 0, n = 0;
  workspace space;
  lane_microbatch(s->plan, lane, step, &begin, &n);
  if (n == 0) return;
  if (workspace_create(net, n, true, &space) != MLPD_OK) abort();
  int32_t *const classes = calloc(n, sizeof *classes);
  float *const values = calloc(n * k, sizeof *values), *const weights = calloc(n, sizeof *weights);
  for (uint64_t i = 0; i < n; i++) {
    const uint64_t row = s->plan->lane_begin[lane] + s->order[lane][begin + i];
    for (uint32_t j = 0; j < d; j++)
      space.x[i * d + j] =
          (((const float *)s->rows->x)[row * d + j] - s->input->narrow_shift[j]) * s->input->narrow_scale[j];
    if (s->rows->classes != NULL) classes[i] = s->rows->classes[row];
    if (s->rows->values != NULL) memcpy(values + i * k, s->rows->values + row * k, k * sizeof *values);
    weights[i] = s->rows->weights != NULL ? s->rows->weights[row] : 1;
  }
  for (uint32_t l = 0; l <= last; l++) {
    const layer *const to = &net->layers[l];
    const uint32_t most = block_columns(s, l, WAY_FORWARD, n);
    for (uint32_t c = 0; c < to->outputs; c += most) {
      const uint32_t width = to->outputs - c < most ? to->outputs - c : most;
      multiply(s->gemm, false, false, n, width, to->inputs, l == 0 ? space.x : space.a[l - 1], to->inputs,
               net->parameters + weight_of(net, l) + c, to->outputs, space.z[l] + c, to->outputs);
    }
    for (uint64_t i = 0; i < n * to->outputs; i++) space.z[l][i] += net->parameters[bias_of(net, l) + i % to->outputs];
    if (to->activation == MLPD_SOFTMAX)
      softmax_forward(n, to->outputs, space.z[l], space.a[l]);
    else {
      memcpy(space.a[l], space.z[l], n * to->outputs * sizeof(float));
      activation_forward(to->activation, n, to->outputs, to->outputs, NULL, space.a[l], space.a[l]);
    }
  }
  const targets y = {.classes = s->rows->classes != NULL ? classes : NULL,
                     .values = s->rows->values != NULL ? values : NULL,
                     .weights = weights};
  const loss_spec loss = loss_plain(loss_of(s->given));
  loss_compute(&loss, net->layers[last].activation, n, k, space.z[last], space.a[last], &y, space.delta[last], sums);
  for (uint32_t l = last; l-- > 0;) {
    const layer *const to = &net->layers[l], *const above = &net->layers[l + 1];
    const uint32_t most = block_columns(s, l, WAY_BACKWARD, n);
    for (uint32_t c = 0; c < to->outputs; c += most) {
      const uint32_t width = to->outputs - c < most ? to->outputs - c : most;
      multiply(s->gemm, false, true, n, width, above->outputs, space.delta[l + 1], above->outputs,
               net->parameters + weight_of(net, l + 1) + (size_t)c * above->outputs, above->outputs, space.delta[l] + c,
               to->outputs);
    }
    activation_backward(to->activation, n, to->outputs, to->outputs, space.z[l], space.a[l], space.delta[l]);
  }
  for (uint32_t l = 0; l <= last; l++) {
    const layer *const to = &net->layers[l];
    const float *const from = l == 0 ? space.x : space.a[l - 1];
    const uint32_t most = unit_rows(s, l);
    for (uint32_t r = 0; r < to->inputs; r += most) {
      const uint32_t height = to->inputs - r < most ? to->inputs - r : most;
      multiply(s->gemm, true, false, height, to->outputs, n, from + r, to->inputs, space.delta[l], to->outputs,
               gradient + weight_of(net, l) + (size_t)r * to->outputs, to->outputs);
    }
    for (uint64_t i = 0; i < n * to->outputs; i++) gradient[bias_of(net, l) + i % to->outputs] += space.delta[l][i];
  }
  free(classes);
  free(values);
  free(weights);
  workspace_free(&space);
}

/* Lanes [begin, end): half the tree left of the largest power of two below their number, half right. */
static void tree_gradient(const serial *s, uint32_t begin, uint32_t end, uint64_t step, float *gradient,
                          loss_sums *sums) {
  if (end - begin == 1) {
    lane_gradient(s, begin, step, gradient, sums);
    return;
  }
  uint32_t half = 1;
  while (2 * half < end - begin) half *= 2;
  float *const right = arena(s->network);
  loss_sums right_sums = {0};
  tree_gradient(s, begin, begin + half, step, gradient, sums);
  tree_gradient(s, begin + half, end, step, right, &right_sums);
  for (size_t i = 0; i < s->network->arena_size; i++) gradient[i] += right[i];
  sums->loss += right_sums.loss;
  sums->weight += right_sums.weight;
  sums->correct += right_sums.correct;
  sums->square += right_sums.square;
  free(right);
}

static void update_weight(const serial *s, float rate_now, float g, bool decays, size_t i) {
  const float mu = 0.9f, beta1 = 0.9f, beta2 = 0.999f, decay = decays ? 0.01f : 0;
  float *const w = &s->network->parameters[i], *const m = &s->first[i], *const v = &s->second[i];
  const double t = (double)s->steps;
  if (s->given->kind != MLPD_ADAMW) g += decay * *w;
  switch (s->given->kind) {
    case MLPD_SGD:
      *w -= rate_now * g;
      break;
    case MLPD_MOMENTUM:
      *m = mu * *m + g;
      *w -= rate_now * *m;
      break;
    case MLPD_NESTEROV:
      *m = mu * *m + g;
      *w -= rate_now * (g + mu * *m);
      break;
    default: {
      *m = beta1 * *m + (1 - beta1) * g;
      *v = beta2 * *v + (1 - beta2) * (g * g);
      const float correction1 = (float)(1 / (1 - pow(beta1, t))), correction2 = (float)(1 / (1 - pow(beta2, t)));
      const float step = *m * correction1 / (sqrtf(*v * correction2) + 1e-8f);
      *w = (s->given->kind == MLPD_ADAMW ? 1 - rate_now * decay : 1) * *w - rate_now * step;
    }
  }
}

static loss_sums serial_step(serial *s, uint64_t step, double lr, double *norm) {
  const mlpd_network *const net = s->network;
  float *const gradient = arena(net);
  loss_sums sums = {0};
  tree_gradient(s, 0, s->plan->num_lanes, step, gradient, &sums);
  double scale = 1 / sums.weight;
  *norm = 0;
  if (s->given->clip_norm > 0) {
    *norm = sqrt(vector_sum_squares(net->arena_size, gradient)) * scale;
    if (*norm > s->given->clip_norm) scale *= s->given->clip_norm / *norm;
  }
  s->steps++;
  for (uint32_t l = 0; l < net->num_layers; l++) {
    const layer *const to = &net->layers[l];
    for (size_t i = 0; i < (size_t)to->inputs * to->outputs; i++)
      update_weight(s, (float)lr, gradient[weight_of(net, l) + i] * (float)scale, true, weight_of(net, l) + i);
    for (size_t i = 0; i < to->outputs; i++)
      update_weight(s, (float)lr, gradient[bias_of(net, l) + i] * (float)scale, false, bias_of(net, l) + i);
  }
  free(gradient);
  return sums;
}

/* What a run leaves: hashes of the weights and of the optimizer's state, and sums over all steps. */
typedef struct trail {
  uint64_t hash, state[2];
  double loss, correct, square, weight, norm;
  uint64_t clipped; /* steps */
} trail;

static void add_to_trail(trail *t, const setting *given, const loss_sums *sums, double norm) {
  t->loss += sums->loss;
  t->correct += sums->correct;
  t->square += sums->square;
  t->weight += sums->weight;
  t->norm += norm;
  t->clipped += given->clip_norm > 0 && norm > given->clip_norm;
}

static trail run_serially(const setting *given, uint32_t lanes) {
  lane_plan plan;
  const backend *gemm = NULL;
  if (lane_plan_create(given->rows, given->batch, lanes, SEED, &plan) != MLPD_OK) abort();
  if (backend_choose(given->backend, &gemm) != MLPD_OK) abort();
  shard rows = make_shard(given, &plan, 0, plan.rows);
  affine input = make_input(given);
  mlpd_network *const net = make_network(given);
  serial s = {.given = given, .gemm = gemm, .network = net, .plan = &plan, .rows = &rows, .input = &input};
  s.first = arena(net);
  s.second = arena(net);
  s.order = calloc(lanes, sizeof *s.order);
  trail left = {0};
  for (uint64_t epoch = 0; epoch < EPOCHS; epoch++) {
    for (uint32_t u = 0; u < lanes; u++) {
      free(s.order[u]);
      s.order[u] = calloc(plan.rows + 1, sizeof **s.order);
      lane_shuffle(&plan, SEED, epoch, u, s.order[u]);
    }
    for (uint64_t step = 0; step < plan.steps_per_epoch; step++) {
      double norm = 0;
      const loss_sums sums = serial_step(&s, step, rate(s.steps), &norm);
      add_to_trail(&left, given, &sums, norm);
    }
  }
  left.hash = network_hash(net, net->parameters);
  const float *const states[2] = {s.first, s.second};
  for (uint32_t i = 0; i < optimizer_most_state(given->kind, 0); i++) left.state[i] = network_hash(net, states[i]);
  for (uint32_t u = 0; u < lanes; u++) free(s.order[u]);
  free(s.order);
  free(s.first);
  free(s.second);
  mlpd_network_free(net);
  affine_free(&input);
  shard_free(&rows);
  lane_plan_free(&plan);
  return left;
}

/* ---- The stepper ----------------------------------------------------------------------------------- */

typedef struct harness {
  lane_plan plan;
  shard rows;
  affine input;
  mlpd_network *network;
  optimizer optimizer;
  stepper *stepper;
} harness;

/* How sums travel and who updates what, in turn: as it comes for so small a network; and as large ones have it: pulled
 * strip by strip, by messages in slices or, where they can, by halves. */
static const struct {
  bool shares, large;
  int halving_ranks;
  mlpd_update update;
} ways[] = {{true, false, INT_MAX, MLPD_UPDATE_SPLIT}, {true, true, INT_MAX, MLPD_UPDATE_SPLIT},
            {true, true, INT_MAX, MLPD_UPDATE_EACH},   {false, true, INT_MAX, MLPD_UPDATE_SPLIT},
            {false, true, INT_MAX, MLPD_UPDATE_EACH},  {false, true, 2, MLPD_UPDATE_SPLIT},
            {false, true, 2, MLPD_UPDATE_EACH}};

/* Names of the ways that steppers of the tests have taken. */
static const char *taken[8];

static void note_way(const stepper *s) {
  char text[256];
  stepper_describe(s, text, sizeof text);
  assert_on_all(strstr(text, s->way->what) != NULL, "stepper_describe");
  for (int i = 0; i < 8; i++) {
    if (taken[i] == NULL) taken[i] = s->way->name;
    if (strcmp(taken[i], s->way->name) == 0) return;
  }
}

static bool was_taken(const char *name) {
  for (int i = 0; i < 8 && taken[i] != NULL; i++)
    if (strcmp(taken[i], name) == 0) return true;
  return false;
}

static void harness_make(harness *h, const setting *given, uint32_t lanes, int threads, mlpd_reduce reduce) {
  *h = (harness){0};
  const mlpd_train_options options = make_options(given);
  const backend *gemm = NULL;
  uint32_t first = 0, end = 0;
  int taken = 0;
  bool good = mlpd_threads_set(threads, &taken) == MLPD_OK && backend_choose(given->backend, &gemm) == MLPD_OK &&
              lane_plan_create(given->rows, given->batch, lanes, SEED, &h->plan) == MLPD_OK;
  h->network = make_network(given);
  good = good && optimizer_create(&options, h->network, &h->optimizer) == MLPD_OK;
  assert_on_all(good, "parts made");
  lanes_of_rank(lanes, mlpd_comm_size(comm), mlpd_comm_rank(comm), &first, &end);
  h->rows = make_shard(given, &h->plan, h->plan.lane_begin[first], h->plan.lane_begin[end]);
  h->input = make_input(given);
  static int steppers;
  const int way = steppers++ % (int)(sizeof ways / sizeof *ways);
  const stepper_parts parts = {.comm = comm,
                               .network = h->network,
                               .gemm = gemm,
                               .optimizer = &h->optimizer,
                               .plan = &h->plan,
                               .rows = &h->rows,
                               .input = &h->input,
                               .loss = loss_plain(loss_of(given)),
                               .reduce = reduce,
                               .update = ways[way].update,
                               .overlap = way == 4 ? MLPD_OVERLAP_NONE : MLPD_OVERLAP_LAYERS,
                               .seed = SEED,
                               .clip_norm = given->clip_norm,
                               .threads = threads};
  const comm_sums usual = comm->sums;
  comm->sums.shares = ways[way].shares && usual.shares;
  if (ways[way].large) comm->sums.pull_bytes = comm->sums.gather_bytes = 0;
  if (ways[way].large) comm->sums.bucket_bytes = 256;
  comm->sums.slice_bytes = 0;
  comm->sums.halving_ranks = ways[way].halving_ranks;
  assert_on_all(stepper_create(&parts, &h->stepper) == MLPD_OK, "stepper_create");
  comm->sums = usual;
  note_way(h->stepper);
}

static void harness_free(harness *h) {
  stepper_free(h->stepper);
  optimizer_free(&h->optimizer);
  mlpd_network_free(h->network);
  affine_free(&h->input);
  shard_free(&h->rows);
  lane_plan_free(&h->plan);
}

static trail run_stepper(const setting *given, uint32_t lanes, int threads, mlpd_reduce reduce, float *weights) {
  harness h;
  harness_make(&h, given, lanes, threads, reduce);
  trail left = {0};
  uint64_t steps = 0;
  for (uint64_t epoch = 0; epoch < EPOCHS; epoch++) {
    stepper_begin_epoch(h.stepper, epoch);
    for (uint64_t step = 0; step < h.plan.steps_per_epoch; step++) {
      step_outcome outcome;
      const mlpd_status status = stepper_step(h.stepper, step, rate(steps++), &(step_wishes){0}, &outcome);
      assert_on_all(status == MLPD_OK && outcome.finite, "stepper_step");
      add_to_trail(&left, given, &outcome.sums, outcome.gradient_norm);
    }
  }
  left.hash = network_hash(h.network, h.network->parameters);
  assert_on_all(stepper_complete_state(h.stepper) == MLPD_OK, "stepper_complete_state");
  for (uint32_t i = 0; i < h.optimizer.num_state; i++) left.state[i] = network_hash(h.network, h.optimizer.state[i]);
  stepper_own_weights(h.stepper);
  assert_on_all(left.hash == network_hash(h.network, h.network->parameters), "stepper_own_weights");
  if (weights != NULL) memcpy(weights, h.network->parameters, h.network->arena_size * sizeof *weights);
  const step_times times = stepper_times(h.stepper);
  assert_on_all(times.compute >= 0 && times.reduce >= 0 && times.data >= 0, "times");
  harness_free(&h);
  return left;
}

static bool same_trail(const trail *a, const trail *b) {
  return a->hash == b->hash && a->loss == b->loss && a->correct == b->correct && a->square == b->square &&
         a->weight == b->weight && a->norm == b->norm && a->clipped == b->clipped && a->state[0] == b->state[0] &&
         a->state[1] == b->state[1];
}

/* All ranks hold the same. */
static void assert_same_on_ranks(const trail *mine) {
  const int size = mlpd_comm_size(comm);
  uint64_t bytes[64];
  trail all[64];
  for (int rank = 0; rank < size; rank++) bytes[rank] = sizeof *mine;
  assert_on_all(comm_gather_all(comm, mine, bytes, all) == MLPD_OK, "gather");
  bool same = true;
  for (int rank = 0; rank < size; rank++) same = same && same_trail(&all[rank], mine);
  assert_on_all(same, "ranks differ");
}

static const int thread_counts[] = {1, 2, 3, 5};
static const uint32_t lane_counts[] = {1, 2, 5, 8, 16};

static void check_setting(const setting *given) {
  const size_t thread_choices = mlpd_comm_size(comm) <= 2 ? 4 : 2; /* many ranks times many threads tell nothing more */
  for (size_t i = 0; i < sizeof lane_counts / sizeof *lane_counts; i++) {
    int taken = 0;
    assert_on_all(mlpd_threads_set(1, &taken) == MLPD_OK, "threads");
    const trail expected = run_serially(given, lane_counts[i]);
    assert_on_all(isfinite(expected.loss), "the reference is finite");
    for (size_t t = 0; t < thread_choices; t++) {
      const int threads = thread_choices == 4 ? thread_counts[t] : 1 + 2 * (int)t;
      const trail found = run_stepper(given, lane_counts[i], threads, MLPD_REDUCE_CANONICAL, NULL);
      const bool same = same_trail(&found, &expected);
      if (!same)
        print_error("%s, %u lanes, %d threads: hash %016llx, expected %016llx; loss %.17g, expected %.17g\n",
                    given->name, lane_counts[i], threads, (unsigned long long)found.hash,
                    (unsigned long long)expected.hash, found.loss, expected.loss);
      assert_on_all(same, given->name);
      assert_same_on_ranks(&found);
    }
    if (given->clip_norm > 0) assert_on_all(expected.clipped > 0, "the norm was clipped at least once");
  }
}

/* Layers of other kinds: all ranks, in every way of summing, end as one rank with one thread does. */
static void check_kinds(const setting *given) {
  mlpd_comm *const all = comm;
  mlpd_comm *alone = NULL;
  if (mlpd_comm_alone(&alone) != MLPD_OK) mlpd_comm_abort(all, 1);
  for (size_t i = 2; i < sizeof lane_counts / sizeof *lane_counts; i += 2) {
    comm = alone;
    const trail expected = run_stepper(given, lane_counts[i], 1, MLPD_REDUCE_CANONICAL, NULL);
    comm = all;
    for (int turn = 0; turn < 3; turn++) {
      const trail found = run_stepper(given, lane_counts[i], 1 + turn % 3, MLPD_REDUCE_CANONICAL, NULL);
      assert_on_all(same_trail(&found, &expected), given->name);
    }
  }
  mlpd_comm_finalize(alone);
}

/* ---- Tests ----------------------------------------------------------------------------------------- */

static void test_classes(void **state) {
  (void)state;
  check_setting(&(setting){"momentum, classes", 90, 30, 13, 21, 4, .kind = MLPD_MOMENTUM, .activation = MLPD_RELU,
                           .backend = "plain"});
}

static void test_uneven_batch_and_short_last_step(void **state) {
  (void)state;
  check_setting(
      &(setting){"sgd, uneven", 61, 23, 13, 21, 4, .kind = MLPD_SGD, .activation = MLPD_GELU, .backend = "plain"});
  check_setting(&(setting){"nesterov, one step an epoch", 37, 37, 13, 21, 4, .kind = MLPD_NESTEROV,
                           .activation = MLPD_SIGMOID, .backend = "plain"});
}

static void test_lanes_without_rows(void **state) {
  (void)state;
  check_setting(
      &(setting){"adam, empty lanes", 9, 4, 13, 21, 4, .kind = MLPD_ADAM, .activation = MLPD_ELU, .backend = "plain"});
  check_setting(
      &(setting){"one row", 1, 1, 3, 2, 2, .kind = MLPD_MOMENTUM, .activation = MLPD_RELU, .backend = "plain"});
}

static void test_clipping(void **state) {
  (void)state;
  check_setting(&(setting){"clipped, classes", 61, 23, 13, 21, 4, .kind = MLPD_MOMENTUM, .clip_norm = 0.3,
                           .activation = MLPD_RELU, .backend = "plain"});
  check_setting(&(setting){"clipped, adamw", 61, 23, 13, 21, 3, .values = true, .kind = MLPD_ADAMW, .clip_norm = 0.5,
                           .activation = MLPD_SILU, .backend = "plain"});
}

static void test_values_and_weights(void **state) {
  (void)state;
  check_setting(&(setting){"values", 61, 23, 13, 21, 3, .values = true, .kind = MLPD_MOMENTUM, .activation = MLPD_RELU,
                           .backend = "plain"});
  check_setting(&(setting){"weights, classes", 61, 23, 13, 21, 4, .weights = true, .kind = MLPD_ADAMW,
                           .activation = MLPD_RELU, .backend = "plain"});
  check_setting(&(setting){"weights, values", 61, 23, 13, 21, 3, .values = true, .weights = true, .kind = MLPD_NESTEROV,
                           .activation = MLPD_SOFTPLUS, .backend = "plain"});
}

/* Several column blocks forward and back and several row blocks of the gradient. */
static void test_several_blocks(void **state) {
  (void)state;
  setting given = {"several blocks",  40, 21, 150, 270, 4, .kind = MLPD_MOMENTUM, .activation = MLPD_RELU,
                   .backend = "plain"};
  mlpd_network *const net = make_network(&given);
  const backend *plain = NULL, *fastest = NULL;
  assert_on_all(backend_choose("plain", &plain) == MLPD_OK && backend_choose(NULL, &fastest) == MLPD_OK, "back ends");
  assert_on_all(network_num_blocks(net, plain, 0, WAY_FORWARD, 10, 1) > 1 &&
                    tensor_num_units(&net->tensors[0], plain) > 1 &&
                    network_num_blocks(net, fastest, 0, WAY_FORWARD, 10, 2) > 1 &&
                    tensor_num_units(&net->tensors[0], fastest) > 1,
                "blocks");
  mlpd_network_free(net);
  check_setting(&given);
}

static void test_kinds_of_layers(void **state) {
  (void)state;
  check_kinds(&(setting){"layer norm", 61, 23, 13, 150, 4, .kind = MLPD_ADAM, .activation = MLPD_RELU,
                         .norm = &layer_layer_norm});
  check_kinds(&(setting){"batch norm", 61, 23, 13, 150, 4, .kind = MLPD_MOMENTUM, .activation = MLPD_GELU,
                         .norm = &layer_batch_norm});
  check_kinds(&(setting){"batch norm, clipped", 61, 23, 150, 270, 3, .values = true, .kind = MLPD_ADAM,
                         .clip_norm = 0.5, .activation = MLPD_TANH, .norm = &layer_batch_norm});
  check_kinds(&(setting){"batch norm, plain", 61, 23, 13, 21, 3, .values = true, .kind = MLPD_SGD,
                         .activation = MLPD_TANH, .backend = "plain", .norm = &layer_batch_norm});
}

/* Norms of tensors of several pieces. */
static void test_trust_ratios(void **state) {
  (void)state;
  check_kinds(
      &(setting){"lars", 61, 23, 150, 270, 4, .kind = MLPD_LARS, .activation = MLPD_RELU, .norm = &layer_layer_norm});
  check_kinds(&(setting){"lamb, clipped", 61, 23, 150, 270, 3, .values = true, .kind = MLPD_LAMB, .clip_norm = 0.5,
                         .activation = MLPD_TANH, .norm = &layer_batch_norm});
}

/* Normalised inputs of all rows, by position. */
static float *all_inputs(const setting *given, const harness *h, const shard *rows) {
  float *const x = calloc(rows->rows * given->inputs, sizeof *x);
  if (x == NULL) abort();
  for (uint64_t i = 0; i < rows->rows * given->inputs; i++) {
    const uint64_t j = i % given->inputs;
    x[i] = (float)(((double)((const float *)rows->x)[i] - h->input.shift[j]) * h->input.scale[j]);
  }
  return x;
}

/* The mean of column j, and of its variances over each lane's rows, a lane counting by its rows. */
static void mean_of_column(const setting *given, const harness *h, const float *x, uint32_t j, double *mean,
                           double *variance) {
  *mean = *variance = 0;
  for (uint32_t u = 0; u < h->plan.num_lanes; u++) {
    const uint64_t begin = h->plan.lane_begin[u], end = h->plan.lane_begin[u + 1];
    const double n = (double)(end - begin);
    double sum = 0, squares = 0;
    for (uint64_t i = begin; i < end; i++) sum += (double)x[i * given->inputs + j];
    for (uint64_t i = begin; i < end; i++) squares += pow((double)x[i * given->inputs + j] - sum / n, 2);
    *mean += sum / (double)given->rows;
    *variance += n * squares / (n - 1) / (double)given->rows;
  }
}

/* The norm of the gradient of one lane of all rows, its statistics left out. */
static double norm_of_gradient(const setting *given, const float *x, const float *y) {
  mlpd_network *const net = make_network(given);
  mlpd_trace trace;
  double sum = 0;
  if (mlpd_network_trace(net, MLPD_MSE, given->rows, x, y, &trace) != MLPD_OK) abort();
  for (uint32_t i = 0; i < net->num_tensors; i++) {
    const tensor *const t = &net->tensors[i];
    for (size_t at = t->offset; tensor_learns(t) && at < tensor_end(t); at++)
      sum += pow((double)network_trace_gradient(&trace)[at], 2);
  }
  mlpd_trace_free(&trace);
  mlpd_network_free(net);
  return sqrt(sum) / (double)given->rows;
}

/* Running means go a tenth of the way to those of the step, and have no part in the norm of the gradient. */
static void check_running_means(uint32_t lanes, double clip_norm) {
  const setting given = {"running means",
                         40,
                         40,
                         13,
                         0,
                         3,
                         .values = true,
                         .kind = MLPD_ADAM,
                         .clip_norm = clip_norm,
                         .backend = "plain",
                         .norm = &layer_batch_norm};
  harness h;
  step_outcome outcome;
  harness_make(&h, &given, lanes, 2, MLPD_REDUCE_CANONICAL);
  stepper_begin_epoch(h.stepper, 0);
  assert_on_all(stepper_step(h.stepper, 0, 0.5, &(step_wishes){0}, &outcome) == MLPD_OK && outcome.finite, "step");
  shard rows = make_shard(&given, &h.plan, 0, given.rows);
  float *const x = all_inputs(&given, &h, &rows);
  const float *const after = h.network->parameters + h.network->tensors[2].offset;
  const float *const variance_after = h.network->parameters + h.network->tensors[3].offset;
  bool same = true;
  for (uint32_t j = 0; j < given.inputs; j++) {
    double mean, variance;
    mean_of_column(&given, &h, x, j, &mean, &variance);
    same = same && fabs((double)after[j] - 0.1 * mean) < 1e-6;
    same = same && fabs((double)variance_after[j] - (0.9 + 0.1 * variance)) < 1e-6;
  }
  assert_on_all(same, "running means");
  if (clip_norm > 0 && lanes == 1)
    assert_on_all(fabs(outcome.gradient_norm / norm_of_gradient(&given, x, rows.values) - 1) < 1e-5, "norm");
  free(x);
  shard_free(&rows);
  harness_free(&h);
}

static void test_running_means(void **state) {
  (void)state;
  for (uint32_t lanes = 1; lanes <= 5; lanes += 4) {
    check_running_means(lanes, 0);
    check_running_means(lanes, 0.01);
  }
}

static void test_fastest_backend(void **state) {
  (void)state;
  check_setting(&(setting){"fastest back end", 61, 23, 150, 270, 4, .kind = MLPD_MOMENTUM, .activation = MLPD_RELU,
                           .backend = NULL});
  check_setting(&(setting){"fastest back end, clipped", 61, 23, 29, 33, 3, .values = true, .kind = MLPD_ADAM,
                           .clip_norm = 0.5, .activation = MLPD_TANH, .backend = NULL});
}

/* Rows shared by threads, and threads that sum lanes of their own: where weights are few beside rows. */
static void test_small_network_on_threads(void **state) {
  (void)state;
  setting given = {
      "small network, classes", 640, 320, 13, 21, 4, .weights = true, .kind = MLPD_MOMENTUM, .activation = MLPD_RELU,
      .backend = NULL};
  mlpd_network *const net = make_network(&given);
  const backend *fastest = NULL;
  lane_plan plan;
  assert_on_all(
      backend_choose(NULL, &fastest) == MLPD_OK && lane_plan_create(given.rows, given.batch, 8, SEED, &plan) == MLPD_OK,
      "plan");
  if (fastest->sum_gradients != NULL)
    assert_on_all(stepper_sharing(net, fastest, &plan, (lane_range){0, 1}, 2) == SHARE_ROWS &&
                      stepper_sharing(net, fastest, &plan, (lane_range){0, 8}, 3) == SHARE_LANES &&
                      stepper_apart_nodes(net, fastest, &plan, (lane_range){0, 8}, 3) > 0,
                  "ways of sharing");
  lane_plan_free(&plan);
  mlpd_network_free(net);
  check_setting(&given);
  given = (setting){
      "small network, values", 640, 320, 13, 21, 1, .values = true, .kind = MLPD_ADAM, .activation = MLPD_TANH,
      .backend = NULL};
  check_setting(&given);
}

/* Another order of the sum over ranks: the same up to rounding. */
static void test_plain_allreduce(void **state) {
  (void)state;
  const setting given = {"allreduce", 61, 23, 13, 21, 4, .kind = MLPD_SGD, .activation = MLPD_TANH, .backend = "plain"};
  mlpd_network *const net = make_network(&given);
  float *const one = arena(net), *const other = arena(net);
  (void)run_stepper(&given, 8, 1, MLPD_REDUCE_CANONICAL, one);
  const trail left = run_stepper(&given, 8, 1, MLPD_REDUCE_ALLREDUCE, other);
  assert_same_on_ranks(&left);
  bool close = true, moved = false;
  for (size_t i = 0; i < net->arena_size; i++) {
    close = close && fabsf(one[i] - other[i]) < 1e-6f;
    moved = moved || fabsf(one[i] - net->parameters[i]) > 1e-3f;
  }
  assert_on_all(close && moved, "allreduce is close to canonical");
  free(one);
  free(other);
  mlpd_network_free(net);
}

/* A value that is not a number in one row, which one rank alone holds: all ranks see it, no weight changes. */
static void check_not_finite(double clip_norm, float bad) {
  const setting given = {
      "not finite",      40, 40, 13, 21, 4, .kind = MLPD_ADAM, .clip_norm = clip_norm, .activation = MLPD_SIGMOID,
      .backend = "plain"};
  harness h;
  harness_make(&h, &given, 8, 2, MLPD_REDUCE_CANONICAL);
  step_outcome outcome;
  stepper_begin_epoch(h.stepper, 0);
  assert_on_all(stepper_step(h.stepper, 0, 0.1, &(step_wishes){0}, &outcome) == MLPD_OK && outcome.finite,
                "a good step");
  assert_on_all(stepper_complete_state(h.stepper) == MLPD_OK, "stepper_complete_state");
  const uint64_t before = network_hash(h.network, h.network->parameters);
  const uint64_t state_before = network_hash(h.network, h.optimizer.state[0]);
  if (mlpd_comm_rank(comm) == mlpd_comm_size(comm) - 1 && h.rows.rows > 0) ((float *)h.rows.x)[5] = bad;
  stepper_begin_epoch(h.stepper, 1);
  assert_on_all(stepper_step(h.stepper, 0, 0.1, &(step_wishes){0}, &outcome) == MLPD_OK,
                "a bad step is no failure of the call");
  assert_on_all(!outcome.finite, "not finite");
  assert_on_all(stepper_complete_state(h.stepper) == MLPD_OK, "stepper_complete_state");
  assert_on_all(network_hash(h.network, h.network->parameters) == before, "weights unchanged");
  assert_on_all(network_hash(h.network, h.optimizer.state[0]) == state_before, "state unchanged");
  assert_on_all(h.optimizer.step == 1, "no step counted");
  if (mlpd_comm_rank(comm) == mlpd_comm_size(comm) - 1 && h.rows.rows > 0) ((float *)h.rows.x)[5] = 0;
  assert_on_all(stepper_step(h.stepper, 0, 0.1, &(step_wishes){0}, &outcome) == MLPD_OK && outcome.finite,
                "the next step is good again");
  assert_on_all(network_hash(h.network, h.network->parameters) != before, "and changes weights");
  harness_free(&h);
}

static void test_not_finite(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) check_not_finite(0, NAN);
  check_not_finite(0.1, NAN);
}

/* All sample weights zero: no gradient; the step decays weights and nothing else. */
static void test_weightless_batch(void **state) {
  (void)state;
  const setting given = {
      "weightless", 12, 12, 13, 21, 4, .weights = true, .kind = MLPD_SGD, .activation = MLPD_RELU, .backend = "plain"};
  harness h;
  harness_make(&h, &given, 4, 1, MLPD_REDUCE_CANONICAL);
  memset(h.rows.weights, 0, h.rows.rows * sizeof(float));
  const float before = h.network->parameters[3];
  step_outcome outcome;
  stepper_begin_epoch(h.stepper, 0);
  assert_on_all(stepper_step(h.stepper, 0, 0.5, &(step_wishes){0}, &outcome) == MLPD_OK && outcome.finite, "step");
  assert_on_all(h.network->parameters[3] == before - 0.5f * (0.01f * before), "decay alone");
  assert_on_all(h.network->parameters[h.network->tensors[1].offset] == 0, "biases stay");
  harness_free(&h);
}

/* Runs last: the tests before it have taken every way that there is on this many ranks. */
static void test_all_ways_taken(void **state) {
  (void)state;
  assert_on_all(mlpd_comm_size(comm) > 1 || (was_taken("alone") && was_taken("apart") && was_taken("each")),
                "one rank");
  assert_on_all(mlpd_comm_size(comm) == 1 ||
                    (was_taken("pull") && was_taken("pull divided") && was_taken("divided") && was_taken("each")),
                "several ranks");
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_classes),
      cmocka_unit_test(test_uneven_batch_and_short_last_step),
      cmocka_unit_test(test_lanes_without_rows),
      cmocka_unit_test(test_small_network_on_threads),
      cmocka_unit_test(test_clipping),
      cmocka_unit_test(test_values_and_weights),
      cmocka_unit_test(test_several_blocks),
      cmocka_unit_test(test_kinds_of_layers),
      cmocka_unit_test(test_trust_ratios),
      cmocka_unit_test(test_running_means),
      cmocka_unit_test(test_fastest_backend),
      cmocka_unit_test(test_plain_allreduce),
      cmocka_unit_test(test_not_finite),
      cmocka_unit_test(test_weightless_batch),
      cmocka_unit_test(test_all_ways_taken),
  };
  if (mlpd_comm_init(&argc, &argv, &comm) != MLPD_OK) {
    print_error("%s\n", mlpd_error_message());
    return 1;
  }
  const int failed = cmocka_run_group_tests_name("stepper", tests, NULL, NULL);
  mlpd_comm_finalize(comm);
  return failed;
}
