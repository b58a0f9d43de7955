/* Normal scores, and the curves of --normalize quantile. */
#include "data/column_curves.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "data/affine.h"
#include "data/column_codes.h"

#include <cmocka.h>

static void assert_close(double found, double expected, double error) {
  if (!(fabs(found - expected) <= error)) fail_msg("%.17g, not %.17g", found, expected);
}

/* p against the distribution function of its score; the first figures are those of tables. */
static void test_scores(void **state) {
  (void)state;
  assert_true(normal_score(0.5) == 0);
  assert_close(normal_score(0.025), -1.9599639845400545, 1e-14);
  assert_close(normal_score(0.001), -3.0902323061678132, 1e-14);
  assert_close(normal_score(1e-7), -5.1993375821928165, 1e-14);
  assert_close(normal_score(1e-12), -7.0344838253011313, 1e-13);
  for (int i = 0; i <= 1500; i++) {
    const double p = 0.5 * pow(0.99, i), z = normal_score(p);
    assert_close(0.5 * erfc(-z * sqrt(0.5)) / p, 1, 2e-14 * (1 + z * z));
  }
}

/* Quantiles without ties: each has its score, the ends -5.2 and 5.2, and knots between them. */
static void test_distinct(void **state) {
  (void)state;
  double quantiles[11], x[CURVE_KNOTS_MOST], z[CURVE_KNOTS_MOST];
  for (int i = 0; i < 11; i++) quantiles[i] = i * i;
  const uint32_t count = column_curve_knots(11, quantiles, x, z);
  column_curves c;
  assert_int_equal(column_curves_create(1, count, &c), MLPD_OK);
  memcpy(c.x, x, count * sizeof *x);
  memcpy(c.z, z, count * sizeof *z);
  c.first[1] = count;
  column_curves_settle(&c);
  assert_true(column_curves_map(&c, 0, 25) == 0);
  for (int i = 1; i < 5; i++) {
    assert_close(column_curves_map(&c, 0, i * i), normal_score(0.1 * i), 1e-14);
    assert_close(column_curves_map(&c, 0, (10 - i) * (10 - i)), -normal_score(0.1 * i), 1e-14);
  }
  assert_close(column_curves_map(&c, 0, 20.5), 0.5 * normal_score(0.4), 1e-14);
  assert_close(column_curves_slope(&c, 0, 20.5), -normal_score(0.4) / 9, 1e-14);
  for (int i = 0; i < 200; i++) { /* beside the inverse of the interpolated probability */
    const double part = pow(0.95, i);
    assert_close(column_curves_map(&c, 0, part), normal_score(0.1 * part), 0.009);
    assert_close(column_curves_map(&c, 0, 100 - 19 * part), -normal_score(0.1 * part), 0.009);
  }
  for (int side = -1; side <= 1; side += 2) {
    assert_close(side * column_curves_map(&c, 0, side * 1e9), 5.1993375821928165, 1e-13);
    assert_true(column_curves_slope(&c, 0, side * 1e9) == 0);
  }
  assert_close(column_curves_map(&c, 0, 0), -5.1993375821928165, 1e-13);
  for (uint32_t k = 1; k < count; k++) assert_true(x[k] > x[k - 1] && z[k] > z[k - 1]);
  column_curves_free(&c);
}

/* Equal quantiles have the score of their middle, at the ends, too; few quantiles, and those that differ in the last
 * bits alone. */
static void test_ties(void **state) {
  (void)state;
  double x[CURVE_KNOTS_MOST], z[CURVE_KNOTS_MOST];
  const double flags[] = {0, 0, 0, 0, 0, 0, 1, 1, 1}, same[] = {7, 7, 7}, alike[] = {1e8, 1e8, 1e8 * (1 + 0x1p-51)};
  const double one[] = {-3}, two[] = {-1, 1}, tiny[] = {0, 1e-300, 2e-300, 1};
  assert_int_equal(column_curve_knots(9, flags, x, z), 2);
  assert_close(z[0], normal_score(2.5 / 8), 1e-15);
  assert_close(z[1], -normal_score(1.0 / 8), 1e-15);
  assert_int_equal(column_curve_knots(3, same, x, z), 1);
  assert_true(x[0] == 7 && z[0] == 0);
  assert_int_equal(column_curve_knots(3, alike, x, z), 1);
  assert_int_equal(column_curve_knots(1, one, x, z), 1);
  assert_true(x[0] == -3 && z[0] == 0);
  const uint32_t count = column_curve_knots(2, two, x, z);
  for (uint32_t k = 0; k < count; k++) {
    assert_close(x[k], -x[count - 1 - k], 1e-15);
    assert_close(z[k], -z[count - 1 - k], 1e-7);
  }
  assert_true(column_curve_knots(4, tiny, x, z) > 2);
  assert_true(x[0] == 0 && x[1] > 1e-290);
}

/* Rows through the input map: each type, missing values, categories, columns without a curve, the limit. */
static void test_rows(void **state) {
  (void)state;
  const double quantiles[] = {0, 10, 20};
  affine a = {0};
  columns about;
  column_codes codes;
  column_curves curves;
  assert_int_equal(affine_create(3, &a), MLPD_OK);
  assert_int_equal(columns_create(3, &about), MLPD_OK);
  about.kinds[1] = COLUMN_KIND_CATEGORY;
  assert_int_equal(name_list_numbers(2, &about.categories[1]), MLPD_OK);
  assert_int_equal(column_codes_create(&about, &codes), MLPD_OK);
  column_codes_choose(&codes, (const uint64_t[]){5, 5});
  codes.marked[0] = 1;
  codes.fill[0] = 10;
  column_codes_settle(&codes);
  assert_int_equal(column_curves_create(3, CURVE_KNOTS_MOST, &curves), MLPD_OK);
  const uint32_t count = column_curve_knots(3, quantiles, curves.x, curves.z);
  for (int j = 1; j <= 3; j++) curves.first[j] = count;
  column_curves_settle(&curves);
  const double at_15 = column_curves_map(&curves, 0, 15);
  assert_true(at_15 > 0.5 && at_15 < 0.8);
  a.shift[2] = 1;
  a.scale[2] = 3;
  affine_settle(&a);
  assert_int_equal(affine_bend(&a, &curves), MLPD_OK);
  a.codes = &codes;
  const double x[] = {NAN, 1, 2, 15, 0, 3};
  const uint32_t rows[] = {1, 0};
  float out[2 * 5];
  affine_gather(&a, ELEMENT_F64, 2, 2, x, rows, out);
  const float want[] = {(float)at_15, 0, 1, 0, 6, 0, 1, 0, 1, 3};
  assert_memory_equal(out, want, sizeof want);
  a.codes = NULL;
  const uint8_t bytes[] = {15, 7, 3, 255, 7, 1};
  affine_gather(&a, ELEMENT_U8, 2, 2, bytes, NULL, out);
  assert_true(out[0] == (float)at_15 && out[1] == 7 && out[2] == 6 && out[3] > 5.19f);
  a.limit = 2;
  affine_gather(&a, ELEMENT_U8, 1, 1, bytes, NULL, out);
  assert_close((double)out[0], at_15 / sqrt(1 + at_15 * at_15 / 4), 1e-6);
  const double step = 1e-5, far = 14 + step; /* the slope of all of it, by differences */
  const double after = column_curves_map(a.curves, 0, far), before = column_curves_map(a.curves, 0, 14 - step);
  const double difference = after / sqrt(1 + after * after / 4) - before / sqrt(1 + before * before / 4);
  assert_close(affine_slope(&a, 0, 14), difference / (2 * step), 1e-8);
  column_codes_free(&codes);
  affine_free(&a);
}

/* Every column may be without a curve; a description in JSON may say so. */
static void test_no_knots(void **state) {
  (void)state;
  column_curves c, copy;
  assert_int_equal(column_curves_create(3, 0, &c), MLPD_OK);
  assert_int_equal(column_curves_copy(&c, &copy), MLPD_OK);
  assert_non_null(copy.x);
  assert_non_null(copy.z);
  assert_int_equal(copy.first[3], 0);
  column_curves_free(&c);
  column_curves_free(&copy);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_scores), cmocka_unit_test(test_distinct), cmocka_unit_test(test_ties),
      cmocka_unit_test(test_rows),   cmocka_unit_test(test_no_knots),
  };
  return cmocka_run_group_tests_name("column_curves", tests, NULL, NULL);
}
