/* Column statistics are compared with sums in long double, merged ones with those of all rows; and the normalisations
 * made from them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "data/normalize.h"
#include "kernels/cpu.h"

enum { ROWS = 37, COLUMNS = 600 }; /* more columns than one tile holds */

static void assert_close(double value, double expected, double tolerance) {
  if (!(fabs(value - expected) <= tolerance * fmax(1.0, fabs(expected))))
    fail_msg("%.17g is not %.17g", value, expected);
}

static column_statistics statistics_make(uint32_t columns) {
  column_statistics s;
  assert_int_equal(column_statistics_create(columns, &s), MLPD_OK);
  return s;
}

static affine affine_make(uint32_t columns) {
  affine a;
  assert_int_equal(affine_create(columns, &a), MLPD_OK);
  return a;
}

/* Stores value as an element of type. */
static void element_store(element_type type, void *x, size_t i, int value) {
  switch (type) {
    case ELEMENT_I8:
      ((int8_t *)x)[i] = (int8_t)value;
      break;
    case ELEMENT_U8:
      ((uint8_t *)x)[i] = (uint8_t)value;
      break;
    case ELEMENT_I16:
      ((int16_t *)x)[i] = (int16_t)value;
      break;
    case ELEMENT_U16:
      ((uint16_t *)x)[i] = (uint16_t)value;
      break;
    case ELEMENT_I32:
      ((int32_t *)x)[i] = value;
      break;
    case ELEMENT_U32:
      ((uint32_t *)x)[i] = (uint32_t)value;
      break;
    case ELEMENT_I64:
      ((int64_t *)x)[i] = value;
      break;
    case ELEMENT_U64:
      ((uint64_t *)x)[i] = (uint64_t)value;
      break;
    case ELEMENT_F32:
      ((float *)x)[i] = (float)value;
      break;
    case ELEMENT_F64:
      ((double *)x)[i] = value;
      break;
    case NUM_ELEMENT_TYPES:
      break;
  }
}

static int value_at(int row, int column) { return (row * 31 + column * 17 + row * column) % 101; }

static void test_statistics_of_each_type(void **state) {
  (void)state;
  const int begin = 3, end = ROWS - 2;
  void *x = malloc(sizeof(double) * ROWS * COLUMNS);
  assert_non_null(x);
  for (int t = 0; t < NUM_ELEMENT_TYPES; ++t) {
    const int sign = t == ELEMENT_I8 || t == ELEMENT_I16 || t == ELEMENT_I32 || t >= ELEMENT_F32 ? -1 : 1;
    for (int r = 0; r < ROWS; ++r)
      for (int c = 0; c < COLUMNS; ++c)
        element_store((element_type)t, x, (size_t)(r * COLUMNS + c), sign * value_at(r, c));
    column_statistics s = statistics_make(COLUMNS);
    column_statistics_of((element_type)t, x, s.columns, 0, (uint64_t)begin, (uint64_t)end, &s);
    assert_true(s.count == end - begin);
    for (int c = 0; c < COLUMNS; ++c) {
      long double sum = 0, squares = 0;
      int minimum = 1000, maximum = -1000;
      for (int r = begin; r < end; ++r) {
        const int v = sign * value_at(r, c);
        sum += v;
        minimum = v < minimum ? v : minimum;
        maximum = v > maximum ? v : maximum;
      }
      const long double mean = sum / (end - begin);
      for (int r = begin; r < end; ++r) squares += (sign * value_at(r, c) - mean) * (sign * value_at(r, c) - mean);
      assert_close(s.mean[c], (double)mean, 1e-14);
      assert_close(s.m2[c], (double)squares, 1e-13);
      assert_true(s.minimum[c] == minimum);
      assert_true(s.maximum[c] == maximum);
    }
    column_statistics_free(&s);
  }
  free(x);
}

/* Timestamps: a mean far from 0 takes no digits from the deviation. */
static void test_far_from_zero(void **state) {
  (void)state;
  double x[1000];
  for (int i = 0; i < 1000; ++i) x[i] = 1.7e12 + i % 2;
  column_statistics s = statistics_make(1);
  column_statistics_of(ELEMENT_F64, x, s.columns, 0, 0, 1000, &s);
  assert_close(s.m2[0], 250.0, 1e-12);
  long double sum = 0, squares = 0; /* and where the sum of the rows is rounded */
  for (int i = 0; i < 1000; ++i) {
    x[i] = 1.7e12 + 0.1 * (i % 7);
    sum += x[i];
  }
  for (int i = 0; i < 1000; ++i) squares += (x[i] - sum / 1000) * (x[i] - sum / 1000);
  column_statistics_of(ELEMENT_F64, x, s.columns, 0, 0, 1000, &s);
  assert_close(s.m2[0], (double)squares, 1e-7);
  column_statistics_free(&s);
}

static void test_merged_is_whole(void **state) {
  (void)state;
  float x[ROWS * 3];
  for (int i = 0; i < ROWS * 3; ++i) x[i] = (float)value_at(i / 3, i % 3) * 0.37f + 1000.0f * (float)(i % 3);
  column_statistics whole = statistics_make(3), merged = statistics_make(3), piece = statistics_make(3);
  column_statistics_of(ELEMENT_F32, x, whole.columns, 0, 0, ROWS, &whole);
  const uint64_t cuts[] = {0, 0, 5, 6, 6, 30, ROWS, ROWS}; /* with empty pieces first, amid and last */
  for (size_t i = 0; i + 1 < sizeof cuts / sizeof *cuts; ++i) {
    column_statistics_of(ELEMENT_F32, x, piece.columns, 0, cuts[i], cuts[i + 1], &piece);
    column_statistics_merge(&piece, &merged);
  }
  assert_true(merged.count == ROWS);
  for (int c = 0; c < 3; ++c) {
    assert_close(merged.mean[c], whole.mean[c], 1e-14);
    assert_close(merged.m2[c], whole.m2[c], 1e-12);
    assert_true(merged.minimum[c] == whole.minimum[c]);
    assert_true(merged.maximum[c] == whole.maximum[c]);
  }
  column_statistics_free(&piece);

  /* No rows are the identity, bit for bit, on either side. */
  column_statistics empty = statistics_make(3), copy = statistics_make(3);
  column_statistics_merge(&whole, &copy);
  column_statistics_merge(&empty, &copy);
  assert_true(copy.count == whole.count);
  assert_memory_equal(copy.mean, whole.mean, 3 * sizeof(double));
  assert_memory_equal(copy.m2, whole.m2, 3 * sizeof(double));
  assert_memory_equal(copy.minimum, whole.minimum, 3 * sizeof(double));
  column_statistics_of(ELEMENT_F32, x, copy.columns, 0, 4, 4, &copy); /* forgets what was there */
  assert_true(copy.count == 0);
  column_statistics_merge(&empty, &copy);
  assert_true(copy.count == 0);
  column_statistics_free(&empty);
  column_statistics_free(&copy);
  column_statistics_free(&merged);
  column_statistics_free(&whole);
}

static void test_standard(void **state) {
  (void)state;
  /* columns: two values, a constant, a constant but for rounding, deviation 2 about 0.1 */
  const double x[4][4] = {{1, 7, 0.1, 2.1}, {3, 7, 0.1, -1.9}, {1, 7, 0.1 + 0x1p-56, 2.1}, {3, 7, 0.1, -1.9}};
  column_statistics s = statistics_make(4);
  affine a = affine_make(4);
  for (int c = 0; c < 4; ++c) {
    assert_true(a.shift[c] == 0.0f);
    assert_true(a.scale[c] == 1.0f);
  }
  column_statistics_of(ELEMENT_F64, x, s.columns, 0, 0, 4, &s);
  affine_from_statistics(MLPD_NORMALIZE_STANDARD, &s, &a);
  assert_true(a.shift[0] == 2.0f);
  assert_true(a.scale[0] == 1.0f);
  assert_true(a.shift[1] == 7.0f);
  assert_true(a.scale[1] == 0.0f);
  assert_true(a.scale[2] == 0.0f);
  assert_close(a.shift[3], 0.1, 1e-15);
  assert_close(a.scale[3], 0.5, 1e-15);
  affine_from_statistics(MLPD_NORMALIZE_NONE, &s, &a);
  assert_true(a.shift[0] == 0.0f);
  assert_true(a.scale[1] == 1.0f);
  column_statistics_free(&s);
  affine_free(&a);
  assert_null(a.scale);
}

static void test_scale(void **state) {
  (void)state;
  const uint8_t x[2][2] = {{10, 20}, {30, 60}};
  const float constant[2][2] = {{5, 5}, {5, 5}};
  column_statistics s = statistics_make(2);
  affine a = affine_make(2);
  column_statistics_of(ELEMENT_U8, x, s.columns, 0, 0, 2, &s);
  affine_from_statistics(MLPD_NORMALIZE_SCALE, &s, &a);
  for (int c = 0; c < 2; ++c) { /* over all columns together */
    assert_true(a.shift[c] == 10.0f);
    assert_true(a.scale[c] == 1.0 / 50.0);
    assert_true(a.narrow_scale[c] == 1.0f / 50.0f);
  }
  column_statistics_of(ELEMENT_F32, constant, s.columns, 0, 0, 2, &s);
  affine_from_statistics(MLPD_NORMALIZE_SCALE, &s, &a);
  assert_true(a.shift[1] == 5.0f);
  assert_true(a.scale[1] == 0.0f);
  column_statistics_free(&s);
  affine_free(&a);
}

/* Whatever the data, shift and scale are finite. */
static void test_extremes(void **state) {
  (void)state;
  const double x[3][4] = {{1e-300, (double)FLT_MAX, 1e-39, 0}, {0, -(double)FLT_MAX, 0, 0}, {0, 0, 0, 0}};
  const mlpd_normalize kinds[] = {MLPD_NORMALIZE_NONE, MLPD_NORMALIZE_SCALE, MLPD_NORMALIZE_STANDARD};
  column_statistics s = statistics_make(4);
  affine a = affine_make(4);
  for (int empty = 0; empty < 2; ++empty)
    for (int k = 0; k < 3; ++k) {
      column_statistics_of(ELEMENT_F64, x, s.columns, 0, 0, empty ? 0 : 3, &s);
      affine_from_statistics(kinds[k], &s, &a);
      for (int c = 0; c < 4; ++c) {
        assert_true(isfinite(a.shift[c]));
        assert_true(isfinite(a.scale[c]));
      }
    }
  column_statistics_free(&s);
  affine_free(&a);
}

/* Columns of any scale and offset become numbers of ordinary size, and none is lost, float32 denormals included. */
static void test_scales_and_offsets(void **state) {
  (void)state;
  enum { COUNT = 8, WIDTH = 5 };
  static const double sizes[WIDTH] = {1e-40, 3e38, 1, 1e-3, 1e120}, offsets[WIDTH] = {0, 0, 0, 1.6e9, 0};
  double wide[COUNT][WIDTH];
  float narrow[COUNT][2], out[COUNT * WIDTH];
  column_statistics s = statistics_make(WIDTH), few = statistics_make(2);
  affine a = affine_make(WIDTH), b = affine_make(2);
  for (int i = 0; i < COUNT; ++i)
    for (int c = 0; c < WIDTH; ++c) {
      wide[i][c] = offsets[c] + (i % 2 == 0 ? 1 : -1) * sizes[c];
      if (c < 2) narrow[i][c] = (float)wide[i][c];
    }
  const uint64_t mode = cpu_keep_denormals(); /* as the program's threads are */
  cpu_flush_denormals();
  column_statistics_of(ELEMENT_F64, wide, WIDTH, 0, 0, COUNT, &s);
  affine_from_statistics(MLPD_NORMALIZE_STANDARD, &s, &a);
  affine_gather(&a, ELEMENT_F64, COUNT, COUNT, wide, NULL, out);
  for (int i = 0; i < COUNT * WIDTH; ++i) assert_close((double)out[i], i / WIDTH % 2 == 0 ? 1 : -1, 1e-3);
  column_statistics_of(ELEMENT_F32, narrow, 2, 0, 0, COUNT, &few);
  affine_from_statistics(MLPD_NORMALIZE_STANDARD, &few, &b);
  assert_false(b.narrow);
  affine_gather(&b, ELEMENT_F32, COUNT, COUNT, narrow, NULL, out);
  for (int i = 0; i < COUNT * 2; ++i) assert_close((double)out[i], i / 2 % 2 == 0 ? 1 : -1, 1e-4);
  cpu_restore_denormals(mode);
  column_statistics_free(&s);
  column_statistics_free(&few);
  affine_free(&a);
  affine_free(&b);
}

/* A slice of columns has the statistics that it has among all. */
static void test_slices(void **state) {
  (void)state;
  float x[ROWS * 7];
  for (int i = 0; i < ROWS * 7; ++i) x[i] = 0.1f * (float)value_at(i / 7, i % 7);
  column_statistics all = statistics_make(7), some = statistics_make(3);
  column_statistics_of(ELEMENT_F32, x, 7, 0, 2, ROWS, &all);
  column_statistics_of(ELEMENT_F32, x, 7, 2, 2, ROWS, &some);
  assert_memory_equal(some.mean, all.mean + 2, 3 * sizeof(double));
  assert_memory_equal(some.m2, all.m2 + 2, 3 * sizeof(double));
  assert_memory_equal(some.maximum, all.maximum + 2, 3 * sizeof(double));
  column_statistics_free(&all);
  column_statistics_free(&some);
}

/* Bytes of an image have dark edges; those of a table have flags and counts. */
static void test_alike(void **state) {
  (void)state;
  enum { COUNT = 200, WIDTH = 20 };
  uint8_t x[COUNT][WIDTH];
  for (int i = 0; i < COUNT; ++i)
    for (int c = 0; c < WIDTH; ++c)
      x[i][c] = (uint8_t)(c == 0 ? 0 : c == 1 ? (i == 7 ? 9 : 0) : (i * 37 + c * 11) % 256);
  column_statistics s = statistics_make(WIDTH);
  column_statistics_of(ELEMENT_U8, x, WIDTH, 0, 0, COUNT, &s);
  assert_true(column_statistics_alike(&s));
  for (int i = 0; i < COUNT; ++i) x[i][1] = i == 7;
  column_statistics_of(ELEMENT_U8, x, WIDTH, 0, 0, COUNT, &s); /* an edge that is hardly ever lit, and faintly */
  assert_true(column_statistics_alike(&s));
  for (int i = 0; i < COUNT; ++i) x[i][1] = (uint8_t)(i % 2);
  column_statistics_of(ELEMENT_U8, x, WIDTH, 0, 0, COUNT, &s); /* a flag */
  assert_false(column_statistics_alike(&s));
  for (int i = 0; i < COUNT; ++i) x[i][1] = i % 40 == 3;
  column_statistics_of(ELEMENT_U8, x, WIDTH, 0, 0, COUNT, &s); /* a rare one */
  assert_false(column_statistics_alike(&s));
  for (int i = 0; i < COUNT; ++i)
    for (int c = 1; c < WIDTH; ++c) x[i][c] = (uint8_t)((i * 37 + c * 11) % 50 == 0);
  column_statistics_of(ELEMENT_U8, x, WIDTH, 0, 0, COUNT, &s); /* rare flags alone */
  assert_false(column_statistics_alike(&s));
  for (int i = 0; i < COUNT; ++i)
    for (int c = 1; c < WIDTH; ++c) x[i][c] = (uint8_t)((i * 37 + c * 11) % 256);
  for (int i = 0; i < COUNT; ++i)
    for (int c = 1; c < 8; ++c) x[i][c] = (uint8_t)(100 + (i + c) % 100);
  column_statistics_of(ELEMENT_U8, x, WIDTH, 0, 0, COUNT, &s); /* ranges that differ */
  assert_false(column_statistics_alike(&s));
  column_statistics_free(&s);
  column_statistics few = statistics_make(10);
  column_statistics_of(ELEMENT_U8, x, WIDTH, 8, 0, COUNT, &few); /* too few for an image */
  assert_false(column_statistics_alike(&few));
  column_statistics_free(&few);
}

static void test_robust(void **state) {
  (void)state;
  /* 5 columns: usual; equal quartiles; constant; equal but for the last bits; far apart */
  const double least[] = {-100, 0, 7, 1e8, -1e308}, most[] = {1000, 4, 7, 1e8 * (1 + 0x1p-51), 1e308};
  const column_quartiles quartiles[] = {{1, 2, 5}, {0, 0, 0}, {7, 7, 7}, {1e8, 1e8, 1e8 * (1 + 0x1p-51)}, {0, 0, 0}};
  const double shift[] = {2, 0, 7, 1e8, 0}, scale[] = {0.25, 0.5, 0, 0, 1e-308};
  column_statistics s = statistics_make(5);
  affine a = affine_make(5);
  memcpy(s.minimum, least, sizeof least);
  memcpy(s.maximum, most, sizeof most);
  affine_from_quartiles(&s, quartiles, &a);
  for (int c = 0; c < 5; ++c) {
    assert_true(a.shift[c] == shift[c]);
    assert_close(a.scale[c] * 1e300, scale[c] * 1e300, 1e-15);
  }
  assert_false(a.narrow);
  column_statistics_free(&s);
  affine_free(&a);
}

/* Of 1 far value v and n - 1 zeros: mean v / n, variance v^2 (n - 1) / n^2; so far by sqrt(n - 1) deviations. */
static void test_far(void **state) {
  (void)state;
  enum { LEAST = 100, ROWS_MOST = 103, WIDTH = 6 };
  for (int rows = LEAST; rows <= ROWS_MOST; rows += ROWS_MOST - LEAST) {
    double x[ROWS_MOST][WIDTH] = {{0}}; /* far above, far below, constant, spread evenly, 1e9 and a last bit, none */
    for (int i = 0; i < rows; i++) {
      x[i][2] = 7;
      x[i][3] = i;
      x[i][4] = i == 3 ? nextafter(1e9, 2e9) : 1e9;
    }
    x[5][0] = 1e4;
    x[rows - 1][1] = -3e-4;
    column_statistics s = statistics_make(WIDTH);
    affine a = affine_make(WIDTH);
    column_statistics_of(ELEMENT_F64, x, WIDTH, 0, 0, (uint64_t)rows, &s);
    s.minimum[5] = INFINITY; /* as of a column of categories */
    s.maximum[5] = -INFINITY;
    affine_from_statistics(MLPD_NORMALIZE_STANDARD, &s, &a);
    for (uint32_t c = 0; c < WIDTH; c++) assert_int_equal(affine_is_far(&s, &a, c), c < 2 && rows == ROWS_MOST);
    affine_free(&a);
    column_statistics_free(&s);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_statistics_of_each_type),
      cmocka_unit_test(test_far_from_zero),
      cmocka_unit_test(test_merged_is_whole),
      cmocka_unit_test(test_standard),
      cmocka_unit_test(test_scale),
      cmocka_unit_test(test_extremes),
      cmocka_unit_test(test_scales_and_offsets),
      cmocka_unit_test(test_slices),
      cmocka_unit_test(test_alike),
      cmocka_unit_test(test_robust),
      cmocka_unit_test(test_far),
  };
  return cmocka_run_group_tests_name("normalize", tests, NULL, NULL);
}
