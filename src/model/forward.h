/* Forward passes over a part, in blocks of fixed size: ranks get contiguous blocks, threads take them in turn. The sums
 * of blocks are added in a fixed order (block_sums.h), so the bits do not depend on ranks and threads. No function here
 * is collective unless its comment says so. */
#ifndef MLPDIST_FORWARD_H
#define MLPDIST_FORWARD_H

#include "data/normalize.h"
#include "data/shard.h"
#include "loss/loss.h"
#include "model/forward_range.h"
#include "network/network.h"

/* Called for each block of this rank, from several threads at once: space holds the forward pass of rows [first, first
 * + n) of the shard, which has this rank's rows only; y has their targets. */
typedef void forward_visit(void *context, uint64_t block, uint64_t first, uint64_t n, const workspace *space,
                           const targets *y);

/* The class predicted by outputs a (k): that of the largest, the lowest class on ties; with one output, 1 above 1/2. */
uint32_t forward_predicted_class(const float *a, uint32_t k);

/* The first of n rows of space whose normalised input or outputs are not finite; n: none. */
uint64_t forward_first_overflow(const mlpd_network *network, uint64_t n, const workspace *space);

/* *overflow, unless NULL, gets the first row of the part that gives outputs which are not finite numbers, if that is
 * less. */
mlpd_status forward_blocks(const mlpd_network *network, const backend *gemm, const affine *input, const shard *rows,
                           const forward_range *range, int threads, forward_visit *visit, void *context,
                           uint64_t *overflow);

/* Rows of a part that are read a window at a time: read returns rows [begin, end) of the part, at most `blocks` blocks.
 */
typedef struct forward_windows {
  uint64_t blocks;
  mlpd_status (*read)(void *context, uint64_t begin, uint64_t end, const shard **rows);
  void *context;
} forward_windows;

typedef void forward_measure(void *context, uint64_t n, const workspace *space, const targets *y, double *record);

/* What goes through the network, and what is summed: measure fills the record (doubles, initially 0) of a block of n
 * rows; it is called from several threads at once. */
typedef struct forward_pass {
  const mlpd_network *network;
  const backend *gemm;
  const affine *input;
  const shard *rows;              /* this rank's; or NULL: */
  const forward_windows *windows; /* reads them; NULL: all rows are in `rows` */
  int threads;
  forward_measure *measure;
  void *context;
  uint32_t doubles;
  uint64_t *overflow; /* as of forward_blocks */
} forward_pass;

/* The sum of the records of all blocks, on all ranks: the same bits on any number of ranks and threads, with memory
 * that does not grow with the rows. Collective. */
mlpd_status forward_sums(mlpd_comm *comm, const forward_pass *pass, const forward_range *range, double *sum);

typedef struct forward_loss {
  const loss_spec *loss;
  const layer *output;
} forward_loss;

/* A forward_measure whose record is a loss_sums, and whose context is a forward_loss. */
void forward_measure_loss(void *context, uint64_t n, const workspace *space, const targets *y, double *record);

/* Loss sums of the whole part, equal on all ranks. This rank's rows are in `rows` or, if windows is not NULL, read by
 * it. overflow: as for forward_blocks. Collective. */
mlpd_status forward_losses(mlpd_comm *comm, const mlpd_network *network, const backend *gemm, const affine *input,
                           const shard *rows, const forward_windows *windows, const forward_range *range,
                           const loss_spec *loss, int threads, uint64_t *overflow, loss_sums *sums);

#endif
