/* The run folder: metrics.csv has a single header line, whichever version wrote the rows of a checkpoint. */
#define _GNU_SOURCE /* F_OFD_SETLK */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/file_leftover.h"
#include "base/folder.h"
#include "run/run_folder.h"
#include "temporary_folder.h"

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
  assert_ok(run_folder_reserve(in_folder("run"), NULL, &f));
  assert_ok(run_folder_open(NULL, text, true, &f));
  assert_ok(run_folder_add(&f, &third));
  char *const written = read_text(f.metrics.path);
  assert_string_equal(f.metrics.text, written); /* what the next checkpoint holds */
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
  assert_ok(run_folder_reserve(in_folder("run"), NULL, &f));
  assert_int_equal(run_folder_open(NULL, text, true, &f), MLPD_ERROR_DATA);
  (void)run_folder_close(&f);
}

/* ---- Folders of runs and of others ------------------------------------------------------------------- */

static void write_file(const char *name, const char *text) { assert_ok(file_write_text(in_folder(name), text)); }

static mlpd_status reserve(const char *name, run_folder *f) { return run_folder_reserve(in_folder(name), NULL, f); }

static void test_one_run_at_a_time(void **state) {
  (void)state;
  run_folder one, other;
  char process[32];
  assert_ok(folder_make(in_folder("shared")));
  assert_ok(reserve("shared", &one));
  assert_int_equal(one.lock.former[0], '\0');
  assert_int_equal(reserve("shared", &other), MLPD_ERROR_FILE);
  (void)snprintf(process, sizeof process, "process %ld", (long)getpid());
  assert_non_null(strstr(mlpd_error_message(), process));
  assert_ok(run_folder_close(&other));
  assert_int_equal(reserve("shared", &other), MLPD_ERROR_FILE); /* closing what is not held frees nothing */
  assert_ok(run_folder_close(&one));
  assert_int_equal(access(in_folder("shared/run.lock"), F_OK), -1);
  assert_ok(reserve("shared", &other));
  assert_ok(run_folder_close(&other));
  /* Both found no folder: the second fails when it makes it. */
  assert_ok(reserve("new", &one));
  assert_ok(reserve("new", &other));
  assert_ok(run_folder_open(NULL, NULL, true, &one));
  assert_int_equal(run_folder_open(NULL, NULL, true, &other), MLPD_ERROR_FILE);
  assert_ok(run_folder_close(&other));
  assert_ok(run_folder_close(&one));
}

/* Of this test alone, in place of the C library's: a file system without locks. */
static bool no_locks;
int fcntl64(int descriptor, int command, ...);
int fcntl64(int descriptor, int command, ...) {
  va_list more;
  va_start(more, command);
  void *const argument = va_arg(more, void *);
  va_end(more);
  if (no_locks && command == F_OFD_SETLK) {
    errno = ENOLCK;
    return -1;
  }
  return (int)syscall(SYS_fcntl, descriptor, command, argument);
}
int fcntl(int descriptor, int command, ...) {
  va_list more;
  va_start(more, command);
  void *const argument = va_arg(more, void *);
  va_end(more);
  return fcntl64(descriptor, command, argument);
}

/* There what the file says decides: a dead process of this host frees the folder, but not where its number is that of
 * another container, which may have the host's name. */
static void test_lock_without_locks(void **state) {
  (void)state;
  char host[128] = "", text[512];
  run_lock lock;
  (void)gethostname(host, sizeof host - 1);
  assert_int_equal(mkdir(in_folder("lockless"), 0777), 0);
  no_locks = true;
  for (uint32_t i = 0; i < 3; i++) {
    const uint32_t space = file_process_space() + (i == 2);
    (void)snprintf(text, sizeof text, "mlpdist run on host %s, process 999999999, since yesterday\n", host);
    if (i > 0) (void)snprintf(text + strlen(text), sizeof text - strlen(text), "processes %08x\n", space);
    write_file("lockless/run.lock", text);
    const mlpd_status status = run_lock_take(in_folder("lockless"), &lock);
    assert_int_equal(status, i < 2 ? MLPD_OK : MLPD_ERROR_FILE);
    if (status == MLPD_OK) run_lock_release(&lock);
  }
  no_locks = false;
  assert_non_null(strstr(mlpd_error_message(), "without locks"));
  assert_ok(run_lock_take(in_folder("lockless"), &lock)); /* with locks nobody holds it */
  run_lock_release(&lock);
}

/* A run that was killed leaves its lock file, which nobody holds. */
static void test_stale_lock(void **state) {
  (void)state;
  run_folder f;
  assert_ok(folder_make(in_folder("stale")));
  write_file("stale/run.lock", "mlpdist run on host elsewhere, process 7, since yesterday\n");
  assert_ok(reserve("stale", &f));
  assert_string_equal(f.lock.former, "host elsewhere, process 7, since yesterday");
  assert_false(f.lock.former_took_over);
  assert_ok(run_folder_close(&f));
  write_file("stale/run.lock", "mlpdist run on host elsewhere, process 7, since yesterday, taking over\n");
  assert_ok(reserve("stale", &f));
  assert_string_equal(f.lock.former, "host elsewhere, process 7, since yesterday");
  assert_true(f.lock.former_took_over);
  assert_non_null(strstr(read_text(in_folder("stale/run.lock")), "taking over"));
  assert_ok(run_folder_open(NULL, NULL, true, &f));
  assert_null(strstr(read_text(in_folder("stale/run.lock")), "taking over"));
  assert_ok(run_folder_close(&f));
  write_file("stale/run.lock", "precious");
  assert_int_equal(reserve("stale", &f), MLPD_ERROR_FILE);
  assert_string_equal(read_text(in_folder("stale/run.lock")), "precious");
}

static void test_others_files(void **state) {
  (void)state;
  static const char *const names[] = {"others/model.h5", "others/config.ini", "others/metrics.csv"};
  run_folder f;
  assert_ok(folder_make(in_folder("others")));
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    write_file(names[i], "precious");
    assert_int_equal(reserve("others", &f), MLPD_ERROR_FILE);
    assert_non_null(strstr(mlpd_error_message(), names[i]));
    assert_string_equal(read_text(in_folder(names[i])), "precious");
    assert_int_equal(unlink(in_folder(names[i])), 0);
  }
  assert_int_equal(access(in_folder("others/run.lock"), F_OK), -1);
  assert_ok(reserve("others", &f));
  assert_false(f.used);
  assert_ok(run_folder_close(&f));
}

/* Until the run begins, and where its files cannot be written, the former run's stay. */
static void test_takes_over_in_one_step(void **state) {
  (void)state;
  run_folder f;
  assert_int_equal(metrics_after(HEAD)[0], 'e');
  assert_ok(reserve("run", &f));
  assert_true(f.used);
  assert_ok(run_folder_open("# mlpdist one\n", HEAD THIRD, true, &f));
  assert_ok(run_folder_close(&f));
  assert_ok(reserve("run", &f));
  struct rlimit before;
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
  (void)signal(SIGXFSZ, SIG_IGN);
  const struct rlimit little = {.rlim_cur = 150, .rlim_max = before.rlim_max}; /* config.ini fits, the head does not */
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
  const mlpd_status status = run_folder_open("# mlpdist two\n", NULL, true, &f);
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
  assert_int_equal(status, MLPD_ERROR_FILE);
  assert_ok(run_folder_close(&f));
  assert_string_equal(read_text(in_folder("run/config.ini")), "# mlpdist one\n");
  assert_string_equal(read_text(in_folder("run/metrics.csv")), HEAD THIRD);
  assert_ok(reserve("run", &f));
  assert_ok(run_folder_open(NULL, NULL, true, &f)); /* none of its own: the former one's is no file of this run */
  assert_int_equal(access(f.config, F_OK), -1);
  assert_string_equal(read_text(f.metrics.path), HEAD);
  assert_ok(run_folder_close(&f));
}

/* The file's limit stands for a disk that is full for a moment: a row fits in part. */
static void test_full_for_a_moment(void **state) {
  (void)state;
  run_folder f;
  struct rlimit before;
  assert_ok(reserve("run", &f));
  assert_ok(run_folder_open(NULL, NULL, true, &f));
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
  (void)signal(SIGXFSZ, SIG_IGN);
  const struct rlimit little = {.rlim_cur = sizeof HEAD + 10, .rlim_max = before.rlim_max};
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
  const mlpd_status once = run_folder_add(&f, &third), again = run_folder_add(&f, &third);
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
  assert_int_equal(once, MLPD_ERROR_FILE);
  assert_int_equal(again, MLPD_ERROR_FILE);
  assert_string_equal(read_text(f.metrics.path), HEAD); /* no part of a row */
  assert_ok(run_folder_add(&f, &third));
  assert_string_equal(read_text(f.metrics.path), HEAD THIRD THIRD THIRD);
  assert_int_equal(unlink(f.metrics.path), 0); /* someone tidies up */
  assert_ok(run_folder_add(&f, &third));
  assert_string_equal(read_text(f.metrics.path), HEAD THIRD THIRD THIRD THIRD);
  assert_ok(run_folder_close(&f));
}

/* Of several files that cannot be written, the message is about the one that is named. */
static void test_several_files_fail(void **state) {
  (void)state;
  run_folder f;
  struct rlimit before;
  assert_ok(run_folder_reserve(in_folder("several"), "csv,json,tensorboard", &f));
  assert_ok(run_folder_open(NULL, NULL, true, &f));
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
  (void)signal(SIGXFSZ, SIG_IGN);
  const struct rlimit little = {.rlim_cur = 10, .rlim_max = before.rlim_max};
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
  const mlpd_status status = run_folder_add(&f, &third);
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
  assert_int_equal(status, MLPD_ERROR_FILE);
  assert_string_equal(f.failed, "metrics.csv");
  assert_non_null(strstr(mlpd_error_message(), "several/metrics.csv: File too large"));
  assert_ok(run_folder_add(&f, &third));
  assert_null(f.failed);
  assert_ok(run_folder_close(&f));
}

static void test_folder_removed(void **state) {
  (void)state;
  run_folder f;
  assert_ok(reserve("gone", &f));
  assert_ok(run_folder_open(NULL, NULL, true, &f));
  assert_int_equal(rename(in_folder("gone"), in_folder("moved")), 0);
  assert_int_equal(run_folder_add(&f, &third), MLPD_ERROR_FILE);
  assert_non_null(strstr(mlpd_error_message(), "gone: the run folder was removed or renamed"));
  assert_int_equal(access(in_folder("gone"), F_OK), -1);
  assert_ok(folder_make(in_folder("gone"))); /* another of the same name is not it */
  assert_int_equal(run_folder_flush(&f), MLPD_ERROR_FILE);
  assert_int_equal(access(f.metrics.path, F_OK), -1);
  assert_int_equal(rmdir(in_folder("gone")), 0);
  assert_int_equal(rename(in_folder("moved"), in_folder("gone")), 0);
  assert_ok(run_folder_flush(&f));
  assert_string_equal(read_text(f.metrics.path), HEAD THIRD);
  assert_int_equal(rename(in_folder("gone"), in_folder("moved")), 0);
  assert_int_equal(run_folder_close(&f), MLPD_ERROR_FILE);
  assert_int_equal(access(in_folder("moved/run.lock"), F_OK), -1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_same_head),         cmocka_unit_test(test_older_head),
      cmocka_unit_test(test_no_rows),           cmocka_unit_test(test_one_run_at_a_time),
      cmocka_unit_test(test_stale_lock),        cmocka_unit_test(test_lock_without_locks),
      cmocka_unit_test(test_others_files),      cmocka_unit_test(test_takes_over_in_one_step),
      cmocka_unit_test(test_full_for_a_moment), cmocka_unit_test(test_several_files_fail),
      cmocka_unit_test(test_folder_removed)};
  return cmocka_run_group_tests(tests, setup, teardown);
}
