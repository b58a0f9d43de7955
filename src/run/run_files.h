/* Which files of a folder belong to a run. What they hold decides, not their names alone: folders are also other
 * people's. Nothing here is collective. */
#ifndef MLPDIST_RUN_FILES_H
#define MLPDIST_RUN_FILES_H

#include "base/file_output.h"
#include "model/run_file.h"

/* MLPD_ERROR_FILE where folder holds a file under a name that a run writes, and no run wrote it. *used: a run's files
 * are there. */
mlpd_status run_files_check(const char *folder, bool *used);

/* MLPD_ERROR_USAGE where path is a file that a run in folder would write. option names it. */
mlpd_status run_files_check_apart(const char *folder, const char *option, const char *path);

/* Does path lie in folder, whatever their names? */
bool run_file_lies_in(const char *path, const char *folder);

/* Removes the files of the run in folder: checkpoints first, config.ini last, so that what is left, if this is
 * interrupted, belongs to one run. */
mlpd_status run_files_remove(const char *folder);

#endif
