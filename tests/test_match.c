/* Matching of names between data and model: of lists, and of parts, which are read in the model's order. */
#include "data/match.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/machine_memory.h"
#include "data/shard.h"
#include "h5/h5.h"
#include "kernels/multiversion.h"

#include <cmocka.h>
#include "temporary_folder.h"

#define LIST(...) \
  (name_list) { (char *[]){__VA_ARGS__}, sizeof((char *[]){__VA_ARGS__}) / sizeof(char *) }

/* ---- Lists ------------------------------------------------------------------------------------------ */

static void assert_match(const name_list *wanted, const name_list *given, const uint32_t *from, uint64_t missing,
                         uint64_t unknown) {
  name_match found;
  assert_ok(name_match_make(wanted, given, &found));
  for (uint64_t i = 0; i < wanted->count; i++) {
    assert_int_equal(found.from[i], from[i]);
    if (from[i] != NAME_ABSENT) assert_int_equal(found.to[from[i]], i);
  }
  assert_int_equal(found.missing, missing);
  assert_int_equal(found.unknown, unknown);
  name_match_free(&found);
}

static void test_lists(void **state) {
  (void)state;
  const name_list abc = LIST("a", "b", "c"), cab = LIST("c", "a", "b"), bxa = LIST("b", "x", "a", "y");
  const name_list twice = LIST("a", "", "a", ""), twice_too = LIST("", "a", "", "a");
  assert_match(&abc, &abc, (const uint32_t[]){0, 1, 2}, 0, 0);
  assert_match(&abc, &cab, (const uint32_t[]){1, 2, 0}, 0, 0);
  assert_match(&abc, &bxa, (const uint32_t[]){2, 0, NAME_ABSENT}, 1, 2);
  assert_match(&twice, &twice_too, (const uint32_t[]){1, 0, 3, 2}, 0, 0);
  name_match found;
  assert_ok(name_match_make(&twice, &twice, &found));
  assert_true(found.in_order);
  name_match_free(&found);
}

static void test_printed_lists(void **state) {
  (void)state;
  char text[96];
  const name_list abc = LIST("a", "b\x1b[1m", "c");
  name_list_print(&abc, NULL, text, sizeof text);
  assert_string_equal(text, "'a', 'b?[1m', 'c'");
  name_list_print(&abc, (const uint32_t[]){NAME_ABSENT, 0, NAME_ABSENT}, text, sizeof text);
  assert_string_equal(text, "'a', 'c'");
  name_list_print(&abc, NULL, text, 40);
  assert_string_equal(text, "'a' and 2 more");
  name_list many;
  assert_ok(name_list_numbers(1000, &many));
  assert_true(name_list_is_numbers(&many));
  assert_false(name_list_is_numbers(&abc));
  name_list_print(&many, NULL, text, sizeof text);
  assert_string_equal(text, "'0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '10', '11' and 988 more");
  name_list_free(&many);
}

/* ---- Parts ------------------------------------------------------------------------------------------ */

enum { ROWS = 40, COLUMNS = 3 };

static char notes[2000];

static void take_note(void *context, const char *message) {
  (void)context;
  (void)strncat(notes, message, sizeof notes - strlen(notes) - 1);
}

static float value_of(uint64_t row, char column) { return (float)row + (float)(column - 'a') / 4; }

static void write_strings(h5_file *file, const char *object, const char *names) {
  char copy[64], *at = NULL;
  const char *list[8];
  uint64_t count = 0;
  (void)snprintf(copy, sizeof copy, "%s", names);
  for (char *word = strtok_r(copy, " ", &at); word != NULL; word = strtok_r(NULL, " ", &at)) list[count++] = word;
  if (count > 0) assert_ok(h5_strings_write(file, object, list, count));
}

typedef struct table {
  const char *columns, *targets, *classes; /* names, blank-separated */
  const char *shown;                       /* a letter for each column that is there */
  uint64_t chunk_rows;
} table;

static void write_table(const table *t) {
  h5_file *file = NULL;
  h5_array *x = NULL;
  float values[ROWS * 8];
  double y[ROWS * 2];
  uint8_t classes[ROWS];
  const uint64_t d = strlen(t->shown);
  for (uint64_t i = 0; i < ROWS; i++) {
    for (uint64_t j = 0; j < d; j++) values[i * d + j] = value_of(i, t->shown[j]);
    classes[i] = (uint8_t)(i % 3);
    y[2 * i] = (double)i;
    y[2 * i + 1] = -(double)i;
  }
  assert_ok(h5_create(in_folder("table.h5"), &file));
  assert_ok(h5_array_create(file, "/test/x", ROWS, d, ELEMENT_F32, t->chunk_rows, 0, &x));
  assert_ok(h5_array_write(x, 0, ROWS, ELEMENT_F32, values));
  h5_array_close(x);
  assert_ok(t->targets != NULL ? h5_write(file, "/test/y", ROWS, 2, ELEMENT_F64, y)
                               : h5_write(file, "/test/y", ROWS, 0, ELEMENT_U8, classes));
  write_strings(file, "/columns/name", t->columns);
  if (t->targets != NULL) write_strings(file, "/targets/name", t->targets);
  if (t->classes != NULL) write_strings(file, "/class_names", t->classes);
  assert_ok(h5_close(file));
}

static data_names model_names = {.columns = {0}};

static mlpd_status open_matched(bool y_unused, part *p) {
  const match_wishes wishes = {.names = &model_names,
                               .num_classes = model_names.targets.count == 1 ? 3 : 0,
                               .y_unused = y_unused,
                               .note = take_note};
  bool present = false;
  notes[0] = '\0';
  assert_ok(part_open(NULL, &(mlpd_data_paths){.file = in_folder("table.h5")}, MLPD_TEST, true, p, &present));
  return part_match(p, &wishes);
}

static void assert_refused(const table *t, bool y_unused, const char *message) {
  part p;
  write_table(t);
  assert_int_equal(open_matched(y_unused, &p), MLPD_ERROR_DATA);
  if (strstr(mlpd_error_message(), message) == NULL) fail_msg("'%s' has no '%s'", mlpd_error_message(), message);
  part_close(&p);
}

/* The rows that runs ask for have the model's columns a, b, c. */
static void assert_columns(part *p, const row_run *runs, uint64_t num_runs, uint64_t rows) {
  shard s;
  assert_int_equal(p->features, COLUMNS);
  assert_ok(shard_read(p, runs, num_runs, 0, rows, false, 0, NULL, &s));
  for (uint64_t r = 0; r < num_runs; r++)
    for (uint64_t i = 0; i < runs[r].count; i++)
      for (uint32_t j = 0; j < COLUMNS; j++)
        assert_true(((const float *)s.x)[(runs[r].position + i) * COLUMNS + j] ==
                    value_of(runs[r].file_row + i, (char)('a' + j)));
  shard_free(&s);
}

static void test_columns(void **state) {
  (void)state;
  model_names = (data_names){.columns = LIST("a", "b", "c"), .targets = LIST("t", "u")};
  const row_run all = {.count = ROWS}, some[] = {{.file_row = 5, .count = 2, .position = 0},
                                                 {.file_row = 9, .count = 1, .position = 2},
                                                 {.file_row = 3, .count = 1, .position = 3}};
  for (uint64_t chunk = 0; chunk <= 7; chunk += 7) {
    part p;
    write_table(&(table){"c a b", "t u", NULL, "cab", chunk});
    assert_ok(open_matched(false, &p));
    assert_non_null(strstr(notes, "a different order"));
    assert_columns(&p, &all, 1, ROWS);
    assert_columns(&p, some, 3, 4);
    part_close(&p);
  }
  part p;
  write_table(&(table){"a b c", "t u", NULL, "abc", 0});
  assert_ok(open_matched(false, &p));
  assert_string_equal(notes, "");
  assert_null(p.order.columns);
  part_close(&p);
  write_table(&(table){"", "", NULL, "abc", 0}); /* by position */
  assert_ok(open_matched(false, &p));
  assert_columns(&p, &all, 1, ROWS);
  part_close(&p);
  /* A target among the columns of a table to predict. */
  write_table(&(table){"a u b c", "", NULL, "ahbc", 0});
  assert_ok(open_matched(true, &p));
  assert_non_null(strstr(notes, "is ignored: 'u'"));
  assert_null(strstr(notes, "order"));
  assert_columns(&p, &all, 1, ROWS);
  part_close(&p);
}

/* Rows far wider than the model takes: what is read at a time is bounded by their width, not by the model's. */
static void test_wide_rows(void **state) {
  (void)state;
  enum { WIDE = 4000, MANY = 6000, LIMIT = 32 << 20 /* bytes, where the rows are 96 MB */ };
  uint32_t columns[COLUMNS] = {0, 7, WIDE - 1};
  h5_file *file = NULL;
  h5_array *x = NULL;
  assert_ok(h5_create(in_folder("wide.h5"), &file));
  assert_ok(h5_array_create(file, "/train/x", MANY, WIDE, ELEMENT_F64, 0, 0, &x)); /* zeros, which take no room */
  h5_array_close(x);
  assert_ok(h5_write(file, "/train/y", MANY, 0, ELEMENT_U8, memset((uint8_t[MANY]){0}, 1, MANY)));
  assert_ok(h5_close(file));
  assert_int_equal(truncate(in_folder("wide.h5"), (off_t)WIDE * MANY * 8 + (1 << 20)), 0); /* room for what it claims */
  part p;
  shard s;
  bool present = false;
  assert_ok(part_open(NULL, &(mlpd_data_paths){.file = in_folder("wide.h5")}, MLPD_TRAIN, true, &p, &present));
  p.order.columns = columns;
  p.order.file_columns = WIDE;
  p.features = COLUMNS;
  const row_run runs[] = {{.count = MANY / 2}, {.file_row = MANY / 2 + 1, .count = 1, .position = MANY / 2}};
  const uint64_t before = machine_memory_peak();
  assert_ok(shard_read(&p, runs, 2, 0, MANY / 2 + 1, true, 2, NULL, &s));
#ifndef UNDER_SANITIZER /* it keeps what was freed */
  if (machine_memory_peak() - before > LIMIT) fail_msg("%g bytes", (double)(machine_memory_peak() - before));
#else
  (void)before;
#endif
  assert_true(s.classes[MANY / 2] == 1 && ((const double *)s.x)[COLUMNS] == 0);
  shard_free(&s);
  p.order.columns = NULL;
  part_close(&p);
}

static void test_columns_refused(void **state) {
  (void)state;
  model_names = (data_names){.columns = LIST("a", "b", "c"), .targets = LIST("t", "u")};
  assert_refused(&(table){"c a", "t u", NULL, "ca", 0}, false, "no column 'b', which the model needs");
  assert_refused(&(table){"c a b d e", "t u", NULL, "cabde", 0}, false,
                 "columns 'd', 'e', which the model does not know");
  assert_refused(&(table){"c a d", "t u", NULL, "cad", 0}, false,
                 "no column 'b', which the model needs, but 'd', which it does not know");
  assert_refused(&(table){"c a b u", "t u", NULL, "cabh", 0}, false, "column 'u', which the model does not know");
  assert_refused(&(table){"c a b u x", "", NULL, "cabhi", 0}, true, "columns 'u', 'x'");
}

static void test_targets(void **state) {
  (void)state;
  const row_run all = {.count = ROWS};
  model_names = (data_names){.columns = LIST("a", "b", "c"), .targets = LIST("t", "u")};
  part p;
  shard s;
  write_table(&(table){"a b c", "u t", NULL, "abc", 0});
  assert_ok(open_matched(false, &p));
  assert_non_null(strstr(notes, "targets"));
  assert_ok(shard_read(&p, &all, 1, 0, ROWS, false, 0, NULL, &s));
  assert_int_equal(s.raw_type, ELEMENT_F64);
  assert_true(((const double *)s.raw)[6] == -3 && ((const double *)s.raw)[7] == 3);
  shard_free(&s);
  part_close(&p);
  assert_refused(&(table){"a b c", "u v", NULL, "abc", 0}, false, "no target 't', which the model needs, but 'v'");
}

static mlpd_status read_classes(shard *s) {
  const row_run all = {.count = ROWS};
  part p;
  *s = (shard){0};
  assert_ok(open_matched(false, &p));
  const mlpd_status status = shard_read(&p, &all, 1, 0, ROWS, true, 3, NULL, s);
  part_close(&p);
  return status;
}

static void test_classes(void **state) {
  (void)state;
  shard s;
  model_names = (data_names){.targets = LIST("kind"), .classes = LIST("ant", "bee", "cat")};
  write_table(&(table){"", NULL, "cat ant bee", "abc", 0});
  assert_ok(read_classes(&s));
  assert_true(s.classes[0] == 2 && s.classes[1] == 0 && s.classes[2] == 1);
  assert_non_null(strstr(notes, "matched by name"));
  shard_free(&s);
  write_table(&(table){"", NULL, "ant dog bee", "abc", 0});
  assert_int_equal(read_classes(&s), MLPD_ERROR_DATA);
  assert_non_null(strstr(mlpd_error_message(),
                         "class 'dog' at row 1 (from 0), which the model does not know; it knows 'ant', 'bee'"));
  write_table(&(table){"", NULL, "cat ant", "abc", 0});
  assert_int_equal(read_classes(&s), MLPD_ERROR_DATA);
  assert_non_null(strstr(mlpd_error_message(), "class 2 at row 2 (from 0), but /class_names has 2 names"));
  write_table(&(table){"", NULL, NULL, "abc", 0}); /* no names: by position, said */
  assert_ok(read_classes(&s));
  assert_non_null(strstr(notes, "assumed to be the model's 'ant', 'bee', 'cat'"));
  assert_int_equal(s.classes[5], 2);
  shard_free(&s);
}

/* A model of data without names knows its classes by number. */
static void test_classes_without_names(void **state) {
  (void)state;
  shard s;
  model_names = (data_names){.targets = LIST("kind")};
  write_table(&(table){"", NULL, "2 1 0", "abc", 0});
  assert_ok(read_classes(&s));
  assert_true(s.classes[0] == 2 && s.classes[1] == 1);
  shard_free(&s);
  write_table(&(table){"", NULL, "1 2 3", "abc", 0});
  assert_int_equal(read_classes(&s), MLPD_ERROR_DATA);
  assert_non_null(strstr(mlpd_error_message(), "class '3' at row 2"));
  write_table(&(table){"", NULL, "01 02 03", "abc", 0});
  assert_ok(read_classes(&s));
  assert_non_null(strstr(notes, "are assumed to be '01', '02', '03'"));
  assert_int_equal(s.classes[1], 1);
  shard_free(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_lists),     cmocka_unit_test(test_printed_lists),
      cmocka_unit_test(test_columns),   cmocka_unit_test(test_columns_refused),
      cmocka_unit_test(test_wide_rows), cmocka_unit_test(test_targets),
      cmocka_unit_test(test_classes),   cmocka_unit_test(test_classes_without_names),
  };
  return cmocka_run_group_tests_name("match", tests, setup, teardown);
}
