/* Reads x of a part into a shard. Nothing here is collective. */
#ifndef MLPDIST_SHARD_X_H
#define MLPDIST_SHARD_X_H

#include "data/row_request.h"
#include "data/shard.h"

element_type shard_x_type(const part *p); /* of x in a shard: as stored, or float32 for 64-bit types if p->narrow */

/* Fills s->x with the requested rows. MLPD_ERROR_DATA names file, object, row and column of a value that is not finite.
 */
mlpd_status shard_read_x(part *p, const row_request *request, shard *s);

#endif
