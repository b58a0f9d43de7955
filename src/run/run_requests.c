/* Requests to runs; a thread knows whose callback it executes. */
#include "run/run_requests.h"

#include <pthread.h>
#include <stdatomic.h>

/* Requests to all runs of the process. Each run compares them with its own counts, so none takes another's. */
static atomic_uint stops, checkpoints;

/* The run whose callback a thread executes. Not _Thread_local, of which a thread's first use may allocate memory:
 * signal handlers read it, and pthread_getspecific() may be called in one (the GNU C library's manual says so). */
static pthread_key_t calling;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static atomic_bool has_calling;

static void make_calling(void) { atomic_store(&has_calling, pthread_key_create(&calling, NULL) == 0); }

static run_requests *whose_callback(void) { return atomic_load(&has_calling) ? pthread_getspecific(calling) : NULL; }

void mlpd_request(mlpd_request_kind kind) {
  run_requests *const run = whose_callback();
  if (kind == MLPD_REQUEST_STOP && run != NULL)
    atomic_store(&run->stop, true);
  else if (kind == MLPD_REQUEST_STOP)
    (void)atomic_fetch_add(&stops, 1);
  else if (kind == MLPD_REQUEST_CHECKPOINT && run != NULL)
    atomic_store(&run->checkpoint, true);
  else if (kind == MLPD_REQUEST_CHECKPOINT)
    (void)atomic_fetch_add(&checkpoints, 1);
}

/* ---- Callbacks ----------------------------------------------------------------------------------- */

/* A callback may start a run of its own; this thread executes no callback then, but those of the inner run. */
static run_requests *enter(run_requests *r) {
  run_requests *const outer = whose_callback();
  if (atomic_load(&has_calling)) (void)pthread_setspecific(calling, r);
  return outer;
}

static void leave(run_requests *outer) {
  if (atomic_load(&has_calling)) (void)pthread_setspecific(calling, outer);
}

static void started(void *context, const mlpd_train_result *plan) {
  run_requests *const r = context, *const outer = enter(r);
  r->given->started(r->given->context, plan);
  leave(outer);
}

static void notice(void *context, const char *message) {
  run_requests *const r = context, *const outer = enter(r);
  r->given->notice(r->given->context, message);
  leave(outer);
}

static void decided(void *context, const char *line) {
  run_requests *const r = context, *const outer = enter(r);
  r->given->decided(r->given->context, line);
  leave(outer);
}

static void stepped(void *context, uint64_t epoch, uint64_t step_in_epoch, uint64_t steps_per_epoch, double loss,
                    double samples_per_second) {
  run_requests *const r = context, *const outer = enter(r);
  r->given->stepped(r->given->context, epoch, step_in_epoch, steps_per_epoch, loss, samples_per_second);
  leave(outer);
}

static void epoch_done(void *context, const mlpd_epoch *epoch) {
  run_requests *const r = context, *const outer = enter(r);
  r->given->epoch_done(r->given->context, epoch);
  leave(outer);
}

static void stalled(void *context, const char *message) {
  run_requests *const r = context, *const outer = enter(r);
  r->given->stalled(r->given->context, message);
  leave(outer);
}

/* ---- A run --------------------------------------------------------------------------------------- */

const mlpd_train_events *run_requests_begin(run_requests *r, const mlpd_train_events *given) {
  (void)pthread_once(&once, make_calling);
  *r = (run_requests){.given = given, .stops = atomic_load(&stops), .checkpoints = atomic_load(&checkpoints)};
  r->outer = enter(NULL);
  if (given == NULL) return NULL;
  r->events = (mlpd_train_events){.context = r,
                                  .started = given->started != NULL ? started : NULL,
                                  .notice = given->notice != NULL ? notice : NULL,
                                  .decided = given->decided != NULL ? decided : NULL,
                                  .stepped = given->stepped != NULL ? stepped : NULL,
                                  .epoch_done = given->epoch_done != NULL ? epoch_done : NULL,
                                  .stalled = given->stalled != NULL ? stalled : NULL};
  return &r->events;
}

void run_requests_end(const run_requests *r) { leave(r->outer); }

bool run_requests_stop(const run_requests *r) { return atomic_load(&r->stop) || r->stops != atomic_load(&stops); }

bool run_requests_take_checkpoint(run_requests *r) {
  const unsigned all = atomic_load(&checkpoints);
  const bool asked = atomic_exchange(&r->checkpoint, false), wanted = asked || r->checkpoints != all;
  r->checkpoints = all;
  return wanted;
}
