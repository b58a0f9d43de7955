/* The canonical sum: the gradient of a step is the sum of the lane gradients in one fixed binary tree over lane numbers
 * (n lanes are split at the largest power of two below n), for any number of ranks. A rank sums whole subtrees
 * ("nodes") of its own lanes into buffers of num_floats gradients and num_doubles statistics.
 *
 * One step: call reducer_begin; fill the nodes; call reducer_ready for each bucket, the last one first, as soon as its
 * part of the nodes is complete; call reducer_progress now and then, so that messages advance; call reducer_finish;
 * read the sum block by block, while each block is in cache. How the sum is computed:
 * - one rank: the sum is the rank's only node;
 * - all ranks on one machine: the nodes are in shared memory. With few nodes, each reader adds the blocks it reads;
 * with many, each rank adds a slice first;
 * - ranks on several machines: by messages, bucket by bucket. If it costs no extra bytes, all nodes are sent to all
 * ranks; otherwise a rank receives its slice of each bucket, adds it and sends the sum on: in two rounds with all other
 * ranks or, with many ranks, in several rounds with a few of them (reduce_halving.c).
 *
 * No function here is collective unless its comment says so. */
#ifndef MLPDIST_REDUCE_H
#define MLPDIST_REDUCE_H

#include "base/timeline.h"
#include "lanes/tree.h"

typedef struct reducer reducer;

enum {
  REDUCER_ALIGNMENT = 16,    /* bucket borders are multiples of this many floats: a cache line */
  REDUCER_READ_FLOATS = 4096 /* the most floats that one reducer_read returns */
};

/* The work after the sum can be divided: each rank receives only its slices, transforms them (an optimizer: into new
 * weights) and sends the result to all ranks in place of the sum. */
typedef struct reducer_owner {
  float *whole; /* (num_floats, rounded up to a cache line): the results of all ranks, in place */
  void *context;
  /* Called on one thread when the summed doubles are known; calls of replace for this step follow. */
  void (*begin)(void *context, const double *totals);
  /* Computes whole [begin, end), at most REDUCER_READ_FLOATS, from the sum of these floats. Called from several threads
   * at once. */
  void (*replace)(void *context, size_t begin, size_t end, const float *sum);
} reducer_owner;

/* Makes one buffer for each node of this rank. owner: divides the work after the sum if that pays; NULL: never divided.
 * Bucket i is floats [bucket_begin[i], bucket_begin[i + 1]); bucket_begin (num_buckets + 1) runs from 0 to num_floats
 * in multiples of REDUCER_ALIGNMENT (except the end). Collective; arguments equal on all ranks. */
mlpd_status reducer_create(mlpd_comm *comm, uint32_t num_lanes, size_t num_floats, size_t num_doubles, mlpd_reduce mode,
                           const reducer_owner *owner, uint32_t num_buckets, const size_t *bucket_begin,
                           reducer **made);
void reducer_free(reducer *r); /* NULL is allowed */

uint32_t reducer_num_nodes(const reducer *r); /* nodes of this rank; may be 0 */
lane_range reducer_node(const reducer *r, uint32_t node);

/* Records the following steps in t (may be NULL): waits, additions of several ranks' gradients, and each bucket from
 * ready to readable. */
void reducer_trace(reducer *r, timeline *t);

uint32_t reducer_num_buckets(const reducer *r); /* as recorded; 1 in shared memory */

/* Begins a step: the former sum becomes invalid, and the nodes may be written. */
void reducer_begin(reducer *r);

/* The buffers for a node's sums in this step, 64-byte aligned: (num_floats) and (num_doubles). */
float *reducer_floats(reducer *r, uint32_t node);
double *reducer_doubles(reducer *r, uint32_t node);

/* true if the ranks divide the work after the sum */
bool reducer_divides(const reducer *r);

/* The i-th slice [*begin, *end) that rank transforms for all; false if there is none. Only if ranks divide the work and
 * do not pull. */
bool reducer_slice(const reducer *r, int rank, uint32_t i, size_t *begin, size_t *end);

/* Declares a bucket complete in this rank's nodes. Call it once per step for every bucket, in descending order, after
 * the doubles are complete. Bucket num_buckets means only the doubles; that call may be omitted. If ranks divide the
 * work, other ranks write to this part of `whole` from now on. Does not wait. Call it on the thread that may call MPI.
 * Logically collective (bucket equal on all ranks). */
mlpd_status reducer_ready(reducer *r, uint32_t bucket);

/* Advances messages; cheap, does not wait. Call it on the thread that may call MPI. */
mlpd_status reducer_progress(reducer *r);

/* Waits, after all buckets are ready, until the whole sum can be read (or, if ranks divide the work, until whole is
 * complete). *totals (num_doubles, valid until reducer_begin) are the summed doubles. Call it on the thread that may
 * call MPI. Collective. */
mlpd_status reducer_finish(reducer *r, const double **totals);

/* Returns floats [begin, end) of the sum, at most REDUCER_READ_FLOATS; begin must be a multiple of REDUCER_ALIGNMENT.
 * The result is in a buffer of the reducer, or is computed in scratch (end - begin), with the same bits each time. Any
 * thread may call it between reducer_finish and reducer_begin, unless ranks divide the work. */
const float *reducer_read(const reducer *r, size_t begin, size_t end, float *scratch);

/* ---- Pulling: a step in shared memory may use these in place of reducer_ready and reducer_finish ------------ */

/* Each rank publishes how much of its nodes is complete, in an order that all ranks agree on, and reads what all ranks
 * have published. reducer_begin comes first, as always. If ranks divide the work after the sum, each writes its results
 * to common memory, publishes them too, and reads those of the others; the step ends when all ranks have published all
 * results. */
bool reducer_pulls(const reducer *r); /* equal on all ranks */

/* The common memory (num_floats) if the ranks divide the work, else NULL. */
float *reducer_common(const reducer *r);

typedef enum published_kind { PUBLISHED_SUMS, PUBLISHED_COMMON, PUBLISHED_KINDS } published_kind;

/* Publishes that `count` parts are complete on this rank; the caller defines the parts. Threads may call it in any
 * order: the largest count of a step is valid. */
void reducer_publish(reducer *r, published_kind kind, uint32_t count);

/* true if all ranks have published at least count parts. Any thread. */
bool reducer_published(const reducer *r, published_kind kind, uint32_t count);

/* Waits for that, under the watch (comm.h). Call it on the thread that may call MPI. Collective. */
mlpd_status reducer_wait_published(reducer *r, published_kind kind, uint32_t count);

/* The summed doubles (num_doubles, valid until reducer_begin), after all ranks have published theirs. One thread. */
const double *reducer_pull_totals(reducer *r);

/* ---- Description ------------------------------------------------------------------------------------ */

/* true if messages are sent while further buckets are being computed */
bool reducer_overlaps(const reducer *r);

/* How ranks exchange: "shared memory", "messages", "MPI_Iallreduce"; "" for one rank. */
const char *reducer_way(const reducer *r);

/* Bytes that a reducer uses, including its part of shared memory, by a dry run of its layout; shares:
 * comm_shares_memory. */
size_t reducer_size(uint32_t num_lanes, int size, int rank, size_t num_floats, mlpd_reduce mode, bool divided,
                    bool shares);

#endif
