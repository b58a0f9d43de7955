#include "kernels/activation.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/rng.h"
#include "kernels/periodic.h"
#include "kernels/piecewise.h"
#include "kernels/vmath.h"
#include "reference.h"

/* The same loops once more, for the compiler's basic instruction set only. */
#undef MULTIVERSION
#define MULTIVERSION
#define activation_needs_z basic_activation_needs_z
#define activation_forward basic_activation_forward
#define activation_forward_slopes basic_activation_forward_slopes
#define activation_apply_slopes basic_activation_apply_slopes
#define activation_backward basic_activation_backward
#define softmax_forward basic_softmax_forward
#define softmax_backward basic_softmax_backward
#define periodic_forward basic_periodic_forward
#define periodic_slopes basic_periodic_slopes
#define periodic_input_slope basic_periodic_input_slope
#define periodic_add basic_periodic_add
#define piecewise_spread basic_piecewise_spread
#define piecewise_join basic_piecewise_join
#define piecewise_find basic_piecewise_find
#define piecewise_forward basic_piecewise_forward
#define piecewise_add basic_piecewise_add
#define piecewise_input_slope basic_piecewise_input_slope
#include "kernels/activation.c"
#include "kernels/periodic.c"
#include "kernels/piecewise.c"
#include "kernels/softmax.c"
#undef activation_needs_z
#undef activation_forward
#undef activation_forward_slopes
#undef activation_apply_slopes
#undef activation_backward
#undef softmax_forward
#undef softmax_backward
#undef periodic_forward
#undef periodic_slopes
#undef periodic_input_slope
#undef periodic_add
#undef piecewise_spread
#undef piecewise_join
#undef piecewise_find
#undef piecewise_forward
#undef piecewise_add
#undef piecewise_input_slope

static void assert_near(double value, double expected, double tolerance) {
  if (!(fabs(value - expected) <= tolerance)) fail_msg("%.9g, not %.9g within %g", value, expected, tolerance);
}

static double units(float value, double exact) { /* error in units in the last place of the exact value */
  const double size = fmax(fabs(exact), (double)FLT_MIN);
  return fabs((double)value - exact) / ldexp(1, ilogb(size) - 23);
}

/* Largest error of function over [low, high], evenly and ever closer to 0. */
static double worst(float (*function)(float), double (*exact)(double), double low, double high) {
  double most = 0;
  enum { POINTS = 200000 };
  for (int i = 0; i <= POINTS; i++) {
    const float x = (float)(low + (high - low) * i / POINTS);
    most = fmax(most, units(function(x), exact((double)x)));
  }
  for (double x = fmin(-low, high); x > 1e-30; x *= 0.97) /* towards 0 from both sides */
    most = fmax(most, fmax(units(function((float)x), exact((double)(float)x)),
                           units(function(-(float)x), exact(-(double)(float)x))));
  return most;
}

static double exact_sigmoid(double x) { return 1 / (1 + exp(-x)); }
static double exact_softplus(double x) { return fmax(x, 0) + log1p(exp(-fabs(x))); }
static double exact_normal(double x) { return 0.5 * erfc(-x / sqrt(2.0)); }
static float sigmoid(float x) { return vmath_sigmoid(x, vmath_exp(-vmath_abs(x))); }
static float softplus(float x) { return vmath_softplus(x, vmath_exp(-vmath_abs(x))); }
static float tangent(float x) { return vmath_tanh(x, vmath_expm1_negative(-2 * vmath_abs(x))); }
static double exact_bell(double x) { return exp(-0.5 * x * x); }
static float bell(float x) { return vmath_exp(-0.5f * (x * x)); }
static float normal(float x) { return vmath_normal(x, bell(x)); }
static float log1p_of_square(float x) { return vmath_log1p(x * x); }
static double exact_log1p_of_square(double x) { return log1p((double)((float)x * (float)x)); }
static float expm1_below(float x) { return vmath_expm1_negative(-vmath_abs(x)); }
static double exact_expm1_below(double x) { return expm1(-fabs(x)); }

#define CHECK_WORST(LIMIT, FUNCTION, EXACT, LOW, HIGH)                                        \
  do {                                                                                        \
    const double most = worst(FUNCTION, EXACT, LOW, HIGH);                                    \
    print_message("%s [%g, %g]: %.2f ulp\n", #FUNCTION, (double)(LOW), (double)(HIGH), most); \
    if (!(most <= (LIMIT))) fail_msg("%s: more than %g ulp", #FUNCTION, (double)(LIMIT));     \
  } while (0)

static void test_elementary_functions(void **state) {
  (void)state;
  CHECK_WORST(2, vmath_exp, exp, -86.5, 88.7);
  CHECK_WORST(3, expm1_below, exact_expm1_below, -100.0, 100.0);
  CHECK_WORST(3, log1p_of_square, exact_log1p_of_square, -1.0, 1.0);
  CHECK_WORST(3, sigmoid, exact_sigmoid, -86.0, 86.0);
  CHECK_WORST(3, softplus, exact_softplus, -86.0, 86.0);
  CHECK_WORST(4, tangent, tanh, -100.0, 100.0);
  CHECK_WORST(3, bell, exact_bell, -1.5, 1.5);
  CHECK_WORST(8, normal, exact_normal, -2.0, 10.0);
  CHECK_WORST(60, normal, exact_normal, -10.0, 10.0);
}

static double exact_turns(double (*function)(double), float t) {
  return function(2 * 3.14159265358979323846 * ((double)t - nearbyint((double)t)));
}

static double sine_of_turns(double t) { return exact_turns(sin, (float)t); }

/* Also where a float has only quarters of a turn, and none. */
static void test_turns(void **state) {
  (void)state;
  double most = 0;
  CHECK_WORST(4, vmath_sin_turns, sine_of_turns, -0.49, 0.49);
  for (double high = 0.5; high < 4e6; high *= 2.9)
    for (int i = -20000; i <= 20000; i++) {
      const float t = (float)(high * i / 20000);
      most = fmax(most, fabs((double)vmath_cos_turns(t) - exact_turns(cos, t)));
      most = fmax(most, fabs((double)vmath_sin_turns(t) - exact_turns(sin, t)));
    }
  print_message("cosine and sine of turns: %.2g off\n", most);
  assert_true(most > 1e-8 && most <= 3e-7);
  assert_true(vmath_cos_turns(4194303.5f) == -vmath_cos_turns(0) && vmath_cos_turns(2097151.75f) == 0);
  assert_true(vmath_cos_turns(INFINITY) == vmath_cos_turns(0) && vmath_sin_turns(-FLT_MAX) == 0);
  assert_true(isnan(vmath_cos_turns(NAN)) && isnan(vmath_sin_turns(NAN)));
}

static void test_extremes(void **state) {
  (void)state;
  assert_true(vmath_exp(-INFINITY) == 0 && vmath_exp(-1e30f) == 0 && vmath_exp(INFINITY) == INFINITY);
  assert_true(vmath_exp(0) == 1 && vmath_exp(89.5f) == INFINITY);
  assert_true(sigmoid(-INFINITY) == 0 && sigmoid(INFINITY) == 1 && sigmoid(0) == 0.5f);
  assert_true(tangent(-INFINITY) == -1 && tangent(INFINITY) == 1 && tangent(0) == 0);
  assert_true(softplus(-INFINITY) == 0 && softplus(1e30f) == 1e30f);
  assert_true(normal(-INFINITY) == 0 && normal(INFINITY) == 1);
}

enum { NUM_KINDS = MLPD_SOFTMAX }; /* those of a single value: softmax is the last */
_Static_assert(MLPD_SOFTMAX == MLPD_NUM_ACTIVATIONS - 1, "new activations stand before softmax");

static void fill(float *x, size_t n, double scale, uint32_t which) {
  rng stream = rng_start(1, RNG_INIT_WEIGHTS, which, 0);
  for (size_t i = 0; i < n; i++) x[i] = (float)(scale * rng_normal(&stream));
}

enum { M = 7, N = 149, LD = 157 }; /* two blocks of a row that pass in stages, and a rest */

/* A and A' against double precision, A' by central differences. */
static void test_values_and_slopes(void **state) {
  (void)state;
  for (int k = 0; k < NUM_KINDS; k++) {
    float z[M * LD], a[M * LD], delta[M * LD], bias[N], before[M * LD];
    fill(z, M * LD, 3, 0);
    fill(bias, N, 1, 1);
    memcpy(before, z, sizeof z);
    for (int i = 0; i < M * LD; i++) a[i] = 77, delta[i] = 2;
    activation_forward((mlpd_activation)k, M, N, LD, bias, z, a);
    activation_backward((mlpd_activation)k, M, N, LD, activation_needs_z((mlpd_activation)k) ? z : NULL, a, delta);
    for (int i = 0; i < M; i++)
      for (int j = 0; j < LD; j++) {
        const int at = i * LD + j;
        if (j >= N) { /* between the rows */
          assert_true(z[at] == before[at] && a[at] == 77 && delta[at] == 2);
          continue;
        }
        assert_true(z[at] == before[at] + bias[j]);
        const double x = (double)z[at], step = 1e-5;
        const double value = reference_activation((mlpd_activation)k, x), size = 1 + fmax(fabs(x), fabs(value));
        assert_near((double)a[at], value, 2e-6 * size);
        if (fabs(x) < 2 * step) continue;
        const double slope =
            (reference_activation((mlpd_activation)k, x + step) - reference_activation((mlpd_activation)k, x - step)) /
            (2 * step);
        assert_near((double)delta[at], 2 * slope, k == MLPD_EXP ? 3e-6 * size : 3e-6);
      }
  }
}

/* A and A' at once, in rows of any length, with and without a bias: the bits of one after the other. */
static void test_slopes_at_once(void **state) {
  (void)state;
  enum { MOST = 150 };
  for (int k = 0; k < NUM_KINDS; k++) {
    const mlpd_activation kind = (mlpd_activation)k;
    for (uint64_t n = 1; n <= MOST && activation_needs_z(kind); n++) {
      float z[2][2 * MOST], a[2][2 * MOST] = {{0}}, delta[2][2 * MOST], bias[MOST];
      const float *const with = n % 3 == 0 ? NULL : bias;
      fill(z[0], 2 * MOST, 8, (uint32_t)n);
      fill(bias, MOST, 1, 1000);
      fill(delta[0], 2 * MOST, 1, 1001);
      z[0][0] = 1e30f, z[0][n - 1] = -INFINITY;
      memcpy(z[1], z[0], sizeof z[0]);
      memcpy(delta[1], delta[0], sizeof delta[0]);
      activation_forward(kind, 2, n, MOST, with, z[0], a[0]);
      activation_backward(kind, 2, n, MOST, z[0], NULL, delta[0]);
      activation_forward_slopes(kind, 2, n, MOST, with, z[1], a[1]);
      activation_apply_slopes(2, n, MOST, z[1], delta[1]);
      assert_memory_equal(a[0], a[1], sizeof a[0]);
      assert_memory_equal(delta[0], delta[1], sizeof delta[0]);
      for (uint64_t i = 0; i < 2; i++) /* between the rows */
        assert_memory_equal(z[0] + i * MOST + n, z[1] + i * MOST + n, (MOST - n) * sizeof(float));
    }
  }
}

/* In place and without a bias: the same numbers. */
static void test_in_place(void **state) {
  (void)state;
  for (int k = 0; k < NUM_KINDS; k++) {
    float z[M * LD], a[M * LD], same[M * LD], zero[N] = {0};
    fill(z, M * LD, 3, 0);
    memcpy(a, z, sizeof z);
    memcpy(same, z, sizeof z);
    activation_forward((mlpd_activation)k, M, N, LD, zero, z, a);
    memcpy(z, same, sizeof z);
    activation_forward((mlpd_activation)k, M, N, LD, NULL, z, z);
    assert_memory_equal(z, a, sizeof z);
    if (activation_needs_z((mlpd_activation)k)) continue;
    activation_forward((mlpd_activation)k, M, N, LD, zero, same, same);
    assert_memory_equal(same, a, sizeof same);
  }
}

static void test_nan_and_infinity(void **state) {
  (void)state;
  for (int k = 0; k < NUM_KINDS; k++) {
    float z[N], a[N], delta[N];
    static const float extremes[] = {1e30f, -1e30f, FLT_MAX, -FLT_MAX, INFINITY, -INFINITY, 0, -0.0f};
    for (int j = 0; j < N; j++) z[j] = extremes[j % 8];
    activation_forward((mlpd_activation)k, 1, N, N, NULL, z, a);
    for (int j = 0; j < N; j++) {
      assert_true(!isnan(a[j]));
      const double exact = reference_activation((mlpd_activation)k, (double)z[j]);
      assert_true(fabs(exact) <= (double)FLT_MAX ? isfinite(a[j]) : true);
      delta[j] = 1;
    }
    activation_backward((mlpd_activation)k, 1, N, N, z, a, delta);
    for (int j = 0; j < N; j++)
      assert_true(isfinite(z[j]) && isfinite(a[j]) ? isfinite(delta[j]) : !isnan(delta[j]) || isinf(a[j]));
    for (int j = 0; j < N; j++) z[j] = NAN;
    activation_forward((mlpd_activation)k, 1, N, N, NULL, z, a);
    for (int j = 0; j < N; j++) assert_true(isnan(a[j]));
  }
}

static void test_softmax(void **state) {
  (void)state;
  static const int widths[] = {1, 2, 10, 16, 33, 100};
  for (size_t w = 0; w < sizeof widths / sizeof widths[0]; w++) {
    const int n = widths[w];
    float z[M * 100], a[M * 100], delta[M * 100], given[M * 100];
    fill(z, (size_t)(M * n), 20, 2);
    fill(delta, (size_t)(M * n), 1, 3);
    memcpy(given, delta, sizeof given);
    softmax_forward(M, (uint64_t)n, z, a);
    softmax_backward(M, (uint64_t)n, a, delta);
    for (int i = 0; i < M; i++) {
      double maximum = -INFINITY, sum = 0, dot = 0;
      for (int j = 0; j < n; j++) maximum = fmax(maximum, (double)z[i * n + j]);
      for (int j = 0; j < n; j++) sum += exp((double)z[i * n + j] - maximum);
      for (int j = 0; j < n; j++) dot += exp((double)z[i * n + j] - maximum) / sum * (double)given[i * n + j];
      for (int j = 0; j < n; j++) {
        const double p = exp((double)z[i * n + j] - maximum) / sum;
        assert_near((double)a[i * n + j], p, 1e-5 * p + 2e-38);
        assert_near((double)delta[i * n + j], p * ((double)given[i * n + j] - dot), 2e-6);
      }
    }
    softmax_forward(M, (uint64_t)n, z, z);
    assert_memory_equal(z, a, (size_t)(M * n) * sizeof(float));
  }
  float wide[] = {1e30f, -1e30f, 0, NAN, 1, 2};
  softmax_forward(2, 3, wide, wide);
  assert_true(wide[0] == 1 && wide[1] == 0 && wide[2] == 0);
  for (int j = 3; j < 6; j++) assert_true(isnan(wide[j]));
}

static void test_clones_agree(void **state) {
  (void)state;
  enum { MOST = 70 };
  for (uint64_t n = 1; n <= MOST; n++)
    for (int k = 0; k <= NUM_KINDS; k++) {
      float z[2][M * MOST], a[2][M * MOST], delta[2][M * MOST], bias[MOST];
      fill(z[0], M * MOST, 8, (uint32_t)n);
      memcpy(z[1], z[0], sizeof z[0]);
      memset(a, 0, sizeof a);
      fill(bias, MOST, 1, 1000);
      fill(delta[0], M * MOST, 1, 1001);
      memcpy(delta[1], delta[0], sizeof delta[0]);
      if (k < NUM_KINDS) {
        activation_forward((mlpd_activation)k, M, n, n, bias, z[0], a[0]);
        basic_activation_forward((mlpd_activation)k, M, n, n, bias, z[1], a[1]);
        activation_backward((mlpd_activation)k, M, n, n, z[0], a[0], delta[0]);
        basic_activation_backward((mlpd_activation)k, M, n, n, z[1], a[1], delta[1]);
        if (activation_needs_z((mlpd_activation)k)) {
          activation_forward_slopes((mlpd_activation)k, M, n, n, bias, z[0], a[0]);
          basic_activation_forward_slopes((mlpd_activation)k, M, n, n, bias, z[1], a[1]);
        }
      } else {
        softmax_forward(M, n, z[0], a[0]);
        basic_softmax_forward(M, n, z[1], a[1]);
        softmax_backward(M, n, a[0], delta[0]);
        basic_softmax_backward(M, n, a[1], delta[1]);
      }
      assert_memory_equal(z[0], z[1], sizeof z[0]);
      assert_memory_equal(a[0], a[1], sizeof a[0]);
      assert_memory_equal(delta[0], delta[1], sizeof delta[0]);
    }
}

static void test_clones_of_periodic_agree(void **state) {
  (void)state;
  for (uint32_t i = 0; i < 200; i++) {
    float values[2 * PERIODIC_COSINES + PERIODIC_WEIGHTS + PERIODIC_LEARNED], delta[PERIODIC_LEARNED];
    float got[2][3 * PERIODIC_COSINES + PERIODIC_LEARNED];
    fill(values, sizeof values / sizeof *values, 3, i);
    fill(delta, PERIODIC_LEARNED, 1, 1000 + i);
    const periodic_values of = {values, values + PERIODIC_COSINES, values + 2 * PERIODIC_COSINES,
                                values + 2 * PERIODIC_COSINES + PERIODIC_WEIGHTS};
    const float x = (float)i * (float)i * 0.7f;
    periodic_forward(x, &of, got[0], got[0] + PERIODIC_COSINES, got[0] + 3 * PERIODIC_COSINES);
    basic_periodic_forward(x, &of, got[1], got[1] + PERIODIC_COSINES, got[1] + 3 * PERIODIC_COSINES);
    periodic_slopes(of.weight, delta, got[0] + PERIODIC_COSINES, got[0] + 2 * PERIODIC_COSINES);
    basic_periodic_slopes(of.weight, delta, got[1] + PERIODIC_COSINES, got[1] + 2 * PERIODIC_COSINES);
    assert_memory_equal(got[0], got[1], sizeof got[0]);
  }
}

static void test_clones_of_piecewise_agree(void **state) {
  (void)state;
  enum { BINS = 37, WIDTH = 19 };
  for (uint32_t i = 0; i < 200; i++) {
    float edges[BINS + 1] = {-2}, weight[BINS * WIDTH], delta[WIDTH], z[2][WIDTH], sum[2][BINS * WIDTH];
    for (uint32_t t = 0; t < BINS; t++) edges[t + 1] = edges[t] + 0.01f * (float)(t * i % 13);
    fill(weight, BINS * WIDTH, 3, i);
    fill(delta, WIDTH, 1, 1000 + i);
    const float x = -2.1f + 0.013f * (float)i;
    const piecewise_place at = piecewise_find(x, BINS, edges), other = basic_piecewise_find(x, BINS, edges);
    assert_true(at.full == other.full && at.part == other.part && at.slope == other.slope);
    piecewise_forward(&at, WIDTH, weight, z[0]);
    basic_piecewise_forward(&at, WIDTH, weight, z[1]);
    assert_memory_equal(z[0], z[1], sizeof z[0]);
    memcpy(sum[0], weight, sizeof sum[0]);
    memcpy(sum[1], weight, sizeof sum[1]);
    piecewise_add(&at, WIDTH, delta, 0, BINS * WIDTH, sum[0]);
    basic_piecewise_add(&at, WIDTH, delta, 0, BINS * WIDTH, sum[1]);
    assert_memory_equal(sum[0], sum[1], sizeof sum[0]);
    assert_true(piecewise_input_slope(&at, WIDTH, weight, delta) ==
                basic_piecewise_input_slope(&at, WIDTH, weight, delta));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_elementary_functions),
      cmocka_unit_test(test_turns),
      cmocka_unit_test(test_extremes),
      cmocka_unit_test(test_values_and_slopes),
      cmocka_unit_test(test_slopes_at_once),
      cmocka_unit_test(test_in_place),
      cmocka_unit_test(test_nan_and_infinity),
      cmocka_unit_test(test_softmax),
      cmocka_unit_test(test_clones_agree),
      cmocka_unit_test(test_clones_of_periodic_agree),
      cmocka_unit_test(test_clones_of_piecewise_agree),
  };
  return cmocka_run_group_tests_name("activation", tests, NULL, NULL);
}
