/* A dense layer in numbers: Z = H W + B, H = A(Z), and their derivatives. Before a norm, which has a Z of its own, the
 * product is U, without an activation; before a batch norm there are no biases. */
#include "explain/explain_kind.h"
#include "explain/explain_update.h"

static bool has_bias(const explain_page *page, uint32_t l) { return explain_layer(page, l).bias != NULL; }

static void print_start(const explain_page *page, uint32_t l) {
  char formula[EXPLAIN_FORMULA];
  const uint32_t number = explain_layer_number(page, l);
  (void)snprintf(formula, sizeof formula, "W%u  weights of layer %u%s", number, number,
                 page->lesson->drawn && page->lesson->settings.shown == 1 ? ", drawn" : "");
  explain_print(page, formula, explain_tensor(page->step->before, l, "weight"));
  if (!has_bias(page, l)) return;
  (void)snprintf(formula, sizeof formula, "B%u  biases", number);
  explain_print(page, formula, explain_tensor(page->step->before, l, "bias"));
}

static void print_forward(const explain_page *page, uint32_t l) {
  char formula[EXPLAIN_FORMULA], input[EXPLAIN_NAME], output[EXPLAIN_NAME], bias[EXPLAIN_NAME] = "";
  const uint32_t number = explain_layer_number(page, l);
  const bool is_normed = explain_is_normed(page, l);
  if (has_bias(page, l)) (void)snprintf(bias, sizeof bias, " + B%u", number);
  (void)snprintf(formula, sizeof formula, "%c%u = %s W%u%s", is_normed ? 'U' : 'Z', number,
                 explain_input_name(page, l, input), number, bias);
  explain_print_samples(page, formula, l, page->step->trace.z[l]);
  if (is_normed) return;
  (void)snprintf(formula, sizeof formula, "%s = %s(Z%u)", explain_output_name(page, l, output),
                 explain_activation_name(page, l), number);
  explain_print_samples(page, formula, l, page->step->trace.a[l]);
}

static void pull(const explain_page *page, uint32_t l, char formula[EXPLAIN_FORMULA]) {
  char delta[EXPLAIN_NAME];
  (void)snprintf(formula, EXPLAIN_FORMULA, "(%s W%u^T)", explain_delta_name(page, l, delta),
                 explain_layer_number(page, l));
}

static void print_gradients(const explain_page *page, uint32_t l) {
  char formula[EXPLAIN_FORMULA], input[EXPLAIN_NAME], delta[EXPLAIN_NAME];
  const uint32_t number = explain_layer_number(page, l);
  (void)explain_delta_name(page, l, delta);
  (void)snprintf(formula, sizeof formula, "dC/dW%u = %s^T %s", number, explain_input_name(page, l, input), delta);
  explain_print(page, formula, explain_gradient(page, l, "weight"));
  if (!has_bias(page, l)) return;
  (void)snprintf(formula, sizeof formula, "dC/dB%u = column sums of %s", number, delta);
  explain_print(page, formula, explain_gradient(page, l, "bias"));
}

static void print_update(const explain_page *page, uint32_t l) { explain_update_weights(page, l, has_bias(page, l)); }

const explain_kind explain_dense = {"dense", print_start, print_forward, pull, print_gradients, print_update};
