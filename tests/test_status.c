/* Messages of failures. */
#include "base/status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_message_and_prefix(void **state) {
  (void)state;
  assert_int_equal(FAIL(MLPD_ERROR_DATA, "row %d", 7), MLPD_ERROR_DATA);
  assert_string_equal(mlpd_error_message(), "row 7");
  assert_int_equal(strncmp(mlpd_error_place(), "test_status.c:", 14), 0);
  assert_int_equal(status_prefix(MLPD_ERROR_DATA, "%s: ", "a.csv"), MLPD_ERROR_DATA);
  assert_string_equal(mlpd_error_message(), "a.csv: row 7");
  status_reword("a.csv", "the table");
  assert_string_equal(mlpd_error_message(), "the table: row 7");
  status_reword("b.csv", "nothing");
  status_reword("", "nothing");
  assert_string_equal(mlpd_error_message(), "the table: row 7");
}

/* A name from a file can hold anything: it must neither end the line nor steer a terminal. */
static void test_control_characters(void **state) {
  (void)state;
  (void)FAIL(MLPD_ERROR_DATA, "class %s", "gr\xc3\xbc\xc3\x9f\x65\n\x1b[2J\x7f\r");
  assert_string_equal(mlpd_error_message(), "class gr\xc3\xbc\xc3\x9f\x65??[2J??");
  (void)status_prefix(MLPD_ERROR_DATA, "%s: ", "a\nb");
  assert_string_equal(mlpd_error_message(), "a?b: class gr\xc3\xbc\xc3\x9f\x65??[2J??");
}

static void test_put_back(void **state) {
  (void)state;
  status_kept first;
  (void)status_record(MLPD_ERROR_FILE, "src/run/model.c", 12, "the first");
  status_keep(&first);
  (void)FAIL(MLPD_ERROR_FILE, "the second, of a file that is closed");
  status_put_back(&first);
  assert_string_equal(mlpd_error_message(), "the first");
  assert_string_equal(mlpd_error_place(), "model.c:12");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_message_and_prefix),
      cmocka_unit_test(test_control_characters),
      cmocka_unit_test(test_put_back),
  };
  return cmocka_run_group_tests_name("status", tests, NULL, NULL);
}
