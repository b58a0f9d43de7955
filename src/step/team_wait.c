#define _GNU_SOURCE /* RUSAGE_THREAD */
#include "step/team_wait.h"

#include <errno.h>
#include <omp.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "base/memory.h"
#include "base/threads.h"

static const double LOOK_SECONDS = 0.1;
static const double STALE_SECONDS = 1;    /* since the last look: a validation or a checkpoint was between */
static const double CROWDED_SHARE = 0.75; /* of the time that the thread was on a core */
enum { CROWDED_PREEMPTIONS = 2, MOST_SURPLUS = 8 };
enum { SHORT_SECONDS = 10 }; /* then the next looks decide anew whether the machine is crowded */

/* ---- The switch --------------------------------------------------------------------------------------- */

/* A thread whose own OpenMP team sleeps. GNU's manual (GOMP_SPINCOUNT): where more OpenMP threads exist than cores, a
 * wait spins 100 times, not 300,000 times. Other runtimes do not care. */
struct team_holder {
  pthread_t thread;
  sem_t made, end;
  struct timespec until; /* CLOCK_REALTIME; then the team goes without being told, if its trainer takes no more steps */
  int team;
};

static void wait_for(sem_t *semaphore) {
  while (sem_wait(semaphore) != 0) continue; /* a signal came */
}

static void *hold_team(void *argument) {
  team_holder *const h = argument;
  if (threads_try(h->team - 1) != 0) h->team = 1;
#pragma omp parallel num_threads(h->team)
  {
#pragma omp master
    (void)sem_post(&h->made);
  }
  while (sem_timedwait(&h->end, &h->until) != 0 && errno == EINTR) continue;
  return NULL;
}

/* Signals are for the program's own threads. */
static int create_thread(team_holder *h) {
  sigset_t all, former;
  (void)sigfillset(&all);
  (void)pthread_sigmask(SIG_SETMASK, &all, &former);
  const int error = pthread_create(&h->thread, NULL, hold_team, h);
  (void)pthread_sigmask(SIG_SETMASK, &former, NULL);
  return error;
}

static void free_holder(team_holder *h) {
  (void)sem_destroy(&h->made);
  (void)sem_destroy(&h->end);
  free(h);
}

void team_wait_shorten(team_wait *w, int seconds) {
  team_holder *h = NULL;
  if (w->holder != NULL || w->surplus == 0) return;
  if (memory_allocate(&h, 1, sizeof *h, "a thread") != MLPD_OK) return;
  h->team = w->surplus + 1; /* the thread itself is not counted */
  (void)clock_gettime(CLOCK_REALTIME, &h->until);
  h->until.tv_sec += seconds;
  (void)sem_init(&h->made, 0, 0);
  (void)sem_init(&h->end, 0, 0);
  if (create_thread(h) != 0) {
    free_holder(h);
    return;
  }
  wait_for(&h->made);
  w->holder = h;
}

void team_wait_lengthen(team_wait *w) {
  if (w->holder == NULL) return;
  (void)sem_post(&w->holder->end);
  (void)pthread_join(w->holder->thread, NULL);
  free_holder(w->holder);
  w->holder = NULL;
}

/* ---- Looking ------------------------------------------------------------------------------------------ */

bool team_wait_crowded(double wall, double own, long preemptions) {
  return preemptions >= CROWDED_PREEMPTIONS && own >= 0 && own < CROWDED_SHARE * wall;
}

static double seconds_of(clockid_t clock) {
  struct timespec now;
  (void)clock_gettime(clock, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static long preemptions_now(void) {
  struct rusage usage;
  return getrusage(RUSAGE_THREAD, &usage) == 0 ? usage.ru_nivcsw : 0;
}

void team_wait_begin(team_wait *w, int threads) {
  const int surplus = omp_get_num_procs() - threads + 1;
  *w = (team_wait){0};
  if (threads < 2 || surplus < 1 || surplus > MOST_SURPLUS) return; /* with too many threads waits are short anyway */
  if (getenv("OMP_WAIT_POLICY") != NULL || getenv("GOMP_SPINCOUNT") != NULL) return;
  /* Then OpenMP's threads may need more memory than those of threads_try(). */
  if (getenv("OMP_STACKSIZE") != NULL || getenv("GOMP_STACKSIZE") != NULL) return;
  w->surplus = surplus;
}

void team_wait_look(team_wait *w) {
  if (w->surplus == 0) return;
  const double now = seconds_of(CLOCK_MONOTONIC), passed = now - w->wall;
  if (passed < LOOK_SECONDS) return;
  const double own = seconds_of(CLOCK_THREAD_CPUTIME_ID);
  const long preemptions = preemptions_now();
  if (w->holder == NULL && passed < STALE_SECONDS &&
      team_wait_crowded(passed, own - w->own, preemptions - w->preemptions)) {
    team_wait_shorten(w, SHORT_SECONDS);
    w->short_since = now;
  } else if (w->holder != NULL && now - w->short_since > SHORT_SECONDS) {
    team_wait_lengthen(w);
  }
  w->wall = now;
  w->own = own;
  w->preemptions = preemptions;
}

void team_wait_end(team_wait *w) {
  team_wait_lengthen(w);
  *w = (team_wait){0};
}
