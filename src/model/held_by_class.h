/* Validation rows drawn from the training part, with the share of each class; likewise the folds of its rows. */
#ifndef MLPDIST_HELD_BY_CLASS_H
#define MLPDIST_HELD_BY_CLASS_H

#include "data/dataset.h"
#include "ranks/comm.h"

/* Marks `fraction` of the rows of an open part, drawn by the seed, the same on any number of ranks. The total is exact,
 * and so is each class as far as whole rows allow. All ranks read their share of the classes to count them; rank 0
 * reads all classes to draw, and sends the others one bit a row. Collective. */
mlpd_status held_by_class(mlpd_comm *comm, part *from, double fraction, uint32_t num_classes, uint64_t seed,
                          row_marks *made);

typedef struct fold_wishes {
  uint32_t folds;
  bool as_classes;      /* each fold is to have its share of each class */
  uint32_t num_classes; /* as of shard_read */
  uint64_t seed;
} fold_wishes;

/* The fold (from 0) of each row of an open part, drawn by the seed, into fold (rows of the part): the same on any
 * number of ranks. Ranks read the classes as for held_by_class; rank 0 sends one byte a row. Collective. */
mlpd_status held_by_fold(mlpd_comm *comm, part *from, const fold_wishes *wishes, uint8_t *fold);

#endif
