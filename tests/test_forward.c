/* mpi: 1 2 3 4 7 */
/* Passes over a split: every row once, and sums that depend on neither threads nor ranks. */
#include "training/forward.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "distribution/comm.h"

#include <cmocka.h>

enum { FEATURES = 5, OUTPUTS = 3 };

static mlpd_comm *comm;

/* Fails on all ranks where it fails on one: nobody is left behind in a collective. */
static void assert_on_all(bool good, const char *what) {
  uint64_t failures = good ? 0 : 1;
  if (!good) print_error("rank %d: %s (%s)\n", mlpd_comm_rank(comm), what, mlpd_error_message());
  if (comm_sum_u64(comm, &failures, 1) != MLPD_OK) mlpd_comm_abort(comm, 1);
  assert_int_equal(failures, 0);
}

static const uint64_t row_counts[] = {1, 255, 256, 257, 512, 1000, 2049, 5000};
enum { NUM_COUNTS = sizeof row_counts / sizeof *row_counts };

static void test_ranges(void **state) {
  (void)state;
  for (int i = 0; i < NUM_COUNTS; i++)
    for (int size = 1; size <= 40; size += size < 8 ? 1 : 16) {
      const uint64_t rows = row_counts[i], blocks = (rows + FORWARD_BLOCK_ROWS - 1) / FORWARD_BLOCK_ROWS;
      uint64_t next_row = 0, next_block = 0, least = UINT64_MAX, most = 0;
      for (int rank = 0; rank < size; rank++) {
        const forward_range range = forward_range_of_rank(rows, size, rank);
        assert_int_equal(range.rows, rows);
        assert_int_equal(range.block_begin, next_block);
        assert_int_equal(range.row_begin, next_row);
        assert_true(range.row_end >= range.row_begin && range.block_end >= range.block_begin);
        const uint64_t own = range.block_end - range.block_begin;
        assert_int_equal(own, (range.row_end - range.row_begin + FORWARD_BLOCK_ROWS - 1) / FORWARD_BLOCK_ROWS);
        least = own < least ? own : least;
        most = own > most ? own : most;
        next_block = range.block_end;
        next_row = range.row_end;
      }
      assert_int_equal(next_row, rows);
      assert_int_equal(next_block, blocks);
      assert_true(most - least <= 1);
    }
  const uint64_t huge = (uint64_t)1 << 42;
  assert_int_equal(forward_range_of_rank(huge, 1000, 999).row_end, huge);
  assert_int_equal(forward_range_of_rank(huge, 1000, 500).row_begin, huge / 2);
}

static void test_predicted_class(void **state) {
  (void)state;
  assert_int_equal(forward_predicted_class((const float[]){0.1f, 0.5f, 0.4f}, 3), 1);
  assert_int_equal(forward_predicted_class((const float[]){0.4f, 0.2f, 0.4f}, 3), 0);
  assert_int_equal(forward_predicted_class((const float[]){-3, -2, -1}, 3), 2);
  assert_int_equal(forward_predicted_class((const float[]){0.5f}, 1), 0);
  assert_int_equal(forward_predicted_class((const float[]){0.51f}, 1), 1);
}

/* ---- Rows of a rank --------------------------------------------------------------------------------- */

static float value_at(uint64_t row, uint64_t column) {
  uint64_t x = row * 31 + column + 1;
  x *= 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 29)) * 0xbf58476d1ce4e5b9u;
  return (float)((double)(x >> 40) * 0x1p-23 - 1);
}

static int32_t class_at(uint64_t row) { return (int32_t)(row * row % OUTPUTS); }

static shard make_shard(const forward_range *range, bool classes) {
  shard made = {.rows = range->row_end - range->row_begin, .features = FEATURES, .type = ELEMENT_F32};
  float *const x = calloc(made.rows * FEATURES + 1, sizeof *x);
  made.x = x;
  if (classes)
    made.classes = calloc(made.rows + 1, sizeof(int32_t));
  else
    made.values = calloc((made.rows + 1) * OUTPUTS, sizeof(float));
  made.outputs = classes ? 0 : OUTPUTS;
  for (uint64_t i = 0; i < made.rows; i++) {
    for (uint64_t j = 0; j < FEATURES; j++) x[i * FEATURES + j] = value_at(range->row_begin + i, j);
    if (classes) made.classes[i] = class_at(range->row_begin + i);
    for (uint64_t k = 0; !classes && k < OUTPUTS; k++)
      made.values[i * OUTPUTS + k] = value_at(range->row_begin + i, 100 + k);
  }
  return made;
}

static mlpd_network *make_network(bool classes) {
  const uint32_t widths[] = {FEATURES, 20, OUTPUTS};
  const mlpd_activation activations[] = {MLPD_GELU, classes ? MLPD_SOFTMAX : MLPD_IDENTITY};
  mlpd_network *made = NULL;
  if (mlpd_network_create(2, widths, activations, &made) != MLPD_OK) abort();
  mlpd_network_init(made, MLPD_INIT_AUTO, 3);
  return made;
}

static affine make_input(void) {
  affine made = {0};
  if (affine_create(FEATURES, &made) != MLPD_OK) abort();
  for (int j = 0; j < FEATURES; j++) {
    made.shift[j] = 0.1f * (float)j;
    made.scale[j] = 1 + (float)j;
  }
  return made;
}

/* ---- Every row once --------------------------------------------------------------------------------- */

typedef struct seen {
  uint64_t row_begin;
  uint64_t *visits; /* (rows of the range) */
  uint64_t *blocks; /* (blocks of the range) visits */
  uint64_t first_block;
  uint64_t wrong;
} seen;

static void visit_seen(void *context, uint64_t block, uint64_t first, uint64_t n, const workspace *space,
                       const targets *y) {
  seen *const s = context;
  uint64_t wrong = first + s->row_begin != block * FORWARD_BLOCK_ROWS;
  for (uint64_t i = 0; i < n; i++) {
#pragma omp atomic
    s->visits[first + i]++;
    wrong += y->classes[i] != class_at(s->row_begin + first + i);
    for (uint64_t j = 0; j < FEATURES; j++) {
      const float shift = 0.1f * (float)j;
      wrong += space->x[i * FEATURES + j] != (value_at(s->row_begin + first + i, j) - shift) * (float)(1 + j);
    }
  }
#pragma omp atomic
  s->blocks[block - s->first_block]++;
#pragma omp atomic
  s->wrong += wrong;
}

static void test_rows_once(void **state) {
  (void)state;
  mlpd_network *const network = make_network(true);
  affine input = make_input();
  const backend *gemm = NULL;
  assert_on_all(backend_choose("plain", &gemm) == MLPD_OK, "back end");
  for (int i = 0; i < NUM_COUNTS; i++)
    for (int threads = 1; threads <= 3; threads++) {
      const forward_range range = forward_range_of_rank(row_counts[i], mlpd_comm_size(comm), mlpd_comm_rank(comm));
      shard rows = make_shard(&range, true);
      seen s = {.row_begin = range.row_begin, .first_block = range.block_begin};
      s.visits = calloc(rows.rows + 1, sizeof *s.visits);
      s.blocks = calloc(range.block_end - range.block_begin + 1, sizeof *s.blocks);
      assert_on_all(forward_blocks(network, gemm, &input, &rows, &range, threads, visit_seen, &s) == MLPD_OK, "blocks");
      bool once = true;
      for (uint64_t r = 0; r < rows.rows; r++) once = once && s.visits[r] == 1;
      for (uint64_t b = 0; b < range.block_end - range.block_begin; b++) once = once && s.blocks[b] == 1;
      assert_on_all(once && s.wrong == 0, "each row and block once, with its own x and y");
      free(s.visits);
      free(s.blocks);
      shard_free(&rows);
    }
  affine_free(&input);
  mlpd_network_free(network);
}

/* ---- Sums ------------------------------------------------------------------------------------------- */

/* Blocks one after the other on this rank alone, their sums added in order. */
static loss_sums serial_losses(const mlpd_network *network, const backend *gemm, const affine *input, uint64_t rows,
                               bool classes, mlpd_loss loss) {
  const forward_range all = forward_range_of_rank(rows, 1, 0);
  shard data = make_shard(&all, classes);
  loss_sums total = {0};
  workspace space;
  if (workspace_create(network, FORWARD_BLOCK_ROWS, true, &space) != MLPD_OK) abort();
  for (uint64_t first = 0; first < rows; first += FORWARD_BLOCK_ROWS) {
    const uint64_t n = rows - first < FORWARD_BLOCK_ROWS ? rows - first : FORWARD_BLOCK_ROWS;
    for (uint64_t i = 0; i < n * FEATURES; i++)
      space.x[i] =
          (((const float *)data.x)[first * FEATURES + i] - input->shift[i % FEATURES]) * input->scale[i % FEATURES];
    network_forward(network, gemm, n, &space);
    const targets y = {.classes = classes ? data.classes + first : NULL,
                       .values = classes ? NULL : data.values + first * OUTPUTS};
    loss_sums sums = {0};
    loss_compute(loss, network->layers[1].activation, n, OUTPUTS, space.z[1], space.a[1], &y, NULL, &sums);
    total.loss += sums.loss;
    total.weight += sums.weight;
    total.correct += sums.correct;
    total.square += sums.square;
  }
  workspace_free(&space);
  shard_free(&data);
  return total;
}

static void check_losses(bool classes, const char *backend_name) {
  const mlpd_loss loss = classes ? MLPD_CROSS_ENTROPY : MLPD_HUBER;
  mlpd_network *const network = make_network(classes);
  affine input = make_input();
  const backend *gemm = NULL;
  assert_on_all(backend_choose(backend_name, &gemm) == MLPD_OK, "back end");
  for (int i = 0; i < NUM_COUNTS; i++) {
    const forward_range range = forward_range_of_rank(row_counts[i], mlpd_comm_size(comm), mlpd_comm_rank(comm));
    shard rows = make_shard(&range, classes);
    const loss_sums expected = serial_losses(network, gemm, &input, row_counts[i], classes, loss);
    assert_on_all(expected.weight == (double)row_counts[i] && isfinite(expected.loss) && expected.loss > 0,
                  "reference");
    for (int threads = 1; threads <= 4; threads++) {
      loss_sums sums;
      assert_on_all(forward_losses(comm, network, gemm, &input, &rows, NULL, &range, loss, threads, &sums) == MLPD_OK,
                    "call");
      assert_on_all(memcmp(&sums, &expected, sizeof sums) == 0, "the same bits as one rank and one thread");
    }
    shard_free(&rows);
  }
  affine_free(&input);
  mlpd_network_free(network);
}

static void test_losses(void **state) {
  (void)state;
  check_losses(true, "plain");
  check_losses(false, "plain");
  check_losses(true, NULL);
}

static void test_sum_blocks(void **state) {
  (void)state;
  for (int i = 0; i < NUM_COUNTS; i++) {
    const forward_range range = forward_range_of_rank(row_counts[i], mlpd_comm_size(comm), mlpd_comm_rank(comm));
    const uint64_t blocks = (row_counts[i] + FORWARD_BLOCK_ROWS - 1) / FORWARD_BLOCK_ROWS;
    const uint64_t own = range.block_end - range.block_begin;
    double *const local = calloc(2 * own + 1, sizeof *local);
    double sum[2] = {-1, -1}, expected[2] = {0};
    for (uint64_t b = 0; b < blocks; b++)
      for (int k = 0; k < 2; k++) {
        const double value = ldexp((double)value_at(b, (uint64_t)k), (int)(b * 7 % 60) - 30);
        expected[k] += value;
        if (b >= range.block_begin && b < range.block_end) local[2 * (b - range.block_begin) + (uint64_t)k] = value;
      }
    assert_on_all(forward_sum_blocks(comm, &range, local, 2, sum) == MLPD_OK, "forward_sum_blocks");
    assert_on_all(sum[0] == expected[0] && sum[1] == expected[1], "in block order");
    free(local);
  }
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_ranges), cmocka_unit_test(test_predicted_class), cmocka_unit_test(test_rows_once),
      cmocka_unit_test(test_losses), cmocka_unit_test(test_sum_blocks),
  };
  if (mlpd_comm_init(&argc, &argv, &comm) != MLPD_OK) {
    print_error("%s\n", mlpd_error_message());
    return 1;
  }
  const int failed = cmocka_run_group_tests_name("forward", tests, NULL, NULL);
  mlpd_comm_finalize(comm);
  return failed;
}
