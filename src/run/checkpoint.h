/* Checkpoints: all that a run needs to go on bit for bit, on any number of ranks and threads.
 *
 * File: root attributes mlpdist = "checkpoint", format, version, every field of run_state by name, options
 * (the mathematics, as text), config, checksum; arrays /parameters, /kept (weights model.h5 is to hold),
 * /optimizer/state_0, ... (arenas, gaps included), /metrics (the rows of metrics.csv so far), each with an
 * attribute xxh3 over its bytes. checksum is over all. A file whose checksums do not fit is damaged and is not used.
 * Nothing here is collective. */
#ifndef MLPDIST_CHECKPOINT_H
#define MLPDIST_CHECKPOINT_H

#include "base/file.h"
#include "base/timeline.h"
#include "network/network.h"
#include "network/schedule.h"

/* Format 1 had no fingerprints of the validation and test parts, format 2 no state of the schedule. */
enum { CHECKPOINT_FORMAT = 3, CHECKPOINT_ARENAS = 4 };

#define CHECKPOINT_UNKNOWN UINT64_MAX /* a fingerprint that is not in the file */

/* Counters and decisions of a run; 8 bytes a field, so that it can be hashed and sent as bytes. */
typedef struct run_state {
  uint64_t epoch;                 /* under way, from 1 */
  uint64_t step_in_epoch;         /* steps of it done */
  uint64_t step;                  /* done since the start of the run */
  uint64_t kept_epoch, kept_step; /* of the weights model.h5 is to hold; 0: none yet */
  uint64_t best_epoch, since_best;
  double best_loss;
  double sum_loss, sum_weight, sum_correct, sum_square; /* of the epoch under way */
  uint64_t data_fingerprint, lanes, arena_size;
  uint64_t valid_fingerprint, test_fingerprint; /* 0: there is no such part */
  schedule_state schedule;
} run_state;

typedef struct checkpoint {
  run_state state;
  float *arenas[CHECKPOINT_ARENAS]; /* (state.arena_size) each: parameters, kept, optimizer states; NULL: none */
  char *options;                    /* what must not change, "key = value" a line */
  char *config;                     /* resolved options, or NULL */
  char *metrics;                    /* text of metrics.csv so far */
} checkpoint;

/* Writes path whole or not at all. */
mlpd_status checkpoint_write(const checkpoint *c, const char *path);

/* Reads and checks path; allocates all members of *c, which the caller frees. */
mlpd_status checkpoint_read(const char *path, checkpoint *c);

void checkpoint_free(checkpoint *c);

/* Can what a checkpoint holds be: its lanes, and numbers that are numbers? And, where the steps of an epoch are known,
 * counters that fit each other? The message begins "it is damaged: ". */
mlpd_status checkpoint_check(const checkpoint *c);
mlpd_status checkpoint_check_steps(const checkpoint *c, uint64_t steps_per_epoch);

/* Name of the checkpoint of a step in folder. */
mlpd_status checkpoint_path(char path[FILE_PATH_BYTES], const char *folder, uint64_t step);

/* Called with the path of a checkpoint that is passed over, and with a line that names it and says why. */
typedef void checkpoint_rejected(void *context, const char *path, const char *message);

/* Reads the newest checkpoint of folder that is whole and passes checkpoint_check(), of those whose names say less than
 * *step, which becomes that of its name; *found false where there is none. rejected (may be NULL) is called for each
 * one passed over. */
mlpd_status checkpoint_read_newest(const char *folder, uint64_t *step, checkpoint *c, bool *found,
                                   checkpoint_rejected *rejected, void *context);

/* Removes all checkpoints of folder but that of step and the newest keep - 1 of those before it, and what killed
 * writers left. Files under such names that are no checkpoints stay. */
void checkpoint_prune(const char *folder, uint64_t step, uint64_t keep);

/* ---- Writing in the background ------------------------------------------------------------------- */

typedef struct checkpoint_writer checkpoint_writer;

/* Starts the thread that writes checkpoints into folder, which it makes, and keeps the newest `keep`. Where the folder
 * above is not the one that it was now, writing fails. */
mlpd_status checkpoint_writer_start(const char *folder, uint64_t keep, checkpoint_writer **started);

/* Has what is written from now on recorded; t may be NULL. */
void checkpoint_writer_trace(checkpoint_writer *w, timeline *t);

/* Copies c, in place of what is held already; *taken false where the one before is still being written. The failure
 * of the one before, if any, is returned once. */
mlpd_status checkpoint_writer_hold(checkpoint_writer *w, const checkpoint *c, bool *taken);

/* Has what is held written; false where nothing is. */
bool checkpoint_writer_release(checkpoint_writer *w);

/* Waits until nothing is being written; returns the failure of the last, once. */
mlpd_status checkpoint_writer_wait(checkpoint_writer *w);

void checkpoint_writer_free(checkpoint_writer *w); /* waits; NULL is allowed */

#endif
