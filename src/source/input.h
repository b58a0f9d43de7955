/* Reads the bytes of an input: a plain or gzip file, or an entry of a zip archive, from beginning to end, any number of
 * times. A meter counts the bytes for the progress callback. Nothing here is collective. */
#ifndef MLPDIST_SOURCE_INPUT_H
#define MLPDIST_SOURCE_INPUT_H

#include "base/status.h"
#include "source/spool.h"
#include "source/zip.h"

typedef struct meter {
  void (*report)(void *context, uint64_t done_bytes, uint64_t total_bytes); /* may be NULL */
  void *context;
  uint64_t done, total;  /* bytes as stored on disk, over all passes */
  double last_report;    /* seconds on the monotonic clock */
  const spools *streams; /* the copies of inputs that are streams; may be NULL */
} meter;

void meter_expect(meter *m, uint64_t bytes); /* adds bytes to the total */
void meter_finish(meter *m);                 /* reports that everything is done */

typedef struct input input;

/* Opens a regular file, or a stream of which m->streams holds a copy; gzip is recognised by its content. The meter must
 * live until input_close. */
mlpd_status input_open(const char *path, meter *m, input **opened);

/* Opens one entry of the zip archive at path. entry is copied. */
mlpd_status input_open_entry(const char *path, const zip_entry *entry, meter *m, input **opened);

void input_close(input *in); /* NULL is allowed. */

/* Reads bytes to out; *got < bytes only at the end. A damaged gzip file or zip entry is
 * MLPD_ERROR_DATA. */
mlpd_status input_read(input *in, void *out, size_t bytes, size_t *got);

mlpd_status input_rewind(input *in);

const char *input_name(const input *in); /* for messages: "data.npz: x_train.npy". */
const char *input_path(const input *in); /* path of the file or the archive */
bool input_is_packed(const input *in);   /* true for a gzip file */
bool input_is_stream(const input *in);   /* true for the copy of a stream */
uint64_t input_stored(const input *in);  /* bytes on disk */

/* The most bytes that the input can yield: the size of a plain file, or deflate's highest expansion. The sizes that
 * headers claim are checked against it before memory is allocated. */
uint64_t input_limit(const input *in);

#endif
