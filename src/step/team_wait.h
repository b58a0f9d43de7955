/* How long a thread that waits for the others of a step spins before it sleeps. GNU's OpenMP spins for some
 * milliseconds, which is best where each thread has a core of its own. Where other programs run too, a waiting thread
 * keeps the core from the thread that it waits for, and a step on two threads takes several times as long as on one.
 * The thread that runs the steps therefore looks, ten times a second, whether others take its core away, and makes the
 * waits short while they do. The bits of the weights do not depend on it. Nothing here is collective. */
#ifndef MLPDIST_TEAM_WAIT_H
#define MLPDIST_TEAM_WAIT_H

#include "base/status.h"

typedef struct team_holder team_holder;

/* All zero: nothing is watched. */
typedef struct team_wait {
  int surplus;         /* threads that must exist beside the team to make waits short; 0: nothing is watched */
  double wall, own;    /* seconds at the last look: the clock's, and of this thread on a core */
  long preemptions;    /* until then */
  double short_since;  /* seconds, if holder is set */
  team_holder *holder; /* the surplus threads; NULL: waits are as the runtime makes them */
} team_wait;

/* Watches a team of so many threads, unless it does not fill the cores, or the user decided how it waits
 * (OMP_WAIT_POLICY, GOMP_SPINCOUNT) or how large its threads are (OMP_STACKSIZE, GOMP_STACKSIZE). */
void team_wait_begin(team_wait *w, int threads);

/* Measures, at most ten times a second, and switches. Call it between steps, on the thread that runs them. */
void team_wait_look(team_wait *w);

void team_wait_end(team_wait *w);

/* ---- Parts of team_wait_look, for tests --------------------------------------------------------------- */

/* Do other programs take the core away from a thread that ran for `own` of `wall` seconds and lost the core so many
 * times? */
bool team_wait_crowded(double wall, double own, long preemptions);

/* Makes waits short, for so many seconds or until team_wait_lengthen. If that fails, waits stay as they are. */
void team_wait_shorten(team_wait *w, int seconds);
void team_wait_lengthen(team_wait *w);

#endif
