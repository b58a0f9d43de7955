/* Folders for outputs. Nothing here is collective. */
#ifndef MLPDIST_FOLDER_H
#define MLPDIST_FOLDER_H

#include "base/status.h"

/* Makes folder and its parents if they are absent, and checks that files can be made in it. */
mlpd_status folder_make(const char *folder);

bool folder_is_writable(const char *folder); /* It is there, and files can be made in it. */
const char *folder_temporary(void);          /* TMPDIR if it is a writable folder; else /tmp */

#endif
