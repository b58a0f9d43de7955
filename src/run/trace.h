/* The trace of a run: each rank's timeline, with the clocks of the ranks aligned, in one file that rank 0 writes. No
 * function here is collective unless its comment says so. */
#ifndef MLPDIST_TRACE_H
#define MLPDIST_TRACE_H

#include "base/timeline.h"

typedef struct trace trace;

/* Creates a timeline (base/timeline.h) of this rank and compares the clocks of all ranks for the first time. threads
 * may differ between ranks. Collective. */
mlpd_status trace_create(mlpd_comm *comm, uint32_t threads, uint64_t steps, size_t events_a_step, trace **made);
void trace_free(trace *t); /* NULL is allowed. */

timeline *trace_timeline(trace *t); /* NULL if t is NULL. */

/* Compares the clocks again and writes path on rank 0; nothing may record meanwhile. first_step: the first step traced,
 * from 1. *lost: number of events of all ranks that did not fit. Writes the whole file or none. Collective. */
mlpd_status trace_write(trace *t, const char *path, uint64_t first_step, uint64_t *lost);

#endif
