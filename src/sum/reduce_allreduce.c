/* The sum by MPI_Iallreduce: adds this rank's nodes first, then each bucket over ranks in an order that MPI chooses. */
#include <stdlib.h>

#include "base/memory.h"
#include "sum/reduce_internal.h"

typedef struct allreduce {
  MPI_Request *requests; /* (num_buckets + 1): the doubles, then buckets from the last one down */
  int *completed;        /* (num_buckets + 1): indices of completed requests, from MPI_Testsome */
  uint32_t under_way;
} allreduce;

static void lay_out(void *owner, memory_layout *layout) {
  reducer *const r = owner;
  r->local = memory_place(layout, own_nodes(r) * r->packets, PACKET_BYTES);
  r->result = memory_place(layout, r->packets, PACKET_BYTES);
}

static mlpd_status create(reducer *r) {
  allreduce *a = NULL;
  TRY(memory_allocate(&a, 1, sizeof *a, "sums"));
  r->state = a;
  TRY(reduce_allocate(r));
  TRY(memory_allocate(&a->requests, (size_t)r->num_buckets + 1, sizeof(MPI_Request), "message requests"));
  TRY(memory_allocate(&a->completed, (size_t)r->num_buckets + 1, sizeof *a->completed, "message requests"));
  for (uint32_t i = 0; i <= r->num_buckets; ++i) a->requests[i] = MPI_REQUEST_NULL;
  for (uint32_t i = 0; i < own_nodes(r); ++i) r->sources[i] = r->local + i * r->packets * PACKET_BYTES;
  return MLPD_OK;
}

static void release(reducer *r) {
  allreduce *const a = r->state;
  if (a == NULL) return;
  free(a->requests);
  free(a->completed);
  free(a);
}

static mlpd_status progress(reducer *r, bool *done) {
  allreduce *const a = r->state;
  int count = 0;
  if (a->under_way > 0)
    CHECK_MPI(MPI_Testsome((int)r->num_ready + 1, a->requests, &count, a->completed, MPI_STATUSES_IGNORE));
  for (int i = 0; i < count; ++i)
    if (a->completed[i] > 0) reduce_summed(r, r->num_buckets - (uint32_t)a->completed[i]);
  a->under_way -= (uint32_t)count;
  *done = a->under_way == 0;
  return MLPD_OK;
}

static mlpd_status sum_doubles(reducer *r) {
  allreduce *const a = r->state;
  char *const doubles = r->result + r->float_bytes;
  reduce_sum_range(r, r->sources, 0, r->float_bytes, r->packets * PACKET_BYTES, doubles);
  CHECK_MPI(
      MPI_Iallreduce(MPI_IN_PLACE, doubles, (int)r->num_doubles, MPI_DOUBLE, MPI_SUM, r->comm->mpi, &a->requests[0]));
  ++a->under_way;
  return MLPD_OK;
}

static mlpd_status ready(reducer *r, uint32_t b) {
  allreduce *const a = r->state;
  const bucket *const cut = &r->buckets[b];
  const size_t begin = cut->begin * PACKET_BYTES;
  size_t end = cut->end * PACKET_BYTES;
  if (b + 1 == r->num_buckets) TRY(sum_doubles(r));
  if (end > r->float_bytes) end = r->float_bytes;
  if (begin >= end) return MLPD_OK; /* the bucket holds only doubles */
  reduce_sum_range(r, r->sources, 0, begin, end, r->result + begin);
  CHECK_MPI(MPI_Iallreduce(MPI_IN_PLACE, r->result + begin, (int)((end - begin) / sizeof(float)), MPI_FLOAT, MPI_SUM,
                           r->comm->mpi, &a->requests[r->num_ready]));
  ++a->under_way;
  return MLPD_OK;
}

const reduce_way reduce_by_allreduce = {
    .name = "MPI_Iallreduce",
    .waits_for = COMM_WAIT_MESSAGES,
    .lay_out = lay_out,
    .create = create,
    .free = release,
    .ready = ready,
    .progress = progress,
};
