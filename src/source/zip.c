#include "source/zip.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum {
  END_BYTES = 22, /* end of central directory, without comment */
  COMMENT_MOST = 65535,
  LOCATOR_BYTES = 20, /* zip64 end of central directory locator */
  END64_BYTES = 56,
  CENTRAL_BYTES = 46, /* one entry of the directory, without name, extra and comment */
  LOCAL_BYTES = 30,
  DIRECTORY_MOST = 1 << 26, /* bytes */
  ENTRIES_MOST = 10000,
  FLAG_ENCRYPTED = 1,
  METHOD_STORED = 0,
  METHOD_DEFLATED = 8,
  EXTRA_ZIP64 = 1
};

static uint32_t u16_at(const uint8_t *p) { return (uint32_t)p[0] | (uint32_t)p[1] << 8; }
static uint32_t u32_at(const uint8_t *p) { return u16_at(p) | u16_at(p + 2) << 16; }
static uint64_t u64_at(const uint8_t *p) { return (uint64_t)u32_at(p) | (uint64_t)u32_at(p + 4) << 32; }
static bool has_signature(const uint8_t *p, const char *two) {
  return p[0] == 'P' && p[1] == 'K' && p[2] == (uint8_t)two[0] && p[3] == (uint8_t)two[1];
}

static mlpd_status read_at(FILE *file, const char *path, uint64_t offset, void *out, size_t bytes) {
  if (fseeko(file, (off_t)offset, SEEK_SET) != 0 || fread(out, 1, bytes, file) != bytes)
    return FAIL(MLPD_ERROR_FILE, "%s: cannot read %zu bytes at offset %llu", path, bytes, (unsigned long long)offset);
  return MLPD_OK;
}

typedef struct directory {
  uint64_t offset, size, entries;
} directory;

/* The zip64 record replaces fields of the end record that are all ones. */
static mlpd_status read_end64(FILE *file, uint64_t file_size, const char *path, uint64_t end, directory *found) {
  uint8_t locator[LOCATOR_BYTES], record[END64_BYTES];
  if (end < LOCATOR_BYTES) return FAIL(MLPD_ERROR_DATA, "%s: damaged zip archive (no zip64 locator)", path);
  TRY(read_at(file, path, end - LOCATOR_BYTES, locator, sizeof locator));
  const uint64_t offset = u64_at(locator + 8);
  if (!has_signature(locator, "\6\7") || file_size < END64_BYTES || offset > file_size - END64_BYTES)
    return FAIL(MLPD_ERROR_DATA, "%s: damaged zip archive (bad zip64 locator)", path);
  TRY(read_at(file, path, offset, record, sizeof record));
  if (!has_signature(record, "\6\6")) return FAIL(MLPD_ERROR_DATA, "%s: damaged zip archive (bad zip64 record)", path);
  *found = (directory){.offset = u64_at(record + 48), .size = u64_at(record + 40), .entries = u64_at(record + 32)};
  return MLPD_OK;
}

/* The end record lies within the last 64 KB, before a comment of any length. */
static mlpd_status find_directory(FILE *file, uint64_t file_size, const char *path, directory *found) {
  const size_t most = END_BYTES + COMMENT_MOST, tail_bytes = file_size < most ? (size_t)file_size : most;
  uint8_t *tail;
  TRY(memory_allocate(&tail, tail_bytes, 1, "end of the zip archive"));
  mlpd_status status = read_at(file, path, file_size - tail_bytes, tail, tail_bytes);
  if (status != MLPD_OK) goto done;
  for (size_t i = tail_bytes < END_BYTES ? 0 : tail_bytes - END_BYTES + 1; i-- > 0;) {
    const uint8_t *record = tail + i;
    if (!has_signature(record, "\5\6") || u16_at(record + 20) > tail_bytes - i - END_BYTES) continue;
    *found = (directory){.offset = u32_at(record + 16), .size = u32_at(record + 12), .entries = u16_at(record + 10)};
    if (found->offset == UINT32_MAX || found->size == UINT32_MAX || found->entries == UINT16_MAX)
      status = read_end64(file, file_size, path, file_size - tail_bytes + i, found);
    goto done;
  }
  status = FAIL(MLPD_ERROR_DATA, "%s: damaged zip archive (no directory at its end; is the file cut short?)", path);
done:
  free(tail);
  return status;
}

/* Sizes that do not fit 32 bits are in the zip64 extra field, in this order; their fields in the entry are all ones. */
static bool apply_zip64(const uint8_t *extra, size_t bytes, zip_entry *entry) {
  if (entry->size != UINT32_MAX && entry->stored != UINT32_MAX && entry->header != UINT32_MAX) return true;
  for (size_t i = 0; bytes - i >= 4;) {
    const size_t length = u16_at(extra + i + 2);
    if (length > bytes - i - 4) return false;
    if (u16_at(extra + i) == EXTRA_ZIP64) {
      uint64_t *fields[] = {&entry->size, &entry->stored, &entry->header};
      size_t at = i + 4;
      const size_t end = at + length;
      for (size_t f = 0; f < 3; f++) {
        if (*fields[f] != UINT32_MAX) continue;
        if (end - at < 8) return false;
        *fields[f] = u64_at(extra + at);
        at += 8;
      }
      return true;
    }
    i += 4 + length;
  }
  return true;
}

/* Parses one entry of the directory at bytes (`left` bytes remain); *used is its length. */
static mlpd_status parse_entry(const char *path, uint64_t file_size, const uint8_t *bytes, size_t left,
                               zip_entry *entry, size_t *used) {
  if (left < CENTRAL_BYTES || !has_signature(bytes, "\1\2"))
    return FAIL(MLPD_ERROR_DATA, "%s: damaged zip archive (bad directory entry)", path);
  const size_t name = u16_at(bytes + 28), extra = u16_at(bytes + 30), comment = u16_at(bytes + 32);
  if (name + extra + comment > left - CENTRAL_BYTES)
    return FAIL(MLPD_ERROR_DATA, "%s: damaged zip archive (directory entry runs over its end)", path);
  *used = CENTRAL_BYTES + name + extra + comment;
  entry->crc = u32_at(bytes + 16);
  entry->stored = u32_at(bytes + 20);
  entry->size = u32_at(bytes + 24);
  entry->header = u32_at(bytes + 42);
  TRY(memory_allocate(&entry->name, name + 1, 1, "zip entry name"));
  memcpy(entry->name, bytes + CENTRAL_BYTES, name);
  const uint32_t method = u16_at(bytes + 10);
  if (u16_at(bytes + 8) & FLAG_ENCRYPTED) return FAIL(MLPD_ERROR_DATA, "%s: %s is encrypted", path, entry->name);
  if (method != METHOD_STORED && method != METHOD_DEFLATED)
    return FAIL(MLPD_ERROR_DATA, "%s: %s uses compression method %u; only stored and deflated entries are supported",
                path, entry->name, method);
  entry->deflated = method == METHOD_DEFLATED;
  if (!apply_zip64(bytes + CENTRAL_BYTES + name, extra, entry) || entry->header > file_size ||
      entry->stored > file_size - entry->header || (!entry->deflated && entry->size != entry->stored) ||
      entry->size / DEFLATE_MOST > entry->stored)
    return FAIL(MLPD_ERROR_DATA, "%s: damaged zip archive (impossible offset or size of %s)", path, entry->name);
  return MLPD_OK;
}

static mlpd_status parse_directory(FILE *file, const char *path, zip_entry **entries, size_t *count) {
  if (fseeko(file, 0, SEEK_END) != 0) return FAIL(MLPD_ERROR_FILE, "%s: %s", path, strerror(errno));
  const off_t end = ftello(file);
  if (end < 0) return FAIL(MLPD_ERROR_FILE, "%s: %s", path, strerror(errno));
  const uint64_t file_size = (uint64_t)end;
  directory found = {0};
  TRY(find_directory(file, file_size, path, &found));
  if (found.offset > file_size || found.size > file_size - found.offset || found.size > DIRECTORY_MOST ||
      found.entries > ENTRIES_MOST || found.entries > found.size / CENTRAL_BYTES)
    return FAIL(MLPD_ERROR_DATA, "%s: damaged zip archive (impossible directory), or more than %d entries", path,
                ENTRIES_MOST);
  uint8_t *bytes;
  TRY(memory_allocate(&bytes, (size_t)found.size, 1, "zip directory"));
  mlpd_status status;
  TRY_GOTO(status, read_at(file, path, found.offset, bytes, (size_t)found.size), done);
  TRY_GOTO(status, memory_allocate(entries, (size_t)found.entries, sizeof(zip_entry), "zip directory"), done);
  size_t at = 0, used = 0;
  for (*count = 0; *count < found.entries; at += used) {
    zip_entry *entry = &(*entries)[(*count)++];
    TRY_GOTO(status, parse_entry(path, file_size, bytes + at, (size_t)found.size - at, entry, &used), done);
  }
done:
  free(bytes);
  return status;
}

mlpd_status zip_list(const char *path, const char *name, zip_entry **entries, size_t *count) {
  *entries = NULL;
  *count = 0;
  FILE *file = fopen(path, "rb");
  if (file == NULL) return FAIL(MLPD_ERROR_FILE, "%s: %s", name, strerror(errno));
  const mlpd_status status = parse_directory(file, name, entries, count);
  (void)fclose(file);
  if (status != MLPD_OK) {
    zip_list_free(*entries, *count);
    *entries = NULL;
    *count = 0;
  }
  return status;
}

void zip_list_free(zip_entry *entries, size_t count) {
  for (size_t i = 0; i < count; i++) free(entries[i].name);
  free(entries);
}

mlpd_status zip_locate(FILE *file, uint64_t file_size, const char *path, const zip_entry *entry, uint64_t *offset) {
  uint8_t local[LOCAL_BYTES];
  if (file_size < LOCAL_BYTES || entry->header > file_size - LOCAL_BYTES)
    return FAIL(MLPD_ERROR_DATA, "%s: damaged zip archive (%s begins beyond the end)", path, entry->name);
  TRY(read_at(file, path, entry->header, local, sizeof local));
  *offset = entry->header + LOCAL_BYTES + u16_at(local + 26) + u16_at(local + 28);
  if (!has_signature(local, "\3\4") || *offset > file_size || entry->stored > file_size - *offset)
    return FAIL(MLPD_ERROR_DATA, "%s: damaged zip archive (bad header of %s)", path, entry->name);
  return MLPD_OK;
}
