/* Names what the texts of a column are, where they are numbers in a form that is not read. Nothing here is collective.
 */
#ifndef MLPDIST_CSV_FORMS_H
#define MLPDIST_CSV_FORMS_H

#include <stdbool.h>

#include "csv/csv.h"
#include "source/category_set.h"

/* The form that all texts have, and what to do, as the end of "column v is left out: "; NULL: none is known. *amounts:
 * they are amounts, whose order categories lose. */
const char *csv_form_of(const category_set *set, bool *amounts);

/* The same for dates that are not read as such; NULL: the first text is no date. */
const char *csv_form_of_dates(const category_set *set);

/* That of numbers with other texts behind them. */
extern const char csv_form_united[];

/* Lists these texts, which may be flags; false: they are too many, or all numbers have one, so that they are units. */
bool csv_form_flags(const category_set *set, char list[CSV_FLAGS_BYTES]);

#endif
