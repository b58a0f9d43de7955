#include "distribution/reduce.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "distribution/comm_internal.h"
#include "distribution/lanes.h"

/* A buffer in bytes: num_floats floats, padded to a unit, then num_doubles doubles, padded to a unit. So the
 * statistics travel within the last slices, and slices are cut anywhere between units. */
enum {
  UNIT_BYTES = 64,                           /* a cache line; as an MPI type it keeps counts within int up to 128 GiB */
  BLOCK_BYTES = 4096,                        /* what goes through the whole tree at once: stays in the L1 cache */
  BUCKET_FLOATS = (4 << 20) / sizeof(float), /* of MPI_Allreduce: 4 MiB */
  MIN_PARALLEL_BLOCKS = 16,                  /* below, waking threads costs more than 64 KiB of sums */
  MAX_NODES = 2 * 32,
  MAX_DEPTH = 33, /* of partial sums alive at once: one a level of a tree over 2^32 lanes */
  TAG = 1,
  GATHER_TAG = 2
};

static const uint32_t NO_SLOT = UINT32_MAX;

/* One addition of the tree. Slots below num_sources are sources, those above partial sums by depth. */
typedef struct addition {
  uint32_t left, right, out;
} addition;

struct reducer {
  mlpd_comm *comm;
  mlpd_reduce mode;
  uint32_t num_lanes;
  size_t num_floats, num_doubles;
  size_t float_bytes, units; /* bytes of the float part; units of a whole buffer */

  lane_range *nodes;    /* of all ranks, in lane order (first_node[size]) */
  uint32_t *first_node; /* (size + 1): where each rank's nodes begin */
  char *local;          /* (this rank's nodes, units): what callers fill */
  char *received;       /* other ranks' slices, or all nodes whole */
  char *result;         /* (units) */

  /* What this rank sums: bytes [slice_begin, slice_end) of a buffer; each source points to its byte slice_begin. */
  size_t slice_begin, slice_end;
  uint32_t num_sources, num_additions;
  const char **sources; /* (num_sources) */
  addition *additions;  /* (num_additions), operands before their use */

  bool gathers;          /* small: nodes travel whole, every rank sums everything */
  int *counts, *offsets; /* (size) each, of MPI_Allgatherv, in units */
  MPI_Datatype unit;     /* UNIT_BYTES bytes */
  MPI_Request *requests; /* (num_requests): persistent receives and sends of slices */
  int num_requests;
  MPI_Request *gather; /* (num_gather): the same of what all ranks get whole: sums of slices, or nodes */
  int num_gather;
};

/* ---- The tree ----------------------------------------------------------------------------------- */

uint32_t reduce_split(lane_range range) {
  const uint32_t lanes = range.end - range.begin;
  uint32_t power = 1;
  while (power < lanes - power) power *= 2;
  return range.begin + power;
}

static uint32_t add_nodes(lane_range tree, lane_range lanes, lane_range *nodes, uint32_t num_nodes) {
  if (tree.end <= lanes.begin || lanes.end <= tree.begin) return num_nodes;
  if (lanes.begin <= tree.begin && tree.end <= lanes.end) {
    nodes[num_nodes] = tree;
    return num_nodes + 1;
  }
  const uint32_t split = reduce_split(tree);
  num_nodes = add_nodes((lane_range){tree.begin, split}, lanes, nodes, num_nodes);
  return add_nodes((lane_range){split, tree.end}, lanes, nodes, num_nodes);
}

uint32_t reduce_nodes(uint32_t num_lanes, lane_range lanes, lane_range *nodes) {
  if (lanes.begin >= lanes.end) return 0;
  return add_nodes((lane_range){0, num_lanes}, lanes, nodes, 0);
}

static uint32_t nodes_of_rank(uint32_t num_lanes, int size, int rank, lane_range *nodes) {
  lane_range lanes;
  lanes_of_rank(num_lanes, size, rank, &lanes.begin, &lanes.end);
  return reduce_nodes(num_lanes, lanes, nodes);
}

/* Appends the additions that sum the sources within tree (sources[*next] on: source i is nodes[i]); returns the
 * slot of their sum, NO_SLOT where no source is within tree. Partial sums of this subtree take depths >= depth. */
static uint32_t compile(reducer *r, const lane_range *nodes, lane_range tree, uint32_t depth, uint32_t *next) {
  if (*next == r->num_sources || nodes[*next].begin >= tree.end) return NO_SLOT;
  if (nodes[*next].begin == tree.begin && nodes[*next].end == tree.end) return (*next)++;
  const uint32_t split = reduce_split(tree);
  const uint32_t left = compile(r, nodes, (lane_range){tree.begin, split}, depth, next);
  const uint32_t right_depth = left == NO_SLOT ? depth : depth + 1; /* the sum to the left stays alive */
  const uint32_t right = compile(r, nodes, (lane_range){split, tree.end}, right_depth, next);
  if (left == NO_SLOT) return right;
  if (right == NO_SLOT) return left;
  const uint32_t out = r->num_sources + depth;
  r->additions[r->num_additions++] = (addition){left, right, out};
  return out;
}

/* ---- Local sums --------------------------------------------------------------------------------- */

typedef union block {
  float floats[BLOCK_BYTES / sizeof(float)];
  double doubles[BLOCK_BYTES / sizeof(double)];
} block;

/* out may be left: elementwise, so no order of the elements changes a bit. */
static void add_floats(float *out, const float *left, const float *right, size_t count) {
#pragma omp simd
  for (size_t i = 0; i < count; ++i) out[i] = left[i] + right[i];
}

static void add_doubles(double *out, const double *left, const double *right, size_t count) {
#pragma omp simd
  for (size_t i = 0; i < count; ++i) out[i] = left[i] + right[i];
}

static const void *operand(const reducer *r, const block *partial, uint32_t slot, size_t offset) {
  if (slot >= r->num_sources) return &partial[slot - r->num_sources];
  return r->sources[slot] + (offset - r->slice_begin);
}

/* Bytes [begin, end) of result, all floats or all doubles and at most a block, by all additions of the tree. */
static void sum_block(reducer *r, size_t begin, size_t end, bool floats) {
  block partial[MAX_DEPTH];
  if (begin == end) return;
  if (r->num_additions == 0) {
    memcpy(r->result + begin, r->sources[0] + (begin - r->slice_begin), end - begin);
    return;
  }
  for (uint32_t i = 0; i < r->num_additions; ++i) {
    const addition *sum = &r->additions[i];
    const void *left = operand(r, partial, sum->left, begin), *right = operand(r, partial, sum->right, begin);
    void *out = &partial[sum->out - r->num_sources];
    if (i + 1 == r->num_additions) out = r->result + begin;
    if (floats)
      add_floats(out, left, right, (end - begin) / sizeof(float));
    else
      add_doubles(out, left, right, (end - begin) / sizeof(double));
  }
}

/* result's slice from the sources, in tree order. */
static void sum_slice(reducer *r) {
  const size_t bytes = r->slice_end - r->slice_begin;
  if (r->num_sources == 0) {
    memset(r->result + r->slice_begin, 0, bytes);
    return;
  }
  const size_t blocks = (bytes + BLOCK_BYTES - 1) / BLOCK_BYTES;
#pragma omp parallel for schedule(static) if (blocks >= MIN_PARALLEL_BLOCKS)
  for (size_t i = 0; i < blocks; ++i) {
    const size_t begin = r->slice_begin + i * BLOCK_BYTES;
    const size_t end = r->slice_end - begin < BLOCK_BYTES ? r->slice_end : begin + BLOCK_BYTES;
    const size_t border = r->float_bytes < begin ? begin : r->float_bytes < end ? r->float_bytes : end;
    sum_block(r, begin, border, true);
    sum_block(r, border, end, false);
  }
}

/* ---- Making ------------------------------------------------------------------------------------- */

static size_t pad(size_t bytes) { return (bytes + UNIT_BYTES - 1) / UNIT_BYTES * UNIT_BYTES; }

/* The unit where the slice of rank begins. */
static size_t slice_unit(size_t units, int size, int rank) { return units * (size_t)rank / (size_t)size; }

static char *local_node(const reducer *r, uint32_t node) { return r->local + (size_t)node * r->units * UNIT_BYTES; }

static mlpd_status list_nodes(reducer *r) {
  const int size = r->comm->size;
  lane_range nodes[MAX_NODES];
  TRY(memory_allocate(&r->first_node, (size_t)size + 1, sizeof *r->first_node, "reduction tree"));
  for (int rank = 0; rank < size; ++rank)
    r->first_node[rank + 1] = r->first_node[rank] + nodes_of_rank(r->num_lanes, size, rank, nodes);
  TRY(memory_allocate(&r->nodes, r->first_node[size], sizeof *r->nodes, "reduction tree"));
  for (int rank = 0; rank < size; ++rank) (void)nodes_of_rank(r->num_lanes, size, rank, r->nodes + r->first_node[rank]);
  return MLPD_OK;
}

/* Which part of the buffer this rank sums, and the parts of MPI_Allgatherv. */
static mlpd_status plan_slices(reducer *r) {
  const int size = r->comm->size, rank = r->comm->rank;
  TRY(memory_allocate(&r->counts, (size_t)size, sizeof *r->counts, "message lengths"));
  TRY(memory_allocate(&r->offsets, (size_t)size, sizeof *r->offsets, "message offsets"));
  for (int j = 0; j < size; ++j) {
    const size_t begin = r->gathers ? r->first_node[j] * r->units : slice_unit(r->units, size, j);
    const size_t end = r->gathers ? r->first_node[j + 1] * r->units : slice_unit(r->units, size, j + 1);
    r->counts[j] = (int)(end - begin);
    r->offsets[j] = (int)begin;
  }
  const bool whole = r->gathers || r->mode == MLPD_REDUCE_ALLREDUCE;
  r->slice_begin = whole ? 0 : slice_unit(r->units, size, rank) * UNIT_BYTES;
  r->slice_end = (whole ? r->units : slice_unit(r->units, size, rank + 1)) * UNIT_BYTES;
  return MLPD_OK;
}

/* Units of other ranks' nodes that a rank takes in. */
static size_t received_units(size_t nodes, size_t own_nodes, size_t units, size_t slice_units, bool gathers) {
  return gathers ? nodes * units : (nodes - own_nodes) * slice_units;
}

static mlpd_status plan_sums(reducer *r) {
  const uint32_t own_begin = r->first_node[r->comm->rank], own_end = r->first_node[r->comm->rank + 1];
  const bool own_only = r->mode == MLPD_REDUCE_ALLREDUCE;
  const uint32_t num_nodes = r->first_node[r->comm->size];
  const size_t slice_bytes = r->slice_end - r->slice_begin;
  r->num_sources = own_only ? own_end - own_begin : num_nodes;
  TRY(memory_allocate(&r->sources, r->num_sources, sizeof *r->sources, "reduction tree"));
  TRY(memory_allocate(&r->additions, r->num_sources, sizeof *r->additions, "reduction tree"));
  if (!own_only) {
    const size_t units = received_units(num_nodes, own_end - own_begin, r->units, slice_bytes / UNIT_BYTES, r->gathers);
    TRY(memory_allocate(&r->received, units, UNIT_BYTES, "received gradients"));
  }
  char *next_received = r->received;
  for (uint32_t i = 0; i < r->num_sources; ++i) {
    const bool own = own_only || (i >= own_begin && i < own_end);
    r->sources[i] = own ? local_node(r, own_only ? i : i - own_begin) + r->slice_begin : next_received;
    if (!own || r->gathers) next_received += slice_bytes;
  }
  uint32_t next = 0;
  (void)compile(r, r->nodes + (own_only ? own_begin : 0), (lane_range){0, r->num_lanes}, 0, &next);
  return MLPD_OK;
}

/* A persistent message a node and peer: the slices go from buffer to buffer, unpacked. Peers in an order that
 * differs by rank, so that not all ranks write to one. */
static mlpd_status plan_messages(reducer *r) {
  const int size = r->comm->size, rank = r->comm->rank;
  const uint32_t own = r->first_node[rank + 1] - r->first_node[rank];
  const size_t most = (size_t)own * (size_t)(size - 1) + r->first_node[size] - own;
  if (most > INT_MAX) return FAIL(MLPD_ERROR_USAGE, "%zu messages a step are too many; take fewer lanes", most);
  TRY(memory_allocate(&r->requests, most, sizeof(MPI_Request), "message requests"));
  for (int step = 1; step < size; ++step) {
    const int peer = (rank + size - step) % size;
    for (uint32_t node = r->first_node[peer]; r->counts[rank] > 0 && node < r->first_node[peer + 1]; ++node) {
      char *to = r->received + (r->sources[node] - r->received); /* sources are const */
      CHECK_MPI(MPI_Recv_init(to, r->counts[rank], r->unit, peer, TAG, r->comm->mpi, &r->requests[r->num_requests]));
      ++r->num_requests;
    }
  }
  for (int step = 1; step < size; ++step) {
    const int peer = (rank + step) % size;
    for (uint32_t node = 0; r->counts[peer] > 0 && node < own; ++node) {
      const char *from = local_node(r, node) + (size_t)r->offsets[peer] * UNIT_BYTES;
      CHECK_MPI(MPI_Send_init(from, r->counts[peer], r->unit, peer, TAG, r->comm->mpi, &r->requests[r->num_requests]));
      ++r->num_requests;
    }
  }
  return MLPD_OK;
}

/* A message to and from each peer. Messages that stand ready are no slower than MPI_Allgatherv (measured with Open MPI
 * 4.1.4 in shared memory, where MPI_Iallgatherv is), and can be waited for under the watch. */
static mlpd_status plan_gather(reducer *r) {
  const int size = r->comm->size, rank = r->comm->rank;
  char *const all = r->gathers ? r->received : r->result;
  const char *const own = r->gathers ? r->local : r->result + (size_t)r->offsets[rank] * UNIT_BYTES;
  TRY(memory_allocate(&r->gather, 2 * ((size_t)size - 1), sizeof(MPI_Request), "message requests"));
  for (int step = 1; step < size; ++step) {
    const int peer = (rank + size - step) % size;
    char *to = all + (size_t)r->offsets[peer] * UNIT_BYTES;
    if (r->counts[peer] == 0) continue;
    CHECK_MPI(MPI_Recv_init(to, r->counts[peer], r->unit, peer, GATHER_TAG, r->comm->mpi, &r->gather[r->num_gather]));
    ++r->num_gather;
  }
  for (int step = 1; r->counts[rank] > 0 && step < size; ++step) {
    const int peer = (rank + step) % size;
    CHECK_MPI(MPI_Send_init(own, r->counts[rank], r->unit, peer, GATHER_TAG, r->comm->mpi, &r->gather[r->num_gather]));
    ++r->num_gather;
  }
  return MLPD_OK;
}

static mlpd_status build(reducer *r) {
  const int size = r->comm->size, rank = r->comm->rank;
  if (r->num_lanes == 0) return FAIL(MLPD_ERROR_USAGE, "a sum over 0 lanes has no value");
  if (r->units > INT_MAX)
    return FAIL(MLPD_ERROR_USAGE, "%zu parameters are more than one message can carry", r->num_floats);
  TRY(list_nodes(r));
  const size_t own = r->first_node[rank + 1] - r->first_node[rank];
  TRY(memory_allocate(&r->local, own * r->units, UNIT_BYTES, "lane gradients"));
  if (size == 1) return MLPD_OK;

  r->gathers = r->mode == MLPD_REDUCE_CANONICAL && r->first_node[size] * r->units * UNIT_BYTES <= r->comm->gather_bytes;
  TRY(plan_slices(r));
  TRY(plan_sums(r));
  TRY(memory_allocate(&r->result, r->units, UNIT_BYTES, "summed gradient"));
  CHECK_MPI(MPI_Type_contiguous(UNIT_BYTES, MPI_BYTE, &r->unit));
  CHECK_MPI(MPI_Type_commit(&r->unit));
  if (r->mode == MLPD_REDUCE_ALLREDUCE) return MLPD_OK;
  if (!r->gathers) TRY(plan_messages(r));
  return plan_gather(r);
}

mlpd_status reducer_create(mlpd_comm *comm, uint32_t num_lanes, size_t num_floats, size_t num_doubles, mlpd_reduce mode,
                           reducer **made) {
  reducer *r = NULL;
  mlpd_status status = memory_allocate(&r, 1, sizeof *r, "reducer");
  if (status == MLPD_OK) {
    r->comm = comm;
    r->mode = mode;
    r->num_lanes = num_lanes;
    r->num_floats = num_floats;
    r->num_doubles = num_doubles;
    r->float_bytes = pad(num_floats * sizeof(float));
    r->units = (r->float_bytes + pad(num_doubles * sizeof(double))) / UNIT_BYTES;
    r->unit = MPI_DATATYPE_NULL;
    status = build(r);
  }
  status = mlpd_comm_agree(comm, status);
  if (status != MLPD_OK) {
    reducer_free(r);
    r = NULL;
  }
  *made = r;
  return status;
}

void reducer_free(reducer *r) {
  if (r == NULL) return;
  for (int i = 0; i < r->num_requests; ++i) (void)MPI_Request_free(&r->requests[i]);
  for (int i = 0; i < r->num_gather; ++i) (void)MPI_Request_free(&r->gather[i]);
  if (r->unit != MPI_DATATYPE_NULL) (void)MPI_Type_free(&r->unit);
  free(r->nodes);
  free(r->first_node);
  free(r->local);
  free(r->received);
  free(r->result);
  free(r->sources);
  free(r->additions);
  free(r->counts);
  free(r->offsets);
  free(r->requests);
  free(r->gather);
  free(r);
}

uint32_t reducer_num_nodes(const reducer *r) { return r->first_node[r->comm->rank + 1] - r->first_node[r->comm->rank]; }

lane_range reducer_node(const reducer *r, uint32_t node) { return r->nodes[r->first_node[r->comm->rank] + node]; }

float *reducer_floats(reducer *r, uint32_t node) { return (float *)(void *)local_node(r, node); }

double *reducer_doubles(reducer *r, uint32_t node) { return (double *)(void *)(local_node(r, node) + r->float_bytes); }

size_t reducer_size(uint32_t num_lanes, int size, int rank, size_t num_floats, mlpd_reduce mode) {
  lane_range nodes[MAX_NODES];
  size_t num_nodes = 0;
  for (int j = 0; j < size; ++j) num_nodes += nodes_of_rank(num_lanes, size, j, nodes);
  const size_t own = nodes_of_rank(num_lanes, size, rank, nodes);
  const size_t units = pad(num_floats * sizeof(float)) / UNIT_BYTES;
  if (size == 1) return own * units * UNIT_BYTES;
  if (mode == MLPD_REDUCE_ALLREDUCE) return (own + 1) * units * UNIT_BYTES;
  const size_t slice_units = slice_unit(units, size, rank + 1) - slice_unit(units, size, rank);
  const bool gathers = num_nodes * units * UNIT_BYTES <= COMM_GATHER_BYTES;
  return (own * units + received_units(num_nodes, own, units, slice_units, gathers) + units) * UNIT_BYTES;
}

/* ---- The sum over ranks ------------------------------------------------------------------------- */

static mlpd_status run_messages(reducer *r, int count, MPI_Request *requests) {
  if (count == 0) return MLPD_OK;
  CHECK_MPI(MPI_Startall(count, requests));
  return comm_wait(r->comm, count, requests);
}

static mlpd_status sum_gathered(reducer *r) {
  TRY(run_messages(r, r->num_gather, r->gather));
  sum_slice(r);
  return MLPD_OK;
}

static mlpd_status sum_slices(reducer *r) {
  TRY(run_messages(r, r->num_requests, r->requests));
  sum_slice(r);
  return run_messages(r, r->num_gather, r->gather);
}

/* The statistics go first, and under the watch: once they are there, no rank is far. The gradients block, for Open
 * MPI's nonblocking sums of megabytes take several times as long. */
static mlpd_status sum_allreduce(reducer *r) {
  sum_slice(r);
  MPI_Request request;
  CHECK_MPI(MPI_Iallreduce(MPI_IN_PLACE, r->result + r->float_bytes, (int)r->num_doubles, MPI_DOUBLE, MPI_SUM,
                           r->comm->mpi, &request));
  TRY(comm_wait(r->comm, 1, &request));
  float *floats = (float *)(void *)r->result;
  for (size_t i = 0; i < r->num_floats; i += BUCKET_FLOATS) {
    const size_t count = r->num_floats - i < BUCKET_FLOATS ? r->num_floats - i : BUCKET_FLOATS;
    CHECK_MPI(MPI_Allreduce(MPI_IN_PLACE, floats + i, (int)count, MPI_FLOAT, MPI_SUM, r->comm->mpi));
  }
  return MLPD_OK;
}

mlpd_status reducer_sum(reducer *r, const float **sum, const double **totals) {
  const char *whole = r->comm->size == 1 ? r->local : r->result;
  if (r->comm->size > 1) {
    if (r->mode == MLPD_REDUCE_ALLREDUCE)
      TRY(sum_allreduce(r));
    else
      TRY(r->gathers ? sum_gathered(r) : sum_slices(r));
  }
  *sum = (const float *)(const void *)whole;
  *totals = (const double *)(const void *)(whole + r->float_bytes);
  return MLPD_OK;
}
