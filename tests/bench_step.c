/* Speed of the training step beside the FMA peak of the cores used, measured in the same run: alternately
 * peak and steps, medians. Alone: one thread, then all threads; under mpirun: one thread a rank.
 * Usage: bench_step [ROUNDS [NETWORK [WAY]]]   (default 5, all; NETWORK is the start of a name, "784-30"; WAY is
 * canonical, messages (canonical, though the ranks share memory) or allreduce) */
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "distribution/comm_internal.h"
#include "kernels/backend.h"
#include "kernels/cpu.h"
#include "training/stepper.h"

typedef struct bench_case {
  const char *name;
  uint32_t widths[5], num_layers;
  uint64_t batch;
  mlpd_optimizer optimizer;
} bench_case;

static const bench_case cases[] = {
    {"784-512-512-10  batch 128  momentum", {784, 512, 512, 10}, 3, 128, MLPD_MOMENTUM},
    {"784-1024-1024-10 batch 1024 momentum", {784, 1024, 1024, 10}, 3, 1024, MLPD_MOMENTUM},
    {"784-30-10       batch 1200 sgd", {784, 30, 10}, 2, 1200, MLPD_SGD},
    {"784-30-10       batch 32   sgd", {784, 30, 10}, 2, 32, MLPD_SGD},
    {"784-512-512-10  batch 128  adam", {784, 512, 512, 10}, 3, 128, MLPD_ADAM},
};
enum { NUM_CASES = sizeof cases / sizeof *cases, ROWS = 12000, MAX_ROUNDS = 101 };

static void check(mlpd_comm *comm, mlpd_status status) {
  if (status == MLPD_OK) return;
  (void)fprintf(stderr, "bench_step: %s\n", mlpd_error_message());
  mlpd_comm_abort(comm, 1);
}

static int ascending(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

static double median(double *values, int n) {
  qsort(values, (size_t)n, sizeof *values, ascending);
  return values[n / 2];
}

/* Operations of one sample: forward and weight gradients in every layer, deltas in all but the first. */
static double flops_a_sample(const bench_case *c) {
  double sum = 0;
  for (uint32_t l = 0; l < c->num_layers; l++) sum += (l > 0 ? 6.0 : 4.0) * c->widths[l] * c->widths[l + 1];
  return sum;
}

/* Peak of all cores used at once, GF/s. */
static double peak_of_all(mlpd_comm *comm, int threads) {
  double sum = 0;
  check(comm, comm_barrier(comm));
#pragma omp parallel num_threads(threads) reduction(+ : sum)
  sum += cpu_measure_peak(0.05);
  double all[256] = {0};
  uint64_t bytes[256];
  for (int r = 0; r < mlpd_comm_size(comm); r++) bytes[r] = sizeof sum;
  check(comm, comm_gather_all(comm, &sum, bytes, all));
  sum = 0;
  for (int r = 0; r < mlpd_comm_size(comm); r++) sum += all[r];
  return sum;
}

/* uint8 images, classes: the content does not matter to the clock, but zeros would train into denormals. */
static void make_rows(mlpd_comm *comm, const lane_plan *plan, uint32_t features, shard *rows) {
  uint32_t first = 0, end = 0;
  lanes_of_rank(plan->num_lanes, mlpd_comm_size(comm), mlpd_comm_rank(comm), &first, &end);
  *rows = (shard){.rows = plan->lane_begin[end] - plan->lane_begin[first], .features = features, .type = ELEMENT_U8};
  check(comm, memory_allocate(&rows->x, rows->rows * features, 1, "x"));
  check(comm, memory_allocate(&rows->classes, rows->rows, sizeof(int32_t), "y"));
  rng stream = rng_start(1, RNG_SHUFFLE, 0, first);
  for (uint64_t i = 0; i < rows->rows * features; i++) ((uint8_t *)rows->x)[i] = (uint8_t)rng_below(&stream, 256);
  for (uint64_t i = 0; i < rows->rows; i++) rows->classes[i] = (int32_t)rng_below(&stream, 10);
}

static void run_case(mlpd_comm *comm, const backend *gemm, const bench_case *c, int threads, int rounds,
                     mlpd_reduce reduce) {
  const mlpd_activation activations[4] = {c->num_layers > 1 ? MLPD_RELU : MLPD_SOFTMAX,
                                          c->num_layers > 2 ? MLPD_RELU : MLPD_SOFTMAX, MLPD_SOFTMAX, MLPD_SOFTMAX};
  mlpd_network *network = NULL;
  lane_plan plan;
  shard rows;
  affine input;
  optimizer opt;
  stepper *s = NULL;
  mlpd_train_options options;
  uint32_t lanes = lanes_default(c->batch);
  const uint32_t size = (uint32_t)mlpd_comm_size(comm);
  if (lanes < size) lanes = size;
  mlpd_train_options_default(&options);
  options.optimizer = c->optimizer;
  check(comm, mlpd_network_create(c->num_layers, c->widths, activations, &network));
  mlpd_network_init(network, MLPD_INIT_AUTO, 1);
  check(comm, lane_plan_create(ROWS, c->batch, lanes, 1, &plan));
  make_rows(comm, &plan, c->widths[0], &rows);
  check(comm, affine_create(c->widths[0], &input));
  for (uint32_t j = 0; j < input.columns; j++) input.scale[j] = 1.0f / 255;
  check(comm, optimizer_create(&options, network, &opt));
  check(comm, stepper_create(&(stepper_parts){.comm = comm,
                                              .network = network,
                                              .gemm = gemm,
                                              .optimizer = &opt,
                                              .plan = &plan,
                                              .rows = &rows,
                                              .input = &input,
                                              .loss = MLPD_CROSS_ENTROPY,
                                              .reduce = reduce,
                                              .seed = 1,
                                              .threads = threads},
                             &s));
  double speeds[MAX_ROUNDS], peaks[MAX_ROUNDS], fractions[MAX_ROUNDS];
  step_outcome outcome = {0};
  for (int round = -1; round < rounds; round++) { /* round -1 warms up */
    const double peak = peak_of_all(comm, threads);
    check(comm, comm_barrier(comm));
    const double start = comm_seconds();
    stepper_begin_epoch(s, (uint64_t)(round + 1));
    for (uint64_t step = 0; step < plan.steps_per_epoch; step++)
      check(comm, stepper_step(s, step, 0.01, &(step_wishes){0}, &outcome));
    check(comm, comm_barrier(comm));
    if (round < 0) continue;
    speeds[round] = ROWS / (comm_seconds() - start);
    peaks[round] = peak;
    fractions[round] = speeds[round] * flops_a_sample(c) * 1e-9 / peak;
  }
  const double speed = median(speeds, rounds);
  if (mlpd_comm_rank(comm) == 0)
    (void)printf("%-38s %2d x %-2d %10.0f %8.0f %8.0f %9.2f\n", c->name, mlpd_comm_size(comm), threads, speed,
                 speed * flops_a_sample(c) * 1e-9, median(peaks, rounds), median(fractions, rounds));
  stepper_free(s);
  optimizer_free(&opt);
  affine_free(&input);
  shard_free(&rows);
  lane_plan_free(&plan);
  mlpd_network_free(network);
}

int main(int argc, char **argv) {
  mlpd_comm *comm = NULL;
  if (mlpd_comm_init(&argc, &argv, &comm) != MLPD_OK) return 1;
  const backend *gemm = NULL;
  int threads = 0, rounds = argc > 1 ? atoi(argv[1]) : 5;
  if (rounds < 1 || rounds > MAX_ROUNDS) rounds = 5;
  const bool alone = mlpd_comm_size(comm) == 1;
  check(comm, mlpd_threads_set(alone ? 0 : 1, &threads));
  check(comm, backend_choose(NULL, &gemm));
  if (mlpd_comm_rank(comm) == 0)
    (void)printf("%s, back end %s\n%-38s %-7s %10s %8s %8s %9s\n", cpu_name(), gemm->description, "network",
                 "rks x thr", "samples/s", "GF/s", "peak", "fraction");
  const char *const wanted = argc > 2 ? argv[2] : "", *const way = argc > 3 ? argv[3] : "canonical";
  const mlpd_reduce reduce = strcmp(way, "allreduce") == 0 ? MLPD_REDUCE_ALLREDUCE : MLPD_REDUCE_CANONICAL;
  if (strcmp(way, "messages") == 0) comm->shares = false;
  for (int all = 0; all <= (threads > 1); all++)
    for (size_t i = 0; i < NUM_CASES; i++)
      if (strncmp(cases[i].name, wanted, strlen(wanted)) == 0)
        run_case(comm, gemm, &cases[i], all ? threads : 1, rounds, reduce);
  mlpd_comm_finalize(comm);
  return 0;
}
