/* Preloaded by tests/run.bats: appends a line to the file COUNT_TO whenever this process, or a child of it, opens the
 * file whose path ends with COUNT_FILE. */
#define _GNU_SOURCE /* RTLD_NEXT */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef int (*opener)(const char *, int, ...);

static opener find_open(void) {
  static opener real = NULL;
  if (real == NULL) {
    void *const found = dlsym(RTLD_NEXT, "open");
    memcpy(&real, &found, sizeof real);
  }
  return real;
}

static void count(const char *path) {
  const char *const wanted = getenv("COUNT_FILE"), *const to = getenv("COUNT_TO");
  if (wanted == NULL || to == NULL || strlen(path) < strlen(wanted) ||
      strcmp(path + strlen(path) - strlen(wanted), wanted) != 0)
    return;
  const int descriptor = find_open()(to, O_WRONLY | O_APPEND | O_CREAT, 0600);
  char line[32];
  const int length = snprintf(line, sizeof line, "%ld\n", (long)getpid());
  (void)!write(descriptor, line, (size_t)length);
  (void)close(descriptor);
}

int open(const char *path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const int mode = va_arg(more, int);
  va_end(more);
  count(path);
  return find_open()(path, flags, mode);
}

int open64(const char *path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const int mode = va_arg(more, int);
  va_end(more);
  count(path);
  return find_open()(path, flags | O_LARGEFILE, mode);
}
