/* Training steps on simulated ranks that do not compute: for scripts/simulate, under smpirun.
 * Usage: simulated_steps measure COSTS WIDTHS BATCH LANES STEPS OPTIMIZER ACTIVATION
 *        simulated_steps charge  COSTS WIDTHS BATCH LANES STEPS OPTIMIZER ACTIVATION
 *
 * measure, on one rank: runs the steps and writes to the file COSTS how long each piece of work took for each shape:
 * the mean of the executions that were not interrupted. charge, on any number of ranks: stepper, reducer and messages
 * are the real ones, in their real order, but each piece of work just lets its measured seconds of simulated time pass,
 * and large arrays share memory. So the numbers are meaningless, but the times are right. Prints a line of JSON with
 * the seconds of a step and its phases.
 *
 * The pieces of work are the functions below, which the linker substitutes for the real ones (--wrap). */
#include <math.h>
#include <smpi/smpi.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "kernels/vector.h"
#include "network/init.h"
#include "quick_options.h"
#include "ranks/clock.h"
#include "ranks/comm.h"
#include "step/stepper_internal.h"
#include "sum/reduce_cost.h"
#include "sum/reduce_internal.h"

enum {
  SHARED_BYTES = 1 << 18, /* arrays from here on share memory */
  MAX_LAYERS = 16,
  MAX_COSTS = 512,
  MAX_SAMPLES = 1 << 17,
  LONG_BYTES = 16 << 20, /* of the message that tells the bandwidth */
  ADD_SOURCES = 4,       /* of the sums that are timed */
  MIN_EPOCHS = 3,
  MAX_EPOCHS = 64
};
static const double MEASURED_SECONDS = 3;
static const double LEAST_SPENT = 5e-6; /* seconds that are worth an event */

typedef enum work {
  GATHER,
  FORWARD,
  OUTPUT,
  LOSS,
  BACKWARD,
  GRADIENT,
  GRADIENT_FUSED, /* with what an update goes on to read: one rank */
  BIAS,
  UPDATE,       /* of a range of the arena, after the sum over ranks */
  UPDATE_FUSED, /* of a unit whose gradient is in cache: one rank */
  ADD,          /* a byte of a source of a sum over ranks */
  NUM_WORKS
} work;

/* A shape of work and what it costs; amount: what seconds of an unlike shape are scaled by. */
typedef struct cost {
  work kind;
  uint64_t a, b, c;
  double amount, seconds;
  uint64_t count; /* times it was measured */
  float *samples;
} cost;

/* Of this rank: SMPI gives each its own variables. */
static cost costs[MAX_COSTS];
static size_t num_costs;
static bool measures, recording;
static double owed;                    /* seconds not yet spent */
static double charged[NUM_WORKS];      /* seconds so far */
static double of_layer[MAX_LAYERS][2]; /* of these, a layer's deltas and gradients */
static uint32_t layer_now;

/* ---- Time ---------------------------------------------------------------------------------------- */

#undef clock_gettime
/* Of this machine's clock, not of the simulated one. */
static double real_seconds(void) {
  struct timespec now;
  (void)clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Asleep, not with SMPI's smpi_execute: what that leaves behind (3.32) makes each message slower to simulate. */
static void spend_owed(void) {
  const double nanoseconds = floor(owed * 1e9);
  if (nanoseconds < 1) return;
  const double seconds = floor(nanoseconds * 1e-9);
  (void)nanosleep(&(struct timespec){(time_t)seconds, (long)(nanoseconds - seconds * 1e9)}, NULL);
  owed -= nanoseconds * 1e-9;
}

static cost *find_cost(work kind, uint64_t a, uint64_t b, uint64_t c, double amount) {
  cost *nearest = NULL;
  for (size_t i = 0; i < num_costs; i++) {
    cost *const at = &costs[i];
    if (at->kind != kind) continue;
    if (at->a == a && at->b == b && at->c == c) return at;
    if (nearest == NULL || fabs(log(at->amount / amount)) < fabs(log(nearest->amount / amount))) nearest = at;
  }
  if (measures) {
    if (num_costs == MAX_COSTS) return NULL;
    costs[num_costs] = (cost){.kind = kind, .a = a, .b = b, .c = c, .amount = amount};
    nearest = &costs[num_costs++];
  }
  return nearest;
}

static void charge(work kind, uint64_t a, uint64_t b, uint64_t c, double amount) {
  const cost *const at = amount > 0 ? find_cost(kind, a, b, c, amount) : NULL;
  if (at == NULL) return;
  const double seconds = at->a == a && at->b == b && at->c == c ? at->seconds : at->seconds * amount / at->amount;
  owed += seconds;
  charged[kind] += seconds;
  if (kind == BACKWARD) of_layer[a][0] += seconds;
  if (kind == GRADIENT) of_layer[layer_now][1] += seconds;
  if (owed >= LEAST_SPENT) spend_owed();
}

static void record(work kind, uint64_t a, uint64_t b, uint64_t c, double amount, double seconds) {
  cost *const at = recording && amount > 0 ? find_cost(kind, a, b, c, amount) : NULL;
  if (at == NULL) return;
  if (at->samples == NULL) at->samples = malloc(MAX_SAMPLES * sizeof *at->samples);
  if (at->samples != NULL && at->count < MAX_SAMPLES) at->samples[at->count++] = (float)seconds;
}

/* What a wrapper does: the call where work is measured, its cost elsewhere. */
#define WORK(call, kind, a, b, c, amount)                               \
  do {                                                                  \
    if (measures) {                                                     \
      const double start_ = real_seconds();                             \
      call;                                                             \
      record(kind, a, b, c, (double)(amount), real_seconds() - start_); \
    } else {                                                            \
      charge(kind, a, b, c, (double)(amount));                          \
    }                                                                   \
  } while (0)

/* ---- Pieces of work --------------------------------------------------------------------------------- */

/* Of the types of what they stand before, whatever these become. */
#define WRAPPED(name) extern __typeof__(name) __real_##name, __wrap_##name
WRAPPED(vector_gather_rows);
WRAPPED(network_forward_block);
WRAPPED(network_backward_block);
WRAPPED(network_finish_output);
WRAPPED(loss_compute);
WRAPPED(loss_rows);
WRAPPED(network_gradient_factors);
WRAPPED(network_gradient);
WRAPPED(optimizer_update_range);
WRAPPED(optimizer_update);
WRAPPED(tree_sum_run);
WRAPPED(tree_add);
WRAPPED(clock_seconds);
WRAPPED(memory_allocate);

void __wrap_vector_gather_rows(element_type type, uint64_t m, uint64_t known, uint64_t d, const void *x,
                               const uint32_t *rows, const float *shift, const float *scale, float *out) {
  WORK(__real_vector_gather_rows(type, m, known, d, x, rows, shift, scale, out), GATHER, m, d, 0, m * d);
}

void __wrap_network_forward_block(const mlpd_network *network, const backend *gemm, uint32_t l, const block *part,
                                  workspace *space) {
  WORK(__real_network_forward_block(network, gemm, l, part, space), FORWARD, l, part->rows, part->columns,
       part->rows * part->columns * network->layers[l].inputs);
}

void __wrap_network_backward_block(const mlpd_network *network, const backend *gemm, uint32_t l, const block *part,
                                   workspace *space) {
  WORK(__real_network_backward_block(network, gemm, l, part, space), BACKWARD, l, part->rows, part->columns,
       part->rows * part->columns * network->layers[l + 1].outputs);
}

void __wrap_network_finish_output(const mlpd_network *network, uint64_t row, uint64_t n, workspace *space) {
  WORK(__real_network_finish_output(network, row, n, space), OUTPUT, n, 0, 0, n);
}

void __wrap_loss_compute(const loss_spec *loss, mlpd_activation output, uint64_t n, uint32_t k, const float *z,
                         const float *a, const targets *y, float *delta, loss_sums *sums) {
  WORK(__real_loss_compute(loss, output, n, k, z, a, y, delta, sums), LOSS, n, k, 0, n * k);
  if (!measures) *sums = (loss_sums){.loss = (double)n, .weight = (double)n};
}

/* Tells of which layer the products are that follow. */
gradient_factors __wrap_network_gradient_factors(const mlpd_network *network, const gradient_unit *unit, uint64_t row,
                                                 const workspace *space) {
  layer_now = unit->layer;
  return __real_network_gradient_factors(network, unit, row, space);
}

void __wrap_loss_rows(const loss_spec *loss, mlpd_activation output, uint64_t n, uint32_t k, const float *z,
                      const float *a, const targets *y, float *delta, loss_sums *rows) {
  WORK(__real_loss_rows(loss, output, n, k, z, a, y, delta, rows), LOSS, n, k, 0, n * k);
  for (uint64_t i = 0; !measures && i < n; i++) rows[i] = (loss_sums){.loss = 1, .weight = 1};
}

static const backend *real_backend;

static void sum_gradients(int m, int n, const lane_products *lanes, float *c, int ldc) {
  uint64_t rows = 0;
  for (uint32_t i = 0; i < lanes->num_lanes; i++) rows += lanes->rows[i];
  WORK(real_backend->sum_gradients(m, n, lanes, c, ldc), lanes->num_next > 0 ? GRADIENT_FUSED : GRADIENT, (uint64_t)m,
       (uint64_t)n, rows, rows * (uint64_t)m * (uint64_t)n);
}

void __wrap_network_gradient(const mlpd_network *network, const backend *gemm, const gradient_unit *unit, uint64_t row,
                             uint64_t n, const workspace *space, float *gradient, uint32_t stride) {
  WORK(__real_network_gradient(network, gemm, unit, row, n, space, gradient, stride), BIAS, n, unit->columns, 0,
       n * unit->columns);
}

void __wrap_optimizer_update_range(optimizer *o, const optimizer_scalars *scalars, const mlpd_network *network,
                                   float *parameters, const float *gradient, size_t begin, size_t end) {
  WORK(__real_optimizer_update_range(o, scalars, network, parameters, gradient, begin, end), UPDATE, end - begin, 0, 0,
       end - begin);
}

void __wrap_optimizer_update(optimizer *o, const optimizer_scalars *scalars, float *parameters,
                             const optimizer_block *part) {
  WORK(__real_optimizer_update(o, scalars, parameters, part), UPDATE_FUSED, part->rows, part->columns, 0,
       part->rows * part->columns);
}

/* Sums over ranks, but for the few doubles: charged by the byte that is read. */
void __wrap_tree_sum_run(const tree_sum *t, const char *const *sources, size_t offset, size_t bytes, bool floats,
                         char *out) {
  if (measures || !floats)
    __real_tree_sum_run(t, sources, offset, bytes, floats, out);
  else
    charge(ADD, 0, 0, 0, (double)bytes * t->num_sources);
}

void __wrap_tree_add(char *const *parts, int count, size_t offset, size_t bytes, bool floats, char *out) {
  if (measures || !floats)
    __real_tree_add(parts, count, offset, bytes, floats, out);
  else
    charge(ADD, 0, 0, 0, (double)bytes * count);
}

/* What is owed is spent before the clock is looked at. */
double __wrap_clock_seconds(void) {
  if (!measures) spend_owed();
  return __real_clock_seconds();
}

mlpd_status __wrap_memory_allocate(void *array, size_t count, size_t size, const char *what) {
  if (measures || count < SHARED_BYTES / (size > 0 ? size : 1)) return __real_memory_allocate(array, count, size, what);
  void *const shared = SMPI_SHARED_MALLOC(count * size);
  if (shared == NULL) return FAIL(MLPD_ERROR_MEMORY, "%s: out of memory", what);
  memcpy(array, &shared, sizeof shared);
  return MLPD_OK;
}

/* ---- The file of costs ------------------------------------------------------------------------------ */

static int ascending(const void *a, const void *b) {
  const float x = *(const float *)a, y = *(const float *)b;
  return (x > y) - (x < y);
}

/* Mean of the samples up to twice the median: what lies above was interrupted. */
static double steady_mean(cost *at) {
  double sum = 0;
  uint64_t taken = 0;
  qsort(at->samples, at->count, sizeof *at->samples, ascending);
  const double most = 2.0 * (double)at->samples[at->count / 2];
  while (taken < at->count && (double)at->samples[taken] <= most) sum += (double)at->samples[taken++];
  return sum / (double)taken;
}

static mlpd_status write_costs(const char *path) {
  FILE *const file = fopen(path, "w");
  if (file == NULL) return FAIL(MLPD_ERROR_FILE, "%s: cannot be written", path);
  for (size_t i = 0; i < num_costs; i++) {
    const cost *const at = &costs[i];
    (void)fprintf(file, "%d %llu %llu %llu %.17g %.17g\n", (int)at->kind, (unsigned long long)at->a,
                  (unsigned long long)at->b, (unsigned long long)at->c, at->amount, at->seconds);
  }
  return fclose(file) == 0 ? MLPD_OK : FAIL(MLPD_ERROR_FILE, "%s: cannot be written", path);
}

static mlpd_status read_costs(const char *path) {
  FILE *const file = fopen(path, "r");
  if (file == NULL) return FAIL(MLPD_ERROR_FILE, "%s: cannot be read", path);
  int kind = 0;
  unsigned long long a = 0, b = 0, c = 0;
  double amount = 0, seconds = 0;
  while (num_costs < MAX_COSTS && fscanf(file, "%d %llu %llu %llu %lf %lf", &kind, &a, &b, &c, &amount, &seconds) == 6)
    costs[num_costs++] = (cost){.kind = (work)kind, .a = a, .b = b, .c = c, .amount = amount, .seconds = seconds};
  (void)fclose(file);
  return num_costs > 0 ? MLPD_OK : FAIL(MLPD_ERROR_DATA, "%s: holds no costs", path);
}

/* ---- What is run ------------------------------------------------------------------------------------- */

typedef struct setting {
  bool measures;
  const char *costs;
  uint32_t widths[MAX_LAYERS + 1], num_layers;
  uint64_t batch, steps;
  uint32_t lanes;
  int optimizer, activation;
} setting;

/* What a stepper borrows. */
typedef struct parts {
  mlpd_network *network;
  backend gemm;
  lane_plan plan;
  shard rows;
  affine input;
  optimizer opt;
} parts;

static mlpd_status parse(int argc, char **argv, setting *set) {
  static const char *const usage =
      "usage: simulated_steps measure|charge COSTS WIDTHS BATCH LANES STEPS OPTIMIZER ACTIVATION";
  if (argc != 9) return FAIL(MLPD_ERROR_USAGE, "%s", usage);
  *set = (setting){.measures = strcmp(argv[1], "measure") == 0,
                   .costs = argv[2],
                   .batch = strtoull(argv[4], NULL, 10),
                   .lanes = (uint32_t)strtoul(argv[5], NULL, 10),
                   .steps = strtoull(argv[6], NULL, 10)};
  uint32_t count = 0;
  for (char *at = argv[3]; *at != '\0' && count <= MAX_LAYERS; at += *at == '-')
    set->widths[count++] = (uint32_t)strtoul(at, &at, 10);
  set->num_layers = count - 1;
  if (count < 2 || set->batch == 0 || set->lanes == 0 || set->steps == 0 ||
      !mlpd_choice_find(mlpd_optimizer_choices, argv[7], &set->optimizer) ||
      !mlpd_choice_find(mlpd_activation_choices, argv[8], &set->activation))
    return FAIL(MLPD_ERROR_USAGE, "%s", usage);
  return MLPD_OK;
}

/* Random rows; the content does not matter to the clock, but zeros would train into denormals. */
static mlpd_status make_rows(const setting *set, mlpd_comm *comm, parts *p) {
  uint32_t first = 0, end = 0;
  lanes_of_rank(set->lanes, mlpd_comm_size(comm), mlpd_comm_rank(comm), &first, &end);
  p->rows = (shard){
      .rows = p->plan.lane_begin[end] - p->plan.lane_begin[first], .features = set->widths[0], .type = ELEMENT_U8};
  TRY(memory_allocate(&p->rows.x, p->rows.rows * p->rows.features, 1, "rows"));
  TRY(memory_allocate(&p->rows.classes, p->rows.rows, sizeof(int32_t), "targets"));
  if (!measures) return MLPD_OK;
  rng stream = rng_start(1, RNG_SHUFFLE, 0, 0);
  for (uint64_t i = 0; i < p->rows.rows * p->rows.features; i++)
    ((uint8_t *)p->rows.x)[i] = (uint8_t)rng_below(&stream, 256);
  for (uint64_t i = 0; i < p->rows.rows; i++)
    p->rows.classes[i] = (int32_t)rng_below(&stream, set->widths[set->num_layers]);
  return MLPD_OK;
}

static mlpd_status make_parts(const setting *set, mlpd_comm *comm, parts *p) {
  mlpd_activation activations[MAX_LAYERS];
  mlpd_train_options options;
  for (uint32_t l = 0; l < set->num_layers; l++)
    activations[l] = l + 1 < set->num_layers ? (mlpd_activation)set->activation : MLPD_SOFTMAX;
  quick_options(&options);
  options.optimizer = (mlpd_optimizer)set->optimizer;
  TRY(backend_choose(NULL, &real_backend));
  if (real_backend->sum_gradients == NULL) return FAIL(MLPD_ERROR_USAGE, "simulated steps need the native back end");
  p->gemm = *real_backend;
  p->gemm.sum_gradients = sum_gradients;
  TRY(mlpd_network_create(set->num_layers, set->widths, activations, &p->network));
  if (measures) mlpd_network_init(p->network, MLPD_INIT_AUTO, 1);
  TRY(lane_plan_create(set->batch * set->steps, set->batch, set->lanes, 1, &p->plan));
  TRY(make_rows(set, comm, p));
  TRY(affine_create(set->widths[0], &p->input));
  for (uint32_t j = 0; j < p->input.columns; j++) p->input.scale[j] = 1.0f / 255;
  affine_settle(&p->input);
  return optimizer_create(&options, p->network, &p->opt);
}

/* apart: on one rank, the optimizer runs after the sum of the whole gradient, as on several, because clipping asks. */
static mlpd_status make_stepper(mlpd_comm *comm, parts *p, bool apart, stepper **made) {
  return stepper_create(&(stepper_parts){.comm = comm,
                                         .network = p->network,
                                         .gemm = &p->gemm,
                                         .optimizer = &p->opt,
                                         .plan = &p->plan,
                                         .rows = &p->rows,
                                         .input = &p->input,
                                         .loss = loss_plain(MLPD_CROSS_ENTROPY),
                                         .reduce = MLPD_REDUCE_CANONICAL,
                                         .update = MLPD_UPDATE_SPLIT,
                                         .seed = 1,
                                         .clip_norm = apart ? 1e30 : 0,
                                         .threads = 1},
                        made);
}

/* One epoch; the learning rate 0 keeps the weights ordinary numbers. */
static mlpd_status run_steps(const setting *set, stepper *s, uint64_t epoch) {
  step_outcome outcome;
  stepper_begin_epoch(s, epoch);
  for (uint64_t step = 0; step < set->steps; step++) TRY(stepper_step(s, step, 0, &(step_wishes){0}, &outcome));
  return MLPD_OK;
}

/* ---- measure ------------------------------------------------------------------------------------------- */

/* Sums over ranks: of a few sources, in turn over more memory than caches hold. */
static mlpd_status measure_adds(const parts *p) {
  const size_t bytes = p->network->arena_size * sizeof(float);
  const char *sources[ADD_SOURCES];
  lane_range lanes[ADD_SOURCES];
  tree_sum tree;
  char *memory = NULL;
  for (uint32_t i = 0; i < ADD_SOURCES; i++) lanes[i] = (lane_range){i, i + 1};
  TRY(tree_sum_create(ADD_SOURCES, lanes, ADD_SOURCES, &tree));
  TRY(memory_allocate(&memory, ADD_SOURCES + 1, bytes, "sums"));
  for (uint32_t i = 0; i < ADD_SOURCES; i++) sources[i] = memory + i * bytes;
  const size_t piece = bytes < REDUCER_READ_FLOATS * sizeof(float) ? bytes : REDUCER_READ_FLOATS * sizeof(float);
  for (int round = 0; round < 3; round++)
    for (size_t at = 0; at + piece <= bytes; at += piece) {
      const double start = real_seconds();
      __real_tree_sum_run(&tree, sources, at, piece, true, memory + ADD_SOURCES * bytes + at);
      record(ADD, 0, 0, 0, (double)piece * ADD_SOURCES, real_seconds() - start);
    }
  free(memory);
  tree_sum_free(&tree);
  return MLPD_OK;
}

/* Median seconds of a step; real_seconds. */
static mlpd_status measure_steps(const setting *set, stepper *s, double *median) {
  float times[MAX_EPOCHS];
  recording = false;
  TRY(run_steps(set, s, 0));
  recording = true;
  uint64_t count = 0;
  const double began = real_seconds();
  for (; count < MAX_EPOCHS && (count < MIN_EPOCHS || real_seconds() - began < MEASURED_SECONDS); count++) {
    const double start = real_seconds();
    TRY(run_steps(set, s, count + 1));
    times[count] = (float)((real_seconds() - start) / (double)set->steps);
  }
  qsort(times, count, sizeof *times, ascending);
  *median = (double)times[count / 2];
  return MLPD_OK;
}

static mlpd_status measure(mlpd_comm *comm, const setting *set) {
  parts p = {0};
  double seconds[2];
  if (mlpd_comm_size(comm) != 1) return FAIL(MLPD_ERROR_USAGE, "costs are measured on one rank");
  TRY(make_parts(set, comm, &p));
  for (int apart = 0; apart < 2; apart++) {
    stepper *s = NULL;
    TRY(make_stepper(comm, &p, apart, &s));
    TRY(measure_steps(set, s, &seconds[apart]));
    stepper_free(s);
  }
  TRY(measure_adds(&p));
  for (size_t i = 0; i < num_costs; i++) costs[i].seconds = costs[i].count > 0 ? steady_mean(&costs[i]) : 0;
  TRY(write_costs(set->costs));
  (void)printf("{\"step\": %.9g, \"step_apart\": %.9g}\n", seconds[0], seconds[1]);
  return MLPD_OK;
}

/* ---- charge ---------------------------------------------------------------------------------------------- */

/* Of all ranks: least, mean and most of seconds a step. Collective. */
static mlpd_status print_phase(mlpd_comm *comm, const char *name, double seconds) {
  const uint64_t size = (uint64_t)mlpd_comm_size(comm);
  uint64_t *bytes = NULL;
  double *all = NULL, least = seconds, most = seconds, sum = 0;
  TRY(memory_allocate(&bytes, size, sizeof *bytes, "times"));
  TRY(memory_allocate(&all, size, sizeof *all, "times"));
  for (uint64_t i = 0; i < size; i++) bytes[i] = sizeof seconds;
  TRY(comm_gather_all(comm, &seconds, bytes, all));
  for (uint64_t i = 0; i < size; i++) {
    least = fmin(least, all[i]);
    most = fmax(most, all[i]);
    sum += all[i];
  }
  if (mlpd_comm_rank(comm) == 0)
    (void)printf(", \"%s_min\": %.9g, \"%s_mean\": %.9g, \"%s_max\": %.9g", name, least, name, sum / (double)size, name,
                 most);
  free(bytes);
  free(all);
  return MLPD_OK;
}

/* What has been charged of kinds [begin, end), per step. */
static void print_charged(const char *name, work begin, work end, double steps) {
  double sum = 0;
  for (work kind = begin; kind < end; kind++) sum += charged[kind];
  (void)printf(", \"%s\": %.9g", name, sum / steps);
}

/* Of the arena. */
static size_t layer_bytes(const mlpd_network *network, uint32_t l) {
  size_t floats = 0;
  for (uint32_t i = 0; i < network->num_tensors; i++)
    if (network->tensors[i].layer == l) floats += tensor_end(&network->tensors[i]) - network->tensors[i].offset;
  return floats * sizeof(float);
}

/* Seconds of a message of bytes from the first to the last rank. Collective. */
static mlpd_status time_message(mlpd_comm *comm, uint64_t bytes, double *seconds) {
  void *data = NULL;
  TRY(memory_allocate(&data, bytes, 1, "message"));
  TRY(comm_barrier(comm));
  const double start = clock_seconds();
  TRY(comm_move(comm, data, bytes, 0, mlpd_comm_size(comm) - 1));
  *seconds = mlpd_comm_rank(comm) == mlpd_comm_size(comm) - 1 ? clock_seconds() - start : 0;
  return comm_max_double(comm, seconds, 1);
}

/* What it makes lives until the process ends: shared memory is not for free(). */
static mlpd_status charge_steps(mlpd_comm *comm, const setting *set) {
  const double steps = (double)set->steps;
  const int size = mlpd_comm_size(comm);
  double latency = 0, longer = 0;
  parts p = {0};
  stepper *s = NULL;
  TRY(read_costs(set->costs));
  TRY(mlpd_comm_agree(comm, make_parts(set, comm, &p)));
  TRY(make_stepper(comm, &p, false, &s));
  if (size > 1) TRY(time_message(comm, 64, &latency));
  if (size > 1) TRY(time_message(comm, LONG_BYTES, &longer));
  TRY(run_steps(set, s, 0));
  memset(charged, 0, sizeof charged);
  memset(of_layer, 0, sizeof of_layer);
  TRY(comm_barrier(comm));
  const double start = clock_seconds();
  const step_times before = stepper_times(s);
  TRY(run_steps(set, s, 1));
  const step_times after = stepper_times(s);
  double seconds = clock_seconds() - start;
  TRY(comm_max_double(comm, &seconds, 1));
  const reduce_cost sum = reduce_cost_of(set->lanes, size, p.network->arena_size * sizeof(float));
  if (mlpd_comm_rank(comm) == 0) {
    (void)printf(
        "{\"seconds\": %.9g, \"way\": \"%s\", \"buckets\": %u, \"messages\": %.9g, \"bytes\": %.9g, "
        "\"latency\": %.9g, \"bandwidth\": %.9g",
        seconds / steps, reducer_way(s->reducer), reducer_num_buckets(s->reducer), sum.messages, sum.bytes, latency,
        size > 1 ? (LONG_BYTES - 64) / (longer - latency) : 0);
    print_charged("forward", GATHER, BACKWARD, steps);
    print_charged("backward", BACKWARD, UPDATE, steps);
    print_charged("update", UPDATE, NUM_WORKS, steps);
    for (uint32_t l = 0; l < set->num_layers; l++)
      (void)printf("%s[%.9g, %.9g, %zu]", l == 0 ? ", \"layers\": [" : ", ", of_layer[l][0] / steps,
                   of_layer[l][1] / steps, layer_bytes(p.network, l));
    (void)printf("]");
  }
  TRY(print_phase(comm, "compute", (after.compute - before.compute) / steps));
  TRY(print_phase(comm, "reduce", (after.reduce - before.reduce) / steps));
  TRY(print_phase(comm, "data", (after.data - before.data) / steps));
  if (mlpd_comm_rank(comm) == 0) (void)printf("}\n");
  return MLPD_OK;
}

int main(int argc, char **argv) {
  setting set;
  mlpd_comm *comm = NULL;
  if (mlpd_comm_init(&argc, &argv, &comm) != MLPD_OK) return EXIT_FAILURE;
  mlpd_status status = parse(argc, argv, &set);
  measures = status == MLPD_OK && set.measures;
  if (status == MLPD_OK) status = measures ? measure(comm, &set) : charge_steps(comm, &set);
  if (status != MLPD_OK) {
    (void)fprintf(stderr, "simulated_steps: %s\n", mlpd_error_message());
    mlpd_comm_abort(comm, EXIT_FAILURE);
  }
  mlpd_comm_finalize(comm);
  return EXIT_SUCCESS;
}
