#include "network/layer_kind.h"

#include <string.h>

#include "kernels/activation.h"

static const layer_kind *const KINDS[] = {&layer_dense};

const layer_kind *layer_kind_find(const char *name) {
  for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++)
    if (strcmp(KINDS[i]->name, name) == 0) return KINDS[i];
  return NULL;
}

void layer_activate(const mlpd_network *network, uint32_t l, const block *part, const float *bias, workspace *space) {
  const layer *const shape = &network->layers[l];
  const size_t place = layer_place(network, l, part);
  float *const z = space->z[l] + place;
  const bool softmax = shape->activation == MLPD_SOFTMAX;
  activation_forward(softmax ? MLPD_IDENTITY : shape->activation, part->rows, part->columns, shape->stride, bias, z,
                     softmax ? z : space->a[l] + place);
}
