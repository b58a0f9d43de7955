#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"
#include "data/caller_rows.h"
#include "kernels/vector.h"
#include "ranks/comm.h"
#include "run/under_way.h"

/* ---- Rows of this rank ------------------------------------------------------------------------------ */

static mlpd_status check_value(const mlpd_trainer *t, double value, uint64_t row, uint32_t j) {
  const bool of_x = j < t->features;
  const uint32_t column = of_x ? j : j - t->features;
  if (!isfinite(value))
    return FAIL(MLPD_ERROR_DATA, "row %llu of %s has a value in column %u that is not a finite number",
                (unsigned long long)row, of_x ? "x" : "y", column);
  if (of_x || !t->classes || (value >= 0 && value < t->targets && value == floor(value))) return MLPD_OK;
  return FAIL(MLPD_ERROR_DATA, "row %llu of y is %g, but classes are 0 to %u", (unsigned long long)row, value,
              t->targets - 1);
}

/* Columns [first, first + rows->columns) of records (rows, record). */
static mlpd_status take_array(const mlpd_trainer *t, const mlpd_rows *rows, uint32_t first, double *records) {
  void *copy = NULL;
  const element_type type = (element_type)rows->type; /* one numbering: see caller_rows.c */
  TRY(memory_allocate(&copy, rows->rows * rows->columns, element_size(type), "rows"));
  caller_rows_copy(rows, 0, rows->rows, copy);
  mlpd_status status = MLPD_OK;
  for (uint64_t i = 0; i < rows->rows && status == MLPD_OK; i++)
    for (uint32_t j = 0; j < rows->columns && status == MLPD_OK; j++) {
      const double value = element_get(type, copy, i * rows->columns + j);
      status = check_value(t, value, i, first + j);
      records[i * t->record + first + j] = value;
    }
  free(copy);
  return status;
}

static mlpd_status take_rows(const mlpd_trainer *t, const mlpd_rows *x, const mlpd_rows *y, double **records) {
  TRY(status_need(x, "mlpd_trainer", "x"));
  TRY(status_need(y, "mlpd_trainer", "y"));
  TRY(caller_rows_check(x, "x", x->rows, t->features));
  TRY(caller_rows_check(y, "y", x->rows, t->record - t->features));
  TRY(memory_allocate(records, x->rows * t->record, sizeof **records, "rows"));
  if (x->rows == 0) return MLPD_OK;
  TRY(take_array(t, x, 0, *records));
  return take_array(t, y, t->features, *records);
}

/* ---- Normalisation ---------------------------------------------------------------------------------- */

/* A column that is constant in the first rows may change in later ones. */
static void keep_constants(affine *a) {
  for (uint32_t j = 0; j < a->columns; j++)
    if (!(a->scale[j] > 0)) a->scale[j] = 1;
  affine_settle(a);
}

/* From columns [first, first + a->columns) of records (rows, record). */
static mlpd_status find_scales(const mlpd_trainer *t, const double *records, uint64_t rows, uint32_t first,
                               mlpd_normalize kind, affine *a) {
  column_statistics s;
  mlpd_status status = column_statistics_create(a->columns, &s);
  if (status == MLPD_OK) {
    column_statistics_of(ELEMENT_F64, records, t->record, first, 0, rows, &s);
    affine_from_statistics(kind, &s, a);
    keep_constants(a);
  }
  column_statistics_free(&s);
  return status;
}

static mlpd_status settle_scales(mlpd_trainer *t, const double *records, uint64_t rows) {
  const mlpd_train_options *const o = &t->options;
  const bool inputs = t->state.scales_x == 0 && o->normalize != MLPD_NORMALIZE_NONE;
  const bool targets = t->state.scales_y == 0 && !t->classes && o->output_activation == MLPD_IDENTITY &&
                       o->normalize_targets != MLPD_NORMALIZE_NONE;
  const mlpd_normalize kind = o->normalize == MLPD_NORMALIZE_AUTO ? MLPD_NORMALIZE_STANDARD : o->normalize;
  if (rows == 0) return MLPD_OK;
  if (inputs) TRY(find_scales(t, records, rows, 0, kind, &t->model->input));
  if (targets) TRY(find_scales(t, records, rows, t->features, MLPD_NORMALIZE_STANDARD, &t->model->target));
  t->state.scales_x = t->state.scales_y = 1;
  return MLPD_OK;
}

static mlpd_status narrow(const mlpd_trainer *t, const double *from, uint64_t rows, float *records) {
  for (uint64_t i = 0; i < rows; i++, from += t->record, records += t->record) {
    for (uint32_t j = 0; j < t->record; j++) {
      const uint32_t k = j - t->features;
      records[j] = j < t->features ? affine_number(&t->model->input, j, from[j])
                   : t->classes    ? (float)from[j]
                                   : affine_map(&t->model->target, k, from[j]);
      if (!isfinite(records[j]))
        return FAIL(MLPD_ERROR_DATA,
                    "row %llu of the ranks' rows holds %g, which is too large for float32 once normalised",
                    (unsigned long long)i, from[j]);
    }
  }
  return MLPD_OK;
}

/* ---- Rows of all ranks ------------------------------------------------------------------------------ */

static mlpd_status gather(mlpd_trainer *t, const double *own, uint64_t own_rows, double **all, uint64_t *rows) {
  const int size = mlpd_comm_size(t->comm);
  uint64_t *bytes = NULL, total = 0;
  const uint64_t own_bytes = own_rows * t->record * sizeof *own;
  mlpd_status status = comm_gather_equal(t->comm, &own_bytes, sizeof own_bytes, "numbers of rows", &bytes);
  for (int rank = 0; status == MLPD_OK && rank < size; rank++) total += bytes[rank];
  *rows = total / (t->record * sizeof *own);
  if (status == MLPD_OK) status = mlpd_comm_agree(t->comm, memory_allocate(all, total, 1, "rows of all ranks"));
  if (status == MLPD_OK) status = comm_gather_all(t->comm, own, bytes, *all);
  free(bytes);
  return status;
}

static mlpd_status check_rows(uint64_t least, uint64_t most, uint64_t rows) {
  if (rows >= least && rows <= most) return MLPD_OK;
  if (rows > 0 && rows < least)
    return FAIL(MLPD_ERROR_USAGE,
                "mlpd_trainer_step: %llu rows, but norm batch computes means over whole batches of %llu",
                (unsigned long long)rows, (unsigned long long)least);
  return FAIL(MLPD_ERROR_USAGE,
              "mlpd_trainer_step: the ranks hand in %llu rows, but a step takes 1 to %llu (option batch); "
              "mlpd_trainer_add() accepts any number",
              (unsigned long long)rows, (unsigned long long)most);
}

mlpd_status under_way_gather(mlpd_trainer *t, const mlpd_rows *x, const mlpd_rows *y, uint64_t least, uint64_t most,
                             float **records, uint64_t *rows) {
  double *own = NULL, *all = NULL;
  const under_way_state before = t->state;
  *records = NULL;
  mlpd_status status = mlpd_comm_agree(t->comm, take_rows(t, x, y, &own));
  if (status == MLPD_OK) status = gather(t, own, x->rows, &all, rows);
  if (status == MLPD_OK) status = check_rows(least, most, *rows); /* on all ranks */
  if (status == MLPD_OK) {
    status = settle_scales(t, all, *rows);
    if (status == MLPD_OK) status = memory_allocate(records, *rows * t->record, sizeof **records, "rows");
    if (status == MLPD_OK) status = narrow(t, all, *rows, *records);
    status = mlpd_comm_agree(t->comm, status);
  }
  if (status != MLPD_OK) {
    free(*records);
    *records = NULL;
    t->state = before;
  }
  free(own);
  free(all);
  return status;
}

/* ---- The buffer ------------------------------------------------------------------------------------- */

static rng stream_of(const mlpd_trainer *t, rng_purpose purpose, uint64_t number) {
  return rng_start(t->options.seed, purpose, (uint32_t)number, (uint32_t)(number >> 32) & 0xFFFFFF);
}

/* Row `seen` of all takes a place of the full buffer with probability buffer_rows / (seen + 1). */
void under_way_keep(mlpd_trainer *t, const float *records, uint64_t rows) {
  for (uint64_t i = 0; i < rows; i++, t->state.seen++) {
    uint64_t place = t->state.filled;
    if (place < t->buffer_rows) {
      t->state.filled++;
    } else {
      rng stream = stream_of(t, RNG_RESERVOIR, t->state.seen);
      place = rng_below(&stream, t->state.seen + 1);
    }
    if (place < t->buffer_rows)
      memcpy(t->buffer + place * t->record, records + i * t->record, t->record * sizeof *records);
  }
}

/* Row i of the rank's lanes. */
static void set_row(mlpd_trainer *t, uint64_t i, const float *from) {
  const uint32_t targets = t->record - t->features;
  memcpy((float *)t->rows.x + i * t->features, from, t->features * sizeof *from);
  if (t->classes)
    t->rows.classes[i] = (int32_t)from[t->features];
  else
    memcpy(t->rows.values + i * targets, from + t->features, targets * sizeof *from);
}

/* Rows that a short batch lacks are copies of its first, without weight. */
void under_way_deal(mlpd_trainer *t, const float *records, uint64_t rows) {
  uint32_t first = 0, end = 0;
  lanes_of_rank(t->plan.num_lanes, mlpd_comm_size(t->comm), mlpd_comm_rank(t->comm), &first, &end);
  const uint64_t begin = t->plan.lane_begin[first], last = t->plan.lane_begin[end];
  rng stream = stream_of(t, RNG_REPLAY, t->state.step);
  for (uint64_t i = 0; i < last; i++) { /* those before are drawn, too */
    const uint64_t row = records == NULL ? rng_below(&stream, t->state.filled) : i < rows ? i : 0;
    if (i < begin) continue;
    set_row(t, i - begin, (records != NULL ? records : t->buffer) + row * t->record);
    t->rows.weights[i - begin] = records == NULL || i < rows ? 1 : 0;
  }
}
