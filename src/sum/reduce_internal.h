/* The reducer's struct, and the interface of a way to compute the sum. A buffer holds num_floats floats, then
 * num_doubles doubles, both padded to whole packets. Buckets are sent from the last to the first, so the statistics go
 * first; they have a separate bucket if ranks divide the work after the sum. Nothing here is collective unless it says
 * so. */
#ifndef MLPDIST_REDUCE_INTERNAL_H
#define MLPDIST_REDUCE_INTERNAL_H

#include "base/memory.h"
#include "lanes/tree.h"
#include "ranks/comm_internal.h"
#include "sum/reduce.h"

enum {
  PACKET_BYTES = 64,    /* a cache line; as an MPI type it keeps counts within int up to 128 GiB */
  MAX_BUCKETS = 1 << 10 /* bucket numbers are part of message tags */
};

/* A bucket of messages: packets [begin, end) of a buffer, complete when the caller declares its own bucket `last`
 * ready.
 */
typedef struct bucket {
  size_t begin, end;
  uint32_t last;
} bucket;

/* One way to exchange the sum. Only create may wait; a member that is NULL does nothing. */
typedef struct reduce_way {
  const char *name;
  comm_wait_kind waits_for;
  mlpd_status (*plan)(reducer *r);   /* what the layout depends on; without MPI; may be NULL */
  memory_lay_out *lay_out;           /* of a reducer; its arrays, for a dry run too */
  size_t (*own)(const reducer *r);   /* bytes of this rank, after a layout; NULL: all that is laid out */
  mlpd_status (*create)(reducer *r); /* collective; the ranks agree on its status */
  void (*free)(reducer *r);          /* also after create has failed */
  void (*begin)(reducer *r);
  mlpd_status (*ready)(reducer *r, uint32_t bucket); /* of r->buckets */
  mlpd_status (*progress)(reducer *r,
                          bool *done); /* done: the whole sum can be read; called after all buckets are ready */
  bool (*pulls)(const reducer *r);     /* NULL: this way cannot pull; then the members below are not used */
  void (*slice)(const reducer *r, uint32_t bucket, int rank, size_t *begin,
                size_t *end); /* packets; where it divides */
  void (*publish)(reducer *r, published_kind kind, uint32_t count);
  bool (*published)(const reducer *r, published_kind kind, uint32_t count);
} reduce_way;

struct reducer {
  mlpd_comm *comm; /* NULL in a dry run, which has the next three members instead */
  int size, rank;
  comm_sums thresholds;
  mlpd_reduce mode;
  reducer_owner owner;
  bool owned;   /* the caller asks to divide the work after the sum */
  bool divides; /* the caller asks for it and the way supports it */
  const reduce_way *way;
  void *state; /* belongs to the way */
  uint32_t num_lanes;
  size_t num_floats, num_doubles;
  size_t float_bytes, packets;     /* bytes of the floats' part; packets of a whole buffer */
  uint32_t num_buckets, num_ready; /* num_ready: of this step, from the last one down */
  bucket *buckets;                 /* (num_buckets), ascending */

  lane_range *nodes;    /* (first_node[size]) nodes of all ranks, in lane order */
  uint32_t *first_node; /* (size + 1): where each rank's nodes begin */
  tree_sum tree;        /* over nodes; of this rank alone for allreduce */

  /* Set by the way, per step or once. */
  char *memory;         /* of local and what else is laid out; NULL in shared memory */
  char *local;          /* (this rank's nodes, packets): what callers fill */
  const char **sources; /* (tree.num_sources): whole buffers that readers add, if result is NULL */
  char *result;         /* (packets): the sum */
  double *totals;       /* (num_doubles): if result is NULL; if ranks divide the work, once they are known */
  char *common;         /* (packets): common memory, if ranks pull and divide the work */

  timeline *line;                 /* NULL: nothing is recorded */
  uint64_t *ready_at, *summed_at; /* (num_buckets): ticks of this step; 0: not yet */
};

extern const reduce_way reduce_by_shared_memory, reduce_by_messages, reduce_by_halving, reduce_by_allreduce;

/* Records for the timeline that bucket can be read. */
static inline void reduce_summed(reducer *r, uint32_t bucket) { r->summed_at[bucket] = timeline_begin(r->line); }

/* Writes bytes [begin, end) of the sum to out, with the team of the calling thread. sources (tree.num_sources) point to
 * byte `origin` of each buffer. */
void reduce_sum_range(const reducer *r, const char *const *sources, size_t origin, size_t begin, size_t end, char *out);

/* The first packet of rank's slice, if packets are cut into size slices. */
static inline size_t slice_packet(size_t packets, int size, int rank) { return packets * (size_t)rank / (size_t)size; }

/* true for the bucket that holds only the doubles */
static inline bool reduce_is_doubles(const reducer *r, uint32_t bucket) {
  return r->buckets[bucket].begin * PACKET_BYTES == r->float_bytes;
}

static inline uint32_t own_nodes(const reducer *r) { return r->first_node[r->rank + 1] - r->first_node[r->rank]; }

/* true if whole nodes are sent to all ranks, rather than slices: if they are small (gather_bytes), because latency then
 * dominates, or if no rank receives more bytes that way, unless dividing the work after the sum is worth a second
 * round. */
bool reduce_gathers(uint32_t num_nodes, size_t packets, int size, size_t gather_bytes, bool divided);

/* Writes bytes [begin, end) of the sum of 2 or 4 parts, added in pairs, to into, which may be one of them. With the
 * team of the calling thread. */
void reduce_add_parts(const reducer *r, char *const *parts, int count, size_t begin, size_t end, char *into);

/* Lets the owner transform this rank's slice, bytes [begin, end), summed from sources as above; with sources NULL the
 * sum is already in the rank's node. With the team of the calling thread. */
void reduce_replace_range(const reducer *r, const char *const *sources, size_t origin, size_t begin, size_t end);

/* true if recursive halving brackets the sum of this many lanes as the canonical tree does, and there are enough ranks.
 */
bool reduce_halves(uint32_t num_lanes, int size, int halving_ranks);

/* Plans, allocates r->memory and lays it out. */
mlpd_status reduce_allocate(reducer *r);

#endif
