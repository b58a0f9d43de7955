/* The sum among ranks of one machine: their nodes are in memory that all have mapped, with counters of each rank's
 * progress. No messages are sent.
 *
 * Few nodes: each reader of the sum adds the nodes. Every node has two buffers, used in turn: a rank that has seen all
 * others reach a step knows that they have read the step before, so the buffers of that step may be written again. Many
 * nodes: each rank adds its slice to one result, and a second counter says that the slices are ready. Divided work:
 * each rank reads its parts of the sum and writes its results to common memory; a step ends when all ranks have done
 * so, so one buffer per node is enough.
 *
 * The memory is a file without a name (memfd_create), which the other ranks open through /proc. It disappears with the
 * last process, even if that is killed, and the size of /dev/shm, often 64 MB in a container, does not limit it. */
#define _GNU_SOURCE /* memfd_create */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/memory.h"
#include "sum/reduce_internal.h"

enum { PAGE_BYTES = 4096, COPIES = 2 };

/* Progress of a rank, in steps; only that rank writes it. It has its own cache line, so polling it disturbs no other
 * rank. */
typedef struct counter {
  _Alignas(PACKET_BYTES) _Atomic uint64_t value;
} counter;

typedef struct shared {
  char *memory; /* (bytes): token, counters, each rank's nodes, result or common memory */
  size_t bytes;
  counter *complete;               /* (size): this rank's nodes of the step are complete */
  counter *added;                  /* (size): its slice is added */
  counter *parts[PUBLISHED_KINDS]; /* (size): if the sum is pulled: step and published parts */
  uint64_t step;
  bool divided;
  bool direct;          /* each reader adds the nodes */
  char *nodes[COPIES];  /* nodes of this rank */
  const char **sources; /* (COPIES, tree.num_sources) */
  char *result;         /* the result, or common memory; NULL if each reader adds the nodes */
} shared;

/* What the other ranks need to open rank 0's memory. */
typedef struct handle {
  uint64_t pid, descriptor, token;
} handle;

/* ---- Layout ------------------------------------------------------------------------------------- */

static size_t whole_pages(size_t bytes) { return (bytes + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES; }

static size_t counter_bytes(int size) {
  return whole_pages((1 + (2 + PUBLISHED_KINDS) * (size_t)size) * sizeof(counter));
}

static bool worth_dividing(bool wished, size_t packets, size_t pull_bytes) {
  return wished && packets * PACKET_BYTES >= pull_bytes;
}

static bool reads_directly(uint32_t num_nodes, size_t direct_nodes) { return num_nodes <= direct_nodes; }

static size_t copies(bool direct, bool divided) { return direct && !divided ? COPIES : 1; }

static bool has_result(bool direct, bool divided) { return !direct || divided; }

static size_t part_bytes(const shared *s, uint32_t nodes, size_t packets) {
  return copies(s->direct, s->divided) * whole_pages(nodes * packets * PACKET_BYTES);
}

/* Finds the nodes of a rank, `bytes` from next on. */
static void place_nodes(const reducer *r, shared *s, int rank, char *next, size_t bytes) {
  const uint32_t nodes = r->first_node[rank + 1] - r->first_node[rank];
  const size_t times = copies(s->direct, s->divided);
  for (size_t copy = 0; copy < times; ++copy) {
    char *const begin = next + copy * (bytes / times);
    if (rank == r->rank) s->nodes[copy] = begin;
    for (uint32_t i = 0; i < nodes; ++i)
      s->sources[copy * r->tree.num_sources + r->first_node[rank] + i] = begin + i * r->packets * PACKET_BYTES;
  }
}

/* Finds everything in the mapped memory. */
static void lay_out(void *owner, memory_layout *layout) {
  reducer *const r = owner;
  shared *const s = r->state;
  counter *const counters = memory_place(layout, counter_bytes(r->size), 1);
  if (counters != NULL) {
    s->complete = counters + 1;
    s->added = s->complete + r->size;
    for (int kind = 0; kind < PUBLISHED_KINDS; ++kind) s->parts[kind] = s->added + (1 + kind) * r->size;
  }
  for (int rank = 0; rank < r->size; ++rank) {
    const size_t bytes = part_bytes(s, r->first_node[rank + 1] - r->first_node[rank], r->packets);
    char *const part = memory_place(layout, bytes, 1);
    if (part != NULL) place_nodes(r, s, rank, part, bytes);
  }
  s->result = memory_place(layout, has_result(s->direct, s->divided) ? whole_pages(r->packets * PACKET_BYTES) : 0, 1);
}

/* Bytes of this rank's nodes, and packets [*begin, *end) of the result that are its slice. */
static size_t own_part(const reducer *r, const shared *s, size_t *begin, size_t *end) {
  *begin = *end = 0;
  if (has_result(s->direct, s->divided)) {
    *begin = slice_packet(r->packets, r->size, r->rank);
    *end = slice_packet(r->packets, r->size, r->rank + 1);
  }
  return part_bytes(s, own_nodes(r), r->packets);
}

static size_t own_bytes(const reducer *r) {
  size_t begin, end;
  const size_t nodes = own_part(r, r->state, &begin, &end);
  return nodes + (end - begin) * PACKET_BYTES;
}

/* Touches this rank's part first, so that it is placed near its cores. */
static void touch(const reducer *r, shared *s) {
  size_t begin, end;
  const size_t nodes = own_part(r, s, &begin, &end);
  if (nodes > 0) memset(s->nodes[0], 0, nodes);
  if (end > begin) memset(s->result + begin * PACKET_BYTES, 0, (end - begin) * PACKET_BYTES);
}

/* ---- Making ------------------------------------------------------------------------------------- */

static mlpd_status map(shared *s, int descriptor) {
  void *const memory = mmap(NULL, s->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  if (memory == MAP_FAILED) return FAIL(MLPD_ERROR_MEMORY, "shared memory: %s", strerror(errno));
  s->memory = memory;
  return MLPD_OK;
}

/* On rank 0; *descriptor stays open until the others have opened it too. */
static mlpd_status make_memory(shared *s, handle *made, int *descriptor) {
  struct rlimit limit;
  /* Beyond this limit the kernel would kill the process instead of reporting an error. */
  if (getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur < s->bytes)
    return FAIL(MLPD_ERROR_MEMORY, "shared memory: larger than files may be");
  *descriptor = memfd_create("mlpdist", MFD_CLOEXEC);
  if (*descriptor < 0 || ftruncate(*descriptor, (off_t)s->bytes) != 0)
    return FAIL(MLPD_ERROR_MEMORY, "shared memory: %s", strerror(errno));
  TRY(map(s, *descriptor));
  *made = (handle){.pid = (uint64_t)getpid(), .descriptor = (uint64_t)*descriptor};
  if (getrandom(&made->token, sizeof made->token, 0) != (ssize_t)sizeof made->token)
    return FAIL(MLPD_ERROR_MEMORY, "shared memory: %s", strerror(errno));
  memcpy(s->memory, &made->token, sizeof made->token);
  return MLPD_OK;
}

/* On the other ranks: the token shows whether the process with that number is rank 0, not one of another container. */
static mlpd_status open_memory(shared *s, const handle *of_first) {
  char path[64];
  uint64_t token = 0;
  (void)snprintf(path, sizeof path, "/proc/%llu/fd/%llu", (unsigned long long)of_first->pid,
                 (unsigned long long)of_first->descriptor);
  const int descriptor = open(path, O_RDWR | O_CLOEXEC);
  if (descriptor < 0) return FAIL(MLPD_ERROR_MEMORY, "shared memory: %s: %s", path, strerror(errno));
  mlpd_status status = MLPD_OK;
  if (pread(descriptor, &token, sizeof token, 0) != (ssize_t)sizeof token || token != of_first->token)
    status = FAIL(MLPD_ERROR_MEMORY, "shared memory: %s is not that of rank 0", path);
  if (status == MLPD_OK) status = map(s, descriptor);
  (void)close(descriptor);
  return status;
}

static mlpd_status plan(reducer *r) {
  shared *s = NULL;
  TRY(memory_allocate(&s, 1, sizeof *s, "shared memory"));
  r->state = s;
  s->direct = reads_directly(r->first_node[r->size], r->thresholds.direct_nodes);
  s->divided = r->divides = worth_dividing(r->owned, r->packets, r->thresholds.pull_bytes);
  return MLPD_OK;
}

static mlpd_status create(reducer *r) {
  mlpd_comm *const comm = r->comm;
  handle first = {0};
  int descriptor = -1;
  mlpd_status status = plan(r);
  shared *const s = r->state;
  if (status == MLPD_OK) {
    s->bytes = memory_layout_size(lay_out, r);
    status = memory_allocate(&s->sources, (size_t)COPIES * r->tree.num_sources, sizeof *s->sources, "shared memory");
  }
  if (status == MLPD_OK && comm->rank == 0) status = make_memory(s, &first, &descriptor);
  status = mlpd_comm_agree(comm, status);
  if (status == MLPD_OK) status = comm_broadcast(comm, &first, sizeof first, 0);
  if (status == MLPD_OK && comm->rank != 0) status = open_memory(s, &first);
  status = mlpd_comm_agree(comm, status);
  if (descriptor >= 0) (void)close(descriptor);
  if (status != MLPD_OK) return status;
  lay_out(r, &(memory_layout){.memory = s->memory});
  touch(r, s);
  *(s->divided ? &r->common : &r->result) = s->result;
  return MLPD_OK;
}

static void release(reducer *r) {
  shared *const s = r->state;
  if (s == NULL) return;
  if (s->memory != NULL) (void)munmap(s->memory, s->bytes);
  free(s->sources);
  free(s);
  r->state = NULL;
  r->result = r->common = NULL;
}

/* ---- A step ------------------------------------------------------------------------------------- */

static void begin(reducer *r) {
  shared *const s = r->state;
  ++s->step;
  const size_t copy = s->step % copies(s->direct, s->divided);
  r->local = s->nodes[copy];
  memcpy(r->sources, s->sources + copy * r->tree.num_sources, r->tree.num_sources * sizeof *r->sources);
}

static void count(counter *mine, uint64_t step) { atomic_store_explicit(&mine->value, step, memory_order_release); }

static bool all_reached(const reducer *r, const counter *counters, uint64_t step) {
  for (int rank = 0; rank < r->size; ++rank)
    if (atomic_load_explicit(&counters[rank].value, memory_order_acquire) < step) return false;
  return true;
}

static mlpd_status ready(reducer *r, uint32_t bucket) {
  shared *const s = r->state;
  if (bucket == 0) count(&s->complete[r->rank], s->step);
  return MLPD_OK;
}

/* Steps in the high bits, parts in the low ones, so that a step begins with no parts. */
static uint64_t parts_of_step(const shared *s, uint32_t count) { return s->step << 32 | count; }

static bool pulls(const reducer *r) {
  const shared *const s = r->state;
  return s->divided || (s->direct && r->packets * PACKET_BYTES >= r->thresholds.pull_bytes);
}

static void publish(reducer *r, published_kind kind, uint32_t parts) {
  shared *const s = r->state;
  _Atomic uint64_t *const mine = &s->parts[kind][r->rank].value;
  const uint64_t value = parts_of_step(s, parts);
  uint64_t known = atomic_load_explicit(mine, memory_order_relaxed);
  while (known < value &&
         !atomic_compare_exchange_weak_explicit(mine, &known, value, memory_order_release, memory_order_relaxed)) {
  }
}

static bool published(const reducer *r, published_kind kind, uint32_t parts) {
  const shared *const s = r->state;
  return all_reached(r, s->parts[kind], parts_of_step(s, parts));
}

static mlpd_status progress(reducer *r, bool *done) {
  shared *const s = r->state;
  const int size = r->size, me = r->rank;
  *done = false;
  if (!all_reached(r, s->complete, s->step)) return MLPD_OK;
  if (!s->direct && atomic_load_explicit(&s->added[me].value, memory_order_relaxed) < s->step) {
    const size_t from = slice_packet(r->packets, size, me) * PACKET_BYTES;
    const size_t to = slice_packet(r->packets, size, me + 1) * PACKET_BYTES;
    reduce_sum_range(r, r->sources, 0, from, to, s->result + from);
    count(&s->added[me], s->step);
  }
  *done = s->direct || all_reached(r, s->added, s->step);
  return MLPD_OK;
}

const reduce_way reduce_by_shared_memory = {
    .name = "shared memory",
    .waits_for = COMM_WAIT_MEMORY,
    .plan = plan,
    .lay_out = lay_out,
    .own = own_bytes,
    .create = create,
    .free = release,
    .begin = begin,
    .ready = ready,
    .progress = progress,
    .pulls = pulls,
    .publish = publish,
    .published = published,
};
