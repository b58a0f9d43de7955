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

bool layer_keeps_slopes(const mlpd_network *network, uint32_t l, const workspace *space) {
  const layer *const shape = &network->layers[l];
  return space->keeps_slopes && l + 1 < network->num_layers && l >= network->lowest_delta && !shape->kind->activates &&
         activation_needs_z(shape->activation);
}

void layer_activate_rows(const mlpd_network *network, uint32_t l, const layer_rows *part, const float *bias,
                         workspace *space) {
  const mlpd_activation kind = network->layers[l].activation;
  float *const z = space->z[l] + part->place, *const a = space->a[l] + part->place;
  if (layer_keeps_slopes(network, l, space))
    activation_forward_slopes(kind, part->rows, part->columns, part->stride, bias, z, a);
  else if (kind == MLPD_SOFTMAX)
    activation_forward(MLPD_IDENTITY, part->rows, part->columns, part->stride, bias, z, z);
  else
    activation_forward(kind, part->rows, part->columns, part->stride, bias, z, a);
}

void layer_activate(const mlpd_network *network, uint32_t l, const block *part, const float *bias, workspace *space) {
  layer_activate_rows(network, l,
                      &(layer_rows){.place = layer_place(network, l, part),
                                    .rows = part->rows,
                                    .columns = part->columns,
                                    .stride = network->layers[l].stride},
                      bias, space);
}
