/* Communicator: the only place, with reduce, that knows MPI. Every MPI return value is checked
 * (MPI_ERRORS_RETURN). Counts are 64-bit: larger messages are cut into pieces. No function here is collective unless
 * its comment says so. */
#ifndef MLPDIST_COMM_H
#define MLPDIST_COMM_H

#include "base/status.h"

const char *comm_host(const mlpd_comm *comm); /* this rank's processor name */

const char *comm_host_of(const mlpd_comm *comm, int rank);

/* Can all ranks share memory: are they on one machine? */
bool comm_shares_memory(const mlpd_comm *comm);

/* ---- The watch over waits ----------------------------------------------------------------------- */

/* Whenever a wait for other ranks lasts longer than timeout (seconds; 0: off), and at doubling intervals after it,
 * told is called on the lowest rank that waits, from within a collective: it must not call one. One that lasts longer
 * than limit (seconds; 0: off) fails with MLPD_ERROR_MPI; only mlpd_comm_abort() may follow. The lowest rank that waits
 * fails first, the others ten seconds later, so that one rank speaks for all. told may be NULL. In place of what
 * mlpd_comm_watch() has set, until comm_watch_stop(). Logically collective (timeout and limit equal on all ranks). */
void comm_watch_start(mlpd_comm *comm, double timeout, double limit, mlpd_stalled *told, void *context);
void comm_watch_stop(mlpd_comm *comm);

/* What the ranks do, for the message: a phrase such as "while the data is read", in static storage; or a step, from 1.
 */
#define COMM_AT_THE_END "at the end"
void comm_watch_place(mlpd_comm *comm, const char *place);
void comm_watch_step(mlpd_comm *comm, uint64_t step);

/* ---- Messages ----------------------------------------------------------------------------------- */

/* bytes of data from rank root to all. Collective. */
mlpd_status comm_broadcast(mlpd_comm *comm, void *data, uint64_t bytes, int root);

/* bytes of data from rank `from` to rank `to`; nothing happens on the others. from, to and bytes equal on
 * both. Collective (on those two). */
mlpd_status comm_move(mlpd_comm *comm, void *data, uint64_t bytes, int from, int to);

/* Elementwise over ranks, in place, result on all. Collective. */
mlpd_status comm_sum_u64(mlpd_comm *comm, uint64_t *values, uint64_t count);
mlpd_status comm_max_double(mlpd_comm *comm, double *values, uint64_t count);
mlpd_status comm_min_max_double(mlpd_comm *comm, double *minimum, double *maximum); /* of one value each */

/* Each rank gives bytes[rank] bytes at local; all get them concatenated in rank order at all. bytes
 * (size) equal on all ranks. Collective. */
mlpd_status comm_gather_all(mlpd_comm *comm, const void *local, const uint64_t *bytes, void *all);

/* The same where each rank gives `bytes` bytes: *all (a pointer's address) is allocated for them, to be freed by the
 * caller, on failure too. what names it if memory is short. Collective. */
mlpd_status comm_gather_equal(mlpd_comm *comm, const void *local, uint64_t bytes, const char *what, void *all);

mlpd_status comm_barrier(mlpd_comm *comm); /* Collective */

#endif
