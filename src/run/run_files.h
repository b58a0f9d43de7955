/* Which files of a folder belong to a run. Contents decide, not names alone: a folder may hold other people's files.
 * Nothing here is collective. */
#ifndef MLPDIST_RUN_FILES_H
#define MLPDIST_RUN_FILES_H

#include "base/file_output.h"
#include "model/run_file.h"

/* MLPD_ERROR_FILE if folder holds a file with a name that a run writes, but no run wrote it. logs: the
 * option --log, which names further files of a run. *used: the folder holds files of a run. */
mlpd_status run_files_check(const char *folder, const char *logs, bool *used);

/* MLPD_ERROR_USAGE if folder is "-". */
mlpd_status run_files_check_out(const char *folder);

/* MLPD_ERROR_USAGE if path is a file that a run in folder would write; option names it in the message. */
mlpd_status run_files_check_apart(const char *folder, const char *option, const char *path);

/* Is path a file directly in folder? Links are followed. */
bool run_file_lies_in(const char *path, const char *folder);

/* Removes the files of the run in folder: checkpoints first, config.ini last, so that after an interruption the
 * remaining files belong to one run. */
mlpd_status run_files_remove(const char *folder);

#endif
