/* L-BFGS (Nocedal and Wright, Numerical Optimization, 2nd edition, algorithms 7.4 and 7.5): the direction of descent
 * from the gradient and the last few steps. The optimizer's state arrays hold the history, oldest first: state[2 i] is
 * s_i, a step of the weights, state[2 i + 1] is y_i, the change of the gradient over it.
 *
 * Every rank has the whole gradient and computes the same direction. Sums run over the whole arena in a fixed order in
 * double, the direction is in double, so the bits depend on no split. Nothing here is collective. */
#ifndef MLPDIST_LBFGS_H
#define MLPDIST_LBFGS_H

#include "network/optimizer.h"

typedef struct lbfgs {
  optimizer *optimizer; /* its state, and its gradient: of the objective at the weights last evaluated */
  const mlpd_network *network;
  float *weights, *gradient; /* (arena): where the search began, and the gradient there */
  double *direction;         /* (arena) */
  double slope;              /* of the objective along the direction, where the search began */
} lbfgs;

/* Borrows both; o is of kind MLPD_LBFGS. Free with lbfgs_free. */
mlpd_status lbfgs_create(optimizer *o, const mlpd_network *network, lbfgs *made);
void lbfgs_free(lbfgs *l);

/* Arenas of floats that a run needs beside those of the state, the optimizer's gradient among them. */
uint32_t lbfgs_num_arenas(void);

/* Adds the weight decay to the optimizer's gradient; returns what it adds to the objective: half the decay times the
 * sum of squares of the weights that decay. */
double lbfgs_add_decay(const lbfgs *l);

/* Begins a search at the network's weights, with the optimizer's gradient: keeps both, finds the direction and its
 * slope. A slope of 0 or more: there is no way down along it. */
void lbfgs_begin(lbfgs *l);

/* The step to try first: 1, or without a history so short that no weight moves by more than 1 in all. */
double lbfgs_first_step(const lbfgs *l);

/* Sets the network's weights to the start plus `step` times the direction, rounded once. */
void lbfgs_move(const lbfgs *l, double step);

/* The slope of the objective along the direction, by the optimizer's gradient. */
double lbfgs_slope(const lbfgs *l);

/* Ends a search and keeps the present weights. The step and the change of the gradient are added to the history, in
 * place of the oldest pair if it is full, unless the curvature along them is not positive. */
void lbfgs_accept(lbfgs *l);

/* Ends a search and restores the weights and the gradient with which it began. */
void lbfgs_return(lbfgs *l);

/* Without a history the direction is that of steepest descent. */
bool lbfgs_has_history(const lbfgs *l);
void lbfgs_forget(lbfgs *l);

#endif
