/* Names of a table's columns, targets and classes. A list may be absent: without names, data goes by position. Nothing
 * here is collective. */
#ifndef MLPDIST_NAMES_H
#define MLPDIST_NAMES_H

#include <stdbool.h>
#include <stddef.h>
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

/* Copies names (count); *made is empty on failure. */
mlpd_status name_list_copy(const char *const *names, uint64_t count, name_list *made);
mlpd_status name_list_numbers(uint64_t count, name_list *made); /* "0", "1", ... */
void name_list_free(name_list *list);
void data_names_free(data_names *names);

bool name_list_equal(const name_list *a, const name_list *b);
/* MLPD_ERROR_DATA where a name of list, which object of file holds, stands there twice. */
mlpd_status name_list_check(const name_list *list, const char *file, const char *object);

bool name_list_holds(const name_list *list, const char *name);
bool name_list_is_numbers(const name_list *list); /* "0", "1", ... */

/* Two lists matched by name: of equal names the first of one list meets the first of the other, the second the second.
 */
typedef struct name_match {
  uint32_t *from;            /* (wanted.count) the place in given, or NAME_ABSENT */
  uint32_t *to;              /* (given.count) the place in wanted, or NAME_ABSENT */
  uint64_t missing, unknown; /* wanted names that are not given, and the other way round */
  bool in_order;             /* all there, none unknown, in the same order */
} name_match;

static const uint32_t NAME_ABSENT = UINT32_MAX;

mlpd_status name_match_make(const name_list *wanted, const name_list *given, name_match *made);
void name_match_free(name_match *match);

/* "'age', 'height' and 3 more": the names whose place is NAME_ABSENT (place NULL: all), as many as fit. text (size). */
void name_list_print(const name_list *list, const uint32_t *place, char *text, size_t size);

#endif
