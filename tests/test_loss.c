#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/rng.h"
#include "kernels/activation.h"
#include "loss/loss.h"
#include "quick_options.h"
#include "reference.h"

enum { MAX_K = 1000 };

/* n rows of a random case: z, a, values (n, k), classes and weights (n). */
typedef struct sample {
  uint64_t n;
  uint32_t k;
  float *z, *a, *values, *weights, *delta;
  int32_t *classes;
} sample;

static void *array(size_t count, size_t size) {
  void *made = NULL;
  assert_int_equal(memory_allocate(&made, count, size, "test"), MLPD_OK);
  return made;
}

static void activate(mlpd_activation output, sample *s) {
  memcpy(s->a, s->z, s->n * s->k * sizeof(float));
  if (output == MLPD_SOFTMAX)
    softmax_forward(s->n, s->k, s->z, s->a);
  else
    activation_forward(output, s->n, s->k, s->k, NULL, s->z, s->a);
}

static sample sample_make(mlpd_activation output, uint64_t n, uint32_t k) {
  sample s = {.n = n, .k = k};
  float **const arrays[] = {&s.z, &s.a, &s.values, &s.delta};
  for (size_t i = 0; i < 4; i++) *arrays[i] = array(n * k, sizeof(float));
  s.weights = array(n, sizeof(float));
  s.classes = array(n, sizeof *s.classes);
  rng draws = rng_start(7, RNG_SPLIT_ROWS, k, output);
  for (uint64_t i = 0; i < n * k; i++) {
    s.z[i] = (float)((output == MLPD_EXP ? 0.5 : 2) * rng_normal(&draws));
    s.values[i] = (float)rng_uniform(&draws);
  }
  for (uint64_t i = 0; i < n; i++) {
    s.weights[i] = (float)(0.25 + 2 * rng_uniform(&draws));
    s.classes[i] = (int32_t)rng_below(&draws, k == 1 ? 2 : k);
  }
  activate(output, &s);
  return s;
}

static void sample_free(sample *s) {
  void *const arrays[] = {s->z, s->a, s->values, s->weights, s->delta, s->classes};
  for (size_t i = 0; i < 6; i++) free(arrays[i]);
}

static void compute(mlpd_loss loss, mlpd_activation output, uint64_t n, uint32_t k, const float *z, const float *a,
                    const targets *y, float *delta, loss_sums *sums) {
  const loss_spec spec = loss_plain(loss);
  loss_compute(&spec, output, n, k, z, a, y, delta, sums);
}

/* count: target values a row. */
static void target_row(const sample *s, const targets *y, uint32_t count, uint64_t i, double *row) {
  for (uint32_t j = 0; j < count; j++) {
    if (y->classes == NULL)
      row[j] = y->values[i * count + j];
    else
      row[j] = s->k == 1 ? y->classes[i] : y->classes[i] == (int32_t)j;
  }
}

/* -sum_j y_j (1 - p_j)^gamma log p_j of a softmax; of sigmoids each (1 - p)^gamma ce, p the probability given to y. */
static double focal_loss(const loss_spec *loss, uint32_t k, const double *z, const double *a, const double *y) {
  double sum = 0, top = z[0], exponentials = 0;
  for (uint32_t j = 1; j < k; j++) top = fmax(top, z[j]);
  for (uint32_t j = 0; j < k; j++) exponentials += exp(z[j] - top);
  for (uint32_t j = 0; j < k; j++) {
    const double ce = y[j] * log1p(exp(-z[j])) + (1 - y[j]) * log1p(exp(z[j]));
    const double log_p = z[j] - top - log(exponentials);
    sum += loss->kind == MLPD_CROSS_ENTROPY ? -y[j] * pow(-expm1(log_p), (double)loss->gamma) * log_p
                                            : ce * pow(y[j] * (1 - a[j]) + (1 - y[j]) * a[j], (double)loss->gamma);
  }
  return sum;
}

static double pinball_loss(const loss_spec *loss, mlpd_activation output, uint32_t k, const double *z,
                           const double *y) {
  static double a[MAX_K];
  double sum = 0;
  reference_activate(output, k, z, a);
  for (uint32_t j = 0; j < k; j++) {
    const double tau = (double)loss->quantiles[j % loss->num_quantiles], r = y[j / loss->num_quantiles] - a[j];
    sum += fmax(tau * r, (tau - 1) * r);
  }
  return sum;
}

static double loss_of(const loss_spec *loss, mlpd_activation output, uint32_t k, const double *z, const double *y) {
  static double a[MAX_K], smoothed[MAX_K];
  if (loss->kind == MLPD_QUANTILE) return pinball_loss(loss, output, k, z, y);
  const double share = (double)loss->smoothing / (loss->kind == MLPD_CROSS_ENTROPY ? k : 2);
  for (uint32_t j = 0; j < reference_targets(loss->kind, k); j++)
    smoothed[j] = (1 - (double)loss->smoothing) * y[j] + share;
  reference_activate(output, k, z, a);
  return loss->gamma > 0 ? focal_loss(loss, k, z, a, smoothed) : reference_loss(loss->kind, k, z, a, smoothed);
}

/* Loss against the definition, and delta against central differences of it, in double. */
static void check_sample(const loss_spec *loss, mlpd_activation output, sample *s, const targets *y) {
  static const double STEP = 1e-5;
  loss_sums sums = {.loss = 3, .weight = 5};
  loss_compute(loss, output, s->n, s->k, s->z, s->a, y, s->delta, &sums);
  double expected_loss = 3, expected_weight = 5, largest = 0;
  for (uint64_t i = 0; i < s->n; i++) {
    double weight = y->weights != NULL ? y->weights[i] : 1;
    if (loss->class_weights != NULL && y->classes != NULL)
      weight = (double)((float)weight * loss->class_weights[y->classes[i]]);
    double z[MAX_K], target[MAX_K];
    for (uint32_t j = 0; j < s->k; j++) z[j] = s->z[i * s->k + j];
    target_row(s, y, s->k / loss_outputs(loss), i, target);
    expected_loss += weight * loss_of(loss, output, s->k, z, target);
    expected_weight += weight;
    for (uint32_t j = 0; j < s->k; j++) largest = fmax(largest, fabs((double)s->delta[i * s->k + j]));
    /* Of many columns a few, others in each row; an odd step meets every lane of a vector. */
    const uint32_t step = s->k < 100 ? 1 : (s->k / 13) | 1;
    for (uint32_t j = (uint32_t)i * 5 % step; j < s->k; j += step) {
      const double kept = z[j];
      z[j] = kept + STEP;
      const double above = loss_of(loss, output, s->k, z, target);
      z[j] = kept - STEP;
      const double below = loss_of(loss, output, s->k, z, target);
      z[j] = kept;
      const double slope = weight * (above - below) / (2 * STEP), got = s->delta[i * s->k + j];
      if (fabs(got - slope) > 1e-5 * (1 + fabs(slope)))
        fail_msg("%s on %s, k %u, row %d, column %u: delta %.9g, slope %.9g",
                 mlpd_choice_name(mlpd_loss_choices, (int)loss->kind),
                 mlpd_choice_name(mlpd_activation_choices, (int)output), s->k, (int)i, j, got, slope);
    }
  }
  assert_true(fabs(sums.loss - expected_loss) <= 2e-6 * fabs(expected_loss));
  assert_true(fabs(sums.weight - expected_weight) <= 1e-12 * expected_weight);
  /* A softmax of one output is constant, and all of a few single outputs may lie where these two are flat. */
  const bool may_be_flat = output == MLPD_SOFTMAX || output == MLPD_RELU6 || output == MLPD_HARDSWISH;
  if (!(largest > 1e-6) && !(s->k == 1 && may_be_flat))
    fail_msg("%s on %s, k %u: no slope at all", mlpd_choice_name(mlpd_loss_choices, (int)loss->kind),
             mlpd_choice_name(mlpd_activation_choices, (int)output), s->k);

  loss_sums again = {.loss = 3, .weight = 5};
  loss_compute(loss, output, s->n, s->k, s->z, s->a, y, NULL, &again);
  assert_memory_equal(&sums, &again, sizeof sums);
}

static void test_every_loss_on_every_output(void **state) {
  (void)state;
  static const uint32_t widths[] = {1, 2, 7, 8, 10, 300, MAX_K};
  for (mlpd_loss loss = MLPD_MSE; loss < MLPD_NUM_LOSSES; loss++)
    for (mlpd_activation output = 0; output < MLPD_NUM_ACTIVATIONS; output++) {
      if (loss_check(loss, output) != MLPD_OK) continue;
      for (size_t w = 0; w < sizeof widths / sizeof *widths; w++) {
        const loss_spec spec = loss_plain(loss);
        if (widths[w] % loss_outputs(&spec) != 0) continue;
        sample s = sample_make(output, 5, widths[w]);
        check_sample(&spec, output, &s, &(targets){.values = s.values});
        check_sample(&spec, output, &s, &(targets){.values = s.values, .weights = s.weights});
        if (!loss_needs_values(loss))
          check_sample(&spec, output, &s, &(targets){.classes = s.classes, .weights = s.weights});
        sample_free(&s);
      }
    }
}

/* Label smoothing, focal losses and class weights, alone and together. */
static void test_parameters_of_cross_entropies(void **state) {
  (void)state;
  static const uint32_t widths[] = {1, 2, 10, 17, 300, MAX_K};
  static const loss_spec specs[] = {
      {.smoothing = 0.1f}, {.gamma = 2}, {.gamma = 0.5f}, {.smoothing = 0.3f, .gamma = 1.5f}};
  static float class_weights[MAX_K];
  for (uint32_t k = 0; k < MAX_K; k++) class_weights[k] = 0.3f + 0.7f * (float)(k % 5);
  for (size_t i = 0; i < 2 * sizeof specs / sizeof *specs; i++)
    for (mlpd_loss loss = MLPD_CROSS_ENTROPY; loss <= MLPD_BINARY_CROSS_ENTROPY; loss++)
      for (size_t w = 0; w < sizeof widths / sizeof *widths; w++) {
        const mlpd_activation output = loss_default_activation(loss, MLPD_CLASSIFICATION);
        loss_spec spec = specs[i / 2];
        spec.kind = loss;
        spec.class_weights = i % 2 == 0 ? class_weights : NULL;
        sample s = sample_make(output, 19, widths[w]);
        check_sample(&spec, output, &s, &(targets){.classes = s.classes});
        check_sample(&spec, output, &s, &(targets){.classes = s.classes, .weights = s.weights});
        check_sample(&spec, output, &s, &(targets){.values = s.values, .weights = s.weights});
        sample_free(&s);
      }
}

/* Several quantiles of several targets, with weights; and which of them errors are measured of. */
static void test_quantiles(void **state) {
  (void)state;
  static const uint32_t targets_of[] = {1, 2, 7, 100};
  loss_spec spec = loss_plain(MLPD_QUANTILE);
  assert_int_equal(loss_read_quantiles("--quantiles", "0.05,0.3,0.52,0.9", &spec), MLPD_OK);
  assert_true(spec.num_quantiles == 4 && loss_outputs(&spec) == 4 && loss_point(&spec) == 2);
  for (size_t t = 0; t < sizeof targets_of / sizeof *targets_of; t++) {
    sample s = sample_make(MLPD_IDENTITY, 37, 4 * targets_of[t]);
    const targets y = {.values = s.values, .weights = s.weights};
    check_sample(&spec, MLPD_IDENTITY, &s, &y);
    loss_sums sums = {0};
    double square = 0;
    loss_compute(&spec, MLPD_IDENTITY, s.n, s.k, s.z, s.a, &y, NULL, &sums);
    for (uint64_t i = 0; i < s.n * targets_of[t]; i++)
      square += (double)s.weights[i / targets_of[t]] * pow((double)s.a[4 * i + 2] - (double)s.values[i], 2);
    assert_true(fabs(sums.square - square) <= 1e-6 * square);
    sample_free(&s);
  }
  mlpd_train_options options;
  quick_options(&options);
  options.loss = MLPD_QUANTILE;
  options.quantiles = options.class_weight = NULL; /* a host may leave texts at their defaults so */
  assert_int_equal(loss_of_options(&options, &spec), MLPD_OK);
  assert_true(spec.num_quantiles == 3 && spec.quantiles[0] == 0.1f && spec.quantiles[2] == 0.9f);
  static const char *const none[] = {"", "0.5,", "0.5,0.5", "0.9,0.1", "0", "1", "-0.1", "a", "0.1;0.2", "nan"};
  for (size_t i = 0; i < sizeof none / sizeof *none; i++)
    assert_int_equal(loss_read_quantiles("--quantiles", none[i], &spec), MLPD_ERROR_USAGE);
}

/* Where a normal distribution gets so narrow that its likelihood has no bound. */
static void test_gaussian_extremes(void **state) {
  (void)state;
  const loss_spec spec = loss_plain(MLPD_GAUSSIAN);
  const float z[] = {2, -50, 2, -50, 0, 300};
  const float y[] = {2, 3, 1e10f}; /* hit, missed by 1, and far away under a wide distribution */
  float delta[6];
  loss_sums sums = {0};
  loss_compute(&spec, MLPD_IDENTITY, 1, 6, z, z, &(targets){.values = y}, delta, &sums);
  const double least = log(1e-6);
  assert_true(fabs(sums.loss - (0.5 * least + 0.5 * (least + 1e6) + 150)) < 1e-6);
  assert_true(delta[0] == 0 && delta[1] == 0);                               /* falls no further */
  assert_true(fabsf(delta[2] + 1e6f) <= 1 && fabsf(delta[3] + 0.5e6f) <= 1); /* and comes back */
  assert_true(fabsf(delta[4]) < 1e-30f && delta[5] == 0.5f);
}

/* Class weights are factors of the rows' weights, in every loss and every way of computing rows. */
static void test_class_weights(void **state) {
  (void)state;
  static const uint32_t widths[] = {1, 3, 40};
  float class_weights[40], rows[21];
  for (uint32_t k = 0; k < 40; k++) class_weights[k] = 0.25f * (float)(k % 7);
  for (mlpd_loss loss = MLPD_MSE; loss < MLPD_QUANTILE; loss++)
    for (size_t w = 0; w < sizeof widths / sizeof *widths; w++) {
      const mlpd_activation output = loss_default_activation(loss, MLPD_CLASSIFICATION);
      loss_spec weighted = loss_plain(loss), plain = loss_plain(loss);
      weighted.class_weights = class_weights;
      sample s = sample_make(output, 21, widths[w]);
      float *const delta = array(s.n * s.k, sizeof(float));
      loss_sums by_class = {0}, by_row = {0};
      for (uint64_t i = 0; i < s.n; i++) rows[i] = s.weights[i] * class_weights[s.classes[i]];
      loss_compute(&weighted, output, s.n, s.k, s.z, s.a, &(targets){.classes = s.classes, .weights = s.weights},
                   s.delta, &by_class);
      loss_compute(&plain, output, s.n, s.k, s.z, s.a, &(targets){.classes = s.classes, .weights = rows}, delta,
                   &by_row);
      assert_memory_equal(&by_class, &by_row, sizeof by_row);
      assert_memory_equal(delta, s.delta, s.n * s.k * sizeof(float));
      free(delta);
      sample_free(&s);
    }
}

/* Where the network is as sure as floats can be, right or wrong, and where a softmax has underflowed. */
static void test_focal_extremes(void **state) {
  (void)state;
  static const float z[3] = {200, -200, 0};
  static const double expected[3] = {0, 400, 200}; /* q = 0, 1, 1 */
  for (int32_t class = 0; class < 3; class ++) {
    const loss_spec focal = {.kind = MLPD_CROSS_ENTROPY, .gamma = 0.5f};
    float a[3], delta[3];
    loss_sums sums = {0};
    softmax_forward(1, 3, z, a);
    loss_compute(&focal, MLPD_SOFTMAX, 1, 3, z, a, &(targets){.classes = &class}, delta, &sums);
    assert_true(fabs(sums.loss - expected[class]) <= 1e-12);
    for (int j = 0; j < 3; j++) assert_true(fabs((double)delta[j] - ((j == 0) - (j == class))) <= 1e-6);
  }
  for (int32_t class = 0; class < 2; class ++) {
    const loss_spec focal = {.kind = MLPD_BINARY_CROSS_ENTROPY, .gamma = 2};
    const float a = 1;
    float delta = 9;
    loss_sums sums = {0};
    loss_compute(&focal, MLPD_SIGMOID, 1, 1, z, &a, &(targets){.classes = &class}, &delta, &sums);
    assert_true(sums.loss == (class == 0 ? 200 : 0) && delta == (class == 0 ? 1 : 0));
  }
}

static void test_classes_are_one_hot_rows(void **state) {
  (void)state;
  for (mlpd_loss loss = MLPD_MSE; loss < MLPD_QUANTILE; loss++) {
    const mlpd_activation output = loss_default_activation(loss, MLPD_CLASSIFICATION);
    sample s = sample_make(output, 9, 600);
    memset(s.values, 0, s.n * s.k * sizeof(float));
    for (uint64_t i = 0; i < s.n; i++) s.values[i * s.k + (uint32_t)s.classes[i]] = 1;
    loss_sums by_class = {0}, by_value = {0};
    compute(loss, output, s.n, s.k, s.z, s.a, &(targets){.classes = s.classes}, s.delta, &by_class);
    float *const delta = array(s.n * s.k, sizeof(float));
    compute(loss, output, s.n, s.k, s.z, s.a, &(targets){.values = s.values}, delta, &by_value);
    assert_memory_equal(delta, s.delta, s.n * s.k * sizeof(float));
    assert_true(fabs(by_class.loss - by_value.loss) <= 1e-12 * by_value.loss);
    free(delta);
    sample_free(&s);
  }
}

/* One sample, k outputs; returns the loss and leaves delta. */
static double one(mlpd_loss loss, mlpd_activation output, uint32_t k, const float *z, const targets *y, float *delta) {
  sample s = {.n = 1, .k = k, .z = array(k, sizeof(float)), .a = array(k, sizeof(float))};
  memcpy(s.z, z, k * sizeof(float));
  activate(output, &s);
  loss_sums sums = {0};
  compute(loss, output, 1, k, s.z, s.a, y, delta, &sums);
  free(s.z);
  free(s.a);
  return sums.loss;
}

static void test_cross_entropy_extremes(void **state) {
  (void)state;
  float delta[3];
  const float z[3] = {1e4f, -1e4f, 0};
  const int32_t classes[3] = {0, 1, 2};
  const double expected[3] = {0, 2e4, 1e4};
  for (int c = 0; c < 3; c++) {
    assert_true(one(MLPD_CROSS_ENTROPY, MLPD_SOFTMAX, 3, z, &(targets){.classes = &classes[c]}, delta) == expected[c]);
    for (int j = 0; j < 3; j++) assert_true(delta[j] == (float)(j == 0) - (float)(j == c));
  }
  /* The same shift of all outputs changes nothing, however large. */
  const float shifted[2] = {1e4f + 1, 1e4f};
  const double loss = one(MLPD_CROSS_ENTROPY, MLPD_SOFTMAX, 2, shifted, &(targets){.classes = &classes[1]}, delta);
  assert_true(fabs(loss - log(1 + exp(1.0))) < 1e-6);
  const float soft[3] = {0.5f, 0.25f, 0.25f};
  assert_true(one(MLPD_CROSS_ENTROPY, MLPD_SOFTMAX, 3, z, &(targets){.values = soft}, delta) == 7500);
}

static void test_binary_cross_entropy_extremes(void **state) {
  (void)state;
  static const float zs[] = {1e4f, -1e4f, 100, -100, 20, -20, 0};
  for (size_t i = 0; i < sizeof zs / sizeof *zs; i++)
    for (int32_t class = 0; class < 2; class ++) {
      float delta = 9;
      const targets y = {.classes = &class};
      const double loss = one(MLPD_BINARY_CROSS_ENTROPY, MLPD_SIGMOID, 1, &zs[i], &y, &delta);
      const double signed_z = class == 1 ? -(double)zs[i] : zs[i]; /* loss = log(1 + exp(signed z)) */
      const double expected = signed_z > 50 ? signed_z : log1p(exp(signed_z));
      assert_true(fabs(loss - expected) <= 1e-5 * expected + 1e-37);
      assert_true(fabs(delta - (1 / (1 + exp(-(double)zs[i])) - class)) <= 1e-6);
    }
}

static void test_corners_of_residual_losses(void **state) {
  (void)state;
  const float z[4] = {1, -1, 3, -5};
  const float values[4] = {1, 0, 1, -4};
  float delta[4];
  assert_true(one(MLPD_MAE, MLPD_IDENTITY, 4, z, &(targets){.values = values}, delta) == 4);
  const float mae[4] = {0, -1, 1, -1}, huber[4] = {0, -1, 1, -1}, mean[4] = {0, -0.5f, 1, -0.5f};
  assert_memory_equal(delta, mae, sizeof delta);
  assert_true(one(MLPD_HUBER, MLPD_IDENTITY, 4, z, &(targets){.values = values}, delta) == 0.5 + 1.5 + 0.5);
  assert_memory_equal(delta, huber, sizeof delta);
  assert_true(one(MLPD_MSE, MLPD_IDENTITY, 4, z, &(targets){.values = values}, delta) == 3);
  assert_true(one(MLPD_MSE_MEAN, MLPD_IDENTITY, 4, z, &(targets){.values = values}, delta) == 1.5);
  assert_memory_equal(delta, mean, sizeof delta);
  const float zeros[4] = {0};
  const float far[4] = {0, 1e-3f, 0.01f, -1e30f}; /* cosh(1e30) overflows: log(cosh(r)) is |r| - log 2 there */
  for (int i = 0; i < 4; i++) {
    const double r = fabs((double)far[i]), wanted = r > 1 ? r - log(2) : log1p(2 * pow(sinh(r / 2), 2));
    const double found = one(MLPD_LOG_COSH, MLPD_IDENTITY, 1, &far[i], &(targets){.values = zeros}, delta);
    assert_true(fabs(found - wanted) <= 1e-9 * wanted);
    assert_true(fabs((double)*delta - tanh((double)far[i])) <= 3e-7 * fabs(tanh((double)far[i])));
  }
}

static void test_non_finite_inputs_show(void **state) {
  (void)state;
  static const float bad[] = {NAN, INFINITY, -INFINITY};
  float delta[20], values[20] = {0};
  values[3] = 1;
  const int32_t class = 3;
  for (mlpd_loss loss = MLPD_MSE; loss < MLPD_NUM_LOSSES; loss++)
    for (uint32_t place = 0; place < 20; place++)
      for (int b = 0; b < 3; b++) {
        const mlpd_activation output = loss_default_activation(loss, MLPD_REGRESSION);
        float z[20] = {0};
        z[place] = bad[b];
        assert_true(isfinite(one(loss, output, 20, z, &(targets){.values = values}, delta)) == 0);
        if (!loss_needs_values(loss))
          assert_true(isfinite(one(loss, output, 20, z, &(targets){.classes = &class}, NULL)) == 0);
        if (b > 0) continue;
        const loss_spec spec = loss_plain(loss);
        if (place >= 20 / loss_outputs(&spec)) continue;
        float spoiled[20] = {0};
        spoiled[place] = NAN;
        z[place] = 1;
        assert_true(isfinite(one(loss, output, 20, z, &(targets){.values = spoiled}, delta)) == 0);
      }
  const float far[2] = {3e38f, -3e38f}; /* their difference overflows a float */
  assert_true(one(MLPD_CROSS_ENTROPY, MLPD_SOFTMAX, 2, far, &(targets){.classes = (const int32_t[]){1}}, delta) > 5e38);
}

static void test_non_finite_inputs_show_in_focal_losses(void **state) {
  (void)state;
  static const float bad[] = {NAN, INFINITY, -INFINITY};
  for (mlpd_loss loss = MLPD_CROSS_ENTROPY; loss <= MLPD_BINARY_CROSS_ENTROPY; loss++)
    for (int i = 0; i < 60; i++) {
      const mlpd_activation output = loss_default_activation(loss, MLPD_CLASSIFICATION);
      const loss_spec spec = {.kind = loss, .gamma = i % 2 == 0 ? 2 : 0, .smoothing = 0.1f};
      const int32_t class = 3;
      sample s = sample_make(output, 1, 20);
      loss_sums sums = {0};
      s.z[i / 3] = bad[i % 3];
      activate(output, &s);
      loss_compute(&spec, output, 1, 20, s.z, s.a, &(targets){.classes = &class}, s.delta, &sums);
      assert_true(isfinite(sums.loss) == 0);
      sample_free(&s);
    }
}

static void test_metrics(void **state) {
  (void)state;
  const float a[3 * 10] = {[0] = 0.5f, [1] = 0.5f, [10 + 9] = 1, [20 + 4] = 0.6f, [20 + 5] = 0.4f};
  const int32_t classes[3] = {0, 9, 5};
  const float weights[3] = {1, 2, 4}, values[3] = {1, 1, 1};
  loss_sums sums = {0};
  compute(MLPD_CROSS_ENTROPY, MLPD_SOFTMAX, 3, 10, a, a, &(targets){.classes = classes, .weights = weights}, NULL,
          &sums);
  assert_true(sums.correct == 3 && sums.weight == 7 && sums.square == 0);
  const int32_t tie_lost = 1; /* of equal values the lowest index is the prediction */
  sums = (loss_sums){0};
  compute(MLPD_MSE, MLPD_SOFTMAX, 1, 10, a, a, &(targets){.classes = &tie_lost}, NULL, &sums);
  assert_true(sums.correct == 0);

  const float single[3] = {0.25f, 0.75f, 0.5f};
  const int32_t binary[3] = {0, 1, 1};
  sums = (loss_sums){0};
  compute(MLPD_MSE, MLPD_SIGMOID, 3, 1, single, single, &(targets){.classes = binary, .weights = weights}, NULL, &sums);
  assert_true(sums.correct == 3);

  sums = (loss_sums){0};
  compute(MLPD_MAE, MLPD_IDENTITY, 3, 1, single, single, &(targets){.values = values, .weights = weights}, NULL, &sums);
  assert_true(sums.square == 0.5625 + 2 * 0.0625 + 4 * 0.25 && sums.correct == 0);
}

/* However many rows are computed at once, and in whichever way for their width. */
static void test_rows_add_up_in_order(void **state) {
  (void)state;
  static const uint32_t widths[] = {1, 2, 13, 16, 17};
  for (mlpd_loss loss = MLPD_MSE; loss < MLPD_QUANTILE; loss++)
    for (size_t w = 0; w < 2 * sizeof widths / sizeof *widths; w++) {
      const mlpd_activation output = loss_default_activation(loss, MLPD_CLASSIFICATION);
      sample s = sample_make(output, 33, widths[w / 2]);
      const float *const weights = w % 2 == 0 ? s.weights : NULL;
      loss_sums whole = {0}, parts = {0};
      compute(loss, output, s.n, s.k, s.z, s.a, &(targets){.classes = s.classes, .weights = weights}, s.delta, &whole);
      float row[17];
      for (uint64_t i = 0; i < s.n; i++) {
        const size_t at = i * s.k;
        const targets y = {.classes = s.classes + i, .weights = weights != NULL ? weights + i : NULL};
        compute(loss, output, 1, s.k, s.z + at, s.a + at, &y, row, &parts);
        assert_memory_equal(row, s.delta + at, s.k * sizeof *row);
      }
      assert_memory_equal(&whole, &parts, sizeof whole);
      sample_free(&s);
    }
}

static void test_pairs(void **state) {
  (void)state;
  assert_int_equal(loss_check(MLPD_CROSS_ENTROPY, MLPD_SIGMOID), MLPD_ERROR_USAGE);
  assert_non_null(strstr(mlpd_error_message(), "softmax"));
  assert_int_equal(loss_check(MLPD_BINARY_CROSS_ENTROPY, MLPD_SOFTMAX), MLPD_ERROR_USAGE);
  assert_non_null(strstr(mlpd_error_message(), "sigmoid"));
  assert_int_equal(loss_check(MLPD_LOSS_AUTO, MLPD_IDENTITY), MLPD_ERROR_USAGE);
  assert_int_equal(loss_check(MLPD_NUM_LOSSES, MLPD_IDENTITY), MLPD_ERROR_USAGE);
  assert_int_equal(loss_check(MLPD_MSE, MLPD_NUM_ACTIVATIONS), MLPD_ERROR_USAGE);
  for (mlpd_loss loss = MLPD_MSE; loss < MLPD_NUM_LOSSES; loss++) {
    assert_int_equal(loss_check(loss, loss_default_activation(loss, MLPD_CLASSIFICATION)), MLPD_OK);
    assert_int_equal(loss_check(loss, loss_default_activation(loss, MLPD_REGRESSION)), MLPD_OK);
    if (loss_needs_values(loss)) assert_int_equal(loss_check(loss, MLPD_SOFTMAX), MLPD_ERROR_USAGE);
  }
  assert_int_equal(loss_default_activation(MLPD_MSE, MLPD_CLASSIFICATION), MLPD_SOFTMAX);
  assert_int_equal(loss_default_activation(MLPD_HUBER, MLPD_REGRESSION), MLPD_IDENTITY);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_loss_on_every_output),
      cmocka_unit_test(test_parameters_of_cross_entropies),
      cmocka_unit_test(test_quantiles),
      cmocka_unit_test(test_gaussian_extremes),
      cmocka_unit_test(test_class_weights),
      cmocka_unit_test(test_focal_extremes),
      cmocka_unit_test(test_classes_are_one_hot_rows),
      cmocka_unit_test(test_cross_entropy_extremes),
      cmocka_unit_test(test_binary_cross_entropy_extremes),
      cmocka_unit_test(test_corners_of_residual_losses),
      cmocka_unit_test(test_non_finite_inputs_show),
      cmocka_unit_test(test_non_finite_inputs_show_in_focal_losses),
      cmocka_unit_test(test_metrics),
      cmocka_unit_test(test_rows_add_up_in_order),
      cmocka_unit_test(test_pairs),
  };
  return cmocka_run_group_tests_name("loss", tests, NULL, NULL);
}
