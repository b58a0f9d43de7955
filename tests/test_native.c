/* The native back end: each element is, bit for bit, the chain of fused multiply-adds that its header promises, on each
 * instruction set of this machine, at any size and position. */
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/memory.h"
#include "base/rng.h"

/* A copy whose kernels this test can choose. */
#define backend_native tested_native
#include "kernels/backend_native.c"
#undef backend_native

enum { PAD = 5, MAX_SETS = 2 };

static const native_kernels *sets[MAX_SETS];
static int num_sets;

static int find_sets(void **state) {
  (void)state;
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f")) sets[num_sets++] = &native_avx512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) sets[num_sets++] = &native_avx2;
#endif
  return 0;
}

static float *random_array(size_t count, uint32_t which) {
  float *array = NULL;
  assert_int_equal(memory_allocate(&array, count, sizeof *array, "test"), MLPD_OK);
  rng stream = rng_start(7, RNG_INIT_WEIGHTS, which, 0);
  for (size_t i = 0; i < count; i++) array[i] = (float)(2 * rng_uniform(&stream) - 1);
  return array;
}

/* The contract's chain. */
static float chain(int depth, const float *a, ptrdiff_t a_step, const float *b, ptrdiff_t b_step) {
  float sum = 0;
  for (int k = 0; k < depth; k++) sum = fmaf(a[k * a_step], b[k * b_step], sum);
  return sum;
}

static void check_product(bool transpose_a, bool transpose_b, int m, int n, int k) {
  const int lda = (transpose_a ? m : k) + PAD, ldb = (transpose_b ? k : n) + PAD, ldc = n + PAD;
  float *const a = random_array((size_t)lda * (size_t)(transpose_a ? k : m), 0);
  float *const b = random_array((size_t)ldb * (size_t)(transpose_b ? n : k), 1);
  float *const c = random_array((size_t)ldc * (size_t)m, 2), *const before = random_array((size_t)ldc * (size_t)m, 2);
  native_sgemm(transpose_a, transpose_b, m, n, k, a, lda, b, ldb, c, ldc);
  for (int i = 0; i < m; i++)
    for (int j = 0; j < ldc; j++) {
      const float *const row = transpose_a ? a + i : a + i * lda, *const column = transpose_b ? b + j * ldb : b + j;
      const float expected =
          j < n ? chain(k, row, transpose_a ? lda : 1, column, transpose_b ? 1 : ldb) : before[i * ldc + j];
      if (memcmp(&c[i * ldc + j], &expected, sizeof expected) != 0)
        fail_msg("(%d, %d, %d) transposed %d %d: C[%d, %d] is %a, not %a", m, n, k, transpose_a, transpose_b, i, j,
                 (double)c[i * ldc + j], (double)expected);
    }
  free(a);
  free(b);
  free(c);
  free(before);
}

static void test_products(void **state) {
  (void)state;
  if (num_sets == 0) skip();
  static const int shapes[][3] = {
      {1, 1, 1},      {1, 16, 3},    {7, 17, 5},    {14, 32, 64},  {15, 33, 65}, {64, 10, 30},
      {13, 31, 2},    {29, 47, 19},  {113, 129, 9}, {3, 40, 2500}, {33, 3, 257}, {17, 225, 1100},
      {70, 15, 4100}, {300, 20, 70}, {150, 33, 900}}; /* the last two: rows enough to transpose B */
  for (int set = 0; set < num_sets; set++) {
    kernels = sets[set];
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
      for (int transposed = 0; transposed < 4; transposed++)
        check_product((transposed & 1) != 0, (transposed & 2) != 0, shapes[s][0], shapes[s][1], shapes[s][2]);
  }
}

/* Tiles of each height and width: whole, with an edge, and narrow. */
static void test_tiles(void **state) {
  (void)state;
  if (num_sets == 0) skip();
  static const int widths[] = {1, 3, 8, 9, 16, 19, 32};
  for (int set = 0; set < num_sets; set++) {
    kernels = sets[set];
    for (int m = 1; m <= 30; m++)
      for (size_t w = 0; w < sizeof widths / sizeof *widths; w++)
        for (int transposed = 0; transposed < 2; transposed++) check_product(transposed == 1, false, m, widths[w], 3);
  }
}

/* ---- Sums over lanes ---------------------------------------------------------------------------- */

enum { M = 130, N = 45, WIDE = GROUP_COLUMNS + 21, MOST_LANES = 21 };

typedef struct lanes_of_test {
  int n; /* columns */
  uint64_t rows[MOST_LANES];
  float *a[MOST_LANES], *delta[MOST_LANES];
} lanes_of_test;

/* The canonical tree, written down as reduce.h states it: n lanes split at the largest power of two below n. */
static float tree(const lanes_of_test *lanes, uint32_t begin, uint32_t end, int i, int j) {
  if (end - begin == 1)
    return chain((int)lanes->rows[begin], lanes->a[begin] + i, M + PAD, lanes->delta[begin] + j, lanes->n);
  uint32_t power = 1;
  while (2 * power < end - begin) power *= 2;
  return tree(lanes, begin, begin + power, i, j) + tree(lanes, begin + power, end, i, j);
}

/* n columns; lanes of 0 rows and of 1 to most_rows. */
static void check_lanes(int n, uint32_t num_lanes, uint32_t most_rows) {
  lanes_of_test made = {.n = n};
  for (uint32_t u = 0; u < num_lanes; u++) {
    made.rows[u] = u % 5 == 3 ? 0 : u % 5 == 0 ? most_rows : 1 + (u * 7) % most_rows;
    made.a[u] = random_array((M + PAD) * most_rows, 10 + u);
    made.delta[u] = random_array((uint32_t)n * most_rows, 100 + u);
  }
  const lane_products lanes = {.num_lanes = num_lanes,
                               .rows = made.rows,
                               .a = (const float *const *)made.a,
                               .delta = (const float *const *)made.delta,
                               .lda = M + PAD,
                               .ldd = n};
  const size_t floats = M * (size_t)(n + PAD);
  float *const c = random_array(floats, 2), *const before = random_array(floats, 2);
  sum_gradients(M, n, &lanes, c, n + PAD);
  for (int i = 0; i < M; i++)
    for (int j = 0; j < n + PAD; j++) {
      const float expected = j < n ? tree(&made, 0, num_lanes, i, j) : before[i * (n + PAD) + j];
      if (memcmp(&c[i * (n + PAD) + j], &expected, sizeof expected) != 0)
        fail_msg("%u lanes: C[%d, %d] is %a, not %a", num_lanes, i, j, (double)c[i * (n + PAD) + j], (double)expected);
    }
  for (uint32_t u = 0; u < num_lanes; u++) {
    free(made.a[u]);
    free(made.delta[u]);
  }
  free(c);
  free(before);
}

static void test_lanes(void **state) {
  (void)state;
  if (num_sets == 0) skip();
  for (int set = 0; set < num_sets; set++) {
    kernels = sets[set];
    for (uint32_t num_lanes = 1; num_lanes <= MOST_LANES; num_lanes++) check_lanes(N, num_lanes, 9);
  }
}

/* Lanes of more rows than tiles pass at once. */
static void test_deep_lanes(void **state) {
  (void)state;
  if (num_sets == 0) skip();
  for (int set = 0; set < num_sets; set++) {
    kernels = sets[set];
    for (uint32_t num_lanes = 1; num_lanes <= 8; num_lanes++)
      for (uint32_t whole = 0; whole < 2; whole++) check_lanes(whole == 0 ? N : WIDE, num_lanes, 2 * LANE_ROWS + whole);
  }
}

/* Lanes that all have the same rows. */
typedef struct equal_lanes {
  uint32_t count;
  int rows;
} equal_lanes;

/* A power of two of them: the sum is exact. */
static void *sum_equal_lanes(void *wanted) {
  const equal_lanes *const w = wanted;
  float *const a = random_array(M * (size_t)w->rows, 0), *const delta = random_array(WIDE * (size_t)w->rows, 1), *c;
  const float **all_a = NULL, **all_delta = NULL;
  uint64_t *rows = NULL;
  assert_int_equal(memory_allocate(&all_a, w->count, sizeof *all_a, "test"), MLPD_OK);
  assert_int_equal(memory_allocate(&all_delta, w->count, sizeof *all_delta, "test"), MLPD_OK);
  assert_int_equal(memory_allocate(&rows, w->count, sizeof *rows, "test"), MLPD_OK);
  for (uint32_t u = 0; u < w->count; u++) {
    all_a[u] = a;
    all_delta[u] = delta;
    rows[u] = (uint64_t)w->rows;
  }
  const lane_products lanes = {
      .num_lanes = w->count, .rows = rows, .a = all_a, .delta = all_delta, .lda = M, .ldd = WIDE};
  c = random_array(M * WIDE, 2);
  sum_gradients(M, WIDE, &lanes, c, WIDE);
  bool right = true;
  for (int i = 0; i < M; i++)
    for (int j = 0; j < WIDE; j++)
      right = right && c[i * WIDE + j] == (float)w->count * chain(w->rows, a + i, M, delta + j, WIDE);
  free(a);
  free(delta);
  free(c);
  free(all_a);
  free(all_delta);
  free(rows);
  return right ? wanted : NULL;
}

/* Many lanes need no more of the stack: OMP_STACKSIZE=512K, or threads of a caller, is enough for each number. */
static void test_many_lanes(void **state) {
  (void)state;
  enum { STACK = 512 << 10 };
  equal_lanes cases[] = {{1 << 12, 1}, {GROUP_LANES, LANE_ROWS + 1}, {2 * GROUP_LANES, LANE_ROWS + 1}};
  pthread_attr_t small;
  if (num_sets == 0) skip();
  kernels = sets[0];
  assert_int_equal(pthread_attr_init(&small), 0);
  assert_int_equal(pthread_attr_setstacksize(&small, STACK), 0);
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    pthread_t thread;
    void *right = NULL;
    assert_int_equal(pthread_create(&thread, &small, sum_equal_lanes, &cases[i]), 0);
    assert_int_equal(pthread_join(thread, &right), 0);
    assert_non_null(right);
  }
  (void)pthread_attr_destroy(&small);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_products), cmocka_unit_test(test_tiles),
                                     cmocka_unit_test(test_lanes), cmocka_unit_test(test_deep_lanes),
                                     cmocka_unit_test(test_many_lanes)};
  return cmocka_run_group_tests_name("native", tests, find_sets, NULL);
}
