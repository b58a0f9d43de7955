/* Names of temporary files, NAME.tmp.PROCESS.SPACERANDOM, and what killed processes leave under them. Nothing here is
 * collective. */
#ifndef MLPDIST_FILE_LEFTOVER_H
#define MLPDIST_FILE_LEFTOVER_H

#include "base/file.h"

/* A new name beside target, of this process, that nobody can foresee. */
mlpd_status file_temporary_name(char temporary[FILE_PATH_BYTES], const char *target);

/* Tells apart the spaces in which process numbers mean something: of each host, since it was started, and of each
 * container on it, also where containers share the name of a host. */
uint32_t file_process_space(void);

#endif
