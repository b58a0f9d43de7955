/* What comm and reduce share and nobody else sees: the communicator's struct and the check of MPI calls. No function
 * here is collective unless its comment says so. */
#ifndef MLPDIST_COMM_INTERNAL_H
#define MLPDIST_COMM_INTERNAL_H

#include <mpi.h>

#include "ranks/comm.h"
#ifdef SMPI_H
#include "ranks/comm_simulated.h"
#endif

enum {
  COMM_MESSAGE_BYTES = 1024,
  /* Far below the int of MPI's counts, far above where latency costs. */
  COMM_PIECE_BYTES = 1 << 30,
  /* Up to here one MPI_Allgatherv of all nodes beats the two rounds of a sum by slices: latency rules. Measured
   * with Open MPI 4.1.4 in shared memory the two are even at some 50 KiB (4 ranks) to 200 KiB (2 ranks). */
  COMM_GATHER_BYTES = 64 << 10,
  COMM_DIRECT_NODES = 4,
  /* Two ranks with a node each, by messages: from here on half of the optimizer's work is worth a second round. */
  COMM_PAIR_BYTES = 4 << 20,
  /* From here on recursive halving takes less time than slices, by their messages: 2 log2(n) one after the other
   * against 2 n at once. */
  COMM_HALVING_RANKS = 32,
  /* From here on sums are pulled strip by strip (reducer_pulls): below, all fits into the level-2 cache, and to wait
   * once costs less than to wait for each strip. */
  COMM_PULL_BYTES = 1 << 20,
  /* Less costs latency, more leaves less to overlap. Measured with 2.7 MB on 2 ranks in shared memory. */
  COMM_BUCKET_BYTES = 256 << 10,
  COMM_SLICE_BYTES = 8 << 10, /* of a bucket, on each rank: some 1 us of a fast wire */
  COMM_SUM_BYTES = 1 << 20    /* 256 KiB and 8 MiB take 1.3 times as long */
};

typedef struct comm_watch comm_watch;

/* How gradients are summed, see reduce_internal.h; tests set other values. */
typedef struct comm_sums {
  bool shares;         /* in memory that the ranks share: all are on one machine */
  size_t gather_bytes; /* nodes that take no more bytes than this go whole to all ranks */
  size_t pull_bytes;   /* sums of fewer bytes are not pulled */
  size_t direct_nodes; /* no more nodes than this in shared memory are added by who reads the sum */
  int halving_ranks;   /* fewer do without recursive halving */
  size_t bucket_bytes; /* of a bucket that travels: smaller ones are joined, larger ones cut */
  size_t slice_bytes;  /* of a slice of a bucket that travels, at least */
  size_t sum_bytes;    /* the same of one that MPI sums */
} comm_sums;

struct mlpd_comm {
  MPI_Comm mpi; /* a duplicate that returns errors; MPI_COMM_NULL of mlpd_comm_alone() */
  int rank, size;
  bool owns_mpi;      /* mlpd_comm_init initialised MPI, so finalize ends it */
  size_t piece_bytes; /* longest message in bytes; MPI counts are int, so at most INT_MAX */
  comm_sums sums;
  int *counts, *offsets; /* (size) each: work space of collectives of uneven parts */
  char host[MPI_MAX_PROCESSOR_NAME];
  char *hosts;                     /* (size, MPI_MAX_PROCESSOR_NAME): of all ranks */
  comm_watch *watch;               /* NULL where there is nobody to wait for */
  char agreed[COMM_MESSAGE_BYTES]; /* the last failure the ranks agreed on, to prefix it only once */
};

/* Records the failure code of an MPI call, written as "MPI_Xxx(...)". */
mlpd_status comm_mpi_failed(int code, const char *call, const char *file, int line);

/* The watch over waits of more than one rank, off until comm_watch_start. Collective; on failure comm->watch holds
 * what comm_watch_free frees. */
mlpd_status comm_watch_create(mlpd_comm *comm);
void comm_watch_free(mlpd_comm *comm); /* Collective */

/* Sets *done when what is waited for is there; waits itself for nobody. */
typedef mlpd_status comm_poll(void *context, bool *done);

/* What polls look at: messages, which they move on; or memory that other ranks write. */
typedef enum comm_wait_kind { COMM_WAIT_MESSAGES, COMM_WAIT_MEMORY } comm_wait_kind;

/* Polls under the watch until done. Collective. */
mlpd_status comm_wait_for(mlpd_comm *comm, comm_poll *poll, void *context, comm_wait_kind kind);

/* Completes requests (count), at least one of which other ranks must take part in: MPI_Waitall under the watch. */
mlpd_status comm_wait(mlpd_comm *comm, int count, MPI_Request *requests);

/* Returns from the calling function where an MPI call fails. */
#define CHECK_MPI(call)                                                                         \
  do {                                                                                          \
    const int mpi_code_ = (call);                                                               \
    if (mpi_code_ != MPI_SUCCESS) return comm_mpi_failed(mpi_code_, #call, __FILE__, __LINE__); \
  } while (0)

#endif
