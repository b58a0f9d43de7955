/* The dense layer: z = a W + b, W (inputs, outputs). The bias is added in the pass that applies the activation. */
#include "kernels/vector.h"
#include "network/layer_kind.h"

enum { WEIGHT, BIAS };

static void learn_as(const dense_learning *learning, tensor made[LAYER_MOST_TENSORS]) {
  made[WEIGHT].rate = learning->rate;
  made[WEIGHT].decay = learning->decay;
  made[BIAS].rate = learning->bias_rate;
  made[WEIGHT].start = learning->starts_at_zero ? TENSOR_CONSTANT : TENSOR_DRAWN;
  made[BIAS].start = learning->starts_at_zero ? TENSOR_CONSTANT : TENSOR_NORMAL;
}

static uint32_t dense_tensors(const layer *l, const layer_spec *spec, tensor made[LAYER_MOST_TENSORS]) {
  made[WEIGHT] = (tensor){.name = "weight",
                          .rows = l->inputs,
                          .columns = l->outputs,
                          .source = TENSOR_PRODUCT,
                          .decay = 1,
                          .rate = 1,
                          .start = TENSOR_DRAWN};
  made[BIAS] =
      (tensor){.name = "bias", .rows = 1, .columns = l->outputs, .vector = true, .source = TENSOR_GRADIENT, .rate = 1};
  if (spec->learning != NULL) learn_as(spec->learning, made);
  return spec->no_bias ? 1 : 2;
}

static void dense_forward(const mlpd_network *network, const backend *gemm, uint32_t l, const block *part,
                          workspace *space) {
  const layer *const shape = &network->layers[l];
  const tensor *const weight = layer_tensor(network, l, WEIGHT);
  const float *const bias = shape->num_tensors > BIAS ? layer_values(network, l, BIAS) + part->column : NULL;
  gemm->sgemm(false, false, (int)part->rows, (int)part->columns, (int)shape->inputs,
              layer_input(network, space, l, part->row), (int)layer_input_stride(network, l),
              network->parameters + weight->offset + part->column, (int)weight->stride,
              space->z[l] + layer_place(network, l, part), (int)shape->stride);
  layer_activate(network, l, part, bias, space);
}

/* delta_l W^T */
static void dense_backward(const mlpd_network *network, const backend *gemm, uint32_t l, const block *part,
                           workspace *space) {
  const layer *const shape = &network->layers[l];
  const tensor *const weight = layer_tensor(network, l, WEIGHT);
  gemm->sgemm(false, true, (int)part->rows, (int)part->columns, (int)shape->outputs,
              space->delta[l] + part->row * shape->stride, (int)shape->stride,
              network->parameters + weight->offset + (size_t)part->column * weight->stride, (int)weight->stride,
              layer_delta_below(network, space, l, part), (int)layer_input_stride(network, l));
}

/* Of the bias. */
static void dense_gradient(const mlpd_network *network, const gradient_unit *unit, uint64_t row, uint64_t n,
                           const workspace *space, float *gradient, uint32_t stride) {
  const uint32_t delta_stride = network->layers[unit->layer].stride;
  (void)stride;
  vector_column_sums(n, unit->columns, delta_stride, space->delta[unit->layer] + row * delta_stride + unit->column,
                     gradient);
}

const layer_kind layer_dense = {.name = "dense",
                                .reach = REACH_ELEMENT,
                                .tensors = dense_tensors,
                                .forward = dense_forward,
                                .backward = dense_backward,
                                .gradient = dense_gradient};
