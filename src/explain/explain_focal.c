#include "explain/explain_focal.h"

#include <math.h>

#include "explain/explain_target.h"

static double gamma_of(const explain_page *page) { return page->lesson->settings.train.focal_gamma; }

static bool is_binary(const explain_page *page) {
  return page->lesson->settings.train.loss == MLPD_BINARY_CROSS_ENTROPY;
}

void explain_focal_start(const explain_page *page) {
  const char *const prime = explain_target_name(page)[1] == '\0' ? "" : "'";
  if (is_binary(page))
    (void)fprintf(page->stream,
                  "sum_k q_k^%g c_k, q_k = y%s_k (1 - yhat_k) + (1 - y%s_k) yhat_k,\n"
                  "          c_k = -y%s_k log yhat_k - (1 - y%s_k) log(1 - yhat_k)\n",
                  gamma_of(page), prime, prime, prime, prime);
  else
    (void)fprintf(page->stream, "-sum_k (1 - yhat_k)^%g y%s_k log yhat_k\n", gamma_of(page), prime);
}

/* Outputs of the network and targets, of element (i, j). */
typedef struct answer {
  double p, y;
} answer;

static answer answer_at(const explain_page *page, uint64_t i, uint32_t j) {
  const uint32_t last = explain_layers(page) - 1;
  const uint64_t row = explain_row(page, last, i);
  return (answer){(double)page->step->trace.a[last][row * page->lesson->outputs + j],
                  explain_target_at(page, i % page->lesson->n, j)};
}

static double entropy_at(const void *context, uint64_t i, uint32_t j) {
  const answer of = answer_at(context, i, j);
  return (of.y != 0 ? -of.y * log(of.p) : 0) - (of.y != 1 ? (1 - of.y) * log(1 - of.p) : 0);
}

static double wrong_at(const void *context, uint64_t i, uint32_t j) {
  const answer of = answer_at(context, i, j);
  return of.y * (1 - of.p) + (1 - of.y) * of.p;
}

/* -p dC/dp of each class. */
static double slope_at(const void *context, uint64_t i, uint32_t j) {
  const answer of = answer_at(context, i, j);
  const double gamma = gamma_of(context), q = 1 - of.p;
  return of.y != 0 && q > 0 ? of.y * pow(q, gamma) * (1 - gamma * of.p * log(of.p) / q) : 0;
}

static double slopes_at(const void *context, uint64_t i, uint32_t j) {
  const explain_page *const page = context;
  double sum = 0;
  (void)j;
  for (uint32_t k = 0; k < page->lesson->outputs; k++) sum += slope_at(page, i, k);
  return sum;
}

static void print_values(const explain_page *page, const char *formula, explain_value *value) {
  explain_print_values(page->stream, page->lesson->settings.digits, formula,
                       explain_rows(page, explain_layers(page) - 1), page->lesson->outputs, value, page);
}

void explain_focal_delta(const explain_page *page, char formula[EXPLAIN_FORMULA]) {
  const char *const y = explain_target_name(page);
  const double gamma = gamma_of(page);
  if (is_binary(page)) {
    (void)snprintf(formula, EXPLAIN_FORMULA, "Q = %s o (1 - Yhat) + (1 - %s) o Yhat", y, y);
    print_values(page, formula, wrong_at);
    (void)snprintf(formula, EXPLAIN_FORMULA, "L = -%s o log(Yhat) - (1 - %s) o log(1 - Yhat)", y, y);
    print_values(page, formula, entropy_at);
    (void)snprintf(formula, EXPLAIN_FORMULA, "Q^%g (Yhat - %s + %g (1 - 2 %s) Yhat (1 - Yhat) L / Q)", gamma, y, gamma,
                   y);
    return;
  }
  (void)snprintf(formula, EXPLAIN_FORMULA, "T = %s o (1 - Yhat)^%g (1 - %g Yhat log(Yhat) / (1 - Yhat))", y, gamma,
                 gamma);
  print_values(page, formula, slope_at);
  explain_print_values(page->stream, page->lesson->settings.digits, "R = row sums of T",
                       explain_rows(page, explain_layers(page) - 1), 1, slopes_at, page);
  (void)snprintf(formula, EXPLAIN_FORMULA, "R Yhat - T");
}
