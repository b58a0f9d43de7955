/* mlpd_predict: every rank computes its blocks of rows; rank 0 writes them in the order of the input. */
#include <stdlib.h>
#include <string.h>

#include "base/locale.h"
#include "base/memory.h"
#include "data/data_open.h"
#include "data/dataset.h"
#include "kernels/cpu.h"
#include "model/held_out.h"
#include "model/model_agreement.h"
#include "model/model_output.h"
#include "model/model_table.h"
#include "model/prediction_file.h"
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

/* What is to be written. */
typedef struct prediction_wish {
  const char *out;
  bool spread; /* of an ensemble's members */
} prediction_wish;

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
  if (status == MLPD_OK && root)
    status = prediction_open(wish->out, part->range.rows, &table->given, &table->streams, &file);
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
  const file_identity written = file_identify_output(out);
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
