/* Cross-entropy of a softmax: of classes, and of rows of target probabilities. */
#include <string.h>

#include "base/portable.h"
#include "kernels/multiversion.h"
#include "loss/loss_kind.h"

/* delta = weight (scale a - y) */
MULTIVERSION
static void scaled_difference(uint32_t k, float weight, float scale, const float *restrict a, const float *restrict y,
                              float *restrict delta) {
#pragma omp simd
  for (uint32_t j = 0; j < k; j++) delta[j] = weight * (scale * a[j] - y[j]);
}

void loss_difference(uint32_t k, float weight, float scale, const float *a, const float *y, float *delta) {
  scaled_difference(k, weight, scale, a, y, delta);
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
  return ((double)z[best] - z[class]) - portable_log((double)a[best]) + (double)loss_finite_or_nan(k, z, a);
}

/* cross_entropy_class of up to LOSS_ROWS rows of up to LOSS_ROWS outputs, delta left aside: a row a lane of a vector.
 * *best: of each. */
MULTIVERSION
static void cross_entropy_narrow(uint32_t n, uint32_t k, const float *restrict z, const float *restrict a,
                                 const int32_t *restrict classes, double *restrict values, int32_t *restrict best) {
  float zt[LOSS_ROWS][LOSS_ROWS], at[LOSS_ROWS][LOSS_ROWS], z_best[LOSS_ROWS], largest[LOSS_ROWS], bad[LOSS_ROWS];
  double z_class[LOSS_ROWS];
  for (uint32_t i = 0; i < LOSS_ROWS; i++) { /* of rows that are not there, the last */
    const size_t row = i < n ? i : n - 1;
    z_class[i] = z[row * k + (uint32_t)classes[row]];
    for (uint32_t j = 0; j < k; j++) {
      zt[j][i] = z[row * k + j];
      at[j][i] = a[row * k + j];
    }
  }
#pragma omp simd
  for (uint32_t i = 0; i < LOSS_ROWS; i++) {
    best[i] = 0;
    largest[i] = at[0][i];
    z_best[i] = zt[0][i];
    bad[i] = (z_best[i] - z_best[i]) + (largest[i] - largest[i]);
  }
  for (uint32_t j = 1; j < k; j++) {
#pragma omp simd
    for (uint32_t i = 0; i < LOSS_ROWS; i++) {
      const float x = at[j][i], y = zt[j][i];
      bad[i] += (y - y) + (x - x);
      best[i] = x > largest[i] ? (int32_t)j : best[i];
      z_best[i] = x > largest[i] ? y : z_best[i];
      largest[i] = x > largest[i] ? x : largest[i];
    }
  }
#pragma omp simd
  for (uint32_t i = 0; i < LOSS_ROWS; i++)
    values[i] = (((double)z_best[i] - z_class[i]) - portable_log_inline((double)largest[i])) + (double)bad[i];
}

/* *sum_y = sum_j y_j; returns sum_j y_j (top - z_j). */
MULTIVERSION
static double weighted_differences(uint32_t k, double top, const float *z, const float *y, double *sum_y) {
  double parts[LOSS_PARTS] = {0}, sum[LOSS_PARTS] = {0};
  const uint32_t whole = k / LOSS_PARTS * LOSS_PARTS;
  for (uint32_t j = 0; j < whole; j += LOSS_PARTS)
    for (uint32_t p = 0; p < LOSS_PARTS; p++) {
      parts[p] += y[j + p] * (top - z[j + p]);
      sum[p] += y[j + p];
    }
  for (uint32_t j = whole; j < k; j++) {
    parts[j - whole] += y[j] * (top - z[j]);
    sum[j - whole] += y[j];
  }
  *sum_y = loss_sum_parts(sum);
  return loss_sum_parts(parts);
}

static double cross_entropy_values(uint32_t k, const float *z, const float *a, uint32_t best, const float *y,
                                   float weight, float *delta) {
  double sum_y;
  const double differences = weighted_differences(k, z[best], z, y, &sum_y);
  if (delta != NULL) scaled_difference(k, weight, (float)sum_y, a, y, delta);
  return differences - sum_y * portable_log((double)a[best]) + (double)loss_finite_or_nan(k, z, a);
}

/* ---- Label smoothing ------------------------------------------------------------------------------ */

/* Returns sum_j (top - z_j). */
MULTIVERSION
static double differences(uint32_t k, double top, const float *z) {
  double parts[LOSS_PARTS] = {0};
  const uint32_t whole = k / LOSS_PARTS * LOSS_PARTS;
  for (uint32_t j = 0; j < whole; j += LOSS_PARTS)
    for (uint32_t p = 0; p < LOSS_PARTS; p++) parts[p] += top - z[j + p];
  for (uint32_t j = whole; j < k; j++) parts[j - whole] += top - z[j];
  return loss_sum_parts(parts);
}

/* delta = weight (scale a - share) */
MULTIVERSION
static void smoothed_slopes(uint32_t k, float weight, float scale, float share, const float *restrict a,
                            float *restrict delta) {
#pragma omp simd
  for (uint32_t j = 0; j < k; j++) delta[j] = weight * (scale * a[j] - share);
}

/* Targets (1 - E) y_j + E / k: y (k), or the one-hot row of class where it is NULL. */
static double smoothed_row(float smoothing, uint32_t k, const float *z, const float *a, uint32_t best, const float *y,
                           int32_t class, float weight, float *delta) {
  const double kept = 1 - (double)smoothing, share = (double)smoothing / k;
  double sum_y = 1, own = (double)z[best] - (double)z[y == NULL ? (uint32_t) class : best];
  if (y != NULL) own = weighted_differences(k, z[best], z, y, &sum_y);
  const double sum = kept * sum_y + (double)smoothing;
  if (delta != NULL) smoothed_slopes(k, weight, (float)sum, (float)share, a, delta);
  if (delta != NULL && y == NULL) delta[class] -= weight * (float)kept;
  for (uint32_t j = 0; delta != NULL && y != NULL && j < k; j++) delta[j] -= weight * ((float)kept * y[j]);
  return kept * own + share * differences(k, z[best], z) - sum * portable_log((double)a[best]) +
         (double)loss_finite_or_nan(k, z, a);
}

/* ---- Rows ----------------------------------------------------------------------------------------- */

static void narrow_rows(const loss_block *b, loss_values *values) {
  const uint32_t k = b->k;
  cross_entropy_narrow(b->n, k, b->z, b->a, b->y.classes, values->loss, values->best);
  if (b->delta == NULL) return;
  memcpy(b->delta, b->a, (size_t)b->n * k * sizeof *b->delta);
  for (uint32_t i = 0; i < b->n; i++) {
    const float weight = loss_weight(b, i);
    const size_t row = (size_t)i * k, class = row + (uint32_t)b->y.classes[i];
    if (loss_is_weighted(b)) scale_row(k, weight, b->a + row, b->delta + row);
    b->delta[class] = weight * (b->a[class] - 1);
  }
}

static void whole_row(const loss_block *b, uint32_t i, loss_values *values) {
  const uint32_t k = b->k;
  const float *const z = b->z + (size_t)i * k, *const a = b->a + (size_t)i * k;
  float *const delta = b->delta != NULL ? b->delta + (size_t)i * k : NULL, weight = loss_weight(b, i), binary;
  const float *const y = loss_target(b, i, &binary);
  const uint32_t best = loss_largest(k, a);
  values->best[i] = (int32_t)best;
  if (b->loss->smoothing > 0)
    values->loss[i] =
        smoothed_row(b->loss->smoothing, k, z, a, best, y, y == NULL ? b->y.classes[i] : 0, weight, delta);
  else
    values->loss[i] = y != NULL ? cross_entropy_values(k, z, a, best, y, weight, delta)
                                : cross_entropy_class(k, z, a, best, b->y.classes[i], weight, delta);
  if (b->y.classes == NULL) values->square[i] = loss_half_square(k, a, y);
}

void loss_cross_entropy(const loss_block *b, loss_values *values) {
  if (b->loss->gamma > 0) {
    loss_focal_softmax(b, values);
    return;
  }
  if (b->loss->smoothing <= 0 && b->y.classes != NULL && b->k > 1 && b->k <= LOSS_ROWS) {
    narrow_rows(b, values);
    return;
  }
  for (uint32_t i = 0; i < b->n; i++) whole_row(b, i, values);
}
