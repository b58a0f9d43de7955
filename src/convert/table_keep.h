/* Columns of raw text tables that `predict --keep` copies beside the predictions. They are read once more, row by row,
 * in the order in which the rows were converted. Nothing here is collective. */
#ifndef MLPDIST_TABLE_KEEP_H
#define MLPDIST_TABLE_KEEP_H

#include "source/spool.h"

typedef struct table_keeper table_keeper;

/* Opens the tables that data names for the columns that data->table.keep lists. streams: the copies of those that are
 * streams, borrowed. Free with table_keeper_free. */
mlpd_status table_keeper_create(const mlpd_data_paths *data, const spools *streams, table_keeper **made);
void table_keeper_free(table_keeper *k); /* NULL is allowed. */

uint32_t table_keeper_columns(const table_keeper *k);
const char *table_keeper_name(const table_keeper *k, uint32_t column); /* or its number, where there are no names */

/* The cells of the next row; table_keeper_cell() has the text of each until the next call. */
mlpd_status table_keeper_next(table_keeper *k);
const char *table_keeper_cell(const table_keeper *k, uint32_t column);

#endif
