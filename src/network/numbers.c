#include "network/numbers.h"

#include <string.h>

uint32_t numbers_row_floats(const layer *l) { return layer_total_size(l) * l->kind->numbers->kept; }

/* number: the first of the row's member. */
static void forward_row(const mlpd_network *network, uint32_t l, uint32_t number, const float *x, float *kept,
                        float *z) {
  const layer *const shape = &network->layers[l];
  const numbers_kind *const kind = shape->kind->numbers;
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
  const uint32_t kept = numbers_row_floats(shape), each = numbers_of_member(network, l);
  (void)gemm;
  for (uint64_t row = part->row; row < part->row + part->rows; row++)
    forward_row(network, l, (uint32_t)(row % shape->copies) * each, layer_input(network, space, l, row),
                space->kept[l] + row * kept, space->z[l] + row * shape->stride);
  layer_activate(network, l, part, NULL, space);
}

static void backward_row(const mlpd_network *network, uint32_t l, uint32_t number, const float *kept,
                         const float *delta, float *to) {
  const layer *const shape = &network->layers[l];
  const numbers_kind *const kind = shape->kind->numbers;
  for (uint32_t i = 0; i < shape->inputs; i++) {
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
  const uint32_t kept = numbers_row_floats(shape), each = numbers_of_member(network, l);
  float *to = layer_delta_below(network, space, l, part);
  (void)gemm;
  for (uint64_t row = part->row; row < part->row + part->rows; row++, to += layer_input_stride(network, l))
    backward_row(network, l, (uint32_t)(row % shape->copies) * each, space->kept[l] + row * kept,
                 space->delta[l] + row * shape->stride, to);
}

void numbers_gradient(const mlpd_network *network, const gradient_unit *unit, uint64_t row, uint64_t n,
                      const workspace *space, float *gradient, uint32_t stride) {
  const uint32_t l = unit->layer;
  const layer *const shape = &network->layers[l];
  const numbers_kind *const kind = shape->kind->numbers;
  const uint32_t copies = shape->copies, kept = numbers_row_floats(shape), each = numbers_of_member(network, l);
  const uint64_t first = row + unit->row / each; /* of the unit's member */
  const uint32_t begin = unit->row % each;
  number_rows rows = {.n = n / copies,
                      .x = layer_input(network, space, l, first),
                      .x_stride = copies * layer_input_stride(network, l),
                      .kept = space->kept[l] + first * kept,
                      .kept_stride = copies * kept,
                      .delta = space->delta[l] + first * shape->stride,
                      .delta_stride = copies * shape->stride};
  for (uint32_t i = 0; i < unit->rows; i++) memset(gradient + (size_t)i * stride, 0, unit->columns * sizeof *gradient);
  for (uint32_t i = 0, number = 0; i < shape->inputs && number < begin + unit->rows; i++, rows.x++) {
    const bool is_number = shape->sizes[i] > 0;
    if (is_number && number >= begin) kind->add(network, unit, &rows, gradient + (size_t)(number - begin) * stride);
    if (is_number) rows.kept += kind->kept;
    number += is_number;
    rows.delta += is_number ? shape->width : 1;
  }
}
