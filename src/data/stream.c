#include "data/stream.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "lanes/stream_order.h"

/* Windows are counted through all epochs: window w of epoch e is number e * num_windows + w. Number n lies in slot
 * n % STREAM_WINDOWS. */
typedef struct stream_window {
  shard rows;
  uint32_t *order; /* (rows) */
} stream_window;

typedef struct lane_windows {
  stream_lane blocks;
  stream_window slots[STREAM_WINDOWS];
  uint64_t used, next, end; /* window numbers: first in use, next to read, end of all */
} lane_windows;

struct stream {
  stream_parts parts;
  uint32_t num_lanes;
  char *memory;        /* lanes and their windows */
  lane_windows *lanes; /* (num_lanes) */
  uint64_t epoch;      /* epoch of the step taken */
  pthread_t thread;
  pthread_mutex_t mutex; /* protects used, next, ending, failed */
  pthread_cond_t changed;
  bool started, ending;
  mlpd_status failed;
  char message[1024];
};

/* ---- The background thread ------------------------------------------------------------------------------ */

/* The step, counted through all epochs, that needs the lane's next window. */
static uint64_t needed_at(const stream *s, const lane_windows *u) {
  const lane_plan *const plan = s->parts.plan;
  const uint32_t lane = u->blocks.lane;
  const uint64_t batch = plan->batch_begin[lane + 1] - plan->batch_begin[lane];
  const uint64_t row = u->next % u->blocks.num_windows * u->blocks.window_rows;
  const uint64_t step = batch > 0 && row / batch < plan->steps_per_epoch ? row / batch : plan->steps_per_epoch - 1;
  return u->next / u->blocks.num_windows * plan->steps_per_epoch + step;
}

/* Of the lanes with a free slot, the one whose next window is needed first; NULL if there is none. */
static lane_windows *choose_lane(const stream *s) {
  lane_windows *first = NULL;
  uint64_t soonest = UINT64_MAX;
  for (uint32_t i = 0; i < s->num_lanes; i++) {
    lane_windows *const u = &s->lanes[i];
    if (u->next >= u->end || u->next >= u->used + STREAM_WINDOWS) continue;
    const uint64_t needed = needed_at(s, u);
    if (needed >= soonest) continue;
    soonest = needed;
    first = u;
  }
  return first;
}

static mlpd_status read_window(const stream *s, lane_windows *u) {
  const uint64_t epoch = u->next / u->blocks.num_windows, window = u->next % u->blocks.num_windows;
  stream_window *const into = &u->slots[u->next % STREAM_WINDOWS];
  row_run *runs = NULL;
  uint64_t num_runs = 0;
  TRY(stream_lane_runs(&u->blocks, epoch, window, &runs, &num_runs));
  into->rows.rows = stream_lane_window(&u->blocks, window);
  const mlpd_status status = shard_fill(s->parts.from, runs, num_runs, 0, s->parts.num_classes, &into->rows);
  free(runs);
  TRY(status);
  stream_lane_shuffle(&u->blocks, epoch, window, into->order);
  return MLPD_OK;
}

static void *read_ahead(void *argument) {
  stream *const s = argument;
  (void)pthread_mutex_lock(&s->mutex);
  while (!s->ending && s->failed == MLPD_OK) {
    lane_windows *const u = choose_lane(s);
    if (u == NULL) {
      (void)pthread_cond_wait(&s->changed, &s->mutex);
      continue;
    }
    (void)pthread_mutex_unlock(&s->mutex);
    const mlpd_status status = read_window(s, u);
    (void)pthread_mutex_lock(&s->mutex);
    if (status == MLPD_OK)
      u->next++;
    else
      (void)snprintf(s->message, sizeof s->message, "%s", mlpd_error_message());
    s->failed = status;
    (void)pthread_cond_broadcast(&s->changed);
  }
  (void)pthread_mutex_unlock(&s->mutex);
  return NULL;
}

/* ---- The calling thread --------------------------------------------------------------------------------- */

/* A lane without rows has windows of one, so that stream_kinds is right for it, too. */
static void lay_out_lane(const stream *s, uint32_t i, memory_layout *layout) {
  const stream_parts *const parts = &s->parts;
  const uint64_t *const begin = parts->plan->lane_begin + parts->lane_begin + i;
  const uint64_t lane_rows = begin[1] > begin[0] ? begin[1] - begin[0] : 1;
  const uint64_t rows = lane_rows < parts->window_rows ? lane_rows : parts->window_rows;
  for (int k = 0; k < STREAM_WINDOWS; k++) {
    stream_window made;
    shard_lay_out(parts->from, rows, parts->as_classes, parts->target, layout, &made.rows);
    made.order = memory_place(layout, rows, sizeof *made.order);
    if (s->lanes != NULL) s->lanes[i].slots[k] = made;
  }
}

static void lay_out(void *owner, memory_layout *layout) {
  stream *const s = owner;
  s->lanes = memory_place(layout, s->num_lanes, sizeof *s->lanes);
  for (uint32_t i = 0; i < s->num_lanes; i++) lay_out_lane(s, i, layout);
}

uint64_t stream_size(const stream_parts *parts) {
  stream s = {.parts = *parts, .num_lanes = parts->lane_end - parts->lane_begin};
  return memory_layout_size(lay_out, &s);
}

static mlpd_status make_lanes(stream *s) {
  const stream_parts *const parts = &s->parts;
  TRY(shard_check(parts->from, parts->as_classes));
  TRY(memory_allocate_layout(lay_out, s, "windows of rows", &s->memory));
  for (uint32_t i = 0; i < s->num_lanes; i++) {
    lane_windows *const u = &s->lanes[i];
    TRY(stream_lane_create(parts->plan, parts->split, parts->seed, parts->window_rows, parts->lane_begin + i,
                           &u->blocks));
    u->end = u->blocks.num_windows * parts->epochs;
  }
  return MLPD_OK;
}

mlpd_status stream_create(const stream_parts *parts, stream **made) {
  stream *s = NULL;
  *made = NULL;
  TRY(memory_allocate(&s, 1, sizeof *s, "stream of rows"));
  s->parts = *parts;
  (void)pthread_mutex_init(&s->mutex, NULL);
  (void)pthread_cond_init(&s->changed, NULL);
  s->num_lanes = parts->lane_end - parts->lane_begin;
  const mlpd_status status = make_lanes(s);
  if (status != MLPD_OK)
    stream_free(s);
  else
    *made = s;
  return status;
}

void stream_free(stream *s) {
  if (s == NULL) return;
  if (s->started) {
    (void)pthread_mutex_lock(&s->mutex);
    s->ending = true;
    (void)pthread_cond_broadcast(&s->changed);
    (void)pthread_mutex_unlock(&s->mutex);
    (void)pthread_join(s->thread, NULL);
  }
  for (uint32_t i = 0; s->lanes != NULL && i < s->num_lanes; i++) stream_lane_free(&s->lanes[i].blocks);
  free(s->memory);
  (void)pthread_cond_destroy(&s->changed);
  (void)pthread_mutex_destroy(&s->mutex);
  free(s);
}

const shard *stream_kinds(const stream *s) { return &s->lanes[0].slots[0].rows; }

static uint64_t window_number(const lane_windows *u, uint64_t epoch, uint64_t row) {
  return epoch * u->blocks.num_windows + row / u->blocks.window_rows;
}

static mlpd_status start(stream *s) {
  for (uint32_t i = 0; i < s->num_lanes; i++) s->lanes[i].next = s->lanes[i].used;
  const int error = pthread_create(&s->thread, NULL, read_ahead, s);
  if (error != 0) return FAIL(MLPD_ERROR_INTERNAL, "cannot start the thread that reads rows: %s", strerror(error));
  s->started = true;
  return MLPD_OK;
}

/* Releases the windows before the step; true if the rows of the step are in memory. The caller holds the mutex. */
static bool move_to(stream *s, uint64_t epoch, uint64_t step) {
  bool there = true;
  for (uint32_t i = 0; i < s->num_lanes; i++) {
    lane_windows *const u = &s->lanes[i];
    uint64_t begin = 0, count = 0;
    lane_microbatch(s->parts.plan, u->blocks.lane, step, &begin, &count);
    u->used = window_number(u, epoch, begin);
    if (count > 0 && u->next <= window_number(u, epoch, begin + count - 1)) there = false;
  }
  return there;
}

mlpd_status stream_take(stream *s, uint64_t epoch, uint64_t step) {
  s->epoch = epoch;
  (void)pthread_mutex_lock(&s->mutex);
  bool there = move_to(s, epoch, step);
  mlpd_status status = MLPD_OK;
  if (!s->started) status = start(s);
  (void)pthread_cond_broadcast(&s->changed);
  while (status == MLPD_OK && !there) {
    if (s->failed == MLPD_OK) {
      (void)pthread_cond_wait(&s->changed, &s->mutex);
      there = move_to(s, epoch, step);
    } else {
      status = FAIL(s->failed, "%s", s->message);
    }
  }
  (void)pthread_mutex_unlock(&s->mutex);
  return status;
}

const uint32_t *stream_rows(const stream *s, uint32_t lane, uint64_t begin, uint64_t *count, const shard **rows) {
  const lane_windows *const u = &s->lanes[lane - s->parts.lane_begin];
  const stream_window *const from = &u->slots[window_number(u, s->epoch, begin) % STREAM_WINDOWS];
  const uint64_t place = begin % u->blocks.window_rows, left = from->rows.rows - place;
  if (*count > left) *count = left;
  *rows = &from->rows;
  return from->order + place;
}
