/* The stepper's struct and the functions its files share: the two phases of a step. No function here is collective
 * unless its comment says so. */
#ifndef MLPDIST_STEPPER_INTERNAL_H
#define MLPDIST_STEPPER_INTERNAL_H

#include <stdatomic.h>

#include "base/memory.h"
#include "step/step_tail.h"
#include "step/stepper.h"
#include "step/team_wait.h"

/* One lane of this rank. */
typedef struct lane {
  uint32_t *order; /* (rows): the epoch's order of the lane's rows; NULL if they are streamed */
  uint64_t first;  /* its first row in the shard */
  uint64_t rows;   /* number of its rows there */
  uint64_t count;  /* number of rows in this step's microbatch */
  uint64_t begin;  /* its place in order */
  uint64_t row;    /* its place in the workspace */
  int32_t *classes;
  float *values, *weights; /* targets of the microbatch */
  uint8_t *folds;
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

/* Units that are contiguous in the arena: some rows of a tensor with all columns; the last rows of a layer's matrix
 * include the layer's vectors behind it. A bucket of the reducer. */
typedef struct strip {
  uint32_t layer, first_unit, num_units;
  size_t begin, end; /* floats of the arena; gaps within stay zero */
  atomic_uint left;  /* sums (of a unit for a node) that are still missing in this step */
} strip;

typedef struct pull pull;         /* of stepper_pull.c */
typedef struct apart apart;       /* of stepper_apart.c */
typedef struct step_way step_way; /* of step_way.h */

/* How the threads share phase 1. */
typedef enum sharing {
  SHARE_LANES, /* whole lanes: data stays in one core's cache, and no thread waits */
  SHARE_ROWS,  /* rows of all lanes together, also without waiting; if the weights are small */
  SHARE_LAYERS /* blocks of one layer of all lanes at a time */
} sharing;

/* A thread's buffers for a unit's gradient, and for sums of subtrees of lanes that wait for their siblings. */
typedef struct scratch {
  float *sum;               /* (unit_floats): complete sums, if this rank updates at once */
  float *partial;           /* (levels, partial_floats) */
  const float **a, **delta; /* (lanes): factors */
  uint64_t *rows;           /* (lanes) */
} scratch;

/* A piece of a tensor whose sums of squares are one partial sum of its norms: fixed, so that the norms' bits are. */
typedef struct norm_piece {
  uint32_t tensor;
  size_t begin, end; /* floats of the arena */
  optimizer_squares sums;
} norm_piece;

struct stepper {
  stepper_parts parts;
  lane_range lanes;      /* of this rank */
  bool streams;          /* rows come from a stream */
  uint64_t target_bytes; /* of a row's targets and weight */
  char *memory;          /* one block for the arrays below, except the workspace, pull, apart and pieces */
  lane *lane;            /* [u - lanes.begin] */
  uint32_t num_lanes;
  workspace space; /* of all lanes: their microbatches in lane order, with no rows between */
  reducer *reducer;
  uint32_t num_units, num_strips;
  unit *units;
  strip *strips;
  uint32_t *first_strip; /* (layers + 1) */
  uint32_t num_ready;    /* strips passed to the reducer, from the last one down */
  mlpd_status sent;      /* status of passing strips to the reducer */
  uint64_t epoch;
  double weaker;         /* 1 - factor of stepper_weaken */
  uint64_t rows;         /* of the current step, of all ranks */
  mlpd_status streamed;  /* status of reading this step's rows; after a failure the lanes are empty */
  size_t unit_floats;    /* of the largest unit, a multiple of a cache line */
  size_t partial_floats; /* the same of units whose lanes are summed in scratch */
  uint32_t levels;       /* of partial sums */
  scratch *scratch;      /* (threads) */
  double *norms;         /* (blocks of the arena) */
  uint32_t num_pieces;   /* of the tensors that have a trust ratio */
  norm_piece *pieces;
  double lr; /* of this step */
  optimizer_scalars scalars;
  sharing sharing;
  loss_sums *row_sums;  /* (rows): what each row adds to its lane's sums, if threads share rows; else NULL */
  atomic_uint computed; /* number of threads that have finished phase 1 */
  apart *apart;         /* threads sum the gradients of their own lanes; NULL: they do not */
  bool overlaps;        /* messages are sent layer by layer, as soon as a layer is summed */
  bool divides;         /* ranks divide the update: this rank has the optimizer's state of its parts only */
  float *own;           /* (arena): the network's own parameters, while it uses shared memory instead; else NULL */
  bool alone;           /* one rank, no norms needed: an update follows its sum without waiting */
  const step_way *way;  /* from gradients to new weights */
  pull *pull; /* ranks share memory, no norms needed: a strip is updated as soon as all ranks have summed it; NULL: it
                 is not */
  step_outcome outcome;
  step_times times;
  team_wait waits;   /* of the threads for each other */
  timeline *line;    /* NULL: nothing is recorded */
  bool record_units; /* units are recorded one by one, not a thread's whole share of a layer */
};

static inline size_t stepper_pad(size_t floats) { return (floats + 15) / 16 * 16; }

static inline uint64_t stepper_larger(uint64_t a, uint64_t b) { return a > b ? a : b; }

/* Does the step change weights? Call it when the statistics are known. */
static inline bool stepper_takes_step(const stepper *s) { return s->outcome.finite && !s->outcome.failed; }

/* ---- Phase 1, stepper_lanes.c: rows to deltas ----------------------------------------------------- */

/* Finds the lanes' microbatches of a step. */
void stepper_place_lanes(stepper *s, uint64_t step);

/* Chooses how the threads share phase 1 of these lanes. */
sharing stepper_sharing(const mlpd_network *network, const backend *gemm, const lane_plan *plan, lane_range lanes,
                        int threads);

/* Gathers the rows of all lanes and takes them forward and, if backward is set, back to the deltas of all layers.
 * Called by every thread of a parallel region. A thread may return before the others are done; if threads share whole
 * lanes, its own are done then. */
void stepper_run_lanes(stepper *s, bool backward);

/* Computes the statistics of all lanes, after phase 1. On one thread. */
void stepper_end_lanes(stepper *s);

/* Computes the deltas of layer l (not the last) of all lanes; master, unless NULL, is called on the master thread now
 * and then. Called by every thread of a parallel region. */
void stepper_run_deltas(stepper *s, uint32_t l, void master(stepper *s));

/* Number of blocks and lanes of phase 1 that are recorded. */
size_t stepper_lane_events(const stepper *s);

/* ---- Phase 2, stepper_sums.c: weight gradients, summed over lanes ---------------------------------- */

/* Chooses the sizes of scratch; then lays out units, strips and scratch; then lists the units and strips. */
void stepper_plan_sums(stepper *s);
void stepper_lay_out_sums(stepper *s, memory_layout *layout);
void stepper_list_units(stepper *s);

/* Puts the statistics of this rank's nodes and its requests into the reducer. */
void stepper_sum_tails(stepper *s, const step_wishes *wishes);

/* Sums all units into this rank's nodes, from the last layer down. deltas: computes each layer's deltas just before, so
 * that a layer's gradient is sent while those below are computed, and nobody reads its weights any more. With one rank,
 * stepper_update_units updates the weights directly instead. Called by every thread of a parallel region. */
void stepper_sum_units(stepper *s, bool deltas);
void stepper_update_units(stepper *s);

/* Arrays to prefetch because they are read soon: row by row of a unit, at its column. */
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

/* Number of sums of whole gradients; 0 if the threads do not sum so. */
uint32_t stepper_apart_nodes(const mlpd_network *network, const backend *gemm, const lane_plan *plan, lane_range lanes,
                             int threads);
void stepper_lay_out_apart(stepper *s, memory_layout *layout);

/* Sums all units of the calling thread's lanes and, after all threads have, updates the weights. Called by every thread
 * of a parallel region. */
void stepper_sum_apart(stepper *s);
void stepper_update_apart(stepper *s);

/* ---- Phase 2 where ranks share memory, stepper_pull.c ------------------------------------------------- */

mlpd_status stepper_make_pull(stepper *s); /* after the reducer */
void stepper_free_pull(stepper *s);

/* Publishes this rank's statistics. On the master thread. */
void stepper_pull_begin(stepper *s);

/* The i-th range of floats [*begin, *end) of the arenas that `rank` updates; false: there are no more. */
bool stepper_pull_range(const stepper *s, int rank, uint32_t i, size_t *begin, size_t *end);

/* Sums all units over lanes and ranks and updates the weights; s->sent is the status. Called by every thread of a
 * parallel region. Collective. */
void stepper_pull_units(stepper *s);

/* Ends a step: waits for the other ranks' parts. On the master thread. Collective. */
mlpd_status stepper_pull_end(stepper *s);

/* Moves the weights into the ranks' shared memory if they divide the update and the weights are not there yet.
 * Collective. */
mlpd_status stepper_share_weights(stepper *s);

#endif
