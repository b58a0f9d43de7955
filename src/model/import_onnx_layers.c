/* From stages of a graph to layers: what stands between an activation and a product goes into the product's weights,
 * what is done to the input into its normalisation, what is done to the output into the scaling of the targets. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "model/import_onnx_stages.h"

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

/* z' = f o z + s of the last layer, which has no activation. */
static void fold_after(import_layer *last, const end *e) {
  for (size_t i = 0; i < last->inputs; i++)
    for (size_t j = 0; j < last->outputs; j++) last->weight[i * last->outputs + j] *= e->factor[j];
  for (size_t j = 0; j < last->outputs; j++) last->bias[j] = last->bias[j] * e->factor[j] + e->shift[j];
}

/* The layer takes f o a + s where the one before gives a. */
static void fold_before(import_layer *layer, const end *e) {
  for (size_t i = 0; i < layer->inputs; i++)
    for (size_t j = 0; j < layer->outputs; j++) {
      double *const weight = &layer->weight[i * layer->outputs + j];
      layer->bias[j] += e->shift[i] * *weight;
      *weight *= e->factor[i];
    }
}

/* The normalisation of the inputs, unless a factor of 0 has none: x' = f x + s = (x - -s / f) f. */
static bool take_input(import_chain *chain, end *e) {
  for (uint32_t j = 0; j < e->width; j++)
    if (!isfinite(e->shift[j] / e->factor[j]) && !(e->factor[j] == 0 && e->shift[j] == 0)) return false;
  for (uint32_t j = 0; j < e->width; j++) e->shift[j] = e->factor[j] == 0 ? 0 : -e->shift[j] / e->factor[j];
  chain->input_shift = e->shift;
  chain->input_scale = e->factor;
  *e = (end){0};
  return true;
}

static mlpd_status add_layer(import_chain *chain, const import_stage *s, uint32_t inputs, end *e) {
  import_layer *layer = NULL;
  const bool normalised = chain->num_layers == 0 && !is_plain(e) && take_input(chain, e);
  TRY(import_add_layer(chain, inputs, s->width, &layer));
  memcpy(layer->weight, s->weight, (size_t)inputs * s->width * sizeof(double));
  if (s->bias != NULL) memcpy(layer->bias, s->bias, s->width * sizeof(double));
  if (!normalised && !is_plain(e)) fold_before(layer, e);
  end_clear(e);
  return MLPD_OK;
}

/* The value f o F(z) + s after the chain's end z. */
static mlpd_status take_form(import_chain *chain, end *e, uint32_t width, int form, const double *factor,
                             const double *shift) {
  import_layer *const last = chain->num_layers > 0 ? &chain->layers[chain->num_layers - 1] : NULL;
  if (form != MLPD_IDENTITY) {
    if (form >= MLPD_NUM_ACTIVATIONS)
      return FAIL(MLPD_ERROR_DATA, "it ends in a part of an activation that is not complete");
    if (last == NULL || last->activation != MLPD_IDENTITY)
      return FAIL(MLPD_ERROR_DATA, "activation %s follows no dense layer",
                  mlpd_choice_name(mlpd_activation_choices, form));
    if (!is_plain(e)) fold_after(last, e);
    end_clear(e);
    last->activation = (mlpd_activation)form;
  }
  return extend(e, width, factor, shift);
}

/* Stages from the input to `last`, through the stages that each begins with. */
static mlpd_status add_layers(const import_stage *stages, uint32_t last, import_chain *chain, end *e) {
  uint32_t *path = NULL, count = 0;
  TRY(memory_allocate(&path, (size_t)last + 1, sizeof *path, "layers"));
  for (uint32_t i = last; i != INPUT_STAGE; i = stages[i].from) path[count++] = i;
  mlpd_status status = MLPD_OK;
  while (count > 0 && status == MLPD_OK) {
    const import_stage *const s = &stages[path[--count]];
    const uint32_t width = stages[s->from].width;
    status = take_form(chain, e, width, s->form, s->factor, s->shift);
    if (status == MLPD_OK && s->weight != NULL) status = add_layer(chain, s, width, e);
  }
  free(path);
  return status;
}

/* value = f o a + s: the scaling of the targets, whose factors are above 0; else, and where s is the bias that a
 * product lacks, part of the last layer. */
static void take_output(import_chain *chain, end *e) {
  import_layer *const last = &chain->layers[chain->num_layers - 1];
  bool rises = true;
  if (is_plain(e)) return;
  for (uint32_t j = 0; j < e->width; j++) rises = rises && e->factor[j] > 0 && isfinite(1 / e->factor[j]);
  const bool is_bias = import_all_equal(e->width, e->factor, 1) && import_all_equal(e->width, last->bias, 0);
  if (last->activation == MLPD_IDENTITY && (!rises || is_bias)) return fold_after(last, e);
  for (uint32_t j = 0; j < e->width; j++) e->factor[j] = 1 / e->factor[j];
  chain->target_scale = e->factor;
  chain->target_shift = e->shift;
  *e = (end){0};
}

mlpd_status import_onnx_layers(const import_stage *stages, const import_value *last, import_chain *chain) {
  end e = {0};
  mlpd_status status = add_layers(stages, last->stage, chain, &e);
  if (status == MLPD_OK)
    status = take_form(chain, &e, stages[last->stage].width, last->form, last->factor, last->shift);
  if (status == MLPD_OK && chain->num_layers > 0) take_output(chain, &e);
  end_clear(&e);
  return status;
}
