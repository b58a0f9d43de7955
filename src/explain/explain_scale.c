/* The scale of the inputs in numbers: Xs = X o S, a factor for each column, which learns at a rate of its own. Separate
 * members have one each, S[k]. */
#include "explain/explain_kind.h"
#include "explain/explain_update.h"

/* "S", of members "S[k]" */
static const char *name_of(const explain_page *page, uint32_t l) {
  return explain_tensor(page->step->before, l, "scale").rows > 1 ? "S[k]" : "S";
}

static void print_start(const explain_page *page, uint32_t l) {
  const bool apart = explain_tensor(page->step->before, l, "scale").rows > 1;
  explain_print_folding(page, apart ? "S   scale of the inputs, of each member" : "S   scale of the inputs",
                        explain_tensor(page->step->before, l, "scale"));
}

static void print_forward(const explain_page *page, uint32_t l) {
  char formula[EXPLAIN_FORMULA], input[EXPLAIN_NAME], output[EXPLAIN_NAME];
  (void)snprintf(formula, sizeof formula, "%s = %s o %s, row by row", explain_output_name(page, l, output),
                 explain_input_name(page, l, input), name_of(page, l));
  explain_print_samples(page, formula, l, page->step->trace.a[l]);
}

static void pull(const explain_page *page, uint32_t l, char formula[EXPLAIN_FORMULA]) {
  char delta[EXPLAIN_NAME];
  (void)snprintf(formula, EXPLAIN_FORMULA, "(%s o %s, row by row)", explain_delta_name(page, l, delta),
                 name_of(page, l));
}

static void print_gradients(const explain_page *page, uint32_t l) {
  char formula[EXPLAIN_FORMULA], input[EXPLAIN_NAME], delta[EXPLAIN_NAME];
  (void)snprintf(formula, sizeof formula, "dC/dS = column sums of %s o %s", explain_delta_name(page, l, delta),
                 explain_input_name(page, l, input));
  explain_print_folding(page, formula, explain_gradient(page, l, "scale"));
}

static void print_update(const explain_page *page, uint32_t l) {
  explain_update_tensor(
      page,
      &(explain_updated){
          .name = "S", .layer = l, .tensor = "scale", .folds = true, .rate = page->lesson->settings.train.input_scale});
}

const explain_kind explain_scale = {.name = "scale",
                                    .start = print_start,
                                    .forward = print_forward,
                                    .pull = pull,
                                    .gradients = print_gradients,
                                    .update = print_update};
