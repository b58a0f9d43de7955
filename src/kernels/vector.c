#include "kernels/vector.h"

#include <math.h>

#include "kernels/multiversion.h"

MULTIVERSION static void add(uint64_t n, const float *x, float *y) {
#pragma omp simd
  for (uint64_t j = 0; j < n; j++) y[j] += x[j];
}

MULTIVERSION static void column_sums(uint64_t m, uint64_t n, uint64_t ld, const float *x, float *sums) {
  for (uint64_t j = 0; j < n; j++) sums[j] = 0;
  uint64_t i = 0;
  /* Four rows per pass keep the sums in registers longer; the order of the additions is the same. */
  for (; i + 4 <= m; i += 4) {
    const float *x0 = x + i * ld, *x1 = x0 + ld, *x2 = x1 + ld, *x3 = x2 + ld;
#pragma omp simd
    for (uint64_t j = 0; j < n; j++) sums[j] = (((sums[j] + x0[j]) + x1[j]) + x2[j]) + x3[j];
  }
  for (; i < m; i++) {
    const float *row = x + i * ld;
#pragma omp simd
    for (uint64_t j = 0; j < n; j++) sums[j] += row[j];
  }
}

/* 0, or NaN if an element is not a finite number. */
MULTIVERSION static float differences(uint64_t n, const float *x) {
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (uint64_t j = 0; j < n; j++) sum += x[j] - x[j];
  return sum;
}

enum {
  PARTIALS = 16, /* partial sums of a sum in double */
  AHEAD = 8,     /* rows that a gather prefetches */
  LINE_BYTES = 64
};

MULTIVERSION static void approach(uint64_t n, float rate, const float *restrict x, float *restrict y) {
#pragma omp simd
  for (uint64_t i = 0; i < n; i++) y[i] += rate * (x[i] - y[i]);
}

MULTIVERSION static void squash(uint64_t n, double limit, float *x) {
#pragma omp simd
  for (uint64_t i = 0; i < n; i++) {
    const double value = (double)x[i], part = value / limit;
    x[i] = (float)(value / sqrt(1 + part * part));
  }
}

/* NAME: a sum of terms t(j) in double; term j goes to partial[j % PARTIALS]. The arguments follow the term. */
#define DEFINE_SUM(NAME, TERM, ...)                                                                              \
  MULTIVERSION static double NAME(uint64_t n, __VA_ARGS__) {                                                     \
    double partial[PARTIALS] = {0};                                                                              \
    uint64_t j = 0;                                                                                              \
    for (; j + PARTIALS <= n; j += PARTIALS) {                                                                   \
      _Pragma("omp simd") for (int slot = 0; slot < PARTIALS; slot++) partial[slot] += TERM(j + (uint64_t)slot); \
    }                                                                                                            \
    for (int slot = 0; j < n; j++, slot++) partial[slot] += TERM(j);                                             \
    for (int width = PARTIALS / 2; width > 0; width /= 2)                                                        \
      for (int slot = 0; slot < width; slot++) partial[slot] += partial[slot + width];                           \
    return partial[0];                                                                                           \
  }
#define SQUARE(J) ((double)x[J] * (double)x[J])
#define PRODUCT(J) ((double)x[J] * (double)y[J])

DEFINE_SUM(sum_squares, SQUARE, const float *x)
DEFINE_SUM(dot, PRODUCT, const float *x, const float *y)
DEFINE_SUM(dot_wide, PRODUCT, const float *x, const double *y)

MULTIVERSION static void add_scaled(uint64_t n, double factor, const float *restrict x, double *restrict y) {
#pragma omp simd
  for (uint64_t j = 0; j < n; j++) y[j] += factor * (double)x[j];
}

/* A gather for each type and each REAL, the type in which it computes. Rows are picked at random, which hardware
 * prefetchers do not predict. So with each cache line of a row, one of a later row is prefetched; the core could not
 * hold prefetches of whole rows. */
#define DEFINE_GATHER(NAME, TYPE, REAL)                                                                      \
  MULTIVERSION static void NAME(uint64_t m, uint64_t known, uint64_t d, const void *x, const uint32_t *rows, \
                                const REAL *shift, const REAL *scale, float *out) {                          \
    enum { LINE = LINE_BYTES / sizeof(TYPE) };                                                               \
    for (uint64_t i = 0; i < m; i++) {                                                                       \
      const TYPE *row = (const TYPE *)x + d * (rows != NULL ? rows[i] : i), *later = row;                    \
      float *to = out + d * i;                                                                               \
      uint64_t j = 0;                                                                                        \
      if (rows != NULL && i + AHEAD < known) later = (const TYPE *)x + d * rows[i + AHEAD];                  \
      for (; j + LINE <= d; j += LINE) {                                                                     \
        __builtin_prefetch(later + j);                                                                       \
        _Pragma("omp simd") for (uint64_t t = j; t < j + LINE; t++) CONVERT(REAL, t);                        \
      }                                                                                                      \
      __builtin_prefetch(later + j);                                                                         \
      _Pragma("omp simd") for (uint64_t t = j; t < d; t++) CONVERT(REAL, t);                                 \
    }                                                                                                        \
  }
#define CONVERT(REAL, J) to[J] = (float)(((REAL)row[J] - shift[J]) * scale[J])

DEFINE_GATHER(gather_i8, int8_t, float)
DEFINE_GATHER(gather_u8, uint8_t, float)
DEFINE_GATHER(gather_i16, int16_t, float)
DEFINE_GATHER(gather_u16, uint16_t, float)
DEFINE_GATHER(gather_f32, float, float)

DEFINE_GATHER(wide_i8, int8_t, double)
DEFINE_GATHER(wide_u8, uint8_t, double)
DEFINE_GATHER(wide_i16, int16_t, double)
DEFINE_GATHER(wide_u16, uint16_t, double)
DEFINE_GATHER(wide_i32, int32_t, double)
DEFINE_GATHER(wide_u32, uint32_t, double)
DEFINE_GATHER(wide_i64, int64_t, double)
DEFINE_GATHER(wide_u64, uint64_t, double)
DEFINE_GATHER(wide_f32, float, double)
DEFINE_GATHER(wide_f64, double, double)

void vector_add(uint64_t n, const float *x, float *y) { add(n, x, y); }

void vector_approach(uint64_t n, float rate, const float *x, float *y) { approach(n, rate, x, y); }

void vector_column_sums(uint64_t m, uint64_t n, uint64_t ld, const float *x, float *sums) {
  column_sums(m, n, ld, x, sums);
}

bool vector_all_finite(uint64_t n, const float *x) { return differences(n, x) == 0; }

void vector_squash(uint64_t n, double limit, float *x) { squash(n, limit, x); }

double vector_sum_squares(uint64_t n, const float *x) { return sum_squares(n, x); }

double vector_dot(uint64_t n, const float *x, const float *y) { return dot(n, x, y); }

double vector_dot_wide(uint64_t n, const float *x, const double *y) { return dot_wide(n, x, y); }

void vector_add_scaled(uint64_t n, double factor, const float *x, double *y) { add_scaled(n, factor, x, y); }

typedef void (*gather_function)(uint64_t m, uint64_t known, uint64_t d, const void *x, const uint32_t *rows,
                                const float *shift, const float *scale, float *out);
typedef void (*wide_function)(uint64_t m, uint64_t known, uint64_t d, const void *x, const uint32_t *rows,
                              const double *shift, const double *scale, float *out);

void vector_gather_rows(element_type type, uint64_t m, uint64_t known, uint64_t d, const void *x, const uint32_t *rows,
                        const float *shift, const float *scale, float *out) {
  gather_function gather = gather_f32;
  if (type == ELEMENT_I8) gather = gather_i8;
  if (type == ELEMENT_U8) gather = gather_u8;
  if (type == ELEMENT_I16) gather = gather_i16;
  if (type == ELEMENT_U16) gather = gather_u16;
  gather(m, known, d, x, rows, shift, scale, out);
}

void vector_gather_rows_wide(element_type type, uint64_t m, uint64_t known, uint64_t d, const void *x,
                             const uint32_t *rows, const double *shift, const double *scale, float *out) {
  static const wide_function gathers[NUM_ELEMENT_TYPES] = {
      [ELEMENT_I8] = wide_i8,   [ELEMENT_U8] = wide_u8,   [ELEMENT_I16] = wide_i16, [ELEMENT_U16] = wide_u16,
      [ELEMENT_I32] = wide_i32, [ELEMENT_U32] = wide_u32, [ELEMENT_I64] = wide_i64, [ELEMENT_U64] = wide_u64,
      [ELEMENT_F32] = wide_f32, [ELEMENT_F64] = wide_f64};
  gathers[type](m, known, d, x, rows, shift, scale, out);
}
