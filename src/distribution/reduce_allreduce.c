/* The sum by MPI_Iallreduce: this rank's nodes are added first, then each bucket over ranks in whatever order MPI
 * likes. */
#include <stdlib.h>

#include "base/memory.h"
#include "distribution/reduce_internal.h"

typedef struct allreduce {
  char *local, *result;
  MPI_Request *requests; /* (num_buckets + 1): buckets from the last one down, then the doubles */
} allreduce;

static mlpd_status create(reducer *r) {
  allreduce *a = NULL;
  TRY(memory_allocate(&a, 1, sizeof *a, "sums"));
  r->state = a;
  TRY(memory_allocate(&a->local, own_nodes(r) * r->units, UNIT_BYTES, "lane gradients"));
  TRY(memory_allocate(&a->result, r->units, UNIT_BYTES, "summed gradient"));
  TRY(memory_allocate(&a->requests, (size_t)r->num_buckets + 1, sizeof(MPI_Request), "message requests"));
  for (uint32_t i = 0; i <= r->num_buckets; ++i) a->requests[i] = MPI_REQUEST_NULL;
  for (uint32_t i = 0; i < own_nodes(r); ++i) r->sources[i] = a->local + i * r->units * UNIT_BYTES;
  r->local = a->local;
  r->result = a->result;
  return MLPD_OK;
}

static void release(reducer *r) {
  allreduce *const a = r->state;
  if (a == NULL) return;
  free(a->local);
  free(a->result);
  free(a->requests);
  free(a);
}

static mlpd_status progress(reducer *r, bool *done) {
  allreduce *const a = r->state;
  const bool all = r->num_ready == r->num_buckets;
  int flag = 0;
  CHECK_MPI(MPI_Testall((int)r->num_ready + all, a->requests, &flag, MPI_STATUSES_IGNORE));
  *done = flag != 0;
  return MLPD_OK;
}

static mlpd_status ready(reducer *r, uint32_t b) {
  allreduce *const a = r->state;
  const bucket *const cut = &r->buckets[b];
  const size_t begin = cut->begin * UNIT_BYTES, end = cut->end * UNIT_BYTES;
  const size_t doubles = end < r->double_bytes ? end : r->double_bytes; /* a bucket may hold nothing else */
  const size_t floats = begin > doubles ? begin : doubles;
  MPI_Request *const request = &a->requests[r->num_ready - 1];
  reduce_sum_range(r, r->sources, 0, begin, end, a->result + begin);
  CHECK_MPI(MPI_Iallreduce(MPI_IN_PLACE, a->result + floats, (int)((end - floats) / sizeof(float)), MPI_FLOAT, MPI_SUM,
                           r->comm->mpi, request));
  if (b == 0)
    CHECK_MPI(
        MPI_Iallreduce(MPI_IN_PLACE, a->result, (int)r->num_doubles, MPI_DOUBLE, MPI_SUM, r->comm->mpi, request + 1));
  return MLPD_OK;
}

const reduce_way reduce_by_allreduce = {
    .name = "MPI_Iallreduce",
    .waits_for = COMM_WAIT_MESSAGES,
    .create = create,
    .free = release,
    .ready = ready,
    .progress = progress,
};
