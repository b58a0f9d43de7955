/* Messages of Protocol Buffers: the bytes that the encoding guide gives, nested messages, and lengths of several bytes.
 */
#include "base/protobuf.h"
#include "base/protobuf_read.h"

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

/* A message beyond 2 GiB is told once, at the end. */
static void test_too_large(void **state) {
  (void)state;
  protobuf p = {0}, all = {0};
  protobuf_bytes(&p, 1, "", SIZE_MAX / 4);
  protobuf_integer(&p, 1, 1);
  assert_true(p.failed && p.too_large);
  protobuf_append(&all, &p);
  assert_true(all.failed && all.too_large);
  protobuf_free(&p);
  protobuf_free(&all);
}

/* ---- Reading ------------------------------------------------------------------------------------------ */

typedef struct seen {
  int count;
  protobuf_field fields[8];
} seen;

static mlpd_status see(void *context, const protobuf_field *field) {
  seen *const s = context;
  s->fields[s->count++] = *field;
  return MLPD_OK;
}

static void test_read(void **state) {
  (void)state;
  protobuf p = {0};
  seen s = {0};
  protobuf_integer(&p, 20, UINT64_MAX);
  protobuf_float(&p, 2, 1.5f);
  protobuf_double(&p, 3, -2);
  protobuf_text(&p, 4, "text");
  assert_int_equal(protobuf_visit((protobuf_slice){p.bytes, p.count}, see, &s), MLPD_OK);
  assert_int_equal(s.count, 4);
  assert_int_equal(s.fields[0].number, 20);
  assert_true(s.fields[0].value == UINT64_MAX);
  assert_true(protobuf_as_float(&s.fields[1]) == 1.5f);
  assert_true(s.fields[2].value == 0xc000000000000000u);
  assert_true(protobuf_slice_is(s.fields[3].slice, "text"));
  assert_false(protobuf_slice_is(s.fields[3].slice, "tex"));
  for (size_t cut = 1; cut < p.count; cut++) { /* whole fields alone are read */
    s = (seen){0};
    const bool is_whole = cut == 12 || cut == 17 || cut == 26;
    assert_int_equal(protobuf_visit((protobuf_slice){p.bytes, cut}, see, &s), is_whole ? MLPD_OK : MLPD_ERROR_DATA);
  }
  protobuf_free(&p);
}

/* No field 0, no wire type 3, no number of more than 64 bits, no length beyond the end. */
static void test_damaged(void **state) {
  (void)state;
  static const char *const damaged[] = {"\x02\x01z", "\x0bzzz", "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
                                        "\x0a\x05zzzz", "\xff\xff\xff\xff\xff\xff\xff\xff\x01z"};
  for (size_t i = 0; i < sizeof damaged / sizeof *damaged; i++) {
    seen s = {0};
    const protobuf_slice slice = {(const unsigned char *)damaged[i], strlen(damaged[i])};
    assert_int_equal(protobuf_visit(slice, see, &s), MLPD_ERROR_DATA);
    assert_int_equal(s.count, 0);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_guide),  cmocka_unit_test(test_numbers),
                                     cmocka_unit_test(test_nested), cmocka_unit_test(test_too_large),
                                     cmocka_unit_test(test_read),   cmocka_unit_test(test_damaged)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
