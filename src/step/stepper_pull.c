/* Phase 2 if the ranks of one machine share memory: each rank updates a strip as soon as all ranks have summed theirs,
 * while it sums the next strip. So the optimizer's arrays are fetched into cache during computation, as with one rank,
 * and ranks wait for each other at most once a strip. If they divide the update, the weights are in shared memory and a
 * rank updates its part of each strip.
 *
 * Threads take the items of one list in order. Sums wait for nothing; an update waits for sums that precede it in the
 * list of each rank, so some thread can always continue. A rank publishes a strip only after computing all its deltas,
 * so no rank still reads the weights being updated. */
#include <omp.h>
#include <sched.h>
#include <stdlib.h>

#include "base/memory.h"
#include "ranks/clock.h"
#include "ranks/comm.h"
#include "step/stepper_internal.h"
#include "step/stepper_update.h"

enum { SPINS = 1000 };

/* A sum of a unit for a node, or the update of floats [begin, end). */
typedef struct pull_item {
  uint32_t strip; /* in the order of the list */
  uint32_t unit, node;
  size_t begin, end; /* of an update; 0, 0 */
} pull_item;

/* Floats [begin, end) of the arenas, whole cache lines but for the end. */
typedef struct update_range {
  size_t begin, end;
} update_range;

/* What the threads of this rank have completed of each strip. */
typedef struct pull_count {
  atomic_uint *left; /* (num_strips): items left, in the order of the list */
  atomic_uint complete;
} pull_count;

struct pull {
  uint32_t num_items, num_strips;
  pull_item *items;
  uint32_t *updates; /* (num_strips): items of this rank */
  pull_count counts[PUBLISHED_KINDS];
  atomic_uint next;
  atomic_bool failed;
  atomic_int totals; /* of this step: */
};

enum { TOTALS_UNKNOWN, TOTALS_TAKEN_UP, TOTALS_KNOWN };

/* ---- Making --------------------------------------------------------------------------------------- */

/* Number of published parts: the statistics, then strips in the order of the list. */
static uint32_t parts_with(uint32_t strip) { return strip + 2; }

/* The list's order: layers and strips from the last to the first. */
static const strip *strip_in_order(const stepper *s, uint32_t place) { return &s->strips[s->num_strips - 1 - place]; }

/* Floats [begin, end) of the arenas, that are updated with a strip. */
static update_range range_of(const stepper *s, uint32_t place) {
  const strip *const at = strip_in_order(s, place);
  return (update_range){at->begin, at->end};
}

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

/* The part of a range that `rank` updates. */
static update_range part_of(const stepper *s, update_range whole, int rank) {
  const size_t lines = (whole.end - whole.begin + REDUCER_ALIGNMENT - 1) / REDUCER_ALIGNMENT;
  const size_t size = (size_t)mlpd_comm_size(s->parts.comm), r = (size_t)rank;
  if (!s->divides) return whole;
  return (update_range){smaller(whole.end, whole.begin + lines * r / size * REDUCER_ALIGNMENT),
                        smaller(whole.end, whole.begin + lines * (r + 1) / size * REDUCER_ALIGNMENT)};
}

bool stepper_pull_range(const stepper *s, int rank, uint32_t i, size_t *begin, size_t *end) {
  if (i == s->num_strips) return false;
  const update_range part = part_of(s, range_of(s, i), rank);
  *begin = part.begin;
  *end = part.end;
  return true;
}

static void append_sums(const stepper *s, pull *p, uint32_t place) {
  const uint32_t nodes = reducer_num_nodes(s->reducer);
  const strip *const at = strip_in_order(s, place);
  for (uint32_t i = 0; i < at->num_units * nodes; i++)
    p->items[p->num_items++] = (pull_item){.strip = place, .unit = at->first_unit + i / nodes, .node = i % nodes};
}

static void append_updates(const stepper *s, pull *p, uint32_t place) {
  const update_range own = part_of(s, range_of(s, place), mlpd_comm_rank(s->parts.comm));
  for (size_t at = own.begin; at < own.end; at += REDUCER_READ_FLOATS, p->updates[place]++)
    p->items[p->num_items++] =
        (pull_item){.strip = place, .begin = at, .end = smaller(own.end, at + REDUCER_READ_FLOATS)};
}

static size_t most_items(const stepper *s) {
  return (size_t)s->num_units * reducer_num_nodes(s->reducer) + s->parts.network->arena_size / REDUCER_READ_FLOATS +
         (size_t)s->num_strips;
}

mlpd_status stepper_make_pull(stepper *s) {
  pull *p = NULL;
  TRY(memory_allocate(&p, 1, sizeof *p, "list of sums"));
  s->pull = p;
  p->num_strips = s->num_strips;
  TRY(memory_allocate(&p->items, most_items(s), sizeof *p->items, "list of sums"));
  TRY(memory_allocate(&p->updates, s->num_strips, sizeof *p->updates, "list of sums"));
  for (int kind = 0; kind < PUBLISHED_KINDS; kind++)
    TRY(memory_allocate(&p->counts[kind].left, s->num_strips, sizeof *p->counts[kind].left, "list of sums"));
  for (uint32_t place = 0; place <= s->num_strips; place++) {
    if (place < s->num_strips) append_sums(s, p, place);
    if (place > 0) append_updates(s, p, place - 1);
  }
  return MLPD_OK;
}

void stepper_free_pull(stepper *s) {
  pull *const p = s->pull;
  if (p == NULL) return;
  for (int kind = 0; kind < PUBLISHED_KINDS; kind++) free(p->counts[kind].left);
  free(p->items);
  free(p->updates);
  free(p);
}

/* ---- Counting ------------------------------------------------------------------------------------- */

/* Publishes all strips up to the first incomplete one; any thread. If two threads complete two strips at once, one must
 * see the other's: each counts down its own strip, then reads the other. This needs sequential consistency; acquire and
 * release are not enough. */
static void publish_complete(stepper *s, published_kind kind) {
  pull_count *const c = &s->pull->counts[kind];
  uint32_t complete = atomic_load_explicit(&c->complete, memory_order_acquire);
  while (complete < s->num_strips && atomic_load(&c->left[complete]) == 0) {
    if (!atomic_compare_exchange_weak_explicit(&c->complete, &complete, complete + 1, memory_order_acq_rel,
                                               memory_order_acquire))
      continue;
    reducer_publish(s->reducer, kind, parts_with(complete));
    complete++;
  }
}

static void count_done(stepper *s, published_kind kind, uint32_t place) {
  if (atomic_fetch_sub(&s->pull->counts[kind].left[place], 1) == 1) publish_complete(s, kind);
}

static void count_anew(stepper *s) {
  pull *const p = s->pull;
  const uint32_t nodes = reducer_num_nodes(s->reducer);
  for (uint32_t place = 0; place < p->num_strips; place++) {
    atomic_init(&p->counts[PUBLISHED_SUMS].left[place], nodes * strip_in_order(s, place)->num_units);
    atomic_init(&p->counts[PUBLISHED_COMMON].left[place], p->updates[place]);
  }
  for (int kind = 0; kind < PUBLISHED_KINDS; kind++) atomic_init(&p->counts[kind].complete, 0);
  atomic_init(&p->next, 0);
  atomic_init(&p->failed, false);
  atomic_init(&p->totals, TOTALS_UNKNOWN);
}

void stepper_pull_begin(stepper *s) {
  count_anew(s);
  reducer_publish(s->reducer, PUBLISHED_SUMS, parts_with(0) - 1);
  /* All strips, on a rank without lanes or without a part. */
  for (int kind = 0; kind < PUBLISHED_KINDS; kind++) publish_complete(s, (published_kind)kind);
}

/* ---- Items ---------------------------------------------------------------------------------------- */

/* The arrays to prefetch: this rank's part of the previous strip in the list, which is updated next. It is contiguous
 * in the arenas; its rows may be closer together than the unit's. Vectors behind a matrix are too short to prefetch. */
static soon updated_next(const stepper *s, const pull_item *item) {
  if (item->strip == 0) return (soon){0};
  const unit *const part = &s->units[item->unit];
  const unit *const first = &s->units[strip_in_order(s, item->strip - 1)->first_unit];
  update_range own = part_of(s, range_of(s, item->strip - 1), mlpd_comm_rank(s->parts.comm));
  own.end = smaller(own.end, first->place + (size_t)first->shape.rows * first->stride);
  if (own.begin >= own.end) return (soon){0};
  const size_t row = (own.end - own.begin) / part->shape.rows;
  if (row > part->stride) return (soon){0}; /* a wider layer: this unit would fetch other elements */
  return stepper_soon_updated(s, own.begin + part->shape.column, row);
}

static void run_sum(stepper *s, const pull_item *item, const scratch *room) {
  const unit *const part = &s->units[item->unit];
  const soon next = updated_next(s, item);
  const uint64_t began = timeline_begin(s->line);
  stepper_reduce_unit(s, item->node, part, &next, room);
  (void)timeline_end(s->line, (uint32_t)omp_get_thread_num(), TIMELINE_GRADIENT, part->shape.layer + 1, 1, began);
  count_done(s, PUBLISHED_SUMS, item->strip);
}

/* Consecutive updates of a thread are one event. */
typedef struct update_run {
  uint32_t updates;
  uint64_t began;
} update_run;

static void end_updates(stepper *s, update_run *run) {
  if (run->updates == 0) return;
  (void)timeline_end(s->line, (uint32_t)omp_get_thread_num(), TIMELINE_OPTIMIZER, 0, 0, run->began);
  run->updates = 0;
}

/* Waits until the strip is complete on all ranks. The master thread waits under the watch, except for threads of its
 * own rank. */
static mlpd_status wait_as_master(stepper *s, uint32_t place) {
  const double start = clock_seconds();
  while (atomic_load_explicit(&s->pull->counts[PUBLISHED_SUMS].complete, memory_order_acquire) <= place)
    (void)sched_yield();
  const mlpd_status status = reducer_wait_published(s->reducer, PUBLISHED_SUMS, parts_with(place));
  s->times.reduce += clock_seconds() - start;
  return status;
}

static mlpd_status wait_for_strip(stepper *s, uint32_t place, update_run *run) {
  const uint32_t parts = parts_with(place), me = (uint32_t)omp_get_thread_num();
  mlpd_status status = MLPD_OK;
  if (reducer_published(s->reducer, PUBLISHED_SUMS, parts)) return MLPD_OK;
  end_updates(s, run);
  const uint64_t began = timeline_begin(s->line);
  for (uint32_t i = 0; !reducer_published(s->reducer, PUBLISHED_SUMS, parts) && !atomic_load(&s->pull->failed); i++) {
    if (i < SPINS) continue;
    if (me == 0) {
      status = wait_as_master(s, place);
      break;
    }
    (void)sched_yield();
  }
  (void)timeline_end(s->line, me, TIMELINE_WAIT, 0, 0, began);
  return status;
}

/* Called after all ranks have published a strip, and so their statistics: the first thread evaluates them. */
static void know_totals(stepper *s) {
  pull *const p = s->pull;
  int state = TOTALS_UNKNOWN;
  if (atomic_load_explicit(&p->totals, memory_order_acquire) == TOTALS_KNOWN) return;
  if (atomic_compare_exchange_strong(&p->totals, &state, TOTALS_TAKEN_UP)) {
    stepper_take_totals(s, reducer_pull_totals(s->reducer));
    atomic_store_explicit(&p->totals, TOTALS_KNOWN, memory_order_release);
  }
  while (atomic_load_explicit(&p->totals, memory_order_acquire) != TOTALS_KNOWN) (void)sched_yield();
}

static void update(stepper *s, const pull_item *item) {
  _Alignas(64) float block[REDUCER_READ_FLOATS];
  const float *const gradient = reducer_read(s->reducer, item->begin, item->end, block);
  optimizer_update_range(s->parts.optimizer, &s->scalars, s->parts.network, s->parts.network->parameters, gradient,
                         item->begin, item->end);
}

static mlpd_status run_update(stepper *s, const pull_item *item, update_run *run) {
  TRY(wait_for_strip(s, item->strip, run));
  know_totals(s);
  if (run->updates++ == 0) run->began = timeline_begin(s->line);
  if (stepper_takes_step(s)) update(s, item);
  if (s->divides) count_done(s, PUBLISHED_COMMON, item->strip);
  return MLPD_OK;
}

void stepper_pull_units(stepper *s) {
  pull *const p = s->pull;
  const scratch *const room = &s->scratch[omp_get_thread_num()];
  update_run run = {0, 0};
  for (;;) {
    const uint32_t i = atomic_fetch_add_explicit(&p->next, 1, memory_order_relaxed);
    if (i >= p->num_items) break;
    const pull_item *const item = &p->items[i];
    if (item->end == 0) {
      end_updates(s, &run);
      run_sum(s, item, room);
    } else {
      const mlpd_status status = run_update(s, item, &run);
      if (status == MLPD_OK) continue;
      s->sent = status; /* of the master only: other threads do not query MPI */
      atomic_store(&p->failed, true);
    }
    if (atomic_load_explicit(&p->failed, memory_order_relaxed)) break;
  }
  end_updates(s, &run);
}

mlpd_status stepper_pull_end(stepper *s) {
  const published_kind kind = s->divides ? PUBLISHED_COMMON : PUBLISHED_SUMS;
  const double start = clock_seconds();
  const uint64_t began = timeline_begin(s->line);
  const mlpd_status status = reducer_wait_published(s->reducer, kind, parts_with(s->num_strips - 1));
  (void)timeline_end(s->line, 0, TIMELINE_WAIT, 0, 0, began);
  s->times.reduce += clock_seconds() - start;
  if (status == MLPD_OK) know_totals(s); /* this rank has no part */
  return status;
}
