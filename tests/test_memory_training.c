/* mpi: 1 2 3 4 */
/* Training on rows in memory: the same bits as with a file of the same rows, no files, no leaks, usable after errors.
 */
#include <dirent.h>
#include <malloc.h>
#include <math.h>
#include <omp.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "data/data_rows.h"
#include "h5/h5.h"
#include "kernels/cpu.h"
#include "kernels/multiversion.h"
#include "model/model.h"
#include "ranks/comm.h"
#include "ranks/comm_internal.h"
#include "run/run_requests.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include "quick_options.h"
#include "temporary_folder.h"

enum { ROWS = 203, HELD = 37, FEATURES = 6, MOST_TARGETS = 2 };

static mlpd_comm *comm;
static int me, size;

/* A rank that leaves a test of collectives early would leave the others waiting: it ends them all. */
#define CHECK(condition)                                                                          \
  do {                                                                                            \
    if (!(condition)) {                                                                           \
      print_error("rank %d, line %d: %s (%s)\n", me, __LINE__, #condition, mlpd_error_message()); \
      mlpd_comm_abort(comm, 1);                                                                   \
    }                                                                                             \
  } while (0)

/* ---- Rows ------------------------------------------------------------------------------------------- */

static double noise(uint64_t i) {
  i = (i + 1) * 0x9e3779b97f4a7c15u;
  i = (i ^ (i >> 29)) * 0xbf58476d1ce4e5b9u;
  return (double)(i >> 11) * 0x1p-52 - 1;
}

static double x_at(uint64_t i, uint64_t j) { return 3 * noise(i * 31 + j) + (double)j; }

static double y_at(uint64_t i, uint64_t k) { return 100 * (double)k + x_at(i, 0) * x_at(i, k + 1) + noise(i); }

static int32_t class_at(uint64_t i) { return (x_at(i, 0) > 0) + (x_at(i, 1) > 1); }

/* A data set, of which the training part begins at row 0 of the formulas, the others behind it. */
typedef struct data_kind {
  bool classes, held_out, weights, names, column_major, as_is;
  mlpd_type type; /* of x */
  double valid_fraction;
} data_kind;

static const data_kind kinds[] = {
    {.type = MLPD_FLOAT64},
    {.type = MLPD_FLOAT32, .column_major = true, .held_out = true},
    {.type = MLPD_FLOAT64, .classes = true, .valid_fraction = 0.2, .names = true},
    {.type = MLPD_UINT8, .classes = true, .held_out = true, .column_major = true},
    {.type = MLPD_FLOAT32, .weights = true, .valid_fraction = 0.1},
    {.type = MLPD_FLOAT64, .classes = true, .valid_fraction = 0.2, .as_is = true}, /* kept as float32 */
    {.type = MLPD_INT64, .held_out = true, .as_is = true},
};
enum { NUM_KINDS = sizeof kinds / sizeof *kinds };

static const char *const column_names[] = {"a", "b", "c", "d", "e", "f"}, *const class_names[] = {"low", "mid", "high"};
static const char *const target_name[] = {"level"};

static void set(mlpd_type type, void *data, size_t at, double value) {
  if (type == MLPD_FLOAT64) ((double *)data)[at] = value;
  if (type == MLPD_FLOAT32) ((float *)data)[at] = (float)value;
  if (type == MLPD_UINT8) ((uint8_t *)data)[at] = (uint8_t)(fabs(value) * 20);
  if (type == MLPD_INT32) ((int32_t *)data)[at] = (int32_t)value;
  if (type == MLPD_INT64) ((int64_t *)data)[at] = (int64_t)(value * 3);
}

typedef enum array_kind { X, Y, WEIGHT } array_kind;

static double element(const data_kind *kind, array_kind what, uint64_t i, uint64_t j) {
  if (what == X) return x_at(i, j);
  if (what == WEIGHT) return 0.5 + (double)(i % 3);
  return kind->classes ? class_at(i) : y_at(i, j);
}

/* Rows [first, first + count), with gaps where column_major is set. The caller frees data. */
static mlpd_rows make_rows(const data_kind *kind, array_kind what, uint64_t first, uint64_t count) {
  mlpd_rows made = {.type = what == X                    ? kind->type
                            : what == Y && kind->classes ? MLPD_INT32
                                                         : MLPD_FLOAT64,
                    .rows = count,
                    .columns = what == X                     ? FEATURES
                               : what == Y && !kind->classes ? MOST_TARGETS
                                                             : 1};
  made.row_step = kind->column_major ? 1 : made.columns;
  made.column_step = kind->column_major ? (ptrdiff_t)count + 3 : 1;
  void *const data = calloc((count + 3) * made.columns, sizeof(double));
  CHECK(data != NULL);
  for (uint64_t i = 0; i < count; i++)
    for (uint32_t j = 0; j < made.columns; j++)
      set(made.type, data, (size_t)((ptrdiff_t)i * made.row_step + (ptrdiff_t)j * made.column_step),
          element(kind, what, first + i, j));
  made.data = data;
  return made;
}

/* Where rank's share of n rows begins; of three ranks and more, rank 1 has none. */
static uint64_t share(uint64_t n, int rank, int of) {
  const uint64_t first = n * 2 / 5, others = (uint64_t)(of > 2 ? of - 2 : 1);
  if (rank == 0) return 0;
  if (rank >= of) return n;
  if (rank <= 2) return first;
  return first + (n - first) * (uint64_t)(rank - 2) / others;
}

static mlpd_rows share_rows(const data_kind *kind, array_kind what, uint64_t first, uint64_t n, int rank, int of) {
  const uint64_t begin = share(n, rank, of);
  return make_rows(kind, what, first + begin, share(n, rank + 1, of) - begin);
}

static mlpd_data_rows make_data(const data_kind *kind, int rank, int of) {
  mlpd_data_rows made = {.x = share_rows(kind, X, 0, ROWS, rank, of), .y = share_rows(kind, Y, 0, ROWS, rank, of)};
  if (kind->weights) made.weight = share_rows(kind, WEIGHT, 0, ROWS, rank, of);
  if (kind->held_out) {
    made.valid_x = share_rows(kind, X, ROWS, HELD, rank, of);
    made.valid_y = share_rows(kind, Y, ROWS, HELD, rank, of);
    made.test_x = share_rows(kind, X, ROWS + HELD, HELD, rank, of);
    made.test_y = share_rows(kind, Y, ROWS + HELD, HELD, rank, of);
  }
  if (kind->names) {
    made.column_names = column_names;
    made.target_names = target_name;
    made.class_names = class_names;
    made.num_class_names = 3;
  }
  return made;
}

static void free_data(mlpd_data_rows *rows) {
  const mlpd_rows all[] = {rows->x, rows->y, rows->weight, rows->valid_x, rows->valid_y, rows->test_x, rows->test_y};
  for (int i = 0; i < 7; i++) free((void *)(uintptr_t)all[i].data);
}

static void write_array(h5_file *file, const char *object, const data_kind *given, array_kind what, uint64_t first,
                        uint64_t count) {
  data_kind kind = *given;
  kind.column_major = false;
  const mlpd_rows rows = make_rows(&kind, what, first, count);
  CHECK(h5_write(file, object, count, rows.columns > 1 ? rows.columns : 0, (element_type)rows.type, rows.data) ==
        MLPD_OK);
  free((void *)(uintptr_t)rows.data);
}

/* The same as a file, by rank 0. */
static void write_file(const data_kind *kind, const char *path) {
  h5_file *file = NULL;
  if (me == 0) {
    CHECK(h5_create(path, &file) == MLPD_OK);
    write_array(file, "/train/x", kind, X, 0, ROWS);
    write_array(file, "/train/y", kind, Y, 0, ROWS);
    if (kind->weights) write_array(file, "/train/weight", kind, WEIGHT, 0, ROWS);
    if (kind->held_out) {
      write_array(file, "/valid/x", kind, X, ROWS, HELD);
      write_array(file, "/valid/y", kind, Y, ROWS, HELD);
      write_array(file, "/test/x", kind, X, ROWS + HELD, HELD);
      write_array(file, "/test/y", kind, Y, ROWS + HELD, HELD);
    }
    if (kind->names) {
      CHECK(h5_strings_write(file, "/columns/name", column_names, FEATURES) == MLPD_OK);
      CHECK(h5_strings_write(file, "/targets/name", target_name, 1) == MLPD_OK);
      CHECK(h5_strings_write(file, "/class_names", class_names, 3) == MLPD_OK);
    }
    CHECK(h5_close(file) == MLPD_OK);
  }
  CHECK(comm_barrier(comm) == MLPD_OK);
}

static mlpd_train_options make_options(const data_kind *kind) {
  mlpd_train_options options;
  quick_options(&options);
  options.hidden = "12";
  options.batch = 32;
  options.epochs = 3;
  options.lanes = 4;
  options.threads = 2;
  options.valid_fraction = kind->valid_fraction;
  if (kind->as_is) options.normalize = MLPD_NORMALIZE_NONE;
  options.out = NULL;
  return options;
}

static mlpd_status train_rows(mlpd_comm *with, const data_kind *kind, const mlpd_data_rows *rows,
                              mlpd_train_result *result, mlpd_model **model) {
  mlpd_train_options options = make_options(kind);
  options.data.rows = rows;
  return mlpd_train_model(with, &options, NULL, result, model);
}

/* ---- The same bits ---------------------------------------------------------------------------------- */

static void check_kind(const data_kind *kind) {
  mlpd_train_options options = make_options(kind);
  mlpd_train_result expected, found;
  mlpd_model *model = NULL, *second = NULL;
  char digest[17];
  write_file(kind, in_folder("data.h5"));
  options.data.file = in_folder("data.h5");
  CHECK(mlpd_train_model(comm, &options, NULL, &expected, &second) == MLPD_OK);
  mlpd_data_rows rows = make_data(kind, me, size);
  CHECK(train_rows(comm, kind, &rows, &found, &model) == MLPD_OK);
  CHECK(strcmp(found.digest, expected.digest) == 0);
  CHECK(found.train_rows == expected.train_rows && found.valid_rows == expected.valid_rows);
  CHECK(found.has_valid == expected.has_valid && found.has_test == expected.has_test);
  CHECK(memcmp(&found.valid_loss, &expected.valid_loss, sizeof found.valid_loss) == 0);
  CHECK(memcmp(&found.test_metric, &expected.test_metric, sizeof found.test_metric) == 0);
  mlpd_network_digest(mlpd_model_network(model), digest);
  CHECK(strcmp(digest, found.digest) == 0);
  mlpd_network_digest(mlpd_model_network(second), digest);
  CHECK(strcmp(digest, found.digest) == 0);
  CHECK(!kind->names || strcmp(mlpd_model_class_name(model, 2), "high") == 0);
  mlpd_model_free(second);
  mlpd_model_free(model);
  free_data(&rows);
}

static void test_bits(void **state) {
  (void)state;
  for (int i = 0; i < NUM_KINDS; i++) check_kind(&kinds[i]);
}

static uint64_t bytes_kept(const mlpd_data_rows *rows, const char *object) {
  h5_file *file = NULL;
  h5_array *array = NULL;
  CHECK(data_rows_open(comm, rows, &file) == MLPD_OK);
  CHECK(h5_array_open(file, object, &array) == MLPD_OK);
  const uint64_t bytes = h5_array_stored_bytes(array);
  h5_array_close(array);
  CHECK(h5_close(file) == MLPD_OK);
  return bytes;
}

/* A rank alone reads x where it lies, if it has no gaps; others need the rows of all ranks. */
static void test_copies(void **state) {
  (void)state;
  mlpd_data_rows plain = make_data(&kinds[2], me, size), gaps = make_data(&kinds[1], me, size);
  CHECK(bytes_kept(&plain, "/train/x") == (size > 1 ? ROWS * FEATURES * sizeof(double) : 0));
  CHECK(bytes_kept(&plain, "/train/y") == ROWS * sizeof(int32_t));
  CHECK(bytes_kept(&gaps, "/train/x") == ROWS * FEATURES * sizeof(float));
  free_data(&plain);
  free_data(&gaps);
}

/* Ranks that train at the same time in groups of their own. */
static void test_groups(void **state) {
  (void)state;
  MPI_Comm half = MPI_COMM_NULL;
  mlpd_comm *mine = NULL, *alone = NULL;
  mlpd_train_result of_all, of_half, of_one;
  CHECK(MPI_Comm_split(MPI_COMM_WORLD, me % 2, me, &half) == MPI_SUCCESS);
  CHECK(mlpd_comm_from(MPI_Comm_c2f(half), &mine) == MLPD_OK && mlpd_comm_alone(&alone) == MLPD_OK);
  mlpd_data_rows rows = make_data(&kinds[0], me, size);
  mlpd_data_rows rows_of_half = make_data(&kinds[0], mlpd_comm_rank(mine), mlpd_comm_size(mine));
  mlpd_data_rows all_rows = make_data(&kinds[0], 0, 1);
  CHECK(train_rows(comm, &kinds[0], &rows, &of_all, NULL) == MLPD_OK);
  CHECK(train_rows(mine, &kinds[0], &rows_of_half, &of_half, NULL) == MLPD_OK);
  CHECK(train_rows(alone, &kinds[0], &all_rows, &of_one, NULL) == MLPD_OK);
  CHECK(strcmp(of_half.digest, of_all.digest) == 0 && strcmp(of_one.digest, of_all.digest) == 0);
  CHECK(of_half.ranks == mlpd_comm_size(mine) && of_one.ranks == 1);
  free_data(&rows);
  free_data(&rows_of_half);
  free_data(&all_rows);
  mlpd_comm_finalize(alone);
  mlpd_comm_finalize(mine);
  CHECK(MPI_Comm_free(&half) == MPI_SUCCESS);
}

/* ---- What is left alone, and behind ----------------------------------------------------------------- */

static int entries_of(const char *path) {
  DIR *const opened = opendir(path);
  int entries = 0;
  if (opened == NULL) return -1;
  while (readdir(opened) != NULL) entries++;
  (void)closedir(opened);
  return entries;
}

static void test_no_file(void **state) {
  (void)state;
  mlpd_train_result result;
  mlpd_data_rows rows = make_data(&kinds[1], me, size);
  char former[FILE_PATH_BYTES];
  CHECK(getcwd(former, sizeof former) != NULL && chdir(folder) == 0);
  const int before = entries_of(".");
  CHECK(train_rows(comm, &kinds[1], &rows, &result, NULL) == MLPD_OK);
  CHECK(entries_of(".") == before);
  CHECK(chdir(former) == 0);
  free_data(&rows);
}

static void test_callers_threads(void **state) {
  (void)state;
  mlpd_train_result result;
  mlpd_data_rows rows = make_data(&kinds[0], me, size);
  int flushed = 0;
  omp_set_num_threads(3);
  CHECK(train_rows(comm, &kinds[0], &rows, &result, NULL) == MLPD_OK);
  CHECK(omp_get_max_threads() == 3);
#pragma omp parallel reduction(+ : flushed)
  {
    const volatile float denormal = 1e-40f;
    flushed += denormal * 1.0f == 0;
  }
  CHECK(flushed == 0);
  free_data(&rows);
}

/* Bytes allocated. */
static size_t allocated(void) {
#if defined(UNDER_SANITIZER) || !__GLIBC_PREREQ(2, 33)
  return 0;
#else
  return mallinfo2().uordblks;
#endif
}

/* Mappings of the memory in which ranks of one host sum. */
static int shared_mappings(void) {
  char line[1024];
  int found = 0;
  FILE *const stream = fopen("/proc/self/maps", "r");
  CHECK(stream != NULL);
  while (fgets(line, sizeof line, stream) != NULL) found += strstr(line, "memfd:mlpdist") != NULL;
  (void)fclose(stream);
  return found;
}

/* 200 trainings: memory, descriptors, shared memory and communicators stay. (The sanitizers see what a single one
 * leaves.) */
static void test_again_and_again(void **state) {
  (void)state;
  enum { WARM = 20, LEAK_BYTES = 64 << 10 }; /* 360 a training */
#ifdef UNDER_SANITIZER
  const int times = 30;
#else
  const int times = 200;
#endif
  mlpd_train_result result;
  mlpd_data_rows rows = make_data(&kinds[0], me, size);
  char digest[17];
  int files = 0;
  size_t bytes = 0;
  for (int i = 0; i < times; i++) {
    mlpd_train_options options = make_options(&kinds[0]);
    mlpd_model *model = NULL;
    options.data.rows = &rows;
    options.epochs = 1;
    options.threads = 1;
    CHECK(mlpd_train_model(comm, &options, NULL, &result, &model) == MLPD_OK);
    mlpd_model_free(model);
    if (i == 0) memcpy(digest, result.digest, sizeof digest);
    CHECK(strcmp(result.digest, digest) == 0);
    if (i + 1 == WARM) {
      files = entries_of("/proc/self/fd");
      bytes = allocated();
    }
  }
  CHECK(entries_of("/proc/self/fd") == files);
  CHECK(shared_mappings() == 0);
  if (allocated() > bytes + LEAK_BYTES) print_error("%zu bytes more\n", allocated() - bytes);
  CHECK(allocated() <= bytes + LEAK_BYTES);
  free_data(&rows);
}

/* ---- Failures --------------------------------------------------------------------------------------- */

static void check_fails(const mlpd_data_rows *rows, mlpd_status expected, const char *part) {
  mlpd_train_result result;
  mlpd_model *model = (mlpd_model *)(void *)folder;
  CHECK(train_rows(comm, &kinds[0], rows, &result, &model) == expected);
  CHECK(model == NULL);
  if (strstr(mlpd_error_message(), part) == NULL) print_error("no '%s'\n", part);
  CHECK(strstr(mlpd_error_message(), part) != NULL);
  CHECK(strchr(mlpd_error_message(), '\n') == NULL);
}

static void test_failures(void **state) {
  (void)state;
  mlpd_train_result before, after;
  const mlpd_data_rows good = make_data(&kinds[0], me, size), none = {.x = {.rows = 0}};
  CHECK(train_rows(comm, &kinds[0], &good, &before, NULL) == MLPD_OK);
  mlpd_data_rows bad = good;
  bad.y.rows++;
  check_fails(&bad, MLPD_ERROR_USAGE, "rows beside");
  bad = good;
  bad.x.type = (mlpd_type)44;
  check_fails(&bad, MLPD_ERROR_USAGE, "x has type 44");
  bad = good;
  if (me == size - 1) bad.x.columns--;
  if (size > 1) check_fails(&bad, MLPD_ERROR_USAGE, "x has 6 columns of float64 on rank 0, but 5 of float64 on rank");
  check_fails(&none, MLPD_ERROR_DATA, "the rows in memory");
  bad = good;
  double *const x = (double *)(uintptr_t)good.x.data, kept = x[8];
  if (me == 0) x[8] = NAN;
  check_fails(&good, MLPD_ERROR_DATA, "the rows in memory: /train/x holds nan at row 1, column 2");
  if (me == 0) x[8] = 1e39;
  mlpd_train_options as_is = make_options(&kinds[0]);
  as_is.data.rows = &good;
  as_is.normalize = MLPD_NORMALIZE_NONE;
  CHECK(mlpd_train_model(comm, &as_is, NULL, &after, NULL) == MLPD_ERROR_DATA);
  CHECK(strstr(mlpd_error_message(), "holds 1e+39 at row 1, column 2 (from 0), too large for 32-bit floats") != NULL);
  if (me == 0) x[8] = kept;
  mlpd_train_options options = make_options(&kinds[0]);
  options.data.rows = &good;
  options.lr = 1e6;
  CHECK(mlpd_train_model(comm, &options, NULL, &after, NULL) == MLPD_ERROR_DIVERGED);
  options = make_options(&kinds[0]);
  options.data.rows = &good;
  options.hidden = "none of it";
  CHECK(mlpd_train_model(comm, &options, NULL, &after, NULL) == MLPD_ERROR_USAGE);
  CHECK(train_rows(comm, &kinds[0], &good, &after, NULL) == MLPD_OK); /* the library works on */
  CHECK(strcmp(before.digest, after.digest) == 0);
  mlpd_data_rows freed = good;
  free_data(&freed);
}

/* ---- A rule of the program's own that ends a run ------------------------------------------------------ */

static void stop_after(void *context, const mlpd_epoch *epoch) {
  if (epoch->epoch == *(const uint64_t *)context) mlpd_request(MLPD_REQUEST_STOP);
}

/* The model of a run that its epoch_done ends is that of a run of so many epochs. */
static void test_stopped(void **state) {
  (void)state;
  uint64_t last = 2;
  char expected[17], found[17];
  const mlpd_train_events events = {.context = &last, .epoch_done = stop_after};
  mlpd_data_rows rows = make_data(&kinds[0], me, size);
  mlpd_train_options options = make_options(&kinds[0]);
  mlpd_train_result result;
  mlpd_model *model = NULL, *stopped = NULL;
  options.data.rows = &rows;
  options.save = MLPD_SAVE_LAST;
  options.epochs = last;
  CHECK(mlpd_train_model(comm, &options, NULL, &result, &model) == MLPD_OK);
  options.epochs = 9;
  CHECK(mlpd_train_model(comm, &options, &events, &result, &stopped) == MLPD_INTERRUPTED);
  CHECK(stopped != NULL);
  mlpd_network_digest(mlpd_model_network(model), expected);
  mlpd_network_digest(mlpd_model_network(stopped), found);
  CHECK(strcmp(expected, found) == 0);
  mlpd_model_free(stopped);
  mlpd_model_free(model);
  free_data(&rows);
}

/* A run beside another: the callback of the outer one, after its first epoch, waits for the inner one, which has its
 * own thread. Each has its own requests. */
typedef struct two_runs {
  bool outer_asks, inner_asks; /* the callback of that run asks to stop: the outer one before the inner one begins */
  bool another_asks;           /* a thread that executes no callback does, while both train */
  mlpd_status inner;
  uint64_t inner_epochs;
} two_runs;

static void *ask(void *unused) {
  mlpd_request(MLPD_REQUEST_STOP);
  return unused;
}

static void in_thread(void *(*function)(void *), void *argument) {
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, function, argument) == 0);
  CHECK(pthread_join(thread, NULL) == 0);
}

static void inner_done(void *context, const mlpd_epoch *epoch) {
  const two_runs *const w = context;
  if (w->inner_asks && epoch->epoch == epoch->epochs) mlpd_request(MLPD_REQUEST_STOP);
  if (w->another_asks && epoch->epoch == 1) in_thread(ask, NULL);
}

static void *train_inner(void *context) {
  two_runs *const w = context;
  const mlpd_train_events events = {.context = w, .epoch_done = inner_done};
  mlpd_comm *alone = NULL;
  mlpd_data_rows rows = make_data(&kinds[0], 0, 1);
  mlpd_train_options options = make_options(&kinds[0]);
  mlpd_train_result result;
  options.data.rows = &rows;
  options.threads = 1;
  CHECK(mlpd_comm_alone(&alone) == MLPD_OK);
  w->inner = mlpd_train(alone, &options, &events, &result);
  w->inner_epochs = result.epochs;
  mlpd_comm_finalize(alone);
  free_data(&rows);
  return NULL;
}

static void outer_done(void *context, const mlpd_epoch *epoch) {
  two_runs *const w = context;
  if (epoch->epoch > 1) return;
  if (w->outer_asks) mlpd_request(MLPD_REQUEST_STOP);
  in_thread(train_inner, w);
}

static mlpd_status train_outer(two_runs *w, mlpd_train_result *result) {
  const mlpd_train_events events = {.context = w, .epoch_done = outer_done};
  mlpd_data_rows rows = make_data(&kinds[0], me, size);
  mlpd_train_options options = make_options(&kinds[0]);
  options.data.rows = &rows;
  const mlpd_status status = mlpd_train(comm, &options, &events, result);
  free_data(&rows);
  return status;
}

static void test_requests_of_two_runs(void **state) {
  (void)state;
  mlpd_train_result result;
  two_runs inner = {.inner_asks = true}, outer = {.outer_asks = true}, both = {.another_asks = true};
  CHECK(train_outer(&inner, &result) == MLPD_OK && result.epochs == 3); /* not asked */
  CHECK(me > 0 || (inner.inner == MLPD_OK && inner.inner_epochs == 3)); /* asked too late */
  CHECK(train_outer(&outer, &result) == MLPD_INTERRUPTED);              /* not forgotten where another begins */
  CHECK(me > 0 || (outer.inner == MLPD_OK && outer.inner_epochs == 3));
  CHECK(train_outer(&both, &result) == MLPD_INTERRUPTED);
  CHECK(me > 0 || both.inner == MLPD_INTERRUPTED);
}

/* A run that a callback starts, in the same thread: what interrupts that run, a signal handler say, asks both; its own
 * callbacks ask it alone. */
typedef struct nested_runs {
  run_requests outer, inner;
} nested_runs;

static void ask_in_callback(void *context, const char *unused) {
  (void)context;
  (void)unused;
  mlpd_request(MLPD_REQUEST_CHECKPOINT);
}

static void run_inner(void *context, const char *unused) {
  nested_runs *const n = context;
  const mlpd_train_events given = {.notice = ask_in_callback}, *const events = run_requests_begin(&n->inner, &given);
  (void)unused;
  events->notice(events->context, "");
  CHECK(run_requests_take_checkpoint(&n->inner) && !run_requests_take_checkpoint(&n->outer));
  CHECK(!run_requests_take_checkpoint(&n->inner)); /* taken */
  mlpd_request(MLPD_REQUEST_STOP);
  CHECK(run_requests_stop(&n->inner) && run_requests_stop(&n->outer));
  run_requests_end(&n->inner);
  mlpd_request(MLPD_REQUEST_CHECKPOINT); /* in the outer one's callback again */
  CHECK(!run_requests_take_checkpoint(&n->inner) && run_requests_take_checkpoint(&n->outer));
}

static void test_requests_of_nested_runs(void **state) {
  (void)state;
  nested_runs n;
  const mlpd_train_events given = {.context = &n, .notice = run_inner}, *const events =
                                                                            run_requests_begin(&n.outer, &given);
  CHECK(!run_requests_stop(&n.outer));
  events->notice(events->context, "");
  run_requests_end(&n.outer);
}

/* ---- Evaluation and prediction ---------------------------------------------------------------------- */

static void test_evaluate(void **state) {
  (void)state;
  mlpd_train_result result;
  mlpd_model *model = NULL;
  mlpd_report report;
  mlpd_data_rows rows = make_data(&kinds[1], me, size);
  const mlpd_data_paths data = {.rows = &rows};
  CHECK(train_rows(comm, &kinds[1], &rows, &result, &model) == MLPD_OK);
  CHECK(mlpd_evaluate(comm, model, &data, MLPD_TEST, NULL, 1, &report) == MLPD_OK);
  CHECK(report.rows == HELD && report.loss == result.test_loss);
  mlpd_report_free(&report);
  if (me == 0) CHECK(mlpd_model_save(model, in_folder("model.h5")) == MLPD_OK);
  mlpd_model_free(model);
  if (me == 0) {
    CHECK(mlpd_model_load(in_folder("model.h5"), &model) == MLPD_OK);
    char digest[17];
    mlpd_network_digest(mlpd_model_network(model), digest);
    CHECK(strcmp(digest, result.digest) == 0);
    mlpd_model_free(model);
  }
  free_data(&rows);
}

/* ---- Other layers ----------------------------------------------------------------------------------- */

static void predict(const mlpd_model *model, const double *x, double *y) {
  mlpd_predictor *predictor = NULL;
  const mlpd_rows in = {.data = x, .type = MLPD_FLOAT64, .rows = HELD, .columns = FEATURES};
  const mlpd_output out = {.data = y, .type = MLPD_FLOAT64, .rows = HELD, .columns = MOST_TARGETS};
  CHECK(mlpd_predictor_create(model, 1, &predictor) == MLPD_OK);
  CHECK(mlpd_predictor_run(predictor, &in, &out, NULL) == MLPD_OK);
  mlpd_predictor_free(predictor);
}

/* The derivatives against differences of what the model itself predicts, in float32. */
static void check_slopes(const mlpd_model *model, double *x) {
  enum { COLUMNS = MOST_TARGETS * FEATURES };
  static double jacobian[HELD * COLUMNS], up[HELD * MOST_TARGETS], down[HELD * MOST_TARGETS];
  mlpd_predictor *predictor = NULL;
  const double step = 0.02;
  double largest = 0, off = 0;
  const mlpd_rows in = {.data = x, .type = MLPD_FLOAT64, .rows = HELD, .columns = FEATURES};
  const mlpd_output out = {.data = jacobian, .type = MLPD_FLOAT64, .rows = HELD, .columns = COLUMNS};
  CHECK(mlpd_predictor_create(model, 1, &predictor) == MLPD_OK);
  CHECK(mlpd_predictor_jacobian(predictor, &in, &out) == MLPD_OK);
  mlpd_predictor_free(predictor);
  for (int j = 0; j < FEATURES; j++) {
    for (int i = 0; i < HELD; i++) x[i * FEATURES + j] += step;
    predict(model, x, up);
    for (int i = 0; i < HELD; i++) x[i * FEATURES + j] -= 2 * step;
    predict(model, x, down);
    for (int i = 0; i < HELD; i++) x[i * FEATURES + j] += step;
    for (int i = 0; i < HELD * MOST_TARGETS; i++) {
      const double slope = (up[i] - down[i]) / (2 * step);
      largest = fmax(largest, fabs(slope));
      off = fmax(off, fabs(slope - jacobian[i * FEATURES + j]));
    }
  }
  if (!(off < 0.01 * largest)) print_error("off by %g of %g\n", off, largest);
  CHECK(largest > 0 && off < 0.01 * largest);
}

/* Norms, and layers that only training needs: the model returned answers as the file of it does. */
static void test_other_layers(void **state) {
  (void)state;
  static const char *const norms[] = {"batch", "layer", "rms", "none"};
  mlpd_data_rows rows = make_data(&kinds[0], me, size);
  double x[HELD * FEATURES], y[HELD * MOST_TARGETS], again[HELD * MOST_TARGETS];
  for (int i = 0; i < HELD * FEATURES; i++) x[i] = x_at(1000 + (uint64_t)(i / FEATURES), (uint64_t)(i % FEATURES));
  for (int n = 0; n < 4; n++) {
    mlpd_options *options = NULL;
    mlpd_model *model = NULL, *loaded = NULL;
    CHECK(mlpd_options_create(&options) == MLPD_OK);
    CHECK(mlpd_options_set(options, "hidden", "40,24") == MLPD_OK);
    CHECK(mlpd_options_set(options, "norm", norms[n]) == MLPD_OK);
    CHECK(mlpd_options_set(options, "activation", "tanh") == MLPD_OK);
    CHECK(mlpd_options_set(options, "dropout", "0.1") == MLPD_OK);
    CHECK(mlpd_options_set(options, "input-dropout", "0.1") == MLPD_OK);
    CHECK(mlpd_options_set(options, "input-noise", "0.1") == MLPD_OK);
    CHECK(mlpd_options_set(options, "lanes", "4") == MLPD_OK);
    mlpd_options_rows(options, &rows);
    CHECK(mlpd_fit(comm, options, &model) == MLPD_OK);
    check_slopes(model, x);
    predict(model, x, y);
    if (me == 0) CHECK(mlpd_model_save(model, in_folder("layers.h5")) == MLPD_OK);
    CHECK(comm_barrier(comm) == MLPD_OK);
    CHECK(mlpd_model_load(in_folder("layers.h5"), &loaded) == MLPD_OK);
    predict(loaded, x, again);
    CHECK(memcmp(y, again, sizeof y) == 0);
    CHECK(comm_barrier(comm) == MLPD_OK);
    mlpd_model_free(loaded);
    mlpd_model_free(model);
    mlpd_options_free(options);
  }
  free_data(&rows);
}

/* One folder of all ranks. */
static int setup_all(void **state) {
  int failed = me == 0 ? setup(state) : 0;
  if (comm_broadcast(comm, folder, sizeof folder, 0) != MLPD_OK) return 1;
  return failed;
}

static int teardown_all(void **state) {
  if (comm_barrier(comm) != MLPD_OK) return 1;
  return me == 0 ? teardown(state) : 0;
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_bits),
      cmocka_unit_test(test_copies),
      cmocka_unit_test(test_groups),
      cmocka_unit_test(test_callers_threads),
      cmocka_unit_test(test_no_file),
      cmocka_unit_test(test_failures),
      cmocka_unit_test(test_stopped),
      cmocka_unit_test(test_requests_of_two_runs),
      cmocka_unit_test(test_requests_of_nested_runs),
      cmocka_unit_test(test_evaluate),
      cmocka_unit_test(test_again_and_again),
      cmocka_unit_test(test_other_layers),
  };
  if (mlpd_comm_init(&argc, &argv, &comm) != MLPD_OK) {
    print_error("%s\n", mlpd_error_message());
    return 1;
  }
  me = mlpd_comm_rank(comm);
  size = mlpd_comm_size(comm);
  const int failed = cmocka_run_group_tests_name("memory_training", tests, setup_all, teardown_all);
  mlpd_comm_finalize(comm);
  return failed;
}
