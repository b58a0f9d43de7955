/* A file that grows at its end during a run, such as metrics.csv; its whole content is kept in memory. Content
 * that did not fit on a full disk is written later. Nothing here is collective. */
#ifndef MLPDIST_GROWING_FILE_H
#define MLPDIST_GROWING_FILE_H

#include "base/file_output.h"

typedef struct growing_file {
  char path[FILE_PATH_BYTES];
  char *text;          /* the content so far, and a final 0 */
  size_t length, room; /* of the text */
  size_t written;      /* bytes of the text that are in the file */
  bool is_open;
  int descriptor;
} growing_file;

/* Adds to the content in memory. */
mlpd_status growing_append(growing_file *g, const void *bytes, size_t count);

/* Writes the whole content to a temporary file beside path, on disk; the caller commits or discards it. */
mlpd_status growing_prepare(const growing_file *g, file_output *out);

/* Opens the file, which already holds the content, for appending. */
mlpd_status growing_open(growing_file *g);

/* Writes the content that the file lacks, or all of it if the file was removed. If the disk is full, an incomplete
 * piece is cut off; the next attempt writes it again. */
mlpd_status growing_flush(growing_file *g);

/* Closes, and forgets the content. */
void growing_close(growing_file *g);

#endif
