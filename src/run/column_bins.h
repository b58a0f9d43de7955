/* The bins of --embed-numbers piecewise. */
#ifndef MLPDIST_COLUMN_BINS_H
#define MLPDIST_COLUMN_BINS_H

#include "run/prepare.h"

/* Sets the edges of the bins in p's network, if it has any: quantiles of each number's values that are not missing, in
 * the training rows, as the model's input map makes them; equal ones are one edge. Edges that are a model's
 * (--init-from) stay, if its normalisation does. Call it after column_scales_find. Collective. */
mlpd_status column_bins_find(mlpd_comm *comm, preparation *p);

/* Bytes that this takes on each rank. */
uint64_t column_bins_size(const preparation *p);

#endif
