/* Lanes: every row and every sample is used exactly once, for any division. */
#include "lanes/lanes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const uint64_t SEED = 7;

static uint64_t random_below(uint64_t n) {
  static uint64_t state = 88172645463325252u; /* xorshift64: repeatable, and not the code under test */
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state % n;
}

static lane_plan make_plan(uint64_t rows, uint64_t batch, uint32_t num_lanes) {
  lane_plan plan;
  assert_int_equal(lane_plan_create(rows, batch, num_lanes, SEED, &plan), MLPD_OK);
  assert_int_equal(plan.batch, batch < rows ? batch : rows);
  assert_int_equal(plan.steps_per_epoch, (rows + plan.batch - 1) / plan.batch);
  assert_int_equal(plan.lane_begin[0], 0);
  assert_int_equal(plan.lane_begin[num_lanes], rows);
  return plan;
}

static void check_steps(const lane_plan *plan) {
  uint64_t *next = calloc(plan->num_lanes, sizeof *next); /* rows of each lane used so far */
  assert_non_null(next);
  for (uint64_t step = 0; step < plan->steps_per_epoch; ++step) {
    uint64_t samples = 0;
    for (uint32_t lane = 0; lane < plan->num_lanes; ++lane) {
      uint64_t begin = 0, count = 0;
      lane_microbatch(plan, lane, step, &begin, &count);
      assert_int_equal(begin, next[lane]);
      assert_true(count <= lane_max_microbatch(plan, lane));
      next[lane] += count;
      samples += count;
    }
    if (step + 1 < plan->steps_per_epoch || plan->rows % plan->batch == 0)
      assert_int_equal(samples, plan->batch);
    else
      assert_int_equal(samples, plan->rows % plan->batch);
  }
  for (uint32_t lane = 0; lane < plan->num_lanes; ++lane)
    assert_int_equal(next[lane], plan->lane_begin[lane + 1] - plan->lane_begin[lane]);
  free(next);
}

/* Fills row_at (rows) for positions [begin, end) from the runs, after checking their order. */
static void place_runs(const lane_plan *plan, uint64_t begin, uint64_t end, uint64_t *row_at) {
  row_run *runs = NULL;
  uint64_t num_runs = 0, total = 0;
  assert_int_equal(lane_plan_runs(plan, begin, end, &runs, &num_runs), MLPD_OK);
  for (uint64_t i = 0; i < num_runs; ++i) {
    assert_true(runs[i].count > 0);
    assert_true(runs[i].position >= begin && runs[i].position + runs[i].count <= end);
    assert_true(runs[i].file_row + runs[i].count <= plan->rows);
    if (i > 0) {
      assert_true(runs[i - 1].file_row + runs[i - 1].count <= runs[i].file_row);
      assert_false(runs[i - 1].file_row + runs[i - 1].count == runs[i].file_row &&
                   runs[i - 1].position + runs[i - 1].count == runs[i].position);
    }
    for (uint64_t row = 0; row < runs[i].count; ++row) row_at[runs[i].position + row] = runs[i].file_row + row;
    total += runs[i].count;
  }
  assert_int_equal(total, end - begin);
  free(runs);
}

/* Each row lies at exactly one position, and the positions do not depend on how ranks cut the lanes. */
static void check_rows(const lane_plan *plan, int size) {
  uint64_t *whole = malloc(plan->rows * sizeof *whole), *parts = malloc(plan->rows * sizeof *parts);
  unsigned char *seen = calloc(plan->rows, 1);
  assert_true(whole != NULL && parts != NULL && seen != NULL);
  memset(parts, 0xff, plan->rows * sizeof *parts);
  place_runs(plan, 0, plan->rows, whole);
  for (int rank = 0; rank < size; ++rank) {
    uint32_t begin = 0, end = 0;
    lanes_of_rank(plan->num_lanes, size, rank, &begin, &end);
    place_runs(plan, plan->lane_begin[begin], plan->lane_begin[end], parts);
  }
  assert_memory_equal(whole, parts, plan->rows * sizeof *whole);
  for (uint64_t position = 0; position < plan->rows; ++position) {
    assert_int_equal(seen[whole[position]], 0);
    seen[whole[position]] = 1;
  }
  free(whole);
  free(parts);
  free(seen);
}

static void check_shuffle(const lane_plan *plan, uint32_t lane) {
  const uint64_t rows = plan->lane_begin[lane + 1] - plan->lane_begin[lane];
  uint32_t *order = malloc((rows + 1) * sizeof *order);
  unsigned char *seen = calloc(rows + 1, 1);
  assert_true(order != NULL && seen != NULL);
  lane_shuffle(plan, SEED, 3, lane, order);
  for (uint64_t i = 0; i < rows; ++i) {
    assert_true(order[i] < rows);
    assert_int_equal(seen[order[i]], 0);
    seen[order[i]] = 1;
  }
  free(order);
  free(seen);
}

static void check_configuration(uint64_t rows, uint64_t batch, uint32_t num_lanes, int size) {
  lane_plan plan = make_plan(rows, batch, num_lanes);
  check_steps(&plan);
  check_rows(&plan, size);
  check_shuffle(&plan, (uint32_t)random_below(num_lanes));
  lane_plan_free(&plan);
  assert_null(plan.block_order);
}

static void test_named_configurations(void **state) {
  (void)state;
  check_configuration(1, 1, 1, 1);
  check_configuration(1, 256, 16, 3);
  check_configuration(10, 4, 16, 3);
  check_configuration(10, 100, 16, 7);
  check_configuration(5, 2, 3, 5);
  check_configuration(4096 * 64 + 17, 1000, 1, 1); /* full blocks, a short last one */
  check_configuration(60000, 128, 16, 3);
  check_configuration(60001, 77, 18, 33);
}

static void test_random_configurations(void **state) {
  (void)state;
  for (int i = 0; i < 300; ++i) {
    const uint64_t rows = 1 + random_below(3000);
    check_configuration(rows, 1 + random_below(rows + 20), (uint32_t)(1 + random_below(40)),
                        (int)(1 + random_below(20)));
  }
}

/* What the cut is, so that a change of it (which changes every digest) does not go unnoticed. */
static void test_cut(void **state) {
  (void)state;
  lane_plan plan = make_plan(23, 10, 4);
  const uint64_t batch_begin[] = {0, 2, 5, 7, 10}, lane_begin[] = {0, 4, 11, 16, 23};
  assert_memory_equal(plan.batch_begin, batch_begin, sizeof batch_begin);
  assert_memory_equal(plan.lane_begin, lane_begin, sizeof lane_begin);
  uint64_t begin = 0, count = 0;
  lane_microbatch(&plan, 3, 2, &begin, &count);
  assert_int_equal(begin, 6);
  assert_int_equal(count, 1);
  lane_plan_free(&plan);

  plan = make_plan(60000, 100, 16);
  assert_int_equal(plan.block_rows, 58);
  assert_int_equal(plan.num_blocks, 1035);
  lane_plan_free(&plan);

  /* A lane without a share of full steps may still have one of the short step. */
  plan = make_plan(9, 5, 7);
  assert_int_equal(plan.batch_begin[4] - plan.batch_begin[3], 0);
  assert_int_equal(lane_max_microbatch(&plan, 3), 1);
  lane_plan_free(&plan);
}

static void test_rows_beyond_32_bits(void **state) {
  (void)state;
  const uint64_t rows = (UINT64_C(1) << 33) + 5;
  lane_plan plan = make_plan(rows, UINT64_C(1) << 32, 3);
  assert_int_equal(plan.block_rows, 4096);
  row_run *runs = NULL;
  uint64_t num_runs = 0, total = 0;
  assert_int_equal(lane_plan_runs(&plan, rows - 10000, rows, &runs, &num_runs), MLPD_OK);
  for (uint64_t i = 0; i < num_runs; ++i) total += runs[i].count;
  assert_int_equal(total, 10000);
  free(runs);
  lane_plan_free(&plan);
}

static void test_deal_mixes_and_depends_on_seed(void **state) {
  (void)state;
  lane_plan one, other;
  assert_int_equal(lane_plan_create(60000, 100, 10, 1, &one), MLPD_OK);
  assert_int_equal(lane_plan_create(60000, 100, 10, 2, &other), MLPD_OK);
  assert_memory_not_equal(one.block_order, other.block_order, one.num_blocks * sizeof *one.block_order);
  /* In a file sorted by 10 equal classes, each lane has rows of every class. */
  for (uint32_t lane = 0; lane < 10; ++lane) {
    row_run *runs = NULL;
    uint64_t num_runs = 0;
    uint64_t of_class[10] = {0};
    assert_int_equal(lane_plan_runs(&one, one.lane_begin[lane], one.lane_begin[lane + 1], &runs, &num_runs), MLPD_OK);
    for (uint64_t i = 0; i < num_runs; ++i)
      for (uint64_t row = 0; row < runs[i].count; ++row) ++of_class[(runs[i].file_row + row) / 6000];
    for (int k = 0; k < 10; ++k) assert_true(of_class[k] > 0);
    free(runs);
  }
  lane_plan_free(&one);
  lane_plan_free(&other);
}

static void test_lanes_of_rank(void **state) {
  (void)state;
  const uint32_t expected[] = {0, 6, 11, 16}; /* 3 ranks share 16 lanes as 6, 5, 5 */
  for (int rank = 0; rank < 3; ++rank) {
    uint32_t begin = 0, end = 0;
    lanes_of_rank(16, 3, rank, &begin, &end);
    assert_int_equal(begin, expected[rank]);
    assert_int_equal(end, expected[rank + 1]);
  }
  uint32_t next = 0;
  for (int rank = 0; rank < 9; ++rank) {
    uint32_t begin = 0, end = 0;
    lanes_of_rank(4, 9, rank, &begin, &end);
    assert_int_equal(begin, next);
    assert_true(end - begin <= 1);
    next = end;
  }
  assert_int_equal(next, 4);
}

static void test_lanes_default(void **state) {
  (void)state;
  assert_int_equal(lanes_default(1), 1);
  assert_int_equal(lanes_default(64), 1);
  assert_int_equal(lanes_default(127), 1);
  assert_int_equal(lanes_default(128), 2);
  assert_int_equal(lanes_default(255), 2);
  assert_int_equal(lanes_default(256), 4);
  assert_int_equal(lanes_default(1200), 16);
  assert_int_equal(lanes_default(UINT64_MAX), 1 << 24);
}

static void test_refusals(void **state) {
  (void)state;
  lane_plan plan;
  assert_int_equal(lane_plan_create(0, 1, 1, SEED, &plan), MLPD_ERROR_DATA);
  assert_int_equal(lane_plan_create(1, 0, 1, SEED, &plan), MLPD_ERROR_USAGE);
  assert_int_equal(lane_plan_create(1, 1, 0, SEED, &plan), MLPD_ERROR_USAGE);
  assert_int_equal(lane_plan_create(UINT64_C(1) << 40, 1, 2, SEED, &plan), MLPD_ERROR_USAGE);
  assert_non_null(strstr(mlpd_error_message(), "lanes"));
  lane_plan_free(&plan); /* a refused plan is empty */
}

/* An order by marks: every row once, the marked ones at the end, runs whole and sorted. */
static void check_marks(uint64_t rows, uint64_t modulus) {
  row_marks marks;
  lane_plan plan;
  assert_int_equal(row_marks_create(rows, &marks), MLPD_OK);
  for (uint64_t row = 0; row < rows; row++)
    if (row * 2654435761U % 1000 % modulus == 0) row_marks_set(&marks, row);
  row_marks_count(&marks);
  const uint64_t kept = rows - marks.marked;
  lane_plan_create_marked(&marks, &plan);
  uint64_t *const file_row = calloc(rows, sizeof *file_row), seen = 0;
  assert_non_null(file_row);
  for (uint64_t begin = 0, step = 1; begin < rows; begin += step, step = step * 3 % 1001 + 1) {
    const uint64_t end = begin + step < rows ? begin + step : rows;
    row_run *runs = NULL;
    uint64_t num_runs = 0;
    assert_int_equal(lane_plan_runs(&plan, begin, end, &runs, &num_runs), MLPD_OK);
    for (uint64_t i = 0; i < num_runs; i++) {
      assert_true(i == 0 || runs[i].file_row > runs[i - 1].file_row);
      for (uint64_t k = 0; k < runs[i].count; k++, seen++) file_row[runs[i].position + k] = runs[i].file_row + k;
    }
    free(runs);
  }
  assert_int_equal(seen, rows);
  for (uint64_t i = 0; i < rows; i++) {
    assert_int_equal(row_marks_get(&plan.marks, file_row[i]), i >= kept);
    assert_true(i == 0 || i == kept || file_row[i] > file_row[i - 1]);
  }
  free(file_row);
  lane_plan_free(&plan);
}

static void test_marks(void **state) {
  (void)state;
  assert_int_equal(row_marks_bytes(UINT64_C(1) << 30), (UINT64_C(1) << 27) + 8 + (UINT64_C(1) << 24) + 8);
  static const uint64_t rows[] = {1, 2, 63, 64, 65, 511, 512, 513, 1024, 5000};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    for (uint64_t modulus = 1; modulus <= 11; modulus += 5) check_marks(rows[i], modulus);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_named_configurations),
      cmocka_unit_test(test_random_configurations),
      cmocka_unit_test(test_cut),
      cmocka_unit_test(test_rows_beyond_32_bits),
      cmocka_unit_test(test_deal_mixes_and_depends_on_seed),
      cmocka_unit_test(test_lanes_of_rank),
      cmocka_unit_test(test_lanes_default),
      cmocka_unit_test(test_marks),
      cmocka_unit_test(test_refusals),
  };
  return cmocka_run_group_tests_name("lanes", tests, NULL, NULL);
}
