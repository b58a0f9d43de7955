/* The state dict of a PyTorch network, whatever file holds it, as layers. Nothing here is collective. */
#ifndef MLPDIST_IMPORT_STATE_H
#define MLPDIST_IMPORT_STATE_H

#include "import/import.h"

enum { IMPORT_NAME_BYTES = 200 };

/* An array of the dict. */
typedef struct import_array {
  char name[IMPORT_NAME_BYTES]; /* "fc1.weight" */
  int rank;
  uint64_t rows, columns;
  double *values; /* (rows, columns) */
} import_array;

/* Refuses a name that no array of a known layer has. has_values: its values are needed (a counter's are not). */
mlpd_status import_state_name(const char *name, bool *has_values);

/* The layers of all arrays: in the order of the list `layers` of their names, or if that is NULL of the arrays, or if
 * these have none, in the one that names and widths tell. Arrays named kernel become weights. */
mlpd_status import_state(import_array *arrays, size_t count, bool in_order, const char *layers, import_chain *chain);

#endif
