/* Replacements for MPI functions that behave differently in SimGrid's SMPI (seen with 3.32). comm_internal.h includes
 * this header only in the build for simulation.
 *
 * Persistent messages: if the type is derived, here MPI_Type_contiguous(64, MPI_BYTE), SMPI packs a message when it is
 * created, not when it is started. The first start therefore sends the buffer as it was at MPI_Send_init. A complete
 * example:
 *
 *   MPI_Type_contiguous(64, MPI_BYTE, &unit); MPI_Type_commit(&unit);
 *   if (rank == 0) MPI_Send_init(v, 10, unit, 1, 0, MPI_COMM_WORLD, &q);
 *   if (rank == 1) MPI_Recv_init(v, 10, unit, 0, 0, MPI_COMM_WORLD, &q);
 *   if (rank == 0) v[0] = 1;
 *   MPI_Startall(1, &q); MPI_Wait(&q, MPI_STATUS_IGNORE);    rank 1 finds v[0] == 0; right with MPI_BYTE
 *
 * Messages are therefore recorded by the address of their request, and each start sends the bytes as they are then.
 *
 * Polls: testing a request takes simulated time, so polling many messages would cost more than the messages. A test of
 * all requests stops at the first that is not done, and a waiting rank sleeps until one of these is done, which takes
 * no simulated time.
 *
 * Collectives: nonblocking ones send from every rank to every rank, and take hours of real time with 1024 ranks. Those
 * that are waited for immediately (comm.c) are replaced by blocking ones. */
#ifndef MLPDIST_COMM_SIMULATED_H
#define MLPDIST_COMM_SIMULATED_H

#include <mpi.h>

/* Replace the MPI functions with these names. */
int simulated_recv_init(void *to, int count, MPI_Datatype type, int from, int tag, MPI_Comm comm, MPI_Request *request);
int simulated_send_init(const void *data, int count, MPI_Datatype type, int to, int tag, MPI_Comm comm,
                        MPI_Request *request);
int simulated_startall(int count, MPI_Request *requests);
int simulated_request_free(MPI_Request *request);

/* Do not write the status. */
int simulated_test(MPI_Request *request, int *done, MPI_Status *status);
int simulated_testall(int count, MPI_Request *requests, int *done, MPI_Status *statuses);

void simulated_poll_begins(void);

/* Waits until any of the requests is done that tests since simulated_poll_begins found not done; without any, waits a
 * moment. */
int simulated_wait(void);

#undef MPI_Recv_init
#undef MPI_Send_init
#undef MPI_Startall
#undef MPI_Request_free
#undef MPI_Test
#undef MPI_Testall
#define MPI_Recv_init simulated_recv_init
#define MPI_Send_init simulated_send_init
#define MPI_Startall simulated_startall
#define MPI_Request_free simulated_request_free
#define MPI_Test simulated_test
#define MPI_Testall simulated_testall

#ifdef COMM_WAITS_AT_ONCE
#undef MPI_Ibarrier
#undef MPI_Ibcast
#undef MPI_Iallreduce
#undef MPI_Iallgatherv
#define MPI_Ibarrier(comm, request) (*(request) = MPI_REQUEST_NULL, MPI_Barrier(comm))
#define MPI_Ibcast(data, count, type, root, comm, request) \
  (*(request) = MPI_REQUEST_NULL, MPI_Bcast(data, count, type, root, comm))
#define MPI_Iallreduce(from, to, count, type, op, comm, request) \
  (*(request) = MPI_REQUEST_NULL, MPI_Allreduce(from, to, count, type, op, comm))
#define MPI_Iallgatherv(from, count, type, to, counts, places, types, comm, request) \
  (*(request) = MPI_REQUEST_NULL, MPI_Allgatherv(from, count, type, to, counts, places, types, comm))
#endif

#endif
