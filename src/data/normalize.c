#include "data/normalize.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "kernels/cpu.h"

static const double LEAST_WIDTH = 1e-300; /* narrowest column that is scaled: the reciprocal must be finite */

static const double RARE = 0.01; /* fraction of rows with the rarer value of a flag */
static const double EVEN = 0.3;  /* standard deviation / range of values that are spread evenly; uniform ones: 0.29 */

static const double FAR = 10; /* deviations from the mean */

enum {
  LEAST_PIXELS = 16,
  TILE_COLUMNS = 512
}; /* so that their sums, minima and maxima stay in the first-level cache */

void column_statistics_clear(column_statistics *s) {
  s->count = 0;
  for (uint32_t c = 0; c < s->columns; ++c) {
    s->mean[c] = s->m2[c] = 0;
    s->minimum[c] = INFINITY;
    s->maximum[c] = -INFINITY;
  }
}

mlpd_status column_statistics_create(uint32_t columns, column_statistics *made) {
  *made = (column_statistics){.columns = columns};
  double **arrays[] = {&made->mean, &made->m2, &made->minimum, &made->maximum};
  for (size_t i = 0; i < sizeof arrays / sizeof *arrays; ++i) {
    const mlpd_status status = memory_allocate(arrays[i], columns, sizeof(double), "column statistics");
    if (status != MLPD_OK) {
      column_statistics_free(made);
      return status;
    }
  }
  column_statistics_clear(made);
  return MLPD_OK;
}

void column_statistics_free(column_statistics *s) {
  free(s->mean);
  free(s->m2);
  free(s->minimum);
  free(s->maximum);
  *s = (column_statistics){0};
}

/* The two passes: NAME_sums adds rows (count, stride) of x to columns [0, width) of sum, minimum and maximum;
 * NAME_deviations adds their deviations from the mean and the squares. One function per type, so that the inner loops
 * vectorise. */
#define DEFINE_PASSES(type, name)                                                                                      \
  static void name##_sums(const type *restrict x, uint64_t count, size_t stride, uint32_t width, double *restrict sum, \
                          double *restrict minimum, double *restrict maximum) {                                        \
    for (uint64_t r = 0; r < count; ++r, x += stride)                                                                  \
      for (uint32_t c = 0; c < width; ++c) {                                                                           \
        const double v = (double)x[c];                                                                                 \
        sum[c] += v;                                                                                                   \
        minimum[c] = v < minimum[c] ? v : minimum[c];                                                                  \
        maximum[c] = v > maximum[c] ? v : maximum[c];                                                                  \
      }                                                                                                                \
  }                                                                                                                    \
  static void name##_deviations(const type *restrict x, uint64_t count, size_t stride, uint32_t width,                 \
                                const double *restrict mean, double *restrict deviations, double *restrict squares) {  \
    for (uint64_t r = 0; r < count; ++r, x += stride)                                                                  \
      for (uint32_t c = 0; c < width; ++c) {                                                                           \
        const double d = (double)x[c] - mean[c];                                                                       \
        deviations[c] += d;                                                                                            \
        squares[c] += d * d;                                                                                           \
      }                                                                                                                \
  }

DEFINE_PASSES(int8_t, i8)
DEFINE_PASSES(uint8_t, u8)
DEFINE_PASSES(int16_t, i16)
DEFINE_PASSES(uint16_t, u16)
DEFINE_PASSES(int32_t, i32)
DEFINE_PASSES(uint32_t, u32)
DEFINE_PASSES(int64_t, i64)
DEFINE_PASSES(uint64_t, u64)
DEFINE_PASSES(float, f32)
DEFINE_PASSES(double, f64)

/* Adds columns [first, first + width) of the rows at x, whose starts are stride elements apart. */
static void tile_sums(element_type type, const void *x, size_t stride, uint64_t count, uint32_t first, uint32_t width,
                      column_statistics *s) {
  double *const sum = s->mean + first, *const minimum = s->minimum + first, *const maximum = s->maximum + first;
  switch (type) {
    case ELEMENT_I8:
      i8_sums((const int8_t *)x + first, count, stride, width, sum, minimum, maximum);
      break;
    case ELEMENT_U8:
      u8_sums((const uint8_t *)x + first, count, stride, width, sum, minimum, maximum);
      break;
    case ELEMENT_I16:
      i16_sums((const int16_t *)x + first, count, stride, width, sum, minimum, maximum);
      break;
    case ELEMENT_U16:
      u16_sums((const uint16_t *)x + first, count, stride, width, sum, minimum, maximum);
      break;
    case ELEMENT_I32:
      i32_sums((const int32_t *)x + first, count, stride, width, sum, minimum, maximum);
      break;
    case ELEMENT_U32:
      u32_sums((const uint32_t *)x + first, count, stride, width, sum, minimum, maximum);
      break;
    case ELEMENT_I64:
      i64_sums((const int64_t *)x + first, count, stride, width, sum, minimum, maximum);
      break;
    case ELEMENT_U64:
      u64_sums((const uint64_t *)x + first, count, stride, width, sum, minimum, maximum);
      break;
    case ELEMENT_F32:
      f32_sums((const float *)x + first, count, stride, width, sum, minimum, maximum);
      break;
    case ELEMENT_F64:
      f64_sums((const double *)x + first, count, stride, width, sum, minimum, maximum);
      break;
    case NUM_ELEMENT_TYPES:
      break;
  }
}

static void tile_deviations(element_type type, const void *x, size_t stride, uint64_t count, uint32_t first,
                            uint32_t width, const column_statistics *s, double *deviations) {
  const double *const mean = s->mean + first;
  double *const squares = s->m2 + first;
  switch (type) {
    case ELEMENT_I8:
      i8_deviations((const int8_t *)x + first, count, stride, width, mean, deviations, squares);
      break;
    case ELEMENT_U8:
      u8_deviations((const uint8_t *)x + first, count, stride, width, mean, deviations, squares);
      break;
    case ELEMENT_I16:
      i16_deviations((const int16_t *)x + first, count, stride, width, mean, deviations, squares);
      break;
    case ELEMENT_U16:
      u16_deviations((const uint16_t *)x + first, count, stride, width, mean, deviations, squares);
      break;
    case ELEMENT_I32:
      i32_deviations((const int32_t *)x + first, count, stride, width, mean, deviations, squares);
      break;
    case ELEMENT_U32:
      u32_deviations((const uint32_t *)x + first, count, stride, width, mean, deviations, squares);
      break;
    case ELEMENT_I64:
      i64_deviations((const int64_t *)x + first, count, stride, width, mean, deviations, squares);
      break;
    case ELEMENT_U64:
      u64_deviations((const uint64_t *)x + first, count, stride, width, mean, deviations, squares);
      break;
    case ELEMENT_F32:
      f32_deviations((const float *)x + first, count, stride, width, mean, deviations, squares);
      break;
    case ELEMENT_F64:
      f64_deviations((const double *)x + first, count, stride, width, mean, deviations, squares);
      break;
    case NUM_ELEMENT_TYPES:
      break;
  }
}

static void finish_sums(column_statistics *s, uint32_t first, uint32_t width) {
  for (uint32_t c = first; c < first + width; ++c) s->mean[c] /= s->count;
}

/* Corrects the squares for the rounding of the mean (the corrected two-pass algorithm of Chan, Golub & LeVeque, The
 * American Statistician 37, 1983). */
static void finish_deviations(column_statistics *s, uint32_t first, uint32_t width, const double *deviations) {
  for (uint32_t c = 0; c < width; ++c) {
    double *const m2 = &s->m2[first + c];
    *m2 -= deviations[c] * deviations[c] / s->count;
    if (*m2 < 0) *m2 = 0;
  }
}

static uint32_t tile_width(const column_statistics *s, uint32_t first) {
  return s->columns - first < TILE_COLUMNS ? s->columns - first : TILE_COLUMNS;
}

void column_statistics_of(element_type type, const void *x, uint32_t stride, uint32_t first, uint64_t begin,
                          uint64_t end, column_statistics *s) {
  column_statistics_clear(s);
  if (begin >= end) return;
  const char *const rows = (const char *)x + (begin * stride + first) * element_size(type);
  const uint64_t mode = cpu_keep_denormals();
  s->count = (double)(end - begin);
  for (uint32_t c = 0, width = 0; c < s->columns; c += width) {
    double deviations[TILE_COLUMNS] = {0};
    width = tile_width(s, c);
    tile_sums(type, rows, stride, end - begin, c, width, s);
    finish_sums(s, c, width);
    tile_deviations(type, rows, stride, end - begin, c, width, s, deviations);
    finish_deviations(s, c, width, deviations);
  }
  cpu_restore_denormals(mode);
}

void column_sums_add(element_type type, const void *x, uint64_t rows, column_statistics *s) {
  const uint64_t mode = cpu_keep_denormals();
  for (uint32_t first = 0; first < s->columns; first += tile_width(s, first))
    tile_sums(type, x, s->columns, rows, first, tile_width(s, first), s);
  cpu_restore_denormals(mode);
  s->count += (double)rows;
}

void column_sums_finish(column_statistics *s) {
  if (s->count > 0) finish_sums(s, 0, s->columns);
}

void column_deviations_add(element_type type, const void *x, uint64_t rows, column_statistics *s, double *deviations) {
  const uint64_t mode = cpu_keep_denormals();
  for (uint32_t first = 0; first < s->columns; first += tile_width(s, first))
    tile_deviations(type, x, s->columns, rows, first, tile_width(s, first), s, deviations + first);
  cpu_restore_denormals(mode);
}

void column_deviations_finish(column_statistics *s, const double *deviations) {
  if (s->count > 0) finish_deviations(s, 0, s->columns, deviations);
}

void rows_fill(element_type type, void *x, uint64_t rows, uint32_t columns, const double *fill) {
  float *const floats = x;
  double *const doubles = x;
  for (uint64_t i = 0; type == ELEMENT_F32 && i < rows * columns; i++)
    if (isnan(floats[i])) floats[i] = (float)fill[i % columns];
  for (uint64_t i = 0; type == ELEMENT_F64 && i < rows * columns; i++)
    if (isnan(doubles[i])) doubles[i] = fill[i % columns];
}

void column_statistics_merge(const column_statistics *other, column_statistics *into) {
  if (other->count == 0) return;
  const double count = into->count + other->count;
  /* share is 1 and cross 0 if `into` is empty: its columns become exactly those of `other`. */
  const double share = other->count / count, cross = into->count * share;
  for (uint32_t c = 0; c < into->columns; ++c) {
    const double delta = other->mean[c] - into->mean[c];
    into->mean[c] = into->count == 0 ? other->mean[c] : into->mean[c] + delta * share;
    into->m2[c] += other->m2[c] + delta * delta * cross;
    if (other->minimum[c] < into->minimum[c]) into->minimum[c] = other->minimum[c];
    if (other->maximum[c] > into->maximum[c]) into->maximum[c] = other->maximum[c];
  }
  into->count = count;
}

/* ---- Normalisations -------------------------------------------------------------------------------- */

/* true for 0 and 1 if the rarer value is more frequent than in a pixel at the edge of an image (one of digits.h5 is set
 * in 3 of 1259 images). */
static bool is_flag(const column_statistics *s, uint32_t c) {
  const double ones = s->mean[c] - s->minimum[c];
  return s->maximum[c] - s->minimum[c] == 1 && fmin(ones, 1 - ones) > RARE;
}

bool column_statistics_alike(const column_statistics *s) {
  double least = INFINITY, most = -INFINITY;
  for (uint32_t c = 0; c < s->columns; ++c) {
    least = fmin(least, s->minimum[c]);
    most = fmax(most, s->maximum[c]);
  }
  if (most - least <= 1) return false; /* only flags */
  uint32_t varying = 0, wide = 0;
  for (uint32_t c = 0; c < s->columns; ++c) {
    const double range = s->maximum[c] - s->minimum[c], all = most - least;
    if (!(range > 0)) continue;
    varying++;
    wide += range >= all / 2;
    if (is_flag(s, c)) return false;
    if (range < all / 4 && sqrt(s->m2[c] / s->count) > EVEN * range) return false;
  }
  return s->columns >= LEAST_PIXELS && 4 * (uint64_t)wide >= 3 * (uint64_t)varying;
}

/* 1 / width, or 0 if the column is constant: its values differ in the last bits of a double at most. */
static double scale_of(double minimum, double maximum, double width) {
  const double range = maximum - minimum, magnitude = fmax(fabs(minimum), fabs(maximum));
  if (!(range > 8 * DBL_EPSILON * magnitude) || !(width > LEAST_WIDTH)) return 0;
  return 1 / width;
}

/* The standard deviation, but at least what the minimum and the maximum alone contribute to it: squares below 1e-308
 * underflow. */
static double deviation_of(const column_statistics *s, uint32_t c) {
  return fmax(sqrt(s->m2[c] / s->count), (s->maximum[c] - s->minimum[c]) / sqrt(2 * s->count));
}

static void affine_scale(const column_statistics *s, affine *a) {
  double minimum = INFINITY, maximum = -INFINITY;
  for (uint32_t c = 0; c < s->columns; ++c) {
    minimum = s->minimum[c] < minimum ? s->minimum[c] : minimum;
    maximum = s->maximum[c] > maximum ? s->maximum[c] : maximum;
  }
  const double scale = scale_of(minimum, maximum, maximum - minimum);
  for (uint32_t c = 0; c < a->columns; ++c) {
    a->shift[c] = minimum;
    a->scale[c] = scale;
  }
}

void affine_from_statistics(mlpd_normalize kind, const column_statistics *s, affine *a) {
  const bool empty = s->count == 0 || s->columns == 0, standard = kind == MLPD_NORMALIZE_STANDARD && !empty;
  for (uint32_t c = 0; c < a->columns; ++c) {
    a->shift[c] = standard ? s->mean[c] : 0;
    a->scale[c] = standard ? scale_of(s->minimum[c], s->maximum[c], deviation_of(s, c)) : 1;
  }
  if (kind == MLPD_NORMALIZE_SCALE && !empty) affine_scale(s, a);
  affine_settle(a);
}

bool affine_is_far(const column_statistics *s, const affine *a, uint32_t column) {
  const double distance = fmax(s->maximum[column] - s->mean[column], s->mean[column] - s->minimum[column]);
  return distance * a->scale[column] > FAR;
}

void affine_from_quartiles(const column_statistics *s, const column_quartiles *quartiles, affine *a) {
  for (uint32_t c = 0; c < a->columns; ++c) {
    const column_quartiles *const q = &quartiles[c];
    const double half = 0.5 * s->maximum[c] - 0.5 * s->minimum[c];
    a->shift[c] = q->median;
    a->scale[c] = scale_of(q->low, q->high, q->high - q->low);
    if (!(a->scale[c] > 0)) a->scale[c] = scale_of(s->minimum[c], s->maximum[c], half);
  }
  affine_settle(a);
}
