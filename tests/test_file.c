/* Files are written completely or not at all; folders are checked to be writable. */
#define _GNU_SOURCE /* unshare */
#include "base/file_output.h"
#include "base/folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file_leftover.h"

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
  assert_true(fread(text, 1, sizeof text - 1, stream) < sizeof text - 1);
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
  assert_ok(folder_make(in_folder("text")));
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
  assert_ok(folder_make("relative/deep"));
  assert_int_equal(chdir(before), 0);
  assert_text(in_folder("beside"), "no slash in the name");
  assert_int_equal(count_entries(in_folder("relative/deep")), 0);
}

/* A run that cannot begin leaves none of its folders, and no other's. */
static void test_folders_are_unmade(void **state) {
  (void)state;
  folders_made made;
  assert_ok(folder_make(in_folder("kept")));
  assert_ok(folder_make_noted(in_folder("kept/a/b/"), &made));
  folders_unmake(&made);
  assert_int_equal(count_entries(in_folder("kept")), 0);
  assert_ok(folder_make_noted(in_folder("kept"), &made)); /* nothing is new */
  folders_unmake(&made);
  assert_ok(folder_make_noted(in_folder("kept/a/b"), &made));
  assert_ok(file_write_text(in_folder("kept/a/file"), ""));
  folders_unmake(&made);
  assert_int_equal(count_entries(in_folder("kept/a")), 1);
  assert_int_equal(folder_make(in_folder("kept/c/d/../../a/file")), MLPD_ERROR_FILE); /* no folder */
  assert_int_equal(count_entries(in_folder("kept")), 1);
}

/* The first entry of a folder whose name holds part. */
static char *entry_with(const char *path, const char *part) {
  static char name[512];
  DIR *const opened = opendir(path);
  assert_non_null(opened);
  name[0] = '\0';
  for (const struct dirent *entry = readdir(opened); entry != NULL; entry = readdir(opened))
    if (strstr(entry->d_name, part) != NULL) (void)snprintf(name, sizeof name, "%s", entry->d_name);
  assert_int_equal(closedir(opened), 0);
  return name;
}

static mode_t mode_of(const char *path) {
  struct stat about;
  assert_int_equal(stat(path, &about), 0);
  return about.st_mode & 07777;
}

static void test_output(void **state) {
  (void)state;
  file_output out;
  assert_ok(folder_make(in_folder("output")));
  assert_ok(file_output_open(in_folder("output/a"), FILE_TEXT, &out));
  assert_true(fputs("content", out.stream) >= 0);
  assert_int_equal(strncmp(entry_with(in_folder("output"), "a"), "a.tmp.", 6), 0);
  assert_ok(file_output_commit(&out));
  assert_text(in_folder("output/a"), "content");
  assert_ok(file_output_open(in_folder("output/a"), FILE_TEXT, &out));
  assert_true(fputs("other", out.stream) >= 0);
  file_output_discard(&out);
  assert_text(in_folder("output/a"), "content");
  assert_int_equal(count_entries(in_folder("output")), 1);
  const mode_t before = umask(027);
  assert_ok(file_write_text(in_folder("output/b"), "b"));
  assert_ok(file_write_text(in_folder("output/a"), "a"));
  (void)umask(before);
  assert_int_equal(mode_of(in_folder("output/a")), 0640);
  assert_int_equal(mode_of(in_folder("output/b")), 0640);
}

/* Nobody can lay a file in the way, and two outputs of one process do not share a name. */
static void test_names_are_new(void **state) {
  (void)state;
  file_output one, other;
  assert_ok(folder_make(in_folder("new")));
  assert_ok(file_output_open(in_folder("new/one"), FILE_HDF5, &one));
  assert_ok(file_output_open(in_folder("new/two"), FILE_HDF5, &other));
  assert_string_not_equal(strrchr(one.temporary, '.'), strrchr(other.temporary, '.'));
  file_output_discard(&one);
  file_output_discard(&other);
  char name[256], path[FILE_PATH_BYTES];
  memset(name, 'n', 255);
  name[255] = '\0'; /* the longest that file systems allow */
  assert_ok(file_path(path, in_folder("new"), name));
  assert_ok(file_write_text(path, "long"));
  assert_text(path, "long");
  assert_int_equal(count_entries(in_folder("new")), 1);
}

static void test_links(void **state) {
  (void)state;
  struct stat about;
  assert_ok(folder_make(in_folder("links/below")));
  assert_ok(file_write_text(in_folder("links/below/target"), "former"));
  assert_int_equal(symlink("below/target", in_folder("links/link")), 0);
  assert_int_equal(symlink("link", in_folder("links/twice")), 0);
  assert_ok(file_write_text(in_folder("links/twice"), "written"));
  assert_text(in_folder("links/below/target"), "written");
  assert_int_equal(symlink("below/absent", in_folder("links/dangling")), 0);
  assert_ok(file_write_text(in_folder("links/dangling"), "made"));
  assert_text(in_folder("links/below/absent"), "made");
  static const char *const links[] = {"links/link", "links/twice", "links/dangling"};
  for (size_t i = 0; i < 3; i++) {
    assert_int_equal(lstat(in_folder(links[i]), &about), 0);
    assert_true(S_ISLNK(about.st_mode));
  }
  assert_int_equal(symlink("round", in_folder("links/round")), 0);
  assert_file_error(file_write_text(in_folder("links/round"), "for ever"), "symbolic links");
}

static void test_written_through(void **state) {
  (void)state;
  char text[64] = {0};
  struct stat about;
  file_output out;
  assert_ok(folder_make(in_folder("through")));
  assert_int_equal(mkfifo(in_folder("through/fifo"), 0600), 0);
  const int reader = open(in_folder("through/fifo"), O_RDONLY | O_NONBLOCK);
  assert_true(reader >= 0);
  assert_ok(file_write_text(in_folder("through/fifo"), "through"));
  assert_int_equal(read(reader, text, sizeof text - 1), 7);
  assert_string_equal(text, "through");
  assert_int_equal(close(reader), 0);
  assert_int_equal(stat(in_folder("through/fifo"), &about), 0);
  assert_true(S_ISFIFO(about.st_mode));
  assert_int_equal(count_entries(in_folder("through")), 1);
  assert_file_error(file_output_open(in_folder("through/fifo"), FILE_HDF5, &out), "HDF5");
  assert_file_error(file_output_open(in_folder("through"), FILE_TEXT, &out), "is a folder");
}

static void test_apart(void **state) {
  (void)state;
  assert_ok(folder_make(in_folder("apart")));
  assert_ok(file_write_text(in_folder("apart/a"), "a"));
  assert_ok(file_write_text(in_folder("apart/b"), "b"));
  assert_int_equal(link(in_folder("apart/a"), in_folder("apart/hard")), 0);
  assert_int_equal(symlink("a", in_folder("apart/soft")), 0);
  char a[FILE_PATH_BYTES];
  (void)snprintf(a, sizeof a, "%s", in_folder("apart/a"));
  static const char *const same[] = {"apart/a", "apart/hard", "apart/soft", "apart/../apart/./a"};
  for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
    assert_int_equal(file_check_apart("--out", in_folder(same[i]), "--data", a), MLPD_ERROR_USAGE);
    assert_non_null(strstr(mlpd_error_message(), "is the file that --data reads"));
  }
  assert_ok(file_check_apart("--out", in_folder("apart/b"), "--data", a));
  assert_ok(file_check_apart("--out", in_folder("apart/none"), "--data", a));
  assert_ok(file_check_apart("--out", a, "--data", NULL));
}

/* The rename fails: the former content stays and nothing is left beside it. */
static void test_failures_leave_nothing(void **state) {
  (void)state;
  assert_ok(folder_make(in_folder("fail/taken")));
  assert_ok(file_write_text(in_folder("fail/former"), "former"));
  assert_file_error(file_write_text(in_folder("fail/taken"), "a folder has this name"), "fail/taken");
  assert_file_error(file_write_text(in_folder("fail/former/below"), "below a file"), "fail/former/below");
  assert_file_error(file_write_text(in_folder("fail/none/below"), "in no folder"), "fail/none/below");
  assert_file_error(file_write_text("/proc/mlpdist", "nobody writes here"), "/proc/mlpdist");
  assert_text(in_folder("fail/former"), "former");
  assert_int_equal(count_entries(in_folder("fail")), 2);
}

/* A file that may be written in a folder that may not: it is replaced by a new one, which has no place there. */
static void test_file_in_closed_folder(void **state) {
  (void)state;
  assert_ok(folder_make(in_folder("closed")));
  assert_ok(file_write_text(in_folder("closed/a"), "former"));
  assert_int_equal(chmod(folder, 0755) + chmod(in_folder("closed/a"), 0666) + chmod(in_folder("closed"), 0555), 0);
  const pid_t child = fork();
  if (child == 0) {
    if (geteuid() == 0 && setuid(65534) != 0) _exit(2);
    const char *const path = in_folder("closed/a");
    const bool told =
        file_check_folder_of(path) == MLPD_ERROR_FILE &&
        strstr(mlpd_error_message(), "closed: Permission denied; the file is replaced by a new one") != NULL;
    _exit(told && file_write_text(path, "new") == MLPD_ERROR_FILE && strstr(mlpd_error_message(), "beside it") ? 0 : 1);
  }
  int answer = 0;
  assert_int_equal(waitpid(child, &answer, 0), child);
  assert_int_equal(answer, 0);
  assert_text(in_folder("closed/a"), "former");
  assert_int_equal(chmod(in_folder("closed"), 0755), 0);
}

/* As on a full disk: the write stops short. */
static void test_short_write(void **state) {
  (void)state;
  assert_ok(folder_make(in_folder("full")));
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
  assert_ok(folder_make(in_folder("one/two/three")));
  assert_int_equal(stat(in_folder("one/two/three"), &about), 0);
  assert_true(S_ISDIR(about.st_mode));
  assert_ok(folder_make(in_folder("one/two/three")));
  assert_ok(folder_make(in_folder("one//two/four/")));
  assert_int_equal(count_entries(in_folder("one/two")), 2);
  assert_int_equal(count_entries(in_folder("one/two/three")), 0); /* the probe is gone */
  assert_ok(folder_make("/tmp"));
  assert_ok(folder_make("."));
  assert_int_equal(symlink("one", in_folder("link")), 0);
  assert_ok(folder_make(in_folder("link/five")));
  assert_int_equal(count_entries(in_folder("one")), 2);
}

static void test_bad_folders(void **state) {
  (void)state;
  assert_ok(file_write_text(in_folder("plain"), "a file"));
  assert_file_error(folder_make(in_folder("plain")), "plain: is not a folder");
  assert_file_error(folder_make(in_folder("plain/below")), "plain");
  assert_file_error(folder_make("/proc/mlpdist/run"), "/proc/mlpdist");
  assert_file_error(folder_make("/proc"), "/proc: cannot write");
  assert_int_equal(folder_make(""), MLPD_ERROR_USAGE);
  assert_int_equal(symlink("nowhere", in_folder("broken")), 0);
  assert_file_error(folder_make(in_folder("broken")), "broken");
}

static void test_long_paths(void **state) {
  (void)state;
  char name[FILE_PATH_BYTES + 10], joined[FILE_PATH_BYTES];
  memset(name, 'n', sizeof name - 1);
  name[sizeof name - 1] = '\0';
  assert_int_equal(file_path(joined, "folder", name), MLPD_ERROR_USAGE);
  assert_int_equal(folder_make(name), MLPD_ERROR_USAGE);
  name[FILE_PATH_BYTES - 3] = '\0'; /* no room for the temporary's ending */
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
  assert_ok(folder_make(in_folder("left")));
  file_remove_leftovers(in_folder("left"), "model.h5", NULL);
  file_remove_leftovers(in_folder("left/nowhere"), "model.h5", NULL);
  make_beside("left/model.h5.tmp", dead);
  make_beside("left/model.h5.tmp", getpid());
  assert_int_equal(count_entries(in_folder("left")), 2);
  file_remove_leftovers(in_folder("left"), "model.h5", NULL);
  assert_int_equal(count_entries(in_folder("left")), 0);
  /* What stays: of the living, of other names, folders, what only looks alike. */
  make_beside("left/model.h5.tmp", getppid());
  make_beside("left/other.h5.tmp", dead);
  make_beside("left/model.h5", dead);
  make_beside("left/model.h5.tmp.-", dead);
  make_beside("left/model.h5.tmp.1x", dead);
  (void)snprintf(a_folder, sizeof a_folder, "left/model.h5.tmp.%ld", dead);
  assert_ok(folder_make(in_folder(a_folder)));
  file_remove_leftovers(in_folder("left"), "model.h5", NULL);
  assert_int_equal(count_entries(in_folder("left")), 6);
}

/* A process that dies in the middle of an output: the next output of that name removes what it left, and that alone. */
static void test_killed_writer(void **state) {
  (void)state;
  assert_ok(folder_make(in_folder("killed")));
  const pid_t child = fork();
  if (child == 0) {
    file_output one, other;
    const bool open = file_output_open(in_folder("killed/a"), FILE_TEXT, &one) == MLPD_OK &&
                      file_output_open(in_folder("killed/b"), FILE_HDF5, &other) == MLPD_OK;
    _exit(open ? 0 : 1);
  }
  int how = 0;
  assert_true(child > 0 && waitpid(child, &how, 0) == child && how == 0);
  assert_int_equal(count_entries(in_folder("killed")), 2);
  assert_ok(file_write_text(in_folder("killed/a"), "a"));
  assert_int_equal(count_entries(in_folder("killed")), 2);
  assert_text(in_folder("killed/a"), "a");
  assert_int_equal(strncmp(entry_with(in_folder("killed"), ".tmp."), "b.tmp.", 6), 0);
  /* On another host the number means nothing: it stays for a day. */
  char here[FILE_PATH_BYTES], there[FILE_PATH_BYTES], *host;
  assert_ok(file_path(here, in_folder("killed"), entry_with(in_folder("killed"), ".tmp.")));
  (void)snprintf(there, sizeof there, "%s", here);
  host = strrchr(there, '.') + 1;
  *host = *host == '0' ? '1' : '0';
  assert_int_equal(rename(here, there), 0);
  assert_ok(file_write_text(in_folder("killed/b"), "b"));
  assert_int_equal(count_entries(in_folder("killed")), 3);
  const struct timespec old[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
  assert_int_equal(utimensat(AT_FDCWD, there, old, 0), 0);
  assert_ok(file_write_text(in_folder("killed/b"), "b"));
  assert_int_equal(count_entries(in_folder("killed")), 2);
}

/* Waits for a child that exits with what it has to say. */
static int answer_of(pid_t child) {
  int how = 0;
  if (child <= 0 || waitpid(child, &how, 0) != child) return -1;
  return WIFEXITED(how) ? WEXITSTATUS(how) : -1;
}

/* A container that shares the host's name and folder, but not its process numbers: none of ours is there. */
static void test_writer_in_another_container(void **state) {
  (void)state;
  enum { DONE, FAILED, NO_CONTAINER };
  file_output out;
  assert_ok(folder_make(in_folder("container")));
  assert_ok(file_output_open(in_folder("container/a"), FILE_TEXT, &out));
  const uint32_t here = file_process_space();
  const pid_t child = fork();
  if (child == 0) {
    if (unshare(CLONE_NEWPID) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWPID) != 0) _exit(NO_CONTAINER);
    const pid_t first = fork();
    if (first == 0)
      _exit(file_process_space() != here && file_write_text(in_folder("container/a"), "theirs") == MLPD_OK ? DONE
                                                                                                           : FAILED);
    _exit(answer_of(first));
  }
  const int answer = answer_of(child);
  if (answer == NO_CONTAINER) {
    file_output_discard(&out);
    print_message("no privilege to make a name space of processes\n");
    skip();
  }
  assert_int_equal(answer, DONE);
  assert_true(fputs("ours", out.stream) >= 0);
  assert_ok(file_output_commit(&out));
  assert_text(in_folder("container/a"), "ours");
  assert_int_equal(count_entries(in_folder("container")), 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_write_text),
      cmocka_unit_test(test_write_in_working_folder),
      cmocka_unit_test(test_folders_are_unmade),
      cmocka_unit_test(test_output),
      cmocka_unit_test(test_names_are_new),
      cmocka_unit_test(test_links),
      cmocka_unit_test(test_written_through),
      cmocka_unit_test(test_apart),
      cmocka_unit_test(test_killed_writer),
      cmocka_unit_test(test_writer_in_another_container),
      cmocka_unit_test(test_failures_leave_nothing),
      cmocka_unit_test(test_file_in_closed_folder),
      cmocka_unit_test(test_short_write),
      cmocka_unit_test(test_make_folder),
      cmocka_unit_test(test_bad_folders),
      cmocka_unit_test(test_long_paths),
      cmocka_unit_test(test_leftovers),
  };
  return cmocka_run_group_tests_name("file", tests, setup, teardown);
}
