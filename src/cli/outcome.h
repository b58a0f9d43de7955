/* Outcome: how a command ends. The program's own messages, the one line on standard error, the exit status. */
#ifndef MLPDIST_CLI_OUTCOME_H
#define MLPDIST_CLI_OUTCOME_H

#include "mlpdist.h"

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_INTERRUPTED = 3, EXIT_LOST = 4 };

/* Records a failure of the program itself and returns status; only the first is kept. */
mlpd_status outcome_fail(mlpd_status status, const char *format, ...) __attribute__((format(printf, 2, 3)));

bool outcome_shows_inside(void); /* is MLPDIST_DEBUG=1 set? */

const char *outcome_message(void); /* of outcome_fail, else of the library */
void outcome_forget(void);         /* drops the recorded message */

/* A line that the user should know, on standard error. */
void outcome_note(const char *message);

/* The rank that the launcher's environment names, or -1 without a launcher; works before MPI is initialised. */
int outcome_launcher_rank(void);

/* Seconds of --stall-timeout and --stall-abort, for train, eval, predict and doctor. */
typedef struct stall_options {
  double timeout, abort;
} stall_options;

/* Starts the ranks. Each passes the status of its work so far (parsing, looking for files), and they fail together.
 * All waits are watched until outcome_end. A usage error without a launcher comes back at once and starts no MPI:
 * *comm stays NULL. */
mlpd_status outcome_begin(mlpd_status local_status, const stall_options *stall, mlpd_comm **comm);

/* Does standard output go to path (or is path "-")? Then lines for the user go to standard error. */
bool outcome_is_stdout(const char *path);

/* Has the reader of the pipe on standard output left, as `head` does? That is not a failure. */
bool outcome_reader_left(void);

/* Prints the message of a failure once (comm NULL: on the launcher's rank 0), finalises comm and returns the exit
 * status. A failure of MPI itself ends all ranks, because they may wait for each other. */
int outcome_end(mlpd_comm *comm, mlpd_status status);

#endif
