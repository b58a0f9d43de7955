/* Files: whole or not at all, and folders that can be written in. */
#include "base/file.h"

#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include "temporary_folder.h"

static void assert_file_error(mlpd_status status, const char *part) {
  assert_int_equal(status, MLPD_ERROR_FILE);
  if (strstr(mlpd_error_message(), part) == NULL) fail_msg("\"%s\" has no \"%s\"", mlpd_error_message(), part);
}

static void assert_text(const char *path, const char *expected) {
  char text[256] = {0};
  FILE *const stream = fopen(path, "r");
  assert_non_null(stream);
  (void)fread(text, 1, sizeof text - 1, stream);
  assert_int_equal(fclose(stream), 0);
  assert_string_equal(text, expected);
}

static int count_entries(const char *path) {
  int count = 0;
  DIR *const opened = opendir(path);
  assert_non_null(opened);
  for (const struct dirent *entry = readdir(opened); entry != NULL; entry = readdir(opened))
    count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
  assert_int_equal(closedir(opened), 0);
  return count;
}

static void test_write_text(void **state) {
  (void)state;
  assert_ok(file_make_folder(in_folder("text")));
  assert_ok(file_write_text(in_folder("text/a"), "first\n"));
  assert_text(in_folder("text/a"), "first\n");
  assert_ok(file_write_text(in_folder("text/a"), "second"));
  assert_text(in_folder("text/a"), "second");
  assert_ok(file_write_text(in_folder("text/b"), ""));
  assert_int_equal(count_entries(in_folder("text")), 2);
}

static void test_write_in_working_folder(void **state) {
  (void)state;
  char before[FILE_PATH_BYTES];
  assert_non_null(getcwd(before, sizeof before));
  assert_int_equal(chdir(folder), 0);
  assert_ok(file_write_text("beside", "no slash in the name"));
  assert_ok(file_make_folder("relative/deep"));
  assert_int_equal(chdir(before), 0);
  assert_text(in_folder("beside"), "no slash in the name");
  assert_int_equal(count_entries(in_folder("relative/deep")), 0);
}

static void test_commit(void **state) {
  (void)state;
  assert_ok(file_make_folder(in_folder("commit")));
  char temporary[FILE_PATH_BYTES];
  assert_ok(file_temporary(temporary, in_folder("commit/a")));
  assert_int_equal(strncmp(temporary, in_folder("commit/a"), strlen(in_folder("commit/a"))), 0);
  assert_string_not_equal(temporary, in_folder("commit/a"));
  FILE *const stream = fopen(temporary, "w");
  assert_non_null(stream);
  assert_true(fputs("content", stream) >= 0);
  assert_int_equal(fclose(stream), 0);
  assert_ok(file_commit(temporary, in_folder("commit/a")));
  assert_text(in_folder("commit/a"), "content");
  assert_int_equal(count_entries(in_folder("commit")), 1);
  assert_file_error(file_commit(temporary, in_folder("commit/a")), "commit/a"); /* it is gone */
  assert_text(in_folder("commit/a"), "content");
}

/* The rename fails: the former content stays and nothing is left beside it. */
static void test_failures_leave_nothing(void **state) {
  (void)state;
  assert_ok(file_make_folder(in_folder("fail/taken")));
  assert_ok(file_write_text(in_folder("fail/former"), "former"));
  assert_file_error(file_write_text(in_folder("fail/taken"), "a folder has this name"), "fail/taken");
  assert_file_error(file_write_text(in_folder("fail/former/below"), "below a file"), "fail/former/below");
  assert_file_error(file_write_text(in_folder("fail/none/below"), "in no folder"), "fail/none/below");
  assert_file_error(file_write_text("/proc/mlpdist", "nobody writes here"), "/proc/mlpdist");
  assert_text(in_folder("fail/former"), "former");
  assert_int_equal(count_entries(in_folder("fail")), 2);
}

/* As on a full disk: the write stops short. */
static void test_short_write(void **state) {
  (void)state;
  assert_ok(file_make_folder(in_folder("full")));
  assert_ok(file_write_text(in_folder("full/a"), "former"));
  char *const text = calloc(1, 100001);
  assert_non_null(text);
  memset(text, 'x', 100000);
  struct rlimit before;
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
  (void)signal(SIGXFSZ, SIG_IGN);
  const struct rlimit little = {.rlim_cur = 5000, .rlim_max = before.rlim_max};
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
  const mlpd_status status = file_write_text(in_folder("full/a"), text);
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
  (void)signal(SIGXFSZ, SIG_DFL);
  free(text);
  assert_file_error(status, "full/a");
  assert_text(in_folder("full/a"), "former");
  assert_int_equal(count_entries(in_folder("full")), 1);
}

static void test_make_folder(void **state) {
  (void)state;
  struct stat about;
  assert_ok(file_make_folder(in_folder("one/two/three")));
  assert_int_equal(stat(in_folder("one/two/three"), &about), 0);
  assert_true(S_ISDIR(about.st_mode));
  assert_ok(file_make_folder(in_folder("one/two/three")));
  assert_ok(file_make_folder(in_folder("one//two/four/")));
  assert_int_equal(count_entries(in_folder("one/two")), 2);
  assert_int_equal(count_entries(in_folder("one/two/three")), 0); /* the probe is gone */
  assert_ok(file_make_folder("/tmp"));
  assert_ok(file_make_folder("."));
  assert_int_equal(symlink("one", in_folder("link")), 0);
  assert_ok(file_make_folder(in_folder("link/five")));
  assert_int_equal(count_entries(in_folder("one")), 2);
}

static void test_bad_folders(void **state) {
  (void)state;
  assert_ok(file_write_text(in_folder("plain"), "a file"));
  assert_file_error(file_make_folder(in_folder("plain")), "plain: is not a folder");
  assert_file_error(file_make_folder(in_folder("plain/below")), "plain");
  assert_file_error(file_make_folder("/proc/mlpdist/run"), "/proc/mlpdist");
  assert_file_error(file_make_folder("/proc"), "/proc: cannot write");
  assert_int_equal(file_make_folder(""), MLPD_ERROR_USAGE);
  assert_int_equal(symlink("nowhere", in_folder("broken")), 0);
  assert_file_error(file_make_folder(in_folder("broken")), "broken");
}

static void test_long_paths(void **state) {
  (void)state;
  char name[FILE_PATH_BYTES + 10], joined[FILE_PATH_BYTES];
  memset(name, 'n', sizeof name - 1);
  name[sizeof name - 1] = '\0';
  assert_int_equal(file_path(joined, "folder", name), MLPD_ERROR_USAGE);
  assert_int_equal(file_make_folder(name), MLPD_ERROR_USAGE);
  name[FILE_PATH_BYTES - 3] = '\0'; /* no room for the temporary's ending */
  assert_int_equal(file_temporary(joined, name), MLPD_ERROR_USAGE);
  assert_int_equal(file_write_text(name, "text"), MLPD_ERROR_USAGE);
  assert_ok(file_path(joined, "folder", "name"));
  assert_string_equal(joined, "folder/name");
}

/* A number that no process has any more. */
static long dead_process(void) {
  const pid_t child = fork();
  if (child == 0) _exit(0);
  assert_true(child > 0 && waitpid(child, NULL, 0) == child);
  return child;
}

static void make_beside(const char *name, long number) {
  char path[128];
  (void)snprintf(path, sizeof path, "%s.%ld", name, number);
  FILE *const stream = fopen(in_folder(path), "w");
  assert_non_null(stream);
  assert_int_equal(fclose(stream), 0);
}

static void test_leftovers(void **state) {
  (void)state;
  const long dead = dead_process();
  char a_folder[128];
  assert_ok(file_make_folder(in_folder("left")));
  file_remove_leftovers(in_folder("left"), "model.h5");
  file_remove_leftovers(in_folder("left/nowhere"), "model.h5");
  make_beside("left/model.h5.tmp", dead);
  make_beside("left/model.h5.tmp", getpid());
  assert_int_equal(count_entries(in_folder("left")), 2);
  file_remove_leftovers(in_folder("left"), "model.h5");
  assert_int_equal(count_entries(in_folder("left")), 0);
  /* What stays: of the living, of other names, folders, what only looks alike. */
  make_beside("left/model.h5.tmp", getppid());
  make_beside("left/other.h5.tmp", dead);
  make_beside("left/model.h5", dead);
  make_beside("left/model.h5.tmp.-", dead);
  make_beside("left/model.h5.tmp.1x", dead);
  (void)snprintf(a_folder, sizeof a_folder, "left/model.h5.tmp.%ld", dead);
  assert_ok(file_make_folder(in_folder(a_folder)));
  file_remove_leftovers(in_folder("left"), "model.h5");
  assert_int_equal(count_entries(in_folder("left")), 6);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_write_text),  cmocka_unit_test(test_write_in_working_folder),
      cmocka_unit_test(test_commit),      cmocka_unit_test(test_failures_leave_nothing),
      cmocka_unit_test(test_short_write), cmocka_unit_test(test_make_folder),
      cmocka_unit_test(test_bad_folders), cmocka_unit_test(test_long_paths),
      cmocka_unit_test(test_leftovers),
  };
  return cmocka_run_group_tests_name("file", tests, setup, teardown);
}
