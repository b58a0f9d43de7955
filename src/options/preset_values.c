#include "options/preset_values.h"

#include <string.h>

#include "options/option_given.h"

/* RealMLP-TD-S of Holzmueller, Grinsztajn and Steinwart, "Better by default" (2024), but for its epochs and a limit. */
static const preset_value TABULAR[] = {
    {"normalize", "robust", MLPD_TASK_AUTO},
    {"clip-inputs", "3", MLPD_CLASSIFICATION},
    {"clip-inputs", "10", MLPD_REGRESSION}, /* 3 hides how large far inputs are (scripts/README.md) */
    {"clamp-predictions", "yes", MLPD_REGRESSION},
    {"hidden", "256,256,256", MLPD_TASK_AUTO},
    {"activation", "selu", MLPD_CLASSIFICATION},
    {"activation", "mish", MLPD_REGRESSION},
    {"input-scale", "6", MLPD_TASK_AUTO},
    {"parametrization", "ntk", MLPD_TASK_AUTO},
    {"label-smoothing", "0.1", MLPD_CLASSIFICATION},
    {"optimizer", "adamw", MLPD_TASK_AUTO}, /* adam, as long as nothing decays */
    {"lr", "0.04", MLPD_CLASSIFICATION},
    {"lr", "0.07", MLPD_REGRESSION},
    {"beta1", "0.9", MLPD_TASK_AUTO},
    {"beta2", "0.95", MLPD_TASK_AUTO},
    {"weight-decay", "0", MLPD_TASK_AUTO},
    {"schedule", "coslog4", MLPD_TASK_AUTO},
    {"batch", "256", MLPD_TASK_AUTO},
    {"select", "error", MLPD_TASK_AUTO},
    {"save", "best", MLPD_TASK_AUTO},
    {.name = NULL},
};

/* All of RealMLP-TD-S. Without this row --epochs stays automatic: 256, but fewer on large tables. */
static const preset_value ALL_EPOCHS[] = {{"epochs", "256", MLPD_TASK_AUTO}, {.name = NULL}};

/* Values: RealMLP-TD of the same paper, except for its initial weights. Classes: the same as RealMLP-TD-S, because
 * the additions gained nothing there (scripts/README.md). Changes of TABULAR: the rows of an option here replace all of
 * its rows there. */
static const preset_value TABULAR_TD[] = {
    {"parametric-activation", "0.1", MLPD_REGRESSION},
    {"input-scale-decay", "1", MLPD_REGRESSION},
    {"embed-numbers", "periodic", MLPD_REGRESSION},
    {"dropout", "0.15", MLPD_REGRESSION},
    {"lr", "0.04", MLPD_CLASSIFICATION},
    {"lr", "0.2", MLPD_REGRESSION},
    {"weight-decay", "0", MLPD_CLASSIFICATION},
    {"weight-decay", "0.02", MLPD_REGRESSION},
    {"regularization-schedule", "flat-cosine", MLPD_REGRESSION},
    {"epochs", "256", MLPD_TASK_AUTO},
    {.name = NULL},
};

static const preset_value NOTHING[] = {{.name = NULL}};

static const struct {
  const preset_value *base, *changes;
} PRESETS[] = {[MLPD_PRESET_AUTO] = {TABULAR, NOTHING},
               [MLPD_PRESET_NONE] = {NOTHING, NOTHING},
               [MLPD_PRESET_TABULAR] = {TABULAR, ALL_EPOCHS},
               [MLPD_PRESET_TABULAR_TD] = {TABULAR, TABULAR_TD}};

_Static_assert(PRESET_MOST_VALUES >= (sizeof TABULAR + sizeof TABULAR_TD) / sizeof *TABULAR, "room for all values");

static bool has(const preset_value *values, const char *name) {
  for (; values->name != NULL; values++)
    if (strcmp(values->name, name) == 0) return true;
  return false;
}

void preset_find_values(const mlpd_train_options *options, const preset_value *values[PRESET_MOST_VALUES]) {
  const size_t chosen = (size_t)options->preset;
  const size_t which = chosen < sizeof PRESETS / sizeof *PRESETS ? chosen : MLPD_PRESET_NONE;
  for (const preset_value *value = PRESETS[which].base; value->name != NULL; value++)
    if (!has(PRESETS[which].changes, value->name)) *values++ = value;
  for (const preset_value *value = PRESETS[which].changes; value->name != NULL; value++) *values++ = value;
  *values = NULL;
}

/* Options that auto gives way to. */
static const char *const RATES[] = {"lr", "optimizer", "parametrization"};
enum { NUM_RATES = sizeof RATES / sizeof *RATES };

static bool is_rate(const char *name) {
  for (int i = 0; i < NUM_RATES; i++)
    if (strcmp(name, RATES[i]) == 0) return true;
  return false;
}

bool preset_gives_way(const mlpd_train_options *options) {
  if (options->preset != MLPD_PRESET_AUTO) return false;
  for (int i = 0; i < NUM_RATES; i++)
    if (option_given(mlpd_option_find(mlpd_train_option_table, RATES[i]), options)) return true;
  return options->init_from != NULL || options->init_model != NULL;
}

/* Is it open whether the option gets this value, and would it change the option? An option that auto gives way to is
 * open in any case: written into a config file, it would be given. */
static bool is_open(const preset_value *value, const mlpd_option *row, const mlpd_train_options *options) {
  if (options->preset != MLPD_PRESET_AUTO) return value->task != MLPD_TASK_AUTO && options->task == MLPD_TASK_AUTO;
  if (value->task != MLPD_TASK_AUTO && options->task != MLPD_TASK_AUTO && value->task != options->task) return false;
  return is_rate(value->name) || strcmp(value->text, row->default_text) != 0;
}

void preset_open_values(const mlpd_train_options *options, const char *name, const char *texts[PRESET_MOST_VALUES]) {
  const preset_value *values[PRESET_MOST_VALUES];
  const mlpd_option *const row = mlpd_option_find(mlpd_train_option_table, name);
  *texts = NULL;
  if (preset_gives_way(options) || option_given(row, options)) return;
  preset_find_values(options, values);
  for (int i = 0; values[i] != NULL; i++)
    if (strcmp(values[i]->name, name) == 0 && is_open(values[i], row, options)) *texts++ = values[i]->text;
  *texts = NULL;
}

bool preset_waits(const mlpd_train_options *options, const char *name) {
  const char *texts[PRESET_MOST_VALUES];
  preset_open_values(options, name, texts);
  return texts[0] != NULL;
}
