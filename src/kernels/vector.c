#include "kernels/vector.h"

#include "kernels/multiversion.h"

MULTIVERSION static void add(uint64_t n, const float *x, float *y) {
#pragma omp simd
  for (uint64_t j = 0; j < n; j++) y[j] += x[j];
}

MULTIVERSION static void column_sums(uint64_t m, uint64_t n, uint64_t ld, const float *x, float *sums) {
  for (uint64_t j = 0; j < n; j++) sums[j] = 0;
  uint64_t i = 0;
  /* Four rows a pass keep sums in registers longer; the order of the additions is the same. */
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

enum {
  PARTIALS = 16, /* sums of vector_sum_squares */
  AHEAD = 8,     /* rows a gather prefetches ahead */
  LINE_BYTES = 64
};

MULTIVERSION static double sum_squares(uint64_t n, const float *x) {
  double partial[PARTIALS] = {0}; /* element j goes to partial[j % PARTIALS] */
  uint64_t j = 0;
  for (; j + PARTIALS <= n; j += PARTIALS) {
#pragma omp simd
    for (int lane = 0; lane < PARTIALS; lane++) {
      const double value = (double)x[j + (uint64_t)lane];
      partial[lane] += value * value;
    }
  }
  for (int lane = 0; j < n; j++, lane++) partial[lane] += (double)x[j] * (double)x[j];
  for (int width = PARTIALS / 2; width > 0; width /= 2)
    for (int lane = 0; lane < width; lane++) partial[lane] += partial[lane + width];
  return partial[0];
}

/* One gather a type. WIDE is the type of the subtraction: float, or double where float would lose the value. Rows are
 * picked at random, which hardware prefetchers do not foresee: for each line of a row one of a later row is fetched,
 * not all at once, for which the core has no room. */
#define DEFINE_GATHER(NAME, TYPE, WIDE)                                                                      \
  MULTIVERSION static void NAME(uint64_t m, uint64_t known, uint64_t d, const void *x, const uint32_t *rows, \
                                const float *shift, const float *scale, float *out) {                        \
    enum { LINE = LINE_BYTES / sizeof(TYPE) };                                                               \
    for (uint64_t i = 0; i < m; i++) {                                                                       \
      const TYPE *row = (const TYPE *)x + d * (rows != NULL ? rows[i] : i), *later = row;                    \
      float *to = out + d * i;                                                                               \
      uint64_t j = 0;                                                                                        \
      if (rows != NULL && i + AHEAD < known) later = (const TYPE *)x + d * rows[i + AHEAD];                  \
      for (; j + LINE <= d; j += LINE) {                                                                     \
        __builtin_prefetch(later + j);                                                                       \
        _Pragma("omp simd") for (uint64_t t = j; t < j + LINE; t++) CONVERT(WIDE, t);                        \
      }                                                                                                      \
      __builtin_prefetch(later + j);                                                                         \
      _Pragma("omp simd") for (uint64_t t = j; t < d; t++) CONVERT(WIDE, t);                                 \
    }                                                                                                        \
  }
#define CONVERT(WIDE, J) to[J] = (float)((WIDE)row[J] - (WIDE)shift[J]) * scale[J]

DEFINE_GATHER(gather_i8, int8_t, float)
DEFINE_GATHER(gather_u8, uint8_t, float)
DEFINE_GATHER(gather_i16, int16_t, float)
DEFINE_GATHER(gather_u16, uint16_t, float)
DEFINE_GATHER(gather_i32, int32_t, float)
DEFINE_GATHER(gather_u32, uint32_t, float)
DEFINE_GATHER(gather_i64, int64_t, double)
DEFINE_GATHER(gather_u64, uint64_t, double)
DEFINE_GATHER(gather_f32, float, float)
DEFINE_GATHER(gather_f64, double, double)

void vector_add(uint64_t n, const float *x, float *y) { add(n, x, y); }

void vector_column_sums(uint64_t m, uint64_t n, uint64_t ld, const float *x, float *sums) {
  column_sums(m, n, ld, x, sums);
}

double vector_sum_squares(uint64_t n, const float *x) { return sum_squares(n, x); }

typedef void (*gather_function)(uint64_t m, uint64_t known, uint64_t d, const void *x, const uint32_t *rows,
                                const float *shift, const float *scale, float *out);

void vector_gather_rows(element_type type, uint64_t m, uint64_t known, uint64_t d, const void *x, const uint32_t *rows,
                        const float *shift, const float *scale, float *out) {
  gather_function gather = gather_f32;
  switch (type) {
    case ELEMENT_I8:
      gather = gather_i8;
      break;
    case ELEMENT_U8:
      gather = gather_u8;
      break;
    case ELEMENT_I16:
      gather = gather_i16;
      break;
    case ELEMENT_U16:
      gather = gather_u16;
      break;
    case ELEMENT_I32:
      gather = gather_i32;
      break;
    case ELEMENT_U32:
      gather = gather_u32;
      break;
    case ELEMENT_I64:
      gather = gather_i64;
      break;
    case ELEMENT_U64:
      gather = gather_u64;
      break;
    case ELEMENT_F64:
      gather = gather_f64;
      break;
    case ELEMENT_F32:
    case NUM_ELEMENT_TYPES:
      break;
  }
  gather(m, known, d, x, rows, shift, scale, out);
}
