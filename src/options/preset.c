#include "options/preset.h"

#include <string.h>

#include "options/option.h"
#include "options/option_chosen.h"
#include "options/option_given.h"

typedef struct preset_value {
  const char *name, *text;
  mlpd_task task; /* auto: of both */
} preset_value;

/* RealMLP-TD-S of Holzmueller, Grinsztajn and Steinwart, "Better by default" (2024). */
static const preset_value TABULAR[] = {
    {"normalize", "robust", MLPD_TASK_AUTO},
    {"clip-inputs", "3", MLPD_TASK_AUTO},
    {"clamp-predictions", "yes", MLPD_REGRESSION},
    {"hidden", "256,256,256", MLPD_TASK_AUTO},
    {"activation", "selu", MLPD_CLASSIFICATION},
    {"activation", "mish", MLPD_REGRESSION},
    {"input-scale", "6", MLPD_TASK_AUTO},
    {"parametrization", "ntk", MLPD_TASK_AUTO},
    {"label-smoothing", "0.1", MLPD_CLASSIFICATION},
    {"optimizer", "adam", MLPD_TASK_AUTO},
    {"lr", "0.04", MLPD_CLASSIFICATION},
    {"lr", "0.07", MLPD_REGRESSION},
    {"beta1", "0.9", MLPD_TASK_AUTO},
    {"beta2", "0.95", MLPD_TASK_AUTO},
    {"weight-decay", "0", MLPD_TASK_AUTO},
    {"schedule", "coslog4", MLPD_TASK_AUTO},
    {"batch", "256", MLPD_TASK_AUTO},
    {"epochs", "256", MLPD_TASK_AUTO},
    {"select", "error", MLPD_TASK_AUTO},
    {"save", "best", MLPD_TASK_AUTO},
    {.name = NULL},
};

/* Values: RealMLP-TD of the same paper, except for its initial weights. Classes: the same as TABULAR (adamw without
 * decay is adam), because the additions gained nothing there (scripts/README.md). Changes of TABULAR: the rows of an
 * option here replace all of its rows there. */
static const preset_value TABULAR_TD[] = {
    {"parametric-activation", "0.1", MLPD_REGRESSION},
    {"input-scale-decay", "1", MLPD_REGRESSION},
    {"embed-numbers", "periodic", MLPD_REGRESSION},
    {"dropout", "0.15", MLPD_REGRESSION},
    {"optimizer", "adamw", MLPD_TASK_AUTO},
    {"lr", "0.04", MLPD_CLASSIFICATION},
    {"lr", "0.2", MLPD_REGRESSION},
    {"weight-decay", "0", MLPD_CLASSIFICATION},
    {"weight-decay", "0.02", MLPD_REGRESSION},
    {"regularization-schedule", "flat-cosine", MLPD_REGRESSION},
    {.name = NULL},
};

static const preset_value NOTHING[] = {{.name = NULL}};

static const struct {
  const preset_value *base, *changes;
} PRESETS[] = {[MLPD_PRESET_NONE] = {NOTHING, NOTHING},
               [MLPD_PRESET_TABULAR] = {TABULAR, NOTHING},
               [MLPD_PRESET_TABULAR_TD] = {TABULAR, TABULAR_TD}};

enum { MOST_VALUES = (sizeof TABULAR + sizeof TABULAR_TD) / sizeof *TABULAR };

static bool has(const preset_value *values, const char *name) {
  for (; values->name != NULL; values++)
    if (strcmp(values->name, name) == 0) return true;
  return false;
}

/* The values of the chosen preset, then NULL. What an option needs stands before it. */
static void find_values(const mlpd_train_options *options, const preset_value *values[MOST_VALUES]) {
  const size_t chosen = (size_t)options->preset, which = chosen < sizeof PRESETS / sizeof *PRESETS ? chosen : 0;
  for (const preset_value *value = PRESETS[which].base; value->name != NULL; value++)
    if (!has(PRESETS[which].changes, value->name)) *values++ = value;
  for (const preset_value *value = PRESETS[which].changes; value->name != NULL; value++) *values++ = value;
  *values = NULL;
}

static void apply(const preset_value *value, mlpd_train_options *options) {
  const mlpd_option *const row = mlpd_option_find(mlpd_train_option_table, value->name);
  if (option_given(row, options) || option_left_to_model(row, options)) return;
  if (!option_condition_holds(mlpd_train_option_table, row->needs, options)) return;
  (void)mlpd_option_set(row, row->name, value->text, options);
  option_choose(row, "auto", options);
}

void preset_apply(mlpd_train_options *options) {
  const preset_value *values[MOST_VALUES];
  find_values(options, values);
  for (int i = 0; values[i] != NULL; i++)
    if (values[i]->task == MLPD_TASK_AUTO || values[i]->task == options->task) apply(values[i], options);
}

bool preset_waits(const mlpd_train_options *options, const char *name) {
  const preset_value *values[MOST_VALUES];
  if (options->task != MLPD_TASK_AUTO) return false;
  find_values(options, values);
  for (int i = 0; values[i] != NULL; i++)
    if (values[i]->task != MLPD_TASK_AUTO && strcmp(values[i]->name, name) == 0)
      return !option_given(mlpd_option_find(mlpd_train_option_table, name), options);
  return false;
}

void mlpd_train_options_forget(mlpd_train_options *options) {
  const preset_value *values[MOST_VALUES];
  if (options == NULL) return;
  find_values(options, values);
  for (int i = 0; values[i] != NULL; i++) {
    const mlpd_option *const row = mlpd_option_find(mlpd_train_option_table, values[i]->name);
    (void)mlpd_option_set(row, row->name, row->default_text, options);
    option_choose(row, "auto", options);
  }
}
