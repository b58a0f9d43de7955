/* Dates and times of ISO 8601: 2021-03-15, 2021-03-15T10:20, 2021-03-15 10:20:30.5+02:00. Nothing here is collective.
 */
#ifndef MLPDIST_CONVERT_DATE_H
#define MLPDIST_CONVERT_DATE_H

#include <stdbool.h>

enum { DATE_FEATURES = 3 };

typedef struct date {
  int year, day_of_year; /* as written, from 1 */
  double seconds;        /* since 1970-01-01 in UTC, or in the time that is meant where no zone is written */
} date;

/* Is the text [begin, end) such a date, and nothing else? */
bool date_parse(const char *begin, const char *end, date *parsed);

/* Does it look like one that is written otherwise: 15/03/2021, 15.3.2021, 15-Mar-2021? */
bool date_is_foreign(const char *begin, const char *end);

/* What feature i of a date is called after the column's name: ".year", ".day_of_year", ".seconds". */
extern const char *const date_suffixes[DATE_FEATURES];

/* true for a time of day or a span: 10:20, 10:20:30.5, 1:05 PM. */
bool date_is_time(const char *begin, const char *end);

#endif
