#include "data/caller_rows.h"

#include <string.h>

/* element_type and mlpd_type are one numbering. */
_Static_assert((int)ELEMENT_I8 == MLPD_INT8 && (int)ELEMENT_U64 == MLPD_UINT64 && (int)ELEMENT_F32 == MLPD_FLOAT32 &&
                   (int)ELEMENT_F64 == MLPD_FLOAT64 && (int)NUM_ELEMENT_TYPES == MLPD_FLOAT64 + 1,
               "the types of rows in memory and in files");

static element_type element_of(mlpd_type type) { return (element_type)type; }

static mlpd_status check_array(const void *data, mlpd_type type, mlpd_type first_type, uint64_t rows, uint32_t columns,
                               const char *what, uint64_t expected_rows, uint32_t expected_columns) {
  if (columns != expected_columns)
    return FAIL(MLPD_ERROR_USAGE, "%s has %u columns where the model has %u", what, columns, expected_columns);
  if (rows != expected_rows)
    return FAIL(MLPD_ERROR_USAGE, "%s has %llu rows, but x has %llu", what, (unsigned long long)rows,
                (unsigned long long)expected_rows);
  if ((int)type < (int)first_type || type > MLPD_FLOAT64)
    return FAIL(MLPD_ERROR_USAGE, "%s has type %d, which is not among %s", what, (int)type,
                first_type == MLPD_FLOAT32 ? "MLPD_FLOAT32 and MLPD_FLOAT64" : "mlpd_type");
  if (data == NULL && rows > 0) return FAIL(MLPD_ERROR_USAGE, "%s has no data: the pointer is NULL", what);
  return MLPD_OK;
}

mlpd_status caller_rows_check(const mlpd_rows *rows, const char *what, uint64_t expected_rows, uint32_t columns) {
  return check_array(rows->data, rows->type, MLPD_INT8, rows->rows, rows->columns, what, expected_rows, columns);
}

mlpd_status caller_output_check(const mlpd_output *output, const char *what, uint64_t expected_rows, uint32_t columns) {
  return check_array(output->data, output->type, MLPD_FLOAT32, output->rows, output->columns, what, expected_rows,
                     columns);
}

static ptrdiff_t row_step_of(ptrdiff_t row_step, ptrdiff_t column_step, uint32_t columns) {
  return row_step == 0 && column_step == 0 ? (ptrdiff_t)columns : row_step;
}

static ptrdiff_t column_step_of(ptrdiff_t row_step, ptrdiff_t column_step) {
  return row_step == 0 && column_step == 0 ? 1 : column_step;
}

/* to (n, columns), in C order, gets n rows at from, element by element. Down the columns, of which each is near itself
 * where rows are not. */
#define DEFINE_COPY(NAME, TYPE)                                                                                     \
  static void NAME(uint64_t n, uint32_t columns, const void *from, ptrdiff_t row_step, ptrdiff_t column_step,       \
                   void *to) {                                                                                      \
    for (uint32_t j = 0; j < columns; j++)                                                                          \
      for (uint64_t i = 0; i < n; i++)                                                                              \
        ((TYPE *)to)[i * columns + j] = ((const TYPE *)from)[(ptrdiff_t)i * row_step + (ptrdiff_t)j * column_step]; \
  }
DEFINE_COPY(copy_8, uint8_t)
DEFINE_COPY(copy_16, uint16_t)
DEFINE_COPY(copy_32, uint32_t)
DEFINE_COPY(copy_64, uint64_t)

static void copy_elements(size_t size, uint64_t n, uint32_t columns, const void *from, ptrdiff_t row_step,
                          ptrdiff_t column_step, void *to) {
  (size == 1   ? copy_8
   : size == 2 ? copy_16
   : size == 4 ? copy_32
               : copy_64)(n, columns, from, row_step, column_step, to);
}

/* How rows lie: bytes of an element, steps in elements, and where row `first` begins. */
typedef struct layout {
  size_t size;
  ptrdiff_t row_step, column_step;
  const char *from;
} layout;

static layout layout_of(const mlpd_rows *rows, uint64_t first) {
  layout is = {.size = element_size(element_of(rows->type)),
               .row_step = row_step_of(rows->row_step, rows->column_step, rows->columns),
               .column_step = column_step_of(rows->row_step, rows->column_step)};
  is.from = (const char *)rows->data + (ptrdiff_t)first * is.row_step * (ptrdiff_t)is.size;
  return is;
}

static bool in_c_order(const layout *is, uint32_t columns) {
  return is->column_step == 1 && is->row_step == (ptrdiff_t)columns;
}

bool caller_rows_in_c_order(const mlpd_rows *rows) {
  const layout is = layout_of(rows, 0);
  return in_c_order(&is, rows->columns);
}

void caller_rows_gather(const mlpd_rows *rows, const affine *map, uint64_t first, uint64_t n, void *scratch,
                        float *out) {
  const element_type type = element_of(rows->type);
  const layout is = layout_of(rows, first);
  const uint32_t d = rows->columns;
  if (in_c_order(&is, d)) {
    affine_gather(map, type, n, n, is.from, NULL, out);
    return;
  }
  if (is.column_step == 1) {
    for (uint64_t i = 0; i < n; i++)
      affine_gather(map, type, 1, 1, is.from + (ptrdiff_t)i * is.row_step * (ptrdiff_t)is.size, NULL,
                    out + i * affine_width(map));
    return;
  }
  copy_elements(is.size, n, d, is.from, is.row_step, is.column_step, scratch);
  affine_gather(map, type, n, n, scratch, NULL, out);
}

void caller_rows_copy(const mlpd_rows *rows, uint64_t first, uint64_t n, void *out) {
  const layout is = layout_of(rows, first);
  if (in_c_order(&is, rows->columns))
    memcpy(out, is.from, n * rows->columns * is.size);
  else
    copy_elements(is.size, n, rows->columns, is.from, is.row_step, is.column_step, out);
}

double caller_rows_value(const mlpd_rows *rows, uint64_t i, uint32_t j) {
  const ptrdiff_t at = (ptrdiff_t)i * row_step_of(rows->row_step, rows->column_step, rows->columns) +
                       (ptrdiff_t)j * column_step_of(rows->row_step, rows->column_step);
  return rows->type == MLPD_FLOAT32 ? (double)((const float *)rows->data)[at] : ((const double *)rows->data)[at];
}

void caller_output_set(const mlpd_output *output, uint64_t i, uint32_t j, double value) {
  const ptrdiff_t at = (ptrdiff_t)i * row_step_of(output->row_step, output->column_step, output->columns) +
                       (ptrdiff_t)j * column_step_of(output->row_step, output->column_step);
  if (output->type == MLPD_FLOAT32)
    ((float *)output->data)[at] = (float)value;
  else
    ((double *)output->data)[at] = value;
}
