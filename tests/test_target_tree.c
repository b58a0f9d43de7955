/* The tree of a column on targets, against a search through all splits of the rows themselves. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "prepare/target_tree.h"

enum { ROWS = 160, TARGETS = 3, LEAVES = 12, COUNTERS = 1 + 2 * TARGETS, LEAST = 16 };

static const double UNIT = 1.0 / (1 << 30);

/* Rows in the order of the column, each a cell of its own. Classes: y is one-hot. */
typedef struct table {
  bool classes;
  double y[ROWS][TARGETS];
} table;

static double draw(rng *stream) { return 2 * rng_uniform(stream) - 1; }

/* Steps of two targets and of neither, with noise; the third target is large noise, so that it must be standardised. */
static table draw_table(bool classes, uint64_t seed) {
  table made = {.classes = classes};
  rng stream = rng_start(seed, RNG_INIT_WEIGHTS, 0, 0);
  double level[2] = {0};
  for (int i = 0; i < ROWS; i++) {
    if (i % 23 == 0) level[0] = 0.2 * draw(&stream);
    if (i % 37 == 0) level[1] = 0.05 * draw(&stream);
    const double part = 0.5 * (1 + draw(&stream));
    const int class = part < 0.4 + 2 * level[0] ? 0 : part < 0.7 + 4 * level[1] ? 1 : 2;
    for (int t = 0; t < 2 && !classes; t++) made.y[i][t] = level[t] + 0.02 * draw(&stream);
    if (classes)
      made.y[i][class] = 1;
    else
      made.y[i][2] = draw(&stream);
  }
  return made;
}

static void count(const table *of, uint64_t *counts) {
  memset(counts, 0, (ROWS + 1) * COUNTERS * sizeof *counts);
  const uint32_t counters = target_counters(of->classes, TARGETS);
  for (int i = 0; i < ROWS; i++) {
    uint64_t *const cell = counts + (size_t)i * counters;
    cell[0] = 1;
    for (int t = 0; t < TARGETS; t++) {
      const double y = of->y[i][t];
      if (of->classes) cell[1 + t] = y > 0;
      if (!of->classes) cell[1 + 2 * t] = (uint64_t)(int64_t)llround(y / UNIT);
      if (!of->classes) cell[2 + 2 * t] = (uint64_t)(int64_t)llround(y * y / UNIT);
    }
  }
}

static double squares(const table *of, int begin, int end, int target) {
  double mean = 0, sum = 0;
  for (int i = begin; i < end; i++) mean += of->y[i][target] / (end - begin);
  for (int i = begin; i < end; i++) sum += (of->y[i][target] - mean) * (of->y[i][target] - mean);
  return sum;
}

static double impurity(const table *of, int begin, int end) {
  double sum = 0;
  for (int t = 0; t < TARGETS; t++)
    sum += squares(of, begin, end, t) / (of->classes ? 1 : squares(of, 0, ROWS, t) / ROWS);
  return sum;
}

/* The best split of rows [begin, end); 0: there is none, or that of all rows may be chance. */
static int best_split(const table *of, int begin, int end, double *gain) {
  int best = 0, tried = 0;
  const double whole = impurity(of, begin, end);
  double norm = 0, trace = 0;
  *gain = 0;
  for (int s = begin + LEAST; s <= end - LEAST; s++, tried++) {
    const double here = whole - impurity(of, begin, s) - impurity(of, s, end);
    if (here > *gain + 1e-9) {
      *gain = here;
      best = s;
    }
  }
  for (int a = 0; a < TARGETS; a++) /* the covariance of classes */
    for (int b = 0; b < TARGETS; b++) {
      double p = 0, q = 0;
      for (int i = begin; i < end; i++) p += of->y[i][a] / (end - begin);
      for (int i = begin; i < end; i++) q += of->y[i][b] / (end - begin);
      const double covariance = (a == b ? p : 0) - p * q;
      norm += covariance * covariance;
      trace += a == b ? covariance : 0;
    }
  const double alike = of->classes ? sqrt(norm) / trace : 1, t = log(tried);
  const bool counts = *gain / ((whole - *gain) / (end - begin - 2)) > 1 + 2 * alike * (sqrt(fmax(t, 0)) + fmax(t, 0));
  return counts || end - begin < ROWS ? best : 0;
}

/* The same tree: the ends of its leaves are marked. */
static void reference(const table *of, bool ends[ROWS + 1]) {
  memset(ends, 0, (ROWS + 1) * sizeof *ends);
  ends[ROWS] = true;
  for (int leaves = 1; leaves < LEAVES; leaves++) {
    double most = 0;
    int split = 0;
    for (int begin = 0, end = 1; end <= ROWS; end++) {
      if (!ends[end]) continue;
      double gain = 0;
      const int here = best_split(of, begin, end, &gain);
      if (here > 0 && gain > most + 1e-9) {
        most = gain;
        split = here;
      }
      begin = end;
    }
    if (split == 0) return;
    ends[split] = true;
  }
}

static uint32_t grow(const table *of, uint32_t leaves, uint32_t *splits) {
  static uint64_t counts[(ROWS + 1) * COUNTERS];
  double weights[TARGETS];
  target_counts c = {.cells = ROWS, .targets = TARGETS, .classes = of->classes, .unit = of->classes ? 1 : UNIT};
  c.counts = counts;
  c.weights = weights;
  count(of, counts);
  target_counts_add_up(&c);
  return target_tree_grow(&c, leaves, splits);
}

static void test_reference(void **state) {
  (void)state;
  uint32_t splits[LEAVES], most = 0, least = LEAVES;
  bool ends[ROWS + 1];
  for (uint64_t seed = 0; seed < 40; seed++) {
    const table of = draw_table(seed % 2 == 1, seed);
    const uint32_t made = grow(&of, LEAVES, splits);
    uint32_t next = 0;
    reference(&of, ends);
    for (uint32_t i = 1; i < ROWS; i++) {
      if (!ends[i]) continue;
      if (next == made || splits[next] != i)
        fail_msg("table %d: %u splits, of which %u is not %u", (int)seed, made, next, i);
      next++;
    }
    assert_int_equal(next, made);
    if (made > most) most = made;
    if (made < least) least = made;
  }
  assert_true(least < 2 && most > 3); /* the tables differ */
}

static void test_steps(void **state) {
  (void)state;
  table step = {.classes = false}, noise = {.classes = false};
  uint32_t splits[LEAVES];
  rng stream = rng_start(1, RNG_INIT_WEIGHTS, 0, 0);
  for (int i = 0; i < ROWS; i++) {
    step.y[i][0] = i < 30 ? -0.5 : i < 100 ? 0.25 : 0.375;
    for (int t = 0; t < TARGETS; t++) noise.y[i][t] = draw(&stream);
  }
  assert_int_equal(grow(&step, LEAVES, splits), 2); /* targets that are all the same have no weight */
  assert_true(splits[0] == 30 && splits[1] == 100);
  assert_int_equal(grow(&step, 2, splits), 1);
  assert_true(splits[0] == 30);
  assert_int_equal(grow(&step, 1, splits), 0);
  assert_int_equal(grow(&noise, LEAVES, splits), 0);
}

/* Sums of so many rows are rounded: a leaf of rows that are all the same must stay whole nevertheless. */
static void test_large_sums(void **state) {
  (void)state;
  static const uint64_t LEVELS[] = {(uint64_t)-366503875925, 122167958641, 123456789012};
  uint64_t counts[(ROWS + 1) * 3] = {0};
  uint32_t splits[LEAVES];
  double weights[1];
  target_counts c = {.cells = ROWS, .targets = 1, .unit = 0x1p-40, .weights = weights, .counts = counts};
  for (uint64_t i = 0; i < ROWS; i++) {
    const uint64_t rows = 100003 + 7 * i, level = LEVELS[i / 60];
    const double part = 0x1p-40 * (double)(int64_t)level;
    counts[3 * i] = rows;
    counts[3 * i + 1] = rows * level;
    counts[3 * i + 2] = rows * (uint64_t)llround(0x1p40 * part * part);
  }
  target_counts_add_up(&c);
  assert_int_equal(target_tree_grow(&c, LEAVES, splits), 2);
  assert_true(splits[0] == 60 && splits[1] == 120);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_reference), cmocka_unit_test(test_steps),
                                     cmocka_unit_test(test_large_sums)};
  return cmocka_run_group_tests_name("target tree", tests, NULL, NULL);
}
