#include "program/data_options.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "program/commands.h"

const data_options data_options_default = {
    .model = "run/model.h5", .part = MLPD_TEST, .stall = {.timeout = 60, .abort = 1800}}; /* as of train */

/* The raw table that the model was trained on, as train has converted it beside the model; false: there is none. */
static bool table_beside_model(const char *model, char path[PATH_MAX]) {
  const char *const slash = strrchr(model, '/');
  const int folder = slash != NULL ? (int)(slash - model) + 1 : 0;
  const int length = snprintf(path, PATH_MAX, "%.*sconverted.h5", folder, model);
  return length > 0 && length < PATH_MAX && access(path, R_OK) == 0;
}

/* The data set where none is named: the table beside the model, else the shipped one. */
static mlpd_status find_data(data_options *options) {
  static char path[PATH_MAX];
  options->data = path;
  options->beside = table_beside_model(options->model, path);
  if (options->beside) return MLPD_OK;
  options->shipped = true;
  return default_data(path, sizeof path);
}

mlpd_status data_options_resolve(data_options *options, mlpd_data_paths *paths) {
  const mlpd_status status = options->data == NULL ? find_data(options) : MLPD_OK;
  if (status != MLPD_OK) return status;
  *paths = (mlpd_data_paths){.file = options->data, .table = options->table};
  switch (options->part) {
    case MLPD_TRAIN:
      paths->x = options->x;
      paths->y = options->y;
      break;
    case MLPD_VALID:
      paths->valid_x = options->x;
      paths->valid_y = options->y;
      break;
    case MLPD_TEST:
      paths->test_x = options->x;
      paths->test_y = options->y;
      break;
  }
  return MLPD_OK;
}

/* Is the row one of those that name rows in a data set? */
static bool names_rows(const option *row) {
  static const char *const names[] = {"part", "x", "y"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
    if (strcmp(row->name, names[i]) == 0) return true;
  return false;
}

mlpd_status data_options_check(const data_options *options, const option_results *results) {
  const char *const data = options->data;
  const bool there = data != NULL && access(data, F_OK) == 0;
  const bool raw = data != NULL && mlpd_data_is_raw(&(mlpd_data_paths){.file = data});
  for (int i = 0; i < results->num_given; i++) {
    const option *const row = results->given[i];
    if (raw && names_rows(row))
      return outcome_fail(MLPD_ERROR_USAGE,
                          "--%s names rows of a data set, but %s is a raw table: all its rows are used", row->name,
                          data);
    if ((data == NULL || (there && !raw)) && strcmp(row->group, "table") == 0)
      return outcome_fail(MLPD_ERROR_USAGE, "--%s is for raw tables, but %s is a data set", row->name,
                          data == NULL ? "the data of the model" : data);
  }
  return MLPD_OK;
}

/* The shipped data set is for models that were trained on it, under whatever name: a figure of other data would look
 * like one of the model's own. */
static mlpd_status check_shipped(const data_options *options, const mlpd_model *model) {
  char trained_on[PATH_MAX];
  if (!mlpd_model_option(model, "data", trained_on, sizeof trained_on))
    return outcome_fail(MLPD_ERROR_USAGE,
                        "%s does not say what data it was trained on; name the data to use: --data FILE",
                        options->model);
  if (mlpd_model_trained_on(model, options->data)) return MLPD_OK;
  return outcome_fail(MLPD_ERROR_USAGE, "%s was trained on %s; name the data to use: --data FILE", options->model,
                      trained_on);
}

/* A table may lie beside a model that has other data: the folder was copied together. */
static mlpd_status check_beside(const data_options *options, const mlpd_model *model) {
  char trained_on[PATH_MAX] = "other data";
  if (mlpd_model_trained_on(model, options->data)) return MLPD_OK;
  (void)mlpd_model_option(model, "data", trained_on, sizeof trained_on);
  return outcome_fail(MLPD_ERROR_USAGE,
                      "%s is not the table that %s was trained on (%s); name the data to use: --data FILE",
                      options->data, options->model, trained_on);
}

const char *data_options_shown(const data_options *options) {
  return strcmp(options->data, "-") == 0 ? "standard input" : options->data;
}

mlpd_status data_options_load_model(mlpd_comm *comm, const data_options *options, mlpd_model **model) {
  *model = NULL;
  mlpd_status status = mlpd_model_load(options->model, model);
  if (status == MLPD_OK && options->shipped) status = check_shipped(options, *model);
  if (status == MLPD_OK && options->beside) status = check_beside(options, *model);
  return mlpd_comm_agree(comm, status);
}
