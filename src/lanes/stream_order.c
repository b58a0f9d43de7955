#include "lanes/stream_order.h"

#include <stdlib.h>

#include "base/memory.h"

enum { LEAST_WINDOW = 1024 };

static uint64_t smaller(uint64_t a, uint64_t b) { return a < b ? a : b; }
static uint64_t larger(uint64_t a, uint64_t b) { return a > b ? a : b; }

/* ---- Windows ------------------------------------------------------------------------------------------ */

uint64_t stream_window_rows(const lane_plan *plan, uint64_t given, uint64_t row_bytes) {
  uint64_t batch = 1, lane_rows = 1, wanted = given;
  for (uint32_t u = 0; u < plan->num_lanes; u++) {
    batch = larger(batch, lane_max_microbatch(plan, u));
    lane_rows = larger(lane_rows, plan->lane_begin[u + 1] - plan->lane_begin[u]);
  }
  if (wanted == 0) {
    wanted = larger(STREAM_WINDOW_BYTES / row_bytes / plan->num_lanes, LEAST_WINDOW);
    if (wanted > plan->block_rows)
      wanted -= wanted % plan->block_rows; /* so that most windows end where a block ends */
  }
  return larger(smaller(wanted, lane_rows), batch);
}

uint64_t stream_lane_window(const stream_lane *lane, uint64_t window) {
  return smaller(lane->window_rows, lane->rows - window * lane->window_rows);
}

void stream_lane_shuffle(const stream_lane *lane, uint64_t epoch, uint64_t window, uint32_t *order) {
  const uint64_t rows = stream_lane_window(lane, window);
  for (uint64_t row = 0; row < rows; row++) order[row] = (uint32_t)row;
  rng draws = rng_start(lane->seed, RNG_STREAM_ROWS, (uint32_t)epoch, lane->lane);
  draws.position = window << 32; /* a window needs fewer draws than this */
  rng_shuffle(&draws, order, rows);
}

/* ---- Blocks ------------------------------------------------------------------------------------------- */

mlpd_status stream_lane_create(const lane_plan *plan, const lane_plan *split, uint64_t seed, uint64_t window_rows,
                               uint32_t lane, stream_lane *made) {
  const uint64_t begin = plan->lane_begin[lane], end = plan->lane_begin[lane + 1];
  *made = (stream_lane){.plan = plan, .split = split, .seed = seed, .window_rows = window_rows, .lane = lane};
  made->rows = end - begin;
  made->num_windows = made->rows / window_rows + (made->rows % window_rows > 0);
  if (window_rows > UINT32_MAX / 2)
    return FAIL(MLPD_ERROR_USAGE, "a window of %llu rows is too long", (unsigned long long)window_rows);
  if (made->rows == 0) return MLPD_OK;
  made->first_place = lane_place_of(plan, begin);
  made->num_blocks = (uint32_t)(lane_place_of(plan, end - 1) - made->first_place + 1);
  return memory_allocate(&made->order, made->num_blocks, sizeof *made->order, "order of blocks");
}

void stream_lane_free(stream_lane *lane) {
  free(lane->order);
  *lane = (stream_lane){0};
}

static void order_blocks(stream_lane *lane, uint64_t epoch) {
  for (uint32_t block = 0; block < lane->num_blocks; block++) lane->order[block] = block;
  rng draws = rng_start(lane->seed, RNG_STREAM_BLOCKS, (uint32_t)epoch, lane->lane);
  rng_shuffle(&draws, lane->order, lane->num_blocks);
}

/* Lists the parts of the lane's ordered blocks at [begin, end) of its sequence; runs NULL: only counts them. */
static uint64_t list_runs(const stream_lane *lane, uint64_t begin, uint64_t end, row_run *runs) {
  const lane_plan *const plan = lane->plan;
  uint64_t num_runs = 0, at = 0; /* at: index of the block's first row in the sequence */
  for (uint32_t i = 0; i < lane->num_blocks && at < end; i++) {
    const uint64_t place = lane->first_place + lane->order[i], place_begin = lane_place_begin(plan, place);
    const uint64_t first = larger(place_begin, plan->lane_begin[lane->lane]);
    const uint64_t last = smaller(lane_place_begin(plan, place + 1), plan->lane_begin[lane->lane + 1]);
    const uint64_t from = larger(begin, at), to = smaller(end, at + (last - first));
    if (from < to) {
      if (runs != NULL)
        runs[num_runs] =
            (row_run){.file_row = plan->block_order[place] * plan->block_rows + (first - place_begin) + (from - at),
                      .position = from - begin,
                      .count = to - from};
      num_runs++;
    }
    at += last - first;
  }
  return num_runs;
}

static int compare_runs(const void *left, const void *right) {
  const row_run *a = left, *b = right;
  return (a->file_row > b->file_row) - (a->file_row < b->file_row);
}

mlpd_status stream_lane_runs(stream_lane *lane, uint64_t epoch, uint64_t window, row_run **runs, uint64_t *num_runs) {
  const uint64_t begin = window * lane->window_rows, end = begin + stream_lane_window(lane, window);
  order_blocks(lane, epoch);
  *num_runs = list_runs(lane, begin, end, NULL);
  TRY(memory_allocate(runs, *num_runs, sizeof **runs, "row runs"));
  (void)list_runs(lane, begin, end, *runs);
  if (lane->split == NULL) {
    qsort(*runs, *num_runs, sizeof **runs, compare_runs);
    return MLPD_OK;
  }
  const mlpd_status status = lane_runs_compose(lane->split, runs, num_runs);
  if (status == MLPD_OK) return MLPD_OK;
  free(*runs);
  *runs = NULL;
  return status;
}
