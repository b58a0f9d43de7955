/* The rows of members in numbers: Xk has each row of X for each member, times the member's scale, Sk. With --ensemble
 * Sk begins as random signs. The fork of separate members has an Sk only with input-scale. */
#include "explain/explain_kind.h"
#include "explain/explain_update.h"

static bool is_fork(const explain_page *page, uint32_t l) { return explain_is_kind(page, l, "fork"); }

static bool has_scale(const explain_page *page, uint32_t l) {
  return mlpd_network_tensor(page->step->before, l, 0).name != NULL;
}

static void print_start(const explain_page *page, uint32_t l) {
  if (!has_scale(page, l)) return;
  explain_print_folding(page, is_fork(page, l) ? "Sk  scale of the inputs, of each member" : "Sk  scale of each member",
                        explain_tensor(page->step->before, l, "scale"));
}

static void print_forward(const explain_page *page, uint32_t l) {
  char formula[EXPLAIN_FORMULA], input[EXPLAIN_NAME];
  (void)snprintf(formula, sizeof formula,
                 has_scale(page, l) ? "Xk = %s o Sk[k], row by row" : "Xk = %s for each member",
                 explain_input_name(page, l, input));
  explain_print_samples(page, formula, l, page->step->trace.a[l]);
}

static void pull(const explain_page *page, uint32_t l, char formula[EXPLAIN_FORMULA]) {
  (void)snprintf(formula, EXPLAIN_FORMULA, "(%s over k of dC/dXk[k]%s)", is_fork(page, l) ? "mean" : "sum",
                 has_scale(page, l) ? " o Sk[k]" : "");
}

static void print_gradients(const explain_page *page, uint32_t l) {
  char formula[EXPLAIN_FORMULA], input[EXPLAIN_NAME];
  if (!has_scale(page, l)) return;
  (void)snprintf(formula, sizeof formula, "dC/dSk = column sums of dC/dXk[k] o %s", explain_input_name(page, l, input));
  explain_print_folding(page, formula, explain_gradient(page, l, "scale"));
}

static void print_update(const explain_page *page, uint32_t l) {
  if (!has_scale(page, l)) return;
  explain_update_tensor(page,
                        &(explain_updated){.name = "Sk",
                                           .layer = l,
                                           .tensor = "scale",
                                           .folds = true,
                                           .rate = is_fork(page, l) ? page->lesson->settings.train.input_scale : 1});
}

const explain_kind explain_fan_out = {"fan-out", print_start, print_forward, pull, print_gradients, print_update};
const explain_kind explain_fork = {"fork", print_start, print_forward, pull, print_gradients, print_update};
