/* Embedded categories in numbers: a code x becomes row x of its table Ec, which is learned; other inputs stay as they
 * are. The rows of all tables are one below the other. */
#include "explain/explain_kind.h"
#include "explain/explain_update.h"

static void print_start(const explain_page *page, uint32_t l) {
  explain_print_folding(page, "Ec  embeddings, a row for each category",
                        explain_tensor(page->step->before, l, "table"));
}

static void print_forward(const explain_page *page, uint32_t l) {
  explain_print_samples(page, "Xc = row x of Ec for each code x", l, page->step->trace.a[l]);
}

static void print_gradients(const explain_page *page, uint32_t l) {
  explain_print_folding(page, "dC/dEc = sums of dC/dXc over the samples of each category",
                        explain_gradient(page, l, "table"));
}

static void print_update(const explain_page *page, uint32_t l) {
  explain_update_tensor(page,
                        &(explain_updated){.name = "Ec", .layer = l, .tensor = "table", .folds = true, .rate = 1});
}

const explain_kind explain_embed = {.name = "embed",
                                    .start = print_start,
                                    .forward = print_forward,
                                    .gradients = print_gradients,
                                    .update = print_update};
