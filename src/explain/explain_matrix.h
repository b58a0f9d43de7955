/* Numbers and matrices as text. */
#ifndef MLPDIST_EXPLAIN_MATRIX_H
#define MLPDIST_EXPLAIN_MATRIX_H

#include "mlpdist.h"

/* A matrix (rows, columns), rows `stride` floats apart. */
typedef struct explain_matrix {
  const float *values;
  uint64_t rows;
  uint32_t columns, stride;
} explain_matrix;

explain_matrix explain_matrix_of(mlpd_tensor_view tensor);

/* Element (i, j) of a matrix that is computed, not stored. */
typedef double explain_value(const void *context, uint64_t i, uint32_t j);

/* Print formula, shape and numbers, 80 columns wide; of a large matrix the first rows and columns. */
void explain_print_matrix(FILE *stream, uint64_t digits, const char *formula, explain_matrix matrix);
void explain_print_values(FILE *stream, uint64_t digits, const char *formula, uint64_t rows, uint32_t columns,
                          explain_value *value, const void *context);

/* As explain_print_values, but a row that is wider than a line, of up to 64 columns, goes on in the lines below. */
void explain_print_folded(FILE *stream, uint64_t digits, const char *formula, uint64_t rows, uint32_t columns,
                          explain_value *value, const void *context);
void explain_print_folded_matrix(FILE *stream, uint64_t digits, const char *formula, explain_matrix matrix);

/* value with this many decimals, never as -0.000, in buffer. */
const char *explain_number(double value, uint64_t decimals, char buffer[32]);

/* Likewise, but with an exponent where decimals would show next to nothing. */
const char *explain_cost(double value, uint64_t decimals, char buffer[32]);

#endif
