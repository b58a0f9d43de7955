/* A lesson as a whole: what its settings come to, and whether numbers and widths fit together. */
#include <stdlib.h>
#include <string.h>

#include "program/explain.h"
#include "program/outcome.h"

void explain_lesson_free(explain_lesson *lesson) {
  for (uint32_t l = 0; l < EXPLAIN_MAX_LAYERS; l++) {
    free(lesson->weights[l].values);
    free(lesson->biases[l].values);
  }
  free(lesson->x.values);
  free(lesson->y.values);
  options_free(&lesson->texts);
  *lesson = (explain_lesson){0};
}

/* ---- Shapes ----------------------------------------------------------------------------------------- */

static mlpd_status settle_widths(explain_lesson *lesson) {
  uint32_t *const widths = lesson->widths;
  uint32_t layers = 1;
  char where[EXPLAIN_PLACE_BYTES];
  if (lesson->n == 0)
    return outcome_fail(MLPD_ERROR_USAGE, "%s: there is no sample; add a line such as: sample 0 1 -> 1", lesson->name);
  widths[0] = lesson->inputs;
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
  widths[layers] = lesson->outputs;
  lesson->num_layers = layers;
  return MLPD_OK;
}

static mlpd_activation output_activation(const explain_settings *settings) {
  if (settings->train.output_activation >= 0) return (mlpd_activation)settings->train.output_activation;
  if (settings->train.loss == MLPD_CROSS_ENTROPY) return MLPD_SOFTMAX;
  if (settings->train.loss == MLPD_POISSON) return MLPD_EXP;
  return settings->train.loss == MLPD_BINARY_CROSS_ENTROPY ? MLPD_SIGMOID : MLPD_IDENTITY;
}

static mlpd_status settle_activations(explain_lesson *lesson) {
  const uint32_t hidden = lesson->num_layers - 1;
  const option row = {
      .name = "activation", .type = OPTION_CHOICE, .size = sizeof(int), .choices = mlpd_activation_choices};
  char where[EXPLAIN_PLACE_BYTES], name[32];
  uint32_t given = 0;
  (void)explain_setting_place(lesson, "activation", where);
  for (const char *text = lesson->settings.train.activation; *text != '\0';) {
    const size_t length = strcspn(text, ", \t");
    int value = 0;
    (void)snprintf(name, sizeof name, "%.*s", (int)(length < sizeof name ? length : sizeof name - 1), text);
    const mlpd_status status = options_set(&row, where, name, &value);
    if (status != MLPD_OK) return status;
    if (given < hidden) lesson->activations[given] = (mlpd_activation)value;
    given++;
    text += length + strspn(text + length, ", \t");
  }
  if (given != 1 && given != hidden)
    return outcome_fail(MLPD_ERROR_USAGE,
                        "%s: names: %u, hidden layers: %u; give one name for all layers, or one for each", where, given,
                        hidden);
  for (uint32_t l = given; l < hidden; l++) lesson->activations[l] = lesson->activations[0];
  lesson->activations[hidden] = output_activation(&lesson->settings);
  return MLPD_OK;
}

/* ---- Weights ---------------------------------------------------------------------------------------- */

static mlpd_status check_count(const explain_lesson *lesson, const char *what, const explain_list *list, uint32_t l,
                               uint32_t rows, uint32_t columns) {
  const char *const name = lesson->name;
  if (l >= lesson->num_layers)
    return outcome_fail(MLPD_ERROR_USAGE, "%s:%d: %s %u: the network has %u layer%s, and hidden adds some", name,
                        list->line, what, l + 1, lesson->num_layers, lesson->num_layers > 1 ? "s" : "");
  if (list->count == (size_t)rows * columns) return MLPD_OK;
  if (strcmp(what, "biases") == 0)
    return outcome_fail(MLPD_ERROR_USAGE,
                        "%s:%d: biases %u: the layer needs a number for each output, %u; here are %zu", name,
                        list->line, l + 1, columns, list->count);
  return outcome_fail(MLPD_ERROR_USAGE,
                      "%s:%d: weights %u: the layer needs %u rows (inputs) x %u columns (outputs), %zu numbers; here "
                      "are %zu",
                      name, list->line, l + 1, rows, columns, (size_t)rows * columns, list->count);
}

static mlpd_status check_parameters(explain_lesson *lesson) {
  uint32_t given = 0, absent = 0;
  for (uint32_t l = 0; l < EXPLAIN_MAX_LAYERS; l++) {
    const bool is_layer = l < lesson->num_layers;
    const uint32_t inputs = is_layer ? lesson->widths[l] : 0, outputs = is_layer ? lesson->widths[l + 1] : 0;
    mlpd_status status = MLPD_OK;
    given += lesson->weights[l].line > 0;
    if (is_layer && lesson->weights[l].line == 0 && absent == 0) absent = l + 1;
    if (lesson->weights[l].line > 0) status = check_count(lesson, "weights", &lesson->weights[l], l, inputs, outputs);
    if (status == MLPD_OK && lesson->biases[l].line > 0)
      status = check_count(lesson, "biases", &lesson->biases[l], l, 1, outputs);
    if (status != MLPD_OK) return status;
  }
  lesson->drawn = given == 0;
  if (given == 0 || absent == 0) return MLPD_OK;
  return outcome_fail(MLPD_ERROR_USAGE,
                      "%s: weights %u is missing; give the weights of all %u layers, or of none to "
                      "draw them",
                      lesson->name, absent, lesson->num_layers);
}

mlpd_status explain_lesson_finish(explain_lesson *lesson, bool draw) {
  for (uint32_t l = 0; draw && l < EXPLAIN_MAX_LAYERS; l++) lesson->weights[l].line = lesson->biases[l].line = 0;
  if (lesson->settings.train.loss == MLPD_LOSS_AUTO) lesson->settings.train.loss = MLPD_MSE;
  if (lesson->settings.train.loss == MLPD_GAUSSIAN)
    return outcome_fail(MLPD_ERROR_USAGE,
                        "%s: a lesson has a target for each output, but loss gaussian has two outputs "
                        "a target",
                        lesson->name);
  mlpd_status status = settle_widths(lesson);
  if (status == MLPD_OK) status = settle_activations(lesson);
  return status == MLPD_OK ? check_parameters(lesson) : status;
}
