/* How a run resumes from a checkpoint: which one, and whether it belongs to the run. */
#include <string.h>
#include <sys/stat.h>

#include "options/option_text.h"
#include "ranks/comm.h"
#include "run/run.h"
#include "run/run_files.h"
#include "run/run_names.h"

/* Renames a file that is no longer recognised as a checkpoint: taken for somebody else's file, it would block the next
 * checkpoint of that step. */
static void set_aside(const char *path, char *note, size_t bytes) {
  char aside[FILE_PATH_BYTES];
  struct stat about;
  if (lstat(path, &about) != 0 || !S_ISREG(about.st_mode) || run_file_is_ours(path, RUN_CHECKPOINT)) return;
  if (snprintf(aside, sizeof aside, "%s.damaged", path) >= (int)sizeof aside || rename(path, aside) != 0) return;
  const size_t length = strlen(note);
  (void)snprintf(note + length, bytes - length, "; it is kept as %s", aside);
}

static void tell_rejected(void *context, const char *path, const char *message) {
  trainer *const t = context;
  char text[1200 + FILE_PATH_BYTES];
  (void)snprintf(text, sizeof text, "skipped a damaged checkpoint: %s", message);
  set_aside(path, text, sizeof text);
  t->skipped++;
  run_notice(t, text);
}

static bool resumes_by_itself(const mlpd_train_options *options) { return strcmp(options->resume, "auto") == 0; }

/* On rank 0, for --resume auto. */
static mlpd_status find_newest(trainer *t, checkpoint *c, bool *found) {
  t->resumed_name = UINT64_MAX;
  /* The checkpoints left by a run that was killed while taking over the folder belong to the run before it, which was
   * given up. */
  if (!t->folder.lock.former_took_over)
    TRY(checkpoint_read_newest(t->folder.checkpoints, &t->resumed_name, c, found, tell_rejected, t));
  if (*found) return MLPD_OK;
  if (!t->folder.lock.former_took_over && run_files_have_half(t->folder.path))
    return FAIL(MLPD_ERROR_USAGE,
                "%s: its checkpoints are of the two runs of --embed-numbers auto; give that option, another --out, or "
                "--resume never",
                t->folder.path);
  if (!t->folder.used) return MLPD_OK;
  char text[FILE_PATH_BYTES + 200];
  (void)snprintf(text, sizeof text, "%s: there is no checkpoint to go on from: %s; this run starts anew in its place",
                 t->folder.path,
                 t->skipped > 0 ? "all are damaged" : "the run in this folder ended before its first, or wrote none");
  run_notice(t, text);
  return MLPD_OK;
}

/* On rank 0, for a checkpoint named by the user: there is no other to fall back on. */
static mlpd_status refuse_impossible(const char *path, mlpd_status status) {
  if (status == MLPD_OK) return MLPD_OK;
  return FAIL(status, "%s: %s; use another checkpoint, or --resume never", path, mlpd_error_message());
}

/* A word, such as yes, is no file; a folder is not its newest checkpoint. */
static mlpd_status check_named(const char *path) {
  struct stat about;
  const bool there = stat(path, &about) == 0;
  if (there && S_ISDIR(about.st_mode))
    return FAIL(
        MLPD_ERROR_USAGE,
        "--resume %s: is a folder; --resume auto with --out FOLDER resumes the newest checkpoint of a run folder; "
        "to choose another, name a file in its checkpoints/",
        path);
  if (there || strchr(path, '/') != NULL || strchr(path, '.') != NULL) return MLPD_OK;
  return FAIL(MLPD_ERROR_USAGE, "--resume: \"%s\" is neither auto nor never nor the file of a checkpoint", path);
}

static mlpd_status read_named(const char *path, checkpoint *c, bool *found) {
  TRY(check_named(path));
  TRY(checkpoint_read(path, c));
  *found = true;
  return refuse_impossible(path, checkpoint_check(c));
}

mlpd_status run_find_checkpoint(trainer *t, mlpd_train_options *options, checkpoint *c, bool *found) {
  mlpd_comm *const comm = t->comm;
  *c = (checkpoint){0};
  *found = false;
  if (options->resume == NULL || strcmp(options->resume, "never") == 0) return MLPD_OK;
  mlpd_status status = MLPD_OK;
  if (run_is_root(t))
    status = resumes_by_itself(options) ? find_newest(t, c, found) : read_named(options->resume, c, found);
  TRY(mlpd_comm_agree(comm, status));
  uint64_t told[3] = {*found, c->state.lanes, *found && option_text_says(c->options, "parametrization", "ntk")};
  double valid_fraction = *found ? option_text_number(c->options, "valid-fraction", -1) : -1;
  TRY(comm_broadcast(comm, told, sizeof told, 0));
  TRY(comm_broadcast(comm, &valid_fraction, sizeof valid_fraction, 0));
  *found = told[0] != 0;
  if (!*found) return MLPD_OK;
  if (options->lanes == 0) options->lanes = (uint32_t)told[1];
  if (options->preset == MLPD_PRESET_AUTO && told[2] == 0) options->preset = MLPD_PRESET_NONE; /* as it once was */
  if (options->valid_fraction < 0) options->valid_fraction = valid_fraction; /* once none was drawn by default */
  if (told[1] < (uint64_t)mlpd_comm_size(comm))
    return FAIL(MLPD_ERROR_USAGE,
                "the checkpoint is of a run with --lanes %llu, so at most that many ranks can resume it, not %d",
                (unsigned long long)told[1], mlpd_comm_size(comm));
  return MLPD_OK;
}

/* Has a part of the data changed? Format 1 does not tell for validation and test. */
static mlpd_status check_part(const trainer *t, const char *which, uint64_t theirs, uint64_t ours) {
  if (theirs == ours || theirs == CHECKPOINT_UNKNOWN) return MLPD_OK;
  const char *const file = t->data_name;
  if (theirs == 0 || ours == 0)
    return FAIL(MLPD_ERROR_DATA,
                "%s: the checkpoint was made %s %s data, this run has %s; use the same data, another "
                "--out, or --resume never",
                file, theirs == 0 ? "without" : "with", which, ours == 0 ? "none" : "some");
  return FAIL(MLPD_ERROR_DATA,
              "%s: the %s data is not what the checkpoint was made with; use the same data, another "
              "--out, or --resume never",
              file, which);
}

/* The rule behind format 1's fingerprint of the training data that has changed since; NULL: none. */
static const char *former_rule(const trainer *t, const checkpoint *c) {
  if (c->state.valid_fingerprint != CHECKPOINT_UNKNOWN) return NULL;
  if (t->prep.options.task == MLPD_REGRESSION) return "the targets of a regression are scaled";
  if (t->prep.train.weights != NULL || t->prep.source.weight != NULL) return "the weights of rows are scaled";
  return t->prep.split.num_lanes > 0 ? "--valid-fraction draws rows" : NULL;
}

static mlpd_status check_training_part(const trainer *t, const checkpoint *c) {
  const char *const rule = former_rule(t, c);
  if (rule == NULL || c->state.data_fingerprint == t->state.data_fingerprint)
    return check_part(t, "training", c->state.data_fingerprint, t->state.data_fingerprint);
  return FAIL(
      MLPD_ERROR_DATA,
      "the checkpoint is of an older version (format 1); since then, %s by another rule, so this version cannot "
      "go on to the same weights, nor tell whether %s is the same data; finish that run with the version that "
      "began it, or begin anew with another --out or --resume never",
      rule, t->data_name);
}

/* On rank 0: was c made by a run with these options and this data? */
static mlpd_status check_belongs(const trainer *t, const checkpoint *c) {
  char theirs[OPTION_LINE_BYTES], ours[OPTION_LINE_BYTES];
  if (option_text_differs(c->options, t->mathematics, theirs, ours)) {
    const bool epochs = strncmp(ours, "epochs =", strlen("epochs =")) == 0; /* compared only if they decide the rates */
    return FAIL(MLPD_ERROR_USAGE,
                "the checkpoint was made with '%s', this run has '%s'%s; use the same options, another --out, or "
                "--resume never",
                theirs, ours,
                epochs ? ", and with this --schedule the learning rate of each step depends on it (constant leaves the "
                         "end open)"
                       : "");
  }
  TRY(check_training_part(t, c));
  TRY(check_part(t, "validation", c->state.valid_fingerprint, t->state.valid_fingerprint));
  TRY(check_part(t, "test", c->state.test_fingerprint, t->state.test_fingerprint));
  return run_names_compare(c->names, t->names, t->data_name);
}

/* The history of a search may have any length: it has two arrays for each step. */
static bool states_fit(const trainer *t, const checkpoint *c) {
  const uint32_t count = checkpoint_num_states(c);
  for (uint32_t i = count; i < OPTIMIZER_MOST_STATE; i++)
    if (c->arenas[checkpoint_state(i)] != NULL) return false;
  if (!optimizer_searches(t->optimizer.kind)) return count == t->optimizer.num_state;
  return count % 2 == 0 && count <= t->optimizer.most_state && count / 2 <= c->state.step;
}

/* On rank 0: could this run have reached the state in c? */
static mlpd_status check_possible(const trainer *t, const checkpoint *c) {
  TRY(checkpoint_check_steps(c, t->prep.plan.steps_per_epoch));
  if (c->state.arena_size != t->prep.model->network->arena_size)
    return FAIL(MLPD_ERROR_DATA, "it is damaged, or of a version whose network has other weights for these options");
  bool fits = states_fit(t, c);
  fits = fits && (c->arenas[CHECKPOINT_KEPT] != NULL) == (c->state.kept_epoch > 0);
  fits = fits && (c->arenas[CHECKPOINT_AVERAGE] != NULL) == run_average_begun(t, &c->state);
  return fits ? MLPD_OK : FAIL(MLPD_ERROR_DATA, "it is damaged: its arrays do not fit this network");
}

/* On rank 0, for --resume auto: replaces the impossible c by the newest possible checkpoint before it. */
static mlpd_status take_one_before(trainer *t, checkpoint *c) {
  char path[FILE_PATH_BYTES], message[1200 + FILE_PATH_BYTES];
  bool found = false;
  TRY(checkpoint_path(path, t->folder.checkpoints, t->resumed_name));
  (void)snprintf(message, sizeof message, "%s: %s", path, mlpd_error_message());
  tell_rejected(t, path, message);
  checkpoint_free(c);
  TRY(checkpoint_read_newest(t->folder.checkpoints, &t->resumed_name, c, &found, tell_rejected, t));
  if (found) return MLPD_OK;
  return FAIL(MLPD_ERROR_DATA, "%s: no checkpoint in it can be used; --resume never begins anew", t->folder.path);
}

/* On rank 0: checks c and, with --resume auto, falls back to earlier checkpoints. */
static mlpd_status settle_checkpoint(trainer *t, checkpoint *c) {
  for (;;) {
    TRY(check_belongs(t, c));
    const mlpd_status possible = check_possible(t, c);
    if (possible == MLPD_OK) break;
    if (!resumes_by_itself(&t->prep.options)) return refuse_impossible(t->prep.options.resume, possible);
    TRY(take_one_before(t, c));
  }
  const uint64_t epochs = c->state.epoch - (c->state.step_in_epoch == 0);
  if (epochs <= t->prep.options.epochs) return MLPD_OK;
  return FAIL(MLPD_ERROR_USAGE, "the checkpoint is in epoch %llu, beyond --epochs %llu; use a larger --epochs",
              (unsigned long long)epochs, (unsigned long long)t->prep.options.epochs);
}

mlpd_status run_restore(trainer *t, checkpoint *c) {
  TRY(mlpd_comm_agree(t->comm, run_is_root(t) ? settle_checkpoint(t, c) : MLPD_OK));
  const run_state ours = t->state;
  if (run_is_root(t)) t->state = c->state;
  TRY(comm_broadcast(t->comm, &t->state, sizeof t->state, 0));
  t->state.lanes = ours.lanes;
  t->state.data_fingerprint = ours.data_fingerprint;
  t->state.valid_fingerprint = ours.valid_fingerprint;
  t->state.test_fingerprint = ours.test_fingerprint;
  t->state.arena_size = ours.arena_size;
  uint64_t num_state = checkpoint_num_states(c);
  TRY(comm_broadcast(t->comm, &num_state, sizeof num_state, 0));
  t->optimizer.num_state = (uint32_t)num_state;
  float *arenas[CHECKPOINT_ARENAS];
  run_live_arenas(t, arenas);
  const size_t bytes = ours.arena_size * sizeof(float);
  for (int i = 0; i < CHECKPOINT_ARENAS; i++) {
    if (arenas[i] == NULL) continue;
    if (run_is_root(t)) memcpy(arenas[i], c->arenas[i], bytes);
    TRY(comm_broadcast(t->comm, arenas[i], bytes, 0));
  }
  t->optimizer.step = t->state.step;
  t->sums = (loss_sums){.loss = t->state.sum_loss,
                        .weight = t->state.sum_weight,
                        .correct = t->state.sum_correct,
                        .square = t->state.sum_square};
  t->prep.model->epoch = t->state.kept_epoch;
  t->prep.model->step = t->state.kept_step;
  t->unsaved = t->state.kept_epoch > 0;
  t->result->resumed_step = t->state.step;
  return MLPD_OK;
}
