/* mpi: 1 2 3 */
/* Complete runs on files: results, files and messages, and that all ranks fail together. */
#include <fcntl.h>
#include <malloc.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/machine_memory.h"
#include "h5/h5.h"
#include "kernels/multiversion.h"
#include "prepare/prepare.h"
#include "quick_options.h"
#include "ranks/comm.h"
#include "run/checkpoint.h"

#include <cmocka.h>

enum { PATH_BYTES = 256, TRAIN = 900, VALID = 300, TEST = 601, FEATURES = 2, CLASSES = 3 };

static mlpd_comm *comm;
static char folder[64]; /* the same on all ranks */

static bool is_root(void) { return mlpd_comm_rank(comm) == 0; }

/* Fails on all ranks where it fails on one: nobody is left behind in a collective. */
static void assert_on_all(bool good, const char *what) {
  uint64_t failures = good ? 0 : 1;
  if (!good) print_error("rank %d: %s (%s)\n", mlpd_comm_rank(comm), what, mlpd_error_message());
  if (comm_sum_u64(comm, &failures, 1) != MLPD_OK) mlpd_comm_abort(comm, 1);
  assert_int_equal(failures, 0);
}

static bool same_on_all(const void *mine, size_t bytes) {
  const int size = mlpd_comm_size(comm);
  uint64_t each[64];
  char *const all = calloc((size_t)size, bytes);
  for (int rank = 0; rank < size; rank++) each[rank] = bytes;
  bool same = all != NULL && comm_gather_all(comm, mine, each, all) == MLPD_OK;
  for (int rank = 0; same && rank < size; rank++) same = memcmp(all + (size_t)rank * bytes, mine, bytes) == 0;
  free(all);
  return same;
}

static const char *in_folder(const char *name) {
  static char paths[64][PATH_BYTES];
  static int next = 0;
  next = (next + 1) % 64;
  (void)snprintf(paths[next], PATH_BYTES, "%s/%s", folder, name);
  return paths[next];
}

static bool exists(const char *path) { return access(path, F_OK) == 0; }

static int setup(void **state) {
  (void)state;
  (void)snprintf(folder, sizeof folder, "/tmp/test_trainer_XXXXXX");
  if (is_root() && mkdtemp(folder) == NULL) return 1;
  return comm_broadcast(comm, folder, sizeof folder, 0) != MLPD_OK;
}

static int teardown(void **state) {
  (void)state;
  char command[128];
  (void)snprintf(command, sizeof command, "rm -rf '%s'", folder);
  if (comm_barrier(comm) != MLPD_OK) return 1;
  return is_root() ? system(command) : 0;
}

/* ---- Data: three sectors of the plane, sorted by class in the file ------------------------------------ */

static double unit(uint64_t i) { /* splitmix64: in [0, 1) */
  i = (i + 1) * 0x9e3779b97f4a7c15u;
  i = (i ^ (i >> 30)) * 0xbf58476d1ce4e5b9u;
  i = (i ^ (i >> 27)) * 0x94d049bb133111ebu;
  return (double)((i ^ (i >> 31)) >> 11) * 0x1p-53;
}

typedef struct table {
  uint64_t rows;
  float *x;       /* (rows, FEATURES) */
  int32_t *y;     /* (rows) */
  float *values;  /* (rows, 2) */
  float *weights; /* (rows); NULL: none */
  bool as_values; /* which of the two is written */
} table;

static table make_table(uint64_t rows, uint64_t salt) {
  table t = {.rows = rows,
             .x = calloc(rows, FEATURES * sizeof(float)),
             .y = calloc(rows, sizeof(int32_t)),
             .values = calloc(rows, 2 * sizeof(float))};
  if (t.x == NULL || t.y == NULL || t.values == NULL) abort();
  for (uint64_t i = 0; i < rows; i++) {
    const int32_t class = (int32_t)(i * CLASSES / rows);
    const double angle = 2.0943951 * (class + 0.05 + 0.9 * unit(2 * i + salt)), radius = 0.5 + unit(2 * i + 1 + salt);
    t.x[2 * i] = (float)(radius * cos(angle));
    t.x[2 * i + 1] = (float)(radius * sin(angle));
    t.y[i] = class;
    t.values[2 * i] = 100 + 20 * t.x[2 * i];
    t.values[2 * i + 1] = t.x[2 * i] * t.x[2 * i + 1];
  }
  return t;
}

static void free_table(table *t) {
  free(t->x);
  free(t->y);
  free(t->values);
  free(t->weights);
}

static mlpd_status write_part(h5_file *file, const char *split, const table *t) {
  char x[32], y[32], weight[32];
  (void)snprintf(weight, sizeof weight, "/%s/weight", split);
  (void)snprintf(x, sizeof x, "/%s/x", split);
  (void)snprintf(y, sizeof y, "/%s/y", split);
  TRY(h5_write(file, x, t->rows, FEATURES, ELEMENT_F32, t->x));
  if (t->weights != NULL) TRY(h5_write(file, weight, t->rows, 0, ELEMENT_F32, t->weights));
  if (t->as_values) return h5_write(file, y, t->rows, 2, ELEMENT_F32, t->values);
  return h5_write(file, y, t->rows, 0, ELEMENT_I32, t->y);
}

/* Parts with no rows are left out. Rank 0 writes; all wait. */
static void write_data(const char *path, const table *train, const table *valid, const table *test) {
  mlpd_status status = MLPD_OK;
  if (is_root()) {
    h5_file *file = NULL;
    status = h5_create(path, &file);
    if (status == MLPD_OK) status = write_part(file, "train", train);
    if (status == MLPD_OK && valid != NULL) status = write_part(file, "valid", valid);
    if (status == MLPD_OK && test != NULL) status = write_part(file, "test", test);
    const mlpd_status closed = h5_close(file);
    if (status == MLPD_OK) status = closed;
  }
  assert_on_all(status == MLPD_OK, "data written");
}

static void write_standard(const char *name, bool as_values, bool with_valid, bool with_test) {
  table train = make_table(TRAIN, 0), valid = make_table(VALID, 100000), test = make_table(TEST, 200000);
  train.as_values = valid.as_values = test.as_values = as_values;
  write_data(in_folder(name), &train, with_valid ? &valid : NULL, with_test ? &test : NULL);
  free_table(&train);
  free_table(&valid);
  free_table(&test);
}

/* ---- Runs ------------------------------------------------------------------------------------------- */

typedef struct watched {
  uint64_t started, epochs, notices;
  mlpd_epoch last, first;
  char notice[512];
} watched;

static void on_start(void *context, const mlpd_train_result *plan) {
  ((watched *)context)->started += plan->train_rows > 0;
}

static void on_notice(void *context, const char *message) {
  watched *const w = context;
  /* More ranks than cores are a matter of the machine. */
  if (strstr(message, " ranks on ") != NULL) return;
  w->notices++;
  (void)snprintf(w->notice, sizeof w->notice, "%s", message);
}

static void on_epoch(void *context, const mlpd_epoch *epoch) {
  watched *const w = context;
  if (w->epochs++ == 0) w->first = *epoch;
  w->last = *epoch;
}

static mlpd_train_options make_options(const char *data, const char *out) {
  mlpd_train_options options;
  quick_options(&options);
  options.data.file = data;
  options.out = out;
  options.hidden = "16";
  options.batch = 60;
  options.lanes = 6;
  options.threads = 1;
  options.config_text = "# a test\n";
  return options;
}

static mlpd_status train(const mlpd_train_options *options, watched *w, mlpd_train_result *result) {
  static watched unused;
  if (w == NULL) w = &unused;
  *w = (watched){0};
  const mlpd_train_events events = {.context = w, .started = on_start, .notice = on_notice, .epoch_done = on_epoch};
  const mlpd_status status = mlpd_train(comm, options, &events, result);
  assert_on_all(same_on_all(&status, sizeof status), "all ranks have the same status");
  if (status != MLPD_OK) {
    char message[512] = {0};
    (void)snprintf(message, sizeof message, "%s", mlpd_error_message());
    assert_on_all(same_on_all(message, sizeof message), "all ranks have the same message");
  }
  return status;
}

static void assert_message_has(const char *part) {
  const bool found = strstr(mlpd_error_message(), part) != NULL;
  if (!found) print_error("expected '%s'\n", part);
  assert_on_all(found && strchr(mlpd_error_message(), '\n') == NULL, "message");
}

/* The digest of the model in a run folder, "" where there is none that loads. Not collective. */
static void load_digest(const char *path, char digest[17]) {
  mlpd_model *model = NULL;
  digest[0] = '\0';
  if (mlpd_model_load(path, &model) != MLPD_OK) return;
  mlpd_network_digest(mlpd_model_network(model), digest);
  mlpd_model_free(model);
}

static void test_learns(void **state) {
  (void)state;
  write_standard("toy.h5", false, true, true);
  mlpd_train_options options = make_options(in_folder("toy.h5"), in_folder("learns/deep/run"));
  options.epochs = 30;
  mlpd_train_result result;
  watched w;
  assert_on_all(train(&options, &w, &result) == MLPD_OK, "train");
  assert_on_all(result.has_test && result.test_metric > 0.95, "accuracy above 0.95");
  assert_on_all(result.train_rows == TRAIN && result.valid_rows == VALID && result.test_rows == TEST, "rows");
  assert_on_all(result.features == FEATURES && result.outputs == CLASSES && result.lanes == 6, "shapes");
  assert_on_all(result.epochs == 30 && result.steps == 30 * TRAIN / 60 && !result.stopped_early, "steps");
  assert_on_all(result.best_epoch >= 1 && result.best_epoch <= 30, "best epoch");
  assert_on_all(result.ranks == mlpd_comm_size(comm), "ranks");
  assert_on_all(same_on_all(result.digest, sizeof result.digest), "digest equal on all ranks");
  char digest[17];
  load_digest(in_folder("learns/deep/run/model.h5"), digest);
  assert_on_all(strcmp(digest, result.digest) == 0, "model.h5 holds the digest");
  if (is_root()) {
    assert_int_equal(w.started, 1);
    assert_int_equal(w.epochs, 30);
    assert_int_equal(w.notices, 0);
    assert_true(w.last.train_loss < w.first.train_loss / 2);
    assert_true(w.last.has_valid && w.last.valid_metric > 0.95);
    assert_int_equal(w.last.step, result.steps);
  }
  assert_on_all(exists(in_folder("learns/deep/run/config.ini")), "config.ini");
}

static void test_metrics_file(void **state) {
  (void)state;
  mlpd_train_options options = make_options(in_folder("toy.h5"), in_folder("metrics"));
  options.epochs = 7;
  mlpd_train_result result;
  assert_on_all(train(&options, NULL, &result) == MLPD_OK, "train");
  if (!is_root()) return;
  FILE *const stream = fopen(in_folder("metrics/metrics.csv"), "r");
  assert_non_null(stream);
  char line[512];
  assert_non_null(fgets(line, sizeof line, stream));
  assert_string_equal(line,
                      "epoch,step,lr,train_loss,train_metric,valid_loss,valid_metric,samples_per_second,"
                      "compute_seconds,reduce_seconds,data_seconds,"
                      "compute_seconds_min,reduce_seconds_min,data_seconds_min,"
                      "compute_seconds_mean,reduce_seconds_mean,data_seconds_mean\n");
  for (uint64_t epoch = 1; epoch <= 7; epoch++) {
    unsigned long long number = 0, step = 0;
    double figure[15];
    int read = 0, used = 0;
    assert_non_null(fgets(line, sizeof line, stream));
    assert_int_equal(sscanf(line, "%llu,%llu%n", &number, &step, &used), 2);
    for (const char *at = line + used; read < 15 && sscanf(at, ",%lf%n", &figure[read], &used) == 1; at += used) read++;
    assert_int_equal(read, 15);
    assert_int_equal(number, epoch);
    assert_int_equal(step, epoch * TRAIN / 60);
    assert_true(figure[0] == options.lr && figure[1] > 0 && figure[2] > 0 && figure[2] <= 1 && figure[5] > 0);
    for (int phase = 6; phase < 9;
         phase++) /* most, least, mean over ranks; the mean in nanoseconds, printed in six digits */
      assert_true(figure[phase + 3] <= 1.0001 * figure[phase + 6] + 1e-8 &&
                  figure[phase + 6] <= 1.0001 * figure[phase] + 1e-8 && figure[phase + 6] >= 0);
    assert_true(figure[9] > 0 && figure[12] > 0);
  }
  assert_null(fgets(line, sizeof line, stream));
  assert_int_equal(fclose(stream), 0);
}

static void test_keep_and_early_stop(void **state) {
  (void)state;
  mlpd_train_options options = make_options(in_folder("toy.h5"), in_folder("keep"));
  options.epochs = 40;
  options.min_delta = 1e-2; /* soon nothing is better by that much */
  options.patience = 3;
  mlpd_train_result stopped, straight;
  watched w;
  assert_on_all(train(&options, &w, &stopped) == MLPD_OK, "train");
  assert_on_all(stopped.stopped_early && stopped.epochs < 40, "stopped early");
  assert_on_all(stopped.epochs == stopped.best_epoch + 3, "three epochs after the best");

  /* The best's weights are those of a run that ends there; the last's of one that ends at the last. */
  options.patience = 0;
  options.save = MLPD_SAVE_LAST;
  options.epochs = stopped.best_epoch;
  options.out = in_folder("straight");
  assert_on_all(train(&options, NULL, &straight) == MLPD_OK, "train");
  assert_on_all(strcmp(straight.digest, stopped.digest) == 0, "keep best");
  options.epochs = stopped.epochs;
  options.patience = 3;
  options.out = in_folder("last");
  mlpd_train_result last;
  assert_on_all(train(&options, NULL, &last) == MLPD_OK, "train");
  assert_on_all(strcmp(last.digest, stopped.digest) != 0, "keep last differs");
  assert_on_all(!last.stopped_early, "the last epoch is no early stop");
  mlpd_model *model = NULL;
  assert_on_all(mlpd_model_load(in_folder("keep/model.h5"), &model) == MLPD_OK, "load");
  assert_on_all(model->epoch == stopped.best_epoch && model->step == stopped.best_epoch * (TRAIN / 60),
                "model's epoch");
  mlpd_model_free(model);
}

/* ---- Validation rows out of the training part ---------------------------------------------------------- */

static int compare_floats(const void *left, const void *right) {
  const float a = *(const float *)left, b = *(const float *)right;
  return (a > b) - (a < b);
}

/* All ranks' rows of a shard, by the first column, which is the row's number. Returns how many; all (TRAIN). */
static uint64_t gather_rows(const shard *mine, float *all) {
  const int size = mlpd_comm_size(comm);
  uint64_t bytes[64] = {0}, total = 0;
  float *const local = calloc(mine->rows + 1, sizeof *local);
  for (uint64_t i = 0; i < mine->rows; i++) local[i] = ((const float *)mine->x)[i * FEATURES];
  bytes[mlpd_comm_rank(comm)] = mine->rows * sizeof(float);
  assert_on_all(local != NULL && comm_sum_u64(comm, bytes, (uint64_t)size) == MLPD_OK, "sizes");
  for (int rank = 0; rank < size; rank++) total += bytes[rank] / sizeof(float);
  assert_on_all(total <= TRAIN && comm_gather_all(comm, local, bytes, all) == MLPD_OK, "rows gathered");
  free(local);
  return total;
}

static void check_split(double fraction, uint64_t seed, float *order) {
  mlpd_train_options options = make_options(in_folder("numbered.h5"), "unused");
  options.valid_fraction = fraction;
  options.seed = seed;
  options.normalize = MLPD_NORMALIZE_NONE;
  preparation p;
  assert_on_all(preparation_create(comm, &options, NULL, &p) == MLPD_OK, "preparation");
  float all[TRAIN];
  const uint64_t trained = gather_rows(&p.train, all);
  assert_on_all(p.valid.present && p.valid.range.rows == (uint64_t)llround(fraction * TRAIN), "validation rows");
  float validated[TRAIN];
  const uint64_t held = gather_rows(&p.valid.rows, validated);
  assert_on_all(held == p.valid.range.rows && trained + held == TRAIN, "together all");
  memcpy(all + trained, validated, held * sizeof *all);
  memcpy(order, all, sizeof all);
  qsort(all, TRAIN, sizeof *all, compare_floats);
  bool once = true;
  for (uint64_t i = 0; i < TRAIN; i++) once = once && all[i] == (float)i;
  assert_on_all(once, "each row once");
  preparation_free(&p);
}

static void test_valid_fraction(void **state) {
  (void)state;
  table numbered = make_table(TRAIN, 0);
  for (uint64_t i = 0; i < TRAIN; i++) numbered.x[i * FEATURES] = (float)i;
  write_data(in_folder("numbered.h5"), &numbered, NULL, NULL);
  free_table(&numbered);
  float one[TRAIN], again[TRAIN], other[TRAIN];
  check_split(0.25, 1, one);
  check_split(0.25, 1, again);
  check_split(0.25, 2, other);
  check_split(0.001, 1, again);
  check_split(0.9, 1, again);
  check_split(0.25, 1, again);
  assert_on_all(memcmp(one, again, sizeof one) == 0 && memcmp(one, other, sizeof one) != 0, "drawn by the seed");

  mlpd_train_options options = make_options(in_folder("numbered.h5"), in_folder("nothing"));
  mlpd_train_result result;
  options.valid_fraction = 0.0001;
  assert_on_all(train(&options, NULL, &result) == MLPD_ERROR_USAGE, "no row to validate");
  options.valid_fraction = 0.9999;
  assert_on_all(train(&options, NULL, &result) == MLPD_ERROR_USAGE, "no row to train");
  options.valid_fraction = 0.2;
  options.data.file = in_folder("toy.h5");
  options.epochs = 1;
  watched w;
  assert_on_all(train(&options, &w, &result) == MLPD_OK && result.valid_rows == VALID, "the file's own part is taken");
  if (is_root()) assert_non_null(strstr(w.notice, "--valid-fraction"));
}

/* The highest class is in one row only: whichever part that row falls in, the network has an output for it. */
static void test_rare_class(void **state) {
  (void)state;
  table rare = make_table(TRAIN, 0);
  rare.y[123] = 7;
  write_data(in_folder("rare.h5"), &rare, NULL, NULL);
  free_table(&rare);
  mlpd_train_options options = make_options(in_folder("rare.h5"), in_folder("rare"));
  options.epochs = 1;
  options.valid_fraction = 0.5;
  for (options.seed = 1; options.seed <= 5; options.seed++) {
    mlpd_train_result result;
    assert_on_all(train(&options, NULL, &result) == MLPD_OK, "train");
    assert_on_all(result.outputs == 8, "eight classes");
  }
}

/* ---- Divergence ---------------------------------------------------------------------------------------- */

static void test_divergence(void **state) {
  (void)state;
  write_standard("values.h5", true, true, false);
  mlpd_train_options options = make_options(in_folder("values.h5"), in_folder("diverges"));
  mlpd_train_result result;
  options.epochs = 2;
  options.lr = 0.01;
  assert_on_all(train(&options, NULL, &result) == MLPD_OK, "a good run");
  assert_on_all(exists(in_folder("diverges/model.h5")), "a model");
  options.lr = options.weight_decay = 1e6;
  options.epochs = 5;
  assert_on_all(train(&options, NULL, &result) == MLPD_ERROR_DIVERGED, "diverges");
  assert_message_has("finite number");
  assert_message_has("at step ");
  assert_message_has("(epoch 1)");
  assert_message_has("no model was written");
  assert_on_all(comm_barrier(comm) == MLPD_OK, "barrier");
  assert_on_all(!exists(in_folder("diverges/model.h5")), "no model of another run beside its config.ini");

  /* A rate that rises late: the weights of the last good epoch are saved. */
  options.lr = 1e-3;
  options.weight_decay = 100;
  options.schedule = MLPD_STEP;
  options.lr_step_epochs = 2;
  options.lr_gamma = 1e6;
  options.out = in_folder("late");
  watched w;
  assert_on_all(train(&options, &w, &result) == MLPD_ERROR_DIVERGED, "diverges late");
  assert_message_has("(epoch 3)");
  assert_message_has("keeps the weights of epoch 2");
  assert_on_all(comm_barrier(comm) == MLPD_OK, "barrier");
  mlpd_model *model = NULL;
  assert_on_all(mlpd_model_load(in_folder("late/model.h5"), &model) == MLPD_OK && model->epoch == 2,
                "model of epoch 2");
  mlpd_model_free(model);
  if (is_root()) assert_int_equal(w.epochs, 2);
}

/* The last step of all ruins the weights, after a finite loss: they are no result. */
static void test_last_step_diverges(void **state) {
  (void)state;
  write_standard("no_valid.h5", true, false, false);
  mlpd_train_options options = make_options(in_folder("no_valid.h5"), in_folder("last_step"));
  options.epochs = 1;
  options.batch = TRAIN / 2;
  options.optimizer = MLPD_SGD;
  options.lr = 1e-3;
  options.schedule = MLPD_STEP; /* 10 times by 1e6 after half an epoch */
  options.lr_gamma = 1e6;
  options.lr_step_epochs = 0.05;
  mlpd_train_result result;
  assert_on_all(train(&options, NULL, &result) == MLPD_ERROR_DIVERGED, "diverges");
  assert_message_has("weights are not finite");
  assert_message_has("at step 2 (epoch 1)");
  assert_on_all(!exists(in_folder("last_step/model.h5")), "no model");
}

/* ---- Evaluation and prediction -------------------------------------------------------------------------- */

static mlpd_model *trained(const char *data, const char *out) {
  mlpd_train_options options = make_options(data, out);
  options.epochs = 15;
  options.lr = 0.05;
  mlpd_train_result result;
  mlpd_model *model = NULL;
  char path[PATH_BYTES];
  (void)snprintf(path, sizeof path, "%s/model.h5", out);
  assert_on_all(train(&options, NULL, &result) == MLPD_OK, "train");
  assert_on_all(mlpd_model_load(path, &model) == MLPD_OK, "load");
  return model;
}

static void test_evaluate_classes(void **state) {
  (void)state;
  mlpd_model *const model = trained(in_folder("toy.h5"), in_folder("evaluated"));
  const mlpd_data_paths data = {.file = in_folder("toy.h5")};
  for (int threads = 1; threads <= 3; threads += 2) {
    mlpd_report r;
    uint64_t counted = 0, right = 0;
    assert_on_all(mlpd_evaluate(comm, model, &data, MLPD_TEST, NULL, threads, &r) == MLPD_OK, "evaluate");
    bool rows_right = true;
    for (int i = 0; i < CLASSES; i++) {
      uint64_t of_class = 0, expected = 0;
      for (int j = 0; j < CLASSES; j++) of_class += r.confusion[i * CLASSES + j];
      for (uint64_t row = 0; row < TEST; row++) expected += (int)(row * CLASSES / TEST) == i;
      rows_right = rows_right && of_class == expected;
      counted += of_class;
      right += r.confusion[i * CLASSES + i];
    }
    assert_on_all(r.rows == TEST && counted == TEST && rows_right, "each sample once, under its class");
    assert_on_all(r.accuracy == (double)right / TEST && r.accuracy > 0.95, "accuracy");
    assert_on_all(
        same_on_all(r.confusion, CLASSES * CLASSES * sizeof *r.confusion) && same_on_all(&r.loss, sizeof r.loss),
        "equal on all ranks");
    mlpd_report_free(&r);
    assert_null(r.confusion);
  }
  mlpd_model_free(model);
}

/* Row i of x through the network, by hand. */
static void forward_by_hand(mlpd_model *model, const float *x, double out[CLASSES]) {
  double hidden[16];
  const mlpd_layer_view one = mlpd_network_layer(model->network, 0), two = mlpd_network_layer(model->network, 1);
  for (uint32_t j = 0; j < one.outputs; j++) {
    double z = one.bias[j];
    for (uint32_t i = 0; i < FEATURES; i++)
      z += ((double)x[i] - model->input.shift[i]) * model->input.scale[i] * one.weight[i * one.outputs + j];
    hidden[j] = z > 0 ? z : 0;
  }
  for (uint32_t k = 0; k < two.outputs; k++) {
    out[k] = two.bias[k];
    for (uint32_t j = 0; j < two.inputs; j++) out[k] += hidden[j] * two.weight[j * two.outputs + k];
    if (model->target.columns > 0) out[k] = out[k] / model->target.scale[k] + model->target.shift[k];
  }
}

static void test_evaluate_and_predict_values(void **state) {
  (void)state;
  write_standard("values.h5", true, true, true);
  mlpd_model *const model = trained(in_folder("values.h5"), in_folder("values"));
  const mlpd_data_paths data = {.file = in_folder("values.h5")};
  table test = make_table(TEST, 200000);
  double square[2] = {0}, absolute[2] = {0};
  double *const expected = calloc(TEST, 2 * sizeof *expected);
  float *const found = calloc(TEST, 2 * sizeof *found);
  for (uint64_t i = 0; i < TEST; i++) {
    double out[CLASSES];
    forward_by_hand(model, test.x + 2 * i, out);
    for (int k = 0; k < 2; k++) {
      expected[2 * i + (uint64_t)k] = out[k];
      square[k] += pow(out[k] - test.values[2 * i + (uint64_t)k], 2);
      absolute[k] += fabs(out[k] - test.values[2 * i + (uint64_t)k]);
    }
  }
  mlpd_report r;
  assert_on_all(mlpd_evaluate(comm, model, &data, MLPD_TEST, NULL, 2, &r) == MLPD_OK, "evaluate");
  bool close = r.rows == TEST;
  for (int k = 0; k < 2; k++)
    close = close && fabs(r.rmse[k] / sqrt(square[k] / TEST) - 1) < 1e-3 &&
            fabs(r.mae[k] / (absolute[k] / TEST) - 1) < 1e-3;
  assert_on_all(close, "errors in the target's units");
  assert_on_all(r.r2[0] > 0.95 && r.r2[0] <= 1, "r2");
  mlpd_report_free(&r);

  uint64_t rows = 0;
  assert_on_all(mlpd_predict(comm, model, &data, MLPD_TEST, in_folder("out.h5"), NULL, 2, &rows) == MLPD_OK, "predict");
  assert_on_all(rows == TEST, "rows predicted");
  if (is_root()) {
    h5_file *file = NULL;
    assert_int_equal(h5_open(in_folder("out.h5"), &file), MLPD_OK);
    assert_int_equal(h5_read(file, "/value", TEST, 2, ELEMENT_F32, found), MLPD_OK);
    assert_int_equal(h5_close(file), MLPD_OK);
    for (uint64_t i = 0; i < (uint64_t)TEST * 2; i++) assert_true(fabs((double)found[i] - expected[i]) < 1e-4 * 100);
  }
  free(expected);
  free(found);
  free_table(&test);
  mlpd_model_free(model);
}

/* 40 000 rows are more than travel at a time: the order must hold over the pieces, in both formats. */
static void test_predict_in_order(void **state) {
  (void)state;
  enum { MANY = 40000 };
  mlpd_model *const model = trained(in_folder("toy.h5"), in_folder("order"));
  table many = make_table(MANY, 5);
  const table *const none = NULL;
  table few = make_table(TRAIN, 0);
  write_data(in_folder("many.h5"), &few, none, &many);
  free_table(&few);
  const mlpd_data_paths data = {.file = in_folder("many.h5")};
  uint64_t rows = 0;
  assert_on_all(mlpd_predict(comm, model, &data, MLPD_TEST, in_folder("many_out.h5"), NULL, 2, &rows) == MLPD_OK, "h5");
  assert_on_all(mlpd_predict(comm, model, &data, MLPD_TEST, in_folder("many.csv"), NULL, 1, &rows) == MLPD_OK, "csv");
  assert_on_all(rows == MANY, "rows");
  if (is_root()) {
    int32_t *const classes = calloc(MANY, sizeof *classes);
    float *const probability = calloc(MANY, CLASSES * sizeof *probability);
    h5_file *file = NULL;
    assert_int_equal(h5_open(in_folder("many_out.h5"), &file), MLPD_OK);
    assert_int_equal(h5_read(file, "/class", MANY, 0, ELEMENT_I32, classes), MLPD_OK);
    assert_int_equal(h5_read(file, "/probability", MANY, CLASSES, ELEMENT_F32, probability), MLPD_OK);
    assert_int_equal(h5_close(file), MLPD_OK);
    FILE *const csv = fopen(in_folder("many.csv"), "r");
    assert_non_null(csv);
    char line[256];
    assert_non_null(fgets(line, sizeof line, csv));
    assert_string_equal(line, "row,class,0,1,2\n");
    for (uint64_t i = 0; i < MANY; i++) {
      double z[CLASSES], sum = 0;
      forward_by_hand(model, many.x + 2 * i, z);
      for (int k = 0; k < CLASSES; k++) sum += exp(z[k]);
      unsigned long long row = 0;
      int class = 0;
      float p[CLASSES];
      assert_non_null(fgets(line, sizeof line, csv));
      assert_int_equal(sscanf(line, "%llu,%d,%f,%f,%f", &row, &class, &p[0], &p[1], &p[2]), 5);
      assert_int_equal(row, i);
      assert_int_equal(class, classes[i]);
      for (int k = 0; k < CLASSES; k++) {
        assert_true(fabs((double)probability[i * CLASSES + (uint64_t)k] - exp(z[k]) / sum) < 1e-4);
        assert_true(p[k] == probability[i * CLASSES + (uint64_t)k]); /* nine digits tell a float */
        assert_true(p[k] <= p[class]);
      }
    }
    assert_null(fgets(line, sizeof line, csv));
    assert_int_equal(fclose(csv), 0);
    free(classes);
    free(probability);
  }
  free_table(&many);
  mlpd_model_free(model);
}

/* ---- Failures ------------------------------------------------------------------------------------------ */

static void assert_train_fails(const mlpd_train_options *options, mlpd_status status, const char *message) {
  mlpd_train_result result;
  const mlpd_status found = train(options, NULL, &result);
  if (found != status) print_error("status %d, expected %d for '%s'\n", (int)found, (int)status, message);
  assert_on_all(found == status, message);
  assert_message_has(message);
}

static void test_bad_rows(void **state) {
  (void)state;
  for (uint64_t row = 0; row < TRAIN; row += 149) { /* each falls to one rank, not always the same */
    table bad = make_table(TRAIN, 0);
    bad.x[2 * row + 1] = NAN;
    write_data(in_folder("bad.h5"), &bad, NULL, NULL);
    mlpd_train_options options = make_options(in_folder("bad.h5"), in_folder("bad"));
    assert_train_fails(&options, MLPD_ERROR_DATA, "/train/x");
    bad.x[2 * row + 1] = 0;
    bad.y[row] = 12;
    write_data(in_folder("bad.h5"), &bad, NULL, NULL);
    options.classes = 10;
    assert_train_fails(&options, MLPD_ERROR_DATA, "/train/y");
    options.classes = 0;
    options.valid_fraction = 0.5;
    bad.y[row] = -1;
    write_data(in_folder("bad.h5"), &bad, NULL, NULL);
    assert_train_fails(&options, MLPD_ERROR_DATA, "/train/y");
    free_table(&bad);
  }
  assert_on_all(!exists(in_folder("bad")), "no run folder for bad data");
}

static void test_bad_files(void **state) {
  (void)state;
  mlpd_train_options options = make_options(in_folder("absent.h5"), in_folder("bad"));
  assert_train_fails(&options, MLPD_ERROR_FILE, "absent.h5");
  options = make_options(in_folder("toy.h5"), in_folder("toy.h5"));
  options.epochs = 1;
  assert_train_fails(&options, MLPD_ERROR_FILE, "toy.h5"); /* rank 0 alone makes the folder */
  options.out = in_folder("toy.h5/run");
  assert_train_fails(&options, MLPD_ERROR_FILE, "toy.h5");
  table one = make_table(TRAIN, 0);
  memset(one.y, 0, TRAIN * sizeof *one.y);
  write_data(in_folder("one.h5"), &one, NULL, NULL);
  free_table(&one);
  options = make_options(in_folder("one.h5"), in_folder("bad"));
  assert_train_fails(&options, MLPD_ERROR_DATA, "one class only");
}

/* ---- Resume on other data -------------------------------------------------------------------------------- */

static void add_weights(table *t) {
  t->weights = calloc(t->rows, sizeof *t->weights);
  if (t->weights == NULL) abort();
  for (uint64_t i = 0; i < t->rows; i++) t->weights[i] = 1;
}

/* A run with a checkpoint from a file that then becomes another: message NULL: it goes on all the same. */
static void resume_on(const char *out, double fraction, const table *train_part, const table *valid, const table *test,
                      const char *message) {
  mlpd_train_options options = make_options(in_folder("changing.h5"), in_folder(out));
  mlpd_train_result result;
  write_data(in_folder("changing.h5"), train_part, valid, test);
  options.valid_fraction = fraction;
  options.epochs = 2;
  options.resume = "auto";
  if (message != NULL) {
    assert_train_fails(&options, MLPD_ERROR_DATA, message);
    return;
  }
  assert_on_all(train(&options, NULL, &result) == MLPD_OK, mlpd_error_message());
}

static void test_resume_on_other_parts(void **state) {
  (void)state;
  const char *const other_valid = "changing.h5: the validation data is not what the checkpoint was made with";
  const char *const other_test = "changing.h5: the test data is not what the checkpoint was made with";
  for (int as_values = 0; as_values < 2; as_values++) {
    const char *const out = as_values ? "other-values" : "other-classes";
    table rows = make_table(TRAIN, 0), valid = make_table(VALID, 100000), test = make_table(TEST, 200000);
    table longer = make_table(TEST + 1, 200000);
    rows.as_values = valid.as_values = test.as_values = longer.as_values = as_values;
    resume_on(out, 0, &rows, &valid, &test, NULL);
    resume_on(out, 0, &rows, &valid, &test, NULL);
    resume_on(out, 0, &rows, &valid, &longer, other_test);
    resume_on(out, 0, &rows, &valid, NULL, "made with test data, this run has none");
    resume_on(out, 0, &rows, NULL, &test, "made with validation data, this run has none");
    add_weights(&valid);
    resume_on(out, 0, &rows, &valid, &test, other_valid);
    free(valid.weights);
    valid.weights = NULL;
    valid.x[2 * VALID - 1] += 0.5f; /* the last rank's */
    resume_on(out, 0, &rows, &valid, &test, other_valid);
    valid.x[2 * VALID - 1] -= 0.5f;
    valid.y[0] = 1 - valid.y[0];
    valid.values[0] += 1;
    resume_on(out, 0, &rows, &valid, &test, other_valid);
    free_table(&rows);
    free_table(&valid);
    free_table(&test);
    free_table(&longer);
  }
}

/* Of rows that validation takes from training, too, weights included. */
static void test_resume_on_other_weights(void **state) {
  (void)state;
  table rows = make_table(TRAIN, 0);
  add_weights(&rows);
  resume_on("weighted", 0.5, &rows, NULL, NULL, NULL);
  resume_on("weighted", 0.5, &rows, NULL, NULL, NULL);
  for (uint64_t row = 0; row < TRAIN; row += TRAIN / 5) { /* training's and validation's */
    rows.weights[row] = 2;
    resume_on("weighted", 0.5, &rows, NULL, NULL, "data is not what the checkpoint was made with");
    rows.weights[row] = 1;
  }
  free_table(&rows);
}

/* ---- Rows far away from all that was trained on ------------------------------------------------------------ */

/* A run on a table with x[1] = value in a row of a part. */
static mlpd_status train_with_far_row(mlpd_split which, uint64_t row, float value, double fraction, bool stream,
                                      watched *w, mlpd_train_result *result) {
  table parts[3] = {make_table(TRAIN, 0), make_table(VALID, 100000), make_table(TEST, 200000)};
  parts[which].x[row * FEATURES + 1] = value;
  write_data(in_folder("far.h5"), &parts[MLPD_TRAIN], fraction > 0 ? NULL : &parts[MLPD_VALID], &parts[MLPD_TEST]);
  for (int i = 0; i < 3; i++) free_table(&parts[i]);
  mlpd_train_options options = make_options(in_folder("far.h5"), in_folder("far"));
  options.epochs = 2;
  options.valid_fraction = fraction;
  options.stream = stream;
  return train(&options, w, result);
}

static void test_far_rows(void **state) {
  (void)state;
  watched w;
  mlpd_train_result result;
  char row[96];
  for (int stream = 0; stream < 2; stream++) {
    /* Twice the deviation or more: not a float32 any more. */
    for (int which = MLPD_VALID; which <= MLPD_TEST; which++) {
      const mlpd_status found = train_with_far_row((mlpd_split)which, 71, 3e38f, 0, stream == 1, NULL, &result);
      assert_on_all(found == MLPD_ERROR_DATA, "refused");
      (void)snprintf(row, sizeof row, "row 71 (from 0) of the %s part gives numbers too large",
                     mlpd_choice_name(mlpd_split_choices, which));
      assert_message_has(row);
      assert_message_has("far.h5");
      assert_message_has("its column 1");
    }
    /* Still one, but no network carries it. */
    assert_on_all(train_with_far_row(MLPD_VALID, 71, 1e38f, 0, stream == 1, NULL, &result) == MLPD_ERROR_DATA, "valid");
    assert_message_has("row 71 (from 0) of the valid part gives numbers too large");
    assert_on_all(train_with_far_row(MLPD_TEST, 71, 1e38f, 0, stream == 1, &w, &result) == MLPD_OK,
                  "a run that is done");
    assert_on_all(result.has_test && !isfinite(result.test_loss), "the loss is what it is");
    assert_on_all(!is_root() || strstr(w.notice, "row 71 (from 0) of the test part gives") != NULL, "a note");
    /* Half of the rows are drawn from the training part: one of these, at least. */
    uint64_t drawn = 1;
    while (drawn < 20 && train_with_far_row(MLPD_TRAIN, drawn, 3e38f, 0.5, stream == 1, NULL, &result) == MLPD_OK)
      drawn++;
    (void)snprintf(row, sizeof row, "row %llu (from 0) of the training part, drawn for validation, gives numbers",
                   (unsigned long long)drawn);
    assert_message_has(row);
  }
}

/* ---- Forged checkpoints: whole files, with the right checksums, of what cannot have been ------------------- */

#define FORGERY(name, statement) \
  static void forge_##name(checkpoint *c) { statement; }
FORGERY(no_epoch, c->state.epoch = 0)
FORGERY(late_epoch, c->state.epoch = UINT64_MAX)
FORGERY(next_epoch, c->state.epoch++)
FORGERY(late_step, c->state.step_in_epoch = UINT64_MAX)
FORGERY(other_step, c->state.step++)
FORGERY(huge_step, c->state.step = UINT64_MAX)
FORGERY(kept_later, c->state.kept_epoch = 99)
FORGERY(kept_step_later, c->state.kept_step = UINT64_MAX)
FORGERY(best_later, c->state.best_epoch = 99)
FORGERY(since_ever, c->state.since_best = UINT64_MAX)
FORGERY(plateau_ever, c->state.schedule.since = UINT64_MAX)
FORGERY(factor_negative, c->state.schedule.factor = -1)
FORGERY(factor_nan, c->state.schedule.factor = NAN)
FORGERY(best_nan, c->state.best_loss = NAN)
FORGERY(sum_nan, c->state.sum_loss = NAN)
FORGERY(sum_infinite, c->state.sum_square = INFINITY)
FORGERY(sum_negative, c->state.sum_weight = -1)
FORGERY(no_lanes, c->state.lanes = 0)
FORGERY(many_lanes, c->state.lanes = UINT64_C(1) << 40)
FORGERY(lanes_cut, c->state.lanes += UINT64_C(1) << 32)
FORGERY(nan_weight, c->arenas[0][0] = NAN)
FORGERY(infinite_weight, c->arenas[0][0] = -INFINITY)
FORGERY(nan_kept, c->arenas[1][0] = NAN)
FORGERY(nan_state, c->arenas[2][0] = NAN)
FORGERY(nan_moment, c->arenas[3][0] = NAN)
FORGERY(state_missing, free(c->arenas[3]); c->arenas[3] = NULL)
FORGERY(kept_missing, free(c->arenas[1]); c->arenas[1] = NULL)
FORGERY(kept_never, c->state.kept_epoch = 0)
FORGERY(nan_average, c->arenas[4][0] = NAN)
FORGERY(infinite_average, c->arenas[4][0] = INFINITY)
FORGERY(average_missing, free(c->arenas[4]); c->arenas[4] = NULL)
FORGERY(short_arenas, c->state.arena_size--)
FORGERY(no_arenas, c->state.arena_size = 0)
FORGERY(other_data, c->state.data_fingerprint ^= 1)
FORGERY(other_options, c->options[0] = '\033')
FORGERY(no_options, c->options[0] = '\0')

static void (*const forgeries[])(checkpoint *c) = {
    forge_no_epoch,       forge_late_epoch,      forge_next_epoch,      forge_late_step,       forge_other_step,
    forge_huge_step,      forge_kept_later,      forge_kept_step_later, forge_best_later,      forge_since_ever,
    forge_best_nan,       forge_sum_nan,         forge_sum_infinite,    forge_sum_negative,    forge_no_lanes,
    forge_many_lanes,     forge_lanes_cut,       forge_nan_weight,      forge_infinite_weight, forge_nan_kept,
    forge_nan_state,      forge_nan_moment,      forge_state_missing,   forge_kept_missing,    forge_kept_never,
    forge_short_arenas,   forge_no_arenas,       forge_other_data,      forge_other_options,   forge_no_options,
    forge_plateau_ever,   forge_factor_negative, forge_factor_nan,      forge_nan_average,     forge_infinite_average,
    forge_average_missing};
enum { NUM_FORGERIES = sizeof forgeries / sizeof *forgeries };

/* Writes forged.h5: the newest checkpoint of a run, changed; forgery NULL: as it is. */
static void forge(void (*forgery)(checkpoint *c)) {
  mlpd_status status = MLPD_OK;
  if (is_root()) {
    checkpoint c;
    bool found = false;
    status = checkpoint_read_newest(in_folder("genuine/checkpoints"), &(uint64_t){UINT64_MAX}, &c, &found, NULL, NULL);
    if (forgery != NULL) forgery(&c);
    if (status == MLPD_OK) status = checkpoint_write(&c, in_folder("forged.h5"));
    checkpoint_free(&c);
  }
  assert_on_all(status == MLPD_OK, "written");
}

static void test_forged_checkpoints(void **state) {
  (void)state;
  mlpd_train_options options = make_options(in_folder("toy.h5"), in_folder("genuine"));
  mlpd_train_result result, whole;
  options.optimizer = MLPD_ADAM;
  options.ema = 0.9;
  options.epochs = 3;
  assert_on_all(train(&options, NULL, &whole) == MLPD_OK, "a run");
  options.epochs = 2; /* a checkpoint from which one epoch is left */
  assert_on_all(train(&options, NULL, &result) == MLPD_OK, "a run");
  options.epochs = 3;
  options.lanes = 0;
  for (int i = 0; i < NUM_FORGERIES; i++) {
    forge(forgeries[i]);
    options.data.file = in_folder("toy.h5");
    options.resume = in_folder("forged.h5");
    options.out = in_folder("resumed");
    const mlpd_status found = train(&options, NULL, &result);
    if (found != MLPD_ERROR_DATA && found != MLPD_ERROR_USAGE) print_error("forgery %d: status %d\n", i, (int)found);
    assert_on_all(found == MLPD_ERROR_DATA || found == MLPD_ERROR_USAGE, "refused");
    assert_message_has(strstr(mlpd_error_message(), "forged.h5") != NULL ? "forged.h5" : "checkpoint");
  }
  assert_on_all(!exists(in_folder("resumed")), "no run folder");
  forge(NULL);
  assert_on_all(train(&options, NULL, &result) == MLPD_OK, mlpd_error_message());
  assert_on_all(strcmp(result.digest, whole.digest) == 0, "the end of the run");
}

/* Puts forged.h5 into a run folder, as its newest checkpoint. */
static void put_forged(void (*forgery)(checkpoint *c), const char *run) {
  char from[256], to[FILE_PATH_BYTES];
  forge(forgery);
  (void)snprintf(from, sizeof from, "%s", in_folder("forged.h5"));
  assert_on_all(checkpoint_path(to, in_folder(run), 999999) == MLPD_OK, "path");
  assert_on_all(!is_root() || rename(from, to) == 0, "renamed");
}

/* Of --resume auto: an impossible newest checkpoint is passed over, as a damaged one is. */
static void test_forged_newest(void **state) {
  (void)state;
  watched w = {0};
  mlpd_train_options options = make_options(in_folder("toy.h5"), in_folder("genuine"));
  mlpd_train_result result, whole;
  options.optimizer = MLPD_ADAM;
  options.ema = 0.9;
  options.epochs = 3;
  options.checkpoint_every = "1epochs";
  assert_on_all(train(&options, NULL, &whole) == MLPD_OK, "a run");
  options.resume = "auto";
  for (int i = 0; i < NUM_FORGERIES; i++) {
    if (forgeries[i] == forge_other_data || forgeries[i] == forge_other_options || forgeries[i] == forge_no_options)
      continue; /* of another run, for all one knows: refused */
    put_forged(forgeries[i], "genuine/checkpoints");
    options.data.file = in_folder("toy.h5");
    options.out = in_folder("genuine");
    w.notice[0] = '\0';
    assert_on_all(train(&options, &w, &result) == MLPD_OK, mlpd_error_message());
    assert_on_all(strcmp(result.digest, whole.digest) == 0, "the end of the run");
    if (is_root() && strstr(w.notice, "skipped a damaged checkpoint") == NULL)
      fail_msg("forgery %d: no note but '%s'", i, w.notice);
  }
  /* Where there is none before it, nothing is begun in its place. */
  put_forged(forge_other_step, "genuine/checkpoints");
  checkpoint_prune(in_folder("genuine/checkpoints"), 999999, 1);
  options.data.file = in_folder("toy.h5");
  options.out = in_folder("genuine");
  assert_train_fails(&options, MLPD_ERROR_DATA, "no checkpoint in it can be used");
}

/* ---- Runs one after the other in a process -------------------------------------------------------------- */

static void stop_at_the_end(void *context, const mlpd_epoch *epoch) {
  (void)context;
  if (epoch->epoch == epoch->epochs) mlpd_request(MLPD_REQUEST_STOP); /* no step is left that would look at it */
}

static void test_stop_after_the_end(void **state) {
  (void)state;
  const mlpd_train_events events = {.epoch_done = stop_at_the_end};
  mlpd_train_options options = make_options(in_folder("toy.h5"), in_folder("stopped"));
  mlpd_train_result result, again;
  options.epochs = 2;
  assert_on_all(mlpd_train(comm, &options, &events, &result) == MLPD_OK, "a run that was done before the request");
  assert_on_all(mlpd_train(comm, &options, NULL, &again) == MLPD_OK, "the request is not for the next run");
  assert_on_all(again.steps == result.steps && strcmp(again.digest, result.digest) == 0, "the whole run");
}

static int open_files(void) {
  int count = 0;
  for (int descriptor = 0; descriptor < 1024; descriptor++) count += fcntl(descriptor, F_GETFD) >= 0;
  return count;
}

/* Lines of this process's memory map that name what ranks share. */
static int shared_mappings(void) {
  char line[512];
  int count = 0;
  FILE *const maps = fopen("/proc/self/maps", "r");
  while (maps != NULL && fgets(line, sizeof line, maps) != NULL) count += strstr(line, "memfd:mlpdist") != NULL;
  if (maps != NULL) (void)fclose(maps);
  return count;
}

/* Thirty runs in a process (ten under a sanitizer): what the first few took for good is all that is ever taken. Between
 * runs the C library keeps now more, now less of what was freed: the least of ten runs counts. */
static void test_many_runs(void **state) {
  (void)state;
#ifdef UNDER_SANITIZER /* which sees what a single run leaves */
  enum { WARM = 2, LEAST_OF = 2, ROOM = 6 << 20 };
  const int runs = 4;
#else
  enum { WARM = 6, LEAST_OF = 10, ROOM = 6 << 20 };
  const int runs = 30;
#endif
  int files = 0;
  uint64_t early = UINT64_MAX, late = UINT64_MAX;
#ifndef UNDER_SANITIZER /* whose mallopt() refuses everything */
  /* Arrays freed go back to the system: else glibc raises the threshold, and keeps holes between them, once in a while.
   */
  assert_int_equal(mallopt(M_MMAP_THRESHOLD, 1 << 17), 1);
#endif
  for (int i = 0; i < runs; i++) {
    mlpd_train_options options = make_options(in_folder("toy.h5"), in_folder("many"));
    mlpd_train_result result;
    options.hidden = "512,520"; /* a MB an array: sums are pulled, and one array left a run would be seen */
    options.optimizer = MLPD_ADAM;
    options.epochs = 1;
    options.stream = i % 2 == 1;
    assert_on_all(train(&options, NULL, &result) == MLPD_OK, mlpd_error_message());
    const uint64_t resident = machine_memory_resident();
    if (i + 1 == WARM) files = open_files();
    if (i >= WARM && i < WARM + LEAST_OF && resident < early) early = resident;
    if (i >= runs - LEAST_OF && resident < late) late = resident;
  }
  assert_on_all(open_files() == files, "no file stays open");
  assert_on_all(shared_mappings() == 0, "no shared memory stays");
#ifndef UNDER_SANITIZER /* which keeps what is freed for a while */
  if (late > early + ROOM) print_error("%llu bytes, later %llu\n", (unsigned long long)early, (unsigned long long)late);
  assert_on_all(late <= early + ROOM, "memory does not grow");
#endif
}

/* Where one rank cannot open the file, the others have it closed again. */
static void test_nothing_stays_open(void **state) {
  (void)state;
  const int last = mlpd_comm_size(comm) - 1;
  mlpd_model *const model = trained(in_folder("toy.h5"), in_folder("open"));
  mlpd_report report;
  mlpd_data_paths paths = {.file = in_folder("toy.h5")};
  assert_on_all(mlpd_evaluate(comm, model, &paths, MLPD_TEST, NULL, 1, &report) == MLPD_OK, "a first evaluation");
  mlpd_report_free(&report);
  const int before = open_files(); /* HDF5 and MPI have opened what they keep */
  if (mlpd_comm_rank(comm) == last) paths.file = in_folder("absent.h5");
  assert_on_all(mlpd_evaluate(comm, model, &paths, MLPD_TEST, NULL, 1, &report) == MLPD_ERROR_FILE, "a rank has none");
  assert_on_all(open_files() == before, "no file stays open");
  mlpd_model_free(model);
}

static void test_bad_options(void **state) {
  (void)state;
  const mlpd_train_options good = make_options(in_folder("toy.h5"), in_folder("bad"));
  mlpd_train_options options = good;
  options.data.file = NULL;
  assert_train_fails(&options, MLPD_ERROR_USAGE, "data");
  options = good;
  options.out = "";
  assert_train_fails(&options, MLPD_ERROR_USAGE, "--out");
  options = good;
  options.batch = 0;
  assert_train_fails(&options, MLPD_ERROR_USAGE, "--batch");
  options = good;
  options.epochs = 1000000001;
  assert_train_fails(&options, MLPD_ERROR_USAGE, "--epochs");
  options = good;
  options.lr = NAN;
  assert_train_fails(&options, MLPD_ERROR_USAGE, "--lr");
  options = good;
  options.valid_fraction = 1;
  assert_train_fails(&options, MLPD_ERROR_USAGE, "--valid-fraction");
  options = good;
  options.backend = "abacus";
  assert_train_fails(&options, MLPD_ERROR_USAGE, "abacus");
  options = good;
  options.loss = MLPD_CROSS_ENTROPY;
  options.output_activation = MLPD_SIGMOID;
  assert_train_fails(&options, MLPD_ERROR_USAGE, "cross-entropy");
  static const char *const hidden[] = {"0", "a", "12,", ",12", "12,,13", "-3", "99999999999", "12 13"};
  for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++) {
    options = good;
    options.hidden = hidden[i];
    assert_train_fails(&options, MLPD_ERROR_USAGE, "--hidden");
  }
}

/* A model of another width than the data; a split that is not there; an output that cannot be written. */
static void test_bad_evaluation(void **state) {
  (void)state;
  mlpd_model *const model = trained(in_folder("toy.h5"), in_folder("narrow"));
  mlpd_status status = MLPD_OK;
  if (is_root()) {
    const float x[12] = {0};
    const int32_t y[4] = {0, 1, 2, 3};
    h5_file *file = NULL;
    status = h5_create(in_folder("wide.h5"), &file);
    if (status == MLPD_OK) status = h5_write(file, "/test/x", 4, 3, ELEMENT_F32, x);
    if (status == MLPD_OK) status = h5_write(file, "/test/y", 4, 0, ELEMENT_I32, y);
    if (status == MLPD_OK) status = h5_write(file, "/valid/x", 4, 2, ELEMENT_F32, x);
    if (status == MLPD_OK) status = h5_write(file, "/valid/y", 4, 0, ELEMENT_I32, y);
    (void)h5_close(file);
  }
  assert_on_all(status == MLPD_OK, "file written");
  const mlpd_data_paths wide = {.file = in_folder("wide.h5")}, toy = {.file = in_folder("toy.h5")};
  const mlpd_data_paths no_test = {.file = in_folder("numbered.h5")};
  mlpd_report r;
  uint64_t rows = 0;
  assert_on_all(mlpd_evaluate(comm, model, &wide, MLPD_TEST, NULL, 1, &r) == MLPD_ERROR_DATA, "width");
  assert_message_has("has 3 columns, but the network expects 2");
  assert_on_all(mlpd_evaluate(comm, model, &wide, MLPD_VALID, NULL, 1, &r) == MLPD_ERROR_DATA, "class 3 of 3");
  assert_message_has("/valid/y");
  assert_on_all(mlpd_evaluate(comm, model, &no_test, MLPD_TEST, NULL, 1, &r) == MLPD_ERROR_DATA, "no test part");
  assert_message_has("no test part");
  assert_on_all(mlpd_predict(comm, model, &wide, MLPD_TEST, in_folder("never.h5"), NULL, 1, &rows) == MLPD_ERROR_DATA,
                "width");
  assert_on_all(!exists(in_folder("never.h5")), "no predictions of bad data");
  static const char *const outs[] = {"toy.h5/out.csv", "toy.h5/out.h5", "absent/out.h5"};
  for (size_t i = 0; i < sizeof outs / sizeof *outs; i++) {
    const mlpd_status found = mlpd_predict(comm, model, &toy, MLPD_TEST, in_folder(outs[i]), NULL, 1, &rows);
    assert_on_all(found == MLPD_ERROR_FILE, "unwritable");
    assert_message_has(outs[i]);
  }
  /* Targets do not matter to predictions. */
  assert_on_all(
      mlpd_predict(comm, model, &wide, MLPD_VALID, in_folder("fine.csv"), NULL, 1, &rows) == MLPD_OK && rows == 4,
      "predict without use for y");
  mlpd_model_free(model);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_learns),
      cmocka_unit_test(test_metrics_file),
      cmocka_unit_test(test_keep_and_early_stop),
      cmocka_unit_test(test_valid_fraction),
      cmocka_unit_test(test_rare_class),
      cmocka_unit_test(test_divergence),
      cmocka_unit_test(test_last_step_diverges),
      cmocka_unit_test(test_evaluate_classes),
      cmocka_unit_test(test_evaluate_and_predict_values),
      cmocka_unit_test(test_predict_in_order),
      cmocka_unit_test(test_bad_rows),
      cmocka_unit_test(test_bad_files),
      cmocka_unit_test(test_resume_on_other_parts),
      cmocka_unit_test(test_resume_on_other_weights),
      cmocka_unit_test(test_far_rows),
      cmocka_unit_test(test_forged_checkpoints),
      cmocka_unit_test(test_forged_newest),
      cmocka_unit_test(test_stop_after_the_end),
      cmocka_unit_test(test_many_runs),
      cmocka_unit_test(test_nothing_stays_open),
      cmocka_unit_test(test_bad_options),
      cmocka_unit_test(test_bad_evaluation),
  };
  if (mlpd_comm_init(&argc, &argv, &comm) != MLPD_OK) {
    print_error("%s\n", mlpd_error_message());
    return 1;
  }
  const int failed = cmocka_run_group_tests_name("trainer", tests, setup, teardown);
  mlpd_comm_finalize(comm);
  return failed;
}
