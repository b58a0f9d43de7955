/* Columns in a model's file. Of those that are inputs as they are, the kinds, if some are yes/no; else the objects of
 * data/columns.h; /input/fill (columns), what stands for a missing number, float64; /input/marked (columns), 1 where an
 * input tells that a value is missing; and /input/category_input (all categories, column after column), the place of a
 * category among the inputs of its column, or -1; /input/embedded (columns), 1 where the place is a code that the
 * network embeds, if there are any. Nothing here is collective. */
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
