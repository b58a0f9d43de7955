#include "prepare/target_tree.h"

#include <math.h>
#include <stdlib.h>

#include "kernels/piecewise.h"

static const double ALIKE = 1 + 1e-9; /* gains that differ by less differ by rounding: the first one counts */

/* Cells [begin, end) and their best split. */
typedef struct leaf {
  uint32_t begin, end, split; /* split 0: there is none */
  double gain;
} leaf;

uint32_t target_counters(bool classes, uint32_t targets) { return 1 + targets * (classes ? 1 : 2); }

static void add_up(target_counts *c) {
  const uint32_t counters = target_counters(c->classes, c->targets);
  for (uint32_t k = 0; k < counters; k++) {
    uint64_t sum = 0;
    for (uint32_t i = 0; i <= c->cells; i++) {
      uint64_t *const at = &c->counts[(uint64_t)i * counters + k];
      const uint64_t here = i < c->cells ? *at : 0;
      *at = sum;
      sum += here;
    }
  }
}

/* A counter over cells [begin, end). */
static double count_of(const target_counts *c, uint32_t begin, uint32_t end, uint32_t counter) {
  const uint32_t counters = target_counters(c->classes, c->targets);
  const uint64_t sum = c->counts[(uint64_t)end * counters + counter] - c->counts[(uint64_t)begin * counters + counter];
  return (double)(int64_t)sum;
}

static double rows_of(const target_counts *c, uint32_t begin, uint32_t end) { return count_of(c, begin, end, 0); }

static double sum_of(const target_counts *c, uint32_t begin, uint32_t end, uint32_t target) {
  return c->unit * count_of(c, begin, end, c->classes ? 1 + target : 1 + 2 * target);
}

/* The sum of squares of a target's distances from its mean. */
static double spread_of(const target_counts *c, uint32_t begin, uint32_t end, uint32_t target) {
  const double rows = rows_of(c, begin, end), sum = sum_of(c, begin, end, target);
  const double squares = c->classes ? sum : c->unit * count_of(c, begin, end, 2 + 2 * target);
  return rows > 0 ? squares - sum * sum / rows : 0;
}

void target_counts_add_up(target_counts *c) {
  add_up(c);
  for (uint32_t t = 0; t < c->targets; t++) {
    const double spread = spread_of(c, 0, c->cells, t);
    c->weights[t] = c->classes ? 1 : spread > 0 ? rows_of(c, 0, c->cells) / spread : 0;
  }
}

/* Between the means of a target on both sides of a split. Values that are all the same may have means that differ by
 * rounding, by much less than the unit. */
static double step_of(const target_counts *c, const leaf *l, uint32_t split, uint32_t target) {
  const double left = sum_of(c, l->begin, split, target) / rows_of(c, l->begin, split);
  const double right = sum_of(c, split, l->end, target) / rows_of(c, split, l->end);
  return c->classes || fabs(left - right) >= c->unit ? left - right : 0;
}

static double gain_of(const target_counts *c, const leaf *l, uint32_t split) {
  const double left = rows_of(c, l->begin, split), right = rows_of(c, split, l->end);
  double sum = 0;
  for (uint32_t t = 0; t < c->targets; t++) {
    const double step = step_of(c, l, split, t);
    sum += c->weights[t] * step * step;
  }
  return left * right / (left + right) * sum;
}

/* How alike the targets are in what chance does to them, from near 0 (many classes of like size) to 1 (one target, two
 * classes): the norm of their covariance relative to its trace. Values may all be alike. */
static double likeness(const target_counts *c, const leaf *l) {
  double p2 = 0, p3 = 0;
  if (!c->classes) return 1;
  for (uint32_t t = 0; t < c->targets; t++) {
    const double p = sum_of(c, l->begin, l->end, t) / rows_of(c, l->begin, l->end);
    p2 += p * p;
    p3 += p * p * p;
  }
  return p2 < 1 ? sqrt(fmax(p2 - 2 * p3 + p2 * p2, 0)) / (1 - p2) : 1;
}

/* What the best of so many splits gains by chance, in multiples of what one gains on average: a bound of Laurent and
 * Massart (2000) on sums of squares of normal numbers, which one in so many exceeds at most. */
static double chance_of(double likeness, uint32_t tried) {
  const double t = log((double)tried);
  return 1 + 2 * likeness * (sqrt(t) + t);
}

static bool is_no_chance(const target_counts *c, const leaf *l, uint32_t tried) {
  double spread = 0;
  for (uint32_t t = 0; t < c->targets; t++) spread += c->weights[t] * spread_of(c, l->begin, l->end, t);
  return l->gain * (rows_of(c, l->begin, l->end) - 2) > chance_of(likeness(c, l), tried) * (spread - l->gain);
}

/* Returns how many splits were tried. */
static uint32_t find_split(const target_counts *c, leaf *l) {
  uint32_t tried = 0;
  l->split = 0;
  l->gain = 0;
  for (uint32_t s = l->begin + 1; s < l->end; s++) {
    if (rows_of(c, l->begin, s) < TARGET_TREE_LEAST) continue;
    if (rows_of(c, s, l->end) < TARGET_TREE_LEAST) break;
    const double gain = gain_of(c, l, s);
    tried++;
    if (!(gain > ALIKE * l->gain)) continue;
    l->gain = gain;
    l->split = s;
  }
  return tried;
}

static int by_place(const void *a, const void *b) {
  const uint32_t one = *(const uint32_t *)a, other = *(const uint32_t *)b;
  return (one > other) - (one < other);
}

uint32_t target_tree_grow(const target_counts *c, uint32_t leaves, uint32_t *splits) {
  leaf all[PIECEWISE_MOST_BINS] = {{.end = c->cells}};
  uint32_t count = 1;
  const uint32_t tried = find_split(c, &all[0]);
  if (all[0].split > 0 && !is_no_chance(c, &all[0], tried)) return 0;
  for (; count < leaves; count++) {
    leaf *best = NULL;
    for (uint32_t i = 0; i < count; i++)
      if (all[i].split > 0 && (best == NULL || all[i].gain > ALIKE * best->gain)) best = &all[i];
    if (best == NULL) break;
    splits[count - 1] = best->split;
    all[count] = (leaf){.begin = best->split, .end = best->end};
    best->end = best->split;
    (void)find_split(c, best);
    (void)find_split(c, &all[count]);
  }
  qsort(splits, count - 1, sizeof *splits, by_place);
  return count - 1;
}
