/* Watches the start of MPI, in which the library cannot watch waits yet: a rank that never starts, or that MPI cannot
 * reach, would leave the others waiting without a word. */
#ifndef MLPDIST_CLI_START_WATCH_H
#define MLPDIST_CLI_START_WATCH_H

#include "cli/outcome.h"

/* Starts a thread that, until start_watch_end(), prints a note after stall->timeout seconds (on the launcher's rank 0),
 * and after stall->abort seconds ends the process with status 4. Without a launcher it does nothing. */
void start_watch_begin(const stall_options *stall, int launcher_rank);
void start_watch_end(void);

#endif
