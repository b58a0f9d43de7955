/* Compares the clocks of the ranks with rank 0's by round trips; the shortest one is the most exact. */
#ifndef MLPDIST_TRACE_CLOCK_H
#define MLPDIST_TRACE_CLOCK_H

#include "base/status.h"

/* When another rank's clock showed `there`, rank 0's showed `here`, up to `error`; each in ticks of its own clock. */
typedef struct clock_pair {
  uint64_t there, here, error;
} clock_pair;

/* Fills pairs (size; used on rank 0 only), one for each rank including rank 0. clock(context) reads this rank's clock.
 * Collective. */
mlpd_status trace_clock_compare(mlpd_comm *comm, uint64_t clock(const void *context), const void *context,
                                clock_pair *pairs);

#endif
