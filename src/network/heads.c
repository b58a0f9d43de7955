/* The output layer of an ensemble, and all dense layers of members that share nothing: z_k = a_k W_k + b_k, weights and
 * biases of each member k. W (members * inputs, outputs), one member's below the other's; b (members, outputs). Rows of
 * one member are `copies` rows apart, so each member is a matrix product of its own. */
#include "kernels/vector.h"
#include "network/layer_kind.h"

enum { WEIGHT, BIAS };

static uint32_t heads_tensors(const layer *l, const layer_spec *spec, tensor made[LAYER_MOST_TENSORS]) {
  const uint32_t count = layer_dense.tensors(l, spec, made);
  made[WEIGHT].rows *= l->copies;
  made[WEIGHT].groups = l->copies;
  made[BIAS].rows = l->copies;
  made[BIAS].vector = false;
  return count;
}

/* W_k from row on. */
static const float *weight_of(const mlpd_network *network, uint32_t l, uint32_t k, uint32_t row) {
  const tensor *const weight = layer_tensor(network, l, WEIGHT);
  return layer_values(network, l, WEIGHT) + ((size_t)k * network->layers[l].inputs + row) * weight->stride;
}

/* b_k from column on; NULL: there are none. */
static const float *bias_of(const mlpd_network *network, uint32_t l, uint32_t k, uint32_t column) {
  if (network->layers[l].num_tensors == 1) return NULL;
  return layer_values(network, l, BIAS) + (size_t)k * layer_tensor(network, l, BIAS)->stride + column;
}

static void heads_forward(const mlpd_network *network, const backend *gemm, uint32_t l, const block *part,
                          workspace *space) {
  const layer *const shape = &network->layers[l];
  const uint32_t members = shape->copies, below = layer_input_stride(network, l);
  const uint64_t n = part->rows / members;
  for (uint32_t k = 0; k < members; k++) {
    const size_t place = layer_place(network, l, part) + (size_t)k * shape->stride;
    gemm->sgemm(false, false, (int)n, (int)part->columns, (int)shape->inputs,
                layer_input(network, space, l, part->row + k), (int)(members * below),
                weight_of(network, l, k, 0) + part->column, (int)layer_tensor(network, l, WEIGHT)->stride,
                space->z[l] + place, (int)(members * shape->stride));
    layer_activate_rows(
        network, l,
        &(layer_rows){.place = place, .rows = n, .columns = part->columns, .stride = members * shape->stride},
        bias_of(network, l, k, part->column), space);
  }
}

/* delta_k W_k^T; part is of the layer below, which has as many copies. */
static void heads_backward(const mlpd_network *network, const backend *gemm, uint32_t l, const block *part,
                           workspace *space) {
  const layer *const shape = &network->layers[l];
  const uint32_t members = shape->copies, below = layer_input_stride(network, l);
  for (uint32_t k = 0; k < members; k++)
    gemm->sgemm(false, true, (int)(part->rows / members), (int)part->columns, (int)shape->outputs,
                space->delta[l] + (part->row + k) * shape->stride, (int)(members * shape->stride),
                weight_of(network, l, k, part->column), (int)layer_tensor(network, l, WEIGHT)->stride,
                layer_delta_below(network, space, l, part) + (size_t)k * below, (int)(members * below));
}

/* Of the biases. */
static void heads_gradient(const mlpd_network *network, const gradient_unit *unit, uint64_t row, uint64_t n,
                           const workspace *space, float *gradient, uint32_t stride) {
  const uint32_t delta_stride = network->layers[unit->layer].stride, members = network->layers[unit->layer].copies;
  for (uint32_t k = 0; k < unit->rows; k++)
    vector_column_sums(n / members, unit->columns, members * delta_stride,
                       space->delta[unit->layer] + (row + unit->row + k) * delta_stride + unit->column,
                       gradient + (size_t)k * stride);
}

const layer_kind layer_heads = {.name = "heads",
                                .of_members = true,
                                .reach = REACH_ELEMENT,
                                .tensors = heads_tensors,
                                .forward = heads_forward,
                                .backward = heads_backward,
                                .gradient = heads_gradient};
