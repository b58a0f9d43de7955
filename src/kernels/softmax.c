#include <math.h>
#include <string.h>

#include "kernels/activation.h"
#include "kernels/multiversion.h"
#include "kernels/vmath.h"

enum { PARTIALS = 16 }; /* sums and maxima of a row: element j goes to partial[j % PARTIALS] */

static inline float fold_sum(float partial[PARTIALS]) {
  for (int width = PARTIALS / 2; width > 0; width /= 2)
    for (int slot = 0; slot < width; slot++) partial[slot] += partial[slot + width];
  return partial[0];
}

static inline float largest(float x, float y) { return x > y ? x : y; }

static inline float row_maximum(uint64_t n, const float *row) {
  float partial[PARTIALS], maximum = row[0];
  for (int slot = 0; slot < PARTIALS; slot++) partial[slot] = row[0];
  uint64_t j = 0;
  for (; j + PARTIALS <= n; j += PARTIALS) {
#pragma omp simd
    for (int slot = 0; slot < PARTIALS; slot++) partial[slot] = largest(row[j + (uint64_t)slot], partial[slot]);
  }
  for (; j < n; j++) maximum = largest(row[j], maximum);
  for (int slot = 0; slot < PARTIALS; slot++) maximum = largest(partial[slot], maximum);
  return maximum;
}

static inline float row_sum(uint64_t n, const float *row) {
  float partial[PARTIALS] = {0};
  uint64_t j = 0;
  for (; j + PARTIALS <= n; j += PARTIALS) {
#pragma omp simd
    for (int slot = 0; slot < PARTIALS; slot++) partial[slot] += row[j + (uint64_t)slot];
  }
  for (int slot = 0; j < n; j++, slot++) partial[slot] += row[j];
  return fold_sum(partial);
}

static inline float row_dot(uint64_t n, const float *x, const float *y) {
  float partial[PARTIALS] = {0};
  uint64_t j = 0;
  for (; j + PARTIALS <= n; j += PARTIALS) {
#pragma omp simd
    for (int slot = 0; slot < PARTIALS; slot++) partial[slot] += x[j + (uint64_t)slot] * y[j + (uint64_t)slot];
  }
  for (int slot = 0; j < n; j++, slot++) partial[slot] += x[j] * y[j];
  return fold_sum(partial);
}

/* Up to PARTIALS rows of up to PARTIALS elements, with one row per element of the vectors; computed row by row, such
 * short rows would leave most of a vector empty. The operations and their order are the same, since each element j is a
 * partial sum by itself. */
MULTIVERSION static void forward_narrow(uint64_t m, uint64_t n, const float *z, float *a) {
  float x[PARTIALS][PARTIALS] = {{0}}, maximum[PARTIALS];
  for (uint64_t i = 0; i < m; i++)
    for (uint64_t j = 0; j < n; j++) x[j][i] = z[i * n + j];
  memcpy(maximum, x[0], sizeof maximum);
  for (uint64_t j = 1; j < n; j++) {
#pragma omp simd
    for (int i = 0; i < PARTIALS; i++) maximum[i] = largest(x[j][i], maximum[i]);
  }
  for (uint64_t j = 0; j < n; j++) {
#pragma omp simd
    for (int i = 0; i < PARTIALS; i++) x[j][i] = vmath_exp(x[j][i] - maximum[i]);
  }
  float partial[PARTIALS][PARTIALS];
  memcpy(partial, x, sizeof partial);
  for (int width = PARTIALS / 2; width > 0; width /= 2)
    for (int j = 0; j < width; j++) {
#pragma omp simd
      for (int i = 0; i < PARTIALS; i++) partial[j][i] += partial[j + width][i];
    }
  for (uint64_t j = 0; j < n; j++) {
#pragma omp simd
    for (int i = 0; i < PARTIALS; i++) x[j][i] /= partial[0][i];
  }
  for (uint64_t i = 0; i < m; i++)
    for (uint64_t j = 0; j < n; j++) a[i * n + j] = x[j][i];
}

MULTIVERSION static void forward(uint64_t m, uint64_t n, const float *z, float *a) {
  for (uint64_t i = 0; i < m; i++) {
    const float *zi = z + i * n;
    float *ai = a + i * n;
    const float maximum = row_maximum(n, zi);
#pragma omp simd
    for (uint64_t j = 0; j < n; j++) ai[j] = zi[j] - maximum;
  }
  /* One long loop, because rows of a few classes would leave most of a vector empty. */
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

void softmax_forward(uint64_t m, uint64_t n, const float *z, float *a) {
  if (n > PARTIALS) {
    forward(m, n, z, a);
    return;
  }
  for (uint64_t i = 0; i < m; i += PARTIALS)
    forward_narrow(m - i < PARTIALS ? m - i : PARTIALS, n, z + i * n, a + i * n);
}

void softmax_backward(uint64_t m, uint64_t n, const float *a, float *delta) { backward(m, n, a, delta); }
