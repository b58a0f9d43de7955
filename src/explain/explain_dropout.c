/* Dropout in numbers: D = F o H, F the factors, 0 or 1 / (1 - p). */
#include "explain/explain_kind.h"

static const char *factor_name(const explain_page *page, uint32_t l, char name[EXPLAIN_NAME]) {
  const uint32_t number = explain_layer_number(page, l);
  if (number == 0)
    (void)snprintf(name, EXPLAIN_NAME, "F");
  else
    (void)snprintf(name, EXPLAIN_NAME, "F%u", number);
  return name;
}

static void print_forward(const explain_page *page, uint32_t l) {
  char formula[EXPLAIN_FORMULA], factor[EXPLAIN_NAME], input[EXPLAIN_NAME], output[EXPLAIN_NAME];
  const uint64_t values = explain_rows(page, l) * explain_layer(page, l).outputs;
  float kept = 0;
  for (uint64_t i = 0; i < values && kept == 0; i++) kept = page->step->trace.z[l][i];
  if (kept > 0)
    (void)snprintf(formula, sizeof formula, "%s  dropped: 0, kept: 1/(1 - p) = %.4g", factor_name(page, l, factor),
                   (double)kept);
  else
    (void)snprintf(formula, sizeof formula, "%s  all are dropped: 0", factor_name(page, l, factor));
  explain_print_samples(page, formula, l, page->step->trace.z[l]);
  (void)snprintf(formula, sizeof formula, "%s = %s o %s", explain_output_name(page, l, output), factor,
                 explain_input_name(page, l, input));
  explain_print_samples(page, formula, l, page->step->trace.a[l]);
}

static void pull(const explain_page *page, uint32_t l, char formula[EXPLAIN_FORMULA]) {
  char factor[EXPLAIN_NAME], delta[EXPLAIN_NAME];
  (void)snprintf(formula, EXPLAIN_FORMULA, "(%s o %s)", factor_name(page, l, factor),
                 explain_delta_name(page, l, delta));
}

const explain_kind explain_dropout = {.name = "dropout", .forward = print_forward, .pull = pull};
