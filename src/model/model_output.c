#include "model/model_output.h"

#include <math.h>

#include "base/locale.h"
#include "base/portable.h"

/* Levels of a normal distribution, and its quantiles there. */
static const double NORMAL_LEVELS[] = {0.05, 0.25, 0.5, 0.75, 0.95};
static const double NORMAL_QUANTILES[] = {-1.6448536269514722, -0.6744897501960817, 0, 0.6744897501960817,
                                          1.6448536269514722};
enum { NUM_NORMAL_LEVELS = sizeof NORMAL_LEVELS / sizeof *NORMAL_LEVELS };

uint32_t model_targets(const mlpd_model *model) {
  return model->task == MLPD_REGRESSION ? model->target.columns : network_output(model->network)->outputs;
}

static bool is_log_variance(const mlpd_model *model, uint32_t k) {
  return model->loss.kind == MLPD_GAUSSIAN && k % 2 == 1;
}

static double deviation_of(double log_variance) {
  const double half = 0.5 * log_variance;
  return half <= 0 ? portable_exp(half) : 1 / portable_exp(-half);
}

double model_output_value(const mlpd_model *model, uint32_t k, double value) {
  const uint32_t target = k / loss_outputs(&model->loss);
  if (is_log_variance(model, k)) return deviation_of(value) / model->target.scale[target];
  const double mapped = affine_map_back(&model->target, target, value);
  if (model->least == NULL) return mapped;
  return mapped < model->least[target]  ? model->least[target]
         : mapped > model->most[target] ? model->most[target]
                                        : mapped;
}

double model_output_unit(const mlpd_model *model, uint32_t k) {
  return 1 / model->target.scale[k / loss_outputs(&model->loss)];
}

double model_output_slope(const mlpd_model *model, uint32_t k, double value) {
  if (is_log_variance(model, k)) return 0.5 * deviation_of(value);
  const float output = (float)value;
  return loss_clamp(&model->loss, k / loss_outputs(&model->loss), output) == output ? 1 : 0;
}

double model_output_spread(const mlpd_model *model, const workspace *space, uint64_t row, uint32_t k) {
  const uint32_t members = network_members(model->network), outputs = network_output(model->network)->outputs;
  const float *const a = space->a[space->num_layers - 1] + row * members * outputs + k;
  const bool is_scaled = model->task == MLPD_REGRESSION;
  double mean = 0, squares = 0;
  for (int pass = 0; pass < 2; pass++)
    for (uint32_t m = 0; m < members; m++) {
      const double own = (double)a[(size_t)m * outputs], value = is_scaled ? model_output_value(model, k, own) : own;
      if (pass == 0) mean += value / members;
      if (pass == 1) squares += (value - mean) * (value - mean);
    }
  return sqrt(squares / (members - 1));
}

void model_output_name(const mlpd_model *model, uint32_t k, char text[MODEL_OUTPUT_BYTES]) {
  const uint32_t each = loss_outputs(&model->loss), target = k / each;
  const bool named = target < model->names.targets.count;
  char end[40] = "";
  if (model->loss.kind == MLPD_QUANTILE)
    (void)snprintf(end, sizeof end, "_q%g", (double)model->loss.quantiles[k % each]);
  if (is_log_variance(model, k)) (void)snprintf(end, sizeof end, "_deviation");
  (void)snprintf(text, MODEL_OUTPUT_BYTES, "%s%.300s%s", named ? "" : "value_", mlpd_model_target_name(model, target),
                 end);
}

void mlpd_model_output_name(const mlpd_model *model, uint32_t k, char *text, size_t bytes) {
  IN_C_LOCALE();
  char name[MODEL_OUTPUT_BYTES] = "";
  const bool is_classes = model->task == MLPD_CLASSIFICATION;
  const bool is_single = network_output(model->network)->outputs == 1;
  if (!is_classes) model_output_name(model, k, name);
  (void)snprintf(text, bytes, "%s", is_classes ? mlpd_model_class_name(model, is_single ? 1 : k) : name);
}

uint32_t model_num_levels(const mlpd_model *model) {
  return model->loss.kind == MLPD_GAUSSIAN ? NUM_NORMAL_LEVELS : model->loss.num_quantiles;
}

double model_level(const mlpd_model *model, uint32_t q) {
  return model->loss.kind == MLPD_GAUSSIAN ? NORMAL_LEVELS[q] : (double)model->loss.quantiles[q];
}

double model_quantile(const mlpd_model *model, uint32_t target, uint32_t q, const float *a) {
  if (model->loss.kind != MLPD_GAUSSIAN) return (double)loss_clamp(&model->loss, target, a[q]);
  return (double)a[0] + NORMAL_QUANTILES[q] * deviation_of((double)a[1]);
}
