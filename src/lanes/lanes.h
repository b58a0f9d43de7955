/* Lanes: the fixed parts into which a data set and each global mini-batch are divided, independent of ranks and
 * threads.
 *
 * The rows, in blocks of block_rows, are permuted by a generator keyed by the seed; lane u owns the run [lane_begin[u],
 * lane_begin[u+1]) of that sequence of "positions". A full step takes batch_begin[u+1] - batch_begin[u] rows of lane u;
 * the last, short step takes the rows that are left. So each sample is used exactly once per epoch, and every step but
 * the last has exactly `batch` samples. Nothing here is collective: pure functions. */
#ifndef MLPDIST_LANES_H
#define MLPDIST_LANES_H

#include "base/rng.h"
#include "base/status.h"
#include "lanes/lane_marks.h"

typedef struct lane_plan {
  uint64_t rows, batch; /* batch <= rows */
  uint32_t num_lanes;
  uint64_t steps_per_epoch; /* ceil(rows / batch) */
  uint64_t block_rows;
  uint64_t num_blocks;
  uint32_t *block_order; /* (num_blocks): the block at each place of the permuted order */
  uint64_t last_place;   /* place of the file's last block, which may be short */
  uint64_t *lane_begin;  /* (num_lanes + 1): first position of each lane */
  uint64_t *batch_begin; /* (num_lanes + 1): first row of each lane in a full batch */
  row_marks marks;       /* only from lane_plan_create_marked, which sets just this, rows and num_lanes */
} lane_plan;

/* Rows that are consecutive both in the file and in position. */
typedef struct row_run {
  uint64_t file_row, position, count;
} row_run;

/* Default number of lanes for a batch: the largest power of two <= max(1, batch / 64). */
uint32_t lanes_default(uint64_t batch);

/* Makes a plan. A batch larger than rows is reduced to rows. Free it with lane_plan_free. */
mlpd_status lane_plan_create(uint64_t rows, uint64_t batch, uint32_t num_lanes, uint64_t seed, lane_plan *plan);

/* As above, but block sizes are multiples of grain_rows (a chunk, or an efficient read) if a lane still gets 16 blocks;
 * 0: no constraint. */
mlpd_status lane_plan_create_grained(uint64_t rows, uint64_t batch, uint32_t num_lanes, uint64_t seed,
                                     uint64_t grain_rows, lane_plan *plan);

/* Makes a plan that only orders a file's rows: first those not marked, then the marked ones, both in the file's order.
 * Takes ownership of marks, for which row_marks_count was called. */
void lane_plan_create_marked(row_marks *marks, lane_plan *plan);
void lane_plan_free(lane_plan *plan);

/* Lanes [*begin, *end) of rank: contiguous, sizes differing by at most one, the larger first. */
void lanes_of_rank(uint32_t num_lanes, int size, int rank, uint32_t *begin, uint32_t *end);

/* The rows of a lane in a step (from 0) of an epoch: rows [*begin, *begin + *count) of the lane's shuffled order. */
void lane_microbatch(const lane_plan *plan, uint32_t lane, uint64_t step, uint64_t *begin, uint64_t *count);

uint64_t lane_max_microbatch(const lane_plan *plan, uint32_t lane); /* rows */

/* Position of the first row of the block at place, and the place of the block that holds position. */
uint64_t lane_place_begin(const lane_plan *plan, uint64_t place);
uint64_t lane_place_of(const lane_plan *plan, uint64_t position);

/* Lists the file rows at positions [begin, end) as runs sorted by file_row, adjacent ones joined. Free *runs with
 * free(). */
mlpd_status lane_plan_runs(const lane_plan *plan, uint64_t begin, uint64_t end, row_run **runs, uint64_t *num_runs);

/* Translates runs whose file rows are positions of outer into runs over outer's file. */
mlpd_status lane_runs_compose(const lane_plan *outer, row_run **runs, uint64_t *num_runs);

/* Writes the shuffled order of a lane's rows in an epoch (from 0) to order (rows of the lane): indices into these
 * rows. */
void lane_shuffle(const lane_plan *plan, uint64_t seed, uint64_t epoch, uint32_t lane, uint32_t *order);

#endif
