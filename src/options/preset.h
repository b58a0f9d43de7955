/* Named sets of options. Nothing here is collective. */
#ifndef MLPDIST_PRESET_H
#define MLPDIST_PRESET_H

#include "mlpdist.h"

/* Gives options that were not chosen the preset's values; those that depend on the task once it is known. */
void preset_apply(mlpd_train_options *options);

/* The data is known: MLPD_PRESET_AUTO becomes tabular for a table, but with automatic epochs, and none for all else. */
void preset_decide(bool table, mlpd_train_options *options);

#endif
