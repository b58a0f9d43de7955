/* --embed-numbers auto: two runs, without and with numbers in bins, and the choice between their models.
 *
 * Each is a run like any other, in a folder of its own within the run folder: so it has checkpoints, and resumes, as
 * any run does. The run folder gets copies of the chosen run's files; a table that was converted lies there, for both.
 * A choice that was killed is made again by --resume auto: a run that has ended then only evaluates its model. */
#ifndef MLPDIST_RUN_CHOICE_H
#define MLPDIST_RUN_CHOICE_H

#include "run/run.h"

/* mlpd_train_model() for options of which embed_numbers is auto. Collective. */
mlpd_status run_choice(const char *function, mlpd_comm *comm, const mlpd_train_options *options,
                       const mlpd_train_events *events, mlpd_train_result *result, mlpd_model **model);

#endif
