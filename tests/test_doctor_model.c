/* The arithmetic of the doctor's predictions, on made-up numbers. */
#include "doctor/doctor_model.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void near(double value, double expected) {
  if (fabs(value - expected) > 1e-9 * fabs(expected)) fail_msg("%.12g, expected %.12g", value, expected);
}

static void test_fit_finds_what_the_numbers_were_made_of(void **state) {
  (void)state;
  enum { N = 6 };
  const wire_model truth = {2e-6, 1e-9};
  reduce_cost costs[N];
  double seconds[N];
  uint64_t bytes = 256;
  for (int i = 0; i < N; i++, bytes *= 8) {
    costs[i] = reduce_cost_of(4, 2, bytes);
    seconds[i] = wire_seconds(&truth, costs[i]);
  }
  const wire_model fit = wire_fit(N, costs, seconds);
  near(fit.latency, truth.latency);
  near(fit.byte, truth.byte);
}

/* A single long message counts no more than a short one: errors are relative. */
static void test_fit_weighs_lengths_alike(void **state) {
  (void)state;
  const reduce_cost costs[] = {{1, 0}, {1, 1e9}};
  const double seconds[] = {1e-6, 2};
  const wire_model fit = wire_fit(2, costs, seconds);
  near(fit.latency, 1e-6);
  near(fit.byte, (2 - 1e-6) / 1e9);
}

static void test_fit_is_never_negative(void **state) {
  (void)state;
  const reduce_cost costs[] = {{1, 100}, {1, 1000}};
  const double falling[] = {2e-6, 1e-6}, steep[] = {1e-8, 1e-6};
  wire_model fit = wire_fit(2, costs, falling);
  assert_true(fit.latency > 1e-6 && fit.latency < 2e-6);
  assert_true(fit.byte == 0);
  fit = wire_fit(2, costs, steep);
  assert_true(fit.latency == 0);
  assert_true(fit.byte > 1e-10 && fit.byte < 1e-9);
  fit = wire_fit(1, costs, falling); /* one length cannot tell the two apart */
  assert_true(fit.latency > 0 && fit.byte == 0);
}

/* Two ranks, a node each: half to the other and back. Three ranks of four lanes (2, 1, 1): nodes 1, 1, 1. */
static void test_cost_of_the_sum(void **state) {
  (void)state;
  const uint64_t bytes = 1 << 20;
  reduce_cost cost = reduce_cost_of(4, 1, bytes);
  assert_true(cost.messages == 0 && cost.bytes == 0);
  cost = reduce_cost_of(4, 2, 8 * bytes);
  near(cost.messages, 2); /* half of a node, and half of the new weights */
  near(cost.bytes, 8 * (double)bytes);
  cost = reduce_cost_of(4, 2, bytes);
  near(cost.messages, 1); /* a node each: whole, in one round */
  near(cost.bytes, (double)bytes);
  cost = reduce_cost_of(4, 4, bytes);
  near(cost.messages, 6);
  near(cost.bytes, 1.5 * (double)bytes);
  /* Five lanes on two ranks, 3 and 2: the first has the nodes {0, 1} and {2}, the second {3} and {4}. */
  cost = reduce_cost_of(5, 2, bytes);
  near(cost.messages, 3);
  near(cost.bytes, 1.5 * (double)bytes);
  cost = reduce_cost_of(64, 64, bytes); /* three rounds of groups of four there, and back */
  near(cost.messages, 18);
  near(reduce_cost_of(32, 32, bytes).messages, 14); /* and one of pairs */
  near(cost.bytes, 2 * 63. / 64 * (double)bytes);
  /* Small: gathered whole. */
  cost = reduce_cost_of(2, 2, 1000);
  near(cost.messages, 1);
  near(cost.bytes, 1000);
  /* Eight lanes on three ranks, 3, 3 and 2: nodes {0, 1}, {2} and {3}, {4, 5} and {6, 7}. The last gets four. */
  cost = reduce_cost_of(8, 3, 1000);
  near(cost.messages, 2);
  near(cost.bytes, 4000);
}

static void test_lanes(void **state) {
  (void)state;
  assert_int_equal(doctor_lanes(16, 3), 16);
  assert_int_equal(doctor_lanes(16, 32), 32);
  assert_int_equal(doctor_most_lanes(16, 3), 6);
  assert_int_equal(doctor_most_lanes(16, 16), 1);
  assert_int_equal(doctor_most_lanes(16, 32), 1);
  assert_int_equal(doctor_most_rows(1024, 16, 3), 384);
  assert_int_equal(doctor_most_rows(1024, 16, 32), 32);
  assert_int_equal(doctor_most_rows(100, 3, 2), 67);
  assert_int_equal(doctor_most_rows(UINT64_C(1) << 40, 2, 1), UINT64_C(1) << 40);
}

static void test_prediction_adds_up(void **state) {
  (void)state;
  const wire_model wire = {1e-6, 1e-9};
  /* 16 lanes on 3 ranks: 6 where 5.33 would be even. */
  mlpd_prediction p = doctor_predict(3, 1024, 16, (step_cost){6e-3, 1e-3}, &wire, (reduce_cost){10, 2e6});
  assert_int_equal(p.most_lanes, 6);
  near(p.compute, 6e-3 * 16 / 18);
  near(p.imbalance, 6e-3 * 2 / 18);
  near(p.latency, 1e-5);
  near(p.bandwidth, 2e-3);
  near(p.step, 6e-3 + 1e-3 + 1e-5 + 2e-3);
  near(p.samples_per_second, 1024 / p.step);
  assert_int_equal(p.limit, MLPD_LIMIT_COMPUTE);
  assert_true(p.wire_known);
}

static void test_prediction_names_the_limit(void **state) {
  (void)state;
  const wire_model wire = {1e-6, 1e-9};
  const step_cost cost = {1e-3, 1e-4}, slow_input = {1e-4, 1e-3};
  assert_int_equal(doctor_predict(2, 1, 2, cost, &wire, (reduce_cost){2000, 0}).limit, MLPD_LIMIT_LATENCY);
  assert_int_equal(doctor_predict(2, 1, 2, cost, &wire, (reduce_cost){2, 2e6}).limit, MLPD_LIMIT_BANDWIDTH);
  assert_int_equal(doctor_predict(8, 1, 9, cost, &wire, (reduce_cost){2, 2}).limit, MLPD_LIMIT_COMPUTE);
  assert_int_equal(doctor_predict(2, 1, 2, slow_input, &wire, (reduce_cost){2, 2}).limit, MLPD_LIMIT_INPUT);
  /* 17 lanes on 16 ranks: one has 2, and 15 wait for it almost half the time; on 3 of 4 it is more than half. */
  assert_int_equal(doctor_predict(16, 1, 17, cost, &wire, (reduce_cost){2, 2}).most_lanes, 2);
  near(doctor_predict(16, 1, 17, cost, &wire, (reduce_cost){2, 2}).imbalance, 1e-3 * 15 / 32);
}

static void test_unknown_wire(void **state) {
  (void)state;
  const mlpd_prediction p = doctor_predict(4, 100, 4, (step_cost){1e-3, 0}, NULL, (reduce_cost){10, 2e6});
  assert_false(p.wire_known);
  near(p.step, 1e-3);
  assert_true(doctor_predict(1, 100, 4, (step_cost){1e-3, 0}, NULL, (reduce_cost){0, 0}).wire_known);
}

static void test_list_of_ranks(void **state) {
  (void)state;
  int ranks[3], count = 7;
  assert_int_equal(doctor_parse_ranks(NULL, ranks, 3, &count), MLPD_OK);
  assert_int_equal(count, 0);
  assert_int_equal(doctor_parse_ranks("4,16,1024", ranks, 3, &count), MLPD_OK);
  assert_int_equal(count, 3);
  assert_int_equal(ranks[2], 1024);
  static const char *const wrong[] = {"0", "-1", "4,", ",4", "4 16", "x", "1,2,3,4", "99999999"};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    assert_int_equal(doctor_parse_ranks(wrong[i], ranks, 3, &count), MLPD_ERROR_USAGE);
    assert_non_null(strstr(mlpd_error_message(), "--np"));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_fit_finds_what_the_numbers_were_made_of),
      cmocka_unit_test(test_fit_weighs_lengths_alike),
      cmocka_unit_test(test_fit_is_never_negative),
      cmocka_unit_test(test_cost_of_the_sum),
      cmocka_unit_test(test_lanes),
      cmocka_unit_test(test_prediction_adds_up),
      cmocka_unit_test(test_prediction_names_the_limit),
      cmocka_unit_test(test_unknown_wire),
      cmocka_unit_test(test_list_of_ranks),
  };
  return cmocka_run_group_tests_name("doctor_model", tests, NULL, NULL);
}
