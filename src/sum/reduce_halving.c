/* The sum by recursive halving and doubling, for many ranks: 3 log2(size) messages per rank and bucket, whereas slices
 * need 2 size.
 *
 * Ranks work in groups of four: each receives its quarter of the current range from the three others and adds the four
 * as the tree does. The next groups consist of ranks with the same quarters, from four times as many neighbours each
 * time, until one group spans all ranks. If size is not a power of four, the last groups are pairs that exchange
 * halves. (With pairs alone a rank would read and write almost twice as much memory to add.) If size and lanes are
 * powers of two, the sums of a group are subtrees of the canonical tree, so the bits are those of any other way. The
 * rounds then run in reverse, and ranks exchange their parts of the result. The doubles, if they have a bucket of their
 * own, are so short that whole sums are exchanged, and no reverse rounds are needed.
 *
 * R. Thakur, R. Rabenseifner, W. Gropp, Optimization of Collective Communication Operations in MPICH, 2005. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "sum/reduce_requests.h"

enum {
  FIRST_TAG = 1,
  MAX_LOG = 14,                       /* log2 of the most ranks */
  MAX_ROUNDS = 2 * (MAX_LOG + 1) / 2, /* times MAX_BUCKETS: within the tags that every MPI supports */
  GROUP = 4
};

/* One exchange in a group, in bytes of a buffer. */
typedef struct exchange {
  char *parts[GROUP]; /* in the rounds that add: bytes [begin, end) of each member; this rank's are in its node */
  int size;           /* members of the group */
  size_t begin, end;  /* the range that this rank has after the exchange */
  MPI_Request room[2 * (GROUP - 1)];
  request_list list; /* receives, then sends */
  int receives;
} exchange;

typedef struct traffic {
  exchange rounds[MAX_ROUNDS];
  size_t begin, end; /* this rank's slice */
  int adding, count; /* number of rounds that add, and of all rounds; `now` is the current one */
  int now;
  bool sent, under_way; /* sent: the sends of round `now` have begun */
} traffic;

typedef struct halving {
  char *received;
  char *second; /* as in reduce_messages.c */
  bool begun;   /* the owner has received the doubles of this step */
  MPI_Datatype packet;
  traffic *traffic; /* (num_buckets) */
} halving;

/* ---- Plan --------------------------------------------------------------------------------------- */

static bool is_power(uint64_t n) { return n > 0 && (n & (n - 1)) == 0; }

bool reduce_halves(uint32_t num_lanes, int size, int halving_ranks) {
  return size >= halving_ranks && size <= 1 << MAX_LOG && is_power((uint64_t)size) && is_power(num_lanes) &&
         num_lanes >= (uint32_t)size;
}

static bool exchanges_whole(const reducer *r, uint32_t b) { return r->divides && reduce_is_doubles(r, b); }

/* The number of neighbours that a member of a group represents in round k, and the size of the group: 4, or 2 in the
 * last round. */
static int stride_of(int k) { return 1 << 2 * k; }

static int group_of(const reducer *r, int k) {
  const int left = r->size / stride_of(k);
  return left < GROUP ? left : GROUP;
}

static int rounds_that_add(const reducer *r) {
  int rounds = 0;
  while (stride_of(rounds) < r->size) ++rounds;
  return rounds;
}

/* The index of rank in its group of round k, and the rank at an index. */
static int place_in(const reducer *r, int rank, int k) { return rank / stride_of(k) % group_of(r, k); }

static int rank_at(const reducer *r, int k, int place) {
  return r->rank + (place - place_in(r, r->rank, k)) * stride_of(k);
}

/* Packets [*begin, *end) of bucket that rank still has after `rounds` rounds. */
static void part_after(const reducer *r, uint32_t b, int rank, int rounds, size_t *begin, size_t *end) {
  *begin = r->buckets[b].begin;
  *end = r->buckets[b].end;
  for (int k = 0; k < rounds && !exchanges_whole(r, b); ++k) {
    const size_t first = *begin, packets = *end - *begin;
    *begin = first + slice_packet(packets, group_of(r, k), place_in(r, rank, k));
    *end = first + slice_packet(packets, group_of(r, k), place_in(r, rank, k) + 1);
  }
}

static void slice_of(const reducer *r, uint32_t b, int rank, size_t *begin, size_t *end) {
  part_after(r, b, rank, rounds_that_add(r), begin, end);
}

/* Plans round k of adding: this rank receives the part that it keeps from the other members, and sends them the parts
 * that they keep. */
static mlpd_status plan_adding(reducer *r, uint32_t b, int k, int tag, char **room) {
  halving *const h = r->state;
  exchange *const x = &h->traffic[b].rounds[k];
  const int me = place_in(r, r->rank, k);
  size_t begin, end;
  part_after(r, b, r->rank, k + 1, &begin, &end);
  x->size = group_of(r, k);
  x->begin = begin * PACKET_BYTES;
  x->end = end * PACKET_BYTES;
  for (int place = 0; place < x->size; ++place) {
    x->parts[place] = place == me ? r->local + x->begin : *room;
    if (place == me) continue;
    *room += x->end - x->begin;
    TRY(reduce_add_receive(r, h->packet, &x->list, tag, rank_at(r, k, place), x->parts[place], end - begin));
  }
  x->receives = x->list.count;
  for (int step = 1; step < x->size; ++step) {
    const int peer = rank_at(r, k, (me + step) % x->size);
    size_t their_begin, their_end;
    part_after(r, b, peer, k + 1, &their_begin, &their_end);
    TRY(reduce_add_send(r, h->packet, &x->list, tag, peer, r->local + their_begin * PACKET_BYTES,
                        their_end - their_begin));
  }
  return MLPD_OK;
}

/* Plans the reverse of round k: members exchange their parts of the result. */
static mlpd_status plan_passing_on(reducer *r, uint32_t b, int k, exchange *x, int tag) {
  halving *const h = r->state;
  const int me = place_in(r, r->rank, k), size = group_of(r, k);
  size_t begin, end;
  for (int place = 0; place < size; ++place) {
    const int peer = rank_at(r, k, place);
    part_after(r, b, peer, k + 1, &begin, &end);
    if (place == me) continue;
    TRY(reduce_add_receive(r, h->packet, &x->list, tag, peer, h->second + begin * PACKET_BYTES, end - begin));
  }
  x->receives = x->list.count;
  part_after(r, b, r->rank, k + 1, &begin, &end);
  for (int step = 1; step < size; ++step)
    TRY(reduce_add_send(r, h->packet, &x->list, tag, rank_at(r, k, (me + step) % size),
                        h->second + begin * PACKET_BYTES, end - begin));
  return MLPD_OK;
}

static mlpd_status plan_traffic(reducer *r, uint32_t b, char **room) {
  halving *const h = r->state;
  traffic *const t = &h->traffic[b];
  int tag = FIRST_TAG + MAX_ROUNDS * (int)b;
  size_t begin, end;
  t->adding = rounds_that_add(r);
  t->count = exchanges_whole(r, b) ? t->adding : 2 * t->adding;
  slice_of(r, b, r->rank, &begin, &end);
  t->begin = begin * PACKET_BYTES;
  t->end = end * PACKET_BYTES;
  for (int i = 0; i < t->count; ++i) t->rounds[i].list.requests = t->rounds[i].room;
  for (int k = 0; k < t->adding; ++k) TRY(plan_adding(r, b, k, tag++, room));
  for (int i = t->adding; i < t->count; ++i) TRY(plan_passing_on(r, b, t->count - 1 - i, &t->rounds[i], tag++));
  return MLPD_OK;
}

/* Packets received in the rounds that add. */
static size_t packets_received(const reducer *r) {
  size_t packets = 0, begin, end;
  for (uint32_t b = 0; b < r->num_buckets; ++b)
    for (int k = 0; k < rounds_that_add(r); ++k) {
      part_after(r, b, r->rank, k + 1, &begin, &end);
      packets += (end - begin) * (size_t)(group_of(r, k) - 1);
    }
  return packets;
}

static mlpd_status plan(reducer *r) {
  halving *h = NULL;
  TRY(memory_allocate(&h, 1, sizeof *h, "messages"));
  r->state = h;
  h->packet = MPI_DATATYPE_NULL;
  return memory_allocate(&h->traffic, r->num_buckets, sizeof *h->traffic, "messages");
}

static void lay_out(void *owner, memory_layout *layout) {
  reducer *const r = owner;
  halving *const h = r->state;
  r->local = memory_place(layout, r->packets, PACKET_BYTES);
  h->received = memory_place(layout, packets_received(r), PACKET_BYTES);
  r->result = memory_place(layout, r->divides ? 0 : r->packets, PACKET_BYTES);
}

static mlpd_status create(reducer *r) {
  TRY(reduce_allocate(r));
  halving *const h = r->state;
  TRY(reduce_packet_create(&h->packet));
  h->second = r->divides ? (char *)r->owner.whole : r->result;
  char *room = h->received;
  for (uint32_t b = 0; b < r->num_buckets; ++b) TRY(plan_traffic(r, b, &room));
  return MLPD_OK;
}

static void release(reducer *r) {
  halving *const h = r->state;
  if (h == NULL) return;
  for (uint32_t b = 0; h->traffic != NULL && b < r->num_buckets; ++b)
    for (int i = 0; i < h->traffic[b].count; ++i) reduce_free_requests(&h->traffic[b].rounds[i].list);
  reduce_packet_free(&h->packet);
  free(h->traffic);
  free(h);
}

/* ---- A step ------------------------------------------------------------------------------------- */

/* The slice is summed: the owner transforms it. */
static void conclude_sum(reducer *r, traffic *t, uint32_t b) {
  halving *const h = r->state;
  if (exchanges_whole(r, b)) {
    memcpy(r->totals, r->local + t->begin, r->num_doubles * sizeof(double));
    r->owner.begin(r->owner.context, r->totals);
    h->begun = true;
  } else if (r->divides) {
    reduce_replace_range(r, NULL, 0, t->begin, t->end);
  } else {
    memcpy(r->result + t->begin, r->local + t->begin, t->end - t->begin);
  }
}

/* Proceeds until a message is missing. */
static mlpd_status advance(reducer *r, uint32_t b) {
  halving *const h = r->state;
  traffic *const t = &h->traffic[b];
  while (t->now < t->count) {
    exchange *const x = &t->rounds[t->now];
    bool done = false;
    if (!t->sent) {
      if (t->now == t->adding && r->divides && !h->begun) return MLPD_OK;
      if (t->now == t->adding) conclude_sum(r, t, b);
      TRY(reduce_start(&x->list, x->receives, x->list.count));
      t->sent = true;
    }
    TRY(reduce_test(&x->list, 0, x->list.count, &done));
    if (!done) return MLPD_OK;
    if (t->now < t->adding) reduce_add_parts(r, x->parts, x->size, x->begin, x->end, r->local + x->begin);
    t->sent = false;
    ++t->now;
  }
  if (exchanges_whole(r, b)) conclude_sum(r, t, b);
  t->under_way = false;
  reduce_summed(r, b);
  return MLPD_OK;
}

static mlpd_status progress(reducer *r, bool *done) {
  halving *const h = r->state;
  *done = true;
  for (uint32_t i = 0; i < r->num_ready; ++i) {
    const uint32_t b = r->num_buckets - 1 - i;
    if (h->traffic[b].under_way) TRY(advance(r, b));
    if (h->traffic[b].under_way) *done = false;
  }
  return MLPD_OK;
}

static void begin_step(reducer *r) { ((halving *)r->state)->begun = false; }

static mlpd_status ready(reducer *r, uint32_t b) {
  halving *const h = r->state;
  traffic *const t = &h->traffic[b];
  t->under_way = true;
  t->sent = false;
  t->now = 0;
  /* As in reduce_messages.c: starts the receives of all buckets and rounds at once, for ranks that are ahead. */
  if (b + 1 == r->num_buckets)
    for (uint32_t i = r->num_buckets; i-- > 0;)
      for (int round = 0; round < h->traffic[i].count; ++round) {
        exchange *const x = &h->traffic[i].rounds[round];
        TRY(reduce_start(&x->list, 0, x->receives));
      }
  bool done;
  return progress(r, &done);
}

const reduce_way reduce_by_halving = {
    .name = "messages by halves",
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
