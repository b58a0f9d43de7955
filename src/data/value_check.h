/* Whether values of a data set can be used: finite, and not too large. Nothing here is collective. */
#ifndef MLPDIST_VALUE_CHECK_H
#define MLPDIST_VALUE_CHECK_H

#include "data/dataset.h"

/* Checks data (count, columns): the rows of array path from row on. Integers are always good. */
mlpd_status value_check(const part *p, const char *path, element_type type, const void *data, uint64_t row,
                        uint64_t count, uint64_t columns);

/* Fails: this value of array path (any, columns) cannot be used. */
mlpd_status value_fail(const part *p, const char *path, double value, uint64_t row, uint64_t column, uint64_t columns);

#endif
