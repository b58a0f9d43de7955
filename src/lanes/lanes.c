#include "lanes/lanes.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* About 64 blocks per lane mix a file that is sorted by class; up to 4096 rows per block keep the reads of a rank long.
 */
enum { BLOCKS_PER_LANE = 64, LEAST_BLOCKS_PER_LANE = 16, MAX_BLOCK_ROWS = 4096 };

enum { MAX_LANES = 1 << 24 }; /* the limit of rng_start's argument b, which is the lane */

static uint64_t smaller(uint64_t a, uint64_t b) { return a < b ? a : b; }

/* floor(total * lane / num_lanes); dividing first avoids an overflow of 64 bits. */
static uint64_t cut(uint64_t total, uint32_t num_lanes, uint32_t lane) {
  return total / num_lanes * lane + total % num_lanes * lane / num_lanes;
}

static uint64_t share(uint64_t total, uint32_t num_lanes, uint32_t lane) {
  return cut(total, num_lanes, lane + 1) - cut(total, num_lanes, lane);
}

uint32_t lanes_default(uint64_t batch) {
  uint32_t lanes = 1;
  while (2 * lanes <= MAX_LANES && 2 * (uint64_t)lanes <= batch / 64) lanes *= 2;
  return lanes;
}

static mlpd_status check_arguments(uint64_t rows, uint64_t batch, uint32_t num_lanes) {
  if (rows == 0) return FAIL(MLPD_ERROR_DATA, "there are no rows to train on");
  if (batch == 0) return FAIL(MLPD_ERROR_USAGE, "batch is 0, but a step needs at least one row");
  if (num_lanes == 0 || num_lanes > MAX_LANES)
    return FAIL(MLPD_ERROR_USAGE, "lanes is %u, but must be from 1 to %d", num_lanes, MAX_LANES);
  /* Orders of rows and blocks are 32-bit numbers; a lane holds at most ceil(rows / lanes) + 1 rows. */
  if (rows / num_lanes >= UINT32_MAX - 1)
    return FAIL(MLPD_ERROR_USAGE, "%llu rows are too many for %u lanes; use more lanes", (unsigned long long)rows,
                num_lanes);
  return MLPD_OK;
}

static uint64_t choose_block_rows(uint64_t rows, uint32_t num_lanes, uint64_t grain_rows) {
  const uint64_t wanted = rows / ((uint64_t)BLOCKS_PER_LANE * num_lanes);
  const uint64_t most = rows / ((uint64_t)LEAST_BLOCKS_PER_LANE * num_lanes);
  const uint64_t usual = wanted < 1 ? 1 : smaller(wanted, MAX_BLOCK_ROWS);
  if (grain_rows > 0 && grain_rows <= usual) return usual - usual % grain_rows;
  return grain_rows > usual && grain_rows <= most ? grain_rows : usual;
}

mlpd_status lane_plan_create(uint64_t rows, uint64_t batch, uint32_t num_lanes, uint64_t seed, lane_plan *plan) {
  return lane_plan_create_grained(rows, batch, num_lanes, seed, 0, plan);
}

mlpd_status lane_plan_create_grained(uint64_t rows, uint64_t batch, uint32_t num_lanes, uint64_t seed,
                                     uint64_t grain_rows, lane_plan *plan) {
  memset(plan, 0, sizeof *plan);
  TRY(check_arguments(rows, batch, num_lanes));
  plan->rows = rows;
  plan->batch = smaller(batch, rows);
  plan->num_lanes = num_lanes;
  const uint64_t full_steps = rows / plan->batch, rest = rows % plan->batch;
  plan->steps_per_epoch = full_steps + (rest > 0);

  plan->block_rows = choose_block_rows(rows, num_lanes, grain_rows);
  plan->num_blocks = rows / plan->block_rows + (rows % plan->block_rows > 0);
  if (plan->num_blocks > UINT32_MAX)
    return FAIL(MLPD_ERROR_DATA, "%llu rows are more than mlpdist supports", (unsigned long long)rows);

  mlpd_status status = MLPD_OK;
  TRY_GOTO(status, memory_allocate(&plan->block_order, plan->num_blocks, sizeof *plan->block_order, "block order"),
           failed);
  TRY_GOTO(status, memory_allocate(&plan->lane_begin, (size_t)num_lanes + 1, sizeof *plan->lane_begin, "lane plan"),
           failed);
  TRY_GOTO(status, memory_allocate(&plan->batch_begin, (size_t)num_lanes + 1, sizeof *plan->batch_begin, "lane plan"),
           failed);
  for (uint32_t lane = 0; lane <= num_lanes; ++lane) {
    plan->batch_begin[lane] = cut(plan->batch, num_lanes, lane);
    plan->lane_begin[lane] = full_steps * plan->batch_begin[lane] + cut(rest, num_lanes, lane);
  }
  for (uint64_t block = 0; block < plan->num_blocks; ++block) plan->block_order[block] = (uint32_t)block;
  rng stream = rng_start(seed, RNG_DEAL_BLOCKS, 0, 0);
  rng_shuffle(&stream, plan->block_order, plan->num_blocks);
  while (plan->block_order[plan->last_place] != plan->num_blocks - 1) plan->last_place++;
  return MLPD_OK;

failed:
  lane_plan_free(plan);
  return status;
}

void lane_plan_free(lane_plan *plan) {
  free(plan->block_order);
  free(plan->lane_begin);
  free(plan->batch_begin);
  row_marks_free(&plan->marks);
  memset(plan, 0, sizeof *plan);
}

void lanes_of_rank(uint32_t num_lanes, int size, int rank, uint32_t *begin, uint32_t *end) {
  const uint32_t ranks = (uint32_t)size, me = (uint32_t)rank;
  const uint32_t each = num_lanes / ranks, larger = num_lanes % ranks;
  *begin = each * me + (me < larger ? me : larger);
  *end = *begin + each + (me < larger ? 1 : 0);
}

void lane_microbatch(const lane_plan *plan, uint32_t lane, uint64_t step, uint64_t *begin, uint64_t *count) {
  const uint64_t full_steps = plan->rows / plan->batch;
  const uint64_t full = plan->batch_begin[lane + 1] - plan->batch_begin[lane];
  const uint64_t lane_rows = plan->lane_begin[lane + 1] - plan->lane_begin[lane];
  *begin = step * full;
  *count = step < full_steps ? full : lane_rows - full_steps * full;
}

uint64_t lane_max_microbatch(const lane_plan *plan, uint32_t lane) {
  /* The short step may give a lane one row more than a full step. */
  const uint64_t full = share(plan->batch, plan->num_lanes, lane);
  const uint64_t last = share(plan->rows % plan->batch, plan->num_lanes, lane);
  return full > last ? full : last;
}

static int compare_runs(const void *left, const void *right) {
  const row_run *a = left, *b = right;
  return (a->file_row > b->file_row) - (a->file_row < b->file_row);
}

/* Joins adjacent runs of a sorted list in place; returns their new number. */
static uint64_t join_runs(row_run *runs, uint64_t num_runs) {
  uint64_t joined = 0;
  for (uint64_t i = 0; i < num_runs; ++i) {
    row_run *last = joined > 0 ? &runs[joined - 1] : NULL;
    if (last != NULL && last->file_row + last->count == runs[i].file_row &&
        last->position + last->count == runs[i].position)
      last->count += runs[i].count;
    else
      runs[joined++] = runs[i];
  }
  return joined;
}

uint64_t lane_place_begin(const lane_plan *plan, uint64_t place) {
  const uint64_t lacking =
      plan->num_blocks * plan->block_rows - plan->rows; /* rows missing from the file's last block */
  return place * plan->block_rows - (place > plan->last_place ? lacking : 0);
}

uint64_t lane_place_of(const lane_plan *plan, uint64_t position) {
  const uint64_t place = position / plan->block_rows;
  return place + 1 < plan->num_blocks && lane_place_begin(plan, place + 1) <= position ? place + 1 : place;
}

/* Lists the parts of the blocks within positions [begin, end), in position order; runs NULL: only counts them. */
static uint64_t list_runs(const lane_plan *plan, uint64_t begin, uint64_t end, row_run *runs) {
  uint64_t num_runs = 0;
  uint64_t place = lane_place_of(plan, begin);
  uint64_t place_begin = lane_place_begin(plan, place);
  for (; place < plan->num_blocks && place_begin < end; ++place) {
    const uint64_t block_row = plan->block_order[place] * plan->block_rows;
    const uint64_t place_end = place_begin + smaller(plan->block_rows, plan->rows - block_row);
    const uint64_t from = begin > place_begin ? begin : place_begin, to = smaller(end, place_end);
    if (from < to) {
      if (runs != NULL)
        runs[num_runs] = (row_run){.file_row = block_row + (from - place_begin), .position = from, .count = to - from};
      ++num_runs;
    }
    place_begin = place_end;
  }
  return num_runs;
}

void lane_plan_create_marked(row_marks *marks, lane_plan *plan) {
  *plan = (lane_plan){.rows = marks->rows, .num_lanes = 1, .marks = *marks};
  *marks = (row_marks){0};
}

/* Lists the runs of positions [begin, end) on one side (marked or not), which begins at position side; runs NULL: only
 * counts them. */
static uint64_t list_side(const lane_plan *plan, bool marked, uint64_t side, uint64_t begin, uint64_t end,
                          row_run *runs) {
  uint64_t num_runs = 0;
  uint64_t row = begin < end ? row_marks_find(&plan->marks, marked, begin - side) : 0;
  for (uint64_t position = begin; position < end; num_runs++) {
    while (row_marks_get(&plan->marks, row) != marked) row++;
    const uint64_t first = row;
    while (row < plan->rows && row - first < end - position && row_marks_get(&plan->marks, row) == marked) row++;
    if (runs != NULL) runs[num_runs] = (row_run){.file_row = first, .position = position, .count = row - first};
    position += row - first;
  }
  return num_runs;
}

static uint64_t list_marked(const lane_plan *plan, uint64_t begin, uint64_t end, row_run *runs) {
  const uint64_t side = plan->rows - plan->marks.marked; /* position of the first marked row */
  const uint64_t first = list_side(plan, false, 0, begin, smaller(end, side), runs);
  return first + list_side(plan, true, side, begin > side ? begin : side, end, runs != NULL ? runs + first : NULL);
}

mlpd_status lane_plan_runs(const lane_plan *plan, uint64_t begin, uint64_t end, row_run **runs, uint64_t *num_runs) {
  if (plan->marks.words != NULL) {
    *num_runs = list_marked(plan, begin, end, NULL);
    TRY(memory_allocate(runs, *num_runs, sizeof **runs, "row runs"));
    if (*num_runs > 0) {
      (void)list_marked(plan, begin, end, *runs);
      qsort(*runs, *num_runs, sizeof **runs, compare_runs); /* they may come from both sides */
    }
    return MLPD_OK;
  }
  *num_runs = list_runs(plan, begin, end, NULL);
  TRY(memory_allocate(runs, *num_runs, sizeof **runs, "row runs"));
  if (*num_runs == 0) return MLPD_OK;
  (void)list_runs(plan, begin, end, *runs);
  qsort(*runs, *num_runs, sizeof **runs, compare_runs);
  *num_runs = join_runs(*runs, *num_runs);
  return MLPD_OK;
}

mlpd_status lane_runs_compose(const lane_plan *outer, row_run **runs, uint64_t *num_runs) {
  row_run *composed = NULL;
  uint64_t count = 0, room = 0;
  mlpd_status status = MLPD_OK;
  for (uint64_t i = 0; i < *num_runs; i++) {
    const row_run run = (*runs)[i];
    row_run *pieces = NULL;
    uint64_t num_pieces = 0;
    TRY_GOTO(status, lane_plan_runs(outer, run.file_row, run.file_row + run.count, &pieces, &num_pieces), failed);
    if (count + num_pieces > room) {
      room = 2 * (count + num_pieces);
      row_run *const larger = realloc(composed, room * sizeof *larger);
      if (larger == NULL) {
        free(pieces);
        status = FAIL(MLPD_ERROR_MEMORY, "out of memory for row runs");
        goto failed;
      }
      composed = larger;
    }
    for (uint64_t k = 0; k < num_pieces; k++) {
      pieces[k].position = run.position + (pieces[k].position - run.file_row);
      composed[count++] = pieces[k];
    }
    free(pieces);
  }
  if (count > 0) qsort(composed, count, sizeof *composed, compare_runs);
  free(*runs);
  *runs = composed;
  *num_runs = count;
  return MLPD_OK;
failed:
  free(composed);
  return status;
}

void lane_shuffle(const lane_plan *plan, uint64_t seed, uint64_t epoch, uint32_t lane, uint32_t *order) {
  const uint64_t rows = plan->lane_begin[lane + 1] - plan->lane_begin[lane];
  for (uint64_t row = 0; row < rows; ++row) order[row] = (uint32_t)row;
  rng stream = rng_start(seed, RNG_SHUFFLE, (uint32_t)epoch, lane);
  rng_shuffle(&stream, order, rows);
}
