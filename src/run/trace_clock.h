/* Clocks of the ranks beside that of rank 0: round trips, of which the shortest tells most. */
#ifndef MLPDIST_TRACE_CLOCK_H
#define MLPDIST_TRACE_CLOCK_H

#include "base/status.h"

/* When another rank's clock said `there`, rank 0's said `here`, give or take `error`; all in ticks of their clocks. */
typedef struct clock_pair {
  uint64_t there, here, error;
} clock_pair;

/* pairs (size; used on rank 0 alone) gets one for each rank, its own included. clock(context) is this rank's clock.
 * Collective. */
mlpd_status trace_clock_compare(mlpd_comm *comm, uint64_t clock(const void *context), const void *context,
                                clock_pair *pairs);

#endif
