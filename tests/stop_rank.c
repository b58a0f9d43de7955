/* Preloaded by tests/stall.bats: rank STOP_RANK stops (SIGSTOP) as it begins its collective number STOP_AT, from 1;
 * with STOP_COUNT, each rank appends the number of its collectives to that file as it begins to end. */
#define _GNU_SOURCE
#include <mpi.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static long collectives;

static void begin(void) {
  const char *const rank = getenv("STOP_RANK"), *const at = getenv("STOP_AT");
  int mine = -1;
  collectives++;
  if (rank == NULL || at == NULL || collectives != strtol(at, NULL, 10)) return;
  (void)PMPI_Comm_rank(MPI_COMM_WORLD, &mine);
  if (mine == (int)strtol(rank, NULL, 10)) (void)kill(getpid(), SIGSTOP); /* of the whole process */
}

int MPI_Iallreduce(const void *from, void *to, int count, MPI_Datatype type, MPI_Op op, MPI_Comm comm, MPI_Request *r) {
  begin();
  return PMPI_Iallreduce(from, to, count, type, op, comm, r);
}

int MPI_Ibcast(void *data, int count, MPI_Datatype type, int root, MPI_Comm comm, MPI_Request *r) {
  begin();
  return PMPI_Ibcast(data, count, type, root, comm, r);
}

int MPI_Iallgatherv(const void *from, int count, MPI_Datatype type, void *to, const int *counts, const int *offsets,
                    MPI_Datatype to_type, MPI_Comm comm, MPI_Request *r) {
  begin();
  return PMPI_Iallgatherv(from, count, type, to, counts, offsets, to_type, comm, r);
}

int MPI_Finalize(void) {
  const char *const path = getenv("STOP_COUNT");
  FILE *const file = path != NULL ? fopen(path, "a") : NULL;
  if (file != NULL) {
    (void)fprintf(file, "%ld\n", collectives);
    (void)fclose(file);
  }
  return PMPI_Finalize();
}
