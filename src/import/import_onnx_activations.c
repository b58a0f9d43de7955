#include "import/import_onnx_activations.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "import/import_onnx_norms.h"
#include "import/import_onnx_polynomial.h"
#include "import/onnx_attribute.h"
#include "import/onnx_constant.h"

/* What exporters write where there is no bound is infinite or the largest float. */
static const double MOST_BOUND = 1e30;

int import_complete(const import_builder *b, const import_value *part, double *times) {
  const uint32_t n = import_width_of(b, part);
  *times = 1;
  if (part->form == FORM_ERF || part->form == FORM_TANH_CUBIC) {
    for (uint32_t j = 0; j < n; j++)
      if (part->factor[j] != part->shift[j]) return FORM_NONE;
    *times = 2; /* c z (1 + erf) is 2 c gelu(z) */
    return part->form == FORM_ERF ? MLPD_GELU : MLPD_GELU_TANH;
  }
  if (!import_all_equal(n, part->shift, 0)) return FORM_NONE;
  if (part->form == MLPD_SIGMOID) return MLPD_SILU;
  if (part->form == FORM_TANH_SOFTPLUS) return MLPD_MISH;
  return part->form == FORM_HARD_SIGMOID ? MLPD_HARDSWISH : FORM_NONE;
}

/* The stage is factor z + shift of another stage's z, and nothing else. */
static bool is_scaling(const import_stage *s) {
  return s->form == MLPD_IDENTITY && s->weight == NULL && s->bias == NULL && s->slope == NULL && s->low == NULL &&
         s->high == NULL && s->epsilon == 0 && s->limit == 0;
}

mlpd_status import_complete_scaled(import_builder *b, const import_value *z, const import_value *part,
                                   import_value **made) {
  const import_stage *const s = &b->stages[part->stage];
  const uint32_t n = import_width_of(b, part);
  *made = NULL;
  if (s->from != z->stage || part->stage == z->stage || !is_scaling(s) || !import_all_equal(n, part->shift, 0) ||
      !import_all_equal(n, z->shift, 0))
    return MLPD_OK;
  const bool is_swish = part->form == MLPD_SIGMOID && import_all_equal(n, s->shift, 0);
  const bool is_hard =
      part->form == MLPD_RELU6 && import_all_equal(n, s->factor, 1) && import_all_equal(n, s->shift, 3);
  for (uint32_t j = 0; j < n; j++)
    if (s->factor[j] == 0) return MLPD_OK;
  if (is_swish) TRY(import_add_value(b, b->node->output, part->stage, MLPD_SILU, made));
  if (is_hard) TRY(import_add_value(b, b->node->output, z->stage, MLPD_HARDSWISH, made));
  for (uint32_t j = 0; *made != NULL && j < n; j++)
    (*made)->factor[j] = part->factor[j] * z->factor[j] * (is_swish ? 1 / s->factor[j] : 6);
  return MLPD_OK;
}

/* ---- Activations ------------------------------------------------------------------------------------- */

static mlpd_status activate(import_builder *b, import_value *v, int form) {
  import_value *made = NULL;
  TRY(import_settle(b, v));
  return import_add_value(b, b->node->output, v->stage, form, &made);
}

mlpd_status import_activate(import_builder *b, int form) {
  import_value *v = NULL;
  TRY(import_take_value(b, 0, &v));
  return activate(b, v, form);
}

/* The value x if x > 0 else slope x. Takes slope over, also on failure. */
static mlpd_status bend(import_builder *b, double *slope) {
  import_value *v = NULL, *z = NULL;
  import_stage *made = NULL;
  mlpd_status status = import_take_value(b, 0, &v);
  if (status == MLPD_OK) status = import_add_stage(b, v, import_width_of(b, v), &made);
  if (made == NULL) free(slope);
  if (made != NULL) made->slope = slope;
  TRY(status);
  return import_add_value(b, b->node->output, b->num_stages - 1, MLPD_IDENTITY, &z);
}

mlpd_status import_leaky_relu(import_builder *b) {
  double alpha, *slope = NULL;
  import_value *v = NULL;
  TRY(onnx_attribute_float(b->node, "alpha", 0.01, &alpha));
  if (fabs(alpha - 0.01) <= 1e-8) return import_activate(b, MLPD_LEAKY_RELU);
  TRY(import_take_value(b, 0, &v));
  const uint32_t n = import_width_of(b, v);
  TRY(memory_allocate(&slope, n, sizeof *slope, "layers"));
  for (uint32_t j = 0; j < n; j++) slope[j] = alpha;
  return bend(b, slope);
}

mlpd_status import_prelu(import_builder *b) {
  double *slope = NULL;
  import_value *v = NULL;
  TRY(import_take_value(b, 0, &v));
  TRY(import_take_numbers(b, 1, import_width_of(b, v), &slope));
  return bend(b, slope);
}

/* times A(factor v + shift) */
static mlpd_status activate_scaled(import_builder *b, double factor, double shift, int form, double times) {
  import_value *v = NULL, *inner = NULL, *made = NULL;
  TRY(import_take_value(b, 0, &v));
  const uint32_t n = import_width_of(b, v);
  TRY(import_copy_value(b, v, &inner));
  for (uint32_t j = 0; j < n; j++) {
    inner->factor[j] *= factor;
    inner->shift[j] = inner->shift[j] * factor + shift;
  }
  TRY(import_settle(b, inner));
  TRY(import_add_value(b, b->node->output, inner->stage, form, &made));
  for (uint32_t j = 0; j < n; j++) made->factor[j] = times;
  return MLPD_OK;
}

/* alpha elu(z / alpha) */
mlpd_status import_celu(import_builder *b) {
  double alpha;
  TRY(onnx_attribute_float(b->node, "alpha", 1, &alpha));
  return alpha > 0 ? activate_scaled(b, 1 / alpha, 0, MLPD_ELU, alpha) : import_refuse(b, "has no alpha above 0");
}

/* silu(alpha z) / alpha */
mlpd_status import_swish(import_builder *b) {
  double alpha;
  TRY(onnx_attribute_float(b->node, "alpha", 1, &alpha));
  return alpha > 0 ? activate_scaled(b, alpha, 0, MLPD_SILU, 1 / alpha) : import_refuse(b, "has no alpha above 0");
}

mlpd_status import_gelu(import_builder *b) {
  onnx_attribute kind;
  bool found;
  TRY(onnx_attribute_find(b->node, "approximate", &kind, &found));
  const bool by_tanh = found && protobuf_slice_is(kind.text, "tanh");
  if (found && !by_tanh && kind.text.count > 0 && !protobuf_slice_is(kind.text, "none"))
    return import_refuse(b, "approximates gelu in a way that is not known; none and tanh are");
  return import_activate(b, by_tanh ? MLPD_GELU_TANH : MLPD_GELU);
}

/* log(1 + exp(z)) is softplus(z), log(sigmoid(z)) is -softplus(-z). */
mlpd_status import_log(import_builder *b) {
  import_value *v = NULL, *made = NULL;
  import_stage *stage = NULL;
  TRY(import_take_value(b, 0, &v));
  if (v->form == MLPD_SOFTMAX && import_is_bare(b, v))
    return import_add_value(b, b->node->output, v->stage, FORM_LOG_SOFTMAX, &made);
  if (v->form == MLPD_EXP && import_all_equal(import_width_of(b, v), v->factor, 1) &&
      import_all_equal(import_width_of(b, v), v->shift, 1))
    return import_add_value(b, b->node->output, v->stage, MLPD_SOFTPLUS, &made);
  if (v->form != MLPD_SIGMOID || !import_is_bare(b, v))
    return import_refuse(b, "is of something else than a sigmoid or 1 + exp(z)");
  TRY(import_add_value(b, b->node->output, v->stage, MLPD_IDENTITY, &made));
  const uint32_t n = import_width_of(b, made);
  for (uint32_t j = 0; j < n; j++) made->factor[j] = -1;
  TRY(import_add_stage(b, made, n, &stage));
  made->stage = b->num_stages - 1;
  made->form = MLPD_SOFTPLUS;
  return MLPD_OK;
}

/* gamma z if z > 0 else gamma alpha (exp(z) - 1): times elu, or of selu's alpha, times selu. PyTorch since 2.5 writes a
 * selu as an Elu of that alpha, times gamma. */
static mlpd_status activate_elu(import_builder *b, double alpha, double gamma) {
  static const double SELU_ALPHA = 1.6732632423543772, SELU_GAMMA = 1.0507009873554805;
  const bool is_selu = fabs(alpha - SELU_ALPHA) <= 1e-5;
  import_value *v = NULL;
  if (!is_selu && fabs(alpha - 1) > 1e-5)
    return import_refuse(b,
                         "has an alpha other than 1, which mlpdist does not have: train the network again with an "
                         "alpha of 1, or with Celu, which import takes with any alpha");
  TRY(import_activate(b, is_selu ? MLPD_SELU : MLPD_ELU));
  v = import_find_value(b, b->node->output);
  for (uint32_t j = 0; j < import_width_of(b, v); j++) v->factor[j] = is_selu ? gamma / SELU_GAMMA : gamma;
  return MLPD_OK;
}

mlpd_status import_elu(import_builder *b) {
  double alpha;
  TRY(onnx_attribute_float(b->node, "alpha", 1, &alpha));
  return activate_elu(b, alpha, 1);
}

mlpd_status import_selu(import_builder *b) {
  double alpha, gamma;
  TRY(onnx_attribute_float(b->node, "alpha", 1.67326319, &alpha));
  TRY(onnx_attribute_float(b->node, "gamma", 1.05070102, &gamma));
  return activate_elu(b, alpha, gamma);
}

mlpd_status import_hard_sigmoid(import_builder *b) {
  double alpha, beta;
  TRY(onnx_attribute_float(b->node, "alpha", 0.2, &alpha));
  TRY(onnx_attribute_float(b->node, "beta", 0.5, &beta));
  if (fabs(alpha - 1.0 / 6) > 1e-6 || beta != 0.5) return activate_scaled(b, 6 * alpha, 6 * beta, MLPD_RELU6, 1.0 / 6);
  return import_activate(b, FORM_HARD_SIGMOID);
}

mlpd_status import_softmax(import_builder *b) {
  int64_t axis;
  TRY(onnx_attribute_integer(b->node, "axis", -1, &axis));
  const int form = protobuf_slice_is(b->node->op, "LogSoftmax") ? FORM_LOG_SOFTMAX : MLPD_SOFTMAX;
  return axis == 1 || axis == -1 ? import_activate(b, form)
                                 : import_refuse(b, "is along another axis than the classes");
}

mlpd_status import_tanh(import_builder *b) {
  import_value *v = NULL, *made = NULL;
  TRY(import_take_value(b, 0, &v));
  if (v->form == FORM_PART) {
    bool found = false;
    uint32_t stage = 0;
    TRY(import_find_cubic(b, &found, &stage));
    return found ? import_add_value(b, b->node->output, stage, FORM_TANH_CUBIC, &made)
                 : import_refuse(b, "is of something that is no part of a gelu");
  }
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

mlpd_status import_abs(import_builder *b) { return import_activate(b, FORM_ABS); }

mlpd_status import_quotient_of_abs(import_builder *b, const import_value *v, const import_value *w) {
  const uint32_t n = import_width_of(b, v);
  import_value *made = NULL;
  if (v->form != MLPD_IDENTITY || v->stage != w->stage || !import_all_equal(n, v->shift, 0) ||
      !import_all_equal(n, w->factor, 1) || !import_all_equal(n, w->shift, 1))
    return import_refuse(b, "divides by the size of values in a way that is not a softsign");
  TRY(import_add_value(b, b->node->output, v->stage, MLPD_SOFTSIGN, &made));
  memcpy(made->factor, v->factor, n * sizeof *made->factor);
  return MLPD_OK;
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
  TRY(import_take_value(b, 0, &v));
  if (low <= 0 && v->form == MLPD_RELU && import_is_bare(b, v)) { /* relu6 of PyTorch's functions is both */
    low = 0;
    TRY(import_add_value(b, b->node->output, v->stage, MLPD_IDENTITY, &v));
  }
  if (low == 0 && high == 6) return activate(b, v, MLPD_RELU6);
  if (low == 0 && high >= MOST_BOUND) return activate(b, v, MLPD_RELU);
  TRY(repeat(import_width_of(b, v), low, &lows));
  const mlpd_status status = repeat(import_width_of(b, v), high, &highs);
  if (status == MLPD_OK) return import_bound(b, v, lows, highs);
  free(lows);
  return status;
}

/* ---- A softplus that PyTorch cuts --------------------------------------------------------------------- */

/* Is v the line c z + s that w = c softplus(z) approaches? */
static bool is_line_of(const import_builder *b, const import_value *v, const import_value *w) {
  const import_stage *const s = &b->stages[w->stage];
  const uint32_t n = import_width_of(b, w);
  const bool is_same = v->stage == w->stage;
  if (v->form != MLPD_IDENTITY || import_width_of(b, v) != n || !import_all_equal(n, w->shift, 0)) return false;
  if (!is_same && (v->stage != s->from || !is_scaling(s))) return false;
  for (uint32_t j = 0; j < n; j++) {
    const double factor = w->factor[j] * (is_same ? 1 : s->factor[j]), shift = is_same ? 0 : w->factor[j] * s->shift[j];
    if (!(fabs(v->factor[j] - factor) <= 1e-6 * fabs(factor)) || !(fabs(v->shift[j] - shift) <= 1e-6 * fabs(shift)))
      return false;
  }
  return true;
}

/* Where z > 20 the softplus is z in single precision: Where(z > 20, c z, c softplus(z)) is c softplus(z). */
mlpd_status import_where(import_builder *b) {
  static const double LEAST = 17; /* exp(-17) is below half a unit in the last place */
  const onnx_node *const test = onnx_maker(b->file, b->node->inputs[0]);
  const bool is_greater = test != NULL && protobuf_slice_is(test->op, "Greater") && test->num_inputs == 2;
  import_value *const z = is_greater ? import_find_value(b, test->inputs[0]) : NULL;
  import_value *v = NULL, *w = NULL, *made = NULL;
  double least = 0;
  if (z == NULL || b->node->num_inputs != 3) return import_refuse(b, "chooses by a test that import cannot follow");
  TRY(onnx_constant_number(b->file, test->inputs[1], &least));
  TRY(import_take_value(b, 1, &v));
  TRY(import_take_value(b, 2, &w));
  if (w->form != MLPD_SOFTPLUS || z->stage != w->stage || !import_is_z(b, z) || !is_line_of(b, v, w) ||
      !(least >= LEAST))
    return import_refuse(b, "chooses between values in a way that is not a known activation");
  return import_copy_value(b, w, &made);
}
