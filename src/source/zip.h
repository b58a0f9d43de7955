/* Reads the directory of a zip archive (PKWARE APPNOTE 6.3), as numpy.savez writes it: stored or deflated entries,
 * zip64 for large ones. Nothing here is collective. */
#ifndef MLPDIST_SOURCE_ZIP_H
#define MLPDIST_SOURCE_ZIP_H

#include "base/status.h"

typedef struct zip_entry {
  char *name;
  uint64_t header;       /* offset of the local header, bytes */
  uint64_t stored, size; /* bytes in the archive, and unpacked */
  uint32_t crc;
  bool deflated; /* false: stored without compression */
} zip_entry;

/* Lists the entries of the archive at path. name is for messages. Offsets and sizes are checked against the file's
 * size. Free with zip_list_free. */
mlpd_status zip_list(const char *path, const char *name, zip_entry **entries, size_t *count);
void zip_list_free(zip_entry *entries, size_t count);

/* Reads the local header of entry; *offset is the position of its first byte in file (of file_size bytes). path is for
 * messages. */
mlpd_status zip_locate(FILE *file, uint64_t file_size, const char *path, const zip_entry *entry, uint64_t *offset);

enum { DEFLATE_MOST = 1032 }; /* most bytes that one deflated byte can yield (zlib's technical notes) */

#endif
