/* What the files of the stepper share: its struct, and the two phases of a step. No function here is collective unless
 * its comment says so. */
#ifndef MLPDIST_STEPPER_INTERNAL_H
#define MLPDIST_STEPPER_INTERNAL_H

#include <stdatomic.h>

#include "step/step_tail.h"
#include "step/stepper.h"

/* One lane of this rank. */
typedef struct lane {
  uint32_t *order; /* (rows): the epoch's order of the lane's rows; NULL where they are streamed */
  uint64_t first;  /* its first row in the shard */
  uint64_t rows;   /* its rows there */
  uint64_t count;  /* rows in this step's microbatch */
  uint64_t begin;  /* its place in order */
  uint64_t row;    /* its place in the workspace */
  int32_t *classes;
  float *values, *weights; /* targets of the microbatch */
  loss_sums sums;
} lane;

/* A unit of a tensor's gradient and its place in the arenas. */
typedef struct unit {
  gradient_unit shape;
  const tensor *of;
  size_t place;    /* floats from the arena's start */
  uint32_t stride; /* of the tensor's rows */
  uint32_t strip;
} unit;

/* Units that lie together in the arena: some rows of a tensor, all columns, and with the last rows of a layer's matrix
 * the layer's vectors behind it. A bucket of the reducer. */
typedef struct strip {
  uint32_t layer, first_unit, num_units;
  size_t begin, end; /* floats of the arena; gaps within stay zero */
  atomic_uint left;  /* sums of this step, of a unit for a node, that are not there yet */
} strip;

typedef struct pull pull;         /* of stepper_pull.c */
typedef struct apart apart;       /* of stepper_apart.c */
typedef struct step_way step_way; /* of step_way.h */

/* How the threads share phase 1. */
typedef enum sharing {
  SHARE_LANES, /* whole lanes: what one computes stays in a core's cache, and nobody waits */
  SHARE_ROWS,  /* rows of all lanes together, likewise: where the weights are small */
  SHARE_LAYERS /* blocks of one layer of all lanes at a time */
} sharing;

/* A thread's room for a unit's gradient, and for the sums of subtrees of lanes that wait for others. */
typedef struct scratch {
  float *sum;               /* (unit_floats): whole sums, where this rank updates at once */
  float *partial;           /* (levels, partial_floats) */
  const float **a, **delta; /* (lanes): factors */
  uint64_t *rows;           /* (lanes) */
} scratch;

struct stepper {
  stepper_parts parts;
  lane_range lanes; /* of this rank */
  lane *lane;       /* [u - lanes.begin] */
  uint32_t num_lanes;
  workspace space; /* of all lanes: their microbatches in lane order, with no rows between */
  reducer *reducer;
  uint32_t num_units, num_strips;
  unit *units;
  strip *strips;
  uint32_t *first_strip; /* (layers + 1) */
  uint32_t num_ready;    /* strips the reducer knows of, from the last one down */
  mlpd_status sent;      /* of telling it */
  uint64_t epoch;
  uint64_t rows;         /* of the step under way, of all ranks */
  mlpd_status streamed;  /* of the rows of this step; where they failed, its lanes are empty */
  size_t unit_floats;    /* of the largest unit, a multiple of a cache line */
  size_t partial_floats; /* the same of units whose lanes are summed in scratch */
  uint32_t levels;       /* of partial sums */
  scratch *scratch;      /* (threads) */
  double *norms;         /* (blocks of the arena) */
  double lr;             /* of this step */
  optimizer_scalars scalars;
  sharing sharing;
  loss_sums *row_sums;  /* (rows): what each adds to its lane's, where lanes are shared by rows; else NULL */
  atomic_uint computed; /* threads that are through with phase 1 */
  apart *apart;         /* threads sum gradients of lanes of their own; NULL: not so */
  bool overlaps;        /* what travels in messages sets out layer by layer, as soon as it is summed */
  bool divides;         /* the update: this rank has the optimizer's state of its parts alone */
  float *own;           /* (arena): the network's own parameters, while those it has are in common memory; else NULL */
  bool alone;           /* one rank, no clipping: nothing is waited for between a sum and its update */
  const step_way *way;  /* from gradients to new weights */
  pull *pull; /* ranks that share memory, no clipping: update a strip as soon as all have summed it; NULL: not so */
  step_outcome outcome;
  step_times times;
  timeline *line;    /* NULL: nothing is recorded */
  bool record_units; /* each by itself, not all that a thread does of a layer */
};

static inline size_t stepper_pad(size_t floats) { return (floats + 15) / 16 * 16; }

static inline uint64_t stepper_larger(uint64_t a, uint64_t b) { return a > b ? a : b; }

/* Does the step change weights? Once its statistics are known. */
static inline bool stepper_takes_step(const stepper *s) { return s->outcome.finite && !s->outcome.failed; }

/* ---- Phase 1, stepper_lanes.c: rows to deltas ----------------------------------------------------- */

/* Where the lanes' microbatches of a step are. */
void stepper_place_lanes(stepper *s, uint64_t step);

/* How the threads share phase 1 of these lanes. */
sharing stepper_sharing(const mlpd_network *network, const backend *gemm, const lane_plan *plan, lane_range lanes,
                        int threads);

/* Gathers all lanes' rows, and takes them forward and, where backward is set, back to the deltas of all layers. Called
 * by every thread of a parallel region, which may leave before the others are done; where lanes are shared whole, the
 * lanes of stepper_thread_lanes are. */
void stepper_run_lanes(stepper *s, bool backward);

/* The lanes of a thread, from 0 on, where they are shared whole. */
lane_range stepper_thread_lanes(const stepper *s, uint32_t thread);

/* The statistics of all lanes, after phase 1. On one thread. */
void stepper_end_lanes(stepper *s);

/* The deltas of layer l (not the last) of all lanes; master, where not NULL, is called on the master thread now and
 * then. Called by every thread of a parallel region. */
void stepper_run_deltas(stepper *s, uint32_t l, void master(stepper *s));

/* Blocks and lanes that are recorded of phase 1. */
size_t stepper_lane_events(const stepper *s);

/* ---- Phase 2, stepper_sums.c: weight gradients, summed over lanes ---------------------------------- */

/* Units, strips and scratch. */
mlpd_status stepper_make_sums(stepper *s);
void stepper_free_sums(stepper *s);
size_t stepper_scratch_size(const mlpd_network *network, const backend *gemm,
                            uint32_t num_lanes); /* bytes, of a thread.
                                                  */

/* The statistics of this rank's nodes and what it wishes for, into the reducer. */
void stepper_sum_tails(stepper *s, const step_wishes *wishes);

/* All units into this rank's nodes, or with deltas too, from the last layer down, so that a layer's gradient travels
 * while those below are computed, and its weights are read by nobody when it sets out; or with one rank, at once into
 * the weights. Called by every thread of a parallel region. */
void stepper_sum_units(stepper *s, bool deltas);
void stepper_update_units(stepper *s);

/* Arrays that will be read soon, to be fetched: row by row of a unit, at its column. */
typedef struct soon {
  const float *arrays[BACKEND_MAX_NEXT];
  uint32_t count;
  size_t row; /* from one row to the next */
} soon;

/* Sums a unit into a node's buffer. */
void stepper_reduce_unit(stepper *s, uint32_t node, const unit *part, const soon *next, const scratch *room);

/* Sums a unit over the lanes in range, a subtree: out (unit's rows, columns), rows `stride` apart. */
void stepper_sum_unit(const stepper *s, const unit *part, lane_range range, float *out, uint32_t stride,
                      const soon *next, const scratch *room);

/* The arrays that an update reads, from a place of the arenas on. */
soon stepper_soon_updated(const stepper *s, size_t place, size_t row);

/* ---- Phase 2 where threads sum lanes of their own, stepper_apart.c --------------------------------- */

/* Bytes that it takes, 0 where the threads do not. */
size_t stepper_apart_size(const mlpd_network *network, const backend *gemm, const lane_plan *plan, lane_range lanes,
                          int threads);
mlpd_status stepper_make_apart(stepper *s);
void stepper_free_apart(stepper *s);

/* All units of the calling thread's lanes, which it has computed; then, when all have, into the weights. Called by
 * every thread of a parallel region. */
void stepper_sum_apart(stepper *s);
void stepper_update_apart(stepper *s);

/* ---- Phase 2 where ranks share memory, stepper_pull.c ------------------------------------------------- */

mlpd_status stepper_make_pull(stepper *s); /* after the reducer */
void stepper_free_pull(stepper *s);

/* This rank's statistics are there. On the master thread. */
void stepper_pull_begin(stepper *s);

/* Floats [*begin, *end) of the arenas that rank updates, the i-th such range; false: there are no more. */
bool stepper_pull_range(const stepper *s, int rank, uint32_t i, size_t *begin, size_t *end);

/* All units into nodes, sums and updates; s->sent says whether that failed. Called by every thread of a parallel
 * region. Collective. */
void stepper_pull_units(stepper *s);

/* A step ends: waits for the other ranks' parts. On the master thread. Collective. */
mlpd_status stepper_pull_end(stepper *s);

/* Puts the weights into the ranks' common memory, where they divide the update and it is not there yet. Collective. */
mlpd_status stepper_share_weights(stepper *s);

#endif
