/* The curves of --normalize quantile and mixed. */
#ifndef MLPDIST_COLUMN_BENDS_H
#define MLPDIST_COLUMN_BENDS_H

#include "prepare/prepare.h"

enum { COLUMN_BENDS_MIXED = 256 }; /* the most columns that get a curve with mixed */

/* Adds a curve for each column of numbers to the input map a, or for the chosen ones (columns; NULL: all): through
 * min(rows, 1000) quantiles of its values that are not missing, 100 with mixed. rows: of the training part. Their shift
 * becomes the median, their scale 1. Collective. */
mlpd_status column_bends_find(mlpd_comm *comm, const preparation *p, double rows, const bool *chosen, affine *a);

/* Bytes that this needs at most, with those of the curves, which stay. */
uint64_t column_bends_size(const preparation *p, double rows);
uint64_t column_bends_kept(const preparation *p, double rows); /* the part that stays: the curves */

#endif
