/* Decides whether the columns of a text table are numbers or categories, and collects the categories. Columns that are
 * neither are left out. Nothing here is collective. */
#ifndef MLPDIST_CSV_KINDS_H
#define MLPDIST_CSV_KINDS_H

#include "csv/csv_internal.h"

enum { CSV_EARLY_ROWS = 1000 }; /* rows after which columns of texts are recognised */

/* Marks the columns that the options, or a model, require to be categories. */
mlpd_status csv_kinds_begin(csv_source *c);

/* After the first rows, or (all) after all rows: turns columns of texts into categories and leaves out useless columns.
 * *changed: the rows must be read again. */
mlpd_status csv_kinds_judge(csv_source *c, bool all, bool *changed);

/* For further tables: adds to the categories of the first table, and leaves out the columns that it left out. */
mlpd_status csv_kinds_follow(source *s, const source *first);

/* In the first pass, adds the cell's category to its set; in the second, returns its code. */
mlpd_status csv_kinds_take(csv_source *c, uint32_t column, const csv_cell *cell, number *parsed);

void csv_kinds_free(csv_source *c);

#endif
