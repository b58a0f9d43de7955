/* mpi: 1 3 */
/* Quantiles of columns, from gathered values and by counting: the same bits, and those of the sorted values. */
#include "prepare/column_quantiles.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static mlpd_comm *comm;

/* Unevenly, and none on the first of several ranks. */
static uint64_t first_row(uint64_t rows, int rank) {
  const int last = mlpd_comm_size(comm) - 1;
  return last == 0 || rank > last ? (rank > 0 ? rows : 0) : rows * (uint64_t)rank * (uint64_t)(rank > 1) / 3;
}

/* This rank's training rows of x (rows, columns). */
static preparation prepare(const float *x, uint64_t rows, uint32_t columns) {
  const int rank = mlpd_comm_rank(comm);
  const uint64_t begin = first_row(rows, rank);
  preparation p = {.features = columns, .threads = 1};
  p.train = (shard){.type = ELEMENT_F32, .rows = first_row(rows, rank + 1) - begin};
  const float *const own = x + begin * columns;
  memcpy(&p.train.x, &own, sizeof own); /* which is not written */
  return p;
}

static void find(const preparation *p, column_quantile *all, size_t count) {
  if (column_quantiles_find(comm, &p->source, p, all, count) != MLPD_OK) fail_msg("%s", mlpd_error_message());
}

/* One at a time there are too many values for one quantile, so these are counted. */
static void assert_counted(const preparation *p, const column_quantile *all, size_t count) {
  for (size_t i = 0; i < count; i++) {
    column_quantile one = {.column = all[i].column, .fraction = all[i].fraction};
    find(p, &one, 1);
    assert_memory_equal(&one.value, &all[i].value, sizeof one.value);
  }
}

static int by_value(const void *a, const void *b) {
  const float one = *(const float *)a, other = *(const float *)b;
  return (one > other) - (one < other);
}

/* Ties, both zeros, the largest numbers, missing values, and nothing but missing values. */
static void test_few(void **state) {
  enum { ROWS = 700, COLUMNS = 3, EACH = 50 };
  (void)state;
  float x[ROWS][COLUMNS], sorted[ROWS];
  column_quantile all[COLUMNS * EACH];
  for (int i = 0; i < ROWS; i++) {
    const int u = i * 37 % ROWS;
    x[i][0] = u < 9 ? -INFINITY : u % 5 == 0 ? -0.0F : u % 7 == 0 ? 0.0F : (float)(u / 3) - 90;
    x[i][1] = u % 2 == 0 ? NAN : (float)u * 1e30F;
    x[i][2] = NAN;
    sorted[i] = x[i][0];
  }
  qsort(sorted, ROWS, sizeof *sorted, by_value);
  for (uint32_t i = 0; i < COLUMNS * EACH; i++)
    all[i] = (column_quantile){.column = i / EACH, .fraction = (double)(i % EACH) / (EACH - 1)};
  const preparation p = prepare(x[0], ROWS, COLUMNS);
  find(&p, all, COLUMNS * EACH);
  for (int i = 0; i < EACH; i++) {
    const double place = all[i].fraction * (ROWS - 1), part = place - floor(place);
    const double low = (double)sorted[(int)place], high = (double)sorted[(int)ceil(place)];
    assert_true(all[i].value == (part > 0 ? (1 - part) * low + part * high : low));
    assert_true(isnan(all[2 * EACH + i].value) && !isnan(all[EACH + i].value));
  }
  assert_counted(&p, all, COLUMNS * EACH);
}

/* More columns than are gathered at a time. */
static void test_many(void **state) {
  enum { ROWS = 20000, COLUMNS = 60, EACH = 100 };
  (void)state;
  float *const x = calloc((size_t)ROWS * COLUMNS, sizeof *x);
  column_quantile *const all = calloc((size_t)COLUMNS * EACH, sizeof *all);
  assert_true(x != NULL && all != NULL);
  for (uint32_t i = 0; i < ROWS * COLUMNS; i++) x[i] = (float)((i + 1) * 2654435761U % 100003) - 5e4F;
  for (uint32_t i = 0; i < COLUMNS * EACH; i++)
    all[i] = (column_quantile){.column = i / EACH, .fraction = (double)(i % EACH) / (EACH - 1)};
  const preparation p = prepare(x, ROWS, COLUMNS);
  find(&p, all, (size_t)COLUMNS * EACH);
  for (uint32_t column = 0; column < COLUMNS; column += 25) assert_counted(&p, all + column * EACH + 3, 2);
  assert_counted(&p, all + COLUMNS * EACH - 2, 2);
  free(x);
  free(all);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_few), cmocka_unit_test(test_many)};
  if (mlpd_comm_init(&argc, &argv, &comm) != MLPD_OK) return 1;
  const int failed = cmocka_run_group_tests_name("column quantiles", tests, NULL, NULL);
  mlpd_comm_finalize(comm);
  return failed;
}
