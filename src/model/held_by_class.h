/* Rows for validation that are taken from the training part: of each class its share. */
#ifndef MLPDIST_HELD_BY_CLASS_H
#define MLPDIST_HELD_BY_CLASS_H

#include "data/dataset.h"
#include "ranks/comm.h"

/* Marks `fraction` of the rows of an open part, drawn by the seed, exact in all and in each class as far as whole rows
 * can be: the same on any number of ranks. All ranks read the classes to count them, rank 0 once more to draw; the
 * others get a bit a row, and no list of rows is kept. Collective. */
mlpd_status held_by_class(mlpd_comm *comm, part *from, double fraction, uint32_t num_classes, uint64_t seed,
                          row_marks *made);

#endif
