#include "base/file_version.h"

#include <sys/stat.h>

file_version file_version_of(const struct stat *about) {
  return (file_version){.inode = about->st_ino,
                        .bytes = (uint64_t)about->st_size,
                        .seconds = about->st_mtim.tv_sec,
                        .nanoseconds = about->st_mtim.tv_nsec};
}

bool file_version_get(const char *path, file_version *version) {
  struct stat about;
  if (stat(path, &about) != 0) return false;
  *version = file_version_of(&about);
  return true;
}

bool file_versions_equal(const file_version *a, const file_version *b) {
  return a->inode == b->inode && a->bytes == b->bytes && a->seconds == b->seconds && a->nanoseconds == b->nanoseconds;
}
