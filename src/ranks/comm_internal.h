/* The communicator's struct and the check of MPI calls; only src/ranks and src/sum include this header. No function
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
  /* Far below the largest count of MPI (an int), and so large that latency does not matter. */
  COMM_PIECE_BYTES = 1 << 30,
  /* Nodes of up to this size are sent whole to all ranks, because latency dominates and one round is faster than the
   * two of a sum by slices. Measured with Open MPI 4.1.4 in shared memory, both take equally long at about 50 KiB (4
   * ranks) to 200 KiB (2 ranks). */
  COMM_GATHER_BYTES = 64 << 10,
  COMM_DIRECT_NODES = 4,
  /* Two ranks with one node each, by messages: from this size on, dividing the optimizer's work is worth a second
   * round. */
  COMM_PAIR_BYTES = 4 << 20,
  /* From this number of ranks on, recursive halving (2 log2(n) messages, one after the other) is faster than slices (2
   * n messages at once). */
  COMM_HALVING_RANKS = 32,
  /* From this size on, sums are pulled strip by strip (reducer_pulls). Smaller ones fit into the level-2 cache, and one
   * wait costs less than a wait for each strip. */
  COMM_PULL_BYTES = 1 << 20,
  /* Smaller buckets cost latency, larger ones overlap less. Measured with 2.7 MB on 2 ranks in shared memory. */
  COMM_BUCKET_BYTES = 256 << 10,
  COMM_SLICE_BYTES = 8 << 10, /* smallest slice of a bucket for one rank: about 1 us on a fast network */
  COMM_SUM_BYTES = 1 << 20    /* smallest bucket for MPI_Iallreduce; 256 KiB and 8 MiB take 1.3 times as long */
};

typedef struct comm_watch comm_watch;

/* How gradients are summed, see reduce_internal.h; tests set other values. */
typedef struct comm_sums {
  bool shares;         /* use shared memory: all ranks are on one machine */
  size_t gather_bytes; /* nodes of up to this size are sent whole to all ranks */
  size_t pull_bytes;   /* sums of at least this size are pulled */
  size_t direct_nodes; /* up to so many nodes in shared memory are added by each reader of the sum */
  int halving_ranks;   /* recursive halving is used from so many ranks on */
  size_t bucket_bytes; /* size of a bucket of messages: smaller ones are joined, larger ones divided */
  size_t slice_bytes;  /* smallest slice of such a bucket */
  size_t sum_bytes;    /* size of a bucket that MPI sums */
} comm_sums;

comm_sums comm_usual_sums(void); /* without shared memory */

struct mlpd_comm {
  MPI_Comm mpi; /* a duplicate that returns errors; MPI_COMM_NULL of mlpd_comm_alone() */
  int rank, size;
  bool owns_mpi;      /* mlpd_comm_init initialised MPI, so finalize ends it */
  size_t piece_bytes; /* longest message in bytes; MPI counts are int, so at most INT_MAX */
  comm_sums sums;
  int *counts, *offsets; /* (size) each: work space of collectives of uneven parts */
  char host[MPI_MAX_PROCESSOR_NAME];
  char *hosts;                     /* (size, MPI_MAX_PROCESSOR_NAME): of all ranks */
  comm_watch *watch;               /* NULL for a single rank, which never waits */
  char agreed[COMM_MESSAGE_BYTES]; /* the last failure that the ranks agreed on, so that it gets its prefix only once */
};

/* Fails: an MPI call, written as "MPI_Xxx(...)", returned this code. */
mlpd_status comm_mpi_failed(int code, const char *call, const char *file, int line);

/* Allocates the watch over waits for more than one rank. On failure, call comm_watch_free. */
mlpd_status comm_watch_allocate(mlpd_comm *comm);
/* Then opens its communicator; the watch is off until comm_watch_start. On failure, likewise. Collective. */
mlpd_status comm_watch_open(mlpd_comm *comm);
void comm_watch_free(mlpd_comm *comm); /* Collective */

/* Sets *done if the condition that is waited for holds. Does not wait. */
typedef mlpd_status comm_poll(void *context, bool *done);

/* What a poll checks: messages, which it also advances; or memory that other ranks write. */
typedef enum comm_wait_kind { COMM_WAIT_MESSAGES, COMM_WAIT_MEMORY } comm_wait_kind;

/* Polls under the watch until done. Collective. */
mlpd_status comm_wait_for(mlpd_comm *comm, comm_poll *poll, void *context, comm_wait_kind kind);

/* MPI_Waitall under the watch; at least one request must involve other ranks. */
mlpd_status comm_wait(mlpd_comm *comm, int count, MPI_Request *requests);

/* Returns from the calling function if an MPI call fails. */
#define CHECK_MPI(call)                                                                         \
  do {                                                                                          \
    const int mpi_code_ = (call);                                                               \
    if (mpi_code_ != MPI_SUCCESS) return comm_mpi_failed(mpi_code_, #call, __FILE__, __LINE__); \
  } while (0)

#endif
