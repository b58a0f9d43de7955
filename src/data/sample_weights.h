/* Sample weights: only their ratios count, so all are divided by the largest. */
#ifndef MLPDIST_SAMPLE_WEIGHTS_H
#define MLPDIST_SAMPLE_WEIGHTS_H

#include "data/dataset.h"

/* Sets p->weight_unit to the largest weight, so that equal weights of any size become 1. MLPD_ERROR_DATA if a weight is
 * invalid, or all are 0. Does nothing without weights. Collective. */
mlpd_status sample_weights_scale(mlpd_comm *comm, part *p);

/* MLPD_ERROR_DATA if the weights of all training rows are 0; `largest` is the largest of this rank's rows. Collective.
 */
mlpd_status sample_weights_check(mlpd_comm *comm, const part *p, double largest);

#endif
