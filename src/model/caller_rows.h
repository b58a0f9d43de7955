/* The caller's arrays (mlpd_rows, mlpd_output): a block of rows read from one into the network's inputs, and written
 * from the network's floats to one. Nothing here is collective. */
#ifndef MLPDIST_CALLER_ROWS_H
#define MLPDIST_CALLER_ROWS_H

#include "data/affine.h"

/* MLPD_ERROR_USAGE, naming the array as what, where it is not (rows, columns) or cannot be read or written. */
mlpd_status caller_rows_check(const mlpd_rows *rows, const char *what, uint64_t expected_rows, uint32_t columns);
mlpd_status caller_output_check(const mlpd_output *output, const char *what, uint64_t expected_rows, uint32_t columns);

/* out (n, columns) gets rows [first, first + n), mapped as affine_gather maps rows of a data set: the same bits.
 * scratch holds n rows of 8 byte elements; it is used where rows do not lie in C order. */
void caller_rows_gather(const mlpd_rows *rows, const affine *map, uint64_t first, uint64_t n, void *scratch,
                        float *out);

/* Element (i, j), which must be of a floating point type, as a double. */
double caller_rows_value(const mlpd_rows *rows, uint64_t i, uint32_t j);

void caller_output_set(const mlpd_output *output, uint64_t i, uint32_t j, double value);

#endif
