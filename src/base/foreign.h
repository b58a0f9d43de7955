/* Files of other kinds, told by their first bytes: what they are, and the command that makes of them what is read here.
 * For refusals. No function here is collective unless its comment says so. */
#ifndef MLPDIST_FOREIGN_H
#define MLPDIST_FOREIGN_H

#include "base/status.h"

enum { FOREIGN_BYTES = 900, FOREIGN_NAME_BYTES = 200 };

/* For commands in messages: file is path, base its name without folder and extension; FILE where a shell would take
 * path apart. */
void foreign_command_names(const char *path, char file[FOREIGN_NAME_BYTES], char base[FOREIGN_NAME_BYTES]);

/* What a file that is not HDF5 is, and what to do with it: "is packed by xz; unpack it: xz -dk t.csv.xz". False where
 * it is of no kind known here. */
bool foreign_describe(const char *path, char described[FOREIGN_BYTES]);

/* The same of what begins with head (bytes), but false for all that convert reads, too. path is for the command. Not
 * collective. */
bool foreign_describe_head(const char *path, const unsigned char *head, size_t bytes, char described[FOREIGN_BYTES]);

#endif
