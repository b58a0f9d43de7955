/* A dense layer in numbers: Z = H W + B, H = A(Z), and their derivatives. */
#include <math.h>

#include "program/explain.h"

enum { NAME = 16, FORMULA = 80 };

static bool is_last(const explain_lesson *lesson, uint32_t l) { return l + 1 == lesson->num_layers; }

static const char *activation_name(const explain_lesson *lesson, uint32_t l) {
  return mlpd_choice_name(mlpd_activation_choices, (int)lesson->activations[l]);
}

/* What comes out of layer l: Yhat of the last, H1 of the first of several. */
static const char *output_name(const explain_lesson *lesson, uint32_t l, char name[NAME]) {
  (void)snprintf(name, NAME, is_last(lesson, l) ? "Yhat" : "H%u", l + 1);
  return name;
}

static const char *input_name(const explain_lesson *lesson, uint32_t l, char name[NAME]) {
  if (l > 0) return output_name(lesson, l - 1, name);
  (void)snprintf(name, NAME, "X");
  return name;
}

static void print_samples(const explain_lesson *lesson, const char *formula, uint32_t l, const float *values,
                          FILE *stream) {
  const uint32_t columns = lesson->widths[l + 1];
  explain_print_matrix(stream, lesson->settings.digits, formula, (explain_matrix){values, lesson->n, columns, columns});
}

static void print_parameters(const explain_lesson *lesson, const char *weights, const char *biases,
                             const mlpd_layer_view *layer, FILE *stream) {
  const uint64_t digits = lesson->settings.digits;
  explain_print_matrix(stream, digits, weights,
                       (explain_matrix){layer->weight, layer->inputs, layer->outputs, layer->weight_stride});
  if (biases != NULL)
    explain_print_matrix(stream, digits, biases, (explain_matrix){layer->bias, 1, layer->outputs, layer->outputs});
}

void explain_dense_start(const explain_lesson *lesson, const explain_step *step, uint32_t l, FILE *stream) {
  char weights[FORMULA], biases[FORMULA];
  const mlpd_layer_view layer = mlpd_network_layer(step->before, l);
  (void)snprintf(weights, sizeof weights, "W%u  weights of layer %u%s", l + 1, l + 1, lesson->drawn ? ", drawn" : "");
  (void)snprintf(biases, sizeof biases, "B%u  biases", l + 1);
  print_parameters(lesson, weights, biases, &layer, stream);
}

void explain_dense_forward(const explain_lesson *lesson, const explain_step *step, uint32_t l, FILE *stream) {
  char formula[FORMULA], input[NAME], output[NAME];
  (void)snprintf(formula, sizeof formula, "Z%u = %s W%u + B%u", l + 1, input_name(lesson, l, input), l + 1, l + 1);
  print_samples(lesson, formula, l, step->trace.z[l], stream);
  (void)snprintf(formula, sizeof formula, "%s = %s(Z%u)", output_name(lesson, l, output), activation_name(lesson, l),
                 l + 1);
  print_samples(lesson, formula, l, step->trace.a[l], stream);
}

/* dC/dYhat of a loss, as text; NULL: in general terms. */
static const char *loss_slope(mlpd_loss loss) {
  switch (loss) {
    case MLPD_MSE:
      return "(Yhat - Y)";
    case MLPD_MSE_MEAN:
      return "2/K (Yhat - Y)";
    case MLPD_MAE:
      return "sign(Yhat - Y)";
    case MLPD_HUBER:
      return "clip(Yhat - Y, -1, 1)";
    case MLPD_QUANTILE:
      return "sign(Yhat - Y) / 2";
    default:
      return NULL;
  }
}

static bool targets_sum_to_one(const explain_lesson *lesson) {
  for (uint64_t i = 0; i < lesson->n; i++) {
    double sum = 0;
    for (uint32_t k = 0; k < lesson->outputs; k++) sum += (double)lesson->y.values[i * lesson->outputs + k];
    if (fabs(sum - 1) > 1e-6) return false;
  }
  return true;
}

/* delta of the output layer. Cross-entropies need no A': it cancels. */
static void output_delta(const explain_lesson *lesson, uint32_t l, char formula[FORMULA]) {
  const mlpd_loss loss = lesson->settings.train.loss;
  const char *const slope = loss_slope(loss);
  if (loss == MLPD_CROSS_ENTROPY && !targets_sum_to_one(lesson))
    (void)snprintf(formula, FORMULA, "delta%u = s Yhat - Y, s = row sums of Y", l + 1);
  else if (loss == MLPD_CROSS_ENTROPY || loss == MLPD_BINARY_CROSS_ENTROPY || loss == MLPD_POISSON)
    (void)snprintf(formula, FORMULA, "delta%u = Yhat - Y", l + 1);
  else if (lesson->activations[l] == MLPD_SOFTMAX)
    (void)snprintf(formula, FORMULA, "delta%u = %s J, J = dYhat/dZ%u", l + 1, slope != NULL ? slope : "dC/dYhat",
                   l + 1);
  else
    (void)snprintf(formula, FORMULA, "delta%u = %s o %s'(Z%u)", l + 1, slope != NULL ? slope : "dC/dYhat",
                   activation_name(lesson, l), l + 1);
}

void explain_dense_backward(const explain_lesson *lesson, const explain_step *step, uint32_t l, FILE *stream) {
  char formula[FORMULA];
  if (is_last(lesson, l))
    output_delta(lesson, l, formula);
  else
    (void)snprintf(formula, sizeof formula, "delta%u = (delta%u W%u^T) o %s'(Z%u)", l + 1, l + 2, l + 2,
                   activation_name(lesson, l), l + 1);
  print_samples(lesson, formula, l, step->trace.delta[l], stream);
}

void explain_dense_gradients(const explain_lesson *lesson, const explain_step *step, uint32_t l, FILE *stream) {
  char formula[FORMULA], input[NAME];
  const uint64_t digits = lesson->settings.digits;
  const uint32_t inputs = lesson->widths[l], outputs = lesson->widths[l + 1];
  (void)snprintf(formula, sizeof formula, "dC/dW%u = %s^T delta%u", l + 1, input_name(lesson, l, input), l + 1);
  explain_print_matrix(stream, digits, formula,
                       (explain_matrix){step->trace.weight_gradient[l], inputs, outputs, outputs});
  (void)snprintf(formula, sizeof formula, "dC/dB%u = column sums of delta%u", l + 1, l + 1);
  explain_print_matrix(stream, digits, formula, (explain_matrix){step->trace.bias_gradient[l], 1, outputs, outputs});
}

void explain_dense_update(const explain_lesson *lesson, const explain_step *step, uint32_t l, FILE *stream) {
  char weights[FORMULA], biases[FORMULA];
  const mlpd_layer_view layer = mlpd_network_layer(step->after, l);
  const bool all = lesson->settings.update == EXPLAIN_UPDATE_ALL;
  (void)snprintf(weights, sizeof weights, "W%u <- W%u - eta dC/dW%u", l + 1, l + 1, l + 1);
  (void)snprintf(biases, sizeof biases, "B%u <- B%u - eta dC/dB%u", l + 1, l + 1, l + 1);
  print_parameters(lesson, weights, all ? biases : NULL, &layer, stream);
}
