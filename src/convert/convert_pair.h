/* Row sources that read arrays. Nothing here is collective. */
#ifndef MLPDIST_CONVERT_PAIR_H
#define MLPDIST_CONVERT_PAIR_H

#include "convert/convert_array.h"
#include "source/source.h"

/* Opens x and y from separate arrays; y may be NULL. Takes ownership of both, also on failure. */
mlpd_status pair_source_open(input_array *x, input_array *y, meter *m, source **opened);

/* Opens one array (rows, columns) of which one column is the label (as in mlpd_convert_options). leave_out: the label
 * is not read. Takes ownership of array, also on failure. */
mlpd_status column_source_open(input_array *array, const char *label, bool leave_out, meter *m, source **opened);

#endif
