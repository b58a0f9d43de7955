/* The training step: gather, forward, loss, backward, lane sums, reduction, optimizer.
 *
 * Phase 1 takes the lanes of this rank forward and back and keeps their a and delta. Phase 2 computes the
 * gradient one unit (a block of a tensor) at a time: of a weight a_prev^T delta of each lane's rows,
 * summed over the lanes in tree order while the block is in cache. So a lane gradient is never a whole
 * arena in memory, and threads share phase 2 by units, however many lanes there are. With one rank the
 * optimizer updates a unit's weights as soon as its sum is there; where ranks share memory, those of a strip
 * of units as soon as all ranks have summed it; elsewhere all, after the sum over ranks. Where ranks divide the
 * update, each updates its part of the strip and takes the others' from them: to divide the optimizer's work costs
 * no more bytes, for new weights travel instead of sums. No function here is collective unless its comment says so. */
#ifndef MLPDIST_STEPPER_H
#define MLPDIST_STEPPER_H

#include "data/dataset.h"
#include "data/normalize.h"
#include "data/stream.h"
#include "lanes/lanes.h"
#include "network/loss.h"
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
  const shard *rows;   /* this rank's rows, in position order from its first lane's; of a stream: its kinds */
  stream *stream;      /* where rows come from, or NULL: they are in memory */
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

/* Collective; parts equal on all ranks but for rows. */
mlpd_status stepper_create(const stepper_parts *parts, stepper **made);

/* Do ranks divide the update, where it pays? Not where the norm of the whole gradient comes first, nor where a sum may
 * differ by rank. */
bool stepper_divides(mlpd_update update, mlpd_reduce reduce, double clip_norm);

/* Bytes that a stepper takes for these lanes, its reducer left aside; target_bytes: of a row's targets and weight;
 * streams: its rows are a stream's. */
size_t stepper_size(const mlpd_network *network, const backend *gemm, const lane_plan *plan, lane_range lanes,
                    uint64_t target_bytes, bool streams, int threads);

void stepper_free(stepper *s); /* NULL is allowed. */

/* Shuffles each lane's rows in memory for an epoch (from 0). */
void stepper_begin_epoch(stepper *s, uint64_t epoch);

/* What this rank wishes for after a step; rides with the gradient, so that all ranks know. */
typedef struct step_wishes {
  bool stop, checkpoint;
  bool check; /* compare weights (and optimizer state, see stepper_compare_weights) of all ranks, as before the step;
                 equal on all ranks */
} step_wishes;

/* What one step did; sums are over the global batch and equal on all ranks. */
typedef struct step_outcome {
  loss_sums sums;
  double gradient_norm;  /* before clipping; 0 where not clipped */
  bool stop, checkpoint; /* some rank wished for it */
  bool agreed;           /* false: checked, and weights or state before the step were not the same on all ranks */
  bool failed;           /* some rank could not read its rows; the weights are of no use */
  bool finite;           /* false: the loss is not a number; the weights were not changed */
} step_outcome;

/* Seconds since the stepper was made, on this rank. */
typedef struct step_times {
  double compute, reduce, data; /* data: gathering and converting rows, and waiting for them */
} step_times;

/* One step with learning rate lr; step counts from 0 within the epoch. Where a rank's stream fails, all return that
 * failure. Collective; step and lr equal on all ranks. */
mlpd_status stepper_step(stepper *s, uint64_t step, double lr, const step_wishes *wishes, step_outcome *outcome);

/* Are the weights and, where every rank updates all of them, the optimizer's state the same on all ranks?
 * MLPD_ERROR_INTERNAL names a rank whose are not those of the most. Collective. */
mlpd_status stepper_compare_weights(stepper *s);

/* Where ranks divide the update, each has the optimizer's state of its part alone: makes it whole on all ranks, for a
 * checkpoint. Collective. */
mlpd_status stepper_complete_state(stepper *s);

/* Ranks of a machine that divide the update have the weights in common memory from the first step on, and nobody may
 * write them between steps: copies them to memory of this rank's own again, until the next step. */
void stepper_own_weights(stepper *s);

/* How the threads and ranks share a step, in words: "threads share whole lanes; ..." */
void stepper_describe(const stepper *s, char *text, size_t bytes);

step_times stepper_times(const stepper *s);

/* Has the steps that follow recorded; t may be NULL. */
void stepper_trace(stepper *s, timeline *t);

/* Events that a thread records in a step, at most unless the threads share very unevenly. */
size_t stepper_trace_events(const stepper *s);

#endif
