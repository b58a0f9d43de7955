/* Folders for outputs. Nothing here is collective. */
#ifndef MLPDIST_FOLDER_H
#define MLPDIST_FOLDER_H

#include "base/status.h"

/* Makes folder and its parents if they are absent, and checks that files can be made in it. */
mlpd_status folder_make(const char *folder);

#endif
