#include "source/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/folder.h"
#include "base/memory.h"

enum { BLOCK_BYTES = 1 << 18, WAIT_MILLISECONDS = 50 };

/* ---- Which paths are streams ------------------------------------------------------------------------ */

static bool is_standard_input(const char *path) { return strcmp(path, "-") == 0 || strcmp(path, "/dev/stdin") == 0; }

/* A descriptor of this process, as bash writes <(command). */
static bool is_descriptor(const char *path) {
  return strncmp(path, "/dev/fd/", 8) == 0 || strncmp(path, "/proc/self/fd/", 14) == 0;
}

static bool identify(const char *path, struct stat *about) {
  return (is_standard_input(path) ? fstat(STDIN_FILENO, about) : stat(path, about)) == 0;
}

bool spool_is_needed(const char *path) {
  struct stat about;
  if (strcmp(path, "-") == 0) return true;
  if (!identify(path, &about)) return is_descriptor(path);
  return !S_ISREG(about.st_mode) && !S_ISDIR(about.st_mode);
}

const char *spool_name(const char *path) { return strcmp(path, "-") == 0 ? "standard input" : path; }

const spool *spools_find(const spools *s, const char *path) {
  for (int i = 0; s != NULL && i < s->count; i++)
    if (strcmp(s->all[i].name, spool_name(path)) == 0) return &s->all[i];
  return NULL;
}

const char *spools_place(const spools *s, const char *path, char place[SPOOL_PLACE_BYTES]) {
  const spool *const found = spools_find(s, path);
  if (found == NULL) return path;
  (void)snprintf(place, SPOOL_PLACE_BYTES, "/proc/self/fd/%d", found->descriptor); /* each open begins at byte 0 */
  return place;
}

/* ---- Copying ---------------------------------------------------------------------------------------- */

typedef struct copying {
  spool *to;
  const char *folder;
  const spool_watch *watch;
  XXH3_state_t *state;
  char *block; /* (BLOCK_BYTES) */
  int from;
} copying;

static mlpd_status fail_full(const copying *c) {
  return FAIL(MLPD_ERROR_FILE, "%s: cannot be stored in %s: %s after %llu bytes; TMPDIR names another folder",
              c->to->name, c->folder, strerror(errno), (unsigned long long)c->to->bytes);
}

static mlpd_status open_temporary(copying *c) {
  char path[FILE_PATH_BYTES];
  TRY(file_path(path, c->folder, "mlpdist-input-XXXXXX"));
  c->to->descriptor = mkstemp(path);
  if (c->to->descriptor < 0) return fail_full(c);
  (void)unlink(path); /* so that it goes with the process, however that ends */
  return MLPD_OK;
}

/* Not blocking: a pipe that nobody writes to yet would wait in open(), deaf to signals. */
static mlpd_status open_stream(const char *path, int *from) {
  *from =
      is_standard_input(path) ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0) : open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (*from >= 0) return MLPD_OK;
  if (is_descriptor(path))
    return FAIL(MLPD_ERROR_FILE,
                "%s: %s; mpirun passes on no descriptors but the standard input: COMMAND | mpirun ... --data -", path,
                strerror(errno));
  return FAIL(MLPD_ERROR_FILE, "%s: %s", spool_name(path), strerror(errno));
}

static mlpd_status store(copying *c, size_t bytes) {
  for (size_t done = 0; done < bytes;) {
    const ssize_t written = write(c->to->descriptor, c->block + done, bytes - done);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return fail_full(c);
    done += (size_t)written;
    c->to->bytes += (uint64_t)written;
  }
  (void)XXH3_64bits_update(c->state, c->block, bytes);
  return MLPD_OK;
}

/* Waits for bytes and reads them; *got is 0 at the end. */
static mlpd_status fetch(const copying *c, size_t *got) {
  for (;;) {
    struct pollfd ready = {.fd = c->from, .events = POLLIN};
    const int found = poll(&ready, 1, WAIT_MILLISECONDS);
    if (c->watch->stopped != NULL && c->watch->stopped(c->watch->context))
      return FAIL(MLPD_ERROR_FILE, "%s: a signal stopped the run while it was read", c->to->name);
    if (c->watch->report != NULL) c->watch->report(c->watch->context, c->to->bytes, 0);
    if (found == 0 || (found < 0 && errno == EINTR)) continue;
    const ssize_t count = read(c->from, c->block, BLOCK_BYTES);
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (count < 0) return FAIL(MLPD_ERROR_FILE, "%s: cannot be read: %s", c->to->name, strerror(errno));
    *got = (size_t)count;
    return MLPD_OK;
  }
}

static mlpd_status copy_all(copying *c) {
  for (size_t got = 1; got > 0;) {
    TRY(fetch(c, &got));
    TRY(store(c, got));
  }
  if (c->to->bytes == 0)
    return FAIL(MLPD_ERROR_DATA, "%s: is empty; the program that writes it may have failed", c->to->name);
  c->to->digest = XXH3_64bits_digest(c->state);
  return MLPD_OK;
}

static mlpd_status copy_stream(const char *path, copying *c) {
  mlpd_status status = memory_allocate(&c->block, BLOCK_BYTES, 1, "a stream");
  c->state = XXH3_createState();
  if (status == MLPD_OK && c->state == NULL) status = FAIL(MLPD_ERROR_MEMORY, "out of memory for a hash");
  if (status == MLPD_OK) status = open_stream(path, &c->from);
  if (status == MLPD_OK) status = open_temporary(c);
  if (status == MLPD_OK) {
    (void)XXH3_64bits_reset(c->state);
    status = copy_all(c);
  }
  if (c->from >= 0) (void)close(c->from);
  (void)XXH3_freeState(c->state);
  free(c->block);
  return status;
}

/* ---- All streams ------------------------------------------------------------------------------------ */

/* The same stream under two names would be empty the second time; the same file would count twice. */
static mlpd_status check_once(const char *const *paths, int count, int i) {
  struct stat about, other;
  if (!identify(paths[i], &about)) return MLPD_OK; /* opening it says why */
  for (int k = 0; k < count; k++)
    if (k != i && identify(paths[k], &other) && about.st_dev == other.st_dev && about.st_ino == other.st_ino)
      return FAIL(MLPD_ERROR_USAGE, "%s and %s are the same input", spool_name(paths[k]), spool_name(paths[i]));
  return MLPD_OK;
}

static mlpd_status add(spools *s, const char *path, const spool_watch *watch) {
  spool *const larger = realloc(s->all, ((size_t)s->count + 1) * sizeof *larger);
  if (larger == NULL) return FAIL(MLPD_ERROR_MEMORY, "out of memory for a stream");
  s->all = larger;
  spool *const made = &s->all[s->count++];
  *made = (spool){.descriptor = -1};
  TRY(memory_copy_string(spool_name(path), &made->name));
  return copy_stream(path, &(copying){.to = made, .folder = s->folder, .watch = watch, .from = -1});
}

mlpd_status spools_fill(spools *s, const char *const *paths, int count, const spool_watch *watch) {
  for (int i = 0; i < count; i++) {
    if (!spool_is_needed(paths[i])) continue;
    TRY(check_once(paths, count, i));
    if (spools_find(s, paths[i]) != NULL) continue;
    (void)snprintf(s->folder, sizeof s->folder, "%s", folder_temporary());
    TRY(add(s, paths[i], watch));
  }
  return MLPD_OK;
}

void spools_free(spools *s) {
  for (int i = 0; i < s->count; i++) {
    if (s->all[i].descriptor >= 0) (void)close(s->all[i].descriptor);
    free(s->all[i].name);
  }
  free(s->all);
  *s = (spools){.count = 0};
}
