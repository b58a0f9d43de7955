#include "base/timeline_json.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

/* Tracks of unfinished sums follow those of threads, as many as there are sums at once. */
enum { TID_CHECKPOINTS = 100000, TID_SUMS = 200000, MOST_SUMS = 4096 };

/* name of phases in the file; those of a layer or bucket carry its number in their name. first, second: names of the
 * arguments; NULL: not written. */
static const struct {
  const char *name, *numbered, *first, *second;
} phases[TIMELINE_PHASES] = {
    [TIMELINE_STEP] = {"step", NULL, NULL, NULL},
    [TIMELINE_WAIT] = {"wait", NULL, NULL, NULL},
    [TIMELINE_MESSAGES] = {"messages", NULL, NULL, NULL},
    [TIMELINE_GATHER] = {"gather", NULL, "rows", NULL},
    [TIMELINE_FORWARD] = {"forward", "layer", "layer", "rows"},
    [TIMELINE_LOSS] = {"loss", NULL, "rows", NULL},
    [TIMELINE_BACKWARD] = {"backward", "layer", "layer", "rows"},
    [TIMELINE_GRADIENT] = {"gradient", "layer", "layer", "units"},
    [TIMELINE_UPDATE] = {"gradient and optimizer", "layer", "layer", "units"},
    [TIMELINE_OPTIMIZER] = {"optimizer", "layer", "layer", "units"},
    [TIMELINE_NORM] = {"gradient norm", NULL, NULL, NULL},
    [TIMELINE_ADD] = {"add", NULL, "bytes", NULL},
    [TIMELINE_REDUCE] = {"reduce", "bucket", "bucket", "bytes"},
    [TIMELINE_VALIDATE] = {"validate", NULL, NULL, NULL},
    [TIMELINE_COMPARE] = {"compare weights", NULL, NULL, NULL},
    [TIMELINE_CHECKPOINT_COPY] = {"checkpoint copy", NULL, NULL, NULL},
    [TIMELINE_CHECKPOINT_WRITE] = {"checkpoint write", NULL, NULL, NULL},
    [TIMELINE_MODEL] = {"model write", NULL, NULL, NULL},
};

int64_t timeline_nanosecond(const timeline_clock_map *map, uint64_t tick) {
  const double ticks = (double)(map->tick[1] - map->tick[0]), since = (double)(int64_t)(tick - map->tick[0]);
  return llround(map->nanosecond[0] + since * ((map->nanosecond[1] - map->nanosecond[0]) / ticks));
}

/* ---- Parts --------------------------------------------------------------------------------------- */

static void write_text(FILE *stream, const char *text) {
  (void)putc('"', stream);
  for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++) {
    if (*c == '"' || *c == '\\')
      (void)fprintf(stream, "\\%c", *c);
    else if (*c < 0x20 || *c >= 0x7f)
      (void)fprintf(stream, "\\u%04x", *c);
    else
      (void)putc(*c, stream);
  }
  (void)putc('"', stream);
}

static void write_name(FILE *stream, const char *what, int rank, uint32_t tid, const char *name) {
  (void)fprintf(stream, ",\n{\"ph\":\"M\",\"name\":\"%s\",\"pid\":%d,\"tid\":%" PRIu32 ",\"args\":{\"name\":", what,
                rank, tid);
  write_text(stream, name);
  (void)fputs("}}", stream);
}

/* Nanoseconds as microseconds. */
static void write_time(FILE *stream, const char *key, int64_t ns) {
  const int64_t size = ns < 0 ? -ns : ns;
  (void)fprintf(stream, ",\"%s\":%s%" PRId64 ".%03d", key, ns < 0 ? "-" : "", size / 1000, (int)(size % 1000));
}

static void write_event(FILE *stream, const timeline_process *p, uint32_t tid, const timeline_event *e,
                        uint64_t first_step) {
  const int64_t begin = timeline_nanosecond(&p->clock, e->begin), end = timeline_nanosecond(&p->clock, e->end);
  const char *const name = phases[e->phase].name, *const numbered = phases[e->phase].numbered;
  (void)fprintf(stream, ",\n{\"ph\":\"X\",\"name\":\"%s", name);
  if (numbered != NULL && (e->first > 0 || e->phase == TIMELINE_REDUCE))
    (void)fprintf(stream, ", %s %" PRIu32, numbered, e->first);
  (void)fprintf(stream, "\",\"cat\":\"%s\",\"pid\":%d,\"tid\":%" PRIu32, name, p->rank, tid);
  write_time(stream, "ts", begin);
  write_time(stream, "dur", end - begin);
  (void)fprintf(stream, ",\"args\":{\"step\":%" PRIu64, first_step + e->step);
  if (phases[e->phase].first != NULL) (void)fprintf(stream, ",\"%s\":%" PRIu32, phases[e->phase].first, e->first);
  if (phases[e->phase].second != NULL) (void)fprintf(stream, ",\"%s\":%" PRIu32, phases[e->phase].second, e->second);
  (void)fputs("}}", stream);
}

/* An event stands before those that it contains, as readers expect. */
static int compare_events(const void *left, const void *right) {
  const timeline_event *const a = left, *const b = right;
  if (a->begin != b->begin) return a->begin < b->begin ? -1 : 1;
  if (a->end != b->end) return a->end > b->end ? -1 : 1;
  return (a->phase > b->phase) - (a->phase < b->phase);
}

/* ---- Sums: several under way at once ------------------------------------------------------------- */

/* Each event goes to the first track that is free when it begins. */
static void write_sums(FILE *stream, const timeline_process *p, const timeline_event *events, uint64_t count,
                       uint64_t first_step) {
  uint64_t busy_until[MOST_SUMS];
  uint32_t tracks = 0;
  for (uint64_t i = 0; i < count; i++) {
    uint32_t at = 0;
    while (at < tracks && busy_until[at] > events[i].begin) at++;
    if (at == MOST_SUMS) continue; /* more than a reducer has buckets */
    if (at == tracks) {
      char name[32];
      (void)snprintf(name, sizeof name, "sums %" PRIu32, ++tracks);
      write_name(stream, "thread_name", p->rank, TID_SUMS + at, name);
    }
    busy_until[at] = events[i].end;
    write_event(stream, p, TID_SUMS + at, &events[i], first_step);
  }
}

/* ---- The file ------------------------------------------------------------------------------------ */

void timeline_write_begin(FILE *stream) {
  (void)fputs(
      "{\"displayTimeUnit\":\"ms\",\n\"traceEvents\":[\n"
      "{\"ph\":\"M\",\"name\":\"trace_format\",\"pid\":0,\"tid\":0,\"args\":{\"name\":\"mlpdist\"}}",
      stream);
}

void timeline_write_process(FILE *stream, const timeline_process *p, uint64_t first_step) {
  char name[320];
  (void)snprintf(name, sizeof name, "rank %d on %s", p->rank, p->host);
  write_name(stream, "process_name", p->rank, 0, name);
  (void)fprintf(stream,
                ",\n{\"ph\":\"M\",\"name\":\"process_sort_index\",\"pid\":%d,\"tid\":0,\"args\":{\"sort_index\":%d}}",
                p->rank, p->rank);
  timeline_event *events = p->events;
  for (uint32_t track = 0; track < p->num_threads + TIMELINE_OTHER_TRACKS; events += p->counts[track++]) {
    const uint64_t count = p->counts[track];
    qsort(events, count, sizeof *events, compare_events);
    if (track == p->num_threads + TIMELINE_SUMS) {
      write_sums(stream, p, events, count, first_step);
      continue;
    }
    const bool thread = track < p->num_threads;
    if (!thread && count == 0) continue;
    (void)snprintf(name, sizeof name, "thread %" PRIu32, track);
    const uint32_t tid = thread ? track : TID_CHECKPOINTS;
    write_name(stream, "thread_name", p->rank, tid, thread ? name : "checkpoint writer");
    for (uint64_t i = 0; i < count; i++) write_event(stream, p, tid, &events[i], first_step);
  }
}

void timeline_write_end(FILE *stream, const char *more) { (void)fprintf(stream, "\n],\n\"otherData\":{%s}}\n", more); }
