/* Whether values of a data set can be used: finite, and not too large. Nothing here is collective. */
#ifndef MLPDIST_VALUE_CHECK_H
#define MLPDIST_VALUE_CHECK_H

#include "data/dataset.h"

/* Checks data (count, columns), which are the rows of the array at path from `row` on. MLPD_ERROR_DATA if a value is
 * not finite or too large; integers are always good. */
mlpd_status value_check(const part *p, const char *path, element_type type, const void *data, uint64_t row,
                        uint64_t count, uint64_t columns);

/* Returns MLPD_ERROR_DATA: this value of the array at path (any, columns) cannot be used. */
mlpd_status value_fail(const part *p, const char *path, double value, uint64_t row, uint64_t column, uint64_t columns);

#endif
