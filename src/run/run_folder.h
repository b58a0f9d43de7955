/* The run folder: config.ini, metrics.csv, model.h5, checkpoints. Written by rank 0 alone, locked by one run at a time.
 * Nothing here is collective. */
#ifndef MLPDIST_RUN_FOLDER_H
#define MLPDIST_RUN_FOLDER_H

#include "base/folder.h"
#include "model/model.h"
#include "run/growing_file.h"
#include "run/run_lock.h"
#include "run/run_log.h"

typedef struct run_folder {
  char path[FILE_PATH_BYTES];
  char model[FILE_PATH_BYTES], config[FILE_PATH_BYTES], checkpoints[FILE_PATH_BYTES];
  run_lock lock;
  bool begun;           /* run_folder_open() has put its files in place */
  bool used;            /* it held files of a run when it was reserved */
  folders_made made;    /* by run_folder_open() */
  growing_file metrics; /* metrics.csv; its text goes into checkpoints */
  const char *log_option;
  bool has_log[NUM_RUN_LOGS];
  growing_file logs[NUM_RUN_LOGS]; /* the same in other forms */
  const char *failed;              /* name of the file that could not be written at the last try; static storage */
} run_folder;

/* Refuses what is no folder, and a folder in which a run would replace files that no run wrote. logs: the option --log.
 * *used: the folder holds files of a run. */
mlpd_status run_folder_check(const char *folder, const char *logs, bool *used);

/* Before the data is read: locks the folder, if it exists. Refuses a folder that another run is using, or in which this
 * run would replace files that no run wrote. logs: the option --log, borrowed. Changes nothing yet. Close it in any
 * case. */
mlpd_status run_folder_reserve(const char *folder, const char *logs, run_folder *f);

/* When the run is ready to begin: makes the folder and writes config.ini (if there is a text) and metrics.csv. A new
 * metrics.csv has only its header; a resumed run's continues metrics_text. Rows of an older version get this version's
 * columns; those they lack are empty. fresh: removes the files of the former run first, but touches nothing before both
 * new files are complete on disk under temporary names. */
mlpd_status run_folder_open(const char *config_text, const char *metrics_text, bool fresh, run_folder *f);

/* Appends one row to metrics.csv and the logs. After a failure the row stays in memory and the next call writes it too.
 */
mlpd_status run_folder_add(run_folder *f, const mlpd_epoch *e);

/* Writes the rows that metrics.csv and the logs lack. Also MLPD_ERROR_FILE if the folder was removed or renamed. */
mlpd_status run_folder_flush(run_folder *f);

/* Flushes, closes and unlocks. */
mlpd_status run_folder_close(run_folder *f);

#endif
