#include "prepare/memory_estimate.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/machine_memory.h"
#include "base/memory.h"
#include "model/forward.h"
#include "network/lbfgs.h"
#include "ranks/comm.h"
#include "step/stepper.h"
#include "sum/reduce.h"

static const double CLOSE = 0.8; /* of the available memory: page cache and other programs need some, too */

/* Code and buffers of libraries, measured: about 6 MB with HDF5 1.10 and Open MPI 4.1, up to 11 MB with oneDNN 2.6 and
 * its generated kernels, and 1 to 3 MB more with several ranks. */
static const uint64_t LIBRARY_BYTES = 6500000, BACKEND_BYTES = 3500000, MESSAGE_BYTES = 2000000;

static const struct {
  const char *name, *cure;
} items[MEMORY_ITEMS] = {
    [MEMORY_ROWS] = {"training rows", "spread the rows over ranks on more machines, or --stream them"},
    [MEMORY_HELD_OUT] = {"validation and test rows", "spread the rows over ranks on more machines"},
    [MEMORY_ARENAS] = {"parameters and optimizer state",
                       "use a smaller network, or fewer ranks per machine with more --threads each"},
    [MEMORY_SUMS] = {"sums of gradients", "use a smaller network, or fewer ranks per machine with more --threads each"},
    [MEMORY_LANES] = {"activations of the lanes",
                      "use a smaller --batch (lbfgs: another --optimizer), or ranks on more machines"},
    [MEMORY_EVALUATION] = {"activations for evaluation", "use fewer --threads"},
    [MEMORY_LIBRARIES] = {"libraries", "free memory on that machine"},
    [MEMORY_CHECKPOINT] = {"the copy for checkpoints", "use a smaller network, or --checkpoint-every never"},
};

/* ---- Estimates ------------------------------------------------------------------------------------ */

memory_estimate memory_estimate_of(const memory_shapes *s) {
  memory_estimate e = {0};
  const size_t arena = s->network->arena_size;
  lane_range lanes;
  lanes_of_rank(s->plan->num_lanes, s->size, s->rank, &lanes.begin, &lanes.end);
  const uint64_t rows = s->plan->lane_begin[lanes.end] - s->plan->lane_begin[lanes.begin];
  const uint64_t bytes = arena * sizeof(float), search = optimizer_searches(s->optimizer) ? lbfgs_num_arenas() : 0;
  const uint64_t saved = 2 + (uint64_t)s->averages + optimizer_most_state(s->optimizer, s->lbfgs_history);
  e.bytes[MEMORY_ROWS] = s->columns_bytes + (s->streams ? s->stream_bytes : rows * s->row_bytes);
  e.bytes[MEMORY_HELD_OUT] = s->held_out_bytes;
  e.bytes[MEMORY_ARENAS] = (saved + search) * bytes;
  e.bytes[MEMORY_SUMS] = reducer_size(s->plan->num_lanes, s->size, s->rank, arena, s->reduce, s->divided, s->shares);
  const backend *gemm = NULL;
  if (backend_choose(s->backend, &gemm) == MLPD_OK)
    e.bytes[MEMORY_LANES] = stepper_size(s->network, gemm, s->plan, lanes, s->target_bytes, s->streams, s->threads);
  e.bytes[MEMORY_EVALUATION] = (uint64_t)s->threads * workspace_size(s->network, FORWARD_BLOCK_ROWS, false);
  e.bytes[MEMORY_CHECKPOINT] = s->checkpoints && s->rank == 0 ? saved * bytes : 0;
  const bool foreign = gemm != NULL && gemm->instructions != NULL;
  e.bytes[MEMORY_LIBRARIES] = LIBRARY_BYTES + (foreign ? BACKEND_BYTES : 0) + (s->size > 1 ? MESSAGE_BYTES : 0);
  for (int i = 0; i < MEMORY_ITEMS; i++) e.total += e.bytes[i];
  return e;
}

/* ---- Do they fit? --------------------------------------------------------------------------------- */

static uint64_t still_needed(const memory_claim *claim) {
  return claim->expects.total > claim->allocated ? claim->expects.total - claim->allocated : 0;
}

/* For the machine of claims[rank]: the bytes that all its ranks still need, and the smallest amount that one of them
 * found available. */
static uint64_t needed_on_host(const memory_claim *claims, int size, int rank, uint64_t *available, int *ranks) {
  uint64_t needed = 0;
  *available = UINT64_MAX;
  *ranks = 0;
  for (int other = 0; other < size; other++) {
    if (strcmp(claims[other].host, claims[rank].host) != 0) continue;
    needed += still_needed(&claims[other]);
    if (claims[other].available < *available) *available = claims[other].available;
    ++*ranks;
  }
  return needed;
}

/* "training rows 2.1 GB, ...": the three largest items; returns the largest. */
static memory_item list_items(const memory_estimate *e, char *text, size_t room) {
  bool taken[MEMORY_ITEMS] = {false};
  memory_item first = MEMORY_ROWS;
  size_t length = 0;
  for (int n = 0; n < 3; n++) {
    int largest = -1;
    for (int i = 0; i < MEMORY_ITEMS; i++)
      if (!taken[i] && e->bytes[i] > 0 && (largest < 0 || e->bytes[i] > e->bytes[largest])) largest = i;
    if (largest < 0) break;
    taken[largest] = true;
    if (n == 0) first = (memory_item)largest;
    const int added = snprintf(text + length, room - length, "%s%s %.3g GB", n > 0 ? ", " : "", items[largest].name,
                               1e-9 * (double)e->bytes[largest]);
    length += added > 0 && (size_t)added < room - length ? (size_t)added : 0;
  }
  return first;
}

mlpd_status memory_claims_fit(const memory_claim *claims, int size, char note[256]) {
  note[0] = '\0';
  for (int rank = 0; rank < size; rank++) {
    uint64_t available = 0;
    int ranks = 0;
    const uint64_t needed = needed_on_host(claims, size, rank, &available, &ranks);
    if ((double)needed <= CLOSE * (double)available) continue;
    const char *const host = claims[rank].host;
    if (needed <= available) {
      (void)snprintf(note, 256, "%.60s: this run will take %.3g GB more of the %.3g GB of memory available there", host,
                     1e-9 * (double)needed, 1e-9 * (double)available);
      continue;
    }
    char text[256] = "";
    const memory_item largest = list_items(&claims[rank].expects, text, sizeof text);
    return FAIL(MLPD_ERROR_MEMORY,
                "%s: not enough memory: this run needs %.3g GB more there (%d rank%s), %.3g GB are available; rank %d "
                "takes %s; %s",
                host, 1e-9 * (double)needed, ranks, ranks == 1 ? "" : "s", 1e-9 * (double)available, rank, text,
                items[largest].cure);
  }
  return MLPD_OK;
}

mlpd_status memory_claim_all(mlpd_comm *comm, const memory_estimate *expects, uint64_t allocated, char note[256]) {
  memory_claim mine = {.available = machine_memory_available(""), .allocated = allocated, .expects = *expects};
  memory_claim *all = NULL;
  note[0] = '\0';
  (void)snprintf(mine.host, sizeof mine.host, "%s", comm_host(comm));
  mlpd_status status = comm_gather_equal(comm, &mine, sizeof mine, "memory of ranks", &all);
  if (status == MLPD_OK) /* the claims are the same on all ranks, and so is the answer */
    status = memory_claims_fit(all, mlpd_comm_size(comm), note);
  free(all);
  return status;
}
