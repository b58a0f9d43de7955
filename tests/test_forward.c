/* mpi: 1 2 3 4 7 */
/* Forward passes over a part: every row once, and sums that depend on neither threads nor ranks. */
#include "model/forward.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "model/block_sums.h"
#include "ranks/comm.h"

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
  affine_settle(&made);
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
      assert_on_all(forward_blocks(network, gemm, &input, &rows, &range, threads, visit_seen, &s, NULL) == MLPD_OK,
                    "blocks");
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

/* The sum of `count` values, a power of two, by halves; values lie `stride` apart. */
static double tree_sum(const double *values, uint64_t count, size_t stride) {
  if (count == 1) return values[0];
  return tree_sum(values, count / 2, stride) + tree_sum(values + count / 2 * stride, count / 2, stride);
}

/* The sum of any number: the largest power of two of them first, then of what is left. */
static double tree_total(const double *values, uint64_t count, size_t stride) {
  double total = 0;
  for (uint64_t bit = UINT64_C(1) << 40, at = 0; bit > 0; bit /= 2) {
    if ((count & bit) == 0) continue;
    total += tree_sum(values + at * stride, bit, stride);
    at += bit;
  }
  return total;
}

/* Blocks one after the other on this rank alone, their sums added in the tree's order. */
static loss_sums serial_losses(const mlpd_network *network, const backend *gemm, const affine *input, uint64_t rows,
                               bool classes, mlpd_loss loss) {
  const forward_range all = forward_range_of_rank(rows, 1, 0);
  shard data = make_shard(&all, classes);
  const uint64_t blocks = (rows + FORWARD_BLOCK_ROWS - 1) / FORWARD_BLOCK_ROWS;
  loss_sums *const of_block = calloc(blocks, sizeof *of_block);
  workspace space;
  if (of_block == NULL || workspace_create(network, FORWARD_BLOCK_ROWS, true, &space) != MLPD_OK) abort();
  for (uint64_t first = 0; first < rows; first += FORWARD_BLOCK_ROWS) {
    const uint64_t n = rows - first < FORWARD_BLOCK_ROWS ? rows - first : FORWARD_BLOCK_ROWS;
    for (uint64_t i = 0; i < n * FEATURES; i++)
      space.x[i] = (((const float *)data.x)[first * FEATURES + i] - input->narrow_shift[i % FEATURES]) *
                   input->narrow_scale[i % FEATURES];
    network_forward(network, gemm, n, &space);
    const targets y = {.classes = classes ? data.classes + first : NULL,
                       .values = classes ? NULL : data.values + first * OUTPUTS};
    const loss_spec spec = loss_plain(loss);
    loss_compute(&spec, network->layers[1].activation, n, OUTPUTS, space.z[1], space.a[1], &y, NULL,
                 &of_block[first / FORWARD_BLOCK_ROWS]);
  }
  const size_t stride = sizeof *of_block / sizeof(double);
  const loss_sums total = {.loss = tree_total(&of_block->loss, blocks, stride),
                           .weight = tree_total(&of_block->weight, blocks, stride),
                           .correct = tree_total(&of_block->correct, blocks, stride),
                           .square = tree_total(&of_block->square, blocks, stride)};
  free(of_block);
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
    const loss_spec spec = loss_plain(loss);
    for (int threads = 1; threads <= 4; threads++) {
      loss_sums sums;
      assert_on_all(
          forward_losses(comm, network, gemm, &input, &rows, NULL, &range, &spec, threads, NULL, &sums) == MLPD_OK,
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

static double value_of_block(uint64_t block, uint64_t k) {
  return ldexp((double)value_at(block, k), (int)(block * 7 % 60) - 30);
}

/* Sums of as many blocks as a large part has: the tree's, and no more records are kept than its largest subtrees. */
static void check_block_sums(uint64_t rows) {
  const forward_range range = forward_range_of_rank(rows, mlpd_comm_size(comm), mlpd_comm_rank(comm));
  const uint64_t blocks = (rows + FORWARD_BLOCK_ROWS - 1) / FORWARD_BLOCK_ROWS;
  double *const values = calloc(blocks, sizeof *values), sum[2] = {-1, -1};
  block_sums sums;
  uint32_t most = 0;
  assert_on_all(block_sums_create(range.block_begin, 2, &sums) == MLPD_OK, "create");
  for (uint64_t b = range.block_begin; b < range.block_end; b++) {
    block_sums_add(&sums, (const double[]){value_of_block(b, 0), value_of_block(b, 1)});
    if (sums.num_nodes > most) most = sums.num_nodes;
  }
  assert_on_all(most <= 2 * log2((double)blocks) + 1, "few records");
  assert_on_all(block_sums_total(comm, rows, &sums, sum) == MLPD_OK, "total");
  for (uint64_t k = 0; k < 2; k++) {
    for (uint64_t b = 0; b < blocks; b++) values[b] = value_of_block(b, k);
    const double expected = tree_total(values, blocks, 1);
    assert_on_all(memcmp(&sum[k], &expected, sizeof expected) == 0, "the tree's bits");
  }
  block_sums_free(&sums);
  free(values);
}

static void test_block_sums(void **state) {
  (void)state;
  for (int i = 0; i < NUM_COUNTS; i++) check_block_sums(row_counts[i]);
  for (uint64_t blocks = 1; blocks < 70; blocks++) check_block_sums(blocks * FORWARD_BLOCK_ROWS);
  check_block_sums(100003 * FORWARD_BLOCK_ROWS - 5);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_ranges), cmocka_unit_test(test_predicted_class), cmocka_unit_test(test_rows_once),
      cmocka_unit_test(test_losses), cmocka_unit_test(test_block_sums),
  };
  if (mlpd_comm_init(&argc, &argv, &comm) != MLPD_OK) {
    print_error("%s\n", mlpd_error_message());
    return 1;
  }
  const int failed = cmocka_run_group_tests_name("forward", tests, NULL, NULL);
  mlpd_comm_finalize(comm);
  return failed;
}
