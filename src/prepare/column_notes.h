/* Notes on what the columns of the training rows hold. */
#ifndef MLPDIST_COLUMN_NOTES_H
#define MLPDIST_COLUMN_NOTES_H

#include "data/normalize.h"
#include "prepare/prepare.h"

/* A note where every column holds the same value in all training rows (total: their statistics), so that there is
 * nothing by which the network could tell rows apart. Collective. */
void column_notes_constant(mlpd_comm *comm, const mlpd_train_events *events, const preparation *p,
                           const column_statistics *total);

#endif
