#include "import/onnx_external.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"

static const char CURE[] = "save all in one file, in Python: onnx.save(onnx.load(\"net.onnx\"), \"whole.onnx\")";

/* ---- What the model says ----------------------------------------------------------------------------- */

typedef struct entry {
  protobuf_slice key, value;
} entry;

static mlpd_status read_entry(void *context, const protobuf_field *field) {
  entry *const made = context;
  if (field->number == ONNX_ENTRY_KEY) made->key = field->slice;
  if (field->number == ONNX_ENTRY_VALUE) made->value = field->slice;
  return MLPD_OK;
}

/* A whole number in decimal digits below 2^62. */
static bool read_size(protobuf_slice text, uint64_t *size) {
  *size = 0;
  for (size_t i = 0; i < text.count; i++) {
    if (text.bytes[i] < '0' || text.bytes[i] > '9' || *size > UINT64_C(1) << 58) return false;
    *size = *size * 10 + (uint64_t)(text.bytes[i] - '0');
  }
  return text.count > 0;
}

mlpd_status onnx_external_entry(protobuf_slice message, onnx_external *at) {
  entry e = {{0}, {0}};
  TRY(protobuf_visit(message, read_entry, &e));
  if (protobuf_slice_is(e.key, "location")) at->location = e.value;
  if (protobuf_slice_is(e.key, "offset") && !read_size(e.value, &at->offset)) at->damaged = true;
  if (!protobuf_slice_is(e.key, "length")) return MLPD_OK;
  at->has_length = true;
  if (!read_size(e.value, &at->length)) at->damaged = true;
  return MLPD_OK;
}

/* ---- The data file ----------------------------------------------------------------------------------- */

static mlpd_status open_folder(const char *model, int *folder) {
  char path[FILE_PATH_BYTES];
  const char *const slash = strrchr(model, '/');
  const size_t length = slash == NULL ? 0 : (size_t)(slash - model) + 1;
  if (length >= sizeof path) return FAIL(MLPD_ERROR_USAGE, "its path is too long");
  memcpy(path, model, length);
  path[length] = '\0';
  *folder = open(length > 0 ? path : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  return *folder >= 0 ? MLPD_OK : FAIL(MLPD_ERROR_FILE, "its folder cannot be opened: %s", strerror(errno));
}

static bool stays_below(const char *location) {
  if (location[0] == '/' || location[0] == '\0') return false;
  for (const char *part = location; part != NULL; part = strchr(part, '/')) {
    part += part[0] == '/';
    if (strncmp(part, "..", 2) == 0 && (part[2] == '/' || part[2] == '\0')) return false;
  }
  return true;
}

static bool is_link(int folder, const char *name) {
  struct stat about;
  return fstatat(folder, name, &about, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(about.st_mode);
}

/* Opens part by part, so that none can be a link; takes folder over. -1: errno says why, ELOOP: a link. */
static int open_below(int folder, char *location) {
  char *part = location;
  for (char *slash; folder >= 0 && (slash = strchr(part, '/')) != NULL; part = slash + 1) {
    *slash = '\0';
    const int next = openat(folder, part[0] == '\0' ? "." : part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    const int failed = errno, why = next < 0 && is_link(folder, part) ? ELOOP : failed;
    (void)close(folder);
    errno = why;
    folder = next;
    *slash = '/';
  }
  if (folder < 0) return -1;
  const int file = openat(folder, part, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  const int why = errno;
  (void)close(folder);
  errno = why;
  return file;
}

static mlpd_status read_at(int descriptor, const char *shown, uint64_t offset, uint64_t bytes, unsigned char *into) {
  for (uint64_t done = 0; done < bytes;) {
    const ssize_t got = pread(descriptor, into + done, bytes - done, (off_t)(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0)
      return FAIL(MLPD_ERROR_FILE, "%s, the file with its weights, cannot be read: %s", shown,
                  got < 0 ? strerror(errno) : "it has become shorter");
    done += (uint64_t)got;
  }
  return MLPD_OK;
}

static mlpd_status size_of(int descriptor, const char *shown, uint64_t *size) {
  struct stat about;
  if (fstat(descriptor, &about) != 0)
    return FAIL(MLPD_ERROR_FILE, "%s, the file with its weights, cannot be read: %s", shown, strerror(errno));
  if (!S_ISREG(about.st_mode))
    return FAIL(MLPD_ERROR_DATA, "its weights are in %s, which is no regular file: copy the file there, or %s", shown,
                CURE);
  *size = (uint64_t)about.st_size;
  return MLPD_OK;
}

static mlpd_status read_part(int descriptor, const char *shown, uint64_t offset, uint64_t bytes, unsigned char **made) {
  uint64_t size = 0;
  TRY(size_of(descriptor, shown, &size));
  if (size < offset || size - offset < bytes)
    return FAIL(MLPD_ERROR_DATA,
                "its weights are in %s, which is too short: it has %llu bytes, and an array lies at %llu to %llu",
                shown, (unsigned long long)size, (unsigned long long)offset, (unsigned long long)(offset + bytes));
  TRY(memory_allocate(made, bytes > 0 ? bytes : 1, 1, "weights"));
  return read_at(descriptor, shown, offset, bytes, *made);
}

static mlpd_status refuse_open(const char *shown) {
  if (errno == ELOOP)
    return FAIL(MLPD_ERROR_DATA, "its weights are in %s, which is a link: copy the file there, or %s", shown, CURE);
  return FAIL(MLPD_ERROR_FILE, "its weights are in the file %s, which cannot be opened: %s; put it beside the model",
              shown, strerror(errno));
}

static mlpd_status open_data(const onnx_file *file, const onnx_external *at, char shown[FILE_PATH_BYTES],
                             int *descriptor) {
  char location[FILE_PATH_BYTES];
  int folder = -1;
  if (at->damaged || at->location.count >= sizeof location ||
      (at->location.count > 0 && memchr(at->location.bytes, '\0', at->location.count) != NULL))
    return FAIL(MLPD_ERROR_DATA, "the file is damaged: it does not say where in which file its weights are");
  if (at->location.count > 0) memcpy(location, at->location.bytes, at->location.count);
  location[at->location.count] = '\0';
  mlpd_text_printable(location, shown, FILE_PATH_BYTES);
  if (!stays_below(location))
    return FAIL(MLPD_ERROR_DATA, "its weights are in \"%s\", which is not in the folder of the model: %s", shown, CURE);
  TRY(open_folder(file->path, &folder));
  *descriptor = open_below(folder, location);
  return *descriptor >= 0 ? MLPD_OK : refuse_open(shown);
}

mlpd_status onnx_external_read(const onnx_file *file, const onnx_external *at, uint64_t bytes, unsigned char **made) {
  char shown[FILE_PATH_BYTES];
  int descriptor = -1;
  if (at->has_length && at->length != bytes)
    return FAIL(MLPD_ERROR_DATA, "the file is damaged: an array of %llu bytes has %llu in another file",
                (unsigned long long)bytes, (unsigned long long)at->length);
  TRY(open_data(file, at, shown, &descriptor));
  const mlpd_status status = read_part(descriptor, shown, at->offset, bytes, made);
  (void)close(descriptor);
  return status;
}

/* ---- Size -------------------------------------------------------------------------------------------- */

static mlpd_status find_entry(void *context, const protobuf_field *field) {
  return field->number == ONNX_ARRAY_EXTERNAL ? onnx_external_entry(field->slice, context) : MLPD_OK;
}

static int by_inode(const void *a, const void *b) {
  const struct stat *const one = a, *const other = b;
  if (one->st_dev != other->st_dev) return one->st_dev < other->st_dev ? -1 : 1;
  return (one->st_ino > other->st_ino) - (one->st_ino < other->st_ino);
}

/* Files that cannot be opened are left to onnx_external_read, which says why. */
static size_t find_files(const onnx_file *file, struct stat *found) {
  protobuf_slice last = {0};
  size_t count = 0;
  for (uint32_t i = 0; i < file->num_arrays; i++) {
    onnx_external at = {0};
    char shown[FILE_PATH_BYTES];
    int descriptor = -1;
    if (protobuf_visit(file->arrays[i].content, find_entry, &at) != MLPD_OK || at.location.count == 0) continue;
    if (protobuf_slices_equal(at.location, last) || open_data(file, &at, shown, &descriptor) != MLPD_OK) continue;
    count += fstat(descriptor, &found[count]) == 0 && S_ISREG(found[count].st_mode);
    (void)close(descriptor);
    last = at.location;
  }
  return count;
}

mlpd_status onnx_external_size(const onnx_file *file, uint64_t *bytes) {
  struct stat *found = NULL;
  *bytes = 0;
  if (file->num_arrays == 0) return MLPD_OK;
  TRY(memory_allocate(&found, file->num_arrays, sizeof *found, "data files"));
  const size_t count = find_files(file, found);
  qsort(found, count, sizeof *found, by_inode);
  for (size_t i = 0; i < count; i++)
    if (i == 0 || by_inode(&found[i - 1], &found[i]) != 0) *bytes += (uint64_t)found[i].st_size;
  free(found);
  return MLPD_OK;
}
