/* The training step: gather, forward, loss, backward, lane sums, reduction, optimizer.
 *
 * Phase 1 computes the forward and backward passes of this rank's lanes and keeps their a and delta. Phase 2 computes
 * the gradient one unit (a block of a tensor) at a time: for a weight, a_prev^T delta of each lane's rows, summed over
 * the lanes in tree order while the block is in cache. So a lane's gradient is never a whole arena in memory, and the
 * threads can share phase 2 by units with any number of lanes.
 *
 * With one rank, the optimizer updates a unit's weights as soon as its sum is complete. If the ranks share memory, it
 * updates a strip of units as soon as all ranks have summed it; otherwise it updates all weights after the sum over
 * ranks. If the ranks divide the update, each updates its part of a strip and reads the other parts from the other
 * ranks. This transfers no more bytes, because new weights travel instead of sums. If the whole gradient must be known
 * first (stepper_needs_whole), every rank updates all weights after the sum, also a single one, or keeps the gradient
 * for the caller, which searches along a direction (lbfgs). No function here is collective unless its comment says so.
 */
#ifndef MLPDIST_STEPPER_H
#define MLPDIST_STEPPER_H

#include "data/normalize.h"
#include "data/shard.h"
#include "data/stream.h"
#include "lanes/lanes.h"
#include "loss/loss.h"
#include "network/network.h"
#include "network/optimizer.h"
#include "sum/reduce.h"

/* Borrowed parts of a stepper; all must outlive it. */
typedef struct stepper_parts {
  mlpd_comm *comm;
  mlpd_network *network;
  const backend *gemm;
  optimizer *optimizer;
  const lane_plan *plan;
  const shard *rows; /* this rank's rows in position order, from its first lane on; with a stream: their types alone */
  stream *stream;    /* source of the rows; NULL: they are in memory */
  const affine *input; /* (features) */
  loss_spec loss;
  mlpd_reduce reduce;
  mlpd_update update;
  mlpd_overlap overlap;
  uint64_t seed;
  double clip_norm; /* 0: none */
  int threads;
} stepper_parts;

typedef struct stepper stepper;

/* Collective; all parts but the rows must be equal on all ranks. */
mlpd_status stepper_create(const stepper_parts *parts, stepper **made);

/* Must the whole gradient be known before the update of any weight? Clipping needs its norm, an optimizer with trust
 * ratios the norm of each tensor, a search the gradient itself. */
bool stepper_needs_whole(mlpd_optimizer optimizer, double clip_norm);

/* May the ranks divide the update if it pays? Not if the whole gradient must be known first, nor if sums may differ
 * between ranks. */
bool stepper_divides(mlpd_update update, mlpd_reduce reduce, bool needs_whole);

/* Bytes of a stepper for these lanes, without its reducer. target_bytes: bytes of a row's targets and weight; streams:
 * the rows come from a stream. */
size_t stepper_size(const mlpd_network *network, const backend *gemm, const lane_plan *plan, lane_range lanes,
                    uint64_t target_bytes, bool streams, int threads);

void stepper_free(stepper *s); /* NULL is allowed. */

/* In later steps dropout and weight decay are those of the options times factor (0 to 1). factor must be equal on all
 * ranks. */
void stepper_weaken(stepper *s, double factor);

/* Shuffles each lane's rows in memory for an epoch (from 0). */
void stepper_begin_epoch(stepper *s, uint64_t epoch);

/* Requests of this rank after a step; summed with the gradient, so that all ranks know them. */
typedef struct step_wishes {
  bool stop, checkpoint;
  bool check; /* compare the weights (and optimizer state, see stepper_compare_weights) of all ranks before the step;
                 equal on all ranks */
} step_wishes;

/* What one step did; sums are over the global batch and equal on all ranks. */
typedef struct step_outcome {
  loss_sums sums;
  double gradient_norm;  /* before clipping; 0 without clipping */
  bool stop, checkpoint; /* some rank requested it */
  bool agreed;           /* false: the check found different weights or state before the step */
  bool failed;           /* some rank could not read its rows; the weights are unusable */
  bool finite;           /* false: the loss is not a number; the weights were not changed, nor the kept gradient */
} step_outcome;

/* Seconds since the stepper was created, on this rank. */
typedef struct step_times {
  double compute, reduce, data; /* data: gathering and converting rows, and waiting for them */
} step_times;

/* One step with learning rate lr; step counts from 0 within the epoch. With an optimizer that searches, the weights
 * stay as they are, and the optimizer gets the mean gradient of the step. If the stream of a rank fails, all ranks
 * return its failure. Collective; step and lr equal on all ranks. */
mlpd_status stepper_step(stepper *s, uint64_t step, double lr, const step_wishes *wishes, step_outcome *outcome);

/* Compares the weights of all ranks and, if every rank updates all weights, the optimizer's state. MLPD_ERROR_INTERNAL
 * names a rank that differs from the majority. Collective. */
mlpd_status stepper_compare_weights(stepper *s);

/* If the ranks divide the update, each has only its part of the optimizer's state: gathers the whole state on all
 * ranks, for a checkpoint. Collective. */
mlpd_status stepper_complete_state(stepper *s);

/* Ranks of a machine that divide the update keep the weights in shared memory from the first step on, where they must
 * not be written between steps. Copies them back to this rank's own memory, until the next step. */
void stepper_own_weights(stepper *s);

/* How the threads and ranks share a step, in words: "threads share whole lanes; ..." */
void stepper_describe(const stepper *s, char *text, size_t bytes);

step_times stepper_times(const stepper *s);

/* Records later steps in t, which may be NULL. */
void stepper_trace(stepper *s, timeline *t);

/* Upper bound of the events that a thread records in a step, unless the threads' shares are very uneven. */
size_t stepper_trace_events(const stepper *s);

#endif
