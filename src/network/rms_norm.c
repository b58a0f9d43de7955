/* RMS norm (Zhang and Sennrich 2019): z = gain x^, x^ = x / sqrt(mean of x^2 + 1e-5), the mean over a row. Sums are in
 * double, by a fixed number of partial sums. */
#include <math.h>

#include "kernels/multiversion.h"
#include "kernels/vector.h"
#include "network/layer_kind.h"

static const double EPSILON = 1e-5;

/* 1 / sqrt(mean of x^2 + epsilon) is kept of a row. */
static uint32_t norm_row_floats(const layer *l) {
  (void)l;
  return 1;
}

static uint32_t norm_tensors(const layer *l, const layer_spec *spec, tensor made[LAYER_MOST_TENSORS]) {
  (void)spec;
  made[0] = (tensor){.name = "gain",
                     .rows = 1,
                     .columns = l->outputs,
                     .vector = true,
                     .source = TENSOR_GRADIENT,
                     .rate = 1,
                     .value = 1};
  return 1;
}

MULTIVERSION static void normalise(uint32_t n, const float *x, float inverse, const float *gain, float *z) {
#pragma omp simd
  for (uint32_t j = 0; j < n; j++) z[j] = gain[j] * (x[j] * inverse);
}

static void norm_forward(const mlpd_network *network, const backend *gemm, uint32_t l, const block *part,
                         workspace *space) {
  const layer *const shape = &network->layers[l];
  const uint32_t n = shape->outputs;
  float *const inverse = space->kept[l];
  (void)gemm;
  for (uint64_t row = part->row; row < part->row + part->rows; row++) {
    const float *const x = layer_input(network, space, l, row);
    inverse[row] = (float)(1 / sqrt(vector_sum_squares(n, x) / n + EPSILON));
    normalise(n, x, inverse[row], layer_values(network, l, 0), space->z[l] + row * shape->stride);
  }
  layer_activate(network, l, part, NULL, space);
}

MULTIVERSION static void multiply(uint32_t n, const float *delta, const float *gain, float *g) {
#pragma omp simd
  for (uint32_t j = 0; j < n; j++) g[j] = delta[j] * gain[j];
}

MULTIVERSION static void delta_row(uint32_t n, const float *x, float inverse, float mean, float *g) {
#pragma omp simd
  for (uint32_t j = 0; j < n; j++) g[j] = inverse * (g[j] - x[j] * inverse * mean);
}

/* dC/dx = (g - x^ mean of g x^) / sqrt(mean of x^2 + epsilon), g = delta gain */
static void norm_backward(const mlpd_network *network, const backend *gemm, uint32_t l, const block *part,
                          workspace *space) {
  const layer *const shape = &network->layers[l];
  const uint32_t n = shape->outputs;
  float *to = layer_delta_below(network, space, l, part);
  (void)gemm;
  for (uint64_t row = part->row; row < part->row + part->rows; row++, to += layer_input_stride(network, l)) {
    const float *const x = layer_input(network, space, l, row), inverse = space->kept[l][row];
    multiply(n, space->delta[l] + row * shape->stride, layer_values(network, l, 0), to);
    delta_row(n, x, inverse, (float)(vector_dot(n, to, x) * (double)inverse / n), to);
  }
}

/* The sum of delta x^ over the rows, one after the other. */
static void norm_gradient(const mlpd_network *network, const gradient_unit *unit, uint64_t row, uint64_t n,
                          const workspace *space, float *gradient, uint32_t stride) {
  const uint32_t l = unit->layer, delta_stride = network->layers[l].stride;
  (void)stride;
  for (uint32_t j = 0; j < unit->columns; j++) gradient[j] = 0;
  for (uint64_t r = row; r < row + n; r++) {
    const float *const x = layer_input(network, space, l, r) + unit->column, inverse = space->kept[l][r];
    const float *const delta = space->delta[l] + r * delta_stride + unit->column;
    for (uint32_t j = 0; j < unit->columns; j++) gradient[j] += delta[j] * (x[j] * inverse);
  }
}

const layer_kind layer_rms_norm = {.name = "rms-norm",
                                   .reach = REACH_ROW,
                                   .row_floats = norm_row_floats,
                                   .tensors = norm_tensors,
                                   .forward = norm_forward,
                                   .backward = norm_backward,
                                   .gradient = norm_gradient};
