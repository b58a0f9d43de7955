/* Targets of a regression become the values of a shard, and weights its weights. Nothing here is collective. */
#ifndef MLPDIST_SHARD_VALUES_H
#define MLPDIST_SHARD_VALUES_H

#include "data/shard_column.h"

/* For shard_column_read: convert blocks of float64 to targets and weights. A value that is not finite, and a negative
 * weight, are MLPD_ERROR_DATA. */
mlpd_status shard_take_values(const part *p, shard *s, const void *data, uint64_t row, uint64_t place, uint64_t count,
                              uint32_t num_classes);
mlpd_status shard_take_weights(const part *p, shard *s, const void *data, uint64_t row, uint64_t place, uint64_t count,
                               uint32_t num_classes);

/* The type of raw targets: float32 for types whose values fit it, else float64. */
element_type shard_raw_type(const part *p);

/* Maps the raw values to values, in the same memory. MLPD_ERROR_DATA if a result is too large for float32; `what` names
 * the values in the message. */
mlpd_status shard_map_values(shard *s, const affine *target, const char *what);

/* Finds the largest weight of rows [begin, end) of p (0 if there are none), and checks each weight. */
mlpd_status part_largest_weight(part *p, uint64_t begin, uint64_t end, double *largest);

#endif
