/* The trace of a run: each rank's timeline, with the clocks of the ranks aligned, in one file that rank 0 writes. No
 * function here is collective unless its comment says so. */
#ifndef MLPDIST_TRACE_H
#define MLPDIST_TRACE_H

#include "base/timeline.h"

typedef struct trace trace;

/* A timeline (base/timeline.h) of this rank, and the first look at the clocks of all. threads may differ from rank to
 * rank. Collective. */
mlpd_status trace_create(mlpd_comm *comm, uint32_t threads, uint64_t steps, size_t events_a_step, trace **made);
void trace_free(trace *t); /* NULL is allowed. */

timeline *trace_timeline(trace *t); /* NULL where t is. */

/* Looks at the clocks again and writes path on rank 0; nothing must record meanwhile. first_step: the number, from 1,
 * of the first step traced. *lost: events that found no room, over all ranks. All or nothing is written. Collective. */
mlpd_status trace_write(trace *t, const char *path, uint64_t first_step, uint64_t *lost);

#endif
