#include "step/step_way.h"

#include "ranks/clock.h"
#include "ranks/comm.h"
#include "step/step_tail.h"
#include "step/stepper_update.h"

/* ---- One rank: a unit of weights is updated as soon as its gradient is summed -------------------------- */

static void alone_begin(stepper *s) { stepper_take_totals(s, reducer_doubles(s->reducer, 0)); }

static void alone_gradients(stepper *s) {
  if (stepper_takes_step(s)) stepper_update_units(s);
}

static const step_way alone = {.name = "alone",
                               .what = "a block of weights is updated as soon as its gradient is summed",
                               .begin = alone_begin,
                               .gradients = alone_gradients};

/* ---- One rank, where each thread sums the gradients of its own lanes first ----------------------------- */

static void apart_gradients(stepper *s) {
  if (stepper_takes_step(s)) stepper_update_apart(s);
}

static const step_way apart_way = {.name = "apart",
                                   .what = "each sums the gradients of its own lanes, then they share the update",
                                   .own_lanes = stepper_sum_apart,
                                   .begin = alone_begin,
                                   .gradients = apart_gradients};

/* ---- Ranks that share memory: a strip of weights is updated as soon as all ranks have summed it ---------- */

static const step_way pull_each = {.name = "pull",
                                   .what =
                                       "ranks read each other's sums in shared memory, strip by strip, and each "
                                       "updates all weights",
                                   .sends = true,
                                   .begin = stepper_pull_begin,
                                   .gradients = stepper_pull_units,
                                   .finish = stepper_pull_end};

static const step_way pull_divided = {.name = "pull divided",
                                      .what =
                                          "ranks read each other's sums in shared memory, strip by strip, and each "
                                          "updates its part of the weights for all",
                                      .sends = true,
                                      .begin = stepper_pull_begin,
                                      .gradients = stepper_pull_units,
                                      .finish = stepper_pull_end};

/* ---- Ranks that exchange whole buckets -------------------------------------------------------------------- */

static void sum_units(stepper *s) { stepper_sum_units(s, s->overlaps); }

static mlpd_status finish_sum(stepper *s, const double **tail) {
  const double computed = clock_seconds();
  TRY(reducer_finish(s->reducer, tail));
  s->times.reduce += clock_seconds() - computed;
  return MLPD_OK;
}

/* The statistics are exchanged first: they are known when the first slice is summed and can be updated. */
static void divided_begin(stepper *s) { s->sent = reducer_ready(s->reducer, s->num_strips); }

static mlpd_status divided_finish(stepper *s) {
  const double *tail = NULL;
  return finish_sum(s, &tail); /* which also updates this rank's slices */
}

static const step_way divided = {.name = "divided",
                                 .what = "each rank sums its slices of the gradient and updates them for all,",
                                 .sends = true,
                                 .begin = divided_begin,
                                 .gradients = sum_units,
                                 .finish = divided_finish};

static mlpd_status each_finish(stepper *s) {
  const double *tail = NULL;
  TRY(finish_sum(s, &tail));
  s->outcome = step_tail_outcome(tail, mlpd_comm_size(s->parts.comm));
  if (stepper_takes_step(s)) stepper_update_all(s);
  return MLPD_OK;
}

static const step_way each = {.name = "each",
                              .what = "the whole gradient is summed, then each rank updates all weights,",
                              .sends = true,
                              .gradients = sum_units,
                              .finish = each_finish};

/* ---- The gradient alone: the caller moves the weights -------------------------------------------------- */

static mlpd_status gradient_finish(stepper *s) {
  const double *tail = NULL;
  TRY(finish_sum(s, &tail));
  s->outcome = step_tail_outcome(tail, mlpd_comm_size(s->parts.comm));
  if (stepper_takes_step(s)) stepper_keep_gradient(s);
  return MLPD_OK;
}

static const step_way gradient_alone = {.name = "gradient",
                                        .what = "the whole gradient is summed for a line search on each rank,",
                                        .sends = true,
                                        .gradients = sum_units,
                                        .finish = gradient_finish};

const step_way *step_way_of(const stepper *s) {
  if (optimizer_searches(s->parts.optimizer->kind)) return &gradient_alone;
  if (s->alone) return s->apart != NULL ? &apart_way : &alone;
  if (s->pull != NULL) return s->divides ? &pull_divided : &pull_each;
  return s->divides ? &divided : &each;
}
