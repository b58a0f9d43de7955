/* What a program asks of its runs while they train: to stop, or to write a checkpoint.
 *
 * A callback of a run asks that run alone, since several threads may train at once, each with a rule of its own for the
 * end. Any other code asks all runs of the process. A signal handler asks as the code that it interrupts: the library
 * cannot tell it from a callback. */
#ifndef MLPDIST_RUN_REQUESTS_H
#define MLPDIST_RUN_REQUESTS_H

#include <stdatomic.h>

#include "mlpdist.h"

typedef struct run_requests run_requests;
struct run_requests {
  const mlpd_train_events *given; /* the program's callbacks */
  mlpd_train_events events;       /* these, each of which notes which run has called it */
  unsigned stops, checkpoints;    /* requests to all runs that are older than this one, or done */
  atomic_bool stop, checkpoint;   /* requests by callbacks of this run; stalled() may have a thread of its own */
  run_requests *outer;            /* the run whose callback started this one; NULL: none */
};

/* Drops all requests so far. The caller keeps r in its place during the run, uses the callbacks that the result points
 * to (NULL if given is), and calls run_requests_end() in the same thread. */
const mlpd_train_events *run_requests_begin(run_requests *r, const mlpd_train_events *given);
void run_requests_end(const run_requests *r);

bool run_requests_stop(const run_requests *r);

/* Was a checkpoint requested since the last call? */
bool run_requests_take_checkpoint(run_requests *r);

#endif
