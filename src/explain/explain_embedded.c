#include "explain/explain_embedded.h"

#include "explain/explain_update.h"

explain_embedded explain_embedded_of(const explain_page *page, uint32_t which, uint32_t width) {
  const explain_lesson *const lesson = page->lesson;
  explain_embedded at = {0};
  for (uint32_t i = 0; i < lesson->inputs; i++) {
    const uint32_t categories = lesson->categories != NULL ? lesson->categories[i] : 0;
    if (categories == 0 && which-- == 0) break;
    const bool is_code = categories > 0 && categories != MLPD_INPUT_AS_IS;
    const uint32_t values = is_code ? lesson->settings.train.embed_width : 1;
    at.input += values;
    at.output += categories == 0 ? width : values;
  }
  return at;
}

bool explain_embedded_pulls(const explain_page *page, uint32_t l) {
  for (uint32_t i = 0; i < l; i++)
    if (mlpd_network_tensor(page->step->before, i, 0).name != NULL) return true;
  return false;
}

uint32_t explain_embedded_count(const explain_page *page, uint32_t l, explain_matrix tensor) {
  return (uint32_t)(tensor.rows * page->lesson->n / explain_rows(page, l));
}

uint64_t explain_embedded_row(const explain_page *page, uint32_t l, explain_matrix tensor, uint32_t which, uint64_t i) {
  return i / page->lesson->n * explain_embedded_count(page, l, tensor) + which;
}

double explain_embedded_value(const explain_page *page, uint32_t l, explain_embedded number, uint64_t i) {
  return (double)explain_input(page, l)[explain_row(page, l, i) * explain_layer(page, l).inputs + number.input];
}

void explain_embedded_tensor(const explain_page *page, uint32_t l, const char *formula, const char *tensor) {
  explain_print_folding(page, formula, explain_tensor(page->step->before, l, tensor));
}

void explain_embedded_gradient(const explain_page *page, uint32_t l, const char *formula, const char *tensor) {
  explain_print_folding(page, formula, explain_gradient(page, l, tensor));
}

void explain_embedded_update(const explain_page *page, uint32_t l, const char *name, const char *tensor, double rate) {
  explain_update_tensor(
      page,
      &(explain_updated){.name = name, .layer = l, .tensor = tensor, .decays = true, .folds = true, .rate = rate});
}
