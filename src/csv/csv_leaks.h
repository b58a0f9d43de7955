/* Finds features that determine the target, such as a copy of it in other words or units: new rows will not have them.
 * Only the first table is searched, and only if it has several features. Nothing here is collective. */
#ifndef MLPDIST_CSV_LEAKS_H
#define MLPDIST_CSV_LEAKS_H

#include "csv/csv_internal.h"

/* Starts anew for the features of c, before its first row. */
mlpd_status csv_leaks_begin(csv_source *c);

/* Compares the current row's features with its label: its text, and its value if it is a number (else NaN). */
mlpd_status csv_leaks_see(csv_source *c, const char *text, size_t length, double value);

void csv_leaks_report(const csv_source *c);
void csv_leaks_free(csv_source *c);

#endif
