/* Row sources that read arrays: x and y separate, or y as a column of x. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "convert/convert_pair.h"

typedef struct pair_source {
  source base;
  input_array *x, *y;
} pair_source;

typedef struct column_source {
  source base;
  input_array *array;
  uint32_t label; /* column of the label */
  void *block;    /* (block_rows, columns) of the array's type */
  uint64_t block_rows;
} column_source;

/* Value i of an integer type. Unsigned 64-bit values beyond int64_t become the largest int64_t; none can be a class. */
static int64_t integer_at(element_type type, const void *values, size_t i) {
  switch (type) {
    case ELEMENT_I8:
      return ((const int8_t *)values)[i];
    case ELEMENT_U8:
      return ((const uint8_t *)values)[i];
    case ELEMENT_I16:
      return ((const int16_t *)values)[i];
    case ELEMENT_U16:
      return ((const uint16_t *)values)[i];
    case ELEMENT_I32:
      return ((const int32_t *)values)[i];
    case ELEMENT_U32:
      return ((const uint32_t *)values)[i];
    case ELEMENT_I64:
      return ((const int64_t *)values)[i];
    case ELEMENT_U64: {
      const uint64_t value = ((const uint64_t *)values)[i];
      return value > INT64_MAX ? INT64_MAX : (int64_t)value;
    }
    default:
      return 0;
  }
}

static double value_at(element_type type, const void *values, size_t i) {
  if (type == ELEMENT_F32) return (double)((const float *)values)[i];
  if (type == ELEMENT_F64) return ((const double *)values)[i];
  if (type == ELEMENT_U64) return (double)((const uint64_t *)values)[i];
  return (double)integer_at(type, values, i);
}

static mlpd_status add_label(label_set *labels, element_type type, const void *values, size_t i) {
  if (element_is_integer(type)) return label_add_integer(labels, integer_at(type, values, i));
  return label_add_value(labels, value_at(type, values, i));
}

static mlpd_status class_of(const source *s, const label_set *labels, element_type type, const void *values, size_t i,
                            int32_t *class_index) {
  const int64_t label = element_is_integer(type) ? integer_at(type, values, i) : (int64_t)value_at(type, values, i);
  *class_index = label_class_of_integer(labels, label);
  return *class_index >= 0 ? MLPD_OK : FAIL(MLPD_ERROR_DATA, "%s: changed while it was read", s->name);
}

/* The class of a one-hot row. */
static mlpd_status class_of_row(const source *s, const label_set *labels, const array_header *h, const void *block,
                                size_t row, int32_t *class_index) {
  size_t j = 0;
  while (j < h->columns && value_at(h->type, block, row * h->columns + j) == 0) j++;
  *class_index = label_class_of_integer(labels, (int64_t)j);
  return *class_index >= 0 ? MLPD_OK : FAIL(MLPD_ERROR_DATA, "%s: changed while it was read", s->name);
}

static mlpd_status add_text(label_set *labels, const array_header *h, const char *stored) {
  char text[ARRAY_TEXT_MOST];
  number parsed;
  const size_t length = array_text_at(h, stored, text);
  if (length == 0) return FAIL(MLPD_ERROR_DATA, "the label is an empty text: every row needs a label");
  text[length] = '\0'; /* number_parse() may read it */
  const bool is_number = number_parse(text, text + length, &parsed) == text + length;
  return label_add_text(labels, text, length, is_number ? &parsed : NULL);
}

static mlpd_status take_text(const source *s, const label_set *labels, const array_header *h, const char *stored,
                             int32_t *class_index, double *value) {
  char text[ARRAY_TEXT_MOST];
  number parsed;
  const size_t length = array_text_at(h, stored, text);
  text[length] = '\0';
  if (labels->classes)
    *class_index = label_class_of_text(labels, text, length);
  else if (number_parse(text, text + length, &parsed) == text + length)
    return *value = parsed.value, MLPD_OK;
  return labels->classes && *class_index >= 0 ? MLPD_OK
                                              : FAIL(MLPD_ERROR_DATA, "%s: changed while it was read", s->name);
}

static uint64_t rows_a_block(uint64_t row_bytes) {
  return row_bytes >= SOURCE_BLOCK_BYTES ? 1 : SOURCE_BLOCK_BYTES / row_bytes;
}

/* ---- x and y in separate arrays ---- */

/* Collects one row of y: a label, or several values, which are a label as long as all rows are one-hot. */
static mlpd_status scan_y_row(const array_header *h, const void *block, size_t row, double *values, label_set *labels) {
  if (h->text != ARRAY_NUMBERS) return add_text(labels, h, (const char *)block + row * h->stored_size);
  if (h->columns == 1) return add_label(labels, h->type, block, row);
  if (label_values_settled(labels)) return MLPD_OK;
  for (size_t j = 0; j < h->columns; j++) values[j] = value_at(h->type, block, row * h->columns + j);
  return label_add_values(labels, values, (uint32_t)h->columns);
}

static mlpd_status scan_y(pair_source *p, label_set *labels) {
  const array_header *h = &p->y->header;
  if (h->columns > 1 && !labels->any_vector) labels->any_vector = labels->all_one_hot = true;
  if (h->text != ARRAY_NUMBERS && h->columns > 1)
    return FAIL(MLPD_ERROR_DATA,
                "%s: has %llu texts per row; a class is one text, and features must be numbers: a.astype('f8')",
                input_name(p->y->in), (unsigned long long)h->columns);
  if (h->type == ELEMENT_F64) labels->any_real = true;
  if (!element_is_integer(h->type) && labels->task == MLPD_TASK_AUTO) labels->any_decimal = true;
  const size_t row_bytes = array_row_bytes(h);
  const uint64_t most = rows_a_block(row_bytes);
  void *block;
  double *values = NULL;
  TRY(memory_allocate(&block, most, row_bytes, "label block"));
  mlpd_status status = memory_allocate(&values, h->columns, sizeof *values, "label block");
  for (uint64_t row = 0; row < h->rows && status == MLPD_OK;) {
    const uint64_t rows = h->rows - row < most ? h->rows - row : most;
    status = array_read(p->y, rows, block);
    for (size_t i = 0; i < rows && status == MLPD_OK; i++) {
      status = scan_y_row(h, block, i, values, labels);
      if (status != MLPD_OK)
        (void)status_prefix(status, "%s: row %llu (from 0): ", input_name(p->y->in), (unsigned long long)(row + i));
    }
    row += rows;
  }
  free(block);
  free(values);
  return status != MLPD_OK ? status : array_rewind(p->y);
}

static mlpd_status pair_scan(source *s, label_set *labels) {
  pair_source *p = (pair_source *)s;
  return p->y != NULL ? scan_y(p, labels) : MLPD_OK;
}

static mlpd_status pair_read(source *s, const label_set *labels, uint64_t rows, void *x, int32_t *classes,
                             double *values) {
  pair_source *p = (pair_source *)s;
  TRY(array_read(p->x, rows, x));
  if (p->y == NULL) return MLPD_OK;
  const array_header *h = &p->y->header;
  void *block;
  TRY(memory_allocate(&block, (size_t)rows, array_row_bytes(h), "label block"));
  mlpd_status status = array_read(p->y, rows, block);
  if (h->text != ARRAY_NUMBERS)
    for (size_t i = 0; i < rows && status == MLPD_OK; i++)
      status = take_text(s, labels, h, (char *)block + i * h->stored_size, &classes[i], &values[i]);
  else if (labels->one_hot && labels->classes)
    for (size_t i = 0; i < rows && status == MLPD_OK; i++) status = class_of_row(s, labels, h, block, i, &classes[i]);
  else
    for (size_t i = 0; i < rows * h->columns && status == MLPD_OK; i++) {
      if (labels->classes)
        status = class_of(s, labels, h->type, block, i, &classes[i]);
      else
        values[i] = value_at(h->type, block, i);
    }
  free(block);
  return status;
}

static void pair_close(source *s) {
  pair_source *p = (pair_source *)s;
  array_close(p->x);
  array_close(p->y);
  free(p);
}

static const source_methods pair_methods = {pair_scan, pair_read, pair_close, NULL};

static mlpd_status check_numbers(const input_array *x) {
  if (x->header.text == ARRAY_NUMBERS) return MLPD_OK;
  return FAIL(MLPD_ERROR_DATA, "%s: holds text; features must be numbers (only the labels y may be text)",
              input_name(x->in));
}

/* Programs that keep samples in columns store x (features, samples), and y (1, samples), or (classes, samples) where it
 * is one-hot. */
static mlpd_status fail_rows(const input_array *x, const input_array *y) {
  const uint64_t x_columns = x->header.columns, y_columns = y->header.columns;
  const bool both = x_columns == y_columns && x_columns > x->header.rows && y_columns > y->header.rows;
  const char *cure = both ? "; they seem to hold samples in columns: save x.T and y.T" : "";
  if (x_columns > 1 && x_columns == y->header.rows) cure = "; x seems to hold samples in columns: save x.T";
  if (y_columns > 1 && y_columns == x->header.rows) cure = "; y seems to hold samples in columns: save y.T";
  return FAIL(MLPD_ERROR_DATA, "%s has %llu rows, but %s has %llu%s", input_name(x->in),
              (unsigned long long)x->header.rows, input_name(y->in), (unsigned long long)y->header.rows, cure);
}

mlpd_status pair_source_open(input_array *x, input_array *y, meter *m, source **opened) {
  *opened = NULL;
  pair_source *p = NULL;
  mlpd_status status = MLPD_OK;
  if (y != NULL && x->header.rows != y->header.rows) status = fail_rows(x, y);
  if (status == MLPD_OK) status = check_numbers(x);
  if (status == MLPD_OK) status = memory_allocate(&p, 1, sizeof *p, "row source");
  if (status != MLPD_OK) {
    array_close(x);
    array_close(y);
    return status;
  }
  meter_expect(m, input_stored(x->in) + (y != NULL ? 2 * input_stored(y->in) : 0));
  *p = (pair_source){.base = {.methods = &pair_methods,
                              .name = input_name(x->in),
                              .image = x->header.image,
                              .rows = x->header.rows,
                              .features = (uint32_t)x->header.columns,
                              .type = x->header.type,
                              .y_columns = y != NULL ? (uint32_t)y->header.columns : 0},
                     .x = x,
                     .y = y};
  *opened = &p->base;
  return MLPD_OK;
}

/* ---- y as a column of x ---- */

static mlpd_status column_scan(source *s, label_set *labels) {
  column_source *c = (column_source *)s;
  const array_header *h = &c->array->header;
  if (s->y_columns == 0) return MLPD_OK;
  (void)snprintf(labels->target, sizeof labels->target, "column %u (from 0) of %.200s", c->label, s->name);
  if (h->type == ELEMENT_F64) labels->any_real = true;
  for (uint64_t row = 0; row < h->rows;) {
    const uint64_t rows = h->rows - row < c->block_rows ? h->rows - row : c->block_rows;
    TRY(array_read(c->array, rows, c->block));
    for (uint64_t i = 0; i < rows; i++) {
      const mlpd_status status = add_label(labels, h->type, c->block, (size_t)(i * h->columns + c->label));
      if (status != MLPD_OK)
        return status_prefix(status, "%s: row %llu, column %u (from 0): ", s->name, (unsigned long long)(row + i),
                             c->label);
    }
    row += rows;
  }
  return array_rewind(c->array);
}

static mlpd_status column_read(source *s, const label_set *labels, uint64_t rows, void *x, int32_t *classes,
                               double *values) {
  column_source *c = (column_source *)s;
  const array_header *h = &c->array->header;
  const size_t size = element_size(h->type), columns = (size_t)h->columns;
  const size_t before = c->label * size, after = (columns - c->label - 1) * size;
  char *out = x;
  for (uint64_t done = 0; done < rows;) {
    const uint64_t count = rows - done < c->block_rows ? rows - done : c->block_rows;
    TRY(array_read(c->array, count, c->block));
    for (size_t i = 0; i < count; i++) {
      const char *row = (const char *)c->block + i * columns * size;
      memcpy(out, row, before);
      memcpy(out + before, row + before + size, after);
      out += before + after;
      const size_t label = i * columns + c->label;
      if (s->y_columns == 0) continue;
      if (labels->classes)
        TRY(class_of(s, labels, h->type, c->block, label, &classes[done + i]));
      else
        values[done + i] = value_at(h->type, c->block, label);
    }
    done += count;
  }
  return MLPD_OK;
}

static void column_close(source *s) {
  column_source *c = (column_source *)s;
  array_close(c->array);
  free(c->block);
  free(c);
}

static const source_methods column_methods = {column_scan, column_read, column_close, NULL};

static mlpd_status column_create(input_array *array, const char *label, bool leave_out, column_source **made) {
  const array_header *h = &array->header;
  const uint32_t columns = (uint32_t)h->columns;
  uint32_t column = columns - 1;
  TRY(check_numbers(array));
  if (columns < 2)
    return FAIL(MLPD_ERROR_DATA, "%s: has one column; a table needs a feature and a label", input_name(array->in));
  if (label == NULL && h->image)
    return FAIL(
        MLPD_ERROR_DATA,
        "%s: holds images, but no labels; name the file of their labels after it, or --label none converts them "
        "without",
        input_name(array->in));
  if (label != NULL && !column_by_number(label, columns, &column))
    return FAIL(MLPD_ERROR_USAGE, "%s: label '%s' is not a column number from %lld to %lld", input_name(array->in),
                label, -(long long)columns, (long long)columns - 1);
  TRY(memory_allocate(made, 1, sizeof **made, "row source"));
  const size_t size = element_size(h->type);
  const uint64_t block_rows = rows_a_block(columns * size);
  **made = (column_source){.base = {.methods = &column_methods,
                                    .name = input_name(array->in),
                                    .rows = h->rows,
                                    .features = columns - 1,
                                    .type = h->type,
                                    .y_columns = leave_out ? 0 : 1},
                           .label = column,
                           .block_rows = block_rows};
  return memory_allocate(&(*made)->block, block_rows * columns, size, "row block");
}

mlpd_status column_source_open(input_array *array, const char *label, bool leave_out, meter *m, source **opened) {
  *opened = NULL;
  column_source *c = NULL;
  const mlpd_status status = column_create(array, label, leave_out, &c);
  if (status != MLPD_OK) {
    array_close(array);
    free(c);
    return status;
  }
  meter_expect(m, 2 * input_stored(array->in));
  c->array = array;
  *opened = &c->base;
  return MLPD_OK;
}
