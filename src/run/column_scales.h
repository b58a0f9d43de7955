/* Scales of the columns, from statistics of the training part: the model's input and target maps. No function here is
 * collective unless its comment says so. */
#ifndef MLPDIST_COLUMN_SCALES_H
#define MLPDIST_COLUMN_SCALES_H

#include "run/prepare.h"

/* --normalize auto as far as the file says what x is: an image is scaled by one range, a table column by column. auto
 * remains where only the values can tell, see column_statistics_alike. */
mlpd_normalize column_scales_kind(const part *train);

/* Are the targets standardised? Where the output can be any number; probabilities stay as they are. */
bool column_scales_targets(const preparation *p);

/* Settles p->options.normalize, fills the model's input and target, and maps the targets read so far. Refuses targets
 * that the loss cannot fit; notes whole numbers that doubles round. Collective. */
mlpd_status column_scales_find(mlpd_comm *comm, const mlpd_train_events *events, preparation *p);

#endif
