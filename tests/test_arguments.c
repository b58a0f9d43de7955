/* mpi: 1 2. Wrong arguments: NULL pointers and values out of range give MLPD_ERROR_USAGE and a message that names them,
 * on all ranks, and the library can be used afterwards. */
#include "mlpdist.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "h5/h5.h"
#include "ranks/comm.h"

#include <cmocka.h>
#include "temporary_folder.h"

static mlpd_comm *comm;

/* call: its text. The message of a NULL names function and parameter as mlpdist.h does: "mlpd_export: model is NULL".
 */
static void assert_usage(mlpd_status status, const char *call, const char *word, int line) {
  const char *const message = mlpd_error_message();
  char null[160];
  (void)snprintf(null, sizeof null, "%.*s: %s is NULL", (int)strcspn(call, "("), call, word);
  const bool of_null = strstr(message, " is NULL") != NULL && strstr(word, " is NULL") == NULL;
  if (status != MLPD_ERROR_USAGE || strstr(message, of_null ? null : word) == NULL || strchr(message, '\n') != NULL)
    fail_msg("line %d: status %d, \"%s\" without \"%s\"", line, (int)status, message, of_null ? null : word);
}

#define ASSERT_USAGE(call, word) assert_usage(call, #call, word, __LINE__)

/* One folder for all ranks, and a data set in it. */
static int make_data(void **state) {
  (void)state;
  enum { ROWS = 60 };
  float x[2 * ROWS];
  uint8_t y[ROWS];
  mlpd_status status = MLPD_OK;
  if (mlpd_comm_rank(comm) == 0 && setup(state) != 0) return 1;
  if (comm_broadcast(comm, folder, sizeof folder, 0) != MLPD_OK) return 1;
  for (int i = 0; i < ROWS; i++) {
    x[2 * i] = (float)(i % 7);
    x[2 * i + 1] = (float)(i % 11);
    y[i] = i % 7 > 3;
  }
  if (mlpd_comm_rank(comm) == 0) {
    h5_file *file = NULL;
    status = h5_create(in_folder("d.h5"), &file);
    if (status == MLPD_OK) status = h5_write(file, "/train/x", ROWS, 2, ELEMENT_F32, x);
    if (status == MLPD_OK) status = h5_write(file, "/train/y", ROWS, 0, ELEMENT_U8, y);
    const mlpd_status closed = h5_close(file);
    if (status == MLPD_OK) status = closed;
  }
  return mlpd_comm_agree(comm, status) != MLPD_OK;
}

static int remove_data(void **state) {
  if (comm_barrier(comm) != MLPD_OK) return 1;
  return mlpd_comm_rank(comm) == 0 ? teardown(state) : 0;
}

static mlpd_train_options good_options(void) {
  mlpd_train_options options;
  mlpd_train_options_default(&options);
  options.data.file = in_folder("d.h5");
  options.out = in_folder("run");
  options.hidden = "4";
  options.epochs = 1;
  options.batch = 20;
  options.threads = 1;
  return options;
}

static void test_train(void **state) {
  (void)state;
  char *text = NULL;
  mlpd_train_result result;
  const mlpd_train_options options = good_options();
  ASSERT_USAGE(mlpd_train(NULL, &options, NULL, &result), "comm");
  ASSERT_USAGE(mlpd_train(comm, NULL, NULL, &result), "options");
  ASSERT_USAGE(mlpd_train(comm, &options, NULL, NULL), "result");
  ASSERT_USAGE(mlpd_train_check(NULL), "options");
  ASSERT_USAGE(mlpd_train_options_check(NULL), "options");
  ASSERT_USAGE(mlpd_train_options_set(NULL, "lr", "1"), "options");
  ASSERT_USAGE(mlpd_train_options_text(NULL, &text), "options");
  ASSERT_USAGE(mlpd_train_options_text(&options, NULL), "text");
  ASSERT_USAGE(mlpd_train_model(NULL, &options, NULL, &result, NULL), "comm");
  ASSERT_USAGE(mlpd_train_model(comm, NULL, NULL, &result, NULL), "options");
  assert_ok(mlpd_train_check(&options));
  assert_ok(mlpd_train(comm, &options, NULL, &result));
}

static mlpd_model *trained(void) {
  mlpd_model *model = NULL;
  mlpd_train_result result;
  const mlpd_train_options options = good_options();
  assert_ok(mlpd_train(comm, &options, NULL, &result));
  assert_ok(mlpd_model_load(in_folder("run/model.h5"), &model));
  return model;
}

static void test_evaluate(void **state) {
  (void)state;
  mlpd_report r;
  mlpd_model *const model = trained();
  const mlpd_data_paths data = {.file = in_folder("d.h5")}, none = {.file = NULL}, empty = {.file = ""};
  ASSERT_USAGE(mlpd_evaluate(NULL, model, &data, MLPD_TRAIN, NULL, 1, &r), "comm");
  ASSERT_USAGE(mlpd_evaluate(comm, NULL, &data, MLPD_TRAIN, NULL, 1, &r), "model");
  ASSERT_USAGE(mlpd_evaluate(comm, model, NULL, MLPD_TRAIN, NULL, 1, &r), "data");
  ASSERT_USAGE(mlpd_evaluate(comm, model, &data, MLPD_TRAIN, NULL, 1, NULL), "report");
  ASSERT_USAGE(mlpd_evaluate(comm, model, &none, MLPD_TRAIN, NULL, 1, &r), "data");
  ASSERT_USAGE(mlpd_evaluate(comm, model, &empty, MLPD_TRAIN, NULL, 1, &r), "data");
  ASSERT_USAGE(mlpd_evaluate(comm, model, &data, (mlpd_split)7, NULL, 1, &r), "7");
  ASSERT_USAGE(mlpd_evaluate(comm, model, &data, (mlpd_split)-1, NULL, 1, &r), "-1");
  ASSERT_USAGE(mlpd_evaluate(comm, model, &data, MLPD_TRAIN, "abacus", 1, &r), "abacus");
  ASSERT_USAGE(mlpd_evaluate(comm, model, &data, MLPD_TRAIN, NULL, -1, &r), "threads");
  ASSERT_USAGE(mlpd_evaluate(comm, model, &data, MLPD_TRAIN, NULL, 1000000, &r), "threads");
  mlpd_report_free(&r); /* of a call that failed */
  mlpd_report_free(NULL);
  /* One rank alone gets it wrong: all are told. */
  const bool last = mlpd_comm_rank(comm) == mlpd_comm_size(comm) - 1;
  ASSERT_USAGE(mlpd_evaluate(comm, last ? NULL : model, &data, MLPD_TRAIN, NULL, 1, &r), "model");
  ASSERT_USAGE(mlpd_evaluate(comm, model, &data, MLPD_TRAIN, NULL, 1, last ? NULL : &r), "report");
  ASSERT_USAGE(mlpd_evaluate(comm, model, &data, MLPD_TRAIN, last ? "abacus" : NULL, 1, &r), "abacus");
  assert_ok(mlpd_evaluate(comm, model, &data, MLPD_TRAIN, NULL, 1, &r));
  assert_int_equal(r.rows, 60);
  mlpd_report_free(&r);
  mlpd_model_free(model);
}

static void test_importance(void **state) {
  (void)state;
  mlpd_report r;
  mlpd_importance found = {0};
  mlpd_model *const model = trained();
  const mlpd_data_paths data = {.file = in_folder("d.h5")};
  const bool last = mlpd_comm_rank(comm) == mlpd_comm_size(comm) - 1;
  ASSERT_USAGE(mlpd_evaluate_importance(comm, NULL, &data, MLPD_TRAIN, NULL, 1, 5, 1, &r, &found), "model");
  ASSERT_USAGE(mlpd_evaluate_importance(comm, model, &data, MLPD_TRAIN, NULL, 1, 5, 1, last ? NULL : &r, &found),
               "report");
  ASSERT_USAGE(mlpd_evaluate_importance(comm, model, &data, MLPD_TRAIN, NULL, 1, 5, 1, &r, last ? NULL : &found),
               "importance");
  ASSERT_USAGE(mlpd_evaluate_importance(comm, model, &data, MLPD_TRAIN, NULL, 1, last ? 0 : 5, 1, &r, &found),
               "repeats is 0, not 1 to 10000");
  ASSERT_USAGE(mlpd_evaluate_importance(comm, model, &data, MLPD_TRAIN, NULL, 1, 10001, 1, &r, &found), "10001");
  if (mlpd_comm_size(comm) > 1)
    ASSERT_USAGE(mlpd_evaluate_importance(comm, model, &data, MLPD_TRAIN, NULL, 1, 5, last ? 2 : 1, &r, &found),
                 "seed 2");
  assert_null(found.columns);
  assert_ok(mlpd_evaluate_importance(comm, model, &data, MLPD_TRAIN, NULL, 1, 5, 1, &r, &found));
  assert_int_equal(found.count, 2);
  assert_true(found.columns[0].mean >= found.columns[1].mean);
  mlpd_importance_free(&found);
  mlpd_importance_free(NULL);
  mlpd_report_free(&r);
  mlpd_model_free(model);
}

static void test_predict(void **state) {
  (void)state;
  uint64_t n = 1;
  mlpd_model *const model = trained();
  const mlpd_data_paths data = {.file = in_folder("d.h5")}, none = {.file = NULL};
  char out[256];
  (void)snprintf(out, sizeof out, "%s", in_folder("p.csv"));
  ASSERT_USAGE(mlpd_predict(NULL, model, &data, MLPD_TRAIN, out, NULL, 1, &n), "comm");
  ASSERT_USAGE(mlpd_predict(comm, NULL, &data, MLPD_TRAIN, out, NULL, 1, &n), "model");
  ASSERT_USAGE(mlpd_predict(comm, model, NULL, MLPD_TRAIN, out, NULL, 1, &n), "data");
  ASSERT_USAGE(mlpd_predict(comm, model, &data, MLPD_TRAIN, out, NULL, 1, NULL), "rows");
  ASSERT_USAGE(mlpd_predict(comm, model, &none, MLPD_TRAIN, out, NULL, 1, &n), "data");
  ASSERT_USAGE(mlpd_predict(comm, model, &data, MLPD_TRAIN, NULL, NULL, 1, &n), "--out");
  ASSERT_USAGE(mlpd_predict(comm, model, &data, MLPD_TRAIN, "", NULL, 1, &n), "--out");
  ASSERT_USAGE(mlpd_predict(comm, model, &data, (mlpd_split)3, out, NULL, 1, &n), "3");
  ASSERT_USAGE(mlpd_predict(comm, model, &data, MLPD_TRAIN, out, "abacus", 1, &n), "abacus");
  ASSERT_USAGE(mlpd_predict(comm, model, &data, MLPD_TRAIN, out, NULL, -3, &n), "threads");
  ASSERT_USAGE(mlpd_predict(comm, model, &data, MLPD_TRAIN, data.file, NULL, 1, &n), "would destroy it");
  assert_int_equal(n, 0);
  assert_ok(mlpd_predict(comm, model, &data, MLPD_TRAIN, out, NULL, 1, &n));
  assert_int_equal(n, 60);
  mlpd_model_free(model);
}

static void test_doctor(void **state) {
  (void)state;
  mlpd_doctor_report report;
  mlpd_doctor_options good, o;
  mlpd_doctor_options_default(&good);
  ASSERT_USAGE(mlpd_doctor(NULL, &good, &report), "comm");
  ASSERT_USAGE(mlpd_doctor(comm, NULL, &report), "options");
  ASSERT_USAGE(mlpd_doctor(comm, &good, NULL), "report");
  o = good, o.hidden = NULL;
  ASSERT_USAGE(mlpd_doctor(comm, &o, &report), "hidden");
  o = good, o.hidden = "12,x";
  ASSERT_USAGE(mlpd_doctor(comm, &o, &report), "hidden");
  o = good, o.activation = "relu,juggle";
  ASSERT_USAGE(mlpd_doctor(comm, &o, &report), "activation");
  o = good, o.optimizer = (mlpd_optimizer)-5;
  ASSERT_USAGE(mlpd_doctor(comm, &o, &report), "optimizer");
  o = good, o.members = 0;
  ASSERT_USAGE(mlpd_doctor(comm, &o, &report), "members");
  o = good, o.batch = 0;
  ASSERT_USAGE(mlpd_doctor(comm, &o, &report), "batch");
  o = good, o.lanes = 70000;
  ASSERT_USAGE(mlpd_doctor(comm, &o, &report), "lanes");
  o = good, o.backend = "abacus";
  ASSERT_USAGE(mlpd_doctor(comm, &o, &report), "abacus");
  o = good, o.threads = -1;
  ASSERT_USAGE(mlpd_doctor(comm, &o, &report), "threads");
  o = good, o.ranks = "4,none";
  ASSERT_USAGE(mlpd_doctor(comm, &o, &report), "ranks");
  o = good, o.latency = -1;
  ASSERT_USAGE(mlpd_doctor(comm, &o, &report), "latency");
  o = good, o.seconds = -1;
  ASSERT_USAGE(mlpd_doctor(comm, &o, &report), "seconds");
}

static void test_convert(void **state) {
  (void)state;
  mlpd_convert_options good, o;
  mlpd_convert_result result;
  const char *const inputs[] = {"a.csv"}, *const nameless[] = {NULL}, *const empty[] = {""};
  mlpd_convert_options_default(&good);
  good.inputs = inputs;
  good.num_inputs = 1;
  good.out = "a.h5";
  ASSERT_USAGE(mlpd_convert(NULL, &result), "options");
  ASSERT_USAGE(mlpd_convert(&good, NULL), "result");
  o = good, o.inputs = NULL;
  ASSERT_USAGE(mlpd_convert(&o, &result), "input");
  o = good, o.num_inputs = 0;
  ASSERT_USAGE(mlpd_convert(&o, &result), "input");
  o = good, o.num_inputs = -1;
  ASSERT_USAGE(mlpd_convert(&o, &result), "input");
  o = good, o.inputs = nameless;
  ASSERT_USAGE(mlpd_convert(&o, &result), "input 1");
  o = good, o.inputs = empty;
  ASSERT_USAGE(mlpd_convert(&o, &result), "input 1");
  o = good, o.out = NULL;
  ASSERT_USAGE(mlpd_convert(&o, &result), "output");
  o = good, o.out = "a.csv";
  ASSERT_USAGE(mlpd_convert(&o, &result), "a.csv");
  o = good, o.task = (mlpd_task)44;
  ASSERT_USAGE(mlpd_convert(&o, &result), "44");
  o = good, o.roles = &(mlpd_split){(mlpd_split)9};
  ASSERT_USAGE(mlpd_convert(&o, &result), "9");
  o = good, o.valid_fraction = -0.1;
  ASSERT_USAGE(mlpd_convert(&o, &result), "-0.1");
  o = good, o.test_fraction = 0.6, o.valid_fraction = 0.6;
  ASSERT_USAGE(mlpd_convert(&o, &result), "0.6");
  o = good, o.compress = 10;
  ASSERT_USAGE(mlpd_convert(&o, &result), "10");
  o = good, o.header = "perhaps";
  ASSERT_USAGE(mlpd_convert(&o, &result), "perhaps");
  o = good, o.header = NULL;
  ASSERT_USAGE(mlpd_convert(&o, &result), "header");
  o = good, o.delimiter = '5';
  ASSERT_USAGE(mlpd_convert(&o, &result), "'5'");
}

/* Empty paths, as of a shell's variable that is not set. */
static void test_empty_paths(void **state) {
  (void)state;
  mlpd_model *const model = trained(), *made = NULL;
  mlpd_import_options options;
  mlpd_options *named = NULL;
  mlpd_trainer *trainer = NULL;
  char *text = NULL;
  mlpd_import_options_default(&options);
  ASSERT_USAGE(mlpd_model_load("", &made), "the path is empty");
  ASSERT_USAGE(mlpd_model_save(model, ""), "the path is empty");
  ASSERT_USAGE(mlpd_export(model, ""), "the path is empty");
  ASSERT_USAGE(mlpd_import("", &options, &made), "the path is empty");
  ASSERT_USAGE(mlpd_import_file("", &options, "out.h5"), "the path is empty");
  ASSERT_USAGE(mlpd_import_file("net.onnx", &options, ""), "the path is empty");
  ASSERT_USAGE(mlpd_describe("", &text), "the path is empty");
  assert_ok(mlpd_options_create(&named));
  assert_ok(mlpd_options_set(named, "epochs", "1"));
  assert_ok(mlpd_trainer_create(comm, named, 1, 1, 0, 0, &trainer));
  ASSERT_USAGE(mlpd_trainer_save(trainer, ""), "the path is empty");
  ASSERT_USAGE(mlpd_trainer_load(trainer, ""), "the path is empty");
  mlpd_trainer_free(trainer);
  mlpd_options_free(named);
  mlpd_model_free(model);
}

static void test_memory(void **state) {
  (void)state;
  double value = 0;
  const mlpd_rows x = {.data = &value, .type = MLPD_FLOAT64, .rows = 1, .columns = 1};
  const mlpd_output y = {.data = &value, .type = MLPD_FLOAT64, .rows = 1, .columns = 1};
  mlpd_predictor *predictor = NULL;
  mlpd_options *options = NULL;
  ASSERT_USAGE(mlpd_predictor_create(NULL, 1, &predictor), "model");
  ASSERT_USAGE(mlpd_predictor_create(NULL, 1, NULL), "predictor");
  ASSERT_USAGE(mlpd_predictor_run(NULL, &x, &y, NULL), "predictor");
  ASSERT_USAGE(mlpd_predictor_jacobian(NULL, &x, &y), "predictor");
  ASSERT_USAGE(mlpd_predictor_vjp(NULL, &x, &x, &y), "predictor");
  ASSERT_USAGE(mlpd_comm_from(0, NULL), "comm");
  ASSERT_USAGE(mlpd_comm_alone(NULL), "comm");
  ASSERT_USAGE(mlpd_options_create(NULL), "options");
  ASSERT_USAGE(mlpd_fit(comm, NULL, NULL), "options");
  ASSERT_USAGE(mlpd_fit(NULL, NULL, NULL), "comm");
  if (mlpd_options_create(&options) != MLPD_OK) fail_msg("%s", mlpd_error_message());
  ASSERT_USAGE(mlpd_fit(comm, options, NULL), "data"); /* neither a file nor rows */
  const char *const nameless[] = {NULL}, *const classes[] = {"a", NULL};
  const mlpd_data_rows given = {.x = x, .y = x};
  mlpd_data_rows rows = given;
  rows.column_names = nameless;
  mlpd_options_rows(options, &rows);
  ASSERT_USAGE(mlpd_fit(comm, options, NULL), "column_names[0] is NULL");
  rows = given, rows.target_names = nameless;
  mlpd_options_rows(options, &rows);
  ASSERT_USAGE(mlpd_fit(comm, options, NULL), "target_names[0] is NULL");
  rows = given, rows.class_names = classes, rows.num_class_names = 2;
  mlpd_options_rows(options, &rows);
  ASSERT_USAGE(mlpd_fit(comm, options, NULL), "class_names[1] is NULL");
  rows = given, rows.y = (mlpd_rows){.data = NULL};
  mlpd_options_rows(options, &rows);
  assert_int_equal(mlpd_fit(comm, options, NULL), MLPD_ERROR_DATA);
  assert_non_null(strstr(mlpd_error_message(), "the rows in memory: y is not given, or has no rows"));
  mlpd_options_free(options);
}

static void test_under_way(void **state) {
  (void)state;
  double loss = 0;
  mlpd_options *options = NULL;
  mlpd_trainer *trainer = NULL;
  mlpd_model *model = NULL;
  const mlpd_rows x = {.data = &loss, .type = MLPD_FLOAT64, .rows = 1, .columns = 1};
  assert_ok(mlpd_options_create(&options));
  ASSERT_USAGE(mlpd_trainer_create(NULL, options, 1, 1, 0, 0, &trainer), "comm");
  ASSERT_USAGE(mlpd_trainer_create(comm, NULL, 1, 1, 0, 0, &trainer), "options");
  ASSERT_USAGE(mlpd_trainer_create(comm, options, 1, 1, 0, 0, NULL), "trainer");
  ASSERT_USAGE(mlpd_trainer_normalize(NULL, &loss, &loss, NULL, NULL), "trainer");
  ASSERT_USAGE(mlpd_trainer_add(NULL, &x, &x), "trainer");
  ASSERT_USAGE(mlpd_trainer_step(NULL, &x, &x, &loss), "trainer");
  ASSERT_USAGE(mlpd_trainer_model(NULL, &model), "trainer");
  ASSERT_USAGE(mlpd_trainer_save(NULL, "t.h5"), "trainer");
  ASSERT_USAGE(mlpd_trainer_load(NULL, "t.h5"), "trainer");
  mlpd_options_free(options);
  mlpd_trainer_free(NULL);
}

static void test_the_rest(void **state) {
  (void)state;
  mlpd_model *model = (mlpd_model *)&comm; /* must not stay */
  mlpd_network *network = NULL;
  mlpd_train_options options = good_options();
  mlpd_trace trace;
  int taken = 0;
  char character = 0;
  const uint32_t widths[] = {2, 3};
  const mlpd_activation activations[] = {MLPD_IDENTITY};
  const float x[2] = {1, 2}, y[3] = {0};
  const mlpd_samples samples = {.n = 1, .x = x, .y = y};
  mlpd_network *made = NULL;
  mlpd_descent *descent = NULL;
  char *text = NULL;
  const mlpd_option *const lr = mlpd_option_find(mlpd_train_option_table, "lr");
  ASSERT_USAGE(mlpd_model_load(NULL, &model), "path");
  assert_null(model);
  ASSERT_USAGE(mlpd_model_load("m.h5", NULL), "model");
  ASSERT_USAGE(mlpd_export(NULL, "net.c"), "model");
  ASSERT_USAGE(mlpd_import(NULL, NULL, &model), "path");
  ASSERT_USAGE(mlpd_import("net.onnx", NULL, &model), "options");
  ASSERT_USAGE(mlpd_import_file(NULL, NULL, "out.h5"), "path");
  ASSERT_USAGE(mlpd_import_file("net.onnx", NULL, "out.h5"), "options");
  ASSERT_USAGE(mlpd_describe(NULL, &text), "path");
  ASSERT_USAGE(mlpd_describe("m.h5", NULL), "text");
  ASSERT_USAGE(mlpd_network_create(1, NULL, activations, &network), "widths");
  ASSERT_USAGE(mlpd_network_create(1, widths, NULL, &network), "activations");
  ASSERT_USAGE(mlpd_network_create(1, widths, activations, NULL), "network");
  ASSERT_USAGE(mlpd_network_create(0, widths, activations, &network), "layer");
  assert_ok(mlpd_network_create(1, widths, activations, &network));
  ASSERT_USAGE(mlpd_network_trace(NULL, MLPD_MSE, 1, x, y, &trace), "network");
  ASSERT_USAGE(mlpd_network_trace(network, MLPD_MSE, 1, NULL, y, &trace), "mlpd_network_trace: x is NULL");
  ASSERT_USAGE(mlpd_network_trace(network, MLPD_MSE, 1, x, NULL, &trace), "mlpd_network_trace: y is NULL");
  ASSERT_USAGE(mlpd_network_trace(network, MLPD_MSE, 1, x, y, NULL), "trace");
  ASSERT_USAGE(mlpd_network_trace(network, MLPD_MSE, 0, x, y, &trace), "0 samples");
  ASSERT_USAGE(mlpd_network_trace(network, (mlpd_loss)99, 1, x, y, &trace), "99");
  ASSERT_USAGE(mlpd_network_trace_options(NULL, &options, 0, &samples, &trace), "network");
  ASSERT_USAGE(mlpd_network_trace_options(network, NULL, 0, &samples, &trace), "options");
  ASSERT_USAGE(mlpd_network_trace_options(network, &options, 0, NULL, &trace), "samples");
  ASSERT_USAGE(mlpd_network_trace_options(network, &options, 0, &(mlpd_samples){.n = 1, .y = y}, &trace), "samples->x");
  ASSERT_USAGE(mlpd_network_trace_options(network, &options, 0, &samples, NULL), "trace");
  ASSERT_USAGE(mlpd_descent_create(NULL, network, &descent), "options");
  ASSERT_USAGE(mlpd_descent_create(&options, NULL, &descent), "network");
  ASSERT_USAGE(mlpd_descent_create(&options, network, NULL), "descent");
  ASSERT_USAGE(mlpd_network_from_options(NULL, 2, 3, &made), "options");
  ASSERT_USAGE(mlpd_network_from_options(&options, 2, 3, NULL), "network");
  ASSERT_USAGE(mlpd_network_from_options(&options, 0, 3, &made), "width 0");
  options.embed_numbers = MLPD_EMBED_NUMBERS_PIECEWISE;
  ASSERT_USAGE(mlpd_network_from_options(&options, 2, 3, &made), "needs training rows, for the edges of its bins");
  ASSERT_USAGE(mlpd_network_from_samples(&options, 2, NULL, 3, NULL, &made), "samples is NULL");
  ASSERT_USAGE(mlpd_network_from_samples(&options, 2, NULL, 3, &(mlpd_samples){.x = x}, &made), "no samples");
  ASSERT_USAGE(mlpd_network_from_samples(&options, 2, NULL, 3, &samples, NULL), "network");
  ASSERT_USAGE(mlpd_network_from_samples(NULL, 2, NULL, 3, &samples, &made), "options");
  options.embed_numbers = MLPD_EMBED_NUMBERS_NONE;
  mlpd_network_free(network);
  ASSERT_USAGE(mlpd_descent_follow(NULL), "descent");
  mlpd_descent_free(NULL);
  ASSERT_USAGE(mlpd_threads_set(1, NULL), "taken");
  ASSERT_USAGE(mlpd_threads_set(-1, &taken), "threads");
  ASSERT_USAGE(mlpd_comm_agree(NULL, MLPD_OK), "comm");
  ASSERT_USAGE(mlpd_comm_init(NULL, NULL, NULL), "comm");
  ASSERT_USAGE(mlpd_train_options_set(&options, NULL, "1"), "name");
  ASSERT_USAGE(mlpd_train_options_set(&options, "lr", NULL), "text");
  ASSERT_USAGE(mlpd_option_set(NULL, "--lr", "1", &options), "row");
  ASSERT_USAGE(mlpd_option_set(lr, NULL, "1", &options), "where");
  ASSERT_USAGE(mlpd_option_set(lr, "--lr", "1", NULL), "values");
  ASSERT_USAGE(mlpd_option_check(NULL, "--lr", &options), "row");
  ASSERT_USAGE(mlpd_option_check(lr, NULL, &options), "where");
  ASSERT_USAGE(mlpd_option_check(lr, "--lr", NULL), "values");
  ASSERT_USAGE(mlpd_separator_read("--delimiter", ",", NULL), "character");
  ASSERT_USAGE(mlpd_separator_read("--delimiter", ",;", &character), "--delimiter");
  assert_ok(mlpd_separator_read("--delimiter", NULL, &character));
  mlpd_model_free(NULL);
  mlpd_network_free(NULL);
  mlpd_trace_free(NULL);
  mlpd_comm_finalize(NULL);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_train),       cmocka_unit_test(test_evaluate), cmocka_unit_test(test_importance),
      cmocka_unit_test(test_predict),     cmocka_unit_test(test_doctor),   cmocka_unit_test(test_convert),
      cmocka_unit_test(test_empty_paths), cmocka_unit_test(test_memory),   cmocka_unit_test(test_under_way),
      cmocka_unit_test(test_the_rest),
  };
  if (mlpd_comm_init(&argc, &argv, &comm) != MLPD_OK) {
    print_error("%s\n", mlpd_error_message());
    return 1;
  }
  const int failed = cmocka_run_group_tests_name("arguments", tests, make_data, remove_data);
  mlpd_comm_finalize(comm);
  return failed;
}
