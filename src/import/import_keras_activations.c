/* Import of Keras: activations, by name or as layers. Some are one of ours with constants around it. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "import/import_keras.h"

/* a = times A(factor z + shift) + plus */
typedef struct form {
  const char *name; /* in Keras */
  mlpd_activation activation;
  double factor, shift, times, plus;
} form;

static const form FORMS[] = {
    {"linear", MLPD_IDENTITY, 1, 0, 1, 0},
    {"relu", MLPD_RELU, 1, 0, 1, 0},
    {"relu6", MLPD_RELU6, 1, 0, 1, 0},
    {"sigmoid", MLPD_SIGMOID, 1, 0, 1, 0},
    {"tanh", MLPD_TANH, 1, 0, 1, 0},
    {"softmax", MLPD_SOFTMAX, 1, 0, 1, 0},
    {"log_softmax", MLPD_SOFTMAX, 1, 0, 1, 0}, /* the probabilities are what the model predicts here */
    {"elu", MLPD_ELU, 1, 0, 1, 0},
    {"celu", MLPD_ELU, 1, 0, 1, 0},
    {"selu", MLPD_SELU, 1, 0, 1, 0},
    {"softplus", MLPD_SOFTPLUS, 1, 0, 1, 0},
    {"log_sigmoid", MLPD_SOFTPLUS, -1, 0, -1, 0},
    {"squareplus", MLPD_SQUAREPLUS, 1, 0, 1, 0},
    {"gelu", MLPD_GELU, 1, 0, 1, 0},
    {"silu", MLPD_SILU, 1, 0, 1, 0},
    {"swish", MLPD_SILU, 1, 0, 1, 0},
    {"mish", MLPD_MISH, 1, 0, 1, 0},
    {"exponential", MLPD_EXP, 1, 0, 1, 0},
    {"softsign", MLPD_SOFTSIGN, 1, 0, 1, 0},
    {"hard_silu", MLPD_HARDSWISH, 1, 0, 1, 0},
    {"hard_swish", MLPD_HARDSWISH, 1, 0, 1, 0},
    {"hard_tanh", MLPD_RELU6, 3, 3, 1.0 / 3, -1},
};

/* max(0, min(1, slope z + 0.5)): the slope is 0.2 in Keras 2. */
static const form HARD_SIGMOIDS[] = {{"hard_sigmoid", MLPD_RELU6, 1.2, 3, 1.0 / 6, 0},
                                     {"hard_sigmoid", MLPD_RELU6, 1, 3, 1.0 / 6, 0}};

static mlpd_status numbers(uint32_t n, double number, double **made) {
  TRY(memory_allocate(made, n, sizeof **made, "weights"));
  for (uint32_t j = 0; j < n; j++) (*made)[j] = number;
  return MLPD_OK;
}

/* The layer that an activation applies to, the last one, which must have none. */
static mlpd_status find_layer(const keras_reader *r, import_layer **found) {
  import_layer *const last = r->chain->num_layers > 0 ? &r->chain->layers[r->chain->num_layers - 1] : NULL;
  if (last == NULL || last->activation != MLPD_IDENTITY)
    return FAIL(MLPD_ERROR_DATA, "layer %s is an activation that follows no dense layer", r->layer);
  if (r->factor != NULL)
    return FAIL(MLPD_ERROR_DATA, "layer %s is an activation after another, with a norm or a constant between",
                r->layer);
  *found = last;
  return MLPD_OK;
}

static mlpd_status fold(import_layer *layer, const form *f) {
  double *factor = NULL, *shift = NULL;
  TRY(numbers(layer->outputs, f->factor, &factor));
  const mlpd_status status = numbers(layer->outputs, f->shift, &shift);
  if (status == MLPD_OK) import_fold_after(layer, factor, shift);
  free(factor);
  free(shift);
  return status;
}

static mlpd_status apply_form(keras_reader *r, const form *f) {
  import_layer *layer = NULL;
  double *factor = NULL, *shift = NULL;
  if (f->activation == MLPD_IDENTITY) return MLPD_OK;
  TRY(find_layer(r, &layer));
  if (f->factor != 1 || f->shift != 0) TRY(fold(layer, f));
  layer->activation = f->activation;
  if (f->times == 1 && f->plus == 0) return MLPD_OK;
  mlpd_status status = numbers(layer->outputs, f->times, &factor);
  if (status == MLPD_OK) status = numbers(layer->outputs, f->plus, &shift);
  return keras_pass_affine(r, status, layer->outputs, factor, shift);
}

static mlpd_status apply(keras_reader *r, mlpd_activation activation) {
  return apply_form(r, &(form){"", activation, 1, 0, 1, 0});
}

/* z if z > 0 else slope z */
static mlpd_status apply_slope(keras_reader *r, double slope) {
  import_layer *layer = NULL;
  double *slopes = NULL;
  TRY(find_layer(r, &layer));
  TRY(numbers(layer->outputs, slope, &slopes));
  const mlpd_status status = import_set_slope(layer, slopes);
  free(slopes);
  return status;
}

static mlpd_status activate(keras_reader *r, const char *name) {
  if (strcmp(name, "leaky_relu") == 0) return apply_slope(r, 0.2);
  if (strcmp(name, "hard_sigmoid") == 0) return apply_form(r, &HARD_SIGMOIDS[r->version >= 3]);
  for (size_t i = 0; i < sizeof FORMS / sizeof *FORMS; i++)
    if (strcmp(name, FORMS[i].name) == 0) return apply_form(r, &FORMS[i]);
  return FAIL(MLPD_ERROR_DATA, "layer %s has activation '%.40s', which mlpdist does not have", r->layer, name);
}

/* ---- Layers ------------------------------------------------------------------------------------------- */

/* Slopes of its own, one for each unit or (shared_axes) for all. */
static mlpd_status read_prelu(keras_reader *r, const json_t *config) {
  import_layer *layer = NULL;
  double *slope = NULL;
  uint32_t n = 0;
  TRY(keras_find_parts(r, "PReLU", config));
  TRY(find_layer(r, &layer));
  TRY(keras_length(r, KERAS_ALPHA, &n));
  if (n != layer->outputs && n != 1)
    return FAIL(MLPD_ERROR_DATA, "layer %s expects %u values, but the layer before it gives %u", r->layer, n,
                layer->outputs);
  TRY(keras_read_vector(r, KERAS_ALPHA, n, 0, &slope));
  const double one = slope[0];
  mlpd_status status = n == layer->outputs ? import_set_slope(layer, slope) : MLPD_OK;
  free(slope);
  if (status == MLPD_OK && n != layer->outputs) status = apply_slope(r, one);
  return status;
}

static mlpd_status read_relu(keras_reader *r, const json_t *config, bool *known) {
  const double slope = keras_number(config, "negative_slope", 0), threshold = keras_number(config, "threshold", 0);
  const json_t *const most = json_object_get(config, "max_value");
  const bool bounded = json_is_number(most);
  const double bound = bounded ? json_number_value(most) : 0;
  *known = threshold == 0 && (!bounded || (slope == 0 && bound > 0));
  if (!*known) return MLPD_OK;
  if (slope != 0) return apply_slope(r, slope);
  return bounded ? apply_form(r, &(form){"", MLPD_RELU6, 6 / bound, 0, bound / 6, 0}) : apply(r, MLPD_RELU);
}

/* The slope has another name since Keras 3, as it had in one of Keras 2. */
static double slope_of(const json_t *config) {
  return keras_number(config, "negative_slope", keras_number(config, "alpha", 0.3));
}

static mlpd_status refuse(const keras_reader *r, const char *kind) {
  return FAIL(
      MLPD_ERROR_DATA,
      "layer %s is of class %.60s, which import does not know (with these parameters); it reads dense layers, norms, "
      "constants and the activations of mlpdist: exchange another, such as for tanh, and train again",
      r->layer, kind);
}

mlpd_status keras_read_activation(keras_reader *r, const char *kind, const json_t *config) {
  bool known = true;
  if (strcmp(kind, "Activation") == 0) return keras_activate_by(r, json_object_get(config, "activation"));
  if (strcmp(kind, "Softmax") == 0) return apply(r, MLPD_SOFTMAX);
  if (strcmp(kind, "LeakyReLU") == 0) return apply_slope(r, slope_of(config));
  if (strcmp(kind, "PReLU") == 0) return read_prelu(r, config);
  if (strcmp(kind, "ELU") == 0 && keras_number(config, "alpha", 1) == 1) return apply(r, MLPD_ELU);
  if (strcmp(kind, "ReLU") != 0) return refuse(r, kind);
  TRY(read_relu(r, config, &known));
  return known ? MLPD_OK : refuse(r, kind);
}

mlpd_status keras_activate_by(keras_reader *r, const json_t *activation) {
  const json_t *const config = json_object_get(activation, "config");
  const char *const kind = json_string_value(json_object_get(activation, "class_name"));
  if (activation == NULL || json_is_null(activation)) return MLPD_OK;
  if (json_is_string(activation)) return activate(r, json_string_value(activation));
  if (json_is_string(config)) return activate(r, json_string_value(config)); /* a function of Keras */
  if (kind != NULL && strcmp(kind, "PReLU") != 0 && strcmp(kind, "Activation") != 0 && json_is_object(config))
    return keras_read_activation(r, kind, config);
  return activate(r, "(an object)");
}
