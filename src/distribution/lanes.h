/* Lanes: the fixed parts into which a data set and each global mini-batch are cut, whoever computes them.
 *
 * The rows, in blocks of block_rows, are permuted by a generator keyed by the seed; lane u owns the
 * contiguous run [lane_begin[u], lane_begin[u+1]) of that sequence ("positions"). Full steps take
 * batch_begin[u+1] - batch_begin[u] rows of lane u; the last, short step takes what is left. So each
 * sample is used exactly once an epoch and every step but the last has exactly `batch` samples. */
#ifndef MLPDIST_LANES_H
#define MLPDIST_LANES_H

#include "base/rng.h"
#include "base/status.h"

typedef struct lane_plan {
  uint64_t rows, batch; /* batch <= rows */
  uint32_t num_lanes;
  uint64_t steps_per_epoch; /* ceil(rows / batch) */
  uint64_t block_rows;
  uint64_t num_blocks;
  uint32_t *block_order; /* (num_blocks): the block dealt at each place */
  uint64_t last_place;   /* of the file's last block, which may be short */
  uint64_t *lane_begin;  /* (num_lanes + 1): positions */
  uint64_t *batch_begin; /* (num_lanes + 1): split of a full batch over lanes */
} lane_plan;

/* A run of rows of the file that lie one after the other both in the file and in position. */
typedef struct row_run {
  uint64_t file_row, position, count;
} row_run;

/* Default number of lanes for a batch: the largest power of two <= max(1, batch / 64). Not collective. */
uint32_t lanes_default(uint64_t batch);

/* batch > rows is lowered to rows. Free with lane_plan_free. Not collective. */
mlpd_status lane_plan_create(uint64_t rows, uint64_t batch, uint32_t num_lanes, uint64_t seed, lane_plan *plan);

/* The same for who reads block by block: of multiples of grain_rows (a chunk, or what is worth a read), or of one where
 * that leaves a lane 16 blocks. 0: any. Not collective. */
mlpd_status lane_plan_create_grained(uint64_t rows, uint64_t batch, uint32_t num_lanes, uint64_t seed,
                                     uint64_t grain_rows, lane_plan *plan);
void lane_plan_free(lane_plan *plan); /* Not collective */

/* Lanes [*begin, *end) of rank: contiguous, sizes differing by at most one, the larger first. Not collective. */
void lanes_of_rank(uint32_t num_lanes, int size, int rank, uint32_t *begin, uint32_t *end);

/* The microbatch of lane in step (from 0) of an epoch: rows [*begin, *begin + *count) of the lane's
 * shuffled order. Not collective. */
void lane_microbatch(const lane_plan *plan, uint32_t lane, uint64_t step, uint64_t *begin, uint64_t *count);

uint64_t lane_max_microbatch(const lane_plan *plan, uint32_t lane); /* rows. Not collective */

/* Position of the first row of the block at place, and the place of the block that holds position. Not collective. */
uint64_t lane_place_begin(const lane_plan *plan, uint64_t place);
uint64_t lane_place_of(const lane_plan *plan, uint64_t position);

/* The file rows at positions [begin, end), as runs sorted by file_row, neighbours joined; *runs is
 * allocated (free()). Not collective. */
mlpd_status lane_plan_runs(const lane_plan *plan, uint64_t begin, uint64_t end, row_run **runs, uint64_t *num_runs);

/* runs, whose file rows are positions of outer, become runs over outer's file. Not collective. */
mlpd_status lane_runs_compose(const lane_plan *outer, row_run **runs, uint64_t *num_runs);

/* order (rows of lane) becomes the lane's row order in epoch (from 0): indices into the lane's rows.
 * Not collective. */
void lane_shuffle(const lane_plan *plan, uint64_t seed, uint64_t epoch, uint32_t lane, uint32_t *order);

#endif
