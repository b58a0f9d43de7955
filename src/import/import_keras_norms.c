/* Import of Keras: BatchNormalization, LayerNormalization, Rescaling and Normalization. All but the second are factor
 * o x + shift, which the layer beside it takes over. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "import/import_keras.h"

/* Of the norms here, in their square. */
static const double OUR_EPSILON = 1e-5;

static import_layer *last_layer(const keras_reader *r) {
  return r->chain->num_layers > 0 ? &r->chain->layers[r->chain->num_layers - 1] : NULL;
}

static mlpd_status check_width(const keras_reader *r, uint32_t n) {
  const import_layer *const last = last_layer(r);
  const uint32_t before = r->factor != NULL ? r->width : last != NULL ? last->outputs : n;
  if (before == n) return MLPD_OK;
  return FAIL(MLPD_ERROR_DATA, "layer %s expects %u values, but the layer before it gives %u", r->layer, n, before);
}

static void forget(keras_reader *r) {
  free(r->factor);
  free(r->shift);
  r->factor = r->shift = NULL;
}

/* factor o a + shift (n) of the values a so far; both are taken over. */
static mlpd_status take_affine(keras_reader *r, uint32_t n, double *factor, double *shift) {
  import_layer *const last = last_layer(r);
  TRY(check_width(r, n));
  if (last != NULL && last->activation == MLPD_IDENTITY) {
    import_fold_after(last, factor, shift);
    free(factor);
    free(shift);
    return MLPD_OK;
  }
  for (uint32_t j = 0; r->factor != NULL && j < n; j++) {
    shift[j] += factor[j] * r->shift[j];
    factor[j] *= r->factor[j];
  }
  forget(r);
  r->width = n;
  r->factor = factor;
  r->shift = shift;
  return MLPD_OK;
}

mlpd_status keras_pass_affine(keras_reader *r, mlpd_status status, uint32_t n, double *factor, double *shift) {
  if (status == MLPD_OK) status = take_affine(r, n, factor, shift);
  if (status != MLPD_OK) free(factor);
  if (status != MLPD_OK) free(shift);
  return status;
}

mlpd_status keras_settle(keras_reader *r) {
  import_layer *const layer = last_layer(r);
  if (r->factor == NULL) return MLPD_OK;
  if (layer->inputs != r->width)
    return FAIL(MLPD_ERROR_DATA, "layer %s expects %u values, but the layer before it gives %u", r->layer,
                layer->inputs, r->width);
  if (r->chain->num_layers == 1 && import_take_input(r->chain, r->width, r->factor, r->shift)) {
    r->factor = r->shift = NULL;
    return MLPD_OK;
  }
  import_fold_before(layer, r->factor, r->shift);
  forget(r);
  return MLPD_OK;
}

mlpd_status keras_finish(keras_reader *r) {
  if (r->factor == NULL) return MLPD_OK;
  for (uint32_t j = 0; j < r->width; j++)
    if (!(r->factor[j] > 0) || !isfinite(1 / r->factor[j]))
      return FAIL(MLPD_ERROR_DATA, "layer %s scales the outputs by %g: a model holds only factors above 0", r->layer,
                  r->factor[j]);
  for (uint32_t j = 0; j < r->width; j++) r->factor[j] = 1 / r->factor[j];
  r->chain->target_scale = r->factor;
  r->chain->target_shift = r->shift;
  r->factor = r->shift = NULL;
  return MLPD_OK;
}

/* (x - mean) gamma / sqrt(variance + epsilon) + beta */
static mlpd_status read_batch_norm(keras_reader *r, const json_t *config) {
  uint32_t n = 0;
  double *gain = NULL, *shift = NULL, *mean = NULL, *variance = NULL;
  const double epsilon = keras_number(config, "epsilon", 1e-3);
  TRY(keras_length(r, KERAS_MOVING_MEAN, &n));
  mlpd_status status = keras_read_vector(r, KERAS_GAMMA, n, 1, &gain);
  if (status == MLPD_OK) status = keras_read_vector(r, KERAS_BETA, n, 0, &shift);
  if (status == MLPD_OK) status = keras_read_vector(r, KERAS_MOVING_MEAN, n, 0, &mean);
  if (status == MLPD_OK) status = keras_read_vector(r, KERAS_MOVING_VARIANCE, n, 1, &variance);
  for (uint32_t j = 0; status == MLPD_OK && j < n; j++) {
    gain[j] /= sqrt(variance[j] + epsilon);
    shift[j] -= mean[j] * gain[j];
  }
  free(mean);
  free(variance);
  return keras_pass_affine(r, status, n, gain, shift);
}

/* Its epsilon is another than ours: it is our norm of c x with c^2 = ours / its, which the product before gives. */
static mlpd_status adapt_epsilon(keras_reader *r, uint32_t n, double epsilon) {
  import_layer *const last = last_layer(r);
  double *factor = NULL, *shift = NULL;
  if (r->factor == NULL && epsilon == OUR_EPSILON) return MLPD_OK;
  TRY(memory_allocate(&factor, n, sizeof *factor, "weights"));
  mlpd_status status = memory_allocate(&shift, n, sizeof *shift, "weights");
  for (uint32_t j = 0; j < n; j++) factor[j] = sqrt(OUR_EPSILON / epsilon);
  const bool scaled = status == MLPD_OK && r->factor == NULL && last != NULL && import_scale_after(last, factor, shift);
  if (scaled || (last != NULL && last->activation != MLPD_IDENTITY)) {
    free(factor);
    free(shift);
  }
  if (scaled) return MLPD_OK;
  if (last != NULL && last->activation != MLPD_IDENTITY)
    return FAIL(
        MLPD_ERROR_DATA,
        "layer %s follows an activation with an epsilon of %g or a constant in between: no dense layer can take "
        "that over; only an epsilon of 1e-5 can be read there",
        r->layer, epsilon);
  status = keras_pass_affine(r, status, n, factor, shift);
  if (status != MLPD_OK || r->factor == NULL) return status;
  const bool taken = import_take_input(r->chain, n, r->factor, r->shift); /* it is the first layer */
  if (!taken) return FAIL(MLPD_ERROR_DATA, "layer %s normalises a constant column", r->layer);
  r->factor = r->shift = NULL;
  return MLPD_OK;
}

static mlpd_status read_layer_norm(keras_reader *r, const json_t *config) {
  uint32_t n = 0;
  double *gain = NULL, *shift = NULL;
  import_layer *made = NULL;
  const double epsilon = keras_number(config, "epsilon", 1e-3);
  const bool scales = !json_is_false(json_object_get(config, "scale"));
  if (json_is_true(json_object_get(config, "rms_scaling")))
    return FAIL(MLPD_ERROR_DATA,
                "layer %s has rms_scaling, which divides by the deviation without subtracting the mean: no layer here "
                "does so; a layer of keras.layers.RMSNormalization is read",
                r->layer);
  if (!(epsilon > 0)) return FAIL(MLPD_ERROR_DATA, "layer %s has no epsilon above 0", r->layer);
  TRY(keras_length(r, scales ? KERAS_GAMMA : KERAS_BETA, &n));
  TRY(check_width(r, n));
  TRY(adapt_epsilon(r, n, epsilon));
  mlpd_status status = keras_read_vector(r, KERAS_GAMMA, n, 1, &gain);
  if (status == MLPD_OK) status = keras_read_vector(r, KERAS_BETA, n, 0, &shift);
  if (status == MLPD_OK) status = import_add_norm(r->chain, n, false, &made);
  if (status == MLPD_OK) import_fold_after(made, gain, shift);
  free(gain);
  free(shift);
  return status;
}

static mlpd_status read_rms_norm(keras_reader *r, const json_t *config) {
  uint32_t n = 0;
  double *gain = NULL;
  import_layer *made = NULL;
  const double epsilon = keras_number(config, "epsilon", 1e-6);
  if (!(epsilon > 0)) return FAIL(MLPD_ERROR_DATA, "layer %s has no epsilon above 0", r->layer);
  TRY(keras_length(r, KERAS_SCALE, &n));
  TRY(check_width(r, n));
  TRY(adapt_epsilon(r, n, epsilon));
  mlpd_status status = keras_read_vector(r, KERAS_SCALE, n, 1, &gain);
  if (status == MLPD_OK) status = import_add_norm(r->chain, n, true, &made);
  for (uint32_t j = 0; status == MLPD_OK && j < n; j++) made->weight[j] = gain[j];
  free(gain);
  return status;
}

/* Numbers (n) that the configuration holds: one for all, or a list, which may lie in other lists of one element. */
static mlpd_status read_listed(const keras_reader *r, const json_t *value, uint32_t n, double **values) {
  while (json_array_size(value) == 1 && json_is_array(json_array_get(value, 0))) value = json_array_get(value, 0);
  if (!json_is_number(value) && json_array_size(value) != 1 && json_array_size(value) != n)
    return FAIL(MLPD_ERROR_DATA, "layer %s has %zu numbers for %u values", r->layer, json_array_size(value), n);
  TRY(memory_allocate(values, n, sizeof **values, "weights"));
  for (uint32_t j = 0; j < n; j++) {
    const json_t *const item = json_array_get(value, json_array_size(value) == 1 ? 0 : j);
    (*values)[j] = json_number_value(json_is_number(value) ? value : item);
  }
  return MLPD_OK;
}

/* The width of what a layer without arrays takes: of the layer before, or of the rows, as the first layer says. */
static uint32_t width_before(const keras_reader *r) {
  const import_layer *const last = last_layer(r);
  return r->factor == NULL && last != NULL ? last->outputs : r->width;
}

/* Of a Normalization: arrays that adapt() made, or numbers it was given. */
static mlpd_status read_moments(const keras_reader *r, const json_t *config, uint32_t *n, double **mean,
                                double **variance) {
  const json_t *const given = json_object_get(config, "mean");
  if (given == NULL || json_is_null(given)) {
    TRY(keras_length(r, KERAS_MEAN, n));
    TRY(keras_read_vector(r, KERAS_MEAN, *n, 0, mean));
    return keras_read_vector(r, KERAS_VARIANCE, *n, 1, variance);
  }
  *n = width_before(r);
  if (*n == 0) return FAIL(MLPD_ERROR_DATA, "no layer before layer %s tells how many values there are", r->layer);
  TRY(read_listed(r, given, *n, mean));
  return read_listed(r, json_object_get(config, "variance"), *n, variance);
}

/* (x - mean) / deviation with deviation = max(sqrt(variance), 1e-7), or its inverse. */
static mlpd_status read_normalization(keras_reader *r, const json_t *config) {
  const bool inverse = json_is_true(json_object_get(config, "invert"));
  uint32_t n = 0;
  double *factor = NULL, *mean = NULL;
  const mlpd_status status = read_moments(r, config, &n, &mean, &factor);
  for (uint32_t j = 0; status == MLPD_OK && j < n; j++) {
    const double deviation = fmax(sqrt(factor[j]), 1e-7);
    factor[j] = inverse ? deviation : 1 / deviation;
    if (!inverse) mean[j] *= -factor[j];
  }
  return keras_pass_affine(r, status, n, factor, mean);
}

/* scale x + offset */
static mlpd_status read_rescaling(keras_reader *r, const json_t *config) {
  const uint32_t n = width_before(r);
  double *factor = NULL, *shift = NULL;
  if (n == 0 || !json_is_number(json_object_get(config, "scale")) || json_is_array(json_object_get(config, "offset")))
    return FAIL(MLPD_ERROR_DATA, "layer %s rescales by %s: give the network rows that are scaled already", r->layer,
                n == 0 ? "a number, but no layer before it tells how many values there are" : "a list of numbers");
  TRY(memory_allocate(&factor, n, sizeof *factor, "weights"));
  const mlpd_status status = memory_allocate(&shift, n, sizeof *shift, "weights");
  for (uint32_t j = 0; status == MLPD_OK && j < n; j++) {
    factor[j] = keras_number(config, "scale", 1);
    shift[j] = keras_number(config, "offset", 0);
  }
  return keras_pass_affine(r, status, n, factor, shift);
}

mlpd_status keras_read_norm(keras_reader *r, const char *kind, const json_t *config, bool *known) {
  static const char *const kinds[] = {"BatchNormalization", "LayerNormalization", "RMSNormalization", "Normalization",
                                      "Rescaling"};
  size_t i = 0;
  while (i < sizeof kinds / sizeof *kinds && strcmp(kind, kinds[i]) != 0) i++;
  *known = i < sizeof kinds / sizeof *kinds;
  if (!*known) return MLPD_OK;
  TRY(keras_find_parts(r, kind, config));
  if (i == 0) return read_batch_norm(r, config);
  if (i == 1) return read_layer_norm(r, config);
  if (i == 2) return read_rms_norm(r, config);
  return i == 3 ? read_normalization(r, config) : read_rescaling(r, config);
}
