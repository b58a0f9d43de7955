/* Reads x of a part to a shard. Nothing here is collective. */
#ifndef MLPDIST_SHARD_X_H
#define MLPDIST_SHARD_X_H

#include "data/row_request.h"
#include "data/shard.h"

element_type shard_x_type(const part *p); /* in a shard */

mlpd_status shard_read_x(part *p, const row_request *request, shard *s);

#endif
