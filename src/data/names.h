/* Names of a table's columns, targets and classes. A list may be absent: without names, data goes by position. */
#ifndef MLPDIST_NAMES_H
#define MLPDIST_NAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

typedef struct name_list {
  char **names;   /* (count), owned; duplicates and empty names occur */
  uint64_t count; /* 0: no names are known */
} name_list;

typedef struct data_names {
  name_list columns; /* of x, in its order */
  name_list targets; /* of y */
  name_list classes; /* of the labels 0, 1, ... */
} data_names;

/* Copies names (count); *made is empty on failure. Not collective. */
mlpd_status name_list_copy(const char *const *names, uint64_t count, name_list *made);
void name_list_free(name_list *list);    /* Not collective */
void data_names_free(data_names *names); /* Not collective */

#endif
