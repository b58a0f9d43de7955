/* Weights and optimizer state of ranks that divide the update: who holds which part, and whether the ranks agree. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "ranks/comm.h"
#include "step/stepper_internal.h"

/* ---- Weights in common memory ---------------------------------------------------------------------- */

mlpd_status stepper_share_weights(stepper *s) {
  if (s->pull == NULL || !s->divides || s->own != NULL) return MLPD_OK;
  mlpd_network *const network = s->parts.network;
  float *const common = reducer_common(s->reducer);
  const int me = mlpd_comm_rank(s->parts.comm);
  size_t begin = 0, end = 0;
  /* Each rank first touches its own parts, so that they are in memory near the cores that update them. */
  for (uint32_t i = 0; stepper_pull_range(s, me, i, &begin, &end); i++)
    memcpy(common + begin, network->parameters + begin, (end - begin) * sizeof *common);
  TRY(comm_barrier(s->parts.comm));
  s->own = network->parameters;
  network->parameters = common;
  return MLPD_OK;
}

void stepper_own_weights(stepper *s) {
  if (s->own == NULL) return;
  memcpy(s->own, s->parts.network->parameters, s->parts.network->arena_size * sizeof *s->own);
  s->parts.network->parameters = s->own;
  s->own = NULL;
}

/* ---- Whole states ---------------------------------------------------------------------------------- */

/* The i-th range of floats that `rank` updates; false: there are no more. */
static bool range_of(const stepper *s, int rank, uint32_t i, size_t *begin, size_t *end) {
  return s->pull != NULL ? stepper_pull_range(s, rank, i, begin, end) : reducer_slice(s->reducer, rank, i, begin, end);
}

static size_t floats_of(const stepper *s, int rank) {
  size_t count = 0, begin = 0, end = 0;
  for (uint32_t i = 0; range_of(s, rank, i, &begin, &end); i++) count += end - begin;
  return count;
}

/* Copies the ranges of `rank` from array to packed, contiguously, and back. */
static void pack(const stepper *s, int rank, const float *array, float *packed) {
  size_t begin = 0, end = 0;
  for (uint32_t i = 0; range_of(s, rank, i, &begin, &end); i++) {
    memcpy(packed, array + begin, (end - begin) * sizeof *packed);
    packed += end - begin;
  }
}

static void unpack(const stepper *s, int rank, const float *packed, float *array) {
  size_t begin = 0, end = 0;
  for (uint32_t i = 0; range_of(s, rank, i, &begin, &end); i++) {
    memcpy(array + begin, packed, (end - begin) * sizeof *packed);
    packed += end - begin;
  }
}

static mlpd_status complete_array(stepper *s, float *array, const uint64_t *bytes, float *own, float *all) {
  pack(s, mlpd_comm_rank(s->parts.comm), array, own);
  TRY(comm_gather_all(s->parts.comm, own, bytes, all));
  const float *next = all;
  for (int rank = 0; rank < mlpd_comm_size(s->parts.comm); rank++) {
    unpack(s, rank, next, array);
    next += bytes[rank] / sizeof *next;
  }
  return MLPD_OK;
}

mlpd_status stepper_complete_state(stepper *s) {
  if (!s->divides || s->parts.optimizer->num_state == 0) return MLPD_OK;
  const int size = mlpd_comm_size(s->parts.comm), me = mlpd_comm_rank(s->parts.comm);
  uint64_t *bytes = NULL;
  float *own = NULL, *all = NULL;
  mlpd_status status = memory_allocate(&bytes, (size_t)size, sizeof *bytes, "optimizer state");
  for (int rank = 0; status == MLPD_OK && rank < size; rank++) bytes[rank] = floats_of(s, rank) * sizeof(float);
  if (status == MLPD_OK) status = memory_allocate(&own, bytes[me], 1, "optimizer state");
  if (status == MLPD_OK) status = memory_allocate(&all, s->parts.network->arena_size, sizeof *all, "optimizer state");
  status = mlpd_comm_agree(s->parts.comm, status);
  for (uint32_t i = 0; status == MLPD_OK && i < s->parts.optimizer->num_state; i++)
    status = complete_array(s, s->parts.optimizer->state[i], bytes, own, all);
  free(bytes);
  free(own);
  free(all);
  return status;
}

/* ---- Checks -------------------------------------------------------------------------------------- */

mlpd_status stepper_compare_weights(stepper *s) {
  const int size = mlpd_comm_size(s->parts.comm), me = mlpd_comm_rank(s->parts.comm);
  if (size == 1) return MLPD_OK;
  uint64_t *hashes = NULL;
  const uint64_t mine = step_tail_hash(s->parts.network, s->divides ? NULL : s->parts.optimizer);
  mlpd_status status = comm_gather_equal(s->parts.comm, &mine, sizeof mine, "hashes", &hashes);
  if (status != MLPD_OK) goto done;
  int like_mine = 0, most = 0;
  for (int a = 0; a < size; a++) {
    int same = 0;
    for (int b = 0; b < size; b++) same += hashes[a] == hashes[b];
    if (same > most) most = same;
    if (a == me) like_mine = same;
  }
  static const char *const cause =
      "a bit has flipped in memory, or the machines compute differently (as --backend onednn may); the run "
      "stops before it writes a checkpoint";
  if (2 * most <= size) /* with two ranks that differ, either may be right */
    status = FAIL(MLPD_ERROR_INTERNAL,
                  "weights or optimizer state differ between the ranks, and no majority agrees: %s", cause);
  else if (like_mine < most)
    status =
        FAIL(MLPD_ERROR_INTERNAL, "weights or optimizer state of this rank differ from those of the others: %s", cause);
  status = mlpd_comm_agree(s->parts.comm, status);
done:
  free(hashes);
  return status;
}
