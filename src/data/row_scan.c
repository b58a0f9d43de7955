#include "data/row_scan.h"

#include <stdlib.h>
#include <xxhash.h>

#include "base/memory.h"
#include "data/shard.h"

enum { PIECE_BYTES = 4 << 20 };

column_statistics row_scan_record(double *record, uint32_t columns) {
  const size_t d = columns;
  return (column_statistics){.columns = columns,
                             .count = record[0],
                             .mean = record + 1,
                             .m2 = record + 1 + d,
                             .minimum = record + 1 + 2 * d,
                             .maximum = record + 1 + 3 * d};
}

/* Rows of a lane that are read at once, at most as many as the largest lane has. */
static uint64_t piece_rows(const part *from, const row_scan_wishes *w) {
  uint64_t most = 0;
  for (uint32_t u = w->lane_begin; u < w->lane_end; u++) {
    const uint64_t rows = w->plan->lane_begin[u + 1] - w->plan->lane_begin[u];
    most = rows > most ? rows : most;
  }
  const uint64_t wanted = PIECE_BYTES / part_raw_row_bytes(from, w->as_classes) + 1;
  return wanted < most ? wanted : most;
}

static size_t record_doubles(uint32_t columns) { return 1 + 4 * (size_t)columns; }

/* ---- One lane ------------------------------------------------------------------------------------------ */

typedef struct lane_pass {
  part *from;
  const row_scan_wishes *wishes;
  uint64_t most; /* rows of piece */
  char *memory;  /* piece and deviations */
  shard piece;
  column_statistics x, y;
  double *x_deviations, *y_deviations; /* (columns) */
  XXH3_state_t *hash[4];               /* hashes of x, classes, values, weights */
  class_counts classes;
  mlpd_status status; /* of counting classes */
  double largest_weight;
} lane_pass;

static void first_look(lane_pass *pass) {
  const shard *const rows = &pass->piece;
  const size_t n = rows->rows;
  (void)XXH3_64bits_update(pass->hash[0], rows->x, n * rows->features * element_size(rows->type));
  if (pass->wishes->fill != NULL) rows_fill(rows->type, rows->x, n, rows->features, pass->wishes->fill);
  column_sums_add(rows->type, rows->x, n, &pass->x);
  if (rows->classes != NULL) {
    if (pass->status == MLPD_OK) pass->status = class_counts_add(&pass->classes, rows->classes, n);
    (void)XXH3_64bits_update(pass->hash[1], rows->classes, n * sizeof *rows->classes);
  }
  if (rows->raw != NULL) {
    column_sums_add(rows->raw_type, rows->raw, n, &pass->y);
    (void)XXH3_64bits_update(pass->hash[2], rows->raw, n * rows->outputs * element_size(rows->raw_type));
  }
  if (rows->weights != NULL) {
    for (uint64_t i = 0; i < n; i++)
      if ((double)rows->weights[i] > pass->largest_weight) pass->largest_weight = (double)rows->weights[i];
    (void)XXH3_64bits_update(pass->hash[3], rows->weights, n * sizeof(float));
  }
}

static void second_look(lane_pass *pass) {
  const shard *const rows = &pass->piece;
  if (pass->wishes->fill != NULL) rows_fill(rows->type, rows->x, rows->rows, rows->features, pass->wishes->fill);
  if (pass->wishes->x_deviations) column_deviations_add(rows->type, rows->x, rows->rows, &pass->x, pass->x_deviations);
  if (pass->wishes->y_deviations)
    column_deviations_add(rows->raw_type, rows->raw, rows->rows, &pass->y, pass->y_deviations);
}

static mlpd_status read_piece(lane_pass *pass, uint64_t begin, uint64_t end) {
  const row_scan_wishes *const w = pass->wishes;
  row_run *runs = NULL;
  uint64_t num_runs = 0;
  pass->piece.rows = end - begin;
  mlpd_status status = lane_plan_runs(w->plan, begin, end, &runs, &num_runs);
  if (status == MLPD_OK && w->split != NULL) status = lane_runs_compose(w->split, &runs, &num_runs);
  if (status == MLPD_OK) status = shard_fill(pass->from, runs, num_runs, begin, w->num_classes, &pass->piece);
  free(runs);
  return status;
}

static mlpd_status each_piece(lane_pass *pass, uint32_t lane, void look(lane_pass *pass)) {
  const uint64_t most = pass->most;
  const uint64_t last = pass->wishes->plan->lane_begin[lane + 1];
  for (uint64_t begin = pass->wishes->plan->lane_begin[lane]; begin < last; begin += most) {
    TRY(read_piece(pass, begin, last - begin < most ? last : begin + most));
    look(pass);
  }
  return MLPD_OK;
}

static mlpd_status scan_lane(lane_pass *pass, uint32_t lane) {
  column_statistics_clear(&pass->x);
  if (pass->y.mean != NULL) column_statistics_clear(&pass->y);
  for (int i = 0; i < 4; i++) (void)XXH3_64bits_reset(pass->hash[i]);
  TRY(each_piece(pass, lane, first_look));
  column_sums_finish(&pass->x);
  if (pass->y.mean != NULL) column_sums_finish(&pass->y);
  if (!pass->wishes->x_deviations && !pass->wishes->y_deviations) return MLPD_OK;
  for (uint32_t c = 0; c < pass->x.columns; c++) pass->x_deviations[c] = 0;
  for (uint32_t c = 0; c < pass->y.columns; c++) pass->y_deviations[c] = 0;
  TRY(each_piece(pass, lane, second_look));
  if (pass->wishes->x_deviations) column_deviations_finish(&pass->x, pass->x_deviations);
  if (pass->wishes->y_deviations) column_deviations_finish(&pass->y, pass->y_deviations);
  return MLPD_OK;
}

/* ---- All lanes ----------------------------------------------------------------------------------------- */

static void lay_out_pass(void *owner, memory_layout *layout) {
  lane_pass *const pass = owner;
  shard_lay_out(pass->from, pass->most, pass->wishes->as_classes, NULL, layout, &pass->piece);
  pass->x_deviations = memory_place(layout, pass->from->features, sizeof(double));
  pass->y_deviations = memory_place(layout, pass->piece.outputs, sizeof(double));
}

static lane_pass new_pass(part *from, const row_scan_wishes *wishes) {
  return (lane_pass){.from = from, .wishes = wishes, .most = piece_rows(from, wishes), .classes = NO_CLASSES};
}

static mlpd_status make_pass(lane_pass *pass) {
  for (int i = 0; i < 4; i++) {
    pass->hash[i] = XXH3_createState();
    if (pass->hash[i] == NULL) return FAIL(MLPD_ERROR_MEMORY, "out of memory while reading the training rows");
  }
  return memory_allocate_layout(lay_out_pass, pass, "rows for statistics", &pass->memory);
}

static void free_pass(lane_pass *pass) {
  for (int i = 0; i < 4; i++) (void)XXH3_freeState(pass->hash[i]);
  class_counts_free(&pass->classes);
  free(pass->memory);
}

/* Lane i of the scan, from 0. */
static mlpd_status fill_lane(lane_pass *pass, uint32_t i, row_scan *made) {
  const uint32_t d = pass->piece.features, k = pass->piece.outputs;
  double *const x = made->x + i * record_doubles(d);
  double *const y = made->y != NULL ? made->y + i * record_doubles(k) : NULL;
  pass->x = row_scan_record(x, d);
  pass->y = y != NULL ? row_scan_record(y, k) : (column_statistics){0};
  TRY(scan_lane(pass, pass->wishes->lane_begin + i));
  x[0] = pass->x.count;
  if (y != NULL) y[0] = pass->y.count;
  uint64_t hashes[4];
  for (int h = 0; h < 4; h++) hashes[h] = XXH3_64bits_digest(pass->hash[h]);
  made->hashes[i] = XXH3_64bits(hashes, sizeof hashes);
  return MLPD_OK;
}

/* The failure of the lowest lane that failed: every thread then reports the same one. */
typedef struct lane_failure {
  uint32_t lane;
  mlpd_status status;
  char message[1024];
} lane_failure;

static void note_failure(lane_failure *first, uint32_t lane, mlpd_status status) {
#pragma omp critical(row_scan_failure)
  if (status != MLPD_OK && (first->status == MLPD_OK || lane < first->lane)) {
    first->lane = lane;
    first->status = status;
    (void)snprintf(first->message, sizeof first->message, "%s", mlpd_error_message());
  }
}

/* What stays of a scan. */
typedef struct scan_result {
  const part *from;
  const row_scan_wishes *wishes;
  row_scan *made;
} scan_result;

static void lay_out_result(void *owner, memory_layout *layout) {
  const scan_result *const of = owner;
  const size_t lanes = of->wishes->lane_end - of->wishes->lane_begin;
  const size_t targets = of->wishes->as_classes ? 0 : record_doubles(of->from->y_columns);
  of->made->x = memory_place(layout, lanes * record_doubles(of->from->features), sizeof(double));
  of->made->y = memory_place(layout, lanes * targets, sizeof(double));
  of->made->hashes = memory_place(layout, lanes, sizeof *of->made->hashes);
}

uint64_t row_scan_size(part *from, const row_scan_wishes *wishes) {
  row_scan made;
  lane_pass pass = new_pass(from, wishes);
  return memory_layout_size(lay_out_result, &(scan_result){from, wishes, &made}) +
         (uint64_t)wishes->threads * memory_layout_size(lay_out_pass, &pass);
}

mlpd_status row_scan_run(part *from, const row_scan_wishes *wishes, row_scan *made) {
  const uint32_t lanes = wishes->lane_end - wishes->lane_begin;
  scan_result result = {from, wishes, made};
  *made = (row_scan){.classes = NO_CLASSES};
  TRY(shard_check(from, wishes->as_classes));
  TRY(memory_allocate_layout(lay_out_result, &result, "statistics", &made->memory));
  lane_failure failure = {0};
  double heaviest = 0;
#pragma omp parallel num_threads(wishes->threads) reduction(max : heaviest)
  {
    lane_pass pass = new_pass(from, wishes);
    mlpd_status status = make_pass(&pass);
    if (status != MLPD_OK) note_failure(&failure, 0, status);
#pragma omp for schedule(dynamic)
    for (uint32_t i = 0; i < lanes; i++) {
      if (status != MLPD_OK) continue;
      status = fill_lane(&pass, i, made);
      if (status != MLPD_OK) note_failure(&failure, i, status);
    }
#pragma omp critical(row_scan_classes)
    if (status == MLPD_OK)
      status = pass.status == MLPD_OK ? class_counts_merge(&pass.classes, &made->classes) : pass.status;
    if (status != MLPD_OK) note_failure(&failure, lanes, status);
    heaviest = pass.largest_weight;
    free_pass(&pass);
  }
  made->largest_weight = heaviest;
  return failure.status == MLPD_OK ? MLPD_OK : FAIL(failure.status, "%s", failure.message);
}

void row_scan_free(row_scan *scan) {
  free(scan->memory);
  class_counts_free(&scan->classes);
  *scan = (row_scan){0};
}
