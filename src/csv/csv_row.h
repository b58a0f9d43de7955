/* The rows of a CSV file, one after the other, as numbers. Nothing here is collective. */
#ifndef MLPDIST_CSV_ROW_H
#define MLPDIST_CSV_ROW_H

#include "csv/csv_internal.h"

/* Finds the next row without faults and, in the second pass, without missing values, and parses it into c->numbers and
 * c->label_cell. */
mlpd_status csv_next_row(csv_source *c, bool *found, row_state *state);

/* Fails: the second pass found another row than the first. */
mlpd_status csv_changed_error(const csv_source *c);

#endif
