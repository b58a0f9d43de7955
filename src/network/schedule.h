/* Learning-rate schedules: a pure function of the step. Nothing here is collective. */
#ifndef MLPDIST_SCHEDULE_H
#define MLPDIST_SCHEDULE_H

#include "mlpdist.h"

/* Learning rate of step (from 0) in a run of options->epochs epochs of steps_per_epoch steps. First the
 * base rate is scaled by lr_scale (batch / base_batch), then shaped by the schedule over the steps after
 * warm-up, and during the first warmup_epochs epochs (rounded to whole steps) it rises linearly:
 * base * (step + 1) / warm-up steps. cosine would reach lr_min at the step after the run's last, as
 * PyTorch's CosineAnnealingLR, so that the last step still learns; from there on it stays.
 * steps_per_epoch, base_batch and lr_step_epochs > 0, warmup_epochs >= 0. */
double schedule_lr(const mlpd_train_options *options, uint64_t steps_per_epoch, uint64_t step);

#endif
