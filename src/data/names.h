/* Names of columns, targets and classes. Any list may be empty; data is then matched by position. Nothing here is
 * collective. */
#ifndef MLPDIST_NAMES_H
#define MLPDIST_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

typedef struct name_list {
  char **names;   /* (count), owned; may contain duplicates and empty names */
  uint64_t count; /* 0: there are no names */
} name_list;

typedef struct data_names {
  name_list columns; /* of the columns of x, in order */
  name_list targets; /* of the columns of y */
  name_list classes; /* of classes 0, 1, ... */
  name_list labels; /* whole numbers in a table for which --class-names gave the names of classes, as texts, in order */
  name_list left_out; /* of the columns of the table that are in neither x nor y */
} data_names;

/* Copies names (count); *made is empty on failure. */
mlpd_status name_list_copy(const char *const *names, uint64_t count, name_list *made);
mlpd_status name_list_add(name_list *list, const char *name);   /* a copy */
mlpd_status name_list_numbers(uint64_t count, name_list *made); /* "0", "1", ... */
void name_list_free(name_list *list);
void data_names_free(data_names *names);

/* MLPD_ERROR_DATA if the list, which was read from object of file, contains a name twice. */
mlpd_status name_list_check(const name_list *list, const char *file, const char *object);

bool name_list_holds(const name_list *list, const char *name);
bool name_list_is_numbers(const name_list *list); /* true for "0", "1", ... */

/* The columns of a table without a header, where their kinds must be known, are called "column 0", "column 1", ... */
#define NAME_PLACE "column "

/* true if all names are such, as "column 3.year" is */
bool names_are_places(const char *const *names, uint64_t count);

/* Two lists matched by name; if those of one alone are places, in order. Equal names are matched in order: the first
 * with the first, the second with the second. */
typedef struct name_match {
  uint32_t *from;            /* (wanted.count) index in given, or NAME_ABSENT */
  uint32_t *to;              /* (given.count) index in wanted, or NAME_ABSENT */
  uint64_t missing, unknown; /* number of wanted names that are not given, and of given names that are not wanted */
  bool in_order;             /* none missing, none unknown, in the same order */
} name_match;

static const uint32_t NAME_ABSENT = UINT32_MAX;

mlpd_status name_match_make(const name_list *wanted, const name_list *given, name_match *made);
void name_match_free(name_match *match);

/* Writes "'age', 'height' and 3 more" to text (size): the names whose place[i] is NAME_ABSENT (place NULL: all names),
 * as many as fit. */
void name_list_print(const name_list *list, const uint32_t *place, char *text, size_t size);

#endif
