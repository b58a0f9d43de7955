#include <mpi.h>
#ifdef SMPI_H
#include <stdbool.h>
#include <stdlib.h>

#include "ranks/comm_simulated.h"

typedef struct message {
  const MPI_Request *request; /* its place; NULL: free */
  void *data;
  int bytes, peer, tag;
  MPI_Comm comm;
  bool sends;
} message;

/* These belong to one rank: SMPI gives each rank its own copy of global variables. */
static message *messages;
static size_t num_messages, room, guess;

static MPI_Request **awaited; /* requests that the current poll found not done */
static MPI_Request *handles;  /* their handles, for MPI_Waitany */
static size_t num_awaited, awaited_room;

/* ---- Persistent messages ------------------------------------------------------------------------ */

static int remember(message made, MPI_Datatype type, MPI_Request *request) {
  int size = 0;
  const int code = MPI_Type_size(type, &size);
  if (code != MPI_SUCCESS) return code;
  if (num_messages == room) {
    const size_t more = room > 0 ? 2 * room : 64;
    message *const grown = realloc(messages, more * sizeof *messages);
    if (grown == NULL) return MPI_ERR_NO_MEM;
    messages = grown;
    room = more;
  }
  made.bytes *= size;
  made.request = request;
  messages[num_messages++] = made;
  *request = MPI_REQUEST_NULL;
  return MPI_SUCCESS;
}

/* Finds a message; usually it is the one after the last that was found. */
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
  return remember((message){NULL, to, count, from, tag, comm, false}, type, request);
}

int simulated_send_init(const void *data, int count, MPI_Datatype type, int to, int tag, MPI_Comm comm,
                        MPI_Request *request) {
  return remember((message){NULL, (void *)data, count, to, tag, comm, true}, type, request);
}

int simulated_startall(int count, MPI_Request *requests) {
  int code = MPI_SUCCESS;
  for (int i = 0; i < count && code == MPI_SUCCESS; ++i) {
    const message *const m = find(&requests[i]);
    if (m == NULL) return MPI_ERR_REQUEST;
    code = m->sends ? MPI_Isend(m->data, m->bytes, MPI_BYTE, m->peer, m->tag, m->comm, &requests[i])
                    : MPI_Irecv(m->data, m->bytes, MPI_BYTE, m->peer, m->tag, m->comm, &requests[i]);
  }
  return code;
}

int simulated_request_free(MPI_Request *request) {
  message *const m = find(request);
  if (m == NULL) return MPI_ERR_REQUEST;
  m->request = NULL;
  return MPI_SUCCESS;
}

/* ---- Waits --------------------------------------------------------------------------------------- */

void simulated_poll_begins(void) { num_awaited = 0; }

static int await(MPI_Request *request) {
  if (num_awaited == awaited_room) {
    const size_t more = awaited_room > 0 ? 2 * awaited_room : 64;
    MPI_Request **const grown = realloc(awaited, more * sizeof *awaited);
    if (grown != NULL) awaited = grown;
    MPI_Request *const beside = realloc(handles, more * sizeof *handles);
    if (beside != NULL) handles = beside;
    if (grown == NULL || beside == NULL) return MPI_ERR_NO_MEM;
    awaited_room = more;
  }
  awaited[num_awaited++] = request;
  return MPI_SUCCESS;
}

#undef MPI_Test
int simulated_test(MPI_Request *request, int *done, MPI_Status *status) {
  (void)status;
  *done = 1;
  if (*request == MPI_REQUEST_NULL) return MPI_SUCCESS;
  const int code = MPI_Test(request, done, MPI_STATUS_IGNORE);
  return code != MPI_SUCCESS || *done ? code : await(request);
}

int simulated_testall(int count, MPI_Request *requests, int *done, MPI_Status *statuses) {
  int code = MPI_SUCCESS;
  *done = 1;
  for (int i = 0; i < count && code == MPI_SUCCESS && *done; ++i) code = simulated_test(&requests[i], done, statuses);
  return code;
}

int simulated_wait(void) {
  if (num_awaited == 0) return nanosleep(&(struct timespec){.tv_nsec = 1000}, NULL) == 0 ? MPI_SUCCESS : MPI_ERR_INTERN;
  /* MPI_Waitany does not support SMPI's nonblocking collectives, which are waited for one at a time. */
  if (num_awaited == 1) return MPI_Wait(awaited[0], MPI_STATUS_IGNORE);
  int index = MPI_UNDEFINED;
  for (size_t i = 0; i < num_awaited; ++i) handles[i] = *awaited[i];
  const int code = MPI_Waitany((int)num_awaited, handles, &index, MPI_STATUS_IGNORE);
  if (code == MPI_SUCCESS && index != MPI_UNDEFINED) *awaited[index] = handles[index];
  return code;
}
#endif
