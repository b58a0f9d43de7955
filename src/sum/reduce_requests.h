/* Lists of persistent messages of whole packets, for the ways that send messages. Nothing here is collective. */
#ifndef MLPDIST_REDUCE_REQUESTS_H
#define MLPDIST_REDUCE_REQUESTS_H

#include "sum/reduce_internal.h"

/* The caller provides room for all requests. */
typedef struct request_list {
  MPI_Request *requests;
  int count;
} request_list;

/* Makes the MPI type of a packet. reduce_packet_free ignores MPI_DATATYPE_NULL. */
mlpd_status reduce_packet_create(MPI_Datatype *packet);
void reduce_packet_free(MPI_Datatype *packet);

/* Appends a message, unless it has no packets. */
mlpd_status reduce_add_receive(const reducer *r, MPI_Datatype packet, request_list *list, int tag, int peer, char *to,
                               size_t packets);
mlpd_status reduce_add_send(const reducer *r, MPI_Datatype packet, request_list *list, int tag, int peer,
                            const char *from, size_t packets);

/* Starts requests [begin, end); tests whether all of them are done. Neither waits. */
mlpd_status reduce_start(request_list *list, int begin, int end);
mlpd_status reduce_test(request_list *list, int begin, int end, bool *done);

/* Frees the requests, but not the array that holds them. */
void reduce_free_requests(request_list *list);

#endif
