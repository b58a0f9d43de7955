#include "explain/explain_target.h"

static double smoothing_of(const explain_page *page) { return page->lesson->settings.train.label_smoothing; }

uint32_t explain_target_choices(const explain_page *page) {
  return page->lesson->settings.train.loss == MLPD_BINARY_CROSS_ENTROPY ? 2 : page->lesson->outputs;
}

const char *explain_target_name(const explain_page *page) { return smoothing_of(page) > 0 ? "Y'" : "Y"; }

double explain_target_at(const explain_page *page, uint64_t i, uint32_t j) {
  const double y = (double)page->lesson->y.values[i * page->lesson->targets + j], share = smoothing_of(page);
  return share > 0 ? (1 - share) * y + share / explain_target_choices(page) : y;
}
