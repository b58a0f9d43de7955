/* Updates after the whole gradient has been summed, and the scalars that every update needs. Nothing here is
 * collective. */
#ifndef MLPDIST_STEPPER_UPDATE_H
#define MLPDIST_STEPPER_UPDATE_H

#include "step/stepper_internal.h"

enum { NORM_BLOCK = 1 << 16 }; /* floats in a partial sum of squares: fixed, so that the norm's bits are */

/* Evaluates the statistics of all ranks and the scalars that updates need; context: the stepper. On one thread. */
void stepper_take_totals(void *context, const double *totals);

/* Updates floats [begin, end) of the weights by the sum of their gradient; context: the stepper. Any thread. */
void stepper_update_slice(void *context, size_t begin, size_t end, const float *sum);

/* The pieces of the tensors that have a trust ratio, if the optimizer has any. */
mlpd_status stepper_make_trust(stepper *s);

/* Updates all weights by the gradient's sum in the reducer, clipped if requested. On one thread; starts a parallel
 * region. */
void stepper_update_all(stepper *s);

/* Copies the mean gradient to the optimizer, which searches along it. On one thread; starts a parallel region. */
void stepper_keep_gradient(stepper *s);

#endif
