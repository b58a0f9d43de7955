/* The communicator: messages between ranks. Only src/ranks and src/sum call MPI, and they check every return value
 * (MPI_ERRORS_RETURN). Counts are 64-bit; messages too long for MPI are sent in pieces. No function here is collective
 * unless its comment says so. */
#ifndef MLPDIST_COMM_H
#define MLPDIST_COMM_H

#include "base/status.h"

const char *comm_host(const mlpd_comm *comm); /* this rank's processor name */

const char *comm_host_of(const mlpd_comm *comm, int rank);

/* true if all ranks can share memory, because they are on one machine */
bool comm_shares_memory(const mlpd_comm *comm);

/* ---- The watch over waits ----------------------------------------------------------------------- */

/* Watches all waits for other ranks from now on, until comm_watch_stop(), in place of the settings of
 * mlpd_comm_watch().
 * - A wait longer than timeout (seconds; 0: off) is reported, then again at doubling intervals: told (may be NULL) is
 *   called on the lowest waiting rank, from within a collective, so it must not call one.
 * - A wait longer than limit (seconds; 0: off) fails with MLPD_ERROR_MPI; only mlpd_comm_abort() may follow. The lowest
 *   waiting rank fails first, the others ten seconds later, so that only one prints a message.
 * Logically collective (timeout and limit equal on all ranks). */
void comm_watch_start(mlpd_comm *comm, double timeout, double limit, mlpd_stalled *told, void *context);
void comm_watch_stop(mlpd_comm *comm);

/* Set what the ranks are doing, for the message: a phrase in static storage such as "while the data is read", or the
 * number of a step, from 1. */
#define COMM_AT_THE_END "at the end"
void comm_watch_place(mlpd_comm *comm, const char *place);
void comm_watch_step(mlpd_comm *comm, uint64_t step);

/* ---- Messages ----------------------------------------------------------------------------------- */

/* Sends data (bytes) from rank root to all ranks. Collective. */
mlpd_status comm_broadcast(mlpd_comm *comm, void *data, uint64_t bytes, int root);

/* Sends data (bytes) from rank `from` to rank `to`; does nothing on other ranks. from, to and bytes equal on both.
 * Collective (on those two). */
mlpd_status comm_move(mlpd_comm *comm, void *data, uint64_t bytes, int from, int to);

/* Sum or maximum of each element over all ranks, in place; every rank gets the result. Collective. */
mlpd_status comm_sum_u64(mlpd_comm *comm, uint64_t *values, uint64_t count);
mlpd_status comm_max_double(mlpd_comm *comm, double *values, uint64_t count);
mlpd_status comm_min_max_double(mlpd_comm *comm, double *minimum, double *maximum); /* of single values */

/* Each rank contributes bytes[rank] bytes of local; every rank receives them at `all`, concatenated in rank order.
 * bytes (size) equal on all ranks. Collective. */
mlpd_status comm_gather_all(mlpd_comm *comm, const void *local, const uint64_t *bytes, void *all);

/* The same with equally many bytes from each rank. `all` is the address of a pointer: the result is allocated, and the
 * caller frees it, also on failure. what names it in the message if memory is short. Collective. */
mlpd_status comm_gather_equal(mlpd_comm *comm, const void *local, uint64_t bytes, const char *what, void *all);

mlpd_status comm_barrier(mlpd_comm *comm); /* Collective */

#endif
