#include "training/forward.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "distribution/comm.h"
#include "kernels/vector.h"

static uint64_t blocks_of(uint64_t rows) { return (rows + FORWARD_BLOCK_ROWS - 1) / FORWARD_BLOCK_ROWS; }

static uint64_t share(uint64_t blocks, int size, int rank) {
  return blocks / (uint64_t)size * (uint64_t)rank + blocks % (uint64_t)size * (uint64_t)rank / (uint64_t)size;
}

forward_range forward_range_of_rank(uint64_t rows, int size, int rank) {
  const uint64_t blocks = blocks_of(rows);
  forward_range range = {
      .rows = rows, .block_begin = share(blocks, size, rank), .block_end = share(blocks, size, rank + 1)};
  range.row_begin = range.block_begin * FORWARD_BLOCK_ROWS;
  range.row_end = range.block_end * FORWARD_BLOCK_ROWS < rows ? range.block_end * FORWARD_BLOCK_ROWS : rows;
  if (range.row_begin > range.row_end) range.row_begin = range.row_end;
  return range;
}

uint32_t forward_predicted_class(const float *a, uint32_t k) {
  if (k == 1) return a[0] > 0.5f;
  uint32_t largest = 0;
  for (uint32_t j = 1; j < k; j++)
    if (a[j] > a[largest]) largest = j;
  return largest;
}

static targets targets_at(const shard *rows, uint64_t first) {
  return (targets){.classes = rows->classes != NULL ? rows->classes + first : NULL,
                   .values = rows->values != NULL ? rows->values + first * rows->outputs : NULL,
                   .weights = rows->weights != NULL ? rows->weights + first : NULL};
}

mlpd_status forward_blocks(const mlpd_network *network, const backend *gemm, const affine *input, const shard *rows,
                           const forward_range *range, int threads, forward_visit *visit, void *context) {
  workspace *spaces = NULL;
  mlpd_status status = MLPD_OK;
  TRY(memory_allocate(&spaces, (size_t)threads, sizeof *spaces, "workspaces"));
  for (int t = 0; t < threads; t++)
    TRY_GOTO(status, workspace_create(network, FORWARD_BLOCK_ROWS, false, &spaces[t]), done);
  const size_t row_bytes = rows->features * element_size(rows->type);
#pragma omp parallel for num_threads(threads) schedule(dynamic)
  for (uint64_t block = range->block_begin; block < range->block_end; block++) {
    workspace *const space = &spaces[omp_get_thread_num()];
    const uint64_t first = block * FORWARD_BLOCK_ROWS - range->row_begin;
    const uint64_t left = range->row_end - range->row_begin - first;
    const uint64_t n = left < FORWARD_BLOCK_ROWS ? left : FORWARD_BLOCK_ROWS;
    vector_gather_rows(rows->type, n, n, rows->features, (const char *)rows->x + first * row_bytes, NULL, input->shift,
                       input->scale, space->x);
    network_forward(network, gemm, n, space);
    const targets y = targets_at(rows, first);
    visit(context, block, first, n, space, &y);
  }
done:
  for (int t = 0; t < threads; t++) workspace_free(&spaces[t]);
  free(spaces);
  return status;
}

mlpd_status forward_sum_blocks(mlpd_comm *comm, const forward_range *range, const double *local, uint32_t doubles,
                               double *sum) {
  const int size = mlpd_comm_size(comm);
  const uint64_t blocks = blocks_of(range->rows);
  uint64_t *bytes = NULL;
  double *all = NULL;
  mlpd_status status = memory_allocate(&bytes, (size_t)size, sizeof *bytes, "block sums");
  if (status == MLPD_OK) status = memory_allocate(&all, blocks * doubles, sizeof *all, "block sums");
  TRY_GOTO(status, mlpd_comm_agree(comm, status), done);
  for (int rank = 0; rank < size; rank++) {
    const forward_range theirs = forward_range_of_rank(range->rows, size, rank);
    bytes[rank] = (theirs.block_end - theirs.block_begin) * doubles * sizeof *all;
  }
  TRY_GOTO(status, comm_gather_all(comm, local, bytes, all), done);
  memset(sum, 0, doubles * sizeof *sum);
  for (uint64_t block = 0; block < blocks; block++)
    for (uint32_t i = 0; i < doubles; i++) sum[i] += all[block * doubles + i];
done:
  free(all);
  free(bytes);
  return status;
}

/* ---- Losses ------------------------------------------------------------------------------------- */

enum { SUM_DOUBLES = sizeof(loss_sums) / sizeof(double) };

typedef struct loss_pass {
  const mlpd_network *network;
  mlpd_loss loss;
  uint64_t first_block;
  loss_sums *sums; /* of each block */
} loss_pass;

static void visit_loss(void *context, uint64_t block, uint64_t first, uint64_t n, const workspace *space,
                       const targets *y) {
  (void)first;
  const loss_pass *const pass = context;
  const uint32_t last = pass->network->num_layers - 1;
  const layer *const output = &pass->network->layers[last];
  loss_compute(pass->loss, output->activation, n, output->outputs, space->z[last], space->a[last], y, NULL,
               &pass->sums[block - pass->first_block]);
}

/* This rank's blocks, range->row_begin's being the first of rows, or of what read brings. */
static mlpd_status run_losses(const mlpd_network *network, const backend *gemm, const affine *input, const shard *rows,
                              const forward_windows *windows, const forward_range *range, int threads,
                              loss_pass *pass) {
  if (windows == NULL) return forward_blocks(network, gemm, input, rows, range, threads, visit_loss, pass);
  for (uint64_t block = range->block_begin; block < range->block_end; block += windows->blocks) {
    forward_range window = *range;
    window.block_begin = block;
    if (range->block_end - block > windows->blocks) window.block_end = block + windows->blocks;
    window.row_begin = block * FORWARD_BLOCK_ROWS;
    if (window.block_end < range->block_end) window.row_end = window.block_end * FORWARD_BLOCK_ROWS;
    TRY(windows->read(windows->context, window.row_begin, window.row_end, &rows));
    TRY(forward_blocks(network, gemm, input, rows, &window, threads, visit_loss, pass));
  }
  return MLPD_OK;
}

mlpd_status forward_losses(mlpd_comm *comm, const mlpd_network *network, const backend *gemm, const affine *input,
                           const shard *rows, const forward_windows *windows, const forward_range *range,
                           mlpd_loss loss, int threads, loss_sums *sums) {
  loss_pass pass = {.network = network, .loss = loss, .first_block = range->block_begin};
  mlpd_status status =
      memory_allocate(&pass.sums, range->block_end - range->block_begin, sizeof *pass.sums, "block sums");
  if (status == MLPD_OK) status = run_losses(network, gemm, input, rows, windows, range, threads, &pass);
  status = mlpd_comm_agree(comm, status);
  if (status == MLPD_OK)
    status = forward_sum_blocks(comm, range, (const double *)pass.sums, SUM_DOUBLES, (double *)sums);
  free(pass.sums);
  return status;
}
