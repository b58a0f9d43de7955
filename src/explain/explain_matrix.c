#include "explain/explain_matrix.h"

#include <math.h>
#include <string.h>

enum { WIDTH = 80, FORMULA = 38, SHAPE = 7, MOST_ROWS = 12, MOST_FOLDED = 64 };

static const double LARGE = 1e6; /* from here on with an exponent */

const char *explain_number(double value, uint64_t decimals, char buffer[32]) {
  if (!(fabs(value) < LARGE)) {
    (void)snprintf(buffer, 32, "%.*e", (int)decimals - 1, value);
    return buffer;
  }
  (void)snprintf(buffer, 32, "%.*f", (int)decimals, value);
  const bool is_zero = strspn(buffer, "-0.") == strlen(buffer);
  if (is_zero) (void)snprintf(buffer, 32, "%.*f", (int)decimals, 0.0);
  return buffer;
}

const char *explain_cost(double value, uint64_t decimals, char buffer[32]) {
  const bool is_small = value > 0 && value < 100 * pow(10, -(double)decimals);
  if (!is_small) return explain_number(value, decimals, buffer);
  (void)snprintf(buffer, 32, "%.*e", (int)decimals - 1, value);
  return buffer;
}

static int number_width(uint64_t digits) { return digits < 5 ? 8 : (int)digits + 4; }

explain_matrix explain_matrix_of(mlpd_tensor_view tensor) {
  return (explain_matrix){tensor.values, tensor.rows, tensor.columns, tensor.stride};
}

/* What is printed: its elements come from a function. */
typedef struct number_source {
  uint64_t rows;
  uint32_t columns;
  explain_value *value;
  const void *context;
} number_source;

static void print_row(FILE *stream, uint64_t digits, const number_source *source, uint64_t i, uint32_t shown) {
  char b[32];
  (void)fprintf(stream, " [");
  for (uint32_t j = 0; j < shown; j++)
    (void)fprintf(stream, " %*s", number_width(digits),
                  explain_number(source->value(source->context, i, j), digits, b));
  (void)fprintf(stream, "  ]\n");
}

/* The columns that fit behind this many characters. */
static uint32_t fitting(int before, uint64_t digits) {
  return (uint32_t)((WIDTH - before - 5) / (number_width(digits) + 1));
}

void explain_print_values(FILE *stream, uint64_t digits, const char *formula, uint64_t all_rows, uint32_t all_columns,
                          explain_value *value, const void *context) {
  char shape[48];
  const number_source source = {all_rows, all_columns, value, context};
  const int length = snprintf(shape, sizeof shape, "(%llu, %u)", (unsigned long long)all_rows, all_columns);
  const uint32_t beside = fitting(FORMULA + SHAPE + 3, digits), below = fitting(2, digits);
  const bool is_beside = all_columns <= beside && length <= SHAPE && strlen(formula) <= FORMULA;
  const uint32_t columns = all_columns <= below ? all_columns : below;
  const uint64_t rows = all_rows <= MOST_ROWS ? all_rows : MOST_ROWS;
  if (!is_beside) (void)fprintf(stream, "  %-*s %s\n", FORMULA, formula, shape);
  for (uint64_t i = 0; i < rows; i++) {
    if (is_beside)
      (void)fprintf(stream, "  %-*s %-*s", FORMULA, i == 0 ? formula : "", SHAPE, i == 0 ? shape : "");
    else
      (void)fprintf(stream, "  ");
    print_row(stream, digits, &source, i, columns);
  }
  if (columns < all_columns || rows < all_rows)
    (void)fprintf(stream, "   ... (shown: %llu of %llu rows, %u of %u columns)\n", (unsigned long long)rows,
                  (unsigned long long)all_rows, columns, all_columns);
}

/* A row in lines of so many columns. */
static void print_folded_row(FILE *stream, uint64_t digits, const number_source *source, uint64_t i, uint32_t line) {
  char b[32];
  for (uint32_t j = 0; j < source->columns; j++) {
    if (j % line == 0) (void)fprintf(stream, "%s", j == 0 ? "   [" : "\n    ");
    (void)fprintf(stream, " %*s", number_width(digits),
                  explain_number(source->value(source->context, i, j), digits, b));
  }
  (void)fprintf(stream, "  ]\n");
}

void explain_print_folded(FILE *stream, uint64_t digits, const char *formula, uint64_t rows, uint32_t columns,
                          explain_value *value, const void *context) {
  const number_source source = {rows, columns, value, context};
  const uint32_t line = fitting(2, digits);
  if (columns <= line || columns > MOST_FOLDED) {
    explain_print_values(stream, digits, formula, rows, columns, value, context);
    return;
  }
  const uint64_t shown = rows <= MOST_ROWS ? rows : MOST_ROWS;
  (void)fprintf(stream, "  %-*s (%llu, %u)\n", FORMULA, formula, (unsigned long long)rows, columns);
  for (uint64_t i = 0; i < shown; i++) print_folded_row(stream, digits, &source, i, line);
  if (shown < rows)
    (void)fprintf(stream, "   ... (shown: %llu of %llu rows)\n", (unsigned long long)shown, (unsigned long long)rows);
}

static double element(const void *context, uint64_t i, uint32_t j) {
  const explain_matrix *const matrix = context;
  return (double)matrix->values[i * matrix->stride + j];
}

void explain_print_matrix(FILE *stream, uint64_t digits, const char *formula, explain_matrix matrix) {
  explain_print_values(stream, digits, formula, matrix.rows, matrix.columns, element, &matrix);
}

void explain_print_folded_matrix(FILE *stream, uint64_t digits, const char *formula, explain_matrix matrix) {
  explain_print_folded(stream, digits, formula, matrix.rows, matrix.columns, element, &matrix);
}
