/* The run folder: config.ini, metrics.csv, model.h5. Written by rank 0 alone. */
#ifndef MLPDIST_RUN_FOLDER_H
#define MLPDIST_RUN_FOLDER_H

#include "base/file.h"
#include "training/model.h"

typedef struct run_folder {
  char model[FILE_PATH_BYTES];
  char metrics[FILE_PATH_BYTES];
  FILE *metrics_stream;
} run_folder;

/* Makes the folder, writes config.ini (where there is a text) and the head of metrics.csv. Not collective. */
mlpd_status run_folder_open(const char *folder, const char *config_text, run_folder *f);

/* Appends one row to metrics.csv. Not collective. */
mlpd_status run_folder_add(run_folder *f, const mlpd_epoch *e);

mlpd_status run_folder_close(run_folder *f); /* Not collective */

#endif
