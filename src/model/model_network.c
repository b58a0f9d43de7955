#include "model/model_network.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "network/layer_kind.h"

enum { OBJECT_BYTES = 96, MAX_LAYERS = 10000 };

/* "/network/layer_1", or of a tensor "/network/layer_1/weight". number from 1. */
static void layer_object(char object[OBJECT_BYTES], uint32_t number, const char *tensor) {
  (void)snprintf(object, OBJECT_BYTES, "/network/layer_%u%s%s", number, tensor[0] != '\0' ? "/" : "", tensor);
}

/* ---- Writing ------------------------------------------------------------------------------------ */

/* In the file the rows of a matrix lie together, in the arena `stride` apart. */
static mlpd_status write_matrix(h5_file *file, const char *object, const tensor *t, const float *values) {
  float *together = NULL;
  const size_t row = t->columns;
  TRY(memory_allocate(&together, t->rows * row, sizeof *together, "weights"));
  for (size_t i = 0; i < t->rows; i++) memcpy(together + i * row, values + i * t->stride, row * sizeof *together);
  const mlpd_status status = h5_write(file, object, t->rows, row, ELEMENT_F32, together);
  free(together);
  return status;
}

static mlpd_status write_tensor(h5_file *file, const char *object, const tensor *t, const float *values) {
  return t->vector ? h5_write(file, object, t->columns, 0, ELEMENT_F32, values) : write_matrix(file, object, t, values);
}

static mlpd_status write_layer(h5_file *file, const mlpd_network *network, uint32_t l, uint32_t number) {
  const layer *const shape = &network->layers[l];
  char object[OBJECT_BYTES];
  for (uint32_t i = 0; i < shape->num_tensors; i++) {
    const tensor *const t = layer_tensor(network, l, i);
    layer_object(object, number, t->name);
    TRY(write_tensor(file, object, t, network->parameters + t->offset));
    if (i > 0) continue;
    TRY(h5_attribute_write_text(file, object, "activation",
                                mlpd_choice_name(mlpd_activation_choices, (int)shape->activation)));
  }
  if (shape->kind == &layer_dense) return MLPD_OK;
  layer_object(object, number, "");
  TRY(h5_attribute_write_text(file, object, "kind", shape->kind->name));
  if (shape->kind == &layer_fork) {
    TRY(h5_attribute_write_u64(file, object, "inputs", shape->inputs));
    TRY(h5_attribute_write_u64(file, object, "members", shape->copies));
  }
  if (!shape->kind->expands) return MLPD_OK;
  TRY(h5_attribute_write_u64(file, object, "width", shape->width));
  layer_object(object, number, "sizes");
  return h5_write(file, object, shape->inputs, 0, ELEMENT_U32, shape->sizes);
}

mlpd_status model_network_write(h5_file *file, const mlpd_network *network) {
  uint32_t number = 0;
  for (uint32_t l = 0; l < network->num_layers; l++)
    if (!network->layers[l].kind->training_only) TRY(write_layer(file, network, l, ++number));
  return MLPD_OK;
}

static bool is_plain(const layer *l) {
  return l->kind->training_only || (l->kind == &layer_dense && l->num_tensors > 1);
}

uint64_t model_network_format(const mlpd_network *network) {
  for (uint32_t l = 0; l < network->num_layers; l++)
    if (!is_plain(&network->layers[l])) return 3;
  return 2;
}

/* ---- Reading ------------------------------------------------------------------------------------ */

mlpd_status model_read_choice(h5_file *file, const char *object, const char *name, const mlpd_choice *choices,
                              int *value) {
  char *text = NULL;
  TRY(h5_attribute_read_text(file, object, name, &text));
  const bool found = mlpd_choice_find(choices, text, value);
  const mlpd_status status =
      found
          ? MLPD_OK
          : FAIL(MLPD_ERROR_DATA, "%s: attribute %s is '%.40s', which this version does not know", object, name, text);
  free(text);
  return status;
}

/* Shape of an array of the file. */
static mlpd_status read_shape(h5_file *file, const char *object, h5_shape *shape) {
  h5_array *array = NULL;
  TRY(h5_array_open(file, object, &array));
  *shape = h5_array_shape(array);
  h5_array_close(array);
  return MLPD_OK;
}

static uint32_t count_layers(h5_file *file) {
  char object[OBJECT_BYTES];
  uint32_t layers = 0;
  for (layer_object(object, 1, ""); layers < MAX_LAYERS && h5_exists(file, object);)
    layer_object(object, ++layers + 1, "");
  return layers;
}

static mlpd_status read_kind(h5_file *file, uint32_t number, const layer_kind **kind) {
  char object[OBJECT_BYTES], *text = NULL;
  layer_object(object, number, "");
  *kind = &layer_dense;
  if (!h5_attribute_exists(file, object, "kind")) return MLPD_OK;
  TRY(h5_attribute_read_text(file, object, "kind", &text));
  *kind = layer_kind_find(text);
  const mlpd_status status =
      *kind != NULL && !(*kind)->training_only
          ? MLPD_OK
          : FAIL(MLPD_ERROR_DATA, "%s is a layer of kind '%.40s', which this version does not know", object, text);
  free(text);
  return status;
}

/* The first tensor of a layer gives its widths: (inputs, outputs); the length of a vector is both. */
static mlpd_status read_widths(h5_file *file, const char *object, bool vector, uint32_t *inputs, uint32_t *outputs) {
  h5_shape shape;
  TRY(read_shape(file, object, &shape));
  const bool fits = vector ? shape.rank == 1 : shape.rank == 2 && shape.columns > 0 && shape.columns <= INT32_MAX;
  if (!fits || shape.rows == 0 || shape.rows > INT32_MAX)
    return FAIL(MLPD_ERROR_DATA, "%s is no weight %s", object, vector ? "vector" : "matrix");
  *inputs = (uint32_t)shape.rows;
  *outputs = (uint32_t)(vector ? shape.rows : shape.columns);
  return MLPD_OK;
}

/* What a layer takes from the layers before it. */
typedef struct before {
  uint32_t outputs; /* of the one before; 0: there is none */
  uint32_t copies;  /* members of the ensemble; 1 below its fan-out */
} before;

/* The widths of other layers of an ensemble, from the shape of their first tensor: of a fan-out, a scale and a
 * parametric activation, which single networks have, too (members, width), of heads (members * inputs, outputs). */
static mlpd_status find_widths(const char *object, before *at, uint32_t *inputs, layer_spec *spec) {
  if (spec->kind == &layer_fan_out) {
    spec->copies = at->copies = *inputs;
    *inputs = spec->outputs;
  }
  if (spec->kind == &layer_parametric || (spec->kind == &layer_scale && at->copies > 1)) {
    if (*inputs != at->copies)
      return FAIL(MLPD_ERROR_DATA, "%s has %u rows, not one for each of %u members", object, *inputs, at->copies);
    *inputs = spec->outputs;
  }
  if (spec->kind != &layer_heads) return MLPD_OK;
  if (*inputs % at->copies != 0)
    return FAIL(MLPD_ERROR_DATA, "%s has %u rows, not as many for each of %u members", object, *inputs, at->copies);
  *inputs /= at->copies;
  return MLPD_OK;
}

/* The widths of a fork, whose only tensor it may lack. */
static mlpd_status read_fork(h5_file *file, uint32_t number, before *at, uint32_t *inputs, layer_spec *spec) {
  char object[OBJECT_BYTES];
  uint64_t width = 0, members = 0;
  layer_object(object, number, "");
  TRY(h5_attribute_read_u64(file, object, "inputs", &width));
  TRY(h5_attribute_read_u64(file, object, "members", &members));
  if (width == 0 || width > INT32_MAX || members == 0 || members > INT32_MAX)
    return FAIL(MLPD_ERROR_DATA, "%s is a fork of %llu inputs to %llu members", object, (unsigned long long)width,
                (unsigned long long)members);
  layer_object(object, number, "scale");
  spec->amount = h5_exists(file, object) ? 1 : 0;
  *inputs = spec->outputs = (uint32_t)width;
  spec->copies = at->copies = (uint32_t)members;
  return MLPD_OK;
}

/* The sizes and width of a layer that expands inputs, and from these its inputs and outputs. */
static mlpd_status read_sizes(h5_file *file, uint32_t number, uint32_t *inputs, layer_spec *spec) {
  char object[OBJECT_BYTES];
  uint64_t width = 0;
  h5_shape shape;
  uint32_t *sizes = NULL;
  layer_object(object, number, "");
  TRY(h5_attribute_read_u64(file, object, "width", &width));
  layer_object(object, number, "sizes");
  TRY(read_shape(file, object, &shape));
  if (shape.rank != 1 || shape.rows == 0 || shape.rows > INT32_MAX || width == 0 || width > INT32_MAX)
    return FAIL(MLPD_ERROR_DATA, "%s cannot be sizes of inputs", object);
  TRY(memory_allocate(&sizes, shape.rows, sizeof *sizes, "layers"));
  spec->sizes = sizes;
  TRY(h5_read(file, object, shape.rows, 0, ELEMENT_U32, sizes));
  *inputs = (uint32_t)shape.rows;
  spec->width = (uint32_t)width;
  spec->outputs = network_expanded(*inputs, sizes, spec->width);
  if (spec->kind != &layer_piecewise) return MLPD_OK;
  layer_object(object, number, "edge");
  TRY(read_shape(file, object, &shape));
  spec->amount = (double)shape.columns - 1;
  return MLPD_OK;
}

/* Reads the specification of layer `number`; *inputs gets its width. */
static mlpd_status read_spec(h5_file *file, uint32_t number, before *at, uint32_t *inputs, layer_spec *spec) {
  char object[OBJECT_BYTES];
  tensor made[LAYER_MOST_TENSORS] = {{0}};
  int activation = 0;
  TRY(read_kind(file, number, &spec->kind));
  (void)spec->kind->tensors(&(layer){.inputs = 1, .outputs = 1, .copies = at->copies}, spec, made);
  layer_object(object, number, made[0].name);
  if (spec->kind->expands)
    TRY(read_sizes(file, number, inputs, spec));
  else if (spec->kind == &layer_fork)
    TRY(read_fork(file, number, at, inputs, spec));
  else
    TRY(read_widths(file, object, made[0].vector, inputs, &spec->outputs));
  TRY(find_widths(object, at, inputs, spec));
  if (at->outputs > 0 && *inputs != at->outputs)
    return FAIL(MLPD_ERROR_DATA, "%s expects %u inputs, but the layer before has %u outputs", object, *inputs,
                at->outputs);
  at->outputs = spec->outputs;
  if (spec->kind == &layer_fork) return MLPD_OK; /* it has no activation */
  TRY(model_read_choice(file, object, "activation", mlpd_activation_choices, &activation));
  spec->activation = spec->starts_for = (mlpd_activation)activation;
  layer_object(object, number, "bias");
  spec->no_bias = !h5_exists(file, object);
  return MLPD_OK;
}

static mlpd_status read_specs(h5_file *file, uint32_t layers, uint32_t *inputs, layer_spec *specs) {
  before at = {.copies = 1};
  for (uint32_t l = 0; l < layers; l++) {
    uint32_t takes = 0;
    TRY(read_spec(file, l + 1, &at, &takes, &specs[l]));
    if (l == 0) *inputs = takes;
  }
  return MLPD_OK;
}

static mlpd_status read_tensor(h5_file *file, const char *object, const tensor *t, float *values) {
  const size_t row = t->columns;
  TRY(h5_read(file, object, t->vector ? row : t->rows, t->vector ? 0 : row, ELEMENT_F32, values));
  for (size_t i = t->rows; i-- > 1 && t->stride > row;) {
    memmove(values + i * t->stride, values + i * row, row * sizeof *values);
    memset(values + (i - 1) * t->stride + row, 0, (t->stride - row) * sizeof *values);
  }
  return MLPD_OK;
}

static mlpd_status check_finite(const char *object, const tensor *t, const float *values) {
  for (size_t i = 0; i < t->rows; i++)
    for (size_t j = 0; j < t->columns; j++)
      if (!isfinite(values[i * t->stride + j]))
        return FAIL(MLPD_ERROR_DATA, "%s holds a value that is not a finite number", object);
  return MLPD_OK;
}

/* All layers of a network that was read are in the file. */
static mlpd_status read_tensors(h5_file *file, mlpd_network *network) {
  for (uint32_t i = 0; i < network->num_tensors; i++) {
    const tensor *const t = &network->tensors[i];
    char object[OBJECT_BYTES];
    layer_object(object, t->layer + 1, t->name);
    TRY(read_tensor(file, object, t, network->parameters + t->offset));
  }
  return MLPD_OK;
}

mlpd_status model_network_check(const mlpd_network *network) {
  for (uint32_t i = 0; i < network->num_tensors; i++) {
    const tensor *const t = &network->tensors[i];
    char object[OBJECT_BYTES];
    layer_object(object, t->layer + 1, t->name);
    TRY(check_finite(object, t, network->parameters + t->offset));
  }
  return MLPD_OK;
}

mlpd_status model_network_read(h5_file *file, mlpd_network **network) {
  const uint32_t layers = count_layers(file);
  if (layers == 0) return FAIL(MLPD_ERROR_DATA, "no /network/layer_1/weight: not a model");
  uint32_t inputs = 0;
  layer_spec *specs = NULL;
  mlpd_status status = memory_allocate(&specs, layers, sizeof *specs, "layers");
  if (status == MLPD_OK) status = read_specs(file, layers, &inputs, specs);
  if (status == MLPD_OK) status = network_build(inputs, layers, specs, false, network);
  if (status == MLPD_ERROR_USAGE) status = FAIL(MLPD_ERROR_DATA, "%s", mlpd_error_message()); /* not the caller's */
  if (status == MLPD_OK) status = read_tensors(file, *network);
  for (uint32_t l = 0; specs != NULL && l < layers; l++) free((uint32_t *)specs[l].sizes); /* of read_sizes */
  free(specs);
  return status;
}
