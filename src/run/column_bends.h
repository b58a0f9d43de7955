/* The curves of --normalize quantile. */
#ifndef MLPDIST_COLUMN_BENDS_H
#define MLPDIST_COLUMN_BENDS_H

#include "run/prepare.h"

/* Gives a, the input map of so many training rows, a curve for each column of numbers: through min(rows, 1000)
 * quantiles of the values that are not missing. shift becomes the median, scale 1. Collective. */
mlpd_status column_bends_find(mlpd_comm *comm, const preparation *p, double rows, affine *a);

#endif
