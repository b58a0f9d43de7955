/* mpi: 1 2 3 4 7 8 */
/* The canonical sum: the same bits on every number of ranks and for every way of communication. */
#include "sum/reduce.h"

#include <limits.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "ranks/comm_internal.h"

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

/* Fills this rank's nodes with what no sum may hold. */
static void poison_nodes(reducer *r, size_t num_floats) {
  for (uint32_t node = 0; node < reducer_num_nodes(r); ++node) {
    memset(reducer_floats(r, node), 0xff, num_floats * sizeof(float));
    memset(reducer_doubles(r, node), 0xff, NUM_DOUBLES * sizeof(double));
  }
}

/* Floats [begin, end); with the last of them, which are ready first, the doubles. */
static void fill_nodes(reducer *r, size_t begin, size_t end, bool last, uint32_t round) {
  for (uint32_t node = 0; node < reducer_num_nodes(r); ++node) {
    const lane_range lanes = reducer_node(r, node);
    float *floats = reducer_floats(r, node);
    double *doubles = reducer_doubles(r, node);
    for (size_t i = begin; i < end; ++i) floats[i] = tree_float(lanes.begin, lanes.end, i, round);
    for (size_t i = 0; last && i < NUM_DOUBLES; ++i) doubles[i] = tree_double(lanes.begin, lanes.end, i, round);
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

/* How a sum is to travel. */
typedef struct route {
  const char *way; /* with more than one rank */
  mlpd_reduce mode;
  bool shares;
  size_t gather_bytes, direct_nodes;
  bool divided, halves;
} route;

static const route read_directly = {"shared memory", MLPD_REDUCE_CANONICAL, true, 0, SIZE_MAX, false, false};
static const route by_shared_slices = {"shared memory", MLPD_REDUCE_CANONICAL, true, 0, 0, false, false};
static const route by_slices = {"messages", MLPD_REDUCE_CANONICAL, false, 0, 0, false, false};
static const route gathered_whole = {"messages", MLPD_REDUCE_CANONICAL, false, SIZE_MAX, 0, false, false};
static const route divided_by_slices = {"messages", MLPD_REDUCE_CANONICAL, false, 0, 0, true, false};
static const route by_halves = {"messages by halves", MLPD_REDUCE_CANONICAL, false, 0, 0, false, true};
static const route divided_by_halves = {"messages by halves", MLPD_REDUCE_CANONICAL, false, 0, 0, true, true};
static const route by_allreduce = {"MPI_Iallreduce", MLPD_REDUCE_ALLREDUCE, true, 0, 0, false, false};

enum { MAX_TEST_BUCKETS = 8 };

/* Uneven buckets, the second one empty where there are several; returns how many. */
static uint32_t cut_buckets(uint32_t wanted, size_t num_floats, size_t begin[MAX_TEST_BUCKETS + 1]) {
  const size_t lines = num_floats / 16;
  for (uint32_t i = 0; i <= wanted; ++i) begin[i] = lines * i / wanted * i / wanted * 16;
  if (wanted > 2) begin[2] = begin[1];
  begin[wanted] = num_floats;
  return wanted;
}

/* What ranks make of a sum where they divide: its elements in another order of their bits, and how often. */
typedef struct made_of_sum {
  float *whole;
  size_t num_floats;
  bool begun, good;
  const double *totals;
} made_of_sum;

static made_of_sum made;

static void take_totals(void *context, const double *totals) {
  made_of_sum *const m = context;
  m->good = m->good && !m->begun;
  m->begun = true;
  m->totals = totals;
}

static void negate(void *context, size_t begin, size_t end, const float *sum) {
  made_of_sum *const m = context;
  m->good = m->good && m->begun && begin < end && end <= m->num_floats && end - begin <= REDUCER_READ_FLOATS;
  for (size_t i = begin; i < end; ++i) m->whole[i] = -sum[i - begin];
}

static reducer_owner owner_of(size_t num_floats) {
  free(made.whole);
  made = (made_of_sum){.whole = calloc(num_floats + 16, sizeof(float)), .num_floats = num_floats, .good = true};
  assert_non_null(made.whole);
  return (reducer_owner){.whole = made.whole, .context = &made, .begin = take_totals, .replace = negate};
}

/* bucket_bytes as in comm: 64 joins and cuts hardly anything. */
static reducer *make(const route *by, size_t bucket_bytes, uint32_t num_lanes, size_t num_floats, uint32_t num_buckets,
                     const size_t *bucket_begin) {
  const comm_sums usual = comm->sums;
  reducer *r = NULL;
  comm->sums = (comm_sums){.shares = by->shares,
                           .gather_bytes = by->gather_bytes,
                           .pull_bytes = usual.pull_bytes,
                           .direct_nodes = by->direct_nodes,
                           .halving_ranks = by->halves ? 2 : INT_MAX,
                           .bucket_bytes = bucket_bytes,
                           .sum_bytes = bucket_bytes};
  const reducer_owner owner = owner_of(num_floats);
  const mlpd_status status = reducer_create(comm, num_lanes, num_floats, NUM_DOUBLES, by->mode,
                                            by->divided ? &owner : NULL, num_buckets, bucket_begin, &r);
  comm->sums = usual;
  assert_on_all(status == MLPD_OK, "reducer_create");
  assert_true(reducer_divides(r) == (by->divided && comm->size > 1));
  assert_string_equal(reducer_way(r), comm->size > 1 ? by->way : "");
  return r;
}

/* sum (num_floats) from blocks of many sizes, each of them read twice. */
static bool read_all(const reducer *r, size_t num_floats, uint32_t round, float *sum) {
  _Alignas(64) float scratch[REDUCER_READ_FLOATS];
  bool same = true;
  for (size_t begin = 0, n = round; begin < num_floats; ++n) {
    const size_t most = n % 3 == 0 ? REDUCER_READ_FLOATS : 16 * (1 + n % 255);
    const size_t end = num_floats - begin < most ? num_floats : begin + most;
    memcpy(sum + begin, reducer_read(r, begin, end, scratch), (end - begin) * sizeof *sum);
    same = same && memcmp(sum + begin, reducer_read(r, begin, end, scratch), (end - begin) * sizeof *sum) == 0;
    begin = end;
  }
  return same;
}

/* One step, bucket by bucket; messages of early ones may go on before the others are complete, or not. */
static bool run_step(reducer *r, size_t num_floats, uint32_t num_buckets, const size_t *bucket_begin, uint32_t round,
                     float *sum, const double **totals) {
  bool good = true;
  reducer_begin(r);
  made.begun = false;
  poison_nodes(r, num_floats);
  for (uint32_t i = num_buckets; good && i-- > 0;) {
    fill_nodes(r, bucket_begin[i], bucket_begin[i + 1], i + 1 == num_buckets, round);
    good = reducer_ready(r, i) == MLPD_OK;
    for (uint32_t polls = 0; good && polls < round * 7; ++polls) good = reducer_progress(r) == MLPD_OK;
  }
  if (!good || reducer_finish(r, totals) != MLPD_OK) return false;
  if (!reducer_divides(r)) return read_all(r, num_floats, round, sum);
  for (size_t i = 0; i < num_floats; ++i) sum[i] = -made.whole[i];
  return made.good && made.begun && made.totals == *totals;
}

static void check_sum(const route *by, size_t bucket_bytes, uint32_t num_lanes, size_t num_floats,
                      uint32_t wanted_buckets) {
  size_t bucket_begin[MAX_TEST_BUCKETS + 1];
  const uint32_t num_buckets = cut_buckets(wanted_buckets, num_floats, bucket_begin);
  reducer *const r = make(by, bucket_bytes, num_lanes, num_floats, num_buckets, bucket_begin);
  float *const sum = malloc(num_floats * sizeof *sum);
  assert_non_null(sum);
  bool good = true;
  for (uint32_t round = 0; round < 3; ++round) { /* buffers and messages are used again */
    const double *totals = NULL;
    const bool done = run_step(r, num_floats, num_buckets, bucket_begin, round, sum, &totals);
    if (!done) mlpd_comm_abort(comm, 1); /* the others would wait */
    good = good && (by->mode == MLPD_REDUCE_CANONICAL ? same_bits(sum, totals, num_lanes, num_floats, round)
                                                      : close_enough(sum, totals, num_lanes, num_floats, round));
  }
  assert_on_all(good, "sum");
  free(sum);
  reducer_free(r);
}

static void check_route(const route *by) {
  const uint32_t lanes[] = {1, 2, 3, 5, 7, 8, 16, 18, 33};
  const size_t sizes[] = {1, 15, 16, 17, 1000};
  for (size_t i = 0; i < sizeof lanes / sizeof *lanes; ++i)
    for (size_t j = 0; j < sizeof sizes / sizeof *sizes; ++j)
      check_sum(by, 64, lanes[i], sizes[j], (i + j) % 2 == 0 ? 1 : 5);
  check_sum(by, 4096, 7, 30003, 1);                /* cut */
  check_sum(by, 4096, 3, 30003, MAX_TEST_BUCKETS); /* some joined, some cut */
  check_sum(by, 1 << 20, 3, 30003, 3);             /* all joined */
}

static void test_read_directly(void **state) {
  (void)state;
  check_route(&read_directly);
}

static void test_by_shared_slices(void **state) {
  (void)state;
  check_route(&by_shared_slices);
}

static void test_by_slices(void **state) {
  (void)state;
  check_route(&by_slices);
}

/* Each float is in one slice of one rank. */
static void check_slices(const route *by, size_t num_floats) {
  size_t bucket_begin[MAX_TEST_BUCKETS + 1], begin = 0, end = 0;
  const uint32_t num_buckets = cut_buckets(3, num_floats, bucket_begin);
  reducer *const r = make(by, 256, 16, num_floats, num_buckets, bucket_begin);
  uint8_t *const owners = calloc(num_floats, 1);
  assert_non_null(owners);
  for (int rank = 0; reducer_divides(r) && rank < comm->size; ++rank)
    for (uint32_t i = 0; reducer_slice(r, rank, i, &begin, &end); ++i)
      for (size_t at = begin; at < end; ++at) ++owners[at];
  for (size_t i = 0; reducer_divides(r) && i < num_floats; ++i) assert_int_equal(owners[i], 1);
  free(owners);
  reducer_free(r);
}

static void test_divided_by_slices(void **state) {
  (void)state;
  check_route(&divided_by_slices);
  check_slices(&divided_by_slices, 1000);
  check_slices(&divided_by_slices, 17);
}

/* Where lanes and ranks are powers of two; elsewhere slices do it. */
static void check_halves(const route *by) {
  const bool power = (comm->size & (comm->size - 1)) == 0;
  const uint32_t lanes[] = {4, 8, 16, 32};
  const size_t sizes[] = {1, 15, 16, 17, 1000, 30003};
  for (size_t i = 0; power && i < sizeof lanes / sizeof *lanes; ++i)
    for (size_t j = 0; lanes[i] >= (uint32_t)comm->size && j < sizeof sizes / sizeof *sizes; ++j) {
      check_sum(by, 64, lanes[i], sizes[j], (i + j) % 2 == 0 ? 1 : 5);
      check_sum(by, 4096, lanes[i], sizes[j], 3);
    }
  route slices = *by;
  slices.way = "messages";
  check_sum(&slices, 64, 6, 1000, 3);
  check_sum(power && comm->size <= 2 ? by : &slices, 64, 2, 1000, 3);
}

static void test_by_halves(void **state) {
  (void)state;
  check_halves(&by_halves);
}

static void test_divided_by_halves(void **state) {
  (void)state;
  check_halves(&divided_by_halves);
  if ((comm->size & (comm->size - 1)) == 0) check_slices(&divided_by_halves, 1000);
  if ((comm->size & (comm->size - 1)) == 0) check_slices(&divided_by_halves, 17);
}

static void test_gathered_whole(void **state) {
  (void)state;
  check_route(&gathered_whole);
}

static void test_allreduce(void **state) {
  (void)state;
  check_route(&by_allreduce);
}

/* As users have it: what is chosen for the ranks at hand, and by messages. */
static void test_usual_way(void **state) {
  (void)state;
  const route shared = {
      "shared memory", MLPD_REDUCE_CANONICAL, true, comm->sums.gather_bytes, comm->sums.direct_nodes, false, false};
  const route messages = {
      "messages", MLPD_REDUCE_CANONICAL, false, comm->sums.gather_bytes, comm->sums.direct_nodes, false, false};
  for (uint32_t lanes = 1; lanes < 9; lanes += lanes) {
    check_sum(&shared, comm->sums.bucket_bytes, lanes, 30000, 3);
    check_sum(&messages, comm->sums.bucket_bytes, lanes, 100, 1);
    check_sum(&messages, comm->sums.bucket_bytes, lanes, 30000, 3);
  }
}

/* A rank that is late by more than a nap, each in turn: nobody reads what is not there yet. */
static void test_late_rank(void **state) {
  (void)state;
  const route *const routes[] = {&read_directly, &by_shared_slices, &by_slices, &divided_by_slices, &gathered_whole};
  const size_t bucket_begin[3] = {0, 512, 1000};
  float sum[1000];
  for (size_t i = 0; i < sizeof routes / sizeof *routes; ++i) {
    reducer *const r = make(routes[i], 64, 9, 1000, 2, bucket_begin);
    bool good = true;
    for (uint32_t round = 0; round < 2 * (uint32_t)comm->size; ++round) {
      const double *totals = NULL;
      if (round % (uint32_t)comm->size == (uint32_t)comm->rank) (void)usleep(5000);
      if (!run_step(r, 1000, 2, bucket_begin, round, sum, &totals)) mlpd_comm_abort(comm, 1);
      good = good && same_bits(sum, totals, 9, 1000, round);
    }
    assert_on_all(good, "sum");
    reducer_free(r);
  }
}

/* Memory that cannot be shared is no failure: here files, and so this memory, may not be as large. */
static void test_without_shared_memory(void **state) {
  (void)state;
  struct rlimit usual;
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &usual), 0);
  const struct rlimit less = {.rlim_cur = 4096, .rlim_max = usual.rlim_max};
  route by = read_directly;
  by.way = "messages";
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &less), 0);
  const size_t bucket_begin[2] = {0, 1000};
  reducer *const r = make(&by, 64, 9, 1000, 1, bucket_begin);
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &usual), 0);
  float sum[1000];
  const double *totals = NULL;
  const bool done = run_step(r, 1000, 1, bucket_begin, 0, sum, &totals);
  assert_on_all(done && same_bits(sum, totals, 9, 1000, 0), "sum");
  reducer_free(r);
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
  assert_int_equal(tree_split((lane_range){0, 2}), 1);
  assert_int_equal(tree_split((lane_range){0, 5}), 4);
  assert_int_equal(tree_split((lane_range){0, 8}), 4);
  assert_int_equal(tree_split((lane_range){8, 11}), 10);
  assert_int_equal(tree_split((lane_range){0, UINT32_MAX}), UINT32_C(1) << 31);
}

static void test_nodes(void **state) {
  (void)state;
  lane_range nodes[64];
  assert_int_equal(tree_nodes(16, (lane_range){0, 16}, nodes), 1);
  /* 3 ranks share 16 lanes as 6, 5, 5. */
  const lane_range expected[3][3] = {{{0, 4}, {4, 6}}, {{6, 8}, {8, 10}, {10, 11}}, {{11, 12}, {12, 16}}};
  const uint32_t counts[3] = {2, 3, 2}, begins[4] = {0, 6, 11, 16};
  for (int rank = 0; rank < 3; ++rank) {
    const uint32_t count = tree_nodes(16, (lane_range){begins[rank], begins[rank + 1]}, nodes);
    assert_int_equal(count, counts[rank]);
    assert_memory_equal(nodes, expected[rank], count * sizeof *nodes);
  }
  assert_int_equal(tree_nodes(16, (lane_range){5, 5}, nodes), 0);
  /* The room the header promises: the worst range of the largest tree. */
  const uint32_t most = tree_nodes(UINT32_MAX, (lane_range){1, UINT32_MAX - 1}, nodes);
  assert_true(most > 0 && most <= 64);
}

static void test_size(void **state) {
  (void)state;
  const size_t million = 1 << 20, bytes = 4 << 20;
  assert_int_equal(reducer_size(16, 1, 0, 1000, MLPD_REDUCE_CANONICAL, false, false), 4032);
  /* 2 ranks: its own node and the other's; in shared memory its own twice. */
  assert_int_equal(reducer_size(16, 2, 0, million, MLPD_REDUCE_CANONICAL, false, false), 2 * bytes);
  assert_int_equal(reducer_size(16, 2, 0, million, MLPD_REDUCE_CANONICAL, false, true), 2 * bytes);
  assert_int_equal(reducer_size(16, 2, 0, million, MLPD_REDUCE_ALLREDUCE, false, true), 2 * bytes);
  assert_int_equal(reducer_size(16, 2, 0, million, MLPD_REDUCE_CANONICAL, true, true), bytes + bytes / 2);
  /* 8 ranks: its own, its slice of the others', the result; shared: its own, its slice of the result. */
  assert_int_equal(reducer_size(16, 8, 0, million, MLPD_REDUCE_CANONICAL, false, false),
                   bytes + 7 * (bytes / 8) + bytes);
  assert_int_equal(reducer_size(64, 64, 0, million, MLPD_REDUCE_CANONICAL, true, false), bytes + bytes / 64 * 63);
  assert_int_equal(reducer_size(64, 64, 0, million, MLPD_REDUCE_CANONICAL, false, false), 2 * bytes + bytes / 64 * 63);
  assert_int_equal(reducer_size(16, 8, 0, million, MLPD_REDUCE_CANONICAL, false, true), bytes + bytes / 8);
}

static void test_refusal(void **state) {
  (void)state;
  reducer *r = NULL;
  const size_t good[2] = {0, 10}, gap[3] = {0, 8, 10}, less[2] = {0, 9};
  assert_on_all(
      reducer_create(comm, 0, 10, 1, MLPD_REDUCE_CANONICAL, NULL, 1, good, &r) == MLPD_ERROR_USAGE && r == NULL,
      "0 lanes");
  assert_on_all(
      reducer_create(comm, 1, 10, 1, MLPD_REDUCE_CANONICAL, NULL, 2, gap, &r) == MLPD_ERROR_INTERNAL && r == NULL,
      "a border within a cache line");
  assert_on_all(
      reducer_create(comm, 1, 10, 1, MLPD_REDUCE_CANONICAL, NULL, 1, less, &r) == MLPD_ERROR_INTERNAL && r == NULL,
      "buckets of less than all");
  /* A sum of which a bucket is not ready waits for nothing. */
  assert_on_all(reducer_create(comm, 1, 10, 1, MLPD_REDUCE_CANONICAL, NULL, 1, good, &r) == MLPD_OK, "reducer_create");
  const double *totals = NULL;
  reducer_begin(r);
  assert_on_all(reducer_finish(r, &totals) == MLPD_ERROR_INTERNAL, "not ready");
  reducer_free(r);
  reducer_free(NULL);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_split),
      cmocka_unit_test(test_nodes),
      cmocka_unit_test(test_size),
      cmocka_unit_test(test_bracketing_matters),
      cmocka_unit_test(test_read_directly),
      cmocka_unit_test(test_by_shared_slices),
      cmocka_unit_test(test_by_slices),
      cmocka_unit_test(test_divided_by_slices),
      cmocka_unit_test(test_by_halves),
      cmocka_unit_test(test_divided_by_halves),
      cmocka_unit_test(test_gathered_whole),
      cmocka_unit_test(test_allreduce),
      cmocka_unit_test(test_usual_way),
      cmocka_unit_test(test_late_rank),
      cmocka_unit_test(test_without_shared_memory),
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
