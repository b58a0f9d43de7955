/* The run folder: metrics.csv has one head, whichever version wrote the rows of a checkpoint. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "temporary_folder.h"
#include "training/run_folder.h"

static char *read_text(const char *path) {
  static char text[4096];
  FILE *const stream = fopen(path, "r");
  assert_non_null(stream);
  text[fread(text, 1, sizeof text - 1, stream)] = '\0';
  assert_int_equal(fclose(stream), 0);
  return text;
}

static const mlpd_epoch third = {.epoch = 3,
                                 .step = 30,
                                 .lr = 0.5,
                                 .train_loss = 1,
                                 .train_metric = 2,
                                 .samples_per_second = 100,
                                 .compute_seconds = 3,
                                 .compute_least = 4,
                                 .compute_mean = 5};

/* metrics.csv after a run goes on with text and adds an epoch. */
static char *metrics_after(const char *text) {
  run_folder f;
  assert_ok(run_folder_open(in_folder("run"), NULL, text, &f));
  assert_ok(run_folder_add(&f, &third));
  char *const written = read_text(f.metrics);
  assert_string_equal(f.text, written); /* what the next checkpoint holds */
  assert_ok(run_folder_close(&f));
  return written;
}

#define HEAD                                                                                             \
  "epoch,step,lr,train_loss,train_metric,valid_loss,valid_metric,samples_per_second,"                    \
  "compute_seconds,reduce_seconds,data_seconds,compute_seconds_min,reduce_seconds_min,data_seconds_min," \
  "compute_seconds_mean,reduce_seconds_mean,data_seconds_mean\n"
#define THIRD "3,30,0.5,1,2,,,100,3,0,0,4,0,0,5,0,0\n"

static void test_same_head(void **state) {
  (void)state;
  assert_string_equal(metrics_after(NULL), HEAD THIRD);
  assert_string_equal(metrics_after(HEAD "1,10,0.5,3,4,5,6,90,1,2,3,1,2,3,1,2,3\n"),
                      HEAD "1,10,0.5,3,4,5,6,90,1,2,3,1,2,3,1,2,3\n" THIRD);
}

static void test_older_head(void **state) {
  (void)state;
  static const char older[] =
      "epoch,step,lr,train_loss,train_metric,valid_loss,valid_metric,samples_per_second,"
      "compute_seconds,reduce_seconds,data_seconds\n"
      "1,10,0.5,3,4,,,90,1,2,7\n"
      "2,20,0.5,3,4,5,6,91,1,2,8\n";
  assert_string_equal(metrics_after(older),
                      HEAD "1,10,0.5,3,4,,,90,1,2,7,,,,,,\n2,20,0.5,3,4,5,6,91,1,2,8,,,,,,\n" THIRD);
  /* In another order, with a column that is no more, and no end of line. */
  assert_string_equal(metrics_after("step,epoch,colour,data_seconds_mean\n20,2,red,9"),
                      HEAD "2,20,,,,,,,,,,,,,,,9\n" THIRD);
}

static void test_no_rows(void **state) {
  (void)state;
  static char text[2000] = "epoch\n";
  memset(text + 6, '7', sizeof text - 8);
  run_folder f;
  assert_int_equal(run_folder_open(in_folder("run"), NULL, text, &f), MLPD_ERROR_DATA);
  (void)run_folder_close(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_same_head), cmocka_unit_test(test_older_head),
                                     cmocka_unit_test(test_no_rows)};
  return cmocka_run_group_tests(tests, setup, teardown);
}
