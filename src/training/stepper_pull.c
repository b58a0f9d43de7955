/* Phase 2 where ranks of one machine share memory: each rank updates the strips one after the other, as soon as all
 * ranks have summed theirs, while it sums the next. So the optimizer's arrays come into cache while there is something
 * to compute, as with one rank, and ranks wait for each other once a strip at most.
 *
 * Threads take the items of one list in order. Sums wait for nobody; an update waits for sums that lie before it in the
 * list of each rank, so that somebody always goes on. */
#include <omp.h>
#include <sched.h>
#include <stdlib.h>

#include "base/memory.h"
#include "distribution/comm.h"
#include "training/stepper_internal.h"

enum { SPINS = 1000 };

/* A sum of a unit for a node, or the update of floats [begin, end). */
typedef struct pull_item {
  uint32_t strip; /* in the order of the list */
  uint32_t unit, node;
  size_t begin, end; /* of an update; 0, 0 */
} pull_item;

struct pull {
  uint32_t num_items, num_strips;
  pull_item *items;
  atomic_uint *left; /* (num_strips): sums that are not there yet, in the order of the list */
  atomic_uint next, complete;
  atomic_bool failed;
};

/* Parts published: the statistics, then strips in the order of the list. */
static uint32_t parts_with(uint32_t strip) { return strip + 2; }

/* The list's order: layers and strips from the last to the first. */
static const strip *strip_in_order(const stepper *s, uint32_t place) { return &s->strips[s->num_strips - 1 - place]; }

static void append_update(pull *p, uint32_t place, size_t begin, size_t end) {
  for (size_t at = begin; at < end; at += REDUCER_READ_FLOATS)
    p->items[p->num_items++] = (pull_item){
        .strip = place, .begin = at, .end = end - at < REDUCER_READ_FLOATS ? end : at + REDUCER_READ_FLOATS};
}

/* The strip's weights; with a layer's first strip, which has them, its biases. */
static void append_updates(const stepper *s, pull *p, uint32_t place) {
  const strip *const at = strip_in_order(s, place);
  const layer *const shape = &s->parts.network->layers[at->layer];
  const unit *const first = &s->units[at->first_unit];
  append_update(p, place, first->weight, first->weight + (size_t)first->shape.rows * first->stride);
  if (first->shape.row == 0) append_update(p, place, shape->bias_offset, shape->bias_offset + shape->outputs);
}

static size_t most_items(const stepper *s) {
  return (size_t)s->num_units * reducer_num_nodes(s->reducer) + s->parts.network->arena_size / REDUCER_READ_FLOATS +
         2 * (size_t)s->num_strips;
}

mlpd_status stepper_make_pull(stepper *s) {
  const uint32_t nodes = reducer_num_nodes(s->reducer);
  pull *p = NULL;
  TRY(memory_allocate(&p, 1, sizeof *p, "list of sums"));
  s->pull = p;
  p->num_strips = s->num_strips;
  TRY(memory_allocate(&p->items, most_items(s), sizeof *p->items, "list of sums"));
  TRY(memory_allocate(&p->left, s->num_strips, sizeof *p->left, "list of sums"));
  for (uint32_t place = 0; place <= s->num_strips; place++) {
    const strip *const at = place < s->num_strips ? strip_in_order(s, place) : NULL;
    for (uint32_t i = 0; at != NULL && i < at->num_units * nodes; i++)
      p->items[p->num_items++] = (pull_item){.strip = place, .unit = at->first_unit + i / nodes, .node = i % nodes};
    if (place > 0) append_updates(s, p, place - 1);
  }
  return MLPD_OK;
}

void stepper_free_pull(stepper *s) {
  if (s->pull == NULL) return;
  free(s->pull->items);
  free(s->pull->left);
  free(s->pull);
}

/* Publishes all strips up to the first that is not complete; any thread. */
static void publish_complete(stepper *s) {
  pull *const p = s->pull;
  uint32_t complete = atomic_load_explicit(&p->complete, memory_order_acquire);
  while (complete < p->num_strips && atomic_load_explicit(&p->left[complete], memory_order_acquire) == 0) {
    if (!atomic_compare_exchange_weak_explicit(&p->complete, &complete, complete + 1, memory_order_acq_rel,
                                               memory_order_acquire))
      continue;
    reducer_publish(s->reducer, parts_with(complete));
    complete++;
  }
}

mlpd_status stepper_pull_totals(stepper *s, const double **totals) {
  pull *const p = s->pull;
  const uint32_t nodes = reducer_num_nodes(s->reducer);
  for (uint32_t place = 0; place < p->num_strips; place++)
    atomic_init(&p->left[place], nodes * strip_in_order(s, place)->num_units);
  atomic_init(&p->next, 0);
  atomic_init(&p->complete, 0);
  atomic_init(&p->failed, false);
  reducer_publish(s->reducer, 1);
  publish_complete(s); /* all, on a rank without lanes */
  const uint64_t began = timeline_begin(s->line);
  TRY(reducer_wait_published(s->reducer, 1));
  (void)timeline_end(s->line, 0, TIMELINE_WAIT, 0, 0, began);
  *totals = reducer_pull_totals(s->reducer);
  return MLPD_OK;
}

static void run_sum(stepper *s, const pull_item *item, const scratch *room) {
  const unit *const part = &s->units[item->unit];
  const strip *const at = &s->strips[part->strip];
  const float *arrays[BACKEND_MAX_NEXT];
  uint32_t count = 0;
  /* The strip before in the list, which is updated next, lies behind this one, but for a layer's last. */
  if (!at->last) count = stepper_arrays_of_update(s, part->weight + (size_t)part->shape.rows * part->stride, arrays);
  const uint64_t began = timeline_begin(s->line);
  stepper_reduce_unit(s, item->node, part, arrays, count, room);
  (void)timeline_end(s->line, (uint32_t)omp_get_thread_num(), TIMELINE_GRADIENT, at->layer + 1, 1, began);
  if (atomic_fetch_sub_explicit(&s->pull->left[item->strip], 1, memory_order_acq_rel) == 1) publish_complete(s);
}

/* Updates that a thread does one after the other: one event. */
typedef struct update_run {
  uint32_t updates;
  uint64_t began;
} update_run;

static void end_updates(stepper *s, update_run *run) {
  if (run->updates == 0) return;
  (void)timeline_end(s->line, (uint32_t)omp_get_thread_num(), TIMELINE_OPTIMIZER, 0, 0, run->began);
  run->updates = 0;
}

/* Waits until the strip is complete on all ranks. The master thread does so under the watch; while threads of its own
 * rank are the ones missing, there is nothing to watch. */
static mlpd_status wait_as_master(stepper *s, uint32_t place) {
  const double start = comm_seconds();
  while (atomic_load_explicit(&s->pull->complete, memory_order_acquire) <= place) (void)sched_yield();
  const mlpd_status status = reducer_wait_published(s->reducer, parts_with(place));
  s->times.reduce += comm_seconds() - start;
  return status;
}

static mlpd_status wait_for_strip(stepper *s, uint32_t place, update_run *run) {
  const uint32_t parts = parts_with(place), me = (uint32_t)omp_get_thread_num();
  mlpd_status status = MLPD_OK;
  if (reducer_published(s->reducer, parts)) return MLPD_OK;
  end_updates(s, run);
  const uint64_t began = timeline_begin(s->line);
  for (uint32_t i = 0; !reducer_published(s->reducer, parts) && !atomic_load(&s->pull->failed); i++) {
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

static mlpd_status run_update(stepper *s, const pull_item *item, update_run *run) {
  _Alignas(64) float block[REDUCER_READ_FLOATS];
  TRY(wait_for_strip(s, item->strip, run));
  if (run->updates++ == 0) run->began = timeline_begin(s->line);
  const float *const gradient = reducer_read(s->reducer, item->begin, item->end, block);
  optimizer_update_range(s->parts.optimizer, &s->scalars, s->parts.network, s->parts.network->parameters, gradient,
                         item->begin, item->end);
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
      s->sent = status; /* the master's alone: who else waits asks nobody */
      atomic_store(&p->failed, true);
    }
    if (atomic_load_explicit(&p->failed, memory_order_relaxed)) break;
  }
  end_updates(s, &run);
}
