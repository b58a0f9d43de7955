/* Which content of which file, as far as the system says without reading it. Nothing here is collective. */
#ifndef MLPDIST_FILE_VERSION_H
#define MLPDIST_FILE_VERSION_H

#include <stdbool.h>
#include <stdint.h>

struct stat;

/* Equal on all machines that see the file, so without its device. */
typedef struct file_version {
  uint64_t inode, bytes;
  int64_t seconds, nanoseconds; /* of its last change */
} file_version;

file_version file_version_of(const struct stat *about);

/* false: there is no such file */
bool file_version_get(const char *path, file_version *version);

bool file_versions_equal(const file_version *a, const file_version *b);

#endif
