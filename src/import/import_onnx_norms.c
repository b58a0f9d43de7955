/* Layer norms before operator set 17 are nine operators: the last one, a division, is recognised by those before it. */
#include "import/import_onnx_norms.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "import/import_onnx_activations.h"
#include "import/import_onnx_polynomial.h"
#include "import/onnx_attribute.h"
#include "import/onnx_constant.h"

/* ---- Looking back ------------------------------------------------------------------------------------ */

/* The node of this operator that makes a value; NULL: another one makes it. */
static const onnx_node *made_by(const import_builder *b, protobuf_slice name, const char *op) {
  const onnx_node *const node = onnx_maker(b->file, name);
  return node != NULL && protobuf_slice_is(node->op, op) && node->num_inputs > 0 ? node : NULL;
}

static bool takes(const onnx_node *node, uint32_t i, protobuf_slice name) {
  return i < node->num_inputs && protobuf_slices_equal(node->inputs[i], name);
}

/* The other input of a node that combines a value with a number; of Add and Mul in either order. */
static mlpd_status split_number(const import_builder *b, const onnx_node *node, protobuf_slice *value, double *number) {
  *number = NAN;
  if (node == NULL || node->num_inputs != 2) return MLPD_OK;
  *value = node->inputs[0];
  TRY(onnx_constant_number(b->file, node->inputs[1], number));
  if (!isnan(*number) || !(protobuf_slice_is(node->op, "Add") || protobuf_slice_is(node->op, "Mul"))) return MLPD_OK;
  *value = node->inputs[1];
  return onnx_constant_number(b->file, node->inputs[0], number);
}

/* Is the value the mean of `of` over a row? */
static mlpd_status is_mean(const import_builder *b, protobuf_slice name, protobuf_slice of, bool *is) {
  const onnx_node *const node = made_by(b, name, "ReduceMean");
  onnx_attribute axes;
  bool found;
  int64_t kept;
  double axis = NAN; /* since operator set 18 an input */
  *is = node != NULL && takes(node, 0, of);
  if (!*is) return MLPD_OK;
  TRY(onnx_attribute_find(node, "axes", &axes, &found));
  TRY(onnx_attribute_integer(node, "keepdims", 1, &kept));
  if (!found && node->num_inputs > 1) TRY(onnx_constant_number(b->file, node->inputs[1], &axis));
  *is = kept == 1 && ((axes.has_first && (axes.first == 1 || axes.first == UINT64_MAX)) || axis == 1 || axis == -1);
  return MLPD_OK;
}

/* Is the value the square of `of`? */
static mlpd_status is_square(const import_builder *b, protobuf_slice name, protobuf_slice of, bool *is) {
  const onnx_node *const product = made_by(b, name, "Mul"), *const power = made_by(b, name, "Pow");
  double exponent = NAN;
  *is = product != NULL && takes(product, 0, of) && takes(product, 1, of);
  if (power == NULL || power->num_inputs != 2 || !takes(power, 0, of)) return MLPD_OK;
  TRY(onnx_constant_number(b->file, power->inputs[1], &exponent));
  *is = exponent == 2;
  return MLPD_OK;
}

/* ---- Norms ------------------------------------------------------------------------------------------- */

static mlpd_status begin_norm(import_builder *b, import_value *x, double epsilon, bool is_rms, import_value **made) {
  import_stage *stage = NULL;
  if (!(epsilon > 0) || !isfinite(epsilon)) return import_refuse(b, "has no epsilon above 0");
  TRY(import_add_stage(b, x, import_width_of(b, x), &stage));
  stage->epsilon = epsilon;
  stage->is_rms = is_rms;
  return import_add_value(b, b->node->output, b->num_stages - 1, MLPD_IDENTITY, made);
}

mlpd_status import_layer_norm(import_builder *b) {
  import_value *x = NULL, *made = NULL;
  double epsilon, *gain = NULL, *shift = NULL;
  int64_t axis;
  TRY(import_take_value(b, 0, &x));
  TRY(onnx_attribute_float(b->node, "epsilon", 1e-5, &epsilon));
  TRY(onnx_attribute_integer(b->node, "axis", -1, &axis));
  if (axis != -1 && axis != 1) return import_refuse(b, "is along another axis than the last");
  TRY(begin_norm(b, x, epsilon, protobuf_slice_is(b->node->op, "RMSNormalization"), &made));
  const uint32_t n = import_width_of(b, made);
  const bool has_gain = b->node->num_inputs > 1 && b->node->inputs[1].count > 0; /* older PyTorch leaves it out */
  const bool has_shift = b->node->num_inputs > 2 && b->node->inputs[2].count > 0;
  mlpd_status status = has_gain ? import_take_numbers(b, 1, n, &gain) : MLPD_OK;
  if (status == MLPD_OK && has_shift) status = import_take_numbers(b, 2, n, &shift);
  if (status == MLPD_OK && has_gain) memcpy(made->factor, gain, n * sizeof *gain);
  if (status == MLPD_OK && has_shift) memcpy(made->shift, shift, n * sizeof *shift);
  free(gain);
  free(shift);
  return status;
}

/* (x - mean) / sqrt(mean of (x - mean)^2 + epsilon): *x is its value; NULL: it is something else. */
static mlpd_status find_norm(const import_builder *b, import_value **x, double *epsilon) {
  const protobuf_slice centred = b->node->inputs[0];
  const onnx_node *const minus = made_by(b, centred, "Sub"), *const root = made_by(b, b->node->inputs[1], "Sqrt");
  protobuf_slice variance = {0};
  bool is = false;
  *x = NULL;
  if (minus == NULL || minus->num_inputs != 2 || root == NULL) return MLPD_OK;
  TRY(is_mean(b, minus->inputs[1], minus->inputs[0], &is));
  if (is) TRY(split_number(b, made_by(b, root->inputs[0], "Add"), &variance, epsilon));
  if (!is || isnan(*epsilon)) return MLPD_OK;
  const onnx_node *const mean = made_by(b, variance, "ReduceMean");
  if (mean == NULL) return MLPD_OK;
  TRY(is_mean(b, variance, mean->inputs[0], &is));
  if (is) TRY(is_square(b, mean->inputs[0], centred, &is));
  if (is) *x = import_find_value(b, minus->inputs[0]);
  return MLPD_OK;
}

/* Is the value sqrt(mean of x^2 + epsilon)? *epsilon: NaN where it is not. */
static mlpd_status find_rms(const import_builder *b, protobuf_slice name, protobuf_slice x, double *epsilon) {
  const onnx_node *const root = made_by(b, name, "Sqrt");
  protobuf_slice square = {0};
  bool is = false;
  *epsilon = NAN;
  if (root == NULL) return MLPD_OK;
  TRY(split_number(b, made_by(b, root->inputs[0], "Add"), &square, epsilon));
  const onnx_node *const mean = isnan(*epsilon) ? NULL : made_by(b, square, "ReduceMean");
  if (mean != NULL) TRY(is_mean(b, square, mean->inputs[0], &is));
  if (is) TRY(is_square(b, mean->inputs[0], x, &is));
  if (!is) *epsilon = NAN;
  return MLPD_OK;
}

/* The value of which this one is the inverse; of no bytes: it is none. */
static mlpd_status inverse_of(const import_builder *b, protobuf_slice name, protobuf_slice *of) {
  const onnx_node *const node = made_by(b, name, "Reciprocal"), *const quotient = made_by(b, name, "Div");
  double one = NAN;
  *of = (protobuf_slice){0};
  if (node != NULL) *of = node->inputs[0];
  if (quotient == NULL || quotient->num_inputs != 2) return MLPD_OK;
  TRY(onnx_constant_number(b->file, quotient->inputs[0], &one));
  if (one == 1) *of = quotient->inputs[1];
  return MLPD_OK;
}

mlpd_status import_product_with_part(import_builder *b) {
  import_value *made = NULL;
  for (uint32_t i = 0; i < 2; i++) {
    const protobuf_slice x = b->node->inputs[i];
    import_value *const v = import_find_value(b, x);
    protobuf_slice root;
    double epsilon = NAN;
    TRY(inverse_of(b, b->node->inputs[1 - i], &root));
    if (root.count > 0) TRY(find_rms(b, root, x, &epsilon));
    if (!isnan(epsilon)) return begin_norm(b, v, epsilon, true, &made);
  }
  import_polynomial p;
  TRY(import_node_polynomial(b, &p));
  if (p.known) return import_part(b);
  return import_refuse(b, "multiplies values in a way that is not a known activation or norm");
}

/* x / sqrt((x / limit)^2 + 1): 0 where it is something else. */
static mlpd_status find_limit(const import_builder *b, double *limit) {
  const onnx_node *const root = made_by(b, b->node->inputs[1], "Sqrt");
  protobuf_slice square = {0}, x = {0};
  double one = NAN;
  bool is = false;
  *limit = 0;
  if (root == NULL) return MLPD_OK;
  TRY(split_number(b, made_by(b, root->inputs[0], "Add"), &square, &one));
  const onnx_node *const product = one == 1 ? made_by(b, square, "Mul") : NULL;
  if (product == NULL) return MLPD_OK;
  TRY(is_square(b, square, product->inputs[0], &is));
  double found = NAN;
  if (is) TRY(split_number(b, made_by(b, product->inputs[0], "Div"), &x, &found));
  if (found > 0 && protobuf_slices_equal(x, b->node->inputs[0])) *limit = found;
  return MLPD_OK;
}

mlpd_status import_quotient(import_builder *b) {
  import_value *x = NULL, *made = NULL;
  import_stage *stage = NULL;
  double epsilon = NAN, limit = 0;
  TRY(find_norm(b, &x, &epsilon));
  if (x != NULL) return begin_norm(b, x, epsilon, false, &made);
  TRY(find_rms(b, b->node->inputs[1], b->node->inputs[0], &epsilon));
  if (!isnan(epsilon)) {
    TRY(import_take_value(b, 0, &x));
    return begin_norm(b, x, epsilon, true, &made);
  }
  TRY(find_limit(b, &limit));
  if (!(limit > 0)) return import_refuse(b, "divides values in a way that is not a known norm");
  TRY(import_take_value(b, 0, &x));
  TRY(import_add_stage(b, x, import_width_of(b, x), &stage));
  stage->limit = limit;
  return import_add_value(b, b->node->output, b->num_stages - 1, MLPD_IDENTITY, &made);
}

/* Is the value sqrt(z^2 + 4)? */
static mlpd_status is_root_of_square_plus_4(const import_builder *b, protobuf_slice name, protobuf_slice z, bool *is) {
  const onnx_node *const root = made_by(b, name, "Sqrt");
  protobuf_slice square = {0};
  double four = NAN;
  *is = false;
  if (root == NULL) return MLPD_OK;
  TRY(split_number(b, made_by(b, root->inputs[0], "Add"), &square, &four));
  return four == 4 ? is_square(b, square, z, is) : MLPD_OK;
}

mlpd_status import_sum(import_builder *b) {
  const protobuf_slice *const of = b->node->inputs;
  import_polynomial p;
  import_value *made = NULL;
  uint32_t z = 0;
  bool is = false;
  TRY(import_node_polynomial(b, &p));
  if (p.known) return import_part(b);
  TRY(is_root_of_square_plus_4(b, of[1], of[0], &is));
  if (!is) TRY(is_root_of_square_plus_4(b, of[0], of[z = 1], &is));
  if (!is) return import_refuse(b, "takes two values in a way that is not a known activation");
  import_value *const v = import_find_value(b, of[z]);
  TRY(import_settle(b, v));
  TRY(import_add_value(b, b->node->output, v->stage, MLPD_SQUAREPLUS, &made));
  for (uint32_t j = 0; j < import_width_of(b, made); j++) made->factor[j] = 2;
  return MLPD_OK;
}

mlpd_status import_part(import_builder *b) {
  import_value *v = NULL, *made = NULL;
  TRY(import_take_value(b, 0, &v));
  return import_add_value(b, b->node->output, v->stage, FORM_PART, &made);
}

/* ---- Bounds ------------------------------------------------------------------------------------------ */

static mlpd_status fill(uint32_t n, const double *from, double otherwise, double **made) {
  TRY(memory_allocate(made, n, sizeof **made, "layers"));
  for (uint32_t j = 0; j < n; j++) (*made)[j] = from != NULL ? from[j] : otherwise;
  return MLPD_OK;
}

/* A Min of a Max is one pair of bounds. */
mlpd_status import_bound(import_builder *b, import_value *v, double *low, double *high) {
  const import_stage *const former = &b->stages[v->stage];
  const uint32_t n = import_width_of(b, v);
  import_stage *made = NULL;
  import_value *z = NULL, before = *v;
  mlpd_status status = MLPD_OK;
  if (former->low != NULL && import_is_z(b, v) && low == NULL && isinf(former->high[0])) {
    before =
        (import_value){.stage = former->from, .form = former->form, .factor = former->factor, .shift = former->shift};
    status = fill(n, former->low, 0, &low);
  }
  if (status == MLPD_OK) status = import_add_stage(b, &before, n, &made);
  if (status == MLPD_OK && low == NULL) status = fill(n, NULL, -INFINITY, &low);
  if (status == MLPD_OK && high == NULL) status = fill(n, NULL, INFINITY, &high);
  if (made == NULL) {
    free(low);
    free(high);
    return status;
  }
  made->low = low;
  made->high = high;
  TRY(status);
  return import_add_value(b, b->node->output, b->num_stages - 1, MLPD_IDENTITY, &z);
}

static mlpd_status bound(import_builder *b, bool below) {
  double *bounds = NULL;
  const uint32_t n = b->node->num_inputs;
  import_value *v = import_find_value(b, b->node->inputs[0]);
  const uint32_t constant = v != NULL ? 1 : 0;
  if (n == 2 && v == NULL) v = import_find_value(b, b->node->inputs[1]);
  if (n != 2 || v == NULL) return import_refuse(b, "does not combine a value with a constant");
  TRY(import_take_numbers(b, constant, import_width_of(b, v), &bounds));
  return import_bound(b, v, below ? bounds : NULL, below ? NULL : bounds);
}

mlpd_status import_max(import_builder *b) { return bound(b, true); }
mlpd_status import_min(import_builder *b) { return bound(b, false); }
