#include "step/step_tail.h"

#include <math.h>
#include <string.h>
#include <xxhash.h>

void step_tail_of_lane(const loss_sums *sums, double tail[TAIL_DOUBLES]) {
  memset(tail, 0, TAIL_DOUBLES * sizeof *tail);
  tail[TAIL_LOSS] = sums->loss;
  tail[TAIL_WEIGHT] = sums->weight;
  tail[TAIL_CORRECT] = sums->correct;
  tail[TAIL_SQUARE] = sums->square;
}

uint64_t step_tail_hash(const mlpd_network *network, const optimizer *o) {
  uint64_t hash = XXH3_64bits_withSeed(&(uint64_t){o != NULL ? o->step : 0}, sizeof(uint64_t),
                                       network_hash(network, network->parameters));
  for (uint32_t i = 0; o != NULL && i < o->num_state; i++)
    hash = XXH3_64bits_withSeed(&(uint64_t){network_hash(network, o->state[i])}, sizeof(uint64_t), hash);
  return hash;
}

void step_tail_add_wishes(const step_wishes *wishes, const mlpd_network *network, const optimizer *o,
                          double tail[TAIL_DOUBLES]) {
  tail[TAIL_STOP] += wishes->stop;
  tail[TAIL_CHECKPOINT] += wishes->checkpoint;
  if (!wishes->check) return;
  uint64_t hash = step_tail_hash(network, o);
  for (uint32_t i = 0; i < HASH_PIECES; i++, hash >>= 8) {
    const double piece = (double)(hash & 255);
    tail[TAIL_PIECES + i] += piece;
    tail[TAIL_PIECES + HASH_PIECES + i] += piece * piece;
  }
}

/* All pieces are equal exactly if ranks * sum of squares = square of the sum (Cauchy-Schwarz); exact in double. */
static bool pieces_agree(const double tail[TAIL_DOUBLES], int ranks) {
  for (uint32_t i = 0; i < HASH_PIECES; i++) {
    const double sum = tail[TAIL_PIECES + i], squares = tail[TAIL_PIECES + HASH_PIECES + i];
    if (ranks * squares != sum * sum) return false;
  }
  return true;
}

step_outcome step_tail_outcome(const double tail[TAIL_DOUBLES], int ranks) {
  return (step_outcome){.sums = {.loss = tail[TAIL_LOSS],
                                 .weight = tail[TAIL_WEIGHT],
                                 .correct = tail[TAIL_CORRECT],
                                 .square = tail[TAIL_SQUARE]},
                        .stop = tail[TAIL_STOP] > 0,
                        .checkpoint = tail[TAIL_CHECKPOINT] > 0,
                        .failed = tail[TAIL_FAILED] > 0,
                        .agreed = pieces_agree(tail, ranks),
                        .finite = isfinite(tail[TAIL_LOSS])};
}
