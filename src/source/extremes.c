#include "source/extremes.h"

#include <math.h>
#include <stddef.h>

enum { LEAST_ROWS = 20 };

extremes extremes_none(void) { return (extremes){.least = {INFINITY, INFINITY}, .most = {-INFINITY, -INFINITY}}; }

void extremes_add(extremes *e, double value) {
  if (isnan(value)) return;
  e->steps += e->values > 0 && value == e->last + 1 && value != e->last; /* 1e18 + 1 is 1e18 */
  e->values++;
  e->sum += value;
  e->last = value;
  if (value < e->least[0]) {
    e->least[1] = e->least[0];
    e->least[0] = value;
    e->least_rows = 0;
  } else if (value > e->least[0] && value < e->least[1]) {
    e->least[1] = value;
  }
  if (value > e->most[0]) {
    e->most[1] = e->most[0];
    e->most[0] = value;
    e->most_rows = 0;
  } else if (value < e->most[0] && value > e->most[1]) {
    e->most[1] = value;
  }
  e->least_rows += value == e->least[0];
  e->most_rows += value == e->most[0];
}

bool extremes_count_rows(const extremes *e) { return e->values >= LEAST_ROWS && e->steps + 1 == e->values; }

bool extremes_end_in_sum(const extremes *e) {
  const double before = e->sum - e->last;
  if (!isfinite(before) || before == 0 || !(fabs(e->last - before) <= 1e-4 * fabs(before))) return false;
  return before > 0 ? e->last == e->most[0] && e->most_rows == 1 : e->last == e->least[0] && e->least_rows == 1;
}

bool extremes_end_in_mean(const extremes *e) {
  if (e->values < 2) return false;
  const double mean = (e->sum - e->last) / (double)(e->values - 1), range = e->most[0] - e->least[0];
  return isfinite(mean) && range > 0 && fabs(e->last - mean) <= 2e-2 * range; /* it may be rounded */
}

static bool is_usual(double value) {
  static const double others[] = {-32768, 32767, -2147483648.0, 2147483647, 1e20, -1e20, 1e30, -1e30};
  for (uint64_t nines = 99; nines < UINT64_C(10000000000); nines = nines * 10 + 9)
    if (fabs(value) == (double)nines) return true;
  for (size_t i = 0; i < sizeof others / sizeof *others; i++)
    if (value == others[i]) return true;
  return fabs(value) > 9.969e36 && fabs(value) < 9.970e36; /* NetCDF */
}

/* -200 in several rows where no other value is negative. */
static bool is_negative_alone(const extremes *e) {
  const double least = e->least[0];
  return least < 0 && e->least[1] >= 0 && e->least_rows > 1 && fmod(least, 100) == 0;
}

uint64_t extremes_placeholder(const extremes *e, double *value) {
  const double low_gap = e->least[1] - e->least[0], low_rest = e->most[0] - e->least[1];
  const double high_gap = e->most[0] - e->most[1], high_rest = e->most[1] - e->least[0];
  if ((is_usual(e->least[0]) || is_negative_alone(e)) && isfinite(low_gap) && low_rest > 0 && low_gap > low_rest)
    return *value = e->least[0], e->least_rows;
  if (is_usual(e->most[0]) && isfinite(high_gap) && high_rest > 0 && high_gap > high_rest)
    return *value = e->most[0], e->most_rows;
  return 0;
}
