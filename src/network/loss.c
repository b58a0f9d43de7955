#include "network/loss.h"

#include <math.h>
#include <string.h>

#include "base/portable.h"
#include "kernels/activation.h"
#include "kernels/multiversion.h"

/* A row is summed in PARTS running sums, element j into sum j mod PARTS, so that the sum vectorises and yet
 * depends on nothing but the row. */
enum { PARTS = 8, CHUNK = 256 };

static double sum_parts(const double parts[PARTS]) {
  return ((parts[0] + parts[1]) + (parts[2] + parts[3])) + ((parts[4] + parts[5]) + (parts[6] + parts[7]));
}

#define ALWAYS_INLINE static inline __attribute__((always_inline))

ALWAYS_INLINE void add_parts(uint32_t count, const double *restrict values, double *restrict parts) {
  const uint32_t whole = count / PARTS * PARTS;
  for (uint32_t j = 0; j < whole; j += PARTS)
    for (uint32_t p = 0; p < PARTS; p++) parts[p] += values[j + p];
  for (uint32_t j = whole; j < count; j++) parts[j - whole] += values[j];
}

mlpd_status loss_check(mlpd_loss loss, mlpd_activation output) {
  const char *const activation_name = mlpd_choice_name(mlpd_activation_choices, (int)output);
  const char *const loss_name = mlpd_choice_name(mlpd_loss_choices, (int)loss);
  if ((int)loss <= MLPD_LOSS_AUTO || loss >= MLPD_NUM_LOSSES)
    return FAIL(MLPD_ERROR_USAGE, "loss %s (%d) does not say which loss to compute", loss_name, (int)loss);
  if ((int)output < 0 || output >= MLPD_NUM_ACTIVATIONS)
    return FAIL(MLPD_ERROR_USAGE, "output activation %d does not exist", (int)output);
  if (loss == MLPD_CROSS_ENTROPY && output != MLPD_SOFTMAX)
    return FAIL(MLPD_ERROR_USAGE, "loss %s needs output activation softmax, not %s", loss_name, activation_name);
  if (loss == MLPD_BINARY_CROSS_ENTROPY && output != MLPD_SIGMOID)
    return FAIL(MLPD_ERROR_USAGE, "loss %s needs output activation sigmoid, not %s", loss_name, activation_name);
  return MLPD_OK;
}

mlpd_activation loss_default_activation(mlpd_loss loss, mlpd_task task) {
  if (loss == MLPD_CROSS_ENTROPY) return MLPD_SOFTMAX;
  if (loss == MLPD_BINARY_CROSS_ENTROPY) return MLPD_SIGMOID;
  return task == MLPD_CLASSIFICATION ? MLPD_SOFTMAX : MLPD_IDENTITY;
}

/* ---- Softmax and cross-entropy, by whole rows ---------------------------------------------------- */

/* 0 where all k values of z and a are finite, else not a number. */
MULTIVERSION
static float finite_or_nan(uint32_t k, const float *z, const float *a) {
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (uint32_t j = 0; j < k; j++) sum += (z[j] - z[j]) + (a[j] - a[j]); /* 0 or NaN: in any order */
  return sum;
}

/* Index of the largest value of x (k), the lowest on ties; 0 where comparing finds none (not a number). */
MULTIVERSION
static uint32_t largest_index(uint32_t k, const float *x) {
  float largest[PARTS];
  for (uint32_t p = 0; p < PARTS; p++) largest[p] = x[0];
  const uint32_t whole = k / PARTS * PARTS;
  for (uint32_t j = 0; j < whole; j += PARTS)
    for (uint32_t p = 0; p < PARTS; p++) largest[p] = x[j + p] > largest[p] ? x[j + p] : largest[p];
  for (uint32_t j = whole; j < k; j++) largest[0] = x[j] > largest[0] ? x[j] : largest[0];
  for (uint32_t p = 1; p < PARTS; p++) largest[0] = largest[p] > largest[0] ? largest[p] : largest[0];
  for (uint32_t j = 0; j < k; j++)
    if (x[j] == largest[0]) return j;
  return 0;
}

/* delta = weight (scale a - y) */
MULTIVERSION
static void scaled_difference(uint32_t k, float weight, float scale, const float *restrict a, const float *restrict y,
                              float *restrict delta) {
#pragma omp simd
  for (uint32_t j = 0; j < k; j++) delta[j] = weight * (scale * a[j] - y[j]);
}

MULTIVERSION
static void scale_row(uint32_t k, float weight, const float *restrict a, float *restrict delta) {
#pragma omp simd
  for (uint32_t j = 0; j < k; j++) delta[j] = weight * a[j];
}

/* log sum_j exp(z_j) = z_m - log a_m at the largest a_m = softmax(z)_m. As a_m >= 1/k the logarithm is
 * harmless, and the difference z_m - z_j is taken before it is added. */
static double cross_entropy_class(uint32_t k, const float *z, const float *a, uint32_t best, int32_t class,
                                  float weight, float *delta) {
  if (delta != NULL) {
    scale_row(k, weight, a, delta);
    delta[class] = weight * (a[class] - 1);
  }
  return ((double)z[best] - z[class]) - portable_log((double)a[best]) + (double)finite_or_nan(k, z, a);
}

/* *sum_y = sum_j y_j; returns sum_j y_j (top - z_j). */
MULTIVERSION
static double weighted_differences(uint32_t k, double top, const float *z, const float *y, double *sum_y) {
  double parts[PARTS] = {0}, sum[PARTS] = {0};
  const uint32_t whole = k / PARTS * PARTS;
  for (uint32_t j = 0; j < whole; j += PARTS)
    for (uint32_t p = 0; p < PARTS; p++) {
      parts[p] += y[j + p] * (top - z[j + p]);
      sum[p] += y[j + p];
    }
  for (uint32_t j = whole; j < k; j++) {
    parts[j - whole] += y[j] * (top - z[j]);
    sum[j - whole] += y[j];
  }
  *sum_y = sum_parts(sum);
  return sum_parts(parts);
}

static double cross_entropy_values(uint32_t k, const float *z, const float *a, uint32_t best, const float *y,
                                   float weight, float *delta) {
  double sum_y;
  const double differences = weighted_differences(k, z[best], z, y, &sum_y);
  if (delta != NULL) scaled_difference(k, weight, (float)sum_y, a, y, delta);
  return differences - sum_y * portable_log((double)a[best]) + (double)finite_or_nan(k, z, a);
}

/* ---- The others, by chunks of a row: they add to parts ------------------------------------------- */

/* log(1 + exp(z)) - z y = max(z, 0) - z y + log(1 + exp(-|z|)), count <= CHUNK. What the comparison hides of
 * an infinity or NaN, z y shows. */
static inline double binary_cross_entropy(double z, double y, double tail) { return ((z > 0 ? z : 0) - z * y) + tail; }

MULTIVERSION
static void add_binary_cross_entropy(uint32_t count, const float *restrict z, const float *restrict y,
                                     double *restrict parts) {
  float tail[CHUNK];
  double values[CHUNK];
  const uint32_t whole = count / PARTS * PARTS;
  for (uint32_t j = 0; j < whole; j++) tail[j] = -fabsf(z[j]);
  if (whole > 0) activation_forward(MLPD_SOFTPLUS, 1, whole, whole, NULL, tail, tail);
#pragma omp simd
  for (uint32_t j = 0; j < whole; j++) values[j] = binary_cross_entropy(z[j], y[j], tail[j]);
  for (uint32_t j = whole; j < count; j++) /* a few: the call would cost more */
    values[j] = binary_cross_entropy(z[j], y[j], portable_log1p(portable_exp(-fabs((double)z[j]))));
  add_parts(count, values, parts);
}

/* The losses of a residual r = a - y and their slopes dloss/dr, written so that NaN falls through the
 * comparisons; mse-mean without its 1/k. */
static inline double residual_loss(mlpd_loss loss, double r) {
  const double size = fabs(r);
  switch (loss) {
    case MLPD_MAE:
      return size;
    case MLPD_HUBER:
      return size > 1 ? size - 0.5 : 0.5 * (r * r);
    case MLPD_MSE_MEAN:
      return r * r;
    default:
      return 0.5 * (r * r);
  }
}

static inline float residual_slope(mlpd_loss loss, float r) {
  switch (loss) {
    case MLPD_MAE:
      return r > 0 ? 1 : r < 0 ? -1 : r;
    case MLPD_HUBER:
      return r > 1 ? 1 : r < -1 ? -1 : r;
    case MLPD_MSE_MEAN:
      return 2 * r;
    default:
      return r;
  }
}

/* count <= CHUNK. The values first, then their sum: each loop vectorises alone. */
ALWAYS_INLINE void sum_residuals(mlpd_loss loss, uint32_t count, const float *restrict a, const float *restrict y,
                                 double *restrict parts) {
  double values[CHUNK];
#pragma omp simd
  for (uint32_t j = 0; j < count; j++) values[j] = residual_loss(loss, (double)a[j] - (double)y[j]);
  add_parts(count, values, parts);
}

ALWAYS_INLINE void slope_residuals(mlpd_loss loss, uint32_t count, float weight, const float *restrict a,
                                   const float *restrict y, float *restrict delta) {
#pragma omp simd
  for (uint32_t j = 0; j < count; j++) delta[j] = weight * residual_slope(loss, a[j] - y[j]);
}

MULTIVERSION
static void add_residuals(mlpd_loss loss, uint32_t count, const float *a, const float *y, double *parts) {
  switch (loss) {
    case MLPD_MAE:
      sum_residuals(MLPD_MAE, count, a, y, parts);
      break;
    case MLPD_HUBER:
      sum_residuals(MLPD_HUBER, count, a, y, parts);
      break;
    case MLPD_MSE_MEAN:
      sum_residuals(MLPD_MSE_MEAN, count, a, y, parts);
      break;
    default:
      sum_residuals(MLPD_MSE, count, a, y, parts);
      break;
  }
}

MULTIVERSION
static void residual_slopes(mlpd_loss loss, uint32_t count, float weight, const float *a, const float *y,
                            float *delta) {
  switch (loss) {
    case MLPD_MAE:
      slope_residuals(MLPD_MAE, count, weight, a, y, delta);
      break;
    case MLPD_HUBER:
      slope_residuals(MLPD_HUBER, count, weight, a, y, delta);
      break;
    case MLPD_MSE_MEAN:
      slope_residuals(MLPD_MSE_MEAN, count, weight, a, y, delta);
      break;
    default:
      slope_residuals(MLPD_MSE, count, weight, a, y, delta);
      break;
  }
}

/* y (k), or NULL for the one-hot row of class. delta gets weight dloss/da (binary cross-entropy: dloss/dz). */
static double chunked_row(mlpd_loss loss, uint32_t k, const float *z, const float *a, const float *y, int32_t class,
                          float weight, float *delta) {
  double parts[PARTS] = {0};
  float hot[CHUNK];
  const float slope_weight = loss == MLPD_MSE_MEAN ? weight / (float)k : weight;
  for (uint32_t begin = 0; begin < k; begin += CHUNK) {
    const uint32_t count = k - begin < CHUNK ? k - begin : CHUNK;
    const float *const target = y != NULL ? y + begin : hot;
    if (y == NULL) {
      memset(hot, 0, count * sizeof *hot);
      if ((uint32_t) class - begin < count) hot[(uint32_t) class - begin] = 1;
    }
    if (loss == MLPD_BINARY_CROSS_ENTROPY) {
      add_binary_cross_entropy(count, z + begin, target, parts);
      if (delta != NULL) scaled_difference(count, weight, 1, a + begin, target, delta + begin);
    } else {
      add_residuals(loss, count, a + begin, target, parts);
      if (delta != NULL) residual_slopes(loss, count, slope_weight, a + begin, target, delta + begin);
    }
  }
  return loss == MLPD_MSE_MEAN ? sum_parts(parts) / k : sum_parts(parts);
}

/* ---- All rows ----------------------------------------------------------------------------------- */

void loss_compute(mlpd_loss loss, mlpd_activation output, uint64_t n, uint32_t k, const float *z, const float *a,
                  const targets *y, float *delta, loss_sums *sums) {
  for (uint64_t i = 0; i < n; i++) {
    const float weight = y->weights != NULL ? y->weights[i] : 1;
    const float *const zi = z + i * k, *const ai = a + i * k;
    float *const di = delta != NULL ? delta + i * k : NULL;
    const int32_t class = y->classes != NULL ? y->classes[i] : 0;
    const float binary = (float)class;
    const float *const yi = y->classes == NULL ? y->values + i * k : k == 1 ? &binary : NULL;
    const bool needs_best = loss == MLPD_CROSS_ENTROPY || (y->classes != NULL && k > 1);
    const uint32_t best = needs_best ? largest_index(k, ai) : 0;
    double value;
    if (loss != MLPD_CROSS_ENTROPY)
      value = chunked_row(loss, k, zi, ai, yi, class, weight, di);
    else if (yi != NULL)
      value = cross_entropy_values(k, zi, ai, best, yi, weight, di);
    else
      value = cross_entropy_class(k, zi, ai, best, class, weight, di);
    sums->loss += (double)weight * value;
    sums->weight += (double)weight;
    if (y->classes == NULL) {
      sums->square += (double)weight * chunked_row(MLPD_MSE, k, zi, ai, yi, 0, weight, NULL) * 2;
    } else {
      const bool correct = k == 1 ? (ai[0] > 0.5f) == (class == 1) : best == (uint32_t) class;
      if (correct) sums->correct += (double)weight;
    }
  }
  if (delta == NULL || loss == MLPD_CROSS_ENTROPY || loss == MLPD_BINARY_CROSS_ENTROPY) return;
  if (output == MLPD_SOFTMAX)
    softmax_backward(n, k, a, delta);
  else
    activation_backward(output, n, k, k, z, a, delta);
}
