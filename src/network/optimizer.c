#include "network/optimizer.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/portable.h"
#include "kernels/multiversion.h"
#include "kernels/vector.h"
#include "kernels/vmath.h"

static bool in_unit_interval(float x) { return x >= 0 && x < 1; }

static mlpd_status check_options(const mlpd_train_options *options) {
  if ((int)options->optimizer < 0 || options->optimizer >= MLPD_NUM_OPTIMIZERS)
    return FAIL(MLPD_ERROR_USAGE, "optimizer %d does not exist", (int)options->optimizer);
  if (!in_unit_interval((float)options->momentum))
    return FAIL(MLPD_ERROR_USAGE, "momentum %g is not in [0, 1)", options->momentum);
  if (!in_unit_interval((float)options->beta1) || !in_unit_interval((float)options->beta2))
    return FAIL(MLPD_ERROR_USAGE, "betas %g and %g are not both in [0, 1), in single precision", options->beta1,
                options->beta2);
  /* In single precision and not denormal (those count as 0 in training): 0/0 must not come up. */
  if (!((float)options->epsilon >= 0x1p-126f) || isinf((float)options->epsilon))
    return FAIL(MLPD_ERROR_USAGE, "epsilon %g is not a positive number of single precision; 1e-8 is usual",
                options->epsilon);
  if (!((float)options->weight_decay >= 0) || isinf((float)options->weight_decay))
    return FAIL(MLPD_ERROR_USAGE, "weight decay %g is not a finite number >= 0", options->weight_decay);
  if ((int)options->decay < 0 || options->decay > MLPD_DECAY_DECOUPLED)
    return FAIL(MLPD_ERROR_USAGE, "decay %d does not exist", (int)options->decay);
  if (options->lbfgs_history < 1 || options->lbfgs_history > OPTIMIZER_MOST_STATE / 2)
    return FAIL(MLPD_ERROR_USAGE, "a history of %u steps is not between 1 and %d; 10 is usual", options->lbfgs_history,
                OPTIMIZER_MOST_STATE / 2);
  if (options->clip_value != 0 && !((float)options->clip_value >= 0x1p-126f))
    return FAIL(MLPD_ERROR_USAGE, "clip value %g is neither 0 nor a positive float32 number", options->clip_value);
  if (!((float)options->trust_coefficient > 0) || isinf((float)options->trust_coefficient))
    return FAIL(MLPD_ERROR_USAGE, "trust coefficient %g is not a positive number; 0.001 is usual",
                options->trust_coefficient);
  return MLPD_OK;
}

static mlpd_status make_arrays(const mlpd_network *network, optimizer *made) {
  for (uint32_t s = 0; s < made->most_state; s++)
    TRY(memory_allocate(&made->state[s], made->size, sizeof(float), "optimizer state"));
  if (optimizer_searches(made->kind))
    TRY(memory_allocate(&made->gradient, made->size, sizeof(float), "gradient of a line search"));
  else
    made->num_state = made->most_state;
  if (!optimizer_has_trust(made->kind)) return MLPD_OK;
  TRY(memory_allocate(&made->trust, network->num_tensors, sizeof *made->trust, "trust ratios"));
  for (uint32_t i = 0; i < network->num_tensors; i++) made->trust[i] = 1;
  return MLPD_OK;
}

static decay_form decay_form_of(const mlpd_train_options *options);

mlpd_status optimizer_create(const mlpd_train_options *options, const mlpd_network *network, optimizer *made) {
  *made = (optimizer){.kind = options->optimizer,
                      .momentum = (float)options->momentum,
                      .beta1 = (float)options->beta1,
                      .beta2 = (float)options->beta2,
                      .epsilon = (float)options->epsilon,
                      .weight_decay = (float)options->weight_decay,
                      .trust_coefficient = (float)options->trust_coefficient,
                      .clip_value = (float)options->clip_value,
                      .size = network->arena_size};
  TRY(check_options(options));
  made->full_decay = made->weight_decay;
  made->most_state = optimizer_most_state(made->kind, options->lbfgs_history);
  made->form = decay_form_of(options);
  const mlpd_status status = make_arrays(network, made);
  if (status != MLPD_OK) optimizer_free(made);
  return status;
}

void optimizer_free(optimizer *o) {
  for (int s = 0; s < OPTIMIZER_MOST_STATE; s++) {
    free(o->state[s]);
    o->state[s] = NULL;
  }
  free(o->trust);
  free(o->gradient);
  o->trust = o->gradient = NULL;
}

void optimizer_weaken_decay(optimizer *o, double factor) { o->weight_decay = (float)(factor * (double)o->full_decay); }

optimizer_scalars optimizer_begin(optimizer *o, double lr, double gradient_scale) {
  o->step++;
  optimizer_scalars made = {.lr = (float)lr, .gradient_scale = (float)gradient_scale, .statistics_scale = 1};
  if (o->num_state == 2) {
    made.correction1 = (float)(1 / (1 - portable_power(o->beta1, o->step)));
    made.correction2 = (float)(1 / (1 - portable_power(o->beta2, o->step)));
  }
  return made;
}

/* ---- The loops: formulas and their order as in torch.optim; v starts as the first gradient, there and here ---- */

/* scale: of the gradient. The weight decay, a form each: decay is its factor in the gradient, beside that in lamb's
 * direction (0 where it acts elsewhere); keep is 1 - lr * weight decay for the decoupled form, else 1. */
typedef struct update_scalars {
  float lr, scale, decay, beside, mu, trust;
  float keep, beta1, beta2, rest1, rest2, correction1, correction2, epsilon;
} update_scalars;

/* NAME: one optimizer over a block, row by row. w and the state arenas p and q point at the block. */
#define DEFINE_UPDATE(NAME, ...)                                                                            \
  MULTIVERSION static void NAME(const update_scalars *scalars, const optimizer_block *part, float *w_begin, \
                                float *p_begin, float *q_begin) {                                           \
    const update_scalars s = *scalars;                                                                      \
    for (size_t row = 0; row < part->rows; row++) {                                                         \
      const float *const restrict gradient = part->gradient + row * part->gradient_stride;                  \
      float *const restrict w = w_begin + row * part->stride;                                               \
      float *const restrict p = p_begin != NULL ? p_begin + row * part->stride : NULL;                      \
      float *const restrict q = q_begin != NULL ? q_begin + row * part->stride : NULL;                      \
      (void)p, (void)q;                                                                                     \
      _Pragma("omp simd") for (size_t i = 0; i < part->columns; i++) __VA_ARGS__                            \
    }                                                                                                       \
  }

DEFINE_UPDATE(update_sgd, { w[i] = s.keep * w[i] - s.lr * (gradient[i] * s.scale + s.decay * w[i]); })

DEFINE_UPDATE(update_momentum, {
  const float g = gradient[i] * s.scale + s.decay * w[i];
  p[i] = s.mu * p[i] + g;
  w[i] = s.keep * w[i] - s.lr * p[i];
})

DEFINE_UPDATE(update_nesterov, {
  const float g = gradient[i] * s.scale + s.decay * w[i];
  p[i] = s.mu * p[i] + g;
  w[i] = s.keep * w[i] - s.lr * (g + s.mu * p[i]);
})

DEFINE_UPDATE(update_adam, {
  const float g = gradient[i] * s.scale + s.decay * w[i];
  p[i] = s.beta1 * p[i] + s.rest1 * g;
  q[i] = s.beta2 * q[i] + s.rest2 * (g * g);
  const float step = p[i] * s.correction1 / (sqrtf(q[i] * s.correction2) + s.epsilon);
  w[i] = s.keep * w[i] - s.lr * step;
})

DEFINE_UPDATE(update_adamax, {
  const float g = gradient[i] * s.scale + s.decay * w[i];
  const float now = fabsf(g) + s.epsilon, before = s.beta2 * q[i];
  p[i] = s.beta1 * p[i] + s.rest1 * g;
  q[i] = now > before ? now : before;
  w[i] = s.keep * w[i] - s.lr * (p[i] * s.correction1 / q[i]);
})

DEFINE_UPDATE(update_rmsprop, {
  const float g = gradient[i] * s.scale + s.decay * w[i];
  p[i] = s.beta2 * p[i] + s.rest2 * (g * g);
  w[i] = s.keep * w[i] - s.lr * (g / (sqrtf(p[i]) + s.epsilon));
})

DEFINE_UPDATE(update_adagrad, {
  const float g = gradient[i] * s.scale + s.decay * w[i];
  p[i] += g * g;
  w[i] = s.keep * w[i] - s.lr * (g / (sqrtf(p[i]) + s.epsilon));
})

DEFINE_UPDATE(update_lion, {
  const float g = gradient[i] * s.scale + s.decay * w[i];
  const float c = s.beta1 * p[i] + s.rest1 * g;
  const float sign = c > 0 ? 1.0f : c < 0 ? -1.0f : c; /* 0, or not a number */
  p[i] = s.beta2 * p[i] + s.rest2 * g;
  w[i] = s.keep * w[i] - s.lr * sign;
})

/* The velocity is that of the scaled gradients, and the learning rate stays outside, as in update_momentum. */
DEFINE_UPDATE(update_lars, {
  const float g = gradient[i] * s.scale + s.decay * w[i];
  p[i] = s.mu * p[i] + s.trust * g;
  w[i] = s.keep * w[i] - s.lr * p[i];
})

DEFINE_UPDATE(update_lamb, {
  const float g = gradient[i] * s.scale + s.decay * w[i];
  p[i] = s.beta1 * p[i] + s.rest1 * g;
  q[i] = s.beta2 * q[i] + s.rest2 * (g * g);
  const float step = p[i] * s.correction1 / (sqrtf(q[i] * s.correction2) + s.epsilon) + s.beside * w[i];
  w[i] = s.keep * w[i] - s.lr * (s.trust * step);
})

/* The direction that lamb's next update of w will have. */
MULTIVERSION static void lamb_direction(const update_scalars *scalars, size_t n, const float *gradient, const float *w,
                                        const float *p, const float *q, float *restrict direction) {
  const update_scalars s = *scalars;
#pragma omp simd
  for (size_t i = 0; i < n; i++) {
    const float g = gradient[i] * s.scale + s.decay * w[i];
    const float m = s.beta1 * p[i] + s.rest1 * g, v = s.beta2 * q[i] + s.rest2 * (g * g);
    direction[i] = m * s.correction1 / (sqrtf(v * s.correction2) + s.epsilon) + s.beside * w[i];
  }
}

/* w follows the mean of the step's statistics. */
DEFINE_UPDATE(update_statistics, { w[i] += s.lr * (gradient[i] * s.scale - w[i]); })

typedef struct optimizer_kind {
  void (*update)(const update_scalars *scalars, const optimizer_block *part, float *w, float *p, float *q);
  uint32_t num_state; /* arenas: p, q */
  decay_form form;    /* of --decay auto */
  bool scale_free;    /* a step does not depend on the scale of the gradients; else it is proportional to it */
  bool has_trust;     /* the step of each tensor has a trust ratio */
  bool searches;      /* no update: lbfgs.c has the formulas */
} optimizer_kind;

static const optimizer_kind KINDS[MLPD_NUM_OPTIMIZERS] = {
    [MLPD_SGD] = {update_sgd, .num_state = 0},
    [MLPD_MOMENTUM] = {update_momentum, .num_state = 1},
    [MLPD_NESTEROV] = {update_nesterov, .num_state = 1},
    [MLPD_ADAM] = {update_adam, .num_state = 2, .scale_free = true},
    [MLPD_ADAMW] = {update_adam, .num_state = 2, .form = DECAY_DECOUPLED, .scale_free = true},
    [MLPD_ADAMAX] = {update_adamax, .num_state = 2, .scale_free = true},
    [MLPD_RMSPROP] = {update_rmsprop, .num_state = 1, .scale_free = true},
    [MLPD_ADAGRAD] = {update_adagrad, .num_state = 1, .scale_free = true},
    [MLPD_LION] = {update_lion, .num_state = 1, .form = DECAY_DECOUPLED, .scale_free = true},
    [MLPD_LARS] = {update_lars, .num_state = 1, .has_trust = true},
    [MLPD_LBFGS] = {.searches = true, .scale_free = true},
    [MLPD_LAMB] = {update_lamb, .num_state = 2, .form = DECAY_IN_DIRECTION, .scale_free = true, .has_trust = true},
};

uint32_t optimizer_most_state(mlpd_optimizer kind, uint32_t lbfgs_history) {
  return kind == MLPD_LBFGS ? 2 * lbfgs_history : KINDS[kind].num_state;
}

bool optimizer_searches(mlpd_optimizer kind) { return KINDS[kind].searches; }

static decay_form decay_form_of(const mlpd_train_options *options) {
  if (options->decay == MLPD_DECAY_AUTO) return KINDS[options->optimizer].form;
  return options->decay == MLPD_DECAY_COUPLED ? DECAY_COUPLED : DECAY_DECOUPLED;
}

bool optimizer_has_trust(mlpd_optimizer kind) { return KINDS[kind].has_trust; }

/* W = V / root, so dC/dV = dC/dW / root. A coupled decay of V is one of W times root^2; in lamb's direction, which does
 * not depend on the scale of the gradient, times root. The update multiplies a decoupled decay by the factor of the
 * rate, so it is divided by that here. */
void optimizer_factors(const mlpd_train_options *options, double root, float *rate, float *decay) {
  const bool scale_free = KINDS[options->optimizer].scale_free;
  const decay_form form = decay_form_of(options);
  *rate = (float)(scale_free ? 1 / root : 1 / (root * root));
  *decay = (float)(form != DECAY_COUPLED && scale_free ? root : root * root);
}

static update_scalars scalars_of(const optimizer *o, const optimizer_scalars *scalars, const tensor *t, float trust) {
  const float weight_decay = o->weight_decay * t->decay, lr = scalars->lr * t->rate;
  return (update_scalars){.lr = lr,
                          .scale = scalars->gradient_scale,
                          .decay = o->form == DECAY_COUPLED ? weight_decay : 0,
                          .beside = o->form == DECAY_IN_DIRECTION ? weight_decay : 0,
                          .mu = o->momentum,
                          .trust = trust,
                          .keep = o->form == DECAY_DECOUPLED ? 1 - lr * weight_decay : 1,
                          .beta1 = o->beta1,
                          .beta2 = o->beta2,
                          .rest1 = 1 - o->beta1,
                          .rest2 = 1 - o->beta2,
                          .correction1 = scalars->correction1,
                          .correction2 = scalars->correction2,
                          .epsilon = o->epsilon};
}

/* ---- Clipping --------------------------------------------------------------------------------------- */

MULTIVERSION static void clip_floats(size_t n, float scale, float most, const float *gradient,
                                     float *restrict clipped) {
#pragma omp simd
  for (size_t i = 0; i < n; i++) clipped[i] = vmath_clamp(gradient[i] * scale, -most, most);
}

/* The gradient (n), which `s` scales; or, if there is a bound, its elements scaled and clipped, in `space`. */
static const float *clip(const optimizer *o, update_scalars *s, size_t n, const float *gradient, float *space) {
  if (!(o->clip_value > 0)) return gradient;
  clip_floats(n, s->scale, o->clip_value, gradient, space);
  s->scale = 1;
  return space;
}

/* ---- Trust ratios ---------------------------------------------------------------------------------- */

bool optimizer_scales(const optimizer *o, const tensor *t) {
  return o->trust != NULL && t->source != TENSOR_STATISTICS && t->decay > 0;
}

optimizer_squares optimizer_sum_squares(const optimizer *o, const optimizer_scalars *scalars, const tensor *t,
                                        const float *parameters, const float *gradient, size_t begin, size_t end) {
  const size_t n = end - begin;
  const float *const w = parameters + begin;
  optimizer_squares sums = {.weights = vector_sum_squares(n, w)};
  float space[OPTIMIZER_NORM_FLOATS];
  update_scalars s = scalars_of(o, scalars, t, 1);
  gradient = clip(o, &s, n, gradient, space);
  if (o->kind == MLPD_LAMB) {
    float direction[OPTIMIZER_NORM_FLOATS];
    lamb_direction(&s, n, gradient, w, o->state[0] + begin, o->state[1] + begin, direction);
    sums.update = vector_sum_squares(n, direction);
  } else {
    sums.update = vector_sum_squares(n, gradient) * ((double)s.scale * (double)s.scale);
  }
  return sums;
}

void optimizer_trust(optimizer *o, const mlpd_network *network, uint32_t index, const optimizer_squares *sums) {
  const double weights = sqrt(sums->weights), update = sqrt(sums->update);
  const tensor *const t = &network->tensors[index];
  double ratio = weights / update;
  if (o->kind == MLPD_LARS) {
    const double decay = o->form == DECAY_COUPLED ? (double)o->weight_decay * (double)t->decay : 0;
    ratio = (double)o->trust_coefficient * weights / (update + decay * weights);
  }
  ratio /= (double)t->rate; /* which the update multiplies by: lr alone is the part of the weights that it moves */
  o->trust[index] = weights > 0 && update > 0 && isfinite((float)ratio) ? (float)ratio : 1;
}

/* ---- Updates --------------------------------------------------------------------------------------- */

/* An update whose gradient is clipped first, piece by piece. */
static void update_clipped(const optimizer *o, const update_scalars *scalars, const optimizer_block *part, float *w,
                           float *p, float *q) {
  float space[OPTIMIZER_NORM_FLOATS];
  for (size_t row = 0; row < part->rows; row++)
    for (size_t column = 0; column < part->columns; column += OPTIMIZER_NORM_FLOATS) {
      const size_t at = row * part->stride + column, left = part->columns - column;
      optimizer_block piece = *part;
      update_scalars s = *scalars;
      piece.rows = 1;
      piece.columns = left < OPTIMIZER_NORM_FLOATS ? left : OPTIMIZER_NORM_FLOATS;
      piece.gradient = clip(o, &s, piece.columns, part->gradient + row * part->gradient_stride + column, space);
      KINDS[o->kind].update(&s, &piece, w + at, p != NULL ? p + at : NULL, q != NULL ? q + at : NULL);
    }
}

void optimizer_update(optimizer *o, const optimizer_scalars *scalars, float *parameters, const optimizer_block *part) {
  if (part->of->source == TENSOR_FIXED) return;
  const update_scalars s = scalars_of(o, scalars, part->of, part->trust);
  float *const w = parameters + part->begin;
  float *const p = o->num_state > 0 ? o->state[0] + part->begin : NULL;
  float *const q = o->num_state > 1 ? o->state[1] + part->begin : NULL;
  if (part->of->source == TENSOR_STATISTICS) {
    update_statistics(&(update_scalars){.lr = part->of->rate, .scale = scalars->statistics_scale}, part, w, NULL, NULL);
    return;
  }
  if (o->clip_value > 0)
    update_clipped(o, &s, part, w, p, q);
  else
    KINDS[o->kind].update(&s, part, w, p, q);
}

void optimizer_update_range(optimizer *o, const optimizer_scalars *scalars, const mlpd_network *network,
                            float *parameters, const float *gradient, size_t begin, size_t end) {
  for (uint32_t i = 0; i < network->num_tensors && network->tensors[i].offset < end; i++) {
    const tensor *const t = &network->tensors[i];
    const size_t from = t->offset > begin ? t->offset : begin, to = tensor_end(t) < end ? tensor_end(t) : end;
    if (from >= to) continue;
    optimizer_update(o, scalars, parameters,
                     &(optimizer_block){.begin = from,
                                        .rows = 1,
                                        .columns = to - from,
                                        .stride = to - from,
                                        .gradient = gradient + (from - begin),
                                        .gradient_stride = to - from,
                                        .of = t,
                                        .trust = o->trust != NULL ? o->trust[i] : 1});
  }
}
