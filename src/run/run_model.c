/* The weights that a run keeps for its model, and model.h5. */
#include <string.h>

#include "ranks/clock.h"
#include "run/run.h"

/* In between, an improved model stays in memory: small networks improve faster than disks sync. */
static const double SAVE_EVERY_SECONDS = 5;

void run_keep_weights(trainer *t, uint64_t epoch) {
  const mlpd_network *const network = t->prep.model->network;
  memcpy(t->kept, run_weights(t), network->arena_size * sizeof(float));
  t->prep.model->epoch = t->state.kept_epoch = epoch;
  t->prep.model->step = t->state.kept_step = t->state.step;
  t->unsaved = true;
}

/* Saves the kept weights: the network points to them during the call. Waits for a checkpoint being written, so that its
 * failure is reported before the model's. */
static mlpd_status save_kept(trainer *t) {
  TRY(run_lock_check(&t->folder.lock));
  if (t->writer != NULL) run_tell_checkpoint(t, checkpoint_writer_wait(t->writer));
  mlpd_network *const network = t->prep.model->network;
  float *const current = network->parameters;
  network->parameters = t->kept;
  const uint64_t began = timeline_begin_rare(t->line);
  const mlpd_status status = model_save(t->prep.model, t->folder.model);
  (void)timeline_end(t->line, 0, TIMELINE_MODEL, 0, 0, began);
  network->parameters = current;
  if (status == MLPD_OK) t->unsaved = false;
  t->saved_at = clock_seconds();
  return status;
}

void run_save_sometimes(trainer *t) {
  if (!t->keeps_files || !t->unsaved || clock_seconds() - t->saved_at < SAVE_EVERY_SECONDS) return;
  if (save_kept(t) == MLPD_OK) return;
  t->saved_at = clock_seconds();
  if (!t->told_model) run_notice(t, mlpd_error_message());
  t->told_model = true;
}

mlpd_status run_save_at_end(trainer *t, mlpd_status ended) {
  if (!run_is_root(t) || !t->keeps_files || t->state.kept_epoch == 0 || !t->unsaved) return MLPD_OK;
  if (ended != MLPD_OK && ended != MLPD_ERROR_DIVERGED && ended != MLPD_INTERRUPTED) return MLPD_OK;
  status_kept first;
  status_keep(&first);
  const mlpd_status saved = save_kept(t);
  if (ended == MLPD_OK) return saved;
  if (saved != MLPD_OK) run_notice(t, mlpd_error_message());
  status_put_back(&first);
  return MLPD_OK;
}

void run_take_kept_weights(trainer *t) {
  mlpd_network *const network = t->prep.model->network;
  stepper_own_weights(t->stepper);
  memcpy(network->parameters, t->kept, network->arena_size * sizeof(float));
}
