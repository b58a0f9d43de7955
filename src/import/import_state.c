/* Modules of a PyTorch state dict are groups of arrays NAME.weight, NAME.bias, ..., in order: linear layers have a
 * weight (outputs, inputs), norms a weight of rank 1, batch norms running_mean and running_var, too. Dense layers of
 * Flax have a NAME.kernel (inputs, outputs) in place of the weight. */
#include "import/import_state_order.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static const char CURE[] =
    "a state dict of linear layers, BatchNorm1d and LayerNorm is read, NAME.weight (outputs, inputs) or NAME.kernel "
    "(inputs, outputs) and NAME.bias; other layers go through ONNX (torch.onnx.export)";

/* The length of NAME in "NAME.weight" or, of a network that is a single layer, "weight"; -1: no such name. */
static int stem_of(const char *name, const char *kind) {
  const size_t length = strlen(name), end = strlen(kind);
  if (length < end || strcmp(name + length - end, kind) != 0) return -1;
  if (length == end) return 0;
  return strchr("./", name[length - end - 1]) != NULL ? (int)(length - end) : -1;
}

static const char *const PARTS[STATE_NUM_PARTS] = {"weight", "bias", "running_mean", "running_var",
                                                   "num_batches_tracked"};
static const char KERNEL[] = "kernel";

/* Which of PARTS it is, a kernel among the weights, and the length of the module's name before, without the point; -1:
 * none. */
static int part_of(const char *name, int *stem) {
  for (int i = 0; i < STATE_NUM_PARTS; i++) {
    const int length = stem_of(name, PARTS[i]);
    *stem = length > 0 ? length - 1 : 0;
    if (length >= 0) return i;
  }
  const int length = stem_of(name, KERNEL);
  *stem = length > 0 ? length - 1 : 0;
  return length >= 0 ? STATE_WEIGHT : -1;
}

mlpd_status import_state_name(const char *name, bool *has_values) {
  int stem;
  const int part = part_of(name, &stem);
  *has_values = part != STATE_COUNTER;
  if (part < 0 && (strncmp(name, "coefs", 5) == 0 || strncmp(name, "intercepts", 10) == 0))
    return FAIL(
        MLPD_ERROR_DATA,
        "%s is of scikit-learn: name the coefs_ 0.kernel, 1.kernel, ... and the intercepts_ 0.bias, 1.bias, ...", name);
  return part < 0 ? FAIL(MLPD_ERROR_DATA, "%s is neither a weight nor a bias; %s", name, CURE) : MLPD_OK;
}

/* ---- Modules ----------------------------------------------------------------------------------------- */

/* The module of an array, new or one of those so far. */
static state_module *module_of(const import_array *array, int stem, state_module *modules, size_t *count) {
  for (size_t i = 0; i < *count; i++)
    if (modules[i].stem == stem && strncmp(modules[i].name, array->name, (size_t)stem) == 0) return &modules[i];
  modules[*count] = (state_module){.name = array->name, .stem = stem};
  return &modules[(*count)++];
}

static mlpd_status refuse_second(const char *first, const char *second) {
  if (strcmp(first, second) == 0) return FAIL(MLPD_ERROR_DATA, "it has two arrays %s", first);
  return FAIL(
      MLPD_ERROR_DATA,
      "%s and %s are both the weights of one layer, as (outputs, inputs) and as (inputs, outputs): leave one out",
      stem_of(first, KERNEL) < 0 ? first : second, stem_of(first, KERNEL) < 0 ? second : first);
}

static mlpd_status find_modules(const import_array *arrays, size_t count, state_module *modules, size_t *found) {
  *found = 0;
  for (size_t i = 0; i < count; i++) {
    int stem = 0;
    const int part = part_of(arrays[i].name, &stem);
    state_module *const of = module_of(&arrays[i], stem, modules, found);
    if (of->parts[part] != NULL) return refuse_second(of->parts[part]->name, arrays[i].name);
    of->parts[part] = &arrays[i];
  }
  return MLPD_OK;
}

static mlpd_status check_linear(const import_array *weight, const import_array *bias) {
  if (weight->rows > INT32_MAX || weight->columns > INT32_MAX)
    return FAIL(MLPD_ERROR_DATA, "%s is too large", weight->name);
  if (bias == NULL || (bias->rank == 1 && bias->rows == weight->rows)) return MLPD_OK;
  return FAIL(MLPD_ERROR_DATA, "%s has %llu values, but %s has %llu outputs%s", bias->name,
              (unsigned long long)(bias->rows * bias->columns), weight->name, (unsigned long long)weight->rows,
              bias->rows == weight->columns ? IMPORT_TURNED : "");
}

/* Everything in the archive must be of a layer that is read: what is left out would change the answers. */
static mlpd_status check_module(const state_module *m) {
  const bool batch =
      m->parts[STATE_MEAN] != NULL || m->parts[STATE_VARIANCE] != NULL || m->parts[STATE_COUNTER] != NULL;
  const import_array *first = NULL;
  uint64_t width = 0;
  if (state_is_linear(m)) return check_linear(m->parts[STATE_WEIGHT], m->parts[STATE_BIAS]);
  for (int i = STATE_NUM_PARTS - 1; i >= 0; i--) {
    if (m->parts[i] == NULL || i == STATE_COUNTER) continue;
    if (m->parts[i]->rank != 1 || (width > 0 && m->parts[i]->rows != width)) first = m->parts[i];
    width = m->parts[i]->rows;
  }
  if (first != NULL)
    return FAIL(MLPD_ERROR_DATA, "%s (rank %d) does not belong to a linear layer or to a norm of %llu values; %s",
                first->name, first->rank, (unsigned long long)width, CURE);
  if ((batch && m->parts[STATE_MEAN] != NULL && m->parts[STATE_VARIANCE] != NULL) ||
      (!batch && m->parts[STATE_WEIGHT] != NULL))
    return MLPD_OK;
  return FAIL(MLPD_ERROR_DATA, "%.*s: this module lacks %s; %s", m->stem, m->name,
              batch ? "running_mean or running_var" : "its weight", CURE);
}

static mlpd_status add_linear(const import_array *weight, const import_array *bias, import_chain *chain) {
  import_layer *layer = NULL;
  TRY(import_add_layer(chain, (uint32_t)weight->columns, (uint32_t)weight->rows, &layer));
  for (size_t j = 0; j < layer->outputs; j++) {
    for (size_t i = 0; i < layer->inputs; i++)
      layer->weight[i * layer->outputs + j] = weight->values[j * layer->inputs + i];
    if (bias != NULL) layer->bias[j] = bias->values[j];
  }
  return MLPD_OK;
}

/* ---- Norms ------------------------------------------------------------------------------------------- */

/* The number that a module of a Sequential has: "net.3"; -1: it has a name. */
static long number_of(const state_module *m) {
  int begin = m->stem;
  while (begin > 0 && isdigit((unsigned char)m->name[begin - 1])) begin--;
  return begin < m->stem && m->stem - begin < 9 ? strtol(m->name + begin, NULL, 10) : -1;
}

/* Is a module without arrays, such as an activation, between these two of a Sequential? */
static bool is_gap(const state_module *m, const state_module *next) {
  return number_of(m) >= 0 && number_of(next) > number_of(m) + 1;
}

/* *apart: norm i comes after the activation of the layer before it, not before that activation. Only the numbers in a
 * Sequential can tell. */
static mlpd_status find_place(const state_module *modules, size_t count, size_t i, bool *apart) {
  const bool is_norm = i > 0 && !state_is_linear(&modules[i]);
  *apart = is_norm && is_gap(&modules[i - 1], &modules[i]);
  if (!*apart || i + 1 == count || !is_gap(&modules[i], &modules[i + 1])) return MLPD_OK;
  return FAIL(MLPD_ERROR_DATA,
              "%.*s is a norm between other modules, and the archive does not say which of these is an activation; go "
              "through ONNX (torch.onnx.export)",
              modules[i].stem, modules[i].name);
}

/* What waits for the next linear layer: a batch norm after an activation or before all layers. */
typedef struct pending {
  uint32_t width;
  double *factor, *shift; /* owned; NULL: nothing */
} pending;

/* (x - mean) weight / sqrt(variance + 1e-5) + bias, as PyTorch does unless told otherwise. */
static mlpd_status make_affine(const state_module *m, pending *made) {
  const uint64_t n = m->parts[STATE_MEAN]->rows;
  if (n > INT32_MAX) return FAIL(MLPD_ERROR_DATA, "%s is too large", m->parts[STATE_MEAN]->name);
  made->width = (uint32_t)n;
  TRY(memory_allocate(&made->factor, n, sizeof(double), "weights"));
  TRY(memory_allocate(&made->shift, n, sizeof(double), "weights"));
  for (uint64_t j = 0; j < n; j++) {
    const double gain = m->parts[STATE_WEIGHT] != NULL ? m->parts[STATE_WEIGHT]->values[j] : 1;
    made->factor[j] = gain / sqrt(m->parts[STATE_VARIANCE]->values[j] + 1e-5);
    made->shift[j] = (m->parts[STATE_BIAS] != NULL ? m->parts[STATE_BIAS]->values[j] : 0) -
                     m->parts[STATE_MEAN]->values[j] * made->factor[j];
  }
  return MLPD_OK;
}

static mlpd_status wrong_width(const state_module *m) {
  return FAIL(MLPD_ERROR_DATA, "%.*s is a norm of another width than the values that it gets", m->stem, m->name);
}

/* apart: after the activation of the layer before, if there is one. */
static mlpd_status add_batch_norm(const state_module *m, bool apart, import_chain *chain, pending *waits) {
  import_layer *const last = chain->num_layers > 0 ? &chain->layers[chain->num_layers - 1] : NULL;
  pending made = {0};
  mlpd_status status = make_affine(m, &made);
  if (status == MLPD_OK && waits->factor != NULL)
    status = FAIL(MLPD_ERROR_DATA, "%.*s follows another norm, without a linear layer between", m->stem, m->name);
  if (status == MLPD_OK && last != NULL && last->outputs != made.width) status = wrong_width(m);
  if (status == MLPD_OK && last != NULL && !apart) import_fold_after(last, made.factor, made.shift);
  if (status == MLPD_OK && (last == NULL || apart)) {
    *waits = made;
    return MLPD_OK;
  }
  free(made.factor);
  free(made.shift);
  return status;
}

static mlpd_status add_layer_norm(const state_module *m, bool apart, import_chain *chain) {
  const import_array *const weight = m->parts[STATE_WEIGHT], *const bias = m->parts[STATE_BIAS];
  import_layer *made = NULL;
  const bool is_rms = bias == NULL && (strstr(weight->name, "rms") != NULL || strstr(weight->name, "RMS") != NULL);
  if (weight->rows > INT32_MAX) return FAIL(MLPD_ERROR_DATA, "%s is too large", weight->name);
  if (chain->num_layers > 0 && chain->layers[chain->num_layers - 1].outputs != weight->rows) return wrong_width(m);
  if (bias == NULL && !is_rms)
    return FAIL(
        MLPD_ERROR_DATA,
        "%s is of a LayerNorm without a bias or of an RMSNorm, and the archive does not say which: add %.*s.bias "
        "of zeros for the former, go through ONNX (torch.onnx.export) for the latter",
        weight->name, m->stem, m->name);
  TRY(import_add_norm(chain, (uint32_t)weight->rows, is_rms, &made));
  memcpy(made->weight, weight->values, weight->rows * sizeof(double));
  if (bias != NULL) memcpy(made->bias, bias->values, weight->rows * sizeof(double));
  if (chain->num_layers > 1 && !apart && made[-1].takes_activation) {
    made[-1].takes_activation = false;
    made->takes_activation = true;
  }
  return MLPD_OK;
}

/* Constants before the first layer are the normalisation, later ones part of the weights. */
static mlpd_status settle_pending(import_chain *chain, uint32_t before, pending *waits) {
  import_layer *const layer = &chain->layers[chain->num_layers - 1];
  if (waits->factor == NULL) return MLPD_OK;
  if (layer->inputs != waits->width || layer->is_norm)
    return FAIL(MLPD_ERROR_DATA, "a batch norm of %u values comes before a layer that is not a linear one of %u inputs",
                waits->width, waits->width);
  if (before == 0 && import_take_input(chain, waits->width, waits->factor, waits->shift)) {
    *waits = (pending){0};
    return MLPD_OK;
  }
  import_fold_before(layer, waits->factor, waits->shift);
  free(waits->factor);
  free(waits->shift);
  *waits = (pending){0};
  return MLPD_OK;
}

/* Modules of one Sequential, whose numbers fall, were sorted by name: "10" before "2". */
static mlpd_status check_order(const state_module *before, const state_module *m) {
  const long number = number_of(m), former = number_of(before);
  int begin = m->stem;
  while (begin > 0 && isdigit((unsigned char)m->name[begin - 1])) begin--;
  if (number < 0 || former <= number || before->stem < begin || strncmp(m->name, before->name, (size_t)begin) != 0 ||
      (before->stem > begin && !isdigit((unsigned char)before->name[begin])))
    return MLPD_OK;
  return FAIL(MLPD_ERROR_DATA,
              "%.*s comes after %.*s: the arrays must come in the order of the network, as state_dict() gives them",
              m->stem, m->name, before->stem, before->name);
}

static mlpd_status add_modules(const state_module *modules, size_t count, import_chain *chain, pending *waits) {
  for (size_t i = 0; i < count; i++) {
    const state_module *const m = &modules[i];
    const uint32_t before = chain->num_layers;
    bool apart = false;
    TRY(find_place(modules, count, i, &apart));
    if (state_is_linear(m))
      TRY(add_linear(m->parts[STATE_WEIGHT], m->parts[STATE_BIAS], chain));
    else if (m->parts[STATE_MEAN] != NULL)
      TRY(add_batch_norm(m, apart, chain, waits));
    else
      TRY(add_layer_norm(m, apart, chain));
    if (chain->num_layers > before) TRY(settle_pending(chain, before, waits));
  }
  return waits->factor == NULL
             ? MLPD_OK
             : FAIL(MLPD_ERROR_DATA, "a batch norm after an activation is followed by no linear layer");
}

static mlpd_status order(state_module *modules, size_t count, bool in_order, const char *layers) {
  if (layers != NULL) return state_order_as_told(modules, count, layers);
  if (!in_order) return state_order_by_widths(modules, count);
  for (size_t i = 1; i < count; i++) TRY(check_order(&modules[i - 1], &modules[i]));
  return MLPD_OK;
}

static mlpd_status read_modules(const import_array *arrays, size_t count, bool in_order, const char *layers,
                                state_module *modules, import_chain *chain) {
  size_t found = 0;
  pending waits = {0};
  if (count == 0) return FAIL(MLPD_ERROR_DATA, "it holds no weights; %s", CURE);
  TRY(find_modules(arrays, count, modules, &found));
  for (size_t i = 0; i < found; i++) TRY(check_module(&modules[i]));
  TRY(order(modules, found, in_order, layers));
  const mlpd_status status = add_modules(modules, found, chain, &waits);
  free(waits.factor);
  free(waits.shift);
  return status;
}

/* Makes a kernel (inputs, outputs) a weight. */
static mlpd_status turn(import_array *a) {
  double *turned = NULL;
  TRY(memory_allocate(&turned, a->rows * a->columns, sizeof *turned, "weights"));
  for (uint64_t i = 0; i < a->rows; i++)
    for (uint64_t j = 0; j < a->columns; j++) turned[j * a->rows + i] = a->values[i * a->columns + j];
  const uint64_t rows = a->rows;
  a->rows = a->columns;
  a->columns = rows;
  free(a->values);
  a->values = turned;
  return MLPD_OK;
}

/* Programs with kernels are those of JAX, which sorts the names. */
static mlpd_status turn_kernels(import_array *arrays, size_t count, bool *in_order) {
  for (size_t i = 0; i < count; i++) {
    if (stem_of(arrays[i].name, KERNEL) < 0) continue;
    *in_order = false;
    if (arrays[i].rank != 2)
      return FAIL(MLPD_ERROR_DATA, "%s (rank %d) is not of a dense layer: it has no (inputs, outputs); %s",
                  arrays[i].name, arrays[i].rank, CURE);
    TRY(turn(&arrays[i]));
  }
  return MLPD_OK;
}

mlpd_status import_state(import_array *arrays, size_t count, bool in_order, const char *layers, import_chain *chain) {
  state_module *modules = NULL;
  chain->needs_activation = true;
  TRY(turn_kernels(arrays, count, &in_order));
  TRY(memory_allocate(&modules, count, sizeof *modules, "weights"));
  const mlpd_status status = read_modules(arrays, count, in_order, layers, modules, chain);
  free(modules);
  return status;
}
