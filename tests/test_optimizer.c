#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/rng.h"
#include "network/optimizer.h"
#include "quick_options.h"
#include "reference.h"

static const double GRADIENT_SCALE = 0.125;
enum { STEPS = 7 };

static double lr_of(int step) { return 0.01 / (1 + step); }

static mlpd_network *network_make(void) {
  const uint32_t widths[] = {7, 13, 5, 1};
  const mlpd_activation activations[] = {MLPD_RELU, MLPD_RELU, MLPD_IDENTITY};
  mlpd_network *network = NULL;
  assert_int_equal(mlpd_network_create(3, widths, activations, &network), MLPD_OK);
  return network;
}

static mlpd_train_options options_for(mlpd_optimizer kind) {
  mlpd_train_options options;
  quick_options(&options);
  options.optimizer = kind;
  options.weight_decay = 0.5;
  return options;
}

/* 'w' weight, 'b' bias, 'g' gap for each float of the arena. */
static char *layout_of(const mlpd_network *network) {
  char *const layout = malloc(network->arena_size);
  assert_non_null(layout);
  memset(layout, 'g', network->arena_size);
  for (uint32_t i = 0; i < network->num_tensors; i++) {
    const tensor *const t = &network->tensors[i];
    for (uint32_t row = 0; row < t->rows; row++)
      memset(layout + t->offset + (size_t)row * t->stride, t->decay > 0 ? 'w' : 'b', t->columns);
  }
  return layout;
}

/* values[i] of every parameter and nothing in the gaps, from stream. */
static void fill(const mlpd_network *network, const char *layout, uint32_t stream, float *values) {
  rng draws = rng_start(3, RNG_SPLIT_ROWS, stream, 0);
  for (size_t i = 0; i < network->arena_size; i++) values[i] = layout[i] == 'g' ? 0 : (float)rng_normal(&draws);
}

static float *arena_make(const mlpd_network *network) {
  float *arena = NULL;
  assert_int_equal(memory_allocate(&arena, network->arena_size, sizeof(float), "test"), MLPD_OK);
  return arena;
}

/* The direction of lamb's step t, from 1, whose moments were s1 and s2 before. */
static double lamb_direction(const mlpd_train_options *o, int t, double g, double decay, double w, double s1,
                             double s2) {
  const double m = o->beta1 * s1 + (1 - o->beta1) * g, v = o->beta2 * s2 + (1 - o->beta2) * g * g;
  return m / (1 - pow(o->beta1, t)) / (sqrt(v / (1 - pow(o->beta2, t))) + o->epsilon) + decay * w;
}

/* What an update takes for an element of the gradient. */
static double taken(const mlpd_train_options *o, float gradient) {
  const double g = gradient * GRADIENT_SCALE;
  return o->clip_value > 0 ? fmax(-o->clip_value, fmin(o->clip_value, g)) : g;
}

/* The trust ratio of a tensor in step t: reference holds w, s1, s2 of each float of the arena. */
static double reference_trust(const mlpd_train_options *o, int t, const tensor *of, const float *gradient,
                              const double *reference) {
  double weights = 0, update = 0;
  if (!(of->decay > 0)) return 1;
  for (size_t i = of->offset; i < tensor_end(of); i++) {
    const double w = reference[3 * i], g = taken(o, gradient[i]);
    const double in_gradient = o->decay == MLPD_DECAY_COUPLED ? o->weight_decay * w : 0;
    const double d = lamb_direction(o, t, g + in_gradient, o->decay == MLPD_DECAY_AUTO ? o->weight_decay : 0, w,
                                    reference[3 * i + 1], reference[3 * i + 2]);
    weights += w * w;
    update += o->optimizer == MLPD_LAMB ? d * d : g * g;
  }
  if (weights == 0 || update == 0) return 1;
  if (o->optimizer == MLPD_LAMB) return sqrt(weights / update);
  return o->trust_coefficient * sqrt(weights) /
         (sqrt(update) + (o->decay == MLPD_DECAY_DECOUPLED ? 0 : o->weight_decay * sqrt(weights)));
}

/* Steps one parameter as torch.optim documents it (SGD with momentum, nesterov; Adam; AdamW), t from 1; trust: of its
 * tensor, for lars and lamb as their papers have them. */
static void reference_step(const mlpd_train_options *o, int t, double lr, double g, bool decays, double trust,
                           double *w, double *s1, double *s2) {
  const mlpd_optimizer kind = o->optimizer;
  const bool auto_decoupled = o->decay == MLPD_DECAY_AUTO && (kind == MLPD_ADAMW || kind == MLPD_LION);
  const double shrink =
      o->decay == MLPD_DECAY_DECOUPLED || auto_decoupled ? 1 - lr * (decays ? o->weight_decay : 0) : 1;
  const double decay = !decays || shrink != 1 ? 0 : o->weight_decay;
  if (kind == MLPD_LAMB && o->decay != MLPD_DECAY_AUTO) g += decay * *w;
  if (kind == MLPD_LAMB) {
    const double d = lamb_direction(o, t, g, o->decay == MLPD_DECAY_AUTO ? decay : 0, *w, *s1, *s2);
    *s1 = o->beta1 * *s1 + (1 - o->beta1) * g;
    *s2 = o->beta2 * *s2 + (1 - o->beta2) * g * g;
    *w = shrink * *w - lr * trust * d;
    return;
  }
  g += decay * *w;
  *w *= shrink;
  if (o->optimizer == MLPD_LARS) {
    *s1 = o->momentum * *s1 + trust * g;
    *w -= lr * *s1;
  } else if (o->optimizer == MLPD_SGD) {
    *w -= lr * g;
  } else if (o->optimizer == MLPD_MOMENTUM || o->optimizer == MLPD_NESTEROV) {
    *s1 = t == 1 ? g : o->momentum * *s1 + g;
    *w -= lr * (o->optimizer == MLPD_NESTEROV ? g + o->momentum * *s1 : *s1);
  } else if (o->optimizer == MLPD_RMSPROP) {
    const double beta2 =
        (float)o->beta2; /* 1 - 0.999 as floats have it: adam's correction takes this out, here it stays */
    *s1 = beta2 * *s1 + (1 - beta2) * g * g;
    *w -= lr * g / (sqrt(*s1) + o->epsilon);
  } else if (o->optimizer == MLPD_ADAMAX) {
    *s1 = o->beta1 * *s1 + (1 - o->beta1) * g;
    *s2 = fmax(o->beta2 * *s2, fabs(g) + o->epsilon);
    *w -= lr * *s1 / (1 - pow(o->beta1, t)) / *s2;
  } else if (o->optimizer == MLPD_ADAGRAD) {
    *s1 += g * g;
    *w -= lr * g / (sqrt(*s1) + o->epsilon);
  } else if (o->optimizer == MLPD_LION) {
    const double c = o->beta1 * *s1 + (1 - o->beta1) * g;
    *w -= lr * ((c > 0) - (c < 0));
    *s1 = o->beta2 * *s1 + (1 - o->beta2) * g;
  } else {
    *s1 = o->beta1 * *s1 + (1 - o->beta1) * g;
    *s2 = o->beta2 * *s2 + (1 - o->beta2) * g * g;
    const double step_size = lr / (1 - pow(o->beta1, t));
    *w -= step_size * *s1 / (sqrt(*s2) / sqrt(1 - pow(o->beta2, t)) + o->epsilon);
  }
}

/* As a step does before its updates: the trust ratios of all tensors, each from one block. */
static void find_trust(optimizer *o, const optimizer_scalars *scalars, const mlpd_network *network,
                       const float *parameters, const float *gradient) {
  for (uint32_t i = 0; i < network->num_tensors; i++) {
    const tensor *const t = &network->tensors[i];
    if (!optimizer_scales(o, t)) continue;
    const optimizer_squares sums =
        optimizer_sum_squares(o, scalars, t, parameters, gradient + t->offset, t->offset, tensor_end(t));
    optimizer_trust(o, network, i, &sums);
  }
}

static void reference_update(const mlpd_train_options *o, const mlpd_network *network, int step, const float *gradient,
                             double *reference) {
  for (uint32_t i = 0; i < network->num_tensors; i++) {
    const tensor *const t = &network->tensors[i];
    const double trust = reference_trust(o, step + 1, t, gradient, reference);
    for (size_t at = t->offset; at < tensor_end(t); at++)
      reference_step(o, step + 1, lr_of(step), taken(o, gradient[at]), t->decay > 0, trust, &reference[3 * at],
                     &reference[3 * at + 1], &reference[3 * at + 2]);
  }
}

static void test_against_double_reference(void **state) {
  (void)state;
  mlpd_network *const network = network_make();
  char *const layout = layout_of(network);
  float *const gradient = arena_make(network);
  for (int i = 0; i < 6 * MLPD_NUM_OPTIMIZERS; i++) {
    const mlpd_optimizer kind = (mlpd_optimizer)(i / 6);
    if (optimizer_searches(kind)) continue; /* it updates nothing: test_lbfgs.c */
    mlpd_train_options options = options_for(kind);
    options.decay = (mlpd_decay)(i % 3);
    options.clip_value = i / 3 % 2 == 0 ? 0 : 0.1; /* four of ten elements are larger */
    optimizer o;
    assert_int_equal(optimizer_create(&options, network, &o), MLPD_OK);
    const bool two = kind == MLPD_ADAM || kind == MLPD_ADAMW || kind == MLPD_LAMB || kind == MLPD_ADAMAX;
    assert_int_equal(o.num_state, kind == MLPD_SGD ? 0 : two ? 2 : 1);
    fill(network, layout, 0, network->parameters);
    double *const reference = calloc(network->arena_size * 3, sizeof *reference);
    assert_non_null(reference);
    for (size_t i = 0; i < network->arena_size; i++) reference[3 * i] = network->parameters[i];
    for (int step = 0; step < STEPS; step++) {
      fill(network, layout, 1 + (uint32_t)step, gradient);
      const optimizer_scalars scalars = optimizer_begin(&o, lr_of(step), GRADIENT_SCALE);
      find_trust(&o, &scalars, network, network->parameters, gradient);
      optimizer_update_range(&o, &scalars, network, network->parameters, gradient, 0, network->arena_size);
      reference_update(&options, network, step, gradient, reference);
    }
    assert_int_equal(o.step, STEPS);
    for (size_t i = 0; i < network->arena_size; i++) {
      if (layout[i] == 'g') assert_true(network->parameters[i] == 0);
      assert_true(fabs(network->parameters[i] - reference[3 * i]) <= 2e-6 * (1 + fabs(reference[3 * i])));
    }
    free(reference);
    optimizer_free(&o);
  }
  free(gradient);
  free(layout);
  mlpd_network_free(network);
}

/* Runs STEPS steps, each in ranges cut by cuts (0: one range), and leaves parameters and states behind. */
static void run_in_ranges(const mlpd_network *network, mlpd_optimizer kind, uint32_t cuts, float *parameters,
                          float *states) {
  const mlpd_train_options options = options_for(kind);
  optimizer o;
  assert_int_equal(optimizer_create(&options, network, &o), MLPD_OK);
  char *const layout = layout_of(network);
  float *const gradient = arena_make(network);
  fill(network, layout, 0, parameters);
  rng draws = rng_start(11, RNG_SPLIT_ROWS, cuts, 0);
  for (int step = 0; step < STEPS; step++) {
    fill(network, layout, 1 + (uint32_t)step, gradient);
    const optimizer_scalars scalars = optimizer_begin(&o, lr_of(step), GRADIENT_SCALE);
    find_trust(&o, &scalars, network, parameters, gradient);
    for (size_t begin = 0, end; begin < network->arena_size; begin = end) {
      end = cuts == 0 ? network->arena_size : begin + 1 + rng_below(&draws, cuts);
      if (end > network->arena_size) end = network->arena_size;
      optimizer_update_range(&o, &scalars, network, parameters, gradient + begin, begin, end);
    }
  }
  for (uint32_t s = 0; s < o.num_state; s++)
    memcpy(states + s * network->arena_size, o.state[s], network->arena_size * sizeof(float));
  free(gradient);
  free(layout);
  optimizer_free(&o);
}

static void test_any_cut_gives_the_same_bits(void **state) {
  (void)state;
  mlpd_network *const network = network_make();
  const size_t size = network->arena_size;
  for (mlpd_optimizer kind = MLPD_SGD; kind < MLPD_NUM_OPTIMIZERS; kind++) {
    if (optimizer_searches(kind)) continue;
    float *const whole = calloc(3 * size, sizeof(float)), *const cut = calloc(3 * size, sizeof(float));
    assert_true(whole != NULL && cut != NULL);
    run_in_ranges(network, kind, 0, whole, whole + size);
    for (uint32_t cuts = 1; cuts < 60; cuts += 7) {
      run_in_ranges(network, kind, cuts, cut, cut + size);
      assert_memory_equal(whole, cut, 3 * size * sizeof(float));
    }
    free(whole);
    free(cut);
  }
  mlpd_network_free(network);
}

/* A gradient given for the block alone, as a unit of work has it. */
static void test_update_of_blocks(void **state) {
  (void)state;
  mlpd_network *const network = network_make();
  mlpd_train_options options = options_for(MLPD_SGD);
  optimizer o;
  assert_int_equal(optimizer_create(&options, network, &o), MLPD_OK);
  for (size_t i = 0; i < network->arena_size; i++) network->parameters[i] = 1;
  const float gradient[5] = {1, 2, 4, 8, 16};
  const optimizer_scalars scalars = optimizer_begin(&o, 0.5, 0.25);
  const tensor stays = {.rate = 1}, decays = {.rate = 1, .decay = 1};
  optimizer_update(&o, &scalars, network->parameters,
                   &(optimizer_block){.begin = 5, .rows = 1, .columns = 3, .gradient = gradient, .of = &stays});
  optimizer_update(&o, &scalars, network->parameters,
                   &(optimizer_block){.begin = 9, .rows = 1, .columns = 1, .gradient = gradient, .of = &decays});
  const float expected[11] = {1, 1, 1, 1, 1, 0.875f, 0.75f, 0.5f, 1, 1 - 0.5f * 0.75f, 1};
  assert_memory_equal(network->parameters, expected, sizeof expected);
  /* Two rows of two, apart by 3 in the arena and by 3 in the gradient. */
  optimizer_update(
      &o, &scalars, network->parameters,
      &(optimizer_block){
          .begin = 0, .rows = 2, .columns = 2, .stride = 3, .gradient = gradient, .gradient_stride = 3, .of = &stays});
  const float blocks[6] = {0.875f, 0.75f, 1, 0, -1, 0.875f};
  assert_memory_equal(network->parameters, blocks, sizeof blocks);
  optimizer_free(&o);
  mlpd_network_free(network);
}

/* Rows longer than the pieces that are clipped at a time. */
static void test_clipped_rows(void **state) {
  (void)state;
  enum { ROWS = 2, COLUMNS = 2 * OPTIMIZER_NORM_FLOATS + 3, STRIDE = COLUMNS + 2 };
  static float gradient[ROWS * STRIDE], parameters[ROWS * STRIDE];
  mlpd_network *const network = network_make();
  mlpd_train_options options = options_for(MLPD_SGD);
  options.clip_value = 1e-40;
  optimizer o;
  assert_int_equal(optimizer_create(&options, network, &o), MLPD_ERROR_USAGE);
  options.clip_value = 0.5;
  assert_int_equal(optimizer_create(&options, network, &o), MLPD_OK);
  const optimizer_scalars scalars = optimizer_begin(&o, 1, GRADIENT_SCALE);
  const tensor stays = {.rate = 1};
  for (int i = 0; i < ROWS * STRIDE; i++) gradient[i] = (float)(i % 17 - 8);
  gradient[0] = NAN;
  optimizer_update(&o, &scalars, parameters,
                   &(optimizer_block){.rows = ROWS,
                                      .columns = COLUMNS,
                                      .stride = STRIDE,
                                      .gradient = gradient,
                                      .gradient_stride = STRIDE,
                                      .of = &stays});
  assert_true(isnan(parameters[0]));
  for (int i = 1; i < ROWS * STRIDE; i++)
    assert_true(parameters[i] == (i % STRIDE < COLUMNS ? -(float)taken(&options, gradient[i]) : 0));
  optimizer_free(&o);
  mlpd_network_free(network);
}

/* A tensor's rate multiplies the learning rate, of the decoupled decay, too; statistics follow the mean over the step's
 * rows, whatever the optimizer. */
static void test_rates_and_statistics(void **state) {
  (void)state;
  mlpd_network *const network = network_make();
  mlpd_train_options options = options_for(MLPD_ADAMW);
  optimizer o;
  assert_int_equal(optimizer_create(&options, network, &o), MLPD_OK);
  optimizer_scalars scalars = optimizer_begin(&o, 0.125, 1);
  scalars.statistics_scale = 0.125f;
  const tensor six = {.rate = 6, .decay = 1}, mean = {.rate = 0.25f, .source = TENSOR_STATISTICS};
  const float gradient[2] = {0, 96};
  network->parameters[0] = network->parameters[1] = 4;
  optimizer_update(&o, &scalars, network->parameters,
                   &(optimizer_block){.begin = 0, .rows = 1, .columns = 1, .gradient = gradient, .of = &six});
  optimizer_update(&o, &scalars, network->parameters,
                   &(optimizer_block){.begin = 1, .rows = 1, .columns = 1, .gradient = gradient + 1, .of = &mean});
  assert_true(network->parameters[0] == 4 * (1 - 6 * 0.125f * 0.5f));
  assert_true(network->parameters[1] == 4 + 0.25f * (12 - 4) && o.state[0][1] == 0);
  optimizer_free(&o);
  mlpd_network_free(network);
}

/* The first step of Adam moves each parameter by lr against the sign of its gradient, whatever its size. */
static void test_adam_first_step(void **state) {
  (void)state;
  mlpd_network *const network = network_make();
  mlpd_train_options options = options_for(MLPD_ADAM);
  options.weight_decay = 0;
  optimizer o;
  assert_int_equal(optimizer_create(&options, network, &o), MLPD_OK);
  const float gradient[4] = {1e-3f, -1e3f, 0, 1};
  const optimizer_scalars scalars = optimizer_begin(&o, 0.1, 1);
  optimizer_update_range(&o, &scalars, network, network->parameters, gradient, 0, 4);
  const double expected[4] = {-0.1, 0.1, 0, -0.1};
  for (int i = 0; i < 4; i++) assert_true(fabs(network->parameters[i] - expected[i]) < 2e-6);
  optimizer_free(&o);
  mlpd_network_free(network);
}

/* lars and lamb: a tensor of zeros, or without a gradient, and one that does not decay keep ratio 1; a longer tensor
 * has a longer step. */
static void test_trust_ratios(void **state) {
  (void)state;
  mlpd_network *const network = network_make();
  char *const layout = layout_of(network);
  float *const gradient = arena_make(network);
  for (mlpd_optimizer kind = MLPD_LARS; kind <= MLPD_LAMB; kind++) {
    mlpd_train_options options = options_for(kind);
    options.trust_coefficient = 0.25;
    options.weight_decay = 0;
    optimizer o;
    assert_true(optimizer_has_trust(kind) && !optimizer_has_trust(MLPD_ADAMW));
    assert_int_equal(optimizer_create(&options, network, &o), MLPD_OK);
    fill(network, layout, 1, gradient);
    fill(network, layout, 0, network->parameters);
    const tensor *const first = &network->tensors[0], *const third = &network->tensors[4];
    for (size_t i = first->offset; i < tensor_end(first); i++) network->parameters[i] = 0;
    for (size_t i = third->offset; i < tensor_end(third); i++) gradient[i] = 0;
    optimizer_scalars scalars = optimizer_begin(&o, 0.5, GRADIENT_SCALE);
    find_trust(&o, &scalars, network, network->parameters, gradient);
    const float usual = o.trust[2];
    assert_true(o.trust[0] == 1 && o.trust[1] == 1 && o.trust[3] == 1 && o.trust[4] == 1 && usual != 1);
    const tensor *const second = &network->tensors[2];
    for (size_t i = second->offset; i < tensor_end(second); i++) network->parameters[i] *= 4;
    find_trust(&o, &scalars, network, network->parameters, gradient);
    assert_true(o.trust[2] == 4 * usual);
    network->tensors[2].rate = 0.5f; /* the ratio takes the rate out */
    find_trust(&o, &scalars, network, network->parameters, gradient);
    assert_true(o.trust[2] == 8 * usual);
    network->tensors[2].rate = 1;
    optimizer_free(&o);
  }
  free(gradient);
  free(layout);
  mlpd_network_free(network);
}

static void test_bad_options(void **state) {
  (void)state;
  mlpd_network *const network = network_make();
  mlpd_train_options bad[10];
  for (int i = 0; i < 10; i++) bad[i] = options_for(MLPD_ADAM);
  bad[8].trust_coefficient = 0;
  bad[9].decay = (mlpd_decay)3;
  bad[0].momentum = 1;
  bad[1].beta1 = -0.1;
  bad[2].beta2 = 0.99999999999; /* 1 in single precision */
  bad[3].epsilon = 0;
  bad[4].epsilon = 1e-50; /* 0 in single precision */
  bad[5].weight_decay = -1;
  bad[6].weight_decay = NAN;
  bad[7].optimizer = (mlpd_optimizer)99;
  for (int i = 0; i < 10; i++) {
    optimizer o;
    assert_int_equal(optimizer_create(&bad[i], network, &o), MLPD_ERROR_USAGE);
    optimizer_free(&o);
  }
  mlpd_network_free(network);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_against_double_reference),
      cmocka_unit_test(test_any_cut_gives_the_same_bits),
      cmocka_unit_test(test_update_of_blocks),
      cmocka_unit_test(test_clipped_rows),
      cmocka_unit_test(test_rates_and_statistics),
      cmocka_unit_test(test_adam_first_step),
      cmocka_unit_test(test_trust_ratios),
      cmocka_unit_test(test_bad_options),
  };
  return cmocka_run_group_tests_name("optimizer", tests, NULL, NULL);
}
