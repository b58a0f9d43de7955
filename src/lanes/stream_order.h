/* The order of rows that are streamed. In an epoch a lane's blocks come in a keyed order; the sequence is cut into
 * windows of window_rows rows, and the rows of a window are shuffled. All of it is counted from (seed, epoch, lane,
 * window): nothing is consumed, and no rank, thread or resumption changes it. A window lies in few runs of the file; a
 * microbatch is rows one after the other of the lane's sequence, as of its order in memory. Nothing here is collective.
 */
#ifndef MLPDIST_STREAM_ORDER_H
#define MLPDIST_STREAM_ORDER_H

#include "lanes/lanes.h"

/* Rows of a window where nobody says: all lanes together have STREAM_WINDOW_BYTES of rows in one, of row_bytes each, or
 * 1024 rows a lane where that is more, and no more than the lane. given > 0: what was asked for. At least the largest
 * microbatch, so that one meets two windows at most. From plan and file alone, so equal on all ranks. */
enum { STREAM_WINDOW_BYTES = 32 << 20 };
uint64_t stream_window_rows(const lane_plan *plan, uint64_t given, uint64_t row_bytes);

/* The blocks of one lane: pieces of the plan's order. */
typedef struct stream_lane {
  const lane_plan *plan, *split; /* borrowed; split: the plan's rows are its positions, or NULL */
  uint64_t seed, window_rows;
  uint32_t lane;
  uint64_t rows, num_windows;
  uint64_t first_place; /* of its blocks, which are num_blocks; the first and the last may be other lanes', too */
  uint32_t num_blocks;
  uint32_t *order; /* (num_blocks): room for an epoch's order */
} stream_lane;

/* Free with stream_lane_free, on failure too. */
mlpd_status stream_lane_create(const lane_plan *plan, const lane_plan *split, uint64_t seed, uint64_t window_rows,
                               uint32_t lane, stream_lane *made);
void stream_lane_free(stream_lane *lane);

uint64_t stream_lane_window(const stream_lane *lane, uint64_t window); /* its rows */

/* The file's rows of a window (from 0) of an epoch, sorted, with positions from 0 in the window; *runs is allocated
 * (free()). */
mlpd_status stream_lane_runs(stream_lane *lane, uint64_t epoch, uint64_t window, row_run **runs, uint64_t *num_runs);

/* order (rows of the window) becomes the order in which the window's positions are taken */
void stream_lane_shuffle(const stream_lane *lane, uint64_t epoch, uint64_t window, uint32_t *order);

#endif
