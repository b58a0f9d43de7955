/* Names of temporary files, NAME.tmp.PROCESS.HOSTRANDOM, and what killed processes leave under them. Nothing here is
 * collective. */
#ifndef MLPDIST_FILE_LEFTOVER_H
#define MLPDIST_FILE_LEFTOVER_H

#include "base/file.h"

/* A new name beside target, of this process, that nobody can foresee. */
mlpd_status file_temporary_name(char temporary[FILE_PATH_BYTES], const char *target);

#endif
