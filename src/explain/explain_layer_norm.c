/* Layer norm in numbers: mean and deviation are those of a row. */
#include "explain/explain_norm.h"

static void print_forward(const explain_page *page, uint32_t l) { explain_norm_forward(page, l, "row"); }

static void pull(const explain_page *page, uint32_t l, char formula[EXPLAIN_FORMULA]) {
  explain_norm_pull(page, l, "row", formula);
}

const explain_kind explain_layer_norm = {"layer-norm", explain_norm_start,     print_forward,
                                         pull,         explain_norm_gradients, explain_norm_update};
