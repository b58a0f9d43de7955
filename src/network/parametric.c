/* A parametric activation (RealMLP-TD, Holzmueller, Grinsztajn and Steinwart 2024): a = z + alpha (A(z) - z), with a
 * learned alpha for each unit (in an ensemble, each unit of each member). alpha starts at 1, where a = A(z); weight
 * decay pulls it towards 0, where the unit is linear. The layer below has no activation. `amount` is the factor of the
 * learning rate.
 *
 * A(z) is kept for the gradient, and the layer's delta is dC/da. */
#include <string.h>

#include "kernels/activation.h"
#include "network/layer_kind.h"

enum { CHUNK = 128 }; /* columns at a time */

static uint32_t parametric_row_floats(const layer *l) { return l->outputs; }

static uint32_t parametric_tensors(const layer *l, const layer_spec *spec, tensor made[LAYER_MOST_TENSORS]) {
  made[0] = (tensor){.name = "alpha",
                     .rows = l->copies,
                     .columns = l->outputs,
                     .source = TENSOR_GRADIENT,
                     .decay = 1,
                     .rate = (float)spec->amount,
                     .value = 1};
  return 1;
}

/* From column on, of row `row` of the layer: alpha of its member, and A(z). */
static const float *alpha_of(const mlpd_network *network, uint32_t l, uint64_t row, uint32_t column) {
  return layer_values(network, l, 0) + row % network->layers[l].copies * layer_tensor(network, l, 0)->stride + column;
}

static float *bent_of(const mlpd_network *network, const workspace *space, uint32_t l, uint64_t row, uint32_t column) {
  return space->kept[l] + row * network->layers[l].outputs + column;
}

static void parametric_forward(const mlpd_network *network, const backend *gemm, uint32_t l, const block *part,
                               workspace *space) {
  const layer *const shape = &network->layers[l];
  (void)gemm;
  for (uint64_t row = part->row; row < part->row + part->rows; row++) {
    const float *const in = layer_input(network, space, l, row) + part->column;
    const float *const alpha = alpha_of(network, l, row, part->column);
    float *const bent = bent_of(network, space, l, row, part->column);
    float *const z = space->z[l] + row * shape->stride + part->column;
    float *const a = space->a[l] + row * shape->stride + part->column;
    memcpy(z, in, part->columns * sizeof *z);
    activation_forward(shape->activation, 1, part->columns, part->columns, NULL, z, bent);
    for (uint32_t j = 0; j < part->columns; j++) a[j] = in[j] + alpha[j] * (bent[j] - in[j]);
  }
}

static void parametric_backward(const mlpd_network *network, const backend *gemm, uint32_t l, const block *part,
                                workspace *space) {
  const layer *const shape = &network->layers[l];
  float *to = layer_delta_below(network, space, l, part), slope[CHUNK];
  (void)gemm;
  for (uint64_t row = part->row; row < part->row + part->rows; row++, to += layer_input_stride(network, l))
    for (uint32_t first = 0, some = 0; first < part->columns; first += some) {
      const uint32_t column = part->column + first;
      const float *const alpha = alpha_of(network, l, row, column);
      const float *const delta = space->delta[l] + row * shape->stride + column;
      some = part->columns - first < CHUNK ? part->columns - first : CHUNK;
      for (uint32_t j = 0; j < some; j++) slope[j] = 1;
      activation_backward(shape->activation, 1, some, some, layer_input(network, space, l, row) + column,
                          bent_of(network, space, l, row, column), slope);
      for (uint32_t j = 0; j < some; j++) to[first + j] = delta[j] * (1 + alpha[j] * (slope[j] - 1));
    }
}

/* The sum of delta (A(z) - z) over a member's rows, one after the other. */
static void parametric_gradient(const mlpd_network *network, const gradient_unit *unit, uint64_t row, uint64_t n,
                                const workspace *space, float *gradient, uint32_t stride) {
  const uint32_t l = unit->layer, copies = network->layers[l].copies;
  for (uint32_t k = 0; k < unit->rows; k++)
    for (uint32_t j = 0; j < unit->columns; j++) gradient[(size_t)k * stride + j] = 0;
  for (uint64_t i = row; i < row + n; i += copies)
    for (uint32_t k = 0; k < unit->rows; k++) {
      const uint64_t r = i + unit->row + k;
      const float *const in = layer_input(network, space, l, r) + unit->column;
      const float *const bent = bent_of(network, space, l, r, unit->column);
      const float *const delta = space->delta[l] + r * network->layers[l].stride + unit->column;
      for (uint32_t j = 0; j < unit->columns; j++) gradient[(size_t)k * stride + j] += delta[j] * (bent[j] - in[j]);
    }
}

const layer_kind layer_parametric = {.name = "parametric",
                                     .of_members = true,
                                     .reach = REACH_ELEMENT,
                                     .activates = true,
                                     .row_floats = parametric_row_floats,
                                     .tensors = parametric_tensors,
                                     .forward = parametric_forward,
                                     .backward = parametric_backward,
                                     .gradient = parametric_gradient};
