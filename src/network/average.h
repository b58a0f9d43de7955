/* Averages of the weights. Nothing here is collective. */
#ifndef MLPDIST_AVERAGE_H
#define MLPDIST_AVERAGE_H

#include "mlpdist.h"

/* The rate of the update average += rate (weights - average).
 *
 * ema: after each step (from 1), 1 - min(D, (1 + step) / (10 + step)), as in tf.train.ExponentialMovingAverage: the
 * decay rises with the steps, so that the initial weights are soon forgotten.
 * swa: after each epoch from `start` on, 1 / (epoch - start + 1), so that the average is the mean of these weights
 * (Izmailov et al. 2018). */
double average_ema_rate(double ema, uint64_t step);
double average_swa_rate(uint64_t start, uint64_t epoch);

#endif
