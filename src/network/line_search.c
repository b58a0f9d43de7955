#include "network/line_search.h"

#include <math.h>

static const double DECREASE = 1e-4, CURVATURE = 0.9, ROUNDING = 1e-6;

/* Of the distance to the next point: where a cubic may put it. */
static const double LONGEST = 10, SHORTEST = 1.01, INSIDE = 0.1;

void line_search_begin(line_search *s, double value, double slope, double first_step) {
  const line_search_point start = {.value = value, .slope = slope};
  *s = (line_search){.step = first_step, .start = start, .low = start, .high = start};
}

static bool is_finite_point(const line_search_point *p) { return isfinite(p->value) && isfinite(p->slope); }

/* The minimiser of the cubic through two points and their slopes (3.59 there); NaN: it has none. */
static double cubic_minimum(const line_search_point *a, const line_search_point *b) {
  const double d1 = a->slope + b->slope - 3 * (a->value - b->value) / (a->step - b->step);
  const double square = d1 * d1 - a->slope * b->slope;
  const double d2 = (b->step > a->step ? 1 : -1) * sqrt(square);
  return b->step - (b->step - a->step) * (b->slope + d2 - d1) / (b->slope - a->slope + 2 * d2);
}

/* Beyond `to`, which is good so far, as seen from `from`. */
static double extrapolate(const line_search_point *from, const line_search_point *to) {
  const double least = to->step + (SHORTEST - 1) * (to->step - from->step), most = LONGEST * to->step;
  const double wanted = cubic_minimum(from, to);
  if (!(wanted >= least)) return isnan(wanted) || wanted < to->step ? most : least;
  return wanted < most ? wanted : most;
}

/* Between low and high, not next to either. From a point that is not finite only its place is known. */
static double interpolate(const line_search_point *low, const line_search_point *high) {
  const double width = high->step - low->step;
  if (!is_finite_point(high)) return low->step + INSIDE * width;
  const double wanted = (cubic_minimum(low, high) - low->step) / width;
  if (isnan(wanted)) return low->step + width / 2;
  return low->step + width * (wanted < INSIDE ? INSIDE : wanted > 1 - INSIDE ? 1 - INSIDE : wanted);
}

static bool decreases(const line_search *s, const line_search_point *p) {
  return p->value <= s->start.value + DECREASE * p->step * s->start.slope;
}

static bool is_good(const line_search *s, const line_search_point *p) {
  const bool even = fabs(p->value - s->start.value) <= ROUNDING * fabs(s->start.value);
  return is_finite_point(p) && fabs(p->slope) <= CURVATURE * fabs(s->start.slope) && (decreases(s, p) || even);
}

/* The point becomes an end of the interval. */
static void narrow(line_search *s, const line_search_point *p) {
  if (!is_finite_point(p) || !decreases(s, p) || p->value >= s->low.value) {
    s->high = *p;
    s->bracketed = true;
    return;
  }
  const double onwards = s->bracketed ? s->high.step - s->low.step : 1;
  if (!s->bracketed || p->slope * onwards >= 0) s->high = s->low; /* the way ahead rises: the minimum lies behind */
  s->bracketed = s->bracketed || p->slope >= 0;
  s->low = *p;
}

void line_search_take(line_search *s, double value, double slope) {
  const line_search_point p = {.step = s->step, .value = value, .slope = slope};
  s->evaluations++;
  if (is_good(s, &p)) {
    s->state = LINE_SEARCH_FOUND;
    return;
  }
  narrow(s, &p);
  /* After the last evaluation a decrease is enough. */
  if (s->evaluations >= LINE_SEARCH_MOST) {
    s->state = s->low.step == p.step && s->low.step > 0 ? LINE_SEARCH_FOUND : LINE_SEARCH_FAILED;
    return;
  }
  s->step = s->bracketed ? interpolate(&s->low, &s->high) : extrapolate(&s->high, &s->low);
  if (s->evaluations == LINE_SEARCH_MOST - 1 && s->low.step > 0) s->step = s->low.step; /* the best, once more */
}
