#include "network/schedule.h"

#include <math.h>

#include "base/portable.h"

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

double schedule_lr(const mlpd_train_options *options, uint64_t steps_per_epoch, uint64_t step) {
  const double base = scaled_base(options);
  const double per_epoch = (double)steps_per_epoch;
  const double warmup = round(options->warmup_epochs * per_epoch);
  if ((double)step < warmup) return base * ((double)step + 1) / warmup;

  const double done = (double)step - warmup; /* steps after warm-up */
  switch (options->schedule) {
    case MLPD_STEP: {
      /* The small term keeps an edge on its step where the quotient is rounded to just below it. */
      const double falls = fmin(done / (options->lr_step_epochs * per_epoch) + 1e-9, 1e18);
      return base * portable_power(options->lr_gamma, (uint64_t)falls);
    }
    case MLPD_COSINE: {
      const double all = (double)options->epochs * per_epoch - warmup;
      if (done >= all) return options->lr_min;
      return options->lr_min + (base - options->lr_min) * 0.5 * (1 + portable_cos_turn(0.5 * done / all));
    }
    case MLPD_CONSTANT:
      break;
  }
  return base;
}
