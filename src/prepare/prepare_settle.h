/* Resolves what the options of a run leave to it, once the data is known. Nothing here is collective. */
#ifndef MLPDIST_PREPARE_SETTLE_H
#define MLPDIST_PREPARE_SETTLE_H

#include "prepare/prepare.h"

/* Task, preset, loss, output activation and normalisation, from the training part. */
mlpd_status preparation_settle_task(preparation *p, const part *train);

/* Batch and lanes, for this number of training rows. */
void preparation_settle_lanes(mlpd_comm *comm, const mlpd_train_events *events, preparation *p, uint64_t rows);

void preparation_settle_valid_fraction(mlpd_train_options *o, uint64_t rows, bool valid_in_file);

void preparation_settle_epochs(mlpd_train_options *o, uint64_t steps_per_epoch);

/* Checks options that name an epoch against the number of epochs, unless that is still auto: it is then settled, and
 * checked, when the rows are known. */
mlpd_status preparation_check_epochs(const mlpd_train_options *options);

/* On rank 0; events and its notice may be NULL. */
void preparation_notice(mlpd_comm *comm, const mlpd_train_events *events, const char *message);

#endif
