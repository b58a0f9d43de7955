#include "base/file.h"

mlpd_status file_path(char joined[FILE_PATH_BYTES], const char *folder, const char *name) {
  const int length = snprintf(joined, FILE_PATH_BYTES, "%s/%s", folder, name);
  if (length < 0 || length >= FILE_PATH_BYTES)
    return FAIL(MLPD_ERROR_USAGE, "the path %s/%s is too long", folder, name);
  return MLPD_OK;
}
