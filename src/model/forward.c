#include "model/forward.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "kernels/vector.h"
#include "model/block_sums.h"
#include "network/ensemble.h"
#include "ranks/comm.h"

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
                   .weights = rows->weights != NULL ? rows->weights + first : NULL,
                   .folds = rows->folds != NULL ? rows->folds + first : NULL};
}

uint64_t forward_first_overflow(const mlpd_network *network, uint64_t n, const workspace *space) {
  const uint32_t d = network_inputs(network), k = network_output(network)->outputs;
  const float *const x = space->x, *const z = space->output_z, *const a = space->output;
  if (vector_all_finite(n * d, x) && vector_all_finite(n * k, z) && vector_all_finite(n * k, a)) return n;
  uint64_t i = 0;
  while (vector_all_finite(d, x + i * d) && vector_all_finite(k, z + i * k) && vector_all_finite(k, a + i * k)) i++;
  return i;
}

mlpd_status forward_blocks(const mlpd_network *network, const backend *gemm, const affine *input, const shard *rows,
                           const forward_range *range, int threads, forward_visit *visit, void *context,
                           uint64_t *overflow) {
  workspace *spaces = NULL;
  uint64_t bad = overflow != NULL ? *overflow : UINT64_MAX;
  mlpd_status status = MLPD_OK;
  TRY(memory_allocate(&spaces, (size_t)threads, sizeof *spaces, "workspaces"));
  for (int t = 0; t < threads; t++)
    TRY_GOTO(status, workspace_create(network, FORWARD_BLOCK_ROWS, false, &spaces[t]), done);
  const size_t row_bytes = rows->features * element_size(rows->type);
#pragma omp parallel for num_threads(threads) schedule(dynamic) reduction(min : bad)
  for (uint64_t block = range->block_begin; block < range->block_end; block++) {
    workspace *const space = &spaces[omp_get_thread_num()];
    const uint64_t first = block * FORWARD_BLOCK_ROWS - range->row_begin;
    const uint64_t left = range->row_end - range->row_begin - first;
    const uint64_t n = left < FORWARD_BLOCK_ROWS ? left : FORWARD_BLOCK_ROWS;
    affine_gather(input, rows->type, n, n, (const char *)rows->x + first * row_bytes, NULL, space->x);
    network_forward(network, gemm, n, space);
    const targets y = targets_at(rows, first);
    if (y.folds != NULL) ensemble_pick(network, n, y.folds, space);
    if (overflow != NULL) {
      const uint64_t row = forward_first_overflow(network, n, space);
      if (row < n && range->row_begin + first + row < bad) bad = range->row_begin + first + row;
    }
    visit(context, block, first, n, space, &y);
  }
  if (overflow != NULL) *overflow = bad;
done:
  for (int t = 0; t < threads; t++) workspace_free(&spaces[t]);
  free(spaces);
  return status;
}

/* ---- Sums ---------------------------------------------------------------------------------------- */

enum {
  SUM_DOUBLES = sizeof(loss_sums) / sizeof(double),
  BLOCKS_PER_THREAD = 64 /* records that wait to be added */
};

typedef struct record_pass {
  const forward_pass *pass;
  uint64_t first_block;
  double *records; /* of a few blocks */
} record_pass;

static void visit_record(void *context, uint64_t block, uint64_t first, uint64_t n, const workspace *space,
                         const targets *y) {
  (void)first;
  const record_pass *const of = context;
  double *const record = of->records + (block - of->first_block) * of->pass->doubles;
  memset(record, 0, of->pass->doubles * sizeof *record);
  of->pass->measure(of->pass->context, n, space, y, record);
}

static shard rows_from(const shard *rows, uint64_t first) {
  shard some = *rows;
  some.x = (char *)rows->x + first * rows->features * element_size(rows->type);
  if (rows->classes != NULL) some.classes += first;
  if (rows->values != NULL) some.values += first * rows->outputs;
  if (rows->weights != NULL) some.weights += first;
  if (rows->folds != NULL) some.folds += first;
  return some;
}

/* Blocks [begin, end) of a rank's range. */
static forward_range part_of(const forward_range *range, uint64_t begin, uint64_t end) {
  forward_range part = *range;
  part.block_begin = begin;
  part.block_end = end;
  part.row_begin = begin * FORWARD_BLOCK_ROWS;
  if (end < range->block_end) part.row_end = end * FORWARD_BLOCK_ROWS;
  return part;
}

/* Adds a range whose rows are in memory, a few blocks at a time. */
static mlpd_status add_range(const forward_pass *pass, const shard *rows, const forward_range *range, double *records,
                             block_sums *sums) {
  const uint64_t most = (uint64_t)pass->threads * BLOCKS_PER_THREAD;
  for (uint64_t begin = range->block_begin; begin < range->block_end; begin += most) {
    const uint64_t end = range->block_end - begin < most ? range->block_end : begin + most;
    const forward_range part = part_of(range, begin, end);
    const shard some = rows_from(rows, part.row_begin - range->row_begin);
    record_pass of = {.pass = pass, .first_block = begin, .records = records};
    TRY(forward_blocks(pass->network, pass->gemm, pass->input, &some, &part, pass->threads, visit_record, &of,
                       pass->overflow));
    for (uint64_t i = 0; i < end - begin; i++) block_sums_add(sums, records + i * pass->doubles);
  }
  return MLPD_OK;
}

/* Adds this rank's blocks: all rows in memory, or window by window. */
static mlpd_status add_blocks(const forward_pass *pass, const forward_range *range, double *records, block_sums *sums) {
  if (pass->windows == NULL) return add_range(pass, pass->rows, range, records, sums);
  const uint64_t most = pass->windows->blocks;
  for (uint64_t begin = range->block_begin; begin < range->block_end; begin += most) {
    const shard *rows = NULL;
    const forward_range window =
        part_of(range, begin, range->block_end - begin < most ? range->block_end : begin + most);
    TRY(pass->windows->read(pass->windows->context, window.row_begin, window.row_end, &rows));
    TRY(add_range(pass, rows, &window, records, sums));
  }
  return MLPD_OK;
}

mlpd_status forward_sums(mlpd_comm *comm, const forward_pass *pass, const forward_range *range, double *sum) {
  double *records = NULL;
  block_sums sums = {0};
  const size_t room = (size_t)pass->threads * BLOCKS_PER_THREAD * pass->doubles;
  mlpd_status status = memory_allocate(&records, room, sizeof *records, "block sums");
  if (status == MLPD_OK) status = block_sums_create(range->block_begin, pass->doubles, &sums);
  if (status == MLPD_OK) status = add_blocks(pass, range, records, &sums);
  status = mlpd_comm_agree(comm, status);
  if (status == MLPD_OK) status = block_sums_total(comm, range->rows, &sums, sum);
  block_sums_free(&sums);
  free(records);
  return status;
}

void forward_measure_loss(void *context, uint64_t n, const workspace *space, const targets *y, double *record) {
  const forward_loss *const of = context;
  loss_sums sums = {0};
  loss_compute(of->loss, of->output->activation, n, of->output->outputs, space->output_z, space->output, y, NULL,
               &sums);
  memcpy(record, &sums, sizeof sums);
}

mlpd_status forward_losses(mlpd_comm *comm, const mlpd_network *network, const backend *gemm, const affine *input,
                           const shard *rows, const forward_windows *windows, const forward_range *range,
                           const loss_spec *loss, int threads, uint64_t *overflow, loss_sums *sums) {
  forward_loss measure = {.loss = loss, .output = network_output(network)};
  const forward_pass pass = {.network = network,
                             .gemm = gemm,
                             .input = input,
                             .rows = rows,
                             .windows = windows,
                             .threads = threads,
                             .measure = forward_measure_loss,
                             .context = &measure,
                             .doubles = SUM_DOUBLES,
                             .overflow = overflow};
  double total[SUM_DOUBLES];
  TRY(forward_sums(comm, &pass, range, total));
  memcpy(sums, total, sizeof total);
  return MLPD_OK;
}
