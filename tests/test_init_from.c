/* Training that starts from a model in memory (src/prepare/init_from.h): what is matched by name, and what is computed
 * anew.
 */
#include <math.h>
#include <string.h>

#include "data/names.h"
#include "model/model.h"
#include "network/layer_kind.h"
#include "prepare/init_match.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include "quick_options.h"

enum { ROWS = 64, FEATURES = 3, CLASSES = 3 };

static mlpd_comm *comm;

/* A column permutation and its names: place 0 holds the model's column order[0], ... */
typedef struct arrangement {
  uint32_t order[FEATURES], class_order[CLASSES];
  const char *names[FEATURES], *class_names[CLASSES];
} arrangement;

static const arrangement plain = {{0, 1, 2}, {0, 1, 2}, {"a", "b", "c"}, {"low", "mid", "high"}};
static const arrangement moved = {{2, 0, 1}, {1, 2, 0}, {"c", "a", "b"}, {"high", "low", "mid"}};

static float x[ROWS * FEATURES];
static int32_t classes[ROWS];
static double values[2 * ROWS];
static char notes[4000];

static double number(uint32_t i, uint32_t j) { return sin(1 + 12.9898 * i + 78.233 * j) * (j + 1) + 10 * j; }

/* Rows from the formula; classes and two values of each. */
static mlpd_data_rows make_rows(const arrangement *as, bool regression) {
  for (uint32_t i = 0; i < ROWS; i++) {
    for (uint32_t j = 0; j < FEATURES; j++) x[i * FEATURES + j] = (float)number(i, as->order[j]);
    classes[i] = (int32_t)as->class_order[number(i, 0) > 0.3 ? 2 : number(i, 1) > 10 ? 1 : 0];
    values[2 * i] = number(i, 0) + number(i, 1);
    values[2 * i + 1] = 100 * number(i, 2);
  }
  mlpd_data_rows made = {.x = {x, MLPD_FLOAT32, ROWS, FEATURES, 0, 0},
                         .column_names = as->names,
                         .class_names = regression ? NULL : as->class_names,
                         .num_class_names = regression ? 0 : CLASSES};
  made.y =
      regression ? (mlpd_rows){values, MLPD_FLOAT64, ROWS, 2, 0, 0} : (mlpd_rows){classes, MLPD_INT32, ROWS, 1, 0, 0};
  return made;
}

static void take_note(void *context, const char *message) {
  (void)context;
  const size_t used = strlen(notes);
  (void)snprintf(notes + used, sizeof notes - used, "%s\n", message);
}

static mlpd_train_options options_of(const mlpd_data_rows *rows) {
  mlpd_train_options options;
  quick_options(&options);
  options.data.rows = rows;
  options.hidden = "256,256,256"; /* the default: the model's, where there is one */
  options.activation = "silu";
  options.batch = 16;
  options.epochs = 1;
  options.threads = 1;
  options.out = NULL;
  return options;
}

static mlpd_status train(const mlpd_train_options *options, mlpd_model **model) {
  const mlpd_train_events events = {.notice = take_note};
  mlpd_train_result result;
  notes[0] = '\0';
  return mlpd_train_model(comm, options, &events, &result, model);
}

/* The model's answers to row i of its own arrangement, (outputs). */
static void answer(const mlpd_model *model, const arrangement *as, uint32_t i, float *out) {
  float row[FEATURES];
  mlpd_predictor *predictor = NULL;
  for (uint32_t j = 0; j < FEATURES; j++) row[j] = (float)number(i, as->order[j]);
  assert_int_equal(mlpd_predictor_create(model, 1, &predictor), MLPD_OK);
  const mlpd_rows one = {row, MLPD_FLOAT32, 1, FEATURES, 0, 0};
  const mlpd_output to = {out, MLPD_FLOAT32, 1, mlpd_model_outputs(model), 0, 0};
  assert_int_equal(mlpd_predictor_run(predictor, &one, &to, NULL), MLPD_OK);
  mlpd_predictor_free(predictor);
}

/* Its network, beside what all have. */
typedef struct first_network {
  const char *hidden, *activation;
  mlpd_norm norm;
  double input_scale;
  uint32_t ensemble, members;
  double input_noise;
} first_network;

static mlpd_model *first_model(bool regression, const first_network *network) {
  const mlpd_data_rows rows = make_rows(&plain, regression);
  mlpd_model *model = NULL;
  mlpd_train_options options = options_of(&rows);
  options.hidden = network->hidden;
  options.activation = network->activation;
  options.norm = network->norm;
  options.input_scale = network->input_scale;
  options.input_noise = network->input_noise;
  options.ensemble = network->ensemble;
  options.members = network->members;
  options.epochs = 4;
  assert_int_equal(train(&options, &model), MLPD_OK);
  return model;
}

/* Without a step, the new model gives the answers of the first, whatever the order of its columns and classes. */
static void check_same(bool regression, const first_network *network) {
  mlpd_model *const from = first_model(regression, network), *made = NULL;
  mlpd_data_rows rows = make_rows(&moved, regression);
  rows.x.rows = rows.y.rows = ROWS / 2; /* of other means and deviations */
  mlpd_train_options options = options_of(&rows);
  options.init_model = from;
  options.dropout = "0.2"; /* is no layer of a model, nor is noise */
  options.input_noise = network->input_noise > 0 ? 0 : 0.1;
  options.lr = 0;
  assert_int_equal(train(&options, &made), MLPD_OK);
  assert_string_equal(notes, "");
  for (uint32_t i = 0; i < 5; i++) {
    float was[CLASSES], is[CLASSES];
    answer(from, &plain, i, was);
    answer(made, &moved, i, is);
    for (uint32_t k = 0; k < mlpd_model_outputs(from); k++)
      assert_true(fabsf(is[regression ? k : moved.class_order[k]] - was[k]) < 2e-5f * (1 + fabsf(was[k])));
  }
  mlpd_model_free(made);
  mlpd_model_free(from);
}

static void test_same(void **state) {
  (void)state;
  check_same(false, &(first_network){"7,5", "tanh", MLPD_NORM_NONE, 0, 1, 1, 0});
  check_same(true, &(first_network){"7,5", "tanh", MLPD_NORM_NONE, 0, 1, 1, 0});
  check_same(true, &(first_network){"7,5", "tanh", MLPD_NORM_LAYER, 6, 1, 1, 0});
}

/* A model of these networks cannot start a run of others. */
static void assert_unfit(const first_network *network, uint32_t ensemble, uint32_t members, const char *words) {
  mlpd_model *const from = first_model(true, network), *made = NULL;
  const mlpd_data_rows rows = make_rows(&plain, true);
  mlpd_train_options options = options_of(&rows);
  options.init_model = from;
  options.ensemble = ensemble;
  options.members = members;
  assert_int_equal(train(&options, &made), MLPD_ERROR_USAGE);
  assert_non_null(strstr(mlpd_error_message(), words));
  assert_non_null(strstr(mlpd_error_message(), "leave out --hidden, "));
  mlpd_model_free(from);
}

/* The scales of members and, with no hidden layers, the heads follow the columns. */
static void test_same_of_ensembles(void **state) {
  (void)state;
  check_same(true, &(first_network){"7,5", "tanh", MLPD_NORM_NONE, 6, 4, 1, 0});
  check_same(false, &(first_network){"", "silu", MLPD_NORM_NONE, 0, 4, 1, 0});
  assert_unfit(&(first_network){"7,5", "tanh", MLPD_NORM_NONE, 0, 4, 1, 0}, 5, 1,
               "scale of layer 1 is (4, 3) in the model, (5, 3) in this network");
}

/* So do the scales and the first heads of members that share nothing; further heads keep their places. */
static void test_same_of_members(void **state) {
  (void)state;
  check_same(true, &(first_network){"7,5", "tanh", MLPD_NORM_NONE, 6, 1, 4, 0});
  check_same(false, &(first_network){"7,5", "silu", MLPD_NORM_NONE, 0, 1, 3, 0});
  check_same(true, &(first_network){"", "silu", MLPD_NORM_NONE, 0, 1, 2, 0});
  /* Their scales are the fork's, or, above noise, a layer's. */
  check_same(true, &(first_network){"7,5", "tanh", MLPD_NORM_NONE, 6, 1, 4, 0.1});
  assert_unfit(&(first_network){"7,5", "tanh", MLPD_NORM_NONE, 0, 1, 4, 0}, 1, 5,
               "weight of layer 2 is (12, 7) in the model, (15, 7) in this network");
}

/* As members of versions before 2026-11-30: numbers become values below the fork. */
static void share_embedding(mlpd_model *model) {
  static const uint32_t sizes[FEATURES] = {1, 1, 1};
  const layer_spec specs[] = {{.kind = &layer_periodic, .outputs = 4 * FEATURES, .sizes = sizes, .width = 4},
                              {.kind = &layer_fork, .outputs = 4 * FEATURES, .copies = 2},
                              {.kind = &layer_heads, .outputs = 2}};
  mlpd_network_free(model->network);
  assert_int_equal(network_build(FEATURES, 3, specs, false, &model->network), MLPD_OK);
}

static void test_shared_embedding(void **state) {
  (void)state;
  mlpd_model *const from = first_model(true, &(first_network){"", "silu", MLPD_NORM_NONE, 0, 1, 2, 0}), *made = NULL;
  const mlpd_data_rows rows = make_rows(&plain, true);
  mlpd_train_options options = options_of(&rows);
  share_embedding(from);
  options.init_model = from;
  assert_int_equal(train(&options, &made), MLPD_ERROR_USAGE);
  assert_non_null(strstr(mlpd_error_message(), "the members of this model share embeddings"));
  mlpd_model_free(from);
}

/* Running means of batch norm are copied, too. */
static void test_tensors(void **state) {
  (void)state;
  mlpd_model *const from = first_model(true, &(first_network){"7,5", "tanh", MLPD_NORM_BATCH, 6, 1, 1, 0}),
                    *const made = first_model(true, &(first_network){"7,5", "tanh", MLPD_NORM_BATCH, 6, 1, 1, 0});
  mlpd_network *const network = mlpd_model_network(made);
  init_match match;
  char was[17], is[17];
  mlpd_network_init(network, MLPD_HE_NORMAL, 3);
  assert_int_equal(init_match_make(from, made, FEATURES, FEATURES, "rows", take_note, NULL, &match), MLPD_OK);
  assert_int_equal(init_match_weights(from, &match, network, take_note, NULL), MLPD_OK);
  mlpd_network_digest(mlpd_model_network(from), was);
  mlpd_network_digest(network, is);
  assert_string_equal(is, was);
  init_match_free(&match);
  mlpd_model_free(made);
  mlpd_model_free(from);
}

static void test_notes(void **state) {
  (void)state;
  mlpd_model *const from = first_model(false, &(first_network){"7,5", "tanh", MLPD_NORM_NONE, 0, 1, 1, 0}),
                    *made = NULL;
  arrangement other = plain;
  other.class_names[1] = "middle";
  const mlpd_data_rows rows = make_rows(&other, false);
  mlpd_train_options options = options_of(&rows);
  options.init_model = from;
  options.lr = 0;
  assert_int_equal(train(&options, &made), MLPD_OK);
  assert_non_null(strstr(notes, "the last layer starts anew: the classes have other names"));
  assert_memory_equal(mlpd_network_layer(mlpd_model_network(made), 0).bias,
                      mlpd_network_layer(mlpd_model_network(from), 0).bias, 7 * sizeof(float));
  assert_true(made->input.shift[1] == from->input.shift[1]);
  mlpd_model_free(made);
  const mlpd_data_rows same = make_rows(&plain, false);
  options.data.rows = &same;
  options.normalize = MLPD_NORMALIZE_SCALE;
  assert_int_equal(train(&options, &made), MLPD_OK);
  assert_non_null(strstr(notes, "the inputs are normalised as --normalize says"));
  assert_true(made->input.shift[1] != from->input.shift[1]);
  mlpd_model_free(made);
  options.init_from = "model.h5";
  assert_int_equal(train(&options, &made), MLPD_ERROR_USAGE);
  assert_non_null(strstr(mlpd_error_message(), "give one of the two"));
  mlpd_model_free(from);
}

static void test_options(void **state) {
  (void)state;
  mlpd_model *const from = first_model(true, &(first_network){"7,5", "tanh", MLPD_NORM_NONE, 0, 1, 1, 0}), *made = NULL;
  const mlpd_data_rows rows = make_rows(&plain, true);
  mlpd_options *options = NULL;
  assert_int_equal(mlpd_options_create(&options), MLPD_OK);
  mlpd_options_rows(options, &rows);
  mlpd_options_model(options, from);
  assert_int_equal(mlpd_options_set(options, "epochs", "1"), MLPD_OK);
  assert_int_equal(mlpd_options_set(options, "lr", "0"), MLPD_OK);
  assert_int_equal(mlpd_fit(comm, options, &made), MLPD_OK);
  assert_int_equal(mlpd_network_layer(mlpd_model_network(made), 1).outputs, 5);
  assert_int_equal(mlpd_network_layer(mlpd_model_network(made), 1).activation, MLPD_TANH);
  mlpd_model_free(made);
  mlpd_model_free(from);
  mlpd_options_free(options);
}

int main(void) {
  if (mlpd_comm_alone(&comm) != MLPD_OK) return 1;
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_same),
                                     cmocka_unit_test(test_same_of_ensembles),
                                     cmocka_unit_test(test_same_of_members),
                                     cmocka_unit_test(test_shared_embedding),
                                     cmocka_unit_test(test_tensors),
                                     cmocka_unit_test(test_notes),
                                     cmocka_unit_test(test_options)};
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  mlpd_comm_finalize(comm);
  return failed;
}
