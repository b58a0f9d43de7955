/* A model as an ONNX graph, from raw rows x (n, columns) to probabilities or values in the units of the targets.
 * Operators are those of operator set 13, the newer ones put together from old ones, so that runtimes of the last years
 * take the file. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "export/export.h"
#include "export/export_onnx_rows.h"
#include "network/layer_kind.h"

/* ---- Activations ------------------------------------------------------------------------------------- */

typedef void writer_of_operators(onnx_graph *g);

static void leaky_relu(onnx_graph *g) {
  onnx_apply(g, "LeakyRelu", NULL);
  onnx_set_float(g, "alpha", 0.01f);
}

static void elu(onnx_graph *g) {
  onnx_apply(g, "Elu", NULL);
  onnx_set_float(g, "alpha", 1);
}

/* z Phi(z), Phi(z) = (1 + erf(z / sqrt(2))) / 2 */
static void gelu(onnx_graph *g) {
  const onnx_name z = g->value;
  onnx_apply(g, "Mul", onnx_scalar(g, "root_of_half", 0.70710678118654752).text);
  onnx_apply(g, "Erf", NULL);
  onnx_apply(g, "Add", onnx_scalar(g, "one", 1).text);
  onnx_apply(g, "Mul", onnx_scalar(g, "half", 0.5).text);
  onnx_apply(g, "Mul", z.text);
}

static void silu(onnx_graph *g) {
  const onnx_name z = g->value;
  onnx_apply(g, "Sigmoid", NULL);
  onnx_apply(g, "Mul", z.text);
}

static void mish(onnx_graph *g) {
  const onnx_name z = g->value;
  onnx_apply(g, "Softplus", NULL);
  onnx_apply(g, "Tanh", NULL);
  onnx_apply(g, "Mul", z.text);
}

static void selu(onnx_graph *g) {
  onnx_apply(g, "Selu", NULL);
  onnx_set_float(g, "alpha", 1.67326324f);
  onnx_set_float(g, "gamma", 1.05070099f);
}

static void hardswish(onnx_graph *g) {
  const onnx_name z = g->value;
  onnx_apply(g, "HardSigmoid", NULL);
  onnx_set_float(g, "alpha", 1.0f / 6.0f);
  onnx_set_float(g, "beta", 0.5f);
  onnx_apply(g, "Mul", z.text);
}

static void relu6(onnx_graph *g) {
  const onnx_name zero = onnx_scalar(g, "zero", 0), six = onnx_scalar(g, "six", 6);
  onnx_operator(g, "Clip", g->value.text, zero.text, six.text);
}

/* (z + sqrt(z^2 + 4)) / 2 */
static void squareplus(onnx_graph *g) {
  const onnx_name z = g->value;
  onnx_apply(g, "Mul", z.text);
  onnx_apply(g, "Add", onnx_scalar(g, "four", 4).text);
  onnx_apply(g, "Sqrt", NULL);
  onnx_apply(g, "Add", z.text);
  onnx_apply(g, "Mul", onnx_scalar(g, "half", 0.5).text);
}

/* z (tanh(sqrt(2 / pi) (z + 0.044715 z^3)) / 2 + 1 / 2): at z (1 + tanh(...)) / 2, OpenCV 4.10 crashes. */
static void gelu_tanh(onnx_graph *g) {
  const onnx_name z = g->value, half = onnx_scalar(g, "half", 0.5);
  onnx_apply(g, "Mul", z.text);
  onnx_apply(g, "Mul", z.text);
  onnx_apply(g, "Mul", onnx_scalar(g, "cubic", 0.044715).text);
  onnx_apply(g, "Add", z.text);
  onnx_apply(g, "Mul", onnx_scalar(g, "root_of_2_over_pi", 0.79788456080286536).text);
  onnx_apply(g, "Tanh", NULL);
  onnx_apply(g, "Mul", half.text);
  onnx_apply(g, "Add", half.text);
  onnx_apply(g, "Mul", z.text);
}

static void softmax(onnx_graph *g) {
  onnx_apply(g, "Softmax", NULL);
  onnx_set_integer(g, "axis", 1);
}

/* Either one operator, or a function that writes several. */
typedef struct activation_form {
  const char *op;
  writer_of_operators *write;
} activation_form;

static const activation_form ACTIVATIONS[MLPD_NUM_ACTIVATIONS] = {[MLPD_RELU] = {"Relu", NULL},
                                                                  [MLPD_LEAKY_RELU] = {NULL, leaky_relu},
                                                                  [MLPD_ELU] = {NULL, elu},
                                                                  [MLPD_GELU] = {NULL, gelu},
                                                                  [MLPD_SILU] = {NULL, silu},
                                                                  [MLPD_SIGMOID] = {"Sigmoid", NULL},
                                                                  [MLPD_TANH] = {"Tanh", NULL},
                                                                  [MLPD_SOFTPLUS] = {"Softplus", NULL},
                                                                  [MLPD_MISH] = {NULL, mish},
                                                                  [MLPD_SELU] = {NULL, selu},
                                                                  [MLPD_HARDSWISH] = {NULL, hardswish},
                                                                  [MLPD_RELU6] = {NULL, relu6},
                                                                  [MLPD_EXP] = {"Exp", NULL},
                                                                  [MLPD_SQUAREPLUS] = {NULL, squareplus},
                                                                  [MLPD_GELU_TANH] = {NULL, gelu_tanh},
                                                                  [MLPD_SOFTSIGN] = {"Softsign", NULL},
                                                                  [MLPD_SOFTMAX] = {NULL, softmax}};

static void add_activation(onnx_graph *g, mlpd_activation activation) {
  const activation_form *const form = &ACTIVATIONS[activation];
  if (form->write != NULL)
    form->write(g);
  else if (form->op != NULL)
    onnx_apply(g, form->op, NULL);
}

/* ---- Layers ------------------------------------------------------------------------------------------ */

static onnx_name add_vector(onnx_graph *g, const mlpd_network *network, uint32_t l, uint32_t i) {
  const tensor *const t = layer_tensor(network, l, i);
  return onnx_array(g, t->name, ONNX_FLOAT, 1, t->columns, 0, layer_values(network, l, i));
}

/* The weights as rows of outputs, (outputs, inputs): so PyTorch writes them, and some readers know no other way. */
static mlpd_status add_weight(onnx_graph *g, const mlpd_network *network, uint32_t l, onnx_name *name) {
  const tensor *const t = layer_tensor(network, l, 0);
  const float *const w = layer_values(network, l, 0);
  float *values = NULL;
  TRY(memory_allocate(&values, (size_t)t->rows * t->columns, sizeof *values, "weights"));
  for (size_t j = 0; j < t->columns; j++)
    for (size_t i = 0; i < t->rows; i++) values[j * t->rows + i] = w[i * t->stride + j];
  *name = onnx_array(g, t->name, ONNX_FLOAT, 2, t->columns, t->rows, values);
  free(values);
  return MLPD_OK;
}

/* z = x W + b */
static mlpd_status add_dense(onnx_graph *g, const mlpd_network *network, uint32_t l) {
  const bool has_bias = network->layers[l].num_tensors > 1;
  const onnx_name x = g->value;
  onnx_name weight, bias;
  TRY(add_weight(g, network, l, &weight));
  if (has_bias) bias = add_vector(g, network, l, 1);
  onnx_operator(g, "Gemm", x.text, weight.text, has_bias ? bias.text : NULL);
  onnx_set_integer(g, "transB", 1);
  return MLPD_OK;
}

static void add_mean(onnx_graph *g) {
  onnx_apply(g, "ReduceMean", NULL);
  onnx_set_integers(g, "axes", 1);
  onnx_set_integer(g, "keepdims", 1);
}

static mlpd_status add_layer_norm(onnx_graph *g, const mlpd_network *network, uint32_t l) {
  const onnx_name x = g->value;
  const onnx_name gain = add_vector(g, network, l, 0), shift = add_vector(g, network, l, 1);
  add_mean(g);
  onnx_operator(g, "Sub", x.text, g->value.text, NULL);
  const onnx_name centred = g->value;
  onnx_apply(g, "Mul", centred.text);
  add_mean(g);
  onnx_apply(g, "Add", onnx_scalar(g, "epsilon", 1e-5).text);
  onnx_apply(g, "Sqrt", NULL);
  onnx_operator(g, "Div", centred.text, g->value.text, NULL);
  onnx_apply(g, "Mul", gain.text);
  onnx_apply(g, "Add", shift.text);
  return MLPD_OK;
}

static mlpd_status add_rms_norm(onnx_graph *g, const mlpd_network *network, uint32_t l) {
  const onnx_name x = g->value, gain = add_vector(g, network, l, 0);
  onnx_apply(g, "Mul", x.text);
  add_mean(g);
  onnx_apply(g, "Add", onnx_scalar(g, "epsilon", 1e-5).text);
  onnx_apply(g, "Sqrt", NULL);
  onnx_operator(g, "Div", x.text, g->value.text, NULL);
  onnx_apply(g, "Mul", gain.text);
  return MLPD_OK;
}

/* A batch norm or a scale that no product took over. */
static mlpd_status add_affine(onnx_graph *g, const mlpd_network *network, uint32_t l) {
  const layer *const shape = &network->layers[l];
  double *factor = NULL;
  TRY(memory_allocate(&factor, 2 * (size_t)shape->outputs, sizeof *factor, "weights"));
  double *const shift = factor + shape->outputs;
  shape->kind->affine(network, l, factor, shift);
  onnx_apply(g, "Mul", onnx_vector(g, "factor", shape->outputs, factor).text);
  onnx_apply(g, "Add", onnx_vector(g, "shift", shape->outputs, shift).text);
  free(factor);
  return MLPD_OK;
}

/* Codes came as one-hot values (export_onnx_rows.c), of which a product takes the rows of the table: exactly, for all
 * but one of its factors are 0. Of a member. */
static mlpd_status add_table(onnx_graph *g, const mlpd_network *network, uint32_t l, uint32_t member) {
  const layer *const shape = &network->layers[l];
  const tensor *const t = layer_tensor(network, l, 0);
  const uint32_t rows = export_onnx_columns(shape);
  const float *table = layer_values(network, l, 0) + (size_t)member * tensor_group_rows(t) * t->stride;
  float *matrix = NULL;
  TRY(memory_allocate(&matrix, (size_t)rows * shape->outputs, sizeof *matrix, "weights"));
  float *row = matrix;
  for (uint32_t i = 0, output = 0; i < shape->inputs; i++) {
    if (shape->sizes[i] == 0) row[output] = 1;
    if (shape->sizes[i] == 0) row += shape->outputs;
    for (uint32_t k = 0; k < shape->sizes[i]; k++, table += t->stride, row += shape->outputs)
      memcpy(row + output, table, shape->width * sizeof *row);
    output += shape->sizes[i] > 0 ? shape->width : 1;
  }
  onnx_apply(g, "MatMul", onnx_array(g, t->name, ONNX_FLOAT, 2, rows, shape->outputs, matrix).text);
  free(matrix);
  return MLPD_OK;
}

/* ---- Ensembles: above the fan-out, rows are (members * n, columns), those of a member together ------------------ */

static void reshape(onnx_graph *g, const char *what, const int64_t *shape, uint64_t rank) {
  onnx_apply(g, "Reshape", onnx_array(g, what, ONNX_INT64, 1, rank, 0, shape).text);
}

/* Tensor i, a matrix of each member below the other's, as (members, rows, columns): the graph's value stays. */
static mlpd_status add_of_members(onnx_graph *g, const mlpd_network *network, uint32_t l, uint32_t i,
                                  const char *shape_name, onnx_name *name) {
  const tensor *const t = layer_tensor(network, l, i);
  const uint32_t members = network->layers[l].copies;
  const int64_t shape[] = {members, t->rows / members, t->columns};
  const onnx_name value = g->value;
  float *values = NULL;
  TRY(memory_allocate(&values, (size_t)t->rows * t->columns, sizeof *values, "weights"));
  for (size_t r = 0; r < t->rows; r++)
    memcpy(values + r * t->columns, layer_values(network, l, i) + r * t->stride, t->columns * sizeof *values);
  g->value = onnx_array(g, t->name, ONNX_FLOAT, 2, t->rows, t->columns, values);
  free(values);
  reshape(g, shape_name, shape, 3);
  *name = g->value;
  g->value = value;
  return MLPD_OK;
}

/* (n, inputs) times (members, 1, inputs), as rows. */
static mlpd_status add_fan_out(onnx_graph *g, const mlpd_network *network, uint32_t l) {
  const int64_t rows[] = {-1, network->layers[l].outputs};
  onnx_name scale;
  TRY(add_of_members(g, network, l, 0, "scale_shape", &scale));
  onnx_apply(g, "Mul", scale.text);
  reshape(g, "rows", rows, 2);
  return MLPD_OK;
}

/* (n, inputs), for each member or, where there is a scale, as a fan-out. */
static mlpd_status add_fork(onnx_graph *g, const mlpd_network *network, uint32_t l) {
  const int64_t repeats[] = {network->layers[l].copies, 1};
  if (network->layers[l].num_tensors > 0) return add_fan_out(g, network, l);
  onnx_apply(g, "Tile", onnx_array(g, "repeats", ONNX_INT64, 1, 2, 0, repeats).text);
  return MLPD_OK;
}

/* (members, n, inputs) times (members, inputs, outputs), as rows again, for the activation. */
static mlpd_status add_heads(onnx_graph *g, const mlpd_network *network, uint32_t l) {
  const layer *const shape = &network->layers[l];
  const int64_t members[] = {shape->copies, -1, shape->inputs}, rows[] = {-1, shape->outputs};
  onnx_name weight, bias;
  TRY(add_of_members(g, network, l, 0, "weight_shape", &weight));
  if (shape->num_tensors > 1) TRY(add_of_members(g, network, l, 1, "bias_shape", &bias));
  reshape(g, "members", members, 3);
  onnx_apply(g, "MatMul", weight.text);
  if (shape->num_tensors > 1) onnx_apply(g, "Add", bias.text);
  reshape(g, "rows", rows, 2);
  return MLPD_OK;
}

/* Writes what layer l is for a member. */
typedef mlpd_status writer_of_member(onnx_graph *g, const mlpd_network *network, uint32_t l, uint32_t member);

/* A layer of which members have one each: the rows of a member go through its own, and come together again. */
static mlpd_status add_apart(onnx_graph *g, const mlpd_network *network, uint32_t l, writer_of_member *write) {
  const layer *const shape = &network->layers[l];
  const int64_t members[] = {shape->copies, -1, export_onnx_columns(shape)};
  char scope[ONNX_SCOPE_BYTES];
  onnx_name together = {""};
  if (shape->copies == 1) return write(g, network, l, 0);
  reshape(g, "members", members, 3);
  const onnx_name all = g->value;
  for (int64_t m = 0; m < shape->copies; m++) {
    (void)snprintf(scope, sizeof scope, "layer_%u_%u", l + 1, (uint32_t)m + 1);
    onnx_scope(g, scope);
    g->value = all;
    onnx_apply(g, "Gather", onnx_array(g, "member", ONNX_INT64, 0, 0, 0, &m).text);
    onnx_set_integer(g, "axis", 0);
    TRY(write(g, network, l, (uint32_t)m));
    const onnx_name made = g->value;
    if (m > 0) onnx_operator(g, "Concat", together.text, made.text, NULL);
    if (m > 0) onnx_set_integer(g, "axis", 0);
    together = g->value;
  }
  return MLPD_OK;
}

static mlpd_status add_embed(onnx_graph *g, const mlpd_network *network, uint32_t l) {
  return add_apart(g, network, l, add_table);
}

static mlpd_status add_periodic(onnx_graph *g, const mlpd_network *network, uint32_t l) {
  return add_apart(g, network, l, export_onnx_numbers);
}

static mlpd_status add_piecewise(onnx_graph *g, const mlpd_network *network, uint32_t l) {
  return add_apart(g, network, l, export_onnx_bins);
}

/* x times a tensor (members, outputs) of the members. */
static mlpd_status multiply_by_members(onnx_graph *g, const mlpd_network *network, uint32_t l, const char *name) {
  const layer *const shape = &network->layers[l];
  const int64_t members[] = {shape->copies, -1, shape->outputs}, rows[] = {-1, shape->outputs};
  onnx_name factor;
  TRY(add_of_members(g, network, l, 0, name, &factor));
  reshape(g, "members", members, 3);
  onnx_apply(g, "Mul", factor.text);
  reshape(g, "rows", rows, 2);
  return MLPD_OK;
}

static mlpd_status add_scale(onnx_graph *g, const mlpd_network *network, uint32_t l) {
  if (network->layers[l].copies == 1) return add_affine(g, network, l);
  return multiply_by_members(g, network, l, "scale_shape");
}

/* (members * n, outputs) to (n, outputs) */
static void add_mean_of_members(onnx_graph *g, const layer *heads) {
  const int64_t members[] = {heads->copies, -1, heads->outputs};
  reshape(g, "outputs", members, 3);
  onnx_apply(g, "ReduceMean", NULL);
  onnx_set_integers(g, "axes", 0);
  onnx_set_integer(g, "keepdims", 0);
}

/* x + alpha (A(x) - x); alpha of each member, or of the only one. */
static mlpd_status add_parametric(onnx_graph *g, const mlpd_network *network, uint32_t l) {
  const layer *const shape = &network->layers[l];
  const onnx_name x = g->value;
  add_activation(g, shape->activation);
  onnx_apply(g, "Sub", x.text);
  if (shape->copies == 1)
    onnx_apply(g, "Mul", add_vector(g, network, l, 0).text);
  else
    TRY(multiply_by_members(g, network, l, "alpha_shape"));
  onnx_apply(g, "Add", x.text);
  return MLPD_OK;
}

typedef mlpd_status writer_of_layer(onnx_graph *g, const mlpd_network *network, uint32_t l);

/* The form of a kind of layers; NULL: it has none. */
static writer_of_layer *find_form(const layer_kind *kind) {
  if (kind == &layer_dense) return add_dense;
  if (kind == &layer_layer_norm) return add_layer_norm;
  if (kind == &layer_rms_norm) return add_rms_norm;
  if (kind == &layer_embed) return add_embed;
  if (kind == &layer_periodic) return add_periodic;
  if (kind == &layer_piecewise) return add_piecewise;
  if (kind == &layer_scale) return add_scale;
  if (kind == &layer_fan_out) return add_fan_out;
  if (kind == &layer_fork) return add_fork;
  if (kind == &layer_heads) return add_heads;
  if (kind == &layer_parametric) return add_parametric;
  return kind->affine != NULL ? add_affine : NULL;
}

static mlpd_status add_layers(onnx_graph *g, const mlpd_network *network) {
  char scope[ONNX_SCOPE_BYTES];
  for (uint32_t l = 0; l < network->num_layers; l++) {
    (void)snprintf(scope, sizeof scope, "layer_%u", l + 1);
    onnx_scope(g, scope);
    TRY(find_form(network->layers[l].kind)(g, network, l));
    if (!network->layers[l].kind->activates) add_activation(g, network->layers[l].activation);
  }
  if (network_output(network)->kind == &layer_heads) add_mean_of_members(g, network_output(network));
  return MLPD_OK;
}

static mlpd_status check(const mlpd_network *network) {
  for (uint32_t l = 0; l < network->num_layers; l++) {
    const layer *const shape = &network->layers[l];
    if (find_form(shape->kind) == NULL)
      return FAIL(MLPD_ERROR_USAGE, "layer %u is of kind %s, which has no form in ONNX yet; export .json or .npz",
                  l + 1, shape->kind->name);
    const activation_form *const form = &ACTIVATIONS[shape->activation];
    if (shape->activation != MLPD_IDENTITY && form->op == NULL && form->write == NULL)
      return FAIL(MLPD_ERROR_USAGE, "activation %s of layer %u has no form in ONNX yet; export .json or .npz",
                  mlpd_choice_name(mlpd_activation_choices, (int)shape->activation), l + 1);
  }
  return MLPD_OK;
}

/* ---- The file ---------------------------------------------------------------------------------------- */

static mlpd_status add_graph(onnx_graph *g, const mlpd_model *model, protobuf *to) {
  const bool is_regression = model->task == MLPD_REGRESSION;
  TRY(export_onnx_input(g, model, "x"));
  const onnx_type input_type = export_onnx_type(&model->input);
  TRY(add_layers(g, model->network));
  onnx_scope(g, "output");
  if (is_regression) TRY(export_onnx_targets(g, model));
  onnx_finish(g, to, "x", input_type, model->input.columns, is_regression ? "value" : "probability",
              network_output(model->network)->outputs);
  return MLPD_OK;
}

static mlpd_status write_file(const protobuf *made, const char *path, FILE *stream) {
  if (made->too_large)
    return FAIL(MLPD_ERROR_USAGE, "%s would need more than 2 GiB, which no ONNX file may have; export .npz or .json",
                path);
  if (made->failed) return FAIL(MLPD_ERROR_MEMORY, "out of memory, exporting");
  (void)fwrite(made->bytes, 1, made->count, stream); /* whoever opened the stream looks at its errors */
  return MLPD_OK;
}

mlpd_status export_onnx_graph(const mlpd_model *model, protobuf *made) {
  onnx_graph graph = {0};
  TRY(check(model->network));
  const mlpd_status status = add_graph(&graph, model, made);
  onnx_graph_free(&graph);
  return status;
}

mlpd_status export_onnx(const mlpd_model *model, const char *digest, const char *path, FILE *stream) {
  protobuf made = {0};
  protobuf_integer(&made, ONNX_MODEL_IR_VERSION, ONNX_IR_VERSION);
  protobuf_text(&made, ONNX_MODEL_PRODUCER, "mlpdist");
  protobuf_text(&made, ONNX_MODEL_PRODUCER_VERSION, MLPD_VERSION);
  mlpd_status status = export_onnx_graph(model, &made);
  const size_t opset = protobuf_open(&made, ONNX_MODEL_OPSET);
  protobuf_text(&made, ONNX_OPSET_DOMAIN, ""); /* the standard's own operators */
  protobuf_integer(&made, ONNX_OPSET_VERSION, ONNX_OPSET);
  protobuf_close(&made, opset);
  if (status == MLPD_OK) status = export_onnx_about(&made, model, digest);
  if (status == MLPD_OK) status = write_file(&made, path, stream);
  protobuf_free(&made);
  return status;
}
