/* The options of a training run by name: defaults, setting one, checking all. */
#include "base/status.h"
#include "options/option.h"

void mlpd_train_options_default(mlpd_train_options *options) {
  *options = (mlpd_train_options){0};
  options_set_defaults(mlpd_train_option_table, options);
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
  const char *near = NULL;
  for (const mlpd_option *other = mlpd_train_option_table; other->name != NULL; other++)
    mlpd_name_offer(name, other->name, &near);
  if (near != NULL) return FAIL(MLPD_ERROR_USAGE, "unknown option --%s; did you mean --%s?", name, near);
  return FAIL(MLPD_ERROR_USAGE, "unknown option --%s", name);
}

mlpd_status mlpd_train_options_check(const mlpd_train_options *options) {
  NEED(options);
  return options_check(mlpd_train_option_table, options);
}
