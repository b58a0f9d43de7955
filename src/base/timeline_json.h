/* Timelines of several processes as one file in the Trace Event Format, which https://ui.perfetto.dev and
 * chrome://tracing open: pid is the rank, tid the thread. Times are in microseconds on the clock of rank 0.
 *
 * Source: "Trace Event Format", Google, 2016: complete events ("X") and metadata events ("M") in the object format. */
#ifndef MLPDIST_TIMELINE_JSON_H
#define MLPDIST_TIMELINE_JSON_H

#include "base/timeline.h"

/* A clock that goes on evenly, seen twice: when it said tick[i] it was nanosecond[i] of the trace. */
typedef struct timeline_clock_map {
  uint64_t tick[2];
  double nanosecond[2];
} timeline_clock_map;

int64_t timeline_nanosecond(const timeline_clock_map *map, uint64_t tick); /* Not collective */

/* A process' timeline, to be written. */
typedef struct timeline_process {
  int rank;
  const char *host;
  uint32_t num_threads;
  const uint64_t *counts;   /* (num_threads + TIMELINE_OTHER_TRACKS): events of each track */
  timeline_event *events;   /* of all tracks, one after the other; sorted by writing */
  timeline_clock_map clock; /* of its ticks */
} timeline_process;

/* The file: begin, each process, end. stream's error flag tells of failure. first_step: the number, from 1, of the
 * first step traced; more: JSON members for otherData, or "". Not collective. */
void timeline_write_begin(FILE *stream);
void timeline_write_process(FILE *stream, const timeline_process *p, uint64_t first_step);
void timeline_write_end(FILE *stream, const char *more);

#endif
