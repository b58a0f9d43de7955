#include "options/option_given.h"

#include <string.h>

#include "options/option_chosen.h"

static bool is_usual(const mlpd_option *row, const mlpd_train_options *options) {
  char buffer[64];
  const char *const value = mlpd_option_format(row, options, buffer, sizeof buffer);
  return value == NULL || strcmp(value, "auto") == 0 ||
         (row->default_text != NULL && strcmp(value, row->default_text) == 0);
}

bool option_given(const mlpd_option *row, const mlpd_train_options *options) {
  return option_chosen(row, options) || !is_usual(row, options);
}

bool option_left_to_model(const mlpd_option *row, const mlpd_train_options *options) {
  if (options->init_from == NULL && options->init_model == NULL) return false;
  return row->from_model != MLPD_FROM_MODEL_NOTHING && !option_given(row, options);
}
