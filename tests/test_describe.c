/* mlpd_describe on data sets, models, unknown HDF5 files and files that are not HDF5. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "h5/h5.h"
#include "model/model.h"

#include <cmocka.h>

static char path[] = "/tmp/test_describe_XXXXXX";

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

/* The description of the file at path; *status as the call returned it. Freed by the caller. */
static char *describe(mlpd_status *status) {
  char *text = NULL;
  *status = mlpd_describe(path, &text);
  assert_non_null(text);
  return text;
}

/* Describes path and looks for each part (NULL at the end), in this order. */
static void assert_says(const char *const *parts) {
  mlpd_status status = MLPD_OK;
  char *const text = describe(&status);
  if (status != MLPD_OK) fail_msg("%s", mlpd_error_message());
  const char *at = text;
  for (; *parts != NULL; parts++) {
    const char *const found = strstr(at, *parts);
    if (found == NULL) fail_msg("no '%s' in its place in:\n%s", *parts, text);
    at = found + strlen(*parts);
  }
  free(text);
}

static void test_dataset(void **state) {
  (void)state;
  static const uint8_t x[6 * 3] = {0};
  static const int64_t y[6] = {0, 2, 2, 1, 2, 0};
  static const char *const names[] = {"ant", "bee", "cat"}, *const columns[] = {"a", "b", "c"}, *const target = "kind";
  h5_file *file = NULL;
  assert_ok(h5_create(path, &file));
  assert_ok(h5_write(file, "/train/x", 6, 3, ELEMENT_U8, x));
  assert_ok(h5_write(file, "/train/y", 6, 0, ELEMENT_I64, y));
  assert_ok(h5_write(file, "/test/x", 2, 3, ELEMENT_U8, x));
  assert_ok(h5_strings_write(file, "/class_names", names, 3));
  assert_ok(h5_strings_write(file, "/columns/name", columns, 3));
  assert_ok(h5_strings_write(file, "/targets/name", &target, 1));
  assert_ok(h5_close(file));
  assert_says((const char *const[]){path, ": data set\n", "train: 6 rows, 3 features of uint8, integer classes\n",
                                    "rows of each class: 2 1 3\n", "test: 2 rows, 3 features of uint8, no targets\n",
                                    "columns: a, b, c\n", "target: kind\n", "class names: ant, bee, cat\n", "arrays:\n",
                                    "/test/x", "(2, 3)", "/train/x", "(6, 3)", "uint8, contiguous", "/train/y", "(6)",
                                    "int64", NULL});
}

static void test_values(void **state) {
  (void)state;
  static const double x[4 * 2] = {0};
  static const float y[4 * 3] = {0};
  h5_file *file = NULL;
  assert_ok(h5_create(path, &file));
  assert_ok(h5_write(file, "/train/x", 4, 2, ELEMENT_F64, x));
  assert_ok(h5_write(file, "/train/y", 4, 3, ELEMENT_F32, y));
  assert_ok(h5_write(file, "/valid/x", 1, 2, ELEMENT_F64, x));
  assert_ok(h5_write(file, "/valid/y", 1, 0, ELEMENT_F32, y));
  assert_ok(h5_close(file));
  assert_says((const char *const[]){"train: 4 rows, 2 features of float64, 3 target values\n",
                                    "valid: 1 row, 2 features of float64, 1 target value\n", "arrays:\n", NULL});
}

/* Integers that are no classes: no count, no crash. */
static void test_odd_integers(void **state) {
  (void)state;
  static const float x[3] = {0};
  static const int64_t odd[][3] = {{-1, 0, 1}, {0, 1000, 1}, {INT64_MIN, INT64_MAX, 0}};
  for (int i = 0; i < 3; i++) {
    h5_file *file = NULL;
    mlpd_status status = MLPD_OK;
    assert_ok(h5_create(path, &file));
    assert_ok(h5_write(file, "/train/x", 3, 1, ELEMENT_F32, x));
    assert_ok(h5_write(file, "/train/y", 3, 0, ELEMENT_I64, odd[i]));
    assert_ok(h5_close(file));
    char *const text = describe(&status);
    assert_int_equal(status, MLPD_OK);
    assert_null(strstr(text, "rows of each class"));
    assert_non_null(strstr(text, "integer classes"));
    free(text);
  }
}

static void test_many_classes(void **state) {
  (void)state;
  static float x[70000];
  static int32_t y[70000]; /* more rows than are read at a time */
  for (int i = 0; i < 70000; i++) y[i] = i % 25;
  h5_file *file = NULL;
  assert_ok(h5_create(path, &file));
  assert_ok(h5_write(file, "/train/x", 70000, 1, ELEMENT_F32, x));
  assert_ok(h5_write(file, "/train/y", 70000, 0, ELEMENT_I32, y));
  assert_ok(h5_close(file));
  assert_says((const char *const[]){"70000 rows", "rows of each class: 2800 2800", "2800 ...\n", NULL});
}

static void test_foreign_file(void **state) {
  (void)state;
  static const float x[6] = {0};
  h5_file *file = NULL;
  assert_ok(h5_create(path, &file));
  assert_ok(h5_write(file, "/images", 3, 2, ELEMENT_F32, x));
  assert_ok(h5_write(file, "/deep/er/labels", 3, 0, ELEMENT_F32, x));
  assert_ok(h5_close(file));
  assert_says((const char *const[]){"not in mlpdist's schema: name its arrays with --x and --y\n", "/deep/er/labels",
                                    "(3)", "float32", "/images", "(3, 2)", NULL});
}

static void test_model(void **state) {
  (void)state;
  static const uint32_t widths[] = {4, 6, 2};
  static const mlpd_activation activations[] = {MLPD_SILU, MLPD_IDENTITY};
  mlpd_model *const model = calloc(1, sizeof *model);
  assert_non_null(model);
  *model = (mlpd_model){.task = MLPD_REGRESSION, .loss = loss_plain(MLPD_MAE), .epoch = 3, .step = 99};
  assert_ok(mlpd_network_create(2, widths, activations, &model->network));
  mlpd_network_init(model->network, MLPD_INIT_AUTO, 1);
  assert_ok(affine_create(4, &model->input));
  assert_ok(affine_create(2, &model->target));
  model->config = strdup("[run]\n\nseed = 1");
  assert_ok(model_save(model, path));
  char digest[17];
  mlpd_network_digest(model->network, digest);
  mlpd_model_free(model);
  assert_says((const char *const[]){path, ": model, epoch 3, step 99\n", "task: regression, loss mae\n",
                                    "network: 4-6-2, 44 parameters\n", "layer 1: weight (4, 6), bias (6), silu\n",
                                    "layer 2: weight (6, 2), bias (2), identity\n", "options:\n  [run]\n  seed = 1\n",
                                    "digest ", digest, "\n", NULL});
}

static void test_no_hdf5(void **state) {
  (void)state;
  FILE *const stream = fopen(path, "w");
  assert_non_null(stream);
  assert_true(fputs("a,b\n1,2\n", stream) >= 0);
  assert_int_equal(fclose(stream), 0);
  mlpd_status status = MLPD_OK;
  char *text = describe(&status);
  assert_int_not_equal(status, MLPD_OK);
  assert_string_equal(text, "");
  assert_non_null(strstr(mlpd_error_message(), path));
  mlpd_text_free(text);
  assert_int_equal(mlpd_describe("/none/such", &text), MLPD_ERROR_FILE);
  mlpd_text_free(text);
}

static void test_build(void **state) {
  (void)state;
  assert_non_null(strstr(mlpd_build_description(), MLPD_VERSION));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_dataset),      cmocka_unit_test(test_values),       cmocka_unit_test(test_odd_integers),
      cmocka_unit_test(test_many_classes), cmocka_unit_test(test_foreign_file), cmocka_unit_test(test_model),
      cmocka_unit_test(test_no_hdf5),      cmocka_unit_test(test_build),
  };
  return cmocka_run_group_tests_name("describe", tests, setup, teardown);
}
