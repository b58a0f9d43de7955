/* Reads y or weight block by block; a function of the caller converts each block. Nothing here is collective. */
#ifndef MLPDIST_SHARD_COLUMN_H
#define MLPDIST_SHARD_COLUMN_H

#include "data/row_request.h"
#include "data/shard.h"

enum { SHARD_COLUMN_BYTES = 256 << 10 }; /* bytes of y or weight per read */

/* Converts data (count, columns), rows [row, row + count) of the file, to rows [place, place + count) of the shard. */
typedef mlpd_status (*shard_block_taker)(const part *p, shard *s, const void *data, uint64_t row, uint64_t place,
                                         uint64_t count, uint32_t num_classes);

/* Reads the requested rows of array as elements of type `as`, of 8 bytes each, and calls take for each block.
 * MLPD_ERROR_FILE if the file cannot be read; a failure of take ends the reading and is returned. */
mlpd_status shard_column_read(part *p, h5_array *array, const row_request *request, element_type as,
                              shard_block_taker take, uint32_t num_classes, shard *s);

#endif
