/* What the files of kinds share. */
#include <string.h>

#include "kernels/activation.h"
#include "network/layer_kind.h"

static void copy_rows(const block *part, const float *from, size_t from_stride, float *to, size_t to_stride) {
  for (uint64_t i = 0; i < part->rows; i++)
    memcpy(to + i * to_stride, from + i * from_stride, part->columns * sizeof *to);
}

uint32_t layer_total_size(const layer *l) {
  uint32_t total = 0;
  for (uint32_t i = 0; l->sizes != NULL && i < l->inputs; i++) total += l->sizes[i];
  return total;
}

void layer_copy_forward(const mlpd_network *network, uint32_t l, const block *part, workspace *space) {
  copy_rows(part, layer_input(network, space, l, part->row) + part->column, layer_input_stride(network, l),
            space->a[l] + layer_place(network, l, part), network->layers[l].stride);
}

void layer_copy_backward(const mlpd_network *network, uint32_t l, const block *part, workspace *space) {
  copy_rows(part, space->delta[l] + layer_place(network, l, part), network->layers[l].stride,
            layer_delta_below(network, space, l, part), layer_input_stride(network, l));
}

void layer_activate(const mlpd_network *network, uint32_t l, const block *part, const float *bias, workspace *space) {
  const layer *const shape = &network->layers[l];
  const size_t place = layer_place(network, l, part);
  float *const z = space->z[l] + place;
  const bool softmax = shape->activation == MLPD_SOFTMAX;
  activation_forward(softmax ? MLPD_IDENTITY : shape->activation, part->rows, part->columns, shape->stride, bias, z,
                     softmax ? z : space->a[l] + place);
}
