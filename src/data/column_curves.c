#include "data/column_curves.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/portable.h"

static const double LEAST_PROBABILITY = 1e-7; /* as in scikit-learn: |z| is at most 5.2 */
static const double LEAST_WIDTH = 1e-290;     /* of an interval: its slope must be finite */

/* ---- Normal scores ---------------------------------------------------------------------------------- */

static double polynomial(const double c[8], double r) {
  double sum = c[0];
  for (int i = 1; i < 8; i++) sum = sum * r + c[i];
  return sum;
}

double normal_score(double p) {
  static const double CENTRE = 0.425, CENTRE_SQUARE = 0.180625, SPLIT = 5, TAIL = 1.6;
  static const double a[] = {2509.0809287301226727, 33430.575583588128105, 67265.770927008700853, 45921.953931549871457,
                             13731.693765509461125, 1971.5909503065514427, 133.14166789178437745, 3.387132872796366608};
  static const double b[] = {5226.495278852854561,  28729.085735721942674, 39307.89580009271061,  21213.794301586595867,
                             5394.1960214247511077, 687.1870074920579083,  42.313330701600911252, 1};
  static const double c[] = {7.7454501427834140764e-4, 0.0227238449892691845833, 0.24178072517745061177,
                             1.27045825245236838258,   3.64784832476320460504,   5.7694972214606914055,
                             4.6303378461565452959,    1.42343711074968357734};
  static const double d[] = {
      1.05075007164441684324e-9, 5.475938084995344946e-4, 0.0151986665636164571966, 0.14810397642748007459,
      0.68976733498510000455,    1.6763848301838038494,   2.05319162663775882187,   1};
  static const double e[] = {2.01033439929228813265e-7, 2.71155556874348757815e-5, 0.0012426609473880784386,
                             0.026532189526576123093,   0.29656057182850489123,    1.7848265399172913358,
                             5.4637849111641143699,     6.6579046435011037772};
  static const double f[] = {
      2.04426310338993978564e-15, 1.4215117583164458887e-7, 1.8463183175100546818e-5, 7.868691311456132591e-4,
      0.0148753612908506148525,   0.13692988092273580531,   0.59983220655588793769,   1};
  const double q = p - 0.5;
  if (q >= -CENTRE) {
    const double r = CENTRE_SQUARE - q * q;
    return polynomial(a, r) * q / polynomial(b, r);
  }
  const double r = sqrt(-portable_log(p));
  if (r <= SPLIT) return -polynomial(c, r - TAIL) / polynomial(d, r - TAIL);
  return -polynomial(e, r - SPLIT) / polynomial(f, r - SPLIT);
}

/* p: the part of the rows below, rest: 1 - p. */
static double score_of(double p, double rest) {
  if (p <= rest) return normal_score(p > LEAST_PROBABILITY ? p : LEAST_PROBABILITY);
  return -normal_score(rest > LEAST_PROBABILITY ? rest : LEAST_PROBABILITY);
}

/* ---- Knots of quantiles ----------------------------------------------------------------------------- */

typedef struct knots {
  double *x, *z;
  uint32_t count;
} knots;

/* A knot that is not above the last one, or too close to it, is left out. */
static void add(knots *k, double x, double p, double rest) {
  if (k->count > 0 && !(x - k->x[k->count - 1] > LEAST_WIDTH)) return;
  k->x[k->count] = x;
  k->z[k->count++] = score_of(p, rest);
}

/* Distinct quantiles: value and the middle of the equal ones' probabilities, times 2 (count - 1). Returns their number.
 */
static uint32_t find_distinct(uint32_t count, const double *quantiles, double *values, double *twice) {
  uint32_t distinct = 0;
  for (uint32_t i = 0, end = 0; i < count; i = end) {
    for (end = i + 1; end < count && !(quantiles[end] - quantiles[i] > LEAST_WIDTH);) end++;
    values[distinct] = quantiles[i];
    twice[distinct++] = (double)i + (double)(end - 1);
  }
  return distinct;
}

enum { PARTS_MOST = 50 };

/* Probabilities below p and up to 1/2, descending: p times 3/4, 1/2, 3/8, 1/4, ...; their number. */
static int parts_of(double p, double parts[PARTS_MOST]) {
  int count = 0;
  for (double whole = p > 0.5 ? 1 : p; whole / 2 > LEAST_PROBABILITY; whole /= 2) {
    if (0.75 * whole <= 0.5) parts[count++] = 0.75 * whole;
    parts[count++] = 0.5 * whole;
  }
  return count;
}

/* Knots between the least value and the next one, whose probability is p. */
static void add_low_end(knots *k, double least, double next, double p) {
  double parts[PARTS_MOST];
  for (int i = parts_of(p, parts) - 1; i >= 0; i--)
    add(k, least + (next - least) * (parts[i] / p), parts[i], 1 - parts[i]);
}

/* The same between the largest value and the one before; p: 1 - its probability. */
static void add_high_end(knots *k, double largest, double before, double p) {
  double parts[PARTS_MOST];
  const int count = parts_of(p, parts);
  for (int i = 0; i < count; i++) {
    const double x = largest - (largest - before) * (parts[i] / p);
    if (largest - x > LEAST_WIDTH) add(k, x, 1 - parts[i], parts[i]);
  }
}

static bool is_constant(double least, double largest) {
  return !(largest - least > 8 * DBL_EPSILON * fmax(fabs(least), fabs(largest)));
}

uint32_t column_curve_knots(uint32_t count, const double *quantiles, double *x, double *z) {
  double values[CURVE_QUANTILES_MOST], twice[CURVE_QUANTILES_MOST];
  const uint32_t last = find_distinct(count, quantiles, values, twice) - 1;
  const double all = 2 * ((double)count - 1);
  knots made = {.x = x, .z = z};
  x[0] = quantiles[0];
  z[0] = 0;
  if (last == 0 || is_constant(values[0], values[last])) return 1;
  add(&made, values[0], twice[0] / all, (all - twice[0]) / all);
  if (!(twice[0] > 0)) add_low_end(&made, values[0], values[1], twice[1] / all);
  for (uint32_t i = 1; i < last; i++) add(&made, values[i], twice[i] / all, (all - twice[i]) / all);
  if (!(twice[last] < all)) add_high_end(&made, values[last], values[last - 1], (all - twice[last - 1]) / all);
  add(&made, values[last], twice[last] / all, (all - twice[last]) / all);
  return made.count;
}

/* ---- Curves ----------------------------------------------------------------------------------------- */

typedef struct curve_room {
  column_curves *made;
  uint64_t knots; /* of all columns */
} curve_room;

static void lay_out(void *owner, memory_layout *layout) {
  const curve_room *const room = owner;
  column_curves *const c = room->made;
  const uint64_t knots = room->knots > 0 ? room->knots : 1; /* where no column has a curve, the arrays are not NULL */
  c->first = memory_place(layout, (size_t)c->columns + 1, sizeof *c->first);
  c->x = memory_place(layout, knots, sizeof *c->x);
  c->z = memory_place(layout, knots, sizeof *c->z);
  c->slopes = memory_place(layout, knots, sizeof *c->slopes);
}

uint64_t column_curves_size(uint32_t columns, uint64_t knots) {
  column_curves made = {.columns = columns};
  return memory_layout_size(lay_out, &(curve_room){&made, knots});
}

mlpd_status column_curves_create(uint32_t columns, uint64_t knots, column_curves *made) {
  *made = (column_curves){.columns = columns};
  return memory_allocate_layout(lay_out, &(curve_room){made, knots}, "normalisation", &made->memory);
}

void column_curves_free(column_curves *c) {
  if (c == NULL) return;
  free(c->memory);
  *c = (column_curves){.columns = 0};
}

void column_curves_settle(column_curves *c) {
  for (uint32_t j = 0; j < c->columns; j++)
    for (uint64_t k = c->first[j]; k < c->first[j + 1]; k++)
      c->slopes[k] = k + 1 < c->first[j + 1] ? (c->z[k + 1] - c->z[k]) / (c->x[k + 1] - c->x[k]) : 0;
}

/* The knot of column j at or before x, which is not below its first one. */
static uint64_t knot_before(const column_curves *c, uint32_t j, double x) {
  uint64_t first = c->first[j];
  for (uint64_t left = c->first[j + 1] - first; left > 1;) {
    const uint64_t half = left / 2;
    first += x >= c->x[first + half] ? half : 0; /* no branch: values come in any order */
    left -= half;
  }
  return first;
}

double column_curves_map(const column_curves *c, uint32_t j, double x) {
  const uint64_t first = c->first[j], last = c->first[j + 1] - 1;
  if (x <= c->x[first]) return c->z[first];
  if (x >= c->x[last]) return c->z[last];
  const uint64_t k = knot_before(c, j, x);
  return c->z[k] + (x - c->x[k]) * c->slopes[k];
}

double column_curves_slope(const column_curves *c, uint32_t j, double x) {
  if (x < c->x[c->first[j]]) return 0;
  return c->slopes[knot_before(c, j, x)];
}

mlpd_status column_curves_pick(const column_curves *c, const uint32_t *from, const bool *known, uint32_t columns,
                               column_curves *made) {
  uint64_t all = 0;
  for (uint32_t j = 0; j < columns; j++) all += known[j] ? c->first[from[j] + 1] - c->first[from[j]] : 0;
  TRY(column_curves_create(columns, all, made));
  for (uint32_t j = 0; j < columns; j++) {
    const uint64_t first = c->first[from[j]], count = known[j] ? c->first[from[j] + 1] - first : 0;
    made->first[j + 1] = made->first[j] + count;
    if (count == 0) continue;
    memcpy(made->x + made->first[j], c->x + first, count * sizeof *made->x);
    memcpy(made->z + made->first[j], c->z + first, count * sizeof *made->z);
  }
  column_curves_settle(made);
  return MLPD_OK;
}

mlpd_status column_curves_copy(const column_curves *c, column_curves *made) {
  const uint64_t knots = c->first[c->columns];
  TRY(column_curves_create(c->columns, knots, made));
  memcpy(made->first, c->first, (c->columns + 1) * sizeof *made->first);
  memcpy(made->x, c->x, knots * sizeof *made->x);
  memcpy(made->z, c->z, knots * sizeof *made->z);
  column_curves_settle(made);
  return MLPD_OK;
}
