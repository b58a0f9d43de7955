/* Dense layers of members in numbers: Z[k] = H[k] W[k] + B[k], with weights and biases of each member k. W has the
 * members' matrices one below the other, B a row for each. */
#include "explain/explain_kind.h"
#include "explain/explain_update.h"

static void print_start(const explain_page *page, uint32_t l) {
  char formula[EXPLAIN_FORMULA];
  const uint32_t number = explain_layer_number(page, l);
  (void)snprintf(formula, sizeof formula, "W%u  weights of layer %u, of each member", number, number);
  explain_print(page, formula, explain_tensor(page->step->before, l, "weight"));
  (void)snprintf(formula, sizeof formula, "B%u  biases of each member", number);
  explain_print(page, formula, explain_tensor(page->step->before, l, "bias"));
}

static void print_forward(const explain_page *page, uint32_t l) {
  char formula[EXPLAIN_FORMULA], input[EXPLAIN_NAME], output[EXPLAIN_NAME];
  const uint32_t number = explain_layer_number(page, l);
  (void)snprintf(formula, sizeof formula, "Z%u = %s[k] W%u[k] + B%u[k]", number, explain_input_name(page, l, input),
                 number, number);
  explain_print_samples(page, formula, l, page->step->trace.z[l]);
  (void)snprintf(formula, sizeof formula, "%s = %s(Z%u)", explain_output_name(page, l, output),
                 explain_activation_name(page, l), number);
  explain_print_samples(page, formula, l, page->step->trace.a[l]);
}

static void pull(const explain_page *page, uint32_t l, char formula[EXPLAIN_FORMULA]) {
  const uint32_t number = explain_layer_number(page, l);
  (void)snprintf(formula, EXPLAIN_FORMULA, "(delta%u[k] W%u[k]^T)", number, number);
}

static void print_gradients(const explain_page *page, uint32_t l) {
  char formula[EXPLAIN_FORMULA], input[EXPLAIN_NAME];
  const uint32_t number = explain_layer_number(page, l);
  (void)snprintf(formula, sizeof formula, "dC/dW%u = %s[k]^T delta%u[k]", number, explain_input_name(page, l, input),
                 number);
  explain_print(page, formula, explain_gradient(page, l, "weight"));
  (void)snprintf(formula, sizeof formula, "dC/dB%u = column sums of delta%u[k]", number, number);
  explain_print(page, formula, explain_gradient(page, l, "bias"));
}

static void print_update(const explain_page *page, uint32_t l) { explain_update_weights(page, l, true); }

const explain_kind explain_heads = {"heads", print_start, print_forward, pull, print_gradients, print_update};
