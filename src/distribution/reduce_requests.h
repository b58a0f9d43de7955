/* Persistent messages of whole units, in lists of requests: what the ways that send messages have in common. */
#ifndef MLPDIST_REDUCE_REQUESTS_H
#define MLPDIST_REDUCE_REQUESTS_H

#include "distribution/reduce_internal.h"

/* The requests are in room that whoever plans has made, enough for all. */
typedef struct request_list {
  MPI_Request *requests;
  int count;
} request_list;

/* The MPI type of a unit; MPI_DATATYPE_NULL is for reduce_unit_free to leave. Not collective. */
mlpd_status reduce_unit_create(MPI_Datatype *unit);
void reduce_unit_free(MPI_Datatype *unit);

/* Appends the message, if it has units at all. Not collective. */
mlpd_status reduce_add_receive(const reducer *r, MPI_Datatype unit, request_list *list, int tag, int peer, char *to,
                               size_t units);
mlpd_status reduce_add_send(const reducer *r, MPI_Datatype unit, request_list *list, int tag, int peer,
                            const char *from, size_t units);

/* Starts requests [begin, end), or tells whether all of them are done. Waits for nobody. Not collective. */
mlpd_status reduce_start(request_list *list, int begin, int end);
mlpd_status reduce_test(request_list *list, int begin, int end, bool *done);

/* Frees the requests, not their room. Not collective. */
void reduce_free_requests(request_list *list);

#endif
