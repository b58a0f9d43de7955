/* Learning-rate schedules: the rate is a function of the step and, for plateau, of the losses so far. Each is a row of
 * SCHEDULES in schedule.c. Nothing here is collective.
 *
 * Symbols: lr is the base rate after lr_scale. The first W = warmup_epochs (rounded to whole steps) steps rise
 * linearly, lr (step + 1) / W. s counts steps from there on, e = s / steps per epoch, and t = s / S in [0, 1) with S
 * the steps of the whole run less W. half(a, b, u) = b + (a - b) (1 + cos(pi u)) / 2 is half a cosine from a to b.
 *
 *   constant         lr
 *   step             lr gamma^floor(e / step_epochs)                       torch StepLR
 *   exponential      lr gamma^(e / step_epochs)                            Keras ExponentialDecay
 *   polynomial       lr_min + (lr - lr_min) (1 - t)^power                  torch PolynomialLR, Keras PolynomialDecay
 *   cosine           half(lr, lr_min, t)                                   SGDR (Loshchilov & Hutter 2017),
 *                                                                          torch CosineAnnealingLR
 *   cosine-restarts  half(lr, lr_min, u), u: part of its cycle that is     SGDR, torch CosineAnnealingWarmRestarts
 *                    over; cycle i lasts step_epochs restart_factor^i epochs
 *   flat-cosine      lr while t < flat, then                               flat_cos of RealMLP
 *                    half(lr, lr_min, (t - flat) / (1 - flat))             (Holzmueller et al. 2024)
 *   one-cycle        half(lr / 25, lr, t / rise) while t < rise, then      Smith & Topin 2018; torch OneCycleLR ends at
 *                    half(lr, lr_min, (t - rise) / (1 - rise))             lr / 250,000 and changes the momentum, too
 *   coslog4          lr_min + (lr - lr_min) (1 - cos(2 pi log2(1 + 15 t))) / 2
 *                                                                          RealMLP
 *   plateau          max(lr factor, lr_min), see schedule_after_epoch()    torch ReduceLROnPlateau
 *   invscaling       lr / (1 + n floor(e))^power_t, n: samples an epoch    scikit-learn's SGDOptimizer
 *
 * Those with t would reach lr_min at the step after the run's last (as torch's CosineAnnealingLR), so that the last
 * step still learns; from there on they stay. */
#ifndef MLPDIST_SCHEDULE_H
#define MLPDIST_SCHEDULE_H

#include "mlpdist.h"

/* What plateau remembers; in every run, so that checkpoints have one shape. */
typedef struct schedule_state {
  double factor;  /* of the rate */
  double best;    /* lowest loss so far; infinite before the first */
  uint64_t since; /* epochs since then, or since the rate last fell */
} schedule_state;

static const schedule_state SCHEDULE_START = {.factor = 1, .best = __builtin_inf()};

/* An epoch of a run. */
typedef struct schedule_epoch {
  uint64_t steps; /* > 0 */
  uint64_t samples;
} schedule_epoch;

/* Learning rate of step (from 0) in a run of options->epochs epochs. base_batch and lr_step_epochs > 0,
 * warmup_epochs >= 0. */
double schedule_lr(const mlpd_train_options *options, const schedule_epoch *epoch, uint64_t step,
                   const schedule_state *state);

/* Factor of dropout and weight decay in a step, from 1 (until t = 1/2) to 0; t counts all steps of the run, those of
 * the warm-up included. 1 where they are constant. */
double schedule_regularization(const mlpd_train_options *options, uint64_t steps_per_epoch, uint64_t step);

/* Takes in the loss of a finished epoch: of validation, or of training where there is none; equal on all ranks.
 * plateau: a loss below the best by more than min_delta is the new best; lr_patience epochs after that, or after the
 * last fall, the factor is multiplied by lr_gamma. */
void schedule_after_epoch(const mlpd_train_options *options, double loss, schedule_state *state);

#endif
