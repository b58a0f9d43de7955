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
  static const char *const names[OPTIONS_LEFT_TO_MODEL] = {
      "hidden",      "activation",    "norm",       "input-scale",           "ensemble", "members", "clip-inputs",
      "embed-width", "embed-numbers", "embed-bins", "parametric-activation", "normalize"};
  if (options->init_from == NULL && options->init_model == NULL) return false;
  for (size_t i = 0; i < OPTIONS_LEFT_TO_MODEL; i++)
    if (strcmp(row->name, names[i]) == 0) return !option_given(row, options);
  return false;
}
