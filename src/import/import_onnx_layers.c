/* From stages of a graph to layers: what stands between an activation and a product goes into the product's weights,
 * what is done to the input into its normalisation, what is done to the output into the scaling of the targets. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "import/import_onnx_stages.h"

bool import_all_equal(uint32_t n, const double *values, double wanted) {
  for (uint32_t i = 0; i < n; i++)
    if (!(fabs(values[i] - wanted) <= 1e-6 * fabs(wanted))) return false; /* NaN equals none */
  return true;
}

/* The end of the chain so far: its last layer's outputs times factor plus shift. */
typedef struct end {
  uint32_t width;
  double *factor, *shift; /* owned; NULL: 1 and 0 */
} end;

static bool is_plain(const end *e) {
  return e->factor == NULL || (import_all_equal(e->width, e->factor, 1) && import_all_equal(e->width, e->shift, 0));
}

/* The end after factor and shift more. */
static mlpd_status extend(end *e, uint32_t width, const double *factor, const double *shift) {
  if (e->factor == NULL) {
    TRY(memory_allocate(&e->factor, width, sizeof(double), "layers"));
    TRY(memory_allocate(&e->shift, width, sizeof(double), "layers"));
    for (uint32_t j = 0; j < width; j++) e->factor[j] = 1;
  }
  e->width = width;
  for (uint32_t j = 0; j < width; j++) {
    e->factor[j] *= factor[j];
    e->shift[j] = e->shift[j] * factor[j] + shift[j];
  }
  return MLPD_OK;
}

static void end_clear(end *e) {
  free(e->factor);
  free(e->shift);
  *e = (end){0};
}

/* The end becomes the normalisation of the inputs, if nothing else has and it can. */
static bool take_input(import_chain *chain, end *e) {
  if (chain->num_layers > 0 || chain->input_scale != NULL || chain->input_limit > 0) return false;
  if (!import_take_input(chain, e->width, e->factor, e->shift)) return false;
  *e = (end){0};
  return true;
}

/* The end becomes part of the last layer, if that has no activation, or one that a factor passes through. */
static bool take_after(import_chain *chain, end *e) {
  import_layer *const last = chain->num_layers > 0 ? &chain->layers[chain->num_layers - 1] : NULL;
  if (last == NULL) return false;
  if (last->activation == MLPD_IDENTITY)
    import_fold_after(last, e->factor, e->shift);
  else if (!import_scale_after(last, e->factor, e->shift))
    return false;
  end_clear(e);
  return true;
}

/* Constants between a norm and a product are the norm's. */
static mlpd_status add_layer(import_chain *chain, const import_stage *s, uint32_t inputs, end *e) {
  import_layer *layer = NULL;
  const import_layer *const last = chain->num_layers > 0 ? &chain->layers[chain->num_layers - 1] : NULL;
  const bool follows_norm = last != NULL && last->is_norm && !last->is_rms;
  const bool taken = is_plain(e) || take_input(chain, e) || (follows_norm && take_after(chain, e));
  TRY(import_add_layer(chain, inputs, s->width, &layer));
  memcpy(layer->weight, s->weight, (size_t)inputs * s->width * sizeof(double));
  if (s->bias != NULL) memcpy(layer->bias, s->bias, s->width * sizeof(double));
  if (!taken) import_fold_before(layer, e->factor, e->shift);
  end_clear(e);
  return MLPD_OK;
}

/* The norm's epsilon is another than ours: it is ours of other values, c x with c^2 = ours / its. */
static mlpd_status add_norm(import_chain *chain, const import_stage *s, end *e) {
  import_layer *layer = NULL;
  const double times = sqrt(1e-5 / s->epsilon);
  for (uint32_t j = 0; j < e->width; j++) {
    e->factor[j] *= times;
    e->shift[j] *= times;
  }
  if (!is_plain(e) && !take_input(chain, e) && !take_after(chain, e))
    return FAIL(MLPD_ERROR_DATA,
                "a norm follows an activation with constants in between, or with an epsilon that is not 1e-5: no "
                "dense layer can take that over");
  end_clear(e);
  return import_add_norm(chain, s->width, s->is_rms, &layer);
}

/* x / sqrt(1 + (x / L)^2) is only known of normalised inputs. */
static mlpd_status add_limit(import_chain *chain, const import_stage *s, end *e) {
  if (chain->num_layers > 0 || chain->input_limit > 0)
    return FAIL(MLPD_ERROR_DATA, "it divides values by their own size elsewhere than at its input");
  if (!is_plain(e) && !take_input(chain, e))
    return FAIL(MLPD_ERROR_DATA, "it clips the sum of a column of zeros and a constant");
  end_clear(e);
  chain->input_limit = s->limit;
  return MLPD_OK;
}

/* The value f o F(z) + s after the chain's end z. */
static mlpd_status take_form(import_chain *chain, end *e, uint32_t width, int form, const double *factor,
                             const double *shift) {
  import_layer *const last = chain->num_layers > 0 ? &chain->layers[chain->num_layers - 1] : NULL;
  if (form != MLPD_IDENTITY) {
    if (form >= MLPD_NUM_ACTIVATIONS) return FAIL(MLPD_ERROR_DATA, "it ends in a part of an incomplete activation");
    if (last == NULL || last->activation != MLPD_IDENTITY)
      return FAIL(MLPD_ERROR_DATA, "activation %s follows no dense layer",
                  mlpd_choice_name(mlpd_activation_choices, form));
    if (!is_plain(e)) import_fold_after(last, e->factor, e->shift);
    end_clear(e);
    last->activation = (mlpd_activation)form;
  }
  return extend(e, width, factor, shift);
}

/* Values within bounds are an activation with constants around it: low + relu(x - low), high - relu(high - x), or
 * low + relu6(6 (x - low) / (high - low)) (high - low) / 6. */
static mlpd_status add_bounds(import_chain *chain, const import_stage *s, end *e) {
  const uint32_t n = s->width;
  const bool has_low = isfinite(s->low[0]), has_high = isfinite(s->high[0]);
  double *factor = NULL;
  for (uint32_t j = 0; j < n; j++)
    if (isfinite(s->low[j]) != has_low || isfinite(s->high[j]) != has_high || !(s->low[j] < s->high[j]))
      return FAIL(MLPD_ERROR_DATA, "bounds of values are empty, or of some values alone");
  if (!has_low && !has_high) return MLPD_OK;
  TRY(memory_allocate(&factor, 2 * (size_t)n, sizeof *factor, "layers"));
  double *const shift = factor + n;
  for (uint32_t j = 0; j < n; j++) {
    factor[j] = has_low && has_high ? (s->high[j] - s->low[j]) / 6 : has_low ? 1 : -1;
    shift[j] = has_low ? s->low[j] : s->high[j];
    e->factor[j] /= factor[j];
    e->shift[j] = (e->shift[j] - shift[j]) / factor[j];
  }
  const mlpd_status status = take_form(chain, e, n, has_low && has_high ? MLPD_RELU6 : MLPD_RELU, factor, shift);
  free(factor);
  return status;
}

/* An activation of its own, that has no form. */
static mlpd_status add_slope(import_chain *chain, const import_stage *s, end *e) {
  import_layer *const last = chain->num_layers > 0 ? &chain->layers[chain->num_layers - 1] : NULL;
  if (last == NULL || last->activation != MLPD_IDENTITY)
    return FAIL(MLPD_ERROR_DATA, "a relu with a slope below 0 follows no dense layer");
  if (!is_plain(e)) import_fold_after(last, e->factor, e->shift);
  end_clear(e);
  return import_set_slope(last, s->slope);
}

static mlpd_status add_stage(const import_stage *stages, const import_stage *s, import_chain *chain, end *e) {
  const uint32_t width = stages[s->from].width;
  TRY(take_form(chain, e, width, s->form, s->factor, s->shift));
  if (s->weight != NULL) return add_layer(chain, s, width, e);
  if (s->epsilon > 0) return add_norm(chain, s, e);
  if (s->limit > 0) return add_limit(chain, s, e);
  if (s->slope != NULL) return add_slope(chain, s, e);
  return s->low != NULL ? add_bounds(chain, s, e) : MLPD_OK;
}

/* Stages from the input to `last`, through the stages that each begins with. */
static mlpd_status add_layers(const import_stage *stages, uint32_t last, import_chain *chain, end *e) {
  uint32_t *path = NULL, count = 0;
  TRY(memory_allocate(&path, (size_t)last + 1, sizeof *path, "layers"));
  for (uint32_t i = last; i != INPUT_STAGE; i = stages[i].from) path[count++] = i;
  mlpd_status status = MLPD_OK;
  while (count > 0 && status == MLPD_OK) status = add_stage(stages, &stages[path[--count]], chain, e);
  free(path);
  return status;
}

/* value = f o a + s: the scaling of the targets, whose factors are above 0; else, and where s is the bias that a
 * product lacks, part of the last layer. */
static mlpd_status take_output(import_chain *chain, end *e) {
  import_layer *const last = &chain->layers[chain->num_layers - 1];
  double falls = 1;
  if (is_plain(e)) return MLPD_OK;
  for (uint32_t j = 0; j < e->width; j++)
    if (!(e->factor[j] > 0) || !isfinite(1 / e->factor[j])) falls = e->factor[j];
  const bool is_bias = import_all_equal(e->width, e->factor, 1) && import_all_equal(e->width, last->bias, 0);
  if (last->activation == MLPD_IDENTITY && (falls != 1 || is_bias || last->is_norm)) {
    import_fold_after(last, e->factor, e->shift);
    return MLPD_OK;
  }
  if (falls != 1)
    return FAIL(MLPD_ERROR_DATA, "its outputs are scaled by %g after an activation: a model holds only factors above 0",
                falls);
  for (uint32_t j = 0; j < e->width; j++) e->factor[j] = 1 / e->factor[j];
  chain->target_scale = e->factor;
  chain->target_shift = e->shift;
  *e = (end){0};
  return MLPD_OK;
}

/* A value that is one within bounds, and no more: outputs are clamped, and *last becomes the value before. */
static mlpd_status take_clamp(const import_stage *stages, import_value *last, import_chain *chain) {
  const import_stage *const s = &stages[last->stage];
  if (s->low == NULL || last->form != MLPD_IDENTITY || !import_all_equal(s->width, last->factor, 1) ||
      !import_all_equal(s->width, last->shift, 0))
    return MLPD_OK;
  for (uint32_t j = 0; j < s->width; j++)
    if (!isfinite(s->low[j]) || !isfinite(s->high[j]) || !(s->low[j] < s->high[j])) return MLPD_OK;
  TRY(memory_allocate(&chain->least, s->width, sizeof(double), "layers"));
  TRY(memory_allocate(&chain->most, s->width, sizeof(double), "layers"));
  memcpy(chain->least, s->low, s->width * sizeof(double));
  memcpy(chain->most, s->high, s->width * sizeof(double));
  *last = (import_value){.stage = s->from, .form = s->form, .factor = s->factor, .shift = s->shift};
  return MLPD_OK;
}

mlpd_status import_onnx_layers(const import_stage *stages, const import_value *output, import_chain *chain) {
  end e = {0};
  import_value last = *output;
  TRY(take_clamp(stages, &last, chain));
  mlpd_status status = add_layers(stages, last.stage, chain, &e);
  if (status == MLPD_OK) status = take_form(chain, &e, stages[last.stage].width, last.form, last.factor, last.shift);
  if (status == MLPD_OK && chain->num_layers > 0) status = take_output(chain, &e);
  end_clear(&e);
  return status;
}
