/* Lists the files that the option data names: a file, several files separated by commas, or all files of a folder.
 * Nothing here is collective. */
#ifndef MLPDIST_TABLE_INPUTS_H
#define MLPDIST_TABLE_INPUTS_H

#include "base/status.h"

typedef struct table_inputs {
  char **paths; /* (count) */
  int count;
} table_inputs;

/* Makes the list. Free it with table_inputs_free, also on failure. */
mlpd_status table_inputs_list(const char *data, table_inputs *made);
void table_inputs_free(table_inputs *inputs);

#endif
