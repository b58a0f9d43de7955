#include "explain/explain_norm.h"

#include <math.h>
#include <string.h>

#include "explain/explain_update.h"

static const double EPSILON = 1e-5; /* the library's */

/* The matrices of a norm, and which of their elements are normalised together. */
typedef struct norm_values {
  const explain_page *page;
  uint32_t l;
  const float *u, *delta, *gain;
  uint64_t rows;
  uint32_t columns;
  bool of_rows;
} norm_values;

typedef struct group {
  uint64_t count, first, step; /* elements first, first + step, ... */
  double mean, deviation;
} group;

static norm_values values_of(const explain_page *page, uint32_t l, const char *over) {
  return (norm_values){.page = page,
                       .l = l,
                       .u = explain_input(page, l),
                       .delta = page->step->trace.delta[l],
                       .gain = explain_tensor(page->step->before, l, "gain").values,
                       .rows = explain_rows(page, l),
                       .columns = explain_layer(page, l).outputs,
                       .of_rows = strcmp(over, "row") == 0};
}

/* Element (i, j) of the page, in the trace. */
static uint64_t place_of(const norm_values *v, uint64_t i, uint32_t j) {
  return explain_row(v->page, v->l, i) * v->columns + j;
}

/* That of element (i, j). */
static group group_of(const norm_values *v, uint64_t i, uint32_t j) {
  group made = {.count = v->rows, .first = j, .step = v->columns};
  if (v->of_rows) made = (group){.count = v->columns, .first = place_of(v, i, 0), .step = 1};
  double square = 0;
  for (uint64_t e = 0; e < made.count; e++) made.mean += (double)v->u[made.first + e * made.step];
  made.mean /= (double)made.count;
  for (uint64_t e = 0; e < made.count; e++) square += pow((double)v->u[made.first + e * made.step] - made.mean, 2);
  made.deviation = sqrt(square / (double)made.count + EPSILON);
  return made;
}

static double hat(const norm_values *v, const group *of, uint64_t at) {
  return ((double)v->u[at] - of->mean) / of->deviation;
}

static double scaled(const norm_values *v, uint64_t at) {
  return (double)v->delta[at] * (double)v->gain[at % v->columns];
}

static double mean_at(const void *context, uint64_t i, uint32_t j) { return group_of(context, i, j).mean; }
static double deviation_at(const void *context, uint64_t i, uint32_t j) { return group_of(context, i, j).deviation; }

static double hat_at(const void *context, uint64_t i, uint32_t j) {
  const norm_values *const v = context;
  const group of = group_of(v, i, j);
  return hat(v, &of, place_of(v, i, j));
}

static double scaled_at(const void *context, uint64_t i, uint32_t j) {
  const norm_values *const v = context;
  return scaled(v, place_of(v, i, j));
}

static double mean_scaled_at(const void *context, uint64_t i, uint32_t j) {
  const norm_values *const v = context;
  const group of = group_of(v, i, j);
  double sum = 0;
  for (uint64_t e = 0; e < of.count; e++) sum += scaled(v, of.first + e * of.step);
  return sum / (double)of.count;
}

static double mean_product_at(const void *context, uint64_t i, uint32_t j) {
  const norm_values *const v = context;
  const group of = group_of(v, i, j);
  double sum = 0;
  for (uint64_t e = 0; e < of.count; e++) {
    const uint64_t at = of.first + e * of.step;
    sum += scaled(v, at) * hat(v, &of, at);
  }
  return sum / (double)of.count;
}

/* ---- Printing ---------------------------------------------------------------------------------------- */

/* one: a number for each row or column in place of one for each element. */
static void print_values(const explain_page *page, const norm_values *v, const char *formula, explain_value *value,
                         bool one) {
  const uint64_t rows = one && !v->of_rows ? 1 : v->rows;
  const uint32_t columns = one && v->of_rows ? 1 : v->columns;
  explain_print_values(page->stream, page->lesson->settings.digits, formula, rows, columns, value, v);
}

void explain_norm_start(const explain_page *page, uint32_t l) {
  char formula[EXPLAIN_FORMULA];
  const uint32_t number = explain_layer_number(page, l);
  (void)snprintf(formula, sizeof formula, "gain%u  of the norm of layer %u", number, number);
  explain_print(page, formula, explain_tensor(page->step->before, l, "gain"));
  (void)snprintf(formula, sizeof formula, "shift%u", number);
  explain_print(page, formula, explain_tensor(page->step->before, l, "shift"));
}

void explain_norm_forward(const explain_page *page, uint32_t l, const char *over) {
  char formula[EXPLAIN_FORMULA];
  const uint32_t d = explain_layer_number(page, l);
  const norm_values v = values_of(page, l, over);
  (void)snprintf(formula, sizeof formula, "mu%u = %s means of U%u", d, over, d);
  print_values(page, &v, formula, mean_at, true);
  (void)snprintf(formula, sizeof formula, "s%u = sqrt(%s var. of U%u + 1e-5)", d, over, d);
  print_values(page, &v, formula, deviation_at, true);
  (void)snprintf(formula, sizeof formula, "Uhat%u = (U%u - mu%u) / s%u", d, d, d, d);
  print_values(page, &v, formula, hat_at, false);
  (void)snprintf(formula, sizeof formula, "Z%u = gain%u o Uhat%u + shift%u", d, d, d, d);
  explain_print_samples(page, formula, l, page->step->trace.z[l]);
  (void)snprintf(formula, sizeof formula, "H%u = %s(Z%u)", d, explain_activation_name(page, l), d);
  explain_print_samples(page, formula, l, page->step->trace.a[l]);
}

void explain_norm_pull(const explain_page *page, uint32_t l, const char *over, char formula[EXPLAIN_FORMULA]) {
  const uint32_t d = explain_layer_number(page, l);
  const norm_values v = values_of(page, l, over);
  (void)snprintf(formula, EXPLAIN_FORMULA, "G%u = delta%u o gain%u", d, d, d);
  print_values(page, &v, formula, scaled_at, false);
  (void)snprintf(formula, EXPLAIN_FORMULA, "p%u = %s means of G%u", d, over, d);
  print_values(page, &v, formula, mean_scaled_at, true);
  (void)snprintf(formula, EXPLAIN_FORMULA, "q%u = %s means of G%u o Uhat%u", d, over, d, d);
  print_values(page, &v, formula, mean_product_at, true);
  (void)snprintf(formula, EXPLAIN_FORMULA, "((G%u - p%u - q%u Uhat%u) / s%u)", d, d, d, d, d);
}

void explain_norm_gradients(const explain_page *page, uint32_t l) {
  char formula[EXPLAIN_FORMULA];
  const uint32_t d = explain_layer_number(page, l);
  (void)snprintf(formula, sizeof formula, "dC/dgain%u = column sums of delta%u o Uhat%u", d, d, d);
  explain_print(page, formula, explain_gradient(page, l, "gain"));
  (void)snprintf(formula, sizeof formula, "dC/dshift%u = column sums of delta%u", d, d);
  explain_print(page, formula, explain_gradient(page, l, "shift"));
}

void explain_norm_update(const explain_page *page, uint32_t l) {
  char name[EXPLAIN_NAME];
  const uint32_t number = explain_layer_number(page, l);
  (void)snprintf(name, sizeof name, "gain%u", number);
  explain_update_tensor(page, &(explain_updated){.name = name, .layer = l, .tensor = "gain", .rate = 1});
  (void)snprintf(name, sizeof name, "shift%u", number);
  explain_update_tensor(page, &(explain_updated){.name = name, .layer = l, .tensor = "shift", .rate = 1});
}
