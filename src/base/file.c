#include "base/file.h"

#include <string.h>
#include <sys/stat.h>

mlpd_status file_path(char joined[FILE_PATH_BYTES], const char *folder, const char *name) {
  const int length = snprintf(joined, FILE_PATH_BYTES, "%s/%s", folder, name);
  if (length < 0 || length >= FILE_PATH_BYTES)
    return FAIL(MLPD_ERROR_USAGE, "the path %s/%s is too long", folder, name);
  return MLPD_OK;
}

bool file_same_content(const char *one_path, const char *other_path) {
  struct stat about_one, about_other;
  if (stat(one_path, &about_one) != 0 || stat(other_path, &about_other) != 0) return false;
  if (!S_ISREG(about_one.st_mode) || !S_ISREG(about_other.st_mode) || about_one.st_size != about_other.st_size)
    return false;
  FILE *const one = fopen(one_path, "rb"), *const other = fopen(other_path, "rb");
  bool same = one != NULL && other != NULL;
  while (same) {
    char ours[1 << 14], theirs[1 << 14];
    const size_t length = fread(ours, 1, sizeof ours, one);
    same = length == fread(theirs, 1, sizeof theirs, other) && memcmp(ours, theirs, length) == 0;
    if (length < sizeof ours) break;
  }
  same = same && ferror(one) == 0 && ferror(other) == 0;
  if (one != NULL) (void)fclose(one);
  if (other != NULL) (void)fclose(other);
  return same;
}
