/* What the ways of the sum share: the reducer's struct. A buffer, in bytes: num_floats floats, padded to a unit, then
 * num_doubles doubles, padded to a unit: so the statistics travel first, by themselves where ranks divide what follows.
 */
#ifndef MLPDIST_REDUCE_INTERNAL_H
#define MLPDIST_REDUCE_INTERNAL_H

#include "distribution/comm_internal.h"
#include "distribution/reduce_tree.h"

enum {
  UNIT_BYTES = 64,      /* a cache line; as an MPI type it keeps counts within int up to 128 GiB */
  MAX_BUCKETS = 1 << 10 /* their numbers are in the tags of messages */
};

/* A bucket as it travels: units [begin, end) of a buffer, complete when the caller says that its bucket `last` is. */
typedef struct bucket {
  size_t begin, end;
  uint32_t last;
} bucket;

/* One way for the sum to travel; all but create wait for nobody, and NULL members do nothing. */
typedef struct reduce_way {
  const char *name;
  comm_wait_kind waits_for;
  mlpd_status (*create)(reducer *r); /* ranks agree on its status */
  void (*free)(reducer *r);          /* also after create has failed */
  void (*begin)(reducer *r);
  mlpd_status (*ready)(reducer *r, uint32_t bucket); /* of r->buckets */
  mlpd_status (*progress)(reducer *r, bool *done);   /* done: all of the sum can be read; only after all are ready */
  bool (*pulls)(const reducer *r);                   /* NULL: no. Then: */
  void (*slice)(const reducer *r, uint32_t bucket, int rank, size_t *begin, size_t *end); /* units; where it divides */
  void (*publish)(reducer *r, published_kind kind, uint32_t count);
  bool (*published)(const reducer *r, published_kind kind, uint32_t count);
} reduce_way;

struct reducer {
  mlpd_comm *comm;
  mlpd_reduce mode;
  reducer_owner owner;
  bool divides; /* as the caller wishes, and as the way does it */
  const reduce_way *way;
  void *state; /* the way's own */
  uint32_t num_lanes;
  size_t num_floats, num_doubles;
  size_t float_bytes, units;       /* bytes of the floats' part; units of a whole buffer */
  uint32_t num_buckets, num_ready; /* num_ready: of this step, from the last one down */
  bucket *buckets;                 /* (num_buckets), ascending */

  lane_range *nodes;    /* of all ranks, in lane order (first_node[size]) */
  uint32_t *first_node; /* (size + 1): where each rank's nodes begin */
  tree_sum tree;        /* over nodes; of this rank alone for allreduce */

  /* Set by the way, per step or once. */
  char *local;          /* (this rank's nodes, units): what callers fill */
  const char **sources; /* (tree.num_sources): whole buffers, added by who reads; where result is NULL */
  char *result;         /* (units): the sum */
  double *totals;       /* (num_doubles): where result is NULL; where ranks divide, once they are known */
  char *common;         /* (units): of all ranks, where they pull and divide */

  timeline *line;                 /* NULL: nothing is recorded */
  uint64_t *ready_at, *summed_at; /* (num_buckets): ticks of this step; 0: not yet */
};

extern const reduce_way reduce_alone, reduce_by_shared_memory, reduce_by_messages, reduce_by_halving,
    reduce_by_allreduce;

/* For the timeline: bucket can be read from now on. */
static inline void reduce_summed(reducer *r, uint32_t bucket) { r->summed_at[bucket] = timeline_begin(r->line); }

/* Bytes [begin, end) of the sum to out, by the team of the calling thread: the sources (tree.num_sources) point to
 * their byte `origin`. Not collective. */
void reduce_sum_range(const reducer *r, const char *const *sources, size_t origin, size_t begin, size_t end, char *out);

/* The unit where the slice of rank begins, of units cut for size ranks. */
static inline size_t slice_unit(size_t units, int size, int rank) { return units * (size_t)rank / (size_t)size; }

/* Is it the bucket of the doubles? They travel by themselves where ranks divide. */
static inline bool reduce_is_doubles(const reducer *r, uint32_t bucket) {
  return r->buckets[bucket].begin * UNIT_BYTES == r->float_bytes;
}

static inline uint32_t own_nodes(const reducer *r) {
  return r->first_node[r->comm->rank + 1] - r->first_node[r->comm->rank];
}

/* Do whole nodes travel to all ranks, rather than slices? Where they are small (gather_bytes), for latency then rules;
 * and where no rank takes in more bytes that way, unless dividing what follows is worth a second round. */
bool reduce_gathers(uint32_t num_nodes, size_t units, int size, size_t gather_bytes, bool divided);

/* Bytes [begin, end) of a buffer to into: the sum of 2 or 4 parts, added in pairs; into may be one of them. By the team
 * of the calling thread. Not collective. */
void reduce_add_parts(const reducer *r, char *const *parts, int count, size_t begin, size_t end, char *into);

/* The slice [begin, end) (bytes) of this rank, summed from sources as above, or where they are NULL in its one node
 * already, becomes what all get. By the team of the calling thread. Not collective. */
void reduce_replace_range(const reducer *r, const char *const *sources, size_t origin, size_t begin, size_t end);

/* Is the sum of this many lanes one that recursive halving brackets as the canonical tree does, over ranks enough? */
bool reduce_halves(uint32_t num_lanes, int size, int halving_ranks);

/* Bytes that a way takes on this rank for units of 64 bytes a buffer. */
size_t reduce_shared_size(uint32_t num_nodes, uint32_t own_nodes, size_t units, int size, bool divided);
size_t reduce_messages_size(uint32_t num_nodes, uint32_t own_nodes, size_t units, int size, bool divided);
size_t reduce_halving_size(size_t units, bool divided);

#endif
