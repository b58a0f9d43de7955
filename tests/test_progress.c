/* The time that remains. This test includes the program's source, which a library does not hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "program/progress.c"

/* A clock runs meanwhile: what is left is at least so much. */
static void test_time_left(void **state) {
  (void)state;
  char text[32];
  int hours = 0, minutes = 0, rest = 0;
  const progress long_ago = {.start = seconds() - 100};
  assert_int_equal(
      sscanf(progress_time_left(&long_ago, 1.0 / 76, text, sizeof text), "%d:%2d:%2d", &hours, &minutes, &rest), 3);
  assert_in_range(minutes, 0, 59);
  assert_in_range(rest, 0, 59);
  assert_in_range(hours * 3600 + minutes * 60 + rest, 7500, 75000);
  assert_int_equal(sscanf(progress_time_left(&long_ago, 0.5, text, sizeof text), "%d:%d:%d", &minutes, &rest, &hours),
                   2);
  assert_in_range(minutes * 60 + rest, 100, 1000);
  assert_string_equal(progress_time_left(&long_ago, 0, text, sizeof text), "");
  assert_string_equal(progress_time_left(&long_ago, 1e-6, text, sizeof text), ""); /* years */
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_time_left)};
  return cmocka_run_group_tests_name("progress", tests, NULL, NULL);
}
