/* For bench_step --phases: measures the time of each phase of a step, and compares it with the least time that the
 * phase can take on this machine.
 *
 * The seconds of a phase are those that the threads recorded (base/timeline.h), averaged over steps, ranks and threads.
 * Its floor is the operations of its products divided by the FMA peak, or the bytes that it must access divided by the
 * speed at which all threads together access arrays of the same sizes. Both are measured in the same round. A weight
 * and its optimizer state are read and written; a gradient is read. A phase may be faster than the floor of its bytes
 * if preceding products have brought them into cache. */
#ifndef MLPDIST_TESTS_BENCH_PHASES_H
#define MLPDIST_TESTS_BENCH_PHASES_H

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "kernels/multiversion.h"
#include "ranks/clock.h"
#include "ranks/comm.h"
#include "step/stepper_internal.h"
#include "sum/reduce_cost.h"

typedef enum bench_phase {
  PHASE_GATHER,
  PHASE_FORWARD,
  PHASE_LOSS,
  PHASE_DELTAS,
  PHASE_GRADIENTS,
  PHASE_REDUCTION,
  PHASE_OPTIMIZER,
  PHASE_REST, /* waits of threads for each other, and everything not recorded */
  NUM_PHASES
} bench_phase;

static const char *const phase_names[NUM_PHASES] = {"gather",    "forward",   "loss",      "deltas",
                                                    "gradients", "reduction", "optimizer", "rest"};

/* A phase of a step, on all ranks together. bytes: those of the floor; a byte read and written counts twice. */
typedef struct phase_cost {
  double seconds, floor; /* of a thread: means */
  double operations, bytes;
} phase_cost;

/* ---- Bandwidth ------------------------------------------------------------------------------------- */

typedef uint64_t cache_line __attribute__((vector_size(64)));
typedef void pass_function(size_t lines, cache_line *memory);

MULTIVERSION static void read_lines(size_t lines, cache_line *memory) {
  cache_line a = {0}, b = {0}, c = {0}, d = {0};
  for (size_t i = 0; i + 4 <= lines; i += 4) {
    a |= memory[i];
    b |= memory[i + 1];
    c |= memory[i + 2];
    d |= memory[i + 3];
  }
  const cache_line all = a | b | c | d;
  if (all[0] == 42) memory[0] = all; /* never: they are 0s and 1s */
}

MULTIVERSION static void write_lines(size_t lines, cache_line *memory) {
  const cache_line ones = {1, 1, 1, 1, 1, 1, 1, 1};
  for (size_t i = 0; i < lines; i++) {
    memory[i] = ones;
    __asm__ volatile("" : : "r"(memory) : "memory"); /* not memset, which may go past the caches */
  }
}

MULTIVERSION static void update_lines(size_t lines, cache_line *memory) {
  const cache_line ones = {1, 1, 1, 1, 1, 1, 1, 1};
  for (size_t i = 0; i < lines; i++) memory[i] ^= ones;
}

enum { LEAST_LINES = 64, PASS_SECONDS_PARTS = 200 };

/* Passes per second of one thread through `lines` of its memory: the best within 5 ms. */
static double passes_a_second(pass_function *pass, size_t lines, cache_line *memory) {
  const int repeats = (int)((1 << 12) / lines + 1); /* so that a clock read costs nothing */
  double best = 0;
  const double start = clock_seconds();
  for (double now = start; now - start < 1.0 / PASS_SECONDS_PARTS || best == 0;) {
    for (int i = 0; i < repeats; i++) {
      pass(lines, memory);
      __asm__ volatile("" : : "r"(memory) : "memory");
    }
    const double end = clock_seconds();
    if (end > now) best = fmax(best, repeats / (end - now));
    now = end;
  }
  return best;
}

/* Measures the bytes/s of the threads of all ranks together, while each repeatedly accesses its share of a rank's array
 * of `bytes`. An update counts bytes read and bytes written. 0 if memory is short. Collective. */
static double bandwidth(mlpd_comm *comm, int threads, pass_function *pass, double bytes) {
  size_t lines = (size_t)(bytes / threads / sizeof(cache_line));
  if (lines < LEAST_LINES) lines = LEAST_LINES;
  double sum = 0;
  (void)comm_barrier(comm);
#pragma omp parallel num_threads(threads) reduction(+ : sum)
  {
    cache_line *memory = NULL;
    if (memory_allocate(&memory, lines, sizeof *memory, "bandwidth") == MLPD_OK) {
      write_lines(lines, memory); /* so that the thread has its own pages */
#pragma omp barrier
      sum += passes_a_second(pass, lines, memory) * (double)(lines * sizeof *memory) * (pass == update_lines ? 2 : 1);
    } else {
#pragma omp barrier
    }
    free(memory);
  }
  return sum;
}

/* ---- Floors ---------------------------------------------------------------------------------------- */

/* Sums doubles (count) over ranks, in place. Collective. */
static mlpd_status sum_over_ranks(mlpd_comm *comm, double *values, size_t count) {
  double *all = NULL;
  TRY(comm_gather_equal(comm, values, count * sizeof *values, "sums", &all));
  for (size_t i = 0; i < count; i++) values[i] = 0;
  for (size_t i = 0; i < count * (size_t)mlpd_comm_size(comm); i++) values[i % count] += all[i];
  free(all);
  return MLPD_OK;
}

/* Adds to a phase's floor the time in which this rank accesses `bytes` of an array of array_bytes, averaged over the
 * ranks. Collective. */
static mlpd_status add_bytes(const stepper *s, pass_function *pass, double bytes, double array_bytes,
                             phase_cost *cost) {
  double speed = bandwidth(s->parts.comm, s->parts.threads, pass, array_bytes);
  TRY(sum_over_ranks(s->parts.comm, &speed, 1));
  double all = bytes;
  TRY(sum_over_ranks(s->parts.comm, &all, 1));
  cost->bytes += all;
  cost->floor += all > 0 ? all / speed : 0;
  return MLPD_OK;
}

static double layer_weights(const stepper *s, uint32_t l) {
  return (double)s->parts.network->layers[l].inputs * s->parts.network->layers[l].outputs;
}

/* Sets the floors of the products of a step of all ranks, at the peak (flop/s) of all threads. */
static void product_floors(const stepper *s, double peak, phase_cost costs[NUM_PHASES]) {
  const double rows = (double)s->parts.plan->batch;
  for (uint32_t l = 0; l < s->parts.network->num_layers; l++) {
    const double operations = 2 * rows * layer_weights(s, l);
    costs[PHASE_FORWARD].operations += operations;
    costs[PHASE_GRADIENTS].operations += operations;
    if (l > 0) costs[PHASE_DELTAS].operations += operations;
  }
  for (int phase = 0; phase < NUM_PHASES; phase++) costs[phase].floor = costs[phase].operations / peak;
}

/* Collective. */
static mlpd_status byte_floors(const stepper *s, phase_cost costs[NUM_PHASES]) {
  const shard *const rows = s->parts.rows;
  const mlpd_network *const network = s->parts.network;
  const int size = mlpd_comm_size(s->parts.comm);
  const double arena = (double)network->arena_size * sizeof(float);
  const double all_rows = (double)s->parts.plan->rows, batch = (double)s->parts.plan->batch;
  const double mine = all_rows > 0 ? batch * (double)rows->rows / all_rows : 0; /* rows of a step */
  const double row_bytes = (double)(rows->features * element_size(rows->type));
  const double x_bytes = (double)rows->features * sizeof(float), arrays = 1 + s->parts.optimizer->num_state;
  TRY(add_bytes(s, read_lines, mine * row_bytes, (double)rows->rows * row_bytes, &costs[PHASE_GATHER]));
  TRY(add_bytes(s, write_lines, mine * x_bytes, mine * x_bytes, &costs[PHASE_GATHER]));
  const double part = s->divides ? arena / size : arena; /* the part that this rank updates */
  TRY(add_bytes(s, update_lines, 2 * arrays * part, arrays * part, &costs[PHASE_OPTIMIZER]));
  if (s->alone) { /* the gradient is in scratch, one unit per thread */
    const double unit = (double)s->unit_floats * sizeof(float) * s->parts.threads;
    return add_bytes(s, read_lines, arena, unit, &costs[PHASE_OPTIMIZER]);
  }
  if (s->pull != NULL) { /* reads all nodes of all ranks */
    double nodes = reducer_num_nodes(s->reducer);
    TRY(sum_over_ranks(s->parts.comm, &nodes, 1));
    return add_bytes(s, read_lines, nodes * part, nodes * part, &costs[PHASE_OPTIMIZER]);
  }
  TRY(add_bytes(s, read_lines, part, part, &costs[PHASE_OPTIMIZER]));
  const reduce_cost sent = reduce_cost_of(s->parts.plan->num_lanes, size, (uint64_t)arena);
  return add_bytes(s, update_lines, 2 * sent.bytes, arena, &costs[PHASE_REDUCTION]);
}

/* ---- Recorded times --------------------------------------------------------------------------------- */

static bench_phase phase_of(uint32_t recorded) {
  switch (recorded) {
    case TIMELINE_GATHER:
      return PHASE_GATHER;
    case TIMELINE_FORWARD:
      return PHASE_FORWARD;
    case TIMELINE_LOSS:
      return PHASE_LOSS;
    case TIMELINE_BACKWARD:
      return PHASE_DELTAS;
    case TIMELINE_GRADIENT:
      return PHASE_GRADIENTS;
    case TIMELINE_OPTIMIZER:
      return PHASE_OPTIMIZER;
    default: /* waits, messages, additions */
      return PHASE_REDUCTION;
  }
}

/* Ticks of each phase on a track. The time of an event that is inside another counts only for the inner one. Events are
 * ordered by their ends; open: those not inside a later event yet. */
static mlpd_status add_track(const timeline_track *track, double ticks[NUM_PHASES]) {
  timeline_event const **open = NULL;
  size_t num_open = 0;
  TRY(memory_allocate(&open, track->count, sizeof *open, "events"));
  for (size_t i = 0; i < track->count; i++) {
    const timeline_event *const e = &track->events[i];
    double own = (double)(e->end - e->begin);
    for (; num_open > 0 && open[num_open - 1]->begin >= e->begin; num_open--)
      own -= (double)(open[num_open - 1]->end - open[num_open - 1]->begin);
    open[num_open++] = e;
    ticks[phase_of(e->phase)] += own;
  }
  free(open);
  return MLPD_OK;
}

static void forget_events(timeline *line) {
  for (uint32_t i = 0; i < line->num_tracks; i++) line->tracks[i].count = 0;
  line->steps = 0;
}

/* Seconds of the phases of `steps` steps that took `seconds` and `ticks`, averaged over threads and ranks. Collective.
 */
static mlpd_status take_phases(const stepper *s, const timeline *line, double steps, double seconds, double ticks,
                               phase_cost costs[NUM_PHASES]) {
  double sums[NUM_PHASES] = {0};
  for (uint32_t i = 0; i < line->num_threads; i++) TRY(add_track(&line->tracks[i], sums));
  if (timeline_lost(line) > 0) return FAIL(MLPD_ERROR_INTERNAL, "events are missing");
  for (int phase = 0; phase < NUM_PHASES; phase++) sums[phase] *= seconds / ticks / s->parts.threads / steps;
  sums[PHASE_REST] = seconds / steps;
  for (int phase = 0; phase < PHASE_REST; phase++) sums[PHASE_REST] -= sums[phase];
  TRY(sum_over_ranks(s->parts.comm, sums, NUM_PHASES));
  for (int phase = 0; phase < NUM_PHASES; phase++) costs[phase].seconds = sums[phase] / mlpd_comm_size(s->parts.comm);
  return MLPD_OK;
}

/* ---- Tables ----------------------------------------------------------------------------------------- */

static void print_phases(const char *name, int ranks, int threads, double peak, const phase_cost costs[NUM_PHASES]) {
  double seconds = 0, floor = 0, operations = 0;
  for (int phase = 0; phase < NUM_PHASES; phase++) {
    seconds += costs[phase].seconds;
    floor += costs[phase].floor;
    operations += costs[phase].operations;
  }
  (void)printf("%s, %d x %d: %.4f ms a step, %.3f of the peak of %.0f GF/s\n", name, ranks, threads, 1e3 * seconds,
               operations / seconds / peak, 1e-9 * peak);
  (void)printf("%-12s %10s %6s %10s %6s  %s\n", "phase", "ms a step", "share", "floor, ms", "ratio", "floor of");
  for (int phase = 0; phase < NUM_PHASES; phase++) {
    const phase_cost *const c = &costs[phase];
    (void)printf("%-12s %10.4f %6.3f", phase_names[phase], 1e3 * c->seconds, c->seconds / seconds);
    if (!(c->floor > 0))
      (void)printf("\n");
    else if (c->operations > 0)
      (void)printf(" %10.4f %6.2f  %.1f Mflop\n", 1e3 * c->floor, c->seconds / c->floor, 1e-6 * c->operations);
    else
      (void)printf(" %10.4f %6.2f  %.3f MB at %.0f GB/s\n", 1e3 * c->floor, c->seconds / c->floor, 1e-6 * c->bytes,
                   1e-9 * c->bytes / c->floor);
  }
  (void)printf("%-12s %10.4f %6.3f %10.4f %6.2f  %.3f of the peak is the most here\n\n", "step", 1e3 * seconds, 1.0,
               1e3 * floor, seconds / floor, operations / floor / peak);
}

/* case,ranks,threads,reduce,phase,seconds,floor,operations,bytes,peak */
static void print_phases_csv(const char *name, int ranks, int threads, const char *reduce, double peak,
                             const phase_cost costs[NUM_PHASES]) {
  for (int phase = 0; phase < NUM_PHASES; phase++) {
    const phase_cost *const c = &costs[phase];
    (void)printf("%s,%d,%d,%s,%s,%.9f,%.9f,%.0f,%.0f,%.2f\n", name, ranks, threads, reduce, phase_names[phase],
                 c->seconds, c->floor, c->operations, c->bytes, 1e-9 * peak);
  }
}

#endif
