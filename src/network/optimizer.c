#include "network/optimizer.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/portable.h"
#include "kernels/multiversion.h"

static bool in_unit_interval(float x) { return x >= 0 && x < 1; }

static mlpd_status check_options(const mlpd_train_options *options) {
  if ((int)options->optimizer < 0 || options->optimizer > MLPD_ADAMW)
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
  return MLPD_OK;
}

uint32_t optimizer_num_state(mlpd_optimizer kind) {
  return kind == MLPD_SGD ? 0 : kind == MLPD_ADAM || kind == MLPD_ADAMW ? 2 : 1;
}

mlpd_status optimizer_create(const mlpd_train_options *options, const mlpd_network *network, optimizer *made) {
  *made = (optimizer){.kind = options->optimizer,
                      .momentum = (float)options->momentum,
                      .beta1 = (float)options->beta1,
                      .beta2 = (float)options->beta2,
                      .epsilon = (float)options->epsilon,
                      .weight_decay = (float)options->weight_decay,
                      .size = network->arena_size};
  TRY(check_options(options));
  made->num_state = optimizer_num_state(made->kind);
  for (uint32_t s = 0; s < made->num_state; s++) {
    const mlpd_status status = memory_allocate(&made->state[s], made->size, sizeof(float), "optimizer state");
    if (status == MLPD_OK) continue;
    optimizer_free(made);
    return status;
  }
  return MLPD_OK;
}

void optimizer_free(optimizer *o) {
  for (int s = 0; s < 2; s++) {
    free(o->state[s]);
    o->state[s] = NULL;
  }
}

optimizer_scalars optimizer_begin(optimizer *o, double lr, double gradient_scale) {
  o->step++;
  optimizer_scalars made = {.lr = (float)lr, .gradient_scale = (float)gradient_scale};
  if (o->num_state == 2) {
    made.correction1 = (float)(1 / (1 - portable_power(o->beta1, o->step)));
    made.correction2 = (float)(1 / (1 - portable_power(o->beta2, o->step)));
  }
  return made;
}

/* ---- The loops: one pass over n elements each. scale: of the gradient; decay: L2 term's factor, 0 for none.
 * Formulas and their order as in PyTorch's torch.optim; v starts as the first gradient there and here. ---- */

MULTIVERSION
static void update_sgd(size_t n, float lr, float scale, float decay, const float *restrict gradient,
                       float *restrict w) {
#pragma omp simd
  for (size_t i = 0; i < n; i++) w[i] -= lr * (gradient[i] * scale + decay * w[i]);
}

MULTIVERSION
static void update_momentum(size_t n, float lr, float scale, float decay, float mu, const float *restrict gradient,
                            float *restrict w, float *restrict v) {
#pragma omp simd
  for (size_t i = 0; i < n; i++) {
    const float g = gradient[i] * scale + decay * w[i];
    v[i] = mu * v[i] + g;
    w[i] -= lr * v[i];
  }
}

MULTIVERSION
static void update_nesterov(size_t n, float lr, float scale, float decay, float mu, const float *restrict gradient,
                            float *restrict w, float *restrict v) {
#pragma omp simd
  for (size_t i = 0; i < n; i++) {
    const float g = gradient[i] * scale + decay * w[i];
    v[i] = mu * v[i] + g;
    w[i] -= lr * (g + mu * v[i]);
  }
}

/* keep: 1 - lr * weight decay for the decoupled form of adamw, else 1. */
typedef struct adam_scalars {
  float lr, scale, decay, keep, beta1, beta2, rest1, rest2, correction1, correction2, epsilon;
} adam_scalars;

MULTIVERSION
static void update_adam(size_t n, const adam_scalars *scalars, const float *restrict gradient, float *restrict w,
                        float *restrict m, float *restrict v) {
  const adam_scalars s = *scalars;
#pragma omp simd
  for (size_t i = 0; i < n; i++) {
    const float g = gradient[i] * s.scale + s.decay * w[i];
    m[i] = s.beta1 * m[i] + s.rest1 * g;
    v[i] = s.beta2 * v[i] + s.rest2 * (g * g);
    const float step = m[i] * s.correction1 / (sqrtf(v[i] * s.correction2) + s.epsilon);
    w[i] = s.keep * w[i] - s.lr * step;
  }
}

void optimizer_update(optimizer *o, const optimizer_scalars *scalars, float *parameters, const float *gradient,
                      size_t begin, size_t count, bool decay) {
  const float lr = scalars->lr, scale = scalars->gradient_scale;
  const float weight_decay = decay ? o->weight_decay : 0;
  float *const w = parameters + begin;
  float *const state = o->num_state > 0 ? o->state[0] + begin : NULL;
  switch (o->kind) {
    case MLPD_SGD:
      update_sgd(count, lr, scale, weight_decay, gradient, w);
      break;
    case MLPD_MOMENTUM:
      update_momentum(count, lr, scale, weight_decay, o->momentum, gradient, w, state);
      break;
    case MLPD_NESTEROV:
      update_nesterov(count, lr, scale, weight_decay, o->momentum, gradient, w, state);
      break;
    case MLPD_ADAM:
    case MLPD_ADAMW: {
      const bool decoupled = o->kind == MLPD_ADAMW;
      const adam_scalars adam = {.lr = lr,
                                 .scale = scale,
                                 .decay = decoupled ? 0 : weight_decay,
                                 .keep = decoupled ? 1 - lr * weight_decay : 1,
                                 .beta1 = o->beta1,
                                 .beta2 = o->beta2,
                                 .rest1 = 1 - o->beta1,
                                 .rest2 = 1 - o->beta2,
                                 .correction1 = scalars->correction1,
                                 .correction2 = scalars->correction2,
                                 .epsilon = o->epsilon};
      update_adam(count, &adam, gradient, w, state, o->state[1] + begin);
      break;
    }
  }
}

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

void optimizer_update_range(optimizer *o, const optimizer_scalars *scalars, const mlpd_network *network,
                            float *parameters, const float *gradient, size_t begin, size_t end) {
  size_t at = begin;
  for (uint32_t l = 0; l < network->num_layers && at < end; l++) {
    const layer *const shape = &network->layers[l];
    const size_t weights_begin = smaller(shape->weight_offset, end);
    const size_t weights_end = smaller(shape->weight_offset + (size_t)shape->inputs * shape->weight_stride, end);
    if (at < weights_begin) {
      optimizer_update(o, scalars, parameters, gradient + at, at, weights_begin - at, false);
      at = weights_begin;
    }
    if (at < weights_end) {
      optimizer_update(o, scalars, parameters, gradient + at, at, weights_end - at, true);
      at = weights_end;
    }
  }
  if (at < end) optimizer_update(o, scalars, parameters, gradient + at, at, end - at, false);
}
