/* Files written whole or not at all. */
#ifndef MLPDIST_FILE_H
#define MLPDIST_FILE_H

#include "base/status.h"

enum { FILE_PATH_BYTES = 4096 };

/* path + suffix in joined, or MLPD_ERROR_USAGE where it is too long. Not collective. */
mlpd_status file_path(char joined[FILE_PATH_BYTES], const char *folder, const char *name);

/* The temporary file beside path, of this process. Not collective. */
mlpd_status file_temporary(char temporary[FILE_PATH_BYTES], const char *path);

/* Syncs temporary to disk, renames it to path and syncs the folder. On failure temporary is removed.
 * Not collective. */
mlpd_status file_commit(const char *temporary, const char *path);

/* Writes text to path, whole or not at all. Not collective. */
mlpd_status file_write_text(const char *path, const char *text);

/* Removes the temporary files beside folder/name that processes of this machine left when they were killed: those of
 * the living stay. Not collective. */
void file_remove_leftovers(const char *folder, const char *name);

/* Makes folder and those above it, where absent, and checks that files can be made in it. Not collective. */
mlpd_status file_make_folder(const char *folder);

#endif
