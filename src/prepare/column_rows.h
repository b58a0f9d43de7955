/* This rank's training rows as the statistics of columns look at them. Nothing here is collective. */
#ifndef MLPDIST_COLUMN_ROWS_H
#define MLPDIST_COLUMN_ROWS_H

#include "prepare/prepare.h"

/* x (rows, columns) of type. */
typedef mlpd_status column_look(void *context, element_type type, const void *x, uint64_t rows);

/* Calls look with this rank's training rows: once with those in memory or, while they are streamed, a piece at a time
 * with those of the open part. */
mlpd_status column_rows_each(mlpd_comm *comm, const part *train, const preparation *p, column_look *look,
                             void *context);

#endif
