#include <mpi.h>
#ifdef SMPI_H
#include <stdbool.h>
#include <stdlib.h>

#include "distribution/comm_simulated.h"

typedef struct message {
  const MPI_Request *request; /* its place; NULL: free */
  void *data;
  int count, peer, tag;
  MPI_Datatype type;
  MPI_Comm comm;
  bool sends;
} message;

/* Of this rank: SMPI gives each its own variables. */
static message *messages;
static size_t num_messages, room, guess;

static int remember(message made, MPI_Request *request) {
  if (num_messages == room) {
    const size_t more = room > 0 ? 2 * room : 64;
    message *const grown = realloc(messages, more * sizeof *messages);
    if (grown == NULL) return MPI_ERR_NO_MEM;
    messages = grown;
    room = more;
  }
  made.request = request;
  messages[num_messages++] = made;
  *request = MPI_REQUEST_NULL;
  return MPI_SUCCESS;
}

/* Mostly the one after the last that was found. */
static message *find(const MPI_Request *request) {
  for (size_t i = 0; i < num_messages; ++i) {
    message *const m = &messages[(guess + i) % num_messages];
    if (m->request != request) continue;
    guess = (size_t)(m - messages) + 1;
    return m;
  }
  return NULL;
}

int simulated_recv_init(void *to, int count, MPI_Datatype type, int from, int tag, MPI_Comm comm,
                        MPI_Request *request) {
  return remember((message){NULL, to, count, from, tag, type, comm, false}, request);
}

int simulated_send_init(const void *data, int count, MPI_Datatype type, int to, int tag, MPI_Comm comm,
                        MPI_Request *request) {
  return remember((message){NULL, (void *)data, count, to, tag, type, comm, true}, request);
}

int simulated_startall(int count, MPI_Request *requests) {
  int code = MPI_SUCCESS;
  for (int i = 0; i < count && code == MPI_SUCCESS; ++i) {
    const message *const m = find(&requests[i]);
    if (m == NULL) return MPI_ERR_REQUEST;
    code = m->sends ? MPI_Isend(m->data, m->count, m->type, m->peer, m->tag, m->comm, &requests[i])
                    : MPI_Irecv(m->data, m->count, m->type, m->peer, m->tag, m->comm, &requests[i]);
  }
  return code;
}

int simulated_request_free(MPI_Request *request) {
  message *const m = find(request);
  if (m == NULL) return MPI_ERR_REQUEST;
  m->request = NULL;
  return MPI_SUCCESS;
}
#endif
