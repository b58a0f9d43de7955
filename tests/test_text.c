/* Untrusted text: it never controls a terminal, and JSON is valid UTF-8. */
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "base/status.h"

typedef struct text_case {
  const char *text, *printable, *utf8;
} text_case;

#define REPLACED "\xef\xbf\xbd"

static void test_characters(void **state) {
  (void)state;
  static const text_case cases[] = {
      {"", "", ""},
      {"plain, text", "plain, text", "plain, text"},
      {"\x1b[31mred\x07\n\t\x7f", "?[31mred????", "\x1b[31mred\x07\n\t\x7f"},
      {"caf\xc3\xa9 \xe6\x97\xa5\xf0\x9f\x90\x9d", "caf\xc3\xa9 \xe6\x97\xa5\xf0\x9f\x90\x9d",
       "caf\xc3\xa9 \xe6\x97\xa5\xf0\x9f\x90\x9d"},
      {"caf\xe9", "caf?", "caf" REPLACED},                               /* Latin-1 */
      {"\xc2\x9b", "?", "\xc2\x9b"},                                     /* C1: CSI in one character */
      {"\x9b", "?", REPLACED},                                           /* and in one byte */
      {"a\xe2\x80\xae!", "a?!", "a\xe2\x80\xae!"},                       /* right to left from here */
      {"\xc0\xaf", "??", REPLACED REPLACED},                             /* overlong */
      {"\xed\xa0\x80", "???", REPLACED REPLACED REPLACED},               /* a surrogate */
      {"\xf4\x90\x80\x80", "????", REPLACED REPLACED REPLACED REPLACED}, /* beyond Unicode */
      {"\xe6\x97", "??", REPLACED REPLACED},                             /* ends too early */
      {"\xff", "?", REPLACED},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char copy[64];
    mlpd_text_printable(cases[i].text, copy, sizeof copy);
    assert_string_equal(copy, cases[i].printable);
    mlpd_text_utf8(cases[i].text, copy, sizeof copy);
    assert_string_equal(copy, cases[i].utf8);
    (void)snprintf(copy, sizeof copy, "%s", cases[i].text);
    text_make_printable(copy);
    assert_string_equal(copy, cases[i].printable);
  }
}

static void test_cut(void **state) {
  (void)state;
  char copy[8];
  mlpd_text_printable("abc\xc3\xa9", copy, 5); /* the last character has two bytes, for which there is no room */
  assert_string_equal(copy, "abc");
  mlpd_text_printable("abc\xc3\xa9", copy, 6);
  assert_string_equal(copy, "abc\xc3\xa9");
  mlpd_text_utf8("ab\xff", copy, 5);
  assert_string_equal(copy, "ab");
  mlpd_text_printable("abc", copy, 1);
  assert_string_equal(copy, "");
  copy[0] = 'x';
  mlpd_text_printable("abc", copy, 0);
  assert_int_equal(copy[0], 'x');
}

static void test_messages(void **state) {
  (void)state;
  (void)FAIL(MLPD_ERROR_DATA, "class '%s'",
             "\xc2\x9b"
             "31m\xff\n");
  assert_string_equal(mlpd_error_message(),
                      "class '?31m?"
                      "?'");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_characters),
      cmocka_unit_test(test_cut),
      cmocka_unit_test(test_messages),
  };
  return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
