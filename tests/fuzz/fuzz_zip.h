/* Small zip archives, as numpy.savez and Keras write them, for seeds and for what a fuzzer packs. */
#ifndef MLPDIST_FUZZ_ZIP_H
#define MLPDIST_FUZZ_ZIP_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { ZIP_BYTES = 1 << 17 };

static inline uint8_t *zip_put(uint8_t *at, uint64_t value, int bytes) {
  for (int i = 0; i < bytes; i++) *at++ = i < 8 ? (uint8_t)(value >> 8 * i) : 0;
  return at;
}

typedef struct zip_writer {
  uint8_t file[ZIP_BYTES], directory[1024];
  size_t size, directory_size;
  int entries;
} zip_writer;

/* The deflated data, of at most `most` bytes; returns its size. */
static inline size_t zip_deflate(const uint8_t *data, size_t size, uint8_t *packed, size_t most) {
  z_stream z = {.next_in = (uint8_t *)(uintptr_t)data,
                .avail_in = (unsigned)size,
                .next_out = packed,
                .avail_out = (unsigned)most};
  if (deflateInit2(&z, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) != Z_OK || deflate(&z, Z_FINISH) != Z_STREAM_END)
    abort();
  (void)deflateEnd(&z);
  return z.total_out;
}

/* A deflated entry has at most 2048 bytes then. */
static inline void zip_add(zip_writer *zip, const char *name, const uint8_t *data, size_t size, bool deflated) {
  uint8_t packed[2048];
  const size_t stored = deflated ? zip_deflate(data, size, packed, sizeof packed) : size, header = zip->size,
               name_bytes = strlen(name);
  const uint64_t crc = crc32(0, data, (unsigned)size);
  for (int central = 0; central < 2; central++) {
    uint8_t *at = central ? zip->directory + zip->directory_size : zip->file + zip->size;
    at = zip_put(at, central ? 0x02014b50 : 0x04034b50, 4);
    if (central) at = zip_put(at, 20, 2);
    at = zip_put(zip_put(zip_put(zip_put(at, 20, 2), 0, 2), deflated ? 8 : 0, 2), 0, 4);
    at = zip_put(zip_put(zip_put(zip_put(at, crc, 4), stored, 4), size, 4), name_bytes, 2);
    at = zip_put(at, 0, central ? 12 : 2); /* extra; of the directory also comment, disk and attributes */
    if (central) at = zip_put(at, header, 4);
    memcpy(at, name, name_bytes);
    at += name_bytes;
    if (central) {
      zip->directory_size = (size_t)(at - zip->directory);
      continue;
    }
    memcpy(at, deflated ? packed : data, stored);
    zip->size = (size_t)(at + stored - zip->file);
  }
  zip->entries++;
}

/* Puts the directory after the entries; returns the size of the file. */
static inline size_t zip_finish(zip_writer *zip) {
  memcpy(zip->file + zip->size, zip->directory, zip->directory_size);
  uint8_t *at = zip->file + zip->size + zip->directory_size;
  at = zip_put(zip_put(zip_put(at, 0x06054b50, 4), 0, 4), (uint64_t)zip->entries, 2);
  at = zip_put(zip_put(zip_put(zip_put(at, (uint64_t)zip->entries, 2), zip->directory_size, 4), zip->size, 4), 0, 2);
  return (size_t)(at - zip->file);
}

#endif
