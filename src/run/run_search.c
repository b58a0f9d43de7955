/* An epoch of an optimizer that searches (lbfgs): one step, of a length that a line search finds by passes over all
 * rows. The rows keep their order, so the objective at given weights has the same bits in every pass; a resumed run
 * evaluates once where the interrupted one stopped, and goes on with the same bits.
 *
 * All ranks have the same sums and so compute the same decisions, but they follow those of rank 0: if a bit flips in
 * the memory of one rank, that rank must not decide otherwise, or the ranks would wait for each other for ever. The
 * comparison at the end of the epoch finds the flipped bit. */
#include <math.h>

#include "network/line_search.h"
#include "ranks/comm.h"
#include "run/run.h"

enum { MOST_EVEN_EPOCHS = 10 };
static const double ROUNDING = 1e-7; /* of a loss in single precision */

bool run_searches(const trainer *t) { return optimizer_searches(t->optimizer.kind); }

mlpd_status run_search_create(trainer *t) {
  return run_searches(t) ? lbfgs_create(&t->optimizer, t->prep.model->network, &t->search.method) : MLPD_OK;
}

/* The passes of an epoch, and the figures of the last. */
typedef struct search_passes {
  uint64_t count;
  step_outcome outcome; /* stop, checkpoint: of any pass so far */
  double value, slope;  /* of the objective, along the direction; not finite: there is none */
} search_passes;

static double mean_loss(const loss_sums *sums) { return sums->weight > 0 ? sums->loss / sums->weight : 0; }

/* One pass over all rows at the network's weights: the objective, and its gradient in the optimizer. Collective. */
static mlpd_status evaluate(trainer *t, search_passes *p) {
  step_outcome now;
  step_wishes wishes = run_wishes(t);
  double figures[2] = {INFINITY, INFINITY};
  wishes.check = wishes.check && p->count == 0;
  timeline_next_step(t->line);
  const uint64_t began = timeline_begin(t->line);
  comm_watch_step(t->comm, t->state.step + 1);
  TRY(stepper_step(t->stepper, 0, 0, &wishes, &now));
  (void)timeline_end(t->line, 0, TIMELINE_STEP, 0, 0, began);
  if (!now.agreed) return run_after_step(t, &now);
  now.stop = now.stop || p->outcome.stop;
  now.checkpoint = now.checkpoint || p->outcome.checkpoint;
  p->outcome = now;
  p->count++;
  if (now.finite) {
    figures[0] = mean_loss(&now.sums) + lbfgs_add_decay(&t->search.method);
    figures[1] = lbfgs_slope(&t->search.method);
  }
  TRY(comm_broadcast(t->comm, figures, sizeof figures, 0));
  p->value = figures[0];
  p->slope = figures[1];
  return MLPD_OK;
}

static void keep_figures(trainer *t, const search_passes *p) {
  t->search.known = true;
  t->search.objective = p->value;
  t->search.sums = p->outcome.sums;
}

/* The first pass of a run, or of a resumed one. */
static mlpd_status evaluate_start(trainer *t, search_passes *p) {
  TRY(evaluate(t, p));
  if (isfinite(p->value) && isfinite(p->slope)) { /* the direction is 0 here, and so the slope of a finite gradient */
    keep_figures(t, p);
    return MLPD_OK;
  }
  return FAIL(MLPD_ERROR_DIVERGED,
              "the loss, or its gradient, is not a finite number at the weights that the run begins with (epoch %llu), "
              "so lbfgs has no direction to search in; --normalize standard, another --init or a smaller network may "
              "help",
              (unsigned long long)t->state.epoch);
}

/* Searches along one direction. *step: of the weights, in lengths of the direction; 0: none lowers the loss, the
 * weights are as before. *history: the direction depended on former steps. Collective. */
static mlpd_status search_along(trainer *t, search_passes *p, double *step, bool *history) {
  lbfgs *const method = &t->search.method;
  line_search search;
  lbfgs_begin(method);
  double start[3] = {method->slope, lbfgs_first_step(method), lbfgs_has_history(method)};
  TRY(comm_broadcast(t->comm, start, sizeof start, 0));
  *step = 0;
  *history = start[2] > 0;
  if (!(start[0] < 0) || !isfinite(start[0]) || !(start[1] > 0)) return MLPD_OK;
  line_search_begin(&search, t->search.objective, start[0], start[1]);
  while (search.state == LINE_SEARCH_ASKS) {
    lbfgs_move(method, search.step);
    TRY(evaluate(t, p));
    line_search_take(&search, p->value, p->slope);
  }
  if (search.state == LINE_SEARCH_FAILED) {
    lbfgs_return(method);
    return MLPD_OK;
  }
  lbfgs_accept(method);
  keep_figures(t, p);
  *step = search.step;
  return MLPD_OK;
}

/* Ends the run if neither the history's direction nor that of steepest descent led down, or if the objective has not
 * fallen for a while: near the minimum a search goes by slopes, and would go on for ever. */
static void decide_end(trainer *t, double step) {
  search_state *const state = &t->state.search;
  const double objective = t->search.objective;
  state->since++;
  if (objective < state->best - ROUNDING * fabs(objective)) {
    state->best = objective;
    state->since = 0;
  }
  if (step > 0 && state->since < MOST_EVEN_EPOCHS) return;
  char text[200];
  (void)snprintf(text, sizeof text, "lbfgs finds no lower loss in single precision: the run ends with epoch %llu",
                 (unsigned long long)t->state.epoch);
  run_notice(t, text);
  state->ended = 1;
}

mlpd_status run_search_epoch(trainer *t, double *step, uint64_t *passes) {
  search_passes p = {.outcome = {.agreed = true, .finite = true}};
  bool history = false;
  if (!t->search.known) TRY(evaluate_start(t, &p));
  TRY(search_along(t, &p, step, &history));
  if (*step == 0 && history) {
    lbfgs_forget(&t->search.method);
    TRY(search_along(t, &p, step, &history));
  }
  decide_end(t, *step);
  t->sums = t->search.sums;
  t->state.step++;
  t->state.step_in_epoch++;
  *passes = p.count;
  run_average_step(t);
  return run_after_step(t, &p.outcome);
}
