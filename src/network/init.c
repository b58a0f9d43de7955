#include "network/init.h"

#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "network/network.h"

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
    case MLPD_SQUAREPLUS:
    case MLPD_GELU_TANH:
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

void init_draw(const tensor *t, mlpd_init init, uint64_t seed, size_t begin, size_t end, float *values) {
  const distribution from =
      distribution_of(init == MLPD_INIT_AUTO ? t->auto_init : init, tensor_group_rows(t), t->columns);
  if (from.scale == 0) {
    memset(values, 0, (end - begin) * sizeof *values);
    return;
  }
  rng stream = rng_start(seed, RNG_INIT_WEIGHTS, t->draw, 0);
  for (size_t i = begin; i < end; i++) {
    stream.position = (uint64_t)i * DRAWS_PER_ELEMENT;
    const double draw = from.normal ? rng_normal(&stream) : 2 * rng_uniform(&stream) - 1;
    values[i - begin] = (float)(from.scale * draw);
  }
}

/* A value of TENSOR_NORMAL, TENSOR_UNIFORM or TENSOR_CONSTANT. */
static float start_value(const tensor *t, rng *stream) {
  const double spread = t->spread > 0 ? (double)t->spread : 1;
  if (t->start == TENSOR_NORMAL) return (float)(spread * rng_normal(stream));
  if (t->start == TENSOR_UNIFORM) return (float)(spread * (2 * rng_uniform(stream) - 1));
  return t->value;
}

static void start_row(const tensor *t, mlpd_init init, uint64_t seed, uint32_t row, float *values) {
  const size_t begin = (size_t)row * t->columns;
  if (t->start == TENSOR_DRAWN) {
    init_draw(t, init, seed, begin, begin + t->columns, values);
    return;
  }
  rng stream = rng_start(seed, RNG_INIT_WEIGHTS, t->draw, 0);
  for (uint32_t j = 0; t->start == TENSOR_SIGNS && j < t->columns; j++) {
    stream.position = (begin + j) * DRAWS_PER_ELEMENT;
    values[j] = rng_next(&stream) >> 31 != 0 ? -1 : 1;
  }
  for (uint32_t j = 0; t->start != TENSOR_SIGNS && j < t->columns; j++) {
    stream.position = (begin + j) * DRAWS_PER_ELEMENT;
    values[j] = start_value(t, &stream);
  }
}

void mlpd_network_init(mlpd_network *network, mlpd_init init, uint64_t seed) {
  for (uint32_t i = 0; i < network->num_tensors; i++) {
    const tensor *const t = &network->tensors[i];
#pragma omp parallel for schedule(static)
    for (uint32_t row = 0; row < t->rows; row++)
      start_row(t, init, seed, row, network->parameters + t->offset + (size_t)row * t->stride);
  }
}
