/* Streams rows from the file while training. A rank keeps the current window and the next two of each of its lanes in
 * memory; a background thread reads ahead, also from one epoch into the next. Nothing here is collective. */
#ifndef MLPDIST_STREAM_H
#define MLPDIST_STREAM_H

#include "data/shard.h"

enum { STREAM_WINDOWS = 3 }; /* windows of a lane in memory */

typedef struct stream stream;

/* Borrowed parts of a stream; all must outlive it. */
typedef struct stream_parts {
  part *from; /* open; other threads may read it at the same time */
  const lane_plan *plan;
  const lane_plan *split; /* if not NULL, rows of plan are positions of split; else they are rows of the file */
  uint32_t lane_begin, lane_end;
  uint64_t window_rows, seed, epochs; /* nothing is read after `epochs` epochs */
  bool as_classes;
  uint32_t num_classes;
  const affine *target; /* for a regression: maps the targets */
} stream_parts;

mlpd_status stream_create(const stream_parts *parts, stream **made);
uint64_t stream_size(const stream_parts *parts); /* bytes of the windows that stream_create allocates, by a dry run */
void stream_free(stream *s);                     /* NULL is allowed. */

/* A shard with the same types and columns as every window; its rows are meaningless. */
const shard *stream_kinds(const stream *s);

/* Waits until the rows of a step (from 0) of an epoch (from 0) are in memory, for all lanes, and releases the windows
 * before them. Any step may be the first; after it they must come in order. Returns an error that the background thread
 * met, such as those of shard_fill. */
mlpd_status stream_take(stream *s, uint64_t epoch, uint64_t step);

/* Finds rows of the step taken: rows [begin, begin + *count) of those that the lane has in this epoch. Sets *rows to
 * the window with the first of them, and *count to how many of them it holds; returns their indices in *rows. Threads
 * may call it at the same time. */
const uint32_t *stream_rows(const stream *s, uint32_t lane, uint64_t begin, uint64_t *count, const shard **rows);

#endif
