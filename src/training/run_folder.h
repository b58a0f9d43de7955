/* The run folder: config.ini, metrics.csv, model.h5. Written by rank 0 alone. */
#ifndef MLPDIST_RUN_FOLDER_H
#define MLPDIST_RUN_FOLDER_H

#include "base/file_output.h"
#include "training/model.h"

typedef struct run_folder {
  char model[FILE_PATH_BYTES];
  char metrics[FILE_PATH_BYTES];
  char checkpoints[FILE_PATH_BYTES];
  FILE *metrics_stream;
  char *text; /* of metrics.csv so far, for checkpoints */
  size_t length, room;
} run_folder;

/* Makes the folder, writes config.ini (where there is a text) and metrics.csv: its head, or the text of a run
 * that goes on, whose rows, if an older version wrote them, get this one's head and are empty where they tell nothing.
 * Not collective. */
mlpd_status run_folder_open(const char *folder, const char *config_text, const char *metrics_text, run_folder *f);

/* Appends one row to metrics.csv. Not collective. */
mlpd_status run_folder_add(run_folder *f, const mlpd_epoch *e);

mlpd_status run_folder_close(run_folder *f); /* Not collective */

#endif
