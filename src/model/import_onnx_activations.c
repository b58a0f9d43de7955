#include "model/import_onnx_activations.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "model/import_onnx_norms.h"
#include "model/onnx_attribute.h"

/* What exporters write where there is no bound is infinite or the largest float. */
static const double MOST_BOUND = 1e30;

int import_complete(const import_builder *b, const import_value *part, double *times) {
  const uint32_t n = import_width_of(b, part);
  *times = 1;
  if (part->form == FORM_ERF) {
    for (uint32_t j = 0; j < n; j++)
      if (part->factor[j] != part->shift[j]) return FORM_NONE;
    *times = 2; /* c z (1 + erf) is 2 c gelu(z) */
    return MLPD_GELU;
  }
  if (!import_all_equal(n, part->shift, 0)) return FORM_NONE;
  if (part->form == MLPD_SIGMOID) return MLPD_SILU;
  if (part->form == FORM_TANH_SOFTPLUS) return MLPD_MISH;
  return part->form == FORM_HARD_SIGMOID ? MLPD_HARDSWISH : FORM_NONE;
}

/* ---- Activations ------------------------------------------------------------------------------------- */

mlpd_status import_activate(import_builder *b, int form) {
  import_value *v = NULL, *made = NULL;
  TRY(import_take_value(b, 0, &v));
  TRY(import_settle(b, v));
  return import_add_value(b, b->node->output, v->stage, form, &made);
}

/* An attribute must have the value that our activation has. */
static mlpd_status need_attribute(const import_builder *b, const char *name, double otherwise, double wanted) {
  double found;
  TRY(onnx_attribute_float(b->node, name, otherwise, &found));
  return fabs(found - wanted) <= 1e-5 * fabs(wanted) ? MLPD_OK
                                                     : import_refuse(b, "has parameters that mlpdist does not have");
}

mlpd_status import_leaky_relu(import_builder *b) {
  TRY(need_attribute(b, "alpha", 0.01, 0.01));
  return import_activate(b, MLPD_LEAKY_RELU);
}

mlpd_status import_elu(import_builder *b) {
  TRY(need_attribute(b, "alpha", 1, 1));
  return import_activate(b, MLPD_ELU);
}

mlpd_status import_selu(import_builder *b) {
  TRY(need_attribute(b, "alpha", 1.67326319, 1.67326324));
  TRY(need_attribute(b, "gamma", 1.05070102, 1.05070099));
  return import_activate(b, MLPD_SELU);
}

mlpd_status import_hard_sigmoid(import_builder *b) {
  TRY(need_attribute(b, "alpha", 0.2, 1.0 / 6));
  TRY(need_attribute(b, "beta", 0.5, 0.5));
  return import_activate(b, FORM_HARD_SIGMOID);
}

mlpd_status import_softmax(import_builder *b) {
  int64_t axis;
  TRY(onnx_attribute_integer(b->node, "axis", -1, &axis));
  return axis == 1 || axis == -1 ? import_activate(b, MLPD_SOFTMAX)
                                 : import_refuse(b, "is along another axis than the classes");
}

mlpd_status import_tanh(import_builder *b) {
  import_value *v = NULL, *made = NULL;
  TRY(import_take_value(b, 0, &v));
  if (v->form != MLPD_SOFTPLUS || !import_is_bare(b, v)) return import_activate(b, MLPD_TANH);
  return import_add_value(b, b->node->output, v->stage, FORM_TANH_SOFTPLUS, &made);
}

mlpd_status import_erf_of_gelu(import_builder *b) {
  import_value *v = NULL, *made = NULL;
  TRY(import_take_value(b, 0, &v));
  const uint32_t n = import_width_of(b, v);
  if (v->form != MLPD_IDENTITY || !import_all_equal(n, v->factor, 0.70710678118654752) ||
      !import_all_equal(n, v->shift, 0))
    return import_refuse(b, "is no part of a gelu");
  return import_add_value(b, b->node->output, v->stage, FORM_ERF, &made);
}

/* A bound of a Clip; a missing one is none. */
static mlpd_status read_bound(const import_builder *b, uint32_t i, const char *name, double none, double *bound) {
  double *found = NULL;
  if (b->node->num_inputs <= i || b->node->inputs[i].count == 0)
    return onnx_attribute_float(b->node, name, none, bound);
  TRY(import_take_numbers(b, i, 1, &found));
  *bound = found[0];
  free(found);
  return MLPD_OK;
}

/* n times the bound; NULL: it is none. */
static mlpd_status repeat(uint32_t n, double bound, double **made) {
  *made = NULL;
  if (fabs(bound) >= MOST_BOUND) return MLPD_OK;
  TRY(memory_allocate(made, n, sizeof **made, "layers"));
  for (uint32_t j = 0; j < n; j++) (*made)[j] = bound;
  return MLPD_OK;
}

mlpd_status import_clip(import_builder *b) {
  double low, high, *lows = NULL, *highs = NULL;
  import_value *v = NULL;
  TRY(read_bound(b, 1, "min", -INFINITY, &low));
  TRY(read_bound(b, 2, "max", INFINITY, &high));
  if (low == 0 && high == 6) return import_activate(b, MLPD_RELU6);
  if (low == 0 && high >= MOST_BOUND) return import_activate(b, MLPD_RELU);
  TRY(import_take_value(b, 0, &v));
  TRY(repeat(import_width_of(b, v), low, &lows));
  const mlpd_status status = repeat(import_width_of(b, v), high, &highs);
  if (status == MLPD_OK) return import_bound(b, v, lows, highs);
  free(lows);
  return status;
}
