/* Losses: value and output error delta_L = C'(a) o A'(z), fused with softmax or sigmoid if the loss allows it. Nothing
 * here is collective. */
#ifndef MLPDIST_LOSS_H
#define MLPDIST_LOSS_H

#include "base/status.h"

/* Targets of n samples: classes (n) in [0, outputs) for classification (a one-hot row each), else values
 * (n, outputs / loss_outputs). */
typedef struct targets {
  const int32_t *classes;
  const float *values;
  const float *weights; /* (n), or NULL for 1 each */
  const uint8_t *folds; /* (n): the member that does not learn from the row; NULL: all learn. Of ensemble.h alone */
} targets;

/* Sums over samples, from which loss and metrics are computed. */
typedef struct loss_sums {
  double loss;    /* sum of w_i loss_i */
  double weight;  /* sum of w_i */
  double correct; /* classification: sum of w_i where argmax a (lowest index on ties) is the class */
  double square;  /* regression: sum of w_i sum_k (a_ik - y_ik)^2, in scaled targets; a: see loss_point */
} loss_sums;

enum { LOSS_MOST_QUANTILES = 32 };

/* A loss with its parameters. */
typedef struct loss_spec {
  mlpd_loss kind;
  float smoothing;        /* E of cross-entropies: a target y counts as (1 - E) y + E / outputs (binary: E / 2) */
  float gamma;            /* of the focal form of cross-entropies; 0: plain */
  uint32_t num_quantiles; /* of MLPD_QUANTILE, rising */
  float quantiles[LOSS_MOST_QUANTILES];
  const float *least, *most;  /* (targets) in scaled targets, borrowed: predictions are clamped to these when errors are
                                 measured (loss_sums.square), though not in the loss itself; NULL: they are not */
  const float *class_weights; /* (outputs), borrowed, or NULL for 1 each: factors of the weights of rows by class */
} loss_spec;

loss_spec loss_plain(mlpd_loss kind); /* parameters as if no option were given */

/* "0.1,0.5,0.9" as quantiles of loss; where ("--quantiles") begins the message of a failure. */
mlpd_status loss_read_quantiles(const char *where, const char *text, loss_spec *loss);

/* Are targets values with this loss, never classes? */
bool loss_needs_values(mlpd_loss loss);

/* Outputs of the network for each target value: 1, or as many as the loss takes. They lie together. */
uint32_t loss_outputs(const loss_spec *loss);

/* Which of them is the prediction that errors are measured of: the mean, or the quantile nearest to 1/2. */
uint32_t loss_point(const loss_spec *loss);

/* A prediction of a target, clamped if the loss says so. */
static inline float loss_clamp(const loss_spec *loss, uint32_t target, float prediction) {
  if (loss->least == NULL) return prediction;
  if (prediction < loss->least[target]) return loss->least[target];
  return prediction > loss->most[target] ? loss->most[target] : prediction; /* NaN stays */
}

/* The loss that options with settled task and loss ask for; class weights are left out. MLPD_ERROR_USAGE where a
 * parameter does not belong to the loss. */
mlpd_status loss_of_options(const mlpd_train_options *options, loss_spec *made);

/* The loss in words, "cross-entropy, label smoothing 0.1", in text. */
enum { LOSS_TEXT_BYTES = 160 };
void loss_describe(const loss_spec *loss, char text[LOSS_TEXT_BYTES]);

/* Is this pair of loss and output activation defined, and is loss not MLPD_LOSS_AUTO? The message of MLPD_ERROR_USAGE
 * names the activations that are. */
mlpd_status loss_check(mlpd_loss loss, mlpd_activation output);

/* Output activation that belongs to a loss: softmax for cross-entropy, sigmoid for binary cross-entropy,
 * softmax for other losses on classes, identity on values. */
mlpd_activation loss_default_activation(mlpd_loss loss, mlpd_task task);

/* For n samples with weighted inputs z and outputs a, both (n, k): adds to *sums, row after row in double,
 * and, where delta is not NULL, writes delta (n, k) = w_i dloss_i/dz_i. cross-entropy and
 * binary-cross-entropy read z and are stable for any z; with target values cross-entropy is
 * -sum_k y_k log softmax(z)_k, whatever the sum of y. mae has derivative 0 at 0. For a single output with
 * classes 0/1 (binary), the class is the target value itself and the prediction is a > 1/2. If an
 * input is not a finite number, the loss is not finite either. delta must not overlap z or a. */
void loss_compute(const loss_spec *loss, mlpd_activation output, uint64_t n, uint32_t k, const float *z, const float *a,
                  const targets *y, float *delta, loss_sums *sums);

/* The same in two parts, for rows of one sum computed by several threads: the sums of each row, rows (n), and their
 * addition. */
void loss_rows(const loss_spec *loss, mlpd_activation output, uint64_t n, uint32_t k, const float *z, const float *a,
               const targets *y, float *delta, loss_sums *rows);
void loss_add(uint64_t n, const loss_sums *rows, loss_sums *sums);

#endif
