#include "run/growing_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

mlpd_status growing_append(growing_file *g, const void *bytes, size_t count) {
  if (g->length + count + 1 > g->room) {
    const size_t room = 2 * (g->length + count + 1);
    char *const larger = realloc(g->text, room);
    if (larger == NULL) return FAIL(MLPD_ERROR_MEMORY, "%s: out of memory", g->path);
    g->text = larger;
    g->room = room;
  }
  memcpy(g->text + g->length, bytes, count);
  g->length += count;
  g->text[g->length] = '\0';
  return MLPD_OK;
}

static mlpd_status failed(const growing_file *g) { return FAIL(MLPD_ERROR_FILE, "%s: %s", g->path, strerror(errno)); }

mlpd_status growing_prepare(const growing_file *g, file_output *out) {
  TRY(file_output_open(g->path, FILE_TEXT, out));
  (void)fwrite(g->text, 1, g->length, out->stream); /* a failure shows in the next line */
  const mlpd_status status = file_output_sync(out);
  if (status != MLPD_OK) file_output_discard(out);
  return status;
}

mlpd_status growing_open(growing_file *g) {
  if (g->is_open) (void)close(g->descriptor);
  g->descriptor = open(g->path, O_WRONLY | O_CLOEXEC);
  g->is_open = g->descriptor >= 0;
  g->written = g->length;
  return g->is_open ? MLPD_OK : failed(g);
}

/* Does the path still name the open file? */
static bool is_in_place(const growing_file *g) {
  struct stat about;
  const file_identity named = file_identify(g->path);
  return g->is_open && named.known && fstat(g->descriptor, &about) == 0 && about.st_dev == named.device &&
         about.st_ino == named.inode;
}

static mlpd_status write_rest(growing_file *g) {
  while (g->written < g->length) {
    const size_t rest = g->length - g->written;
    const ssize_t done = pwrite(g->descriptor, g->text + g->written, rest, (off_t)g->written);
    if (done < 0 && errno == EINTR) continue;
    if (done >= 0 && (size_t)done == rest) {
      g->written = g->length;
      return MLPD_OK;
    }
    const int error = done < 0 ? errno : ENOSPC;
    (void)!ftruncate(g->descriptor, (off_t)g->written);
    errno = error;
    return failed(g);
  }
  return MLPD_OK;
}

mlpd_status growing_flush(growing_file *g) {
  if (is_in_place(g)) return write_rest(g);
  file_output out;
  TRY(growing_prepare(g, &out));
  TRY(file_output_commit(&out));
  return growing_open(g);
}

void growing_close(growing_file *g) {
  if (g->is_open) (void)close(g->descriptor);
  g->is_open = false;
  free(g->text);
  g->text = NULL;
  g->length = g->written = g->room = 0;
}
