/* Columns of a few whole numbers beside texts that occur again and again: categories, as grades of K, 1, 2, or numbers
 * of children of 0, 1, 2, 3+. Nothing here is collective. */
#ifndef MLPDIST_CSV_MIXED_H
#define MLPDIST_CSV_MIXED_H

#include "csv/csv_internal.h"

/* May the column be one, as far as the texts say that were not read? Its set of categories will show it. */
bool csv_mixed_may_be(const csv_source *c, uint32_t column);

/* Is it one, by the categories of all rows? *mostly_texts: more than half of the rows hold texts. */
bool csv_mixed_is(const csv_source *c, const category_set *set, bool *mostly_texts);

#endif
