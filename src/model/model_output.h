/* What each output of a network says about the targets, in their units. Nothing here is collective. */
#ifndef MLPDIST_MODEL_OUTPUT_H
#define MLPDIST_MODEL_OUTPUT_H

#include "model/model.h"

/* Target values a row, or classes. */
uint32_t model_targets(const mlpd_model *model);

/* Of a regression: the value of output k where the network gives `value`, in the units of its target: a mean, a
 * quantile, or of a log-variance the standard deviation; and the derivative of that: unit * slope. slope is 1 but for
 * log-variances, and 0 where a value is clamped. */
double model_output_value(const mlpd_model *model, uint32_t k, double value);
double model_output_unit(const mlpd_model *model, uint32_t k);
double model_output_slope(const mlpd_model *model, uint32_t k, double value);

/* The standard deviation over the members of an ensemble of what output k says of row `row` of a forward pass, in units
 * of the target (classes: of the probability), K - 1 in the denominator. Two members at least. */
double model_output_spread(const mlpd_model *model, const workspace *space, uint64_t row, uint32_t k);

/* "price", "price_q0.9", "price_deviation", or without a name "value_0" and so on, in text. */
enum { MODEL_OUTPUT_BYTES = 400 };
void model_output_name(const mlpd_model *model, uint32_t k, char text[MODEL_OUTPUT_BYTES]);

/* The distribution that a network predicts as probabilities and quantiles of each target: as many as this (0: it
 * predicts values alone), */
enum { MODEL_MOST_LEVELS = LOSS_MOST_QUANTILES };
uint32_t model_num_levels(const mlpd_model *model);
/* the probability of level q, */
double model_level(const mlpd_model *model, uint32_t q);
/* and the quantile for it that outputs a of a target (loss_outputs) give, in scaled targets. */
double model_quantile(const mlpd_model *model, uint32_t target, uint32_t q, const float *a);

#endif
