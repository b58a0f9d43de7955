/* Preloaded by tests/faults.bats: just before the REPLACE_AT-th time (from 1) that the process itself opens the file
 * REPLACE_FILE, another file, REPLACE_BY, takes its path. */
#define _GNU_SOURCE /* RTLD_NEXT */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef int (*opener)(const char *, int, ...);

static pid_t owner;
static long opens;

__attribute__((constructor)) static void remember_process(void) { owner = getpid(); }

static void replace(const char *path) {
  const char *const file = getenv("REPLACE_FILE"), *const by = getenv("REPLACE_BY"), *const at = getenv("REPLACE_AT");
  if (file == NULL || by == NULL || at == NULL || getpid() != owner || strcmp(path, file) != 0) return;
  if (++opens == strtol(at, NULL, 10)) (void)rename(by, file);
}

static int open_real(const char *path, int flags, int mode) {
  static opener real = NULL;
  if (real == NULL) {
    void *const found = dlsym(RTLD_NEXT, "open");
    memcpy(&real, &found, sizeof real);
  }
  replace(path);
  return real(path, flags, mode);
}

int open(const char *path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const int mode = va_arg(more, int);
  va_end(more);
  return open_real(path, flags, mode);
}

int open64(const char *path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const int mode = va_arg(more, int);
  va_end(more);
  return open_real(path, flags | O_LARGEFILE, mode);
}
