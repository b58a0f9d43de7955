/* Labels become the classes of a shard. num_classes: as in shard_read. Nothing here is collective. */
#ifndef MLPDIST_SHARD_CLASSES_H
#define MLPDIST_SHARD_CLASSES_H

#include "data/shard_column.h"

/* Takers of blocks (shard_column_read): y of int64, of float64, and one-hot of float64. */
mlpd_status shard_take_integer_classes(const part *p, shard *s, const void *data, uint64_t row, uint64_t place,
                                       uint64_t count, uint32_t num_classes);
mlpd_status shard_take_float_classes(const part *p, shard *s, const void *data, uint64_t row, uint64_t place,
                                     uint64_t count, uint32_t num_classes);
mlpd_status shard_take_one_hot(const part *p, shard *s, const void *data, uint64_t row, uint64_t place, uint64_t count,
                               uint32_t num_classes);

/* Reads y, which holds texts, through p->map. */
mlpd_status shard_read_texts(part *p, const row_request *request, uint32_t num_classes, shard *s);

/* What helps if y holds values instead of classes, for messages. eval has no options for the task and the classes: the
 * model decides. */
const char *shard_cure_for_values(const part *p);

#endif
