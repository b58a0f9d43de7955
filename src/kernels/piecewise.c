#include "kernels/piecewise.h"

#include <math.h>

#include "kernels/multiversion.h"

enum { GROUP = 8 };       /* values that are summed in registers */
enum { LEAST_ROWS = 32 }; /* of the parts of a bin: with fewer, digits lost by them */

/* Bins narrower than this part of all of them, or than this, are joined with others: slopes must not be infinite. */
static const double LEAST_PART = 1e-6, LEAST_WIDTH = 1e-30;

/* The least width of a bin between these ends. */
static double least_width(double first, double last) { return fmax(LEAST_PART * (last - first), LEAST_WIDTH); }

bool piecewise_spread(uint32_t bins, const double *values, uint64_t rows, double *fractions) {
  const uint64_t most = rows / bins / LEAST_ROWS; /* parts of a bin */
  const double least = least_width(values[0], values[bins]);
  uint32_t full = 0, placed = 0;
  for (uint32_t t = 0; t < bins; t++) full += values[t + 1] - values[t] > least ? 1 : 0;
  if (full == 0 || full == bins || most < 2) return false;
  for (uint32_t t = 0, k = 0; t < bins; t++) {
    if (!(values[t + 1] - values[t] > least)) continue;
    uint32_t parts = bins * (k + 1) / full - bins * k / full;
    if (parts > most) parts = (uint32_t)most;
    for (uint32_t i = 0; i < parts; i++) fractions[placed++] = ((double)t + (double)i / (double)parts) / (double)bins;
    k++;
  }
  while (placed <= bins) fractions[placed++] = 1;
  return true;
}

void piecewise_join(uint32_t bins, float *edges) {
  const float end = edges[bins];
  const double least = least_width((double)edges[0], (double)end);
  uint32_t last = 0;
  for (uint32_t t = 1; t <= bins; t++)
    if ((double)edges[t] - (double)edges[last] > least) edges[++last] = edges[t];
  if (last > 0) edges[last] = end; /* which may be too close to be an edge of its own */
  for (uint32_t t = last + 1; t <= bins; t++) edges[t] = edges[last];
}

MULTIVERSION static uint32_t count_full(float x, uint32_t bins, const float *edges) {
  uint32_t full = 0;
#pragma omp simd reduction(+ : full)
  for (uint32_t t = 0; t < bins; t++) full += (x >= edges[t + 1] && edges[t] < edges[t + 1]) ? 1 : 0;
  return full;
}

piecewise_place piecewise_find(float x, uint32_t bins, const float *edges) {
  piecewise_place at = {.full = count_full(x, bins, edges)};
  if (at.full == bins || !(x >= edges[at.full]) || !(edges[at.full] < edges[at.full + 1])) return at;
  at.slope = 1 / (edges[at.full + 1] - edges[at.full]);
  at.part = (x - edges[at.full]) * at.slope;
  return at;
}

MULTIVERSION static void sum_rows(uint32_t full, float part, uint32_t width, const float *weight, float *z) {
  uint32_t first = 0;
  for (; first + GROUP <= width; first += GROUP) {
    float sum[GROUP] = {0};
    const float *row = weight + first;
    for (uint32_t t = 0; t < full; t++, row += width) {
#pragma omp simd
      for (uint32_t j = 0; j < GROUP; j++) sum[j] += row[j];
    }
    for (uint32_t j = 0; j < GROUP; j++) z[first + j] = sum[j];
  }
  for (; first < width; first++) {
    float sum = 0;
    for (uint32_t t = 0; t < full; t++) sum += weight[(uint64_t)t * width + first];
    z[first] = sum;
  }
  if (part > 0) {
    const float *const row = weight + (uint64_t)full * width;
#pragma omp simd
    for (uint32_t j = 0; j < width; j++) z[j] += part * row[j];
  }
}

void piecewise_forward(const piecewise_place *at, uint32_t width, const float *weight, float *z) {
  sum_rows(at->full, at->part, width, weight, z);
}

/* rows (n, width) += x (width) */
MULTIVERSION static void add_rows(uint32_t n, uint32_t width, const float *restrict x, float *restrict rows) {
  for (uint32_t t = 0; t < n; t++, rows += width) {
#pragma omp simd
    for (uint32_t j = 0; j < width; j++) rows[j] += x[j];
  }
}

MULTIVERSION static void add_part(uint32_t n, float factor, const float *restrict x, float *restrict y) {
#pragma omp simd
  for (uint32_t i = 0; i < n; i++) y[i] += factor * x[i];
}

void piecewise_add(const piecewise_place *at, uint32_t width, const float *delta, uint32_t begin, uint32_t end,
                   float *gradient) {
  for (uint32_t i = begin, n = 0; i < end; i += n, gradient += n) {
    const uint32_t t = i / width, j = i % width, left = end - i;
    if (t > at->full || (t == at->full && !(at->part > 0))) return;
    n = left < width - j ? left : width - j;
    if (t == at->full || n < width) {
      add_part(n, t < at->full ? 1 : at->part, delta + j, gradient);
    } else {
      const uint32_t rows = left / width < at->full - t ? left / width : at->full - t;
      add_rows(rows, width, delta, gradient);
      n = rows * width;
    }
  }
}

float piecewise_input_slope(const piecewise_place *at, uint32_t width, const float *weight, const float *delta) {
  if (!(at->slope > 0)) return 0;
  float sum = 0;
  for (uint32_t j = 0; j < width; j++) sum += weight[(uint64_t)at->full * width + j] * delta[j];
  return at->slope * sum;
}
