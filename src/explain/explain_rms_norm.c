/* RMS norm in numbers: Uhat = U / s, Z = gain o Uhat, with s = sqrt(mean of U^2 + 1e-5) of each row. */
#include <math.h>

#include "explain/explain_kind.h"
#include "explain/explain_update.h"

static const double EPSILON = 1e-5; /* the library's */

typedef struct row_values {
  const explain_page *page;
  const float *u, *delta, *gain;
  uint32_t l, columns;
} row_values;

static row_values values_of(const explain_page *page, uint32_t l) {
  return (row_values){.page = page,
                      .l = l,
                      .u = explain_input(page, l),
                      .delta = page->step->trace.delta[l],
                      .gain = explain_tensor(page->step->before, l, "gain").values,
                      .columns = explain_layer(page, l).outputs};
}

/* Element (i, j) of the page, in the trace. */
static uint64_t place_of(const row_values *v, uint64_t i, uint32_t j) {
  return explain_row(v->page, v->l, i) * v->columns + j;
}

static double root_at(const void *context, uint64_t i, uint32_t j) {
  const row_values *const v = context;
  double squares = 0;
  (void)j;
  for (uint32_t e = 0; e < v->columns; e++) squares += pow((double)v->u[place_of(v, i, e)], 2);
  return sqrt(squares / v->columns + EPSILON);
}

static double hat_at(const void *context, uint64_t i, uint32_t j) {
  const row_values *const v = context;
  return (double)v->u[place_of(v, i, j)] / root_at(v, i, j);
}

static double scaled_at(const void *context, uint64_t i, uint32_t j) {
  const row_values *const v = context;
  return (double)v->delta[place_of(v, i, j)] * (double)v->gain[j];
}

static double mean_product_at(const void *context, uint64_t i, uint32_t j) {
  const row_values *const v = context;
  double sum = 0;
  (void)j;
  for (uint32_t e = 0; e < v->columns; e++) sum += scaled_at(v, i, e) * hat_at(v, i, e);
  return sum / v->columns;
}

static void print_values(const row_values *v, const char *formula, uint32_t columns, explain_value *value) {
  explain_print_values(v->page->stream, v->page->lesson->settings.digits, formula, explain_rows(v->page, v->l), columns,
                       value, v);
}

static void print_start(const explain_page *page, uint32_t l) {
  char formula[EXPLAIN_FORMULA];
  const uint32_t d = explain_layer_number(page, l);
  (void)snprintf(formula, sizeof formula, "gain%u  of the norm of layer %u", d, d);
  explain_print(page, formula, explain_tensor(page->step->before, l, "gain"));
}

static void print_forward(const explain_page *page, uint32_t l) {
  char formula[EXPLAIN_FORMULA];
  const uint32_t d = explain_layer_number(page, l);
  const row_values v = values_of(page, l);
  (void)snprintf(formula, sizeof formula, "s%u = sqrt(row means of U%u o U%u + 1e-5)", d, d, d);
  print_values(&v, formula, 1, root_at);
  (void)snprintf(formula, sizeof formula, "Uhat%u = U%u / s%u", d, d, d);
  print_values(&v, formula, v.columns, hat_at);
  (void)snprintf(formula, sizeof formula, "Z%u = gain%u o Uhat%u", d, d, d);
  explain_print_samples(page, formula, l, page->step->trace.z[l]);
  (void)snprintf(formula, sizeof formula, "H%u = %s(Z%u)", d, explain_activation_name(page, l), d);
  explain_print_samples(page, formula, l, page->step->trace.a[l]);
}

static void pull(const explain_page *page, uint32_t l, char formula[EXPLAIN_FORMULA]) {
  const uint32_t d = explain_layer_number(page, l);
  const row_values v = values_of(page, l);
  (void)snprintf(formula, EXPLAIN_FORMULA, "G%u = delta%u o gain%u", d, d, d);
  print_values(&v, formula, v.columns, scaled_at);
  (void)snprintf(formula, EXPLAIN_FORMULA, "q%u = row means of G%u o Uhat%u", d, d, d);
  print_values(&v, formula, 1, mean_product_at);
  (void)snprintf(formula, EXPLAIN_FORMULA, "((G%u - q%u Uhat%u) / s%u)", d, d, d, d);
}

static void print_gradients(const explain_page *page, uint32_t l) {
  char formula[EXPLAIN_FORMULA];
  const uint32_t d = explain_layer_number(page, l);
  (void)snprintf(formula, sizeof formula, "dC/dgain%u = column sums of delta%u o Uhat%u", d, d, d);
  explain_print(page, formula, explain_gradient(page, l, "gain"));
}

static void print_update(const explain_page *page, uint32_t l) {
  char name[EXPLAIN_NAME];
  (void)snprintf(name, sizeof name, "gain%u", explain_layer_number(page, l));
  explain_update_tensor(page, &(explain_updated){.name = name, .layer = l, .tensor = "gain", .rate = 1});
}

const explain_kind explain_rms_norm = {.name = "rms-norm",
                                       .start = print_start,
                                       .forward = print_forward,
                                       .pull = pull,
                                       .gradients = print_gradients,
                                       .update = print_update};
