/* Names of temporary files, NAME.tmp.PROCESS.SPACERANDOM, and the removal of those that killed processes left.
 * Nothing here is collective. */
#ifndef MLPDIST_FILE_LEFTOVER_H
#define MLPDIST_FILE_LEFTOVER_H

#include "base/file.h"

/* A new name beside target, of this process, that cannot be guessed. */
mlpd_status file_temporary_name(char temporary[FILE_PATH_BYTES], const char *target);

/* Identifies the space in which process numbers are unique: a host since its start, or a container on it, even if
 * containers share a host name. */
uint32_t file_process_space(void);

#endif
