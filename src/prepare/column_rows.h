/* This rank's training rows as the statistics of columns look at them. Nothing here is collective. */
#ifndef MLPDIST_COLUMN_ROWS_H
#define MLPDIST_COLUMN_ROWS_H

#include "prepare/prepare.h"

typedef mlpd_status column_look(void *context, const shard *rows);

/* Calls look with this rank's training rows: once with those in memory or, while they are streamed, a piece at a time
 * with those of the open part. targets: these rows have classes or values (as the network sees them), too. */
mlpd_status column_rows_each(mlpd_comm *comm, const part *train, const preparation *p, bool targets, column_look *look,
                             void *context);

/* How many rows those are. */
uint64_t column_rows_count(const mlpd_comm *comm, const preparation *p);

#endif
