/* Batch norm in numbers: mean and deviation are those of a column, over the samples. Running means of both, for use
 * after the training, go a tenth of the way with each step. */
#include "explain/explain_norm.h"

static void print_start(const explain_page *page, uint32_t l) {
  char formula[EXPLAIN_FORMULA];
  const uint32_t d = explain_layer_number(page, l);
  explain_norm_start(page, l);
  (void)snprintf(formula, sizeof formula, "mean%u  running, for use after training", d);
  explain_print(page, formula, explain_tensor(page->step->before, l, "mean"));
  (void)snprintf(formula, sizeof formula, "variance%u  likewise", d);
  explain_print(page, formula, explain_tensor(page->step->before, l, "variance"));
}

static void print_forward(const explain_page *page, uint32_t l) { explain_norm_forward(page, l, "column"); }

static void pull(const explain_page *page, uint32_t l, char formula[EXPLAIN_FORMULA]) {
  explain_norm_pull(page, l, "column", formula);
}

static void print_update(const explain_page *page, uint32_t l) {
  char formula[EXPLAIN_FORMULA];
  const uint32_t d = explain_layer_number(page, l);
  const unsigned long long n = explain_rows(page, l);
  explain_norm_update(page, l);
  (void)snprintf(formula, sizeof formula, "mean%u <- 0.9 mean%u + 0.1 mu%u", d, d, d);
  explain_print(page, formula, explain_tensor(page->step->after, l, "mean"));
  if (n > 1)
    (void)snprintf(formula, sizeof formula, "variance%u <- 0.9 variance%u + 0.1 (s%u^2 - 1e-5) %llu/%llu", d, d, d, n,
                   n - 1);
  else
    (void)snprintf(formula, sizeof formula, "variance%u: one sample has none", d);
  explain_print(page, formula, explain_tensor(page->step->after, l, "variance"));
}

const explain_kind explain_batch_norm = {"batch-norm",           print_start, print_forward, pull,
                                         explain_norm_gradients, print_update};
