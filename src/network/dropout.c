/* Dropout (Srivastava et al., JMLR 15, 2014), inverted: in training each value is dropped with probability `amount`
 * (times the factor of the pass) and the others are divided by 1 minus it, so that outside of training nothing is left
 * to do. Whether a value is dropped is a counted number of (seed, epoch, sample and copy, layer, column). z holds the
 * factors, 0 or 1 / (1 - amount). */
#include "kernels/random.h"
#include "network/layer_kind.h"

enum { CHUNK = 128 }; /* columns at a time */

/* Columns from column on of a row: factors that say whether each is dropped. */
static void draw_factors(const rng *stream, uint64_t first, uint32_t columns, double amount, float *factor) {
  const uint32_t dropped = (uint32_t)(amount * 0x1p32); /* draws below */
  const float kept = (float)(1 / (1 - amount));
  uint32_t draws[CHUNK + RANDOM_GROUP];
  const uint32_t skipped = (uint32_t)(first % RANDOM_GROUP);
  random_draws(stream, first / RANDOM_GROUP, (skipped + columns + RANDOM_GROUP - 1) / RANDOM_GROUP, draws);
  for (uint32_t j = 0; j < columns; j++) factor[j] = draws[skipped + j] < dropped ? 0 : kept;
}

static void drop_row(const mlpd_network *network, uint32_t l, uint64_t row, const block *part, workspace *space) {
  const layer *const shape = &network->layers[l];
  const pass_context *const context = &space->context;
  const rng stream = rng_start(context->seed, RNG_DROPOUT, context->epoch, l);
  const float *const in = layer_input(network, space, l, row);
  const double amount = shape->amount * (1 - context->weaker);
  const uint64_t sample = (context->first * shape->copies + row) * layer_draws(shape->outputs);
  for (uint32_t j = part->column, some = 0; j < part->column + part->columns; j += some) {
    float *const factor = space->z[l] + row * shape->stride + j, *const a = space->a[l] + row * shape->stride + j;
    some = part->column + part->columns - j < CHUNK ? part->column + part->columns - j : CHUNK;
    draw_factors(&stream, sample + j, some, amount, factor);
    for (uint32_t i = 0; i < some; i++) a[i] = factor[i] * in[j + i];
  }
}

static void dropout_forward(const mlpd_network *network, const backend *gemm, uint32_t l, const block *part,
                            workspace *space) {
  (void)gemm;
  if (!space->context.training) {
    layer_copy_forward(network, l, part, space);
    return;
  }
  for (uint64_t row = part->row; row < part->row + part->rows; row++) drop_row(network, l, row, part, space);
}

static void dropout_backward(const mlpd_network *network, const backend *gemm, uint32_t l, const block *part,
                             workspace *space) {
  const uint32_t stride = network->layers[l].stride, below = layer_input_stride(network, l);
  float *to = layer_delta_below(network, space, l, part);
  (void)gemm;
  if (!space->context.training) {
    layer_copy_backward(network, l, part, space);
    return;
  }
  for (uint64_t row = part->row; row < part->row + part->rows; row++, to += below) {
    const float *const factor = space->z[l] + row * stride + part->column;
    const float *const delta = space->delta[l] + row * stride + part->column;
    for (uint32_t j = 0; j < part->columns; j++) to[j] = factor[j] * delta[j];
  }
}

const layer_kind layer_dropout = {.name = "dropout",
                                  .reach = REACH_ELEMENT,
                                  .training_only = true,
                                  .keeps_z = true,
                                  .forward = dropout_forward,
                                  .backward = dropout_backward};
