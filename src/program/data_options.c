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

mlpd_status data_options_resolve(data_options *options, mlpd_data_paths *paths) {
  static char shipped[PATH_MAX];
  if (options->data == NULL) {
    if (!table_beside_model(options->model, shipped)) {
      const mlpd_status status = default_data(shipped, sizeof shipped);
      if (status != MLPD_OK) return status;
      options->shipped = true;
    }
    options->data = shipped;
  }
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

/* A figure of other data than the model's would look like one of its own. */
static mlpd_status check_shipped(const data_options *options, const mlpd_model *model) {
  char trained_on[PATH_MAX];
  if (!mlpd_model_option(model, "data", trained_on, sizeof trained_on)) return MLPD_OK;
  const char *const slash = strrchr(trained_on, '/'), *const name = slash != NULL ? slash + 1 : trained_on;
  if (strcmp(name, "digits.h5") == 0) return MLPD_OK;
  return outcome_fail(MLPD_ERROR_USAGE,
                      "%s was trained on %s, not on the shipped digits.h5; name its data: --data FILE", options->model,
                      trained_on);
}

mlpd_status data_options_load_model(mlpd_comm *comm, const data_options *options, mlpd_model **model) {
  *model = NULL;
  mlpd_status status = mlpd_model_load(options->model, model);
  if (status == MLPD_OK && options->shipped) status = check_shipped(options, *model);
  return mlpd_comm_agree(comm, status);
}
