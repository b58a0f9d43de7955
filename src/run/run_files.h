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

/* MLPD_ERROR_USAGE if path is a file that a run in folder would write, or a file of the runs of --embed-numbers auto in
 * it, which it would remove; option names it in the message. */
mlpd_status run_files_check_apart(const char *folder, const char *option, const char *path);

/* Is path a file directly in folder? Links are followed. */
bool run_file_lies_in(const char *path, const char *folder);

/* The folder, within that of the whole, of run 1 (without bins) or 2 (with) of --embed-numbers auto: its name, and its
 * path. */
const char *run_files_half_name(uint32_t number);
mlpd_status run_files_half(const char *whole, uint32_t number, char folder[FILE_PATH_BYTES]);

/* Does folder hold a run of --embed-numbers auto, in a folder of its own? */
bool run_files_have_half(const char *folder);

/* Copies the files of the run in folder `from`, but its checkpoints, to those of the same names in `to`; the model
 * last.
 */
mlpd_status run_files_copy(const char *from, const char *to);

/* Removes what killed processes left of files that they were writing. */
void run_files_remove_leftovers(const char *folder);

/* Removes run 1 or 2 of --embed-numbers auto, and its folder if that is then empty. A folder in which another run is
 * writing, or where this one may not, stays as it is. */
mlpd_status run_files_remove_half(const char *whole, uint32_t number);

/* Removes the files of the run in folder: checkpoints first, config.ini last, so that after an interruption the
 * remaining files belong to one run. */
mlpd_status run_files_remove(const char *folder);

#endif
