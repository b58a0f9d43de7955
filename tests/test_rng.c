#include "base/rng.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void assert_near(double value, double expected, double tolerance) {
  if (!(fabs(value - expected) <= tolerance)) fail_msg("%.9g, not %.9g within %g", value, expected, tolerance);
}

/* Known answers from Random123's kat_vectors, philox4x32 10. */
static void test_philox(void **state) {
  (void)state;
  static const struct {
    uint32_t counter[4], key[2], out[4];
  } known[] = {
      {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
      {{~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
      {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
       {0xa4093822, 0x299f31d0},
       {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
  };
  for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
    uint32_t out[4];
    rng_philox(known[i].counter, known[i].key, out);
    for (int j = 0; j < 4; j++) assert_int_equal(out[j], known[i].out[j]);
  }
}

/* Draw p of a stream is word p % 4 of the block at counter p / 4. */
static void test_position(void **state) {
  (void)state;
  const uint64_t seed = 0x0123456789abcdef;
  rng stream = rng_start(seed, RNG_SHUFFLE, 7, 9);
  const uint32_t key[2] = {0x89abcdef, 0x01234567};
  for (uint32_t position = 0; position < 23; position++) {
    const uint32_t counter[4] = {position / 4, 0, 7, 9 | (uint32_t)RNG_SHUFFLE << 24};
    uint32_t block[4];
    rng_philox(counter, key, block);
    assert_int_equal(rng_next(&stream), block[position % 4]);
    assert_int_equal(stream.position, position + 1);
  }
  rng copy = stream;
  const uint32_t next = rng_next(&stream);
  assert_int_equal(rng_next(&copy), next);
}

/* Past 2^32 blocks the counter's high word counts. */
static void test_far_position(void **state) {
  (void)state;
  rng stream = rng_start(5, RNG_SPLIT_ROWS, 0, 0);
  stream.position = (uint64_t)3 << 34;
  const uint32_t counter[4] = {0, 3, 0, (uint32_t)RNG_SPLIT_ROWS << 24}, key[2] = {5, 0};
  uint32_t block[4];
  rng_philox(counter, key, block);
  assert_int_equal(rng_next(&stream), block[0]);
}

static void test_streams_differ(void **state) {
  (void)state;
  rng streams[] = {rng_start(1, RNG_SHUFFLE, 0, 0),     rng_start(2, RNG_SHUFFLE, 0, 0),
                   rng_start(1, RNG_SPLIT_ROWS, 0, 0),  rng_start(1, RNG_SHUFFLE, 1, 0),
                   rng_start(1, RNG_SHUFFLE, 0, 1),     rng_start((uint64_t)1 << 32 | 1, RNG_SHUFFLE, 0, 0),
                   rng_start(1, RNG_DEAL_BLOCKS, 0, 0), rng_start(1, RNG_INIT_WEIGHTS, 0, 0)};
  enum { NUM_STREAMS = sizeof streams / sizeof streams[0] };
  uint32_t first[NUM_STREAMS];
  for (int i = 0; i < NUM_STREAMS; i++) {
    first[i] = rng_next(&streams[i]);
    for (int j = 0; j < i; j++) assert_int_not_equal(first[i], first[j]);
  }
}

static void test_below(void **state) {
  (void)state;
  rng stream = rng_start(3, RNG_SHUFFLE, 0, 0);
  for (int i = 0; i < 100; i++) assert_int_equal(rng_below(&stream, 1), 0);
  int counts[6] = {0};
  for (int i = 0; i < 60000; i++) {
    const uint64_t draw = rng_below(&stream, 6);
    assert_true(draw < 6);
    counts[draw]++;
  }
  for (int i = 0; i < 6; i++) assert_true(counts[i] > 9500 && counts[i] < 10500); /* 5 deviations */
}

/* 3 * 2^30 and 3 * 2^62 are where draws that are not rejected would show: multiples of 3 would be twice as
 * likely as the others. */
static void test_below_unbiased(void **state) {
  (void)state;
  static const uint64_t bounds[] = {(uint64_t)3 << 30, (uint64_t)3 << 62, ((uint64_t)1 << 32) + 2, UINT64_MAX};
  rng stream = rng_start(4, RNG_SHUFFLE, 0, 0);
  for (size_t b = 0; b < sizeof bounds / sizeof bounds[0]; b++) {
    int thirds[3] = {0}, remainders[3] = {0};
    for (int i = 0; i < 30000; i++) {
      const uint64_t draw = rng_below(&stream, bounds[b]);
      assert_true(draw < bounds[b]);
      remainders[draw % 3]++;
      thirds[draw / (bounds[b] / 3 + 1)]++;
    }
    for (int i = 0; i < 3; i++) {
      assert_true(thirds[i] > 9600 && thirds[i] < 10400);
      assert_true(remainders[i] > 9600 && remainders[i] < 10400);
    }
  }
}

static void test_uniform(void **state) {
  (void)state;
  rng stream = rng_start(1, RNG_INIT_WEIGHTS, 0, 0);
  double sum = 0, squares = 0;
  enum { DRAWS = 100000 };
  for (int i = 0; i < DRAWS; i++) {
    const double draw = rng_uniform(&stream);
    assert_true(draw > 0 && draw < 1);
    sum += draw;
    squares += draw * draw;
  }
  assert_near(sum / DRAWS, 0.5, 5e-3);
  assert_near(squares / DRAWS, 1.0 / 3, 5e-3);
}

static void test_normal(void **state) {
  (void)state;
  rng stream = rng_start(1, RNG_INIT_WEIGHTS, 0, 0);
  double power[5] = {0};
  enum { DRAWS = 100000 };
  for (int i = 0; i < DRAWS; i++) {
    const double draw = rng_normal(&stream);
    assert_true(isfinite(draw));
    for (int k = 1; k <= 4; k++) power[k] += pow(draw, k) / DRAWS;
  }
  assert_near(power[1], 0, 0.02);
  assert_near(power[2], 1, 0.03);
  assert_near(power[3], 0, 0.06);
  assert_near(power[4], 3, 0.2);
}

static void test_shuffle(void **state) {
  (void)state;
  enum { LENGTH = 1000 };
  uint32_t order[LENGTH], again[LENGTH];
  int seen[LENGTH] = {0}, fixed = 0;
  for (uint32_t i = 0; i < LENGTH; i++) order[i] = again[i] = i;
  rng stream = rng_start(1, RNG_SHUFFLE, 2, 3), same = stream;
  rng_shuffle(&stream, order, LENGTH);
  rng_shuffle(&same, again, LENGTH);
  assert_memory_equal(order, again, sizeof order);
  for (uint32_t i = 0; i < LENGTH; i++) {
    assert_true(order[i] < LENGTH);
    assert_int_equal(seen[order[i]]++, 0);
    fixed += order[i] == i;
  }
  assert_true(fixed < 10);
  rng_shuffle(&stream, order, 0);
  rng_shuffle(&stream, order, 1);
}

/* All six orders of three come out alike. */
static void test_shuffle_unbiased(void **state) {
  (void)state;
  int counts[27] = {0};
  rng stream = rng_start(9, RNG_SHUFFLE, 0, 0);
  for (int i = 0; i < 60000; i++) {
    uint32_t order[3] = {0, 1, 2};
    rng_shuffle(&stream, order, 3);
    counts[order[0] * 9 + order[1] * 3 + order[2]]++;
  }
  int orders = 0;
  for (int i = 0; i < 27; i++) {
    if (counts[i] == 0) continue;
    orders++;
    assert_true(counts[i] > 9500 && counts[i] < 10500);
  }
  assert_int_equal(orders, 6);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_philox),           cmocka_unit_test(test_position), cmocka_unit_test(test_far_position),
      cmocka_unit_test(test_streams_differ),   cmocka_unit_test(test_below),    cmocka_unit_test(test_below_unbiased),
      cmocka_unit_test(test_uniform),          cmocka_unit_test(test_normal),   cmocka_unit_test(test_shuffle),
      cmocka_unit_test(test_shuffle_unbiased),
  };
  return cmocka_run_group_tests_name("rng", tests, NULL, NULL);
}
