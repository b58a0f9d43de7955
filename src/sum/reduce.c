#include "sum/reduce.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "sum/reduce_internal.h"

/* ---- One rank ----------------------------------------------------------------------------------- */

static void alone_lay_out(void *owner, memory_layout *layout) {
  reducer *const r = owner;
  r->local = r->result = memory_place(layout, own_nodes(r) * r->packets, PACKET_BYTES);
}

static mlpd_status alone_progress(reducer *r, bool *done) {
  (void)r;
  *done = true;
  return MLPD_OK;
}

static const reduce_way alone = {
    .name = "", .lay_out = alone_lay_out, .create = reduce_allocate, .progress = alone_progress};

/* ---- Making ------------------------------------------------------------------------------------- */

static size_t pad(size_t bytes) { return (bytes + PACKET_BYTES - 1) / PACKET_BYTES * PACKET_BYTES; }

static mlpd_status list_nodes(reducer *r) {
  const int size = r->size;
  lane_range nodes[MAX_NODES];
  TRY(memory_allocate(&r->first_node, (size_t)size + 1, sizeof *r->first_node, "reduction tree"));
  for (int rank = 0; rank < size; ++rank)
    r->first_node[rank + 1] = r->first_node[rank] + tree_nodes_of_rank(r->num_lanes, size, rank, nodes);
  TRY(memory_allocate(&r->nodes, r->first_node[size], sizeof *r->nodes, "reduction tree"));
  for (int rank = 0; rank < size; ++rank)
    (void)tree_nodes_of_rank(r->num_lanes, size, rank, r->nodes + r->first_node[rank]);
  return MLPD_OK;
}

static mlpd_status check_buckets(const reducer *r, uint32_t num_buckets, const size_t *begin) {
  bool good = num_buckets > 0 && begin[0] == 0 && begin[num_buckets] == r->num_floats;
  for (uint32_t i = 0; good && i < num_buckets; ++i)
    good = begin[i] <= begin[i + 1] && begin[i] % REDUCER_ALIGNMENT == 0;
  return good ? MLPD_OK : FAIL(MLPD_ERROR_INTERNAL, "the buckets do not cover %zu floats", r->num_floats);
}

/* Appends packets [begin, end) as buckets of about `worth` packets, the last one first. */
static void append_buckets(reducer *r, size_t begin, size_t end, size_t worth, uint32_t last) {
  const size_t pieces = (end - begin) / worth > 1 ? (end - begin) / worth : 1;
  for (size_t i = pieces; i-- > 0;)
    r->buckets[r->num_buckets++] = (bucket){
        .begin = begin + (end - begin) * i / pieces, .end = begin + (end - begin) * (i + 1) / pieces, .last = last};
}

static bool halves(const reducer *r) {
  return reduce_halves(r->num_lanes, r->size, r->thresholds.halving_ranks) &&
         !reduce_gathers(r->first_node[r->size], r->packets, r->size, r->thresholds.gather_bytes, r->divides);
}

/* Bytes of a bucket. If it is divided into slices, each must be long enough to be worth a message. Recursive halving
 * sends a few messages per bucket, whatever its size, so with more ranks the buckets are larger and fewer. */
static size_t bucket_bytes(const reducer *r) {
  const size_t usual = r->thresholds.bucket_bytes, ranks = (size_t)r->size;
  if (r->mode == MLPD_REDUCE_ALLREDUCE) return r->thresholds.sum_bytes;
  if (halves(r))
    return ranks >= 4 * COMM_HALVING_RANKS ? 4 * usual : ranks >= 2 * COMM_HALVING_RANKS ? 2 * usual : usual;
  return usual > ranks * r->thresholds.slice_bytes ? usual : ranks * r->thresholds.slice_bytes;
}

/* Joins the caller's buckets, from the last down, until one is worth a message, and divides those worth several. */
static mlpd_status plan_buckets(reducer *r, uint32_t num_buckets, const size_t *begin) {
  TRY(check_buckets(r, num_buckets, begin));
  const size_t floats = r->float_bytes / PACKET_BYTES;
  const size_t least = bucket_bytes(r) / PACKET_BYTES;
  const size_t worth = least > r->packets / MAX_BUCKETS + 1 ? least : r->packets / MAX_BUCKETS + 1;
  TRY(memory_allocate(&r->buckets, r->packets / worth + 2, sizeof *r->buckets, "buckets"));
  if (r->divides) r->buckets[r->num_buckets++] = (bucket){.begin = floats, .end = r->packets, .last = num_buckets};
  size_t end = r->divides ? floats : r->packets;
  for (uint32_t i = num_buckets; i-- > 0;) {
    const size_t packet = begin[i] * sizeof(float) / PACKET_BYTES;
    if (i > 0 && end - packet < worth) continue;
    append_buckets(r, packet, end, worth, i);
    end = packet;
  }
  for (uint32_t i = 0; i < r->num_buckets / 2; ++i) { /* ascending */
    const bucket high = r->buckets[i];
    r->buckets[i] = r->buckets[r->num_buckets - 1 - i];
    r->buckets[r->num_buckets - 1 - i] = high;
  }
  return MLPD_OK;
}

/* Nodes, and buckets of messages. */
static mlpd_status plan_sums(reducer *r, uint32_t num_buckets, const size_t *bucket_begin) {
  if (r->num_lanes == 0) return FAIL(MLPD_ERROR_USAGE, "a sum over 0 lanes has no value");
  if (r->packets > INT_MAX)
    return FAIL(MLPD_ERROR_USAGE, "%zu parameters are more than one message can carry", r->num_floats);
  TRY(list_nodes(r));
  r->divides = r->owned && r->size > 1 &&
               !reduce_gathers(r->first_node[r->size], r->packets, r->size, r->thresholds.gather_bytes, true);
  return plan_buckets(r, num_buckets, bucket_begin);
}

static mlpd_status make_tables(reducer *r) {
  const bool own_only = r->mode == MLPD_REDUCE_ALLREDUCE;
  const uint32_t first = own_only ? r->first_node[r->rank] : 0;
  const uint32_t nodes = own_only ? own_nodes(r) : r->first_node[r->size];
  TRY(tree_sum_create(r->num_lanes, r->nodes + first, nodes, &r->tree));
  TRY(memory_allocate(&r->sources, nodes, sizeof *r->sources, "reduction tree"));
  TRY(memory_allocate(&r->ready_at, r->num_buckets, sizeof *r->ready_at, "buckets"));
  TRY(memory_allocate(&r->summed_at, r->num_buckets, sizeof *r->summed_at, "buckets"));
  return memory_allocate(&r->totals, r->num_doubles, sizeof *r->totals, "summed statistics");
}

static void set_sizes(reducer *r, size_t num_floats, size_t num_doubles) {
  r->num_floats = num_floats;
  r->num_doubles = num_doubles;
  r->float_bytes = pad(num_floats * sizeof(float));
  r->packets = (r->float_bytes + pad(num_doubles * sizeof(double))) / PACKET_BYTES;
}

static const reduce_way *usual_way(const reducer *r, bool shares) {
  if (r->size == 1) return &alone;
  if (r->mode == MLPD_REDUCE_ALLREDUCE) return &reduce_by_allreduce;
  if (shares) return &reduce_by_shared_memory;
  return halves(r) ? &reduce_by_halving : &reduce_by_messages;
}

static mlpd_status create_way(reducer *r, const reduce_way *way) {
  r->way = way;
  return mlpd_comm_agree(r->comm, way->create(r));
}

/* If shared memory cannot be created, this is not a failure: messages work everywhere. */
static mlpd_status choose_way(reducer *r) {
  const bool divides = r->divides;
  const reduce_way *const way = usual_way(r, r->thresholds.shares);
  const mlpd_status status = create_way(r, way);
  if (status == MLPD_OK || way != &reduce_by_shared_memory) return status;
  way->free(r);
  r->divides = divides;
  return create_way(r, usual_way(r, false));
}

mlpd_status reducer_create(mlpd_comm *comm, uint32_t num_lanes, size_t num_floats, size_t num_doubles, mlpd_reduce mode,
                           const reducer_owner *owner, uint32_t num_buckets, const size_t *bucket_begin,
                           reducer **made) {
  reducer *r = NULL;
  mlpd_status status = memory_allocate(&r, 1, sizeof *r, "reducer");
  if (status == MLPD_OK) {
    *r = (reducer){.comm = comm,
                   .size = comm->size,
                   .rank = comm->rank,
                   .thresholds = comm->sums,
                   .mode = mode,
                   .owned = owner != NULL && mode == MLPD_REDUCE_CANONICAL,
                   .num_lanes = num_lanes};
    if (r->owned) r->owner = *owner;
    set_sizes(r, num_floats, num_doubles);
    status = plan_sums(r, num_buckets, bucket_begin);
  }
  if (status == MLPD_OK) status = make_tables(r);
  status = mlpd_comm_agree(comm, status);
  if (status == MLPD_OK) status = choose_way(r);
  if (status != MLPD_OK) {
    reducer_free(r);
    r = NULL;
  }
  *made = r;
  return status;
}

static void free_parts(reducer *r) {
  if (r->way != NULL && r->way->free != NULL) r->way->free(r);
  free(r->memory);
  tree_sum_free(&r->tree);
  free(r->nodes);
  free(r->first_node);
  free(r->buckets);
  free(r->sources);
  free(r->ready_at);
  free(r->summed_at);
  free(r->totals);
}

void reducer_free(reducer *r) {
  if (r == NULL) return;
  free_parts(r);
  free(r);
}

void reducer_trace(reducer *r, timeline *t) { r->line = t; }

uint32_t reducer_num_buckets(const reducer *r) { return r->num_buckets; }

uint32_t reducer_num_nodes(const reducer *r) { return own_nodes(r); }

lane_range reducer_node(const reducer *r, uint32_t node) { return r->nodes[r->first_node[r->rank] + node]; }

static char *local_node(const reducer *r, uint32_t node) { return r->local + (size_t)node * r->packets * PACKET_BYTES; }

float *reducer_floats(reducer *r, uint32_t node) { return (float *)(void *)local_node(r, node); }

double *reducer_doubles(reducer *r, uint32_t node) { return (double *)(void *)(local_node(r, node) + r->float_bytes); }

bool reducer_divides(const reducer *r) { return r->divides; }

bool reducer_slice(const reducer *r, int rank, uint32_t i, size_t *begin, size_t *end) {
  if (r->buckets[i].begin * PACKET_BYTES >= r->float_bytes) return false; /* the bucket of the doubles */
  r->way->slice(r, i, rank, begin, end);
  *begin *= REDUCER_ALIGNMENT;
  *end *= REDUCER_ALIGNMENT;
  if (*end > r->num_floats) *end = r->num_floats;
  return true;
}

bool reducer_overlaps(const reducer *r) { return r->way->waits_for != COMM_WAIT_MEMORY && r->size > 1; }

const char *reducer_way(const reducer *r) { return r->way->name; }

size_t reducer_size(uint32_t num_lanes, int size, int rank, size_t num_floats, mlpd_reduce mode, bool divided,
                    bool shares) {
  reducer r = {.size = size,
               .rank = rank,
               .thresholds = comm_usual_sums(),
               .mode = mode,
               .owned = divided && mode == MLPD_REDUCE_CANONICAL,
               .num_lanes = num_lanes};
  size_t bytes = 0;
  set_sizes(&r, num_floats, 0);
  mlpd_status status = plan_sums(&r, 1, (const size_t[]){0, num_floats});
  if (status == MLPD_OK) {
    r.way = usual_way(&r, shares);
    if (r.way->plan != NULL) status = r.way->plan(&r);
  }
  if (status == MLPD_OK) bytes = memory_layout_size(r.way->lay_out, &r);
  if (status == MLPD_OK && r.way->own != NULL) bytes = r.way->own(&r);
  free_parts(&r);
  return bytes;
}

/* ---- A step ------------------------------------------------------------------------------------- */

void reducer_begin(reducer *r) {
  r->num_ready = 0;
  if (r->way->begin != NULL) r->way->begin(r);
}

mlpd_status reducer_ready(reducer *r, uint32_t bucket) {
  while (r->num_ready < r->num_buckets) {
    const uint32_t next = r->num_buckets - 1 - r->num_ready;
    if (r->buckets[next].last < bucket) break;
    ++r->num_ready;
    r->ready_at[next] = timeline_begin(r->line);
    r->summed_at[next] = 0;
    if (r->way->ready != NULL) TRY(r->way->ready(r, next));
  }
  return MLPD_OK;
}

mlpd_status reducer_progress(reducer *r) {
  bool done = false;
  return r->num_ready > 0 ? r->way->progress(r, &done) : MLPD_OK;
}

static uint32_t bytes_of(const bucket *first, const bucket *last) {
  const size_t bytes = (last->end - first->begin) * PACKET_BYTES;
  return bytes < UINT32_MAX ? (uint32_t)bytes : UINT32_MAX;
}

/* Records the buckets of a step; in shared memory, where all become visible at once, as one. */
static void record_sums(const reducer *r, uint64_t now) {
  const uint32_t track = timeline_track_of(r->line, TIMELINE_SUMS), last = r->num_buckets - 1;
  if (now == 0) return;
  if (r->way->waits_for == COMM_WAIT_MEMORY)
    timeline_add(r->line, track, TIMELINE_REDUCE, 0, bytes_of(r->buckets, &r->buckets[last]), r->ready_at[0], now);
  else
    for (uint32_t i = r->num_buckets; i-- > 0;)
      timeline_add(r->line, track, TIMELINE_REDUCE, i, bytes_of(&r->buckets[i], &r->buckets[i]), r->ready_at[i],
                   r->summed_at[i] > 0 ? r->summed_at[i] : now);
}

static mlpd_status poll_sum(void *context, bool *done) {
  reducer *const r = context;
  return r->way->progress(r, done);
}

mlpd_status reducer_finish(reducer *r, const double **totals) {
  if (r->num_ready < r->num_buckets)
    return FAIL(MLPD_ERROR_INTERNAL, "a sum was finished before all its buckets were ready");
  if (r->size > 1) {
    const uint64_t began = timeline_begin(r->line);
    TRY(comm_wait_for(r->comm, poll_sum, r, r->way->waits_for));
    record_sums(r, timeline_end(r->line, 0, TIMELINE_WAIT, 0, 0, began));
  }
  *totals = r->totals;
  if (r->result != NULL)
    *totals = (const double *)(const void *)(r->result + r->float_bytes);
  else if (!r->divides)
    (void)reducer_pull_totals(r);
  return MLPD_OK;
}

const float *reducer_read(const reducer *r, size_t begin, size_t end, float *scratch) {
  const size_t offset = begin * sizeof(float);
  if (r->result != NULL) return (const float *)(const void *)(r->result + offset);
  tree_sum_run(&r->tree, r->sources, offset, (end - begin) * sizeof(float), true, (char *)scratch);
  return scratch;
}

/* ---- Pulling ------------------------------------------------------------------------------------ */

bool reducer_pulls(const reducer *r) { return r->way->pulls != NULL && r->way->pulls(r); }

float *reducer_common(const reducer *r) { return (float *)(void *)r->common; }

void reducer_publish(reducer *r, published_kind kind, uint32_t count) { r->way->publish(r, kind, count); }

bool reducer_published(const reducer *r, published_kind kind, uint32_t count) {
  return r->way->published(r, kind, count);
}

typedef struct awaited {
  const reducer *reducer;
  published_kind kind;
  uint32_t count;
} awaited;

static mlpd_status poll_published(void *context, bool *done) {
  const awaited *const a = context;
  *done = reducer_published(a->reducer, a->kind, a->count);
  return MLPD_OK;
}

mlpd_status reducer_wait_published(reducer *r, published_kind kind, uint32_t count) {
  awaited a = {r, kind, count};
  return comm_wait_for(r->comm, poll_published, &a, COMM_WAIT_MEMORY);
}

const double *reducer_pull_totals(reducer *r) {
  tree_sum_run(&r->tree, r->sources, r->float_bytes, r->num_doubles * sizeof(double), false, (char *)r->totals);
  return r->totals;
}
