/* Layer norm (Ba, Kiros and Hinton 2016): z = gain x^ + shift, x^ = (x - mean) / sqrt(variance + 1e-5), mean and
 * variance over a row. Sums are in double, by a fixed number of partial sums. */
#include <math.h>

#include "kernels/multiversion.h"
#include "kernels/vector.h"
#include "network/layer_kind.h"

enum { GAIN, SHIFT, PARTS = 8 };

static const double EPSILON = 1e-5;

/* What is kept of a row. */
typedef struct row_scale {
  float mean, inverse; /* 1 / sqrt(variance + epsilon) */
} row_scale;

static uint32_t norm_row_floats(const layer *l) {
  (void)l;
  return sizeof(row_scale) / sizeof(float);
}

static uint32_t norm_tensors(const layer *l, const layer_spec *spec, tensor made[LAYER_MOST_TENSORS]) {
  (void)spec;
  const tensor vector = {.rows = 1, .columns = l->outputs, .vector = true, .source = TENSOR_GRADIENT, .rate = 1};
  made[GAIN] = made[SHIFT] = vector;
  made[GAIN].name = "gain";
  made[GAIN].value = 1;
  made[SHIFT].name = "shift";
  return 2;
}

static double total(const double part[PARTS]) {
  double sum = 0;
  for (int k = 0; k < PARTS; k++) sum += part[k];
  return sum;
}

MULTIVERSION static void sum_row(uint32_t n, const float *x, double part[PARTS]) {
  uint32_t j = 0;
  for (int k = 0; k < PARTS; k++) part[k] = 0;
  for (; j + PARTS <= n; j += PARTS)
    for (uint32_t k = 0; k < PARTS; k++) part[k] += (double)x[j + k];
  for (; j < n; j++) part[j % PARTS] += (double)x[j];
}

MULTIVERSION static void sum_squares(uint32_t n, const float *x, double mean, double part[PARTS]) {
  uint32_t j = 0;
  for (int k = 0; k < PARTS; k++) part[k] = 0;
  for (; j + PARTS <= n; j += PARTS)
    for (uint32_t k = 0; k < PARTS; k++) part[k] += ((double)x[j + k] - mean) * ((double)x[j + k] - mean);
  for (; j < n; j++) part[j % PARTS] += ((double)x[j] - mean) * ((double)x[j] - mean);
}

static row_scale scale_of(uint32_t n, const float *x) {
  double part[PARTS];
  sum_row(n, x, part);
  const double mean = total(part) / n;
  sum_squares(n, x, mean, part);
  return (row_scale){(float)mean, (float)(1 / sqrt(total(part) / n + EPSILON))};
}

MULTIVERSION static void normalise(uint32_t n, const float *x, row_scale s, const float *gain, const float *shift,
                                   float *z) {
#pragma omp simd
  for (uint32_t j = 0; j < n; j++) z[j] = gain[j] * ((x[j] - s.mean) * s.inverse) + shift[j];
}

static void norm_forward(const mlpd_network *network, const backend *gemm, uint32_t l, const block *part,
                         workspace *space) {
  const layer *const shape = &network->layers[l];
  row_scale *const kept = (row_scale *)(void *)space->kept[l];
  (void)gemm;
  for (uint64_t row = part->row; row < part->row + part->rows; row++) {
    const float *const x = layer_input(network, space, l, row);
    kept[row] = scale_of(shape->outputs, x);
    normalise(shape->outputs, x, kept[row], layer_values(network, l, GAIN), layer_values(network, l, SHIFT),
              space->z[l] + row * shape->stride);
  }
  layer_activate(network, l, part, NULL, space);
}

/* Sums of g = delta gain and of g x^. */
MULTIVERSION static void sum_deltas(uint32_t n, const float *x, row_scale s, const float *gain, const float *delta,
                                    double part[PARTS], double part_x[PARTS]) {
  for (int k = 0; k < PARTS; k++) part[k] = part_x[k] = 0;
  for (uint32_t j = 0; j < n; j++) {
    const float g = delta[j] * gain[j];
    part[j % PARTS] += (double)g;
    part_x[j % PARTS] += (double)(g * ((x[j] - s.mean) * s.inverse));
  }
}

/* dC/dx = (g - mean of g - x^ mean of g x^) / sqrt(variance + epsilon) */
MULTIVERSION static void delta_row(uint32_t n, const float *x, row_scale s, const float *gain, const float *delta,
                                   float mean, float mean_x, float *to) {
#pragma omp simd
  for (uint32_t j = 0; j < n; j++)
    to[j] = s.inverse * ((delta[j] * gain[j] - mean) - (x[j] - s.mean) * s.inverse * mean_x);
}

static void norm_backward(const mlpd_network *network, const backend *gemm, uint32_t l, const block *part,
                          workspace *space) {
  const layer *const shape = &network->layers[l];
  const row_scale *const kept = (const row_scale *)(const void *)space->kept[l];
  const float *const gain = layer_values(network, l, GAIN);
  float *to = layer_delta_below(network, space, l, part);
  const uint32_t n = shape->outputs;
  (void)gemm;
  for (uint64_t row = part->row; row < part->row + part->rows; row++, to += layer_input_stride(network, l)) {
    const float *const x = layer_input(network, space, l, row), *const delta = space->delta[l] + row * shape->stride;
    double sums[PARTS], sums_x[PARTS];
    sum_deltas(n, x, kept[row], gain, delta, sums, sums_x);
    delta_row(n, x, kept[row], gain, delta, (float)(total(sums) / n), (float)(total(sums_x) / n), to);
  }
}

static void norm_gradient(const mlpd_network *network, const gradient_unit *unit, uint64_t row, uint64_t n,
                          const workspace *space, float *gradient, uint32_t stride) {
  const uint32_t l = unit->layer, delta_stride = network->layers[l].stride;
  const row_scale *const kept = (const row_scale *)(const void *)space->kept[l];
  (void)stride;
  if (unit->tensor == network->layers[l].first_tensor + SHIFT) {
    vector_column_sums(n, unit->columns, delta_stride, space->delta[l] + row * delta_stride + unit->column, gradient);
    return;
  }
  for (uint32_t j = 0; j < unit->columns; j++) gradient[j] = 0;
  for (uint64_t r = row; r < row + n; r++) {
    const float *const x = layer_input(network, space, l, r) + unit->column;
    const float *const delta = space->delta[l] + r * delta_stride + unit->column;
    for (uint32_t j = 0; j < unit->columns; j++) gradient[j] += delta[j] * ((x[j] - kept[r].mean) * kept[r].inverse);
  }
}

const layer_kind layer_layer_norm = {.name = "layer-norm",
                                     .reach = REACH_ROW,
                                     .row_floats = norm_row_floats,
                                     .tensors = norm_tensors,
                                     .forward = norm_forward,
                                     .backward = norm_backward,
                                     .gradient = norm_gradient};
