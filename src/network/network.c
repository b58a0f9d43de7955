#include "network/network.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/memory.h"
#include "kernels/activation.h"
#include "kernels/vector.h"

/* Units are sized for the second-level cache: a weight-gradient block of 64 Ki floats (256 KiB) is summed
 * over lanes without leaving it; a column block of 256 outputs costs no speed against the whole layer
 * (measured) and lets threads share one lane. */
/* Rows a multiple of 1 KiB apart fall into the same few cache sets: at width 1024 a gap of one line between
 * them makes forward passes 1.15, deltas 1.3 and weight gradients 1.1 times as fast (AMD EPYC, Zen 5). */
enum { ALIASING_FLOATS = 256, ROW_GAP = 16 };

enum { ARENA_STEP = 16, COLUMN_BLOCK = 256, ROW_BLOCK = 128, GRADIENT_BLOCK_FLOATS = 65536 };

static size_t round_up(size_t n, size_t step) { return (n + step - 1) / step * step; }

/* The smallest multiple of 16 that cuts n into as many blocks as `largest` does, evenly. */
static uint32_t even_block(uint32_t n, uint32_t largest) {
  const uint32_t blocks = (n - 1) / largest + 1;
  return (uint32_t)round_up((n - 1) / blocks + 1, ARENA_STEP);
}

static uint32_t row_stride(uint32_t columns) { return columns % ALIASING_FLOATS == 0 ? columns + ROW_GAP : columns; }

static uint32_t gradient_row_block(uint32_t inputs, uint32_t stride) {
  const uint32_t fitting = GRADIENT_BLOCK_FLOATS / stride / ARENA_STEP * ARENA_STEP;
  const uint32_t largest = fitting < ARENA_STEP ? ARENA_STEP : fitting > ROW_BLOCK ? ROW_BLOCK : fitting;
  return even_block(inputs, largest);
}

static mlpd_status check_shape(uint32_t num_layers, const uint32_t *widths, const mlpd_activation *activations) {
  if (num_layers == 0) return FAIL(MLPD_ERROR_USAGE, "a network needs at least one layer");
  for (uint32_t l = 0; l <= num_layers; l++)
    if (widths[l] == 0 || widths[l] > INT32_MAX / 2)
      return FAIL(MLPD_ERROR_USAGE, "layer width %u is not in [1, %d]", widths[l], INT32_MAX / 2);
  for (uint32_t l = 0; l < num_layers; l++) {
    if ((int)activations[l] < 0 || activations[l] >= MLPD_NUM_ACTIVATIONS)
      return FAIL(MLPD_ERROR_USAGE, "activation %d of layer %u does not exist", (int)activations[l], l + 1);
    if (activations[l] == MLPD_SOFTMAX && l + 1 < num_layers)
      return FAIL(MLPD_ERROR_USAGE, "softmax is for the output layer only, not for layer %u of %u", l + 1, num_layers);
  }
  return MLPD_OK;
}

mlpd_status network_shape(uint32_t num_layers, const uint32_t *widths, const mlpd_activation *activations,
                          mlpd_network **network) {
  *network = NULL;
  TRY(check_shape(num_layers, widths, activations));
  mlpd_network *made = NULL;
  TRY(memory_allocate(&made, 1, sizeof *made, "network"));
  made->num_layers = num_layers;
  const mlpd_status status = memory_allocate(&made->layers, num_layers, sizeof *made->layers, "layers");
  if (status != MLPD_OK) {
    mlpd_network_free(made);
    return status;
  }
  for (uint32_t l = 0; l < num_layers; l++) {
    layer *const shape = &made->layers[l];
    *shape = (layer){.inputs = widths[l], .outputs = widths[l + 1], .activation = activations[l]};
    shape->column_block = even_block(shape->outputs, COLUMN_BLOCK);
    shape->weight_stride = row_stride(shape->outputs);
    shape->stride = l + 1 < num_layers ? shape->weight_stride : shape->outputs;
    shape->row_block = gradient_row_block(shape->inputs, shape->weight_stride);
    shape->weight_offset = made->arena_size;
    shape->bias_offset = shape->weight_offset + round_up((size_t)shape->inputs * shape->weight_stride, ARENA_STEP);
    made->arena_size = shape->bias_offset + round_up(shape->outputs, ARENA_STEP);
  }
  *network = made;
  return MLPD_OK;
}

mlpd_status mlpd_network_create(uint32_t num_layers, const uint32_t *widths, const mlpd_activation *activations,
                                mlpd_network **network) {
  TRY(network_shape(num_layers, widths, activations, network));
  const mlpd_status status =
      memory_allocate(&(*network)->parameters, (*network)->arena_size, sizeof(float), "parameters");
  if (status == MLPD_OK) return MLPD_OK;
  mlpd_network_free(*network);
  *network = NULL;
  return status;
}

void mlpd_network_free(mlpd_network *network) {
  if (network == NULL) return;
  free(network->parameters);
  free(network->layers);
  free(network);
}

uint32_t mlpd_network_num_layers(const mlpd_network *network) { return network->num_layers; }

uint64_t mlpd_network_num_parameters(const mlpd_network *network) {
  uint64_t sum = 0;
  for (uint32_t l = 0; l < network->num_layers; l++)
    sum += ((uint64_t)network->layers[l].inputs + 1) * network->layers[l].outputs;
  return sum;
}

mlpd_layer_view mlpd_network_layer(mlpd_network *network, uint32_t l) {
  const layer *const shape = &network->layers[l];
  return (mlpd_layer_view){.inputs = shape->inputs,
                           .outputs = shape->outputs,
                           .activation = shape->activation,
                           .weight_stride = shape->weight_stride,
                           .weight = network->parameters + shape->weight_offset,
                           .bias = network->parameters + shape->bias_offset};
}

uint64_t network_hash(const mlpd_network *network, const float *parameters) {
  XXH3_state_t *const state = XXH3_createState();
  if (state == NULL) return 0;
  (void)XXH3_64bits_reset(state);
  for (uint32_t l = 0; l < network->num_layers; l++) {
    const layer *const shape = &network->layers[l];
    const uint32_t words[3] = {shape->inputs, shape->outputs, (uint32_t)shape->activation};
    (void)XXH3_64bits_update(state, words, sizeof words);
    for (uint32_t i = 0; i < shape->inputs; i++)
      (void)XXH3_64bits_update(state, parameters + shape->weight_offset + (size_t)i * shape->weight_stride,
                               shape->outputs * sizeof(float));
    (void)XXH3_64bits_update(state, parameters + shape->bias_offset, shape->outputs * sizeof(float));
  }
  const uint64_t hash = XXH3_64bits_digest(state);
  (void)XXH3_freeState(state);
  return hash;
}

void mlpd_network_digest(const mlpd_network *network, char digest[17]) {
  (void)snprintf(digest, 17, "%016llx", (unsigned long long)network_hash(network, network->parameters));
}

/* ---- Workspace --------------------------------------------------------------------------------- */

/* The loss of the output layer needs z beside a; hidden layers only where A' is computed from z. */
static bool keeps_z(const mlpd_network *network, uint32_t l, bool keep_z) {
  return keep_z || l + 1 == network->num_layers || activation_needs_z(network->layers[l].activation);
}

static size_t workspace_floats(const mlpd_network *network, uint64_t rows, bool keep_z) {
  size_t floats = round_up(rows * network->layers[0].inputs, ARENA_STEP);
  for (uint32_t l = 0; l < network->num_layers; l++)
    floats += round_up(rows * network->layers[l].stride, ARENA_STEP) * (keeps_z(network, l, keep_z) ? 3 : 2);
  return floats;
}

size_t workspace_size(const mlpd_network *network, uint64_t rows, bool keep_z) {
  return workspace_floats(network, rows, keep_z) * sizeof(float);
}

mlpd_status workspace_create(const mlpd_network *network, uint64_t rows, bool keep_z, workspace *space) {
  *space = (workspace){.num_layers = network->num_layers, .rows = rows};
  mlpd_status status = MLPD_OK;
  TRY_GOTO(status, memory_allocate(&space->z, 3 * (size_t)network->num_layers, sizeof(float *), "workspace"), failed);
  TRY_GOTO(status,
           memory_allocate(&space->memory, workspace_floats(network, rows, keep_z), sizeof(float), "activations"),
           failed);
  space->a = space->z + network->num_layers;
  space->delta = space->a + network->num_layers;
  float *next = space->memory;
  space->x = next;
  next += round_up(rows * network->layers[0].inputs, ARENA_STEP);
  for (uint32_t l = 0; l < network->num_layers; l++) {
    const size_t floats = round_up(rows * network->layers[l].stride, ARENA_STEP);
    space->a[l] = next;
    space->delta[l] = next + floats;
    next += 2 * floats;
    space->z[l] = space->a[l];
    if (keeps_z(network, l, keep_z)) {
      space->z[l] = next;
      next += floats;
    }
  }
  return MLPD_OK;
failed:
  workspace_free(space);
  return status;
}

void workspace_free(workspace *space) {
  free(space->memory);
  free(space->z);
  *space = (workspace){0};
}

/* ---- Units of work ----------------------------------------------------------------------------- */

uint32_t layer_num_column_blocks(const layer *l) { return (l->outputs - 1) / l->column_block + 1; }

uint32_t layer_num_row_blocks(const layer *l) { return (l->inputs - 1) / l->row_block + 1; }

static uint32_t block_end(uint32_t begin, uint32_t block, uint32_t all) {
  return all - begin < block ? all : begin + block;
}

static const float *layer_input(const workspace *space, uint32_t l) { return l == 0 ? space->x : space->a[l - 1]; }

static int layer_input_stride(const mlpd_network *network, uint32_t l) {
  return (int)(l == 0 ? network->layers[0].inputs : network->layers[l - 1].stride);
}

void network_forward_block(const mlpd_network *network, const backend *gemm, uint32_t l, uint32_t block, uint64_t n,
                           workspace *space) {
  const layer *const shape = &network->layers[l];
  const uint32_t begin = block * shape->column_block;
  const uint32_t end = block_end(begin, shape->column_block, shape->outputs);
  const float *const weight = network->parameters + shape->weight_offset;
  const float *const bias = network->parameters + shape->bias_offset;
  float *const z = space->z[l] + begin;
  if (n == 0) return;
  gemm->sgemm(false, false, (int)n, (int)(end - begin), (int)shape->inputs, layer_input(space, l),
              layer_input_stride(network, l), weight + begin, (int)shape->weight_stride, z, (int)shape->stride);
  const bool softmax = shape->activation == MLPD_SOFTMAX;
  activation_forward(softmax ? MLPD_IDENTITY : shape->activation, n, end - begin, shape->stride, bias + begin, z,
                     softmax ? z : space->a[l] + begin);
}

void network_finish_output(const mlpd_network *network, uint64_t n, workspace *space) {
  const uint32_t last = network->num_layers - 1;
  if (network->layers[last].activation == MLPD_SOFTMAX)
    softmax_forward(n, network->layers[last].outputs, space->z[last], space->a[last]);
}

void network_backward_block(const mlpd_network *network, const backend *gemm, uint32_t l, uint32_t block, uint64_t n,
                            workspace *space) {
  const layer *const shape = &network->layers[l];
  const layer *const above = &network->layers[l + 1];
  const uint32_t begin = block * shape->column_block;
  const uint32_t end = block_end(begin, shape->column_block, shape->outputs);
  const float *const weight = network->parameters + above->weight_offset; /* (outputs of l, outputs of l + 1) */
  float *const delta = space->delta[l] + begin;
  if (n == 0) return;
  gemm->sgemm(false, true, (int)n, (int)(end - begin), (int)above->outputs, space->delta[l + 1], (int)above->stride,
              weight + (size_t)begin * above->weight_stride, (int)above->weight_stride, delta, (int)shape->stride);
  activation_backward(shape->activation, n, end - begin, shape->stride, space->z[l] + begin, space->a[l] + begin,
                      delta);
}

void network_weight_gradient_block(const mlpd_network *network, const backend *gemm, uint32_t l, uint32_t block,
                                   uint64_t n, const workspace *space, float *gradient, float *bias_gradient) {
  const layer *const shape = &network->layers[l];
  const uint32_t begin = block * shape->row_block;
  const uint32_t end = block_end(begin, shape->row_block, shape->inputs);
  if (n == 0) {
    memset(gradient, 0, (size_t)(end - begin) * shape->weight_stride * sizeof(float));
    if (block == 0) memset(bias_gradient, 0, shape->outputs * sizeof(float));
    return;
  }
  gemm->sgemm(true, false, (int)(end - begin), (int)shape->outputs, (int)n, layer_input(space, l) + begin,
              layer_input_stride(network, l), space->delta[l], (int)shape->stride, gradient, (int)shape->weight_stride);
  for (uint32_t i = 0; i < end - begin && shape->weight_stride > shape->outputs; i++)
    memset(gradient + (size_t)i * shape->weight_stride + shape->outputs, 0,
           (shape->weight_stride - shape->outputs) * sizeof(float));
  if (block == 0) vector_column_sums(n, shape->outputs, shape->stride, space->delta[l], bias_gradient);
}

void network_forward(const mlpd_network *network, const backend *gemm, uint64_t n, workspace *space) {
  for (uint32_t l = 0; l < network->num_layers; l++)
    for (uint32_t block = 0; block < layer_num_column_blocks(&network->layers[l]); block++)
      network_forward_block(network, gemm, l, block, n, space);
  network_finish_output(network, n, space);
}
