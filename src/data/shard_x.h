/* Reads x of a part to a shard, in its stored type. Nothing here is collective. */
#ifndef MLPDIST_SHARD_X_H
#define MLPDIST_SHARD_X_H

#include "data/row_request.h"
#include "data/shard.h"

mlpd_status shard_read_x(part *p, const row_request *request, shard *s);

#endif
