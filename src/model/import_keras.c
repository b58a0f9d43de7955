/* Import of a Keras 2 model in HDF5 (model.save("net.h5")): attribute model_config, a JSON text of the layers, and
 * /model_weights/LAYER/.../kernel:0 (inputs, outputs), bias:0 (outputs), ... */
#include "model/import_keras.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static const char *text_of(const json_t *object, const char *key) {
  const char *const text = json_string_value(json_object_get(object, key));
  return text != NULL ? text : "";
}

/* ---- Activations -------------------------------------------------------------------------------------- */

typedef struct renamed {
  const char *keras;
  mlpd_activation activation;
} renamed;

static mlpd_status find_activation(const char *layer, const char *name, mlpd_activation *activation) {
  static const renamed names[] = {{"linear", MLPD_IDENTITY},
                                  {"swish", MLPD_SILU},
                                  {"exponential", MLPD_EXP},
                                  {"hard_silu", MLPD_HARDSWISH},
                                  {"hard_swish", MLPD_HARDSWISH}};
  static const char *const same[] = {"relu",     "sigmoid", "tanh", "softmax", "elu",  "selu",
                                     "softplus", "gelu",    "silu", "relu6",   "mish", "squareplus"};
  int value = MLPD_IDENTITY;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (strcmp(name, names[i].keras) == 0) return *activation = names[i].activation, MLPD_OK;
  for (size_t i = 0; i < sizeof same / sizeof *same; i++)
    if (strcmp(name, same[i]) == 0 && mlpd_choice_find(mlpd_activation_choices, name, &value))
      return *activation = (mlpd_activation)value, MLPD_OK;
  return FAIL(MLPD_ERROR_DATA, "layer %s has activation '%.40s', which mlpdist does not have", layer, name);
}

/* A layer that is an activation applies to the dense layer before it. */
static mlpd_status apply(keras_reader *r, mlpd_activation activation) {
  import_layer *const last = r->chain->num_layers > 0 ? &r->chain->layers[r->chain->num_layers - 1] : NULL;
  if (last == NULL || last->activation != MLPD_IDENTITY)
    return FAIL(MLPD_ERROR_DATA, "layer %s is an activation that follows no dense layer", r->layer);
  if (r->factor != NULL)
    return FAIL(MLPD_ERROR_DATA, "layer %s is an activation after another, with a norm or a constant between",
                r->layer);
  last->activation = activation;
  return MLPD_OK;
}

/* ---- Dense layers ------------------------------------------------------------------------------------- */

static mlpd_status read_widths(const keras_reader *r, uint32_t *inputs, uint32_t *outputs) {
  h5_shape shape;
  TRY(keras_shape(r, KERAS_KERNEL, &shape));
  if (shape.rank != 2 || shape.rows == 0 || shape.rows > INT32_MAX || shape.columns == 0 || shape.columns > INT32_MAX)
    return FAIL(MLPD_ERROR_DATA, "%s is not a matrix (inputs, outputs)", r->parts[KERAS_KERNEL]);
  *inputs = (uint32_t)shape.rows;
  *outputs = (uint32_t)shape.columns;
  return MLPD_OK;
}

static mlpd_status add_dense(keras_reader *r, const json_t *config) {
  uint32_t inputs = 0, outputs = 0;
  import_layer *layer = NULL;
  TRY(keras_find_parts(r));
  if (r->parts[KERAS_KERNEL][0] != '\0' && r->parts[KERAS_BIAS][0] == '\0' &&
      !json_is_false(json_object_get(config, "use_bias")))
    return FAIL(MLPD_ERROR_DATA, "layer %s has no /model_weights/%s/.../bias:0", r->layer, r->layer);
  TRY(read_widths(r, &inputs, &outputs));
  TRY(import_add_layer(r->chain, inputs, outputs, &layer));
  TRY(h5_read(r->file, r->parts[KERAS_KERNEL], inputs, outputs, ELEMENT_F64, layer->weight));
  if (r->parts[KERAS_BIAS][0] != '\0')
    TRY(h5_read(r->file, r->parts[KERAS_BIAS], outputs, 0, ELEMENT_F64, layer->bias));
  TRY(keras_settle(r));
  const json_t *const activation = json_object_get(config, "activation"); /* an object: a layer or a function */
  if (activation == NULL || json_is_null(activation)) return MLPD_OK;
  return find_activation(r->layer, json_is_string(activation) ? json_string_value(activation) : "(an object)",
                         &layer->activation);
}

/* ---- Layers ------------------------------------------------------------------------------------------- */

static bool changes_nothing(const char *kind) {
  static const char *const kinds[] = {
      "InputLayer", "Dropout", "GaussianDropout", "AlphaDropout", "GaussianNoise", "ActivityRegularization", "Flatten"};
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
    if (strcmp(kind, kinds[i]) == 0) return true;
  return false;
}

static mlpd_status read_activation_layer(keras_reader *r, const char *kind, const json_t *config) {
  mlpd_activation activation = MLPD_IDENTITY;
  if (strcmp(kind, "Activation") == 0) {
    TRY(find_activation(r->layer, text_of(config, "activation"), &activation));
    return activation == MLPD_IDENTITY ? MLPD_OK : apply(r, activation);
  }
  if (strcmp(kind, "Softmax") == 0) return apply(r, MLPD_SOFTMAX);
  if (strcmp(kind, "ReLU") == 0 && !(keras_number(config, "negative_slope", 0) > 0) &&
      !(keras_number(config, "threshold", 0) > 0)) {
    const json_t *const most = json_object_get(config, "max_value");
    if (!json_is_number(most)) return apply(r, MLPD_RELU);
    if (json_number_value(most) == 6) return apply(r, MLPD_RELU6);
  }
  if (strcmp(kind, "ELU") == 0 && keras_number(config, "alpha", 1) == 1) return apply(r, MLPD_ELU);
  if (strcmp(kind, "LeakyReLU") == 0 && fabs(keras_number(config, "alpha", 0.3) - 0.01) < 1e-6)
    return apply(r, MLPD_LEAKY_RELU);
  return FAIL(MLPD_ERROR_DATA,
              "layer %s is a %.60s, which import does not know (with these parameters); it reads dense layers, norms, "
              "constants and activations",
              r->layer, kind);
}

static mlpd_status read_other_layer(keras_reader *r, const char *kind, const json_t *config) {
  bool known = false;
  TRY(keras_read_norm(r, kind, config, &known));
  return known ? MLPD_OK : read_activation_layer(r, kind, config);
}

/* Columns of the rows that the first layer takes; 0: it does not tell. */
static uint32_t columns_of(const json_t *config) {
  const json_t *const shape = json_object_get(config, "batch_input_shape");
  const double columns = json_array_size(shape) == 2 ? json_number_value(json_array_get(shape, 1)) : 0;
  return columns >= 1 && columns <= INT32_MAX ? (uint32_t)columns : 0;
}

/* inbound_nodes of a functional model: each layer must take the one before it. */
static mlpd_status check_inbound(const keras_reader *r, const json_t *layer, const char *before) {
  const json_t *const nodes = json_object_get(layer, "inbound_nodes");
  if (json_array_size(nodes) == 0) return MLPD_OK;
  const json_t *const node = json_array_get(nodes, 0), *const from = json_array_get(node, 0);
  const char *const name = json_string_value(json_array_get(from, 0));
  if (json_array_size(nodes) == 1 && json_array_size(node) == 1 && name != NULL && strcmp(name, before) == 0)
    return MLPD_OK;
  return FAIL(MLPD_ERROR_DATA, "layer %s has other inputs than layer %s: the network is not a chain", r->layer, before);
}

static mlpd_status read_layers(keras_reader *r, const json_t *layers) {
  const char *before = "";
  for (size_t i = 0; i < json_array_size(layers); i++) {
    const json_t *const layer = json_array_get(layers, i), *const config = json_object_get(layer, "config");
    const char *const kind = text_of(layer, "class_name");
    r->layer = text_of(config, "name");
    if (i > 0) TRY(check_inbound(r, layer, before));
    before = r->layer;
    if (i == 0) r->width = columns_of(config);
    if (changes_nothing(kind)) continue;
    TRY(strcmp(kind, "Dense") == 0 ? add_dense(r, config) : read_other_layer(r, kind, config));
  }
  return keras_finish(r);
}

static mlpd_status read_config(keras_reader *r, const char *text) {
  json_error_t error;
  json_t *const model = json_loads(text, 0, &error);
  if (model == NULL) return FAIL(MLPD_ERROR_DATA, "attribute model_config is not JSON: %s", error.text);
  const char *const kind = text_of(model, "class_name");
  mlpd_status status = MLPD_OK;
  if (strcmp(kind, "Sequential") != 0 && strcmp(kind, "Functional") != 0 && strcmp(kind, "Model") != 0)
    status = FAIL(MLPD_ERROR_DATA, "it is a %.60s, not a Sequential or Functional model", kind);
  if (status == MLPD_OK) status = read_layers(r, json_object_get(json_object_get(model, "config"), "layers"));
  json_decref(model);
  return status;
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
                  "has no attribute model_config: it is not a Keras 2 model (model.save(\"net.h5\")); weights alone "
                  "(save_weights) do not tell the layers");
  if (status == MLPD_OK) status = h5_attribute_read_text(r.file, "/", "model_config", &config);
  if (status == MLPD_OK) status = read_config(&r, config);
  free(config);
  free(r.factor);
  free(r.shift);
  (void)h5_close(r.file); /* read-only: nothing is lost */
  return status;
}
