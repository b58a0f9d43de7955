#include "cli/start_watch.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static struct {
  pthread_t thread;
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  stall_options stall;
  int rank;
  struct timespec begun; /* monotonic clock */
  bool running, ended;
} watch;

/* Waits until so many seconds after the begin, or until the end; true: the time is over. */
static bool wait_until(double seconds) {
  struct timespec then = watch.begun;
  then.tv_sec += (time_t)seconds;
  then.tv_nsec += (long)(1e9 * (seconds - (double)(time_t)seconds));
  if (then.tv_nsec >= 1000000000) {
    then.tv_sec++;
    then.tv_nsec -= 1000000000;
  }
  int code = 0;
  while (!watch.ended && code == 0) code = pthread_cond_timedwait(&watch.changed, &watch.mutex, &then);
  return !watch.ended;
}

static void wait_forever(void) {
  while (!watch.ended) (void)pthread_cond_wait(&watch.changed, &watch.mutex);
}

static void print_note(void) {
  (void)fprintf(stderr,
                "mlpdist: note: after %g seconds not all ranks have started; one may have failed, be "
                "stopped, or be out of "
                "reach for MPI (its messages, if any, say why)\n",
                watch.stall.timeout);
}

static void give_up(void) {
  if (watch.rank == 0)
    (void)fprintf(stderr,
                  "mlpdist: after %g seconds (--stall-abort) the ranks have not all started; if MPI says that shared "
                  "memory failed (ulimit -v, a full /dev/shm), mpirun --mca btl self,tcp does without it\n",
                  watch.stall.abort);
  else
    (void)sleep(1); /* until rank 0 has said it: mpirun ends all ranks with the first */
  _exit(EXIT_LOST);
}

static void *run(void *unused) {
  (void)unused;
  const stall_options *const stall = &watch.stall;
  const bool notes = stall->timeout > 0 && watch.rank == 0;
  (void)pthread_mutex_lock(&watch.mutex);
  if (notes && (stall->abort <= 0 || stall->timeout < stall->abort) && wait_until(stall->timeout)) print_note();
  if (stall->abort <= 0) wait_forever();
  if (stall->abort > 0 && wait_until(stall->abort)) give_up();
  (void)pthread_mutex_unlock(&watch.mutex);
  return NULL;
}

void start_watch_begin(const stall_options *stall, int launcher_rank) {
  pthread_condattr_t attributes;
  sigset_t all, before;
  if (launcher_rank < 0) return;
  watch.rank = launcher_rank;
  watch.stall = *stall;
  watch.ended = false;
  (void)clock_gettime(CLOCK_MONOTONIC, &watch.begun);
  (void)pthread_mutex_init(&watch.mutex, NULL);
  (void)pthread_condattr_init(&attributes);
  (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  (void)pthread_cond_init(&watch.changed, &attributes);
  (void)pthread_condattr_destroy(&attributes);
  (void)sigfillset(&all);
  (void)pthread_sigmask(SIG_SETMASK, &all, &before);                   /* signals are for the main thread */
  watch.running = pthread_create(&watch.thread, NULL, run, NULL) == 0; /* else the start is not watched */
  (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void start_watch_end(void) {
  if (!watch.running) return;
  (void)pthread_mutex_lock(&watch.mutex);
  watch.ended = true;
  (void)pthread_cond_signal(&watch.changed);
  (void)pthread_mutex_unlock(&watch.mutex);
  (void)pthread_join(watch.thread, NULL);
  (void)pthread_cond_destroy(&watch.changed);
  (void)pthread_mutex_destroy(&watch.mutex);
  watch.running = false;
}
