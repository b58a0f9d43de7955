/* A run under way: what trainer.c and the run_*.c files share. No function here is collective unless its comment says
 * so. */
#ifndef MLPDIST_RUN_H
#define MLPDIST_RUN_H

#include "network/lbfgs.h"
#include "prepare/init_from.h"
#include "prepare/prepare.h"
#include "run/checkpoint.h"
#include "run/run_folder.h"
#include "run/run_requests.h"
#include "run/trace.h"
#include "step/stepper.h"

/* When checkpoints are due; 0: not counted in this unit. */
typedef struct checkpoint_plan {
  uint64_t steps, epochs;
  double seconds;
} checkpoint_plan;

/* An optimizer that searches. */
typedef struct run_search {
  lbfgs method;
  bool known;       /* the optimizer has the gradient at the weights, and the next two are of them */
  double objective; /* mean loss and weight decay */
  loss_sums sums;
} run_search;

/* Notices that the first run of --embed-numbers auto gave before its first step; the second does not repeat them. */
typedef struct run_said {
  uint64_t hashes[64];
  uint32_t count;
} run_said;

/* One of the two runs of --embed-numbers auto. The folders of both lie in the run folder of the whole. */
typedef struct run_half {
  uint32_t number;              /* 1: without bins, 2: with */
  char folder[FILE_PATH_BYTES]; /* of this run */
  const char *whole;            /* the run folder of both; NULL: there is none */
  unsigned stops;               /* requests to stop before both; those after it stop this run, too */
  bool lone;                    /* set by the first: no column can have bins, so there is no second */
  bool started;                 /* its notices are of its own from now on */
  run_said *said;               /* of both */
} run_half;

typedef struct trainer {
  mlpd_comm *comm;
  run_half *half; /* NULL: the run is no part of a choice */
  run_requests requests;
  const mlpd_train_events *events; /* the program's, through requests */
  mlpd_train_result *result;
  preparation prep;
  const backend *gemm;
  init_source init; /* the model that the run starts from */
  optimizer optimizer;
  run_search search; /* of an optimizer that searches */
  stepper *stepper;
  run_folder folder;         /* rank 0 */
  checkpoint_writer *writer; /* rank 0 */
  checkpoint_plan every;
  bool keeps_files;                 /* there is a run folder; equal on all ranks */
  bool raw_table;                   /* the data must be converted */
  folders_made made;                /* on rank 0: the run folder, for the result */
  const char *data_name;            /* the data that the user named; prep reads the table converted from it */
  char table[FILE_PATH_BYTES];      /* the converted file of the run */
  char table_next[FILE_PATH_BYTES]; /* where it waits until the run takes over its folder, or "" */
  bool drops_next;                  /* this run made that file, and removes it if it does not begin */
  uint64_t skipped;                 /* rank 0: damaged checkpoints */
  uint64_t resumed_name;            /* rank 0, with --resume auto: the step in the checkpoint's name */
  char *mathematics;                /* options that decide the weights */
  char *names;                      /* of the data, see run_names.h */
  run_state state;                  /* current position; equal on all ranks */
  loss_sums sums;                   /* of the current epoch */
  float *kept;                      /* (arena): the weights for model.h5 */
  float *average;                   /* (arena): of the weights, NULL: none is wanted */
  bool kept_known;                  /* the next two, of the kept weights, are known; after a resume they are not */
  double kept_valid_loss, kept_valid_metric;
  const char *told_metrics; /* the metrics file that a notice named as not written; NULL: none. Static storage */
  bool told_model, told_checkpoint; /* the user has been notified, once, that it could not be written */
  bool folder_lost;                 /* on rank 0: the run folder was removed or renamed */
  bool unsaved;                     /* kept is newer than model.h5 */
  bool verify; /* the next step compares the ranks' weights; then the held checkpoint is written. Equal on all ranks */
  bool missed; /* rank 0: a checkpoint was due while one was being written */
  bool stop;   /* leave after a checkpoint; equal on all ranks */
  double saved_at, reported_at, checkpoint_at; /* seconds */
  trace *trace;                                /* NULL: no trace was requested */
  timeline *line;                              /* its timeline, or NULL */
  uint64_t trace_begin;                        /* its first step, from 1 */
} trainer;

/* Trains, as mlpd_train_model() says. function: its name, for messages; model may be NULL. half: the part of a choice
 * that the run is; NULL: none. Collective. */
mlpd_status run_train(const char *function, mlpd_comm *comm, const mlpd_train_options *options,
                      const mlpd_train_events *events, run_half *half, mlpd_train_result *result, mlpd_model **model);

bool run_is_root(const trainer *t);
void run_notice(const trainer *t, const char *text); /* on rank 0 */

/* Everything before the first step, up to the event started: the folder is locked, the data read, the state that of the
 * checkpoint to go on from, if there is one. The caller frees t's members, after a failure too. Collective. */
mlpd_status run_start(trainer *t, const mlpd_train_options *given);

/* Parses "1000", "10min", "2epochs" or "never". */
mlpd_status checkpoint_plan_parse(const char *text, checkpoint_plan *plan);

/* Rank 0 reads the checkpoint named by options->resume into *c; *found is set on all ranks. options->lanes, if auto,
 * becomes the checkpoint's number of lanes. Collective. */
mlpd_status run_find_checkpoint(trainer *t, mlpd_train_options *options, checkpoint *c, bool *found);

/* Checks that c (on rank 0) belongs to this run, and continues from it on all ranks. With --resume auto, an impossible
 * checkpoint is skipped for the one before it. Collective. */
mlpd_status run_restore(trainer *t, checkpoint *c);

/* What this rank requests with the next step. */
step_wishes run_wishes(trainer *t);

/* After a step: writes the held checkpoint of the state before the step if the ranks' weights were equal then, and
 * holds one of the current state if some rank requested it. Collective. */
mlpd_status run_after_step(trainer *t, const step_outcome *outcome);

/* After an epoch's decisions, with the state at the start of the next epoch: compares the weights of all ranks and
 * writes a checkpoint if one is due. last: writes one and waits for it. Collective. */
mlpd_status run_after_epoch(trainer *t, bool last);

/* The arrays of the current state, which a checkpoint holds; NULL: the state has no such array. */
void run_live_arenas(const trainer *t, float *arenas[CHECKPOINT_ARENAS]);

/* If status is a failure to write a checkpoint, counts it and notifies the user. */
void run_tell_checkpoint(trainer *t, mlpd_status status);

/* Begins the trace if one was requested; writes it at the end of the run. A failure to write it is a notice and does
 * not end the run; the current error message is kept. Collective. */
mlpd_status run_trace_start(trainer *t);
mlpd_status run_trace_write(trainer *t);

/* Fails with MLPD_ERROR_DIVERGED. what: "the loss is not a finite number"; step: when, from 1. */
mlpd_status run_diverged(trainer *t, const char *what, uint64_t step);

/* ---- The model ------------------------------------------------------------------------------------------ */

/* Copies the weights to evaluate and save at the end of this epoch (run_weights) to t->kept. */
void run_keep_weights(trainer *t, uint64_t epoch);

/* Saves the kept weights to model.h5, if it is older and some seconds have passed since it was saved. A failure is a
 * notice, and the next call tries again: the weights are still in memory. Rank 0. */
void run_save_sometimes(trainer *t);

/* Saves the kept weights however the run ended (its status), and keeps its error message. Rank 0; others do nothing. */
mlpd_status run_save_at_end(trainer *t, mlpd_status ended);

/* The network's weights become the kept ones. */
void run_take_kept_weights(trainer *t);

/* ---- Validation and test -------------------------------------------------------------------------------- */

/* Accuracy, or RMSE in units of the target if there is one target, of these sums; 0 without weight. */
double run_metric(const trainer *t, const loss_sums *sums);

/* Fills the validation figures of the weights that the epoch may keep, if there are validation rows. *figure: the one
 * that is least in the best epoch. Collective. */
mlpd_status run_validate_epoch(trainer *t, mlpd_epoch *figures, double *figure);

/* Fills t->result with validation and test figures of the weights in model.h5, which the network now holds, as far as
 * there are such rows. Collective. */
mlpd_status run_report_valid(trainer *t);
mlpd_status run_test(trainer *t);

/* ---- Averaged weights ---------------------------------------------------------------------------------- */

/* Allocates the average of --ema or --swa-start, if one is wanted. */
mlpd_status run_average_create(trainer *t);

/* Takes the weights into the average: after each step, and at the end of each epoch, before its validation. The second
 * also compares the averages of all ranks, and is collective. */
void run_average_step(trainer *t);
mlpd_status run_average_epoch(trainer *t);

/* The weights to evaluate and save at the end of the current epoch: the network's, or their average. */
float *run_weights(const trainer *t);

/* Is there an average in a checkpoint of this state? */
bool run_average_begun(const trainer *t, const run_state *state);

/* ---- Optimizers that search ----------------------------------------------------------------------------- */

bool run_searches(const trainer *t);

/* Allocates what a search needs, if the optimizer searches. */
mlpd_status run_search_create(trainer *t);

/* An epoch: one step of the weights. *step is its length, in lengths of the direction; *passes the number of passes
 * over the rows. t->sums are those at the new weights. If no lower loss is found, notes so and sets
 * t->state.search.ended. Collective. */
mlpd_status run_search_epoch(trainer *t, double *step, uint64_t *passes);

/* Writes a checkpoint, waits for it and returns MLPD_INTERRUPTED. Collective. */
mlpd_status run_interrupt(trainer *t);

#endif
