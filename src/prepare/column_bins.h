/* The bins of --embed-numbers piecewise. */
#ifndef MLPDIST_COLUMN_BINS_H
#define MLPDIST_COLUMN_BINS_H

#include "prepare/prepare.h"

/* Sets the edges of the bins in p's network, if it has any, from each number's values in the training rows that are not
 * missing, after the model's input map. --embed-edges quantiles: where many rows share a value, which makes quantiles
 * equal, other bins are narrower in their place (piecewise_spread). targets: see column_trees.h. Equal edges that are
 * left are merged. Edges of a model (--init-from) are kept if its normalisation is kept. Call it after
 * column_scales_find. Collective. */
mlpd_status column_bins_find(mlpd_comm *comm, preparation *p);

/* Does the data hold numbers, which can have bins? */
bool column_bins_possible(const preparation *p);

/* Bytes that this needs on each rank. */
uint64_t column_bins_size(const preparation *p);

#endif
