#include "network/layer_kind.h"

#include <string.h>

static const layer_kind *const KINDS[] = {&layer_dense,      &layer_dropout, &layer_noise,    &layer_layer_norm,
                                          &layer_batch_norm, &layer_scale,   &layer_fan_out,  &layer_fork,
                                          &layer_heads,      &layer_embed,   &layer_periodic, &layer_piecewise,
                                          &layer_parametric, &layer_rms_norm};

const layer_kind *layer_kind_find(const char *name) {
  for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++)
    if (strcmp(KINDS[i]->name, name) == 0) return KINDS[i];
  return NULL;
}
