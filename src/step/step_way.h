/* The ways from the lanes' gradients to new weights. A stepper chooses one when it is created; every way is the same
 * sequence of calls. */
#ifndef MLPDIST_STEP_WAY_H
#define MLPDIST_STEP_WAY_H

#include "step/stepper_internal.h"

/* A NULL member does nothing. */
struct step_way {
  const char *name, *what;       /* what it does, in words */
  bool sends;                    /* other ranks may wait: the master thread begins, because only it calls MPI */
  void (*own_lanes)(stepper *s); /* each thread, after the lanes it has computed */
  void (*begin)(stepper *s);     /* one thread, after all lanes of this rank are computed and their statistics summed */
  void (*gradients)(stepper *s); /* each thread: sums all weight gradients over lanes and starts their exchange */
  mlpd_status (*finish)(
      stepper *s); /* one thread, at the end: completes the sum over ranks and the update. Collective */
};

/* Chooses the way of a stepper whose parts exist. */
const step_way *step_way_of(const stepper *s);

#endif
