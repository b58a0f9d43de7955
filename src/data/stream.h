/* Rows that are streamed: of each lane of this rank the window in use and the two after it are in memory; a thread of
 * the stream's own reads ahead, over the ends of epochs too. Nothing here is collective. */
#ifndef MLPDIST_STREAM_H
#define MLPDIST_STREAM_H

#include "data/dataset.h"

enum { STREAM_WINDOWS = 3 }; /* of a lane in memory */

typedef struct stream stream;

/* Borrowed parts of a stream; all must outlive it. */
typedef struct stream_parts {
  part *from; /* open; may be read from other threads, too */
  const lane_plan *plan;
  const lane_plan *split; /* the plan's rows are positions of it; NULL: rows of the file */
  uint32_t lane_begin, lane_end;
  uint64_t window_rows, seed, epochs; /* epochs: after them nothing is read */
  bool as_classes;
  uint32_t num_classes;
  const affine *target; /* of a regression: by which targets are mapped */
} stream_parts;

mlpd_status stream_create(const stream_parts *parts, stream **made);
void stream_free(stream *s); /* NULL is allowed. */

/* Arrays of the kinds that the windows have, rows aside. */
const shard *stream_kinds(const stream *s);

/* Waits until the rows of a step (from 0) of an epoch (from 0) are there, of all lanes. Steps must come in order; the
 * first may be any. Windows before those of the step are given up. MLPD_ERROR_FILE and others as of shard_fill: what
 * the thread met. */
mlpd_status stream_take(stream *s, uint64_t epoch, uint64_t step);

/* Rows [begin, begin + count) of what a lane of the plan has in the epoch of the step taken, which must be among the
 * step's: the first *count of them, which lie in one window, at order[0 ...] of *rows. Any thread. */
const uint32_t *stream_rows(const stream *s, uint32_t lane, uint64_t begin, uint64_t *count, const shard **rows);

/* Bytes of the windows of lanes. */
uint64_t stream_size(const lane_plan *plan, uint32_t lane_begin, uint32_t lane_end, uint64_t window_rows,
                     uint64_t row_bytes);

#endif
