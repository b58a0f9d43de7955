/* The sum by persistent messages between buffers, without packing, bucket by bucket. Either in two rounds: a rank
 * receives its slice of the bucket from all nodes, adds, and sends the sum, or the result of its owner, to all. Or in
 * one round: all ranks receive the bucket of all nodes, and readers of the sum add. If ranks divide the work after the
 * sum, the doubles go first, in one round. Each bucket and round has its own tag, because ranks need not reach them in
 * the same order. */
#include <limits.h>
#include <stdlib.h>

#include "base/memory.h"
#include "sum/reduce_requests.h"

enum { FIRST_TAG = 1, ROUNDS = 2 };

/* Persistent requests of a bucket in the order in which they are started: receives and sends of the first round, then
 * receives and sends of the second. */
typedef struct traffic {
  request_list list;
  int first_sends, second_receives, second_sends; /* where each kind begins */
  size_t begin, end;                              /* this rank's slice, in bytes of a buffer */
  const char **sources;                           /* (nodes of all ranks): addresses of their slices */
  bool gathers;                                   /* one round */
  bool under_way, added;
} traffic;

typedef struct messages {
  bool gathers; /* all in one round */
  char *received;
  char *second; /* (packets; without the doubles if ranks divide the work): the second round sends from and receives
                   into it */
  bool begun;   /* the owner has received the doubles of this step */
  MPI_Datatype packet; /* PACKET_BYTES bytes */
  traffic *traffic;    /* (num_buckets) */
} messages;

/* ---- Plan --------------------------------------------------------------------------------------- */

/* Packets [*begin, *end) of a buffer: rank's slice of bucket, or all of it. */
static void slice_of(const reducer *r, uint32_t b, int rank, size_t *begin, size_t *end) {
  const messages *const m = r->state;
  const bucket *const cut = &r->buckets[b];
  const size_t packets = cut->end - cut->begin;
  const bool all = m->traffic[b].gathers;
  *begin = cut->begin + (all ? 0 : slice_packet(packets, r->size, rank));
  *end = all ? cut->end : cut->begin + slice_packet(packets, r->size, rank + 1);
}

static uint32_t nodes_on(const reducer *r, int rank) { return r->first_node[rank + 1] - r->first_node[rank]; }

/* Assigns memory for the slices of other ranks' nodes; *next advances by their size. */
static mlpd_status plan_sources(reducer *r, uint32_t b, char **next) {
  messages *const m = r->state;
  traffic *const t = &m->traffic[b];
  const uint32_t first = r->first_node[r->rank], nodes = r->first_node[r->size];
  size_t begin, end;
  slice_of(r, b, r->rank, &begin, &end);
  t->begin = begin * PACKET_BYTES;
  t->end = end * PACKET_BYTES;
  TRY(memory_allocate(&t->sources, nodes, sizeof *t->sources, "message sources"));
  for (uint32_t i = 0; i < nodes; ++i) {
    const bool own = i >= first && i - first < own_nodes(r);
    if (own) {
      t->sources[i] = r->local + (i - first) * r->packets * PACKET_BYTES + t->begin;
    } else if (m->gathers) { /* whole buffers, one per node, laid out as readers expect their own */
      const uint32_t other = i < first ? i : i - own_nodes(r);
      t->sources[i] = m->received + other * r->packets * PACKET_BYTES + t->begin;
    } else {
      t->sources[i] = *next;
      *next += t->end - t->begin;
    }
  }
  return MLPD_OK;
}

/* Takes the peers in an order that differs by rank, so that not all ranks send to the same one. */
static mlpd_status plan_first_round(reducer *r, uint32_t b, int tag) {
  messages *const m = r->state;
  traffic *const t = &m->traffic[b];
  const int size = r->size, rank = r->rank;
  for (int step = 1; step < size; ++step) {
    const int peer = (rank + size - step) % size;
    for (uint32_t i = 0; i < nodes_on(r, peer); ++i) {
      char *const to = m->received + (t->sources[r->first_node[peer] + i] - m->received); /* sources are const */
      TRY(reduce_add_receive(r, m->packet, &t->list, tag, peer, to, (t->end - t->begin) / PACKET_BYTES));
    }
  }
  t->first_sends = t->list.count;
  for (int step = 1; step < size; ++step) {
    const int peer = (rank + step) % size;
    size_t begin, end;
    slice_of(r, b, peer, &begin, &end);
    for (uint32_t i = 0; i < own_nodes(r); ++i)
      TRY(reduce_add_send(r, m->packet, &t->list, tag, peer, r->local + (i * r->packets + begin) * PACKET_BYTES,
                          end - begin));
  }
  return MLPD_OK;
}

static mlpd_status plan_second_round(reducer *r, uint32_t b, int tag) {
  messages *const m = r->state;
  traffic *const t = &m->traffic[b];
  const int size = r->size, rank = r->rank;
  t->second_receives = t->list.count;
  for (int step = 1; !t->gathers && step < size; ++step) {
    const int peer = (rank + size - step) % size;
    size_t begin, end;
    slice_of(r, b, peer, &begin, &end);
    TRY(reduce_add_receive(r, m->packet, &t->list, tag, peer, m->second + begin * PACKET_BYTES, end - begin));
  }
  t->second_sends = t->list.count;
  for (int step = 1; !t->gathers && step < size; ++step)
    TRY(reduce_add_send(r, m->packet, &t->list, tag, (rank + step) % size, m->second + t->begin,
                        (t->end - t->begin) / PACKET_BYTES));
  return MLPD_OK;
}

static mlpd_status plan_traffic(reducer *r, uint32_t b) {
  messages *const m = r->state;
  const size_t others = (size_t)r->size - 1, nodes = r->first_node[r->size];
  const size_t most = own_nodes(r) * others + nodes - own_nodes(r) + 2 * others;
  if (most > INT_MAX) return FAIL(MLPD_ERROR_USAGE, "%zu messages per step are too many; use fewer lanes", most);
  TRY(memory_allocate(&m->traffic[b].list.requests, most, sizeof(MPI_Request), "message requests"));
  const int tag = FIRST_TAG + ROUNDS * (int)b;
  TRY(plan_first_round(r, b, tag));
  return plan_second_round(r, b, tag + 1);
}

static mlpd_status plan(reducer *r) {
  messages *m = NULL;
  TRY(memory_allocate(&m, 1, sizeof *m, "messages"));
  r->state = m;
  m->packet = MPI_DATATYPE_NULL;
  m->gathers = reduce_gathers(r->first_node[r->size], r->packets, r->size, r->thresholds.gather_bytes, r->divides);
  TRY(memory_allocate(&m->traffic, r->num_buckets, sizeof *m->traffic, "messages"));
  for (uint32_t b = 0; b < r->num_buckets; ++b)
    m->traffic[b].gathers = m->gathers || (r->divides && reduce_is_doubles(r, b));
  return MLPD_OK;
}

static void lay_out(void *owner, memory_layout *layout) {
  reducer *const r = owner;
  messages *const m = r->state;
  const uint32_t others = r->first_node[r->size] - own_nodes(r);
  size_t slices = 0;
  for (uint32_t b = 0; b < r->num_buckets; ++b) {
    size_t begin, end;
    slice_of(r, b, r->rank, &begin, &end);
    slices += end - begin;
  }
  r->local = memory_place(layout, own_nodes(r) * r->packets, PACKET_BYTES);
  m->received = memory_place(layout, others * slices, PACKET_BYTES);
  r->result = memory_place(layout, m->gathers || r->divides ? 0 : r->packets, PACKET_BYTES);
}

static mlpd_status create(reducer *r) {
  TRY(reduce_allocate(r));
  messages *const m = r->state;
  TRY(reduce_packet_create(&m->packet));
  m->second = r->divides ? (char *)r->owner.whole : r->result;
  char *next = m->received;
  for (uint32_t b = 0; b < r->num_buckets; ++b) {
    TRY(plan_sources(r, b, &next));
    TRY(plan_traffic(r, b));
  }
  for (uint32_t i = 0; i < r->first_node[r->size]; ++i) r->sources[i] = m->traffic[0].sources[i] - m->traffic[0].begin;
  return MLPD_OK;
}

static void release(reducer *r) {
  messages *const m = r->state;
  if (m == NULL) return;
  for (uint32_t b = 0; m->traffic != NULL && b < r->num_buckets; ++b) {
    traffic *const t = &m->traffic[b];
    reduce_free_requests(&t->list);
    free(t->list.requests);
    free(t->sources);
  }
  reduce_packet_free(&m->packet);
  free(m->traffic);
  free(m);
}

/* ---- A step ------------------------------------------------------------------------------------- */

static mlpd_status advance(reducer *r, traffic *t) {
  messages *const m = r->state;
  bool done = false;
  if (!t->added) {
    TRY(reduce_test(&t->list, 0, t->first_sends, &done));
    if (!done) return MLPD_OK;
    if (!t->gathers && r->divides && !m->begun) return MLPD_OK;
    if (!t->gathers && r->divides)
      reduce_replace_range(r, t->sources, t->begin, t->begin, t->end);
    else if (!t->gathers)
      reduce_sum_range(r, t->sources, t->begin, t->begin, t->end, r->result + t->begin);
    TRY(reduce_start(&t->list, t->second_sends, t->list.count));
    t->added = true;
  }
  TRY(reduce_test(&t->list, t->first_sends, t->list.count, &done));
  t->under_way = !done;
  if (!done) return MLPD_OK;
  const uint32_t b = (uint32_t)(t - m->traffic);
  reduce_summed(r, b);
  if (r->divides && reduce_is_doubles(r, b)) {
    tree_sum_run(&r->tree, t->sources, 0, r->num_doubles * sizeof(double), false, (char *)r->totals);
    r->owner.begin(r->owner.context, r->totals);
    m->begun = true;
  }
  return MLPD_OK;
}

static mlpd_status progress(reducer *r, bool *done) {
  messages *const m = r->state;
  *done = true;
  for (uint32_t i = 0; i < r->num_ready; ++i) {
    traffic *const t = &m->traffic[r->num_buckets - 1 - i];
    if (t->under_way) TRY(advance(r, t));
    if (t->under_way) *done = false;
  }
  return MLPD_OK;
}

static mlpd_status ready(reducer *r, uint32_t b) {
  messages *const m = r->state;
  traffic *const t = &m->traffic[b];
  t->under_way = true;
  t->added = false;
  /* Nothing of the former step is read any more, so messages may arrive in any order. All receives are started at once,
   * for ranks that are ahead. */
  if (b + 1 == r->num_buckets)
    for (uint32_t i = r->num_buckets; i-- > 0;) {
      TRY(reduce_start(&m->traffic[i].list, 0, m->traffic[i].first_sends));
      TRY(reduce_start(&m->traffic[i].list, m->traffic[i].second_receives, m->traffic[i].second_sends));
    }
  TRY(reduce_start(&t->list, t->first_sends, t->second_receives));
  bool done;
  return progress(r, &done);
}

static void begin_step(reducer *r) { ((messages *)r->state)->begun = false; }

const reduce_way reduce_by_messages = {
    .name = "messages",
    .waits_for = COMM_WAIT_MESSAGES,
    .plan = plan,
    .lay_out = lay_out,
    .create = create,
    .free = release,
    .begin = begin_step,
    .ready = ready,
    .progress = progress,
    .slice = slice_of,
};
