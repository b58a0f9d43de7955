/* The ways from the lanes' gradients to new weights. A stepper takes one when it is made; its step is then the same
 * sequence of calls whatever the way. */
#ifndef MLPDIST_STEP_WAY_H
#define MLPDIST_STEP_WAY_H

#include "step/stepper_internal.h"

/* A member that is NULL does nothing. */
struct step_way {
  const char *name, *what;       /* what it does, in words */
  bool sends;                    /* other ranks may wait: the master thread begins, for it alone calls MPI */
  void (*own_lanes)(stepper *s); /* each thread, when it is through with the lanes that it has computed */
  void (*begin)(stepper *s);     /* one thread, when all lanes of this rank are computed and their statistics summed */
  void (*gradients)(stepper *s); /* each thread: all weight gradients, summed over lanes, and on their way */
  mlpd_status (*finish)(stepper *s); /* one thread, after all: what is left of the sum over ranks, and of the update.
                                      * Collective */
};

/* The way of a stepper whose parts are made. */
const step_way *step_way_of(const stepper *s);

#endif
