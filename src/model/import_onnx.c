/* A network of dense layers from an ONNX graph.
 *
 * Each value of the graph is f o F(z) + s of one stage: z is what a product gave, or the graph's input, and F a form:
 * an activation, or a part of one that ONNX has no operator for, such as erf in gelu. Arithmetic with constants changes
 * f and s, an activation changes F, and a product begins the next stage. At the end stages become layers: f and s
 * between an activation and a product go into the product's weights, those of the input into its normalisation, and
 * those of the output into the scaling of the targets. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "model/import.h"
#include "model/import_onnx_names.h"
#include "model/import_onnx_stages.h"
#include "model/onnx_read.h"

/* Forms are activations, and these parts of some. */
enum {
  FORM_TANH_SOFTPLUS = MLPD_NUM_ACTIVATIONS, /* of mish */
  FORM_ERF,                                  /* erf(z / sqrt(2)), of gelu */
  FORM_HARD_SIGMOID,                         /* of hardswish */
  FORM_NONE
};

typedef struct builder {
  const onnx_file *file;
  import_stage *stages;
  import_value *values;
  uint32_t num_stages, num_values;
  const onnx_node *node; /* at work */
} builder;

static void builder_free(builder *b) {
  for (uint32_t i = 0; i < b->num_stages; i++) {
    free(b->stages[i].factor);
    free(b->stages[i].shift);
    free(b->stages[i].weight);
    free(b->stages[i].bias);
  }
  for (uint32_t i = 0; i < b->num_values; i++) {
    free(b->values[i].factor);
    free(b->values[i].shift);
  }
  free(b->stages);
  free(b->values);
}

/* Every stage has a product or a value of its own, and every value a node: that bounds both lists. */
static mlpd_status builder_create(const onnx_file *file, builder *b) {
  const size_t most = 4 * (size_t)file->num_nodes + 2;
  *b = (builder){.file = file};
  TRY(memory_allocate(&b->stages, most, sizeof *b->stages, "layers"));
  return memory_allocate(&b->values, most, sizeof *b->values, "layers");
}

static mlpd_status refuse(const builder *b, const char *why) {
  return FAIL(MLPD_ERROR_DATA,
              "operator %.*s, which makes %.*s, %s; import takes dense layers (Gemm, MatMul) and activations",
              (int)b->node->op.count, b->node->op.bytes, (int)b->node->output.count, b->node->output.bytes, why);
}

/* ---- Values and stages ------------------------------------------------------------------------------- */

static uint32_t width_of(const builder *b, const import_value *v) { return b->stages[v->stage].width; }

/* Is the value just F(z)? */
static bool is_bare(const builder *b, const import_value *v) {
  return import_all_equal(width_of(b, v), v->factor, 1) && import_all_equal(width_of(b, v), v->shift, 0);
}

static bool is_z(const builder *b, const import_value *v) { return v->form == MLPD_IDENTITY && is_bare(b, v); }

static import_value *find_value(const builder *b, protobuf_slice name) {
  for (uint32_t i = b->num_values; i > 0; i--)
    if (protobuf_slices_equal(b->values[i - 1].name, name)) return &b->values[i - 1];
  return NULL;
}

/* A value F(z) of a stage. */
static mlpd_status add_value(builder *b, protobuf_slice name, uint32_t of, int form, import_value **made) {
  const uint32_t width = b->stages[of].width;
  *made = &b->values[b->num_values++];
  **made = (import_value){.name = name, .stage = of, .form = form};
  TRY(memory_allocate(&(*made)->factor, width, sizeof(double), "layers"));
  TRY(memory_allocate(&(*made)->shift, width, sizeof(double), "layers"));
  for (uint32_t j = 0; j < width; j++) (*made)->factor[j] = 1;
  return MLPD_OK;
}

/* The node's value, with the form, factor and shift of another. */
static mlpd_status copy_value(builder *b, const import_value *v, import_value **made) {
  TRY(add_value(b, b->node->output, v->stage, v->form, made));
  memcpy((*made)->factor, v->factor, width_of(b, v) * sizeof(double));
  memcpy((*made)->shift, v->shift, width_of(b, v) * sizeof(double));
  return MLPD_OK;
}

/* A stage that begins with v, whose factor and shift it takes over. */
static mlpd_status add_stage(builder *b, import_value *v, uint32_t width, import_stage **made) {
  if (v->form >= MLPD_NUM_ACTIVATIONS) return refuse(b, "takes a part of an activation that is not complete");
  *made = &b->stages[b->num_stages++];
  **made = (import_stage){.width = width, .from = v->stage, .form = v->form};
  TRY(memory_allocate(&(*made)->factor, width_of(b, v), sizeof(double), "layers"));
  TRY(memory_allocate(&(*made)->shift, width_of(b, v), sizeof(double), "layers"));
  memcpy((*made)->factor, v->factor, width_of(b, v) * sizeof(double));
  memcpy((*made)->shift, v->shift, width_of(b, v) * sizeof(double));
  return MLPD_OK;
}

/* Makes v the z of a stage, its own if need be. */
static mlpd_status settle(builder *b, import_value *v) {
  import_stage *made = NULL;
  const uint32_t width = width_of(b, v);
  if (is_z(b, v)) return MLPD_OK;
  TRY(add_stage(b, v, width, &made));
  v->stage = b->num_stages - 1;
  v->form = MLPD_IDENTITY;
  for (uint32_t j = 0; j < width; j++) {
    v->factor[j] = 1;
    v->shift[j] = 0;
  }
  return MLPD_OK;
}

/* Input i of the node, which must be a value. */
static mlpd_status take_value(builder *b, uint32_t i, import_value **v) {
  *v = i < b->node->num_inputs ? find_value(b, b->node->inputs[i]) : NULL;
  return *v != NULL ? MLPD_OK : refuse(b, "takes what import cannot follow");
}

/* Input i of the node as n numbers: one for each, or one for all. */
static mlpd_status take_numbers(const builder *b, uint32_t i, uint32_t n, double **numbers) {
  onnx_constant c = {0};
  bool found = false;
  if (i < b->node->num_inputs) TRY(onnx_constant_read(b->file, b->node->inputs[i], &found, &c));
  if (!found || (c.count != 1 && c.count != n)) {
    free(c.values);
    return refuse(b, found ? "takes a constant of another width than the values" : "takes what is no constant");
  }
  *numbers = c.values;
  if (c.count == n) return MLPD_OK;
  const double one = c.values[0];
  free(c.values);
  TRY(memory_allocate(numbers, n, sizeof **numbers, "layers"));
  for (uint32_t j = 0; j < n; j++) (*numbers)[j] = one;
  return MLPD_OK;
}

/* ---- Products ---------------------------------------------------------------------------------------- */

/* z = alpha a B, or a B^T. */
static mlpd_status add_product(builder *b, bool turned, double alpha, import_stage **made) {
  onnx_constant c = {0};
  import_value *v = NULL, *z = NULL;
  bool found = false;
  TRY(take_value(b, 0, &v));
  const uint32_t inputs = width_of(b, v);
  if (b->node->num_inputs > 1) TRY(onnx_constant_read(b->file, b->node->inputs[1], &found, &c));
  const uint64_t outputs = turned ? c.rows : c.columns;
  mlpd_status status = MLPD_OK;
  if (!found || c.rows == 0)
    status = refuse(b, "does not multiply by a constant matrix");
  else if (outputs == 0 || (turned ? c.columns : c.rows) != inputs)
    status = refuse(b, "has weights of another width than the values");
  if (status == MLPD_OK) status = add_stage(b, v, (uint32_t)outputs, made);
  if (status == MLPD_OK) status = memory_allocate(&(*made)->weight, c.count, sizeof(double), "weights");
  for (uint64_t i = 0; status == MLPD_OK && i < inputs; i++)
    for (uint64_t j = 0; j < outputs; j++)
      (*made)->weight[i * outputs + j] = alpha * c.values[turned ? j * inputs + i : i * outputs + j];
  free(c.values);
  TRY(status);
  return add_value(b, b->node->output, b->num_stages - 1, MLPD_IDENTITY, &z);
}

static mlpd_status add_gemm(builder *b) {
  int64_t trans_a, trans_b;
  double alpha, beta;
  import_stage *made = NULL;
  TRY(onnx_attribute_integer(b->node, "transA", 0, &trans_a));
  TRY(onnx_attribute_integer(b->node, "transB", 0, &trans_b));
  TRY(onnx_attribute_float(b->node, "alpha", 1, &alpha));
  TRY(onnx_attribute_float(b->node, "beta", 1, &beta));
  if (trans_a != 0) return refuse(b, "transposes the rows");
  TRY(add_product(b, trans_b != 0, alpha, &made));
  if (b->node->num_inputs < 3 || b->node->inputs[2].count == 0) return MLPD_OK;
  TRY(take_numbers(b, 2, made->width, &made->bias));
  for (uint32_t j = 0; j < made->width; j++) made->bias[j] *= beta;
  return MLPD_OK;
}

static mlpd_status add_matmul(builder *b) {
  import_stage *made = NULL;
  return add_product(b, false, 1, &made);
}

/* ---- Arithmetic -------------------------------------------------------------------------------------- */

/* v op c, or c op v if it is first. */
static mlpd_status apply_constant(builder *b, const import_value *v, uint32_t index, char op, bool first) {
  const uint32_t n = width_of(b, v);
  double *c = NULL;
  import_value *made = NULL;
  if (op == '/' && first) return refuse(b, "divides by values");
  TRY(take_numbers(b, index, n, &c));
  const mlpd_status status = copy_value(b, v, &made);
  for (uint32_t j = 0; status == MLPD_OK && j < n; j++) {
    const double sign = op == '-' && first ? -1 : 1, times = op == '*' ? c[j] : op == '/' ? 1 / c[j] : sign;
    made->factor[j] *= times;
    made->shift[j] *= times;
    if (op == '+' || op == '-') made->shift[j] += op == '-' && !first ? -c[j] : c[j];
  }
  free(c);
  return status;
}

/* z times a part of an activation: which activation that is, and by which factor it is larger; FORM_NONE: none. */
static int complete(const builder *b, const import_value *part, double *times) {
  const uint32_t n = width_of(b, part);
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

static mlpd_status multiply(builder *b, const import_value *v, const import_value *w) {
  const import_value *const z = v->form == MLPD_IDENTITY ? v : w, *const part = z == v ? w : v;
  import_value *made = NULL;
  double times;
  const int form = v->stage == w->stage ? complete(b, part, &times) : FORM_NONE;
  if (form == FORM_NONE || z->form != MLPD_IDENTITY || !import_all_equal(width_of(b, z), z->shift, 0))
    return refuse(b, "multiplies values, in a way that is no activation known here");
  TRY(add_value(b, b->node->output, z->stage, form, &made));
  for (uint32_t j = 0; j < width_of(b, z); j++) made->factor[j] = times * part->factor[j] * z->factor[j];
  return MLPD_OK;
}

static mlpd_status arithmetic(builder *b, char op) {
  import_value *const v = find_value(b, b->node->inputs[0]);
  import_value *const w = b->node->num_inputs > 1 ? find_value(b, b->node->inputs[1]) : NULL;
  if (v != NULL && w != NULL) return op == '*' ? multiply(b, v, w) : refuse(b, "takes two values");
  if (v != NULL) return apply_constant(b, v, 1, op, false);
  if (w != NULL) return apply_constant(b, w, 0, op, true);
  return refuse(b, "takes what import cannot follow");
}

static mlpd_status add(builder *b) { return arithmetic(b, '+'); }
static mlpd_status subtract(builder *b) { return arithmetic(b, '-'); }
static mlpd_status times(builder *b) { return arithmetic(b, '*'); }
static mlpd_status divide(builder *b) { return arithmetic(b, '/'); }

/* (v - mean) scale / sqrt(variance + epsilon) + shift */
static mlpd_status normalise(builder *b) {
  import_value *v = NULL, *made = NULL;
  double *parts[4] = {NULL}, epsilon; /* scale, shift, mean, variance */
  TRY(take_value(b, 0, &v));
  const uint32_t n = width_of(b, v);
  mlpd_status status = onnx_attribute_float(b->node, "epsilon", 1e-5, &epsilon);
  for (uint32_t i = 0; status == MLPD_OK && i < 4; i++) status = take_numbers(b, i + 1, n, &parts[i]);
  if (status == MLPD_OK) status = copy_value(b, v, &made);
  for (uint32_t j = 0; status == MLPD_OK && j < n; j++) {
    const double factor = parts[0][j] / sqrt(parts[3][j] + epsilon);
    made->factor[j] *= factor;
    made->shift[j] = (made->shift[j] - parts[2][j]) * factor + parts[1][j];
  }
  for (int i = 0; i < 4; i++) free(parts[i]);
  return status;
}

/* ---- Activations ------------------------------------------------------------------------------------- */

static mlpd_status activate(builder *b, int form) {
  import_value *v = NULL, *made = NULL;
  TRY(take_value(b, 0, &v));
  TRY(settle(b, v));
  return add_value(b, b->node->output, v->stage, form, &made);
}

/* An attribute must have the value that our activation has. */
static mlpd_status need_attribute(const builder *b, const char *name, double otherwise, double wanted) {
  double found;
  TRY(onnx_attribute_float(b->node, name, otherwise, &found));
  return fabs(found - wanted) <= 1e-5 * fabs(wanted) ? MLPD_OK : refuse(b, "has other parameters than ours");
}

static mlpd_status leaky_relu(builder *b) {
  TRY(need_attribute(b, "alpha", 0.01, 0.01));
  return activate(b, MLPD_LEAKY_RELU);
}

static mlpd_status elu(builder *b) {
  TRY(need_attribute(b, "alpha", 1, 1));
  return activate(b, MLPD_ELU);
}

static mlpd_status selu(builder *b) {
  TRY(need_attribute(b, "alpha", 1.67326319, 1.67326324));
  TRY(need_attribute(b, "gamma", 1.05070102, 1.05070099));
  return activate(b, MLPD_SELU);
}

static mlpd_status hard_sigmoid(builder *b) {
  TRY(need_attribute(b, "alpha", 0.2, 1.0 / 6));
  TRY(need_attribute(b, "beta", 0.5, 0.5));
  return activate(b, FORM_HARD_SIGMOID);
}

static mlpd_status softmax(builder *b) {
  int64_t axis;
  TRY(onnx_attribute_integer(b->node, "axis", -1, &axis));
  return axis == 1 || axis == -1 ? activate(b, MLPD_SOFTMAX) : refuse(b, "is along another axis than the classes");
}

static mlpd_status take_tanh(builder *b) {
  import_value *v = NULL, *made = NULL;
  TRY(take_value(b, 0, &v));
  if (v->form != MLPD_SOFTPLUS || !is_bare(b, v)) return activate(b, MLPD_TANH);
  return add_value(b, b->node->output, v->stage, FORM_TANH_SOFTPLUS, &made);
}

static mlpd_status erf_of_gelu(builder *b) {
  import_value *v = NULL, *made = NULL;
  TRY(take_value(b, 0, &v));
  const uint32_t n = width_of(b, v);
  if (v->form != MLPD_IDENTITY || !import_all_equal(n, v->factor, 0.70710678118654752) ||
      !import_all_equal(n, v->shift, 0))
    return refuse(b, "is no part of a gelu");
  return add_value(b, b->node->output, v->stage, FORM_ERF, &made);
}

/* A bound of a Clip; a missing one is none. */
static mlpd_status read_bound(const builder *b, uint32_t i, const char *name, double none, double *bound) {
  double *found = NULL;
  if (b->node->num_inputs <= i || b->node->inputs[i].count == 0)
    return onnx_attribute_float(b->node, name, none, bound);
  TRY(take_numbers(b, i, 1, &found));
  *bound = found[0];
  free(found);
  return MLPD_OK;
}

static mlpd_status clip(builder *b) {
  double low, high;
  TRY(read_bound(b, 1, "min", -INFINITY, &low));
  TRY(read_bound(b, 2, "max", INFINITY, &high));
  if (low != 0 || (high != 6 && high < 1e30)) return refuse(b, "has other bounds than relu and relu6");
  return activate(b, high == 6 ? MLPD_RELU6 : MLPD_RELU);
}

/* ---- Nodes ------------------------------------------------------------------------------------------- */

/* Nothing happens to rows of numbers. */
static mlpd_status pass(builder *b) {
  import_value *const v = b->node->num_inputs > 0 ? find_value(b, b->node->inputs[0]) : NULL;
  import_value *made = NULL;
  return v != NULL ? copy_value(b, v, &made) : MLPD_OK; /* else of a constant: onnx_constant_read follows it */
}

static mlpd_status flatten(builder *b) {
  int64_t axis;
  TRY(onnx_attribute_integer(b->node, "axis", 1, &axis));
  return axis == 1 ? pass(b) : refuse(b, "is along another axis than the first");
}

static mlpd_status transpose(builder *b) {
  return find_value(b, b->node->inputs[0]) == NULL ? MLPD_OK : refuse(b, "transposes values");
}

static mlpd_status constant(builder *b) {
  (void)b;
  return MLPD_OK;
}

/* Either a function, or an activation. */
typedef struct operator_form {
  const char *op;
  mlpd_status (*read)(builder *b);
  mlpd_activation activation;
} operator_form;

static const operator_form OPERATORS[] = {
    {"Gemm", add_gemm, MLPD_IDENTITY},
    {"MatMul", add_matmul, MLPD_IDENTITY},
    {"Add", add, MLPD_IDENTITY},
    {"Sub", subtract, MLPD_IDENTITY},
    {"Mul", times, MLPD_IDENTITY},
    {"Div", divide, MLPD_IDENTITY},
    {"BatchNormalization", normalise, MLPD_IDENTITY},
    {"Identity", pass, MLPD_IDENTITY},
    {"Dropout", pass, MLPD_IDENTITY},
    {"Cast", pass, MLPD_IDENTITY},
    {"Flatten", flatten, MLPD_IDENTITY},
    {"Constant", constant, MLPD_IDENTITY},
    {"Transpose", transpose, MLPD_IDENTITY},
    {"Relu", NULL, MLPD_RELU},
    {"LeakyRelu", leaky_relu, MLPD_IDENTITY},
    {"Elu", elu, MLPD_IDENTITY},
    {"Selu", selu, MLPD_IDENTITY},
    {"Sigmoid", NULL, MLPD_SIGMOID},
    {"HardSigmoid", hard_sigmoid, MLPD_IDENTITY},
    {"HardSwish", NULL, MLPD_HARDSWISH},
    {"Tanh", take_tanh, MLPD_IDENTITY},
    {"Softplus", NULL, MLPD_SOFTPLUS},
    {"Mish", NULL, MLPD_MISH},
    {"Exp", NULL, MLPD_EXP},
    {"Erf", erf_of_gelu, MLPD_IDENTITY},
    {"Clip", clip, MLPD_IDENTITY},
    {"Softmax", softmax, MLPD_IDENTITY},
    {"LogSoftmax", softmax, MLPD_IDENTITY}, /* the probabilities are what the model predicts here */
};

static mlpd_status read_node(builder *b) {
  for (size_t i = 0; i < sizeof OPERATORS / sizeof *OPERATORS; i++) {
    const operator_form *const form = &OPERATORS[i];
    if (!protobuf_slice_is(b->node->op, form->op)) continue;
    if (form->read == NULL) return activate(b, form->activation);
    return b->node->num_inputs > 0 || form->read == constant ? form->read(b) : refuse(b, "takes nothing");
  }
  return refuse(b, "is not known here");
}

static uint32_t count_users(const onnx_file *file, protobuf_slice name) {
  uint32_t count = 0;
  for (uint32_t i = 0; i < file->num_nodes; i++)
    for (uint32_t k = 0; k < file->nodes[i].num_inputs; k++)
      count += protobuf_slices_equal(file->nodes[i].inputs[k], name);
  return count;
}

/* z + b of a MatMul, if an activation takes it more than once, must be the z that it takes. */
static mlpd_status settle_shared(builder *b) {
  import_value *const v = find_value(b, b->node->output);
  if (v == NULL || v->form != MLPD_IDENTITY || is_z(b, v) || count_users(b->file, v->name) < 2) return MLPD_OK;
  return settle(b, v);
}

static mlpd_status read_nodes(builder *b) {
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
  if (is_constant) *width = turned != 0 ? c.columns : c.rows;
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
  return FAIL(MLPD_ERROR_DATA, "its input has %llu values a row, but its first dense layer takes %u",
              (unsigned long long)file->columns, *width);
}

static mlpd_status read_graph(const onnx_file *file, import_chain *chain) {
  builder b;
  import_value *x = NULL;
  uint32_t width = 0;
  TRY(find_width(file, &width));
  mlpd_status status = builder_create(file, &b);
  if (status == MLPD_OK) {
    b.stages[b.num_stages++] = (import_stage){.width = width};
    status = add_value(&b, file->input, INPUT_STAGE, MLPD_IDENTITY, &x);
  }
  if (status == MLPD_OK) status = read_nodes(&b);
  const import_value *const last = status == MLPD_OK ? find_value(&b, file->output) : NULL;
  if (status == MLPD_OK && last == NULL) status = FAIL(MLPD_ERROR_DATA, "no operator makes its output");
  if (status == MLPD_OK) status = import_onnx_layers(b.stages, last, chain);
  builder_free(&b);
  return status;
}

mlpd_status import_onnx(const char *path, const mlpd_import_options *options, import_chain *chain) {
  onnx_file file;
  (void)options;
  mlpd_status status = onnx_open(path, &file);
  if (status == MLPD_OK) status = read_graph(&file, chain);
  if (status == MLPD_OK) status = import_onnx_names(&file, chain);
  onnx_close(&file);
  return status;
}
