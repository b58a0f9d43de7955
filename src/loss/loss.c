#include "loss/loss.h"

#include <math.h>

#include "kernels/activation.h"
#include "loss/loss_kind.h"

static const loss_kind KINDS[MLPD_NUM_LOSSES] = {
    [MLPD_MSE] = {.rows = loss_residual},
    [MLPD_MSE_MEAN] = {.rows = loss_residual},
    [MLPD_CROSS_ENTROPY] = {.rows = loss_cross_entropy,
                            .slope_in_z = true,
                            .needs_output = true,
                            .output = MLPD_SOFTMAX},
    [MLPD_BINARY_CROSS_ENTROPY] = {.rows = loss_binary_cross_entropy,
                                   .slope_in_z = true,
                                   .needs_output = true,
                                   .output = MLPD_SIGMOID},
    [MLPD_MAE] = {.rows = loss_residual},
    [MLPD_HUBER] = {.rows = loss_residual},
    [MLPD_QUANTILE] = {.rows = loss_quantile, .values_only = true, .per_quantile = true},
    [MLPD_POISSON] =
        {.rows = loss_poisson, .slope_in_z = true, .values_only = true, .needs_output = true, .output = MLPD_EXP},
    [MLPD_GAUSSIAN] =
        {.rows = loss_gaussian, .values_only = true, .per_target = 2, .needs_output = true, .output = MLPD_IDENTITY},
    [MLPD_LOG_COSH] = {.rows = loss_log_cosh},
};

loss_spec loss_plain(mlpd_loss kind) {
  return (loss_spec){.kind = kind, .num_quantiles = kind == MLPD_QUANTILE, .quantiles = {0.5f}};
}

bool loss_needs_values(mlpd_loss loss) { return KINDS[loss].values_only; }

uint32_t loss_outputs(const loss_spec *loss) {
  const loss_kind *const kind = &KINDS[loss->kind];
  return kind->per_quantile ? loss->num_quantiles : kind->per_target > 0 ? kind->per_target : 1;
}

mlpd_status loss_check(mlpd_loss loss, mlpd_activation output) {
  const char *const activation_name = mlpd_choice_name(mlpd_activation_choices, (int)output);
  const char *const loss_name = mlpd_choice_name(mlpd_loss_choices, (int)loss);
  if ((int)loss <= MLPD_LOSS_AUTO || loss >= MLPD_NUM_LOSSES)
    return FAIL(MLPD_ERROR_USAGE, "loss %s (%d) does not say which loss to compute", loss_name, (int)loss);
  if ((int)output < 0 || output >= MLPD_NUM_ACTIVATIONS)
    return FAIL(MLPD_ERROR_USAGE, "output activation %d does not exist", (int)output);
  const loss_kind *const kind = &KINDS[loss];
  if (output == MLPD_SOFTMAX && kind->values_only)
    return FAIL(MLPD_ERROR_USAGE, "loss %s is for values, and output activation softmax for classes", loss_name);
  if (kind->needs_output && output != kind->output)
    return FAIL(MLPD_ERROR_USAGE, "loss %s needs output activation %s, not %s", loss_name,
                mlpd_choice_name(mlpd_activation_choices, (int)kind->output), activation_name);
  return MLPD_OK;
}

mlpd_activation loss_default_activation(mlpd_loss loss, mlpd_task task) {
  if (KINDS[loss].needs_output) return KINDS[loss].output;
  return task == MLPD_CLASSIFICATION && !KINDS[loss].values_only ? MLPD_SOFTMAX : MLPD_IDENTITY;
}

static targets targets_from(const targets *y, uint64_t first, uint32_t num_targets) {
  return (targets){.classes = y->classes != NULL ? y->classes + first : NULL,
                   .values = y->values != NULL ? y->values + first * num_targets : NULL,
                   .weights = y->weights != NULL ? y->weights + first : NULL};
}

/* A block's rows, weighted. */
static void weigh(const loss_block *b, const loss_values *values, loss_sums *rows) {
  const bool classes = b->y.classes != NULL;
  for (uint32_t i = 0; i < b->n; i++) {
    const double weight = (double)loss_weight(b, i);
    const int32_t class = classes ? b->y.classes[i] : 0;
    const bool correct = classes && (b->k == 1 ? (b->a[i] > 0.5f) == (class == 1) : values->best[i] == class);
    rows[i] = (loss_sums){.loss = weight * values->loss[i],
                          .weight = weight,
                          .correct = correct ? weight : 0,
                          .square = classes ? 0 : weight * values->square[i] * 2};
  }
}

/* The squares of errors of clamped predictions, in place of the others. */
static void clamp_squares(const loss_block *b, loss_values *values) {
  const uint32_t each = loss_outputs(b->loss), point = loss_point(b->loss);
  for (uint32_t i = 0; i < b->n; i++) {
    const float *const a = b->a + (size_t)i * b->k, *const y = b->y.values + (size_t)i * b->num_targets;
    double square = 0;
    for (uint32_t j = 0; j < b->num_targets; j++) {
      const double error = (double)loss_clamp(b->loss, j, a[j * each + point]) - (double)y[j];
      square += error * error;
    }
    values->square[i] = 0.5 * square;
  }
}

void loss_rows(const loss_spec *loss, mlpd_activation output, uint64_t n, uint32_t k, const float *z, const float *a,
               const targets *y, float *delta, loss_sums *rows) {
  const loss_kind *const kind = &KINDS[loss->kind];
  const uint32_t num_targets = k / loss_outputs(loss);
  for (uint64_t first = 0; first < n; first += LOSS_ROWS) {
    const size_t place = first * k;
    const loss_block b = {.loss = loss,
                          .n = n - first < LOSS_ROWS ? (uint32_t)(n - first) : LOSS_ROWS,
                          .k = k,
                          .num_targets = num_targets,
                          .z = z + place,
                          .a = a + place,
                          .y = targets_from(y, first, num_targets),
                          .delta = delta != NULL ? delta + place : NULL};
    loss_values values;
    kind->rows(&b, &values);
    if (loss->least != NULL && b.y.classes == NULL) clamp_squares(&b, &values);
    weigh(&b, &values, rows + first);
  }
  if (delta == NULL || kind->slope_in_z) return;
  if (output == MLPD_SOFTMAX)
    softmax_backward(n, k, a, delta);
  else
    activation_backward(output, n, k, k, z, a, delta);
}

void loss_add(uint64_t n, const loss_sums *rows, loss_sums *sums) {
  for (uint64_t i = 0; i < n; i++) {
    sums->loss += rows[i].loss;
    sums->weight += rows[i].weight;
    sums->correct += rows[i].correct;
    sums->square += rows[i].square;
  }
}

void loss_compute(const loss_spec *loss, mlpd_activation output, uint64_t n, uint32_t k, const float *z, const float *a,
                  const targets *y, float *delta, loss_sums *sums) {
  enum { MOST = 8 * LOSS_ROWS };
  loss_sums rows[MOST];
  for (uint64_t first = 0; first < n; first += MOST) {
    const uint64_t count = n - first < MOST ? n - first : MOST;
    const size_t place = first * k;
    const targets those = targets_from(y, first, k / loss_outputs(loss));
    loss_rows(loss, output, count, k, z + place, a + place, &those, delta != NULL ? delta + place : NULL, rows);
    loss_add(count, rows, sums);
  }
}
