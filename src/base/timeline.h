/* A timeline: which thread of this process did what when, for the trace of a run. Each thread writes to a track of its
 * own, in memory that is there from the start; a track that is full leaves out what follows, and counts it.
 *
 *   uint64_t at = timeline_begin(t);                               0 where nothing is recorded, t NULL included
 *   ...
 *   at = timeline_end(t, thread, TIMELINE_GATHER, rows, 0, at);    recorded; at: where the next phase may begin */
#ifndef MLPDIST_TIMELINE_H
#define MLPDIST_TIMELINE_H

#include <time.h>

#include "base/status.h"

/* What a phase that holds others begins with comes before them. */
typedef enum timeline_phase {
  TIMELINE_STEP,      /* number in the run */
  TIMELINE_WAIT,      /* for other ranks: until all of the sum can be read */
  TIMELINE_MESSAGES,  /* set out and moved on while there is something to compute */
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
  TIMELINE_VALIDATE,  /* this and those below: outside of steps, or now and then */
  TIMELINE_COMPARE,
  TIMELINE_CHECKPOINT_COPY,
  TIMELINE_CHECKPOINT_WRITE,
  TIMELINE_MODEL,
  TIMELINE_PHASES
} timeline_phase;

/* begin and end in ticks of timeline_clock(); step from 0, the first traced one; first, second: see timeline_phase. */
typedef struct timeline_event {
  uint64_t begin, end;
  uint32_t phase, step, first, second;
} timeline_event;

typedef struct timeline_track {
  _Alignas(64) timeline_event *events; /* (capacity), in the order of their ends */
  size_t count, capacity;
  uint64_t lost; /* left out, for the track was full */
} timeline_track;

/* Tracks of a process besides its threads'. */
enum { TIMELINE_SUMS, TIMELINE_CHECKPOINTS, TIMELINE_OTHER_TRACKS };

typedef struct timeline {
  bool counts_cycles; /* the clock is the processor's, else CLOCK_MONOTONIC in nanoseconds */
  bool within;        /* a step that is traced is under way */
  uint32_t num_threads, num_tracks;
  uint64_t steps, most_steps;
  _Atomic uint32_t step;  /* under way; the thread that writes checkpoints looks too */
  timeline_track *tracks; /* (num_tracks): threads, then TIMELINE_SUMS and TIMELINE_CHECKPOINTS */
} timeline;

/* For the first `steps` steps, with room for events_a_step of each thread and some more; what that takes beyond 64 MiB
 * a thread is not given. Free with timeline_free. Not collective. */
mlpd_status timeline_create(uint32_t num_threads, uint64_t steps, size_t events_a_step, timeline **made);
void timeline_free(timeline *t); /* NULL is allowed. Not collective */

/* The next step begins; t may be NULL. Outside of a parallel region. Not collective. */
void timeline_next_step(timeline *t);

uint64_t timeline_lost(const timeline *t); /* events left out. Not collective */

/* Records; on the thread the track belongs to. Not collective. */
void timeline_add(timeline *t, uint32_t track, timeline_phase phase, uint32_t first, uint32_t second, uint64_t begin,
                  uint64_t end);

/* Ticks since some moment, never 0; they go on evenly, and alike on all threads of a machine. Not collective. */
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

/* The time where a phase of a step, or one between steps, begins. Not collective. */
static inline uint64_t timeline_begin(const timeline *t) { return t != NULL && t->within ? timeline_clock(t) : 0; }
static inline uint64_t timeline_begin_rare(const timeline *t) { return t != NULL ? timeline_clock(t) : 0; }

/* Not collective. */
static inline uint64_t timeline_end(timeline *t, uint32_t track, timeline_phase phase, uint64_t first, uint64_t second,
                                    uint64_t begin) {
  if (begin == 0) return 0;
  const uint64_t end = timeline_clock(t);
  timeline_add(t, track, phase, (uint32_t)first, (uint32_t)second, begin, end);
  return end;
}

#endif
