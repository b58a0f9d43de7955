/* What the canonical sum (reduce.h) sends: for predictions of its time as messages times latency plus bytes over
 * bandwidth. Changes with the algorithm there. */
#ifndef MLPDIST_REDUCE_COST_H
#define MLPDIST_REDUCE_COST_H

#include "distribution/reduce.h"

/* Of the rank that sends or receives most. */
typedef struct reduce_cost {
  double messages, bytes;
} reduce_cost;

/* One sum of buffers of bytes over num_lanes lanes on size ranks; nothing for one rank. Not collective. */
reduce_cost reduce_cost_of(uint32_t num_lanes, int size, uint64_t bytes);

#endif
