/* The sum by recursive halving and doubling, for many ranks: 2 log2(size) messages a bucket where slices take 2 size.
 *
 * In round k a rank exchanges half of what it still sums with the rank whose number differs in bit k, and adds: after
 * it, ranks that agree in all but the bits up to k have summed 2^(k+1) neighbours, each a part of it. Where size and
 * lanes are powers of two these are the subtrees of the canonical tree, so the bits are those of any other way. In the
 * rounds that follow, in reverse, ranks exchange what they have of the result. The doubles, where they travel by
 * themselves, are so short that whole sums are exchanged, and there is nothing to follow.
 *
 * R. Thakur, R. Rabenseifner, W. Gropp, Optimization of Collective Communication Operations in MPICH, 2005. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "distribution/reduce_internal.h"

enum { FIRST_TAG = 1, MAX_ROUNDS = 2 * 14 }; /* with MAX_BUCKETS, tags that every MPI has */

/* One exchange, in bytes of a buffer. */
typedef struct exchange {
  char *addend;              /* what comes, in the rounds that add; its bytes belong to [begin, end) */
  size_t begin, end;         /* what this rank has after it */
  MPI_Request receive, send; /* persistent */
  bool receives, sends;      /* there are such */
} exchange;

typedef struct traffic {
  exchange rounds[MAX_ROUNDS];
  size_t begin, end; /* this rank's slice */
  int adding, count; /* rounds that add, and all; the first that is not over is `now` */
  int now;
  bool sent, under_way; /* sent: the send of round now has begun */
} traffic;

typedef struct halving {
  char *local, *received, *result;
  char *second; /* as in reduce_messages.c */
  bool begun;   /* the owner knows the doubles of this step */
  MPI_Datatype unit;
  traffic *traffic; /* (num_buckets) */
} halving;

/* ---- Plan --------------------------------------------------------------------------------------- */

static bool is_power(uint64_t n) { return n > 0 && (n & (n - 1)) == 0; }

bool reduce_halves(uint32_t num_lanes, int size, int halving_ranks) {
  return size >= halving_ranks && size <= 1 << MAX_ROUNDS / 2 && is_power((uint64_t)size) && is_power(num_lanes) &&
         num_lanes >= (uint32_t)size;
}

size_t reduce_halving_size(size_t units, bool divided) { return (divided ? 2 : 3) * units * UNIT_BYTES; }

static bool is_doubles(const reducer *r, uint32_t b) { return r->buckets[b].begin * UNIT_BYTES == r->float_bytes; }

static bool exchanges_whole(const reducer *r, uint32_t b) { return r->divides && is_doubles(r, b); }

/* Units [*begin, *end) of bucket that rank still has after `rounds` halvings. */
static void part_after(const reducer *r, uint32_t b, int rank, int rounds, size_t *begin, size_t *end) {
  *begin = r->buckets[b].begin;
  *end = r->buckets[b].end;
  for (int k = 0; k < rounds && !exchanges_whole(r, b); ++k) {
    const size_t middle = *begin + (*end - *begin) / 2;
    *(rank >> k & 1 ? begin : end) = middle;
  }
}

static int log_size(const reducer *r) {
  int rounds = 0;
  while (1 << rounds < r->comm->size) ++rounds;
  return rounds;
}

static void slice_of(const reducer *r, uint32_t b, int rank, size_t *begin, size_t *end) {
  part_after(r, b, rank, log_size(r), begin, end);
}

static mlpd_status make_receive(const reducer *r, exchange *x, int tag, int peer, char *to, size_t units) {
  const halving *const h = r->state;
  if (units == 0) return MLPD_OK;
  CHECK_MPI(MPI_Recv_init(to, (int)units, h->unit, peer, tag, r->comm->mpi, &x->receive));
  x->receives = true;
  return MLPD_OK;
}

static mlpd_status make_send(const reducer *r, exchange *x, int tag, int peer, const char *from, size_t units) {
  const halving *const h = r->state;
  if (units == 0) return MLPD_OK;
  CHECK_MPI(MPI_Send_init(from, (int)units, h->unit, peer, tag, r->comm->mpi, &x->send));
  x->sends = true;
  return MLPD_OK;
}

/* Round k of adding: what this rank keeps comes from the other, which gets what that keeps. */
static mlpd_status plan_adding(reducer *r, uint32_t b, int k, int tag, char **room) {
  halving *const h = r->state;
  exchange *const x = &h->traffic[b].rounds[k];
  const int peer = r->comm->rank ^ 1 << k;
  size_t begin, end, their_begin, their_end;
  part_after(r, b, r->comm->rank, k + 1, &begin, &end);
  part_after(r, b, peer, k + 1, &their_begin, &their_end);
  x->begin = begin * UNIT_BYTES;
  x->end = end * UNIT_BYTES;
  x->addend = *room;
  *room += x->end - x->begin;
  TRY(make_receive(r, x, tag, peer, x->addend, end - begin));
  return make_send(r, x, tag, peer, h->local + their_begin * UNIT_BYTES, their_end - their_begin);
}

/* The round that undoes round k. */
static mlpd_status plan_passing_on(reducer *r, uint32_t b, int k, exchange *x, int tag) {
  halving *const h = r->state;
  const int peer = r->comm->rank ^ 1 << k;
  size_t begin, end, their_begin, their_end;
  part_after(r, b, r->comm->rank, k + 1, &begin, &end);
  part_after(r, b, peer, k + 1, &their_begin, &their_end);
  TRY(make_receive(r, x, tag, peer, h->second + their_begin * UNIT_BYTES, their_end - their_begin));
  return make_send(r, x, tag, peer, h->second + begin * UNIT_BYTES, end - begin);
}

static mlpd_status plan_traffic(reducer *r, uint32_t b, char **room) {
  halving *const h = r->state;
  traffic *const t = &h->traffic[b];
  int tag = FIRST_TAG + MAX_ROUNDS * (int)b;
  size_t begin, end;
  t->adding = log_size(r);
  t->count = exchanges_whole(r, b) ? t->adding : 2 * t->adding;
  slice_of(r, b, r->comm->rank, &begin, &end);
  t->begin = begin * UNIT_BYTES;
  t->end = end * UNIT_BYTES;
  for (int k = 0; k < t->adding; ++k) TRY(plan_adding(r, b, k, tag++, room));
  for (int i = t->adding; i < t->count; ++i) TRY(plan_passing_on(r, b, t->count - 1 - i, &t->rounds[i], tag++));
  return MLPD_OK;
}

/* Units that come in the rounds that add. */
static size_t units_received(const reducer *r) {
  size_t units = 0, begin, end;
  for (uint32_t b = 0; b < r->num_buckets; ++b)
    for (int k = 0; k < log_size(r); ++k) {
      part_after(r, b, r->comm->rank, k + 1, &begin, &end);
      units += end - begin;
    }
  return units;
}

static mlpd_status create(reducer *r) {
  halving *h = NULL;
  TRY(memory_allocate(&h, 1, sizeof *h, "messages"));
  r->state = h;
  h->unit = MPI_DATATYPE_NULL;
  CHECK_MPI(MPI_Type_contiguous(UNIT_BYTES, MPI_BYTE, &h->unit));
  CHECK_MPI(MPI_Type_commit(&h->unit));
  TRY(memory_allocate(&h->traffic, r->num_buckets, sizeof *h->traffic, "messages"));
  TRY(memory_allocate(&h->local, r->units, UNIT_BYTES, "lane gradients"));
  TRY(memory_allocate(&h->received, units_received(r), UNIT_BYTES, "received gradients"));
  if (!r->divides) TRY(memory_allocate(&h->result, r->units, UNIT_BYTES, "summed gradient"));
  h->second = r->divides ? (char *)r->owner.whole : h->result;
  char *room = h->received;
  for (uint32_t b = 0; b < r->num_buckets; ++b) TRY(plan_traffic(r, b, &room));
  r->local = h->local;
  r->result = h->result;
  return MLPD_OK;
}

static void release(reducer *r) {
  halving *const h = r->state;
  if (h == NULL) return;
  for (uint32_t b = 0; h->traffic != NULL && b < r->num_buckets; ++b)
    for (int i = 0; i < h->traffic[b].count; ++i) {
      exchange *const x = &h->traffic[b].rounds[i];
      if (x->receives) (void)MPI_Request_free(&x->receive);
      if (x->sends) (void)MPI_Request_free(&x->send);
    }
  if (h->unit != MPI_DATATYPE_NULL) (void)MPI_Type_free(&h->unit);
  free(h->traffic);
  free(h->local);
  free(h->received);
  free(h->result);
  free(h);
}

/* ---- A step ------------------------------------------------------------------------------------- */

static mlpd_status start(bool there, MPI_Request *request) {
  if (there) CHECK_MPI(MPI_Startall(1, request));
  return MLPD_OK;
}

static mlpd_status test(exchange *x, bool *done) {
  int received = 1, sent = 1;
  if (x->receives) CHECK_MPI(MPI_Test(&x->receive, &received, MPI_STATUS_IGNORE));
  if (x->sends) CHECK_MPI(MPI_Test(&x->send, &sent, MPI_STATUS_IGNORE));
  *done = received && sent;
  return MLPD_OK;
}

/* The slice is summed: it becomes what all get. */
static void conclude_sum(reducer *r, traffic *t, uint32_t b) {
  halving *const h = r->state;
  if (exchanges_whole(r, b)) {
    memcpy(r->totals, h->local + t->begin, r->num_doubles * sizeof(double));
    r->owner.begin(r->owner.context, r->totals);
    h->begun = true;
  } else if (r->divides) {
    reduce_replace_range(r, NULL, 0, t->begin, t->end);
  } else {
    memcpy(h->result + t->begin, h->local + t->begin, t->end - t->begin);
  }
}

/* Goes on until something is not there yet. */
static mlpd_status advance(reducer *r, uint32_t b) {
  halving *const h = r->state;
  traffic *const t = &h->traffic[b];
  while (t->now < t->count) {
    exchange *const x = &t->rounds[t->now];
    bool done = false;
    if (!t->sent) {
      if (t->now == t->adding && r->divides && !h->begun) return MLPD_OK;
      if (t->now == t->adding) conclude_sum(r, t, b);
      TRY(start(x->sends, &x->send));
      t->sent = true;
    }
    TRY(test(x, &done));
    if (!done) return MLPD_OK;
    if (t->now < t->adding) reduce_add_range(r, x->addend, x->begin, x->end, h->local + x->begin);
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
  /* As in reduce_messages.c: receives of all buckets and rounds at once, for ranks that are ahead. */
  if (b + 1 == r->num_buckets)
    for (uint32_t i = r->num_buckets; i-- > 0;)
      for (int round = 0; round < h->traffic[i].count; ++round) {
        exchange *const x = &h->traffic[i].rounds[round];
        TRY(start(x->receives, &x->receive));
      }
  bool done;
  return progress(r, &done);
}

const reduce_way reduce_by_halving = {
    .name = "messages by halves",
    .waits_for = COMM_WAIT_MESSAGES,
    .create = create,
    .free = release,
    .begin = begin_step,
    .ready = ready,
    .progress = progress,
    .slice = slice_of,
};
