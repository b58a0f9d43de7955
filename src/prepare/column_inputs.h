/* How the columns of a table become inputs of the network, found in the training rows: which categories have an input,
 * where values are missing, and the medians that replace them. No function here is collective unless its comment says
 * so. */
#ifndef MLPDIST_COLUMN_INPUTS_H
#define MLPDIST_COLUMN_INPUTS_H

#include "prepare/prepare.h"

/* Sets p->model->codes from the properties of the columns of the open training part, and p->inputs to the largest
 * possible number of inputs. */
mlpd_status column_inputs_read(part *train, preparation *p);

/* Looks through the training rows, in memory or, while they are streamed, in the open part, and settles p->model->codes
 * and p->inputs. The same on any number of ranks and threads. Collective. */
mlpd_status column_inputs_find(mlpd_comm *comm, part *train, preparation *p);

/* Makes the network of the options for these inputs, as network_of_options(). */
mlpd_status column_inputs_network(const preparation *p, uint32_t outputs, bool shape_alone, mlpd_network **network);

/* Replacements for NaN in statistics (features); NULL: nothing is missing. */
const double *column_inputs_fill(const preparation *p);

/* Bytes that medians of columns with missing values take while they are found, on each rank. */
uint64_t column_inputs_size(const preparation *p);

#endif
