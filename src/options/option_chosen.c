#include "options/option_chosen.h"

#include <string.h>

/* The number of a row of the training options; MLPD_MOST_OPTIONS: it is of another table. */
static size_t number_of(const mlpd_option *row) {
  size_t i = 0;
  while (mlpd_train_option_table[i].name != NULL && &mlpd_train_option_table[i] != row) i++;
  return mlpd_train_option_table[i].name != NULL ? i : MLPD_MOST_OPTIONS;
}

void option_choose(const mlpd_option *row, const char *text, void *values) {
  const size_t i = number_of(row);
  if (i == MLPD_MOST_OPTIONS) return;
  mlpd_train_options *const options = values;
  const uint64_t bit = UINT64_C(1) << i % 64;
  if (strcmp(text, "auto") == 0)
    options->chosen[i / 64] &= ~bit;
  else
    options->chosen[i / 64] |= bit;
}

bool option_chosen(const mlpd_option *row, const mlpd_train_options *options) {
  const size_t i = number_of(row);
  return (options->chosen[i / 64] >> i % 64 & 1) != 0;
}
