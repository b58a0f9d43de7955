/* mlpd_options: the options of a training run with the texts that they borrow. */
#include <stdlib.h>
#include <string.h>

#include "base/locale.h"
#include "base/memory.h"
#include "base/status.h"
#include "options/option.h"

enum { VALUE_BYTES = 64 };

struct mlpd_options {
  mlpd_train_options values;
  mlpd_data_rows rows;
  char **texts; /* (rows of the table) the copy that a member may point to */
};

static size_t table_rows(void) {
  size_t rows = 0;
  while (mlpd_train_option_table[rows].name != NULL) rows++;
  return rows;
}

mlpd_status mlpd_options_create(mlpd_options **options) {
  IN_C_LOCALE();
  NEED(options);
  mlpd_options *made = NULL;
  *options = NULL;
  TRY(memory_allocate(&made, 1, sizeof *made, "options"));
  const mlpd_status status = memory_allocate(&made->texts, table_rows(), sizeof *made->texts, "options");
  if (status != MLPD_OK) {
    mlpd_options_free(made);
    return status;
  }
  mlpd_train_options_default(&made->values);
  made->values.out = NULL;
  *options = made;
  return MLPD_OK;
}

void mlpd_options_free(mlpd_options *options) {
  if (options == NULL) return;
  for (size_t i = 0; options->texts != NULL && i < table_rows(); i++) free(options->texts[i]);
  free(options->texts);
  free(options);
}

mlpd_status mlpd_options_set(mlpd_options *options, const char *name, const char *text) {
  IN_C_LOCALE();
  NEED(options);
  NEED(name);
  NEED(text);
  char *copy = NULL;
  TRY(memory_copy_string(text, &copy));
  const mlpd_status status = mlpd_train_options_set(&options->values, name, copy);
  if (status != MLPD_OK) {
    free(copy);
    return status;
  }
  char **const kept = &options->texts[mlpd_option_find(mlpd_train_option_table, name) - mlpd_train_option_table];
  free(*kept);
  *kept = copy;
  return MLPD_OK;
}

mlpd_status mlpd_options_get(const mlpd_options *options, const char *name, char *text, size_t bytes) {
  IN_C_LOCALE();
  NEED(options);
  NEED(name);
  NEED(text);
  char buffer[VALUE_BYTES];
  const mlpd_option *const row = mlpd_option_find(mlpd_train_option_table, name);
  if (row == NULL) return train_option_unknown(name);
  const char *const value = mlpd_option_format(row, &options->values, buffer, sizeof buffer);
  (void)snprintf(text, bytes, "%s", value != NULL ? value : "");
  return MLPD_OK;
}

void mlpd_options_rows(mlpd_options *options, const mlpd_data_rows *rows) {
  if (rows != NULL) options->rows = *rows;
  options->values.data.rows = rows != NULL ? &options->rows : NULL;
}

void mlpd_options_model(mlpd_options *options, const mlpd_model *model) { options->values.init_model = model; }

const mlpd_train_options *mlpd_options_values(const mlpd_options *options) { return &options->values; }
