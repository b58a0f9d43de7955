#include "model/importance.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"
#include "model/model_output.h"
#include "ranks/comm.h"
#include "source/date.h"

typedef struct permuter {
  mlpd_comm *comm;
  const mlpd_model *model;
  const backend *gemm;
  held_out *part;
  const char *file;
  int threads;
  const importance_wish *wish;
  uint32_t at_a_time; /* permutations drawn at once */
  uint32_t *orders;   /* (at_a_time, rows of all ranks) */
  char *mine, *all;   /* values of a column: of this rank's rows, and of all ranks' */
  uint64_t *bytes;    /* (ranks) of `mine` on each rank */
  double *sums;       /* (sum_doubles) */
} permuter;

/* ---- The error -------------------------------------------------------------------------------------- */

/* Of classes, the wrong rows; of values, the squares of each target's errors. */
static uint32_t sum_doubles(const mlpd_model *model) {
  return model->task == MLPD_CLASSIFICATION ? 1 : model_targets(model);
}

static double square_of_error(const mlpd_model *model, uint32_t j, const float *a, const float *y) {
  const uint32_t each = loss_outputs(&model->loss), point = loss_point(&model->loss);
  const double error = (double)loss_clamp(&model->loss, j, a[j * each + point]) - (double)y[j];
  return error * error;
}

static void measure_errors(void *context, uint64_t n, const workspace *space, const targets *y, double *record) {
  const mlpd_model *const model = ((const permuter *)context)->model;
  const uint32_t k = network_output(model->network)->outputs, targets = sum_doubles(model);
  for (uint64_t i = 0; i < n; i++) {
    const float *const a = space->output + i * k;
    if (model->task == MLPD_CLASSIFICATION) {
      record[0] += forward_predicted_class(a, k) != (uint32_t)y->classes[i];
      continue;
    }
    for (uint32_t j = 0; j < targets; j++) record[j] += square_of_error(model, j, a, y->values + i * targets);
  }
}

/* As mlpd_report has it: 1 - accuracy, or the RMSE over all targets. */
static double error_of(const mlpd_model *model, const double *sums, double rows) {
  const uint32_t targets = sum_doubles(model);
  double square = 0;
  if (model->task == MLPD_CLASSIFICATION) return sums[0] / rows;
  for (uint32_t j = 0; j < targets; j++) {
    const double rmse = sqrt(sums[j] / rows) / model->target.scale[j];
    square += rmse * rmse;
  }
  return sqrt(square / targets);
}

/* The error of the rows as they are now; permuted names the column that is permuted, NULL: none. Collective. */
static mlpd_status find_error(permuter *p, const char *permuted, double *error) {
  uint64_t overflow = UINT64_MAX;
  const forward_pass pass = {.network = p->model->network,
                             .gemm = p->gemm,
                             .input = &p->model->input,
                             .rows = &p->part->rows,
                             .threads = p->threads,
                             .measure = measure_errors,
                             .context = p,
                             .doubles = sum_doubles(p->model),
                             .overflow = &overflow};
  TRY(forward_sums(p->comm, &pass, &p->part->range, p->sums));
  mlpd_status status = MLPD_OK;
  if (overflow != UINT64_MAX && permuted != NULL)
    status = FAIL(MLPD_ERROR_DATA, "%s: with the values of column %.60s permuted, a row overflows 32-bit floats",
                  p->file, permuted);
  *error = error_of(p->model, p->sums, (double)p->part->range.rows);
  return mlpd_comm_agree(p->comm, status);
}

/* ---- Columns ---------------------------------------------------------------------------------------- */

static size_t value_bytes(const permuter *p, const mlpd_column_importance *of) {
  return of->columns * element_size(p->part->rows.type);
}

static char *place_of(const permuter *p, const mlpd_column_importance *of, uint64_t row) {
  const shard *const rows = &p->part->rows;
  return (char *)rows->x + (row * rows->features + of->first) * element_size(rows->type);
}

/* Copies the column of this rank's rows from or to values, which lie one after the other. */
static void take_column(const permuter *p, const mlpd_column_importance *of, char *values) {
  const size_t bytes = value_bytes(p, of);
#pragma omp parallel for num_threads(p->threads)
  for (uint64_t i = 0; i < p->part->rows.rows; i++) memcpy(values + i * bytes, place_of(p, of, i), bytes);
}

static void put_column(const permuter *p, const mlpd_column_importance *of, const char *values) {
  const size_t bytes = value_bytes(p, of);
#pragma omp parallel for num_threads(p->threads)
  for (uint64_t i = 0; i < p->part->rows.rows; i++) memcpy(place_of(p, of, i), values + i * bytes, bytes);
}

/* Row i of the part gets the value of row order[i]. */
static void put_permuted(const permuter *p, const mlpd_column_importance *of, const uint32_t *order) {
  const size_t bytes = value_bytes(p, of);
  const uint32_t *const mine = order + p->part->range.row_begin;
#pragma omp parallel for num_threads(p->threads)
  for (uint64_t i = 0; i < p->part->rows.rows; i++) memcpy(place_of(p, of, i), p->all + mine[i] * bytes, bytes);
}

/* Gets the values of all ranks' rows. Collective. */
static mlpd_status gather_column(permuter *p, const mlpd_column_importance *of) {
  const int size = mlpd_comm_size(p->comm);
  const uint64_t rows = p->part->range.rows;
  for (int rank = 0; rank < size; rank++) {
    const forward_range range = forward_range_of_rank(rows, size, rank);
    p->bytes[rank] = (range.row_end - range.row_begin) * value_bytes(p, of);
  }
  take_column(p, of, p->mine);
  return comm_gather_all(p->comm, p->mine, p->bytes, p->all);
}

static bool is_constant(const permuter *p, const mlpd_column_importance *of) {
  const size_t bytes = value_bytes(p, of);
  return memcmp(p->all, p->all + bytes, (p->part->range.rows - 1) * bytes) == 0;
}

/* Draws the permutations of repeats [first, first + count): every rank draws all of them. */
static void draw_orders(const permuter *p, const mlpd_column_importance *of, uint32_t first, uint32_t count) {
  const uint64_t rows = p->part->range.rows;
#pragma omp parallel for num_threads(p->threads) schedule(dynamic)
  for (uint32_t r = 0; r < count; r++) {
    uint32_t *const order = p->orders + r * rows;
    for (uint64_t i = 0; i < rows; i++) order[i] = (uint32_t)i;
    rng stream = rng_start(p->wish->seed, RNG_PERMUTE, of->first, first + r);
    rng_shuffle(&stream, order, rows);
  }
}

static mlpd_status find_rises(permuter *p, double error, mlpd_column_importance *of) {
  const uint32_t repeats = p->wish->repeats;
  for (uint32_t first = 0; first < repeats; first += p->at_a_time) {
    const uint32_t count = repeats - first < p->at_a_time ? repeats - first : p->at_a_time;
    draw_orders(p, of, first, count);
    for (uint32_t r = 0; r < count; r++) {
      put_permuted(p, of, p->orders + r * p->part->range.rows);
      TRY(find_error(p, of->name, &of->rise[first + r]));
      of->rise[first + r] -= error;
    }
  }
  return MLPD_OK;
}

static void summarise(uint32_t repeats, mlpd_column_importance *of) {
  double squares = 0;
  for (uint32_t r = 0; r < repeats; r++) of->mean += of->rise[r];
  of->mean /= repeats;
  for (uint32_t r = 0; r < repeats; r++) squares += (of->rise[r] - of->mean) * (of->rise[r] - of->mean);
  of->deviation = sqrt(squares / repeats);
}

/* Collective. */
static mlpd_status measure_column(permuter *p, double error, mlpd_column_importance *of) {
  TRY(gather_column(p, of));
  if (is_constant(p, of)) return MLPD_OK; /* on all ranks: every rise is 0 */
  TRY(find_rises(p, error, of));
  put_column(p, of, p->all + p->part->range.row_begin * value_bytes(p, of));
  summarise(p->wish->repeats, of);
  return MLPD_OK;
}

/* ---- Columns of the table --------------------------------------------------------------------------- */

/* The length of the name of a date that columns j, j + 1, ... are made of, or 0: of the kind with the shortest name, as
 * ".dmy.year" ends in ".year". columns gets how many they are. */
static size_t date_at(const name_list *names, uint32_t j, uint32_t *columns) {
  size_t shortest = 0;
  *columns = 1;
  for (int kind = DATE_DAY; kind < DATE_KINDS; kind++) {
    const uint32_t features = date_features((date_kind)kind);
    const size_t length =
        features > 1 ? date_stem((const char *const *)names->names, (uint32_t)names->count, j, (date_kind)kind) : 0;
    if (length == 0 || (shortest > 0 && length >= shortest)) continue;
    shortest = length;
    *columns = features;
  }
  return shortest;
}

static mlpd_status name_column(const mlpd_model *model, size_t length, mlpd_column_importance *of) {
  TRY(memory_copy_string(mlpd_model_column_name(model, of->first), &of->name));
  if (length > 0) of->name[length] = '\0';
  return MLPD_OK;
}

/* One entry for each column of the table, in their order. */
static mlpd_status list_columns(const mlpd_model *model, uint32_t repeats, mlpd_importance *found) {
  TRY(memory_allocate(&found->columns, model->input.columns, sizeof *found->columns, "importance of columns"));
  for (uint32_t j = 0; j < model->input.columns;) {
    mlpd_column_importance *const of = &found->columns[found->count++];
    uint32_t columns = 1;
    const size_t date = date_at(&model->names.columns, j, &columns);
    *of = (mlpd_column_importance){.first = j, .columns = columns};
    TRY(name_column(model, date, of));
    TRY(memory_allocate(&of->rise, repeats, sizeof *of->rise, "importance of columns"));
    j += of->columns;
  }
  return MLPD_OK;
}

void mlpd_importance_free(mlpd_importance *importance) {
  if (importance == NULL) return;
  for (uint32_t i = 0; i < importance->count; i++) {
    free(importance->columns[i].name);
    free(importance->columns[i].rise);
  }
  free(importance->columns);
  *importance = (mlpd_importance){0};
}

static int by_mean(const void *a, const void *b) {
  const mlpd_column_importance *const one = a, *const other = b;
  if (one->mean != other->mean) return one->mean < other->mean ? 1 : -1;
  return one->first < other->first ? -1 : 1;
}

/* ---- All columns ------------------------------------------------------------------------------------ */

static mlpd_status check_rows(const permuter *p) {
  const uint64_t rows = p->part->range.rows;
  if (rows < 2) return FAIL(MLPD_ERROR_DATA, "%s: has 1 row, but permuting a column needs at least 2", p->file);
  if (rows > UINT32_MAX)
    return FAIL(MLPD_ERROR_DATA, "%s: has %llu rows, but columns of at most %u can be permuted", p->file,
                (unsigned long long)rows, UINT32_MAX);
  return MLPD_OK;
}

static mlpd_status allocate(permuter *p, const mlpd_importance *found) {
  const uint64_t rows = p->part->range.rows;
  size_t bytes = 0; /* of the widest column */
  for (uint32_t i = 0; i < found->count; i++)
    if (value_bytes(p, &found->columns[i]) > bytes) bytes = value_bytes(p, &found->columns[i]);
  TRY(memory_allocate(&p->mine, p->part->rows.rows, bytes, "values of a column"));
  TRY(memory_allocate(&p->all, rows, bytes, "values of a column"));
  TRY(memory_allocate(&p->orders, p->at_a_time * rows, sizeof *p->orders, "permutations"));
  TRY(memory_allocate(&p->bytes, (size_t)mlpd_comm_size(p->comm), sizeof *p->bytes, "importance of columns"));
  return memory_allocate(&p->sums, sum_doubles(p->model), sizeof *p->sums, "importance of columns");
}

mlpd_status importance_measure(mlpd_comm *comm, const mlpd_model *model, const backend *gemm, held_out *part,
                               const char *file, int threads, const importance_wish *wish, mlpd_importance *found) {
  const uint32_t repeats = wish->repeats;
  permuter p = {.comm = comm, .model = model, .gemm = gemm, .part = part, .file = file, .threads = threads};
  p.wish = wish;
  p.at_a_time = repeats < (uint32_t)threads ? repeats : (uint32_t)threads;
  found->repeats = repeats;
  mlpd_status status = check_rows(&p);
  if (status == MLPD_OK) status = list_columns(model, repeats, found);
  if (status == MLPD_OK) status = allocate(&p, found);
  status = mlpd_comm_agree(comm, status);
  if (status == MLPD_OK) status = find_error(&p, NULL, &found->error);
  for (uint32_t i = 0; i < found->count && status == MLPD_OK; i++)
    status = measure_column(&p, found->error, &found->columns[i]);
  if (status == MLPD_OK) qsort(found->columns, found->count, sizeof *found->columns, by_mean);
  free(p.mine);
  free(p.all);
  free(p.orders);
  free(p.bytes);
  free(p.sums);
  return status;
}
