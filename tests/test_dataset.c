/* Data sets: arrays of the schema are found or named in a message, rows are ordered by position, bad values are named.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "data/shard.h"
#include "data/shard_values.h"
#include "data/value_check.h"

enum { ROWS = 10, FEATURES = 3 };

static char path[] = "/tmp/test_dataset_XXXXXX";

static int setup(void **state) {
  (void)state;
  const int descriptor = mkstemp(path);
  return descriptor < 0 || close(descriptor) != 0;
}

static int teardown(void **state) {
  (void)state;
  return unlink(path);
}

#define assert_ok(expression)                                                                                    \
  do {                                                                                                           \
    if ((expression) != MLPD_OK) fail_msg("%s: %s (%s)", #expression, mlpd_error_message(), mlpd_error_place()); \
  } while (0)

static void assert_message(const char *after_path) {
  char expected[512];
  (void)snprintf(expected, sizeof expected, "%s: %s", path, after_path);
  assert_string_equal(mlpd_error_message(), expected);
}

/* An array to write; columns 0: rank 1. */
typedef struct array_spec {
  const char *object;
  uint64_t rows, columns;
  element_type type;
  const void *data;
} array_spec;

static void write_file(const array_spec *arrays, size_t count) {
  h5_file *file = NULL;
  assert_ok(h5_create(path, &file));
  for (size_t i = 0; i < count; ++i)
    assert_ok(h5_write(file, arrays[i].object, arrays[i].rows, arrays[i].columns, arrays[i].type, arrays[i].data));
  assert_ok(h5_close(file));
}
#define WRITE(...) \
  write_file((const array_spec[]){__VA_ARGS__}, sizeof((const array_spec[]){__VA_ARGS__}) / sizeof(array_spec))

static float x[ROWS * FEATURES];
static const int64_t classes[ROWS] = {0, 1, 2, 0, 1, 2, 0, 1, 2, 9};

static void fill_x(void) {
  for (int i = 0; i < ROWS * FEATURES; ++i) x[i] = (float)i;
}

static const mlpd_data_paths schema = {.file = path};

static void assert_part_fails(const mlpd_data_paths *paths, mlpd_split split, bool need_y, const char *after_path) {
  part p;
  bool present = true;
  assert_int_equal(part_open(NULL, paths, split, need_y, &p, &present), MLPD_ERROR_DATA);
  assert_false(present);
  assert_null(p.h5);
  assert_message(after_path);
}

static void test_schema(void **state) {
  (void)state;
  fill_x();
  WRITE({"/train/x", ROWS, FEATURES, ELEMENT_F32, x}, {"/train/y", ROWS, 0, ELEMENT_I64, classes},
        {"/test/x", 2, FEATURES, ELEMENT_F32, x}, {"/test/y", 2, 2, ELEMENT_F32, x});
  part p;
  bool present = false;
  assert_ok(part_open(NULL, &schema, MLPD_TRAIN, true, &p, &present));
  assert_true(present);
  assert_int_equal(p.rows, ROWS);
  assert_int_equal(p.features, FEATURES);
  assert_int_equal(p.type, ELEMENT_F32);
  assert_true(p.y_integer);
  assert_int_equal(p.y_columns, 1);
  assert_null(p.weight);
  part_close(&p);
  assert_ok(part_open(NULL, &schema, MLPD_VALID, true, &p, &present));
  assert_false(present);
  part_close(&p); /* closing what is closed is harmless */
  assert_ok(part_open(NULL, &schema, MLPD_TEST, true, &p, &present));
  assert_true(present);
  assert_false(p.y_integer);
  assert_int_equal(p.y_columns, 2);
  part_close(&p);
}

static void test_named_paths(void **state) {
  (void)state;
  fill_x();
  WRITE({"/images", ROWS, FEATURES, ELEMENT_F32, x}, {"/labels", ROWS, 0, ELEMENT_I64, classes},
        {"/pairs", ROWS, 2, ELEMENT_I32, x});
  part p;
  bool present = false;
  const mlpd_data_paths named = {.file = path, .x = "/images", .y = "/labels", .valid_x = "/images", .test_y = "/y"};
  assert_ok(part_open(NULL, &named, MLPD_TRAIN, true, &p, &present));
  assert_true(present);
  assert_string_equal(p.y_path, "/labels");
  part_close(&p);
  assert_part_fails(&schema, MLPD_TRAIN, true,
                    "no data set /train/x; the file holds /images (10, 3), /labels (10), /pairs (10, 2); name them "
                    "with --x and --y");
  assert_part_fails(&named, MLPD_VALID, true,
                    "no data set /valid/y; the file holds /images (10, 3), /labels (10), /pairs (10, 2); name them "
                    "with --valid-x and --valid-y of train, --x and --y of eval");
  assert_part_fails(&named, MLPD_TEST, false,
                    "no data set /test/x; the file holds /images (10, 3), /labels (10), /pairs (10, 2); name them "
                    "with --test-x and --test-y of train, --x and --y of eval");
  assert_ok(part_open(NULL, &named, MLPD_VALID, false, &p, &present));
  assert_true(present);
  assert_null(p.y);
  part_close(&p);
  const mlpd_data_paths pairs = {.file = path, .x = "/images", .y = "/pairs"};
  assert_ok(part_open(NULL, &pairs, MLPD_TRAIN, true, &p, &present));
  assert_false(p.y_integer);
  assert_int_equal(p.y_columns, 2);
  part_close(&p);
}

static void test_many_arrays(void **state) {
  (void)state;
  fill_x();
  WRITE({"/a", 1, 0, ELEMENT_F32, x}, {"/b", 1, 0, ELEMENT_F32, x}, {"/c", 1, 0, ELEMENT_F32, x},
        {"/d", 1, 0, ELEMENT_F32, x}, {"/e", 1, 0, ELEMENT_F32, x}, {"/f", 1, 0, ELEMENT_F32, x},
        {"/g", 1, 0, ELEMENT_F32, x}, {"/h", 1, 0, ELEMENT_F32, x}, {"/i", 1, 0, ELEMENT_F32, x});
  assert_part_fails(&schema, MLPD_TRAIN, true,
                    "no data set /train/x; the file holds /a (1), /b (1), /c (1), /d (1), /e (1), /f (1), /g (1), "
                    "/h (1) and 1 more; name them with --x and --y");
  h5_file *file = NULL;
  assert_ok(h5_create(path, &file));
  assert_ok(h5_close(file));
  assert_part_fails(&schema, MLPD_TRAIN, true, "no data set /train/x; the file holds no arrays");
  WRITE({"/test/x", ROWS, FEATURES, ELEMENT_F32, x}); /* as convert --label none makes */
#define UNLABELLED                                                                        \
  "; the file holds rows without targets, /test/x, as --label none makes: predict takes " \
  "these, but train and eval need targets; give the table with --label COLUMN, or name "  \
  "arrays with "
  assert_part_fails(&schema, MLPD_TRAIN, true, "no data set /train/x" UNLABELLED "--x and --y");
  assert_part_fails(&schema, MLPD_TEST, true,
                    "no data set /test/y" UNLABELLED "--test-x and --test-y of train, --x and --y of eval");
}

static void test_bad_shapes(void **state) {
  (void)state;
  fill_x();
  WRITE({"/train/x", ROWS, FEATURES, ELEMENT_F32, x}, {"/train/y", 9, 0, ELEMENT_I64, classes},
        {"/valid/x", 0, FEATURES, ELEMENT_F32, NULL}, {"/valid/y", 0, 0, ELEMENT_I64, NULL},
        {"/test/x", 2, FEATURES, ELEMENT_F32, x}, {"/test/y", 2, 0, ELEMENT_F32, x},
        {"/test/weight", 2, 2, ELEMENT_F32, x});
  assert_part_fails(&schema, MLPD_TRAIN, true, "/train/x has 10 rows but /train/y has 9");
  assert_part_fails(&schema, MLPD_VALID, true, "/valid/x has no rows");
  assert_part_fails(&schema, MLPD_TEST, true, "/test/weight has 2 columns; a weight is one number per row");
  part p;
  bool present = false;
  assert_ok(part_open(NULL, &schema, MLPD_TRAIN, false, &p, &present)); /* predicting asks for no y */
  assert_true(present);
  assert_null(p.y);
  part_close(&p);
  const mlpd_data_paths none = {.file = NULL}, missing = {.file = "/tmp/no/such.h5"};
  assert_int_equal(part_open(NULL, &none, MLPD_TRAIN, true, &p, &present), MLPD_ERROR_USAGE);
  assert_int_equal(part_open(NULL, &missing, MLPD_VALID, true, &p, &present), MLPD_ERROR_FILE);
  assert_string_equal(mlpd_error_message(), "/tmp/no/such.h5: no such file");
}

/* 64-bit numbers become float32 in a shard where the reader says so, by one rounding, whether runs are read alone or
 * together. */
static void test_narrow(void **state) {
  (void)state;
  double wide[ROWS * FEATURES];
  int64_t whole[ROWS * FEATURES];
  const row_run apart[] = {{.file_row = 2, .count = 4, .position = 0}, {.file_row = 0, .count = 1, .position = 4}};
  const row_run near[] = {{.file_row = 0, .count = 2, .position = 3}, {.file_row = 4, .count = 3, .position = 0}};
  for (int i = 0; i < ROWS * FEATURES; i++) {
    wide[i] = 0.1 * i + 1e-12;
    whole[i] = ((int64_t)1 << 53) - i;
  }
  WRITE({"/train/x", ROWS, FEATURES, ELEMENT_F64, wide}, {"/train/y", ROWS, 0, ELEMENT_I64, classes},
        {"/valid/x", ROWS, FEATURES, ELEMENT_I64, whole}, {"/valid/y", ROWS, 0, ELEMENT_I64, classes});
  part p;
  bool present = false;
  shard s;
  assert_ok(part_open(NULL, &schema, MLPD_TRAIN, true, &p, &present));
  assert_int_equal(part_row_bytes(&p, true), FEATURES * 8 + 4);
  p.narrow = true;
  assert_int_equal(part_row_bytes(&p, true), FEATURES * 4 + 4);
  assert_ok(shard_read(&p, apart, 2, 0, 5, true, 10, NULL, &s));
  assert_int_equal(s.type, ELEMENT_F32);
  for (int i = 0; i < 4 * FEATURES; i++) assert_true(((const float *)s.x)[i] == (float)wide[2 * FEATURES + i]);
  assert_true(((const float *)s.x)[4 * FEATURES + 1] == (float)wide[1]);
  shard_free(&s);
  part_close(&p);
  assert_ok(part_open(NULL, &schema, MLPD_VALID, true, &p, &present));
  p.narrow = true;
  assert_ok(shard_read(&p, near, 2, 0, 5, true, 10, NULL, &s));
  for (int i = 0; i < 3 * FEATURES; i++) assert_true(((const float *)s.x)[i] == (float)whole[4 * FEATURES + i]);
  for (int i = 0; i < 2 * FEATURES; i++) assert_true(((const float *)s.x)[3 * FEATURES + i] == (float)whole[i]);
  shard_free(&s);
  part_close(&p);
}

static void test_rows_in_order_of_positions(void **state) {
  (void)state;
  fill_x();
  const double weights[ROWS] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9.5};
  for (unsigned chunk = 0; chunk < 2; ++chunk) {
    h5_file *file = NULL;
    h5_array *array = NULL;
    assert_ok(h5_create(path, &file));
    assert_ok(h5_array_create(file, "/train/x", ROWS, FEATURES, ELEMENT_F32, chunk * 4, (int)chunk * 4, &array));
    assert_ok(h5_array_write(array, 0, ROWS, ELEMENT_F32, x));
    h5_array_close(array);
    assert_ok(h5_write(file, "/train/y", ROWS, 0, ELEMENT_I64, classes));
    assert_ok(h5_write(file, "/train/weight", ROWS, 0, ELEMENT_F64, weights));
    assert_ok(h5_close(file));

    part p;
    bool present = false;
    shard s;
    assert_ok(part_open(NULL, &schema, MLPD_TRAIN, true, &p, &present));
    /* rows of the file at positions 100 to 105: 8 9 0 1 2 5 */
    const row_run runs[] = {{0, 102, 3}, {5, 105, 1}, {8, 100, 2}};
    const int rows[6] = {8, 9, 0, 1, 2, 5};
    assert_ok(shard_read(&p, runs, 3, 100, 6, true, 10, NULL, &s));
    assert_int_equal(s.rows, 6);
    assert_int_equal(s.features, FEATURES);
    assert_null(s.values);
    for (int i = 0; i < 6; ++i) {
      assert_memory_equal((float *)s.x + i * FEATURES, x + rows[i] * FEATURES, FEATURES * sizeof(float));
      assert_int_equal(s.classes[i], classes[rows[i]]);
      assert_true(s.weights[i] == (float)weights[rows[i]]);
    }
    assert_int_equal(part_row_bytes(&p, true), FEATURES * 4 + 4 + 4);
    shard_free(&s);
    assert_ok(shard_read(&p, runs, 3, 100, 6, false, 0, NULL, &s)); /* integers as values */
    assert_null(s.classes);
    assert_int_equal(s.outputs, 1);
    assert_int_equal(s.raw_type, ELEMENT_F64);
    assert_true(((double *)s.raw)[1] == 9);
    affine map;
    assert_ok(affine_create(1, &map));
    map.shift[0] = 5;
    map.scale[0] = 0.5;
    assert_ok(shard_map_values(&s, &map, "y"));
    assert_null(s.raw);
    assert_true(s.values[1] == 2.0f);
    shard again;
    assert_ok(shard_read(&p, runs, 3, 100, 6, false, 0, &map, &again)); /* the same at once */
    assert_memory_equal(again.values, s.values, 6 * sizeof(float));
    shard_free(&again);
    affine_free(&map);
    shard_free(&s);
    assert_ok(shard_read(&p, NULL, 0, 100, 0, true, 10, NULL, &s)); /* a rank without rows */
    assert_true(s.rows == 0 && s.x == NULL && s.classes == NULL);
    shard_free(&s);
    const row_run outside[] = {{8, 100, 3}}, displaced[] = {{0, 99, 1}};
    assert_int_equal(shard_read(&p, outside, 1, 100, 3, true, 10, NULL, &s), MLPD_ERROR_INTERNAL);
    assert_int_equal(shard_read(&p, displaced, 1, 100, 1, true, 10, NULL, &s), MLPD_ERROR_INTERNAL);
    assert_int_equal(shard_read(&p, runs, 3, 100, 7, true, 10, NULL, &s), MLPD_ERROR_INTERNAL);
    part_close(&p);
    assert_ok(part_open(NULL, &schema, MLPD_TRAIN, false, &p, &present));
    assert_ok(shard_read(&p, runs, 3, 100, 6, true, 1, NULL, &s)); /* y is not needed: not read, not checked */
    assert_null(s.classes);
    assert_null(s.weights);
    shard_free(&s);
    part_close(&p);
  }
}

/* More rows than are read at once, of a byte each, and values of several columns. */
static void test_many_rows(void **state) {
  (void)state;
  enum { MANY = 70000, WIDE = 100 };
  uint8_t *bytes = malloc((size_t)MANY * WIDE);
  float *y = malloc(sizeof(float) * 2 * MANY);
  assert_non_null(bytes);
  assert_non_null(y);
  for (int i = 0; i < MANY * WIDE; ++i) bytes[i] = (uint8_t)(i % 251);
  for (int i = 0; i < MANY * 2; ++i) y[i] = (float)i;
  h5_file *file = NULL;
  h5_array *array = NULL;
  assert_ok(h5_create(path, &file));
  assert_ok(h5_array_create(file, "/train/x", MANY, WIDE, ELEMENT_U8, 1000, 0, &array));
  assert_ok(h5_array_write(array, 0, MANY, ELEMENT_U8, bytes));
  h5_array_close(array);
  assert_ok(h5_write(file, "/train/y", MANY, 2, ELEMENT_F32, y));
  assert_ok(h5_close(file));
  part p;
  bool present = false;
  shard s;
  assert_ok(part_open(NULL, &schema, MLPD_TRAIN, true, &p, &present));
  const row_run runs[] = {{0, MANY - 500, 500}, {500, 0, MANY - 500}};
  assert_ok(shard_read(&p, runs, 2, 0, MANY, false, 0, NULL, &s));
  assert_int_equal(s.type, ELEMENT_U8);
  assert_int_equal(s.outputs, 2);
  assert_memory_equal(s.x, bytes + 500 * WIDE, (size_t)(MANY - 500) * WIDE);
  assert_memory_equal((uint8_t *)s.x + (size_t)(MANY - 500) * WIDE, bytes, 500 * WIDE);
  assert_int_equal(s.raw_type, ELEMENT_F32);
  assert_memory_equal(s.raw, y + 1000, sizeof(float) * 2 * (MANY - 500));
  assert_memory_equal((float *)s.raw + 2 * (MANY - 500), y, sizeof(float) * 1000);
  shard_free(&s);
  assert_int_equal(shard_read(&p, runs, 2, 0, MANY, true, 0, NULL, &s), MLPD_ERROR_DATA);
  assert_message("/train/y has 2 columns: values, not classes; use --task regression");
  part_close(&p);
  free(bytes);
  free(y);
}

/* Runs near each other in the file are read at once: each row comes to its position all the same, and what lies between
 * them is nobody's concern. */
static void test_runs_read_at_once(void **state) {
  (void)state;
  enum { MANY = 40000, WIDTHS = 4 };
  static const uint32_t widths[WIDTHS] = {1, 28, 300, 700}; /* of float32: gaps of 512, 18, 1 and 0 rows are bridged */
  static const uint64_t chunks[WIDTHS] = {0, 64, 0, 1000};
  rng draws = rng_start(5, RNG_SHUFFLE, 0, 0);
  row_run *const runs = calloc(MANY, sizeof *runs);
  assert_non_null(runs);
  for (int w = 0; w < WIDTHS; ++w) {
    float *const wide = malloc(sizeof(float) * MANY * widths[w]), *const y = malloc(sizeof(float) * 2 * MANY);
    assert_non_null(wide);
    assert_non_null(y);
    uint64_t num_runs = 0, rows = 0, row = 0;
    for (size_t i = 0; i < (size_t)MANY * widths[w]; ++i) wide[i] = NAN;
    for (int i = 0; i < 2 * MANY; ++i) y[i] = NAN;
    while (row < MANY - 2000) {
      const uint64_t count = 1 + rng_below(&draws, rng_below(&draws, 20) == 0 ? 1500 : 4);
      runs[num_runs++] = (row_run){.file_row = row, .count = count};
      for (uint64_t i = row; i < row + count; ++i) {
        for (uint32_t j = 0; j < widths[w]; ++j) wide[i * widths[w] + j] = (float)(i + j);
        y[2 * i] = (float)i;
        y[2 * i + 1] = 1;
      }
      rows += count;
      row += count + rng_below(&draws, 3) + (rng_below(&draws, 50) == 0 ? 400 : 0);
    }
    for (uint64_t i = num_runs, place = 0; i-- > 0; place += runs[i].count) runs[i].position = place; /* backwards */
    h5_file *file = NULL;
    h5_array *array = NULL;
    assert_ok(h5_create(path, &file));
    assert_ok(h5_array_create(file, "/train/x", MANY, widths[w], ELEMENT_F32, chunks[w], 0, &array));
    assert_ok(h5_array_write(array, 0, MANY, ELEMENT_F32, wide));
    h5_array_close(array);
    assert_ok(h5_write(file, "/train/y", MANY, 2, ELEMENT_F32, y));
    assert_ok(h5_close(file));
    part p;
    bool present = false;
    shard s;
    assert_ok(part_open(NULL, &schema, MLPD_TRAIN, true, &p, &present));
    assert_ok(shard_read(&p, runs, num_runs, 0, rows, false, 0, NULL, &s));
    for (uint64_t i = 0; i < num_runs; ++i) {
      const size_t floats = runs[i].count * widths[w];
      assert_memory_equal((float *)s.x + runs[i].position * widths[w], wide + runs[i].file_row * widths[w],
                          floats * sizeof(float));
      assert_memory_equal((float *)s.raw + 2 * runs[i].position, y + 2 * runs[i].file_row,
                          2 * runs[i].count * sizeof(float));
    }
    shard_free(&s);
    part_close(&p);
    free(wide);
    free(y);
  }
  free(runs);
}

/* Of rows that are read at once a bad one is still named. */
static void test_bad_value_of_a_group(void **state) {
  (void)state;
  fill_x();
  x[7 * FEATURES + 2] = NAN;
  WRITE({"/train/x", ROWS, FEATURES, ELEMENT_F32, x}, {"/train/y", ROWS, 0, ELEMENT_I64, classes});
  part p;
  bool present = false;
  shard s;
  const row_run beside[] = {{0, 0, 2}, {6, 2, 1}, {8, 3, 2}}, with[] = {{0, 0, 2}, {6, 2, 2}};
  assert_ok(part_open(NULL, &schema, MLPD_TRAIN, true, &p, &present));
  assert_ok(shard_read(&p, beside, 3, 0, 5, true, 0, NULL, &s));
  shard_free(&s);
  assert_int_equal(shard_read(&p, with, 2, 0, 4, true, 0, NULL, &s), MLPD_ERROR_DATA);
  assert_message(
      "/train/x holds nan at row 7, column 2 (from 0); fill in missing values, or give the data as CSV, in which they "
      "may be empty");
  const row_run ninth[] = {{0, 0, 2}, {9, 2, 1}};
  assert_int_equal(shard_read(&p, ninth, 2, 0, 3, true, 3, NULL, &s), MLPD_ERROR_DATA);
  assert_message("/train/y holds class 9 at row 9 (from 0), but --classes is 3");
  part_close(&p);
}

/* Reads all rows of the file as it is; the status is MLPD_ERROR_DATA with this message. */
static void assert_read_fails(bool as_classes, uint32_t num_classes, const char *after_path) {
  part p;
  bool present = false;
  shard s;
  const row_run all[] = {{0, 0, ROWS}};
  assert_ok(part_open(NULL, &schema, MLPD_TRAIN, true, &p, &present));
  assert_int_equal(shard_read(&p, all, 1, 0, ROWS, as_classes, num_classes, NULL, &s), MLPD_ERROR_DATA);
  assert_null(s.x);
  assert_message(after_path);
  part_close(&p);
}

static void test_values_not_finite(void **state) {
  (void)state;
  double wide[ROWS * FEATURES] = {0};
  fill_x();
  x[7 * FEATURES + 2] = NAN;
  WRITE({"/train/x", ROWS, FEATURES, ELEMENT_F32, x}, {"/train/y", ROWS, 0, ELEMENT_I64, classes});
  assert_read_fails(true, 0,
                    "/train/x holds nan at row 7, column 2 (from 0); fill in missing values, or give the data as CSV, "
                    "in which they may be empty");
  wide[4] = -INFINITY;
  WRITE({"/train/x", ROWS, FEATURES, ELEMENT_F64, wide}, {"/train/y", ROWS, 0, ELEMENT_I64, classes});
  assert_read_fails(true, 0, "/train/x holds -inf at row 1, column 1 (from 0)");
  wide[4] = 1e300;
  WRITE({"/train/x", ROWS, FEATURES, ELEMENT_F64, wide}, {"/train/y", ROWS, 0, ELEMENT_I64, classes});
  assert_read_fails(true, 0, "/train/x holds 1e+300 at row 1, column 1 (from 0), too large for the computations");
  wide[4] = 0;
  WRITE({"/train/x", ROWS, FEATURES, ELEMENT_F64, wide}, {"/train/y", ROWS, FEATURES, ELEMENT_F32, x});
  assert_read_fails(false, 0, "/train/y holds nan at row 7, column 2 (from 0); leave out rows without a target");
  wide[9] = INFINITY;
  WRITE({"/train/x", ROWS, 0, ELEMENT_F64, wide}, {"/train/y", ROWS, 0, ELEMENT_I64, classes});
  assert_read_fails(true, 0, "/train/x holds inf at row 9 (from 0)");
}

/* Values as they are must fit float32. A cure is named where it is one. */
static void test_values_as_they_are(void **state) {
  (void)state;
  const struct {
    double value;
    const char *message;
  } cases[] = {
      {1e100,
       "/train/x holds 1e+100 at row 1, column 1 (from 0), too large for 32-bit floats; --normalize standard "
       "scales columns"},
      {1e300, "/train/x holds 1e+300 at row 1, column 1 (from 0), too large for the computations"},
  };
  double wide[ROWS * FEATURES] = {0};
  char x_path[] = "/train/x";
  part p = {.file = path, .x_path = x_path, .x_as_is = true};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    wide[4] = cases[i].value;
    assert_int_equal(value_check(&p, p.x_path, ELEMENT_F64, wide, 0, ROWS, FEATURES), MLPD_ERROR_DATA);
    assert_message(cases[i].message);
  }
}

static void test_bad_classes(void **state) {
  (void)state;
  int64_t y[ROWS] = {0};
  double real[ROWS] = {0};
  fill_x();
  WRITE({"/train/x", ROWS, FEATURES, ELEMENT_F32, x}, {"/train/y", ROWS, 0, ELEMENT_I64, classes});
  assert_read_fails(true, 9, "/train/y holds class 9 at row 9 (from 0), but --classes is 9");
  y[4] = -1;
  WRITE({"/train/x", ROWS, FEATURES, ELEMENT_F32, x}, {"/train/y", ROWS, 0, ELEMENT_I64, y});
  assert_read_fails(true, 0, "/train/y holds class -1 at row 4 (from 0), but classes count from 0");
  y[4] = (int64_t)1 << 32;
  WRITE({"/train/x", ROWS, FEATURES, ELEMENT_F32, x}, {"/train/y", ROWS, 0, ELEMENT_I64, y});
  assert_read_fails(true, 0, "/train/y holds class 4294967296 at row 4 (from 0); use --task regression");
  real[3] = 0.5;
  WRITE({"/train/x", ROWS, FEATURES, ELEMENT_F32, x}, {"/train/y", ROWS, 0, ELEMENT_F64, real});
  assert_read_fails(true, 0, "/train/y holds 0.5 at row 3 (from 0), which is not a class; use --task regression");
  real[3] = NAN;
  WRITE({"/train/x", ROWS, FEATURES, ELEMENT_F32, x}, {"/train/y", ROWS, 0, ELEMENT_F64, real});
  assert_read_fails(true, 0, "/train/y holds nan at row 3 (from 0); leave out rows without a target");
  real[3] = 1e30;
  WRITE({"/train/x", ROWS, FEATURES, ELEMENT_F32, x}, {"/train/y", ROWS, 0, ELEMENT_F64, real});
  assert_read_fails(true, 0, "/train/y holds 1e+30 at row 3 (from 0), which is not a class; use --task regression");

  real[3] = 7; /* floats that are classes */
  WRITE({"/train/x", ROWS, FEATURES, ELEMENT_F32, x}, {"/train/y", ROWS, 1, ELEMENT_F64, real});
  part p;
  bool present = false;
  shard s;
  const row_run all[] = {{0, 0, ROWS}};
  assert_ok(part_open(NULL, &schema, MLPD_TRAIN, true, &p, &present));
  assert_false(p.y_integer);
  assert_ok(shard_read(&p, all, 1, 0, ROWS, true, 8, NULL, &s));
  assert_int_equal(s.classes[3], 7);
  shard_free(&s);
  part_close(&p);
}

static void test_bad_weights(void **state) {
  (void)state;
  float weights[ROWS] = {0};
  fill_x();
  weights[2] = -0.5f;
  WRITE({"/train/x", ROWS, FEATURES, ELEMENT_F32, x}, {"/train/y", ROWS, 0, ELEMENT_I64, classes},
        {"/train/weight", ROWS, 0, ELEMENT_F32, weights});
  assert_read_fails(true, 0, "/train/weight holds -0.5 at row 2 (from 0); a weight must be at least 0");
  weights[2] = INFINITY;
  WRITE({"/train/x", ROWS, FEATURES, ELEMENT_F32, x}, {"/train/y", ROWS, 0, ELEMENT_I64, classes},
        {"/train/weight", ROWS, 0, ELEMENT_F32, weights});
  assert_read_fails(true, 0, "/train/weight holds inf at row 2 (from 0)");
}

static void test_names(void **state) {
  (void)state;
  const char *const classes[2] = {"cat", "dog"}, *const columns[3] = {"u", "", "u"}, *const target = "kind";
  h5_file *file = NULL;
  data_names read = {.classes = {.count = 7}};
  assert_ok(h5_create(path, &file));
  assert_ok(dataset_names(file, &read));
  assert_true(read.columns.count == 0 && read.targets.count == 0 && read.classes.count == 0);
  assert_ok(h5_strings_write(file, "/class_names", classes, 2));
  assert_ok(h5_strings_write(file, "/columns/name", columns, 3));
  assert_ok(h5_strings_write(file, "/targets/name", &target, 1));
  assert_ok(dataset_names(file, &read));
  assert_true(read.columns.count == 3 && read.targets.count == 1 && read.classes.count == 2);
  assert_string_equal(read.columns.names[2], "u");
  assert_string_equal(read.columns.names[1], "");
  assert_string_equal(read.targets.names[0], "kind");
  assert_string_equal(read.classes.names[1], "dog");
  data_names_free(&read);
  assert_ok(h5_close(file));
  assert_ok(h5_create(path, &file));
  assert_ok(h5_write(file, "/columns/name", 4, 2, ELEMENT_F64, x)); /* another program's */
  assert_ok(dataset_names(file, &read));
  assert_int_equal(read.columns.count, 0);
  assert_ok(h5_attribute_write_u64(file, "/", "mlpdist_schema", 2));
  assert_int_equal(dataset_names(file, &read), MLPD_ERROR_DATA);
  assert_ok(h5_close(file));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_schema),
      cmocka_unit_test(test_named_paths),
      cmocka_unit_test(test_many_arrays),
      cmocka_unit_test(test_bad_shapes),
      cmocka_unit_test(test_narrow),
      cmocka_unit_test(test_rows_in_order_of_positions),
      cmocka_unit_test(test_many_rows),
      cmocka_unit_test(test_runs_read_at_once),
      cmocka_unit_test(test_bad_value_of_a_group),
      cmocka_unit_test(test_values_not_finite),
      cmocka_unit_test(test_values_as_they_are),
      cmocka_unit_test(test_bad_classes),
      cmocka_unit_test(test_bad_weights),
      cmocka_unit_test(test_names),
  };
  return cmocka_run_group_tests_name("dataset", tests, setup, teardown);
}
