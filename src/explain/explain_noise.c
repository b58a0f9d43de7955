/* Noise on the inputs in numbers: Xn = X + E, E drawn from N(0, s^2). */
#include "explain/explain_kind.h"

/* Of a layer of noise. */
typedef struct noise_values {
  const float *before, *after; /* (n, columns) */
  uint32_t columns;
} noise_values;

static double noise_at(const void *context, uint64_t i, uint32_t j) {
  const noise_values *const of = context;
  const uint64_t at = i * of->columns + j;
  return (double)of->after[at] - (double)of->before[at];
}

static void print_forward(const explain_page *page, uint32_t l) {
  char formula[EXPLAIN_FORMULA], input[EXPLAIN_NAME], output[EXPLAIN_NAME];
  const noise_values of = {explain_input(page, l), page->step->trace.a[l], explain_layer(page, l).outputs};
  (void)snprintf(formula, sizeof formula, "E  noise, drawn from N(0, %g^2)", page->lesson->settings.train.input_noise);
  (page->lesson->categories != NULL ? explain_print_folded : explain_print_values)(
      page->stream, page->lesson->settings.digits, formula, page->lesson->n, of.columns, noise_at, &of);
  (void)snprintf(formula, sizeof formula, "%s = %s + E", explain_output_name(page, l, output),
                 explain_input_name(page, l, input));
  explain_print_samples(page, formula, l, page->step->trace.a[l]);
}

static void pull(const explain_page *page, uint32_t l, char formula[EXPLAIN_FORMULA]) {
  char delta[EXPLAIN_NAME];
  (void)snprintf(formula, EXPLAIN_FORMULA, "(%s)", explain_delta_name(page, l, delta));
}

const explain_kind explain_noise = {.name = "noise", .forward = print_forward, .pull = pull};
