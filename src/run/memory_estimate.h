/* What a run takes of memory: computed before it is allocated, so that too little is one clear line. No function here
 * is collective unless its comment says so. */
#ifndef MLPDIST_MEMORY_ESTIMATE_H
#define MLPDIST_MEMORY_ESTIMATE_H

#include "data/dataset.h"
#include "h5/h5.h"
#include "lanes/lanes.h"
#include "network/network.h"

typedef enum memory_item {
  MEMORY_ROWS,       /* training rows, or the windows of them that are streamed */
  MEMORY_HELD_OUT,   /* rows for validation and test */
  MEMORY_ARENAS,     /* parameters, kept weights, optimizer state */
  MEMORY_SUMS,       /* gradients of this rank and those received */
  MEMORY_LANES,      /* activations and deltas, order of rows, scratch */
  MEMORY_EVALUATION, /* activations of each thread */
  MEMORY_CHECKPOINT, /* rank 0: the copy that is written */
  MEMORY_LIBRARIES,  /* what MPI, HDF5 and the back end come to hold: measured, not computed */
  MEMORY_ITEMS
} memory_item;

/* What an estimate is made from. */
typedef struct memory_shapes {
  const mlpd_network *network; /* its parameters may be NULL */
  const char *backend;         /* name; NULL: the default */
  const lane_plan *plan;
  uint64_t row_bytes;             /* of a training row, targets and weight included */
  uint64_t target_bytes;          /* of these, targets and weight */
  uint64_t held_out_bytes;        /* of this rank */
  uint64_t held_out_window_bytes; /* of this rank, where they are read in windows instead */
  uint64_t window_rows;           /* of a lane, where rows are streamed; 0: they are all in memory */
  uint64_t reader_bytes;          /* beside the windows: chunks that HDF5 keeps, the room of the first look */
  mlpd_optimizer optimizer;
  mlpd_reduce reduce;
  bool checkpoints;
  bool shares;  /* the ranks share memory: comm_shares_memory */
  bool divided; /* a rank updates its part of the weights: stepper_divides */
  int threads, size, rank;
} memory_shapes;

/* Bytes on one rank. */
typedef struct memory_estimate {
  uint64_t bytes[MEMORY_ITEMS];
  uint64_t total;
} memory_estimate;

memory_estimate memory_estimate_of(const memory_shapes *shapes);

/* The summary of `info`: what the rows of a data set take on 1, 2, 4 and 8 ranks; and what training a model's network
 * takes, with the options its config names, data left aside. */
mlpd_status memory_describe_data(const char *path, h5_file *file, FILE *stream);
mlpd_status memory_describe_network(const mlpd_network *network, const char *config, FILE *stream);

/* One rank's part of the question whether memory suffices. */
typedef struct memory_claim {
  uint64_t available;      /* on its machine, now */
  uint64_t allocated;      /* of the estimate, already */
  memory_estimate expects; /* in all */
  char host[256];
} memory_claim;

/* Do the claims (size) of the ranks of each machine fit into what is available there? MLPD_ERROR_MEMORY says what is
 * needed, for what, and what helps. *note gets a line where it is close, "" elsewhere. */
mlpd_status memory_claims_fit(const memory_claim *claims, int size, char note[256]);

/* The same with the claims of all ranks gathered; available and host are filled in. Collective. */
mlpd_status memory_claim_all(mlpd_comm *comm, const memory_estimate *expects, uint64_t allocated, char note[256]);

#endif
