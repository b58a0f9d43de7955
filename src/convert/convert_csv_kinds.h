/* What the columns of a text table are: numbers, or categories, which are gathered; columns that are neither are left
 * out. Nothing here is collective. */
#ifndef MLPDIST_CONVERT_CSV_KINDS_H
#define MLPDIST_CONVERT_CSV_KINDS_H

#include "convert/convert_csv_internal.h"

enum { CSV_EARLY_ROWS = 1000 }; /* after which a column of texts is known to be one */

/* Categories as the options, or a model, want them. */
mlpd_status csv_kinds_begin(csv_source *c);

/* After the first rows, or (all) after all of them: makes columns of texts categories and leaves out those that are of
 * no use. *changed: the rows must be gathered once more. */
mlpd_status csv_kinds_judge(csv_source *c, bool all, bool *changed);

/* Like the first table of several: its categories are gathered further, and what it has left out is left out here. */
mlpd_status csv_kinds_follow(source *s, const source *first);

/* The category of a cell to its set, or its code from there. */
mlpd_status csv_kinds_take(csv_source *c, uint32_t column, const csv_cell *cell, number *parsed);

void csv_kinds_free(csv_source *c);

#endif
