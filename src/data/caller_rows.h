/* The caller's arrays (mlpd_rows, mlpd_output): reads blocks of rows into the network's inputs, and writes the
 * network's outputs. Nothing here is collective. */
#ifndef MLPDIST_CALLER_ROWS_H
#define MLPDIST_CALLER_ROWS_H

#include "data/affine.h"

/* MLPD_ERROR_USAGE if the array is not (rows, columns) or cannot be read or written; `what` names it in the message. */
mlpd_status caller_rows_check(const mlpd_rows *rows, const char *what, uint64_t expected_rows, uint32_t columns);
mlpd_status caller_output_check(const mlpd_output *output, const char *what, uint64_t expected_rows, uint32_t columns);

bool caller_rows_in_c_order(const mlpd_rows *rows); /* without gaps */

/* Stores rows [first, first + n) in out (n, columns), mapped to the same bits as affine_gather maps rows of a data set.
 * scratch has room for n rows of 8-byte elements; it is used if the rows are not in C order. */
void caller_rows_gather(const mlpd_rows *rows, const affine *map, uint64_t first, uint64_t n, void *scratch,
                        float *out);

/* out (n, columns), in C order, gets rows [first, first + n) as they are. */
void caller_rows_copy(const mlpd_rows *rows, uint64_t first, uint64_t n, void *out);

/* Element (i, j), which must be of a floating point type, as a double. */
double caller_rows_value(const mlpd_rows *rows, uint64_t i, uint32_t j);

void caller_output_set(const mlpd_output *output, uint64_t i, uint32_t j, double value);

#endif
