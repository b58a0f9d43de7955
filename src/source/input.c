#include "source/input.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <zlib.h>

#include "base/memory.h"

enum { BUFFER_BYTES = 1 << 18, READ_MOST = 1 << 28 }; /* bytes; gzread counts in int */

static const double REPORT_INTERVAL = 0.1; /* seconds */

struct input {
  char *path, *name;
  meter *progress;
  uint64_t stored; /* bytes on disk */
  uint64_t limit;  /* most bytes that can be read */

  gzFile gz;        /* a plain or gzip file; NULL: an entry of an archive */
  uint64_t counted; /* bytes of gz already added to the meter */

  FILE *file; /* the archive */
  bool deflated, inflating;
  z_stream z;
  uint8_t *buffer; /* (BUFFER_BYTES) packed bytes */
  uint64_t begin, packed_left, unpacked_left;
  uint32_t crc, crc_wanted;
};

static double seconds_now(void) {
  struct timespec now;
  (void)clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

void meter_expect(meter *m, uint64_t bytes) { m->total += bytes; }

static void meter_add(meter *m, uint64_t bytes) {
  m->done += bytes;
  if (m->report == NULL) return;
  const double now = seconds_now();
  if (now - m->last_report < REPORT_INTERVAL) return;
  m->last_report = now;
  m->report(m->context, m->done < m->total ? m->done : m->total, m->total);
}

void meter_finish(meter *m) {
  if (m->report != NULL) m->report(m->context, m->total, m->total);
}

static mlpd_status regular_file_size(const char *path, const spools *streams, uint64_t *bytes) {
  struct stat info;
  char place[SPOOL_PLACE_BYTES];
  if (stat(spools_place(streams, path, place), &info) != 0)
    return FAIL(MLPD_ERROR_FILE, "%s: %s", path, strerror(errno));
  if (S_ISDIR(info.st_mode)) return FAIL(MLPD_ERROR_FILE, "%s: is a folder; name the files in it", path);
  if (!S_ISREG(info.st_mode)) return FAIL(MLPD_ERROR_FILE, "%s: is not a regular file", path);
  *bytes = (uint64_t)info.st_size;
  return MLPD_OK;
}

static mlpd_status input_create(const char *path, meter *m, input **made) {
  TRY(memory_allocate(made, 1, sizeof **made, "input"));
  (*made)->progress = m;
  mlpd_status status = memory_copy_string(path, &(*made)->path);
  if (status == MLPD_OK) status = regular_file_size(path, m->streams, &(*made)->stored);
  return status;
}

static uint64_t unpacked_most(uint64_t packed) {
  return packed > UINT64_MAX / DEFLATE_MOST ? UINT64_MAX : packed * DEFLATE_MOST;
}

mlpd_status input_open(const char *path, meter *m, input **opened) {
  *opened = NULL;
  input *in = NULL;
  mlpd_status status;
  char place[SPOOL_PLACE_BYTES];
  TRY_GOTO(status, input_create(path, m, &in), failed);
  TRY_GOTO(status, memory_copy_string(path, &in->name), failed);
  in->gz = gzopen(spools_place(m->streams, path, place), "rb");
  if (in->gz == NULL) {
    status = FAIL(MLPD_ERROR_FILE, "%s: %s", path, errno != 0 ? strerror(errno) : "out of memory");
    goto failed;
  }
  (void)gzbuffer(in->gz, BUFFER_BYTES);
  in->limit = gzdirect(in->gz) ? in->stored : unpacked_most(in->stored);
  *opened = in;
  return MLPD_OK;
failed:
  input_close(in);
  return status;
}

static mlpd_status entry_start(input *in) {
  if (fseeko(in->file, (off_t)in->begin, SEEK_SET) != 0)
    return FAIL(MLPD_ERROR_FILE, "%s: %s", in->name, strerror(errno));
  in->packed_left = in->stored;
  in->unpacked_left = in->limit;
  in->crc = 0;
  in->z.next_in = in->buffer;
  in->z.avail_in = 0;
  if (!in->deflated) return MLPD_OK;
  /* -MAX_WBITS: deflate without a zlib header, as in zip archives. */
  const int code = in->inflating ? inflateReset(&in->z) : inflateInit2(&in->z, -MAX_WBITS);
  if (code != Z_OK) return FAIL(MLPD_ERROR_MEMORY, "%s: zlib cannot start to inflate (%d)", in->name, code);
  in->inflating = true;
  return MLPD_OK;
}

mlpd_status input_open_entry(const char *path, const zip_entry *entry, meter *m, input **opened) {
  *opened = NULL;
  input *in = NULL;
  mlpd_status status;
  char place[SPOOL_PLACE_BYTES];
  TRY_GOTO(status, input_create(path, m, &in), failed);
  const uint64_t file_size = in->stored;
  const size_t name_bytes = strlen(path) + strlen(entry->name) + 3;
  TRY_GOTO(status, memory_allocate(&in->name, name_bytes, 1, "input name"), failed);
  (void)snprintf(in->name, name_bytes, "%s: %s", path, entry->name);
  TRY_GOTO(status, memory_allocate(&in->buffer, BUFFER_BYTES, 1, "input buffer"), failed);
  in->file = fopen(spools_place(m->streams, path, place), "rb");
  if (in->file == NULL) {
    status = FAIL(MLPD_ERROR_FILE, "%s: %s", path, strerror(errno));
    goto failed;
  }
  TRY_GOTO(status, zip_locate(in->file, file_size, path, entry, &in->begin), failed);
  in->deflated = entry->deflated;
  in->stored = entry->stored;
  in->limit = entry->size;
  in->crc_wanted = entry->crc;
  TRY_GOTO(status, entry_start(in), failed);
  *opened = in;
  return MLPD_OK;
failed:
  input_close(in);
  return status;
}

void input_close(input *in) {
  if (in == NULL) return;
  if (in->gz != NULL) (void)gzclose(in->gz);
  if (in->file != NULL) (void)fclose(in->file);
  if (in->inflating) (void)inflateEnd(&in->z);
  free(in->buffer);
  free(in->path);
  free(in->name);
  free(in);
}

static mlpd_status gz_read(input *in, uint8_t *out, size_t bytes, size_t *got) {
  while (*got < bytes) {
    const size_t left = bytes - *got;
    const int count = gzread(in->gz, out + *got, left < READ_MOST ? (unsigned)left : READ_MOST);
    int code = Z_OK;
    const char *text = count <= 0 ? gzerror(in->gz, &code) : "";
    if (count < 0 || (code != Z_OK && code != Z_STREAM_END)) {
      if (code == Z_ERRNO) return FAIL(MLPD_ERROR_FILE, "%s: %s", in->path, strerror(errno));
      return FAIL(MLPD_ERROR_DATA, "%s: damaged or truncated gzip file (%s)", in->path, text);
    }
    if (count == 0) break;
    *got += (size_t)count;
    const z_off_t offset = gzoffset(in->gz);
    if (offset > 0 && (uint64_t)offset > in->counted) {
      meter_add(in->progress, (uint64_t)offset - in->counted);
      in->counted = (uint64_t)offset;
    }
  }
  return MLPD_OK;
}

static mlpd_status fill_buffer(input *in) {
  const size_t want = in->packed_left < BUFFER_BYTES ? (size_t)in->packed_left : BUFFER_BYTES;
  if (want == 0 || fread(in->buffer, 1, want, in->file) != want)
    return FAIL(MLPD_ERROR_DATA, "%s: damaged zip archive (entry ends early)", in->name);
  in->packed_left -= want;
  in->z.next_in = in->buffer;
  in->z.avail_in = (unsigned)want;
  meter_add(in->progress, want);
  return MLPD_OK;
}

/* Unpacks up to bytes (at most READ_MOST), at least one. */
static mlpd_status entry_unpack(input *in, uint8_t *out, unsigned bytes, unsigned *got) {
  if (!in->deflated) {
    if (in->z.avail_in == 0) TRY(fill_buffer(in));
    *got = bytes < in->z.avail_in ? bytes : in->z.avail_in;
    memcpy(out, in->z.next_in, *got);
    in->z.next_in += *got;
    in->z.avail_in -= *got;
    return MLPD_OK;
  }
  in->z.next_out = out;
  in->z.avail_out = bytes;
  while (in->z.avail_out == bytes) {
    if (in->z.avail_in == 0 && in->packed_left > 0) TRY(fill_buffer(in)); /* else zlib may still hold output */
    const int code = inflate(&in->z, Z_NO_FLUSH);
    if (code != Z_OK && (code != Z_STREAM_END || in->z.avail_out == bytes))
      return FAIL(MLPD_ERROR_DATA, "%s: damaged zip archive (cannot inflate)", in->name);
  }
  *got = bytes - in->z.avail_out;
  return MLPD_OK;
}

static mlpd_status entry_read(input *in, uint8_t *out, size_t bytes, size_t *got) {
  while (*got < bytes && in->unpacked_left > 0) {
    uint64_t want = bytes - *got;
    if (want > in->unpacked_left) want = in->unpacked_left;
    if (want > READ_MOST) want = READ_MOST;
    unsigned count = 0;
    TRY(entry_unpack(in, out + *got, (unsigned)want, &count));
    in->crc = (uint32_t)crc32(in->crc, out + *got, count);
    in->unpacked_left -= count;
    *got += count;
    if (in->unpacked_left == 0 && in->crc != in->crc_wanted)
      return FAIL(MLPD_ERROR_DATA, "%s: damaged zip archive (checksum differs)", in->name);
  }
  return MLPD_OK;
}

mlpd_status input_read(input *in, void *out, size_t bytes, size_t *got) {
  *got = 0;
  return in->gz != NULL ? gz_read(in, out, bytes, got) : entry_read(in, out, bytes, got);
}

mlpd_status input_rewind(input *in) {
  if (in->gz == NULL) return entry_start(in);
  in->counted = 0;
  if (gzrewind(in->gz) != 0) return FAIL(MLPD_ERROR_FILE, "%s: cannot be read a second time", in->path);
  return MLPD_OK;
}

const char *input_name(const input *in) { return in->name; }
const char *input_path(const input *in) { return in->path; }
bool input_is_packed(const input *in) { return in->gz != NULL && gzdirect(in->gz) == 0; }
bool input_is_stream(const input *in) { return spools_find(in->progress->streams, in->path) != NULL; }
uint64_t input_stored(const input *in) { return in->stored; }
uint64_t input_limit(const input *in) { return in->limit; }
