#include "base/timeline.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum {
  RARE_EVENTS = 1024, /* room reserved for events outside of steps */
  MOST_EVENTS = (64 << 20) / sizeof(timeline_event)
};

/* If the kernel uses the processor's counter as its own clock, the counter advances evenly and equally on all cores.
 * Reading it takes at most half as long as asking the kernel. */
static bool may_count_cycles(void) {
#if defined(__x86_64__)
  char name[16] = "";
  FILE *const stream = fopen("/sys/devices/system/clocksource/clocksource0/current_clocksource", "re");
  if (stream == NULL) return false;
  const bool read = fgets(name, sizeof name, stream) != NULL;
  (void)fclose(stream);
  return read && strcmp(name, "tsc\n") == 0;
#else
  return false;
#endif
}

mlpd_status timeline_create(uint32_t num_threads, uint64_t steps, size_t events_a_step, timeline **made) {
  timeline *t = NULL;
  *made = NULL;
  TRY(memory_allocate(&t, 1, sizeof *t, "trace"));
  t->counts_cycles = may_count_cycles();
  t->num_threads = num_threads;
  t->num_tracks = num_threads + TIMELINE_OTHER_TRACKS;
  t->most_steps = steps;
  const size_t most = MOST_EVENTS - RARE_EVENTS;
  const size_t capacity = RARE_EVENTS + (steps > most / events_a_step ? most : (size_t)steps * events_a_step);
  mlpd_status status = memory_allocate(&t->tracks, t->num_tracks, sizeof *t->tracks, "trace");
  for (uint32_t i = 0; status == MLPD_OK && i < t->num_tracks; i++) {
    t->tracks[i].capacity = i == timeline_track_of(t, TIMELINE_CHECKPOINTS) ? RARE_EVENTS : capacity;
    status = memory_allocate(&t->tracks[i].events, t->tracks[i].capacity, sizeof(timeline_event), "trace");
  }
  if (status == MLPD_OK)
    *made = t;
  else
    timeline_free(t);
  return status;
}

void timeline_free(timeline *t) {
  if (t == NULL) return;
  for (uint32_t i = 0; t->tracks != NULL && i < t->num_tracks; i++) free(t->tracks[i].events);
  free(t->tracks);
  free(t);
}

void timeline_next_step(timeline *t) {
  if (t == NULL) return;
  t->within = t->steps < t->most_steps;
  atomic_store_explicit(&t->step, (uint32_t)t->steps, memory_order_relaxed);
  t->steps++;
}

uint64_t timeline_lost(const timeline *t) {
  uint64_t lost = 0;
  for (uint32_t i = 0; i < t->num_tracks; i++) lost += t->tracks[i].lost;
  return lost;
}

void timeline_add(timeline *t, uint32_t track, timeline_phase phase, uint32_t first, uint32_t second, uint64_t begin,
                  uint64_t end) {
  timeline_track *const to = &t->tracks[track];
  const size_t reserved = phase < TIMELINE_VALIDATE ? RARE_EVENTS : 0;
  if (to->count + reserved >= to->capacity) {
    to->lost++;
    return;
  }
  to->events[to->count++] = (timeline_event){.begin = begin,
                                             .end = end,
                                             .phase = phase,
                                             .step = atomic_load_explicit(&t->step, memory_order_relaxed),
                                             .first = first,
                                             .second = second};
}
