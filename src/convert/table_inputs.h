/* The files that the option data names: one, several between commas, or those of a folder. Nothing here is collective.
 */
#ifndef MLPDIST_TABLE_INPUTS_H
#define MLPDIST_TABLE_INPUTS_H

#include "base/status.h"

typedef struct table_inputs {
  char **paths; /* (count) */
  int count;
} table_inputs;

/* Free with table_inputs_free, on failure too. */
mlpd_status table_inputs_list(const char *data, table_inputs *made);
void table_inputs_free(table_inputs *inputs);

#endif
