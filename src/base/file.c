#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

mlpd_status file_path(char joined[FILE_PATH_BYTES], const char *folder, const char *name) {
  const int length = snprintf(joined, FILE_PATH_BYTES, "%s/%s", folder, name);
  if (length < 0 || length >= FILE_PATH_BYTES)
    return FAIL(MLPD_ERROR_USAGE, "the path %s/%s is too long", folder, name);
  return MLPD_OK;
}

mlpd_status file_temporary(char temporary[FILE_PATH_BYTES], const char *path) {
  const int length = snprintf(temporary, FILE_PATH_BYTES, "%s.tmp.%ld", path, (long)getpid());
  if (length < 0 || length >= FILE_PATH_BYTES) return FAIL(MLPD_ERROR_USAGE, "the path %s is too long", path);
  return MLPD_OK;
}

/* Is entry NAME.tmp.PID of a process that is no more? One of this process' own number is: nothing of its own lies there
 * yet, and in a container numbers come again soon. */
static bool is_leftover(const char *entry, const char *name) {
  const size_t length = strlen(name);
  static const char middle[] = ".tmp.";
  if (strncmp(entry, name, length) != 0 || strncmp(entry + length, middle, sizeof middle - 1) != 0) return false;
  const char *const digits = entry + length + sizeof middle - 1;
  char *end = NULL;
  const long process = strtol(digits, &end, 10);
  if (*digits < '1' || *digits > '9' || *end != '\0' || process > INT_MAX) return false;
  return process == getpid() || (kill((pid_t)process, 0) != 0 && errno == ESRCH);
}

void file_remove_leftovers(const char *folder, const char *name) {
  DIR *const listing = opendir(folder);
  if (listing == NULL) return;
  for (const struct dirent *entry = readdir(listing); entry != NULL; entry = readdir(listing)) {
    char path[FILE_PATH_BYTES];
    struct stat about;
    if (is_leftover(entry->d_name, name) && file_path(path, folder, entry->d_name) == MLPD_OK &&
        lstat(path, &about) == 0 && S_ISREG(about.st_mode))
      (void)unlink(path);
  }
  (void)closedir(listing);
}

static mlpd_status sync_path(const char *path, int flags) {
  const int descriptor = open(path, flags | O_CLOEXEC);
  if (descriptor < 0) return FAIL(MLPD_ERROR_FILE, "%s: %s", path, strerror(errno));
  const int synced = fsync(descriptor);
  const int error = errno;
  (void)close(descriptor);
  /* Some file systems cannot sync folders and say EINVAL. */
  if (synced != 0 && error != EINVAL) return FAIL(MLPD_ERROR_FILE, "%s: %s", path, strerror(error));
  return MLPD_OK;
}

static mlpd_status sync_folder_of(const char *path) {
  char folder[FILE_PATH_BYTES];
  const char *const slash = strrchr(path, '/');
  const size_t length = slash == NULL ? 0 : (size_t)(slash - path);
  (void)snprintf(folder, sizeof folder, "%.*s", (int)length, path);
  return sync_path(slash == NULL ? "." : length == 0 ? "/" : folder, O_RDONLY | O_DIRECTORY);
}

mlpd_status file_commit(const char *temporary, const char *path) {
  mlpd_status status = sync_path(temporary, O_RDWR);
  if (status == MLPD_OK && rename(temporary, path) != 0)
    status = FAIL(MLPD_ERROR_FILE, "%s: %s", path, strerror(errno));
  if (status != MLPD_OK) {
    (void)unlink(temporary);
    return status;
  }
  return sync_folder_of(path);
}

mlpd_status file_write_text(const char *path, const char *text) {
  char temporary[FILE_PATH_BYTES];
  TRY(file_temporary(temporary, path));
  FILE *const stream = fopen(temporary, "w");
  if (stream == NULL) return FAIL(MLPD_ERROR_FILE, "%s: %s", path, strerror(errno));
  const bool written = fputs(text, stream) >= 0;
  if (fclose(stream) != 0 || !written) {
    const int error = errno;
    (void)unlink(temporary);
    return FAIL(MLPD_ERROR_FILE, "%s: %s", path, strerror(error));
  }
  return file_commit(temporary, path);
}

mlpd_status file_make_folder(const char *folder) {
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
  struct stat about;
  if (stat(folder, &about) != 0 || !S_ISDIR(about.st_mode)) return FAIL(MLPD_ERROR_FILE, "%s: is not a folder", folder);
  char probe[FILE_PATH_BYTES], target[FILE_PATH_BYTES];
  TRY(file_path(target, folder, "probe"));
  TRY(file_temporary(probe, target));
  const int descriptor = open(probe, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (descriptor < 0) return FAIL(MLPD_ERROR_FILE, "%s: cannot write in this folder: %s", folder, strerror(errno));
  (void)close(descriptor);
  (void)unlink(probe);
  return MLPD_OK;
}
