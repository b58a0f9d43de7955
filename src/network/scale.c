/* A learned factor for each column (of members that share nothing, for each member's columns): z = x o scale. As the
 * first layer, it learns how much each input matters (Holzmueller, Grinsztajn and Steinwart 2024). `amount` is the
 * factor of the learning rate, the `decay` of the spec that of the weight decay: with it, inputs that do not help fade.
 */
#include "network/layer_kind.h"

static uint32_t scale_tensors(const layer *l, const layer_spec *spec, tensor made[LAYER_MOST_TENSORS]) {
  made[0] = (tensor){.name = "scale",
                     .rows = l->copies,
                     .columns = l->outputs,
                     .vector = l->copies == 1,
                     .source = TENSOR_GRADIENT,
                     .decay = (float)spec->decay,
                     .rate = (float)spec->amount,
                     .value = 1};
  return 1;
}

/* Of the member of row `row`, from column on. */
static const float *scale_of(const mlpd_network *network, uint32_t l, uint64_t row, uint32_t column) {
  return layer_values(network, l, 0) + row % network->layers[l].copies * layer_tensor(network, l, 0)->stride + column;
}

static void scale_forward(const mlpd_network *network, const backend *gemm, uint32_t l, const block *part,
                          workspace *space) {
  const uint32_t stride = network->layers[l].stride;
  (void)gemm;
  for (uint64_t row = part->row; row < part->row + part->rows; row++) {
    const float *const scale = scale_of(network, l, row, part->column);
    const float *const x = layer_input(network, space, l, row) + part->column;
    float *const z = space->z[l] + row * stride + part->column;
    for (uint32_t j = 0; j < part->columns; j++) z[j] = scale[j] * x[j];
  }
  layer_activate(network, l, part, NULL, space);
}

static void scale_backward(const mlpd_network *network, const backend *gemm, uint32_t l, const block *part,
                           workspace *space) {
  const uint32_t stride = network->layers[l].stride;
  float *to = layer_delta_below(network, space, l, part);
  (void)gemm;
  for (uint64_t row = part->row; row < part->row + part->rows; row++, to += layer_input_stride(network, l)) {
    const float *const scale = scale_of(network, l, row, part->column);
    const float *const delta = space->delta[l] + row * stride + part->column;
    for (uint32_t j = 0; j < part->columns; j++) to[j] = scale[j] * delta[j];
  }
}

/* The sum of delta x over a member's rows, one after the other. */
static void scale_gradient(const mlpd_network *network, const gradient_unit *unit, uint64_t row, uint64_t n,
                           const workspace *space, float *gradient, uint32_t stride) {
  const uint32_t l = unit->layer, delta_stride = network->layers[l].stride, copies = network->layers[l].copies;
  for (uint32_t k = 0; k < unit->rows; k++, gradient += stride) {
    for (uint32_t j = 0; j < unit->columns; j++) gradient[j] = 0;
    for (uint64_t r = row + unit->row + k; r < row + n; r += copies) {
      const float *const x = layer_input(network, space, l, r) + unit->column;
      const float *const delta = space->delta[l] + r * delta_stride + unit->column;
      for (uint32_t j = 0; j < unit->columns; j++) gradient[j] += delta[j] * x[j];
    }
  }
}

static void scale_affine(const mlpd_network *network, uint32_t l, double *factor, double *shift) {
  for (uint32_t j = 0; j < network->layers[l].outputs; j++) {
    factor[j] = (double)layer_values(network, l, 0)[j];
    shift[j] = 0;
  }
}

const layer_kind layer_scale = {.name = "scale",
                                .reach = REACH_ELEMENT,
                                .of_members = true,
                                .tensors = scale_tensors,
                                .forward = scale_forward,
                                .backward = scale_backward,
                                .gradient = scale_gradient,
                                .affine = scale_affine};
