/* The line search and the direction of L-BFGS, by their definitions. */
#include "network/lbfgs.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "network/line_search.h"
#include "quick_options.h"

/* ---- The line search ----------------------------------------------------------------------------------- */

typedef struct curve {
  double (*value)(double x);
  double (*slope)(double x);
} curve;

static double parabola(double x) { return (x - 3) * (x - 3); }
static double parabola_slope(double x) { return 2 * (x - 3); }
/* More and Thuente (1994), their functions 1 and 3: a long flat way down; many waves. */
static double flat(double x) { return -x / (x * x + 2); }
static double flat_slope(double x) { return (x * x - 2) / ((x * x + 2) * (x * x + 2)); }
static double waves(double x) { return -x + 0.02 * sin(40 * x); }
static double waves_slope(double x) { return -1 + 0.8 * cos(40 * x); }
static double valley(double x) { return x < 5 ? waves(x) : waves(5) + (x - 5) * (x - 5) + (x - 5) * waves_slope(5); }
static double valley_slope(double x) { return x < 5 ? waves_slope(x) : 2 * (x - 5) + waves_slope(5); }
static double cliff(double x) { return x < 1e-3 ? (x - 5e-4) * (x - 5e-4) : INFINITY; }
static double cliff_slope(double x) { return x < 1e-3 ? 2 * (x - 5e-4) : NAN; }

static line_search search(const curve *c, double first) {
  line_search s;
  line_search_begin(&s, c->value(0), c->slope(0), first);
  while (s.state == LINE_SEARCH_ASKS) line_search_take(&s, c->value(s.step), c->slope(s.step));
  return s;
}

static void test_strong_wolfe(void **state) {
  (void)state;
  static const curve curves[] = {
      {parabola, parabola_slope}, {flat, flat_slope}, {valley, valley_slope}, {cliff, cliff_slope}};
  for (size_t c = 0; c < sizeof curves / sizeof *curves; c++)
    for (int power = -3; power <= 3; power++) {
      const double first = pow(10, power);
      const line_search s = search(&curves[c], first);
      const double start = curves[c].value(0), slope = curves[c].slope(0);
      if (s.state != LINE_SEARCH_FOUND) fail_msg("curve %zu from %g: nothing is found", c, first);
      assert_true(s.step > 0 && s.evaluations <= LINE_SEARCH_MOST);
      const double least = start + 1e-4 * s.step * slope;
      if (!(curves[c].value(s.step) <= least && fabs(curves[c].slope(s.step)) <= 0.9 * fabs(slope)))
        fail_msg("curve %zu from %g: step %g does not satisfy the conditions", c, first, s.step);
    }
  /* A step that is good at once is taken without another evaluation; a long way off takes few. */
  assert_int_equal(search(&curves[0], 2.9).evaluations, 1);
  assert_true(search(&curves[0], 1e-3).evaluations <= 5);
  assert_true(search(&curves[0], 1e3).evaluations <= 5);
}

static double up(double x) { return x; }
static double down(double x) { return (void)x, -1; }
static double line(double x) { return -x; }
static double nothing(double x) { return x == 0 ? 1 : NAN; }
static double tiny(double x) { return x == 0 ? 1 : x == 0.5 ? 0 : 2; }
static double tiny_slope(double x) { return x == 0 || x == 0.5 ? -1 : 1; }
/* A loss so near its minimum that the decrease is below its rounding. */
static double rounded(double x) { return x == 0 ? 1 : 1 + 1e-7; }
static double rounded_slope(double x) { return 1e-9 * (x - 1); }

static void test_line_search_ends(void **state) {
  (void)state;
  line_search s = search(&(curve){up, down}, 1); /* a slope that lies */
  assert_int_equal(s.state, LINE_SEARCH_FAILED);
  assert_int_equal(s.evaluations, LINE_SEARCH_MOST);
  s = search(&(curve){nothing, down}, 1);
  assert_int_equal(s.state, LINE_SEARCH_FAILED);
  s = search(&(curve){tiny, tiny_slope}, 0.5); /* never flat, and lower at one step alone */
  assert_int_equal(s.state, LINE_SEARCH_FOUND);
  assert_true(s.evaluations == LINE_SEARCH_MOST && s.step == 0.5);
  s = search(&(curve){line, down}, 1); /* without a bottom: the lowest seen */
  assert_int_equal(s.state, LINE_SEARCH_FOUND);
  assert_true(s.step > 1e6 && isfinite(s.step));
  s = search(&(curve){rounded, rounded_slope}, 1);
  assert_int_equal(s.state, LINE_SEARCH_FOUND);
  assert_true(s.step == 1 && s.evaluations == 1);
  s = search(&(curve){rounded, down}, 1); /* as even, but the slope has not fallen */
  assert_int_equal(s.state, LINE_SEARCH_FAILED);
}

/* ---- The direction ------------------------------------------------------------------------------------ */

enum { SIZE = 3 };

typedef struct problem {
  mlpd_network *network;
  optimizer optimizer;
  lbfgs method;
} problem;

static problem make_problem(uint32_t history, double weight_decay) {
  problem p = {0};
  mlpd_train_options o;
  quick_options(&o);
  o.optimizer = MLPD_LBFGS;
  o.lbfgs_history = history;
  o.weight_decay = weight_decay;
  const uint32_t widths[] = {2, 1};
  const mlpd_activation activation = MLPD_IDENTITY;
  assert_int_equal(mlpd_network_create(1, widths, &activation, &p.network), MLPD_OK);
  assert_int_equal(optimizer_create(&o, p.network, &p.optimizer), MLPD_OK);
  return p;
}

/* The two weights and the bias in the arena. */
static float *value_of(const problem *p, float *arena, int i) {
  const tensor *const w = &p->network->tensors[0], *const b = &p->network->tensors[1];
  return arena + (i < 2 ? w->offset + (size_t)i * w->stride : b->offset);
}

static const double HESSIAN[SIZE] = {1, 10, 0.1}, GOAL[SIZE] = {3, -2, 5};

/* 1/2 sum_i h_i (x_i - goal_i)^2, and its gradient in the optimizer. */
static double quadratic(problem *p) {
  double sum = 0;
  for (int i = 0; i < SIZE; i++) {
    const double off = (double)*value_of(p, p->network->parameters, i) - GOAL[i];
    *value_of(p, p->optimizer.gradient, i) = (float)(HESSIAN[i] * off);
    sum += HESSIAN[i] / 2 * off * off;
  }
  return sum;
}

/* One iteration; false: no lower value is found. */
static bool iterate(problem *p, double *value) {
  line_search s;
  lbfgs_begin(&p->method);
  if (!(p->method.slope < 0)) return false;
  line_search_begin(&s, *value, p->method.slope, lbfgs_first_step(&p->method));
  while (s.state == LINE_SEARCH_ASKS) {
    lbfgs_move(&p->method, s.step);
    *value = quadratic(p);
    line_search_take(&s, *value, lbfgs_slope(&p->method));
  }
  if (s.state == LINE_SEARCH_FOUND) lbfgs_accept(&p->method);
  return s.state == LINE_SEARCH_FOUND;
}

/* The inverse Hessian by the BFGS formula (6.17 of the book) from the pairs in order, times the gradient. */
static void direction_by_matrix(const problem *p, double direction[SIZE]) {
  double h[SIZE][SIZE] = {{0}};
  const uint32_t pairs = p->optimizer.num_state / 2;
  for (uint32_t k = 0; k < pairs; k++) {
    double s[SIZE], y[SIZE], sy = 0, hy[SIZE] = {0}, yhy = 0, ss[SIZE][SIZE];
    for (int i = 0; i < SIZE; i++) {
      s[i] = (double)*value_of(p, p->optimizer.state[2 * k], i);
      y[i] = (double)*value_of(p, p->optimizer.state[2 * k + 1], i);
      sy += s[i] * y[i];
    }
    const uint32_t newest = 2 * (pairs - 1);
    double newest_sy = 0, newest_yy = 0;
    for (int i = 0; i < SIZE; i++) {
      const double a = (double)*value_of(p, p->optimizer.state[newest], i);
      const double b = (double)*value_of(p, p->optimizer.state[newest + 1], i);
      newest_sy += a * b;
      newest_yy += b * b;
    }
    for (int i = 0; k == 0 && i < SIZE; i++) h[i][i] = newest_sy / newest_yy;
    for (int i = 0; i < SIZE; i++)
      for (int j = 0; j < SIZE; j++) hy[i] += h[i][j] * y[j];
    for (int i = 0; i < SIZE; i++) yhy += y[i] * hy[i];
    for (int i = 0; i < SIZE; i++)
      for (int j = 0; j < SIZE; j++)
        ss[i][j] = h[i][j] - (s[i] * hy[j] + hy[i] * s[j]) / sy + s[i] * s[j] * (yhy / sy + 1) / sy;
    memcpy(h, ss, sizeof h);
  }
  for (int i = 0; i < SIZE; i++) {
    direction[i] = 0;
    for (int j = 0; j < SIZE; j++) direction[i] -= h[i][j] * (double)*value_of(p, p->optimizer.gradient, j);
  }
}

static void free_problem(problem *p) {
  lbfgs_free(&p->method);
  optimizer_free(&p->optimizer);
  mlpd_network_free(p->network);
}

static void test_two_loops(void **state) {
  (void)state;
  problem p = make_problem(2, 0);
  assert_int_equal(lbfgs_create(&p.optimizer, p.network, &p.method), MLPD_OK);
  double value = quadratic(&p);
  float steps[4][SIZE], changes[SIZE] = {0};
  for (int k = 0; k < 4; k++) { /* the third pair takes the place of the first */
    float began[64], gradient[64];
    assert_true(p.optimizer.size <= 64);
    memcpy(began, p.network->parameters, p.optimizer.size * sizeof *began);
    memcpy(gradient, p.optimizer.gradient, p.optimizer.size * sizeof *gradient);
    assert_true(iterate(&p, &value));
    assert_int_equal(p.optimizer.num_state, k == 0 ? 2 : 4);
    const uint32_t newest = p.optimizer.num_state - 2;
    for (int i = 0; i < SIZE; i++) {
      const size_t at = (size_t)(value_of(&p, p.network->parameters, i) - p.network->parameters);
      steps[k][i] = p.network->parameters[at] - began[at];
      assert_true(p.optimizer.state[newest][at] == steps[k][i]);
      assert_true(p.optimizer.state[newest + 1][at] == p.optimizer.gradient[at] - gradient[at]);
      if (k > 0) assert_true(p.optimizer.state[0][at] == steps[k - 1][i]);
      if (k > 0) assert_true(p.optimizer.state[1][at] == changes[i]);
      changes[i] = p.optimizer.state[newest + 1][at];
    }
    double expected[SIZE];
    direction_by_matrix(&p, expected);
    lbfgs_begin(&p.method);
    double slope = 0, longest = 0;
    for (int i = 0; i < SIZE; i++) longest = fmax(longest, fabs(expected[i]));
    for (int i = 0; i < SIZE; i++) {
      const double got = p.method.direction[value_of(&p, p.network->parameters, i) - p.network->parameters];
      if (!(fabs(got - expected[i]) <= 1e-6 * longest)) fail_msg("%d: %.9g is not %.9g", k, got, expected[i]);
      slope += got * (double)*value_of(&p, p.optimizer.gradient, i);
    }
    assert_true(fabs(p.method.slope - slope) <= 1e-12 * fabs(slope) && slope < 0);
    assert_true(lbfgs_first_step(&p.method) == 1);
  }
  free_problem(&p);
}

static void test_quadratic(void **state) {
  (void)state;
  problem p = make_problem(10, 0);
  assert_int_equal(lbfgs_create(&p.optimizer, p.network, &p.method), MLPD_OK);
  double value = quadratic(&p);
  /* The first step is no longer than 1 in all. */
  lbfgs_begin(&p.method);
  assert_true(fabs(lbfgs_first_step(&p.method) - 1 / 23.5) < 1e-6); /* gradient -3, 20, -0.5 */
  int iterations = 0;
  while (iterations < 40 && iterate(&p, &value)) iterations++;
  for (int i = 0; i < SIZE; i++) {
    const double x = (double)*value_of(&p, p.network->parameters, i);
    if (!(fabs(x - GOAL[i]) <= 1e-6 * fabs(GOAL[i]))) fail_msg("%g is not %g after %d", x, GOAL[i], iterations);
  }
  free_problem(&p);
}

/* What a failed search leaves behind, and curvature that is not positive. */
static void test_ends_of_a_search(void **state) {
  (void)state;
  problem p = make_problem(3, 0);
  assert_int_equal(lbfgs_create(&p.optimizer, p.network, &p.method), MLPD_OK);
  double value = quadratic(&p);
  assert_true(iterate(&p, &value));
  float before[64], gradient[64];
  const size_t bytes = p.optimizer.size * sizeof(float);
  assert_true(bytes <= sizeof before);
  memcpy(before, p.network->parameters, bytes);
  memcpy(gradient, p.optimizer.gradient, bytes);
  lbfgs_begin(&p.method);
  lbfgs_move(&p.method, 7);
  (void)quadratic(&p);
  assert_memory_not_equal(before, p.network->parameters, bytes);
  lbfgs_return(&p.method);
  assert_memory_equal(before, p.network->parameters, bytes);
  assert_memory_equal(gradient, p.optimizer.gradient, bytes);
  lbfgs_begin(&p.method);
  lbfgs_move(&p.method, 1); /* and the gradient stays: no curvature */
  lbfgs_accept(&p.method);
  assert_int_equal(p.optimizer.num_state, 2);
  assert_true(lbfgs_has_history(&p.method));
  lbfgs_forget(&p.method);
  assert_false(lbfgs_has_history(&p.method));
  lbfgs_begin(&p.method);
  for (int i = 0; i < SIZE; i++) {
    const size_t at = (size_t)(value_of(&p, p.network->parameters, i) - p.network->parameters);
    assert_true(p.method.direction[at] == -(double)p.optimizer.gradient[at]);
  }
  free_problem(&p);
}

/* Weights decay, the bias does not. */
static void test_decay(void **state) {
  (void)state;
  problem p = make_problem(1, 0.5);
  assert_int_equal(lbfgs_create(&p.optimizer, p.network, &p.method), MLPD_OK);
  for (int i = 0; i < SIZE; i++) {
    *value_of(&p, p.network->parameters, i) = (float)(i + 1);
    *value_of(&p, p.optimizer.gradient, i) = 8;
  }
  assert_true(lbfgs_add_decay(&p.method) == 0.25 * (1 + 4));
  assert_true(*value_of(&p, p.optimizer.gradient, 0) == 8.5f && *value_of(&p, p.optimizer.gradient, 1) == 9);
  assert_true(*value_of(&p, p.optimizer.gradient, 2) == 8);
  free_problem(&p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_strong_wolfe), cmocka_unit_test(test_line_search_ends), cmocka_unit_test(test_two_loops),
      cmocka_unit_test(test_quadratic),    cmocka_unit_test(test_ends_of_a_search), cmocka_unit_test(test_decay),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
