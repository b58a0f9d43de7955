/* mpi: 1 2 3 */
/* mlpd_trainer: the same bits on any number of ranks, through saving and loading; the buffer; what is refused. */
#include <math.h>
#include <string.h>

#include "data/column_curves.h"
#include "ranks/comm.h"
#include "ranks/comm_internal.h"
#include "run/under_way.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>
#include "temporary_folder.h"

enum { FEATURES = 3, TARGETS = 2, BATCH = 24, BUFFER = 40, STEPS = 6 };

static mlpd_comm *comm, *alone;
static int me, size;

/* A rank that leaves a test of collectives early would leave the others waiting: it ends them all. */
#define CHECK(condition)                                                                          \
  do {                                                                                            \
    if (!(condition)) {                                                                           \
      print_error("rank %d, line %d: %s (%s)\n", me, __LINE__, #condition, mlpd_error_message()); \
      mlpd_comm_abort(comm, 1);                                                                   \
    }                                                                                             \
  } while (0)

#define REFUSES(status, word, call)                      \
  do {                                                   \
    CHECK((call) == (status));                           \
    CHECK(strstr(mlpd_error_message(), (word)) != NULL); \
  } while (0)

/* ---- Rows ------------------------------------------------------------------------------------------- */

/* Rows of a stream: number i has the same values wherever it is handed in. */
typedef struct piece {
  double x[BATCH * FEATURES], y[BATCH * TARGETS];
  int32_t classes[BATCH];
  mlpd_rows rows_x, rows_y, rows_classes;
} piece;

static double x_at(uint64_t i, uint32_t j) { return 5 * j + sin(0.7 + 12.9898 * (double)i + 78.233 * j) * (1 + j); }

/* Rows [first, first + count) of the stream, or this rank's part of them. */
static const piece *rows_of(const mlpd_comm *with, uint64_t first, uint64_t count) {
  static piece p;
  const bool all = mlpd_comm_size(with) == 1;
  /* uneven parts; of three ranks the second has none */
  const uint64_t cut = count / 3, begin = all || me == 0 ? 0 : cut, end = all || me == size - 1 ? count : cut;
  const uint64_t n = end - begin;
  for (uint64_t i = 0; i < n; i++) {
    const uint64_t number = first + begin + i;
    for (uint32_t j = 0; j < FEATURES; j++) p.x[i * FEATURES + j] = x_at(number, j);
    p.y[i * TARGETS] = 10 * p.x[i * FEATURES] + 3;
    p.y[i * TARGETS + 1] = p.x[i * FEATURES + 1] * p.x[i * FEATURES + 2];
    p.classes[i] = p.x[i * FEATURES] > 0.2 ? 2 : p.x[i * FEATURES + 1] > 5 ? 1 : 0;
  }
  p.rows_x = (mlpd_rows){p.x, MLPD_FLOAT64, n, FEATURES, 0, 0};
  p.rows_y = (mlpd_rows){p.y, MLPD_FLOAT64, n, TARGETS, 0, 0};
  p.rows_classes = (mlpd_rows){p.classes, MLPD_INT32, n, 1, 0, 0};
  return &p;
}

static mlpd_options *options_of(const char *const *more) {
  static const char *const usual[] = {"hidden",  "9,5",       "activation", "tanh", "batch", "24",       "lanes",
                                      "4",       "optimizer", "adam",       "lr",   "0.01",  "schedule", "constant",
                                      "dropout", "0.2",       "threads",    "2",    NULL};
  mlpd_options *options = NULL;
  CHECK(mlpd_options_create(&options) == MLPD_OK);
  for (int i = 0; usual[i] != NULL; i += 2) CHECK(mlpd_options_set(options, usual[i], usual[i + 1]) == MLPD_OK);
  for (int i = 0; more != NULL && more[i] != NULL; i += 2)
    CHECK(mlpd_options_set(options, more[i], more[i + 1]) == MLPD_OK);
  return options;
}

static mlpd_trainer *trainer_of(mlpd_comm *with, const char *const *more, uint32_t targets) {
  mlpd_options *const options = options_of(more);
  mlpd_trainer *made = NULL;
  CHECK(mlpd_trainer_create(with, options, FEATURES, targets, 2, BUFFER, &made) == MLPD_OK);
  mlpd_options_free(options);
  return made;
}

/* Steps [first, first + STEPS): on rows of the stream, and every third one from the buffer, which they go into. */
static double run(mlpd_comm *with, mlpd_trainer *t, uint64_t first, bool classes) {
  double loss = 0;
  for (uint64_t s = first; s < first + STEPS; s++) {
    const piece *const p = rows_of(with, s * BATCH, BATCH);
    const mlpd_rows *const y = classes ? &p->rows_classes : &p->rows_y;
    CHECK(mlpd_trainer_add(t, &p->rows_x, y) == MLPD_OK);
    const bool draws = s % 3 == 2;
    CHECK(mlpd_trainer_step(t, draws ? NULL : &p->rows_x, draws ? NULL : y, &loss) == MLPD_OK);
  }
  return loss;
}

static void digest_of(const mlpd_trainer *t, char digest[17]) {
  mlpd_model *model = NULL;
  CHECK(mlpd_trainer_model(t, &model) == MLPD_OK);
  mlpd_network_digest(mlpd_model_network(model), digest);
  mlpd_model_free(model);
}

/* ---- The same bits ---------------------------------------------------------------------------------- */

static void check_bits(const char *const *more, uint32_t targets, bool classes) {
  mlpd_trainer *const shared = trainer_of(comm, more, targets), *const single = trainer_of(alone, more, targets);
  char of_shared[17], of_single[17];
  const double loss = run(comm, shared, 0, classes), expected = run(alone, single, 0, classes);
  CHECK(memcmp(&loss, &expected, sizeof loss) == 0);
  digest_of(shared, of_shared);
  digest_of(single, of_single);
  CHECK(strcmp(of_shared, of_single) == 0);
  CHECK(mlpd_trainer_steps(shared) == STEPS && mlpd_trainer_buffered(shared) == BUFFER);
  mlpd_trainer_free(shared);
  mlpd_trainer_free(single);
}

static void test_bits(void **state) {
  (void)state;
  check_bits(NULL, TARGETS, false);
  check_bits((const char *const[]){"task", "classification", "norm", "layer", "clip-norm", "0.5", NULL}, 3, true);
  check_bits((const char *const[]){"loss", "gaussian", "norm", "batch", "schedule", "cosine", "epochs", "4", NULL},
             TARGETS, false);
}

/* On half of the steps' file another trainer goes on, of other ranks. */
static void test_save(void **state) {
  (void)state;
  mlpd_trainer *const whole = trainer_of(comm, NULL, TARGETS), *const rest = trainer_of(comm, NULL, TARGETS);
  mlpd_trainer *const single = trainer_of(alone, NULL, TARGETS);
  char expected[17], found[17];
  (void)run(comm, whole, 0, false);
  CHECK(mlpd_trainer_save(whole, in_folder("half.h5")) == MLPD_OK);
  (void)run(comm, whole, STEPS, false);
  digest_of(whole, expected);
  (void)run(comm, rest, 3, false); /* which counts no more */
  CHECK(mlpd_trainer_load(rest, in_folder("half.h5")) == MLPD_OK && mlpd_trainer_steps(rest) == STEPS);
  (void)run(comm, rest, STEPS, false);
  digest_of(rest, found);
  CHECK(strcmp(found, expected) == 0);
  CHECK(mlpd_trainer_load(single, in_folder("half.h5")) == MLPD_OK);
  (void)run(alone, single, STEPS, false);
  digest_of(single, found);
  CHECK(strcmp(found, expected) == 0);
  mlpd_trainer_free(whole);
  mlpd_trainer_free(rest);
  mlpd_trainer_free(single);
}

/* info names the file, and a command that wants a model says what it is. */
static void check_described(const char *path) {
  char *text = NULL;
  mlpd_model *model = NULL;
  CHECK(mlpd_describe(path, &text) == MLPD_OK);
  static const char *const parts[] = {"trainer under way (mlpd_trainer_save) after step ", "rows of ", "buffer of ",
                                      "hidden = 9,5"};
  for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
    if (strstr(text, parts[i]) == NULL) fail_msg("no '%s' in:\n%s", parts[i], text);
  free(text);
  CHECK(mlpd_model_load(path, &model) == MLPD_ERROR_DATA);
  if (strstr(mlpd_error_message(), "a trainer's file, not a model") == NULL) fail_msg("%s", mlpd_error_message());
}

static void test_foreign_file(void **state) {
  (void)state;
  mlpd_trainer *const t = trainer_of(comm, NULL, TARGETS);
  mlpd_trainer *const other = trainer_of(comm, (const char *const[]){"hidden", "9,6", NULL}, TARGETS);
  char before[17], after[17];
  (void)run(comm, t, 0, false);
  digest_of(t, before);
  CHECK(mlpd_trainer_save(t, in_folder("t.h5")) == MLPD_OK);
  REFUSES(MLPD_ERROR_USAGE, "'hidden = 9,5', this trainer has 'hidden = 9,6'",
          mlpd_trainer_load(other, in_folder("t.h5")));
  REFUSES(MLPD_ERROR_FILE, "no such file", mlpd_trainer_load(t, in_folder("absent.h5")));
  if (me == 0) check_described(in_folder("t.h5"));
  mlpd_model *model = NULL;
  CHECK(mlpd_trainer_model(t, &model) == MLPD_OK);
  if (me == 0) CHECK(mlpd_model_save(model, in_folder("model.h5")) == MLPD_OK);
  CHECK(comm_barrier(comm) == MLPD_OK);
  REFUSES(MLPD_ERROR_DATA, "not a file of mlpd_trainer_save()", mlpd_trainer_load(t, in_folder("model.h5")));
  digest_of(t, after);
  CHECK(strcmp(before, after) == 0);
  mlpd_model_free(model);
  mlpd_trainer_free(t);
  mlpd_trainer_free(other);
}

/* ---- The right values ------------------------------------------------------------------------------- */

/* A step is the one of mlpd_fit on these rows. */
static void test_one_step(void **state) {
  (void)state;
  const char *const more[] = {"dropout", "0", "optimizer",   "sgd", "lr", "0.5",
                              "lanes",   "1", "clip-inputs", "1.5", NULL};
  const char *const sizes[] = {"dropout", "0", "optimizer",      "sgd", "lr",   "0.5",        "lanes",       "1",
                               "epochs",  "1", "valid-fraction", "0",   "task", "regression", "clip-inputs", "1.5",
                               NULL};
  mlpd_options *const options = options_of(sizes);
  mlpd_trainer *const t = trainer_of(alone, more, TARGETS);
  mlpd_model *expected = NULL, *found = NULL;
  const piece *const p = rows_of(alone, 0, BATCH);
  const mlpd_data_rows rows = {.x = p->rows_x, .y = p->rows_y};
  CHECK(mlpd_trainer_step(t, &p->rows_x, &p->rows_y, NULL) == MLPD_OK);
  CHECK(mlpd_trainer_model(t, &found) == MLPD_OK);
  mlpd_options_rows(options, &rows);
  CHECK(mlpd_fit(alone, options, &expected) == MLPD_OK);
  for (uint32_t j = 0; j < FEATURES; j++) CHECK(fabs(found->input.scale[j] / expected->input.scale[j] - 1) < 1e-12);
  for (uint32_t k = 0; k < TARGETS; k++) CHECK(fabs(found->target.shift[k] - expected->target.shift[k]) < 1e-9);
  const mlpd_network *const a = found->network, *const b = expected->network;
  CHECK(a->arena_size == b->arena_size);
  for (size_t i = 0; i < a->arena_size; i++) CHECK(fabsf(a->parameters[i] - b->parameters[i]) < 1e-6f);
  mlpd_model_free(expected);
  mlpd_model_free(found);
  mlpd_options_free(options);
  mlpd_trainer_free(t);
}

/* A short batch is one of a trainer of that batch, on the same lanes. */
static void test_short_batch(void **state) {
  (void)state;
  const char *const more[] = {"dropout", "0", NULL}, *const shorter[] = {"dropout", "0", "batch", "16", NULL};
  const double shift[] = {0, 5, 10}, scale[] = {1, 1, 1}, zero[] = {0, 0}, one[] = {1, 1};
  mlpd_trainer *const t = trainer_of(comm, more, TARGETS), *const exact = trainer_of(alone, shorter, TARGETS);
  double loss[2] = {0, 1};
  CHECK(mlpd_trainer_normalize(t, shift, scale, zero, one) == MLPD_OK);
  CHECK(mlpd_trainer_normalize(exact, shift, scale, zero, one) == MLPD_OK);
  for (uint64_t s = 0; s < 3; s++) {
    const piece *p = rows_of(comm, 16 * s, 16);
    CHECK(mlpd_trainer_step(t, &p->rows_x, &p->rows_y, &loss[0]) == MLPD_OK);
    p = rows_of(alone, 16 * s, 16);
    CHECK(mlpd_trainer_step(exact, &p->rows_x, &p->rows_y, &loss[1]) == MLPD_OK);
    CHECK(fabs(loss[0] / loss[1] - 1) < 1e-5);
  }
  mlpd_trainer_free(t);
  mlpd_trainer_free(exact);
}

static void test_normalisation(void **state) {
  (void)state;
  mlpd_trainer *const t = trainer_of(comm, NULL, TARGETS);
  const double shift[] = {1, 2, 3}, scale[] = {0.5, 2, 1}, none[] = {1, 0, 1};
  mlpd_model *model = NULL;
  REFUSES(MLPD_ERROR_USAGE, "before the first rows", mlpd_trainer_model(t, &model));
  REFUSES(MLPD_ERROR_USAGE, "x_scale[1] is 0", mlpd_trainer_normalize(t, shift, none, NULL, NULL));
  REFUSES(MLPD_ERROR_USAGE, "both given, or both NULL", mlpd_trainer_normalize(t, shift, NULL, NULL, NULL));
  CHECK(mlpd_trainer_normalize(t, shift, scale, NULL, NULL) == MLPD_OK);
  const piece *const p = rows_of(comm, 0, BATCH);
  CHECK(mlpd_trainer_step(t, &p->rows_x, &p->rows_y, NULL) == MLPD_OK);
  CHECK(mlpd_trainer_model(t, &model) == MLPD_OK);
  CHECK(memcmp(model->input.shift, shift, sizeof shift) == 0 && memcmp(model->input.scale, scale, sizeof scale) == 0);
  double sum = 0;
  for (uint64_t i = 0; i < BATCH; i++) sum += 10 * x_at(i, 0) + 3;
  CHECK(fabs(model->target.shift[0] - sum / BATCH) < 1e-9);
  REFUSES(MLPD_ERROR_USAGE, "is fixed", mlpd_trainer_normalize(t, shift, scale, NULL, NULL));
  mlpd_trainer *next = NULL;
  mlpd_options *const options = options_of((const char *const[]){"hidden", "9,5", NULL});
  mlpd_options_model(options, model);
  CHECK(mlpd_trainer_create(comm, options, FEATURES, TARGETS, 0, 0, &next) == MLPD_OK);
  char was[17], is[17];
  digest_of(t, was);
  digest_of(next, is);
  CHECK(strcmp(was, is) == 0 && next->model->input.shift[2] == 3);
  mlpd_options_free(options);
  mlpd_trainer_free(next);
  mlpd_model_free(model);
  mlpd_trainer_free(t);
}

static mlpd_trainer *trainer_from(mlpd_comm *with, const mlpd_model *model) {
  mlpd_options *const options = options_of(NULL);
  mlpd_trainer *made = NULL;
  mlpd_options_model(options, model);
  CHECK(mlpd_trainer_create(with, options, FEATURES, TARGETS, 2, BUFFER, &made) == MLPD_OK);
  mlpd_options_free(options);
  return made;
}

static void check_curves(const mlpd_trainer *t, const column_curves *expected) {
  mlpd_model *found = NULL;
  CHECK(mlpd_trainer_model(t, &found) == MLPD_OK);
  const column_curves *const c = found->input.curves;
  CHECK(c != NULL && c->first[FEATURES] == expected->first[FEATURES]);
  const size_t bytes = c->first[FEATURES] * sizeof(double);
  CHECK(memcmp(c->x, expected->x, bytes) == 0 && memcmp(c->z, expected->z, bytes) == 0);
  mlpd_model_free(found);
}

/* Curves of the model to start from stay: in rows, in files, and in the model so far. */
static void test_curves(void **state) {
  (void)state;
  mlpd_options *const options = options_of((const char *const[]){"normalize", "quantile", "epochs", "1", NULL});
  mlpd_model *model = NULL;
  const piece *const p = rows_of(alone, 0, BATCH);
  const mlpd_data_rows rows = {.x = p->rows_x, .y = p->rows_y};
  mlpd_options_rows(options, &rows);
  CHECK(mlpd_fit(alone, options, &model) == MLPD_OK && model->input.curves != NULL);
  mlpd_options_free(options);
  mlpd_trainer *const t = trainer_from(comm, model), *const single = trainer_from(alone, model);
  mlpd_trainer *const plain = trainer_of(comm, NULL, TARGETS);
  char of_shared[17], of_single[17];
  const double loss = run(comm, t, 0, false), expected = run(alone, single, 0, false);
  CHECK(memcmp(&loss, &expected, sizeof loss) == 0);
  check_curves(t, model->input.curves);
  CHECK(mlpd_trainer_save(t, in_folder("curves.h5")) == MLPD_OK);
  REFUSES(MLPD_ERROR_USAGE, "curve_knots", mlpd_trainer_load(plain, in_folder("curves.h5")));
  (void)run(alone, single, STEPS, false);
  CHECK(mlpd_trainer_load(single, in_folder("curves.h5")) == MLPD_OK);
  check_curves(single, model->input.curves);
  (void)run(comm, t, STEPS, false);
  (void)run(alone, single, STEPS, false);
  digest_of(t, of_shared);
  digest_of(single, of_single);
  CHECK(strcmp(of_shared, of_single) == 0);
  mlpd_trainer *const fed = trainer_from(alone, model), *const other = trainer_from(comm, model);
  const piece *const first = rows_of(alone, 0, BATCH);
  CHECK(mlpd_trainer_add(fed, &first->rows_x, &first->rows_y) == MLPD_OK);
  CHECK(fed->buffer[1] == affine_number(&model->input, 1, x_at(0, 1)));
  CHECK(fed->buffer[1] != affine_map(&model->input, 1, x_at(0, 1)));
  mlpd_trainer_free(fed);
  const double shift[] = {1, 2, 3}, scale[] = {0.5, 2, 1};
  CHECK(mlpd_trainer_normalize(other, shift, scale, NULL, NULL) == MLPD_OK && other->model->input.curves == NULL);
  mlpd_trainer_free(other);
  mlpd_trainer_free(plain);
  mlpd_trainer_free(single);
  mlpd_trainer_free(t);
  mlpd_model_free(model);
}

/* Of 40 places after 30 * 24 rows: each holds another row, late ones too, the mean of their numbers in the middle. */
static void test_reservoir(void **state) {
  (void)state;
  enum { PIECES = 30 };
  mlpd_trainer *const t = trainer_of(comm, (const char *const[]){"normalize", "none", NULL}, TARGETS);
  bool held[PIECES * BATCH] = {false};
  double mean = 0;
  for (uint64_t s = 0; s < PIECES; s++) {
    const piece *const p = rows_of(comm, s * BATCH, BATCH);
    CHECK(mlpd_trainer_add(t, &p->rows_x, &p->rows_y) == MLPD_OK);
  }
  CHECK(mlpd_trainer_buffered(t) == BUFFER && t->state.seen == PIECES * BATCH);
  for (uint64_t place = 0; place < BUFFER; place++) {
    uint64_t i = 0;
    while (i < PIECES * BATCH && t->buffer[place * t->record] != (float)x_at(i, 0)) i++;
    CHECK(i < PIECES * BATCH && !held[i] && t->buffer[place * t->record + 2] == (float)x_at(i, 2));
    held[i] = true;
    mean += (double)i / BUFFER;
  }
  CHECK(fabs(mean - PIECES * BATCH / 2.0) < 100); /* deviation 33 */
  mlpd_trainer_free(t);
}

/* ---- What is refused -------------------------------------------------------------------------------- */

static void check_refused(const char *option, const char *value, const char *word) {
  mlpd_options *const options = options_of((const char *const[]){option, value, NULL});
  mlpd_trainer *made = NULL;
  REFUSES(MLPD_ERROR_USAGE, word, mlpd_trainer_create(comm, options, FEATURES, TARGETS, 1, 0, &made));
  CHECK(made == NULL);
  mlpd_options_free(options);
}

static void test_refused_options(void **state) {
  (void)state;
  check_refused("schedule", "cosine", "set option schedule to constant, or option epochs");
  check_refused("regularization-schedule", "flat-cosine", "set it to constant, or option epochs");
  check_refused("schedule", "plateau", "no meaning here");
  check_refused("ema", "0.9", "option ema has no meaning here");
  check_refused("optimizer", "lbfgs", "option optimizer lbfgs has no meaning here");
  check_refused("data", "digits.h5", "option data has no meaning here");
  check_refused("normalize", "quantile", "option normalize quantile has no meaning here");
  check_refused("embed-numbers", "piecewise", "set option init-from to a model that has bins");
  check_refused("embed-numbers", "auto", "set it to none or periodic");
  check_refused("patience", "3", "option patience has no meaning here");
  check_refused("class-weight", "balanced", "option class-weight has no meaning here");
  check_refused("folds", "3", "option folds has no meaning here");
  check_refused("out", "run", "mlpd_trainer_save()");
  static const char *const idle[][2] = {
      {"valid-fraction", "0.2"}, {"test-fraction", "0.2"}, {"label", "y"},         {"x", "/x"},
      {"classes", "3"},          {"select", "auc"},        {"min-delta", "0.1"},   {"keep", "3"},
      {"checkpoint-every", "9"}, {"log", "json"},          {"trace", "t.json"},    {"check-every", "5"},
      {"stall-abort", "4"},      {"stall-timeout", "3"},   {"drop-missing", "yes"}};
  for (size_t i = 0; i < sizeof idle / sizeof *idle; i++) check_refused(idle[i][0], idle[i][1], "has no meaning here");
  if (size > 1) check_refused("lanes", "1", "set option lanes to");
  mlpd_options *const options = options_of(NULL);
  mlpd_trainer *made = NULL;
  mlpd_options_rows(options, &(mlpd_data_rows){.num_class_names = 0});
  REFUSES(MLPD_ERROR_USAGE, "mlpd_options_rows(options, NULL) removes them",
          mlpd_trainer_create(comm, options, FEATURES, TARGETS, 1, 0, &made));
  mlpd_options_rows(options, NULL);
  REFUSES(MLPD_ERROR_USAGE, "targets is 0", mlpd_trainer_create(comm, options, FEATURES, 0, 1, 0, &made));
  if (size > 1)
    REFUSES(MLPD_ERROR_USAGE, "buffer_rows is", mlpd_trainer_create(comm, options, FEATURES, 1, 1, me == 1, &made));
  mlpd_options_free(options);
}

/* Rows that are refused change nothing. */
static void test_refused_rows(void **state) {
  (void)state;
  mlpd_trainer *const t = trainer_of(comm, NULL, TARGETS), *const good = trainer_of(comm, NULL, TARGETS);
  mlpd_trainer *const classes = trainer_of(comm, (const char *const[]){"task", "classification", NULL}, 2);
  char was[17], is[17];
  REFUSES(MLPD_ERROR_USAGE, "the buffer has none", mlpd_trainer_step(t, NULL, NULL, NULL));
  piece bad = *rows_of(comm, 0, BATCH);
  bad.rows_x.data = bad.x;
  bad.rows_y.data = bad.y;
  if (me == size - 1) bad.x[2] = NAN;
  REFUSES(MLPD_ERROR_DATA, "row 0 of x has a value in column 2 that is not a finite number",
          mlpd_trainer_add(t, &bad.rows_x, &bad.rows_y));
  const piece *p = rows_of(comm, 0, 0);
  REFUSES(MLPD_ERROR_USAGE, "hand in 0 rows, but a step takes 1 to 24",
          mlpd_trainer_step(t, &p->rows_x, &p->rows_y, NULL));
  p = rows_of(comm, 0, BATCH);
  REFUSES(MLPD_ERROR_USAGE, "y has 1 columns where the model has 2",
          mlpd_trainer_step(t, &p->rows_x, &p->rows_classes, NULL));
  if (me == size - 1) bad.x[2] = 0;
  if (size > 1)
    REFUSES(MLPD_ERROR_USAGE, "is NULL",
            mlpd_trainer_step(t, me == 0 ? NULL : &p->rows_x, me == 0 ? NULL : &p->rows_y, NULL));
  REFUSES(MLPD_ERROR_DATA, "is 2, but classes are 0 to 1",
          mlpd_trainer_step(classes, &p->rows_x, &p->rows_classes, NULL));
  (void)run(comm, t, 0, false);
  (void)run(comm, good, 0, false);
  digest_of(t, was);
  digest_of(good, is);
  CHECK(strcmp(was, is) == 0);
  mlpd_trainer *const whole = trainer_of(comm, (const char *const[]){"norm", "batch", NULL}, TARGETS);
  mlpd_model *none = NULL;
  p = rows_of(comm, 0, 16);
  REFUSES(MLPD_ERROR_USAGE, "16 rows, but norm batch computes means over whole batches of 24",
          mlpd_trainer_step(whole, &p->rows_x, &p->rows_y, NULL));
  REFUSES(MLPD_ERROR_USAGE, "before the first rows", mlpd_trainer_model(whole, &none));
  mlpd_trainer_free(whole);
  mlpd_trainer_free(t);
  mlpd_trainer_free(good);
  mlpd_trainer_free(classes);
}

/* A trainer does not know the quartiles of its rows: with preset auto it has no preset. */
static void test_no_preset(void **state) {
  (void)state;
  static const char *const presets[] = {"auto", "none"};
  char digests[2][17];
  for (int i = 0; i < 2; i++) {
    mlpd_options *options = NULL;
    mlpd_trainer *made = NULL;
    CHECK(mlpd_options_create(&options) == MLPD_OK);
    CHECK(mlpd_options_set(options, "hidden", "9") == MLPD_OK && mlpd_options_set(options, "batch", "24") == MLPD_OK);
    CHECK(mlpd_options_set(options, "lanes", "4") == MLPD_OK && mlpd_options_set(options, "epochs", "2") == MLPD_OK);
    CHECK(mlpd_options_set(options, "preset", presets[i]) == MLPD_OK);
    CHECK(mlpd_trainer_create(comm, options, FEATURES, TARGETS, 3, BUFFER, &made) == MLPD_OK);
    (void)run(comm, made, 0, false);
    digest_of(made, digests[i]);
    mlpd_trainer_free(made);
    mlpd_options_free(options);
  }
  CHECK(strcmp(digests[0], digests[1]) == 0);
}

static int setup_all(void **state) {
  if (me == 0 && setup(state) != 0) return 1;
  return comm_broadcast(comm, folder, sizeof folder, 0) != MLPD_OK;
}

static int teardown_all(void **state) {
  if (comm_barrier(comm) != MLPD_OK) return 1;
  return me == 0 ? teardown(state) : 0;
}

int main(int argc, char **argv) {
  if (mlpd_comm_init(&argc, &argv, &comm) != MLPD_OK || mlpd_comm_alone(&alone) != MLPD_OK) return 1;
  me = mlpd_comm_rank(comm);
  size = mlpd_comm_size(comm);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_no_preset),       cmocka_unit_test(test_bits),          cmocka_unit_test(test_save),
      cmocka_unit_test(test_foreign_file),    cmocka_unit_test(test_one_step),      cmocka_unit_test(test_short_batch),
      cmocka_unit_test(test_reservoir),       cmocka_unit_test(test_normalisation), cmocka_unit_test(test_curves),
      cmocka_unit_test(test_refused_options), cmocka_unit_test(test_refused_rows)};
  const int failed = cmocka_run_group_tests(tests, setup_all, teardown_all);
  mlpd_comm_finalize(alone);
  mlpd_comm_finalize(comm);
  return failed;
}
