/* The modules of a state dict, and their order where the file does not keep it. Nothing here is collective. */
#ifndef MLPDIST_IMPORT_STATE_ORDER_H
#define MLPDIST_IMPORT_STATE_ORDER_H

#include "import/import_state.h"

/* Arrays of a module, by the ends of their names. */
enum { STATE_WEIGHT, STATE_BIAS, STATE_MEAN, STATE_VARIANCE, STATE_COUNTER, STATE_NUM_PARTS };

typedef struct state_module {
  const char *name; /* its first `stem` characters */
  int stem;
  const import_array *parts[STATE_NUM_PARTS]; /* NULL: it has none */
} state_module;

bool state_is_linear(const state_module *m);

/* Puts the modules into the order of a list of their names, "fc1,fc2,out", each of which it holds once. */
mlpd_status state_order_as_told(state_module *modules, size_t count, const char *list);

/* Puts modules, each linear or a norm, into the one order in which each takes as many values as the one before gives,
 * and numbers after the same text rise ("net.0", "net.2"). MLPD_ERROR_USAGE if there are several, or none. */
mlpd_status state_order_by_widths(state_module *modules, size_t count);

#endif
