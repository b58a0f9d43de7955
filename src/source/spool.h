/* Streams as inputs: the standard input ("-"), pipes and devices, which can be read only once. Their bytes are copied
 * to temporary files without a name, which are then read as often as wanted. Nothing here is collective. */
#ifndef MLPDIST_SOURCE_SPOOL_H
#define MLPDIST_SOURCE_SPOOL_H

#include <sys/types.h>

#include "base/file.h"

enum { SPOOL_PLACE_BYTES = 40 };

typedef struct spool {
  char *name;     /* as given, for messages; of "-": "standard input" */
  int descriptor; /* of the temporary file */
  uint64_t bytes;
  uint64_t digest; /* XXH3 of the bytes: they are all that is known of a stream */
} spool;

typedef struct spools {
  spool *all; /* (count) */
  int count;
  char folder[FILE_PATH_BYTES]; /* of the temporary files */
} spools;

/* Whom a long wait for bytes is reported to, and who ends it. All may be NULL. */
typedef struct spool_watch {
  void (*report)(void *context, uint64_t done_bytes, uint64_t total_bytes); /* about 20 times a second; total is 0 */
  void *context;
  bool (*stopped)(void *context);
} spool_watch;

/* Is path a stream? Nothing is opened. */
bool spool_is_needed(const char *path);

const char *spool_name(const char *path); /* path, or "standard input" */

/* Copies the streams among paths (count) that *s does not hold yet, to the end of each. MLPD_ERROR_USAGE if one occurs
 * twice, MLPD_ERROR_FILE if one is empty or the disk is full. Free *s with spools_free in any case. */
mlpd_status spools_fill(spools *s, const char *const *paths, int count, const spool_watch *watch);
void spools_free(spools *s);

const spool *spools_find(const spools *s, const char *path); /* NULL if path was not copied; s may be NULL */

/* The path under which the bytes of `path` are read: place, or path itself if it was not copied. */
const char *spools_place(const spools *s, const char *path, char place[SPOOL_PLACE_BYTES]);

#endif
