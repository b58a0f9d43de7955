/* A timeline: what each thread of this process does at what time, for the trace of a run. Each thread writes to its own
 * track, in memory allocated at the start. A full track drops further events and counts them. Nothing here is
 * collective.
 *
 *   uint64_t at = timeline_begin(t);                               0 where nothing is recorded, t NULL included
 *   ...
 *   at = timeline_end(t, thread, TIMELINE_GATHER, rows, 0, at);    recorded; at: where the next phase may begin */
#ifndef MLPDIST_TIMELINE_H
#define MLPDIST_TIMELINE_H

#include <time.h>

#include "base/status.h"

/* A phase that contains others stands before them. */
typedef enum timeline_phase {
  TIMELINE_STEP,      /* number in the run */
  TIMELINE_WAIT,      /* for other ranks, until the whole sum can be read */
  TIMELINE_MESSAGES,  /* sending and receiving while other threads compute */
  TIMELINE_GATHER,    /* rows */
  TIMELINE_FORWARD,   /* layer, rows */
  TIMELINE_LOSS,      /* rows */
  TIMELINE_BACKWARD,  /* layer, rows */
  TIMELINE_GRADIENT,  /* layer, units: weight gradients */
  TIMELINE_UPDATE,    /* layer, units: weight gradients and optimizer in turn */
  TIMELINE_OPTIMIZER, /* layer, units; or 0, 0: all */
  TIMELINE_NORM,      /* of the gradient */
  TIMELINE_ADD,       /* bytes: gradients of several ranks */
  TIMELINE_REDUCE,    /* bucket, bytes: from complete on this rank to readable */
  TIMELINE_VALIDATE,  /* this and those below: outside of steps, or only now and then */
  TIMELINE_COMPARE,
  TIMELINE_CHECKPOINT_COPY,
  TIMELINE_CHECKPOINT_WRITE,
  TIMELINE_MODEL,
  TIMELINE_PHASES
} timeline_phase;

/* begin and end in ticks of timeline_clock(); step from 0, the first traced one; first, second: see timeline_phase */
typedef struct timeline_event {
  uint64_t begin, end;
  uint32_t phase, step, first, second;
} timeline_event;

typedef struct timeline_track {
  _Alignas(64) timeline_event *events; /* (capacity), in the order of their ends */
  size_t count, capacity;
  uint64_t lost; /* dropped because the track was full */
} timeline_track;

/* Tracks of a process besides those of its threads. */
enum { TIMELINE_SUMS, TIMELINE_CHECKPOINTS, TIMELINE_OTHER_TRACKS };

typedef struct timeline {
  bool counts_cycles; /* the clock counts processor cycles, else nanoseconds of CLOCK_MONOTONIC */
  bool within;        /* a traced step is under way */
  uint32_t num_threads, num_tracks;
  uint64_t steps, most_steps;
  _Atomic uint32_t step;  /* the current one; the thread that writes checkpoints reads it, too */
  timeline_track *tracks; /* (num_tracks): threads, then TIMELINE_SUMS and TIMELINE_CHECKPOINTS */
} timeline;

/* Makes a timeline of the first `steps` steps, with room for events_a_step events per thread and step and some more, at
 * most 64 MiB per thread. Free with timeline_free. */
mlpd_status timeline_create(uint32_t num_threads, uint64_t steps, size_t events_a_step, timeline **made);
void timeline_free(timeline *t); /* NULL is allowed */

/* Begins the next step; t may be NULL. Outside of a parallel region. */
void timeline_next_step(timeline *t);

uint64_t timeline_lost(const timeline *t); /* events left out */

/* Records an event, on the thread that owns the track. */
void timeline_add(timeline *t, uint32_t track, timeline_phase phase, uint32_t first, uint32_t second, uint64_t begin,
                  uint64_t end);

/* Ticks since an arbitrary start, never 0. They advance evenly, and equally on all threads of a machine. */
static inline uint64_t timeline_clock(const timeline *t) {
#if defined(__x86_64__)
  if (t->counts_cycles) return __builtin_ia32_rdtsc();
#endif
  (void)t;
  struct timespec now;
  (void)clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec + 1;
}

static inline uint32_t timeline_track_of(const timeline *t, uint32_t other) {
  return t != NULL ? t->num_threads + other : 0;
}

/* The start of a phase of a step, or of one between steps; 0 if nothing is recorded. */
static inline uint64_t timeline_begin(const timeline *t) { return t != NULL && t->within ? timeline_clock(t) : 0; }
static inline uint64_t timeline_begin_rare(const timeline *t) { return t != NULL ? timeline_clock(t) : 0; }

static inline uint64_t timeline_end(timeline *t, uint32_t track, timeline_phase phase, uint64_t first, uint64_t second,
                                    uint64_t begin) {
  if (begin == 0) return 0;
  const uint64_t end = timeline_clock(t);
  timeline_add(t, track, phase, (uint32_t)first, (uint32_t)second, begin, end);
  return end;
}

#endif
