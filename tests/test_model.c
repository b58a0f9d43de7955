/* Models: they are loaded bit for bit as saved; a damaged file is an error, or gives the same model. */
#include "model/model.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/column_curves.h"
#include "h5/h5.h"
#include "network/init.h"
#include "network/layer_kind.h"

#include <cmocka.h>
#include "damage.h"
#include "former_model.h"
#include "temporary_folder.h"

static void assert_load_fails(const char *name, const char *part) {
  mlpd_model *model = (mlpd_model *)(void *)folder;
  assert_int_equal(mlpd_model_load(in_folder(name), &model), MLPD_ERROR_DATA);
  assert_null(model);
  const char *const message = mlpd_error_message();
  assert_null(strchr(message, '\n'));
  if (strstr(message, name) == NULL) fail_msg("\"%s\" does not name the file", message);
  if (strstr(message, part) == NULL) fail_msg("\"%s\" has no \"%s\"", message, part);
}

/* The model can be saved, but what it holds is refused when it is loaded. */
static void assert_unfit(const mlpd_model *model, const char *words) {
  assert_ok(model_save(model, in_folder("unfit.h5")));
  assert_load_fails("unfit.h5", words);
}

/* ---- Models to save --------------------------------------------------------------------------------- */

static mlpd_model *make_model(mlpd_task task) {
  static const uint32_t widths[] = {7, 19, 5, 3};
  const bool classes = task == MLPD_CLASSIFICATION;
  const mlpd_activation activations[] = {MLPD_GELU, MLPD_TANH, classes ? MLPD_SOFTMAX : MLPD_IDENTITY};
  mlpd_model *const made = calloc(1, sizeof *made);
  assert_non_null(made);
  *made =
      (mlpd_model){.task = task, .loss = loss_plain(classes ? MLPD_CROSS_ENTROPY : MLPD_MSE), .epoch = 12, .step = 345};
  assert_ok(mlpd_network_create(3, widths, activations, &made->network));
  mlpd_network_init(made->network, MLPD_INIT_AUTO, 5);
  for (uint32_t j = 0; j < 5; j++) mlpd_network_layer(made->network, 1).bias[j] = -1.0f / (float)(j + 3);
  assert_ok(affine_create(7, &made->input));
  for (uint32_t j = 0; j < 7; j++) {
    made->input.shift[j] = (float)j / 3;
    made->input.scale[j] = j == 4 ? 0 : 1 + (float)j / 7;
  }
  affine_settle(&made->input);
  static const char *const columns[] = {"age", "", "age", "h\xc3\xb6he", "a,b", "5", "longest of all"};
  assert_ok(name_list_copy(columns, 7, &made->names.columns));
  made->config = strdup("[run]\nseed = 5\n\n# caf\xc3\xa9\n");
  if (classes) {
    static const char *const names[] = {"ant", "", "b\xc3\xa9"};
    assert_ok(name_list_copy(names, 3, &made->names.classes));
  } else {
    assert_ok(affine_create(3, &made->target));
    static const char *const targets[] = {"x", "y", "z"};
    assert_ok(name_list_copy(targets, 3, &made->names.targets));
    made->target.shift[1] = -7.25f;
    made->target.scale[2] = 1e-3f;
    affine_settle(&made->target);
  }
  return made;
}

static bool same_affine(const affine *a, const affine *b) {
  const size_t bytes = a->columns * sizeof(float);
  return a->columns == b->columns &&
         (bytes == 0 || (memcmp(a->shift, b->shift, bytes) == 0 && memcmp(a->scale, b->scale, bytes) == 0));
}

static bool same_text(const char *a, const char *b) { return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0; }

static bool same_names(const name_list *a, const name_list *b) {
  if (a->count != b->count) return false;
  for (uint64_t i = 0; i < a->count; i++)
    if (strcmp(a->names[i], b->names[i]) != 0) return false;
  return true;
}

static bool same_codes(const column_codes *a, const column_codes *b) {
  if (a == NULL || b == NULL) return a == b;
  const uint32_t n = a->about.count;
  if (n != b->about.count || a->width != b->width || a->about.missing != b->about.missing) return false;
  for (uint32_t j = 0; j < n; j++)
    if (a->about.kinds[j] != b->about.kinds[j] || !same_names(&a->about.categories[j], &b->about.categories[j]))
      return false;
  return memcmp(a->fill, b->fill, n * sizeof *a->fill) == 0 && memcmp(a->marked, b->marked, n) == 0 &&
         memcmp(a->inputs, b->inputs, a->first[n] * sizeof *a->inputs) == 0;
}

static bool same_curves(const column_curves *a, const column_curves *b) {
  if (a == NULL || b == NULL) return a == b;
  const uint64_t knots = a->first[a->columns];
  return a->columns == b->columns && memcmp(a->first, b->first, (a->columns + 1) * sizeof *a->first) == 0 &&
         memcmp(a->x, b->x, knots * sizeof *a->x) == 0 && memcmp(a->z, b->z, knots * sizeof *a->z) == 0 &&
         memcmp(a->slopes, b->slopes, knots * sizeof *a->slopes) == 0;
}

static bool same_model(const mlpd_model *a, const mlpd_model *b) {
  const mlpd_network *const x = a->network, *const y = b->network;
  if (x->num_layers != y->num_layers || x->arena_size != y->arena_size) return false;
  for (uint32_t l = 0; l < x->num_layers; l++)
    if (x->layers[l].inputs != y->layers[l].inputs || x->layers[l].outputs != y->layers[l].outputs ||
        x->layers[l].activation != y->layers[l].activation)
      return false;
  if (memcmp(x->parameters, y->parameters, x->arena_size * sizeof(float)) != 0) return false;
  if (a->task != b->task || memcmp(&a->loss, &b->loss, sizeof a->loss) != 0 || a->epoch != b->epoch ||
      a->step != b->step)
    return false;
  if (!same_codes(a->input.codes, b->input.codes) || !same_curves(a->input.curves, b->input.curves)) return false;
  if (!same_affine(&a->input, &b->input) || !same_affine(&a->target, &b->target)) return false;
  return same_names(&a->names.columns, &b->names.columns) && same_names(&a->names.targets, &b->names.targets) &&
         same_names(&a->names.classes, &b->names.classes) && same_names(&a->names.left_out, &b->names.left_out) &&
         same_text(a->config, b->config);
}

static void assert_round_trip(const mlpd_model *model, const char *name) {
  mlpd_model *loaded = NULL;
  assert_ok(model_save(model, in_folder(name)));
  assert_ok(mlpd_model_load(in_folder(name), &loaded));
  assert_true(same_model(model, loaded));
  assert_ptr_equal(mlpd_model_network(loaded), loaded->network);
  assert_int_equal(mlpd_model_task(loaded), model->task);
  mlpd_model_free(loaded);
}

/* Its 7 inputs are made of four columns: a marked number, a marked category, a number and a flag. */
static mlpd_model *make_model_of_columns(void) {
  mlpd_model *const model = make_model(MLPD_REGRESSION);
  static const char *const names[] = {"size", "city", "age", "flag"}, *const cities[] = {"Oslo", "Rome", "", "Wien"};
  columns about;
  affine_free(&model->input);
  name_list_free(&model->names.columns);
  assert_ok(affine_create(4, &model->input));
  assert_ok(name_list_copy(names, 4, &model->names.columns));
  assert_ok(columns_create(4, &about));
  about.missing = true;
  about.kinds[1] = COLUMN_KIND_CATEGORY;
  about.kinds[3] = COLUMN_KIND_YES_NO;
  assert_ok(name_list_copy(cities, 4, &about.categories[1]));
  assert_ok(column_codes_create(&about, &model->codes));
  model->codes.marked[0] = model->codes.marked[1] = 1;
  model->codes.fill[0] = 57.5;
  column_codes_choose(&model->codes, (const uint64_t[]){9, 0, 0, 1});
  column_codes_settle(&model->codes);
  assert_int_equal(model->codes.width, 7);
  model->input.codes = &model->codes;
  return model;
}

/* The same, with curves of the first and the third column. */
static mlpd_model *make_model_of_curves(void) {
  mlpd_model *const model = make_model_of_columns();
  column_curves curves;
  assert_ok(column_curves_create(4, 5, &curves));
  memcpy(curves.first, (const uint64_t[]){0, 3, 3, 5, 5}, 5 * sizeof(uint64_t));
  memcpy(curves.x, (const double[]){-1, 2, 4, 0, 1}, 5 * sizeof(double));
  memcpy(curves.z, (const double[]){-5.2, 0.25, 5.2, -1, 2}, 5 * sizeof(double));
  column_curves_settle(&curves);
  assert_ok(affine_bend(&model->input, &curves));
  return model;
}

/* ---- Tests ------------------------------------------------------------------------------------------ */

static void test_round_trip(void **state) {
  (void)state;
  const char *const left_out[] = {"id", "a text"};
  mlpd_model *model = make_model(MLPD_CLASSIFICATION);
  assert_round_trip(model, "classes.h5");
  assert_ok(name_list_copy(left_out, 2, &model->names.left_out));
  assert_round_trip(model, "classes.h5");
  assert_string_equal(mlpd_model_class_name(model, 0), "ant");
  assert_string_equal(mlpd_model_class_name(model, 3), "3");
  model->epoch = UINT64_MAX; /* saved over the former */
  assert_round_trip(model, "classes.h5");
  free(model->config);
  model->config = calloc(1, 100001); /* more than an attribute has room for as a text of fixed length */
  assert_non_null(model->config);
  memset(model->config, 'c', 100000);
  assert_round_trip(model, "long.h5");
  free(model->config);
  model->config = NULL;
  data_names_free(&model->names);
  assert_round_trip(model, "bare.h5");
  assert_string_equal(mlpd_model_class_name(model, 0), "0");
  model->loss.smoothing = 0.1f;
  model->loss.gamma = 1.7f;
  assert_round_trip(model, "softened.h5");
  mlpd_model_free(model);
  model = make_model(MLPD_REGRESSION);
  const loss_spec plain = model->loss;
  model->loss = loss_plain(MLPD_QUANTILE);
  model->loss.quantiles[0] = 0.7f;
  assert_round_trip(model, "quantile.h5");
  model->loss.quantiles[0] = 1.5f;
  assert_unfit(model, "/quantiles [0] is 1.5");
  model->loss = plain;
  assert_round_trip(model, "values.h5");
  mlpd_model_free(model);
  mlpd_model_free(NULL);
}

static void test_every_activation(void **state) {
  (void)state;
  for (int kind = 0; kind < MLPD_NUM_ACTIVATIONS; kind++) {
    mlpd_model *const model = make_model(kind == MLPD_SOFTMAX ? MLPD_CLASSIFICATION : MLPD_REGRESSION);
    for (uint32_t l = 0; l < 3; l++)
      if (kind != MLPD_SOFTMAX || l == 2) model->network->layers[l].activation = (mlpd_activation)kind;
    assert_round_trip(model, "activation.h5");
    mlpd_model_free(model);
  }
}

static void test_save_fails(void **state) {
  (void)state;
  mlpd_model *const model = make_model(MLPD_REGRESSION), *loaded = NULL;
  assert_ok(model_save(model, in_folder("former.h5")));
  /* A folder in the way of the final name: the rename fails, and nothing is left beside it. */
  assert_int_equal(mkdir(in_folder("taken.h5"), 0777), 0);
  assert_int_equal(model_save(model, in_folder("taken.h5")), MLPD_ERROR_FILE);
  assert_non_null(strstr(mlpd_error_message(), "taken.h5"));
  assert_int_equal(model_save(model, in_folder("former.h5/under.h5")), MLPD_ERROR_FILE);
  assert_int_equal(model_save(model, in_folder("none/under.h5")), MLPD_ERROR_FILE);
  assert_ok(mlpd_model_load(in_folder("former.h5"), &loaded));
  mlpd_model_free(loaded);
  char command[128];
  (void)snprintf(command, sizeof command, "! ls -A %s | grep -q tmp", folder);
  assert_int_equal(system(command), 0);
  mlpd_model_free(model);
}

static void test_no_model(void **state) {
  (void)state;
  mlpd_model *model = NULL;
  h5_file *file = NULL;
  assert_int_equal(mlpd_model_load(in_folder("absent.h5"), &model), MLPD_ERROR_FILE);
  assert_null(model);
  assert_ok(h5_create(in_folder("data.h5"), &file));
  assert_ok(h5_attribute_write_u64(file, "/", "something", 1));
  assert_ok(h5_close(file));
  assert_load_fails("data.h5", "not a model");
  assert_ok(h5_create(in_folder("checkpoint.h5"), &file));
  assert_ok(h5_attribute_write_text(file, "/", "mlpdist", "checkpoint"));
  assert_ok(h5_close(file));
  assert_load_fails("checkpoint.h5", "not a model");
}

/* ---- Former formats ----------------------------------------------------------------------------------- */

static void test_format_1(void **state) {
  (void)state;
  for (int i = 0; i < 2; i++) {
    const former_model *const former = &former_models[i];
    mlpd_model *model = NULL;
    assert_ok(former_model_write(former, in_folder("former.h5")));
    assert_ok(mlpd_model_load(in_folder("former.h5"), &model));
    assert_int_equal(mlpd_model_task(model), i == 0 ? MLPD_CLASSIFICATION : MLPD_REGRESSION);
    assert_string_equal(mlpd_model_class_name(model, 1), i == 0 ? "yes" : "1");
    assert_true(model->input.shift[2] == -0.625f && model->input.scale[1] == 1 &&
                model->network->parameters[5] == -0.25f);
    assert_round_trip(model, "again.h5"); /* as format 2 */
    mlpd_model_free(model);
  }
}

/* The former hashes are checked, not passed over. */
static void test_format_1_damaged(void **state) {
  (void)state;
  former_model changed = former_models[0];
  changed.output = "sigmoid";
  assert_ok(former_model_write(&changed, in_folder("former.h5")));
  assert_load_fails("former.h5", "the weights hash to");
  changed = former_models[1];
  changed.loss = "mae";
  assert_ok(former_model_write(&changed, in_folder("former.h5")));
  assert_load_fails("former.h5", "the parts beside the weights hash to");
}

/* Digests that were printed once stay true: they are made of names, not of the numbers of an enumeration. */
static void test_digest_of_old(void **state) {
  (void)state;
  static const uint32_t widths[] = {2, 3, 1};
  static const mlpd_activation activations[] = {MLPD_SOFTPLUS, MLPD_IDENTITY};
  mlpd_network *network = NULL;
  char digest[17];
  assert_ok(mlpd_network_create(2, widths, activations, &network));
  mlpd_network_layer(network, 0).bias[2] = 0.5f;
  mlpd_network_digest(network, digest);
  assert_string_equal(digest, "e7e73c75be59c17a");
  mlpd_network_free(network);
}

/* ---- Files that someone changed ---------------------------------------------------------------------- */

typedef struct fault {
  const char *object, *name, *text; /* a text attribute, written last */
  uint64_t number;                  /* where text is NULL */
  const char *message;
} fault;

/* A whole, small model written by hand, as the header documents the file; layer_2 takes second_inputs. */
static void write_by_hand(const char *name, uint64_t second_inputs, const fault *bad) {
  const float zeros[64] = {0}, ones[4] = {1, 1, 1, 1};
  h5_file *file = NULL;
  assert_ok(h5_create(in_folder(name), &file));
  assert_ok(h5_attribute_write_text(file, "/", "mlpdist", "model"));
  assert_ok(h5_attribute_write_u64(file, "/", "format", MODEL_FORMAT));
  assert_ok(h5_attribute_write_text(file, "/", "task", "regression"));
  assert_ok(h5_attribute_write_text(file, "/", "loss", "mse"));
  assert_ok(h5_attribute_write_text(file, "/", "digest", "0000000000000000"));
  assert_ok(h5_attribute_write_text(file, "/", "checksum", "0000000000000000"));
  assert_ok(h5_attribute_write_u64(file, "/", "epoch", 1));
  assert_ok(h5_attribute_write_u64(file, "/", "step", 1));
  assert_ok(h5_write(file, "/network/layer_1/weight", 4, 3, ELEMENT_F32, zeros));
  assert_ok(h5_attribute_write_text(file, "/network/layer_1/weight", "activation", "relu"));
  assert_ok(h5_write(file, "/network/layer_1/bias", 3, 0, ELEMENT_F32, zeros));
  assert_ok(h5_write(file, "/network/layer_2/weight", second_inputs, 2, ELEMENT_F32, zeros));
  assert_ok(h5_attribute_write_text(file, "/network/layer_2/weight", "activation", "identity"));
  assert_ok(h5_write(file, "/network/layer_2/bias", 2, 0, ELEMENT_F32, zeros));
  assert_ok(h5_write(file, "/input/shift", 4, 0, ELEMENT_F32, zeros));
  assert_ok(h5_write(file, "/input/scale", 4, 0, ELEMENT_F32, ones));
  assert_ok(h5_write(file, "/target/shift", 2, 0, ELEMENT_F32, zeros));
  assert_ok(h5_write(file, "/target/scale", 2, 0, ELEMENT_F32, ones));
  if (bad != NULL && bad->text != NULL)
    assert_ok(h5_attribute_write_text(file, bad->object, bad->name, bad->text));
  else if (bad != NULL)
    assert_ok(h5_attribute_write_u64(file, bad->object, bad->name, bad->number));
  assert_ok(h5_close(file));
}

static void test_widths_that_do_not_chain(void **state) {
  (void)state;
  write_by_hand("chain.h5", 4, NULL);
  assert_load_fails("chain.h5", "/network/layer_2/weight expects 4 inputs, but the layer before has 3 outputs");
}

static void test_faults(void **state) {
  (void)state;
  static const fault faults[] = {
      {"/", "epoch", NULL, 1, "the weights hash to"}, /* nothing wrong but the digest */
      {"/", "format", NULL, 99, "model format 99"},
      {"/", "format", NULL, 0, "model format 0"},
      {"/", "task", "auto", 0, "hash"},
      {"/", "task", "juggling", 0, "juggling"},
      {"/", "loss", "none", 0, "loss"},
      {"/network/layer_1/weight", "activation", "softmax", 0, "softmax"},
      {"/network/layer_2/weight", "activation", "", 0, "activation"},
      {"/", "clip_inputs", NULL, 2000000, "attribute clip_inputs is 2e+06"},
  };
  for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
    write_by_hand("fault.h5", 3, &faults[i]);
    assert_load_fails("fault.h5", faults[i].message);
  }
}

/* ---- Kinds of layers ---------------------------------------------------------------------------------- */

static uint64_t format_of(const char *name) {
  h5_file *file = NULL;
  uint64_t format = 0;
  assert_ok(h5_open(in_folder(name), &file));
  assert_ok(h5_attribute_read_u64(file, "/", "format", &format));
  assert_ok(h5_close(file));
  return format;
}

/* A model of a regression with four inputs and two outputs whose network is made from specs. */
static mlpd_model *make_model_of(uint32_t num_layers, const layer_spec *specs) {
  mlpd_model *const model = make_model(MLPD_REGRESSION);
  mlpd_network *network = NULL;
  assert_ok(network_build(network_inputs(model->network), num_layers, specs, false, &network));
  mlpd_network_init(network, MLPD_INIT_AUTO, 4);
  mlpd_network_free(model->network);
  model->network = network;
  return model;
}

static void test_layers_of_other_kinds(void **state) {
  (void)state;
  mlpd_model *const plain = make_model(MLPD_REGRESSION);
  const uint32_t outputs = network_output(plain->network)->outputs;
  const layer_spec specs[] = {{.kind = &layer_noise, .outputs = network_inputs(plain->network), .amount = 1},
                              {.kind = &layer_dense, .outputs = 300, .no_bias = true},
                              {.kind = &layer_batch_norm, .outputs = 300, .activation = MLPD_GELU},
                              {.kind = &layer_dropout, .outputs = 300, .amount = 0.5},
                              {.kind = &layer_dense, .outputs = 256},
                              {.kind = &layer_layer_norm, .outputs = 256, .activation = MLPD_TANH},
                              {.kind = &layer_dense, .outputs = outputs}};
  mlpd_model *const model = make_model_of(7, specs), *loaded = NULL;
  char digest[17], again[17];
  for (uint32_t i = 0; i < model->network->num_tensors; i++)
    model->network->parameters[model->network->tensors[i].offset + 1] = 0.125f * (float)i;
  assert_ok(model_save(plain, in_folder("plain.h5")));
  assert_int_equal(format_of("plain.h5"), 2); /* that former versions read */
  assert_ok(model_save(model, in_folder("kinds.h5")));
  assert_int_equal(format_of("kinds.h5"), 3);
  assert_ok(mlpd_model_load(in_folder("kinds.h5"), &loaded));
  mlpd_network_digest(model->network, digest);
  mlpd_network_digest(loaded->network, again);
  assert_string_equal(digest, again);
  assert_int_equal(loaded->network->num_layers, 5); /* without those of training alone */
  assert_string_equal(mlpd_network_layer(loaded->network, 1).kind, "batch-norm");
  assert_int_equal(mlpd_network_layer(loaded->network, 1).activation, MLPD_GELU);
  assert_null(mlpd_network_layer(loaded->network, 0).bias);
  assert_int_equal(loaded->network->arena_size, model->network->arena_size);
  assert_memory_equal(loaded->network->parameters, model->network->parameters,
                      model->network->arena_size * sizeof(float));
  mlpd_model_free(loaded);
  mlpd_model_free(model);
  mlpd_model_free(plain);
}

static void test_faults_of_kinds(void **state) {
  (void)state;
  static const fault faults[] = {
      {"/network/layer_1", "kind", "juggle", 0, "/network/layer_1 is a layer of kind 'juggle'"},
      {"/network/layer_1", "kind", "dropout", 0, "'dropout', which this version does not know"},
      {"/network/layer_1", "kind", "layer-norm", 0, "/network/layer_1/gain"},
      {"/network/layer_2", "kind", "batch-norm", 0, "/network/layer_2/gain"},
  };
  for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
    write_by_hand("kind.h5", 3, &faults[i]);
    assert_load_fails("kind.h5", faults[i].message);
  }
}

/* Hashes that fit, but content that others could not work with. */
static void test_content_that_does_not_fit(void **state) {
  (void)state;
  mlpd_model *model = make_model(MLPD_REGRESSION);
  model->task = MLPD_TASK_AUTO;
  assert_unfit(model, "task");
  model->task = MLPD_CLASSIFICATION; /* beside /target */
  assert_unfit(model, "/target");
  model->task = MLPD_REGRESSION;
  model->loss.kind = MLPD_CROSS_ENTROPY;
  assert_unfit(model, "cross-entropy");
  model->loss.kind = MLPD_LOSS_AUTO;
  assert_unfit(model, "loss");
  model->loss.kind = MLPD_MSE;
  model->target.scale[1] = 0;
  assert_unfit(model, "/target/scale [1]");
  model->target.scale[1] = 1;
  model->target.shift[2] = INFINITY;
  assert_unfit(model, "/target/shift [2] is not a finite number");
  model->target.shift[2] = 0;
  model->input.scale[3] = NAN;
  assert_unfit(model, "/input/scale [3] is not a finite number");
  model->input.scale[3] = 1;
  float *const bias = mlpd_network_layer(model->network, 1).bias, *const weight = model->network->parameters;
  const float before[] = {bias[2], weight[5]};
  bias[2] = NAN;
  assert_unfit(model, "/network/layer_2/bias holds a value that is not a finite number");
  bias[2] = before[0];
  weight[5] = -INFINITY;
  assert_unfit(model, "/network/layer_1/weight holds a value that is not a finite number");
  weight[5] = before[1];
  model->names.columns.count--; /* one more is in the list than is saved */
  assert_unfit(model, "/columns/name holds 6 names");
  model->names.columns.count++;
  affine_free(&model->target);
  assert_unfit(model, "/target");
  mlpd_model_free(model);
}

static void test_columns(void **state) {
  (void)state;
  mlpd_model *const model = make_model_of_columns();
  column_codes *const c = &model->codes;
  assert_round_trip(model, "columns.h5");
  assert_int_equal(format_of("columns.h5"), 3);
  assert_int_equal(mlpd_model_features(model), 4);
  c->fill[2] = NAN;
  assert_unfit(model, "/input/fill [2] is not a finite number");
  c->fill[2] = 0;
  c->marked[3] = 2;
  assert_unfit(model, "/input/marked [3] is neither 0 nor 1");
  c->marked[3] = 1;
  assert_unfit(model, "/input/shift makes 8 inputs, but the network expects 7");
  c->marked[3] = 0;
  c->inputs[1] = 7;
  assert_unfit(model, "/input/category_input [1] is 7, which is not possible");
  c->inputs[1] = -1;
  c->about.kinds[1] = COLUMN_KIND_NUMBER; /* with categories */
  assert_unfit(model, "unfit.h5");
  c->about.kinds[1] = COLUMN_KIND_CATEGORY;
  c->about.count = 3;
  assert_unfit(model, "/columns/kind holds 3 kinds, but there are 4 columns");
  c->about.count = 4;
  mlpd_model_free(model);
}

/* ---- Damage ------------------------------------------------------------------------------------------ */

static unsigned char *read_bytes(const char *name, size_t *size) {
  FILE *const stream = fopen(in_folder(name), "rb");
  assert_non_null(stream);
  assert_int_equal(fseek(stream, 0, SEEK_END), 0);
  *size = (size_t)ftell(stream);
  rewind(stream);
  unsigned char *const bytes = malloc(*size);
  assert_non_null(bytes);
  assert_int_equal(fread(bytes, 1, *size, stream), *size);
  assert_int_equal(fclose(stream), 0);
  return bytes;
}

static void write_bytes(const char *name, const unsigned char *bytes, size_t size) {
  FILE *const stream = fopen(in_folder(name), "wb");
  assert_non_null(stream);
  assert_int_equal(fwrite(bytes, 1, size, stream), size);
  assert_int_equal(fclose(stream), 0);
}

/* True where the damage was seen. */
static bool load_damaged(const mlpd_model *original, const char *what, size_t where) {
  mlpd_model *loaded = NULL;
  const mlpd_status status = mlpd_model_load(in_folder("damaged.h5"), &loaded);
  if (status == MLPD_OK) {
    if (!same_model(original, loaded)) fail_msg("%s at byte %zu goes unseen and changes the model", what, where);
    mlpd_model_free(loaded);
    return false;
  }
  assert_null(loaded);
  assert_true(strlen(mlpd_error_message()) > 0);
  assert_null(strchr(mlpd_error_message(), '\n'));
  return true;
}

static unsigned char *saved_bytes(const mlpd_model *model, size_t *size) {
  limit_memory();
  assert_ok(model_save(model, in_folder("whole.h5")));
  return read_bytes("whole.h5", size);
}

/* Frees the model. */
static void check_truncated(mlpd_model *model) {
  size_t size = 0;
  unsigned char *const bytes = saved_bytes(model, &size);
  for (size_t length = 0; length < size; length += 1 + size / 150) {
    write_bytes("damaged.h5", bytes, length);
    if (!load_damaged(model, "truncation", length)) fail_msg("%zu of %zu bytes are taken for a model", length, size);
  }
  free(bytes);
  mlpd_model_free(model);
}

static void test_truncated(void **state) {
  (void)state;
  check_truncated(make_model(MLPD_CLASSIFICATION));
  check_truncated(make_model(MLPD_REGRESSION));
  check_truncated(make_model_of_curves());
}

/* Frees the model. Every other byte has one bit flipped, the others, which turn selects, all: models of both turns have
 * the same structure, so that its bytes are damaged in both ways (each load forks a child: twice as many took half a
 * minute). */
static void check_flipped(mlpd_model *model, size_t turn) {
  size_t size = 0, seen = 0, tried = 0;
  unsigned char *const bytes = saved_bytes(model, &size);
  /* Every byte near the start, where the structure lies, then every 23rd. */
  for (size_t at = 0; at < size; at += at < 1024 ? 1 : 23) {
    const unsigned char kept = bytes[at];
    bytes[at] = (unsigned char)(kept ^ ((at + turn) % 2 == 0 ? 1u << at / 2 % 8 : 0xffu));
    write_bytes("damaged.h5", bytes, size);
    seen += load_damaged(model, "a flipped bit", at);
    tried++;
    bytes[at] = kept;
  }
  if (seen < tried / 10) fail_msg("only %zu of %zu flips were seen: what was flipped?", seen, tried);
  free(bytes);
  mlpd_model_free(model);
}

static void test_flipped(void **state) {
  (void)state;
  if (!flips()) skip();
  check_flipped(make_model(MLPD_CLASSIFICATION), 0);
  check_flipped(make_model(MLPD_REGRESSION), 1);
  check_flipped(make_model_of_curves(), 0);
}

static void test_curves(void **state) {
  (void)state;
  mlpd_model *const model = make_model_of_curves();
  column_curves *const c = model->input.curves;
  assert_round_trip(model, "curves.h5");
  assert_int_equal(format_of("curves.h5"), 5);
  c->x[1] = -1;
  assert_unfit(model, "/input/curves holds (-1, -5.2) as knot 0, which is not possible");
  c->x[1] = 2;
  c->z[4] = NAN;
  assert_unfit(model, "as knot 3, which is not possible");
  c->z[4] = 2;
  c->first[2] = 2;
  assert_unfit(model, "/input/curves/first [1] is above the next one");
  c->first[2] = 3;
  c->first[0] = 1;
  assert_unfit(model, "/input/curves/first does not fit the 5 knots");
  mlpd_model_free(model);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_round_trip),      cmocka_unit_test(test_every_activation),
      cmocka_unit_test(test_save_fails),      cmocka_unit_test(test_no_model),
      cmocka_unit_test(test_format_1),        cmocka_unit_test(test_format_1_damaged),
      cmocka_unit_test(test_digest_of_old),   cmocka_unit_test(test_widths_that_do_not_chain),
      cmocka_unit_test(test_faults),          cmocka_unit_test(test_layers_of_other_kinds),
      cmocka_unit_test(test_faults_of_kinds), cmocka_unit_test(test_content_that_does_not_fit),
      cmocka_unit_test(test_truncated),       cmocka_unit_test(test_flipped),
      cmocka_unit_test(test_columns),         cmocka_unit_test(test_curves),
  };
  return cmocka_run_group_tests_name("model", tests, setup, teardown);
}
