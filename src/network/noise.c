/* Gaussian noise of standard deviation `amount` on every value, in training alone: a counted number of (seed, epoch,
 * sample and copy, layer, column). */
#include "base/rng.h"
#include "network/layer_kind.h"

static void noise_forward(const mlpd_network *network, const backend *gemm, uint32_t l, const block *part,
                          workspace *space) {
  const layer *const shape = &network->layers[l];
  const pass_context *const context = &space->context;
  (void)gemm;
  layer_copy_forward(network, l, part, space);
  if (!context->training) return;
  rng stream = rng_start(context->seed, RNG_NOISE, context->epoch, l);
  for (uint64_t row = part->row; row < part->row + part->rows; row++) {
    float *const a = space->a[l] + row * shape->stride;
    for (uint32_t j = part->column; j < part->column + part->columns; j++) {
      stream.position = ((context->first * shape->copies + row) * shape->outputs + j) * RNG_NORMAL_DRAWS;
      a[j] += (float)(shape->amount * rng_normal(&stream));
    }
  }
}

static void noise_backward(const mlpd_network *network, const backend *gemm, uint32_t l, const block *part,
                           workspace *space) {
  (void)gemm;
  layer_copy_backward(network, l, part, space);
}

const layer_kind layer_noise = {.name = "noise",
                                .reach = REACH_ELEMENT,
                                .training_only = true,
                                .forward = noise_forward,
                                .backward = noise_backward};
