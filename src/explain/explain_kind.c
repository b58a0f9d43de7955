#include "explain/explain_kind.h"

static const explain_kind *const KINDS[] = {
    &explain_dense,   &explain_layer_norm, &explain_batch_norm, &explain_rms_norm, &explain_dropout,
    &explain_noise,   &explain_scale,      &explain_embed,      &explain_periodic, &explain_piecewise,
    &explain_fan_out, &explain_fork,       &explain_heads};

const explain_kind *explain_kind_of(const explain_page *page, uint32_t l) {
  for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++)
    if (explain_is_kind(page, l, KINDS[i]->name)) return KINDS[i];
  return NULL;
}
