/* Files of other kinds, recognised by their first bytes: what they are, and the command that converts them. For
 * error messages. No function here is collective unless its comment says so. */
#ifndef MLPDIST_FOREIGN_H
#define MLPDIST_FOREIGN_H

#include "base/status.h"

enum { FOREIGN_BYTES = 900, FOREIGN_NAME_BYTES = 200 };

/* For commands in messages: file is path, base its name without folder and extension; FILE if a shell would split or
 * expand path. */
void foreign_command_names(const char *path, char file[FOREIGN_NAME_BYTES], char base[FOREIGN_NAME_BYTES]);

/* What a file that is not HDF5 is, and what to do with it: "is packed by xz; unpack it: xz -dk t.csv.xz". False if
 * its kind is not known here. */
bool foreign_describe(const char *path, char described[FOREIGN_BYTES]);

/* The same for a file that begins with head (bytes), but false for all kinds that convert reads. path is for the
 * command. Not collective. */
bool foreign_describe_head(const char *path, const unsigned char *head, size_t bytes, char described[FOREIGN_BYTES]);

#endif
