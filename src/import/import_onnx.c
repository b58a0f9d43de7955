/* A network of dense layers and layer norms from an ONNX graph.
 *
 * Each value of the graph is f o F(z) + s of one stage: z is what a product gave, or the graph's input, and F a form:
 * an activation, or a part of one that ONNX has no operator for, such as erf in gelu. Arithmetic with constants changes
 * f and s, an activation changes F, and a product or a norm begins the next stage. At the end stages become layers: f
 * and s between an activation and a product go into the product's weights, those of the input into its normalisation,
 * and those of the output into the scaling of the targets. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "import/import_onnx_activations.h"
#include "import/import_onnx_classes.h"
#include "import/import_onnx_described.h"
#include "import/import_onnx_names.h"
#include "import/import_onnx_norms.h"
#include "import/import_onnx_shape.h"
#include "import/onnx_attribute.h"
#include "import/onnx_constant.h"

/* ---- Products ---------------------------------------------------------------------------------------- */

/* z = alpha a B, or a B^T. */
static mlpd_status add_product(import_builder *b, bool turned, double alpha, import_stage **made) {
  onnx_constant c = {0};
  import_value *v = NULL, *z = NULL;
  bool found = false;
  TRY(import_take_value(b, 0, &v));
  const uint32_t inputs = import_width_of(b, v);
  if (b->node->num_inputs > 1) TRY(onnx_constant_read(b->file, b->node->inputs[1], &found, &c));
  const uint64_t outputs = turned ? c.rows : c.columns;
  mlpd_status status = MLPD_OK;
  if (!found || c.rows == 0)
    status = import_refuse(b, "does not multiply by a constant matrix");
  else if (outputs == 0 || (turned ? c.columns : c.rows) != inputs)
    status = import_refuse(b, "has weights of another width than the values");
  if (status == MLPD_OK) status = import_claim(b, c.count);
  if (status == MLPD_OK) status = import_add_stage(b, v, (uint32_t)outputs, made);
  if (status == MLPD_OK) status = memory_allocate(&(*made)->weight, c.count, sizeof(double), "weights");
  for (uint64_t i = 0; status == MLPD_OK && i < inputs; i++)
    for (uint64_t j = 0; j < outputs; j++)
      (*made)->weight[i * outputs + j] = alpha * c.values[turned ? j * inputs + i : i * outputs + j];
  free(c.values);
  TRY(status);
  return import_add_value(b, b->node->output, b->num_stages - 1, MLPD_IDENTITY, &z);
}

static mlpd_status add_gemm(import_builder *b) {
  int64_t trans_a, trans_b;
  double alpha, beta;
  import_stage *made = NULL;
  TRY(onnx_attribute_integer(b->node, "transA", 0, &trans_a));
  TRY(onnx_attribute_integer(b->node, "transB", 0, &trans_b));
  TRY(onnx_attribute_float(b->node, "alpha", 1, &alpha));
  TRY(onnx_attribute_float(b->node, "beta", 1, &beta));
  if (trans_a != 0) return import_refuse(b, "transposes the rows");
  TRY(add_product(b, trans_b != 0, alpha, &made));
  if (b->node->num_inputs < 3 || b->node->inputs[2].count == 0) return MLPD_OK;
  TRY(import_take_numbers(b, 2, made->width, &made->bias));
  for (uint32_t j = 0; j < made->width; j++) made->bias[j] *= beta;
  return MLPD_OK;
}

static mlpd_status add_matmul(import_builder *b) {
  import_stage *made = NULL;
  return add_product(b, false, 1, &made);
}

/* ---- Arithmetic -------------------------------------------------------------------------------------- */

static const char NOT_VALUES[] = "takes labels, the probabilities of two classes, or the logarithm of a softmax";

/* v op c, or c op v if it is first. */
static mlpd_status apply_constant(import_builder *b, const import_value *v, uint32_t index, char op, bool first) {
  const uint32_t n = import_width_of(b, v);
  double *c = NULL;
  import_value *made = NULL;
  if (op == '/' && first && v->form == FORM_PART) /* the inverse of a root, in a norm */
    return import_add_value(b, b->node->output, v->stage, FORM_PART, &made);
  if (op == '/' && first) return import_refuse(b, "divides by values");
  TRY(import_take_numbers(b, index, n, &c));
  const mlpd_status status = import_copy_value(b, v, &made);
  for (uint32_t j = 0; status == MLPD_OK && j < n; j++) {
    const double sign = op == '-' && first ? -1 : 1, times = op == '*' ? c[j] : op == '/' ? 1 / c[j] : sign;
    made->factor[j] *= times;
    made->shift[j] *= times;
    if (op == '+' || op == '-') made->shift[j] += op == '-' && !first ? -c[j] : c[j];
  }
  free(c);
  return status;
}

static mlpd_status multiply(import_builder *b, const import_value *v, const import_value *w) {
  const import_value *const z = v->form == MLPD_IDENTITY ? v : w, *const part = z == v ? w : v;
  import_value *made = NULL;
  double times;
  if (part->form == MLPD_IDENTITY && v->stage == w->stage) return import_part(b); /* of a polynomial */
  if (z->form == MLPD_IDENTITY) TRY(import_complete_scaled(b, z, part, &made));
  if (made != NULL) return MLPD_OK;
  const int form = v->stage == w->stage ? import_complete(b, part, &times) : FORM_NONE;
  if (form == FORM_NONE || z->form != MLPD_IDENTITY || !import_all_equal(import_width_of(b, z), z->shift, 0))
    return import_refuse(b, "multiplies values in a way that is not a known activation");
  TRY(import_add_value(b, b->node->output, z->stage, form, &made));
  for (uint32_t j = 0; j < import_width_of(b, z); j++) made->factor[j] = times * part->factor[j] * z->factor[j];
  return MLPD_OK;
}

/* v op w: an activation, or a part of a norm. */
static mlpd_status of_values(import_builder *b, char op, const import_value *v, const import_value *w) {
  if (op == '/' && w->form == FORM_ABS) return import_quotient_of_abs(b, v, w);
  if (op == '/') return import_quotient(b);
  if ((op == '*' && v == w) || (op == '-' && w->form == FORM_PART)) return import_part(b);
  if (op == '+') return import_sum(b);
  if (op == '*' && (v->form == FORM_PART || w->form == FORM_PART)) return import_product_with_part(b);
  return op == '*' ? multiply(b, v, w)
                   : import_refuse(b, "subtracts values in a way that is not a known activation or norm");
}

static mlpd_status arithmetic(import_builder *b, char op) {
  import_value *const v = import_find_value(b, b->node->inputs[0]);
  import_value *const w = b->node->num_inputs > 1 ? import_find_value(b, b->node->inputs[1]) : NULL;
  if ((v != NULL && v->form >= FORM_PAIR) || (w != NULL && w->form >= FORM_PAIR)) return import_refuse(b, NOT_VALUES);
  if (v != NULL && w != NULL) return of_values(b, op, v, w);
  if (v != NULL) return apply_constant(b, v, 1, op, false);
  if (w != NULL) return apply_constant(b, w, 0, op, true);
  return import_refuse(b, "uses a value that import cannot follow");
}

static mlpd_status add(import_builder *b) { return arithmetic(b, '+'); }
static mlpd_status subtract(import_builder *b) { return arithmetic(b, '-'); }
static mlpd_status times(import_builder *b) { return arithmetic(b, '*'); }
static mlpd_status divide(import_builder *b) { return arithmetic(b, '/'); }

/* Operator Scaler of ai.onnx.ml: (v - offset) scale */
static mlpd_status scale(import_builder *b) {
  static const char *const names[] = {"offset", "scale"};
  import_value *v = NULL, *made = NULL;
  TRY(import_take_value(b, 0, &v));
  if (v->form >= FORM_PAIR) return import_refuse(b, NOT_VALUES);
  const uint32_t n = import_width_of(b, v);
  TRY(import_copy_value(b, v, &made));
  for (int i = 0; i < 2; i++) {
    double *c = NULL;
    uint64_t count = 0;
    TRY(onnx_attribute_floats(b->node, names[i], &c, &count));
    for (uint32_t j = 0; (count == 1 || count == n) && j < n; j++) {
      const double value = c[count == 1 ? 0 : j];
      if (i == 1) made->factor[j] *= value;
      made->shift[j] = i == 1 ? made->shift[j] * value : made->shift[j] - value;
    }
    free(c);
    if (count > 1 && count != n) return import_refuse(b, "has numbers of another width than the values");
  }
  return MLPD_OK;
}

/* (v - mean) scale / sqrt(variance + epsilon) + shift */
static mlpd_status normalise(import_builder *b) {
  import_value *v = NULL, *made = NULL;
  double *parts[4] = {NULL}, epsilon; /* scale, shift, mean, variance */
  TRY(import_take_value(b, 0, &v));
  if (v->form >= FORM_PAIR) return import_refuse(b, NOT_VALUES);
  const uint32_t n = import_width_of(b, v);
  mlpd_status status = onnx_attribute_float(b->node, "epsilon", 1e-5, &epsilon);
  for (uint32_t i = 0; status == MLPD_OK && i < 4; i++) status = import_take_numbers(b, i + 1, n, &parts[i]);
  if (status == MLPD_OK) status = import_copy_value(b, v, &made);
  for (uint32_t j = 0; status == MLPD_OK && j < n; j++) {
    const double factor = parts[0][j] / sqrt(parts[3][j] + epsilon);
    made->factor[j] *= factor;
    made->shift[j] = (made->shift[j] - parts[2][j]) * factor + parts[1][j];
  }
  for (int i = 0; i < 4; i++) free(parts[i]);
  return status;
}

/* ---- Nodes ------------------------------------------------------------------------------------------- */

/* Nothing happens to rows of numbers. */
static mlpd_status pass(import_builder *b) {
  import_value *const v = b->node->num_inputs > 0 ? import_find_value(b, b->node->inputs[0]) : NULL;
  import_value *made = NULL;
  return v != NULL ? import_copy_value(b, v, &made) : MLPD_OK; /* else of a constant: onnx_constant_read follows it */
}

static mlpd_status cast(import_builder *b) {
  int64_t to;
  const import_value *const v = import_find_value(b, b->node->inputs[0]);
  TRY(onnx_attribute_integer(b->node, "to", 0, &to));
  if (v != NULL && v->form == FORM_LABEL) return pass(b);
  if (to != ONNX_FLOAT && to != ONNX_DOUBLE && to != ONNX_HALF && to != ONNX_BFLOAT16)
    return import_refuse(b, "casts to another type than those of floating-point numbers");
  return pass(b);
}

static mlpd_status negate(import_builder *b) {
  import_value *v = NULL, *made = NULL;
  TRY(import_take_value(b, 0, &v));
  if (v->form == FORM_PART || v->form >= FORM_PAIR) return import_refuse(b, NOT_VALUES);
  TRY(import_copy_value(b, v, &made));
  for (uint32_t j = 0; j < import_width_of(b, v); j++) {
    made->factor[j] = -v->factor[j];
    made->shift[j] = -v->shift[j];
  }
  return MLPD_OK;
}

static mlpd_status flatten(import_builder *b) {
  int64_t axis;
  TRY(onnx_attribute_integer(b->node, "axis", 1, &axis));
  return axis == 1 ? pass(b) : import_refuse(b, "is along another axis than the first");
}

static mlpd_status transpose(import_builder *b) {
  return import_find_value(b, b->node->inputs[0]) == NULL ? MLPD_OK : import_refuse(b, "transposes values");
}

static mlpd_status constant(import_builder *b) {
  (void)b;
  return MLPD_OK;
}

/* Either a function, or an activation. */
typedef struct operator_form {
  const char *op;
  mlpd_status (*read)(import_builder *b);
  mlpd_activation activation;
} operator_form;

static const operator_form OPERATORS[] = {
    {"Gemm", add_gemm, MLPD_IDENTITY},
    {"MatMul", add_matmul, MLPD_IDENTITY},
    {"Add", add, MLPD_IDENTITY},
    {"Sub", subtract, MLPD_IDENTITY},
    {"Mul", times, MLPD_IDENTITY},
    {"Div", divide, MLPD_IDENTITY},
    {"Scaler", scale, MLPD_IDENTITY},
    {"BatchNormalization", normalise, MLPD_IDENTITY},
    {"Identity", pass, MLPD_IDENTITY},
    {"Dropout", pass, MLPD_IDENTITY},
    {"Cast", cast, MLPD_IDENTITY},
    {"CastLike", pass, MLPD_IDENTITY},
    {"Neg", negate, MLPD_IDENTITY},
    {"Flatten", flatten, MLPD_IDENTITY},
    {"Constant", constant, MLPD_IDENTITY},
    {"Greater", constant, MLPD_IDENTITY}, /* of a Where, which looks at it */
    {"Where", import_where, MLPD_IDENTITY},
    {"Transpose", transpose, MLPD_IDENTITY},
    {"Relu", NULL, MLPD_RELU},
    {"LeakyRelu", import_leaky_relu, MLPD_IDENTITY},
    {"PRelu", import_prelu, MLPD_IDENTITY},
    {"Elu", import_elu, MLPD_IDENTITY},
    {"Celu", import_celu, MLPD_IDENTITY},
    {"Selu", import_selu, MLPD_IDENTITY},
    {"Sigmoid", NULL, MLPD_SIGMOID},
    {"HardSigmoid", import_hard_sigmoid, MLPD_IDENTITY},
    {"Swish", import_swish, MLPD_IDENTITY},
    {"HardSwish", NULL, MLPD_HARDSWISH},
    {"Tanh", import_tanh, MLPD_IDENTITY},
    {"Softplus", NULL, MLPD_SOFTPLUS},
    {"Mish", NULL, MLPD_MISH},
    {"Exp", NULL, MLPD_EXP},
    {"Log", import_log, MLPD_IDENTITY},
    {"Gelu", import_gelu, MLPD_IDENTITY},
    {"Softsign", NULL, MLPD_SOFTSIGN},
    {"Abs", import_abs, MLPD_IDENTITY},
    {"Erf", import_erf_of_gelu, MLPD_IDENTITY},
    {"Clip", import_clip, MLPD_IDENTITY},
    {"Max", import_max, MLPD_IDENTITY},
    {"Min", import_min, MLPD_IDENTITY},
    {"LayerNormalization", import_layer_norm, MLPD_IDENTITY},
    {"RMSNormalization", import_layer_norm, MLPD_IDENTITY},
    {"ReduceMean", import_part, MLPD_IDENTITY},
    {"Pow", import_part, MLPD_IDENTITY},
    {"Sqrt", import_part, MLPD_IDENTITY},
    {"Reciprocal", import_part, MLPD_IDENTITY},
    {"ArgMax", import_arg_max, MLPD_IDENTITY},
    {"ArrayFeatureExtractor", import_feature_extractor, MLPD_IDENTITY},
    {"ZipMap", import_zip_map, MLPD_IDENTITY},
    {"Concat", import_concat, MLPD_IDENTITY},
    {"Reshape", import_reshape, MLPD_IDENTITY},
    {"Shape", import_shape_part, MLPD_IDENTITY},
    {"Gather", import_shape_part, MLPD_IDENTITY},
    {"Slice", import_shape_part, MLPD_IDENTITY},
    {"Unsqueeze", import_shape_part, MLPD_IDENTITY},
    {"Squeeze", import_squeeze, MLPD_IDENTITY},
    {"Softmax", import_softmax, MLPD_IDENTITY},
    {"LogSoftmax", import_softmax, MLPD_IDENTITY},
};

static mlpd_status read_node(import_builder *b) {
  if (import_is_foreign(b->node)) return import_refuse_unknown(b);
  for (size_t i = 0; i < sizeof OPERATORS / sizeof *OPERATORS; i++) {
    const operator_form *const form = &OPERATORS[i];
    if (!protobuf_slice_is(b->node->op, form->op)) continue;
    if (form->read == NULL) return import_activate(b, (int)form->activation);
    return b->node->num_inputs > 0 || form->read == constant ? form->read(b) : import_refuse(b, "takes nothing");
  }
  return import_refuse_unknown(b);
}

static uint32_t count_users(const onnx_file *file, protobuf_slice name) {
  uint32_t count = 0;
  for (uint32_t i = 0; i < file->num_nodes; i++)
    for (uint32_t k = 0; k < file->nodes[i].num_inputs; k++)
      count += protobuf_slices_equal(file->nodes[i].inputs[k], name);
  return count;
}

/* z + b of a MatMul, if an activation takes it more than once, must be the z that it takes. */
static mlpd_status settle_shared(import_builder *b) {
  import_value *const v = import_find_value(b, b->node->output);
  if (v == NULL || v->form != MLPD_IDENTITY || import_is_z(b, v) || count_users(b->file, v->name) < 2) return MLPD_OK;
  return import_settle(b, v);
}

static mlpd_status read_nodes(import_builder *b) {
  for (uint32_t i = 0; i < b->file->num_nodes; i++) {
    b->node = &b->file->nodes[i];
    TRY(read_node(b));
    TRY(settle_shared(b));
  }
  return MLPD_OK;
}

/* The width that a node, if it is a product, wants of its values; else 0. */
static mlpd_status product_width(const onnx_file *file, const onnx_node *node, uint64_t *width) {
  onnx_constant c = {0};
  bool is_constant = false;
  int64_t turned;
  *width = 0;
  if ((!protobuf_slice_is(node->op, "Gemm") && !protobuf_slice_is(node->op, "MatMul")) || node->num_inputs < 2)
    return MLPD_OK;
  TRY(onnx_attribute_integer(node, "transB", 0, &turned));
  TRY(onnx_constant_read(file, node->inputs[1], &is_constant, &c));
  if (is_constant && c.count > 0) *width = turned != 0 ? c.columns : c.rows; /* else it may be of any size */
  free(c.values);
  return MLPD_OK;
}

/* The width of the graph's input: as the first product wants it, whose weights are there. */
static mlpd_status find_width(const onnx_file *file, uint32_t *width) {
  uint64_t found = 0;
  for (uint32_t i = 0; i < file->num_nodes && found == 0; i++) TRY(product_width(file, &file->nodes[i], &found));
  *width = (uint32_t)found;
  if (found == 0) return FAIL(MLPD_ERROR_DATA, "it has no dense layer (Gemm, MatMul) with weights inside");
  if (file->columns == 0 || file->columns == found) return MLPD_OK;
  return FAIL(MLPD_ERROR_DATA, "its input has %llu values per row, but its first dense layer expects %u",
              (unsigned long long)file->columns, *width);
}

static mlpd_status read_graph(const onnx_file *file, import_chain *chain) {
  import_builder b;
  import_value *x = NULL;
  uint32_t width = 0;
  TRY(find_width(file, &width));
  mlpd_status status = import_builder_create(file, &b);
  if (status == MLPD_OK) {
    b.stages[b.num_stages++] = (import_stage){.width = width};
    status = import_add_value(&b, file->input, INPUT_STAGE, MLPD_IDENTITY, &x);
  }
  if (status == MLPD_OK) status = read_nodes(&b);
  import_value *last = NULL;
  if (status == MLPD_OK) status = import_choose_output(&b, &last);
  if (status == MLPD_OK) status = import_settle_form(&b, last);
  if (status == MLPD_OK) status = import_onnx_layers(b.stages, last, chain);
  if (b.labelled != NULL) chain->task = MLPD_CLASSIFICATION;
  chain->names.classes = b.classes;
  b.classes = (name_list){0};
  import_builder_free(&b);
  return status;
}

/* What the graph of our own export holds in another form than layers, by the ends of the names of its arrays. */
static const struct {
  const char *array, *what;
} NOT_REBUILT[] = {{"_code", "categories or missing values"},
                   {"_knot", "normalisation by quantiles"},
                   {"_frequency", "numbers as cosines"},
                   {"_low", "numbers in bins"},
                   {"_alpha", "parametric activations"},
                   {"_members", "members"},
                   {"_is_deviation", "deviations"}};

static bool has_array(const onnx_file *file, const char *end) {
  const size_t length = strlen(end);
  for (uint32_t i = 0; i < file->num_arrays; i++) {
    const protobuf_slice name = file->arrays[i].name;
    if (name.count > length && memcmp(name.bytes + name.count - length, end, length) == 0) return true;
  }
  return false;
}

/* why: the description is of no use. */
static mlpd_status refuse_export(const onnx_file *file, mlpd_status status, const char *why) {
  char what[200] = "";
  size_t used = 0;
  for (size_t i = 0; i < sizeof NOT_REBUILT / sizeof *NOT_REBUILT && used < sizeof what; i++)
    if (has_array(file, NOT_REBUILT[i].array))
      used += (size_t)snprintf(what + used, sizeof what - used, "%s%s", used > 0 ? ", " : "", NOT_REBUILT[i].what);
  if (used == 0) return status;
  return FAIL(status,
              "mlpdist exported this file from a model with %s, which import reads from the description in its "
              "metadata alone, and %s: use the model.h5 that it came from (%s)",
              what, why, mlpd_error_message());
}

/* Stores the model that the file describes, or why it is of no use. A task that the user gives goes before. */
static mlpd_status read_description(const onnx_file *file, mlpd_task task, import_chain *chain, const char **why) {
  const mlpd_status status = import_onnx_described(file, &chain->described);
  *why = status == MLPD_ERROR_DATA ? "that does not fit the graph" : "the file has none";
  if (status != MLPD_OK && status != MLPD_ERROR_DATA) return status;
  if (chain->described == NULL || task == MLPD_TASK_AUTO || task == chain->described->task) return MLPD_OK;
  *why = "--task differs from it";
  mlpd_model_free(chain->described);
  chain->described = NULL;
  return MLPD_OK;
}

static mlpd_status read_file(const onnx_file *file, mlpd_task task, import_chain *chain) {
  const char *why = NULL;
  TRY(read_description(file, task, chain, &why));
  if (chain->described != NULL) return MLPD_OK;
  const mlpd_status status = read_graph(file, chain);
  if (status == MLPD_ERROR_DATA && protobuf_slice_is(file->producer, "mlpdist"))
    return refuse_export(file, status, why);
  return status == MLPD_OK ? import_onnx_names(file, chain) : status;
}

mlpd_status import_onnx(const char *path, const mlpd_import_options *options, import_chain *chain) {
  onnx_file file;
  mlpd_status status = onnx_open(path, &file);
  if (status == MLPD_OK) status = read_file(&file, options->task, chain);
  onnx_close(&file);
  return status;
}
