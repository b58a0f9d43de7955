#include "base/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file_leftover.h"

/* Is this a folder, and can files be made in it? */
static mlpd_status check_folder(const char *folder) {
  struct stat about, link;
  const bool exists = stat(folder, &about) == 0;
  if (!exists && lstat(folder, &link) == 0 && S_ISLNK(link.st_mode))
    return FAIL(MLPD_ERROR_FILE, "%s: is not a folder: a symbolic link that leads nowhere", folder);
  if (!exists || !S_ISDIR(about.st_mode)) return FAIL(MLPD_ERROR_FILE, "%s: is not a folder", folder);
  char probe[FILE_PATH_BYTES], target[FILE_PATH_BYTES];
  TRY(file_path(target, folder, "probe"));
  TRY(file_temporary_name(probe, target));
  const int descriptor = open(probe, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (descriptor < 0) return FAIL(MLPD_ERROR_FILE, "%s: cannot write in this folder: %s", folder, strerror(errno));
  (void)close(descriptor);
  (void)unlink(probe);
  return MLPD_OK;
}

mlpd_status folder_make(const char *folder) {
  char path[FILE_PATH_BYTES];
  const int length = snprintf(path, sizeof path, "%s", folder);
  if (length <= 0 || length >= FILE_PATH_BYTES) return FAIL(MLPD_ERROR_USAGE, "the folder name is empty or too long");
  for (char *end = path + 1;; end++) {
    if (*end != '/' && *end != '\0') continue;
    const char kept = *end;
    *end = '\0';
    if (mkdir(path, 0777) != 0 && errno != EEXIST)
      return FAIL(MLPD_ERROR_FILE, "%s: cannot make this folder: %s", path, strerror(errno));
    *end = kept;
    if (kept == '\0') break;
  }
  return check_folder(folder);
}

bool folder_is_writable(const char *folder) {
  struct stat about;
  return stat(folder, &about) == 0 && S_ISDIR(about.st_mode) && access(folder, W_OK | X_OK) == 0;
}

const char *folder_temporary(void) {
  const char *const named = getenv("TMPDIR");
  return named != NULL && folder_is_writable(named) ? named : "/tmp";
}
