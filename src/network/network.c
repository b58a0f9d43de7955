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

enum {
  ARENA_STEP = 16,
  COLUMN_BLOCK = 256,
  ROW_BLOCK = 128,
  GRADIENT_BLOCK_FLOATS = 65536,
  /* Where products do not depend on the cut: */
  SMALLEST_COLUMNS = 32,
  SMALLEST_ROWS = 16,
  UNIT_ROWS = 112, /* what one lane's a and delta of a unit take fits in the level-1 cache */
  UNIT_COLUMNS = 128
};

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
    const char *const activation = mlpd_choice_name(mlpd_activation_choices, (int)shape->activation);
    const uint32_t widths[] = {shape->inputs, shape->outputs};
    (void)XXH3_64bits_update(state, widths, sizeof widths);
    (void)XXH3_64bits_update(state, activation, strlen(activation) + 1);
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

/* ---- Blocks and units ---------------------------------------------------------------------------- */

static uint32_t blocks_of(uint64_t n, uint64_t block) { return (uint32_t)((n + block - 1) / block); }

/* Rows and columns of a block. */
typedef struct block_shape {
  uint64_t rows;
  uint32_t columns;
} block_shape;

static bool cut_is_free(const backend *gemm) { return gemm->sum_gradients != NULL; }

/* Halves the columns, then the rows of a block until there are enough, but not below what fills a tile. */
static block_shape shape_of_blocks(const layer *l, const backend *gemm, uint64_t n, uint32_t wanted) {
  if (!cut_is_free(gemm)) return (block_shape){n, l->column_block};
  block_shape shape = {n, (uint32_t)round_up(l->outputs, SMALLEST_COLUMNS)};
  while (blocks_of(l->outputs, shape.columns) * blocks_of(n, shape.rows) < wanted) {
    const bool rows_next = shape.columns <= COLUMN_BLOCK && shape.rows > SMALLEST_ROWS;
    if (!rows_next && shape.columns <= SMALLEST_COLUMNS) break;
    if (rows_next)
      shape.rows = round_up((shape.rows - 1) / 2 + 1, SMALLEST_ROWS);
    else
      shape.columns = (uint32_t)round_up((shape.columns - 1) / 2 + 1, SMALLEST_COLUMNS);
  }
  return shape;
}

uint32_t layer_num_blocks(const layer *l, const backend *gemm, uint64_t n, uint32_t wanted) {
  if (n == 0) return 0;
  const block_shape shape = shape_of_blocks(l, gemm, n, wanted);
  return blocks_of(l->outputs, shape.columns) * blocks_of(n, shape.rows);
}

static uint64_t smaller(uint64_t a, uint64_t b) { return a < b ? a : b; }

block layer_block(const layer *l, const backend *gemm, uint64_t row, uint64_t n, uint32_t wanted, uint32_t index) {
  const block_shape shape = shape_of_blocks(l, gemm, n, wanted);
  const uint32_t across = blocks_of(l->outputs, shape.columns);
  block made = {.row = index / across * shape.rows, .column = index % across * shape.columns};
  made.rows = smaller(shape.rows, n - made.row);
  made.columns = (uint32_t)smaller(shape.columns, l->outputs - made.column);
  made.row += row;
  return made;
}

static uint32_t unit_columns(const layer *l, const backend *gemm) {
  return cut_is_free(gemm) && l->outputs > UNIT_COLUMNS ? UNIT_COLUMNS : l->outputs;
}

static uint32_t unit_rows(const layer *l, const backend *gemm) { return cut_is_free(gemm) ? UNIT_ROWS : l->row_block; }

uint32_t layer_num_units(const layer *l, const backend *gemm) {
  return blocks_of(l->inputs, unit_rows(l, gemm)) * blocks_of(l->outputs, unit_columns(l, gemm));
}

gradient_unit layer_unit(const mlpd_network *network, const backend *gemm, uint32_t l, uint32_t index) {
  const layer *const shape = &network->layers[l];
  const uint32_t rows = unit_rows(shape, gemm), columns = unit_columns(shape, gemm);
  const uint32_t across = blocks_of(shape->outputs, columns);
  gradient_unit made = {.layer = l, .row = index / across * rows, .column = index % across * columns};
  made.rows = (uint32_t)smaller(rows, shape->inputs - made.row);
  made.columns = (uint32_t)smaller(columns, shape->outputs - made.column);
  return made;
}

/* ---- Products ------------------------------------------------------------------------------------ */

static const float *layer_input(const workspace *space, uint32_t l) { return l == 0 ? space->x : space->a[l - 1]; }

static uint32_t layer_input_stride(const mlpd_network *network, uint32_t l) {
  return l == 0 ? network->layers[0].inputs : network->layers[l - 1].stride;
}

void network_forward_block(const mlpd_network *network, const backend *gemm, uint32_t l, const block *part,
                           workspace *space) {
  const layer *const shape = &network->layers[l];
  const float *const weight = network->parameters + shape->weight_offset + part->column;
  const float *const bias = network->parameters + shape->bias_offset + part->column;
  const size_t place = part->row * shape->stride + part->column;
  const uint32_t input_stride = layer_input_stride(network, l);
  float *const z = space->z[l] + place;
  if (part->rows == 0) return;
  gemm->sgemm(false, false, (int)part->rows, (int)part->columns, (int)shape->inputs,
              layer_input(space, l) + part->row * input_stride, (int)input_stride, weight, (int)shape->weight_stride, z,
              (int)shape->stride);
  const bool softmax = shape->activation == MLPD_SOFTMAX;
  activation_forward(softmax ? MLPD_IDENTITY : shape->activation, part->rows, part->columns, shape->stride, bias, z,
                     softmax ? z : space->a[l] + place);
}

void network_finish_output(const mlpd_network *network, uint64_t row, uint64_t n, workspace *space) {
  const uint32_t last = network->num_layers - 1, outputs = network->layers[last].outputs;
  if (network->layers[last].activation == MLPD_SOFTMAX)
    softmax_forward(n, outputs, space->z[last] + row * outputs, space->a[last] + row * outputs);
}

void network_backward_block(const mlpd_network *network, const backend *gemm, uint32_t l, const block *part,
                            workspace *space) {
  const layer *const shape = &network->layers[l];
  const layer *const above = &network->layers[l + 1];
  const float *const weight = network->parameters + above->weight_offset; /* (outputs of l, outputs of l + 1) */
  const size_t place = part->row * shape->stride + part->column;
  if (part->rows == 0) return;
  gemm->sgemm(false, true, (int)part->rows, (int)part->columns, (int)above->outputs,
              space->delta[l + 1] + part->row * above->stride, (int)above->stride,
              weight + (size_t)part->column * above->weight_stride, (int)above->weight_stride, space->delta[l] + place,
              (int)shape->stride);
  activation_backward(shape->activation, part->rows, part->columns, shape->stride, space->z[l] + place,
                      space->a[l] + place, space->delta[l] + place);
}

gradient_factors network_gradient_factors(const mlpd_network *network, const gradient_unit *unit, uint64_t row,
                                          const workspace *space) {
  const uint32_t a_stride = layer_input_stride(network, unit->layer), stride = network->layers[unit->layer].stride;
  return (gradient_factors){.a = layer_input(space, unit->layer) + row * a_stride + unit->row,
                            .delta = space->delta[unit->layer] + row * stride + unit->column,
                            .a_stride = (int)a_stride,
                            .delta_stride = (int)stride};
}

void network_weight_gradient(const mlpd_network *network, const backend *gemm, const gradient_unit *unit, uint64_t row,
                             uint64_t n, const workspace *space, float *gradient, uint32_t stride) {
  if (n == 0) {
    for (uint32_t i = 0; i < unit->rows; i++) memset(gradient + (size_t)i * stride, 0, unit->columns * sizeof(float));
    return;
  }
  const gradient_factors factors = network_gradient_factors(network, unit, row, space);
  gemm->sgemm(true, false, (int)unit->rows, (int)unit->columns, (int)n, factors.a, factors.a_stride, factors.delta,
              factors.delta_stride, gradient, (int)stride);
}

void network_bias_gradient(const mlpd_network *network, const gradient_unit *unit, uint64_t row, uint64_t n,
                           const workspace *space, float *bias_gradient) {
  const gradient_factors factors = network_gradient_factors(network, unit, row, space);
  vector_column_sums(n, unit->columns, (uint64_t)factors.delta_stride, factors.delta, bias_gradient);
}

void network_forward(const mlpd_network *network, const backend *gemm, uint64_t n, workspace *space) {
  for (uint32_t l = 0; l < network->num_layers; l++)
    for (uint32_t i = 0; i < layer_num_blocks(&network->layers[l], gemm, n, 1); i++) {
      const block part = layer_block(&network->layers[l], gemm, 0, n, 1, i);
      network_forward_block(network, gemm, l, &part, space);
    }
  network_finish_output(network, 0, n, space);
}
