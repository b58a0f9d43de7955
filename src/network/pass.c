/* Blocks of layers, and the pieces of a forward and backward pass. */
#include <string.h>

#include "kernels/activation.h"
#include "network/ensemble.h"
#include "network/layer_kind.h"

/* A column block of 256 outputs costs no speed against the whole layer (measured) and lets threads share one lane. */
enum {
  LINE_FLOATS = 16,
  COLUMN_BLOCK = 256,
  /* Where products do not depend on the cut: */
  SMALLEST_COLUMNS = 32,
  SMALLEST_ROWS = 16
};

static uint64_t round_up(uint64_t n, uint64_t step) { return (n + step - 1) / step * step; }

static uint32_t blocks_of(uint64_t n, uint64_t block) { return (uint32_t)((n + block - 1) / block); }

static uint64_t smaller(uint64_t a, uint64_t b) { return a < b ? a : b; }

/* ---- Blocks ---------------------------------------------------------------------------------------- */

/* A delta is computed by the kind of the layer above, and settled by its own. */
block_reach network_reach(const mlpd_network *network, uint32_t l, pass_way way) {
  const block_reach reach = network->layers[way == WAY_FORWARD ? l : l + 1].kind->reach;
  return way == WAY_BACKWARD && network->layers[l].kind->settle != NULL && reach == REACH_ELEMENT ? REACH_ROW : reach;
}

bool network_needs_lanes(const mlpd_network *network) {
  for (uint32_t l = 0; l < network->num_layers; l++)
    if (network->layers[l].kind->reach == REACH_LANE) return true;
  return false;
}

/* Rows and columns of a block. */
typedef struct block_shape {
  uint64_t rows;
  uint32_t columns;
} block_shape;

static bool cut_is_free(const backend *gemm) { return gemm->sum_gradients != NULL; }

/* The smallest multiple of 16 that cuts n columns into as many blocks as the largest that is allowed does, evenly. */
static uint32_t fixed_columns(uint32_t n) {
  const uint32_t blocks = (n - 1) / COLUMN_BLOCK + 1;
  return (uint32_t)round_up((n - 1) / blocks + 1, LINE_FLOATS);
}

/* Rows that one product takes for each row of x: all copies, but heads have a product for each member. */
static uint32_t rows_together(const mlpd_network *network, uint32_t l, pass_way way) {
  const layer *const computed_by = &network->layers[way == WAY_FORWARD ? l : l + 1];
  return computed_by->kind == &layer_heads ? 1 : network->layers[l].copies;
}

/* Halves the columns, then the rows of a block until there are enough, but not below what fills a tile. Rows are those
 * of x. */
static block_shape shape_of_blocks(const mlpd_network *network, const backend *gemm, uint32_t l, pass_way way,
                                   uint64_t n, uint32_t wanted) {
  const uint32_t outputs = network->layers[l].outputs;
  const block_reach reach = network_reach(network, l, way);
  const uint64_t smallest = blocks_of(SMALLEST_ROWS, rows_together(network, l, way));
  if (!cut_is_free(gemm)) return (block_shape){n, reach == REACH_ROW ? outputs : fixed_columns(outputs)};
  block_shape shape = {n, (uint32_t)round_up(outputs, SMALLEST_COLUMNS)};
  const uint64_t least_rows = reach == REACH_LANE ? n : smallest;
  const uint32_t least_columns = reach == REACH_ROW ? shape.columns : SMALLEST_COLUMNS;
  while (blocks_of(outputs, shape.columns) * blocks_of(n, shape.rows) < wanted) {
    const bool rows_next = (shape.columns <= COLUMN_BLOCK || reach == REACH_ROW) && shape.rows > least_rows;
    if (!rows_next && shape.columns <= least_columns) break;
    if (rows_next)
      shape.rows = round_up((shape.rows - 1) / 2 + 1, smallest);
    else
      shape.columns = (uint32_t)round_up((shape.columns - 1) / 2 + 1, SMALLEST_COLUMNS);
  }
  return shape;
}

uint32_t network_num_blocks(const mlpd_network *network, const backend *gemm, uint32_t l, pass_way way, uint64_t n,
                            uint32_t wanted) {
  const uint32_t outputs = network->layers[l].outputs;
  if (n == 0) return 0;
  const block_shape shape = shape_of_blocks(network, gemm, l, way, n, wanted);
  return blocks_of(outputs, shape.columns) * blocks_of(n, shape.rows);
}

block network_block(const mlpd_network *network, const backend *gemm, uint32_t l, pass_way way, uint64_t row,
                    uint64_t n, uint32_t wanted, uint32_t index) {
  const uint32_t outputs = network->layers[l].outputs, copies = network->layers[l].copies;
  const block_shape shape = shape_of_blocks(network, gemm, l, way, n, wanted);
  const uint32_t across = blocks_of(outputs, shape.columns);
  block made = {.row = index / across * shape.rows, .column = index % across * shape.columns};
  made.rows = smaller(shape.rows, n - made.row) * copies;
  made.columns = (uint32_t)smaller(shape.columns, outputs - made.column);
  made.row = (made.row + row) * copies;
  return made;
}

gradient_unit network_unit(const mlpd_network *network, const backend *gemm, uint32_t i, uint32_t index) {
  gradient_unit made = tensor_unit(&network->tensors[i], gemm, index);
  made.tensor = i;
  return made;
}

/* ---- Pieces ---------------------------------------------------------------------------------------- */

void network_forward_block(const mlpd_network *network, const backend *gemm, uint32_t l, const block *part,
                           workspace *space) {
  if (part->rows > 0) network->layers[l].kind->forward(network, gemm, l, part, space);
}

void network_finish_output(const mlpd_network *network, uint64_t row, uint64_t n, workspace *space) {
  const layer *const last = network_output(network);
  const size_t place = row * last->copies * last->outputs;
  const uint32_t l = network->num_layers - 1;
  if (last->activation == MLPD_SOFTMAX)
    softmax_forward(n * last->copies, last->outputs, space->z[l] + place, space->a[l] + place);
}

void network_backward_block(const mlpd_network *network, const backend *gemm, uint32_t l, const block *part,
                            workspace *space) {
  const layer *const shape = &network->layers[l];
  const size_t place = layer_place(network, l, part);
  if (part->rows == 0) return;
  network->layers[l + 1].kind->backward(network, gemm, l + 1, part, space);
  if (layer_keeps_slopes(network, l, space))
    activation_apply_slopes(part->rows, part->columns, shape->stride, space->z[l] + place, space->delta[l] + place);
  else if (shape->activation != MLPD_IDENTITY && !shape->kind->activates)
    activation_backward(shape->activation, part->rows, part->columns, shape->stride, space->z[l] + place,
                        space->a[l] + place, space->delta[l] + place);
  if (shape->kind->settle != NULL) shape->kind->settle(network, l, part, space);
}

gradient_factors network_gradient_factors(const mlpd_network *network, const gradient_unit *unit, uint64_t row,
                                          const workspace *space) {
  const uint32_t l = unit->layer, stride = network->layers[l].stride, copies = network->layers[l].copies;
  const tensor *const t = &network->tensors[unit->tensor];
  const uint32_t step = t->groups > 1 ? copies : 1; /* a member's rows, or those of all members */
  const uint64_t first = row * copies + unit->row / tensor_group_rows(t);
  return (gradient_factors){.a = layer_input(network, space, l, first) + unit->row % tensor_group_rows(t),
                            .delta = space->delta[l] + first * stride + unit->column,
                            .a_stride = (int)(step * layer_input_stride(network, l)),
                            .delta_stride = (int)(step * stride),
                            .copies = copies / step};
}

void network_gradient(const mlpd_network *network, const backend *gemm, const gradient_unit *unit, uint64_t row,
                      uint64_t n, const workspace *space, float *gradient, uint32_t stride) {
  if (n == 0) {
    for (uint32_t i = 0; i < unit->rows; i++) memset(gradient + (size_t)i * stride, 0, unit->columns * sizeof(float));
    return;
  }
  if (network->tensors[unit->tensor].source != TENSOR_PRODUCT) {
    const uint32_t copies = network->layers[unit->layer].copies;
    network->layers[unit->layer].kind->gradient(network, unit, row * copies, n * copies, space, gradient, stride);
    return;
  }
  const gradient_factors factors = network_gradient_factors(network, unit, row, space);
  gemm->sgemm(true, false, (int)unit->rows, (int)unit->columns, (int)(n * factors.copies), factors.a, factors.a_stride,
              factors.delta, factors.delta_stride, gradient, (int)stride);
}

void network_forward(const mlpd_network *network, const backend *gemm, uint64_t n, workspace *space) {
  for (uint32_t l = 0; l < network->num_layers; l++)
    for (uint32_t i = 0; i < network_num_blocks(network, gemm, l, WAY_FORWARD, n, 1); i++) {
      const block part = network_block(network, gemm, l, WAY_FORWARD, 0, n, 1, i);
      network_forward_block(network, gemm, l, &part, space);
    }
  network_finish_output(network, 0, n, space);
  ensemble_average(network, n, space);
}

/* Each member has an equal part in the output; a fork takes the mean itself. */
static void share_delta(const mlpd_network *network, uint64_t n, workspace *space) {
  const uint32_t members = network_members(network), k = network_output(network)->outputs;
  const float part = network->members_apart ? 1 : 1 / (float)members;
  float *to = space->delta[network->num_layers - 1];
  if (members == 1) return;
  for (uint64_t i = 0; i < n; i++)
    for (uint32_t m = 0; m < members; m++)
      for (uint32_t j = 0; j < k; j++) *to++ = part * space->output_delta[i * k + j];
}

/* From u = dC/da of the output layer to dC/dz; n: rows of that layer. */
static void output_delta(const mlpd_network *network, uint64_t n, workspace *space) {
  const uint32_t last = network->num_layers - 1, k = network_output(network)->outputs;
  const mlpd_activation kind = network_output(network)->activation;
  if (kind == MLPD_SOFTMAX)
    softmax_backward(n, k, space->a[last], space->delta[last]);
  else
    activation_backward(kind, n, k, k, space->z[last], space->a[last], space->delta[last]);
}

void network_input_gradient(const mlpd_network *network, const backend *gemm, uint64_t n, workspace *space) {
  const block inputs = {.rows = n, .columns = network_inputs(network)};
  share_delta(network, n, space);
  output_delta(network, n * network_members(network), space);
  for (uint32_t l = network->num_layers - 1; l-- > 0;)
    for (uint32_t i = 0; i < network_num_blocks(network, gemm, l, WAY_BACKWARD, n, 1); i++) {
      const block part = network_block(network, gemm, l, WAY_BACKWARD, 0, n, 1, i);
      network_backward_block(network, gemm, l, &part, space);
    }
  network->layers[0].kind->backward(network, gemm, 0, &inputs, space);
}
