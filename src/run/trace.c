#include "run/trace.h"

#include <stdlib.h>
#include <string.h>

#include "base/file_output.h"
#include "base/memory.h"
#include "base/timeline_json.h"
#include "ranks/clock.h"
#include "ranks/comm.h"
#include "run/trace_clock.h"

/* A time of rank 0's clock in nanoseconds, and of its timeline's clock at the same moment. */
typedef struct moment {
  uint64_t tick;
  double nanosecond; /* since some moment */
} moment;

struct trace {
  mlpd_comm *comm;
  timeline *line;
  moment moments[2];    /* at the start, at the end */
  clock_pair *pairs[2]; /* (ranks) each, on rank 0 */
};

/* What rank 0 needs to receive a rank's timeline. */
typedef struct contents {
  uint64_t num_threads, events, lost, steps;
} contents;

timeline *trace_timeline(trace *t) { return t != NULL ? t->line : NULL; }

void trace_free(trace *t) {
  if (t == NULL) return;
  timeline_free(t->line);
  for (int i = 0; i < 2; i++) free(t->pairs[i]);
  free(t);
}

/* ---- Clocks -------------------------------------------------------------------------------------- */

static uint64_t read_clock(const void *line) { return timeline_clock(line); }

/* The first (0) or second (1) comparison. Collective. */
static mlpd_status look_at_clocks(trace *t, int look) {
  moment *const now = &t->moments[look];
  now->tick = timeline_clock(t->line);
  now->nanosecond = clock_seconds() * 1e9;
  return trace_clock_compare(t->comm, read_clock, t->line, t->pairs[look]);
}

/* Converts rank 0's ticks to nanoseconds since the first comparison. */
static timeline_clock_map own_clock(const trace *t) {
  return (timeline_clock_map){.tick = {t->moments[0].tick, t->moments[1].tick},
                              .nanosecond = {0, t->moments[1].nanosecond - t->moments[0].nanosecond}};
}

static timeline_clock_map clock_of(const trace *t, int rank) {
  const timeline_clock_map own = own_clock(t);
  if (rank == 0) return own;
  timeline_clock_map map;
  for (int look = 0; look < 2; look++) {
    map.tick[look] = t->pairs[look][rank].there;
    map.nanosecond[look] = (double)timeline_nanosecond(&own, t->pairs[look][rank].here);
  }
  return map;
}

/* The largest error of any rank's clock against rank 0's in both comparisons: an upper bound for times between them. */
static double clock_error(const trace *t) {
  const timeline_clock_map own = own_clock(t);
  uint64_t worst = 0;
  for (int look = 0; look < 2; look++)
    for (int rank = 0; rank < mlpd_comm_size(t->comm); rank++)
      if (t->pairs[look][rank].error > worst) worst = t->pairs[look][rank].error;
  return (double)worst * own.nanosecond[1] / (double)(own.tick[1] - own.tick[0]);
}

mlpd_status trace_create(mlpd_comm *comm, uint32_t threads, uint64_t steps, size_t events_a_step, trace **made) {
  trace *t = NULL;
  *made = NULL;
  mlpd_status status = memory_allocate(&t, 1, sizeof *t, "trace");
  if (status == MLPD_OK) {
    t->comm = comm;
    status = timeline_create(threads, steps, events_a_step, &t->line);
  }
  for (int i = 0; status == MLPD_OK && i < 2; i++)
    status = memory_allocate(&t->pairs[i], (size_t)mlpd_comm_size(comm), sizeof *t->pairs[i], "trace");
  status = mlpd_comm_agree(comm, status);
  if (status == MLPD_OK) status = look_at_clocks(t, 0);
  if (status == MLPD_OK)
    *made = t;
  else
    trace_free(t);
  return status;
}

/* ---- From all ranks to the file -------------------------------------------------------------------- */

/* Buffers for the events of a rank; on rank 0, large enough for any rank. */
typedef struct parcel {
  contents *all; /* (ranks) */
  uint64_t *counts;
  timeline_event *events;
  file_output out; /* rank 0 */
  bool open;       /* out is */
} parcel;

static contents own_contents(const timeline *line) {
  contents c = {.num_threads = line->num_threads, .lost = timeline_lost(line), .steps = line->steps};
  for (uint32_t i = 0; i < line->num_tracks; i++) c.events += line->tracks[i].count;
  return c;
}

/* Gathers the sizes of all timelines on every rank. Collective. */
static mlpd_status exchange_contents(const trace *t, parcel *p) {
  const contents mine = own_contents(t->line);
  return comm_gather_equal(t->comm, &mine, sizeof mine, "trace", &p->all);
}

/* Allocates the buffers and, on rank 0, opens the file under a temporary name. */
static mlpd_status open_parcel(const trace *t, const char *path, parcel *p) {
  const int size = mlpd_comm_size(t->comm), me = mlpd_comm_rank(t->comm);
  uint64_t events = p->all[me].events, threads = p->all[me].num_threads;
  for (int rank = 0; me == 0 && rank < size; rank++) {
    if (p->all[rank].events > events) events = p->all[rank].events;
    if (p->all[rank].num_threads > threads) threads = p->all[rank].num_threads;
  }
  TRY(memory_allocate(&p->counts, threads + TIMELINE_OTHER_TRACKS, sizeof *p->counts, "trace"));
  TRY(memory_allocate(&p->events, events, sizeof *p->events, "trace"));
  if (me != 0) return MLPD_OK;
  TRY(file_output_open(path, FILE_TEXT, &p->out));
  p->open = true;
  return MLPD_OK;
}

static void pack(const timeline *line, parcel *p) {
  timeline_event *next = p->events;
  for (uint32_t i = 0; i < line->num_tracks; i++) {
    const timeline_track *const from = &line->tracks[i];
    p->counts[i] = from->count;
    memcpy(next, from->events, from->count * sizeof *next);
    next += from->count;
  }
}

/* The ranks send their events to rank 0 one after the other; rank 0 writes each before it receives the next.
 * Collective. */
static mlpd_status write_ranks(const trace *t, parcel *p, uint64_t first_step) {
  const int size = mlpd_comm_size(t->comm), me = mlpd_comm_rank(t->comm);
  pack(t->line, p);
  if (me == 0) timeline_write_begin(p->out.stream);
  for (int rank = 0; rank < size; rank++) {
    const contents *const of = &p->all[rank];
    TRY(comm_move(t->comm, p->counts, (of->num_threads + TIMELINE_OTHER_TRACKS) * sizeof *p->counts, rank, 0));
    TRY(comm_move(t->comm, p->events, of->events * sizeof *p->events, rank, 0));
    if (me != 0) continue;
    timeline_write_process(p->out.stream,
                           &(timeline_process){.rank = rank,
                                               .host = comm_host_of(t->comm, rank),
                                               .num_threads = (uint32_t)of->num_threads,
                                               .counts = p->counts,
                                               .events = p->events,
                                               .clock = clock_of(t, rank)},
                           first_step);
  }
  return MLPD_OK;
}

/* On rank 0. */
static mlpd_status close_file(const trace *t, parcel *p, uint64_t lost) {
  char more[256];
  const uint64_t steps = t->line->steps < t->line->most_steps ? t->line->steps : t->line->most_steps;
  (void)snprintf(more, sizeof more,
                 "\"program\":\"mlpdist " MLPD_VERSION
                 "\",\"ranks\":%d,\"steps_traced\":%llu,\"events_lost\":%llu,\"clock_error_us\":%.3f",
                 mlpd_comm_size(t->comm), (unsigned long long)steps, (unsigned long long)lost, clock_error(t) * 1e-3);
  timeline_write_end(p->out.stream, more);
  p->open = false;
  return file_output_commit(&p->out);
}

mlpd_status trace_write(trace *t, const char *path, uint64_t first_step, uint64_t *lost) {
  parcel p = {0};
  mlpd_status status = MLPD_OK;
  *lost = 0;
  TRY(look_at_clocks(t, 1));
  TRY_GOTO(status, exchange_contents(t, &p), done);
  for (int rank = 0; rank < mlpd_comm_size(t->comm); rank++) *lost += p.all[rank].lost;
  TRY_GOTO(status, mlpd_comm_agree(t->comm, open_parcel(t, path, &p)), done);
  TRY_GOTO(status, write_ranks(t, &p, first_step), done);
  status = mlpd_comm_agree(t->comm, mlpd_comm_rank(t->comm) == 0 ? close_file(t, &p, *lost) : MLPD_OK);
done:
  if (p.open) file_output_discard(&p.out);
  free(p.events);
  free(p.counts);
  free(p.all);
  return status;
}
