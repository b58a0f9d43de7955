/* The order of streamed rows. In each epoch a lane's blocks are permuted; the resulting sequence is divided into
 * windows of window_rows rows, and the rows of each window are shuffled. The random numbers are counted from (seed,
 * epoch, lane, window), so the order does not depend on ranks, threads or resuming. A window consists of few runs of
 * the file, and a microbatch of consecutive rows of the lane's sequence. Nothing here is collective. */
#ifndef MLPDIST_STREAM_ORDER_H
#define MLPDIST_STREAM_ORDER_H

#include "lanes/lanes.h"

/* Rows of a window: `given` if it is > 0. Otherwise a window of all lanes together holds STREAM_WINDOW_BYTES of rows
 * (of row_bytes each), but at least 1024 rows per lane, and at most the lane. In any case at least the largest
 * microbatch, so that a microbatch is in at most two windows. Equal on all ranks. */
enum { STREAM_WINDOW_BYTES = 32 << 20 };
uint64_t stream_window_rows(const lane_plan *plan, uint64_t given, uint64_t row_bytes);

/* The blocks of one lane, in the plan's order. */
typedef struct stream_lane {
  const lane_plan *plan, *split; /* borrowed; if split is not NULL, rows of plan are positions of split */
  uint64_t seed, window_rows;
  uint32_t lane;
  uint64_t rows, num_windows;
  uint64_t first_place; /* place of its first block; the first and the last may be shared with other lanes */
  uint32_t num_blocks;
  uint32_t *order; /* (num_blocks): the blocks' order in an epoch */
} stream_lane;

/* Free with stream_lane_free, also on failure. */
mlpd_status stream_lane_create(const lane_plan *plan, const lane_plan *split, uint64_t seed, uint64_t window_rows,
                               uint32_t lane, stream_lane *made);
void stream_lane_free(stream_lane *lane);

uint64_t stream_lane_window(const stream_lane *lane, uint64_t window); /* number of rows of a window */

/* Lists the file's rows of a window (from 0) of an epoch, sorted, with positions from 0 in the window. Free *runs with
 * free(). */
mlpd_status stream_lane_runs(stream_lane *lane, uint64_t epoch, uint64_t window, row_run **runs, uint64_t *num_runs);

/* Writes the shuffled order of the window's positions to order (rows of the window). */
void stream_lane_shuffle(const stream_lane *lane, uint64_t epoch, uint64_t window, uint32_t *order);

#endif
