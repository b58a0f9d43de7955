/* The watch over waits: every wait for other ranks polls, so that a wait which takes too long can be reported.
 *
 * A rank that has waited for the timeout asks all others, on a separate communicator, whether they wait too. A waiting
 * rank polls and answers; one that is stopped, swapped out, lost or still computing does not. After the longer limit
 * the run ends; otherwise it would wait for a cut cable or a hanging node until somebody notices. */
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "ranks/clock.h"
#include "ranks/comm_internal.h"

enum {
  QUICK_POLLS = 1000, /* polls before the clock is read and the core is offered to others */
  RANKS_NAMED = 8,
  QUESTION = 0,
  ANSWER = 1,
  KINDS = 2
};

static const double ANSWER_SECONDS = 1;    /* time for the others to answer */
static const double ABORT_SECONDS = 10;    /* time for the lowest waiting rank to end the run */
static const double LISTEN_SECONDS = 0.01; /* interval of checks for messages */
/* After a longer gap between two polls this rank was itself stopped: the gap does not count as waiting for others. */
static const double MOST_BETWEEN_POLLS = 0.1;

/* A message of the watch. An answer repeats the number of its question. */
typedef struct note {
  uint64_t kind, number;
} note;

/* Seconds of waiting until others are asked, and until the run ends; 0: never. */
typedef struct watch_limits {
  double timeout, limit;
  mlpd_stalled *told;
  void *context;
} watch_limits;

struct comm_watch {
  MPI_Comm mpi; /* a duplicate, only for notes */
  watch_limits now, outer;
  const char *place;     /* what the ranks are doing; NULL: a step */
  uint64_t step;         /* the current step, from 1 */
  bool resumes;          /* a step was completed: there may be a checkpoint */
  uint64_t question;     /* number of the last question */
  bool *answered;        /* (size): the rank answered it */
  note *notes;           /* (size, KINDS): notes being sent to each rank */
  MPI_Request *requests; /* (size, KINDS) */
  int *sent, *received;  /* (size): numbers of notes, so that none remains unreceived at the end */
};

/* The state of a wait. Times are seconds that this rank was running (stopped time excluded). */
typedef struct wait_state {
  double waited, last, listen_at, ask_at, conclude_at, leave_at;
  bool asking, told, leaving;
} wait_state;

/* ---- Start and end ------------------------------------------------------------------------------ */

mlpd_status comm_watch_allocate(mlpd_comm *comm) {
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
  return MLPD_OK;
}

mlpd_status comm_watch_open(mlpd_comm *comm) {
  CHECK_MPI(MPI_Comm_dup(comm->mpi, &comm->watch->mpi));
  return MLPD_OK;
}

static mlpd_status receive_note(comm_watch *w, int from, note *taken) {
  CHECK_MPI(MPI_Recv(taken, (int)sizeof *taken, MPI_BYTE, from, 0, w->mpi, MPI_STATUS_IGNORE));
  w->received[from]++;
  return MLPD_OK;
}

/* Receives notes that this rank has not read, such as questions sent while it was stopped. */
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

/* Sends a note, unless the previous one was not received yet: then the other rank does not read notes. */
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

/* Answers the questions of others and receives their answers. */
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

/* Writes "rank 2 on node07, rank 3 on node07 and 4 more": the ranks that did not answer. Returns their number. */
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

/* true on the lowest waiting rank, which speaks for all of them. */
static bool speaks(const mlpd_comm *comm) {
  int lowest = 0;
  while (!comm->watch->answered[lowest]) ++lowest; /* ends at this rank at the latest */
  return lowest == comm->rank;
}

/* Writes "rank 2 on node07: 3 other ranks have waited 60 s for it at step 12". Returns the number of ranks waited for.
 */
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

/* Reports the ranks that did not answer, if this rank speaks for all; returns true if it did. */
static bool conclude(const mlpd_comm *comm, double waited) {
  const comm_watch *const w = comm->watch;
  char waiting[COMM_MESSAGE_BYTES - 128], text[COMM_MESSAGE_BYTES];
  if (describe_wait(comm, waited, waiting, sizeof waiting) == 0 || w->now.told == NULL || !speaks(comm)) return false;
  (void)snprintf(text, sizeof text, "%s; stopped, swapped out, lost, or far slower than the rest?", waiting);
  w->now.told(w->now.context, text);
  return true;
}

/* Fails: the wait exceeded the limit. */
static mlpd_status waited_too_long(const mlpd_comm *comm, double waited) {
  char waiting[COMM_MESSAGE_BYTES - 128];
  (void)describe_wait(comm, waited, waiting, sizeof waiting);
  return FAIL(MLPD_ERROR_MPI, "%s; the run ends because of --stall-abort %g%s", waiting, comm->watch->now.limit,
              comm->watch->resumes ? "; --resume auto continues from its last checkpoint" : "");
}

/* ---- Waiting ------------------------------------------------------------------------------------ */

/* A wait for memory gives up its core between polls, since another rank may need that core. */
enum {
  SPINS = 200,            /* polls before the core is offered to others */
  PAUSES = 32,            /* pause instructions per poll: about 0.4 us */
  NAP_NANOSECONDS = 50000 /* sleep between polls of a long wait */
};
static const double NAP_SECONDS = 0.002; /* a longer wait sleeps: the time of a nap does not matter then */

static void pause_briefly(void) {
  for (int i = 0; i < PAUSES; ++i) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#else
    __asm__ volatile("" ::: "memory");
#endif
  }
}

/* The time of the next question: after the timeout, then at doubling intervals, and at the limit. */
static double next_question(const comm_watch *w, const wait_state *at) {
  const double doubled = 2 * at->ask_at > at->conclude_at ? 2 * at->ask_at : 2 * at->conclude_at;
  const double limit = w->now.limit;
  return limit > at->ask_at && limit < doubled ? limit : doubled;
}

static bool is_watching(const comm_watch *w) { return w->now.timeout > 0 || w->now.limit > 0; }

static mlpd_status look_around(mlpd_comm *comm, wait_state *at, comm_wait_kind kind) {
  comm_watch *const w = comm->watch;
  /* A poll of memory does not advance this rank's own messages; this does. */
  if (at->waited >= at->listen_at || kind == COMM_WAIT_MEMORY) {
    TRY(listen_to_others(w));
    at->listen_at = at->waited + LISTEN_SECONDS;
  }
  if (!is_watching(w)) return MLPD_OK;
  if (at->asking && at->waited >= at->conclude_at) {
    at->asking = false;
    if (w->now.limit > 0 && at->waited >= w->now.limit) {
      /* One rank prints the message and ends the run; the others do so only if that does not reach them. */
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
  (void)snprintf(text, sizeof text, "all ranks respond again after %.0f s: the run continues", at.waited);
  w->now.told(w->now.context, text);
  return MLPD_OK;
}

#ifdef SMPI_H
/* In a simulation no rank is stopped or lost, so there is no watch. */
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
