#include "run/run_choice.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

#include "data/data_open.h"
#include "ranks/comm.h"
#include "run/bins_rule.h"
#include "run/run_files.h"
#include "run/train_agreement.h"

enum { RUNS = 2 };

typedef struct choice {
  const char *function;
  mlpd_comm *comm;
  const mlpd_train_options *options;
  const mlpd_train_events *events;
  run_requests requests;
  run_folder folder; /* of both; rank 0 */
  run_half halves[RUNS];
  run_said said;
  mlpd_train_result results[RUNS];
  mlpd_model *models[RUNS]; /* NULL: the caller needs none */
  mlpd_bins_choice made;
} choice;

static bool is_root(const choice *c) { return mlpd_comm_rank(c->comm) == 0; }

static void notice(const choice *c, const char *text) {
  if (is_root(c) && c->events != NULL && c->events->notice != NULL) c->events->notice(c->events->context, text);
}

/* ---- Before the runs -------------------------------------------------------------------------------- */

static mlpd_status settle(const choice *c, mlpd_train_options *settled, const backend **gemm) {
  *settled = *c->options;
  settled->data = data_settled(&c->options->data);
  mlpd_train_options_settle(settled);
  if (settled->data.file == NULL) return FAIL(MLPD_ERROR_USAGE, "no data file given");
  TRY(mlpd_train_check(settled));
  return backend_choose(settled->backend, gemm);
}

/* Checkpoints of a single run do not belong to a choice, and would be lost. */
static mlpd_status check_resume(const choice *c, const char *out) {
  const bool resumes = c->options->resume != NULL && strcmp(c->options->resume, "auto") == 0;
  char text[FILE_PATH_BYTES + 200];
  if (!resumes || !c->folder.used || run_files_have_half(out)) return MLPD_OK;
  if (access(c->folder.checkpoints, F_OK) == 0)
    return FAIL(MLPD_ERROR_USAGE,
                "%s: its checkpoints are of a single run, without --embed-numbers auto; give --embed-numbers as that "
                "run had it, another --out, or --resume never",
                out);
  (void)snprintf(text, sizeof text,
                 "%s: there is no checkpoint to go on from: the runs without and with bins are not in it; this run "
                 "starts anew in its place",
                 out);
  notice(c, text);
  return MLPD_OK;
}

/* The folder of the second run, before the first has trained. */
static mlpd_status check_halves(const choice *c, const char *logs) {
  bool used = false;
  for (uint32_t i = 0; i < RUNS; i++) TRY(run_folder_check(c->halves[i].folder, logs, &used));
  return MLPD_OK;
}

/* On rank 0: locks the run folder. */
static mlpd_status reserve(choice *c, const mlpd_train_options *settled) {
  const char *const out = settled->out;
  if (!is_root(c) || out == NULL) return MLPD_OK;
  TRY(run_files_check_out(out));
  TRY(run_files_check_apart(out, "--data", settled->data.file));
  folders_made made;
  TRY(folder_make_noted(out, &made));
  const mlpd_status status = run_folder_reserve(out, settled->log, &c->folder);
  c->folder.made = made;
  TRY(status);
  TRY(check_halves(c, settled->log));
  TRY(check_resume(c, out));
  return run_lock_note(&c->folder.lock, false); /* the runs in it are this one's from now on */
}

static mlpd_status name_halves(choice *c) {
  for (uint32_t i = 0; i < RUNS; i++) {
    c->halves[i] = (run_half){.number = i + 1, .whole = c->options->out, .stops = c->requests.stops, .said = &c->said};
    if (c->options->out != NULL) TRY(run_files_half(c->options->out, i + 1, c->halves[i].folder));
  }
  return MLPD_OK;
}

/* The ranks agree that they choose at all, in the calls of any run's start. Collective. */
static mlpd_status start(choice *c) {
  mlpd_train_options settled;
  const backend *gemm = NULL;
  char ignored[AGREEMENT_NOTICE_BYTES]; /* the first run gives this notice */
  TRY(mlpd_comm_agree(c->comm, settle(c, &settled, &gemm)));
  TRY(train_agreement_check(c->comm, gemm, &settled, ignored));
  TRY(mlpd_comm_agree(c->comm, name_halves(c)));
  return mlpd_comm_agree(c->comm, reserve(c, &settled));
}

/* ---- The runs --------------------------------------------------------------------------------------- */

/* The options of a run alone are those that the user would give for it. Collective. */
static mlpd_status run_one(choice *c, uint32_t i, bool wants_model) {
  mlpd_train_options options = *c->options;
  TRY(mlpd_train_options_set(&options, "embed-numbers", i == 0 ? "none" : "piecewise"));
  return run_train(c->function, c->comm, &options, c->events, &c->halves[i], &c->results[i],
                   wants_model ? &c->models[i] : NULL);
}

static double error_of(const mlpd_train_result *r) {
  return r->task == MLPD_CLASSIFICATION ? 1 - r->valid_metric : r->valid_metric;
}

/* ended: of each run, with a model. At least one did, or the result does not matter. Equal on all ranks. */
static void decide(choice *c, const bool ended[RUNS]) {
  const mlpd_train_result *const with = &c->results[1];
  c->made = (mlpd_bins_choice){.run = ended[0] ? 1 : 2, .plain_error = NAN, .bins_error = NAN, .deviation = NAN};
  if (ended[0]) c->made.plain_error = error_of(&c->results[0]);
  if (ended[1]) c->made.bins_error = error_of(with);
  if (ended[0] && ended[1] && bins_rule_takes_bins(with->task, with->valid_rows, &c->made)) c->made.run = 2;
}

static void note_failure(const choice *c, const char *failed, const char *other, const char *why) {
  char text[1400];
  (void)snprintf(text, sizeof text, "the run %s bins failed, so --embed-numbers auto takes the one %s: %s", failed,
                 other, why);
  notice(c, text);
}

/* A run whose loss is no number is none to choose: the other is taken, with a note. plain: the failure of the run
 * without bins, NULL: it ended; bins: the status of the run with them. */
static mlpd_status allow_divergence(const choice *c, const status_kept *plain, mlpd_status bins) {
  if (plain != NULL && bins == MLPD_ERROR_DIVERGED)
    return FAIL(bins, "both runs of --embed-numbers auto failed; the one without bins: %s", plain->message);
  if (plain != NULL && bins == MLPD_OK) note_failure(c, "without", "with them", plain->message);
  if (bins != MLPD_ERROR_DIVERGED) return bins;
  note_failure(c, "with", "without", mlpd_error_message());
  return MLPD_OK;
}

/* Collective. */
static mlpd_status run_both(choice *c, bool wants_model) {
  status_kept failure;
  const mlpd_status plain = run_one(c, 0, wants_model);
  if (c->halves[0].lone || (plain != MLPD_OK && plain != MLPD_ERROR_DIVERGED)) return plain;
  status_keep(&failure);
  const mlpd_status bins = run_one(c, 1, wants_model);
  decide(c, (bool[RUNS]){plain == MLPD_OK, bins == MLPD_OK});
  return allow_divergence(c, plain == MLPD_OK ? NULL : &failure, bins);
}

/* ---- After the runs --------------------------------------------------------------------------------- */

/* The taken run, from 0. */
static uint32_t taken(const choice *c) { return c->made.run == 2 ? 1 : 0; }

/* On rank 0. */
static mlpd_status copy_files(const choice *c) {
  const char *const from = c->halves[taken(c)].folder;
  if (!is_root(c) || c->options->out == NULL) return MLPD_OK;
  const mlpd_status status = run_files_copy(from, c->options->out);
  if (status == MLPD_OK) return MLPD_OK;
  return FAIL(status, "%s; the model is whole in %s: the same command with --resume auto copies it without training",
              mlpd_error_message(), from);
}

/* The run folder gets the files of the taken run. Collective. */
static mlpd_status take_files(const choice *c) { return mlpd_comm_agree(c->comm, copy_files(c)); }

/* Keeps the error message. */
static void finish(choice *c, mlpd_status status, mlpd_train_result *result, mlpd_model **model) {
  status_kept first;
  status_keep(&first);
  const uint32_t i = status == MLPD_OK || status == MLPD_INTERRUPTED ? taken(c) : 0;
  *result = c->results[i];
  result->choice = c->made;
  result->choice.folder = run_files_half_name(i + 1);
  if (model != NULL && (status == MLPD_OK || status == MLPD_INTERRUPTED)) {
    *model = c->models[i];
    c->models[i] = NULL;
  }
  for (uint32_t k = 0; k < RUNS; k++) mlpd_model_free(c->models[k]);
  (void)run_folder_close(&c->folder);
  status_put_back(&first);
}

mlpd_status run_choice(const char *function, mlpd_comm *comm, const mlpd_train_options *options,
                       const mlpd_train_events *events, mlpd_train_result *result, mlpd_model **model) {
  if (model != NULL) *model = NULL;
  TRY(status_need(comm, function, "comm"));
  TRY(mlpd_comm_agree(comm, status_need(result, function, "result")));
  choice c = {.function = function, .comm = comm, .options = options, .events = events};
  (void)run_requests_begin(&c.requests, NULL);
  mlpd_status status = start(&c);
  if (status == MLPD_OK) status = run_both(&c, model != NULL);
  if (status == MLPD_OK) status = take_files(&c);
  finish(&c, status, result, model);
  run_requests_end(&c.requests);
  return status;
}
