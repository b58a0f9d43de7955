/* The names in a run's data, as checkpoints keep them: one a line, "column width", "target y", "class setosa",
 * "category red of colour". Nothing here is collective. */
#ifndef MLPDIST_RUN_NAMES_H
#define MLPDIST_RUN_NAMES_H

#include "model/model.h"

/* The text for a model that has taken the names of its data. The caller frees it. */
mlpd_status run_names_text(const mlpd_model *model, char **text);

/* MLPD_ERROR_DATA if a name in theirs is another in ours, in words about the first. Kinds of names that theirs lacks
 * are not compared, nor is anything if theirs is NULL. data names the file in the message. */
mlpd_status run_names_compare(const char *theirs, const char *ours, const char *data);

#endif
