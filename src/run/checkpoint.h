/* Checkpoints: everything a run needs to resume bit for bit, on any number of ranks and threads.
 *
 * File: root attributes mlpdist = "checkpoint", format, version, every field of run_state by name, options (those that
 * decide the weights, as text), config, checksum; arrays /parameters, /kept (the weights for model.h5),
 * /optimizer/state_0, ..., /average (arenas, gaps included), /metrics (the rows of metrics.csv so far) and /names (of
 * the data, run_names.h), each with the XXH3 hash of its bytes in its attribute xxh3. checksum covers everything. A
 * file with a wrong checksum is damaged and is not used. Nothing here is collective. */
#ifndef MLPDIST_CHECKPOINT_H
#define MLPDIST_CHECKPOINT_H

#include <math.h>

#include "base/file.h"
#include "base/timeline.h"
#include "network/optimizer.h"
#include "network/schedule.h"

/* Format 1 had no fingerprints of the validation and test parts, format 2 no state of the schedule, format 3 no names
 * and no average of the weights, format 4 no more than two arrays of optimizer state and no end before the last epoch.
 */
enum { CHECKPOINT_FORMAT = 5 };

/* Places of arenas; those of further optimizer states follow the average. */
enum {
  CHECKPOINT_PARAMETERS,
  CHECKPOINT_KEPT,
  CHECKPOINT_STATE,
  CHECKPOINT_AVERAGE = CHECKPOINT_STATE + 2,
  CHECKPOINT_MORE_STATE,
  CHECKPOINT_ARENAS = CHECKPOINT_MORE_STATE + OPTIMIZER_MOST_STATE - 2
};

/* The place of optimizer state i. */
static inline int checkpoint_state(uint32_t i) {
  return i < 2 ? CHECKPOINT_STATE + (int)i : CHECKPOINT_MORE_STATE + (int)i - 2;
}

#define CHECKPOINT_UNKNOWN UINT64_MAX /* the file has no such fingerprint */

/* What an optimizer that searches knows of the epochs before. */
typedef struct search_state {
  double best;    /* lowest objective, but for decreases that are rounding */
  uint64_t since; /* epochs since it fell */
  uint64_t ended; /* 1: no lower one is found, so no epoch follows */
} search_state;

#define SEARCH_START ((search_state){.best = INFINITY})

/* Counters and decisions of a run; 8 bytes a field, so that it can be hashed and sent as bytes. */
typedef struct run_state {
  uint64_t epoch;                 /* the current one, from 1 */
  uint64_t step_in_epoch;         /* steps done in it */
  uint64_t step;                  /* steps done since the start of the run */
  uint64_t kept_epoch, kept_step; /* of the weights for model.h5; 0: none yet */
  uint64_t best_epoch, since_best;
  double best_loss;
  double sum_loss, sum_weight, sum_correct, sum_square; /* of the current epoch */
  uint64_t data_fingerprint, lanes, arena_size;
  uint64_t valid_fingerprint, test_fingerprint; /* 0: there is no such part */
  schedule_state schedule;
  search_state search;
} run_state;

typedef struct checkpoint {
  run_state state;
  float *arenas[CHECKPOINT_ARENAS]; /* (state.arena_size) each; NULL: none */
  char *options;                    /* the options that must not change, "key = value" a line */
  char *config;                     /* resolved options, or NULL */
  char *metrics;                    /* text of metrics.csv so far */
  char *names;                      /* of the data, see run_names.h; NULL: not known */
} checkpoint;

/* Writes the whole file or leaves path as it was. */
mlpd_status checkpoint_write(const checkpoint *c, const char *path);

/* Reads and checks path; allocates all members of *c, which the caller frees. */
mlpd_status checkpoint_read(const char *path, checkpoint *c);

void checkpoint_free(checkpoint *c);

/* Number of arrays of optimizer state; they have no gap between them. */
uint32_t checkpoint_num_states(const checkpoint *c);

/* Refuses impossible values: a number of lanes that no run has, weights that are not numbers; and, given the steps of
 * an epoch, counters that contradict each other. The message begins "it is damaged: ". */
mlpd_status checkpoint_check(const checkpoint *c);
mlpd_status checkpoint_check_steps(const checkpoint *c, uint64_t steps_per_epoch);

/* The path of the checkpoint of a step in folder. */
mlpd_status checkpoint_path(char path[FILE_PATH_BYTES], const char *folder, uint64_t step);

/* Called for a skipped checkpoint, with its path and a line that names it and the reason. */
typedef void checkpoint_rejected(void *context, const char *path, const char *message);

/* Reads the newest checkpoint of folder that is whole, passes checkpoint_check() and has a step below *step in its
 * name; stores that step in *step. *found is false if there is none. rejected (may be NULL) is called for each
 * checkpoint skipped. */
mlpd_status checkpoint_read_newest(const char *folder, uint64_t *step, checkpoint *c, bool *found,
                                   checkpoint_rejected *rejected, void *context);

/* Removes all checkpoints of folder except that of step and the newest keep - 1 before it, and the temporary files of
 * killed writers. A file that has such a name but is no checkpoint stays. */
void checkpoint_prune(const char *folder, uint64_t step, uint64_t keep);

/* ---- Writing in the background ------------------------------------------------------------------- */

typedef struct checkpoint_writer checkpoint_writer;

/* Starts the thread that writes checkpoints into folder (made if absent) and keeps the newest `keep`. Writing fails
 * once the folder above has been removed or replaced. */
mlpd_status checkpoint_writer_start(const char *folder, uint64_t keep, checkpoint_writer **started);

/* Records later writes in t, which may be NULL. */
void checkpoint_writer_trace(checkpoint_writer *w, timeline *t);

/* Copies c and holds the copy, in place of one held before; *taken is false while the thread is still writing. Returns
 * a failure of the last write, once. */
mlpd_status checkpoint_writer_hold(checkpoint_writer *w, const checkpoint *c, bool *taken);

/* Hands the held copy to the thread; false if there is none. */
bool checkpoint_writer_release(checkpoint_writer *w);

/* Waits for the thread to finish writing; returns a failure of the last write, once. */
mlpd_status checkpoint_writer_wait(checkpoint_writer *w);

void checkpoint_writer_free(checkpoint_writer *w); /* waits; NULL is allowed */

#endif
