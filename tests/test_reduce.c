/* mpi: 1 2 3 4 7 */
/* The canonical sum: the same bits on every number of ranks and by both ways through the network. */
#include "distribution/reduce.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "distribution/comm_internal.h"

#include <cmocka.h>

enum { NUM_DOUBLES = 11 };

static mlpd_comm *comm;

/* Fails on all ranks where it fails on one: nobody is left behind in a collective. */
static void assert_on_all(bool good, const char *what) {
  uint64_t failures = good ? 0 : 1;
  if (!good) print_error("rank %d: %s (%s)\n", comm->rank, what, mlpd_error_message());
  if (comm_sum_u64(comm, &failures, 1) != MLPD_OK) mlpd_comm_abort(comm, 1);
  assert_int_equal(failures, 0);
}

static uint64_t mix(uint64_t x) { /* splitmix64's finalizer: a pure function, far from the code under test */
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

/* Element of a lane's buffer: magnitudes from 2^-12 to 2^12, so that the bracketing of a sum shows in its bits. */
static double lane_value(uint32_t lane, size_t index, uint32_t round) {
  const uint64_t bits = mix(mix((uint64_t)lane * 1000003 + round) + index);
  const double mantissa = 1.0 + (double)(bits >> 40) * 0x1p-24;
  return ldexp(bits & 1 ? -mantissa : mantissa, (int)((bits >> 8) % 25) - 12);
}

/* The definition, element by element: half the tree left of the largest power of two below n, half right. */
static float tree_float(uint32_t begin, uint32_t end, size_t index, uint32_t round) {
  if (end - begin == 1) return (float)lane_value(begin, index, round);
  uint32_t half = 1;
  while (2 * half < end - begin) half *= 2;
  return tree_float(begin, begin + half, index, round) + tree_float(begin + half, end, index, round);
}

static double tree_double(uint32_t begin, uint32_t end, size_t index, uint32_t round) {
  if (end - begin == 1) return lane_value(begin, index, round) / 3.0;
  uint32_t half = 1;
  while (2 * half < end - begin) half *= 2;
  return tree_double(begin, begin + half, index, round) + tree_double(begin + half, end, index, round);
}

static void fill_nodes(reducer *r, size_t num_floats, uint32_t round) {
  for (uint32_t node = 0; node < reducer_num_nodes(r); ++node) {
    const lane_range lanes = reducer_node(r, node);
    float *floats = reducer_floats(r, node);
    double *doubles = reducer_doubles(r, node);
    for (size_t i = 0; i < num_floats; ++i) floats[i] = tree_float(lanes.begin, lanes.end, i, round);
    for (size_t i = 0; i < NUM_DOUBLES; ++i) doubles[i] = tree_double(lanes.begin, lanes.end, i, round);
  }
}

static bool same_bits(const float *sum, const double *totals, uint32_t num_lanes, size_t num_floats, uint32_t round) {
  for (size_t i = 0; i < num_floats; ++i) {
    const float expected = tree_float(0, num_lanes, i, round);
    if (memcmp(&expected, &sum[i], sizeof expected) != 0) return false;
  }
  for (size_t i = 0; i < NUM_DOUBLES; ++i) {
    const double expected = tree_double(0, num_lanes, i, round);
    if (memcmp(&expected, &totals[i], sizeof expected) != 0) return false;
  }
  return true;
}

static bool close_enough(const float *sum, const double *totals, uint32_t num_lanes, size_t num_floats,
                         uint32_t round) {
  for (size_t i = 0; i < num_floats; ++i) {
    double exact = 0, magnitude = 0;
    for (uint32_t lane = 0; lane < num_lanes; ++lane) {
      exact += (float)lane_value(lane, i, round);
      magnitude += fabs(lane_value(lane, i, round));
    }
    if (!(fabs(exact - sum[i]) <= 1e-6 * magnitude)) return false;
  }
  for (size_t i = 0; i < NUM_DOUBLES; ++i) {
    double exact = 0, magnitude = 0;
    for (uint32_t lane = 0; lane < num_lanes; ++lane) {
      exact += lane_value(lane, i, round) / 3.0;
      magnitude += fabs(lane_value(lane, i, round));
    }
    if (!(fabs(exact - totals[i]) <= 1e-14 * magnitude)) return false;
  }
  return true;
}

static void check_sum(uint32_t num_lanes, size_t num_floats, mlpd_reduce mode, size_t gather_bytes) {
  const size_t usual = comm->gather_bytes;
  reducer *r = NULL;
  comm->gather_bytes = gather_bytes;
  const mlpd_status made = reducer_create(comm, num_lanes, num_floats, NUM_DOUBLES, mode, &r);
  comm->gather_bytes = usual;
  assert_int_equal(made, MLPD_OK);
  for (uint32_t round = 0; round < 2; ++round) { /* buffers and messages are used again */
    const float *sum = NULL;
    const double *totals = NULL;
    fill_nodes(r, num_floats, round);
    assert_on_all(reducer_sum(r, &sum, &totals) == MLPD_OK, "reducer_sum");
    const bool good = mode == MLPD_REDUCE_CANONICAL ? same_bits(sum, totals, num_lanes, num_floats, round)
                                                    : close_enough(sum, totals, num_lanes, num_floats, round);
    assert_on_all(good, "sum");
  }
  reducer_free(r);
}

static void check_sizes(mlpd_reduce mode, size_t gather_bytes) {
  const uint32_t lanes[] = {1, 2, 3, 5, 7, 8, 16, 18, 33};
  const size_t sizes[] = {1, 15, 16, 17, 1000};
  for (size_t i = 0; i < sizeof lanes / sizeof *lanes; ++i)
    for (size_t j = 0; j < sizeof sizes / sizeof *sizes; ++j) check_sum(lanes[i], sizes[j], mode, gather_bytes);
  check_sum(7, 100003, mode, gather_bytes);
  check_sum(18, 100003, mode, gather_bytes);
}

static void test_by_slices(void **state) {
  (void)state;
  check_sizes(MLPD_REDUCE_CANONICAL, 0);
}

static void test_gathered_whole(void **state) {
  (void)state;
  check_sizes(MLPD_REDUCE_CANONICAL, SIZE_MAX);
}

static void test_usual_way(void **state) {
  (void)state;
  check_sum(5, 100, MLPD_REDUCE_CANONICAL, comm->gather_bytes);
  check_sum(5, 30000, MLPD_REDUCE_CANONICAL, comm->gather_bytes);
}

static void test_allreduce(void **state) {
  (void)state;
  check_sizes(MLPD_REDUCE_ALLREDUCE, 0);
  check_sum(3, ((size_t)4 << 20) / sizeof(float) + 5, MLPD_REDUCE_ALLREDUCE, 0); /* two buckets */
}

/* The lane values can tell: another bracketing of them has other bits. */
static void test_bracketing_matters(void **state) {
  (void)state;
  size_t float_differences = 0, double_differences = 0;
  for (size_t i = 0; i < 1000; ++i) {
    float sum = 0;
    for (uint32_t lane = 0; lane < 7; ++lane) sum += (float)lane_value(lane, i, 0);
    const float tree = tree_float(0, 7, i, 0);
    if (memcmp(&sum, &tree, sizeof sum) != 0) ++float_differences;
  }
  for (size_t i = 0; i < NUM_DOUBLES; ++i) {
    double sum = 0;
    for (uint32_t lane = 0; lane < 7; ++lane) sum += lane_value(lane, i, 0) / 3.0;
    const double tree = tree_double(0, 7, i, 0);
    if (memcmp(&sum, &tree, sizeof sum) != 0) ++double_differences;
  }
  assert_true(float_differences > 100);
  assert_true(double_differences > 0);
}

static void test_split(void **state) {
  (void)state;
  assert_int_equal(reduce_split((lane_range){0, 2}), 1);
  assert_int_equal(reduce_split((lane_range){0, 5}), 4);
  assert_int_equal(reduce_split((lane_range){0, 8}), 4);
  assert_int_equal(reduce_split((lane_range){8, 11}), 10);
  assert_int_equal(reduce_split((lane_range){0, UINT32_MAX}), UINT32_C(1) << 31);
}

static void test_nodes(void **state) {
  (void)state;
  lane_range nodes[64];
  assert_int_equal(reduce_nodes(16, (lane_range){0, 16}, nodes), 1);
  /* 3 ranks share 16 lanes as 6, 5, 5. */
  const lane_range expected[3][3] = {{{0, 4}, {4, 6}}, {{6, 8}, {8, 10}, {10, 11}}, {{11, 12}, {12, 16}}};
  const uint32_t counts[3] = {2, 3, 2}, begins[4] = {0, 6, 11, 16};
  for (int rank = 0; rank < 3; ++rank) {
    const uint32_t count = reduce_nodes(16, (lane_range){begins[rank], begins[rank + 1]}, nodes);
    assert_int_equal(count, counts[rank]);
    assert_memory_equal(nodes, expected[rank], count * sizeof *nodes);
  }
  assert_int_equal(reduce_nodes(16, (lane_range){5, 5}, nodes), 0);
  /* The room the header promises: the worst range of the largest tree. */
  const uint32_t most = reduce_nodes(UINT32_MAX, (lane_range){1, UINT32_MAX - 1}, nodes);
  assert_true(most > 0 && most <= 64);
}

static void test_size(void **state) {
  (void)state;
  assert_int_equal(reducer_size(16, 1, 0, 1000, MLPD_REDUCE_CANONICAL), 4032);
  /* 2 ranks: own node, half of the other's, the result. */
  assert_int_equal(reducer_size(16, 2, 0, 1 << 20, MLPD_REDUCE_CANONICAL), (4 << 20) + (2 << 20) + (4 << 20));
  assert_int_equal(reducer_size(16, 2, 0, 1 << 20, MLPD_REDUCE_ALLREDUCE), (4 << 20) + (4 << 20));
}

static void test_refusal(void **state) {
  (void)state;
  reducer *r = NULL;
  const mlpd_status status = reducer_create(comm, 0, 10, 1, MLPD_REDUCE_CANONICAL, &r);
  assert_on_all(status == MLPD_ERROR_USAGE && r == NULL, "0 lanes");
  reducer_free(NULL);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_split),     cmocka_unit_test(test_nodes),
      cmocka_unit_test(test_size),      cmocka_unit_test(test_bracketing_matters),
      cmocka_unit_test(test_by_slices), cmocka_unit_test(test_gathered_whole),
      cmocka_unit_test(test_usual_way), cmocka_unit_test(test_allreduce),
      cmocka_unit_test(test_refusal),
  };
  if (mlpd_comm_init(&argc, &argv, &comm) != MLPD_OK) {
    print_error("%s\n", mlpd_error_message());
    return 1;
  }
  const int failures = cmocka_run_group_tests_name("reduce", tests, NULL, NULL);
  mlpd_comm_finalize(comm);
  return failures;
}
