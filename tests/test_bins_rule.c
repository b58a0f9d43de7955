/* The rule of --embed-numbers auto: bins are taken where they lower the validation error by more than chance. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "run/bins_rule.h"

static bool taken(mlpd_task task, double plain, double bins, uint64_t rows) {
  mlpd_bins_choice choice = {.plain_error = plain, .bins_error = bins};
  return bins_rule_takes_bins(task, rows, &choice);
}

static void test_deviations(void **state) {
  (void)state;
  assert_true(fabs(bins_rule_deviation(MLPD_CLASSIFICATION, 0.1, 900) - 0.01) <= 1e-15);
  assert_true(fabs(bins_rule_deviation(MLPD_REGRESSION, 20, 200) - 1) <= 1e-15);
  assert_true(fabs(bins_rule_deviation(MLPD_CLASSIFICATION, 0, 10)) <= 0);
  assert_true(fabs(bins_rule_deviation(MLPD_REGRESSION, 0, 10)) <= 0);
}

/* 3 and 4 make 5: rmse 60 and 80 of 200 rows. */
static void test_difference(void **state) {
  (void)state;
  mlpd_bins_choice choice = {.plain_error = 80, .bins_error = 60};
  assert_true(bins_rule_takes_bins(MLPD_REGRESSION, 200, &choice));
  assert_true(fabs(choice.deviation - 5) <= 1e-12);
}

/* Tables of scripts/README.md: churn, and two of the seeds of breast-cancer, whose validation rows are 455. */
static void test_tables(void **state) {
  (void)state;
  assert_true(taken(MLPD_CLASSIFICATION, 0.0585, 0.0397, 4000));
  assert_false(taken(MLPD_CLASSIFICATION, 0.0198, 0.0132, 455));
  assert_false(taken(MLPD_CLASSIFICATION, 0.0224, 0.0198, 455));
  assert_true(taken(MLPD_REGRESSION, 49053, 46131, 16512));
  assert_false(taken(MLPD_REGRESSION, 25209, 25042, 2344));
}

/* Equal errors, worse ones and those of no run are no reason for bins; the least difference beyond chance is. */
static void test_bounds(void **state) {
  (void)state;
  assert_false(taken(MLPD_CLASSIFICATION, 0, 0, 10));
  assert_false(taken(MLPD_CLASSIFICATION, 0.1, 0.1, 1000000));
  assert_false(taken(MLPD_REGRESSION, 1, 2, 1000000));
  assert_false(taken(MLPD_REGRESSION, 1, NAN, 100));
  /* of e (1 - d) and e by n rows: d > sqrt((1 + (1 - d)^2) / (2 n)) */
  assert_true(taken(MLPD_REGRESSION, 1, 0.9, 100));
  assert_false(taken(MLPD_REGRESSION, 1, 0.9, 90));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_deviations), cmocka_unit_test(test_difference),
                                     cmocka_unit_test(test_tables), cmocka_unit_test(test_bounds)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
