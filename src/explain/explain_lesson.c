/* A lesson as a whole: what its settings come to, and whether numbers and widths fit together. */
#include <stdlib.h>
#include <string.h>

#include "cli/outcome.h"
#include "explain/explain.h"
#include "explain/explain_update.h"

void explain_lesson_free(explain_lesson *lesson) {
  for (uint32_t l = 0; l < EXPLAIN_MAX_LAYERS; l++) {
    free(lesson->weights[l].values);
    free(lesson->biases[l].values);
    free(lesson->gains[l].values);
    free(lesson->shifts[l].values);
  }
  free(lesson->scale.values);
  free(lesson->sample_weights);
  free(lesson->categories);
  free(lesson->x.values);
  free(lesson->y.values);
  options_free(&lesson->texts);
  *lesson = (explain_lesson){0};
}

/* ---- Shapes ----------------------------------------------------------------------------------------- */

/* Outputs of the network for each target. */
static uint32_t outputs_of_target(const mlpd_train_options *train) {
  uint32_t count = train->loss == MLPD_GAUSSIAN ? 2 : 1;
  for (const char *c = train->quantiles; train->loss == MLPD_QUANTILE && *c != '\0'; c++) count += *c == ',';
  return count;
}

/* The matrices of a dense layer: one for each member where they share none. */
static uint32_t matrices_of(const explain_lesson *lesson, uint32_t l) {
  const bool is_shared = lesson->settings.train.members <= 1 && l + 1 < lesson->num_layers;
  return is_shared ? 1 : explain_members(lesson);
}

/* Cosines become so many values of each number, and the number. */
enum { VALUES_OF_COSINES = 3 };

/* The values that input i becomes. */
static uint32_t values_of_input(const explain_lesson *lesson, uint32_t i) {
  const mlpd_train_options *const train = &lesson->settings.train;
  const uint32_t categories = lesson->categories != NULL ? lesson->categories[i] : 0;
  if (categories > 0) return categories == MLPD_INPUT_AS_IS ? 1 : train->embed_width;
  if (train->embed_numbers == MLPD_EMBED_NUMBERS_NONE) return 1;
  return 1 + (train->embed_numbers == MLPD_EMBED_NUMBERS_PIECEWISE ? train->embed_width : VALUES_OF_COSINES);
}

static mlpd_status settle_inputs(explain_lesson *lesson) {
  if (lesson->n == 0)
    return outcome_fail(MLPD_ERROR_USAGE, "%s: there is no sample; add a line such as: sample 0 1 -> 1", lesson->name);
  return explain_categorize(lesson);
}

static mlpd_status settle_widths(explain_lesson *lesson) {
  uint32_t *const widths = lesson->widths;
  uint32_t layers = 1;
  char where[EXPLAIN_PLACE_BYTES];
  widths[0] = lesson->inputs;
  lesson->values = 0;
  for (uint32_t i = 0; i < lesson->inputs; i++) lesson->values += values_of_input(lesson, i);
  for (const char *text = lesson->settings.train.hidden; *text != '\0'; layers++) {
    char *end = NULL;
    const unsigned long width = strtoul(text, &end, 10);
    if (width > EXPLAIN_MAX_WIDTH || layers == EXPLAIN_MAX_LAYERS)
      return outcome_fail(MLPD_ERROR_USAGE, "%s: %s: explain shows at most %d layers of at most %d units",
                          explain_setting_place(lesson, "hidden", where), lesson->settings.train.hidden,
                          EXPLAIN_MAX_LAYERS, EXPLAIN_MAX_WIDTH);
    widths[layers] = (uint32_t)width;
    end += strspn(end, " ");
    text = *end == ',' ? end + 1 : end;
  }
  lesson->outputs = lesson->targets * outputs_of_target(&lesson->settings.train);
  widths[layers] = lesson->outputs;
  lesson->num_layers = layers;
  return MLPD_OK;
}

static mlpd_activation output_activation(const mlpd_train_options *train) {
  if (train->output_activation >= 0) return (mlpd_activation)train->output_activation;
  if (train->loss == MLPD_CROSS_ENTROPY) return MLPD_SOFTMAX;
  if (train->loss == MLPD_POISSON) return MLPD_EXP;
  return train->loss == MLPD_BINARY_CROSS_ENTROPY ? MLPD_SIGMOID : MLPD_IDENTITY;
}

static mlpd_status check_items(const explain_lesson *lesson, const char *setting, const char *what, uint32_t given) {
  const uint32_t hidden = lesson->num_layers - 1;
  char where[EXPLAIN_PLACE_BYTES];
  if (given == 1 || given == hidden) return MLPD_OK;
  return outcome_fail(MLPD_ERROR_USAGE, "%s: %s: %u, hidden layers: %u; give one for all layers, or one for each",
                      explain_setting_place(lesson, setting, where), what, given, hidden);
}

/* Reads the names of the setting, *given of them. */
static mlpd_status read_activations(explain_lesson *lesson, uint32_t *given) {
  const option row = {
      .name = "activation", .type = OPTION_CHOICE, .size = sizeof(int), .choices = mlpd_activation_choices};
  char where[EXPLAIN_PLACE_BYTES], name[32];
  (void)explain_setting_place(lesson, "activation", where);
  for (const char *text = lesson->settings.train.activation; *text != '\0';) {
    const size_t length = strcspn(text, ", \t");
    int value = 0;
    (void)snprintf(name, sizeof name, "%.*s", (int)(length < sizeof name ? length : sizeof name - 1), text);
    const mlpd_status status = options_set(&row, where, name, &value);
    if (status != MLPD_OK) return status;
    if (*given < lesson->num_layers - 1) lesson->activations[*given] = (mlpd_activation)value;
    *given += 1;
    text += length + strspn(text + length, ", \t");
  }
  return MLPD_OK;
}

static mlpd_status settle_activations(explain_lesson *lesson) {
  const uint32_t hidden = lesson->num_layers - 1;
  mlpd_train_options *const train = &lesson->settings.train;
  uint32_t given = 0;
  mlpd_status status = read_activations(lesson, &given);
  if (status == MLPD_OK) status = check_items(lesson, "activation", "names", given);
  if (status != MLPD_OK) return status;
  for (uint32_t l = given; l < hidden; l++) lesson->activations[l] = lesson->activations[0];
  lesson->activations[hidden] = output_activation(train);
  train->output_activation = (int)lesson->activations[hidden];
  size_t used = 0;
  for (uint32_t l = 0; l < hidden; l++)
    used += (size_t)snprintf(lesson->activation_names + used, sizeof lesson->activation_names - used, "%s%s",
                             l > 0 ? "," : "", mlpd_choice_name(mlpd_activation_choices, (int)lesson->activations[l]));
  if (hidden > 0) train->activation = lesson->activation_names;
  return MLPD_OK;
}

static mlpd_status check_dropout(const explain_lesson *lesson) {
  uint32_t given = 1;
  for (const char *c = lesson->settings.train.dropout; *c != '\0'; c++) given += *c == ',';
  return check_items(lesson, "dropout", "probabilities", given);
}

/* ---- Weights ---------------------------------------------------------------------------------------- */

static mlpd_status check_weights(const explain_lesson *lesson, uint32_t l) {
  const explain_list *const list = &lesson->weights[l];
  const uint32_t inputs = l == 0 ? lesson->values : lesson->widths[l], columns = lesson->widths[l + 1];
  const uint32_t rows = inputs * matrices_of(lesson, l);
  if (list->line == 0 || list->count == (size_t)rows * columns) return MLPD_OK;
  return outcome_fail(MLPD_ERROR_USAGE,
                      "%s:%d: weights %u: the layer needs %u rows (inputs) x %u columns (outputs), %zu numbers; here "
                      "are %zu",
                      lesson->name, list->line, l + 1, rows, columns, (size_t)rows * columns, list->count);
}

/* A number for each of `needed` things: outputs or inputs. */
static mlpd_status check_count(const explain_lesson *lesson, const char *what, const explain_list *list,
                               const char *each, uint32_t needed) {
  if (list->line == 0 || list->count == needed) return MLPD_OK;
  return outcome_fail(MLPD_ERROR_USAGE, "%s:%d: %s needs a number for each %s, %u; here are %zu", lesson->name,
                      list->line, what, each, needed, list->count);
}

static mlpd_status fail_list(const explain_lesson *lesson, const explain_list *list, const char *what, uint32_t l,
                             const char *why) {
  return outcome_fail(MLPD_ERROR_USAGE, "%s:%d: %s %u: %s", lesson->name, list->line, what, l + 1, why);
}

/* One of the lists that a layer may have beside its weights; why: it cannot have it, NULL: it can. */
static mlpd_status check_list(const explain_lesson *lesson, const explain_list *list, const char *what, uint32_t l,
                              const char *why) {
  char name[32];
  if (list->line == 0) return MLPD_OK;
  if (why != NULL) return fail_list(lesson, list, what, l, why);
  (void)snprintf(name, sizeof name, "%s %u: the layer", what, l + 1);
  const uint32_t matrices = matrices_of(lesson, l);
  return check_count(lesson, name, list, matrices > 1 ? "output of each member" : "output",
                     matrices * lesson->widths[l + 1]);
}

static mlpd_status check_absent(const explain_lesson *lesson, uint32_t l) {
  const explain_list *const lists[] = {&lesson->weights[l], &lesson->biases[l], &lesson->gains[l], &lesson->shifts[l]};
  static const char *const names[] = {"weights", "biases", "gain", "shift"};
  for (int i = 0; i < 4; i++)
    if (lists[i]->line > 0)
      return outcome_fail(MLPD_ERROR_USAGE, "%s:%d: %s %u: the network has %u layer%s, and hidden adds some",
                          lesson->name, lists[i]->line, names[i], l + 1, lesson->num_layers,
                          lesson->num_layers > 1 ? "s" : "");
  return MLPD_OK;
}

static mlpd_status check_layer(const explain_lesson *lesson, uint32_t l) {
  const mlpd_norm norm = l + 1 < lesson->num_layers ? lesson->settings.train.norm : MLPD_NORM_NONE;
  const char *const no_norm =
      norm != MLPD_NORM_NONE ? NULL : "the layer has no norm; norm layer adds one to each hidden layer";
  const char *const no_shift = norm == MLPD_NORM_RMS ? "an rms norm has none" : no_norm;
  const char *const no_bias =
      norm == MLPD_NORM_BATCH ? "before a batch norm there are no biases; shift is in their place" : NULL;
  mlpd_status status = check_weights(lesson, l);
  if (status == MLPD_OK) status = check_list(lesson, &lesson->biases[l], "biases", l, no_bias);
  if (status == MLPD_OK) status = check_list(lesson, &lesson->gains[l], "gain", l, no_norm);
  return status == MLPD_OK ? check_list(lesson, &lesson->shifts[l], "shift", l, no_shift) : status;
}

static mlpd_status check_scale(const explain_lesson *lesson) {
  if (lesson->scale.line > 0 && lesson->settings.train.input_scale <= 0)
    return outcome_fail(MLPD_ERROR_USAGE, "%s:%d: scale: the inputs have none; input-scale 1 adds it", lesson->name,
                        lesson->scale.line);
  const uint32_t members = lesson->settings.train.members;
  if (members > 1)
    return check_count(lesson, "scale", &lesson->scale, "value of each member", members * lesson->values);
  return check_count(lesson, "scale", &lesson->scale, lesson->values > lesson->inputs ? "value of the inputs" : "input",
                     lesson->values);
}

static mlpd_status check_parameters(explain_lesson *lesson) {
  uint32_t given = 0, absent = 0;
  for (uint32_t l = 0; l < EXPLAIN_MAX_LAYERS; l++) {
    const bool is_layer = l < lesson->num_layers;
    given += lesson->weights[l].line > 0;
    if (is_layer && lesson->weights[l].line == 0 && absent == 0) absent = l + 1;
    const mlpd_status status = is_layer ? check_layer(lesson, l) : check_absent(lesson, l);
    if (status != MLPD_OK) return status;
  }
  lesson->drawn = given == 0;
  if (given == 0 || absent == 0) return check_scale(lesson);
  return outcome_fail(MLPD_ERROR_USAGE,
                      "%s: weights %u is missing; give the weights of all %u layers, or of none to "
                      "draw them",
                      lesson->name, absent, lesson->num_layers);
}

/* As if nothing had been given. */
static void drop_parameters(explain_lesson *lesson) {
  for (uint32_t l = 0; l < EXPLAIN_MAX_LAYERS; l++) {
    lesson->weights[l].line = lesson->biases[l].line = 0;
    lesson->gains[l].line = lesson->shifts[l].line = 0;
  }
  lesson->scale.line = 0;
}

/* A batch norm that the command line adds: the biases that the lesson gives are the shifts of the norm. */
static void turn_biases_to_shifts(explain_lesson *lesson) {
  bool turned = false;
  for (uint32_t l = 0; l + 1 < lesson->num_layers; l++) {
    const explain_list biases = lesson->biases[l];
    if (biases.line == 0 || lesson->shifts[l].line > 0) continue;
    lesson->biases[l] = lesson->shifts[l];
    lesson->shifts[l] = biases;
    turned = true;
  }
  if (turned) outcome_note("the biases of hidden layers are the shifts of their batch norms");
}

static mlpd_status check_optimizer(const explain_lesson *lesson) {
  const mlpd_optimizer optimizer = lesson->settings.train.optimizer;
  char where[EXPLAIN_PLACE_BYTES];
  if (explain_update_knows(optimizer)) return MLPD_OK;
  return outcome_fail(MLPD_ERROR_USAGE, "%s: explain has no formulas for optimizer %s; adam is one that it shows",
                      explain_setting_place(lesson, "optimizer", where),
                      mlpd_choice_name(mlpd_optimizer_choices, (int)optimizer));
}

/* The schedule is over all steps that are taken. */
static mlpd_status settle_steps(explain_lesson *lesson) {
  explain_settings *const settings = &lesson->settings;
  const uint64_t steps = settings->steps > settings->shown ? settings->steps : settings->shown;
  const unsigned long long start = settings->train.swa_start;
  char where[EXPLAIN_PLACE_BYTES];
  settings->train.epochs = steps;
  if (settings->train.ema > 0 && start > 0)
    return outcome_fail(MLPD_ERROR_USAGE, "%s: ema is another average of the same weights: give one of them",
                        explain_setting_place(lesson, "swa-start", where));
  if (start <= steps) return MLPD_OK;
  return outcome_fail(MLPD_ERROR_USAGE, "%s: %llu is after the last step, %llu; take more steps, as in: steps %llu",
                      explain_setting_place(lesson, "swa-start", where), start, (unsigned long long)steps, start);
}

mlpd_status explain_lesson_finish(explain_lesson *lesson, bool draw) {
  if (draw) drop_parameters(lesson);
  if (lesson->settings.train.loss == MLPD_LOSS_AUTO) lesson->settings.train.loss = MLPD_MSE;
  mlpd_status status = settle_inputs(lesson);
  if (status == MLPD_OK) status = settle_widths(lesson);
  if (status == MLPD_OK) status = settle_activations(lesson);
  if (status == MLPD_OK) status = check_dropout(lesson);
  if (status == MLPD_OK) status = check_optimizer(lesson);
  if (status == MLPD_OK) status = settle_steps(lesson);
  if (status == MLPD_OK) status = explain_weigh(lesson);
  if (status != MLPD_OK) return status;
  if (lesson->settings.train.norm == MLPD_NORM_BATCH && explain_setting_line(lesson, "norm") < 0)
    turn_biases_to_shifts(lesson);
  return check_parameters(lesson);
}
