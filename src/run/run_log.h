/* Metrics in other forms beside metrics.csv, made from its rows: JSON lines, and the event files of TensorBoard. So a
 * run that goes on writes its former epochs, too, without keeping them in checkpoints twice. Nothing here is
 * collective. */
#ifndef MLPDIST_RUN_LOG_H
#define MLPDIST_RUN_LOG_H

#include "model/run_file.h"
#include "run/growing_file.h"

typedef enum run_log { RUN_LOG_JSON, RUN_LOG_EVENTS, NUM_RUN_LOGS } run_log;

/* Does option --log, a list of mlpd_log_choices, name it? list NULL: no. */
bool run_log_wanted(const char *list, run_log log);

run_file run_log_file(run_log log); /* whose name run_file_name() gives */

/* Begins the content of a log. */
mlpd_status run_log_begin(run_log log, growing_file *g);

/* Adds a row of metrics.csv, whose first line is head. Empty fields, and those that are no finite number, are null in
 * JSON; no event has an empty one. */
mlpd_status run_log_add(run_log log, const char *head, const char *row, growing_file *g);

#endif
