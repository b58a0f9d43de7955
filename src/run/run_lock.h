/* The lock of a run folder: two runs cannot write into the same one.
 *
 * The file run.lock names the run's host, process and start. A system lock on it ends with the process and works
 * between hosts on network file systems. On a file system without locks, the text decides. A run removes the file when
 * it ends; a killed run leaves it, and the next run takes it over. Nothing here is collective. */
#ifndef MLPDIST_RUN_LOCK_H
#define MLPDIST_RUN_LOCK_H

#include "base/file_output.h"

enum { RUN_LOCK_TEXT_BYTES = 512 };

typedef struct run_lock {
  char path[FILE_PATH_BYTES];
  char folder[FILE_PATH_BYTES];
  bool held;
  int descriptor;      /* of the file, while it is held */
  int place_opened;    /* of the folder, also while it is held: to reach the file after the folder was renamed */
  file_identity place; /* of the folder */
  char former[RUN_LOCK_TEXT_BYTES]; /* "host h, process p, since t" of the killed run that left the lock, or "" */
  bool former_took_over;            /* that run was killed while removing the files of the run before it */
} run_lock;

/* Locks an existing folder. MLPD_ERROR_FILE, naming host and process, if another run is writing into it. */
mlpd_status run_lock_take(const char *folder, run_lock *lock);

/* Notes in the file that this run is removing the files of the run before, or has removed them. */
mlpd_status run_lock_note(const run_lock *lock, bool taking_over);

/* MLPD_ERROR_FILE if the folder was removed or renamed since it was locked. Callable from any thread. */
mlpd_status run_lock_check(const run_lock *lock);

void run_lock_release(run_lock *lock);

#endif
