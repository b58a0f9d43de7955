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

void folders_unmake(const folders_made *made) {
  char path[FILE_PATH_BYTES];
  memcpy(path, made->lowest, sizeof path);
  for (size_t length = strlen(path); made->highest > 0 && length >= made->highest; length--) {
    if (path[length] != '/' && path[length] != '\0') continue;
    path[length] = '\0';
    if (rmdir(path) != 0) return;
  }
}

static mlpd_status make_all(char *path, folders_made *made) {
  for (char *end = path + 1;; end++) {
    if (*end != '/' && *end != '\0') continue;
    const char kept = *end;
    *end = '\0';
    const bool is_new = mkdir(path, 0777) == 0;
    if (!is_new && errno != EEXIST)
      return FAIL(MLPD_ERROR_FILE, "%s: cannot make this folder: %s", path, strerror(errno));
    if (is_new) memcpy(made->lowest, path, strlen(path) + 1);
    if (is_new && made->highest == 0) made->highest = strlen(path);
    *end = kept;
    if (kept == '\0') return MLPD_OK;
  }
}

mlpd_status folder_make_noted(const char *folder, folders_made *made) {
  char path[FILE_PATH_BYTES];
  *made = (folders_made){.highest = 0};
  const int length = snprintf(path, sizeof path, "%s", folder);
  if (length <= 0 || length >= FILE_PATH_BYTES) return FAIL(MLPD_ERROR_USAGE, "the folder name is empty or too long");
  mlpd_status status = make_all(path, made);
  if (status == MLPD_OK) status = check_folder(folder);
  if (status == MLPD_OK) return MLPD_OK;
  folders_unmake(made);
  *made = (folders_made){.highest = 0};
  return status;
}

mlpd_status folder_make(const char *folder) {
  folders_made made;
  return folder_make_noted(folder, &made);
}

bool folder_is_writable(const char *folder) {
  struct stat about;
  return stat(folder, &about) == 0 && S_ISDIR(about.st_mode) && access(folder, W_OK | X_OK) == 0;
}

const char *folder_temporary(void) {
  const char *const named = getenv("TMPDIR");
  return named != NULL && folder_is_writable(named) ? named : "/tmp";
}
