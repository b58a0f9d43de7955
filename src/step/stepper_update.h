/* Updates that follow the sum of the whole gradient, and what every update depends on. Nothing here is collective. */
#ifndef MLPDIST_STEPPER_UPDATE_H
#define MLPDIST_STEPPER_UPDATE_H

#include "step/stepper_internal.h"

enum { NORM_BLOCK = 1 << 16 }; /* floats that a partial sum of squares covers: fixed, so that the norm is */

/* The statistics of all ranks are known, and with them what updates depend on; context: the stepper. On one thread. */
void stepper_take_totals(void *context, const double *totals);

/* Floats [begin, end) of the weights take a step by their gradient's sum; context: the stepper. Any thread. */
void stepper_update_slice(void *context, size_t begin, size_t end, const float *sum);

/* All weights, by the gradient's sum that the reducer holds, clipped where that is asked for. On one thread; starts a
 * parallel region. */
void stepper_update_all(stepper *s);

#endif
