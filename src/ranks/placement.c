#define _GNU_SOURCE /* sched_getaffinity */
#include "ranks/placement.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "kernels/cpu.h"
#include "ranks/comm.h"

/* The machine and cores on which a rank may run; compared as bytes. */
typedef struct placement {
  char host[256];
  cpu_set_t cores;
} placement;

/* Counts the ranks of this machine, including this one, that are bound to the same cores. Collective. */
static mlpd_status count_sharing(mlpd_comm *comm, int *sharing) {
  const size_t size = (size_t)mlpd_comm_size(comm);
  placement mine = {0}, *all = NULL;
  *sharing = 1;
  if (size == 1) return MLPD_OK;
  (void)snprintf(mine.host, sizeof mine.host, "%s", comm_host(comm));
  (void)sched_getaffinity(0, sizeof mine.cores, &mine.cores);
  const mlpd_status status = comm_gather_equal(comm, &mine, sizeof mine, "placement of ranks", &all);
  if (status == MLPD_OK) *sharing = 0;
  for (size_t rank = 0; status == MLPD_OK && rank < size; rank++)
    *sharing += memcmp(&all[rank], &mine, sizeof mine) == 0;
  free(all);
  return status;
}

mlpd_status placement_threads(mlpd_comm *comm, int requested, int *taken) {
  int sharing = 1;
  TRY(count_sharing(comm, &sharing));
  if (requested == 0 && getenv("OMP_NUM_THREADS") == NULL && sharing > 1) {
    const int share = cpu_cores_bound() / sharing;
    requested = share > 1 ? share : 1;
  }
  return mlpd_comm_agree(comm, mlpd_threads_set(requested, taken)); /* one node may lack memory for them */
}
