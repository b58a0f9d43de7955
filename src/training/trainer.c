/* mlpd_train: epochs, validation, the best model, early stopping. Every decision is taken from figures
 * that are equal on all ranks; only rank 0 writes. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "distribution/comm.h"
#include "kernels/vector.h"
#include "network/optimizer.h"
#include "network/schedule.h"
#include "training/prepare.h"
#include "training/run_folder.h"
#include "training/stepper.h"

/* Between these, an improved model waits in memory: small networks improve faster than disks sync. */
static const double SAVE_EVERY_SECONDS = 5;
static const double REPORT_EVERY_SECONDS = 0.1;

typedef struct trainer {
  mlpd_comm *comm;
  const mlpd_train_events *events;
  preparation prep;
  const backend *gemm;
  optimizer optimizer;
  stepper *stepper;
  run_folder folder;   /* rank 0 */
  float *kept;         /* (arena): the weights model.h5 is to hold */
  uint64_t kept_epoch; /* 0: none yet */
  double best_loss;
  uint64_t step, since_best;
  bool unsaved; /* kept is newer than model.h5 */
  double saved_at, reported_at;
  mlpd_train_result *result;
} trainer;

static bool is_root(const trainer *t) { return mlpd_comm_rank(t->comm) == 0; }

static void notice(const trainer *t, const char *text) {
  if (is_root(t) && t->events != NULL && t->events->notice != NULL) t->events->notice(t->events->context, text);
}

/* ---- Start --------------------------------------------------------------------------------------- */

static mlpd_status check_options(const mlpd_train_options *o) {
  if (o->data.file == NULL) return FAIL(MLPD_ERROR_USAGE, "no data file given");
  if (o->out == NULL || o->out[0] == '\0') return FAIL(MLPD_ERROR_USAGE, "--out: no run folder given");
  if (o->batch == 0) return FAIL(MLPD_ERROR_USAGE, "--batch: 0 is not a batch size");
  if (o->epochs == 0) return FAIL(MLPD_ERROR_USAGE, "--epochs: 0 is no run");
  if (!(o->valid_fraction >= 0 && o->valid_fraction < 1))
    return FAIL(MLPD_ERROR_USAGE, "--valid-fraction: %g is not in [0, 1)", o->valid_fraction);
  if (!isfinite(o->lr)) return FAIL(MLPD_ERROR_USAGE, "--lr: not a number");
  return MLPD_OK;
}

static void fill_plan(trainer *t) {
  const preparation *const p = &t->prep;
  mlpd_train_result *const r = t->result;
  r->task = p->options.task;
  r->train_rows = p->plan.rows;
  r->valid_rows = p->valid.present ? p->valid.range.rows : 0;
  r->features = p->features;
  r->outputs = p->outputs;
  r->lanes = p->options.lanes;
  r->ranks = mlpd_comm_size(t->comm);
  r->threads = p->threads;
  r->backend = t->gemm->name;
}

static mlpd_status start(trainer *t, const mlpd_train_options *options) {
  mlpd_comm *const comm = t->comm;
  mlpd_status status = check_options(options);
  if (status == MLPD_OK) status = backend_choose(options->backend, &t->gemm);
  TRY(mlpd_comm_agree(comm, status));
  const double started = comm_seconds();
  TRY(preparation_create(comm, options, t->events, &t->prep));
  t->result->load_seconds = comm_seconds() - started;
  const preparation *const p = &t->prep;
  mlpd_network *const network = p->model->network;
  status = optimizer_create(&p->options, network, &t->optimizer);
  if (status == MLPD_OK) status = memory_allocate(&t->kept, network->arena_size, sizeof(float), "best weights");
  TRY(mlpd_comm_agree(comm, status));
  TRY(stepper_create(&(stepper_parts){.comm = comm,
                                      .network = network,
                                      .gemm = t->gemm,
                                      .optimizer = &t->optimizer,
                                      .plan = &p->plan,
                                      .rows = &p->train,
                                      .input = &p->model->input,
                                      .loss = p->options.loss,
                                      .reduce = p->options.reduce,
                                      .seed = p->options.seed,
                                      .clip_norm = p->options.clip_norm,
                                      .threads = p->threads},
                     &t->stepper));
  fill_plan(t);
  status = is_root(t) ? run_folder_open(options->out, options->config_text, &t->folder) : MLPD_OK;
  TRY(mlpd_comm_agree(comm, status));
  if (is_root(t) && t->events != NULL && t->events->started != NULL) t->events->started(t->events->context, t->result);
  return MLPD_OK;
}

/* ---- The model ------------------------------------------------------------------------------------ */

static void keep_weights(trainer *t, uint64_t epoch) {
  const mlpd_network *const network = t->prep.model->network;
  memcpy(t->kept, network->parameters, network->arena_size * sizeof(float));
  t->kept_epoch = epoch;
  t->prep.model->epoch = epoch;
  t->prep.model->step = t->step;
  t->unsaved = true;
}

/* The network takes the kept weights for the call and gets its own back. */
static mlpd_status save_kept(trainer *t) {
  mlpd_network *const network = t->prep.model->network;
  float *const current = network->parameters;
  network->parameters = t->kept;
  const mlpd_status status = model_save(t->prep.model, t->folder.model);
  network->parameters = current;
  if (status == MLPD_OK) t->unsaved = false;
  t->saved_at = comm_seconds();
  return status;
}

/* Saves now and then; a failure is told and tried again, for the weights are still in memory. */
static void save_sometimes(trainer *t) {
  if (!is_root(t) || !t->unsaved || comm_seconds() - t->saved_at < SAVE_EVERY_SECONDS) return;
  if (save_kept(t) != MLPD_OK) notice(t, mlpd_error_message());
}

/* ---- Epochs --------------------------------------------------------------------------------------- */

static double metric_of(const trainer *t, const loss_sums *sums) {
  const preparation *const p = &t->prep;
  if (!(sums->weight > 0)) return 0;
  if (p->options.task == MLPD_CLASSIFICATION) return sums->correct / sums->weight;
  const double unit = p->outputs == 1 ? 1 / (double)p->model->target.scale[0] : 1;
  return sqrt(sums->square / (sums->weight * p->outputs)) * unit;
}

static void report_step(trainer *t, uint64_t epoch, uint64_t step, const loss_sums *sums, double seconds) {
  if (!is_root(t) || t->events == NULL || t->events->stepped == NULL) return;
  const double now = comm_seconds();
  if (now - t->reported_at < REPORT_EVERY_SECONDS) return;
  t->reported_at = now;
  const double samples = (double)(step + 1) * (double)t->prep.plan.batch;
  t->events->stepped(t->events->context, epoch, step + 1, t->prep.plan.steps_per_epoch,
                     sums->weight > 0 ? sums->loss / sums->weight : 0, samples / seconds);
}

/* what: "the loss is not a finite number", after or in step (from 1). */
static mlpd_status diverged(trainer *t, const char *what, uint64_t step, uint64_t epoch, double lr) {
  char kept[128] = "no model was written";
  if (t->kept_epoch > 0)
    (void)snprintf(kept, sizeof kept, "model.h5 keeps the weights of epoch %llu", (unsigned long long)t->kept_epoch);
  return FAIL(MLPD_ERROR_DIVERGED,
              "%s at step %llu (epoch %llu); the likely cause is a learning rate too large for this network: try "
              "--lr %g, --warmup-epochs 1 or --clip-norm 1; %s",
              what, (unsigned long long)step, (unsigned long long)epoch, lr / 10, kept);
}

/* The steps of one epoch (from 1); fills all of figures but validation. Collective. */
static mlpd_status train_epoch(trainer *t, uint64_t epoch, mlpd_epoch *figures) {
  const lane_plan *const plan = &t->prep.plan;
  const step_times before = stepper_times(t->stepper);
  const double started = comm_seconds();
  loss_sums sums = {0};
  stepper_begin_epoch(t->stepper, epoch - 1);
  for (uint64_t step = 0; step < plan->steps_per_epoch; step++) {
    const double lr = schedule_lr(&t->prep.options, plan->steps_per_epoch, t->step);
    step_outcome outcome;
    TRY(stepper_step(t->stepper, step, lr, &outcome));
    if (!outcome.finite) return diverged(t, "the loss is not a finite number", t->step + 1, epoch, lr);
    sums.loss += outcome.sums.loss;
    sums.weight += outcome.sums.weight;
    sums.correct += outcome.sums.correct;
    sums.square += outcome.sums.square;
    figures->lr = lr;
    t->step++;
    report_step(t, epoch, step, &sums, comm_seconds() - started);
  }
  /* A step that ruins the weights shows in the loss of the next; the last has none, and its weights may be kept. */
  const mlpd_network *const network = t->prep.model->network;
  if (!isfinite(vector_sum_squares(network->arena_size, network->parameters)))
    return diverged(t, "the weights are not finite numbers", t->step, epoch, figures->lr);
  const step_times after = stepper_times(t->stepper);
  double seconds[4] = {comm_seconds() - started, after.compute - before.compute, after.reduce - before.reduce,
                       after.data - before.data};
  TRY(comm_max_double(t->comm, seconds, 4));
  figures->step = t->step;
  figures->train_loss = sums.weight > 0 ? sums.loss / sums.weight : 0;
  figures->train_metric = metric_of(t, &sums);
  figures->seconds = seconds[0];
  figures->compute_seconds = seconds[1];
  figures->reduce_seconds = seconds[2];
  figures->data_seconds = seconds[3];
  figures->samples_per_second = (double)plan->rows / seconds[0];
  return MLPD_OK;
}

static mlpd_status validate(trainer *t, mlpd_epoch *figures) {
  const preparation *const p = &t->prep;
  if (!p->valid.present) return MLPD_OK;
  const double started = comm_seconds();
  loss_sums sums;
  TRY(forward_losses(t->comm, p->model->network, t->gemm, &p->model->input, &p->valid.rows, &p->valid.range,
                     p->options.loss, p->threads, &sums));
  figures->has_valid = true;
  figures->valid_loss = sums.loss / sums.weight;
  figures->valid_metric = metric_of(t, &sums);
  t->result->valid_seconds += comm_seconds() - started;
  return MLPD_OK;
}

/* Takes the decisions of an epoch's end; true where training should stop early. */
static bool end_epoch(trainer *t, uint64_t epoch, mlpd_epoch *figures) {
  const mlpd_train_options *const o = &t->prep.options;
  figures->best = figures->has_valid && figures->valid_loss < t->best_loss - o->min_delta;
  if (figures->best) {
    t->best_loss = figures->valid_loss;
    t->result->best_epoch = epoch;
    t->since_best = 0;
  } else {
    t->since_best++;
  }
  if (!figures->has_valid || o->keep == MLPD_KEEP_LAST || figures->best) keep_weights(t, epoch);
  return figures->has_valid && o->patience > 0 && t->since_best >= o->patience;
}

static void add_times(mlpd_train_result *r, const mlpd_epoch *figures) {
  r->seconds += figures->seconds;
  r->compute_seconds += figures->compute_seconds;
  r->reduce_seconds += figures->reduce_seconds;
  r->data_seconds += figures->data_seconds;
}

static mlpd_status run_epochs(trainer *t) {
  const mlpd_train_options *const o = &t->prep.options;
  t->best_loss = INFINITY;
  t->saved_at = comm_seconds();
  for (uint64_t epoch = 1; epoch <= o->epochs && !t->result->stopped_early; epoch++) {
    mlpd_epoch figures = {.epoch = epoch, .epochs = o->epochs};
    TRY(train_epoch(t, epoch, &figures));
    TRY(validate(t, &figures));
    if (figures.has_valid && !isfinite(figures.valid_loss))
      return diverged(t, "the validation loss is not a finite number", t->step, epoch, figures.lr);
    t->result->stopped_early = end_epoch(t, epoch, &figures) && epoch < o->epochs;
    t->result->epochs = epoch;
    add_times(t->result, &figures);
    if (!is_root(t)) continue;
    if (t->events != NULL && t->events->epoch_done != NULL) t->events->epoch_done(t->events->context, &figures);
    if (run_folder_add(&t->folder, &figures) != MLPD_OK) notice(t, mlpd_error_message());
    save_sometimes(t);
  }
  return MLPD_OK;
}

/* ---- End ------------------------------------------------------------------------------------------ */

static mlpd_status test(trainer *t) {
  const preparation *const p = &t->prep;
  held_out part;
  TRY(held_out_read(t->comm, &p->options.data, MLPD_TEST, p->model, true, false, &part));
  mlpd_status status = MLPD_OK;
  if (part.present) {
    loss_sums sums;
    status = forward_losses(t->comm, p->model->network, t->gemm, &p->model->input, &part.rows, &part.range,
                            p->options.loss, p->threads, &sums);
    if (status == MLPD_OK) {
      t->result->has_test = true;
      t->result->test_rows = part.range.rows;
      t->result->test_loss = sums.loss / sums.weight;
      t->result->test_metric = metric_of(t, &sums);
    }
  }
  shard_free(&part.rows);
  return status;
}

/* Whatever ended the run: the kept weights reach the disk, then the status is agreed on. */
static mlpd_status finish(trainer *t, mlpd_status status) {
  mlpd_network *const network = t->prep.model->network;
  mlpd_status saved = MLPD_OK;
  if (t->kept_epoch > 0 && is_root(t) && t->unsaved && (status == MLPD_OK || status == MLPD_ERROR_DIVERGED)) {
    char message[1024];
    (void)snprintf(message, sizeof message, "%s", mlpd_error_message());
    saved = save_kept(t);
    if (saved == MLPD_OK && status != MLPD_OK) status = FAIL(status, "%s", message);
  }
  const mlpd_status closed = is_root(t) ? run_folder_close(&t->folder) : MLPD_OK;
  if (status != MLPD_OK) return status; /* every rank has it already */
  TRY(mlpd_comm_agree(t->comm, saved != MLPD_OK ? saved : closed));
  memcpy(network->parameters, t->kept, network->arena_size * sizeof(float));
  mlpd_network_digest(network, t->result->digest);
  t->result->steps = t->step;
  t->result->samples_per_second = (double)(t->prep.plan.rows * t->result->epochs) / t->result->seconds;
  return test(t);
}

static void free_trainer(trainer *t) {
  (void)run_folder_close(&t->folder);
  stepper_free(t->stepper);
  optimizer_free(&t->optimizer);
  free(t->kept);
  preparation_free(&t->prep);
}

mlpd_status mlpd_train(mlpd_comm *comm, const mlpd_train_options *options, const mlpd_train_events *events,
                       mlpd_train_result *result) {
  *result = (mlpd_train_result){0};
  trainer t = {.comm = comm, .events = events, .result = result};
  mlpd_status status = start(&t, options);
  if (status == MLPD_OK) status = finish(&t, run_epochs(&t));
  free_trainer(&t);
  return status;
}
