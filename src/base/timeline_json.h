/* Writes timelines of several processes as one file in the Trace Event Format, for https://ui.perfetto.dev and
 * chrome://tracing: pid is the rank, tid the thread. Times are in microseconds on the clock of rank 0. Nothing here is
 * collective.
 *
 * Source: "Trace Event Format", Google, 2016: complete events ("X") and metadata events ("M") in the object format. */
#ifndef MLPDIST_TIMELINE_JSON_H
#define MLPDIST_TIMELINE_JSON_H

#include "base/timeline.h"

/* Two readings of a clock that advances evenly: tick[i] is nanosecond[i] of the trace. */
typedef struct timeline_clock_map {
  uint64_t tick[2];
  double nanosecond[2];
} timeline_clock_map;

int64_t timeline_nanosecond(const timeline_clock_map *map, uint64_t tick);

/* The timeline of a process. */
typedef struct timeline_process {
  int rank;
  const char *host;
  uint32_t num_threads;
  const uint64_t *counts;   /* (num_threads + TIMELINE_OTHER_TRACKS): events of each track */
  timeline_event *events;   /* of all tracks, one after the other; writing sorts them */
  timeline_clock_map clock; /* of its ticks */
} timeline_process;

/* Write the file: begin, each process, end. Check stream's error flag. first_step: the number, from 1, of the first
 * traced step; more: JSON members for otherData, or "". */
void timeline_write_begin(FILE *stream);
void timeline_write_process(FILE *stream, const timeline_process *p, uint64_t first_step);
void timeline_write_end(FILE *stream, const char *more);

#endif
