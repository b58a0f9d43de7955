/* Raw tables as the data of a run: converted once, into the run folder. */
#ifndef MLPDIST_RUN_TABLE_H
#define MLPDIST_RUN_TABLE_H

#include "run/run.h"

/* Where the converted file of the run lies: its run folder or, of a choice, that of the whole. */
const char *run_table_folder(const trainer *t, const mlpd_train_options *options);

/* If options->data names raw tables, rank 0 makes the run folder for the converted file. If it does not, notes options
 * that only apply to raw tables. Collective. */
mlpd_status run_table_find(trainer *t, const mlpd_train_options *options);

/* Converts raw tables, unless an earlier run has, and lets options->data name the converted file. Collective. */
mlpd_status run_table_convert(trainer *t, mlpd_train_options *options);

/* When the run has taken over its folder: puts the converted file in its place, and removes one of a former run. On
 * rank 0, before the first model is written, so that a converted.h5 beside a model is that model's. Not collective. */
mlpd_status run_table_settle(trainer *t, const char *folder);

/* Reports on rank 0 how the columns of a table are used, unless every column is an input unchanged. */
void run_table_tell(const trainer *t);

/* For a run that did not begin: its message names the data that the user gave, not the file that was converted from it.
 */
void run_table_name_data(const trainer *t);

/* The events of the preparation of t: notes that name the converted file name the data that the user gave instead. */
mlpd_train_events run_table_events(trainer *t);

/* For a run that did not begin: removes the table that waits to be taken over, and the folder that run_table_find()
 * made, if it is empty. */
void run_table_end(const trainer *t);

#endif
