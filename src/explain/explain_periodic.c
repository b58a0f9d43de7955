/* Numbers as cosines, in numbers: x becomes We cos(2 pi f x + p) + be, and x itself. All of it learns at a tenth of
 * the rate. */
#include <math.h>

#include "explain/explain_embedded.h"

static const double PI = 3.14159265358979323846, RATE = 0.1;

/* A layer of cosines; a row of each matrix for each number. */
typedef struct cosines {
  const explain_page *page;
  uint32_t l, each, sums; /* cosines and learned values of a number */
  explain_matrix frequency, phase, weight;
} cosines;

static cosines cosines_of(const explain_page *page, uint32_t l) {
  mlpd_network *const network = page->step->before;
  return (cosines){.page = page,
                   .l = l,
                   .each = explain_tensor(network, l, "frequency").columns,
                   .sums = explain_tensor(network, l, "bias").columns,
                   .frequency = explain_tensor(network, l, "frequency"),
                   .phase = explain_tensor(network, l, "phase"),
                   .weight = explain_tensor(network, l, "weight")};
}

/* Column k of number `which` in row i of the page. */
static double at(const cosines *c, const explain_matrix *matrix, uint64_t i, uint32_t which, uint32_t k) {
  return (double)matrix->values[explain_embedded_row(c->page, c->l, *matrix, which, i) * matrix->stride + k];
}

static explain_embedded number_of(const cosines *c, uint32_t which) {
  return explain_embedded_of(c->page, which, c->sums + 1);
}

/* Element (i, j), of row i: cosine j % each of number j / each. */
static double angle_at(const void *context, uint64_t i, uint32_t j) {
  const cosines *const c = context;
  const uint32_t which = j / c->each, k = j % c->each;
  const double x = explain_embedded_value(c->page, c->l, number_of(c, which), i);
  return 2 * PI * at(c, &c->frequency, i, which, k) * x + at(c, &c->phase, i, which, k);
}

static double cosine_at(const void *context, uint64_t i, uint32_t j) { return cos(angle_at(context, i, j)); }

static double slope_at(const void *context, uint64_t i, uint32_t j) {
  const cosines *const c = context;
  const uint32_t which = j / c->each, outputs = explain_layer(c->page, c->l).outputs;
  const float *const delta =
      c->page->step->trace.delta[c->l] + explain_row(c->page, c->l, i) * outputs + number_of(c, which).output;
  double sum = 0;
  for (uint32_t m = 0; m < c->sums; m++)
    sum += (double)delta[m] * at(c, &c->weight, i, which, m * c->each + j % c->each);
  return -sum * sin(angle_at(c, i, j));
}

/* A column for each cosine of each number. */
static void print_values(const cosines *c, const char *formula, explain_value *value) {
  const explain_lesson *const lesson = c->page->lesson;
  explain_print_folded(c->page->stream, lesson->settings.digits, formula, explain_rows(c->page, c->l),
                       explain_embedded_count(c->page, c->l, c->frequency) * c->each, value, c);
}

static void print_start(const explain_page *page, uint32_t l) {
  char formula[EXPLAIN_FORMULA];
  const cosines c = cosines_of(page, l);
  explain_embedded_tensor(page, l, "f   frequencies, a row for each number", "frequency");
  explain_embedded_tensor(page, l, "p   phases", "phase");
  (void)snprintf(formula, sizeof formula, "We  weights of the cosines, %u rows of %u for each number", c.sums, c.each);
  explain_embedded_tensor(page, l, formula, "weight");
  explain_embedded_tensor(page, l, "be  biases", "bias");
}

static void print_forward(const explain_page *page, uint32_t l) {
  char formula[EXPLAIN_FORMULA];
  const cosines c = cosines_of(page, l);
  (void)snprintf(formula, sizeof formula, "A = 2 pi f x + p, %u angles of each number x", c.each);
  print_values(&c, formula, angle_at);
  print_values(&c, "K = cos(A)", cosine_at);
  explain_print_samples(page, "Xe = [We K + be, x] of each number x", l, page->step->trace.a[l]);
}

static void print_slopes(const explain_page *page, uint32_t l) {
  const cosines c = cosines_of(page, l);
  print_values(&c, "dC/dA = -(We^T dC/dXe) o sin(A), of each number", slope_at);
}

static void pull(const explain_page *page, uint32_t l, char formula[EXPLAIN_FORMULA]) {
  print_slopes(page, l);
  (void)snprintf(formula, EXPLAIN_FORMULA, "(dC/dXe at x + sum of 2 pi f dC/dA, for each number x)");
}

static void print_gradients(const explain_page *page, uint32_t l) {
  if (!explain_embedded_pulls(page, l)) print_slopes(page, l);
  explain_embedded_gradient(page, l, "dC/df = 2 pi column sums of x dC/dA", "frequency");
  explain_embedded_gradient(page, l, "dC/dp = column sums of dC/dA", "phase");
  explain_embedded_gradient(page, l, "dC/dWe = dC/dXe^T K, of each number", "weight");
  explain_embedded_gradient(page, l, "dC/dbe = column sums of dC/dXe", "bias");
}

static void print_update(const explain_page *page, uint32_t l) {
  explain_embedded_update(page, l, "f", "frequency", RATE);
  explain_embedded_update(page, l, "p", "phase", RATE);
  explain_embedded_update(page, l, "We", "weight", RATE);
  explain_embedded_update(page, l, "be", "bias", RATE);
}

const explain_kind explain_periodic = {.name = "periodic",
                                       .start = print_start,
                                       .forward = print_forward,
                                       .pull = pull,
                                       .gradients = print_gradients,
                                       .update = print_update};
