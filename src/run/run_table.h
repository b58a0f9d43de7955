/* Raw tables as the data of a run: converted once into its folder. */
#ifndef MLPDIST_RUN_TABLE_H
#define MLPDIST_RUN_TABLE_H

#include "run/run.h"

/* Does options->data name raw tables? Then rank 0 makes the run folder, where they will be converted to; and options
 * that raw tables alone have are noted where data is none. Collective. */
mlpd_status run_table_find(trainer *t, const mlpd_train_options *options);

/* Converts raw tables, unless that was done before, and options->data names the file made. Collective. */
mlpd_status run_table_convert(trainer *t, mlpd_train_options *options);

/* Removes a folder that run_table_find() made and nothing was written into: for a run that did not begin. */
void run_table_end(const trainer *t, const char *folder);

#endif
