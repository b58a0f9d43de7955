/* Checks of values: a file with the right checksums may still be impossible, made by hand or by a faulty program. */
#include <math.h>

#include "run/checkpoint.h"

enum { MOST_LANES = 65536 }; /* as --lanes */

static mlpd_status impossible(const char *what) { return FAIL(MLPD_ERROR_DATA, "it is damaged: %s", what); }

mlpd_status checkpoint_check_steps(const checkpoint *c, uint64_t steps_per_epoch) {
  const run_state *const s = &c->state;
  if (s->epoch < 1 || s->step_in_epoch >= steps_per_epoch || (s->epoch - 1) > UINT64_MAX / steps_per_epoch - 1 ||
      s->step != (s->epoch - 1) * steps_per_epoch + s->step_in_epoch)
    return impossible("its counters of epochs and steps contradict each other");
  if (s->kept_epoch > s->epoch || s->kept_step > s->step || s->best_epoch >= s->epoch + (s->best_epoch == 0) ||
      s->since_best >= s->epoch || s->schedule.since >= s->epoch || s->search.since >= s->epoch ||
      s->search.ended > (s->epoch > 1))
    return impossible("it has results of epochs that the run had not reached");
  return MLPD_OK;
}

static mlpd_status check_sums(const run_state *s) {
  const bool sums = isfinite(s->sum_loss) && isfinite(s->sum_weight) && isfinite(s->sum_correct) &&
                    isfinite(s->sum_square) && s->sum_weight >= 0 && s->sum_correct >= 0 && s->sum_square >= 0;
  /* Infinite before the first validation. */
  const bool schedule =
      isfinite(s->schedule.factor) && s->schedule.factor >= 0 && !isnan(s->schedule.best) && !isnan(s->search.best);
  return sums && schedule && !isnan(s->best_loss) ? MLPD_OK : impossible("its losses are not numbers");
}

static bool is_state(int arena) {
  return arena >= CHECKPOINT_MORE_STATE || (arena >= CHECKPOINT_STATE && arena < CHECKPOINT_AVERAGE);
}

/* An optimizer's state may be infinite without harm (a second moment), but it is never NaN. */
static mlpd_status check_arena(const checkpoint *c, int arena, const char *what) {
  const float *const values = c->arenas[arena];
  for (uint64_t i = 0; values != NULL && i < c->state.arena_size; i++)
    if (isnan(values[i]) || (!is_state(arena) && isinf(values[i]))) return impossible(what);
  return MLPD_OK;
}

mlpd_status checkpoint_check(const checkpoint *c) {
  static const char *const arenas[CHECKPOINT_MORE_STATE] = {
      [CHECKPOINT_PARAMETERS] = "its weights are not finite numbers",
      [CHECKPOINT_KEPT] = "the weights it has for model.h5 are not finite numbers",
      [CHECKPOINT_AVERAGE] = "its averaged weights are not finite numbers"};
  if (c->state.lanes < 1 || c->state.lanes > MOST_LANES) return impossible("its number of lanes is impossible");
  TRY(check_sums(&c->state));
  for (int i = 0; i < CHECKPOINT_ARENAS; i++)
    TRY(check_arena(c, i, is_state(i) ? "its optimizer's state is not a number" : arenas[i]));
  return MLPD_OK;
}
