#include "model/held_out.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/memory.h"
#include "data/data_open.h"
#include "data/labels.h"
#include "data/match.h"
#include "data/sample_weights.h"
#include "data/unwritten.h"
#include "model/model_output.h"
#include "ranks/comm.h"

enum { WINDOW_BYTES = 4 << 20 };

/* ---- Reading ------------------------------------------------------------------------------------- */

static mlpd_status check_shape(const part *given, const mlpd_model *model) {
  const uint32_t inputs = model->input.columns;
  if (given->features != inputs)
    return FAIL(MLPD_ERROR_DATA, "%s: %s has %u columns, but the network expects %u", given->file, given->x_path,
                given->features, inputs);
  const uint32_t targets = model_targets(model);
  if (given->y != NULL && model->task == MLPD_REGRESSION && given->y_columns != targets)
    return FAIL(MLPD_ERROR_DATA, "%s: %s has %u columns, but the network gives %u values", given->file, given->y_path,
                given->y_columns, targets);
  return MLPD_OK;
}

/* At least one block for each thread. */
static uint64_t window_blocks(uint64_t row_bytes, int threads) {
  const uint64_t blocks = WINDOW_BYTES / (row_bytes * FORWARD_BLOCK_ROWS);
  return blocks > (uint64_t)threads ? blocks : (uint64_t)threads;
}

uint64_t held_out_window_rows(uint64_t row_bytes, int threads, uint64_t rows) {
  const uint64_t most = window_blocks(row_bytes, threads) * FORWARD_BLOCK_ROWS;
  return rows < most ? rows : most;
}

mlpd_status held_out_in_windows(part *from, bool as_classes, int threads, held_out *held) {
  const uint64_t row_bytes = part_row_bytes(from, as_classes), rows = held->range.row_end - held->range.row_begin;
  held->from = from;
  held->window_rows = window_blocks(row_bytes, threads) * FORWARD_BLOCK_ROWS;
  return shard_allocate(from, held_out_window_rows(row_bytes, threads, rows), as_classes, held->target, &held->rows);
}

/* Matches the part's columns, targets and classes to the model's. */
static mlpd_status match(mlpd_comm *comm, part *from, bool need_y, const mlpd_model *model) {
  const uint32_t outputs = network_output(model->network)->outputs;
  const match_wishes wishes = {.names = &model->names,
                               .num_classes = model->task == MLPD_CLASSIFICATION ? outputs : 0,
                               .y_unused = !need_y,
                               .codes = model->codes.about.count > 0 ? &model->codes : NULL,
                               .input = &model->input,
                               .note = mlpd_comm_rank(comm) == 0 ? model->notice : NULL,
                               .context = model->notice_context};
  unwritten_note(from, wishes.note, wishes.context);
  return part_match(from, &wishes);
}

static mlpd_status read_rows(mlpd_comm *comm, const mlpd_model *model, bool need_y, bool in_windows, int threads,
                             held_out *read) {
  part *const from = &read->file;
  const bool as_classes = model->task == MLPD_CLASSIFICATION;
  TRY(match(comm, from, need_y, model));
  TRY(check_shape(from, model));
  read->range = forward_range_of_rank(from->rows, mlpd_comm_size(comm), mlpd_comm_rank(comm));
  read->num_classes = network_output(model->network)->outputs;
  read->target = model->target.columns > 0 ? &model->target : NULL;
  if (in_windows) return held_out_in_windows(from, as_classes, threads, read);
  const forward_range *const range = &read->range;
  const row_run run = {.file_row = range->row_begin, .count = range->row_end - range->row_begin};
  return shard_read(from, &run, run.count > 0 ? 1 : 0, 0, run.count, as_classes, read->num_classes, read->target,
                    &read->rows);
}

static void list_replaced(const mlpd_model *model, const uint64_t *replaced, bool categories, char *text, size_t size) {
  size_t used = 0;
  text[0] = '\0';
  for (uint32_t j = 0; j < model->input.columns && used < size; j++) {
    const bool category = model->codes.about.count > 0 && model->codes.about.kinds[j] == COLUMN_KIND_CATEGORY;
    if (replaced[j] == 0 || category != categories) continue;
    used += (size_t)snprintf(text + used, size - used, "%s", used > 0 ? ", " : "");
    if (used >= size) return;
    used += j < model->names.columns.count
                ? (size_t)snprintf(text + used, size - used, "%.60s (%llu)", model->names.columns.names[j],
                                   (unsigned long long)replaced[j])
                : (size_t)snprintf(text + used, size - used, "column %u (%llu)", j, (unsigned long long)replaced[j]);
  }
}

/* Says on rank 0 which values of all ranks' rows the model does not know. Collective. */
static mlpd_status note_replaced(mlpd_comm *comm, const mlpd_model *model, const part *from) {
  char list[400], text[600];
  uint64_t *replaced = NULL;
  if (from->order.replaced == NULL) return MLPD_OK; /* on all ranks */
  mlpd_status status = memory_allocate(&replaced, model->input.columns, sizeof *replaced, "counts of columns");
  if (status == MLPD_OK) memcpy(replaced, from->order.replaced, model->input.columns * sizeof *replaced);
  status = mlpd_comm_agree(comm, status);
  if (status == MLPD_OK) status = comm_sum_u64(comm, replaced, model->input.columns);
  for (int categories = 1; categories >= 0 && status == MLPD_OK; categories--) {
    list_replaced(model, replaced, categories != 0, list, sizeof list);
    (void)snprintf(text, sizeof text, "%s: %s: %s", from->file,
                   categories != 0 ? "unknown categories, which count as none"
                                   : "missing values where the training rows have all, which count as their mean",
                   list);
    if (list[0] != '\0' && mlpd_comm_rank(comm) == 0 && model->notice != NULL)
      model->notice(model->notice_context, text);
  }
  free(replaced);
  return status;
}

mlpd_status held_out_read(mlpd_comm *comm, h5_file *file, const mlpd_data_paths *paths, mlpd_split which,
                          const mlpd_model *model, bool need_y, bool in_windows, int threads, held_out *read) {
  *read = (held_out){0};
  part *const opened = &read->file;
  const bool required = file == NULL;
  if (required) TRY(data_open(comm, paths, &file));
  mlpd_status status = part_open(file, paths, which, need_y, opened, &read->present);
  opened->of_trained = required;
  if (status == MLPD_OK && !read->present && required)
    status = FAIL(MLPD_ERROR_DATA, "%s: has no %s part; --part names another", paths->file,
                  mlpd_choice_name(mlpd_split_choices, (int)which));
  status = mlpd_comm_agree(comm, status);
  if (status == MLPD_OK && read->present) status = sample_weights_scale(comm, opened);
  if (!need_y && opened->y != NULL) { /* predictions ignore targets */
    h5_array_close(opened->y);
    opened->y = NULL;
  }
  status = mlpd_comm_agree(comm, status);
  if (status == MLPD_OK && read->present && model->task == MLPD_CLASSIFICATION) {
    status = labels_match(comm, opened, &model->names.classes, network_output(model->network)->outputs, &read->map);
    opened->map = &read->map;
  }
  if (status == MLPD_OK && read->present) status = read_rows(comm, model, need_y, in_windows, threads, read);
  status = mlpd_comm_agree(comm, status);
  if (status == MLPD_OK && read->present && read->from == NULL && !in_windows)
    status = note_replaced(comm, model, opened);
  if (read->from == NULL) part_close(opened);
  if (required) (void)h5_close(file); /* read-only: nothing is lost */
  if (status != MLPD_OK) held_out_free(read);
  return status;
}

void held_out_free(held_out *held) {
  shard_free(&held->rows);
  part_close(&held->file);
  class_map_free(&held->map);
  *held = (held_out){0};
}

/* ---- Windows ------------------------------------------------------------------------------------- */

/* forward_windows' read. */
static mlpd_status read_window(void *context, uint64_t begin, uint64_t end, const shard **rows) {
  held_out *const held = context;
  row_run *runs = NULL;
  uint64_t num_runs = 1;
  mlpd_status status = MLPD_OK;
  if (held->order != NULL) {
    status = lane_plan_runs(held->order, held->first + begin, held->first + end, &runs, &num_runs);
  } else {
    status = memory_allocate(&runs, 1, sizeof *runs, "row runs");
    if (status == MLPD_OK) *runs = (row_run){.file_row = begin, .position = begin, .count = end - begin};
  }
  held->rows.rows = end - begin;
  if (status == MLPD_OK)
    status = shard_fill(held->from, runs, num_runs, held->first + begin, held->num_classes, &held->rows);
  free(runs);
  *rows = &held->rows;
  return status;
}

/* Calls look with all rows of this rank, at once or window by window; begin: the first row's number in the part. */
static mlpd_status look_at_rows(held_out *held, void look(void *context, const shard *rows, uint64_t begin),
                                void *context) {
  const forward_range *const range = &held->range;
  if (held->from == NULL) {
    look(context, &held->rows, range->row_begin);
    return MLPD_OK;
  }
  for (uint64_t begin = range->row_begin; begin < range->row_end; begin += held->window_rows) {
    const shard *rows = NULL;
    const uint64_t left = range->row_end - begin;
    TRY(read_window(held, begin, left < held->window_rows ? range->row_end : begin + held->window_rows, &rows));
    look(context, rows, begin);
  }
  return MLPD_OK;
}

typedef struct row_look {
  class_counts *counts; /* may be NULL */
  uint64_t hash;
  mlpd_status status;  /* of counting */
  const affine *input; /* of the model */
  float *mapped;       /* (FORWARD_BLOCK_ROWS, features) room for rows as the network sees them */
  uint64_t overflow;   /* the first row whose normalised input is too large for float32, or UINT64_MAX */
} row_look;

static void look_at_classes(void *context, const shard *rows, uint64_t begin) {
  row_look *const look = context;
  (void)begin;
  if (look->counts != NULL && look->status == MLPD_OK)
    look->status = class_counts_add(look->counts, rows->classes, rows->rows);
}

mlpd_status held_out_count_classes(held_out *held, class_counts *counts) {
  row_look look = {.counts = counts};
  TRY(look_at_rows(held, look_at_classes, &look));
  return look.status;
}

/* The first row of n whose values are not all finite, or n. */
static uint64_t first_not_finite(const float *values, uint64_t n, uint32_t columns) {
  for (uint64_t i = 0; i < n; i++) {
    int bad = 0; /* written so that compilers vectorise it */
    for (uint32_t j = 0; j < columns; j++) bad |= !(fabsf(values[i * columns + j]) <= FLT_MAX);
    if (bad != 0) return i;
  }
  return n;
}

/* Looks for an overflow in n rows of a block; first: the number of the block's first row in the part. */
static void look_for_overflow(row_look *look, const shard *rows, const void *x, uint64_t n, uint64_t first) {
  if (look->overflow != UINT64_MAX) return;
  affine_gather(look->input, rows->type, n, n, x, NULL, look->mapped);
  const uint64_t row = first_not_finite(look->mapped, n, affine_width(look->input));
  if (row < n) look->overflow = first + row;
}

/* Adds the hash of each block, keyed by its first row; only the last block of the part may be incomplete. */
static void hash_blocks(void *context, const shard *rows, uint64_t begin) {
  row_look *const look = context;
  const size_t x_row = rows->features * element_size(rows->type);
  for (uint64_t row = 0; row < rows->rows; row += FORWARD_BLOCK_ROWS) {
    const uint64_t left = rows->rows - row, n = left < FORWARD_BLOCK_ROWS ? left : FORWARD_BLOCK_ROWS;
    uint64_t hash = XXH3_64bits_withSeed((const char *)rows->x + row * x_row, n * x_row, begin + row);
    if (rows->classes != NULL) hash = XXH3_64bits_withSeed(rows->classes + row, n * sizeof(int32_t), hash);
    if (rows->values != NULL)
      hash = XXH3_64bits_withSeed(rows->values + row * rows->outputs, n * rows->outputs * sizeof(float), hash);
    if (rows->weights != NULL) hash = XXH3_64bits_withSeed(rows->weights + row, n * sizeof(float), hash);
    look->hash += hash;
    look_for_overflow(look, rows, (const char *)rows->x + row * x_row, n, begin + row);
  }
  look_at_classes(look, rows, begin);
}

mlpd_status held_out_fingerprint(mlpd_comm *comm, held_out *held, const mlpd_model *model, const char *file,
                                 mlpd_split which, class_counts *counts, uint64_t *fingerprint) {
  const shard *const rows = &held->rows;
  row_look look = {.counts = counts, .input = &model->input, .overflow = UINT64_MAX};
  *fingerprint = 0;
  if (!held->present) return MLPD_OK;
  mlpd_status status =
      memory_allocate(&look.mapped, FORWARD_BLOCK_ROWS, affine_width(&model->input) * sizeof(float), "rows");
  if (status == MLPD_OK) status = look_at_rows(held, hash_blocks, &look);
  if (status == MLPD_OK) status = look.status;
  if (status == MLPD_OK && look.overflow != UINT64_MAX)
    status = held_out_overflow(held, model, file, which, look.overflow);
  free(look.mapped);
  TRY(mlpd_comm_agree(comm, status));
  uint64_t sum = look.hash;
  TRY(comm_sum_u64(comm, &sum, 1));
  const uint64_t about[] = {held->range.rows,     rows->features, rows->outputs, element_size(rows->type), sum,
                            rows->weights != NULL};
  *fingerprint = XXH3_64bits(about, sizeof about) | 1;
  return MLPD_OK;
}

/* *overflow, unless NULL, gets this rank's first row that gives no finite result, if any. */
static mlpd_status losses(mlpd_comm *comm, const mlpd_model *model, const backend *gemm, held_out *held,
                          const loss_spec *loss, int threads, uint64_t *overflow, loss_sums *sums) {
  const forward_windows windows = {
      .blocks = held->window_rows / FORWARD_BLOCK_ROWS, .read = read_window, .context = held};
  return forward_losses(comm, model->network, gemm, &model->input, &held->rows, held->from != NULL ? &windows : NULL,
                        &held->range, loss, threads, overflow, sums);
}

mlpd_status held_out_losses(mlpd_comm *comm, const mlpd_model *model, const backend *gemm, held_out *held,
                            const loss_spec *loss, int threads, loss_sums *sums) {
  return losses(comm, model, gemm, held, loss, threads, NULL, sums);
}

mlpd_status held_out_pass(mlpd_comm *comm, const mlpd_model *model, const backend *gemm, held_out *held, int threads,
                          const held_measure *measure, double *total) {
  const forward_windows windows = {
      .blocks = held->window_rows / FORWARD_BLOCK_ROWS, .read = read_window, .context = held};
  const forward_pass pass = {.network = model->network,
                             .gemm = gemm,
                             .input = &model->input,
                             .rows = &held->rows,
                             .windows = held->from != NULL ? &windows : NULL,
                             .threads = threads,
                             .measure = measure->measure,
                             .context = measure->context,
                             .doubles = measure->doubles};
  return forward_sums(comm, &pass, &held->range, total);
}

/* ---- Rows that are too far away ---------------------------------------------------------------------- */

static const double FAR = 1e6; /* deviations: a network that learns does not overflow on less */

/* Normalises a row of this rank; *mapped (features) is allocated. */
static mlpd_status map_row(held_out *held, const mlpd_model *model, uint64_t row, float **mapped) {
  const shard *rows = &held->rows;
  uint64_t place = row - held->range.row_begin;
  if (held->from != NULL) TRY(read_window(held, row, row + 1, &rows));
  if (held->from != NULL) place = 0;
  TRY(memory_allocate(mapped, affine_width(&model->input), sizeof **mapped, "a row"));
  const char *const x = (const char *)rows->x + place * rows->features * element_size(rows->type);
  affine_gather(&model->input, rows->type, 1, 1, x, NULL, *mapped);
  return MLPD_OK;
}

/* How far a normalised value is: what clips the others makes NaN of an infinite one. */
static double distance(float mapped) { return isnan(mapped) ? INFINITY : fabs((double)mapped); }

static uint32_t farthest_column(const float *mapped, uint32_t columns) {
  uint32_t farthest = 0;
  for (uint32_t j = 1; j < columns; j++)
    if (distance(mapped[j]) > distance(mapped[farthest])) farthest = j;
  return farthest;
}

/* "row 7 (from 0) of the test part" */
static mlpd_status describe_row(const held_out *held, mlpd_split which, uint64_t row, char text[128]) {
  row_run *runs = NULL;
  uint64_t num_runs = 0;
  if (held->order != NULL) {
    TRY(lane_plan_runs(held->order, held->first + row, held->first + row + 1, &runs, &num_runs));
    row = runs[0].file_row;
    free(runs);
  }
  (void)snprintf(text, 128, "row %llu (from 0) of the %s part%s", (unsigned long long)row,
                 held->order != NULL ? "training" : mlpd_choice_name(mlpd_split_choices, (int)which),
                 held->order != NULL && held->rows.folds == NULL ? ", drawn for validation," : "");
  return MLPD_OK;
}

static mlpd_status fail_overflow(const held_out *held, const affine *input, const float *mapped, const char *file,
                                 mlpd_split which, uint64_t row) {
  char text[128];
  TRY(describe_row(held, which, row, text));
  return FAIL(MLPD_ERROR_DATA,
              "%s: %s gives numbers too large for 32-bit floats; its column %u (from 0) is farthest from the training "
              "data",
              file, text, affine_column_of(input, farthest_column(mapped, affine_width(input))));
}

mlpd_status held_out_overflow(held_out *held, const mlpd_model *model, const char *file, mlpd_split which,
                              uint64_t row) {
  float *mapped = NULL;
  mlpd_status status = map_row(held, model, row, &mapped);
  if (status == MLPD_OK) status = fail_overflow(held, &model->input, mapped, file, which, row);
  free(mapped);
  return status;
}

/* On the rank that holds the row. */
static mlpd_status blame_row(held_out *held, const mlpd_model *model, const char *file, mlpd_split which,
                             uint64_t row) {
  float *mapped = NULL;
  mlpd_status status = map_row(held, model, row, &mapped);
  if (status == MLPD_OK && distance(mapped[farthest_column(mapped, affine_width(&model->input))]) > FAR)
    status = fail_overflow(held, &model->input, mapped, file, which, row);
  free(mapped);
  return status;
}

mlpd_status held_out_blame(mlpd_comm *comm, const mlpd_model *model, const backend *gemm, held_out *held,
                           const char *file, mlpd_split which, int threads) {
  loss_sums sums;
  uint64_t overflow = UINT64_MAX;
  TRY(losses(comm, model, gemm, held, &model->loss, threads, &overflow, &sums));
  double first =
      overflow == UINT64_MAX ? -INFINITY : -(double)overflow; /* if the network diverged, this is an ordinary row */
  TRY(comm_max_double(comm, &first, 1));
  const bool mine = overflow != UINT64_MAX && first == -(double)overflow;
  return mlpd_comm_agree(comm, mine ? blame_row(held, model, file, which, overflow) : MLPD_OK);
}
