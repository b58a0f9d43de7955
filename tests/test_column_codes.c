/* Columns that become several inputs: marks of missing values, one-hot categories, and the translation of a file's
 * codes to a model's. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "data/affine.h"
#include "data/column_codes.h"

static void assert_ok(mlpd_status status) {
  if (status != MLPD_OK) fail_msg("status %d: %s", status, mlpd_error_message());
}

/* A number, a category of a, b and c, another number. */
static void make(column_codes *made) {
  columns about;
  const char *const texts[] = {"a", "b", "c"};
  assert_ok(columns_create(3, &about));
  about.kinds[1] = COLUMN_KIND_CATEGORY;
  assert_ok(name_list_copy(texts, 3, &about.categories[1]));
  assert_ok(column_codes_create(&about, made));
}

static void assert_inputs(const column_codes *c, element_type type, const void *x, const uint32_t *rows, uint64_t m,
                          const float *wanted) {
  const double shift[] = {10, 0, 0}, scale[] = {0.5, 1, 2};
  float *const out = calloc(m * c->width, sizeof *out);
  assert_non_null(out);
  memset(out, 0x7F, m * c->width * sizeof *out);
  column_codes_gather(c, shift, scale, type, m, x, rows, out);
  for (uint64_t i = 0; i < m * c->width; i++)
    if (out[i] != wanted[i]) fail_msg("input %d is %g, wanted %g", (int)i, (double)out[i], (double)wanted[i]);
  free(out);
}

static void test_rows(void **state) {
  (void)state;
  column_codes c;
  make(&c);
  c.marked[0] = c.marked[1] = 1;
  c.fill[0] = 14;
  column_codes_choose(&c, (const uint64_t[]){5, 0, 7}); /* no training row holds b */
  column_codes_settle(&c);
  assert_int_equal(c.width, 2 + 3 + 1);
  assert_false(column_codes_plain(&c));
  const float x[] = {12, 0, 1, NAN, 2, 2, 8, 1, 3, 10, -1, 0, 10, -2, 0, 10, 7, 0, 10, 1.5f, 0, 10, 2.5f, 0};
  const float wanted[] = {1, 0, 1, 0, 0, 2, /* */ 2,           1, 0, 1, 0, 4, /* */ -1, 0, 0, 0, 0, 6,
                          0, 0, 0, 0, 1, 0, /* */ 0,           0, 0, 0, 0, 0, /* */ 0,  0, 0, 0, 0, 0,
                          0, 0, 0, 0, 0, 0, /* no codes: */ 0, 0, 0, 0, 0, 0};
  assert_inputs(&c, ELEMENT_F32, x, NULL, 8, wanted);
  const int16_t whole[] = {12, 0, 1, 8, 2, 3};
  const float turned[] = {-1, 0, 0, 1, 0, 6, 1, 0, 1, 0, 0, 2};
  assert_inputs(&c, ELEMENT_I16, whole, (const uint32_t[]){1, 0}, 2, turned);
  const uint32_t sources[] = {0, 0, 1, 1, 1, 2};
  for (uint32_t i = 0; i < 6; i++) assert_int_equal(column_codes_source(&c, i), sources[i]);
  column_codes_free(&c);
}

/* Of more categories than have an input, those with most rows; of those with as many, the first. */
static void test_frequent_categories(void **state) {
  (void)state;
  enum { COUNT = 300 };
  static uint64_t rows[COUNT];
  char names[COUNT][8];
  const char *texts[COUNT];
  columns about;
  column_codes c;
  for (int k = 0; k < COUNT; k++) {
    (void)snprintf(names[k], sizeof names[k], "%d", k);
    texts[k] = names[k];
    rows[k] = k % 3 == 0 ? 9 : k % 3 == 1 ? 4 : 2; /* 100 of each */
  }
  assert_ok(columns_create(1, &about));
  about.kinds[0] = COLUMN_KIND_CATEGORY;
  assert_ok(name_list_copy(texts, COUNT, &about.categories[0]));
  assert_ok(column_codes_create(&about, &c));
  column_codes_choose(&c, rows);
  column_codes_settle(&c);
  assert_int_equal(c.width, CODES_ONE_HOT_MOST);
  int32_t next = 0;
  for (int k = 0; k < COUNT; k++) {
    const bool kept = k % 3 != 2 || k < 3 * 55; /* 55 of those with 2 rows fit */
    assert_int_equal(c.inputs[k], kept ? next : -1);
    next += kept;
  }
  column_codes_free(&c);
}

/* An embedded column is one input: the number of the category among those of the training rows; missing ones are the
 * last, if there were any; -1: unknown. */
static void test_embedded(void **state) {
  (void)state;
  column_codes c;
  uint32_t sizes[3];
  make(&c);
  column_codes_embed(&c, 3);
  assert_false(column_codes_any_embedded(&c));
  column_codes_embed(&c, 2);
  assert_true(column_codes_any_embedded(&c) && c.embedded[1] && !c.embedded[0] && !c.embedded[2]);
  column_codes_choose(&c, (const uint64_t[]){5, 0, 7});
  column_codes_settle(&c);
  column_codes_sizes(&c, sizes);
  assert_true(c.width == 3 && sizes[0] == 0 && sizes[1] == 2 && sizes[2] == 0);
  const float x[] = {12, 0, 1, 10, 2, 2, 10, 1, 3, 10, -1, 0, 10, -2, 0, 10, 7, 0, 10, NAN, 0};
  const float wanted[] = {1, 0,       2,  /* */ 0, 1,       4,  /* */ 0, -1, 6,  /* */ 0, -1,
                          0, /* */ 0, -1, 0,       /* */ 0, -1, 0,       0,  -1, 0};
  assert_inputs(&c, ELEMENT_F32, x, NULL, 7, wanted);
  c.marked[1] = 1;
  column_codes_settle(&c);
  column_codes_sizes(&c, sizes);
  assert_true(c.width == 3 && sizes[1] == 3 && column_codes_source(&c, 1) == 1 && column_codes_source(&c, 2) == 2);
  const float marked[] = {1, 0,       2,  /* */ 0, 1,       4,  /* */ 0, -1, 6,  /* */ 0, 2,
                          0, /* */ 0, -1, 0,       /* */ 0, -1, 0,       0,  -1, 0};
  assert_inputs(&c, ELEMENT_F32, x, NULL, 7, marked);
  column_codes_free(&c);
}

static void test_plain(void **state) {
  (void)state;
  columns about;
  column_codes c;
  assert_ok(columns_create(3, &about));
  assert_ok(column_codes_create(&about, &c));
  assert_true(column_codes_plain(&c));
  assert_int_equal(c.width, 3);
  column_codes_free(&c);
  affine a;
  assert_ok(affine_create(2, &a));
  assert_int_equal(affine_width(&a), 2);
  affine_free(&a);
}

static void assert_matches(const char *const *wanted, uint64_t num_wanted, const char *const *given, uint64_t num_given,
                           const uint32_t *to, const uint32_t *from) {
  name_list ours, theirs;
  name_match found;
  assert_ok(name_list_copy(wanted, num_wanted, &ours));
  assert_ok(name_list_copy(given, num_given, &theirs));
  assert_ok(columns_match_categories(&ours, &theirs, &found));
  uint64_t missing = 0, unknown = 0;
  for (uint64_t k = 0; k < num_given; k++) assert_int_equal(found.to[k], to[k]);
  for (uint64_t i = 0; i < num_wanted; i++) assert_int_equal(found.from[i], from[i]);
  for (uint64_t k = 0; k < num_given; k++) unknown += to[k] == NAME_ABSENT;
  for (uint64_t i = 0; i < num_wanted; i++) missing += from[i] == NAME_ABSENT;
  assert_int_equal(found.missing, missing);
  assert_int_equal(found.unknown, unknown);
  name_match_free(&found);
  name_list_free(&ours);
  name_list_free(&theirs);
}

static void test_categories_by_value(void **state) {
  (void)state;
  const uint32_t none = NAME_ABSENT;
  assert_matches((const char *[]){"1.0", "2.0", "x"}, 3, (const char *[]){"2", "x", "3"}, 3, (uint32_t[]){1, 2, none},
                 (uint32_t[]){none, 0, 1});
  assert_matches((const char *[]){"1", "2"}, 2, (const char *[]){"2.0", "1", "2"}, 3, (uint32_t[]){1, 0, 1},
                 (uint32_t[]){1, 2});
  assert_matches((const char *[]){"1", "1.0"}, 2, (const char *[]){"1.0", "1"}, 2, (uint32_t[]){1, 0},
                 (uint32_t[]){1, 0}); /* by name first */
  assert_matches((const char *[]){"1.5", "9007199254740993"}, 2, (const char *[]){"1.50", "9007199254740993.0"}, 2,
                 (uint32_t[]){none, none}, (uint32_t[]){none, none});
  assert_matches((const char *[]){"a"}, 1, (const char *[]){"b"}, 1, (uint32_t[]){none}, (uint32_t[]){none});
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_rows),
      cmocka_unit_test(test_categories_by_value),
      cmocka_unit_test(test_frequent_categories),
      cmocka_unit_test(test_embedded),
      cmocka_unit_test(test_plain),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
