#include "kernels/backend.h"

#include <float.h>
#include <math.h>
#include <omp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/memory.h"
#include "base/rng.h"

/* The plain loops once more, for the compiler's basic instruction set only. */
#undef MULTIVERSION
#define MULTIVERSION
#define backend_plain basic_plain
#define plain_sgemm basic_sgemm
#include "kernels/backend_plain.c"
#undef plain_sgemm
#undef backend_plain

enum { PAD = 3 }; /* leading dimensions are this much wider than the rows */

typedef struct problem {
  bool transpose_a, transpose_b;
  int m, n, k, lda, ldb, ldc;
  float *a, *b, *c;
} problem;

static float *random_array(int rows, int ld, uint32_t which) {
  float *array = NULL;
  const size_t count = (size_t)rows * (size_t)ld;
  assert_int_equal(memory_allocate(&array, count, sizeof *array, "test"), MLPD_OK);
  rng stream = rng_start(1, RNG_INIT_WEIGHTS, which, 0);
  for (size_t i = 0; i < count; i++) array[i] = (float)(2 * rng_uniform(&stream) - 1);
  return array;
}

static problem problem_make(bool transpose_a, bool transpose_b, int m, int n, int k) {
  problem p = {transpose_a, transpose_b, m, n, k, 0, 0, 0, NULL, NULL, NULL};
  p.lda = (transpose_a ? m : k) + PAD;
  p.ldb = (transpose_b ? k : n) + PAD;
  p.ldc = n + PAD;
  p.a = random_array(transpose_a ? k : m, p.lda, 0);
  p.b = random_array(transpose_b ? n : k, p.ldb, 1);
  p.c = random_array(m, p.ldc, 2);
  return p;
}

static void problem_free(problem *p) {
  free(p->a);
  free(p->b);
  free(p->c);
}

static void multiply(const backend *gemm, const problem *p, float *c) {
  gemm->sgemm(p->transpose_a, p->transpose_b, p->m, p->n, p->k, p->a, p->lda, p->b, p->ldb, c, p->ldc);
}

/* Element (i, j) of op(A) op(B) in double; *magnitude is the sum of the terms' absolute values. */
static double exact(const problem *p, int i, int j, double *magnitude) {
  double sum = 0;
  *magnitude = 0;
  for (int l = 0; l < p->k; l++) {
    const double a = (double)(p->transpose_a ? p->a[l * p->lda + i] : p->a[i * p->lda + l]);
    const double b = (double)(p->transpose_b ? p->b[j * p->ldb + l] : p->b[l * p->ldb + j]);
    sum += a * b;
    *magnitude += fabs(a * b);
  }
  return sum;
}

/* C starts as NaN (written, not read); what lies between the rows must stay. */
static void check_product(const backend *gemm, problem *p) {
  for (int i = 0; i < p->m; i++)
    for (int j = 0; j < p->ldc; j++) p->c[i * p->ldc + j] = j < p->n ? NAN : 7;
  multiply(gemm, p, p->c);
  for (int i = 0; i < p->m; i++) {
    for (int j = 0; j < p->n; j++) {
      double magnitude;
      const double sum = exact(p, i, j, &magnitude), error = fabs((double)p->c[i * p->ldc + j] - sum);
      if (!(error <= magnitude * (p->k + 1) * (double)FLT_EPSILON / 2))
        fail_msg("%s: (%d, %d, %d) transposed %d %d: C[%d, %d] is %g, not %g", gemm->name, p->m, p->n, p->k,
                 p->transpose_a, p->transpose_b, i, j, (double)p->c[i * p->ldc + j], sum);
    }
    for (int j = p->n; j < p->ldc; j++) assert_true(p->c[i * p->ldc + j] == 7);
  }
}

static const int shapes[][3] = {{1, 1, 1},     {2, 3, 4},    {3, 5, 7},     {17, 33, 65}, {128, 10, 30},
                                {5, 130, 257}, {1, 64, 784}, {31, 1, 129},  {1, 1, 300},  {64, 2, 1},
                                {37, 97, 128}, {96, 512, 3}, {130, 31, 140}};

static void test_products(void **state) {
  (void)state;
  for (const char *const *name = mlpd_backend_names(); *name != NULL; name++) {
    const backend *gemm;
    assert_int_equal(backend_choose(*name, &gemm), MLPD_OK);
    assert_string_equal(gemm->name, *name);
    assert_true(strlen(gemm->description) > 0);
    for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++)
      for (int transposed = 0; transposed < 4; transposed++) {
        problem p =
            problem_make((transposed & 1) != 0, (transposed & 2) != 0, shapes[s][0], shapes[s][1], shapes[s][2]);
        check_product(gemm, &p);
        problem_free(&p);
      }
  }
}

/* The same bits alone, with a team waiting, and from each of several threads at once. */
static void check_threads(const backend *gemm, const problem *p) {
  enum { THREADS = 3 };
  const size_t bytes = (size_t)p->m * (size_t)p->ldc * sizeof(float);
  memset(p->c, 0, bytes);
  omp_set_num_threads(1);
  multiply(gemm, p, p->c);
  float *other[THREADS + 1];
  for (int t = 0; t <= THREADS; t++) {
    other[t] = random_array(p->m, p->ldc, 3);
    memset(other[t], 0, bytes);
  }
  omp_set_num_threads(THREADS);
  multiply(gemm, p, other[THREADS]);
  assert_int_equal(omp_get_max_threads(), THREADS);
#pragma omp parallel num_threads(THREADS)
  multiply(gemm, p, other[omp_get_thread_num()]);
  for (int t = 0; t <= THREADS; t++) {
    assert_memory_equal(other[t], p->c, bytes);
    free(other[t]);
  }
}

static void test_threads(void **state) {
  (void)state;
  for (const char *const *name = mlpd_backend_names(); *name != NULL; name++) {
    const backend *gemm;
    assert_int_equal(backend_choose(*name, &gemm), MLPD_OK);
    for (int transposed = 0; transposed < 4; transposed++)
      for (int long_sums = 0; long_sums < 2; long_sums++) { /* they are what a library splits */
        problem p = problem_make((transposed & 1) != 0, (transposed & 2) != 0, long_sums ? 1 : 67, long_sums ? 16 : 190,
                                 long_sums ? 9000 : 300);
        check_threads(gemm, &p);
        problem_free(&p);
      }
  }
}

/* The same bits wherever the arrays lie. */
static void test_addresses(void **state) {
  (void)state;
  for (const char *const *name = mlpd_backend_names(); *name != NULL; name++) {
    const backend *gemm;
    assert_int_equal(backend_choose(*name, &gemm), MLPD_OK);
    problem p = problem_make(false, false, 50, 70, 90);
    memset(p.c, 0, (size_t)(p.m * p.ldc) * sizeof(float));
    multiply(gemm, &p, p.c);
    for (int offset = 1; offset <= 16; offset *= 4) {
      problem moved = problem_make(false, false, p.m + 1, p.n, p.k + 1); /* room for the offset */
      moved.m = p.m, moved.k = p.k, moved.lda = p.lda;
      float *const a = moved.a, *const b = moved.b, *const c = moved.c;
      moved.a += offset, moved.b += offset;
      memmove(moved.a, p.a, (size_t)(p.m * p.lda) * sizeof(float));
      memmove(moved.b, p.b, (size_t)(p.k * p.ldb) * sizeof(float));
      memset(c, 0, (size_t)((p.m + 1) * p.ldc) * sizeof(float));
      multiply(gemm, &moved, c + offset);
      assert_memory_equal(c + offset, p.c, (size_t)(p.m * p.ldc) * sizeof(float));
      free(a);
      free(b);
      free(c);
    }
    problem_free(&p);
  }
}

static void test_clones_agree(void **state) {
  (void)state;
  const backend *plain;
  assert_int_equal(backend_choose("plain", &plain), MLPD_OK);
  for (int transposed = 0; transposed < 4; transposed++) {
    problem p = problem_make((transposed & 1) != 0, (transposed & 2) != 0, 31, 75, 290);
    const size_t bytes = (size_t)(p.m * p.ldc) * sizeof(float);
    float *basic = random_array(p.m, p.ldc, 2);
    multiply(plain, &p, p.c);
    basic_sgemm(p.transpose_a, p.transpose_b, p.m, p.n, p.k, p.a, p.lda, p.b, p.ldb, basic, p.ldc);
    assert_memory_equal(basic, p.c, bytes);
    free(basic);
    problem_free(&p);
  }
}

static void test_choice(void **state) {
  (void)state;
  const char *const *names = mlpd_backend_names();
  const backend *gemm;
  assert_int_equal(backend_choose(NULL, &gemm), MLPD_OK);
  /* The first that this processor can serve. */
  int first = 0;
  const backend *fastest = NULL;
  while (backend_choose(names[first], &fastest) != MLPD_OK) first++;
  assert_ptr_equal(gemm, fastest);
  int count = 0;
  while (names[count] != NULL) count++;
  assert_string_equal(names[count - 1], "plain");
  assert_int_equal(backend_choose("abacus", &gemm), MLPD_ERROR_USAGE);
  assert_null(gemm);
  assert_non_null(strstr(mlpd_error_message(), "abacus"));
  for (int i = 0; i < count; i++) assert_non_null(strstr(mlpd_error_message(), names[i]));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_products), cmocka_unit_test(test_threads),
                                     cmocka_unit_test(test_addresses), cmocka_unit_test(test_clones_agree),
                                     cmocka_unit_test(test_choice)};
  return cmocka_run_group_tests_name("backend", tests, NULL, NULL);
}
