/* A run: epochs, validation, the best model, early stopping. Every decision depends on figures that are equal on
 * all ranks; only rank 0 writes. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/machine_memory.h"
#include "kernels/cpu.h"
#include "kernels/vector.h"
#include "network/schedule.h"
#include "ranks/clock.h"
#include "ranks/comm.h"
#include "run/run.h"
#include "run/run_files.h"
#include "run/run_table.h"

static const double REPORT_EVERY_SECONDS = 0.1;

/* Notifies the user once if metrics.csv could not be written (status); the next row tries again. */
static void tell_metrics(trainer *t, mlpd_status status) {
  char text[1200];
  if (t->folder_lost) return; /* the run ends with this message */
  if (status != MLPD_OK && t->told_metrics == NULL) {
    t->told_metrics = t->folder.failed != NULL ? t->folder.failed : "metrics.csv";
    (void)snprintf(text, sizeof text, "%s could not be written; the run tries again after each epoch: %s",
                   t->told_metrics, mlpd_error_message());
    run_notice(t, text);
  }
  if (status != MLPD_OK || t->told_metrics == NULL) return;
  (void)snprintf(text, sizeof text, "%s could be written again and is complete", t->told_metrics);
  run_notice(t, text);
  t->told_metrics = NULL;
}

/* A run whose folder is gone can save nothing: it stops after the next step. */
static void add_to_folder(trainer *t, const mlpd_epoch *figures) {
  const mlpd_status status = run_folder_add(&t->folder, figures);
  t->folder_lost = status != MLPD_OK && run_lock_check(&t->folder.lock) != MLPD_OK;
  tell_metrics(t, status);
}

/* ---- Epochs --------------------------------------------------------------------------------------- */

static void report_step(trainer *t, double samples_per_second) {
  if (!run_is_root(t) || t->events == NULL || t->events->stepped == NULL) return;
  const double now = clock_seconds();
  if (now - t->reported_at < REPORT_EVERY_SECONDS) return;
  t->reported_at = now;
  t->events->stepped(t->events->context, t->state.epoch, t->state.step_in_epoch, t->prep.plan.steps_per_epoch,
                     t->sums.weight > 0 ? t->sums.loss / t->sums.weight : 0, samples_per_second);
}

/* One step of the current epoch. Collective. */
static mlpd_status train_step(trainer *t, double *lr) {
  step_outcome outcome;
  timeline_next_step(t->line);
  const uint64_t began = timeline_begin(t->line);
  const schedule_epoch epoch = {.steps = t->prep.plan.steps_per_epoch, .samples = t->prep.plan.rows};
  *lr = schedule_lr(&t->prep.options, &epoch, t->state.step, &t->state.schedule);
  stepper_weaken(t->stepper, schedule_regularization(&t->prep.options, t->prep.plan.steps_per_epoch, t->state.step));
  const step_wishes wishes = run_wishes(t);
  comm_watch_step(t->comm, t->state.step + 1);
  TRY(stepper_step(t->stepper, t->state.step_in_epoch, *lr, &wishes, &outcome));
  if (!outcome.finite) return run_diverged(t, "the loss is not a finite number", t->state.step + 1);
  t->sums.loss += outcome.sums.loss;
  t->sums.weight += outcome.sums.weight;
  t->sums.correct += outcome.sums.correct;
  t->sums.square += outcome.sums.square;
  t->state.step++;
  t->state.step_in_epoch++;
  run_average_step(t);
  const mlpd_status status = run_after_step(t, &outcome);
  (void)timeline_end(t->line, 0, TIMELINE_STEP, 0, 0, began);
  return status;
}

/* Times of the epoch over the ranks: maximum, minimum and mean (summed in nanoseconds). Collective. */
static mlpd_status take_times(trainer *t, const step_times *before, double started, uint64_t rows,
                              mlpd_epoch *figures) {
  const step_times after = stepper_times(t->stepper);
  const double own[3] = {after.compute - before->compute, after.reduce - before->reduce, after.data - before->data};
  double seconds[7] = {clock_seconds() - started, own[0], own[1], own[2], -own[0], -own[1], -own[2]};
  uint64_t sums[3];
  for (int i = 0; i < 3; i++) sums[i] = own[i] > 0 ? (uint64_t)(1e9 * own[i]) : 0;
  TRY(comm_max_double(t->comm, seconds, 7));
  TRY(comm_sum_u64(t->comm, sums, 3));
  const double share = 1e-9 / mlpd_comm_size(t->comm);
  figures->seconds = seconds[0];
  figures->compute_seconds = seconds[1];
  figures->reduce_seconds = seconds[2];
  figures->data_seconds = seconds[3];
  figures->compute_least = -seconds[4];
  figures->reduce_least = -seconds[5];
  figures->data_least = -seconds[6];
  figures->compute_mean = share * (double)sums[0];
  figures->reduce_mean = share * (double)sums[1];
  figures->data_mean = share * (double)sums[2];
  figures->samples_per_second = (double)rows / seconds[0];
  t->result->seconds += seconds[0];
  t->result->compute_seconds += seconds[1];
  t->result->reduce_seconds += seconds[2];
  t->result->data_seconds += seconds[3];
  t->result->samples_per_second += (double)rows; /* divided by the seconds at the end */
  return MLPD_OK;
}

/* The remaining steps of the current epoch; fills figures except validation. Collective. */
static mlpd_status train_epoch(trainer *t, mlpd_epoch *figures) {
  const lane_plan *const plan = &t->prep.plan;
  const step_times before = stepper_times(t->stepper);
  const double started = clock_seconds();
  const uint64_t resumed_rows = t->state.step_in_epoch * plan->batch;
  if (t->state.step_in_epoch == 0) t->sums = (loss_sums){0};
  uint64_t passes = 1;
  stepper_begin_epoch(t->stepper, run_searches(t) ? 0 : t->state.epoch - 1);
  while (t->state.step_in_epoch < plan->steps_per_epoch) {
    TRY(run_searches(t) ? run_search_epoch(t, &figures->lr, &passes) : train_step(t, &figures->lr));
    report_step(t, (double)(t->state.step_in_epoch * plan->batch - resumed_rows) / (clock_seconds() - started));
    if (t->stop && t->state.step_in_epoch < plan->steps_per_epoch) return run_interrupt(t);
  }
  /* The loss of the next step reveals a step that ruins the weights; the last step has no next, and its weights may be
   * kept. */
  const mlpd_network *const network = t->prep.model->network;
  if (!isfinite(vector_sum_squares(network->arena_size, network->parameters)))
    return run_diverged(t, "the weights are not finite numbers", t->state.step);
  figures->step = t->state.step;
  figures->train_loss = t->sums.weight > 0 ? t->sums.loss / t->sums.weight : 0;
  figures->train_metric = run_metric(t, &t->sums);
  return take_times(t, &before, started, (plan->rows - resumed_rows) * passes, figures);
}

/* Does the run end before its last epoch? */
static bool ends_early(const trainer *t) {
  const mlpd_train_options *const o = &t->prep.options;
  return t->state.search.ended || (t->prep.valid.present && o->patience > 0 && t->state.since_best >= o->patience);
}

/* At the end of an epoch: is it the best, which weights are kept, and does the learning rate fall? */
static void decide(trainer *t, double figure, mlpd_epoch *figures) {
  const mlpd_train_options *const o = &t->prep.options;
  const bool better = figures->has_valid && figure < t->state.best_loss - o->min_delta;
  /* Errors are fractions of a few rows: of equal epochs the later has trained longer. */
  const bool equal = o->select != MLPD_SELECT_LOSS && figures->has_valid && figure == t->state.best_loss;
  figures->best = better || equal;
  t->state.since_best++;
  if (better) t->state.since_best = 0;
  if (figures->best) {
    t->state.best_loss = figure;
    t->state.best_epoch = t->state.epoch;
  }
  schedule_after_epoch(o, figures->has_valid ? figures->valid_loss : figures->train_loss, &t->state.schedule);
  if (figures->has_valid && o->save != MLPD_SAVE_LAST && !figures->best) return;
  run_keep_weights(t, t->state.epoch);
  t->kept_known = figures->has_valid;
  t->kept_valid_loss = figures->valid_loss;
  t->kept_valid_metric = figures->valid_metric;
}

static mlpd_status run_epoch(trainer *t) {
  const uint64_t epochs = t->prep.options.epochs;
  mlpd_epoch figures = {.epoch = t->state.epoch, .epochs = epochs};
  double figure = 0;
  TRY(train_epoch(t, &figures));
  TRY(run_average_epoch(t));
  TRY(run_validate_epoch(t, &figures, &figure));
  decide(t, figure, &figures);
  if (run_is_root(t)) {
    if (t->events != NULL && t->events->epoch_done != NULL) t->events->epoch_done(t->events->context, &figures);
    if (t->keeps_files) add_to_folder(t, &figures);
  }
  t->state.epoch++;
  t->state.step_in_epoch = 0;
  t->sums = (loss_sums){0};
  TRY(run_after_epoch(t, t->state.epoch > epochs || ends_early(t)));
  if (run_is_root(t)) run_save_sometimes(t);
  return MLPD_OK;
}

static mlpd_status run_epochs(trainer *t) {
  const uint64_t epochs = t->prep.options.epochs;
  t->saved_at = t->checkpoint_at = clock_seconds();
  while (t->state.epoch <= epochs && !ends_early(t)) {
    TRY(run_epoch(t));
    if (t->stop && t->state.epoch <= epochs && !ends_early(t)) return run_interrupt(t);
  }
  t->result->stopped_early = t->state.epoch <= epochs;
  t->result->converged = t->state.search.ended;
  return MLPD_OK;
}

/* ---- End ------------------------------------------------------------------------------------------ */

/* On rank 0: writes rows that metrics.csv lacks, or notifies again; keeps the run's error message. */
static void flush_folder(trainer *t) {
  status_kept first;
  status_keep(&first);
  const mlpd_status status = run_folder_flush(&t->folder);
  tell_metrics(t, status);
  t->result->metrics_failed = status != MLPD_OK;
  status_put_back(&first);
}

static void fill_result(trainer *t) {
  mlpd_train_result *const r = t->result;
  mlpd_network_digest(t->prep.model->network, r->digest);
  r->epochs = t->state.epoch - 1;
  r->steps = t->state.step;
  r->best_epoch = t->state.best_epoch;
  r->checkpoints -= r->checkpoints_failed < r->checkpoints ? r->checkpoints_failed : r->checkpoints;
  if (r->seconds > 0) r->samples_per_second /= r->seconds;
}

/* Collective. */
static mlpd_status take_memory(trainer *t) {
  const double before = (double)t->prep.memory_before;
  double bytes[3] = {before, (double)machine_memory_peak(), before + (double)t->prep.expects.total};
  TRY(comm_max_double(t->comm, bytes, 3));
  t->result->memory_before = (uint64_t)bytes[0];
  t->result->memory_peak = (uint64_t)bytes[1];
  t->result->memory_expected = (uint64_t)bytes[2];
  return MLPD_OK;
}

static mlpd_status finish(trainer *t, mlpd_status status) {
  comm_watch_place(t->comm, "while the model is written");
  const mlpd_status saved = run_save_at_end(t, status);
  if (run_is_root(t) && t->keeps_files) flush_folder(t);
  /* After an agreed failure the ranks continue together; every rank has this status. */
  if (status == MLPD_ERROR_DIVERGED || status == MLPD_INTERRUPTED) TRY(run_trace_write(t));
  if (status == MLPD_INTERRUPTED && t->state.kept_epoch > 0) run_take_kept_weights(t);
  if (status != MLPD_OK) return status;
  TRY(mlpd_comm_agree(t->comm, saved));
  TRY(comm_broadcast(t->comm, &t->result->checkpoints_failed, sizeof t->result->checkpoints_failed, 0));
  TRY(comm_broadcast(t->comm, &t->result->metrics_failed, sizeof t->result->metrics_failed, 0));
  run_take_kept_weights(t);
  fill_result(t);
  comm_watch_place(t->comm, "while the test part is evaluated");
  TRY(run_report_valid(t));
  TRY(run_test(t));
  TRY(run_trace_write(t));
  return take_memory(t);
}

/* Keeps the run's error message. model, not NULL: gets the trained model. */
static void free_trainer(trainer *t, mlpd_model **model) {
  status_kept first;
  status_keep(&first);
  checkpoint_writer_free(t->writer);
  const bool begun = t->folder.begun;
  (void)run_folder_close(&t->folder);
  if (!begun) run_table_end(t);
  stepper_free(t->stepper);
  trace_free(t->trace);
  optimizer_free(&t->optimizer);
  lbfgs_free(&t->search.method);
  free(t->mathematics);
  free(t->names);
  free(t->kept);
  free(t->average);
  if (model != NULL) {
    *model = t->prep.model;
    t->prep.model = NULL;
  }
  preparation_free(&t->prep);
  init_source_free(&t->init);
  status_put_back(&first);
}

mlpd_status run_train(const char *function, mlpd_comm *comm, const mlpd_train_options *options,
                      const mlpd_train_events *events, run_half *half, mlpd_train_result *result, mlpd_model **model) {
  KEEP_CALLERS_THREADS();
  if (model != NULL) *model = NULL;
  TRY(status_need(comm, function, "comm"));
  mlpd_status status = status_need(options, function, "options");
  if (status == MLPD_OK) status = status_need(result, function, "result");
  TRY(mlpd_comm_agree(comm, status));
  *result = (mlpd_train_result){0};
  trainer t = {.comm = comm, .half = half, .result = result};
  t.events = run_requests_begin(&t.requests, events);
  if (half != NULL) t.requests.stops = half->stops;
  comm_watch_start(comm, options->stall_timeout, options->stall_abort, t.events != NULL ? t.events->stalled : NULL,
                   t.events != NULL ? t.events->context : NULL);
  status = run_start(&t, options);
  if (status != MLPD_OK) run_table_name_data(&t);
  if (status == MLPD_OK) status = finish(&t, run_epochs(&t));
  const bool whole = status == MLPD_OK || (status == MLPD_INTERRUPTED && t.state.kept_epoch > 0);
  free_trainer(&t, whole ? model : NULL);
  comm_watch_stop(comm);
  run_requests_end(&t.requests);
  return status;
}
