/* Streamed rows: each row of the file is used once per epoch, for any rank and starting point; rows are read as they
 * are in the file; statistics have the same bits as for rows in memory. */
#include "data/stream.h"

#include <malloc.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "data/row_scan.h"
#include "kernels/multiversion.h"
#include "lanes/stream_order.h"
#include "temporary_folder.h"

enum { SEED = 5, FEATURES = 3, EPOCHS = 3 };

/* ---- Order ------------------------------------------------------------------------------------------------ */

typedef struct setting {
  uint64_t rows, batch;
  uint32_t lanes;
  uint64_t window, grain, valid; /* valid: rows kept out by a split */
} setting;

static const setting settings[] = {
    {1, 1, 1, 0, 0, 0},
    {5, 3, 2, 1, 0, 0},
    {7, 2, 4, 0, 0, 0},
    {1000, 64, 4, 50, 0, 0},
    {1003, 64, 4, 250, 0, 0},
    {1003, 64, 3, 17, 0, 0},
    {20000, 100, 3, 0, 37, 0},
    {20011, 128, 2, 999, 64, 0},
    {20011, 128, 5, 3000, 7, 0},
    {1009, 50, 4, 60, 0, 101},
    {40000, 512, 8, 700, 100, 4000},
    {9, 1, 4, 0, 0, 0}, /* fewer rows in a batch than lanes: some lanes have none in a step, or none at all */
    {50, 3, 8, 2, 0, 0},
    {49, 7, 16, 0, 0, 9},
};
enum { NUM_SETTINGS = sizeof settings / sizeof *settings };

typedef struct plans {
  lane_plan plan, split;
  bool used_split;
  uint64_t window;
} plans;

static plans make_plans(const setting *given) {
  plans made = {0};
  if (given->valid > 0) {
    assert_ok(lane_plan_create(given->rows, given->rows, 64, SEED, &made.split));
    made.used_split = true;
  }
  assert_ok(
      lane_plan_create_grained(given->rows - given->valid, given->batch, given->lanes, SEED, given->grain, &made.plan));
  made.window = stream_window_rows(&made.plan, given->window, FEATURES * sizeof(float));
  return made;
}

static void free_plans(plans *made) {
  lane_plan_free(&made->plan);
  lane_plan_free(&made->split);
}

/* The file's rows of a lane in the order of an epoch: sequence (its rows). */
static void list_lane(const plans *of, uint32_t lane, uint64_t epoch, uint64_t *sequence) {
  stream_lane blocks;

  assert_ok(stream_lane_create(&of->plan, of->used_split ? &of->split : NULL, SEED, of->window, lane, &blocks));
  for (uint64_t w = 0, done = 0; w < blocks.num_windows; w++) {
    const uint64_t rows = stream_lane_window(&blocks, w);
    row_run *runs = NULL;
    uint64_t num_runs = 0;
    uint64_t *const at = calloc(rows, sizeof *at);
    uint32_t *const order = calloc(rows, sizeof *order);
    for (uint64_t i = 0; i < rows; i++) at[i] = UINT64_MAX;
    assert_ok(stream_lane_runs(&blocks, epoch, w, &runs, &num_runs));
    for (uint64_t i = 0; i < num_runs; i++) {
      if (i > 0) assert_true(runs[i].file_row >= runs[i - 1].file_row + runs[i - 1].count);
      for (uint64_t r = 0; r < runs[i].count; r++) {
        assert_true(runs[i].position + r < rows);
        at[runs[i].position + r] = runs[i].file_row + r;
      }
    }
    stream_lane_shuffle(&blocks, epoch, w, order);
    for (uint64_t i = 0; i < rows; i++) sequence[done++] = at[order[i]];
    free(order);
    free(at);
    free(runs);
  }
  stream_lane_free(&blocks);
}

/* The rows that lanes own are the plan's in memory or, with blocks of whole chunks, others; each is there once. */
static void test_each_row_once(void **state) {
  (void)state;
  for (int i = 0; i < NUM_SETTINGS; i++) {
    plans made = make_plans(&settings[i]);
    uint64_t *const before = calloc(settings[i].rows, sizeof *before);
    uint64_t *const sequence = calloc(settings[i].rows, sizeof *sequence);
    for (uint64_t epoch = 0; epoch < EPOCHS; epoch++) {
      unsigned char *const seen = calloc(settings[i].rows, 1);
      uint64_t moved = 0;
      for (uint32_t lane = 0; lane < made.plan.num_lanes; lane++)
        list_lane(&made, lane, epoch, sequence + made.plan.lane_begin[lane]);
      for (uint64_t r = 0; r < made.plan.rows; r++) {
        assert_true(sequence[r] < settings[i].rows);
        assert_int_equal(seen[sequence[r]]++, 0);
        moved += sequence[r] != before[r];
      }
      if (made.plan.rows > 100) assert_true(moved > made.plan.rows / 2); /* another order in each epoch */
      memcpy(before, sequence, made.plan.rows * sizeof *before);
      free(seen);
    }
    free(sequence);
    free(before);
    free_plans(&made);
  }
}

/* A window's rows are of other blocks in another epoch, and taken in another order in another window. */
static void test_keys(void **state) {
  (void)state;
  plans made = make_plans(&settings[3]);
  stream_lane blocks;
  row_run *runs[2] = {NULL, NULL};
  uint64_t num_runs[2] = {0, 0};
  uint32_t order[3][50];
  assert_int_equal(made.window, 50);
  assert_ok(stream_lane_create(&made.plan, NULL, SEED, made.window, 1, &blocks));
  for (uint64_t epoch = 0; epoch < 2; epoch++)
    assert_ok(stream_lane_runs(&blocks, epoch, 0, &runs[epoch], &num_runs[epoch]));
  assert_true(num_runs[0] != num_runs[1] || memcmp(runs[0], runs[1], num_runs[0] * sizeof **runs) != 0);
  stream_lane_shuffle(&blocks, 0, 0, order[0]);
  stream_lane_shuffle(&blocks, 0, 1, order[1]);
  stream_lane_shuffle(&blocks, 1, 0, order[2]);
  for (int i = 0; i < 3; i++) assert_memory_not_equal(order[i], order[(i + 1) % 3], sizeof order[i]);
  free(runs[0]);
  free(runs[1]);
  stream_lane_free(&blocks);
  free_plans(&made);
}

static void test_windows(void **state) {
  (void)state;
  for (int i = 0; i < NUM_SETTINGS; i++) {
    plans made = make_plans(&settings[i]);
    for (uint32_t lane = 0; lane < made.plan.num_lanes; lane++) {
      stream_lane blocks;
      uint64_t rows = 0;
      assert_true(made.window >= lane_max_microbatch(&made.plan, lane));
      assert_ok(stream_lane_create(&made.plan, NULL, SEED, made.window, lane, &blocks));
      for (uint64_t w = 0; w < blocks.num_windows; w++) {
        const uint64_t in_window = stream_lane_window(&blocks, w);
        assert_true(in_window > 0 && (in_window == made.window || w + 1 == blocks.num_windows));
        rows += in_window;
      }
      assert_int_equal(rows, made.plan.lane_begin[lane + 1] - made.plan.lane_begin[lane]);
      stream_lane_free(&blocks);
    }
    free_plans(&made);
  }
  lane_plan plan;
  assert_ok(lane_plan_create_grained(100000, 256, 4, SEED, 100, &plan));
  assert_int_equal(plan.block_rows, 300); /* 390 without chunks */
  assert_int_equal(stream_window_rows(&plan, 0, 100), 25000);
  assert_int_equal(stream_window_rows(&plan, 0, 2500), 3300); /* 3355, cut to whole blocks */
  assert_int_equal(stream_window_rows(&plan, 777, 10000), 777);
  assert_int_equal(stream_window_rows(&plan, 7, 10000), 64); /* a microbatch */
  lane_plan_free(&plan);
  assert_ok(lane_plan_create_grained(100000, 256, 4, SEED, 1000, &plan));
  assert_int_equal(plan.block_rows, 1000); /* one chunk: 25 blocks a lane */
  lane_plan_free(&plan);
  assert_ok(lane_plan_create_grained(100000, 256, 4, SEED, 5000, &plan));
  assert_int_equal(plan.block_rows, 390); /* 5 blocks a lane would not mix */
  lane_plan_free(&plan);
}

/* ---- Reading ---------------------------------------------------------------------------------------------- */

/* Row r holds r, r / 3 and 1; its value is 3 r, its class r % 7, its weight 1 + r % 5. */
static const char *make_file(uint64_t rows, bool values) {
  const char *const path = in_folder("stream.h5");
  h5_file *file = NULL;
  float *const x = calloc(rows * FEATURES, sizeof *x), *const y = calloc(rows, sizeof *y);
  float *const weight = calloc(rows, sizeof *weight);
  int32_t *const classes = calloc(rows, sizeof *classes);
  for (uint64_t r = 0; r < rows; r++) {
    x[r * FEATURES] = (float)r;
    x[r * FEATURES + 1] = (float)r / 3;
    x[r * FEATURES + 2] = 1;
    y[r] = 3 * (float)r;
    classes[r] = (int32_t)(r % 7);
    weight[r] = 1 + (float)(r % 5);
  }
  assert_ok(h5_create(path, &file));
  assert_ok(h5_write(file, "/train/x", rows, FEATURES, ELEMENT_F32, x));
  assert_ok(values ? h5_write(file, "/train/y", rows, 0, ELEMENT_F32, y)
                   : h5_write(file, "/train/y", rows, 0, ELEMENT_I32, classes));
  assert_ok(h5_write(file, "/train/weight", rows, 0, ELEMENT_F32, weight));
  assert_ok(h5_close(file));
  free(x);
  free(y);
  free(weight);
  free(classes);
  return path;
}

static part open_file(const char *path) {
  part opened;
  bool present = false;
  assert_ok(part_open(NULL, &(mlpd_data_paths){.file = path}, MLPD_TRAIN, true, &opened, &present));
  assert_true(present);
  return opened;
}

/* Values as they are. */
static const affine *identity(void) {
  static affine made;
  if (made.columns == 0 && affine_create(1, &made) != MLPD_OK) abort();
  return &made;
}

static stream_parts parts_of(part *from, const plans *made, bool values, uint32_t begin, uint32_t end) {
  return (stream_parts){.from = from,
                        .plan = &made->plan,
                        .split = made->used_split ? &made->split : NULL,
                        .lane_begin = begin,
                        .lane_end = end,
                        .window_rows = made->window,
                        .seed = SEED,
                        .epochs = EPOCHS,
                        .as_classes = !values,
                        .num_classes = 7,
                        .target = values ? identity() : NULL};
}

/* Lanes [begin, end) from a step of an epoch on give the rows of the order. */
static void follow(part *from, const plans *made, bool values, uint32_t begin, uint32_t end, uint64_t first_epoch,
                   uint64_t first_step) {
  stream *s = NULL;
  const stream_parts parts = parts_of(from, made, values, begin, end);
  uint64_t *const sequence = calloc(made->plan.rows, sizeof *sequence);
  assert_ok(stream_create(&parts, &s));
  for (uint64_t epoch = first_epoch; epoch < EPOCHS; epoch++) {
    for (uint32_t lane = begin; lane < end; lane++)
      list_lane(made, lane, epoch, sequence + made->plan.lane_begin[lane]);
    for (uint64_t step = epoch == first_epoch ? first_step : 0; step < made->plan.steps_per_epoch; step++) {
      assert_ok(stream_take(s, epoch, step));
      for (uint32_t lane = begin; lane < end; lane++) {
        uint64_t at = 0, left = 0, count = 0;
        lane_microbatch(&made->plan, lane, step, &at, &left);
        for (; left > 0; at += count, left -= count) {
          const shard *rows = NULL;
          count = left;
          const uint32_t *const order = stream_rows(s, lane, at, &count, &rows);
          assert_true(count > 0 && count <= left);
          for (uint64_t i = 0; i < count; i++) {
            const uint64_t row = sequence[made->plan.lane_begin[lane] + at + i], place = order[i];
            assert_true(((const float *)rows->x)[place * FEATURES] == (float)row);
            assert_true(((const float *)rows->x)[place * FEATURES + 1] == (float)row / 3);
            assert_true(rows->weights[place] == 1 + (float)(row % 5));
            if (values)
              assert_true(rows->values[place] == 3 * (float)row);
            else
              assert_int_equal(rows->classes[place], row % 7);
          }
        }
      }
    }
  }
  stream_free(s);
  free(sequence);
}

static void test_reading(void **state) {
  (void)state;
  for (int i = 0; i < NUM_SETTINGS; i++) {
    plans made = make_plans(&settings[i]);
    const bool values = i % 2 == 1;
    part from = open_file(make_file(settings[i].rows, values));
    const uint32_t lanes = made.plan.num_lanes, middle = (lanes + 1) / 2;
    follow(&from, &made, values, 0, lanes, 0, 0);                              /* one rank */
    if (middle < lanes) follow(&from, &made, values, middle, lanes, 0, 0);     /* the last of two */
    follow(&from, &made, values, 0, middle, 1, made.plan.steps_per_epoch / 2); /* resumed */
    follow(&from, &made, values, 0, middle, 1, made.plan.steps_per_epoch - 1);
    for (uint32_t lane = 0; lanes > 2 && settings[i].rows <= 50 && lane < lanes; lane++)
      follow(&from, &made, values, lane, lane + 1, 0, 0); /* a rank with nothing but a lane without rows, too */
    part_close(&from);
    free_plans(&made);
  }
}

/* A stream that waits for itself would wait for ever: the alarm ends the test instead. */
static int begin_reading(void **state) {
  (void)state;
  (void)alarm(60);
  return 0;
}

static int end_reading(void **state) {
  (void)state;
  (void)alarm(0);
  return 0;
}

/* A stream may be given up at any time. */
static void test_given_up(void **state) {
  (void)state;
  plans made = make_plans(&settings[4]);
  part from = open_file(make_file(settings[4].rows, false));
  const stream_parts parts = parts_of(&from, &made, false, 0, made.plan.num_lanes);
  for (uint64_t steps = 0; steps < 8; steps++) {
    stream *s = NULL;
    assert_ok(stream_create(&parts, &s));
    for (uint64_t step = 0; step < steps; step++) assert_ok(stream_take(s, 0, step));
    stream_free(s);
  }
  part_close(&from);
  free_plans(&made);
}

static void test_failures(void **state) {
  (void)state;
  plans made = make_plans(&settings[7]);
  const char *const path = make_file(settings[7].rows, false);
  part from = open_file(path);
  stream *s = NULL;
  stream_parts parts = parts_of(&from, &made, false, 0, made.plan.num_lanes);
  parts.num_classes = 6; /* the file holds 7 */
  assert_ok(stream_create(&parts, &s));
  assert_int_equal(stream_take(s, 0, 0), MLPD_ERROR_DATA);
  assert_non_null(strstr(mlpd_error_message(), "/train/y holds class 6 at row"));
  stream_free(s);
  parts.num_classes = 7;
  assert_ok(stream_create(&parts, &s));
  assert_ok(stream_take(s, 0, 0));
  assert_int_equal(truncate(path, 100000), 0);
  mlpd_status status = MLPD_OK;
  for (uint64_t step = 1; step < made.plan.steps_per_epoch && status == MLPD_OK; step++)
    status = stream_take(s, 0, step);
  assert_int_equal(status, MLPD_ERROR_FILE);
  assert_non_null(strstr(mlpd_error_message(), "stream.h5: became shorter while rows"));
  assert_int_equal(stream_take(s, 0, made.plan.steps_per_epoch - 1), MLPD_ERROR_FILE); /* and stays so */
  stream_free(s);
  part_close(&from);
  free_plans(&made);
}

/* ---- Statistics ------------------------------------------------------------------------------------------- */

static void test_scan(void **state) {
  (void)state;
  for (int i = 0; i < NUM_SETTINGS; i++) {
    plans made = make_plans(&settings[i]);
    part from = open_file(make_file(settings[i].rows, true));
    const uint32_t lanes = made.plan.num_lanes;
    row_scan scan, again;
    row_scan_wishes wishes = {.plan = &made.plan,
                              .split = made.used_split ? &made.split : NULL,
                              .lane_end = lanes,
                              .x_deviations = true,
                              .y_deviations = true,
                              .threads = 3};
    assert_ok(row_scan_run(&from, &wishes, &scan));
    wishes.lane_begin = lanes / 2;
    wishes.threads = 1;
    assert_ok(row_scan_run(&from, &wishes, &again));
    column_statistics x, y;
    assert_ok(column_statistics_create(FEATURES, &x));
    assert_ok(column_statistics_create(1, &y));
    for (uint32_t u = 0; u < lanes; u++) {
      row_run *runs = NULL;
      uint64_t num_runs = 0;
      shard rows;
      const uint64_t begin = made.plan.lane_begin[u], n = made.plan.lane_begin[u + 1] - begin;
      assert_ok(lane_plan_runs(&made.plan, begin, begin + n, &runs, &num_runs));
      if (made.used_split) assert_ok(lane_runs_compose(&made.split, &runs, &num_runs));
      assert_ok(shard_read(&from, runs, num_runs, begin, n, false, 0, NULL, &rows));
      column_statistics_of(ELEMENT_F32, rows.x, FEATURES, 0, 0, n, &x);
      column_statistics_of(rows.raw_type, rows.raw, 1, 0, 0, n, &y);
      double *const record = scan.x + u * (1 + 4 * FEATURES);
      assert_true(record[0] == (double)n);
      assert_memory_equal(record + 1, x.mean, sizeof(double) * FEATURES);
      assert_memory_equal(record + 1 + FEATURES, x.m2, sizeof(double) * FEATURES);
      assert_memory_equal(record + 1 + 2 * FEATURES, x.minimum, sizeof(double) * FEATURES);
      assert_memory_equal(record + 1 + 3 * FEATURES, x.maximum, sizeof(double) * FEATURES);
      assert_memory_equal(scan.y + u * 5 + 1, y.mean, sizeof(double));
      assert_memory_equal(scan.y + u * 5 + 2, y.m2, sizeof(double));
      if (u >= lanes / 2) {
        assert_int_equal(scan.hashes[u], again.hashes[u - lanes / 2]);
        assert_memory_equal(record, again.x + (u - lanes / 2) * (1 + 4 * FEATURES),
                            sizeof *record * (1 + 4 * FEATURES));
      }
      free(runs);
      shard_free(&rows);
    }
    column_statistics_free(&x);
    column_statistics_free(&y);
    row_scan_free(&scan);
    row_scan_free(&again);
    part_close(&from);
    free_plans(&made);
  }
}

static void test_scan_refuses(void **state) {
  (void)state;
  plans made = make_plans(&settings[6]);
  part from = open_file(make_file(settings[6].rows, false));
  row_scan scan;
  row_scan_wishes wishes = {
      .plan = &made.plan, .lane_end = made.plan.num_lanes, .as_classes = true, .num_classes = 6, .threads = 2};
  assert_int_equal(row_scan_run(&from, &wishes, &scan), MLPD_ERROR_DATA);
  assert_non_null(strstr(mlpd_error_message(), "/train/y holds class 6 at row"));
  row_scan_free(&scan);
  wishes.num_classes = 0;
  assert_ok(row_scan_run(&from, &wishes, &scan));
  assert_int_equal(scan.classes.largest, 6);
  assert_null(scan.y);
  row_scan_free(&scan);
  part_close(&from);
  free_plans(&made);
}

/* ---- Memory ----------------------------------------------------------------------------------------------- */

/* Bytes allocated; a sanitizer keeps them elsewhere. */
static bool allocated(size_t *bytes) {
#if defined(UNDER_SANITIZER) || !__GLIBC_PREREQ(2, 33)
  *bytes = 0;
  return false;
#else
  const struct mallinfo2 found = mallinfo2();
  *bytes = found.uordblks + found.hblkhd;
  return true;
#endif
}

/* Bytes of an array in a block. */
static uint64_t in_block(uint64_t count, size_t size) { return (count * size + 63) / 64 * 64; }

/* What a stream is estimated to take is what it takes, but for its handle and the order of the blocks. */
static void check_stream_size(part *from, const plans *made, bool values) {
  enum { HANDLE_BYTES = 2 << 10, BLOCKS = 4096 };
  const stream_parts parts = parts_of(from, made, values, 0, made->plan.num_lanes);
  const uint64_t expected = stream_size(&parts);
  uint64_t windows = 0;
  for (uint32_t u = 0; u < made->plan.num_lanes; u++) {
    const uint64_t lane_rows = made->plan.lane_begin[u + 1] - made->plan.lane_begin[u];
    const uint64_t rows = lane_rows < made->window ? lane_rows : made->window;
    windows += 3 * (in_block(rows, FEATURES * sizeof(float)) + 3 * in_block(rows, sizeof(float)));
  }
  assert_true(expected > windows && expected < windows + 2048 * (uint64_t)made->plan.num_lanes);
  stream *s = NULL;
  size_t before = 0, after = 0;
  (void)allocated(&before);
  assert_ok(stream_create(&parts, &s));
  if (allocated(&after))
    assert_in_range(after - before, expected, expected + HANDLE_BYTES + BLOCKS * made->plan.num_lanes);
  stream_free(s);
}

static void check_scan_size(part *from, const plans *made, bool values) {
  row_scan_wishes wishes = {.plan = &made->plan, .lane_end = made->plan.num_lanes, .as_classes = !values, .threads = 1};
  const uint64_t one = row_scan_size(from, &wishes);
  wishes.threads = 3;
  const uint64_t thread = (row_scan_size(from, &wishes) - one) / 2, lanes = made->plan.num_lanes;
  uint64_t rows = 0; /* of the largest lane: less than a piece */
  for (uint32_t u = 0; u < lanes; u++)
    if (made->plan.lane_begin[u + 1] - made->plan.lane_begin[u] > rows)
      rows = made->plan.lane_begin[u + 1] - made->plan.lane_begin[u];
  const uint64_t deviations = in_block(FEATURES, sizeof(double)) + (values ? in_block(1, sizeof(double)) : 0);
  assert_int_equal(thread, in_block(rows, FEATURES * sizeof(float)) + 2 * in_block(rows, sizeof(float)) + deviations);
  wishes.threads = 1;
  wishes.num_classes = 7;
  wishes.split = made->used_split ? &made->split : NULL;
  /* Some of what is freed on the way (what is read into, HDF5's own) stays with a thread and counts as allocated, now
   * more, now less. So the scan is repeated, and its results kept: one time is without the rest. */
  enum { TIMES = 9 };
  row_scan scans[TIMES];
  size_t least = SIZE_MAX, most = 0;
  bool counted = false;
  for (int i = 0; i < TIMES; i++) {
    size_t before = 0, after = 0;
    (void)allocated(&before);
    assert_ok(row_scan_run(from, &wishes, &scans[i]));
    counted = allocated(&after);
    if (after - before < least) least = after - before;
    if (after - before > most) most = after - before;
  }
  if (counted) {
    assert_in_range(least, 0, one - thread + 1024);
    assert_in_range(most, one - thread, SIZE_MAX);
  }
  assert_int_equal(one - thread, in_block(lanes * (1 + 4 * FEATURES), sizeof(double)) +
                                     (values ? in_block(lanes * 5, sizeof(double)) : 0) +
                                     in_block(lanes, sizeof(uint64_t)));
  for (int i = 0; i < TIMES; i++) row_scan_free(&scans[i]);
}

static void test_sizes(void **state) {
  (void)state;
  const int some[] = {3, 8, 9, 10};
  for (int i = 0; i < 8; i++) {
    const setting *const given = &settings[some[i / 2]];
    const bool values = i % 2 == 1;
    plans made = make_plans(given);
    part from = open_file(make_file(given->rows, values));
    check_stream_size(&from, &made, values);
    check_scan_size(&from, &made, values);
    part_close(&from);
    free_plans(&made);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_each_row_once),
      cmocka_unit_test(test_windows),
      cmocka_unit_test_setup_teardown(test_reading, begin_reading, end_reading),
      cmocka_unit_test(test_given_up),
      cmocka_unit_test(test_failures),
      cmocka_unit_test(test_scan),
      cmocka_unit_test(test_scan_refuses),
      cmocka_unit_test(test_sizes),
      cmocka_unit_test(test_keys),
  };
  return cmocka_run_group_tests_name("stream", tests, setup, teardown);
}
