/* Persistent messages under SimGrid's SMPI, whose own (3.32) went wrong here from the second start on, whether
 * MPI_Testall or MPI_Test had found them done (the cause was not traced): they are remembered by the place of their
 * request, and each start makes a message of its own. Included by comm_internal.h in the build for simulation only. As
 * the MPI calls of these names. */
#ifndef MLPDIST_COMM_SIMULATED_H
#define MLPDIST_COMM_SIMULATED_H

#include <mpi.h>

int simulated_recv_init(void *to, int count, MPI_Datatype type, int from, int tag, MPI_Comm comm, MPI_Request *request);
int simulated_send_init(const void *data, int count, MPI_Datatype type, int to, int tag, MPI_Comm comm,
                        MPI_Request *request);
int simulated_startall(int count, MPI_Request *requests);
int simulated_request_free(MPI_Request *request);

#undef MPI_Recv_init
#undef MPI_Send_init
#undef MPI_Startall
#undef MPI_Request_free
#define MPI_Recv_init simulated_recv_init
#define MPI_Send_init simulated_send_init
#define MPI_Startall simulated_startall
#define MPI_Request_free simulated_request_free

#endif
