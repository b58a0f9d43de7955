/* Named sets of options. Nothing here is collective. */
#ifndef MLPDIST_PRESET_H
#define MLPDIST_PRESET_H

#include "mlpdist.h"

/* Gives options that were not chosen the preset's values; those that depend on the task once it is known. */
void preset_apply(mlpd_train_options *options);

/* Will the preset decide this option when the task is known? */
bool preset_waits(const mlpd_train_options *options, const char *name);

#endif
