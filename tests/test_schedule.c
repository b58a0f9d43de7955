#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "network/schedule.h"

static mlpd_train_options options_for(mlpd_schedule schedule) {
  mlpd_train_options options;
  mlpd_train_options_default(&options);
  options.schedule = schedule;
  options.lr = 0.5;
  options.epochs = 12;
  return options;
}

static void assert_near(double got, double expected) {
  if (!(fabs(got - expected) <= 1e-14)) fail_msg("%.17g is not %.17g", got, expected);
}

static void test_constant(void **state) {
  (void)state;
  const mlpd_train_options o = options_for(MLPD_CONSTANT);
  assert_true(schedule_lr(&o, 10, 0) == 0.5);
  assert_true(schedule_lr(&o, 10, 119) == 0.5);
}

static void test_lr_scale(void **state) {
  (void)state;
  mlpd_train_options o = options_for(MLPD_CONSTANT);
  o.batch = 1024;
  o.base_batch = 256;
  assert_true(schedule_lr(&o, 10, 0) == 0.5);
  o.lr_scale = MLPD_LR_SCALE_LINEAR;
  assert_true(schedule_lr(&o, 10, 0) == 2);
  o.lr_scale = MLPD_LR_SCALE_SQRT;
  assert_true(schedule_lr(&o, 10, 0) == 1);
  o.batch = 64;
  assert_true(schedule_lr(&o, 10, 0) == 0.25);
}

static void test_warmup(void **state) {
  (void)state;
  mlpd_train_options o = options_for(MLPD_CONSTANT);
  o.warmup_epochs = 2;
  for (uint64_t step = 0; step < 20; step++) assert_near(schedule_lr(&o, 10, step), 0.5 * (double)(step + 1) / 20);
  assert_true(schedule_lr(&o, 10, 19) == 0.5); /* the last step of warm-up has the full rate, and then it stays */
  assert_true(schedule_lr(&o, 10, 20) == 0.5);
  o.warmup_epochs = 0.25; /* 2.5 steps count as 3 */
  assert_near(schedule_lr(&o, 10, 0), 0.5 / 3);
  assert_true(schedule_lr(&o, 10, 2) == 0.5);
  o.lr_scale = MLPD_LR_SCALE_LINEAR;
  o.batch = 512;
  assert_near(schedule_lr(&o, 10, 0), 1.0 / 3);
}

static void test_step_edges(void **state) {
  (void)state;
  mlpd_train_options o = options_for(MLPD_STEP);
  o.lr_step_epochs = 3;
  o.lr_gamma = 0.5;
  assert_true(schedule_lr(&o, 10, 0) == 0.5);
  assert_true(schedule_lr(&o, 10, 29) == 0.5);
  assert_true(schedule_lr(&o, 10, 30) == 0.25);
  assert_true(schedule_lr(&o, 10, 59) == 0.25);
  assert_true(schedule_lr(&o, 10, 60) == 0.125);
  o.warmup_epochs = 1;
  assert_true(schedule_lr(&o, 10, 39) == 0.5);
  assert_true(schedule_lr(&o, 10, 40) == 0.25);
  o.warmup_epochs = 0;
  o.lr_step_epochs = 1.1; /* 1.1 * 100 is above 110 in double */
  assert_true(schedule_lr(&o, 100, 109) == 0.5);
  assert_true(schedule_lr(&o, 100, 110) == 0.25);
}

static void test_cosine(void **state) {
  (void)state;
  mlpd_train_options o = options_for(MLPD_COSINE);
  o.lr_min = 0.1;
  assert_near(schedule_lr(&o, 10, 0), 0.5);
  assert_near(schedule_lr(&o, 10, 40), 0.1 + 0.4 * 0.75); /* a third of the way: (1 + cos 60) / 2 */
  assert_near(schedule_lr(&o, 10, 60), 0.3);
  assert_true(schedule_lr(&o, 10, 119) > 0.1);
  assert_true(schedule_lr(&o, 10, 120) == 0.1);
  assert_true(schedule_lr(&o, 10, 100000) == 0.1);
  for (uint64_t step = 1; step < 120; step++) assert_true(schedule_lr(&o, 10, step) < schedule_lr(&o, 10, step - 1));
  o.warmup_epochs = 2;
  assert_true(schedule_lr(&o, 10, 19) == 0.5);
  assert_near(schedule_lr(&o, 10, 20), 0.5);
  assert_near(schedule_lr(&o, 10, 70), 0.3);
  assert_true(schedule_lr(&o, 10, 120) == 0.1);
  o.warmup_epochs = 12; /* nothing left */
  assert_true(schedule_lr(&o, 10, 119) == 0.5);
  assert_true(schedule_lr(&o, 10, 120) == 0.1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_constant),   cmocka_unit_test(test_lr_scale), cmocka_unit_test(test_warmup),
      cmocka_unit_test(test_step_edges), cmocka_unit_test(test_cosine),
  };
  return cmocka_run_group_tests_name("schedule", tests, NULL, NULL);
}
