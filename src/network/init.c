#include "network/init.h"

#include <math.h>
#include <string.h>

#include "base/rng.h"

/* One group of four 32-bit draws an element: rng_normal takes all four, rng_uniform two of them. */
enum { DRAWS_PER_ELEMENT = 4 };

mlpd_init init_for_activation(mlpd_activation activation) {
  switch (activation) {
    case MLPD_RELU:
    case MLPD_LEAKY_RELU:
    case MLPD_ELU:
    case MLPD_GELU:
    case MLPD_SILU:
    case MLPD_SOFTPLUS:
    case MLPD_MISH:
    case MLPD_HARDSWISH:
    case MLPD_RELU6:
      return MLPD_HE_NORMAL;
    case MLPD_SELU:
      return MLPD_LECUN_NORMAL;
    default:
      return MLPD_GLOROT_UNIFORM;
  }
}

/* What a draw of mean 0 is multiplied by: the deviation of a normal, the half width of a uniform.
 * He et al., ICCV 2015; Glorot & Bengio, AISTATS 2010; LeCun et al., "Efficient BackProp", 1998. */
typedef struct distribution {
  bool normal;
  double scale;
} distribution;

static distribution distribution_of(mlpd_init init, double inputs, double outputs) {
  switch (init) {
    case MLPD_HE_NORMAL:
      return (distribution){true, sqrt(2 / inputs)};
    case MLPD_HE_UNIFORM:
      return (distribution){false, sqrt(6 / inputs)};
    case MLPD_GLOROT_NORMAL:
      return (distribution){true, sqrt(2 / (inputs + outputs))};
    case MLPD_GLOROT_UNIFORM:
      return (distribution){false, sqrt(6 / (inputs + outputs))};
    case MLPD_LECUN_NORMAL:
      return (distribution){true, sqrt(1 / inputs)};
    case MLPD_LECUN_UNIFORM:
      return (distribution){false, sqrt(3 / inputs)};
    default:
      return (distribution){false, 0};
  }
}

void init_draw(const mlpd_network *network, mlpd_init init, uint64_t seed, uint32_t l, size_t begin, size_t end,
               float *weight) {
  const layer *const shape = &network->layers[l];
  if (init == MLPD_INIT_AUTO) init = init_for_activation(shape->activation);
  const distribution from = distribution_of(init, shape->inputs, shape->outputs);
  if (from.scale == 0) {
    memset(weight, 0, (end - begin) * sizeof *weight);
    return;
  }
  rng stream = rng_start(seed, RNG_INIT_WEIGHTS, l, 0);
  for (size_t i = begin; i < end; i++) {
    stream.position = (uint64_t)i * DRAWS_PER_ELEMENT;
    const double draw = from.normal ? rng_normal(&stream) : 2 * rng_uniform(&stream) - 1;
    weight[i - begin] = (float)(from.scale * draw);
  }
}

void mlpd_network_init(mlpd_network *network, mlpd_init init, uint64_t seed) {
  for (uint32_t l = 0; l < network->num_layers; l++) {
    const layer *const shape = &network->layers[l];
    float *const weight = network->parameters + shape->weight_offset;
#pragma omp parallel for schedule(static)
    for (uint32_t i = 0; i < shape->inputs; i++) {
      const size_t begin = (size_t)i * shape->outputs;
      init_draw(network, init, seed, l, begin, begin + shape->outputs, weight + (size_t)i * shape->weight_stride);
    }
    memset(network->parameters + shape->bias_offset, 0, shape->outputs * sizeof(float));
  }
}
