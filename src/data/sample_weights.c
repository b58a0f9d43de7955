#include "data/sample_weights.h"

#include "data/shard_values.h"
#include "ranks/comm.h"

mlpd_status sample_weights_check(mlpd_comm *comm, const part *p, double largest) {
  if (p->weight == NULL) return MLPD_OK;
  TRY(comm_max_double(comm, &largest, 1));
  if (largest > 0) return MLPD_OK;
  return FAIL(MLPD_ERROR_DATA, "%s: the weights in %s are all 0, so no row counts; omit them, or use 1 for every row",
              p->file, p->weight_path);
}

mlpd_status sample_weights_scale(mlpd_comm *comm, part *p) {
  if (!p->need_y || p->weight == NULL) return MLPD_OK;
  const uint64_t size = (uint64_t)mlpd_comm_size(comm), rank = (uint64_t)mlpd_comm_rank(comm);
  const uint64_t begin = p->rows / size * rank + p->rows % size * rank / size;
  const uint64_t end = p->rows / size * (rank + 1) + p->rows % size * (rank + 1) / size;
  double largest = 0;
  TRY(mlpd_comm_agree(comm, part_largest_weight(p, begin, end, &largest)));
  TRY(sample_weights_check(comm, p, largest));
  TRY(comm_max_double(comm, &largest, 1));
  p->weight_unit = largest;
  return MLPD_OK;
}
