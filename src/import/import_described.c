#include "import/import_described.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "import/import_described_input.h"
#include "network/layer_kind.h"

static const char FORMAT[] = "mlpdist model 1";

enum { MOST_LAYERS = 10000 };

/* ---- Layers ------------------------------------------------------------------------------------------ */

static bool keeps_width(const layer_kind *kind) {
  return kind != &layer_dense && kind != &layer_heads && !kind->expands;
}

/* The sizes of a layer that expands inputs; to be freed. */
static mlpd_status read_sizes(const json_t *from, layer_spec *spec, uint32_t **sizes) {
  const json_t *const list = json_object_get(from, "sizes"), *const edges = json_object_get(from, "edge");
  const size_t count = json_array_size(list);
  uint32_t width = 0;
  if (count == 0 || count > INT32_MAX) return described_fault("sizes of a layer");
  TRY(described_count(from, "width", &width));
  TRY(memory_allocate(sizes, count, sizeof **sizes, "layers"));
  for (size_t i = 0; i < count; i++) {
    const double size = json_number_value(json_array_get(list, i));
    if (!(size >= 0 && size <= INT32_MAX)) return described_fault("sizes of a layer");
    (*sizes)[i] = (uint32_t)size;
  }
  spec->sizes = *sizes;
  spec->width = width;
  if (spec->kind == &layer_piecewise) spec->amount = (double)json_array_size(json_array_get(edges, 0)) - 1;
  return network_expanded((uint32_t)count, *sizes, width) == spec->outputs ? MLPD_OK
                                                                           : described_fault("sizes of a layer");
}

static mlpd_status read_kind(const json_t *from, uint32_t number, const layer_kind **kind) {
  const char *const name = json_string_value(json_object_get(from, "kind"));
  *kind = name != NULL ? layer_kind_find(name) : NULL;
  if (*kind != NULL && !(*kind)->training_only) return MLPD_OK;
  return FAIL(MLPD_ERROR_DATA, "its layer %u is of kind '%.40s', which this version does not know", number,
              name != NULL ? name : "");
}

/* Is the tensor there, or does a flag say that it is elsewhere? */
static bool has(const json_t *from, const char *tensor, const char *flag) {
  return json_object_get(from, tensor) != NULL || json_is_true(json_object_get(from, flag));
}

static mlpd_status read_spec(const json_t *from, uint32_t number, layer_spec *spec, uint32_t *inputs,
                             uint32_t **sizes) {
  int activation = MLPD_IDENTITY;
  TRY(read_kind(from, number, &spec->kind));
  TRY(described_count(from, "inputs", inputs));
  TRY(described_count(from, "outputs", &spec->outputs));
  TRY(described_choice(from, "activation", mlpd_activation_choices, &activation));
  spec->activation = spec->starts_for = (mlpd_activation)activation;
  spec->no_bias = spec->kind == &layer_dense && !has(from, "bias", "biased");
  if (spec->kind == &layer_fan_out || spec->kind == &layer_fork) TRY(described_count(from, "members", &spec->copies));
  if (spec->kind == &layer_fork) spec->amount = has(from, "scale", "scaled") ? 1 : 0;
  if (spec->kind->expands) return read_sizes(from, spec, sizes);
  return !keeps_width(spec->kind) || spec->outputs == *inputs ? MLPD_OK : described_fault("outputs of a layer");
}

static mlpd_status read_specs(const json_t *layers, layer_spec *specs, uint32_t **sizes, uint32_t *inputs) {
  for (uint32_t l = 0; l < json_array_size(layers); l++) {
    uint32_t takes = 0;
    TRY(read_spec(json_array_get(layers, l), l + 1, &specs[l], &takes, &sizes[l]));
    if (l == 0) *inputs = takes;
    if (takes != (l == 0 ? *inputs : specs[l - 1].outputs) ||
        (specs[l].kind->expands && json_array_size(json_object_get(json_array_get(layers, l), "sizes")) != takes))
      return described_fault("inputs of a layer");
  }
  return MLPD_OK;
}

/* A number takes two bytes at least: a file is not smaller than that. */
static mlpd_status check_size(const mlpd_network *shape, size_t most) {
  size_t left = most / 2;
  for (uint32_t i = 0; i < shape->num_tensors; i++) {
    const tensor *const t = &shape->tensors[i];
    if (t->columns > 0 && t->rows > left / t->columns)
      return FAIL(MLPD_ERROR_DATA, "it describes larger layers than it holds");
    left -= (size_t)t->rows * t->columns;
  }
  return MLPD_OK;
}

/* ---- Tensors ----------------------------------------------------------------------------------------- */

static mlpd_status read_row(const json_t *from, const tensor *t, float *values) {
  if (json_array_size(from) != t->columns) return described_fault(t->name);
  for (uint32_t j = 0; j < t->columns; j++) {
    const json_t *const number = json_array_get(from, j);
    if (!json_is_number(number)) return described_fault(t->name);
    values[j] = (float)json_number_value(number);
  }
  return MLPD_OK;
}

/* A vector, or a list of rows. */
static mlpd_status read_tensor(const json_t *from, const tensor *t, float *values) {
  if (t->vector) return read_row(from, t, values);
  if (json_array_size(from) != t->rows) return described_fault(t->name);
  for (uint32_t r = 0; r < t->rows; r++) TRY(read_row(json_array_get(from, r), t, values + (size_t)r * t->columns));
  return MLPD_OK;
}

static mlpd_status fill_tensor(const json_t *layers, const mlpd_network *network, const tensor *t,
                               described_reader *read, void *context) {
  const json_t *const from = json_object_get(json_array_get(layers, t->layer), t->name);
  float *values = NULL;
  TRY(memory_allocate(&values, (size_t)t->rows * t->columns, sizeof *values, "weights"));
  mlpd_status status;
  if (from != NULL)
    status = read_tensor(from, t, values);
  else
    status = read != NULL ? read(context, network, t, values) : described_fault(t->name);
  for (size_t r = 0; status == MLPD_OK && r < t->rows; r++)
    memcpy(network->parameters + t->offset + r * t->stride, values + r * t->columns, t->columns * sizeof *values);
  free(values);
  return status;
}

/* ---- The network ------------------------------------------------------------------------------------- */

static mlpd_status build(uint32_t inputs, uint32_t count, const layer_spec *specs, size_t most,
                         mlpd_network **network) {
  mlpd_network *shape = NULL;
  mlpd_status status = network_build(inputs, count, specs, true, &shape);
  if (status == MLPD_OK) status = check_size(shape, most);
  if (status == MLPD_OK) status = network_build(inputs, count, specs, false, network);
  if (status == MLPD_ERROR_USAGE) status = FAIL(MLPD_ERROR_DATA, "%s", mlpd_error_message()); /* not the caller's */
  mlpd_network_free(shape);
  return status;
}

static mlpd_status read_network(const json_t *layers, size_t most, described_reader *read, void *context,
                                mlpd_network **network) {
  const size_t count = json_array_size(layers);
  uint32_t inputs = 0, **sizes = NULL;
  layer_spec *specs = NULL;
  if (count == 0 || count > MOST_LAYERS) return described_fault("layers");
  TRY(memory_allocate(&specs, count, sizeof *specs, "layers"));
  mlpd_status status = memory_allocate(&sizes, count, sizeof *sizes, "layers");
  if (status == MLPD_OK) status = read_specs(layers, specs, sizes, &inputs);
  if (status == MLPD_OK) status = build(inputs, (uint32_t)count, specs, most, network);
  for (uint32_t i = 0; status == MLPD_OK && i < (*network)->num_tensors; i++)
    status = fill_tensor(layers, *network, &(*network)->tensors[i], read, context);
  for (size_t l = 0; sizes != NULL && l < count; l++) free(sizes[l]);
  free(sizes);
  free(specs);
  return status;
}

/* ---- The model --------------------------------------------------------------------------------------- */

static mlpd_status read_quantiles(const json_t *root, loss_spec *loss) {
  const json_t *const list = json_object_get(root, "quantiles");
  double values[LOSS_MOST_QUANTILES] = {0};
  const size_t count = json_array_size(list);
  if (loss->kind != MLPD_QUANTILE) return MLPD_OK;
  if (count == 0 || count > LOSS_MOST_QUANTILES) return described_fault("quantiles");
  TRY(described_numbers(list, count, values));
  loss->num_quantiles = (uint32_t)count;
  for (size_t q = 0; q < count; q++) {
    loss->quantiles[q] = (float)values[q];
    if (!(loss->quantiles[q] > (q > 0 ? loss->quantiles[q - 1] : 0) && loss->quantiles[q] < 1))
      return described_fault("quantiles");
  }
  return MLPD_OK;
}

/* "cross-entropy, label smoothing 0.1": the name ends before the parameters. */
static mlpd_status read_loss(const json_t *root, loss_spec *loss) {
  const char *const text = json_string_value(json_object_get(root, "loss"));
  char name[64];
  int kind = MLPD_LOSS_AUTO;
  (void)snprintf(name, sizeof name, "%.*s", text != NULL ? (int)strcspn(text, ", ") : 0, text != NULL ? text : "");
  if (!mlpd_choice_find(mlpd_loss_choices, name, &kind)) return described_fault("loss");
  *loss = loss_plain((mlpd_loss)kind);
  loss->smoothing = (float)json_number_value(json_object_get(root, "label_smoothing"));
  loss->gamma = (float)json_number_value(json_object_get(root, "focal_gamma"));
  if (!(loss->smoothing >= 0 && loss->smoothing < 1)) return described_fault("label_smoothing");
  if (!(loss->gamma >= 0 && loss->gamma <= 100)) return described_fault("focal_gamma");
  return read_quantiles(root, loss);
}

static mlpd_status read_text(const json_t *root, const char *key, char **text) {
  const char *const found = json_string_value(json_object_get(root, key));
  return found != NULL ? memory_copy_string(found, text) : MLPD_OK;
}

static mlpd_status fill_model(const json_t *root, size_t most, described_reader *read, void *context,
                              mlpd_model *model) {
  const char *const format = json_string_value(json_object_get(root, "format"));
  int task = MLPD_TASK_AUTO;
  if (format == NULL || strcmp(format, FORMAT) != 0)
    return FAIL(MLPD_ERROR_DATA, "its \"format\" is not \"%s\": it is not a model that export wrote", FORMAT);
  TRY(described_choice(root, "task", mlpd_task_choices, &task));
  model->task = (mlpd_task)task;
  TRY(read_loss(root, &model->loss));
  TRY(read_text(root, "config", &model->config));
  TRY(read_text(root, "table", &model->table));
  TRY(read_network(json_object_get(root, "layers"), most, read, context, &model->network));
  TRY(described_input(json_object_get(root, "input"), model));
  TRY(described_output(json_object_get(root, "output"), model));
  return model_check(model);
}

mlpd_status import_described(const char *text, size_t bytes, size_t most, described_reader *read, void *context,
                             mlpd_model **model) {
  json_error_t error;
  mlpd_model *made = NULL;
  *model = NULL;
  json_t *const root = json_loadb(text, bytes, JSON_DECODE_INT_AS_REAL, &error);
  if (root == NULL) return FAIL(MLPD_ERROR_DATA, "line %d is no JSON: %s", error.line, error.text);
  mlpd_status status = memory_allocate(&made, 1, sizeof *made, "model");
  if (status == MLPD_OK) status = fill_model(root, most, read, context, made);
  json_decref(root);
  if (status != MLPD_OK) return mlpd_model_free(made), status;
  *model = made;
  return MLPD_OK;
}
