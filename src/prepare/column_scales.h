/* Scales of the columns, from statistics of the training part: the model's input and target maps. No function here is
 * collective unless its comment says so. */
#ifndef MLPDIST_COLUMN_SCALES_H
#define MLPDIST_COLUMN_SCALES_H

#include "prepare/prepare.h"

/* Resolves --normalize auto from the properties of x: an image is scaled by one range, a table column by column.
 * Returns auto if only the values can decide between scale and mixed: see column_statistics_alike. */
mlpd_normalize column_scales_kind(const part *train);

/* Is the part a table? Images are none, nor are bytes whose columns have no kinds. */
bool column_scales_table(const part *train);

/* Do the scales of inputs need the deviations of columns, besides their sums? */
bool column_scales_deviations(const preparation *p);

/* Are the targets standardised? Yes if the output can be any number; probabilities stay as they are. */
bool column_scales_targets(const preparation *p);

/* Resolves p->options.normalize, fills the model's input and target maps, and maps the targets read so far. Refuses
 * targets that the loss cannot fit; notes whole numbers that a double rounds. Collective. */
mlpd_status column_scales_find(mlpd_comm *comm, const mlpd_train_events *events, preparation *p);

/* Bytes on each rank for the quantiles and curves of a training part of so many rows; the memory for rows includes
 * statistics. */
uint64_t column_scales_size(const preparation *p, uint64_t rows);
uint64_t column_scales_kept(const preparation *p, uint64_t rows); /* the part that stays: the curves */

#endif
