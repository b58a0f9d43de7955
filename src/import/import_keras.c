/* Import of a Keras model. In HDF5 (model.save("net.h5")): attribute model_config, a JSON text of the layers, and
 * /model_weights/LAYER/.../kernel:0 (inputs, outputs), bias:0 (outputs), ..., without ":0" since Keras 3. Files .keras
 * hold the same apart (import_keras_archive.c). */
#include "import/import_keras.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static const char *text_of(const json_t *object, const char *key) {
  const char *const text = json_string_value(json_object_get(object, key));
  return text != NULL ? text : "";
}

/* ---- Dense layers ------------------------------------------------------------------------------------- */

static mlpd_status read_widths(const keras_reader *r, uint32_t *inputs, uint32_t *outputs) {
  h5_shape shape;
  TRY(keras_shape(r, KERAS_KERNEL, &shape));
  if (shape.rank != 2 || shape.rows == 0 || shape.rows > INT32_MAX || shape.columns == 0 || shape.columns > INT32_MAX)
    return FAIL(MLPD_ERROR_DATA, "%s is not a matrix (inputs, outputs)", r->parts[KERAS_KERNEL]);
  if (element_is_integer(shape.type))
    return FAIL(MLPD_ERROR_DATA, "kernel, %s, holds whole numbers: it is quantized, and its scale is not read",
                r->parts[KERAS_KERNEL]);
  *inputs = (uint32_t)shape.rows;
  *outputs = (uint32_t)shape.columns;
  return MLPD_OK;
}

static mlpd_status add_dense(keras_reader *r, const json_t *config) {
  uint32_t inputs = 0, outputs = 0;
  import_layer *layer = NULL;
  TRY(keras_find_parts(r, "Dense", config));
  if (r->parts[KERAS_KERNEL][0] != '\0' && r->parts[KERAS_BIAS][0] == '\0' &&
      !json_is_false(json_object_get(config, "use_bias")))
    return keras_shape(r, KERAS_BIAS, &(h5_shape){0});
  TRY(read_widths(r, &inputs, &outputs));
  TRY(import_add_layer(r->chain, inputs, outputs, &layer));
  TRY(h5_read(r->file, r->parts[KERAS_KERNEL], inputs, outputs, ELEMENT_F64, layer->weight));
  if (r->parts[KERAS_BIAS][0] != '\0')
    TRY(h5_read(r->file, r->parts[KERAS_BIAS], outputs, 0, ELEMENT_F64, layer->bias));
  TRY(keras_settle(r));
  return keras_activate_by(r, json_object_get(config, "activation"));
}

/* ---- Layers ------------------------------------------------------------------------------------------- */

static bool changes_nothing(const char *kind) {
  static const char *const kinds[] = {"InputLayer",   "Dropout",       "GaussianDropout",
                                      "AlphaDropout", "GaussianNoise", "ActivityRegularization",
                                      "Flatten",      "Identity"};
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
    if (strcmp(kind, kinds[i]) == 0) return true;
  return false;
}

static mlpd_status read_other_layer(keras_reader *r, const char *kind, const json_t *config) {
  bool known = false;
  TRY(keras_read_norm(r, kind, config, &known));
  return known ? MLPD_OK : keras_read_activation(r, kind, config);
}

/* Columns of the rows that the first layer takes; 0: it does not tell. */
static uint32_t columns_of(const json_t *config) {
  const json_t *const old = json_object_get(config, "batch_input_shape"); /* before Keras 3 */
  const json_t *const shape = old != NULL ? old : json_object_get(config, "batch_shape");
  const double columns = json_array_size(shape) == 2 ? json_number_value(json_array_get(shape, 1)) : 0;
  return columns >= 1 && columns <= INT32_MAX ? (uint32_t)columns : 0;
}

/* The layer that a node takes; NULL: several, or it is not told. A node is [[NAME, 0, 0, {}]] or, since Keras 3,
 * {"args": [{"config": {"keras_history": [NAME, 0, 0]}}], "kwargs": {}}. */
static const char *taken_by(const json_t *node) {
  const json_t *const taken = json_is_object(node) ? json_object_get(node, "args") : node;
  if (json_array_size(taken) != 1) return NULL;
  const json_t *const from = json_array_get(taken, 0);
  const json_t *const since_3 = json_object_get(json_object_get(from, "config"), "keras_history");
  return json_string_value(json_array_get(since_3 != NULL ? since_3 : from, 0));
}

/* inbound_nodes of a functional model: each layer must take the one before it. */
static mlpd_status check_inbound(const keras_reader *r, const json_t *layer, const char *before) {
  const json_t *const nodes = json_object_get(layer, "inbound_nodes");
  if (json_array_size(nodes) == 0) return MLPD_OK;
  const char *const name = taken_by(json_array_get(nodes, 0));
  if (json_array_size(nodes) == 1 && name != NULL && strcmp(name, before) == 0) return MLPD_OK;
  return FAIL(MLPD_ERROR_DATA, "layer %s has other inputs than layer %s: the network is not a chain", r->layer, before);
}

/* Another package may have a class of the same name that computes something else. */
static mlpd_status check_module(const keras_reader *r, const json_t *layer, const char *kind) {
  static const char *const known[] = {"keras.", "tf_keras.", "tensorflow."};
  const char *const module = text_of(layer, "module");
  if (module[0] == '\0') return MLPD_OK;
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (strncmp(module, known[i], strlen(known[i])) == 0) return MLPD_OK;
  return FAIL(MLPD_ERROR_DATA, "layer %s is of class %s of %.60s, not of Keras: import does not know what it computes",
              r->layer, kind, module);
}

/* output_layers of a functional model: [[NAME, 0, 0]] or, since Keras 3, [NAME, 0, 0]. */
static mlpd_status check_outputs(const json_t *outputs, const char *last) {
  const json_t *const first = json_array_get(outputs, 0);
  const bool in_list = json_is_array(first);
  const char *const name = json_string_value(in_list ? json_array_get(first, 0) : first);
  if (outputs == NULL || (name != NULL && strcmp(name, last) == 0 && (!in_list || json_array_size(outputs) == 1)))
    return MLPD_OK;
  return FAIL(MLPD_ERROR_DATA, "it has other outputs than those of its last layer, %s: import reads a single output",
              last);
}

/* model: its configuration. */
static mlpd_status read_layers(keras_reader *r, const json_t *model) {
  const json_t *const layers = json_object_get(model, "layers");
  const char *before = "";
  for (size_t i = 0; i < json_array_size(layers); i++) {
    const json_t *const layer = json_array_get(layers, i), *const config = json_object_get(layer, "config");
    const char *const kind = text_of(layer, "class_name");
    r->layer = text_of(config, "name");
    if (i > 0) TRY(check_inbound(r, layer, before));
    TRY(check_module(r, layer, kind));
    before = r->layer;
    if (i == 0) r->width = columns_of(config);
    if (changes_nothing(kind)) continue;
    TRY(strcmp(kind, "Dense") == 0 ? add_dense(r, config) : read_other_layer(r, kind, config));
  }
  TRY(check_outputs(json_object_get(model, "output_layers"), before));
  return keras_finish(r);
}

mlpd_status keras_read_model(keras_reader *r, const char *config) {
  json_error_t error;
  json_t *const model = json_loads(config, 0, &error);
  if (model == NULL) return FAIL(MLPD_ERROR_DATA, "its configuration is not JSON: %s", error.text);
  const char *const kind = text_of(model, "class_name");
  mlpd_status status = MLPD_OK;
  if (strcmp(kind, "Sequential") != 0 && strcmp(kind, "Functional") != 0 && strcmp(kind, "Model") != 0)
    status = FAIL(MLPD_ERROR_DATA, "it is a %.60s, not a Sequential or Functional model", kind);
  if (status == MLPD_OK) status = read_layers(r, json_object_get(model, "config"));
  json_decref(model);
  free(r->factor);
  free(r->shift);
  r->factor = r->shift = NULL;
  return status;
}

/* 2 if the file does not say. */
static mlpd_status read_version(keras_reader *r) {
  const char *const at = h5_attribute_exists(r->file, "/", "keras_version") ? "/" : "/model_weights";
  char *text = NULL;
  r->version = 2;
  if (!h5_exists(r->file, at) || !h5_attribute_exists(r->file, at, "keras_version")) return MLPD_OK;
  TRY(h5_attribute_read_text(r->file, at, "keras_version", &text));
  r->version = text[0] >= '3' ? 3 : 2;
  free(text);
  return MLPD_OK;
}

mlpd_status import_keras(const char *path, const mlpd_import_options *options, import_chain *chain) {
  keras_reader r = {.chain = chain};
  char *config = NULL;
  (void)options;
  TRY(h5_open(path, &r.file));
  mlpd_status status = MLPD_OK;
  if (h5_attribute_exists(r.file, "/", "mlpdist"))
    status = FAIL(MLPD_ERROR_DATA, "it is a file of mlpdist, and needs no import");
  else if (!h5_attribute_exists(r.file, "/", "model_config"))
    status = FAIL(MLPD_ERROR_DATA,
                  "has no attribute model_config: it is not a Keras model (model.save(\"net.keras\") or "
                  "model.save(\"net.h5\")); weights alone (save_weights) do not name the layers");
  if (status == MLPD_OK) status = h5_attribute_read_text(r.file, "/", "model_config", &config);
  if (status == MLPD_OK) status = read_version(&r);
  if (status == MLPD_OK) status = keras_read_model(&r, config);
  free(config);
  (void)h5_close(r.file); /* read-only: nothing is lost */
  return status;
}
