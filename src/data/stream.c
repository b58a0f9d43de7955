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

static mlpd_status make_lane(const stream_parts *parts, uint32_t lane, lane_windows *made) {
  TRY(stream_lane_create(parts->plan, parts->split, parts->seed, parts->window_rows, lane, &made->blocks));
  made->end = made->blocks.num_windows * parts->epochs;
  const uint64_t lane_rows = made->blocks.rows > 0 ? made->blocks.rows : 1;
  const uint64_t rows = lane_rows < parts->window_rows ? lane_rows : parts->window_rows;
  for (int i = 0; i < STREAM_WINDOWS; i++) {
    TRY(shard_allocate(parts->from, rows, parts->as_classes, parts->target, &made->slots[i].rows));
    TRY(memory_allocate(&made->slots[i].order, rows, sizeof(uint32_t), "row order"));
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
  mlpd_status status = memory_allocate(&s->lanes, s->num_lanes, sizeof *s->lanes, "stream of rows");
  for (uint32_t i = 0; i < s->num_lanes && status == MLPD_OK; i++)
    status = make_lane(parts, parts->lane_begin + i, &s->lanes[i]);
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
  for (uint32_t i = 0; s->lanes != NULL && i < s->num_lanes; i++) {
    stream_lane_free(&s->lanes[i].blocks);
    for (int k = 0; k < STREAM_WINDOWS; k++) {
      shard_free(&s->lanes[i].slots[k].rows);
      free(s->lanes[i].slots[k].order);
    }
  }
  free(s->lanes);
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

uint64_t stream_size(const lane_plan *plan, uint32_t lane_begin, uint32_t lane_end, uint64_t window_rows,
                     uint64_t row_bytes) {
  uint64_t rows = 0;
  for (uint32_t u = lane_begin; u < lane_end; u++) {
    const uint64_t lane_rows = plan->lane_begin[u + 1] - plan->lane_begin[u];
    rows += lane_rows < window_rows ? lane_rows : window_rows;
  }
  return STREAM_WINDOWS * rows * (row_bytes + sizeof(uint32_t));
}
