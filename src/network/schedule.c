#include "network/schedule.h"

#include <math.h>

#include "base/portable.h"

static const double EDGE = 1e-9; /* keeps an edge on its step where a quotient is rounded to just below it */

static const double ONE_CYCLE_START = 1.0 / 25;

/* Where a step is, see schedule.h. */
typedef struct schedule_point {
  const mlpd_train_options *o;
  const schedule_state *state;
  double base;      /* the rate after lr_scale */
  double done, all; /* steps after warm-up, done and in the whole run */
  double per_epoch; /* steps */
  double samples;   /* an epoch */
} schedule_point;

typedef double schedule_function(const schedule_point *at);

static double scaled_base(const mlpd_train_options *options) {
  const double ratio = (double)options->batch / (double)options->base_batch;
  switch (options->lr_scale) {
    case MLPD_LR_SCALE_LINEAR:
      return options->lr * ratio;
    case MLPD_LR_SCALE_SQRT:
      return options->lr * sqrt(ratio);
    case MLPD_LR_SCALE_NONE:
      break;
  }
  return options->lr;
}

/* Half a cosine from `from` (u = 0) to `to` (u = 1). */
static double half_cosine(double from, double to, double u) {
  return to + (from - to) * 0.5 * (1 + portable_cos_turn(0.5 * u));
}

static double constant(const schedule_point *at) { return at->base; }

static double steps(const schedule_point *at) {
  const double falls = fmin(at->done / (at->o->lr_step_epochs * at->per_epoch) + EDGE, 1e18);
  return at->base * portable_power(at->o->lr_gamma, (uint64_t)falls);
}

static double exponential(const schedule_point *at) {
  return at->base * portable_pow(at->o->lr_gamma, at->done / (at->o->lr_step_epochs * at->per_epoch));
}

static double polynomial(const schedule_point *at) {
  const double lr_min = at->o->lr_min;
  if (at->done >= at->all) return lr_min;
  return lr_min + (at->base - lr_min) * portable_pow(1 - at->done / at->all, at->o->lr_power);
}

static double cosine(const schedule_point *at) {
  if (at->done >= at->all) return at->o->lr_min;
  return half_cosine(at->base, at->o->lr_min, at->done / at->all);
}

static double cosine_restarts(const schedule_point *at) {
  double begin = 0, length = at->o->lr_step_epochs * at->per_epoch;
  if (at->o->lr_restart_factor == 1) begin = length * floor(at->done / length + EDGE);
  while (at->o->lr_restart_factor > 1 && at->done >= begin + length * (1 - EDGE)) {
    begin += length;
    length *= (double)at->o->lr_restart_factor;
  }
  return half_cosine(at->base, at->o->lr_min, fmax(at->done - begin, 0) / length);
}

/* From the turn at a fraction of the run on: half a cosine down to lr_min. */
static double fall(const schedule_point *at, double turn) {
  if (at->done >= at->all) return at->o->lr_min;
  return half_cosine(at->base, at->o->lr_min, (at->done / at->all - turn) / (1 - turn));
}

static double flat_cosine(const schedule_point *at) {
  const double flat = at->o->lr_flat;
  return at->done < flat * at->all ? at->base : fall(at, flat);
}

static double one_cycle(const schedule_point *at) {
  const double rise = at->o->lr_rise;
  if (at->done >= rise * at->all) return fall(at, rise);
  return half_cosine(at->base * ONE_CYCLE_START, at->base, at->done / (rise * at->all));
}

static double coslog4(const schedule_point *at) {
  static const double PER_OCTAVE = 1.4426950408889634074; /* 1 / ln 2 */
  const double lr_min = at->o->lr_min;
  if (at->done >= at->all) return lr_min;
  const double waves = portable_log(1 + 15 * at->done / at->all) * PER_OCTAVE;
  return lr_min + (at->base - lr_min) * 0.5 * (1 - portable_cos_turn(waves - floor(waves)));
}

static double plateau(const schedule_point *at) {
  return fmax(at->base * at->state->factor, fmin(at->o->lr_min, at->base));
}

/* Whole numbers below 2^53, so that the quotient reaches a whole number at the end of an epoch and not before. */
static double invscaling(const schedule_point *at) {
  const double seen = at->samples * floor(at->done / at->per_epoch);
  return at->base / portable_pow(1 + seen, at->o->power_t);
}

static schedule_function *const SCHEDULES[MLPD_NUM_SCHEDULES] = {
    [MLPD_CONSTANT] = constant,
    [MLPD_STEP] = steps,
    [MLPD_COSINE] = cosine,
    [MLPD_EXPONENTIAL] = exponential,
    [MLPD_POLYNOMIAL] = polynomial,
    [MLPD_ONE_CYCLE] = one_cycle,
    [MLPD_COSINE_RESTARTS] = cosine_restarts,
    [MLPD_FLAT_COSINE] = flat_cosine,
    [MLPD_COSLOG4] = coslog4,
    [MLPD_PLATEAU] = plateau,
    [MLPD_INVSCALING] = invscaling,
};

double schedule_lr(const mlpd_train_options *options, const schedule_epoch *epoch, uint64_t step,
                   const schedule_state *state) {
  const double base = scaled_base(options), per_epoch = (double)epoch->steps;
  const double warmup = round(options->warmup_epochs * per_epoch);
  if ((double)step < warmup) return base * state->factor * ((double)step + 1) / warmup;
  return SCHEDULES[options->schedule](&(schedule_point){.o = options,
                                                        .state = state,
                                                        .base = base,
                                                        .done = (double)step - warmup,
                                                        .all = (double)options->epochs * per_epoch - warmup,
                                                        .per_epoch = per_epoch,
                                                        .samples = (double)epoch->samples});
}

double schedule_regularization(const mlpd_train_options *options, uint64_t steps_per_epoch, uint64_t step) {
  const double t = (double)step / ((double)options->epochs * (double)steps_per_epoch);
  if (options->regularization_schedule == MLPD_REGULARIZATION_CONSTANT || t < 0.5) return 1;
  return t < 1 ? half_cosine(1, 0, 2 * t - 1) : 0;
}

void schedule_after_epoch(const mlpd_train_options *options, double loss, schedule_state *state) {
  if (options->schedule != MLPD_PLATEAU) return;
  state->since++;
  if (loss < state->best - options->min_delta) {
    state->best = loss;
    state->since = 0;
  }
  if (state->since < options->lr_patience) return;
  state->factor *= options->lr_gamma;
  state->since = 0;
}
