/* What losses of several families ask of a row. */
#include <math.h>

#include "kernels/multiversion.h"
#include "loss/loss_kind.h"

/* 0 where all k values of z and a are finite, else not a number. */
MULTIVERSION
static float finite_or_nan(uint32_t k, const float *z, const float *a) {
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (uint32_t j = 0; j < k; j++) sum += (z[j] - z[j]) + (a[j] - a[j]); /* 0 or NaN: in any order */
  return sum;
}

float loss_finite_or_nan(uint32_t k, const float *z, const float *a) { return finite_or_nan(k, z, a); }

/* Index of the largest value of x (k), the lowest on ties; 0 where comparing finds none (not a number). */
MULTIVERSION
static uint32_t largest_index(uint32_t k, const float *x) {
  float largest[LOSS_PARTS];
  for (uint32_t p = 0; p < LOSS_PARTS; p++) largest[p] = x[0];
  const uint32_t whole = k / LOSS_PARTS * LOSS_PARTS;
  for (uint32_t j = 0; j < whole; j += LOSS_PARTS)
    for (uint32_t p = 0; p < LOSS_PARTS; p++) largest[p] = x[j + p] > largest[p] ? x[j + p] : largest[p];
  for (uint32_t j = whole; j < k; j++) largest[0] = x[j] > largest[0] ? x[j] : largest[0];
  for (uint32_t p = 1; p < LOSS_PARTS; p++) largest[0] = largest[p] > largest[0] ? largest[p] : largest[0];
  for (uint32_t j = 0; j < k; j++)
    if (x[j] == largest[0]) return j;
  return 0;
}

uint32_t loss_largest(uint32_t k, const float *x) { return largest_index(k, x); }

uint32_t loss_point(const loss_spec *loss) {
  uint32_t nearest = 0;
  for (uint32_t q = 1; q < loss->num_quantiles; q++)
    if (fabsf(loss->quantiles[q] - 0.5f) < fabsf(loss->quantiles[nearest] - 0.5f)) nearest = q;
  return nearest;
}
