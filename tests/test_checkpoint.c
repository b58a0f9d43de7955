/* Checkpoints: they are read bit for bit as written, damage is detected, the last intact one is found, and the
 * background writer neither reads its source later nor damages existing files. */
#define _GNU_SOURCE /* memmem */
#include "run/checkpoint.h"

#include <dirent.h>
#include <hdf5.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include "damage.h"
#include "temporary_folder.h"

enum {
  ARENA = 1000,
  ARENAS = CHECKPOINT_MORE_STATE + 3 /* that most tests use: one more pair of lbfgs, and half of another */
};

/* ---- Checkpoints to write ---------------------------------------------------------------------------- */

/* arenas: how many are there; each value of the checkpoint differs from all others, and with step. */
static checkpoint make_checkpoint(uint64_t step, int arenas) {
  checkpoint c = {.state = {.epoch = 7,
                            .step_in_epoch = step % 13,
                            .step = step,
                            .kept_epoch = 6,
                            .kept_step = UINT64_MAX,
                            .best_epoch = 5,
                            .since_best = 1,
                            .best_loss = INFINITY,
                            .sum_loss = 0.1,
                            .sum_weight = 1e300,
                            .sum_correct = -0.0,
                            .sum_square = 5e-324,
                            .data_fingerprint = 0xfedcba9876543210u,
                            .valid_fingerprint = 0x0123456789abcdefu,
                            .test_fingerprint = 17,
                            .schedule = {.factor = 0.3, .best = 0.7, .since = 2},
                            .search = {.best = 0.4, .since = 3, .ended = 1},
                            .lanes = 4,
                            .arena_size = ARENA},
                  .options = strdup("lr = 0.1\nhidden = 32,16\n"),
                  .config = strdup("[run]\nout = caf\xc3\xa9\n"),
                  .metrics = strdup("epoch,step\n1,10\n"),
                  .names = strdup("column a\nclass caf\xc3\xa9\n")};
  for (int i = 0; i < arenas; i++) {
    c.arenas[i] = calloc(ARENA, sizeof *c.arenas[i]);
    assert_non_null(c.arenas[i]);
    for (int j = 0; j < ARENA; j++) c.arenas[i][j] = (float)(i + 1) * 1000 + (float)j / 3 + (float)step;
  }
  return c;
}

static bool same_text(const char *a, const char *b) { return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0; }

static bool same_checkpoint(const checkpoint *a, const checkpoint *b) {
  if (memcmp(&a->state, &b->state, sizeof a->state) != 0) return false;
  for (int i = 0; i < CHECKPOINT_ARENAS; i++) {
    if ((a->arenas[i] == NULL) != (b->arenas[i] == NULL)) return false;
    if (a->arenas[i] != NULL && memcmp(a->arenas[i], b->arenas[i], a->state.arena_size * sizeof(float)) != 0)
      return false;
  }
  return same_text(a->options, b->options) && same_text(a->config, b->config) && same_text(a->metrics, b->metrics) &&
         same_text(a->names, b->names);
}

static bool is_whole(const char *path, const checkpoint *expected) {
  checkpoint read;
  if (checkpoint_read(path, &read) != MLPD_OK) return false;
  const bool same = same_checkpoint(expected, &read);
  checkpoint_free(&read);
  return same;
}

static const char *path_of(uint64_t step) {
  static char path[FILE_PATH_BYTES];
  assert_ok(checkpoint_path(path, folder, step));
  return path;
}

static void write_step(uint64_t step) {
  checkpoint c = make_checkpoint(step, 2);
  assert_ok(checkpoint_write(&c, path_of(step)));
  checkpoint_free(&c);
}

static unsigned char *read_bytes(const char *path, size_t *size) {
  struct stat about;
  FILE *const stream = fopen(path, "rb");
  assert_non_null(stream);
  assert_int_equal(fstat(fileno(stream), &about), 0);
  *size = (size_t)about.st_size;
  unsigned char *const bytes = malloc(*size);
  assert_non_null(bytes);
  assert_int_equal(fread(bytes, 1, *size, stream), *size);
  (void)fclose(stream);
  return bytes;
}

static void write_bytes(const char *path, const unsigned char *bytes, size_t size) {
  FILE *const stream = fopen(path, "wb");
  assert_non_null(stream);
  assert_int_equal(fwrite(bytes, 1, size, stream), size);
  assert_int_equal(fclose(stream), 0);
}

/* Number of entries of a folder. */
static int count_files(const char *path) {
  int count = 0;
  DIR *const listing = opendir(path);
  assert_non_null(listing);
  for (const struct dirent *entry = readdir(listing); entry != NULL; entry = readdir(listing))
    count += entry->d_name[0] != '.';
  (void)closedir(listing);
  return count;
}

static bool exists(uint64_t step) { return access(path_of(step), F_OK) == 0; }

/* ---- Files ------------------------------------------------------------------------------------------- */

static void test_round_trip(void **state) {
  (void)state;
  for (int arenas = 1; arenas <= ARENAS; arenas++) {
    checkpoint c = make_checkpoint(41, arenas);
    assert_ok(checkpoint_write(&c, in_folder("a.h5")));
    assert_true(is_whole(in_folder("a.h5"), &c));
    c.state.sum_loss = nextafter(c.state.sum_loss, 1);
    assert_false(is_whole(in_folder("a.h5"), &c));
    checkpoint_free(&c);
  }
  checkpoint c = make_checkpoint(40, CHECKPOINT_ARENAS); /* the longest history of lbfgs */
  assert_int_equal(checkpoint_num_states(&c), OPTIMIZER_MOST_STATE);
  assert_ok(checkpoint_write(&c, in_folder("a.h5")));
  assert_true(is_whole(in_folder("a.h5"), &c));
  checkpoint_free(&c);
  c = make_checkpoint(42, ARENAS);
  free(c.arenas[1]); /* no weights kept yet */
  free(c.config);
  free(c.metrics);
  c.arenas[1] = NULL;
  c.config = NULL;
  c.metrics = calloc(1, 200001); /* more than an attribute holds */
  assert_non_null(c.metrics);
  memset(c.metrics, 'm', 200000);
  assert_ok(checkpoint_write(&c, in_folder("a.h5")));
  assert_true(is_whole(in_folder("a.h5"), &c));
  assert_int_equal(count_files(folder), 1);
  checkpoint_free(&c);
}

static void test_no_checkpoint(void **state) {
  (void)state;
  checkpoint c;
  assert_int_equal(checkpoint_read(in_folder("none.h5"), &c), MLPD_ERROR_FILE);
  assert_non_null(strstr(mlpd_error_message(), "none.h5"));
  write_bytes(in_folder("text.h5"), (const unsigned char *)"text", 4);
  assert_int_equal(checkpoint_read(in_folder("text.h5"), &c), MLPD_ERROR_FILE);
  assert_non_null(strstr(mlpd_error_message(), "text.h5"));
  checkpoint whole = make_checkpoint(1, 2);
  assert_int_not_equal(checkpoint_write(&whole, in_folder("nowhere/a.h5")), MLPD_OK);
  checkpoint_free(&whole);
  assert_int_equal(count_files(folder), 1);
}

/* A flip may lie in bytes that say nothing (gaps, the version's name): then the same checkpoint is read. Returns
 * whether it was refused. */
static bool read_damaged(const checkpoint *whole, const char *what, size_t at) {
  checkpoint read;
  const char *const path = in_folder("damaged.h5");
  if (checkpoint_read(path, &read) == MLPD_OK) {
    if (!same_checkpoint(whole, &read)) fail_msg("%s at byte %zu changes the checkpoint and is not seen", what, at);
    checkpoint_free(&read);
    return false;
  }
  if (strstr(mlpd_error_message(), "damaged.h5") == NULL || strchr(mlpd_error_message(), '\n') != NULL)
    fail_msg("%s at byte %zu: the message is \"%s\"", what, at, mlpd_error_message());
  for (int i = 0; i < CHECKPOINT_ARENAS; i++) assert_null(read.arenas[i]);
  assert_null(read.options);
  return true;
}

static void test_truncated(void **state) {
  (void)state;
  checkpoint whole = make_checkpoint(3, ARENAS);
  size_t size = 0;
  assert_ok(checkpoint_write(&whole, in_folder("whole.h5")));
  unsigned char *const bytes = read_bytes(in_folder("whole.h5"), &size);
  for (size_t length = 0; length < size; length += size - length <= 64 ? 1 : 1 + size / 300) {
    write_bytes(in_folder("damaged.h5"), bytes, length);
    if (!read_damaged(&whole, "a truncation", length)) fail_msg("%zu of %zu bytes are taken for whole", length, size);
  }
  free(bytes);
  checkpoint_free(&whole);
}

/* From the byte at to the next to flip: each read forks a child, so that thousands take minutes on a busy machine. All
 * of the first headers, many of the others, a few of the arenas, where one checksum is over all bytes. */
static size_t flip_stride(const checkpoint *c, const unsigned char *bytes, size_t size, size_t at) {
  if (at < 1024) return 1;
  for (int i = 0; i < ARENAS; i++) {
    const unsigned char *const arena = memmem(bytes, size, c->arenas[i], ARENA * sizeof(float));
    assert_non_null(arena);
    if (bytes + at >= arena && bytes + at < arena + ARENA * sizeof(float)) return 399;
  }
  return 7;
}

static void test_flipped(void **state) {
  (void)state;
  if (!flips()) skip();
  limit_memory();
  checkpoint whole = make_checkpoint(3, ARENAS);
  size_t size = 0, seen = 0, tried = 0;
  assert_ok(checkpoint_write(&whole, in_folder("whole.h5")));
  unsigned char *const bytes = read_bytes(in_folder("whole.h5"), &size);
  for (size_t at = 0; at < size; at += flip_stride(&whole, bytes, size, at)) {
    const unsigned char kept = bytes[at];
    bytes[at] = (unsigned char)(kept ^ (at % 2 == 0 ? 1u << at / 2 % 8 : 0xffu));
    write_bytes(in_folder("damaged.h5"), bytes, size);
    seen += read_damaged(&whole, "a flipped bit", at);
    tried++;
    bytes[at] = kept;
  }
  if (tried < 1200 || seen < tried * 4 / 5) fail_msg("only %zu of %zu flips were seen: what was flipped?", seen, tried);
  free(bytes);
  checkpoint_free(&whole);
}

/* Exchanges two arrays, each of which has a checksum of its own. */
static void swap_arrays(const char *path, const char *one, const char *other) {
  const hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
  assert_true(H5Lmove(file, one, file, "/rest", H5P_DEFAULT, H5P_DEFAULT) >= 0);
  assert_true(H5Lmove(file, other, file, one, H5P_DEFAULT, H5P_DEFAULT) >= 0);
  assert_true(H5Lmove(file, "/rest", file, other, H5P_DEFAULT, H5P_DEFAULT) >= 0);
  assert_true(H5Fclose(file) >= 0);
}

/* Puts an array of twice as many numbers in the place of another, a row for each of its numbers. */
static void widen_array(const char *path, const char *object) {
  const hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT), old = H5Dopen(file, object, H5P_DEFAULT);
  hsize_t shape[2] = {0, 2};
  assert_int_equal(H5Sget_simple_extent_dims(H5Dget_space(old), shape, NULL), 1);
  const hid_t wide =
      H5Dcreate(file, "/wide", H5T_IEEE_F32LE, H5Screate_simple(2, shape, NULL), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  assert_true(wide >= 0 && H5Ldelete(file, object, H5P_DEFAULT) >= 0);
  assert_true(H5Lmove(file, "/wide", file, object, H5P_DEFAULT, H5P_DEFAULT) >= 0);
  assert_true(H5Dclose(wide) >= 0 && H5Dclose(old) >= 0 && H5Fclose(file) >= 0);
}

/* Read as it is, it would not fit into the memory for it. */
static void test_of_another_shape(void **state) {
  (void)state;
  checkpoint whole = make_checkpoint(3, ARENAS), read;
  assert_ok(checkpoint_write(&whole, in_folder("a.h5")));
  widen_array(in_folder("a.h5"), "/kept");
  assert_int_equal(checkpoint_read(in_folder("a.h5"), &read), MLPD_ERROR_DATA);
  assert_non_null(strstr(mlpd_error_message(), "/kept does not have the shape"));
  checkpoint_free(&whole);
}

static void test_swapped(void **state) {
  (void)state;
  static const char *const objects[ARENAS] = {"/parameters",        "/kept",
                                              "/average",           "/optimizer/state_0",
                                              "/optimizer/state_1", "/optimizer/state_2",
                                              "/optimizer/state_3", "/optimizer/state_4"};
  checkpoint whole = make_checkpoint(3, ARENAS), read;
  for (int i = 1; i < ARENAS; i++) {
    assert_ok(checkpoint_write(&whole, in_folder("a.h5")));
    swap_arrays(in_folder("a.h5"), objects[i - 1], objects[i]);
    assert_int_equal(checkpoint_read(in_folder("a.h5"), &read), MLPD_ERROR_DATA);
    assert_non_null(strstr(mlpd_error_message(), "checksum"));
  }
  checkpoint_free(&whole);
}

/* ---- Folders ----------------------------------------------------------------------------------------- */

typedef struct rejections {
  int count;
  char last[1024];
} rejections;

static void take_rejection(void *context, const char *path, const char *message) {
  rejections *const r = context;
  if (strstr(message, path) == NULL) fail_msg("\"%s\" does not name %s", message, path);
  r->count++;
  (void)snprintf(r->last, sizeof r->last, "%s", message);
}

/* Reads the newest whole checkpoint of the folder, must find `step` (0: none) and pass over `rejected`. */
static void expect_newest(uint64_t step, int rejected, const char *last) {
  checkpoint c;
  bool found = true;
  rejections r = {0};
  uint64_t name = UINT64_MAX;
  assert_ok(checkpoint_read_newest(folder, &name, &c, &found, take_rejection, &r));
  assert_int_equal(found, step > 0);
  if (found) assert_int_equal(name, step);
  assert_int_equal(c.state.step, step);
  assert_int_equal(r.count, rejected);
  if (strstr(r.last, last) == NULL) fail_msg("\"%s\" does not name %s", r.last, last);
  if (found) checkpoint_free(&c);
  assert_ok(checkpoint_read_newest(folder, &(uint64_t){UINT64_MAX}, &c, &found, NULL, NULL));
  checkpoint_free(&c);
}

static void test_newest(void **state) {
  (void)state;
  expect_newest(0, 0, "");
  write_step(9);
  write_step(100);
  write_step(1000);
  write_bytes(in_folder("step-000000002000.h5.tmp.77"), (const unsigned char *)"x", 1);
  write_bytes(in_folder("notes.txt"), (const unsigned char *)"x", 1);
  expect_newest(1000, 0, "");
  assert_int_equal(truncate(path_of(1000), 3000), 0);
  expect_newest(100, 1, "step-000000001000.h5");
  size_t size = 0;
  unsigned char *const bytes = read_bytes(path_of(100), &size);
  checkpoint c = make_checkpoint(100, 2);
  unsigned char *const value = memmem(bytes, size, &c.arenas[1][7], sizeof(float));
  assert_non_null(value);
  value[0] ^= 1;
  checkpoint_free(&c);
  write_bytes(path_of(100), bytes, size);
  free(bytes);
  expect_newest(9, 2, "step-000000000100.h5");
  assert_int_equal(truncate(path_of(9), 0), 0);
  expect_newest(0, 3, "step-000000000009.h5");
}

static void test_folder_that_is_none(void **state) {
  (void)state;
  checkpoint c;
  bool found = true;
  assert_ok(checkpoint_read_newest(in_folder("none"), &(uint64_t){UINT64_MAX}, &c, &found, NULL, NULL));
  assert_false(found);
  write_bytes(in_folder("file"), (const unsigned char *)"x", 1);
  assert_int_equal(checkpoint_read_newest(in_folder("file"), &(uint64_t){UINT64_MAX}, &c, &found, NULL, NULL),
                   MLPD_ERROR_FILE);
  assert_non_null(strstr(mlpd_error_message(), "file"));
}

static void test_prune(void **state) {
  (void)state;
  for (uint64_t step = 1; step <= 6; step++) write_step(step);
  write_bytes(in_folder("step-000000000004.h5.tmp.999999999"), (const unsigned char *)"x", 1);
  write_bytes(in_folder("notes.txt"), (const unsigned char *)"x", 1);
  checkpoint_prune(folder, 5, 3); /* 6 is of a future that is no more */
  for (uint64_t step = 1; step <= 6; step++) assert_int_equal(exists(step), step >= 3 && step <= 5);
  assert_int_equal(access(in_folder("notes.txt"), F_OK), 0);
  assert_int_equal(count_files(folder), 4);
  checkpoint_prune(folder, 5, 1);
  assert_true(exists(5));
  assert_int_equal(count_files(folder), 2);
  checkpoint_prune(in_folder("none"), 5, 1); /* nothing to do, and no crash */
}

/* ---- The writer -------------------------------------------------------------------------------------- */

static checkpoint_writer *start_writer(const char *path, uint64_t keep) {
  checkpoint_writer *w = NULL;
  assert_ok(checkpoint_writer_start(path, keep, &w));
  assert_non_null(w);
  return w;
}

/* Has a checkpoint of a step written and returns what the writer said. */
static mlpd_status write_by(checkpoint_writer *w, uint64_t step) {
  bool taken = false;
  checkpoint c = make_checkpoint(step, 2);
  assert_ok(checkpoint_writer_hold(w, &c, &taken));
  assert_true(taken);
  checkpoint_free(&c); /* the writer has its copy */
  assert_true(checkpoint_writer_release(w));
  return checkpoint_writer_wait(w);
}

static void test_writer_copies(void **state) {
  (void)state;
  checkpoint_writer *const w = start_writer(folder, 2);
  checkpoint expected = make_checkpoint(10, ARENAS), live = make_checkpoint(10, ARENAS);
  bool taken = false;
  assert_false(checkpoint_writer_release(w)); /* nothing is held */
  assert_ok(checkpoint_writer_hold(w, &live, &taken));
  assert_true(taken);
  for (int i = 0; i < ARENAS; i++) memset(live.arenas[i], 0xff, ARENA * sizeof(float));
  memset(live.options, '?', 3);
  memset(live.config, '?', 3);
  memset(live.metrics, '?', 3);
  live.state.epoch = 99;
  assert_ok(checkpoint_writer_wait(w));
  assert_false(exists(10)); /* held, not released */
  assert_true(checkpoint_writer_release(w));
  assert_false(checkpoint_writer_release(w)); /* once */
  assert_ok(checkpoint_writer_wait(w));
  assert_true(is_whole(path_of(10), &expected));
  checkpoint_free(&expected);
  checkpoint_free(&live);
  /* Held again, with other arrays: what is written is the last held. */
  expected = make_checkpoint(12, 1);
  live = make_checkpoint(11, ARENAS);
  assert_ok(checkpoint_writer_hold(w, &live, &taken));
  assert_ok(checkpoint_writer_hold(w, &expected, &taken));
  assert_true(taken);
  assert_true(checkpoint_writer_release(w));
  checkpoint_writer_free(w); /* waits */
  assert_false(exists(11));
  assert_true(is_whole(path_of(12), &expected));
  checkpoint_free(&expected);
  checkpoint_free(&live);
}

/* Submissions faster than a disk: some are turned away, and those taken are whole. */
static void test_writer_busy(void **state) {
  (void)state;
  checkpoint_writer *const w = start_writer(folder, 1000000);
  bool busy = false;
  int taken_count = 0;
  for (uint64_t step = 1; step <= 3000 && !(busy && taken_count >= 3); step++) {
    bool taken = false;
    checkpoint c = make_checkpoint(step, ARENAS);
    assert_ok(checkpoint_writer_hold(w, &c, &taken));
    assert_int_equal(checkpoint_writer_release(w), taken);
    busy = busy || !taken;
    taken_count += taken;
    checkpoint_free(&c);
  }
  assert_true(busy);
  assert_ok(checkpoint_writer_wait(w));
  checkpoint_writer_free(w);
  assert_int_equal(count_files(folder), taken_count);
  for (uint64_t step = 1; step <= 3000; step++) {
    if (!exists(step)) continue;
    checkpoint expected = make_checkpoint(step, ARENAS);
    assert_true(is_whole(path_of(step), &expected));
    checkpoint_free(&expected);
  }
}

static void test_writer_keeps(void **state) {
  (void)state;
  checkpoint_writer *w = start_writer(folder, 2);
  for (uint64_t step = 1; step <= 5; step++) assert_ok(write_by(w, step));
  checkpoint_writer_free(w);
  assert_true(exists(4) && exists(5));
  assert_int_equal(count_files(folder), 2);
  w = start_writer(folder, 2); /* goes on from 4 */
  assert_ok(write_by(w, 6));
  assert_true(exists(5) && exists(6));
  assert_ok(write_by(w, 4)); /* an earlier one took over: what came later is of a past that did not happen */
  assert_true(exists(4));
  assert_int_equal(count_files(folder), 1);
  checkpoint_writer_free(w);
}

/* Files of others under a checkpoint's name are neither removed nor replaced. */
static void test_writer_and_others(void **state) {
  (void)state;
  write_step(3);
  write_bytes(in_folder("step-000000000004.h5"), (const unsigned char *)"precious", 8);
  write_bytes(in_folder("step-4.h5"), (const unsigned char *)"other", 5);
  checkpoint_writer *const w = start_writer(folder, 1);
  assert_int_equal(write_by(w, 4), MLPD_ERROR_FILE);
  assert_non_null(strstr(mlpd_error_message(), "is not a checkpoint of mlpdist"));
  assert_ok(write_by(w, 5));
  assert_true(exists(4) && exists(5) && !exists(3));
  assert_int_equal(count_files(folder), 3);
  checkpoint_prune(folder, UINT64_MAX, 0);
  assert_true(exists(4) && !exists(5));
  assert_int_equal(count_files(folder), 2);
  checkpoint_writer_free(w);
}

/* w cannot write: each failure is told once, by wait or by the next hold. */
static void expect_failures(checkpoint_writer *w, const char *word) {
  bool taken = false;
  assert_int_equal(write_by(w, 50), MLPD_ERROR_FILE);
  if (strstr(mlpd_error_message(), word) == NULL) fail_msg("\"%s\" has no \"%s\"", mlpd_error_message(), word);
  assert_ok(checkpoint_writer_wait(w));
  checkpoint c = make_checkpoint(51, 2);
  assert_ok(checkpoint_writer_hold(w, &c, &taken));
  assert_true(checkpoint_writer_release(w));
  mlpd_status told = MLPD_OK;
  for (taken = false; !taken;) told = checkpoint_writer_hold(w, &c, &taken); /* until it has failed */
  assert_int_equal(told, MLPD_ERROR_FILE);
  assert_ok(checkpoint_writer_hold(w, &c, &taken));
  assert_true(taken);
  checkpoint_free(&c);
}

static void test_writer_no_folder(void **state) {
  (void)state;
  write_bytes(in_folder("file"), (const unsigned char *)"x", 1);
  checkpoint_writer *const w = start_writer(in_folder("file/checkpoints"), 2);
  expect_failures(w, "file/checkpoints");
  checkpoint_writer_free(w);
  assert_int_equal(count_files(folder), 1);
}

static void test_writer_folder_removed(void **state) {
  (void)state;
  char removed[256];
  (void)snprintf(removed, sizeof removed, "%s", in_folder("checkpoints"));
  checkpoint_writer *const w = start_writer(removed, 2);
  assert_ok(write_by(w, 1));
  assert_int_equal(count_files(removed), 1);
  char command[300];
  (void)snprintf(command, sizeof command, "rm -r '%s'", removed);
  assert_int_equal(system(command), 0);
  assert_ok(write_by(w, 2)); /* made again */
  assert_int_equal(count_files(removed), 1);
  assert_int_equal(system(command), 0);
  write_bytes(removed, (const unsigned char *)"x", 1); /* something else has its name */
  expect_failures(w, "checkpoints");
  assert_int_equal(unlink(removed), 0);
  assert_ok(write_by(w, 3)); /* and it gets over it */
  assert_int_equal(count_files(removed), 1);
  checkpoint_writer_free(w);
}

/* A limit to the size of files fails as a full disk does, in the middle of a write. */
static void test_writer_disk_full(void **state) {
  (void)state;
  struct rlimit before, limit;
  checkpoint_writer *const w = start_writer(folder, 2);
  assert_ok(write_by(w, 1));
  assert_ok(write_by(w, 2));
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
  (void)signal(SIGXFSZ, SIG_IGN);
  for (rlim_t bytes = 0; bytes <= 9000; bytes += 3000) {
    limit = before;
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    expect_failures(w, "step-0000000000");
    assert_int_equal(count_files(folder), 2); /* nothing half-written, and nothing removed */
  }
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
  for (uint64_t step = 1; step <= 2; step++) {
    checkpoint expected = make_checkpoint(step, 2);
    assert_true(is_whole(path_of(step), &expected));
    checkpoint_free(&expected);
  }
  assert_ok(write_by(w, 3));
  expect_newest(3, 0, "");
  checkpoint_writer_free(w);
  checkpoint_writer_free(NULL);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_round_trip),          TEST(test_no_checkpoint),
      TEST(test_truncated),           TEST(test_newest),
      TEST(test_folder_that_is_none), TEST(test_prune),
      TEST(test_writer_copies),       TEST(test_writer_busy),
      TEST(test_writer_keeps),        TEST(test_writer_and_others),
      TEST(test_writer_no_folder),    TEST(test_writer_folder_removed),
      TEST(test_writer_disk_full),    TEST(test_swapped),
      TEST(test_of_another_shape),    TEST(test_flipped), /* last: it limits memory */
  };
  return cmocka_run_group_tests_name("checkpoint", tests, NULL, NULL);
}
