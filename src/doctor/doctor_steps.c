/* Measures training steps on made-up rows of the data's type: on all ranks together, and on each rank alone with as
 * many lanes as the busiest rank would have on other numbers of ranks. */
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "doctor/doctor.h"
#include "doctor/doctor_measure.h"
#include "kernels/vector.h"
#include "network/optimizer.h"
#include "ranks/clock.h"
#include "ranks/comm.h"
#include "step/stepper.h"

enum { ROW_BYTES = 32 << 20, MIN_STEPS = 4, PATTERN = 1 << 16 };

/* A stepper with everything it borrows. */
typedef struct test_run {
  lane_plan plan;
  shard rows;
  affine input;
  optimizer opt;
  stepper *stepper;
  uint64_t steps;  /* done */
  double shuffles; /* seconds */
} test_run;

static void free_run(test_run *t) {
  stepper_free(t->stepper);
  optimizer_free(&t->opt);
  affine_free(&t->input);
  shard_free(&t->rows);
  lane_plan_free(&t->plan);
}

/* Fills x with numbers from 0 to 255 of any type. The values do not affect the time, but zeros would produce denormals.
 */
static void fill_inputs(element_type type, uint64_t count, void *x) {
  const size_t size = element_size(type);
  const uint64_t drawn = count < PATTERN ? count : PATTERN;
  rng stream = rng_start(1, RNG_SHUFFLE, 0, 0);
  for (uint64_t i = 0; i < drawn; i++) {
    const uint8_t value = (uint8_t)rng_below(&stream, type == ELEMENT_I8 ? 128 : 256);
    char *const at = (char *)x + i * size;
    if (type == ELEMENT_F32)
      ((float *)x)[i] = value;
    else if (type == ELEMENT_F64)
      ((double *)x)[i] = value;
    else if (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)
      *at = (char)value; /* the other bytes are zero */
    else
      at[size - 1] = (char)value;
  }
  for (uint64_t i = drawn; i < count; i += drawn)
    memcpy((char *)x + i * size, x, (count - i < drawn ? count - i : drawn) * size);
}

static mlpd_status make_rows(const doctor *d, uint64_t count, shard *rows) {
  *rows = (shard){.rows = count, .features = d->features, .type = d->type};
  TRY(memory_allocate(&rows->x, count * d->features, element_size(d->type), "rows"));
  fill_inputs(d->type, count * d->features, rows->x);
  rng stream = rng_start(1, RNG_SHUFFLE, 0, 1);
  if (d->classes) {
    TRY(memory_allocate(&rows->classes, count, sizeof *rows->classes, "targets"));
    for (uint64_t i = 0; i < count; i++) rows->classes[i] = (int32_t)rng_below(&stream, d->outputs);
  } else {
    rows->outputs = d->outputs;
    TRY(memory_allocate(&rows->values, count * d->outputs, sizeof *rows->values, "targets"));
    for (uint64_t i = 0; i < count * d->outputs; i++) rows->values[i] = (float)rng_uniform(&stream);
  }
  return MLPD_OK;
}

/* The number of full steps whose rows would be in memory, at least a few. */
static uint64_t steps_in_memory(const doctor *d, uint64_t batch, uint64_t ranks) {
  const uint64_t row = (uint64_t)d->features * element_size(d->type);
  uint64_t rows = ROW_BYTES / row * ranks;
  if (d->report->has_file && d->report->rows < rows) rows = d->report->rows;
  return rows / batch > MIN_STEPS ? rows / batch : MIN_STEPS;
}

static mlpd_status make_parts(const doctor *d, mlpd_comm *comm, uint32_t lanes, uint64_t batch, test_run *t) {
  mlpd_train_options train;
  const int size = mlpd_comm_size(comm);
  uint32_t first = 0, end = 0;
  mlpd_train_options_default(&train);
  train.preset = MLPD_PRESET_NONE;
  train.optimizer = d->options->optimizer;
  mlpd_train_options_settle(&train);
  lanes_of_rank(lanes, size, mlpd_comm_rank(comm), &first, &end);
  TRY(lane_plan_create(batch * steps_in_memory(d, batch, (uint64_t)size), batch, lanes, 1, &t->plan));
  TRY(make_rows(d, t->plan.lane_begin[end] - t->plan.lane_begin[first], &t->rows));
  TRY(affine_create(d->features, &t->input));
  for (uint32_t j = 0; j < d->features; j++) t->input.scale[j] = 1.0f / 255;
  affine_settle(&t->input);
  return optimizer_create(&train, d->network, &t->opt);
}

/* Creates a run. apart: turns clipping on, so that the optimizer runs after the sum of the whole gradient, as on
 * several ranks. Collective over comm. */
static mlpd_status make_run(const doctor *d, mlpd_comm *comm, uint32_t lanes, uint64_t batch, bool apart, test_run *t) {
  TRY(mlpd_comm_agree(comm, make_parts(d, comm, lanes, batch, t)));
  const stepper_parts parts = {.comm = comm,
                               .network = d->network,
                               .gemm = d->gemm,
                               .optimizer = &t->opt,
                               .plan = &t->plan,
                               .rows = &t->rows,
                               .input = &t->input,
                               .loss = loss_plain(d->classes ? MLPD_CROSS_ENTROPY : MLPD_MSE),
                               .reduce = MLPD_REDUCE_CANONICAL,
                               .seed = 1,
                               .clip_norm = apart ? 1e30 : 0,
                               .threads = d->threads};
  return stepper_create(&parts, &t->stepper);
}

/* Runs one step, with a shuffle before it if an epoch begins. The learning rate is 0 because the network is shared. */
static mlpd_status step_once(void *context) {
  test_run *const t = context;
  const step_wishes wishes = {0};
  step_outcome outcome;
  const uint64_t step = t->steps % t->plan.steps_per_epoch;
  if (step == 0) {
    const double start = clock_seconds();
    stepper_begin_epoch(t->stepper, t->steps / t->plan.steps_per_epoch);
    t->shuffles += clock_seconds() - start;
  }
  t->steps++;
  return stepper_step(t->stepper, step, 0, &wishes, &outcome);
}

/* Does the optimizer move the weights outside of the step, after a search by many steps over all rows? */
static bool searches(const doctor *d) { return optimizer_searches(d->options->optimizer); }

/* Seconds that the optimizer takes for all weights (with learning rate 0; the gradient's values do not matter). Not
 * collective. */
static double time_update(const doctor *d, optimizer *o) {
  const optimizer_scalars scalars = {.gradient_scale = 1, .correction1 = 1, .correction2 = 1};
  const size_t size = d->network->arena_size, lines = size / 16;
  float *const weights = d->network->parameters;
  double best = INFINITY;
  for (int round = 0; round < 8; round++) {
    const double start = clock_seconds();
#pragma omp parallel num_threads(d->threads)
    {
      const size_t thread = (size_t)omp_get_thread_num(), threads = (size_t)omp_get_num_threads();
      const size_t begin = lines * thread / threads * 16, end = lines * (thread + 1) / threads * 16;
      optimizer_update_range(o, &scalars, d->network, weights, weights + begin, begin, end);
    }
    best = fmin(best, clock_seconds() - start);
  }
  return best;
}

/* Measures the median seconds of a step, and of these the seconds for shuffling and gathering rows, and for the
 * optimizer. Collective over comm. */
static mlpd_status time_steps(const doctor *d, mlpd_comm *comm, uint32_t lanes, uint64_t batch, bool apart,
                              double seconds, double *step, double *input, double *update) {
  test_run t = {0};
  mlpd_status status = MLPD_OK;
  TRY_GOTO(status, make_run(d, comm, lanes, batch, apart, &t), done);
  if (comm == d->comm) stepper_describe(t.stepper, d->report->step, sizeof d->report->step);
  TRY_GOTO(status, doctor_time(comm, step_once, &t, seconds, step), done);
  /* The median is that of a step without a shuffle; the times of its parts are means. */
  const step_times times = stepper_times(t.stepper);
  const double shuffle = t.shuffles / (double)t.steps, all = times.data + times.compute + times.reduce;
  *input = (all > 0 ? *step * times.data / all : 0) + shuffle;
  *step += shuffle;
  *update = searches(d) ? 0 : time_update(d, &t.opt);
done:
  free_run(&t);
  return status;
}

/* Seconds that clipping adds to compute the norm. Not collective. */
static double time_norm(const doctor *d) {
  const size_t size = d->network->arena_size, lines = size / 16;
  double best = INFINITY, sum = 0;
  for (int round = 0; round < 8; round++) {
    const double start = clock_seconds();
#pragma omp parallel num_threads(d->threads) reduction(+ : sum)
    {
      const size_t thread = (size_t)omp_get_thread_num(), threads = (size_t)omp_get_num_threads();
      const size_t begin = lines * thread / threads * 16, end = lines * (thread + 1) / threads * 16;
      sum += vector_sum_squares(end - begin, d->network->parameters + begin);
    }
    best = fmin(best, clock_seconds() - start);
  }
  return sum >= 0 ? best : 0; /* use the sum, so that the compiler computes it */
}

/* Measures the work of the busiest of `ranks` ranks other than the sum, if they divide the update. As many of the
 * current ranks as possible measure it at once. Collective. */
static mlpd_status cost_of_busiest(const doctor *d, int ranks, double seconds, step_cost *cost) {
  const mlpd_doctor_report *const r = d->report;
  const uint32_t lanes = doctor_most_lanes(r->lanes, ranks);
  const uint64_t rows = doctor_most_rows(r->batch, r->lanes, ranks);
  double both[2] = {0}, update = 0; /* step, input */
  mlpd_status status = MLPD_OK;
  TRY(comm_barrier(d->comm));
  if (mlpd_comm_rank(d->comm) < ranks) {
    status =
        time_steps(d, d->alone, lanes, rows > lanes ? rows : lanes, ranks > 1, seconds, &both[0], &both[1], &update);
    if (ranks > 1 && !searches(d)) both[0] = fmax(both[1], both[0] - time_norm(d) - update * (1 - 1. / ranks));
  }
  TRY(mlpd_comm_agree(d->comm, status));
  TRY(comm_max_double(d->comm, both, 2));
  *cost = (step_cost){.compute = both[0] - both[1], .input = both[1]};
  return MLPD_OK;
}

/* The model of the network, or NULL if there is none. It is scaled to the measured time of this gradient's sum, since a
 * line does not fit all lengths equally well. */
static const wire_model *wire_of(const doctor *d, wire_model *wire) {
  const mlpd_doctor_report *const r = d->report;
  if (!(r->latency > 0) && !(r->bandwidth > 0)) return NULL;
  *wire = (wire_model){r->latency, r->bandwidth > 0 ? 1 / r->bandwidth : 0};
  if (r->num_wire_points == 0 || d->options->latency > 0 || d->options->bandwidth > 0) return wire;
  const double here = wire_seconds(wire, reduce_cost_of(r->lanes, r->ranks, d->network->arena_size * sizeof(float)));
  if (!(here > 0)) return wire;
  wire->latency *= r->sum_seconds / here;
  wire->byte *= r->sum_seconds / here;
  return wire;
}

mlpd_status doctor_steps(doctor *d, const int *ranks, int count, double seconds) {
  mlpd_doctor_report *const r = d->report;
  wire_model model;
  const wire_model *const wire = wire_of(d, &model);
  const uint64_t bytes = d->network->arena_size * sizeof(float);
  const double each = seconds / (count + 1);
  double input = 0, update = 0, alone = 0;
  for (int i = 0; i < count; i++) {
    step_cost cost;
    TRY(cost_of_busiest(d, ranks[i], each, &cost));
    const reduce_cost messages = reduce_cost_of(doctor_lanes(r->lanes, ranks[i]), ranks[i], bytes);
    r->predictions[i] = doctor_predict(ranks[i], r->batch, r->lanes, cost, wire, messages);
    if (ranks[i] == 1) alone = r->predictions[i].samples_per_second;
  }
  r->num_predictions = count;
  for (int i = 0; i < count; i++)
    r->predictions[i].efficiency = alone > 0 ? r->predictions[i].samples_per_second / (ranks[i] * alone) : 0;
  TRY(time_steps(d, d->comm, r->lanes, r->batch, false, each, &r->step_seconds, &input, &update));
  return comm_max_double(d->comm, &r->step_seconds, 1);
}
