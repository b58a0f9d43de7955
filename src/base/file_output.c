#define _GNU_SOURCE /* fopencookie */
#include "base/file_output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file_leftover.h"

enum { MOST_LINKS = 40, MOST_TRIES = 100 };

/* ---- Which file is it ------------------------------------------------------------------------------ */

static file_identity identity_of(const struct stat *about) {
  return (file_identity){.device = about->st_dev, .inode = about->st_ino, .known = true};
}

file_identity file_identify(const char *path) {
  struct stat about;
  return path != NULL && stat(path, &about) == 0 ? identity_of(&about) : (file_identity){.known = false};
}

/* "-" is a standard stream; where that is a terminal or a pipe, nothing in it can be destroyed. */
static file_identity identify_stream(const char *path, int standard) {
  struct stat about;
  if (path == NULL || strcmp(path, "-") != 0) return file_identify(path);
  return fstat(standard, &about) == 0 && S_ISREG(about.st_mode) ? identity_of(&about) : (file_identity){.known = false};
}

file_identity file_identify_output(const char *out) { return identify_stream(out, STDOUT_FILENO); }

bool file_identities_equal(const file_identity *a, const file_identity *b) {
  return a->known && b->known && a->device == b->device && a->inode == b->inode;
}

mlpd_status file_check_apart(const char *out_option, const char *out, const char *input_option, const char *input) {
  const file_identity written = file_identify_output(out), read = identify_stream(input, STDIN_FILENO);
  if (!file_identities_equal(&written, &read)) return MLPD_OK;
  return FAIL(MLPD_ERROR_USAGE, "%s %s is the file that %s reads: writing it would destroy it; name another %s",
              out_option, out, input_option, out_option);
}

/* The descriptor of the standard output or error if path leads there; else -1. */
static int standard_descriptor(const char *path) {
  struct stat named, standard;
  if (strcmp(path, "-") == 0) return STDOUT_FILENO;
  if (stat(path, &named) != 0) return -1;
  for (int descriptor = STDOUT_FILENO; descriptor <= STDERR_FILENO; descriptor++)
    if (fstat(descriptor, &standard) == 0 && named.st_dev == standard.st_dev && named.st_ino == standard.st_ino)
      return descriptor;
  return -1;
}

/* ---- Opening --------------------------------------------------------------------------------------- */

static mlpd_status too_long(const char *path) { return FAIL(MLPD_ERROR_USAGE, "the path %s is too long", path); }

/* target = path with the symbolic links of its last component followed, whether or not a file is there. */
static mlpd_status follow_links(const char *path, char target[FILE_PATH_BYTES]) {
  char named[FILE_PATH_BYTES];
  if (snprintf(target, FILE_PATH_BYTES, "%s", path) >= FILE_PATH_BYTES) return too_long(path);
  for (int links = 0; links < MOST_LINKS; links++) {
    const ssize_t length = readlink(target, named, sizeof named - 1);
    if (length < 0) return MLPD_OK; /* no link, or nothing there */
    named[length] = '\0';
    char *const slash = strrchr(target, '/');
    const size_t folder = named[0] == '/' || slash == NULL ? 0 : (size_t)(slash + 1 - target);
    if (snprintf(target + folder, FILE_PATH_BYTES - folder, "%s", named) >= (int)(FILE_PATH_BYTES - folder))
      return too_long(path);
  }
  return FAIL(MLPD_ERROR_FILE, "%s: too many symbolic links", path);
}

/* The stream's write: keeps the cause of a failure, which stdio forgets. A closed pipe on the standard output is not
 * a failure. */
static ssize_t write_descriptor(void *cookie, const char *text, size_t bytes) {
  file_output *const out = cookie;
  for (size_t done = 0; done < bytes;) {
    const ssize_t written = write(out->descriptor, text + done, bytes - done);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0 && errno == EPIPE && out->standard >= 0) break;
    if (written < 0) {
      if (out->error == 0) out->error = errno;
      return 0;
    }
    done += (size_t)written;
  }
  return (ssize_t)bytes;
}

static mlpd_status open_stream(file_output *out) {
  if (out->descriptor >= 0) out->stream = fopencookie(out, "w", (cookie_io_functions_t){.write = write_descriptor});
  return out->stream != NULL ? MLPD_OK : FAIL(MLPD_ERROR_FILE, "%s: %s", out->path, strerror(errno));
}

static mlpd_status open_through(file_output *out, file_content content, mode_t mode) {
  if (content == FILE_HDF5)
    return FAIL(MLPD_ERROR_FILE, "%s: HDF5 cannot be written to standard output, a pipe or a device; name a file",
                out->path);
  if (S_ISBLK(mode)) return FAIL(MLPD_ERROR_FILE, "%s: is a block device, which is not written to", out->path);
  if (S_ISSOCK(mode)) return FAIL(MLPD_ERROR_FILE, "%s: is a socket, which cannot be opened", out->path);
  out->descriptor = out->standard >= 0 ? dup(out->standard) : open(out->path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
  return open_stream(out);
}

/* The folder that holds path; "." without one. */
static void folder_of(const char *path, char folder[FILE_PATH_BYTES]) {
  const char *const slash = strrchr(path, '/');
  const size_t length = slash == NULL ? 1 : slash == path ? 1 : (size_t)(slash - path);
  memcpy(folder, slash == NULL ? "." : path, length);
  folder[length] = '\0';
}

/* A name below /proc/self/fd may lead to another file than the path that it shows. */
static bool leads_elsewhere(const struct stat *about, const char *target) {
  struct stat reached;
  return stat(target, &reached) != 0 || reached.st_dev != about->st_dev || reached.st_ino != about->st_ino;
}

mlpd_status file_check_folder_of(const char *path) {
  char target[FILE_PATH_BYTES], folder[FILE_PATH_BYTES];
  struct stat about;
  const bool exists = stat(path, &about) == 0;
  if (standard_descriptor(path) >= 0 || (exists && !S_ISREG(about.st_mode))) return MLPD_OK;
  TRY(follow_links(path, target));
  if (exists && leads_elsewhere(&about, target)) return MLPD_OK; /* written through */
  folder_of(target, folder);
  if (stat(folder, &about) != 0) return FAIL(MLPD_ERROR_FILE, "%s: its folder, %s: %s", path, folder, strerror(errno));
  if (!S_ISDIR(about.st_mode)) return FAIL(MLPD_ERROR_FILE, "%s: %s is not a folder", path, folder);
  if (access(folder, W_OK | X_OK) != 0)
    return FAIL(MLPD_ERROR_FILE, "%s: its folder, %s: %s%s", path, folder, strerror(errno),
                exists ? "; the file is replaced by a new one, which is written beside it" : "");
  return MLPD_OK;
}

/* A new file beside the target. */
static mlpd_status open_beside(file_output *out, file_content content) {
  for (int tries = 0; out->descriptor < 0 && tries < MOST_TRIES; tries++) {
    TRY(file_temporary_name(out->temporary, out->target));
    out->descriptor = open(out->temporary, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (out->descriptor < 0 && errno != EEXIST) break;
  }
  if (out->descriptor >= 0) return content == FILE_TEXT ? open_stream(out) : MLPD_OK;
  const mlpd_status status = FAIL(MLPD_ERROR_FILE, "%s: %s", out->path, strerror(errno));
  out->temporary[0] = '\0';
  return status;
}

static void remove_leftovers_of(const char *target) {
  char folder[FILE_PATH_BYTES];
  const char *const slash = strrchr(target, '/');
  folder_of(target, folder);
  file_remove_leftovers(folder, slash != NULL ? slash + 1 : target, NULL);
}

static mlpd_status open_output(const char *path, file_content content, file_output *out) {
  *out = (file_output){.descriptor = -1, .standard = standard_descriptor(path)};
  if (snprintf(out->path, sizeof out->path, "%s", path) >= FILE_PATH_BYTES) return too_long(path);
  struct stat about;
  if (out->standard >= 0) return open_through(out, content, S_IFIFO);
  const bool exists = stat(path, &about) == 0;
  if (!exists && errno == ENAMETOOLONG) return too_long(path);
  if (!exists && errno != ENOENT) return FAIL(MLPD_ERROR_FILE, "%s: %s", path, strerror(errno));
  if (exists && S_ISDIR(about.st_mode)) return FAIL(MLPD_ERROR_FILE, "%s: is a folder, not a file to write", path);
  if (exists && !S_ISREG(about.st_mode)) return open_through(out, content, about.st_mode);
  TRY(follow_links(path, out->target));
  if (exists && leads_elsewhere(&about, out->target)) return open_through(out, content, about.st_mode);
  if (exists && access(out->target, W_OK) != 0)
    return FAIL(MLPD_ERROR_FILE, "%s: exists and may not be written: %s", path, strerror(errno));
  TRY(file_check_folder_of(path));
  remove_leftovers_of(out->target);
  return open_beside(out, content);
}

mlpd_status file_output_open(const char *path, file_content content, file_output *out) {
  const mlpd_status status = open_output(path, content, out);
  if (status != MLPD_OK) file_output_discard(out);
  return status;
}

/* ---- Writing and closing --------------------------------------------------------------------------- */

static mlpd_status write_failed(const file_output *out, int error) {
  return FAIL(MLPD_ERROR_FILE, "%s: %s", strcmp(out->path, "-") == 0 ? "standard output" : out->path, strerror(error));
}

mlpd_status file_output_flush(file_output *out) {
  const bool flushed = fflush(out->stream) == 0;
  return flushed && out->error == 0 ? MLPD_OK : write_failed(out, out->error);
}

static mlpd_status sync_descriptor(const char *path, int descriptor) {
  /* Some file systems cannot sync folders, and pipes cannot be synced at all: both return EINVAL. */
  if (fsync(descriptor) == 0 || errno == EINVAL || errno == ENOTSUP || errno == EROFS) return MLPD_OK;
  return FAIL(MLPD_ERROR_FILE, "%s: %s", path, strerror(errno));
}

static mlpd_status sync_folder_of(const char *path) {
  char folder[FILE_PATH_BYTES];
  folder_of(path, folder);
  const int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return errno == EACCES ? MLPD_OK : FAIL(MLPD_ERROR_FILE, "%s: %s", path, strerror(errno));
  const mlpd_status status = sync_descriptor(path, descriptor);
  (void)close(descriptor);
  return status;
}

static mlpd_status close_descriptor(file_output *out) {
  if (out->stream != NULL) (void)fclose(out->stream); /* flushed before, or of no use */
  const bool closed = out->descriptor < 0 || close(out->descriptor) == 0;
  out->stream = NULL;
  out->descriptor = -1;
  return closed ? MLPD_OK : write_failed(out, errno);
}

mlpd_status file_output_sync(file_output *out) {
  if (out->stream != NULL) TRY(file_output_flush(out));
  return out->temporary[0] != '\0' ? sync_descriptor(out->path, out->descriptor) : MLPD_OK;
}

mlpd_status file_output_commit(file_output *out) {
  const bool through = out->temporary[0] == '\0';
  mlpd_status status = file_output_sync(out);
  if (status == MLPD_OK) status = close_descriptor(out);
  if (status == MLPD_OK && !through && rename(out->temporary, out->target) != 0)
    status = FAIL(MLPD_ERROR_FILE, "%s: %s", out->path, strerror(errno));
  if (status != MLPD_OK) file_output_discard(out);
  return status != MLPD_OK || through ? status : sync_folder_of(out->target);
}

void file_output_discard(file_output *out) {
  (void)close_descriptor(out);
  if (out->temporary[0] != '\0') (void)unlink(out->temporary);
  out->temporary[0] = '\0';
}

mlpd_status file_write_text(const char *path, const char *text) {
  file_output out;
  TRY(file_output_open(path, FILE_TEXT, &out));
  (void)fputs(text, out.stream);
  return file_output_commit(&out);
}
