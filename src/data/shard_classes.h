/* Labels become the classes of a shard. num_classes: as in shard_read. Nothing here is collective. */
#ifndef MLPDIST_SHARD_CLASSES_H
#define MLPDIST_SHARD_CLASSES_H

#include "data/shard_column.h"

/* For shard_column_read: convert blocks of y, which are int64, float64, or one-hot rows of float64, to classes. A label
 * that is no class is MLPD_ERROR_DATA; the message names file, object and row. */
mlpd_status shard_take_integer_classes(const part *p, shard *s, const void *data, uint64_t row, uint64_t place,
                                       uint64_t count, uint32_t num_classes);
mlpd_status shard_take_float_classes(const part *p, shard *s, const void *data, uint64_t row, uint64_t place,
                                     uint64_t count, uint32_t num_classes);
mlpd_status shard_take_one_hot(const part *p, shard *s, const void *data, uint64_t row, uint64_t place, uint64_t count,
                               uint32_t num_classes);

/* Reads y, which holds texts, and maps them to classes by p->map. */
mlpd_status shard_read_texts(part *p, const row_request *request, uint32_t num_classes, shard *s);

/* The end of a message, if y holds values instead of classes: what the user can do. eval has no options for the task
 * and the classes, because the model decides them. */
const char *shard_cure_for_values(const part *p);

#endif
