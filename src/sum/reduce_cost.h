/* Messages and bytes of the canonical sum (reduce.h), to predict its time as messages times latency plus bytes over
 * bandwidth. Keep it in step with the algorithm there. Nothing here is collective. */
#ifndef MLPDIST_REDUCE_COST_H
#define MLPDIST_REDUCE_COST_H

#include "sum/reduce.h"

/* The cost for the rank that sends or receives the most. */
typedef struct reduce_cost {
  double messages, bytes;
} reduce_cost;

/* The cost of one sum of buffers of `bytes` bytes over num_lanes lanes on size ranks; zero for one rank. */
reduce_cost reduce_cost_of(uint32_t num_lanes, int size, uint64_t bytes);

#endif
