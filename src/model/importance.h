/* Permutation importance of the columns of a part. Collective. */
#ifndef MLPDIST_IMPORTANCE_H
#define MLPDIST_IMPORTANCE_H

#include "model/held_out.h"

typedef struct importance_wish {
  uint32_t repeats; /* at least 1 */
  uint64_t seed;
} importance_wish;

/* Fills *found (see mlpd_evaluate_importance()) for the rows of part, which are in memory on all ranks. file is for
 * messages. The caller frees it with mlpd_importance_free(), also on failure. The permutation of a column is keyed by
 * seed, number of the column, and repeat. In addition to its rows, a rank holds one column of all ranks' rows and, for
 * each thread (but at most `repeats` times), a permutation of 4 bytes a row. */
mlpd_status importance_measure(mlpd_comm *comm, const mlpd_model *model, const backend *gemm, held_out *part,
                               const char *file, int threads, const importance_wish *wish, mlpd_importance *found);

#endif
