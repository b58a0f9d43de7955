/* The lock of a run folder: two runs cannot write into one.
 *
 * The file run.lock names host, process and start of the run, and is held by a lock of the system, which ends with the
 * process and which network file systems carry between hosts. Where a file system has no locks, what the file says
 * decides. A run that ends removes it; one that was killed leaves it, and the next run takes it over. Nothing here is
 * collective. */
#ifndef MLPDIST_RUN_LOCK_H
#define MLPDIST_RUN_LOCK_H

#include "base/file_output.h"

enum { RUN_LOCK_TEXT_BYTES = 512 };

typedef struct run_lock {
  char path[FILE_PATH_BYTES];
  char folder[FILE_PATH_BYTES];
  bool held;
  int descriptor;      /* of the file, while it is held */
  int place_opened;    /* of the folder, likewise: the way to the file when the folder is renamed */
  file_identity place; /* of the folder */
  char
      former[RUN_LOCK_TEXT_BYTES]; /* "host h, process p, since t" of a killed run that it was taken over from; or "" */
  bool former_took_over;           /* that run was killed while it removed the files of the one before */
} run_lock;

/* Locks a folder that is there. MLPD_ERROR_FILE, naming host and process, where a run is writing into it. */
mlpd_status run_lock_take(const char *folder, run_lock *lock);

/* Notes in the file that this run is removing the files of the one before, or is done with it. */
mlpd_status run_lock_note(const run_lock *lock, bool taking_over);

/* MLPD_ERROR_FILE where the folder was removed or renamed since it was locked. Any thread. */
mlpd_status run_lock_check(const run_lock *lock);

void run_lock_release(run_lock *lock);

#endif
