/* mlpd_predict: every rank computes its blocks of rows; rank 0 writes them in the order of the input. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/file_output.h"
#include "base/locale.h"
#include "base/memory.h"
#include "convert/table_keep.h"
#include "data/data_open.h"
#include "data/dataset.h"
#include "h5/h5.h"
#include "kernels/cpu.h"
#include "model/held_out.h"
#include "model/model_agreement.h"
#include "model/model_output.h"
#include "model/model_table.h"
#include "model/run_file.h"
#include "ranks/comm.h"
#include "ranks/placement.h"

/* Blocks that are sent to rank 0 and written at a time, which bounds its memory. */
enum { WRITE_BLOCKS = 64 };

typedef struct prediction_pass {
  const mlpd_model *model;
  uint32_t outputs, width;
  float *values; /* (rows of the range, width): outputs of the network, in scaled targets, then their spreads where
                    width is larger, in units of the targets */
} prediction_pass;

static void visit_prediction(void *context, uint64_t block, uint64_t first, uint64_t n, const workspace *space,
                             const targets *y) {
  (void)block;
  (void)y;
  const prediction_pass *const pass = context;
  const uint32_t k = pass->outputs;
  for (uint64_t i = 0; i < n; i++) {
    float *const to = pass->values + (first + i) * pass->width;
    memcpy(to, space->output + i * k, k * sizeof *to);
    for (uint32_t j = k; j < pass->width; j++) to[j] = (float)model_output_spread(pass->model, space, i, j - k);
  }
}

/* ---- Writing, on rank 0 -------------------------------------------------------------------------- */

typedef struct prediction_file {
  const mlpd_model *model;
  uint32_t outputs, width; /* as in prediction_pass */
  file_output out;
  bool open; /* out is */
  h5_file *h5;
  h5_array *classes, *values, *spreads, *kept;
  FILE *csv;            /* of out, or NULL */
  table_keeper *keeper; /* of columns that pass through, or NULL */
  uint64_t rows;        /* written so far */
} prediction_file;

static bool ends_in(const char *text, const char *end) {
  const size_t length = strlen(text), tail = strlen(end);
  return length >= tail && strcasecmp(text + length - tail, end) == 0;
}

static bool is_hdf5(const char *out) { return ends_in(out, ".h5") || ends_in(out, ".hdf5"); }

static bool has_classes(const prediction_file *f) { return f->model->task == MLPD_CLASSIFICATION; }

/* /value_names: of the columns of /value, where they are more than the targets. */
static mlpd_status write_output_names(prediction_file *f) {
  char(*texts)[MODEL_OUTPUT_BYTES] = NULL;
  const char **names = NULL;
  mlpd_status status = memory_allocate(&texts, f->outputs, sizeof *texts, "names of outputs");
  if (status == MLPD_OK) status = memory_allocate(&names, f->outputs, sizeof *names, "names of outputs");
  for (uint32_t k = 0; status == MLPD_OK && k < f->outputs; k++) {
    model_output_name(f->model, k, texts[k]);
    names[k] = texts[k];
  }
  if (status == MLPD_OK) status = h5_strings_write(f->h5, "/value_names", names, f->outputs);
  free(names);
  free(texts);
  return status;
}

/* /kept (rows, columns that pass through) and /kept_names */
static mlpd_status open_kept(prediction_file *f, uint64_t rows) {
  const uint32_t columns = f->keeper != NULL ? table_keeper_columns(f->keeper) : 0;
  const char **names = NULL;
  if (columns == 0) return MLPD_OK;
  TRY(memory_allocate(&names, columns, sizeof *names, "names of columns"));
  for (uint32_t j = 0; j < columns; j++) names[j] = table_keeper_name(f->keeper, j);
  const mlpd_status status = h5_strings_write(f->h5, "/kept_names", names, columns);
  free(names);
  TRY(status);
  return h5_texts_create(f->h5, "/kept", rows, columns, &f->kept);
}

static mlpd_status open_h5(prediction_file *f, uint64_t rows) {
  TRY(h5_create_as(f->out.temporary, f->out.path, &f->h5));
  TRY(open_kept(f, rows));
  if (has_classes(f)) TRY(h5_array_create(f->h5, "/class", rows, 0, ELEMENT_I32, 0, 0, &f->classes));
  TRY(h5_array_create(f->h5, has_classes(f) ? "/probability" : "/value", rows, f->outputs,
                      has_classes(f) ? ELEMENT_F32 : ELEMENT_F64, 0, 0, &f->values));
  if (f->width > f->outputs) TRY(h5_array_create(f->h5, "/spread", rows, f->outputs, ELEMENT_F32, 0, 0, &f->spreads));
  const name_list *const classes = &f->model->names.classes;
  if (classes->count > 0)
    TRY(h5_strings_write(f->h5, "/class_names", (const char *const *)classes->names, classes->count));
  const name_list *const targets = &f->model->names.targets;
  if (targets->count > 0)
    TRY(h5_strings_write(f->h5, "/targets/name", (const char *const *)targets->names, targets->count));
  return loss_outputs(&f->model->loss) > 1 ? write_output_names(f) : MLPD_OK;
}

/* Writes a CSV cell, in quotes if needed. */
static void write_cell(FILE *csv, const char *text) {
  if (strpbrk(text, ",\"\n\r") == NULL) {
    (void)fputs(text, csv);
    return;
  }
  (void)fputc('"', csv);
  for (const char *c = text; *c != '\0'; c++) {
    if (*c == '"') (void)fputc('"', csv);
    (void)fputc(*c, csv);
  }
  (void)fputc('"', csv);
}

/* ",price", or with an end ",price_spread" */
static void write_column(const prediction_file *f, uint32_t output, const char *end) {
  char name[MODEL_OUTPUT_BYTES], text[MODEL_OUTPUT_BYTES + 16];
  if (!has_classes(f)) model_output_name(f->model, output, name);
  (void)snprintf(text, sizeof text, "%s%s", has_classes(f) ? mlpd_model_class_name(f->model, output) : name, end);
  (void)fputc(',', f->csv);
  write_cell(f->csv, text);
}

static mlpd_status open_csv(prediction_file *f) {
  f->csv = f->out.stream;
  (void)fputs("row", f->csv);
  for (uint32_t j = 0; f->keeper != NULL && j < table_keeper_columns(f->keeper); j++) {
    (void)fputc(',', f->csv);
    write_cell(f->csv, table_keeper_name(f->keeper, j));
  }
  if (has_classes(f)) (void)fputs(",class", f->csv);
  for (uint32_t j = 0; j < f->outputs; j++) write_column(f, j, "");
  for (uint32_t j = f->outputs; j < f->width; j++) write_column(f, j - f->outputs, "_spread");
  (void)fputc('\n', f->csv);
  return MLPD_OK;
}

/* Regression: in the units of the targets. */
static mlpd_status write_targets_h5(prediction_file *f, uint64_t n, const float *values) {
  double *mapped = NULL;
  TRY(memory_allocate(&mapped, n * f->outputs, sizeof *mapped, "predictions"));
  for (uint64_t i = 0; i < n * f->outputs; i++)
    mapped[i] = model_output_value(f->model, (uint32_t)(i % f->outputs), (double)values[i]);
  const mlpd_status status = h5_array_write(f->values, f->rows, n, ELEMENT_F64, mapped);
  free(mapped);
  return status;
}

static mlpd_status write_values_h5(prediction_file *f, uint64_t n, const float *values) {
  if (!has_classes(f)) return write_targets_h5(f, n, values);
  TRY(h5_array_write(f->values, f->rows, n, ELEMENT_F32, values));
  int32_t *classes = NULL;
  TRY(memory_allocate(&classes, n, sizeof *classes, "predicted classes"));
  for (uint64_t i = 0; i < n; i++) classes[i] = (int32_t)forward_predicted_class(values + i * f->outputs, f->outputs);
  const mlpd_status status = h5_array_write(f->classes, f->rows, n, ELEMENT_I32, classes);
  free(classes);
  return status;
}

/* Columns [first, first + outputs) of the rows, together. */
static void take_columns(const prediction_file *f, uint64_t n, const float *values, uint32_t first, float *taken) {
  for (uint64_t i = 0; i < n; i++)
    memcpy(taken + i * f->outputs, values + i * f->width + first, f->outputs * sizeof *taken);
}

/* The cells of the next n rows, row after row; each is to be freed. */
static mlpd_status read_kept(prediction_file *f, uint64_t n, char **texts) {
  const uint32_t columns = table_keeper_columns(f->keeper);
  for (uint64_t i = 0; i < n; i++) {
    TRY(table_keeper_next(f->keeper));
    for (uint32_t j = 0; j < columns; j++)
      TRY(memory_copy_string(table_keeper_cell(f->keeper, j), &texts[i * columns + j]));
  }
  return MLPD_OK;
}

static mlpd_status write_kept_h5(prediction_file *f, uint64_t n) {
  char **texts = NULL;
  if (f->kept == NULL) return MLPD_OK;
  const uint64_t cells = n * table_keeper_columns(f->keeper);
  TRY(memory_allocate(&texts, cells, sizeof *texts, "columns to keep"));
  mlpd_status status = read_kept(f, n, texts);
  if (status == MLPD_OK) status = h5_texts_write(f->kept, f->rows, n, texts);
  for (uint64_t i = 0; i < cells; i++) free(texts[i]);
  free(texts);
  return status;
}

static mlpd_status write_rows_h5(prediction_file *f, uint64_t n, const float *values) {
  float *taken = NULL;
  TRY(write_kept_h5(f, n));
  if (f->spreads == NULL) return write_values_h5(f, n, values);
  TRY(memory_allocate(&taken, n * f->outputs, sizeof *taken, "predictions"));
  take_columns(f, n, values, 0, taken);
  mlpd_status status = write_values_h5(f, n, taken);
  take_columns(f, n, values, f->outputs, taken);
  if (status == MLPD_OK) status = h5_array_write(f->spreads, f->rows, n, ELEMENT_F32, taken);
  free(taken);
  return status;
}

/* Nine digits hold a float32; a target with a large shift gets more, so that nine remain for its spread. */
static void write_value(const prediction_file *f, uint32_t j, double value) {
  int digits = 9;
  if (!has_classes(f)) {
    value = model_output_value(f->model, j, value);
    const double more = ceil(log10(fabs(value) / model_output_unit(f->model, j)));
    if (more > 0) digits = more < 8 ? digits + (int)more : 17;
  }
  (void)fprintf(f->csv, ",%.*g", digits, value);
}

/* The kept cells of the next row. */
static mlpd_status write_kept(prediction_file *f) {
  if (f->keeper == NULL) return MLPD_OK;
  TRY(table_keeper_next(f->keeper));
  for (uint32_t j = 0; j < table_keeper_columns(f->keeper); j++) {
    (void)fputc(',', f->csv);
    write_cell(f->csv, table_keeper_cell(f->keeper, j));
  }
  return MLPD_OK;
}

static mlpd_status write_rows_csv(prediction_file *f, uint64_t n, const float *values) {
  const uint32_t k = f->outputs;
  for (uint64_t i = 0; i < n; i++, values += f->width) {
    (void)fprintf(f->csv, "%llu", (unsigned long long)(f->rows + i));
    TRY(write_kept(f));
    if (has_classes(f)) {
      (void)fputc(',', f->csv);
      write_cell(f->csv, mlpd_model_class_name(f->model, forward_predicted_class(values, k)));
    }
    for (uint32_t j = 0; j < k; j++) write_value(f, j, (double)values[j]);
    for (uint32_t j = k; j < f->width; j++) (void)fprintf(f->csv, ",%.9g", (double)values[j]);
    (void)fputc('\n', f->csv);
  }
  return file_output_flush(&f->out);
}

/* A name that promises another format would hold CSV. */
static mlpd_status check_extension(const char *out) {
  static const char *const others[] = {".npy", ".npz", ".json", ".parquet", ".feather", ".xlsx", ".xls",
                                       ".ods", ".mat", ".arff", ".pkl",     ".pickle",  ".gz",   ".xz",
                                       ".bz2", ".zst", ".zip",  ".db",      ".sqlite",  ".nc"};
  for (size_t i = 0; i < sizeof others / sizeof *others; i++)
    if (ends_in(out, others[i]))
      return FAIL(MLPD_ERROR_USAGE, "--out %s: predictions are written as HDF5 (.h5) or CSV, not as %s", out,
                  others[i]);
  return MLPD_OK;
}

static mlpd_status prediction_open(const char *out, uint64_t rows, const mlpd_data_paths *kept, prediction_file *f) {
  const bool hdf5 = is_hdf5(out);
  TRY(check_extension(out));
  if (kept->table.keep != NULL) TRY(table_keeper_create(kept, &f->keeper));
  TRY(file_output_open(out, hdf5 ? FILE_HDF5 : FILE_TEXT, &f->out));
  f->open = true;
  return hdf5 ? open_h5(f, rows) : open_csv(f);
}

static mlpd_status prediction_write(prediction_file *f, uint64_t n, const float *values) {
  if (n == 0) return MLPD_OK;
  TRY(f->h5 != NULL ? write_rows_h5(f, n, values) : write_rows_csv(f, n, values));
  f->rows += n;
  return MLPD_OK;
}

/* Closes the file and puts it in place if status is MLPD_OK; else removes it. */
static mlpd_status prediction_close(prediction_file *f, mlpd_status status) {
  table_keeper_free(f->keeper);
  h5_array_close(f->classes);
  h5_array_close(f->values);
  h5_array_close(f->spreads);
  h5_array_close(f->kept);
  const mlpd_status closed = h5_close(f->h5);
  if (status == MLPD_OK) status = closed;
  if (!f->open) return status;
  if (status == MLPD_OK) return file_output_commit(&f->out);
  file_output_discard(&f->out);
  return status;
}

/* What is to be written. */
typedef struct prediction_wish {
  const char *out;
  bool spread; /* of an ensemble's members */
} prediction_wish;

/* ---- All of it ----------------------------------------------------------------------------------- */

/* A slice of a rank's own blocks; empty behind the last. */
static forward_range slice_of(forward_range range, uint64_t slice) {
  const uint64_t begin = range.block_begin + slice * WRITE_BLOCKS, limit = begin + WRITE_BLOCKS;
  forward_range piece = range;
  piece.block_begin = begin < range.block_end ? begin : range.block_end;
  piece.block_end = limit < range.block_end ? limit : range.block_end;
  const uint64_t first = piece.block_begin * FORWARD_BLOCK_ROWS, last = piece.block_end * FORWARD_BLOCK_ROWS;
  piece.row_begin = first < range.row_end ? first : range.row_end;
  piece.row_end = last < range.row_end ? last : range.row_end;
  return piece;
}

/* Sends the rows to rank 0 in the order of the input: rank after rank, slice after slice. */
static mlpd_status write_all(mlpd_comm *comm, const forward_range *mine, uint32_t width, const float *values,
                             prediction_file *file) {
  const int size = mlpd_comm_size(comm), me = mlpd_comm_rank(comm);
  const size_t room = (size_t)WRITE_BLOCKS * FORWARD_BLOCK_ROWS * width;
  float *buffer = NULL;
  mlpd_status status = memory_allocate(&buffer, room, sizeof *buffer, "predictions");
  status = mlpd_comm_agree(comm, status);
  mlpd_status written = MLPD_OK;
  for (int rank = 0; rank < size && status == MLPD_OK; rank++) {
    const forward_range theirs = forward_range_of_rank(mine->rows, size, rank);
    for (uint64_t slice = 0; status == MLPD_OK; slice++) {
      const forward_range piece = slice_of(theirs, slice);
      const uint64_t n = piece.row_end - piece.row_begin;
      if (n == 0) break;
      if (me == rank) memcpy(buffer, values + (piece.row_begin - mine->row_begin) * width, n * width * sizeof *buffer);
      if (rank != 0) status = comm_move(comm, buffer, n * width * sizeof *buffer, rank, 0);
      if (me == 0 && written == MLPD_OK && status == MLPD_OK) written = prediction_write(file, n, buffer);
    }
  }
  if (status == MLPD_OK) status = mlpd_comm_agree(comm, written);
  free(buffer);
  return status;
}

static mlpd_status predict(mlpd_comm *comm, mlpd_model *model, const backend *gemm, held_out *part,
                           const model_table *table, mlpd_split split, int threads, const prediction_wish *wish) {
  const mlpd_data_paths *const data = &table->data;
  uint64_t overflow = UINT64_MAX;
  const uint32_t outputs = network_output(model->network)->outputs, width = wish->spread ? 2 * outputs : outputs;
  prediction_pass pass = {.model = model, .outputs = outputs, .width = width};
  prediction_file file = {.model = model, .outputs = outputs, .width = width};
  const bool root = mlpd_comm_rank(comm) == 0;
  mlpd_status status = memory_allocate(&pass.values, part->rows.rows * width, sizeof(float), "predictions");
  if (status == MLPD_OK)
    status = forward_blocks(model->network, gemm, &model->input, &part->rows, &part->range, threads, visit_prediction,
                            &pass, &overflow);
  if (status == MLPD_OK && overflow != UINT64_MAX) status = held_out_overflow(part, model, data->file, split, overflow);
  if (status == MLPD_OK && root) status = prediction_open(wish->out, part->range.rows, &table->given, &file);
  status = mlpd_comm_agree(comm, status);
  if (status == MLPD_OK) status = write_all(comm, &part->range, width, pass.values, &file);
  const mlpd_status closed = root ? prediction_close(&file, status) : status;
  if (status == MLPD_OK) status = mlpd_comm_agree(comm, closed);
  free(pass.values);
  return status;
}

/* On rank 0: checks that an output is named and that it is no file the prediction reads. */
static mlpd_status check_output(const prediction_wish *wish, const mlpd_model *model, const mlpd_data_paths *data) {
  const char *const out = wish->out;
  if (out == NULL || out[0] == '\0') return FAIL(MLPD_ERROR_USAGE, "--out: no file to write is named");
  TRY(file_check_apart("--out", out, "--data", data->file));
  if (wish->spread && network_members(model->network) == 1)
    return FAIL(MLPD_ERROR_USAGE,
                "--spread is over the members of an ensemble, and the model is a single network: "
                "leave it out, or train with --ensemble 32 or --members 8");
  const file_identity written = file_identify(out);
  TRY(file_check_folder_of(out));
  if (!file_identities_equal(&written, &model->file)) return run_file_check_output("--out", out);
  return FAIL(MLPD_ERROR_USAGE, "--out %s is the file that --model reads: writing it would destroy it", out);
}

static mlpd_status predict_all(mlpd_comm *comm, mlpd_model *model, const mlpd_data_paths *data, mlpd_split split,
                               const prediction_wish *wish, const char *backend_name, int threads, uint64_t *rows) {
  const backend *gemm = NULL;
  held_out part = {0};
  const mlpd_data_paths settled = data_settled(data);
  data = &settled;
  comm_watch_place(comm, "during the prediction");
  mlpd_status status = placement_threads(comm, threads, &threads);
  if (status == MLPD_OK) status = data_check(data, split);
  if (status == MLPD_OK) status = backend_choose(backend_name, &gemm);
  if (status == MLPD_OK && mlpd_comm_rank(comm) == 0) status = check_output(wish, model, data);
  TRY(mlpd_comm_agree(comm, status));
  TRY(model_agreement_check(comm, gemm, model, data, split, wish->spread ? "predict --spread" : "predict"));
  model_table table;
  TRY_GOTO(status, model_table_open(comm, model, data, true, wish->out, &split, &table), done);
  data = &table.data;
  comm_watch_place(comm, "during the prediction");
  TRY_GOTO(status, held_out_read(comm, NULL, data, split, model, false, false, 1, &part), done);
  *rows = part.range.rows;
  status = predict(comm, model, gemm, &part, &table, split, threads, wish);
done:
  comm_watch_place(comm, COMM_AT_THE_END);
  held_out_free(&part);
  return model_table_close(status, &table);
}

mlpd_status mlpd_predict(mlpd_comm *comm, mlpd_model *model, const mlpd_data_paths *data, mlpd_split split,
                         const char *out, const char *backend_name, int threads, uint64_t *rows) {
  IN_C_LOCALE();
  KEEP_CALLERS_THREADS();
  if (rows != NULL) *rows = 0;
  TRY(model_check_call(comm, "mlpd_predict", model, data, rows, "rows"));
  return predict_all(comm, model, data, split, &(prediction_wish){.out = out}, backend_name, threads, rows);
}

mlpd_status mlpd_predict_spread(mlpd_comm *comm, mlpd_model *model, const mlpd_data_paths *data, mlpd_split split,
                                const char *out, const char *backend_name, int threads, uint64_t *rows) {
  IN_C_LOCALE();
  KEEP_CALLERS_THREADS();
  const prediction_wish wish = {.out = out, .spread = true};
  if (rows != NULL) *rows = 0;
  TRY(model_check_call(comm, "mlpd_predict_spread", model, data, rows, "rows"));
  return predict_all(comm, model, data, split, &wish, backend_name, threads, rows);
}
