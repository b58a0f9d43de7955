#include "program/explain_embedded.h"

#include "program/explain_update.h"

explain_embedded explain_embedded_of(uint32_t which, uint32_t width) {
  return (explain_embedded){which, which * width};
}

double explain_embedded_value(const explain_page *page, uint32_t l, explain_embedded number, uint64_t i) {
  return (double)explain_input(page, l)[i * explain_layer(page, l).inputs + number.input];
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
