/* The watch over waits: every wait for other ranks polls, so that one which takes too long can be told.
 *
 * A rank that has waited for the time given asks all others whether they wait too, on a communicator that carries
 * nothing else. Who waits polls, and answers; who is stopped, swapped out, lost or still computing does not. After a
 * longer time the run ends: a wire that stays cut, or a node that hangs, would be waited for until somebody looks. */
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "ranks/clock.h"
#include "ranks/comm_internal.h"

enum {
  QUICK_POLLS = 1000, /* before the clock is looked at and the core is offered to others */
  RANKS_NAMED = 8,
  QUESTION = 0,
  ANSWER = 1,
  KINDS = 2
};

static const double ANSWER_SECONDS = 1;    /* given to the others to answer */
static const double ABORT_SECONDS = 10;    /* given to the rank that speaks for all to end the run */
static const double LISTEN_SECONDS = 0.01; /* between looks for messages */
/* A longer gap between two polls is this rank's own: it was the one stopped, and blames nobody for that. */
static const double MOST_BETWEEN_POLLS = 0.1;

/* Travels between ranks of one binary: an answer repeats the question's number. */
typedef struct note {
  uint64_t kind, number;
} note;

/* Seconds until others are asked, and until the run ends; 0: never. */
typedef struct watch_limits {
  double timeout, limit;
  mlpd_stalled *told;
  void *context;
} watch_limits;

struct comm_watch {
  MPI_Comm mpi; /* a duplicate that carries notes alone */
  watch_limits now, outer;
  const char *place;     /* what the ranks do; NULL: */
  uint64_t step;         /* the step under way, from 1 */
  bool resumes;          /* a step was done: there may be a checkpoint */
  uint64_t question;     /* number of the last one asked */
  bool *answered;        /* (size): to it */
  note *notes;           /* (size, KINDS): under way to each rank */
  MPI_Request *requests; /* (size, KINDS) */
  int *sent, *received;  /* (size): notes so far, so that none is left over at the end */
};

/* A wait under way; seconds on this rank's clock while it ran. */
typedef struct wait_state {
  double waited, last, listen_at, ask_at, conclude_at, leave_at;
  bool asking, told, leaving;
} wait_state;

/* ---- Start and end ------------------------------------------------------------------------------ */

mlpd_status comm_watch_create(mlpd_comm *comm) {
  const size_t size = (size_t)comm->size;
  comm_watch *w = NULL;
  TRY(memory_allocate(&w, 1, sizeof *w, "watch"));
  w->mpi = MPI_COMM_NULL;
  w->place = "at the start";
  comm->watch = w;
  TRY(memory_allocate(&w->answered, size, sizeof *w->answered, "watch"));
  TRY(memory_allocate(&w->notes, size * KINDS, sizeof *w->notes, "watch"));
  TRY(memory_allocate(&w->sent, size, sizeof *w->sent, "watch"));
  TRY(memory_allocate(&w->received, size, sizeof *w->received, "watch"));
  TRY(memory_allocate(&w->requests, size * KINDS, sizeof(MPI_Request), "watch"));
  for (size_t i = 0; i < size * KINDS; ++i) w->requests[i] = MPI_REQUEST_NULL;
  CHECK_MPI(MPI_Comm_dup(comm->mpi, &w->mpi));
  return MLPD_OK;
}

static mlpd_status receive_note(comm_watch *w, int from, note *taken) {
  CHECK_MPI(MPI_Recv(taken, (int)sizeof *taken, MPI_BYTE, from, 0, w->mpi, MPI_STATUS_IGNORE));
  w->received[from]++;
  return MLPD_OK;
}

/* Receives what was sent to this rank and never looked at: questions asked of it while it was stopped. */
static mlpd_status drain(mlpd_comm *comm) {
  comm_watch *const w = comm->watch;
  int *const expected = comm->counts;
  CHECK_MPI(MPI_Alltoall(w->sent, 1, MPI_INT, expected, 1, MPI_INT, w->mpi));
  for (int rank = 0; rank < comm->size; ++rank) {
    note taken;
    while (w->received[rank] < expected[rank]) TRY(receive_note(w, rank, &taken));
  }
  CHECK_MPI(MPI_Waitall(KINDS * comm->size, w->requests, MPI_STATUSES_IGNORE));
  return MLPD_OK;
}

void comm_watch_free(mlpd_comm *comm) {
  comm_watch *const w = comm->watch;
  if (w == NULL) return;
  if (w->mpi != MPI_COMM_NULL) {
    (void)drain(comm);
    (void)MPI_Comm_free(&w->mpi);
  }
  free(w->answered);
  free(w->notes);
  free(w->requests);
  free(w->sent);
  free(w->received);
  free(w);
  comm->watch = NULL;
}

static watch_limits make_limits(double timeout, double limit, mlpd_stalled *told, void *context) {
  return (watch_limits){.timeout = told != NULL ? timeout : 0, .limit = limit, .told = told, .context = context};
}

void mlpd_comm_watch(mlpd_comm *comm, double timeout, double limit, mlpd_stalled *stalled, void *context) {
  if (comm->watch != NULL) comm->watch->now = make_limits(timeout, limit, stalled, context);
}

void comm_watch_start(mlpd_comm *comm, double timeout, double limit, mlpd_stalled *told, void *context) {
  comm_watch *const w = comm->watch;
  if (w == NULL) return;
  w->outer = w->now;
  w->now = make_limits(timeout, limit, told, context);
}

void comm_watch_stop(mlpd_comm *comm) {
  comm_watch *const w = comm->watch;
  if (w == NULL) return;
  w->now = w->outer;
  w->place = COMM_AT_THE_END;
  w->resumes = false;
}

void comm_watch_place(mlpd_comm *comm, const char *place) {
  if (comm->watch != NULL) comm->watch->place = place;
}

void comm_watch_step(mlpd_comm *comm, uint64_t step) {
  comm_watch *const w = comm->watch;
  if (w == NULL) return;
  w->place = NULL;
  w->step = step;
  w->resumes = w->resumes || step > 1;
}

/* ---- Questions and answers ---------------------------------------------------------------------- */

/* Sends a note, unless the one before is still under way: then nobody is there to read it. */
static mlpd_status send_note(comm_watch *w, int to, uint64_t kind, uint64_t number) {
  MPI_Request *const request = &w->requests[KINDS * to + (int)kind];
  note *const sent = &w->notes[KINDS * to + (int)kind];
  int done = 0;
  CHECK_MPI(MPI_Test(request, &done, MPI_STATUS_IGNORE));
  if (!done) return MLPD_OK;
  *sent = (note){kind, number};
  CHECK_MPI(MPI_Isend(sent, (int)sizeof *sent, MPI_BYTE, to, 0, w->mpi, request));
  w->sent[to]++;
  return MLPD_OK;
}

/* Answers what others ask and takes in their answers. */
static mlpd_status listen_to_others(comm_watch *w) {
  for (;;) {
    int there = 0;
    MPI_Status from;
    note taken;
    CHECK_MPI(MPI_Iprobe(MPI_ANY_SOURCE, 0, w->mpi, &there, &from));
    if (!there) return MLPD_OK;
    TRY(receive_note(w, from.MPI_SOURCE, &taken));
    if (taken.kind == QUESTION)
      TRY(send_note(w, from.MPI_SOURCE, ANSWER, taken.number));
    else if (taken.number == w->question)
      w->answered[from.MPI_SOURCE] = true;
  }
}

static mlpd_status ask(mlpd_comm *comm) {
  comm_watch *const w = comm->watch;
  ++w->question;
  for (int rank = 0; rank < comm->size; ++rank) {
    w->answered[rank] = rank == comm->rank;
    if (rank != comm->rank) TRY(send_note(w, rank, QUESTION, w->question));
  }
  return MLPD_OK;
}

/* "rank 2 on node07, rank 3 on node07 and 4 more": those that did not answer; returns how many. */
static int name_silent(const mlpd_comm *comm, char *text, size_t room) {
  int silent = 0;
  size_t length = 0;
  text[0] = '\0';
  for (int rank = 0; rank < comm->size; ++rank) {
    if (comm->watch->answered[rank] || silent++ >= RANKS_NAMED) continue;
    const int added = snprintf(text + length, room - length, "%srank %d on %s", length > 0 ? ", " : "", rank,
                               comm_host_of(comm, rank));
    if (added > 0 && (size_t)added < room - length) length += (size_t)added;
  }
  if (silent > RANKS_NAMED) (void)snprintf(text + length, room - length, " and %d more", silent - RANKS_NAMED);
  return silent;
}

/* The lowest rank that answered speaks for those that wait. */
static bool speaks(const mlpd_comm *comm) {
  int lowest = 0;
  while (!comm->watch->answered[lowest]) ++lowest; /* this rank at the latest */
  return lowest == comm->rank;
}

/* "rank 2 on node07: 3 other ranks have waited 60 s for it at step 12"; returns how many are waited for. */
static int describe_wait(const mlpd_comm *comm, double waited, char *text, size_t room) {
  const comm_watch *const w = comm->watch;
  char names[COMM_MESSAGE_BYTES / 2], place[64];
  const int silent = name_silent(comm, names, sizeof names), others = comm->size - silent;
  if (w->place != NULL)
    (void)snprintf(place, sizeof place, "%s", w->place);
  else
    (void)snprintf(place, sizeof place, "at step %llu", (unsigned long long)w->step);
  if (silent > 0)
    (void)snprintf(text, room, "%s: %d other rank%s waited %.0f s for %s %s", names, others,
                   others == 1 ? " has" : "s have", waited, silent == 1 ? "it" : "them", place);
  else
    (void)snprintf(text, room, "all ranks have waited %.0f s for each other %s", waited, place);
  return silent;
}

/* Tells of the ranks that did not answer, where this rank speaks; returns whether it did. */
static bool conclude(const mlpd_comm *comm, double waited) {
  const comm_watch *const w = comm->watch;
  char waiting[COMM_MESSAGE_BYTES - 128], text[COMM_MESSAGE_BYTES];
  if (describe_wait(comm, waited, waiting, sizeof waiting) == 0 || w->now.told == NULL || !speaks(comm)) return false;
  (void)snprintf(text, sizeof text, "%s; stopped, swapped out, lost, or far slower than the rest?", waiting);
  w->now.told(w->now.context, text);
  return true;
}

/* What ends the run. */
static mlpd_status waited_too_long(const mlpd_comm *comm, double waited) {
  char waiting[COMM_MESSAGE_BYTES - 128];
  (void)describe_wait(comm, waited, waiting, sizeof waiting);
  return FAIL(MLPD_ERROR_MPI, "%s; the run ends, as --stall-abort %g asks%s", waiting, comm->watch->now.limit,
              comm->watch->resumes ? "; --resume auto goes on from its last checkpoint" : "");
}

/* ---- Waiting ------------------------------------------------------------------------------------ */

/* What a wait for memory does between polls: its core may be the one that others need. */
enum {
  SPINS = 200,            /* polls before the core is offered to others */
  PAUSES = 32,            /* in a spin: some 0.4 us */
  NAP_NANOSECONDS = 50000 /* once the wait has taken long */
};
static const double NAP_SECONDS = 0.002; /* long enough for a nap not to count */

static void pause_briefly(void) {
  for (int i = 0; i < PAUSES; ++i) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#else
    __asm__ volatile("" ::: "memory");
#endif
  }
}

/* Asked when timeout is over, then at doubling intervals, and when the limit is reached. */
static double next_question(const comm_watch *w, const wait_state *at) {
  const double doubled = 2 * at->ask_at > at->conclude_at ? 2 * at->ask_at : 2 * at->conclude_at;
  const double limit = w->now.limit;
  return limit > at->ask_at && limit < doubled ? limit : doubled;
}

static bool is_watching(const comm_watch *w) { return w->now.timeout > 0 || w->now.limit > 0; }

static mlpd_status look_around(mlpd_comm *comm, wait_state *at, comm_wait_kind kind) {
  comm_watch *const w = comm->watch;
  /* Who polls memory alone moves no message of his own on: here he does. */
  if (at->waited >= at->listen_at || kind == COMM_WAIT_MEMORY) {
    TRY(listen_to_others(w));
    at->listen_at = at->waited + LISTEN_SECONDS;
  }
  if (!is_watching(w)) return MLPD_OK;
  if (at->asking && at->waited >= at->conclude_at) {
    at->asking = false;
    if (w->now.limit > 0 && at->waited >= w->now.limit) {
      /* One rank speaks and ends all; the others speak where that does not reach them. */
      at->leaving = true;
      at->leave_at = at->waited + (speaks(comm) ? 0 : ABORT_SECONDS);
    } else if (conclude(comm, at->waited)) {
      at->told = true;
    }
  }
  if (at->leaving && at->waited >= at->leave_at) return waited_too_long(comm, at->waited);
  if (at->leaving || at->waited < at->ask_at) return MLPD_OK;
  TRY(ask(comm));
  at->asking = true;
  at->conclude_at = at->waited + ANSWER_SECONDS;
  at->ask_at = next_question(w, at);
  return MLPD_OK;
}

static mlpd_status wait_watching(mlpd_comm *comm, comm_poll *poll, void *context, comm_wait_kind kind) {
  const comm_watch *const w = comm->watch;
  const watch_limits *const now = &w->now;
  const bool limit_first = now->limit > 0 && !(now->timeout > 0 && now->timeout < now->limit);
  wait_state at = {.last = clock_seconds(), .ask_at = limit_first ? now->limit : now->timeout};
  for (;;) {
    bool done = false;
    TRY(poll(context, &done));
    if (done) break;
    const double seconds = clock_seconds();
    at.waited += seconds - at.last < MOST_BETWEEN_POLLS ? seconds - at.last : MOST_BETWEEN_POLLS;
    at.last = seconds;
    TRY(look_around(comm, &at, kind));
    if (kind == COMM_WAIT_MEMORY && at.waited > NAP_SECONDS)
      (void)nanosleep(&(struct timespec){.tv_nsec = NAP_NANOSECONDS}, NULL);
    else
      (void)sched_yield();
  }
  if (!at.told) return MLPD_OK;
  char text[96];
  (void)snprintf(text, sizeof text, "all ranks are there again after %.0f s: the run goes on", at.waited);
  w->now.told(w->now.context, text);
  return MLPD_OK;
}

#ifdef SMPI_H
/* No rank of a simulation is stopped or lost. */
static mlpd_status wait_simulated(comm_poll *poll, void *context) {
  for (;;) {
    bool done = false;
    simulated_poll_begins();
    TRY(poll(context, &done));
    if (done) return MLPD_OK;
    CHECK_MPI(simulated_wait());
  }
}
#endif

mlpd_status comm_wait_for(mlpd_comm *comm, comm_poll *poll, void *context, comm_wait_kind kind) {
#ifdef SMPI_H
  if (kind == COMM_WAIT_MESSAGES) return wait_simulated(poll, context);
#endif
  for (int i = 0; i < QUICK_POLLS; ++i) {
    bool done = false;
    TRY(poll(context, &done));
    if (done) return MLPD_OK;
    if (kind == COMM_WAIT_MESSAGES) continue;
    if (i < SPINS)
      pause_briefly();
    else
      (void)sched_yield();
  }
  return wait_watching(comm, poll, context, kind);
}

typedef struct request_list {
  int count;
  MPI_Request *requests;
} request_list;

static mlpd_status poll_requests(void *context, bool *done) {
  const request_list *const list = context;
  int flag = 0;
  CHECK_MPI(MPI_Testall(list->count, list->requests, &flag, MPI_STATUSES_IGNORE));
  *done = flag != 0;
  return MLPD_OK;
}

mlpd_status comm_wait(mlpd_comm *comm, int count, MPI_Request *requests) {
  if (comm->watch == NULL || !is_watching(comm->watch)) {
    CHECK_MPI(MPI_Waitall(count, requests, MPI_STATUSES_IGNORE));
    return MLPD_OK;
  }
  return comm_wait_for(comm, poll_requests, &(request_list){count, requests}, COMM_WAIT_MESSAGES);
}
