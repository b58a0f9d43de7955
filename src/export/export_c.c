/* A model as one file of C99 that needs nothing but the C library's mathematics.
 *
 * An element of a product is the same chain of fused multiply-adds as in our own kernels, so products have the same
 * bits. Activations with exp, tanh or erf use the C library's, in double: a few units in the last place of float from
 * ours. The others have the same bits, too. */
#include <stdlib.h>

#include "base/memory.h"
#include "export/export.h"
#include "export/export_c_header.h"
#include "export/export_c_text.h"
#include "export/export_c_values.h"
#include "network/layer_kind.h"

/* A(z) as C, z a float. */
static const char *const ACTIVATIONS[MLPD_NUM_ACTIVATIONS] = {
    [MLPD_IDENTITY] = "z",
    [MLPD_RELU] = "z < 0 ? 0.0f : z",
    [MLPD_LEAKY_RELU] = "z * (z < 0 ? 0.01f : 1.0f)",
    [MLPD_ELU] = "z > 0 ? z : (float)expm1(z)",
    [MLPD_GELU] = "(float)(0.5 * z * erfc(-z * 0.70710678118654752))",
    [MLPD_SILU] = "(float)(z / (1 + exp(-(double)z)))",
    [MLPD_SIGMOID] = "(float)(1 / (1 + exp(-(double)z)))",
    [MLPD_TANH] = "(float)tanh(z)",
    [MLPD_SOFTPLUS] = "(float)(fmax(z, 0) + log1p(exp(-fabs(z))))",
    [MLPD_MISH] = "(float)(z * tanh(fmax(z, 0) + log1p(exp(-fabs(z)))))",
    [MLPD_SELU] = "z > 0 ? 1.05070099f * z : 1.75809934f * (float)expm1(z)",
    [MLPD_HARDSWISH] = "z * (fminf(fmaxf(z + 3.0f, 0.0f), 6.0f) * (1.0f / 6.0f))",
    [MLPD_RELU6] = "fminf(fmaxf(z, 0.0f), 6.0f)",
    [MLPD_EXP] = "(float)exp((double)z)",
    [MLPD_SQUAREPLUS] = "fmaxf(z, 0.0f) + 2.0f / (fminf(fabsf(z), 1e18f) + sqrtf(fminf(z * z, 1e36f) + 4.0f))",
    [MLPD_GELU_TANH] = "(float)(z / (1 + exp(-1.5957691216057308 * z * (1 + 0.044715 * z * z))))",
    [MLPD_SOFTSIGN] = "z / (1.0f + fabsf(z))",
    [MLPD_SOFTMAX] = "z"};

/* A kind's function NAME_function(outputs, x, its tensors, z); of `dense` the inputs come first. One that expands
 * inputs is NAME_function(inputs, width, x, sizes, its tensors, z), with the number of bins before their edges; one
 * that activates gets A before z. Kinds may share one: of the layers of an ensemble it computes one member. */
typedef struct kind_in_c {
  const layer_kind *kind;
  const char *function, *text;
} kind_in_c;

static const kind_in_c KINDS[] = {{&layer_dense, "dense", DENSE},
                                  {&layer_heads, "dense", DENSE},
                                  {&layer_layer_norm, "layer_norm", LAYER_NORM},
                                  {&layer_rms_norm, "rms_norm", RMS_NORM},
                                  {&layer_scale, "multiply", MULTIPLY},
                                  {&layer_fan_out, "multiply", MULTIPLY},
                                  {&layer_fork, "copy", COPY}, /* with an input scale: as a fan-out */
                                  {&layer_embed, "embed", EMBED},
                                  {&layer_periodic, "periodic", PERIODIC},
                                  {&layer_piecewise, "piecewise", PIECEWISE},
                                  {&layer_parametric, "parametric", PARAMETRIC}};
enum { NUM_KINDS = sizeof KINDS / sizeof *KINDS };

static const kind_in_c *find_kind(const layer *l) {
  const layer_kind *const kind = l->kind == &layer_fork && l->num_tensors > 0 ? &layer_fan_out : l->kind;
  for (int i = 0; i < NUM_KINDS; i++)
    if (KINDS[i].kind == kind) return &KINDS[i];
  return NULL;
}

/* ---- Functions --------------------------------------------------------------------------------------- */

static bool has_function(const mlpd_network *network, const char *text) {
  for (uint32_t l = 0; l < network->num_layers; l++)
    if (find_kind(&network->layers[l])->text == text) return true;
  return false;
}

/* Was the function of KINDS[i] that of an earlier kind, too? */
static bool is_repeated(int i) {
  for (int j = 0; j < i; j++)
    if (KINDS[j].text == KINDS[i].text) return true;
  return false;
}

static bool has_activation(const mlpd_network *network, mlpd_activation activation) {
  for (uint32_t l = 0; l < network->num_layers; l++)
    if (network->layers[l].activation == activation) return true;
  return false;
}

static void write_function_name(const export_c_file *f, mlpd_activation activation) {
  (void)fprintf(f->stream, "%s_", f->name);
  for (const char *c = mlpd_choice_name(mlpd_activation_choices, (int)activation); *c != '\0'; c++)
    (void)fputc(*c == '-' ? '_' : *c, f->stream);
}

static void write_functions(const export_c_file *f) {
  const mlpd_network *const network = f->model->network;
  for (int i = 0; i < NUM_KINDS; i++)
    if (has_function(network, KINDS[i].text) && !is_repeated(i)) (void)fprintf(f->stream, KINDS[i].text, f->name);
  if (f->model->input.limit > 0) {
    (void)fprintf(f->stream, "static const double %s_limit = %.17g;\n\n", f->name, f->model->input.limit);
    export_c_text(f, CLIP);
  }
  for (int a = MLPD_IDENTITY + 1; a < MLPD_SOFTMAX; a++) {
    if (!has_activation(network, (mlpd_activation)a)) continue;
    (void)fputs("static float ", f->stream);
    write_function_name(f, (mlpd_activation)a);
    (void)fprintf(f->stream, "(float z) { return %s; }\n\n", ACTIVATIONS[a]);
  }
  if (has_activation(network, MLPD_SOFTMAX)) (void)fprintf(f->stream, SOFTMAX, f->name);
}

static bool begins_members(const layer_kind *kind) { return kind == &layer_fan_out || kind == &layer_fork; }

/* Tensor i of layer l: the whole of it, or the part of member m. */
static void write_tensor_name(const export_c_file *f, uint32_t l, uint32_t i) {
  const layer *const shape = &f->model->network->layers[l];
  const tensor *const t = layer_tensor(f->model->network, l, i);
  const bool is_shared = shape->copies == 1 || !shape->kind->of_members;
  (void)fprintf(f->stream, "%s_%s_%u", f->name, t->name, l + 1);
  if (!is_shared) (void)fprintf(f->stream, " + m * %u", t->rows / shape->copies * t->columns);
  (void)fputs(", ", f->stream);
}

/* Sizes of the inputs that layer l expands. */
static mlpd_status write_sizes(const export_c_file *f, uint32_t l) {
  const layer *const shape = &f->model->network->layers[l];
  char what[32];
  int64_t *sizes = NULL;
  if (!shape->kind->expands) return MLPD_OK;
  TRY(memory_allocate(&sizes, shape->inputs, sizeof *sizes, "inputs"));
  for (uint32_t i = 0; i < shape->inputs; i++) sizes[i] = shape->sizes[i];
  (void)snprintf(what, sizeof what, "sizes_%u", l + 1);
  export_c_integers(f, what, shape->inputs, sizes);
  free(sizes);
  return MLPD_OK;
}

/* The call that computes layer l from the array `from` into `to`. */
static void write_layer(const export_c_file *f, uint32_t l, const char *from, const char *to) {
  const layer *const shape = &f->model->network->layers[l];
  const char *const name = f->name;
  const bool is_dense = shape->kind == &layer_dense || shape->kind == &layer_heads;
  (void)fprintf(f->stream, "  %s_%s(", name, find_kind(shape)->function);
  if (is_dense) (void)fprintf(f->stream, "%u, ", shape->inputs);
  if (shape->kind->expands)
    (void)fprintf(f->stream, "%u, %u, %s, %s_sizes_%u, ", shape->inputs, shape->width, from, name, l + 1);
  else
    (void)fprintf(f->stream, "%u, %s, ", shape->outputs, from);
  if (shape->kind == &layer_piecewise)
    (void)fprintf(f->stream, "%u, ", layer_tensor(f->model->network, l, 0)->columns - 1);
  for (uint32_t i = 0; i < shape->num_tensors; i++) write_tensor_name(f, l, i);
  if (is_dense && shape->num_tensors == 1) (void)fputs("0, ", f->stream); /* no bias */
  if (shape->kind->activates) {
    write_function_name(f, shape->activation);
    (void)fputs(", ", f->stream);
  }
  (void)fprintf(f->stream, "%s);\n", to);
  if (shape->kind->activates) return;
  if (shape->activation == MLPD_SOFTMAX) {
    (void)fprintf(f->stream, "  %s_softmax(%u, %s);\n", name, shape->outputs, to);
  } else if (shape->activation != MLPD_IDENTITY) {
    (void)fprintf(f->stream, "  for (int j = 0; j < %u; j++) %s[j] = ", shape->outputs, to);
    write_function_name(f, shape->activation);
    (void)fprintf(f->stream, "(%s[j]);\n", to);
  }
}

static uint32_t widest(const mlpd_network *network) {
  uint32_t most = network_inputs(network);
  for (uint32_t l = 0; l < network->num_layers; l++)
    if (network->layers[l].outputs > most) most = network->layers[l].outputs;
  return most;
}

/* All layers, from a into a or b in turn. */
static void write_layers(const export_c_file *f) {
  const mlpd_network *const network = f->model->network;
  const uint32_t members = network_members(network), outputs = network_output(network)->outputs;
  const char *from = "a", *to = "b";
  for (uint32_t l = 0; l < network->num_layers; l++) {
    if (begins_members(network->layers[l].kind)) {
      (void)fprintf(f->stream, MEMBERS_BEGIN, network->layers[l].inputs, outputs, from, members);
      from = "shared";
    }
    write_layer(f, l, from, to);
    from = to;
    to = l % 2 == 0 ? "a" : "b";
  }
  if (members > 1) (void)fprintf(f->stream, MEMBERS_END, outputs, from, outputs, from, members);
}

/* From outputs of the network to the units of the targets; several outputs of a target lie together. */
static void write_targets(const export_c_file *f, const char *last) {
  const char *const name = f->name;
  const uint32_t each = loss_outputs(&f->model->loss);
  char target[24] = "j";
  if (each > 1) (void)snprintf(target, sizeof target, "j / %u", each);
  (void)fprintf(f->stream, "  for (int j = 0; j < %s_OUTPUTS; j++) y[j] = ", name);
  if (f->model->loss.kind == MLPD_GAUSSIAN)
    (void)fprintf(f->stream, "j %% 2 == 1 ? exp(0.5 * %s[j]) / %s_target_scale[%s] : ", last, name, target);
  (void)fprintf(f->stream, "%s[j] / %s_target_scale[%s] + %s_target_shift[%s];\n", last, name, target, name, target);
  if (f->model->least != NULL)
    (void)fprintf(f->stream, "  for (int j = 0; j < %s_OUTPUTS; j++) %sy[j] = %s_clamp(y[j], %s);\n", name,
                  f->model->loss.kind == MLPD_GAUSSIAN ? "if (j % 2 == 0) " : "", name, target);
  (void)fputs("}\n", f->stream);
}

static void write_predict(const export_c_file *f) {
  const mlpd_network *const network = f->model->network;
  const char *const name = f->name;
  const bool is_regression = f->model->task == MLPD_REGRESSION;
  (void)fprintf(f->stream,
                "void %s_predict(const double x[%s_INPUTS], double y[%s_OUTPUTS]) {\n"
                "  float a[%u], b[%u];\n",
                name, name, name, widest(network), widest(network));
  export_c_text(f, export_has_codes(f->model)
                       ? "  @_encode(x, a);\n"
                       : "  for (int j = 0; j < @_INPUTS; j++) a[j] = (float)((x[j] - @_shift[j]) * @_scale[j]);\n");
  if (export_c_has_curves(f->model)) export_c_text(f, export_has_codes(f->model) ? CURVE_NUMBERS : CURVE_ALL);
  if (f->model->input.limit > 0) export_c_text(f, export_has_codes(f->model) ? CLIP_NUMBERS : CLIP_ALL);
  write_layers(f);
  const char *const last = network->num_layers % 2 == 0 ? "a" : "b";
  if (is_regression)
    write_targets(f, last);
  else
    (void)fprintf(f->stream, "  for (int j = 0; j < %s_OUTPUTS; j++) y[j] = %s[j];\n}\n", name, last);
}

/* The class of probabilities y, as mlpdist takes it. */
static void write_class(const export_c_file *f) {
  const char *const name = f->name;
  const bool is_single = network_output(f->model->network)->outputs == 1;
  (void)fprintf(f->stream, "\nint %s_class(const double y[%s_OUTPUTS]) {\n", name, name);
  if (is_single)
    (void)fputs("  return y[0] > 0.5;\n}\n", f->stream);
  else
    (void)fprintf(f->stream,
                  "  int best = 0;\n"
                  "  for (int j = 1; j < %s_OUTPUTS; j++)\n"
                  "    if (y[j] > y[best]) best = j;\n"
                  "  return best;\n}\n",
                  name);
}

static mlpd_status check(const mlpd_model *model) {
  const mlpd_network *const network = model->network;
  for (uint32_t l = 0; l < network->num_layers; l++) {
    const layer *const shape = &network->layers[l];
    if (find_kind(shape) == NULL)
      return FAIL(MLPD_ERROR_USAGE, "layer %u is of kind %s, which has no form in C yet; export .json or .npz", l + 1,
                  shape->kind->name);
    if (ACTIVATIONS[shape->activation] == NULL)
      return FAIL(MLPD_ERROR_USAGE, "activation %s of layer %u has no form in C yet; export .json or .npz",
                  mlpd_choice_name(mlpd_activation_choices, (int)shape->activation), l + 1);
  }
  return MLPD_OK;
}

mlpd_status export_c(const mlpd_model *model, const char *digest, const char *path, FILE *stream) {
  export_c_file f = {.model = model, .stream = stream};
  const name_list *names = NULL;
  const char *const outputs = export_outputs(model, &names);
  TRY(check(model));
  export_c_name(path, f.name);
  (void)fprintf(stream, HEAD, MLPD_VERSION, digest, mlpd_choice_name(mlpd_task_choices, (int)model->task));
  export_c_declarations(&f, digest);
  export_c_names(&f, "inputs", &model->names.columns);
  if (outputs != NULL) export_c_names(&f, outputs, names);
  export_c_doubles(&f, "shift", model->input.columns, model->input.shift);
  export_c_doubles(&f, "scale", model->input.columns, model->input.scale);
  if (export_has_codes(model)) {
    TRY(export_c_codes(&f));
    export_c_text(&f, ENCODE);
  }
  if (export_c_has_curves(model)) {
    TRY(export_c_curves(&f));
    export_c_text(&f, CURVE);
  }
  if (model->task == MLPD_REGRESSION) {
    export_c_doubles(&f, "target_shift", model->target.columns, model->target.shift);
    export_c_doubles(&f, "target_scale", model->target.columns, model->target.scale);
    if (model->least != NULL) {
      export_c_doubles(&f, "target_minimum", model->target.columns, model->least);
      export_c_doubles(&f, "target_maximum", model->target.columns, model->most);
      export_c_text(&f, CLAMP);
    }
  }
  for (uint32_t l = 0; l < model->network->num_layers; l++) {
    TRY(write_sizes(&f, l));
    for (uint32_t i = 0; i < model->network->layers[l].num_tensors; i++) TRY(export_c_tensor(&f, l, i));
  }
  write_functions(&f);
  write_predict(&f);
  if (model->task == MLPD_CLASSIFICATION) write_class(&f);
  return MLPD_OK;
}
