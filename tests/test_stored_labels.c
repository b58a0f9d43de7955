/* Labels of a file: how they are judged, and that the merged table does not depend on the division of rows among ranks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "data/dataset.h"

static char path[] = "/tmp/test_stored_labels_XXXXXX";

static int setup(void **state) {
  (void)state;
  const int descriptor = mkstemp(path);
  return descriptor < 0 || close(descriptor) != 0;
}

static int teardown(void **state) {
  (void)state;
  return unlink(path);
}

#define assert_ok(expression)                                                           \
  do {                                                                                  \
    if ((expression) != MLPD_OK) fail_msg("%s: %s", #expression, mlpd_error_message()); \
  } while (0)

static void open_labels(uint64_t rows, uint64_t columns, element_type type, const void *y, part *p) {
  h5_file *file = NULL;
  bool present = false;
  uint8_t *const x = calloc(rows, 1);
  assert_ok(h5_create(path, &file));
  assert_ok(h5_write(file, "/train/x", rows, 1, ELEMENT_U8, x));
  assert_ok(h5_write(file, "/train/y", rows, columns, type, y));
  assert_ok(h5_close(file));
  free(x);
  assert_ok(part_open(NULL, &(mlpd_data_paths){.file = path}, MLPD_TRAIN, true, p, &present));
}

/* The table of all rows, gathered by this many ranks. */
static void gather(part *p, uint64_t ranks, stored_labels *total) {
  *total = (stored_labels){0};
  for (uint64_t r = 0; r < ranks; r++) {
    stored_labels mine = {0};
    char *packed = NULL;
    uint64_t bytes = 0;
    assert_ok(stored_labels_scan(p, MLPD_TRAIN, p->rows * r / ranks, p->rows * (r + 1) / ranks, &mine));
    assert_ok(stored_labels_pack(&mine, &packed, &bytes));
    assert_ok(stored_labels_add_packed(total, packed, bytes));
    free(packed);
    stored_labels_free(&mine);
  }
  stored_labels_sort(total);
}

enum { ROWS = 400 };

/* Rows hold the labels (count) in turn, but for row 77, which holds odd. */
static labels_verdict judge(const int64_t *labels, uint64_t count, int64_t odd, char *list) {
  int64_t y[ROWS];
  part p;
  uint64_t stray = 0;
  labels_verdict verdict = LABELS_TOO_MANY;
  for (uint64_t i = 0; i < ROWS; i++) y[i] = labels[i % count];
  y[77] = odd;
  open_labels(ROWS, 0, ELEMENT_I64, y, &p);
  for (uint64_t ranks = 1; ranks <= 7; ranks += 3) {
    stored_labels total;
    gather(&p, ranks, &total);
    assert_int_equal(total.rows, ROWS);
    verdict = stored_labels_judge(&total, &stray);
    if (verdict == LABELS_STRAY) {
      assert_int_equal(total.labels[stray].number, odd);
      assert_int_equal(total.labels[stray].first_row, 77);
    }
    stored_labels_list(&total, list, 200);
    stored_labels_free(&total);
  }
  part_close(&p);
  return verdict;
}

static void test_judgement(void **state) {
  (void)state;
  char list[200];
  const int64_t digits[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, from1[] = {1, 2, 3}, signs[] = {-1, 1},
                far[] = {5, 4000000000, -7000000000}, tens[] = {0, 10, 20, 30}, gap[] = {0, 1, 3};
  assert_int_equal(judge(digits, 10, 0, list), LABELS_ARE_CLASSES);
  assert_string_equal(list, "0, 1, 2, ..., 9");
  assert_int_equal(judge(digits, 10, 12, list), LABELS_ARE_CLASSES);
  assert_int_equal(judge(digits, 10, 999999, list), LABELS_STRAY);
  assert_int_equal(judge(digits, 10, INT64_MAX, list), LABELS_STRAY);
  assert_int_equal(judge(digits, 10, INT64_MIN, list), LABELS_STRAY);
  assert_int_equal(judge(digits, 10, -1, list), LABELS_STRAY);
  assert_int_equal(judge(digits, 2, 255, list), LABELS_STRAY);
  assert_int_equal(judge(gap, 3, 0, list), LABELS_ARE_CLASSES);
  assert_int_equal(judge(from1, 3, 1, list), LABELS_TO_NUMBER);
  assert_string_equal(list, "1, 2 and 3");
  assert_int_equal(judge(from1, 3, 100000, list), LABELS_STRAY);
  assert_int_equal(judge(signs, 2, 1, list), LABELS_TO_NUMBER);
  assert_string_equal(list, "-1 and 1");
  assert_int_equal(judge(far, 3, 5, list), LABELS_TO_NUMBER);
  assert_int_equal(judge(tens, 4, 0, list), LABELS_TO_NUMBER);
  int64_t many[ROWS];
  for (int i = 0; i < ROWS; i++) many[i] = 17 * i;
  assert_int_equal(judge(many, ROWS, 0, list), LABELS_TOO_MANY);
  assert_int_equal(judge(many, ROWS / 4, 0, list), LABELS_TO_NUMBER);
}

static void test_hundred_thousand_classes(void **state) {
  (void)state;
  enum { CLASSES = 100000 };
  int32_t *const y = calloc(3 * CLASSES, sizeof *y);
  part p;
  stored_labels total;
  uint64_t stray = 0;
  for (int i = 0; i < 3 * CLASSES; i++) y[i] = i % CLASSES;
  open_labels(3 * CLASSES, 0, ELEMENT_I32, y, &p);
  gather(&p, 3, &total);
  assert_int_equal(total.count, CLASSES);
  assert_int_equal(stored_labels_judge(&total, &stray), LABELS_ARE_CLASSES);
  stored_labels_free(&total);
  part_close(&p);
  free(y);
}

static void test_broken(void **state) {
  (void)state;
  part p;
  stored_labels total;
  open_labels(4, 0, ELEMENT_F64, (const double[]){0, 1, 0.5, 1}, &p);
  gather(&p, 2, &total);
  assert_true(total.broken);
  stored_labels_free(&total);
  part_close(&p);
  open_labels(3, 3, ELEMENT_F32, (const float[]){0, 1, 0, 1, 0, 0, 0, 1, 0}, &p);
  gather(&p, 2, &total);
  assert_false(total.broken);
  assert_int_equal(total.count, 2);
  assert_int_equal(total.labels[1].rows, 2);
  stored_labels_free(&total);
  part_close(&p);
  open_labels(2, 2, ELEMENT_F32, (const float[]){0, 1, 1, 1}, &p);
  gather(&p, 1, &total);
  assert_true(total.broken);
  stored_labels_free(&total);
  part_close(&p);
}

static void test_maps(void **state) {
  (void)state;
  static char *const texts[] = {"b", "a", "ab"}, *const numbers[] = {"10", "-1", "9"};
  class_map map;
  assert_ok(class_map_of_names(texts, 3, false, &map));
  for (int64_t k = 0; k < 3; k++) assert_int_equal(class_map_of_text(&map, texts[k], strlen(texts[k])), k);
  assert_int_equal(class_map_of_text(&map, "abc", 3), -1);
  assert_int_equal(class_map_of_text(&map, "abc", 2), 2);
  class_map_free(&map);
  assert_ok(class_map_of_names(numbers, 3, true, &map));
  assert_int_equal(class_map_of_number(&map, 10), 0);
  assert_int_equal(class_map_of_number(&map, -1), 1);
  assert_int_equal(class_map_of_number(&map, 9), 2);
  assert_int_equal(class_map_of_number(&map, 0), -1);
  class_map_free(&map);
  int64_t number = 0;
  assert_true(label_is_number("-12", &number));
  assert_int_equal(number, -12);
  assert_false(label_is_number("012", &number));
  assert_false(label_is_number("1.0", &number));
  assert_false(label_is_number("", &number));
  assert_false(label_is_number("99999999999999999999", &number));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_judgement),
      cmocka_unit_test(test_hundred_thousand_classes),
      cmocka_unit_test(test_broken),
      cmocka_unit_test(test_maps),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
