/* The run folder: config.ini, metrics.csv, model.h5, checkpoints. Written by rank 0 alone, locked by one run at a time.
 * Nothing here is collective. */
#ifndef MLPDIST_RUN_FOLDER_H
#define MLPDIST_RUN_FOLDER_H

#include "model/model.h"
#include "run/run_lock.h"

typedef struct run_folder {
  char path[FILE_PATH_BYTES];
  char model[FILE_PATH_BYTES], metrics[FILE_PATH_BYTES], config[FILE_PATH_BYTES], checkpoints[FILE_PATH_BYTES];
  run_lock lock;
  bool begun; /* run_folder_open() has put its files in place */
  bool used;  /* files of a run were there when it was reserved */
  bool metrics_open;
  int metrics_file;
  char *text;          /* of metrics.csv so far, for checkpoints */
  size_t length, room; /* of the text */
  size_t written;      /* bytes of it that metrics.csv holds */
} run_folder;

/* Before anything is read: locks the folder, if it is there, for this run, and refuses one in which another run is at
 * work, or in which a run would replace files that no run wrote. Nothing is changed yet. Close it in any case. */
mlpd_status run_folder_reserve(const char *folder, run_folder *f);

/* When the run is ready to begin: makes the folder and writes config.ini (where there is a text) and metrics.csv: its
 * head, or the text of a run that goes on, whose rows, if an older version wrote them, get this one's head and are
 * empty where they tell nothing. fresh: the files of the run before are removed first. Until both new files are whole
 * beside their places nothing of the former run is touched. */
mlpd_status run_folder_open(const char *config_text, const char *metrics_text, bool fresh, run_folder *f);

/* Appends one row to metrics.csv. After a failure the row stays in memory, and the next call writes it, too. */
mlpd_status run_folder_add(run_folder *f, const mlpd_epoch *e);

/* Writes the rows that metrics.csv lacks. MLPD_ERROR_FILE also where the folder was removed or renamed. */
mlpd_status run_folder_flush(run_folder *f);

/* Flushes, closes and unlocks. */
mlpd_status run_folder_close(run_folder *f);

#endif
