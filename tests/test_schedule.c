#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "network/schedule.h"
#include "quick_options.h"

static mlpd_train_options options_for(mlpd_schedule schedule) {
  mlpd_train_options options;
  quick_options(&options);
  options.schedule = schedule;
  options.lr = 0.5;
  options.epochs = 12;
  return options;
}

static void assert_near(double got, double expected) {
  if (!(fabs(got - expected) <= 1e-14)) fail_msg("%.17g is not %.17g", got, expected);
}

static double rate(const mlpd_train_options *o, uint64_t steps_per_epoch, uint64_t step) {
  const schedule_epoch epoch = {.steps = steps_per_epoch, .samples = 310};
  return schedule_lr(o, &epoch, step, &SCHEDULE_START);
}

static void test_constant(void **state) {
  (void)state;
  const mlpd_train_options o = options_for(MLPD_CONSTANT);
  assert_true(rate(&o, 10, 0) == 0.5);
  assert_true(rate(&o, 10, 119) == 0.5);
}

static void test_lr_scale(void **state) {
  (void)state;
  mlpd_train_options o = options_for(MLPD_CONSTANT);
  o.batch = 1024;
  o.base_batch = 256;
  assert_true(rate(&o, 10, 0) == 0.5);
  o.lr_scale = MLPD_LR_SCALE_LINEAR;
  assert_true(rate(&o, 10, 0) == 2);
  o.lr_scale = MLPD_LR_SCALE_SQRT;
  assert_true(rate(&o, 10, 0) == 1);
  o.batch = 64;
  assert_true(rate(&o, 10, 0) == 0.25);
}

static void test_warmup(void **state) {
  (void)state;
  mlpd_train_options o = options_for(MLPD_CONSTANT);
  o.warmup_epochs = 2;
  for (uint64_t step = 0; step < 20; step++) assert_near(rate(&o, 10, step), 0.5 * (double)(step + 1) / 20);
  assert_true(rate(&o, 10, 19) == 0.5); /* the last step of warm-up has the full rate, and then it stays */
  assert_true(rate(&o, 10, 20) == 0.5);
  o.warmup_epochs = 0.25; /* 2.5 steps count as 3 */
  assert_near(rate(&o, 10, 0), 0.5 / 3);
  assert_true(rate(&o, 10, 2) == 0.5);
  o.lr_scale = MLPD_LR_SCALE_LINEAR;
  o.batch = 512;
  assert_near(rate(&o, 10, 0), 1.0 / 3);
}

static void test_step_edges(void **state) {
  (void)state;
  mlpd_train_options o = options_for(MLPD_STEP);
  o.lr_step_epochs = 3;
  o.lr_gamma = 0.5;
  assert_true(rate(&o, 10, 0) == 0.5);
  assert_true(rate(&o, 10, 29) == 0.5);
  assert_true(rate(&o, 10, 30) == 0.25);
  assert_true(rate(&o, 10, 59) == 0.25);
  assert_true(rate(&o, 10, 60) == 0.125);
  o.warmup_epochs = 1;
  assert_true(rate(&o, 10, 39) == 0.5);
  assert_true(rate(&o, 10, 40) == 0.25);
  o.warmup_epochs = 0;
  o.lr_step_epochs = 1.1; /* 1.1 * 100 is above 110 in double */
  assert_true(rate(&o, 100, 109) == 0.5);
  assert_true(rate(&o, 100, 110) == 0.25);
}

static void test_cosine(void **state) {
  (void)state;
  mlpd_train_options o = options_for(MLPD_COSINE);
  o.lr_min = 0.1;
  assert_near(rate(&o, 10, 0), 0.5);
  assert_near(rate(&o, 10, 40), 0.1 + 0.4 * 0.75); /* a third of the way: (1 + cos 60) / 2 */
  assert_near(rate(&o, 10, 60), 0.3);
  assert_true(rate(&o, 10, 119) > 0.1);
  assert_true(rate(&o, 10, 120) == 0.1);
  assert_true(rate(&o, 10, 100000) == 0.1);
  for (uint64_t step = 1; step < 120; step++) assert_true(rate(&o, 10, step) < rate(&o, 10, step - 1));
  o.warmup_epochs = 2;
  assert_true(rate(&o, 10, 19) == 0.5);
  assert_near(rate(&o, 10, 20), 0.5);
  assert_near(rate(&o, 10, 70), 0.3);
  assert_true(rate(&o, 10, 120) == 0.1);
  o.warmup_epochs = 12; /* nothing left */
  assert_true(rate(&o, 10, 119) == 0.5);
  assert_true(rate(&o, 10, 120) == 0.1);
}

/* ---- The others, beside their formulas with the C library's functions ------------------------------ */

static const double PI = 3.14159265358979323846;

static double half(double from, double to, double u) { return to + (from - to) * (1 + cos(PI * u)) / 2; }

/* Of step s in a run of 120 steps, 10 an epoch; lr 0.5, lr_min 0.01. */
typedef double formula(double s);
static double exponential(double s) { return 0.5 * pow(0.3, s / 10 / 4); }
static double polynomial(double s) { return 0.01 + 0.49 * pow(1 - s / 120, 2.5); }
static double straight(double s) { return 0.01 + 0.49 * (1 - s / 120); }
static double one_cycle(double s) { return s < 48 ? half(0.02, 0.5, s / 48) : half(0.5, 0.01, (s - 48) / 72); }
static double flat_cosine(double s) { return s < 90 ? 0.5 : half(0.5, 0.01, (s - 90) / 30); }
static double coslog4(double s) { return 0.01 + 0.49 * (1 - cos(2 * PI * log2(1 + 15 * s / 120))) / 2; }
static double invscaling(double s) { return 0.5 / pow(1 + 310 * floor(s / 10), 0.7); }
static double restarts(double s) { return half(0.5, 0.01, fmod(s, 30) / 30); }
static double longer_restarts(double s) { /* cycles of 15, 30 and 60 steps, and the beginning of the next */
  return s < 15    ? half(0.5, 0.01, s / 15)
         : s < 45  ? half(0.5, 0.01, (s - 15) / 30)
         : s < 105 ? half(0.5, 0.01, (s - 45) / 60)
                   : half(0.5, 0.01, (s - 105) / 120);
}

static bool checked[MLPD_NUM_SCHEDULES] = {
    [MLPD_CONSTANT] = true, [MLPD_STEP] = true, [MLPD_COSINE] = true, [MLPD_PLATEAU] = true}; /* by tests of their own
                                                                                               */

static void check_formula(mlpd_train_options o, formula *expected) {
  checked[o.schedule] = true;
  o.lr_min = 0.01;
  double least = INFINITY, most = 0;
  for (int step = 0; step < 120; step++) {
    const double got = rate(&o, 10, (uint64_t)step);
    if (!(fabs(got - expected(step)) <= 2e-14))
      fail_msg("%s, step %d: %.17g is not %.17g", mlpd_choice_name(mlpd_schedule_choices, (int)o.schedule), step, got,
               expected(step));
    least = fmin(least, got);
    most = fmax(most, got);
  }
  assert_true(most - least > 0.3);
  o.warmup_epochs = 2; /* 20 of then 140 steps */
  o.epochs = 14;
  assert_near(rate(&o, 10, 4), 0.125);
  assert_near(rate(&o, 10, 19), 0.5);
  for (int step = 0; step < 120; step += 7)
    assert_true(fabs(rate(&o, 10, 20 + (uint64_t)step) - expected(step)) <= 2e-14);
}

static void test_formulas(void **state) {
  (void)state;
  mlpd_train_options o = options_for(MLPD_EXPONENTIAL);
  o.lr_gamma = 0.3;
  o.lr_step_epochs = 4;
  check_formula(o, exponential);
  o = options_for(MLPD_POLYNOMIAL);
  check_formula(o, straight);
  o.lr_power = 2.5;
  check_formula(o, polynomial);
  o = options_for(MLPD_ONE_CYCLE);
  o.lr_rise = 0.4;
  check_formula(o, one_cycle);
  o = options_for(MLPD_FLAT_COSINE);
  o.lr_flat = 0.75;
  check_formula(o, flat_cosine);
  check_formula(options_for(MLPD_COSLOG4), coslog4);
  o = options_for(MLPD_INVSCALING);
  o.power_t = 0.7;
  check_formula(o, invscaling);
  o = options_for(MLPD_COSINE_RESTARTS);
  o.lr_step_epochs = 3;
  check_formula(o, restarts);
  o.lr_step_epochs = 1.5;
  o.lr_restart_factor = 2;
  check_formula(o, longer_restarts);
  for (int i = 0; i < MLPD_NUM_SCHEDULES; i++)
    if (!checked[i]) fail_msg("%s has no formula here", mlpd_choice_name(mlpd_schedule_choices, i));
}

static void test_ends(void **state) {
  (void)state;
  static const mlpd_schedule falling[] = {MLPD_POLYNOMIAL, MLPD_ONE_CYCLE, MLPD_FLAT_COSINE, MLPD_COSLOG4};
  for (size_t i = 0; i < sizeof falling / sizeof *falling; i++) {
    mlpd_train_options o = options_for(falling[i]);
    o.lr_min = 0.1;
    assert_true(rate(&o, 10, 119) > 0.1);
    assert_true(rate(&o, 10, 120) == 0.1 && rate(&o, 10, 100000) == 0.1);
    o.lr_rise = o.lr_flat = 1;
    assert_true(rate(&o, 10, 119) > 0.1 && rate(&o, 10, 120) == 0.1);
    o.lr_rise = o.lr_flat = o.lr_power = 0;
    assert_true(rate(&o, 10, 119) >= 0.1 && rate(&o, 10, 120) == 0.1);
    o.warmup_epochs = 12; /* nothing left */
    assert_true(rate(&o, 10, 119) == 0.5 && rate(&o, 10, 120) == 0.1);
  }
  mlpd_train_options o = options_for(MLPD_EXPONENTIAL);
  o.lr_gamma = 0;
  assert_true(rate(&o, 10, 0) == 0.5 && rate(&o, 10, 1) == 0);
  o.lr_gamma = 4;
  o.lr_step_epochs = 1;
  assert_near(rate(&o, 10, 5), 1);
}

/* Restarts fall on their steps though 1.1 * 100 is above 110 in double, and 0.1 * 3 above 0.3. */
static void test_restart_edges(void **state) {
  (void)state;
  mlpd_train_options o = options_for(MLPD_COSINE_RESTARTS);
  o.lr_step_epochs = 1.1;
  assert_true(rate(&o, 100, 109) < 0.001 && rate(&o, 100, 110) == 0.5);
  o.lr_step_epochs = 0.1;
  for (uint64_t step = 0; step < 200; step++)
    if (step % 10 == 0) assert_near(rate(&o, 100, step), 0.5);
  o.lr_restart_factor = 2;
  assert_true(rate(&o, 100, 9) < 0.02 && rate(&o, 100, 10) == 0.5);
  assert_true(rate(&o, 100, 29) < 0.02 && rate(&o, 100, 30) == 0.5);
}

/* Of dropout and weight decay: t is 0.5 at step 60 of 120, and the steps of the warm-up count. */
static void test_regularization(void **state) {
  (void)state;
  mlpd_train_options o = options_for(MLPD_CONSTANT);
  assert_true(schedule_regularization(&o, 10, 119) == 1);
  o.regularization_schedule = MLPD_REGULARIZATION_FLAT_COSINE;
  o.warmup_epochs = 3;
  assert_true(schedule_regularization(&o, 10, 0) == 1 && schedule_regularization(&o, 10, 60) == 1);
  for (uint64_t step = 60; step < 120; step++)
    assert_near(schedule_regularization(&o, 10, step), (1 + cos(acos(-1) * ((double)step - 60) / 60)) / 2);
  assert_true(schedule_regularization(&o, 10, 119) > 0);
  assert_true(schedule_regularization(&o, 10, 120) == 0 && schedule_regularization(&o, 10, 999) == 0);
}

static void test_plateau(void **state) {
  (void)state;
  mlpd_train_options o = options_for(MLPD_PLATEAU);
  schedule_state s = SCHEDULE_START;
  const schedule_epoch epoch = {.steps = 10, .samples = 310};
  o.lr_gamma = 0.5;
  o.lr_patience = 2;
  o.min_delta = 0.01;
  /* Best, 1 without, better, 1, 2: falls, 1, 2: falls, better (then 1, 2: falls). */
  static const double losses[] = {3, 3, 2, 1.995, 2.5, 2, 1.99, 1, 1, 1};
  static const double factors[] = {1, 1, 1, 1, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125};
  for (size_t i = 0; i < sizeof losses / sizeof *losses; i++) {
    schedule_after_epoch(&o, losses[i], &s);
    if (s.factor != factors[i]) fail_msg("epoch %d: factor %g, expected %g", (int)i + 1, s.factor, factors[i]);
    assert_true(schedule_lr(&o, &epoch, 10 * (i + 1), &s) == 0.5 * factors[i]);
  }
  o.lr_min = 0.2;
  assert_true(schedule_lr(&o, &epoch, 999, &s) == 0.2);
  o.lr_min = 0.9; /* never above the rate itself */
  assert_true(schedule_lr(&o, &epoch, 999, &s) == 0.5);
  o.schedule = MLPD_CONSTANT;
  s = SCHEDULE_START;
  for (int i = 0; i < 99; i++) schedule_after_epoch(&o, 1, &s);
  assert_true(s.factor == 1 && s.since == 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_constant),   cmocka_unit_test(test_lr_scale),      cmocka_unit_test(test_warmup),
      cmocka_unit_test(test_step_edges), cmocka_unit_test(test_cosine),        cmocka_unit_test(test_formulas),
      cmocka_unit_test(test_ends),       cmocka_unit_test(test_restart_edges), cmocka_unit_test(test_regularization),
      cmocka_unit_test(test_plateau),
  };
  return cmocka_run_group_tests_name("schedule", tests, NULL, NULL);
}
