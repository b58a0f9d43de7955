/* A run under way: what trainer.c and run_checkpoint.c share. No function here is collective unless its comment says
 * so. */
#ifndef MLPDIST_RUN_H
#define MLPDIST_RUN_H

#include "network/optimizer.h"
#include "run/checkpoint.h"
#include "run/prepare.h"
#include "run/run_folder.h"
#include "run/trace.h"
#include "step/stepper.h"

/* When checkpoints are due; 0: not by this measure. */
typedef struct checkpoint_plan {
  uint64_t steps, epochs;
  double seconds;
} checkpoint_plan;

typedef struct trainer {
  mlpd_comm *comm;
  const mlpd_train_events *events;
  mlpd_train_result *result;
  preparation prep;
  const backend *gemm;
  optimizer optimizer;
  stepper *stepper;
  run_folder folder;         /* rank 0 */
  checkpoint_writer *writer; /* rank 0 */
  checkpoint_plan every;
  bool raw_table, made_folder; /* the data is to be converted; rank 0 made the run folder for that */
  char table[FILE_PATH_BYTES]; /* the file that it is converted to */
  uint64_t resumed_name;       /* rank 0, of --resume auto: the step that the checkpoint's name says */
  char *mathematics;           /* options that decide the weights */
  run_state state;             /* where the run is; equal on all ranks */
  loss_sums sums;              /* of the epoch under way */
  float *kept;                 /* (arena): the weights model.h5 is to hold */
  bool kept_known;             /* the next two are of the kept weights; after a resume they are not known */
  double kept_valid_loss, kept_valid_metric;
  bool told_metrics, told_model, told_checkpoint; /* once: that it could not be written */
  bool unsaved;                                   /* kept is newer than model.h5 */
  bool verify; /* the next step compares the ranks' weights, and then a checkpoint held is written; equal on
                * all ranks */
  bool missed; /* rank 0: a checkpoint was due while one was being written */
  bool stop;   /* leave after a checkpoint; equal on all ranks */
  double saved_at, reported_at, checkpoint_at; /* seconds */
  trace *trace;                                /* NULL: none is asked for */
  timeline *line;                              /* its timeline, or NULL */
  uint64_t trace_begin;                        /* its first step, from 1 */
} trainer;

bool run_is_root(const trainer *t);
void run_notice(const trainer *t, const char *text); /* on rank 0 */

/* "1000", "10min", "2epochs" or "never" as a plan */
mlpd_status checkpoint_plan_parse(const char *text, checkpoint_plan *plan);

/* Rank 0 reads the checkpoint that options->resume names into *c; *found on all ranks. lanes becomes its number
 * of lanes where options leave it open. Collective. */
mlpd_status run_find_checkpoint(trainer *t, mlpd_train_options *options, checkpoint *c, bool *found);

/* Takes over c (rank 0's) on all ranks after checking that it belongs to this run. Of --resume auto, one that turns out
 * to be impossible is passed over for the one before. Collective. */
mlpd_status run_restore(trainer *t, checkpoint *c);

/* Drops what was asked of a run before, after its last step. */
void run_forget_requests(void);

/* What this rank wishes for in the next step. */
step_wishes run_wishes(trainer *t);

/* After a step: writes the checkpoint of the state before it, where one was held and the ranks' weights were equal,
 * and holds one of the state now, where some rank wished for it. Collective. */
mlpd_status run_after_step(trainer *t, const step_outcome *outcome);

/* After an epoch's decisions, the state standing at the start of the next: compares the weights of all ranks and
 * writes a checkpoint where one is due; last: it is, and it is waited for. Collective. */
mlpd_status run_after_epoch(trainer *t, bool last);

/* Counts and tells the failure of a checkpoint, where status is one. */
void run_tell_checkpoint(trainer *t, mlpd_status status);

/* Begins the trace where one is asked for; writes it, when nothing is under way any more. That it could not be written
 * is told and does not end the run; the message of what did stays. Collective. */
mlpd_status run_trace_start(trainer *t);
mlpd_status run_trace_write(trainer *t);

/* Writes a checkpoint, waits for it and returns MLPD_INTERRUPTED. Collective. */
mlpd_status run_interrupt(trainer *t);

#endif
