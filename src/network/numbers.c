#include "network/numbers.h"

#include <string.h>

uint32_t numbers_row_floats(const layer *l) { return layer_total_size(l) * l->kind->numbers->kept; }

static void forward_row(const mlpd_network *network, uint32_t l, const float *x, float *kept, float *z) {
  const layer *const shape = &network->layers[l];
  const numbers_kind *const kind = shape->kind->numbers;
  uint32_t number = 0;
  for (uint32_t i = 0; i < shape->inputs; i++) {
    if (shape->sizes[i] > 0) {
      kind->forward(network, l, number++, x[i], kept, z);
      z += shape->width - 1;
      kept += kind->kept;
    }
    *z++ = x[i];
  }
}

void numbers_forward(const mlpd_network *network, const backend *gemm, uint32_t l, const block *part,
                     workspace *space) {
  const layer *const shape = &network->layers[l];
  const uint32_t kept = numbers_row_floats(shape);
  (void)gemm;
  for (uint64_t row = part->row; row < part->row + part->rows; row++)
    forward_row(network, l, layer_input(network, space, l, row), space->kept[l] + row * kept,
                space->z[l] + row * shape->stride);
  layer_activate(network, l, part, NULL, space);
}

static void backward_row(const mlpd_network *network, uint32_t l, const float *kept, const float *delta, float *to) {
  const layer *const shape = &network->layers[l];
  const numbers_kind *const kind = shape->kind->numbers;
  for (uint32_t i = 0, number = 0; i < shape->inputs; i++) {
    const uint32_t outputs = shape->sizes[i] > 0 ? shape->width : 1;
    to[i] = delta[outputs - 1];
    if (shape->sizes[i] > 0) {
      to[i] += kind->slope(network, l, number++, kept, delta);
      kept += kind->kept;
    }
    delta += outputs;
  }
}

void numbers_backward(const mlpd_network *network, const backend *gemm, uint32_t l, const block *part,
                      workspace *space) {
  const layer *const shape = &network->layers[l];
  const uint32_t kept = numbers_row_floats(shape);
  float *to = layer_delta_below(network, space, l, part);
  (void)gemm;
  for (uint64_t row = part->row; row < part->row + part->rows; row++, to += layer_input_stride(network, l))
    backward_row(network, l, space->kept[l] + row * kept, space->delta[l] + row * shape->stride, to);
}

void numbers_gradient(const mlpd_network *network, const gradient_unit *unit, uint64_t row, uint64_t n,
                      const workspace *space, float *gradient, uint32_t stride) {
  const uint32_t l = unit->layer;
  const layer *const shape = &network->layers[l];
  const numbers_kind *const kind = shape->kind->numbers;
  number_rows rows = {.n = n,
                      .x = layer_input(network, space, l, row),
                      .x_stride = layer_input_stride(network, l),
                      .kept_stride = numbers_row_floats(shape),
                      .delta = space->delta[l] + row * shape->stride,
                      .delta_stride = shape->stride};
  rows.kept = space->kept[l] + row * rows.kept_stride;
  for (uint32_t i = 0; i < unit->rows; i++) memset(gradient + (size_t)i * stride, 0, unit->columns * sizeof *gradient);
  for (uint32_t i = 0, number = 0; i < shape->inputs && number < unit->row + unit->rows; i++, rows.x++) {
    const bool is_number = shape->sizes[i] > 0;
    if (is_number && number >= unit->row)
      kind->add(network, unit, &rows, gradient + (size_t)(number - unit->row) * stride);
    if (is_number) rows.kept += kind->kept;
    number += is_number;
    rows.delta += is_number ? shape->width : 1;
  }
}
