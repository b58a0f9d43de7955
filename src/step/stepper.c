#include "step/stepper.h"

#include <omp.h>
#include <stdlib.h>

#include "base/memory.h"
#include "ranks/clock.h"
#include "ranks/comm.h"
#include "step/step_way.h"
#include "step/stepper_internal.h"
#include "step/stepper_update.h"

/* ---- Making ------------------------------------------------------------------------------------ */

/* Bytes of a row's targets and weight. */
static uint64_t target_bytes_of(const shard *rows) {
  return (rows->values != NULL ? rows->outputs * sizeof(float) : 0) + (rows->classes != NULL ? sizeof(int32_t) : 0) +
         (rows->weights != NULL ? sizeof(float) : 0) + (rows->folds != NULL ? sizeof(uint8_t) : 0);
}

/* Divides the memory of a lane's targets, for `capacity` rows. */
static void divide_targets(const shard *rows, uint64_t capacity, char *memory, lane *made) {
  if (rows->values != NULL) {
    made->values = (float *)(void *)memory;
    memory += capacity * rows->outputs * sizeof(float);
  }
  if (rows->classes != NULL) {
    made->classes = (int32_t *)(void *)memory;
    memory += capacity * sizeof(int32_t);
  }
  if (rows->weights != NULL) {
    made->weights = (float *)(void *)memory;
    memory += capacity * sizeof(float);
  }
  if (rows->folds != NULL) made->folds = (uint8_t *)memory;
}

static void lay_out_lane(stepper *s, uint32_t i, memory_layout *layout) {
  const lane_plan *const plan = s->parts.plan;
  const uint32_t u = s->lanes.begin + i;
  const uint64_t rows = plan->lane_begin[u + 1] - plan->lane_begin[u];
  const uint64_t capacity = stepper_larger(lane_max_microbatch(plan, u), 1);
  uint32_t *const order = memory_place(layout, s->streams ? 0 : rows, sizeof *order);
  char *const targets = memory_place(layout, capacity, s->target_bytes);
  if (s->lane == NULL) return;
  s->lane[i] = (lane){.order = order, .first = plan->lane_begin[u] - plan->lane_begin[s->lanes.begin], .rows = rows};
  divide_targets(s->parts.rows, capacity, targets, &s->lane[i]);
}

static mlpd_status check_lanes(const lane_plan *plan, lane_range lanes) {
  for (uint32_t u = lanes.begin; u < lanes.end; u++) {
    const uint64_t rows = plan->lane_begin[u + 1] - plan->lane_begin[u];
    if (rows > UINT32_MAX)
      return FAIL(MLPD_ERROR_USAGE, "lane %u would hold %llu rows, more than 2^32: choose more --lanes", u,
                  (unsigned long long)rows);
  }
  return MLPD_OK;
}

static bool needs_whole(const stepper *s) { return stepper_needs_whole(s->parts.optimizer->kind, s->parts.clip_norm); }

/* The largest number of rows of all lanes in a step. */
static uint64_t most_rows(const lane_plan *plan, lane_range lanes) {
  uint64_t rows = 0;
  for (uint32_t u = lanes.begin; u < lanes.end; u++) rows += lane_max_microbatch(plan, u);
  return rows;
}

/* Chooses what the layout depends on. */
static void plan_local(stepper *s) {
  s->num_lanes = s->lanes.end - s->lanes.begin;
  s->sharing = stepper_sharing(s->parts.network, s->parts.gemm, s->parts.plan, s->lanes, s->parts.threads);
  stepper_plan_sums(s);
}

static void lay_out(void *owner, memory_layout *layout) {
  stepper *const s = owner;
  s->lane = memory_place(layout, s->num_lanes, sizeof *s->lane);
  for (uint32_t i = 0; i < s->num_lanes; i++) lay_out_lane(s, i, layout);
  const uint64_t rows = s->sharing == SHARE_ROWS ? most_rows(s->parts.plan, s->lanes) : 0;
  s->row_sums = memory_place(layout, rows, sizeof *s->row_sums);
  stepper_lay_out_sums(s, layout);
  if (s->alone) stepper_lay_out_apart(s, layout);
  s->norms = memory_place(layout, s->parts.network->arena_size / NORM_BLOCK + 1, sizeof *s->norms);
}

static mlpd_status make_local(stepper *s) {
  const lane_plan *const plan = s->parts.plan;
  TRY(check_lanes(plan, s->lanes));
  s->streams = s->parts.stream != NULL;
  s->target_bytes = target_bytes_of(s->parts.rows);
  plan_local(s);
  TRY(memory_allocate_layout(lay_out, s, "lanes and their sums", &s->memory));
  stepper_list_units(s);
  TRY(workspace_create(s->parts.network, most_rows(plan, s->lanes), false, &s->space));
  s->space.keeps_slopes = true;
  return stepper_make_trust(s);
}

bool stepper_needs_whole(mlpd_optimizer optimizer, double clip_norm) {
  return clip_norm > 0 || optimizer_has_trust(optimizer) || optimizer_searches(optimizer);
}

bool stepper_divides(mlpd_update update, mlpd_reduce reduce, bool needs_whole) {
  return update == MLPD_UPDATE_SPLIT && reduce == MLPD_REDUCE_CANONICAL && !needs_whole;
}

size_t stepper_size(const mlpd_network *network, const backend *gemm, const lane_plan *plan, lane_range lanes,
                    uint64_t target_bytes, bool streams, int threads) {
  stepper s = {.parts = {.network = (mlpd_network *)network, .gemm = gemm, .plan = plan, .threads = threads},
               .lanes = lanes,
               .streams = streams,
               .target_bytes = target_bytes,
               .alone = lanes.end - lanes.begin == plan->num_lanes};
  plan_local(&s);
  return workspace_size(network, most_rows(plan, lanes), false) + memory_layout_size(lay_out, &s);
}

/* ---- Making, with other ranks ---------------------------------------------------------------------- */

/* One bucket for each strip. */
static mlpd_status make_reducer(stepper *s) {
  const stepper_parts *const parts = &s->parts;
  size_t *begin = NULL;
  const reducer_owner owner = {
      .whole = parts->network->parameters, .context = s, .begin = stepper_take_totals, .replace = stepper_update_slice};
  const bool divides = stepper_divides(parts->update, parts->reduce, needs_whole(s));
  mlpd_status status = memory_allocate(&begin, (size_t)s->num_strips + 1, sizeof *begin, "buckets");
  for (uint32_t i = 0; status == MLPD_OK && i < s->num_strips; i++) begin[i] = s->strips[i].begin;
  if (status == MLPD_OK) begin[s->num_strips] = parts->network->arena_size;
  status = mlpd_comm_agree(parts->comm, status);
  if (status == MLPD_OK)
    status = reducer_create(parts->comm, parts->plan->num_lanes, parts->network->arena_size, TAIL_DOUBLES,
                            parts->reduce, divides ? &owner : NULL, s->num_strips, begin, &s->reducer);
  s->divides = status == MLPD_OK && reducer_divides(s->reducer);
  s->overlaps = status == MLPD_OK && reducer_overlaps(s->reducer) && parts->overlap == MLPD_OVERLAP_LAYERS;
  free(begin);
  return status;
}

mlpd_status stepper_create(const stepper_parts *parts, stepper **made) {
  *made = NULL;
  stepper *s = NULL;
  mlpd_status status = memory_allocate(&s, 1, sizeof *s, "stepper");
  if (status == MLPD_OK) {
    s->parts = *parts;
    const int size = mlpd_comm_size(parts->comm);
    lanes_of_rank(parts->plan->num_lanes, size, mlpd_comm_rank(parts->comm), &s->lanes.begin, &s->lanes.end);
    s->alone = size == 1 && !needs_whole(s);
    status = make_local(s);
  }
  status = mlpd_comm_agree(parts->comm, status);
  if (status == MLPD_OK) status = make_reducer(s);
  if (status == MLPD_OK && !needs_whole(s) && reducer_pulls(s->reducer))
    status = mlpd_comm_agree(parts->comm, stepper_make_pull(s));
  if (status != MLPD_OK) {
    stepper_free(s);
    return status;
  }
  s->way = step_way_of(s);
  team_wait_begin(&s->waits, parts->threads);
  *made = s;
  return MLPD_OK;
}

void stepper_free(stepper *s) {
  if (s == NULL) return;
  team_wait_end(&s->waits);
  stepper_own_weights(s);
  workspace_free(&s->space);
  reducer_free(s->reducer);
  stepper_free_pull(s);
  free(s->memory);
  free(s->pieces);
  free(s);
}

void stepper_begin_epoch(stepper *s, uint64_t epoch) {
  s->epoch = epoch;
  if (s->parts.stream != NULL) return;
#pragma omp parallel for num_threads(s->parts.threads) schedule(dynamic)
  for (uint32_t i = 0; i < s->num_lanes; i++)
    lane_shuffle(s->parts.plan, s->parts.seed, epoch, s->lanes.begin + i, s->lane[i].order);
}

void stepper_weaken(stepper *s, double factor) {
  s->weaker = 1 - factor;
  optimizer_weaken_decay(s->parts.optimizer, factor);
}

/* ---- The step ------------------------------------------------------------------------------------ */

/* Between the phases, on one thread, when this rank's statistics are known. */
static void begin_updates(stepper *s, const step_wishes *wishes) {
  s->sent = MLPD_OK;
  stepper_end_lanes(s);
  stepper_sum_tails(s, wishes);
  if (s->way->begin != NULL) s->way->begin(s);
}

/* Called by every thread of a parallel region. If nothing is sent, the last thread to arrive continues at once; else
 * the master does, because only it calls MPI. */
static void end_phase_1(stepper *s, const step_wishes *wishes) {
  if (!s->way->sends) {
    if (atomic_fetch_add_explicit(&s->computed, 1, memory_order_acq_rel) + 1 == (unsigned)omp_get_num_threads())
      begin_updates(s, wishes);
  } else {
#pragma omp barrier
#pragma omp master
    begin_updates(s, wishes);
  }
#pragma omp barrier
}

/* Phases 1 and 2 on all threads. */
static void compute(stepper *s, uint64_t step, const step_wishes *wishes) {
  reducer_begin(s->reducer);
  stepper_place_lanes(s, step);
  atomic_init(&s->computed, 0);
#pragma omp parallel num_threads(s->parts.threads)
  {
    stepper_run_lanes(s, !s->overlaps);
    if (s->way->own_lanes != NULL) s->way->own_lanes(s);
    end_phase_1(s, wishes);
    s->way->gradients(s);
  }
}

static void take_rows(stepper *s, uint64_t step, double start) {
  if (s->parts.stream == NULL) return;
  s->streamed = stream_take(s->parts.stream, s->epoch, step);
  s->times.data += clock_seconds() - start;
}

#ifdef MLPD_FAULT_INJECTION
/* For tests/faults.bats only: MLPD_FAULT_FLIP=RANK:STEP flips a bit of a weight on a rank before a step of the run, or
 * of the optimizer's state if MLPD_FAULT_STATE is set. */
static void inject_fault(stepper *s) {
  static unsigned long steps;
  const char *const fault = getenv("MLPD_FAULT_FLIP");
  int rank = -1;
  unsigned long step = 0;
  if (fault != NULL && sscanf(fault, "%d:%lu", &rank, &step) == 2 && rank == mlpd_comm_rank(s->parts.comm) &&
      steps++ == step) {
    /* A high bit, because a velocity may be 0 and a denormal would vanish in the step. */
    if (getenv("MLPD_FAULT_STATE") != NULL)
      *(uint32_t *)(void *)s->parts.optimizer->state[0] ^= 1u << 30;
    else
      *(uint32_t *)(void *)s->parts.network->parameters ^= 1u << 20;
  }
}
#endif

mlpd_status stepper_step(stepper *s, uint64_t step, double lr, const step_wishes *wishes, step_outcome *outcome) {
#ifdef MLPD_FAULT_INJECTION
  inject_fault(s);
#endif
  const double start = clock_seconds();
  const step_times before = s->times;
  TRY(stepper_share_weights(s));
  take_rows(s, step, start);
  s->lr = lr;
  team_wait_look(&s->waits);
  compute(s, step, wishes);
  TRY(s->sent);
  if (s->way->finish != NULL) TRY(s->way->finish(s));
  if (s->outcome.failed) return mlpd_comm_agree(s->parts.comm, s->streamed);
  s->times.compute += clock_seconds() - start - (s->times.data - before.data) - (s->times.reduce - before.reduce);
  *outcome = s->outcome;
  return MLPD_OK;
}

/* ---- The timeline -------------------------------------------------------------------------------- */

enum {
  SMALL_UNIT = 1 << 20
}; /* multiplications, about 10 us: recording each smaller unit would cost a percent or more */

void stepper_trace(stepper *s, timeline *t) {
  s->line = t;
  s->record_units = s->overlaps || s->unit_floats * most_rows(s->parts.plan, s->lanes) >= SMALL_UNIT;
  reducer_trace(s->reducer, t);
}

/* Largest number of additions of a bucket: one in each round of recursive halving. */
static size_t most_additions(const stepper *s) {
  size_t rounds = 1;
  while (1 << rounds < mlpd_comm_size(s->parts.comm)) rounds++;
  return rounds;
}

/* Twice an even share of blocks and units; messages or the optimizer follow each unit. */
size_t stepper_trace_events(const stepper *s) {
  const size_t units = 2 * ((size_t)s->num_units + s->num_strips) * stepper_larger(reducer_num_nodes(s->reducer), 1);
  const size_t share = (stepper_lane_events(s) + units) / (size_t)s->parts.threads + 1;
  return 2 * share + (2 + most_additions(s)) * reducer_num_buckets(s->reducer) + 16;
}

void stepper_describe(const stepper *s, char *text, size_t bytes) {
  static const char *const shared[] = {
      [SHARE_LANES] = "whole lanes", [SHARE_ROWS] = "rows of all lanes", [SHARE_LAYERS] = "blocks of a layer"};
  const bool messages = s->way->sends && s->pull == NULL && mlpd_comm_size(s->parts.comm) > 1;
  (void)snprintf(text, bytes, "threads share %s; %s%s%s%s", shared[s->sharing], s->way->what, messages ? " by " : "",
                 messages ? reducer_way(s->reducer) : "", s->overlaps ? ", layer by layer" : "");
}

step_times stepper_times(const stepper *s) { return s->times; }
