/* A line search for a step that satisfies the strong Wolfe conditions (Nocedal and Wright, Numerical Optimization, 2nd
 * edition, algorithms 3.5 and 3.6): along a direction of descent, phi(step) is the objective and phi' its slope.
 *
 *   phi(step) <= phi(0) + 1e-4 step phi'(0)    and    |phi'(step)| <= 0.9 |phi'(0)|
 *
 * Near a minimum the decrease drowns in the rounding of phi, but the slope is still exact. So the first condition also
 * holds where |phi(step) - phi(0)| <= 1e-6 |phi(0)| (the approximate Wolfe conditions of Hager and Zhang 2005). A value
 * or slope that is not finite counts as too long a step.
 *
 * The search asks and the caller evaluates:
 *
 *   line_search s;
 *   line_search_begin(&s, value, slope, first_step);
 *   while (s.state == LINE_SEARCH_ASKS) line_search_take(&s, phi(s.step), phi'(s.step));
 *
 * In double, without functions that differ between machines: equal inputs give equal steps. Nothing is collective. */
#ifndef MLPDIST_LINE_SEARCH_H
#define MLPDIST_LINE_SEARCH_H

#include <stdbool.h>

enum { LINE_SEARCH_MOST = 25 }; /* evaluations of a search */

typedef enum line_search_state {
  LINE_SEARCH_ASKS,  /* for phi at step */
  LINE_SEARCH_FOUND, /* step is the one last evaluated */
  LINE_SEARCH_FAILED /* no step is better than none */
} line_search_state;

typedef struct line_search_point {
  double step, value, slope;
} line_search_point;

typedef struct line_search {
  line_search_state state;
  double step;
  int evaluations;
  bool bracketed;               /* a good step lies between low and high */
  line_search_point start, low; /* low: the best so far that decreases enough */
  line_search_point high;       /* the other end; not bracketed: the step before low */
} line_search;

/* slope < 0 and first_step > 0, all finite. */
void line_search_begin(line_search *s, double value, double slope, double first_step);

/* Takes phi and phi' at s->step; asks for the next step, or ends. */
void line_search_take(line_search *s, double value, double slope);

#endif
