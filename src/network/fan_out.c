/* The fan-out of an ensemble, TabM-mini (Gorishniy, Kotelnikov and Babenko 2024): each row x becomes a row x o r_k for
 * each member k, and the layers above, which all members share, see n K rows in place of n. r_k starts as random signs,
 * so that the members differ. Like other scales it does not decay.
 *
 * The fork of members that share nothing, K networks in one: each row x for each member or, where the spec's amount is
 * above 0, x o s_k, the input scale of each (scale.c). Each member learns from its own loss as if it were alone, and
 * what lies below the fork, which they share, from the mean. */
#include <string.h>

#include "network/layer_kind.h"

static uint32_t fan_out_tensors(const layer *l, const layer_spec *spec, tensor made[LAYER_MOST_TENSORS]) {
  (void)spec;
  made[0] = (tensor){.name = "scale",
                     .rows = l->copies,
                     .columns = l->outputs,
                     .source = TENSOR_GRADIENT,
                     .rate = 1,
                     .start = TENSOR_SIGNS};
  return 1;
}

/* As scale_tensors, for each member. */
static uint32_t fork_tensors(const layer *l, const layer_spec *spec, tensor made[LAYER_MOST_TENSORS]) {
  (void)fan_out_tensors(l, spec, made);
  made[0].rate = (float)spec->amount;
  made[0].decay = (float)spec->decay;
  made[0].start = TENSOR_CONSTANT;
  made[0].value = 1;
  return spec->amount > 0 ? 1 : 0;
}

/* r_k of row `row` of the layer, from column on; NULL: there is none. */
static const float *scale_of(const mlpd_network *network, uint32_t l, uint64_t row, uint32_t column) {
  if (network->layers[l].num_tensors == 0) return NULL;
  return layer_values(network, l, 0) + row % network->layers[l].copies * layer_tensor(network, l, 0)->stride + column;
}

static void fan_out_forward(const mlpd_network *network, const backend *gemm, uint32_t l, const block *part,
                            workspace *space) {
  const uint32_t stride = network->layers[l].stride, copies = network->layers[l].copies;
  (void)gemm;
  for (uint64_t row = part->row; row < part->row + part->rows; row++) {
    const float *const x = layer_input(network, space, l, row / copies) + part->column;
    const float *const scale = scale_of(network, l, row, part->column);
    float *const z = space->z[l] + row * stride + part->column;
    if (scale == NULL) memcpy(z, x, part->columns * sizeof *z);
    for (uint32_t j = 0; scale != NULL && j < part->columns; j++) z[j] = scale[j] * x[j];
  }
  layer_activate(network, l, part, NULL, space);
}

/* The sum over the members, one after the other; part is of the layer below, which has no copies. Each member's delta
 * is that of its part in the loss; above a fork it is of the member's own loss, and the sum is divided. */
static void fan_out_backward(const mlpd_network *network, const backend *gemm, uint32_t l, const block *part,
                             workspace *space) {
  const uint32_t stride = network->layers[l].stride, copies = network->layers[l].copies;
  const float share = network->members_apart ? 1 / (float)copies : 1;
  float *to = layer_delta_below(network, space, l, part);
  (void)gemm;
  for (uint64_t i = part->row; i < part->row + part->rows; i++, to += layer_input_stride(network, l)) {
    for (uint32_t j = 0; j < part->columns; j++) to[j] = 0;
    for (uint64_t row = i * copies; row < (i + 1) * copies; row++) {
      const float *const scale = scale_of(network, l, row, part->column);
      const float *const delta = space->delta[l] + row * stride + part->column;
      for (uint32_t j = 0; j < part->columns; j++) to[j] += scale != NULL ? scale[j] * delta[j] : delta[j];
    }
    for (uint32_t j = 0; network->members_apart && j < part->columns; j++) to[j] *= share;
  }
}

/* The sum of delta x over a member's rows, one after the other. */
static void fan_out_gradient(const mlpd_network *network, const gradient_unit *unit, uint64_t row, uint64_t n,
                             const workspace *space, float *gradient, uint32_t stride) {
  const uint32_t l = unit->layer, delta_stride = network->layers[l].stride, copies = network->layers[l].copies;
  for (uint32_t k = 0; k < unit->rows; k++)
    for (uint32_t j = 0; j < unit->columns; j++) gradient[(size_t)k * stride + j] = 0;
  for (uint64_t i = row / copies; i < (row + n) / copies; i++) {
    const float *const x = layer_input(network, space, l, i) + unit->column;
    const float *delta = space->delta[l] + (i * copies + unit->row) * delta_stride + unit->column;
    for (uint32_t k = 0; k < unit->rows; k++, delta += delta_stride)
      for (uint32_t j = 0; j < unit->columns; j++) gradient[(size_t)k * stride + j] += delta[j] * x[j];
  }
}

const layer_kind layer_fan_out = {.name = "fan-out",
                                  .of_members = true,
                                  .reach = REACH_ELEMENT,
                                  .tensors = fan_out_tensors,
                                  .forward = fan_out_forward,
                                  .backward = fan_out_backward,
                                  .gradient = fan_out_gradient};

const layer_kind layer_fork = {.name = "fork",
                               .of_members = true,
                               .reach = REACH_ELEMENT,
                               .tensors = fork_tensors,
                               .forward = fan_out_forward,
                               .backward = fan_out_backward,
                               .gradient = fan_out_gradient};
