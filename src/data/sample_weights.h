/* Sample weights count by their ratios alone: all are divided by the largest. */
#ifndef MLPDIST_SAMPLE_WEIGHTS_H
#define MLPDIST_SAMPLE_WEIGHTS_H

#include "data/dataset.h"

/* Finds the unit of the weights of an open part, so that equal weights of any size become 1. MLPD_ERROR_DATA where one
 * is no weight, or all are 0. Nothing happens without weights. Collective. */
mlpd_status sample_weights_scale(mlpd_comm *comm, part *p);

/* MLPD_ERROR_DATA where no training row has a weight: `largest` is of those of this rank. Collective. */
mlpd_status sample_weights_check(mlpd_comm *comm, const part *p, double largest);

#endif
