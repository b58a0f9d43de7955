/* Memory of a run: estimated before it is allocated, so that too little memory gives one clear message. No function
 * here is collective unless its comment says so. */
#ifndef MLPDIST_MEMORY_ESTIMATE_H
#define MLPDIST_MEMORY_ESTIMATE_H

#include "data/dataset.h"
#include "h5/h5.h"
#include "lanes/lanes.h"
#include "network/network.h"

typedef enum memory_item {
  MEMORY_ROWS,       /* training rows, or their windows if they are streamed; quantiles and curves of columns */
  MEMORY_HELD_OUT,   /* rows for validation and test, and the marks of drawn rows */
  MEMORY_ARENAS,     /* parameters, kept weights, their average, optimizer state */
  MEMORY_SUMS,       /* gradients of this rank and those received */
  MEMORY_LANES,      /* activations and deltas, order of rows, scratch */
  MEMORY_EVALUATION, /* activations of each thread */
  MEMORY_CHECKPOINT, /* rank 0: the copy that the writer writes */
  MEMORY_LIBRARIES,  /* MPI, HDF5 and the back end: measured, not computed */
  MEMORY_ITEMS
} memory_item;

/* The inputs of an estimate. */
typedef struct memory_shapes {
  const mlpd_network *network; /* its parameters may be NULL */
  const char *backend;         /* name; NULL: the default */
  const lane_plan *plan;
  uint64_t row_bytes;             /* of a training row, targets and weight included */
  uint64_t target_bytes;          /* of these, targets and weight */
  uint64_t held_out_bytes;        /* of this rank */
  uint64_t held_out_window_bytes; /* of this rank, if they are read in windows instead */
  uint64_t columns_bytes;         /* quantiles of columns while they are found, and their curves */
  bool streams;                   /* the training rows are read while training */
  uint64_t stream_bytes;          /* then: windows of rows, chunks that HDF5 caches, buffers of the first scan */
  mlpd_optimizer optimizer;
  uint32_t lbfgs_history; /* of lbfgs alone */
  bool averages;          /* the run keeps an average of the weights */
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

/* The memory lines of `info`: the rows of a data set on 1, 2, 4 and 8 ranks; and the training of a model's network with
 * the options of its config, without the data. */
mlpd_status memory_describe_data(const char *path, h5_file *file, FILE *stream);
mlpd_status memory_describe_network(const mlpd_network *network, const char *config, FILE *stream);

/* The memory that one rank needs, and that its machine has. */
typedef struct memory_claim {
  uint64_t available;      /* on its machine, now */
  uint64_t allocated;      /* part of the estimate that is allocated already */
  memory_estimate expects; /* in all */
  char host[256];
} memory_claim;

/* Checks that the claims (size) of all ranks of a machine fit into its available memory. MLPD_ERROR_MEMORY says how
 * much is needed, for what, and what helps. note gets a line if it is close, else "". */
mlpd_status memory_claims_fit(const memory_claim *claims, int size, char note[256]);

/* Gathers the claims of all ranks, filling in available and host, and checks them. Collective. */
mlpd_status memory_claim_all(mlpd_comm *comm, const memory_estimate *expects, uint64_t allocated, char note[256]);

#endif
