/* Optimizers: one vectorised pass over a range of the arenas. Elementwise, so any split into ranges and threads gives
 * the same bits. lars and lamb scale the update of each tensor by a trust ratio, which needs the norms of the whole
 * tensor first: they are summed block by block over fixed blocks, so they have the same bits, too. Nothing here is
 * collective. */
#ifndef MLPDIST_OPTIMIZER_H
#define MLPDIST_OPTIMIZER_H

#include "network/network.h"

/* Where weight decay acts. */
typedef enum decay_form {
  DECAY_COUPLED,      /* added to the gradient */
  DECAY_IN_DIRECTION, /* added to lamb's direction, before its trust ratio */
  DECAY_DECOUPLED     /* lr decay w is subtracted beside the step */
} decay_form;

enum { OPTIMIZER_MOST_STATE = 200 }; /* two arenas for each step of the longest --lbfgs-history */

typedef struct optimizer {
  mlpd_optimizer kind;
  decay_form form;
  float momentum, beta1, beta2, epsilon, trust_coefficient;
  float clip_value;                   /* most of an element of the gradient; 0: none */
  float weight_decay, full_decay;     /* of the next step, and as the options say */
  size_t size;                        /* floats of the parameter arena */
  uint32_t num_state;                 /* arenas of state; lbfgs: now, at most most_state */
  uint32_t most_state;                /* see optimizer_most_state */
  float *state[OPTIMIZER_MOST_STATE]; /* v; or m and v; or lbfgs' history */
  float *trust;                       /* (tensors): trust ratios of the step; NULL: the optimizer has none */
  float *gradient; /* (size): of an optimizer that searches, the mean gradient of the last step; NULL: of others */
  uint64_t step;   /* steps done */
} optimizer;

/* The most arenas of state: 0 sgd, 2 adam, adamw, adamax and lamb, lbfgs twice its history, else 1. */
uint32_t optimizer_most_state(mlpd_optimizer kind, uint32_t lbfgs_history);

/* Does it search along a direction (lbfgs.h)? Then a step over all rows computes the gradient alone: the functions
 * below that update weights are not for it. */
bool optimizer_searches(mlpd_optimizer kind);

/* Does an update need trust ratios, and so the whole gradient? */
bool optimizer_has_trust(mlpd_optimizer kind);

/* The factors of learning rate and weight decay with which weights W = V / root move as V does with factors 1. */
void optimizer_factors(const mlpd_train_options *options, double root, float *rate, float *decay);

mlpd_status optimizer_create(const mlpd_train_options *options, const mlpd_network *network, optimizer *made);
void optimizer_free(optimizer *o);

/* The weight decay of later steps is factor times that of the options. */
void optimizer_weaken_decay(optimizer *o, double factor);

/* Scalars of one step, equal for every range: gradient is multiplied by gradient_scale (1 / sum of sample
 * weights, times the clipping factor) before use; then clip_value bounds each element. */
typedef struct optimizer_scalars {
  float lr, gradient_scale;
  float correction1, correction2; /* adam: 1 / (1 - beta1^t), 1 / (1 - beta2^t) */
  float statistics_scale; /* 1 / rows of the step: what sums of TENSOR_STATISTICS are multiplied by; 1 unless set */
} optimizer_scalars;

/* Counts the step and computes its scalars. Once per step, on one thread. */
optimizer_scalars optimizer_begin(optimizer *o, double lr, double gradient_scale);

/* ---- Trust ratios: before the updates of a step, if optimizer_has_trust() ------------------------------- */

enum { OPTIMIZER_NORM_FLOATS = 4096 }; /* the most that one call of optimizer_sum_squares() takes */

/* Sums of squares. */
typedef struct optimizer_squares {
  double weights, update; /* update: of the gradient (lars), or of the direction before the trust ratio (lamb) */
} optimizer_squares;

/* Does this tensor have a ratio? Those that do not decay (biases, norms) keep 1, as in the papers' code. */
bool optimizer_scales(const optimizer *o, const tensor *t);

/* The sums over floats [begin, end) of the arenas, which belong to t; gradient (end - begin) is that of the range. */
optimizer_squares optimizer_sum_squares(const optimizer *o, const optimizer_scalars *scalars, const tensor *t,
                                        const float *parameters, const float *gradient, size_t begin, size_t end);

/* Stores the ratio of the network's tensor `index` from its sums; 1 where a norm is 0 or the ratio is not finite. */
void optimizer_trust(optimizer *o, const mlpd_network *network, uint32_t index, const optimizer_squares *sums);

/* ---- The update ------------------------------------------------------------------------------------------ */

/* Values of a tensor to update: rows of `columns` floats, `stride` apart in the arenas, the first at `begin`. Their
 * gradient is a separate array, rows gradient_stride apart. */
typedef struct optimizer_block {
  size_t begin, rows, columns, stride;
  const float *gradient;
  size_t gradient_stride;
  const tensor *of; /* says whether they decay, their learning rate, and whether they are statistics */
  float trust;      /* of optimizers with trust ratios */
} optimizer_block;

/* Updates part; parameters is the arena, from its start. */
void optimizer_update(optimizer *o, const optimizer_scalars *scalars, float *parameters, const optimizer_block *part);

/* The same over any range [begin, end) of the whole arena: all tensors' values there; gradient (end - begin) is that of
 * the range. */
void optimizer_update_range(optimizer *o, const optimizer_scalars *scalars, const mlpd_network *network,
                            float *parameters, const float *gradient, size_t begin, size_t end);

#endif
