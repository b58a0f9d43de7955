#include "network/lbfgs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "kernels/multiversion.h"
#include "kernels/vector.h"

/* Least cosine of the angle between s and y: below it, the curvature is rounding. */
static const double LEAST_COSINE = 1e-8;

mlpd_status lbfgs_create(optimizer *o, const mlpd_network *network, lbfgs *made) {
  *made = (lbfgs){.optimizer = o, .network = network};
  mlpd_status status = memory_allocate(&made->weights, o->size, sizeof *made->weights, "line search");
  if (status == MLPD_OK) status = memory_allocate(&made->gradient, o->size, sizeof *made->gradient, "line search");
  if (status == MLPD_OK) status = memory_allocate(&made->direction, o->size, sizeof *made->direction, "line search");
  if (status != MLPD_OK) lbfgs_free(made);
  return status;
}

void lbfgs_free(lbfgs *l) {
  free(l->weights);
  free(l->gradient);
  free(l->direction);
  *l = (lbfgs){0};
}

uint32_t lbfgs_num_arenas(void) { return 3 + sizeof(double) / sizeof(float); }

/* ---- The objective --------------------------------------------------------------------------------- */

double lbfgs_add_decay(const lbfgs *l) {
  const optimizer *const o = l->optimizer;
  double sum = 0;
  for (uint32_t i = 0; i < l->network->num_tensors; i++) {
    const tensor *const t = &l->network->tensors[i];
    const size_t count = tensor_end(t) - t->offset;
    const float decay = o->weight_decay * t->decay;
    const float *const weights = l->network->parameters + t->offset;
    if (!(decay > 0)) continue;
    sum += (double)decay / 2 * vector_sum_squares(count, weights);
    for (size_t j = 0; j < count; j++) o->gradient[t->offset + j] += decay * weights[j];
  }
  return sum;
}

/* ---- The history ----------------------------------------------------------------------------------- */

static uint32_t num_pairs(const lbfgs *l) { return l->optimizer->num_state / 2; }
static float *step_of(const lbfgs *l, uint32_t pair) { return l->optimizer->state[2 * pair]; }
static float *change_of(const lbfgs *l, uint32_t pair) { return l->optimizer->state[2 * pair + 1]; }

bool lbfgs_has_history(const lbfgs *l) { return l->optimizer->num_state > 0; }

void lbfgs_forget(lbfgs *l) { l->optimizer->num_state = 0; }

/* The arrays of a new pair, the last: of the oldest, if the history is full. */
static void make_room(optimizer *o) {
  if (o->num_state < o->most_state) {
    o->num_state += 2;
    return;
  }
  float *const oldest[2] = {o->state[0], o->state[1]};
  memmove(o->state, o->state + 2, (o->num_state - 2) * sizeof *o->state);
  memcpy(o->state + o->num_state - 2, oldest, sizeof oldest);
}

static void subtract(size_t n, const float *a, const float *b, float *difference) {
  for (size_t i = 0; i < n; i++) difference[i] = a[i] - b[i];
}

/* The differences replace what the search began with, before it is known whether they are kept. */
void lbfgs_accept(lbfgs *l) {
  optimizer *const o = l->optimizer;
  subtract(o->size, l->network->parameters, l->weights, l->weights);
  subtract(o->size, o->gradient, l->gradient, l->gradient);
  const double curvature = vector_dot(o->size, l->weights, l->gradient);
  const double lengths = sqrt(vector_sum_squares(o->size, l->weights)) * sqrt(vector_sum_squares(o->size, l->gradient));
  if (!(curvature > LEAST_COSINE * lengths)) return;
  make_room(o);
  memcpy(step_of(l, num_pairs(l) - 1), l->weights, o->size * sizeof(float));
  memcpy(change_of(l, num_pairs(l) - 1), l->gradient, o->size * sizeof(float));
}

/* ---- The direction --------------------------------------------------------------------------------- */

/* The two loops: r = H g, H the inverse Hessian that the history suggests. */
static void multiply_by_inverse(const lbfgs *l, double *r) {
  const size_t size = l->optimizer->size;
  const uint32_t pairs = num_pairs(l);
  double alpha[OPTIMIZER_MOST_STATE / 2], rho[OPTIMIZER_MOST_STATE / 2] = {0}; /* gcc -O1 does not see that pairs > 0 */
  for (uint32_t i = pairs; i-- > 0;) {
    rho[i] = 1 / vector_dot(size, step_of(l, i), change_of(l, i));
    alpha[i] = rho[i] * vector_dot_wide(size, step_of(l, i), r);
    vector_add_scaled(size, -alpha[i], change_of(l, i), r);
  }
  const double scale = 1 / (rho[pairs - 1] * vector_sum_squares(size, change_of(l, pairs - 1)));
  for (size_t i = 0; i < size; i++) r[i] *= scale;
  for (uint32_t i = 0; i < pairs; i++) {
    const double beta = rho[i] * vector_dot_wide(size, change_of(l, i), r);
    vector_add_scaled(size, alpha[i] - beta, step_of(l, i), r);
  }
}

void lbfgs_begin(lbfgs *l) {
  const size_t size = l->optimizer->size;
  memcpy(l->weights, l->network->parameters, size * sizeof *l->weights);
  memcpy(l->gradient, l->optimizer->gradient, size * sizeof *l->gradient);
  for (size_t i = 0; i < size; i++) l->direction[i] = -(double)l->gradient[i];
  if (lbfgs_has_history(l)) multiply_by_inverse(l, l->direction);
  l->slope = lbfgs_slope(l);
}

double lbfgs_slope(const lbfgs *l) { return vector_dot_wide(l->optimizer->size, l->optimizer->gradient, l->direction); }

double lbfgs_first_step(const lbfgs *l) {
  double sum = 0;
  for (size_t i = 0; i < l->optimizer->size; i++) sum += fabs(l->direction[i]);
  return lbfgs_has_history(l) || sum <= 1 ? 1 : 1 / sum;
}

MULTIVERSION static void move(size_t n, double step, const float *restrict start, const double *restrict direction,
                              float *restrict weights) {
#pragma omp simd
  for (size_t i = 0; i < n; i++) weights[i] = (float)((double)start[i] + step * direction[i]);
}

void lbfgs_move(const lbfgs *l, double step) {
  move(l->optimizer->size, step, l->weights, l->direction, l->network->parameters);
}

void lbfgs_return(lbfgs *l) {
  memcpy(l->network->parameters, l->weights, l->optimizer->size * sizeof *l->weights);
  memcpy(l->optimizer->gradient, l->gradient, l->optimizer->size * sizeof *l->gradient);
}
