#include "options/preset.h"

#include "options/option.h"
#include "options/option_chosen.h"
#include "options/option_given.h"
#include "options/preset_values.h"

static void apply(const preset_value *value, mlpd_train_options *options) {
  const mlpd_option *const row = mlpd_option_find(mlpd_train_option_table, value->name);
  if (option_given(row, options) || option_left_to_model(row, options)) return;
  if (!option_condition_holds(mlpd_train_option_table, row->needs, options)) return;
  (void)mlpd_option_set(row, row->name, value->text, options);
  option_choose(row, "auto", options);
}

void preset_apply(mlpd_train_options *options) {
  const preset_value *values[PRESET_MOST_VALUES];
  if (preset_gives_way(options)) options->preset = MLPD_PRESET_NONE;
  if (options->preset == MLPD_PRESET_AUTO) return;
  preset_find_values(options, values);
  for (int i = 0; values[i] != NULL; i++)
    if (values[i]->task == MLPD_TASK_AUTO || values[i]->task == options->task) apply(values[i], options);
}

void preset_decide(bool table, mlpd_train_options *options) {
  if (options->preset != MLPD_PRESET_AUTO) return;
  options->preset = table && !preset_gives_way(options) ? MLPD_PRESET_TABULAR : MLPD_PRESET_NONE;
  /* Here --epochs auto goes before the preset's epochs, as if it had been given: large tables end in time. */
  option_choose(mlpd_option_find(mlpd_train_option_table, "epochs"), "as chosen", options);
}

void mlpd_train_options_forget(mlpd_train_options *options) {
  const preset_value *values[PRESET_MOST_VALUES];
  if (options == NULL) return;
  preset_find_values(options, values);
  for (int i = 0; values[i] != NULL; i++) {
    const mlpd_option *const row = mlpd_option_find(mlpd_train_option_table, values[i]->name);
    (void)mlpd_option_set(row, row->name, row->default_text, options);
    option_choose(row, "auto", options);
  }
}
