#include <math.h>

#include "kernels/activation.h"
#include "kernels/multiversion.h"
#include "kernels/vmath.h"

enum { PARTIALS = 16 }; /* sums and maxima of a row: element j goes to partial[j % PARTIALS] */

static inline float fold_sum(float partial[PARTIALS]) {
  for (int width = PARTIALS / 2; width > 0; width /= 2)
    for (int lane = 0; lane < width; lane++) partial[lane] += partial[lane + width];
  return partial[0];
}

static inline float largest(float x, float y) { return x > y ? x : y; }

static inline float row_maximum(uint64_t n, const float *row) {
  float partial[PARTIALS], maximum = row[0];
  for (int lane = 0; lane < PARTIALS; lane++) partial[lane] = row[0];
  uint64_t j = 0;
  for (; j + PARTIALS <= n; j += PARTIALS) {
#pragma omp simd
    for (int lane = 0; lane < PARTIALS; lane++) partial[lane] = largest(row[j + (uint64_t)lane], partial[lane]);
  }
  for (; j < n; j++) maximum = largest(row[j], maximum);
  for (int lane = 0; lane < PARTIALS; lane++) maximum = largest(partial[lane], maximum);
  return maximum;
}

static inline float row_sum(uint64_t n, const float *row) {
  float partial[PARTIALS] = {0};
  uint64_t j = 0;
  for (; j + PARTIALS <= n; j += PARTIALS) {
#pragma omp simd
    for (int lane = 0; lane < PARTIALS; lane++) partial[lane] += row[j + (uint64_t)lane];
  }
  for (int lane = 0; j < n; j++, lane++) partial[lane] += row[j];
  return fold_sum(partial);
}

static inline float row_dot(uint64_t n, const float *x, const float *y) {
  float partial[PARTIALS] = {0};
  uint64_t j = 0;
  for (; j + PARTIALS <= n; j += PARTIALS) {
#pragma omp simd
    for (int lane = 0; lane < PARTIALS; lane++) partial[lane] += x[j + (uint64_t)lane] * y[j + (uint64_t)lane];
  }
  for (int lane = 0; j < n; j++, lane++) partial[lane] += x[j] * y[j];
  return fold_sum(partial);
}

MULTIVERSION static void forward(uint64_t m, uint64_t n, const float *z, float *a) {
  for (uint64_t i = 0; i < m; i++) {
    const float *zi = z + i * n;
    float *ai = a + i * n;
    const float maximum = row_maximum(n, zi);
#pragma omp simd
    for (uint64_t j = 0; j < n; j++) ai[j] = zi[j] - maximum;
  }
  /* One long loop: rows of a few classes would leave most lanes empty. */
#pragma omp simd
  for (uint64_t j = 0; j < m * n; j++) a[j] = vmath_exp(a[j]);
  for (uint64_t i = 0; i < m; i++) {
    float *ai = a + i * n;
    const float sum = row_sum(n, ai);
#pragma omp simd
    for (uint64_t j = 0; j < n; j++) ai[j] /= sum;
  }
}

MULTIVERSION static void backward(uint64_t m, uint64_t n, const float *a, float *delta) {
  for (uint64_t i = 0; i < m; i++) {
    const float *ai = a + i * n;
    float *di = delta + i * n;
    const float dot = row_dot(n, di, ai);
#pragma omp simd
    for (uint64_t j = 0; j < n; j++) di[j] = ai[j] * (di[j] - dot);
  }
}

void softmax_forward(uint64_t m, uint64_t n, const float *z, float *a) { forward(m, n, z, a); }

void softmax_backward(uint64_t m, uint64_t n, const float *a, float *delta) { backward(m, n, a, delta); }
