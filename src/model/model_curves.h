/* Curves of the input columns in a model's file: /input/curves/first, x and z, the arrays of data/column_curves.h.
 * Nothing here is collective. */
#ifndef MLPDIST_MODEL_CURVES_H
#define MLPDIST_MODEL_CURVES_H

#include "data/column_curves.h"
#include "h5/h5.h"
#include "model/model.h"

mlpd_status model_curves_write(h5_file *file, const column_curves *curves);

/* x ascends in each column, and slopes are finite. */
mlpd_status model_curves_check(const column_curves *curves);

/* Reads the curves of a's columns, if the file has any. */
mlpd_status model_curves_read(h5_file *file, affine *a);

#endif
