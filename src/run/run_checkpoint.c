/* A run's checkpoints: when they are due, and what they hold. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ranks/clock.h"
#include "ranks/comm.h"
#include "run/run.h"

mlpd_status checkpoint_plan_parse(const char *text, checkpoint_plan *plan) {
  *plan = (checkpoint_plan){0};
  if (text == NULL || strcmp(text, "never") == 0) return MLPD_OK;
  char *unit = NULL;
  errno = 0;
  const double amount = strtod(text, &unit);
  const bool whole = amount == floor(amount);
  if (unit != text && errno == 0 && amount > 0 && amount < 1e15) {
    if (strcmp(unit, "min") == 0) {
      plan->seconds = 60 * amount;
      return MLPD_OK;
    }
    if (whole && (*unit == '\0' || strcmp(unit, "steps") == 0)) {
      plan->steps = (uint64_t)amount;
      return MLPD_OK;
    }
    if (whole && (strcmp(unit, "epochs") == 0 || strcmp(unit, "epoch") == 0)) {
      plan->epochs = (uint64_t)amount;
      return MLPD_OK;
    }
  }
  return FAIL(MLPD_ERROR_USAGE, "--checkpoint-every: '%s' is not a number of steps, 10min, 2epochs or never", text);
}

/* ---- Writing ------------------------------------------------------------------------------------- */

void run_tell_checkpoint(trainer *t, mlpd_status status) {
  if (status == MLPD_OK) return;
  char text[1200];
  (void)snprintf(text, sizeof text, "a checkpoint could not be written: %s", mlpd_error_message());
  t->result->checkpoints_failed++;
  t->folder_lost = run_lock_check(&t->folder.lock) != MLPD_OK; /* the run ends with that message */
  if (t->folder_lost || t->told_checkpoint) return;
  t->told_checkpoint = true;
  run_notice(t, text);
}

void run_live_arenas(const trainer *t, float *arenas[CHECKPOINT_ARENAS]) {
  for (int i = 0; i < CHECKPOINT_ARENAS; i++) arenas[i] = NULL;
  arenas[CHECKPOINT_PARAMETERS] = t->prep.model->network->parameters;
  arenas[CHECKPOINT_KEPT] = t->state.kept_epoch > 0 ? t->kept : NULL;
  arenas[CHECKPOINT_AVERAGE] = run_average_begun(t, &t->state) ? t->average : NULL;
  for (uint32_t i = 0; i < t->optimizer.num_state; i++) arenas[checkpoint_state(i)] = t->optimizer.state[i];
}

static checkpoint live_checkpoint(trainer *t) {
  checkpoint c = {.state = t->state,
                  .options = t->mathematics,
                  .config = t->prep.model->config,
                  .metrics = t->folder.metrics.text,
                  .names = t->names};
  c.state.sum_loss = t->sums.loss;
  c.state.sum_weight = t->sums.weight;
  c.state.sum_correct = t->sums.correct;
  c.state.sum_square = t->sums.square;
  run_live_arenas(t, c.arenas);
  return c;
}

/* On rank 0: copies the run's state for the writer, unless it is still writing. */
static void hold(trainer *t) {
  if (t->writer == NULL) {
    run_notice(t, "a checkpoint was requested, but --checkpoint-every is never");
    return;
  }
  bool taken = false;
  const checkpoint live = live_checkpoint(t);
  const uint64_t began = timeline_begin_rare(t->line);
  const mlpd_status status = checkpoint_writer_hold(t->writer, &live, &taken);
  (void)timeline_end(t->line, 0, TIMELINE_CHECKPOINT_COPY, 0, 0, began);
  run_tell_checkpoint(t, status);
  t->missed = !taken && status == MLPD_OK;
  t->checkpoint_at = clock_seconds();
}

static void release(trainer *t) {
  if (t->writer != NULL && checkpoint_writer_release(t->writer)) t->result->checkpoints++;
}

/* As hold and release, but waits for the writer first, and until the checkpoint is on disk. */
static mlpd_status submit_and_wait(trainer *t) {
  if (t->writer == NULL) return MLPD_OK;
  run_tell_checkpoint(t, checkpoint_writer_wait(t->writer));
  hold(t);
  release(t);
  const mlpd_status status = checkpoint_writer_wait(t->writer);
  run_tell_checkpoint(t, status);
  return status;
}

/* ---- When ---------------------------------------------------------------------------------------- */

/* Is a checkpoint of the state after the next step due? It is written once the step after that has found the ranks'
 * weights equal. */
static bool is_due(const trainer *t) {
  if (t->every.steps > 0 && (t->state.step + 1) % t->every.steps == 0) return true;
  return t->every.seconds > 0 && clock_seconds() - t->checkpoint_at >= t->every.seconds;
}

step_wishes run_wishes(trainer *t) {
  const uint64_t check_every = t->prep.options.check_every;
  step_wishes wishes = {.stop = run_requests_stop(&t->requests) || t->folder_lost,
                        .checkpoint = t->writer != NULL && (t->missed || is_due(t)),
                        .check = t->verify || (check_every > 0 && t->state.step % check_every == 0)};
  if (run_requests_take_checkpoint(&t->requests)) wishes.checkpoint = true;
  return wishes;
}

mlpd_status run_after_step(trainer *t, const step_outcome *outcome) {
  if (!outcome->agreed) {
    TRY(stepper_compare_weights(t->stepper));
    return FAIL(MLPD_ERROR_INTERNAL, "weights or optimizer state of the ranks differed before step %llu",
                (unsigned long long)t->state.step);
  }
  t->stop = t->stop || outcome->stop;
  release(t);
  t->verify = outcome->checkpoint;
  /* After the last step of an epoch its decisions are still missing: run_after_epoch() writes the checkpoint. */
  if (!t->verify || t->state.step_in_epoch == t->prep.plan.steps_per_epoch) return MLPD_OK;
  TRY(stepper_complete_state(t->stepper));
  hold(t);
  return MLPD_OK;
}

mlpd_status run_after_epoch(trainer *t, bool last) {
  const uint64_t began = timeline_begin_rare(t->line);
  TRY(stepper_compare_weights(t->stepper));
  (void)timeline_end(t->line, 0, TIMELINE_COMPARE, 0, 0, began);
  const bool by_epochs = t->every.epochs > 0 && (t->state.epoch - 1) % t->every.epochs == 0;
  if (last || t->verify || by_epochs) TRY(stepper_complete_state(t->stepper));
  if (last && run_is_root(t)) (void)submit_and_wait(t);
  if (!last && (t->verify || by_epochs)) {
    hold(t);
    release(t);
  }
  t->verify = false;
  return MLPD_OK;
}

mlpd_status run_interrupt(trainer *t) {
  TRY(stepper_compare_weights(t->stepper));
  TRY(stepper_complete_state(t->stepper));
  mlpd_status status = MLPD_OK;
  if (t->folder_lost)
    status = FAIL(MLPD_ERROR_FILE, "%s: the run folder was removed or renamed during the run", t->folder.path);
  else if (run_is_root(t) && t->writer != NULL)
    status = submit_and_wait(t);
  TRY(mlpd_comm_agree(t->comm, status));
  const bool written = t->every.steps > 0 || t->every.epochs > 0 || t->every.seconds > 0;
  return FAIL(MLPD_INTERRUPTED, "stopped as asked after step %llu (epoch %llu)%s", (unsigned long long)t->state.step,
              (unsigned long long)t->state.epoch,
              written ? "; --resume auto goes on from here" : "; no checkpoint was written: --checkpoint-every never");
}
