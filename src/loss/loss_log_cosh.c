/* log(cosh(r)) of a residual r = a - y: close to r^2 / 2 near 0 and to |r| - log 2 far from it, as huber, but without
 * its kinks. The slope is tanh(r). */
#include <math.h>

#include "base/portable.h"
#include "kernels/multiversion.h"
#include "kernels/vmath.h"
#include "loss/loss_kind.h"

/* size: |r|. Near 0 the terms cancel: there by two terms of the series, to a relative 5e-10. */
static double log_cosh(double size) {
  const double square = size * size;
  if (size < 0.01) return 0.5 * square - square * square / 12;
  return size + (portable_log1p(portable_exp(-2 * size)) - (PORTABLE_LN2_HIGH + PORTABLE_LN2_LOW));
}

MULTIVERSION
static void slopes(uint32_t count, float weight, const float *restrict a, const float *restrict y,
                   float *restrict delta) {
#pragma omp simd
  for (uint32_t j = 0; j < count; j++) {
    const float r = a[j] - y[j];
    delta[j] = weight * vmath_tanh(r, vmath_expm1_negative(2.0f * vmath_minus_abs(r)));
  }
}

/* y (k), or NULL for the one-hot row of class. delta, if not NULL, gets weight dloss/da. */
static double whole_row(uint32_t k, const float *a, const float *y, int32_t class, float weight, float *delta) {
  double parts[LOSS_PARTS] = {0}, values[LOSS_CHUNK];
  float hot[LOSS_CHUNK];
  for (uint32_t begin = 0; begin < k; begin += LOSS_CHUNK) {
    const uint32_t count = k - begin < LOSS_CHUNK ? k - begin : LOSS_CHUNK;
    const float *const target = y != NULL ? y + begin : loss_one_hot(begin, count, class, hot);
    for (uint32_t j = 0; j < count; j++) values[j] = log_cosh(fabs((double)a[begin + j] - (double)target[j]));
    loss_add_parts(count, values, parts);
    if (delta != NULL) slopes(count, weight, a + begin, target, delta + begin);
  }
  return loss_sum_parts(parts);
}

void loss_log_cosh(const loss_block *b, loss_values *values) {
  const uint32_t k = b->k;
  for (uint32_t i = 0; i < b->n; i++) {
    const float *const a = b->a + (size_t)i * k;
    float *const delta = b->delta != NULL ? b->delta + (size_t)i * k : NULL, binary;
    const float *const y = loss_target(b, i, &binary);
    const int32_t class = b->y.classes != NULL ? b->y.classes[i] : 0;
    values->best[i] = y == NULL ? (int32_t)loss_largest(k, a) : 0;
    values->loss[i] = whole_row(k, a, y, class, loss_weight(b, i), delta);
    if (b->y.classes == NULL) values->square[i] = loss_half_square(k, a, y);
  }
}
