/* Measures the speed of the training step and the FMA peak of the cores used, alternately in the same run; prints
 * medians. Without mpirun: one thread, then all threads; under mpirun: one thread per rank.
 * Usage: bench_step [--threads N] [--reduce NAME] [--update NAME] [--phases] [--csv] [ROUNDS [CASE]]   (default 5, all;
 * CASE is the start of a name, "784-30"). --phases prints the time of each phase, see bench_phases.h; --csv prints one
 * line per round or phase, for scripts/bench; --list prints the cases. */
#include <getopt.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "bench_phases.h"
#include "kernels/backend.h"
#include "kernels/cpu.h"
#include "quick_options.h"
#include "ranks/clock.h"
#include "ranks/comm.h"
#include "step/stepper.h"

typedef struct bench_case {
  const char *name; /* network-batch-optimizer */
  uint32_t widths[5], num_layers;
  uint64_t batch;
  mlpd_optimizer optimizer;
  mlpd_loss loss; /* mse: float rows and targets; cross-entropy: uint8 rows */
} bench_case;

static const bench_case cases[] = {
    {"784-1024-1024-10-b1024-momentum", {784, 1024, 1024, 10}, 3, 1024, MLPD_MOMENTUM, MLPD_CROSS_ENTROPY},
    {"784-512-512-10-b128-momentum", {784, 512, 512, 10}, 3, 128, MLPD_MOMENTUM, MLPD_CROSS_ENTROPY},
    {"784-512-512-10-b128-adam", {784, 512, 512, 10}, 3, 128, MLPD_ADAM, MLPD_CROSS_ENTROPY},
    {"784-30-10-b32-sgd", {784, 30, 10}, 2, 32, MLPD_SGD, MLPD_CROSS_ENTROPY},
    {"784-30-10-b1200-sgd", {784, 30, 10}, 2, 1200, MLPD_SGD, MLPD_CROSS_ENTROPY},
    {"32-64-64-1-b256-momentum", {32, 64, 64, 1}, 3, 256, MLPD_MOMENTUM, MLPD_MSE},
    {"32-64-64-1-b256-adam", {32, 64, 64, 1}, 3, 256, MLPD_ADAM, MLPD_MSE},
};
enum { NUM_CASES = sizeof cases / sizeof *cases, ROWS = 12000, MAX_ROUNDS = 101, MAX_RANKS = 256 };

static const double ROUND_SECONDS = 0.25; /* a round repeats the epoch until about this long */

typedef struct bench_settings {
  int rounds;
  mlpd_reduce reduce;
  mlpd_update update;
  bool csv, phases;
} bench_settings;

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
  double all[MAX_RANKS] = {0};
  uint64_t bytes[MAX_RANKS];
  for (int r = 0; r < mlpd_comm_size(comm); r++) bytes[r] = sizeof sum;
  check(comm, comm_gather_all(comm, &sum, bytes, all));
  sum = 0;
  for (int r = 0; r < mlpd_comm_size(comm); r++) sum += all[r];
  return sum;
}

/* Random rows; the content does not matter to the clock, but zeros would train into denormals. */
static void make_rows(mlpd_comm *comm, const lane_plan *plan, const bench_case *c, shard *rows) {
  uint32_t first = 0, end = 0;
  const bool images = c->loss == MLPD_CROSS_ENTROPY;
  const uint32_t features = c->widths[0];
  lanes_of_rank(plan->num_lanes, mlpd_comm_size(comm), mlpd_comm_rank(comm), &first, &end);
  *rows = (shard){.rows = plan->lane_begin[end] - plan->lane_begin[first],
                  .features = features,
                  .type = images ? ELEMENT_U8 : ELEMENT_F32};
  check(comm, memory_allocate(&rows->x, rows->rows * features, element_size(rows->type), "x"));
  rng stream = rng_start(1, RNG_SHUFFLE, 0, first);
  if (images) {
    check(comm, memory_allocate(&rows->classes, rows->rows, sizeof(int32_t), "y"));
    for (uint64_t i = 0; i < rows->rows * features; i++) ((uint8_t *)rows->x)[i] = (uint8_t)rng_below(&stream, 256);
    for (uint64_t i = 0; i < rows->rows; i++) rows->classes[i] = (int32_t)rng_below(&stream, 10);
  } else {
    rows->outputs = c->widths[c->num_layers];
    check(comm, memory_allocate(&rows->values, rows->rows * rows->outputs, sizeof(float), "y"));
    for (uint64_t i = 0; i < rows->rows * features; i++) ((float *)rows->x)[i] = (float)rng_below(&stream, 256);
    for (uint64_t i = 0; i < rows->rows * rows->outputs; i++) rows->values[i] = (float)rng_below(&stream, 256) / 255;
  }
}

/* Trains epochs on end, recording them where line is not NULL; returns the seconds of the slowest rank. */
static double run_epochs(mlpd_comm *comm, stepper *s, timeline *line, uint64_t steps, int epochs) {
  step_outcome outcome = {0};
  check(comm, comm_barrier(comm));
  const double start = clock_seconds();
  for (int epoch = 0; epoch < epochs; epoch++) {
    stepper_begin_epoch(s, (uint64_t)epoch);
    for (uint64_t step = 0; step < steps; step++) {
      timeline_next_step(line);
      check(comm, stepper_step(s, step, 0.001, &(step_wishes){0}, &outcome));
    }
  }
  check(comm, comm_barrier(comm));
  double seconds = clock_seconds() - start;
  check(comm, comm_max_double(comm, &seconds, 1));
  if (!outcome.finite) { /* infinities would be another kind of work */
    (void)fprintf(stderr, "bench_step: the loss is no number\n");
    mlpd_comm_abort(comm, 1);
  }
  return seconds;
}

static void measure(mlpd_comm *comm, stepper *s, const bench_case *c, uint64_t steps, int threads,
                    const bench_settings *settings) {
  double speeds[MAX_ROUNDS], peaks[MAX_ROUNDS], fractions[MAX_ROUNDS];
  const bool speaks = mlpd_comm_rank(comm) == 0;
  (void)run_epochs(comm, s, NULL, steps, 1); /* warms up */
  const double one = run_epochs(comm, s, NULL, steps, 1);
  const int epochs = one < ROUND_SECONDS ? (int)(ROUND_SECONDS / one) + 1 : 1;
  for (int round = 0; round < settings->rounds; round++) {
    const double peak = peak_of_all(comm, threads);
    const step_times before = stepper_times(s);
    const double seconds = run_epochs(comm, s, NULL, steps, epochs);
    const step_times after = stepper_times(s);
    speeds[round] = (double)(steps * c->batch) * epochs / seconds;
    peaks[round] = peak;
    fractions[round] = speeds[round] * flops_a_sample(c) * 1e-9 / peak;
    if (speaks && settings->csv)
      (void)printf("%s,%d,%d,%s,%.1f,%.2f,%.2f,%.4f,%.6f,%.6f,%.6f,%.6f\n", c->name, mlpd_comm_size(comm), threads,
                   mlpd_choice_name(mlpd_reduce_choices, (int)settings->reduce), speeds[round],
                   speeds[round] * flops_a_sample(c) * 1e-9, peak, fractions[round], seconds,
                   after.compute - before.compute, after.reduce - before.reduce, after.data - before.data);
  }
  const double speed = median(speeds, settings->rounds);
  if (speaks && !settings->csv)
    (void)printf("%-32s %3d x %-3d %10.0f %8.0f %8.0f %9.2f\n", c->name, mlpd_comm_size(comm), threads, speed,
                 speed * flops_a_sample(c) * 1e-9, median(peaks, settings->rounds),
                 median(fractions, settings->rounds));
}

static double median_of(phase_cost (*rounds)[NUM_PHASES], int n, int phase, size_t member) {
  double values[MAX_ROUNDS];
  for (int round = 0; round < n; round++)
    values[round] = *(const double *)(const void *)((const char *)&rounds[round][phase] + member);
  return median(values, n);
}

/* One round: peak, bandwidths, recorded steps. Returns the peak, flop/s. */
static double phases_of_round(mlpd_comm *comm, stepper *s, timeline *line, uint64_t steps, int epochs, int threads,
                              phase_cost costs[NUM_PHASES]) {
  const double peak = 1e9 * peak_of_all(comm, threads);
  product_floors(s, peak, costs);
  check(comm, byte_floors(s, costs));
  (void)run_epochs(comm, s, NULL, steps, 1); /* into the caches again */
  forget_events(line);
  stepper_trace(s, line);
  s->record_units = true; /* gradients and optimizer apart, however small */
  const uint64_t began = timeline_clock(line);
  const double start = clock_seconds();
  (void)run_epochs(comm, s, line, steps, epochs);
  const double ticks = (double)(timeline_clock(line) - began), seconds = clock_seconds() - start;
  stepper_trace(s, NULL);
  check(comm, take_phases(s, line, (double)steps * epochs, seconds, ticks, costs));
  return peak;
}

static void measure_phases(mlpd_comm *comm, stepper *s, const bench_case *c, uint64_t steps, int threads,
                           const bench_settings *settings) {
  static phase_cost rounds[MAX_ROUNDS][NUM_PHASES];
  double peaks[MAX_ROUNDS];
  timeline *line = NULL;
  (void)run_epochs(comm, s, NULL, steps, 1); /* warms up */
  const double one = run_epochs(comm, s, NULL, steps, 1);
  const int epochs = one < ROUND_SECONDS ? (int)(ROUND_SECONDS / one) + 1 : 1;
  check(comm, timeline_create((uint32_t)threads, steps * (uint64_t)epochs, stepper_trace_events(s), &line));
  memset(rounds, 0, sizeof rounds);
  for (int round = 0; round < settings->rounds; round++)
    peaks[round] = phases_of_round(comm, s, line, steps, epochs, threads, rounds[round]);
  timeline_free(line);
  phase_cost costs[NUM_PHASES];
  for (int phase = 0; phase < NUM_PHASES; phase++)
    costs[phase] = (phase_cost){
        .seconds = median_of(rounds, settings->rounds, phase, offsetof(phase_cost, seconds)),
        .floor = median_of(rounds, settings->rounds, phase, offsetof(phase_cost, floor)),
        .operations = rounds[0][phase].operations,
        .bytes = rounds[0][phase].bytes,
    };
  const double peak = median(peaks, settings->rounds);
  if (mlpd_comm_rank(comm) != 0) return;
  if (settings->csv)
    print_phases_csv(c->name, mlpd_comm_size(comm), threads,
                     mlpd_choice_name(mlpd_reduce_choices, (int)settings->reduce), peak, costs);
  else
    print_phases(c->name, mlpd_comm_size(comm), threads, peak, costs);
}

static void run_case(mlpd_comm *comm, const backend *gemm, const bench_case *c, int threads,
                     const bench_settings *settings) {
  mlpd_activation activations[4] = {MLPD_RELU, MLPD_RELU, MLPD_RELU, MLPD_RELU};
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
  activations[c->num_layers - 1] = c->loss == MLPD_CROSS_ENTROPY ? MLPD_SOFTMAX : MLPD_IDENTITY;
  quick_options(&options);
  options.optimizer = c->optimizer;
  check(comm, mlpd_network_create(c->num_layers, c->widths, activations, &network));
  mlpd_network_init(network, MLPD_INIT_AUTO, 1);
  check(comm, lane_plan_create(ROWS / c->batch * c->batch, c->batch, lanes, 1, &plan)); /* whole batches */
  make_rows(comm, &plan, c, &rows);
  check(comm, affine_create(c->widths[0], &input));
  for (uint32_t j = 0; j < input.columns; j++) input.scale[j] = 1.0f / 255;
  affine_settle(&input);
  check(comm, optimizer_create(&options, network, &opt));
  check(comm, stepper_create(&(stepper_parts){.comm = comm,
                                              .network = network,
                                              .gemm = gemm,
                                              .optimizer = &opt,
                                              .plan = &plan,
                                              .rows = &rows,
                                              .input = &input,
                                              .loss = loss_plain(c->loss),
                                              .reduce = settings->reduce,
                                              .update = settings->update,
                                              .seed = 1,
                                              .threads = threads},
                             &s));
  (settings->phases ? measure_phases : measure)(comm, s, c, plan.steps_per_epoch, threads, settings);
  stepper_free(s);
  optimizer_free(&opt);
  affine_free(&input);
  shard_free(&rows);
  lane_plan_free(&plan);
  mlpd_network_free(network);
}

/* name,network,batch,optimizer,loss,operations a sample */
static void list_cases(void) {
  for (size_t i = 0; i < NUM_CASES; i++) {
    const bench_case *const c = &cases[i];
    (void)printf("%s,", c->name);
    for (uint32_t l = 0; l <= c->num_layers; l++) (void)printf("%s%u", l > 0 ? "-" : "", c->widths[l]);
    (void)printf(",%llu,%s,%s,%.0f\n", (unsigned long long)c->batch,
                 mlpd_choice_name(mlpd_optimizer_choices, (int)c->optimizer),
                 mlpd_choice_name(mlpd_loss_choices, (int)c->loss), flops_a_sample(c));
  }
}

int main(int argc, char **argv) {
  static const struct option known[] = {{"threads", required_argument, NULL, 't'},
                                        {"reduce", required_argument, NULL, 'r'},
                                        {"update", required_argument, NULL, 'u'},
                                        {"phases", no_argument, NULL, 'p'},
                                        {"csv", no_argument, NULL, 'c'},
                                        {"list", no_argument, NULL, 'l'},
                                        {0}};
  mlpd_comm *comm = NULL;
  const backend *gemm = NULL;
  int threads = 0, wanted_threads = 0, reduce = MLPD_REDUCE_CANONICAL, update = MLPD_UPDATE_SPLIT;
  bool csv = false, phases = false;
  for (int option; (option = getopt_long(argc, argv, "", known, NULL)) != -1;) switch (option) {
      case 't':
        wanted_threads = atoi(optarg);
        break;
      case 'r':
        if (!mlpd_choice_find(mlpd_reduce_choices, optarg, &reduce)) return 2;
        break;
      case 'u':
        if (!mlpd_choice_find(mlpd_update_choices, optarg, &update)) return 2;
        break;
      case 'p':
        phases = true;
        break;
      case 'c':
        csv = true;
        break;
      case 'l':
        list_cases();
        return 0;
      default:
        return 2;
    }
  bench_settings settings = {.rounds = optind < argc ? atoi(argv[optind]) : 5,
                             .reduce = (mlpd_reduce)reduce,
                             .update = (mlpd_update)update,
                             .csv = csv,
                             .phases = phases};
  if (settings.rounds < 1 || settings.rounds > MAX_ROUNDS) settings.rounds = 5;
  const char *const wanted = optind + 1 < argc ? argv[optind + 1] : "";
  if (mlpd_comm_init(&argc, &argv, &comm) != MLPD_OK) return 1;
  const bool alone = mlpd_comm_size(comm) == 1;
  if (mlpd_comm_size(comm) > MAX_RANKS) mlpd_comm_abort(comm, 2);
  check(comm, mlpd_threads_set(wanted_threads > 0 ? wanted_threads : alone ? 0 : 1, &threads));
  check(comm, backend_choose(NULL, &gemm));
  if (mlpd_comm_rank(comm) == 0 && !csv && phases)
    (void)printf("%s, back end %s\n\n", cpu_name(), gemm->description);
  else if (mlpd_comm_rank(comm) == 0 && !csv)
    (void)printf("%s, back end %s\n%-32s %-9s %10s %8s %8s %9s\n", cpu_name(), gemm->description, "case", "ranks x t",
                 "samples/s", "GF/s", "peak", "fraction");
  /* Without --threads and alone: on one thread, then on all. */
  for (int all = wanted_threads > 0 || !alone; all <= (threads > 1 || wanted_threads > 0 || !alone); all++)
    for (size_t i = 0; i < NUM_CASES; i++)
      if (strncmp(cases[i].name, wanted, strlen(wanted)) == 0)
        run_case(comm, gemm, &cases[i], all ? threads : 1, &settings);
  mlpd_comm_finalize(comm);
  return 0;
}
