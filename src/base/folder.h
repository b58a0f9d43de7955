/* Folders for outputs. Nothing here is collective. */
#ifndef MLPDIST_FOLDER_H
#define MLPDIST_FOLDER_H

#include "base/file.h"
#include "base/status.h"

/* Makes folder and its parents if they are absent, and checks that files can be made in it. On failure what was made is
 * removed. */
mlpd_status folder_make(const char *folder);

/* The folders that folder_make_noted() has made. */
typedef struct folders_made {
  char lowest[FILE_PATH_BYTES];
  size_t highest; /* length of the highest one's name, with which the lowest begins; 0: none was made */
} folders_made;

/* The same; *made receives what was made. */
mlpd_status folder_make_noted(const char *folder, folders_made *made);

/* Removes those that are empty. */
void folders_unmake(const folders_made *made);

bool folder_is_writable(const char *folder); /* It is there, and files can be made in it. */
const char *folder_temporary(void);          /* TMPDIR if it is a writable folder; else /tmp */

#endif
