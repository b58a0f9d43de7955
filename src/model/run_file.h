/* Has a training run written a file? Its content decides, not its name alone. Nothing here is collective. */
#ifndef MLPDIST_RUN_FILE_H
#define MLPDIST_RUN_FILE_H

#include "base/status.h"

typedef enum run_file {
  RUN_MODEL,
  RUN_CONFIG,
  RUN_METRICS,
  RUN_METRICS_JSON,
  RUN_METRICS_EVENTS,
  RUN_CHECKPOINT
} run_file;

/* Its name in a run folder; of a checkpoint "checkpoint". Static storage. */
const char *run_file_name(run_file kind);

/* Did a run write path, whole or damaged? True for an empty file. */
bool run_file_is_ours(const char *path, run_file kind);

/* MLPD_ERROR_USAGE if an output to path would replace a file of some run: a model, checkpoint, config.ini,
 * metrics or converted table. option names it in the message. */
mlpd_status run_file_check_output(const char *option, const char *path);

#endif
