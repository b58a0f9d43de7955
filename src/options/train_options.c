/* The options of a training run by name: defaults, setting one, checking all. */
#include <string.h>

#include "base/status.h"
#include "options/option.h"
#include "options/preset.h"
#include "options/preset_values.h"

void mlpd_train_options_default(mlpd_train_options *options) {
  *options = (mlpd_train_options){0};
  options_set_defaults(mlpd_train_option_table, options);
  memset(options->chosen, 0, sizeof options->chosen);
}

/* By optimizer. That of adamw was measured on the tables of scripts/README.md, the others are usual values. */
static const double USUAL_LR[MLPD_NUM_OPTIMIZERS] = {
    [MLPD_SGD] = 0.05,    [MLPD_MOMENTUM] = 0.01, [MLPD_NESTEROV] = 0.01, [MLPD_ADAM] = 0.005,
    [MLPD_ADAMW] = 0.005, [MLPD_RMSPROP] = 0.001, [MLPD_ADAGRAD] = 0.01,  [MLPD_LION] = 0.0003,
    [MLPD_LAMB] = 0.005,  [MLPD_LARS] = 1,        [MLPD_ADAMAX] = 0.002,  [MLPD_LBFGS] = -1, /* it has none */
};
static const double USUAL_DECAY_OF_ADAMW = 0.1;

void mlpd_train_options_settle(mlpd_train_options *options) {
  if (options != NULL) preset_apply(options);
  if (options != NULL && options->folds > 1 && options->members == 1) options->members = options->folds;
  const int optimizer = options != NULL ? (int)options->optimizer : -1;
  if (optimizer < 0 || optimizer >= MLPD_NUM_OPTIMIZERS) return;
  if (options->lr < 0 && !preset_waits(options, "lr")) options->lr = USUAL_LR[optimizer];
  const bool decays = optimizer == MLPD_ADAMW && options->decay != MLPD_DECAY_COUPLED;
  if (options->weight_decay < 0 && !preset_waits(options, "weight-decay"))
    options->weight_decay = decays ? USUAL_DECAY_OF_ADAMW : 0;
}

mlpd_status train_option_unknown(const char *name) {
  const char *near = NULL;
  if (strncmp(name, "--", 2) == 0 && mlpd_option_find(mlpd_train_option_table, name + 2) != NULL)
    return FAIL(MLPD_ERROR_USAGE, "option %s is named without dashes here: %s", name, name + 2);
  for (const mlpd_option *other = mlpd_train_option_table; other->name != NULL; other++)
    mlpd_name_offer(name, other->name, &near);
  if (near != NULL) return FAIL(MLPD_ERROR_USAGE, "unknown option --%s; did you mean --%s?", name, near);
  return FAIL(MLPD_ERROR_USAGE, "unknown option --%s", name);
}

mlpd_status mlpd_train_options_set(mlpd_train_options *options, const char *name, const char *text) {
  NEED(options);
  NEED(name);
  NEED(text);
  const mlpd_option *const row = mlpd_option_find(mlpd_train_option_table, name);
  if (row != NULL) {
    char where[72];
    (void)snprintf(where, sizeof where, "--%s", row->name);
    return mlpd_option_set(row, where, text, options);
  }
  return train_option_unknown(name);
}

mlpd_status mlpd_train_options_check(const mlpd_train_options *options) {
  NEED(options);
  return options_check(mlpd_train_option_table, options);
}
