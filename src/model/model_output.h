/* What each output of a network says about the targets, in their units. Nothing here is collective. */
#ifndef MLPDIST_MODEL_OUTPUT_H
#define MLPDIST_MODEL_OUTPUT_H

#include "model/model.h"

/* Target values a row, or classes. */
uint32_t model_targets(const mlpd_model *model);

/* For a regression: what output k says in the units of its target if the network's output is `value`: a mean, a
 * quantile, or the standard deviation of a log-variance. Its derivative by `value` is unit * slope; slope is 1 except
 * for log-variances, and 0 where the value is clamped. */
double model_output_value(const mlpd_model *model, uint32_t k, double value);
double model_output_unit(const mlpd_model *model, uint32_t k);
double model_output_slope(const mlpd_model *model, uint32_t k, double value);

/* The standard deviation of output k over the members of an ensemble, for row `row` of a forward pass, in units of the
 * target (for classes: of the probability), with K - 1 in the denominator. There are at least two members. */
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
