/* Preloaded by tests/faults.bats: spoils a file while the program reads it. At the SPOIL_AT-th read (from 1) of
 * ROWS_BYTES or more of the file SPOIL_FILE, by the process itself (not by a child of it), the file is cut to half
 * (SPOIL_HOW=cut), or this and all further reads fail as those of a broken disk do (SPOIL_HOW=break). */
#define _GNU_SOURCE /* RTLD_NEXT */
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ROWS_BYTES = 4096 }; /* smaller reads are metadata */

static pid_t owner;
static long reads;

__attribute__((constructor)) static void remember_process(void) { owner = getpid(); }

static bool is_the_file(int descriptor) {
  struct stat about, wanted;
  const char *const path = getenv("SPOIL_FILE");
  return path != NULL && fstat(descriptor, &about) == 0 && stat(path, &wanted) == 0 && about.st_dev == wanted.st_dev &&
         about.st_ino == wanted.st_ino;
}

static bool is_spoilt(int descriptor, size_t bytes) {
  const char *const at = getenv("SPOIL_AT"), *const how = getenv("SPOIL_HOW");
  if (at == NULL || how == NULL || bytes < ROWS_BYTES || getpid() != owner || !is_the_file(descriptor)) return false;
  struct stat about;
  const long when = strtol(at, NULL, 10);
  if (++reads < when) return false;
  if (strcmp(how, "break") == 0) return true;
  if (reads == when && fstat(descriptor, &about) == 0) (void)!truncate(getenv("SPOIL_FILE"), about.st_size / 2);
  return false;
}

ssize_t pread(int descriptor, void *buffer, size_t bytes, off_t offset) {
  static ssize_t (*real)(int, void *, size_t, off_t) = NULL;
  if (real == NULL) {
    void *const found = dlsym(RTLD_NEXT, "pread");
    memcpy(&real, &found, sizeof real);
  }
  if (is_spoilt(descriptor, bytes)) {
    errno = EIO;
    return -1;
  }
  return real(descriptor, buffer, bytes, offset);
}

ssize_t pread64(int descriptor, void *buffer, size_t bytes, off_t offset) {
  return pread(descriptor, buffer, bytes, offset);
}
