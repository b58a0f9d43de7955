#include "network/network_options.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "kernels/periodic.h"
#include "loss/loss.h"
#include "network/layer_kind.h"
#include "network/optimizer.h"

enum { MAX_HIDDEN = 1000, MOST_LAYERS = 4 * MAX_HIDDEN + 7 };

/* A list of an option: its default where it is NULL. Lists were checked as options. */
static const char *list_of(const char *option, const char *list) {
  return list != NULL ? list : mlpd_option_find(mlpd_train_option_table, option)->default_text;
}

/* The items of a list "0.5,0.2". */
static uint32_t count_items(const char *list) {
  uint32_t count = 1;
  for (const char *c = list; *c != '\0'; c++) count += *c == ',';
  return count;
}

/* Item l, or the only one. */
static const char *item_of(const char *list, uint32_t l) {
  for (uint32_t i = 0; i < l && strchr(list, ',') != NULL; i++) list = strchr(list, ',') + 1;
  return list + strspn(list, " ");
}

static mlpd_status read_widths(const char *list, uint32_t *widths, uint32_t *count) {
  *count = list[0] == '\0' ? 0 : count_items(list);
  if (*count > MAX_HIDDEN) return FAIL(MLPD_ERROR_USAGE, "--hidden: more than %d layers", MAX_HIDDEN);
  for (uint32_t l = 0; l < *count; l++) widths[l] = (uint32_t)strtoul(item_of(list, l), NULL, 10);
  return MLPD_OK;
}

static mlpd_status check_count(const char *option, const char *list, uint32_t hidden) {
  const uint32_t count = count_items(list);
  if (count == 1 || count == hidden) return MLPD_OK;
  return FAIL(MLPD_ERROR_USAGE,
              "%s: \"%s\" has %u values, but there %s %u hidden layer%s; give one for each, or one for all", option,
              list, count, hidden == 1 ? "is" : "are", hidden, hidden == 1 ? "" : "s");
}

/* The layers in the making. */
typedef struct layer_list {
  uint32_t count, outputs; /* of the last */
  const mlpd_train_options *options;
  const input_roles *inputs;
  dense_learning learning[MOST_LAYERS];
  layer_spec specs[MOST_LAYERS];
  uint32_t *numbers; /* sizes of the layer that embeds numbers */
} layer_list;

static void append(layer_list *list, const layer_spec *spec) {
  list->specs[list->count++] = *spec;
  list->outputs = spec->outputs;
}

/* A layer of as many outputs as inputs; none where amount is 0. */
static void append_same(layer_list *list, const layer_kind *kind, double amount) {
  if (amount > 0) append(list, &(layer_spec){.kind = kind, .outputs = list->outputs, .amount = amount});
}

static bool has_codes(const input_roles *in) {
  bool any = false;
  for (uint32_t i = 0; in->sizes != NULL && i < in->count; i++) any = any || in->sizes[i] > 0;
  return any;
}

/* Codes become values before anything else sees them: noise, dropout and scales act on the values. */
static void append_embedding(layer_list *list) {
  const input_roles *const in = list->inputs;
  const uint32_t width = list->options->embed_width;
  if (!has_codes(in)) return;
  append(list, &(layer_spec){.kind = &layer_embed,
                             .outputs = network_expanded(in->count, in->sizes, width),
                             .sizes = in->sizes,
                             .width = width});
}

/* 1 for each number among the inputs, which may be embedded already, into sizes; returns how many there are. */
static uint32_t find_numbers(const layer_list *list, uint32_t *sizes) {
  const input_roles *const in = list->inputs;
  uint32_t found = 0;
  for (uint32_t i = 0; i < in->count; i++) {
    const bool is_code = in->sizes != NULL && in->sizes[i] > 0;
    const bool is_number = !is_code && (in->numbers == NULL || in->numbers[i] > 0);
    for (uint32_t k = 0; k < (is_code ? list->options->embed_width : 1); k++) *sizes++ = is_number ? 1 : 0;
    found += is_number;
  }
  return found;
}

/* The neural-tangent parametrisation z = x V / sqrt(d) + b, V and b from N(0, 1) (Jacot, Gabriel and Hongler 2018), of
 * weights W = V / sqrt(d), which are those that are stored. Biases learn at a tenth of the rate (RealMLP). */
static const dense_learning *learning_of(layer_list *list, uint32_t inputs, bool output) {
  if (list->options->parametrization == MLPD_PARAMETRIZATION_STANDARD) return NULL;
  dense_learning *const made = &list->learning[list->count];
  *made = (dense_learning){.bias_rate = 0.1f, .starts_at_zero = output};
  optimizer_factors(list->options, sqrt(inputs), &made->rate, &made->decay);
  return made;
}

static mlpd_status append_numbers(layer_list *list) {
  const mlpd_train_options *const o = list->options;
  const bool bins = o->embed_numbers == MLPD_EMBED_NUMBERS_PIECEWISE;
  const uint32_t width = (bins ? o->embed_width : PERIODIC_LEARNED) + 1, count = list->outputs;
  if (o->embed_numbers == MLPD_EMBED_NUMBERS_NONE || count == 0) return MLPD_OK;
  TRY(memory_allocate(&list->numbers, count, sizeof *list->numbers, "inputs"));
  if (find_numbers(list, list->numbers) == 0) return MLPD_OK;
  append(list, &(layer_spec){.kind = bins ? &layer_piecewise : &layer_periodic,
                             .outputs = network_expanded(count, list->numbers, width),
                             .amount = bins ? o->embed_bins : 0,
                             .learning = bins ? learning_of(list, o->embed_bins, false) : NULL,
                             .sizes = list->numbers,
                             .width = width});
  return MLPD_OK;
}

static void append_dense(layer_list *list, layer_spec spec, bool output) {
  const mlpd_train_options *const o = list->options;
  spec.kind = o->members > 1 || (output && o->ensemble > 1) ? &layer_heads : &layer_dense;
  spec.learning = learning_of(list, list->outputs, output);
  append(list, &spec);
}

static const layer_kind *const NORMS[] = {
    [MLPD_NORM_LAYER] = &layer_layer_norm, [MLPD_NORM_BATCH] = &layer_batch_norm, [MLPD_NORM_RMS] = &layer_rms_norm};

/* A hidden layer: product, norm, activation; the last of its layers has the activation. A shift replaces the bias,
 * which batch norm would cancel. */
static void append_hidden(layer_list *list, uint32_t outputs, mlpd_activation activation) {
  const mlpd_norm norm = list->options->norm;
  const double learns = activation != MLPD_IDENTITY ? list->options->parametric_activation : 0;
  const mlpd_activation last = learns > 0 ? MLPD_IDENTITY : activation;
  append_dense(list,
               (layer_spec){.outputs = outputs,
                            .activation = norm == MLPD_NORM_NONE ? last : MLPD_IDENTITY,
                            .starts_for = activation,
                            .no_bias = norm == MLPD_NORM_BATCH},
               false);
  if (norm != MLPD_NORM_NONE) append(list, &(layer_spec){.kind = NORMS[norm], .outputs = outputs, .activation = last});
  if (learns > 0)
    append(list,
           &(layer_spec){.kind = &layer_parametric, .outputs = outputs, .activation = activation, .amount = learns});
}

static mlpd_activation activation_of(const mlpd_train_options *options, uint32_t l) {
  const char *const item = item_of(list_of("activation", options->activation), l);
  char name[64];
  int activation = MLPD_NUM_ACTIVATIONS; /* refused */
  (void)snprintf(name, sizeof name, "%.*s", (int)strcspn(item, ", "), item);
  (void)mlpd_choice_find(mlpd_activation_choices, name, &activation);
  return (mlpd_activation)activation;
}

static double dropout_of(const mlpd_train_options *options, uint32_t l) {
  return strtod(item_of(list_of("dropout", options->dropout), l), NULL);
}

/* Do members that share nothing begin below what inputs become? An embedding that they shared would learn from the rows
 * that a fold leaves out, and noise that they shared would make them alike. */
static bool begins_early(const layer_list *list) {
  const mlpd_train_options *const o = list->options;
  if (o->members <= 1) return false;
  return has_codes(list->inputs) || o->embed_numbers != MLPD_EMBED_NUMBERS_NONE || o->input_noise > 0 ||
         o->input_dropout > 0;
}

/* The scale of the inputs, of each member that shares nothing, and the layer above which rows are those of members. */
static void append_members(const mlpd_train_options *o, layer_list *list) {
  const uint32_t outputs = list->outputs;
  layer_spec scale = {
      .kind = &layer_scale, .outputs = outputs, .amount = o->input_scale, .decay = o->input_scale_decay};
  if (o->members > 1 && !begins_early(list)) {
    scale.kind = &layer_fork;
    scale.copies = o->members;
    append(list, &scale);
    return;
  }
  if (o->input_scale > 0) append(list, &scale);
  if (o->ensemble > 1) append(list, &(layer_spec){.kind = &layer_fan_out, .outputs = outputs, .copies = o->ensemble});
}

/* Noise is that of numbers; what drops a value or scales it acts on what they became. */
static mlpd_status append_all(const mlpd_train_options *o, uint32_t hidden, const uint32_t *widths, uint32_t outputs,
                              layer_list *list) {
  if (begins_early(list))
    append(list, &(layer_spec){.kind = &layer_fork, .outputs = list->outputs, .copies = o->members});
  append_embedding(list);
  append_same(list, &layer_noise, o->input_noise);
  TRY(append_numbers(list));
  append_same(list, &layer_dropout, o->input_dropout);
  append_members(o, list);
  for (uint32_t l = 0; l < hidden; l++) {
    append_hidden(list, widths[l], activation_of(o, l));
    append_same(list, &layer_dropout, dropout_of(o, l));
  }
  const mlpd_activation last = (mlpd_activation)o->output_activation;
  append_dense(list, (layer_spec){.outputs = outputs, .activation = last, .starts_for = last}, true);
  return MLPD_OK;
}

/* Members that share nothing. */
static mlpd_status check_members(const mlpd_train_options *o) {
  const char *const name = o->folds > 1 ? "folds" : "members";
  if (o->members <= 1) return MLPD_OK;
  if (o->ensemble > 1)
    return FAIL(MLPD_ERROR_USAGE,
                "--ensemble %u makes members that share layers, --%s %u some that share none: give one of them",
                o->ensemble, name, o->members);
  if (o->norm != MLPD_NORM_NONE)
    return FAIL(MLPD_ERROR_USAGE,
                "--norm %s would join the members, which share nothing with --%s: leave it out, or use --ensemble %u",
                mlpd_choice_name(mlpd_norm_choices, (int)o->norm), name, o->members);
  if (optimizer_searches(o->optimizer))
    return FAIL(MLPD_ERROR_USAGE,
                "--optimizer %s searches along one line for all members, which share nothing with --%s: use "
                "--optimizer adamw, or --ensemble %u",
                mlpd_choice_name(mlpd_optimizer_choices, (int)o->optimizer), name, o->members);
  return MLPD_OK;
}

mlpd_status network_of_options(const mlpd_train_options *options, const input_roles *inputs, uint32_t outputs,
                               bool shape_alone, mlpd_network **network) {
  uint32_t widths[MAX_HIDDEN], hidden = 0;
  layer_list *list = NULL;
  *network = NULL;
  if (options->embed_numbers == MLPD_EMBED_NUMBERS_AUTO)
    return FAIL(MLPD_ERROR_USAGE,
                "--embed-numbers auto trains two networks and keeps one, but this is a single network: use none, "
                "periodic or piecewise");
  TRY(check_members(options));
  TRY(read_widths(options->hidden, widths, &hidden));
  TRY(check_count("--activation", list_of("activation", options->activation), hidden));
  TRY(check_count("--dropout", list_of("dropout", options->dropout), hidden));
  TRY(memory_allocate(&list, 1, sizeof *list, "layers"));
  list->outputs = inputs->count;
  list->inputs = inputs;
  list->options = options;
  mlpd_status status = append_all(options, hidden, widths, outputs, list);
  if (status == MLPD_OK) status = network_build(inputs->count, list->count, list->specs, shape_alone, network);
  free(list->numbers);
  free(list);
  return status;
}

mlpd_status network_start(const mlpd_train_options *options, const input_roles *inputs, uint32_t outputs,
                          mlpd_network **network) {
  NEED(network);
  *network = NULL;
  NEED(options);
  NEED(options->hidden);
  TRY(mlpd_train_options_check(options));
  mlpd_train_options settled = *options;
  mlpd_train_options_settle(&settled);
  if (settled.loss == MLPD_LOSS_AUTO) settled.loss = MLPD_MSE;
  if (settled.output_activation < 0)
    settled.output_activation = (int)loss_default_activation(settled.loss, MLPD_TASK_AUTO);
  TRY(network_of_options(&settled, inputs, outputs, false, network));
  mlpd_network_init(*network, settled.init, settled.seed);
  return MLPD_OK;
}

mlpd_status mlpd_network_from_options(const mlpd_train_options *options, uint32_t inputs, uint32_t outputs,
                                      mlpd_network **network) {
  NEED(network);
  *network = NULL;
  NEED(options);
  if (options->embed_numbers == MLPD_EMBED_NUMBERS_PIECEWISE)
    return FAIL(MLPD_ERROR_USAGE,
                "--embed-numbers piecewise needs training rows, for the edges of its bins: use "
                "mlpd_network_from_samples()");
  return network_start(options, &(input_roles){.count = inputs}, outputs, network);
}
