/* Paths of files, and their content. How files are written: file_output.h. Nothing here is collective. */
#ifndef MLPDIST_FILE_H
#define MLPDIST_FILE_H

#include "base/status.h"

enum { FILE_PATH_BYTES = 4096 };

/* path + suffix in joined, or MLPD_ERROR_USAGE if it is too long */
mlpd_status file_path(char joined[FILE_PATH_BYTES], const char *folder, const char *name);

/* Are both regular files with the same bytes? */
bool file_same_content(const char *one_path, const char *other_path);

#endif
