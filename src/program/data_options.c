#include "program/data_options.h"

#include <limits.h>

#include "program/commands.h"

const data_options data_options_default = {
    .model = "run/model.h5", .split = MLPD_TEST, .stall = {.timeout = 60, .abort = 1800}}; /* as of train */

mlpd_status data_options_resolve(data_options *options, mlpd_data_paths *paths) {
  static char shipped[PATH_MAX];
  if (options->data == NULL) {
    const mlpd_status status = default_data(shipped, sizeof shipped);
    if (status != MLPD_OK) return status;
    options->data = shipped;
  }
  *paths = (mlpd_data_paths){.file = options->data};
  switch (options->split) {
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

mlpd_status data_options_load_model(mlpd_comm *comm, const data_options *options, mlpd_model **model) {
  *model = NULL;
  return mlpd_comm_agree(comm, mlpd_model_load(options->model, model));
}
