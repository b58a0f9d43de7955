#include "model/model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/locale.h"
#include "base/memory.h"
#include "h5/h5.h"
#include "model/model_clamp.h"
#include "model/model_columns.h"
#include "model/model_curves.h"
#include "model/model_hash.h"
#include "model/model_network.h"
#include "network/layer_kind.h"
#include "options/option.h"

void mlpd_model_free(mlpd_model *model) {
  if (model == NULL) return;
  mlpd_network_free(model->network);
  affine_free(&model->input);
  column_codes_free(&model->codes);
  affine_free(&model->target);
  free(model->least);
  free(model->bounds);
  data_names_free(&model->names);
  free(model->config);
  free(model->table);
  free(model);
}

mlpd_network *mlpd_model_network(mlpd_model *model) { return model->network; }

mlpd_task mlpd_model_task(const mlpd_model *model) { return model->task; }

bool mlpd_model_option(const mlpd_model *model, const char *name, char *value, size_t bytes) {
  if (model == NULL || name == NULL || value == NULL || model->config == NULL) return false;
  return option_config_value(model->config, name, value, bytes);
}

uint32_t mlpd_model_features(const mlpd_model *model) { return model->input.columns; }

uint32_t mlpd_model_outputs(const mlpd_model *model) { return network_output(model->network)->outputs; }

void mlpd_model_on_notice(mlpd_model *model, void (*notice)(void *context, const char *message), void *context) {
  model->notice = notice;
  model->notice_context = context;
}

static const char *name_or_number(const name_list *list, uint32_t k) {
  static _Thread_local char number[16];
  if (k < list->count) return list->names[k];
  (void)snprintf(number, sizeof number, "%u", k);
  return number;
}

const char *mlpd_model_class_name(const mlpd_model *model, uint32_t k) {
  return name_or_number(&model->names.classes, k);
}

const char *mlpd_model_column_name(const mlpd_model *model, uint32_t j) {
  return name_or_number(&model->names.columns, j);
}

const char *mlpd_model_target_name(const mlpd_model *model, uint32_t k) {
  return name_or_number(&model->names.targets, k);
}

/* ---- Writing ------------------------------------------------------------------------------------ */

static mlpd_status write_affine(h5_file *file, const char *shift, const char *scale, const affine *a) {
  TRY(h5_write(file, shift, a->columns, 0, ELEMENT_F64, a->shift));
  return h5_write(file, scale, a->columns, 0, ELEMENT_F64, a->scale);
}

static mlpd_status write_bounds(h5_file *file, const mlpd_model *model) {
  const uint32_t n = model->target.columns;
  TRY(h5_write(file, "/target/minimum", n, 0, ELEMENT_F64, model->least));
  return h5_write(file, "/target/maximum", n, 0, ELEMENT_F64, model->most);
}

static mlpd_status write_names(h5_file *file, const char *object, const name_list *list) {
  if (list->count == 0) return MLPD_OK;
  return h5_strings_write(file, object, (const char *const *)list->names, list->count);
}

static uint64_t model_format(const mlpd_model *model) {
  if (model->input.curves != NULL) return MODEL_FORMAT;
  if (model->input.limit > 0 || model->least != NULL) return 4;
  const bool plain = !(model->loss.smoothing > 0) && !(model->loss.gamma > 0) && model->loss.num_quantiles == 0 &&
                     model->input.codes == NULL;
  return plain ? model_network_format(model->network) : 3;
}

static mlpd_status write_model(h5_file *file, const void *content) {
  const mlpd_model *const model = content;
  model_hashes hashes;
  TRY(model_hash(model, &hashes));
  TRY(h5_attribute_write_text(file, "/", "mlpdist", "model"));
  TRY(h5_attribute_write_u64(file, "/", "format", model_format(model)));
  TRY(h5_attribute_write_text(file, "/", "version", MLPD_VERSION));
  TRY(h5_attribute_write_text(file, "/", "task", mlpd_choice_name(mlpd_task_choices, (int)model->task)));
  TRY(h5_attribute_write_text(file, "/", "loss", mlpd_choice_name(mlpd_loss_choices, (int)model->loss.kind)));
  if (model->loss.smoothing > 0)
    TRY(h5_attribute_write_double(file, "/", "label_smoothing", (double)model->loss.smoothing));
  if (model->loss.gamma > 0) TRY(h5_attribute_write_double(file, "/", "focal_gamma", (double)model->loss.gamma));
  if (model->loss.num_quantiles > 0)
    TRY(h5_write(file, "/quantiles", model->loss.num_quantiles, 0, ELEMENT_F32, model->loss.quantiles));
  TRY(h5_attribute_write_text(file, "/", "digest", hashes.digest));
  TRY(h5_attribute_write_text(file, "/", "checksum", hashes.checksum));
  TRY(h5_attribute_write_u64(file, "/", "epoch", model->epoch));
  TRY(h5_attribute_write_u64(file, "/", "step", model->step));
  if (model->config != NULL) TRY(h5_attribute_write_text(file, "/", "config", model->config));
  if (model->table != NULL) TRY(h5_attribute_write_text(file, "/", "table", model->table));
  TRY(model_network_write(file, model->network));
  TRY(write_affine(file, "/input/shift", "/input/scale", &model->input));
  if (model->input.curves != NULL) TRY(model_curves_write(file, model->input.curves));
  if (model->input.limit > 0) TRY(h5_attribute_write_double(file, "/", "clip_inputs", model->input.limit));
  TRY(model_columns_write(file, model));
  if (model->target.columns > 0) TRY(write_affine(file, "/target/shift", "/target/scale", &model->target));
  if (model->least != NULL) TRY(write_bounds(file, model));
  TRY(write_names(file, "/columns/name", &model->names.columns));
  TRY(write_names(file, "/targets/name", &model->names.targets));
  TRY(write_names(file, "/columns/left_out", &model->names.left_out));
  TRY(write_names(file, "/class_labels", &model->names.labels));
  return write_names(file, "/class_names", &model->names.classes);
}

mlpd_status mlpd_model_save(const mlpd_model *model, const char *path) {
  IN_C_LOCALE();
  NEED(model);
  NEED_PATH(path);
  return model_save(model, path);
}

mlpd_status model_save(const mlpd_model *model, const char *path) { return h5_save(path, write_model, model); }

/* ---- Reading ------------------------------------------------------------------------------------ */

static mlpd_status read_affine(h5_file *file, const char *shift, const char *scale, uint32_t columns, affine *a) {
  TRY(affine_create(columns, a));
  TRY(h5_read(file, shift, columns, 0, ELEMENT_F64, a->shift));
  TRY(h5_read(file, scale, columns, 0, ELEMENT_F64, a->scale));
  affine_settle(a);
  return MLPD_OK;
}

static mlpd_status check_hash(h5_file *file, const char *name, const char *what, const char found[17]) {
  char *stored = NULL;
  TRY(h5_attribute_read_text(file, "/", name, &stored));
  const mlpd_status status =
      strcmp(stored, found) == 0
          ? MLPD_OK
          : FAIL(MLPD_ERROR_DATA, "the %s hash to %s but the file says %.40s: it is damaged", what, found, stored);
  free(stored);
  return status;
}

static mlpd_status check_hashes(h5_file *file, uint64_t format, const mlpd_model *model) {
  model_hashes found;
  TRY(format == 1 ? model_hash_format_1(model, &found) : model_hash(model, &found));
  TRY(check_hash(file, "digest", "weights", found.digest));
  return check_hash(file, "checksum", "parts beside the weights", found.checksum);
}

static mlpd_status check_count(const name_list *list, const char *object, uint32_t wanted) {
  if (list->count == 0 || list->count == wanted) return MLPD_OK;
  return FAIL(MLPD_ERROR_DATA, "%s holds %llu names, but %u are named", object, (unsigned long long)list->count,
              wanted);
}

static mlpd_status check_affine(const affine *a, const char *group) {
  for (uint32_t j = 0; j < a->columns; j++) {
    if (!isfinite(a->shift[j])) return FAIL(MLPD_ERROR_DATA, "%s/shift [%u] is not a finite number", group, j);
    if (!isfinite(a->scale[j])) return FAIL(MLPD_ERROR_DATA, "%s/scale [%u] is not a finite number", group, j);
  }
  return MLPD_OK;
}

/* Refuses values that training never writes but a file could hold, and that other code relies on. */
static mlpd_status check_model(const mlpd_model *model) {
  const layer *const last = network_output(model->network);
  if (model->task == MLPD_TASK_AUTO) return FAIL(MLPD_ERROR_DATA, "attribute task names no task");
  if (loss_check(model->loss.kind, last->activation) != MLPD_OK)
    return FAIL(MLPD_ERROR_DATA, "%s", mlpd_error_message());
  if (model->task == MLPD_CLASSIFICATION && loss_needs_values(model->loss.kind))
    return FAIL(MLPD_ERROR_DATA, "attribute loss goes with regression, and task is another");
  if ((model->task == MLPD_REGRESSION) != (model->target.columns > 0))
    return FAIL(MLPD_ERROR_DATA, "/target/shift belongs to a regression, and to nothing else");
  TRY(check_count(&model->names.columns, "/columns/name", model->input.columns));
  TRY(check_count(&model->names.targets, "/targets/name", model->task == MLPD_REGRESSION ? model->target.columns : 1));
  TRY(check_count(&model->names.labels, "/class_labels", (uint32_t)model->names.classes.count));
  TRY(check_affine(&model->input, "/input"));
  TRY(check_affine(&model->target, "/target"));
  for (uint32_t j = 0; j < model->target.columns; j++)
    if (!(model->target.scale[j] > 0))
      return FAIL(MLPD_ERROR_DATA, "/target/scale [%u] is %g, which cannot be a scale", j, model->target.scale[j]);
  return model_network_check(model->network);
}

static mlpd_status read_format(h5_file *file, uint64_t *format) {
  char *kind = NULL;
  if (!h5_attribute_exists(file, "/", "mlpdist")) return FAIL(MLPD_ERROR_DATA, "not a model of mlpdist");
  TRY(h5_attribute_read_text(file, "/", "mlpdist", &kind));
  mlpd_status status = MLPD_OK;
  if (strcmp(kind, "checkpoint") == 0)
    status = FAIL(MLPD_ERROR_DATA, "a checkpoint, not a model; its run writes model.h5");
  else if (strcmp(kind, "trainer") == 0)
    status = FAIL(MLPD_ERROR_DATA, "a trainer's file, not a model; mlpd_trainer_model() makes one of the trainer");
  else if (strcmp(kind, "model") != 0)
    status = FAIL(MLPD_ERROR_DATA, "not a model of mlpdist");
  free(kind);
  TRY(status);
  TRY(h5_attribute_read_u64(file, "/", "format", format));
  if (*format < 1 || *format > MODEL_FORMAT)
    return FAIL(MLPD_ERROR_DATA, "model format %llu; this version reads 1 to %d", (unsigned long long)*format,
                MODEL_FORMAT);
  return MLPD_OK;
}

/* A parameter of the loss, from 0 to most; it stays 0 where the file has none. */
static mlpd_status read_parameter(h5_file *file, const char *name, double most, float *parameter) {
  double value = 0;
  if (!h5_attribute_exists(file, "/", name)) return MLPD_OK;
  TRY(h5_attribute_read_double(file, "/", name, &value));
  if (!(value >= 0 && value <= most)) return FAIL(MLPD_ERROR_DATA, "attribute %s is %g", name, value);
  *parameter = (float)value;
  return MLPD_OK;
}

static mlpd_status read_quantiles(h5_file *file, loss_spec *loss) {
  h5_array *array = NULL;
  TRY(h5_array_open(file, "/quantiles", &array));
  const h5_shape shape = h5_array_shape(array);
  h5_array_close(array);
  if (shape.rank != 1 || shape.rows < 1 || shape.rows > LOSS_MOST_QUANTILES)
    return FAIL(MLPD_ERROR_DATA, "/quantiles is not a list of 1 to %d quantiles", LOSS_MOST_QUANTILES);
  loss->num_quantiles = (uint32_t)shape.rows;
  TRY(h5_read(file, "/quantiles", shape.rows, 0, ELEMENT_F32, loss->quantiles));
  for (uint32_t q = 0; q < loss->num_quantiles; q++)
    if (!(loss->quantiles[q] > (q > 0 ? loss->quantiles[q - 1] : 0) && loss->quantiles[q] < 1))
      return FAIL(MLPD_ERROR_DATA, "/quantiles [%u] is %g: they rise from above 0 to below 1", q,
                  (double)loss->quantiles[q]);
  return MLPD_OK;
}

static mlpd_status read_attributes(h5_file *file, mlpd_model *model) {
  int task = 0, loss = 0;
  TRY(model_read_choice(file, "/", "task", mlpd_task_choices, &task));
  TRY(model_read_choice(file, "/", "loss", mlpd_loss_choices, &loss));
  model->task = (mlpd_task)task;
  model->loss = loss_plain((mlpd_loss)loss);
  TRY(read_parameter(file, "label_smoothing", 0.9999, &model->loss.smoothing));
  TRY(read_parameter(file, "focal_gamma", 100, &model->loss.gamma));
  if (model->loss.kind == MLPD_QUANTILE) TRY(read_quantiles(file, &model->loss));
  TRY(h5_attribute_read_u64(file, "/", "epoch", &model->epoch));
  TRY(h5_attribute_read_u64(file, "/", "step", &model->step));
  if (h5_attribute_exists(file, "/", "config")) TRY(h5_attribute_read_text(file, "/", "config", &model->config));
  if (h5_attribute_exists(file, "/", "table")) TRY(h5_attribute_read_text(file, "/", "table", &model->table));
  return MLPD_OK;
}

static mlpd_status read_names(h5_file *file, const char *object, name_list *list) {
  return h5_exists(file, object) ? h5_strings_read(file, object, &list->names, &list->count) : MLPD_OK;
}

/* The codes of embedded columns are those that the first layer takes, and only they. Members that share nothing may
 * have a fork below it. */
static mlpd_status check_embedded(mlpd_model *model) {
  const layer *const layers = model->network->layers;
  const layer *const first = layers[0].kind == &layer_fork && model->network->num_layers > 1 ? &layers[1] : &layers[0];
  const bool embeds = first->kind == &layer_embed;
  uint32_t *sizes = NULL;
  TRY(memory_allocate(&sizes, first->inputs, sizeof *sizes, "codes of columns"));
  if (model->input.codes != NULL) column_codes_sizes(model->input.codes, sizes);
  bool fits = true;
  for (uint32_t i = 0; i < first->inputs; i++) fits = fits && sizes[i] == (embeds ? first->sizes[i] : 0);
  free(sizes);
  if (!fits) return FAIL(MLPD_ERROR_DATA, "/input/embedded does not fit the sizes of /network/layer_1");
  model->codes.embed_width = first->width;
  return MLPD_OK;
}

static mlpd_status check_width(mlpd_model *model) {
  if (affine_width(&model->input) == network_inputs(model->network)) return check_embedded(model);
  return FAIL(MLPD_ERROR_DATA, "/input/shift makes %u inputs, but the network expects %u", affine_width(&model->input),
              network_inputs(model->network));
}

static mlpd_status read_input(h5_file *file, mlpd_model *model) {
  uint32_t columns_of_x = 0;
  TRY(model_columns_count(file, &columns_of_x));
  TRY(read_affine(file, "/input/shift", "/input/scale", columns_of_x, &model->input));
  TRY(model_curves_read(file, &model->input));
  TRY(model_columns_read(file, columns_of_x, model));
  if (h5_attribute_exists(file, "/", "clip_inputs"))
    TRY(h5_attribute_read_double(file, "/", "clip_inputs", &model->input.limit));
  if (!(model->input.limit >= 0 && model->input.limit <= 1e6))
    return FAIL(MLPD_ERROR_DATA, "attribute clip_inputs is %g", model->input.limit);
  return check_width(model);
}

static mlpd_status read_bounds(h5_file *file, mlpd_model *model) {
  const uint32_t n = model->target.columns;
  double *bounds = NULL;
  TRY(memory_allocate(&bounds, 2 * (size_t)n + 1, sizeof *bounds, "bounds of predictions"));
  mlpd_status status = h5_read(file, "/target/minimum", n, 0, ELEMENT_F64, bounds);
  if (status == MLPD_OK) status = h5_read(file, "/target/maximum", n, 0, ELEMENT_F64, bounds + n);
  for (uint32_t j = 0; j < n && status == MLPD_OK; j++)
    if (!(bounds[j] <= bounds[n + j]))
      status = FAIL(MLPD_ERROR_DATA, "/target/minimum [%u] is %g, above the maximum", j, bounds[j]);
  if (status == MLPD_OK) status = model_clamp(model, bounds, bounds + n);
  free(bounds);
  return status;
}

static mlpd_status check_outputs(const mlpd_model *model) {
  const uint32_t outputs = network_output(model->network)->outputs;
  if (outputs % loss_outputs(&model->loss) == 0) return MLPD_OK;
  return FAIL(MLPD_ERROR_DATA, "%u outputs are not a multiple of the %u of each target with loss %s", outputs,
              loss_outputs(&model->loss), mlpd_choice_name(mlpd_loss_choices, (int)model->loss.kind));
}

mlpd_status model_check(mlpd_model *model) {
  TRY(check_width(model));
  TRY(check_outputs(model));
  if (model->target.columns > 0 &&
      model->target.columns != network_output(model->network)->outputs / loss_outputs(&model->loss))
    return FAIL(MLPD_ERROR_DATA, "/target/shift has %u values for %u outputs", model->target.columns,
                network_output(model->network)->outputs);
  return check_model(model);
}

static mlpd_status read_model(h5_file *file, mlpd_model *model) {
  uint64_t format = 0;
  TRY(read_format(file, &format));
  TRY(read_attributes(file, model));
  TRY(model_network_read(file, &model->network));
  const layer *const last = network_output(model->network);
  TRY(read_input(file, model));
  TRY(check_outputs(model));
  if (h5_exists(file, "/target/shift"))
    TRY(read_affine(file, "/target/shift", "/target/scale", last->outputs / loss_outputs(&model->loss),
                    &model->target));
  if (h5_exists(file, "/target/minimum")) TRY(read_bounds(file, model));
  TRY(read_names(file, "/class_names", &model->names.classes));
  if (format > 1) TRY(read_names(file, "/columns/name", &model->names.columns));
  if (format > 1) TRY(read_names(file, "/targets/name", &model->names.targets));
  TRY(read_names(file, "/class_labels", &model->names.labels));
  if (format > 1) TRY(read_names(file, "/columns/left_out", &model->names.left_out));
  TRY(check_hashes(file, format, model));
  return check_model(model);
}

mlpd_status mlpd_model_load(const char *path, mlpd_model **model) {
  IN_C_LOCALE();
  NEED(model);
  *model = NULL;
  NEED_PATH(path);
  mlpd_model *made = NULL;
  h5_file *file = NULL;
  TRY(memory_allocate(&made, 1, sizeof *made, "model"));
  mlpd_status status = h5_open(path, &file);
  if (status == MLPD_OK) {
    made->file = file_identify(path);
    status = read_model(file, made);
    if (status != MLPD_OK) status = status_prefix(status, "%s: ", path);
    (void)h5_close(file);
  }
  if (status != MLPD_OK) {
    mlpd_model_free(made);
    return status;
  }
  *model = made;
  return MLPD_OK;
}
