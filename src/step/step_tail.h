/* The tail of a step: statistics, requests and the hash of the state. These doubles follow the gradient and are summed
 * with it, so that every rank takes the same decisions without a second collective. No function here is collective
 * unless its comment says so. */
#ifndef MLPDIST_STEP_TAIL_H
#define MLPDIST_STEP_TAIL_H

#include "step/stepper.h"

enum {
  TAIL_LOSS,
  TAIL_WEIGHT,
  TAIL_CORRECT,
  TAIL_SQUARE,
  TAIL_STOP,       /* ranks that request a stop */
  TAIL_CHECKPOINT, /* ranks that request a checkpoint */
  TAIL_FAILED,     /* ranks that could not read their rows */
  TAIL_PIECES,     /* sums over ranks of the 8 bytes of step_tail_hash(), then of their squares */
  HASH_PIECES = 8,
  TAIL_DOUBLES = TAIL_PIECES + 2 * HASH_PIECES
};

/* The tail of one lane's microbatch. */
void step_tail_of_lane(const loss_sums *sums, double tail[TAIL_DOUBLES]);

/* Hash of the state that must be equal on all ranks between steps: the weights and the optimizer's state (o; NULL: the
 * weights alone). */
uint64_t step_tail_hash(const mlpd_network *network, const optimizer *o);

/* Adds this rank's requests and, if the state is to be checked, step_tail_hash() to its tail. Call it once a step. */
void step_tail_add_wishes(const step_wishes *wishes, const mlpd_network *network, const optimizer *o,
                          double tail[TAIL_DOUBLES]);

/* Evaluates the sum of all ranks' tails. */
step_outcome step_tail_outcome(const double tail[TAIL_DOUBLES], int ranks);

#endif
