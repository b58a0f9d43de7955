/* Binary cross-entropy of a sigmoid: each output a yes/no answer of its own. */
#include <math.h>

#include "base/portable.h"
#include "kernels/activation.h"
#include "kernels/multiversion.h"
#include "loss/loss_kind.h"

/* log(1 + exp(z)) - z y = max(z, 0) - z y + log(1 + exp(-|z|)), count <= LOSS_CHUNK. What the comparison hides of
 * an infinity or NaN, z y shows. */
static inline double binary_cross_entropy(double z, double y, double tail) { return ((z > 0 ? z : 0) - z * y) + tail; }

MULTIVERSION
static void add_binary_cross_entropy(uint32_t count, const float *restrict z, const float *restrict y,
                                     double *restrict parts) {
  float tail[LOSS_CHUNK];
  double values[LOSS_CHUNK];
  const uint32_t whole = count / LOSS_PARTS * LOSS_PARTS;
  for (uint32_t j = 0; j < whole; j++) tail[j] = -fabsf(z[j]);
  if (whole > 0) activation_forward(MLPD_SOFTPLUS, 1, whole, whole, NULL, tail, tail);
#pragma omp simd
  for (uint32_t j = 0; j < whole; j++) values[j] = binary_cross_entropy(z[j], y[j], tail[j]);
  for (uint32_t j = whole; j < count; j++) /* a few: the call would cost more */
    values[j] = binary_cross_entropy(z[j], y[j], portable_log1p(portable_exp(-fabs((double)z[j]))));
  loss_add_parts(count, values, parts);
}

/* Targets (1 - E) y + E / 2, count <= LOSS_CHUNK. */
static const float *smoothed(const loss_spec *loss, uint32_t count, const float *y, float *room) {
  for (uint32_t j = 0; j < count; j++) room[j] = (float)loss_smoothed(loss, (double)y[j], 2);
  return room;
}

/* y (k), or NULL for the one-hot row of class. */
static double whole_row(const loss_spec *loss, uint32_t k, const float *z, const float *a, const float *y,
                        int32_t class, float weight, float *delta) {
  double parts[LOSS_PARTS] = {0};
  float hot[LOSS_CHUNK], room[LOSS_CHUNK];
  for (uint32_t begin = 0; begin < k; begin += LOSS_CHUNK) {
    const uint32_t count = k - begin < LOSS_CHUNK ? k - begin : LOSS_CHUNK;
    const float *target = y != NULL ? y + begin : loss_one_hot(begin, count, class, hot);
    if (loss->smoothing > 0) target = smoothed(loss, count, target, room);
    add_binary_cross_entropy(count, z + begin, target, parts);
    if (delta != NULL) loss_difference(count, weight, 1, a + begin, target, delta + begin);
  }
  return loss_sum_parts(parts);
}

void loss_binary_cross_entropy(const loss_block *b, loss_values *values) {
  const uint32_t k = b->k;
  if (b->loss->gamma > 0) {
    loss_focal_binary(b, values);
    return;
  }
  for (uint32_t i = 0; i < b->n; i++) {
    const float *const a = b->a + (size_t)i * k;
    float *const delta = b->delta != NULL ? b->delta + (size_t)i * k : NULL, binary;
    const float *const y = loss_target(b, i, &binary);
    const int32_t class = b->y.classes != NULL ? b->y.classes[i] : 0;
    values->best[i] = b->y.classes != NULL && k > 1 ? (int32_t)loss_largest(k, a) : 0;
    values->loss[i] = whole_row(b->loss, k, b->z + (size_t)i * k, a, y, class, loss_weight(b, i), delta);
    if (b->y.classes == NULL) values->square[i] = loss_half_square(k, a, y);
  }
}
