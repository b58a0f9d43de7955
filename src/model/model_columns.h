/* Columns in a model's file. If each column is one input, unchanged: their kinds alone, and only if some are yes/no.
 * Otherwise:
 *   the objects of data/columns.h
 *   /input/fill (columns)              float64, the number that replaces a missing one
 *   /input/marked (columns)            1: an input of the column is 1 if the value is missing
 *   /input/category_input (categories) of all columns, one after the other: the input of a category, from 0 in its
 *                                      column; -1: none
 *   /input/embedded (columns)          1: this input is a code that the network embeds; absent if no column has one
 * Nothing here is collective. */
#ifndef MLPDIST_MODEL_COLUMNS_H
#define MLPDIST_MODEL_COLUMNS_H

#include "h5/h5.h"
#include "model/model.h"

mlpd_status model_columns_write(h5_file *file, const mlpd_model *model);

/* Reads what the file has, for a model of so many columns. */
mlpd_status model_columns_read(h5_file *file, uint32_t columns, mlpd_model *model);

/* Are places of categories, fills and marks possible? */
mlpd_status model_columns_check(const column_codes *c);

/* Columns of x that a model in this file takes. */
mlpd_status model_columns_count(h5_file *file, uint32_t *columns);

#endif
