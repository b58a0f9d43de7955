/* The canonical sum: a step's gradient is the sum of the lane gradients in one fixed binary tree over lane
 * numbers (n lanes split at the largest power of two below n), whatever the number of ranks. A rank sums
 * whole subtrees ("nodes") of its own lanes into buffers: num_floats gradients and num_doubles statistics.
 *
 * A step: reducer_begin; the nodes are filled; reducer_ready for each bucket, the last one first, as soon as
 * its part of the nodes is complete; reducer_progress now and then, so that buckets travel meanwhile;
 * reducer_finish; the sum is read block by block, while each block is in cache. How it gets there:
 * - one rank: it is the rank's one node;
 * - all ranks on one machine: the nodes lie in memory they share. Of few nodes each reader adds the blocks it
 *   reads; of many, each rank adds a slice first;
 * - ranks on several machines: messages, bucket by bucket. Where it costs no bytes all nodes go to all ranks;
 *   else a rank gets its slice of each bucket, adds and passes on the sum: in two rounds with all others, or, many
 *   ranks, in several with few (reduce_halving.c). */
#ifndef MLPDIST_REDUCE_H
#define MLPDIST_REDUCE_H

#include "base/timeline.h"

typedef struct lane_range {
  uint32_t begin, end;
} lane_range;

/* A rank's lanes as maximal subtrees of the tree over num_lanes lanes, in lane order; nodes has room for
 * 2 * 32. Returns their number. Not collective. */
uint32_t reduce_nodes(uint32_t num_lanes, lane_range lanes, lane_range *nodes);

/* Where the tree splits [range): the first lane of the right child; range has >= 2 lanes. Not collective. */
uint32_t reduce_split(lane_range range);

typedef struct reducer reducer;

enum {
  REDUCER_ALIGNMENT = 16,    /* floats that borders of buckets are multiples of: a cache line */
  REDUCER_READ_FLOATS = 4096 /* the most that one reducer_read gives */
};

/* What follows a sum may be divided over the ranks: each makes of its slices of it, which it alone then gets, something
 * of the same length that all get in place of the sum (an optimizer: new weights). */
typedef struct reducer_owner {
  float *whole; /* (num_floats, up to a whole cache line): what all get, in place */
  void *context;
  /* The summed doubles are known, and replace may be called for the slices of this step. One thread. */
  void (*begin)(void *context, const double *totals);
  /* Makes whole [begin, end) of the sum of these floats, at most REDUCER_READ_FLOATS. Any thread, several at once. */
  void (*replace)(void *context, size_t begin, size_t end, const float *sum);
} reducer_owner;

/* Makes the buffers: one a node of this rank. owner: to divide what follows where that pays; NULL: never. Bucket i is
 * floats [bucket_begin[i], bucket_begin[i + 1]); bucket_begin (num_buckets + 1) goes from 0 to num_floats in multiples
 * of REDUCER_ALIGNMENT (but for the end). Collective; arguments equal on all ranks. */
mlpd_status reducer_create(mlpd_comm *comm, uint32_t num_lanes, size_t num_floats, size_t num_doubles, mlpd_reduce mode,
                           const reducer_owner *owner, uint32_t num_buckets, const size_t *bucket_begin,
                           reducer **made);
void reducer_free(reducer *r); /* NULL is allowed. Not collective */

uint32_t reducer_num_nodes(const reducer *r);             /* of this rank; may be 0. Not collective */
lane_range reducer_node(const reducer *r, uint32_t node); /* Not collective */

/* Has the steps that follow recorded: waits, sums of several ranks' gradients, and each bucket from ready to readable.
 * t may be NULL. Not collective. */
void reducer_trace(reducer *r, timeline *t);

uint32_t reducer_num_buckets(const reducer *r); /* that travel, or at once: as they are recorded. Not collective */

/* A step begins: the sum before it is gone, its nodes may be written. Not collective. */
void reducer_begin(reducer *r);

/* Where this step's sums of a node belong, 64-byte aligned: (num_floats) and (num_doubles). Not collective. */
float *reducer_floats(reducer *r, uint32_t node);
double *reducer_doubles(reducer *r, uint32_t node);

/* Do the ranks divide what follows the sum? Not collective. */
bool reducer_divides(const reducer *r);

/* Floats [*begin, *end) of which rank makes what all get, the i-th such slice; false: there are no more. Where ranks
 * divide, but do not pull. Not collective. */
bool reducer_slice(const reducer *r, int rank, uint32_t i, size_t *begin, size_t *end);

/* This rank's nodes are complete in bucket; every bucket once a step, in descending order, the doubles before; they
 * alone: bucket num_buckets, which may be left out. Where ranks divide, other ranks write to that part of whole from
 * now on. Waits for nobody. On the thread that may call MPI. Logically collective (bucket equal on all ranks). */
mlpd_status reducer_ready(reducer *r, uint32_t bucket);

/* Lets messages go on; cheap. Waits for nobody. On the thread that may call MPI. Not collective. */
mlpd_status reducer_progress(reducer *r);

/* Waits until all of the sum can be read, or whole is complete, after all buckets are ready; totals (num_doubles, valid
 * until reducer_begin) are the summed doubles. On the thread that may call MPI. Collective. */
mlpd_status reducer_finish(reducer *r, const double **totals);

/* Not where ranks divide. Floats [begin, end) of the sum, at most REDUCER_READ_FLOATS, begin a multiple of
 * REDUCER_ALIGNMENT: in a buffer, or added in scratch (end - begin) just now, the same bits each time. Any thread, from
 * reducer_finish to reducer_begin. Not collective. */
const float *reducer_read(const reducer *r, size_t begin, size_t end, float *scratch);

/* ---- Pulling: where ranks share memory and who reads adds, a step may do without ready and finish -------- */

/* Each rank publishes how much of its nodes is complete, in an order on which all agree, and reads what all ranks have
 * published. reducer_begin comes first as ever. Where the ranks divide what follows, each puts what it makes of its
 * part of the sum into common memory, publishes that too, and takes from there what the others made; a step then ends
 * when all have published all of it. */
bool reducer_pulls(const reducer *r); /* equal on all ranks. Not collective */

/* Memory of all ranks (num_floats) where they divide, else NULL. Not collective. */
float *reducer_common(const reducer *r);

typedef enum published_kind { PUBLISHED_SUMS, PUBLISHED_COMMON, PUBLISHED_KINDS } published_kind;

/* `count` parts, of which it is the caller's what they are, are complete on this rank. Any thread, in any order: the
 * largest of a step counts. Not collective. */
void reducer_publish(reducer *r, published_kind kind, uint32_t count);

/* By all ranks, so many? Any thread. Not collective. */
bool reducer_published(const reducer *r, published_kind kind, uint32_t count);

/* Waits for it under the watch. On the thread that may call MPI. Collective. */
mlpd_status reducer_wait_published(reducer *r, published_kind kind, uint32_t count);

/* The summed doubles (num_doubles, valid until reducer_begin), once all ranks have published theirs. One thread.
 * Not collective. */
const double *reducer_pull_totals(reducer *r);

/* ---- What it does ----------------------------------------------------------------------------------- */

/* Does the sum travel while what reducer_ready has not seen is computed? Not collective. */
bool reducer_overlaps(const reducer *r);

/* How the sum travels: "shared memory", "messages", "MPI_Iallreduce"; "" alone. Not collective. */
const char *reducer_way(const reducer *r);

/* Bytes a reducer takes, its part of memory that ranks share included; shares: comm_shares_memory. Not collective. */
size_t reducer_size(uint32_t num_lanes, int size, int rank, size_t num_floats, mlpd_reduce mode, bool divided,
                    bool shares);

#endif
