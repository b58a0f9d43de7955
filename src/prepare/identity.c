/* What a resumed run must have in common with its checkpoint: the data, and the options that decide the weights. */
#include <stdlib.h>
#include <xxhash.h>

#include "base/memory.h"
#include "options/option_text.h"
#include "prepare/prepare.h"
#include "ranks/comm.h"

/* The number of a type in fingerprints, independent of the enumeration. These numbers never change. */
static uint64_t type_number(element_type type) {
  static const uint64_t numbers[NUM_ELEMENT_TYPES] = {
      [ELEMENT_I8] = 0,  [ELEMENT_U8] = 1,  [ELEMENT_I16] = 2, [ELEMENT_U16] = 3, [ELEMENT_I32] = 4,
      [ELEMENT_U32] = 5, [ELEMENT_I64] = 6, [ELEMENT_U64] = 7, [ELEMENT_F32] = 8, [ELEMENT_F64] = 9};
  return numbers[type];
}

/* Hash of the shapes and of each lane's rows in lane order: the same on any number of ranks. */
mlpd_status preparation_fingerprint(mlpd_comm *comm, preparation *p) {
  const int size = mlpd_comm_size(comm);
  const uint32_t lanes = p->plan.num_lanes;
  const shard *const rows = &p->train;
  uint64_t *local = NULL, *all = NULL, *bytes = NULL;
  uint32_t first = 0, end = 0;
  lanes_of_rank(lanes, size, mlpd_comm_rank(comm), &first, &end);
  mlpd_status status = memory_allocate(&local, end - first, sizeof *local, "fingerprint");
  if (status == MLPD_OK) status = memory_allocate(&all, lanes, sizeof *all, "fingerprint");
  if (status == MLPD_OK) status = memory_allocate(&bytes, (size_t)size, sizeof *bytes, "fingerprint");
  TRY_GOTO(status, mlpd_comm_agree(comm, status), done);
#pragma omp parallel for num_threads(p->threads) schedule(dynamic)
  for (uint32_t u = first; u < end; u++) {
    if (p->scan.hashes != NULL) { /* rows that are not in memory have another order, and so another hash */
      local[u - first] = p->scan.hashes[u - first];
      continue;
    }
    const uint64_t row = p->plan.lane_begin[u] - p->plan.lane_begin[first];
    const uint64_t n = p->plan.lane_begin[u + 1] - p->plan.lane_begin[u];
    const size_t x_row = rows->features * element_size(rows->type), y_row = rows->outputs * sizeof(float);
    uint64_t hash = XXH3_64bits_withSeed((const char *)rows->x + row * x_row, n * x_row, n);
    if (rows->classes != NULL) hash = XXH3_64bits_withSeed(rows->classes + row, n * sizeof *rows->classes, hash);
    if (rows->values != NULL) hash = XXH3_64bits_withSeed(rows->values + row * rows->outputs, n * y_row, hash);
    if (rows->weights != NULL) hash = XXH3_64bits_withSeed(rows->weights + row, n * sizeof *rows->weights, hash);
    local[u - first] = hash;
  }
  for (int rank = 0; rank < size; rank++) {
    uint32_t a = 0, b = 0;
    lanes_of_rank(lanes, size, rank, &a, &b);
    bytes[rank] = (b - a) * sizeof *all;
  }
  TRY_GOTO(status, comm_gather_all(comm, local, bytes, all), done);
  const uint64_t shape[] = {p->plan.rows, p->features, p->outputs, type_number(rows->type)};
  p->fingerprint = XXH3_64bits_withSeed(all, lanes * sizeof *all, XXH3_64bits(shape, sizeof shape));
done:
  free(bytes);
  free(all);
  free(local);
  return status;
}

mlpd_status preparation_mathematics(const preparation *p, const char *backend, char **text) {
  size_t bytes = 0;
  FILE *const out = open_memstream(text, &bytes);
  if (out == NULL) return FAIL(MLPD_ERROR_MEMORY, "out of memory, writing the options as text");
  option_text_weights(&p->options, out);
  (void)fprintf(out, "init-from = %s\n", p->init_digest); /* the model itself: files may move */
  (void)fprintf(out, "backend = %s\n", backend);
  const bool written = ferror(out) == 0;
  if (fclose(out) == 0 && written) return MLPD_OK;
  return FAIL(MLPD_ERROR_MEMORY, "out of memory, writing the options as text");
}
