/* Messages of Protocol Buffers: the bytes that the encoding guide gives, nested messages, and lengths of several bytes.
 */
#include "base/protobuf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static void assert_bytes(const protobuf *p, const char *bytes, size_t count) {
  assert_false(p->failed);
  assert_int_equal(p->count, count);
  assert_memory_equal(p->bytes, bytes, count);
}

/* The examples of protobuf.dev/programming-guides/encoding. */
static void test_guide(void **state) {
  (void)state;
  protobuf p = {0};
  protobuf_integer(&p, 1, 150);
  assert_bytes(&p, "\x08\x96\x01", 3);
  protobuf_text(&p, 2, "testing");
  assert_bytes(&p, "\x08\x96\x01\x12\x07testing", 12);
  protobuf_free(&p);
  const size_t place = protobuf_open(&p, 3);
  protobuf_integer(&p, 1, 150);
  protobuf_close(&p, place);
  assert_bytes(&p, "\x1a\x03\x08\x96\x01", 5);
  protobuf_free(&p);
}

static void test_numbers(void **state) {
  (void)state;
  protobuf p = {0};
  protobuf_float(&p, 2, 1.5f);
  protobuf_double(&p, 1, -2);
  protobuf_integer(&p, 20, UINT64_MAX); /* a field of two bytes */
  protobuf_integer(&p, 1, 0);
  assert_bytes(&p,
               "\x15\x00\x00\xc0\x3f"
               "\x09\x00\x00\x00\x00\x00\x00\x00\xc0"
               "\xa0\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"
               "\x08\x00",
               28);
  protobuf_free(&p);
}

/* Two levels, of which the outer one's length needs more bytes than its place had. */
static void test_nested(void **state) {
  (void)state;
  protobuf p = {0}, fields = {0};
  char text[300];
  memset(text, 'x', sizeof text);
  protobuf_bytes(&fields, 7, text, sizeof text);
  const size_t outer = protobuf_open(&p, 1), inner = protobuf_open(&p, 2);
  protobuf_append(&p, &fields);
  protobuf_close(&p, inner);
  protobuf_integer(&p, 3, 4);
  protobuf_close(&p, outer);
  assert_int_equal(p.count, 3 + 3 + 3 + 300 + 2);
  assert_memory_equal(p.bytes, "\x0a\xb4\x02\x12\xaf\x02\x3a\xac\x02xx", 11);
  assert_memory_equal(p.bytes + p.count - 3, "x\x18\x04", 3);
  protobuf_free(&fields);
  protobuf_free(&p);
}

/* Memory that cannot be had is told once, at the end. */
static void test_too_large(void **state) {
  (void)state;
  protobuf p = {0}, all = {0};
  protobuf_bytes(&p, 1, "", SIZE_MAX / 4);
  protobuf_integer(&p, 1, 1);
  assert_true(p.failed);
  protobuf_append(&all, &p);
  assert_true(all.failed);
  protobuf_free(&p);
  protobuf_free(&all);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_guide), cmocka_unit_test(test_numbers),
                                     cmocka_unit_test(test_nested), cmocka_unit_test(test_too_large)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
