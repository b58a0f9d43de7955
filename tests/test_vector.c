#include "kernels/vector.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/rng.h"

/* The same loops again, compiled only for the compiler's default instruction set. */
#undef MULTIVERSION
#define MULTIVERSION
#define vector_add basic_vector_add
#define vector_approach basic_vector_approach
#define vector_column_sums basic_vector_column_sums
#define vector_squash basic_vector_squash
#define vector_sum_squares basic_vector_sum_squares
#define vector_dot basic_vector_dot
#define vector_dot_wide basic_vector_dot_wide
#define vector_add_scaled basic_vector_add_scaled
#define vector_all_finite basic_vector_all_finite
#define vector_gather_rows basic_vector_gather_rows
#define vector_gather_rows_wide basic_vector_gather_rows_wide
#include "kernels/vector.c"
#undef vector_add
#undef vector_approach
#undef vector_column_sums
#undef vector_squash
#undef vector_sum_squares
#undef vector_dot
#undef vector_dot_wide
#undef vector_add_scaled
#undef vector_all_finite
#undef vector_gather_rows
#undef vector_gather_rows_wide

enum { ROWS = 11, MOST = 70 };

static void assert_near(double value, double expected, double tolerance) {
  if (!(fabs(value - expected) <= tolerance)) fail_msg("%.9g, not %.9g within %g", value, expected, tolerance);
}

static void fill(float *x, size_t n, uint32_t which) {
  rng stream = rng_start(1, RNG_INIT_WEIGHTS, which, 0);
  for (size_t i = 0; i < n; i++) x[i] = (float)rng_normal(&stream);
}

/* Fills x and y, one element longer than the longest n of the tests, and copies y to before. */
static void fill_two(float x[MOST + 1], float y[MOST + 1], float before[MOST + 1]) {
  fill(x, MOST + 1, 0);
  fill(y, MOST + 1, 1);
  memcpy(before, y, (MOST + 1) * sizeof *y);
}

static void test_add(void **state) {
  (void)state;
  for (uint64_t n = 0; n <= MOST; n++) {
    float x[MOST + 1], y[MOST + 1], before[MOST + 1];
    fill_two(x, y, before);
    vector_add(n, x, y);
    for (uint64_t j = 0; j <= MOST; j++) assert_true(y[j] == (j < n ? before[j] + x[j] : before[j]));
  }
}

/* In float, in this order; an element of y that equals that of x stays. */
static void test_approach(void **state) {
  (void)state;
  for (uint64_t n = 0; n <= MOST; n++) {
    float x[MOST + 1], y[MOST + 1], before[MOST + 1];
    fill_two(x, y, before);
    vector_approach(n, 0.125f, x, y);
    for (uint64_t j = 0; j <= MOST; j++) {
      const float moved = before[j] + 0.125f * (x[j] - before[j]);
      assert_true(y[j] == (j < n ? moved : before[j]));
    }
    memcpy(y, x, sizeof y);
    vector_approach(n, 0.3f, x, y);
    assert_memory_equal(x, y, sizeof y);
  }
}

/* Row after row in float, whatever the loop looks like. */
static void test_column_sums(void **state) {
  (void)state;
  float x[ROWS * MOST], sums[MOST + 1], basic[MOST + 1];
  fill(x, ROWS * MOST, 2);
  for (uint64_t m = 0; m <= ROWS; m++)
    for (uint64_t n = 1; n <= MOST; n++) {
      for (int j = 0; j <= MOST; j++) sums[j] = basic[j] = 5;
      vector_column_sums(m, n, MOST, x, sums);
      basic_vector_column_sums(m, n, MOST, x, basic);
      for (uint64_t j = 0; j < n; j++) {
        float sum = 0;
        for (uint64_t i = 0; i < m; i++) sum += x[i * MOST + j];
        assert_true(sums[j] == sum);
      }
      assert_true(sums[n] == 5);
      assert_memory_equal(sums, basic, sizeof sums);
    }
}

static void test_all_finite(void **state) {
  (void)state;
  static const float bad[] = {NAN, INFINITY, -INFINITY};
  float x[MOST];
  fill(x, MOST, 4);
  x[3] = -3e38f;
  for (uint64_t n = 0; n <= MOST; n++)
    for (uint64_t j = 0; j < MOST; j++)
      for (int b = 0; b < 3; b++) {
        const float kept = x[j];
        x[j] = bad[b];
        assert_int_equal(vector_all_finite(n, x), j >= n);
        assert_int_equal(basic_vector_all_finite(n, x), j >= n);
        x[j] = kept;
      }
}

static void test_squash(void **state) {
  (void)state;
  const float x[] = {0, 1, -1, 3, -3, 1e-3f, 30, -1e20f, 3e38f, 0.1f, -7, 12, 5};
  enum { COUNT = sizeof x / sizeof *x };
  const double limits[] = {3, 0.25};
  for (int l = 0; l < 2; l++)
    for (uint64_t n = 0; n <= COUNT; n++) {
      float y[COUNT], basic[COUNT];
      memcpy(y, x, sizeof x);
      memcpy(basic, x, sizeof x);
      vector_squash(n, limits[l], y);
      basic_vector_squash(n, limits[l], basic);
      assert_memory_equal(y, basic, sizeof y);
      for (uint64_t i = 0; i < COUNT; i++) {
        const double expected = i < n ? (double)x[i] / hypot(1, (double)x[i] / limits[l]) : (double)x[i];
        assert_true(fabs((double)y[i] - expected) <= 6e-8 * fabs(expected));
      }
    }
}

static void test_sum_squares(void **state) {
  (void)state;
  float x[1000];
  fill(x, 1000, 3);
  double plain = 0;
  for (uint64_t n = 0; n <= 1000; n++) {
    const double sum = vector_sum_squares(n, x), basic = basic_vector_sum_squares(n, x);
    assert_near(sum, plain, 1e-12 * plain);
    assert_memory_equal(&sum, &basic, sizeof sum);
    if (n < 1000) plain += (double)x[n] * (double)x[n];
  }
}

/* Both dot products, and their order: that of the sum of squares. */
static void test_dot(void **state) {
  (void)state;
  float x[MOST + 1], y[MOST + 1], before[MOST + 1];
  double wide[MOST + 1], plain = 0;
  fill_two(x, y, before);
  for (int j = 0; j <= MOST; j++) wide[j] = (double)y[j];
  for (uint64_t n = 0; n <= MOST; n++) {
    const double sum = vector_dot(n, x, y), basic = basic_vector_dot(n, x, y), of_wide = vector_dot_wide(n, x, wide);
    assert_near(sum, plain, 1e-12);
    assert_true(sum == basic && sum == of_wide && of_wide == basic_vector_dot_wide(n, x, wide));
    assert_true(vector_dot(n, x, x) == vector_sum_squares(n, x));
    plain += (double)x[n] * (double)y[n];
  }
}

static void test_add_scaled(void **state) {
  (void)state;
  for (uint64_t n = 0; n <= MOST; n++) {
    float x[MOST + 1], y[MOST + 1], before[MOST + 1];
    double sum[MOST + 1], basic[MOST + 1];
    fill_two(x, y, before);
    for (int j = 0; j <= MOST; j++) sum[j] = basic[j] = (double)y[j];
    vector_add_scaled(n, 1.0 / 3, x, sum);
    basic_vector_add_scaled(n, 1.0 / 3, x, basic);
    for (uint64_t j = 0; j <= MOST; j++) {
      const double product = 1.0 / 3 * (double)x[j];
      assert_true(sum[j] == (double)y[j] + (j < n ? product : 0) && sum[j] == basic[j]);
    }
  }
}

static void test_element_types(void **state) {
  (void)state;
  static const struct {
    element_type type;
    const char *name;
    size_t size;
    bool integer;
  } known[] = {{ELEMENT_I8, "int8", 1, true},     {ELEMENT_U8, "uint8", 1, true},   {ELEMENT_I16, "int16", 2, true},
               {ELEMENT_U16, "uint16", 2, true},  {ELEMENT_I32, "int32", 4, true},  {ELEMENT_U32, "uint32", 4, true},
               {ELEMENT_I64, "int64", 8, true},   {ELEMENT_U64, "uint64", 8, true}, {ELEMENT_F32, "float32", 4, false},
               {ELEMENT_F64, "float64", 8, false}};
  assert_int_equal(sizeof known / sizeof known[0], NUM_ELEMENT_TYPES);
  for (size_t i = 0; i < NUM_ELEMENT_TYPES; i++) {
    assert_string_equal(element_name(known[i].type), known[i].name);
    assert_int_equal(element_size(known[i].type), known[i].size);
    assert_int_equal(element_is_integer(known[i].type), known[i].integer);
  }
}

/* Element index of x as the header says it reaches out. */
static double element(element_type type, const void *x, size_t index) {
  switch (type) {
    case ELEMENT_I8:
      return ((const int8_t *)x)[index];
    case ELEMENT_U8:
      return ((const uint8_t *)x)[index];
    case ELEMENT_I16:
      return ((const int16_t *)x)[index];
    case ELEMENT_U16:
      return ((const uint16_t *)x)[index];
    case ELEMENT_I32:
      return ((const int32_t *)x)[index];
    case ELEMENT_U32:
      return ((const uint32_t *)x)[index];
    case ELEMENT_I64:
      return (double)((const int64_t *)x)[index];
    case ELEMENT_U64:
      return (double)((const uint64_t *)x)[index];
    case ELEMENT_F32:
      return (double)((const float *)x)[index];
    case ELEMENT_F64:
      return ((const double *)x)[index];
    case NUM_ELEMENT_TYPES:
      break;
  }
  return NAN;
}

/* Integers of all magnitudes from any bits, floats from numbers. */
static void fill_elements(element_type type, void *x, size_t n) {
  rng stream = rng_start(2, RNG_INIT_WEIGHTS, (uint32_t)type, 0);
  for (size_t i = 0; i < n; i++) {
    if (type == ELEMENT_F32) ((float *)x)[i] = (float)rng_normal(&stream);
    if (type == ELEMENT_F64) ((double *)x)[i] = 1e6 + rng_normal(&stream);
    for (size_t byte = 0; byte < element_size(type) && element_is_integer(type); byte++)
      ((unsigned char *)x)[i * element_size(type) + byte] = (unsigned char)rng_next(&stream);
  }
}

static void assert_gathered(const char *what, const float *out, uint64_t at, float expected) {
  if (out[at] != expected) fail_msg("%s: out[%d] is %.9g, not %.9g", what, (int)at, (double)out[at], (double)expected);
}

/* In float, where the type allows it, and in double; with vectors and without. */
static void check_gather(element_type type, uint64_t d, const uint32_t *rows, uint64_t m, uint64_t known) {
  static double memory[ROWS * MOST];
  static float out[(ROWS + 1) * MOST], basic[(ROWS + 1) * MOST];
  const bool narrow = element_size(type) <= 2 || type == ELEMENT_F32;
  float shift[MOST], scale[MOST];
  double wide_shift[MOST], wide_scale[MOST];
  fill(shift, MOST, 5);
  fill(scale, MOST, 6);
  for (int j = 0; j < MOST; j++) {
    wide_shift[j] = (double)shift[j] + 1e-9;
    wide_scale[j] = (double)scale[j] / 3;
  }
  fill_elements(type, memory, ROWS * d);
  for (int wide = narrow ? 0 : 1; wide < 2; wide++) {
    for (size_t i = 0; i < sizeof out / sizeof out[0]; i++) out[i] = basic[i] = 3;
    if (wide) {
      vector_gather_rows_wide(type, m, known, d, memory, rows, wide_shift, wide_scale, out);
      basic_vector_gather_rows_wide(type, m, known, d, memory, rows, wide_shift, wide_scale, basic);
    } else {
      vector_gather_rows(type, m, known, d, memory, rows, shift, scale, out);
      basic_vector_gather_rows(type, m, known, d, memory, rows, shift, scale, basic);
    }
    for (uint64_t i = 0; i < m; i++)
      for (uint64_t j = 0; j < d; j++) {
        const double value = element(type, memory, (rows != NULL ? rows[i] : i) * d + j);
        assert_gathered(element_name(type), out, i * d + j,
                        wide ? (float)((value - wide_shift[j]) * wide_scale[j]) : ((float)value - shift[j]) * scale[j]);
      }
    assert_true(out[m * d] == 3);
    assert_memory_equal(out, basic, sizeof out);
  }
}

static void test_gather(void **state) {
  (void)state;
  static const uint32_t rows[ROWS] = {10, 0, 3, 3, 9, 1, 7, 2, 2, 5, 10};
  for (element_type type = ELEMENT_I8; type < NUM_ELEMENT_TYPES; type++)
    for (uint64_t d = 1; d <= MOST; d++) {
      check_gather(type, d, rows, ROWS, ROWS);
      check_gather(type, d, rows, 3, 3);
      check_gather(type, d, rows, 3, ROWS);
      check_gather(type, d, NULL, ROWS, ROWS);
    }
}

/* A value near a large shift keeps what float would drop, and so does the shift. */
static void test_gather_wide(void **state) {
  (void)state;
  const int64_t time = 1700000003;
  const int32_t second = 1700000003;
  const double value = 1700000003.5, shift = 1700000001, scale = 2;
  float out;
  vector_gather_rows_wide(ELEMENT_I64, 1, 1, 1, &time, NULL, &shift, &scale, &out);
  assert_true(out == 4);
  vector_gather_rows_wide(ELEMENT_I32, 1, 1, 1, &second, NULL, &shift, &scale, &out);
  assert_true(out == 4);
  vector_gather_rows_wide(ELEMENT_F64, 1, 1, 1, &value, NULL, &shift, &scale, &out);
  assert_true(out == 5);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_add),         cmocka_unit_test(test_approach),      cmocka_unit_test(test_squash),
      cmocka_unit_test(test_column_sums), cmocka_unit_test(test_sum_squares),   cmocka_unit_test(test_dot),
      cmocka_unit_test(test_add_scaled),  cmocka_unit_test(test_all_finite),    cmocka_unit_test(test_gather),
      cmocka_unit_test(test_gather_wide), cmocka_unit_test(test_element_types),
  };
  return cmocka_run_group_tests_name("vector", tests, NULL, NULL);
}
