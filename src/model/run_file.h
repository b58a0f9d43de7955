/* Is a file one that a training run has written? What it holds decides, not its name alone. Nothing here is
 * collective. */
#ifndef MLPDIST_RUN_FILE_H
#define MLPDIST_RUN_FILE_H

#include "base/status.h"

typedef enum run_file { RUN_MODEL, RUN_CONFIG, RUN_METRICS, RUN_CHECKPOINT } run_file;

/* Did a run write path, whole or damaged? An empty file counts as such. */
bool run_file_is_ours(const char *path, run_file kind);

/* MLPD_ERROR_USAGE where output path, which is no file of a run, would replace one: a model, a checkpoint, a config.ini
 * or a metrics.csv, of whichever run. option names it. */
mlpd_status run_file_check_output(const char *option, const char *path);

#endif
