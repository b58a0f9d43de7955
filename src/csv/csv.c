/* The source of rows of a CSV file: the first pass collects their properties (convert_csv_scan), the second, here,
 * stores them. */
#include <math.h>
#include <stdlib.h>

#include "csv/csv_codes.h"
#include "csv/csv_kinds.h"
#include "csv/csv_leaks.h"
#include "csv/csv_row.h"
#include "csv/csv_scan.h"
#include "data/stored_labels.h"

#define STORE_INTEGERS(type, least, most)                                                                 \
  for (uint32_t f = 0; f < features; f++) {                                                               \
    if (!n[f].is_integer || n[f].integer < (least) || n[f].integer > (most)) return csv_changed_error(c); \
    ((type *)x)[row * features + f] = (type)n[f].integer;                                                 \
  }

static mlpd_status store_row(const csv_source *c, uint64_t row, void *x) {
  const uint32_t features = c->base.features;
  const number *n = c->numbers;
  if (c->base.type == ELEMENT_U8) {
    STORE_INTEGERS(uint8_t, 0, UINT8_MAX)
  } else if (c->base.type == ELEMENT_I16) {
    STORE_INTEGERS(int16_t, INT16_MIN, INT16_MAX)
  } else if (c->base.type == ELEMENT_I32) {
    STORE_INTEGERS(int32_t, INT32_MIN, INT32_MAX)
  } else if (c->base.type == ELEMENT_I64) {
    STORE_INTEGERS(int64_t, INT64_MIN, INT64_MAX)
  } else if (c->base.type == ELEMENT_F64) {
    double *out = (double *)x + row * features;
    for (uint32_t f = 0; f < features; f++) out[f] = n[f].value;
  } else {
    float *out = (float *)x + row * features;
    for (uint32_t f = 0; f < features; f++) {
      out[f] = (float)n[f].value;
      if (!isfinite(out[f]) && !isnan(n[f].value)) return csv_changed_error(c);
    }
  }
  return MLPD_OK;
}

static mlpd_status store_label(const csv_source *c, const label_set *labels, int32_t *class_index, double *value) {
  char text[LABEL_NAME_BYTES + 2];
  if (labels->classes) {
    const size_t length = csv_cell_text(&c->label_cell, text, sizeof text);
    *class_index = length < sizeof text ? label_class_of_text(labels, text, length) : -1;
    return *class_index >= 0 ? MLPD_OK : csv_changed_error(c);
  }
  number parsed;
  if (csv_cell_read(&c->syntax, &c->label_cell, &parsed) > CSV_YES_NO) return csv_changed_error(c);
  *value = parsed.value;
  return MLPD_OK;
}

static mlpd_status store_one_hot(const csv_source *c, const label_set *labels, const double *values,
                                 int32_t *class_index) {
  *class_index = label_class_of_integer(labels, stored_one_hot(values, c->base.y_columns));
  return *class_index >= 0 ? MLPD_OK : csv_changed_error(c);
}

static mlpd_status csv_read(source *s, const label_set *labels, uint64_t rows, void *x, int32_t *classes,
                            double *values) {
  csv_source *c = (csv_source *)s;
  for (uint64_t row = 0; row < rows; row++) {
    bool found;
    row_state state;
    TRY(csv_next_row(c, &found, &state));
    if (!found) return csv_changed_error(c);
    TRY(store_row(c, row, x));
    for (uint32_t t = 0; c->target_places != NULL && t < s->y_columns; t++)
      values[row * s->y_columns + t] = c->numbers[s->features + t].value;
    if (c->target_places != NULL && labels->classes)
      TRY(store_one_hot(c, labels, &values[row * s->y_columns], &classes[row]));
    if (c->label == CSV_NO_LABEL) continue;
    TRY(store_label(c, labels, labels->classes ? &classes[row] : NULL, labels->classes ? NULL : &values[row]));
  }
  return MLPD_OK;
}

static void csv_close(source *s) {
  csv_source *c = (csv_source *)s;
  input_close(c->lines.in);
  csv_lines_free(&c->lines);
  csv_faults_free(c);
  csv_codes_forget(c);
  csv_leaks_free(c);
  csv_kinds_free(c);
  csv_layout_free(&c->layout);
  csv_syntax_free(&c->syntax);
  csv_plan_free(&c->plan);
  free(c->numbers);
  free(c->ranges);
  free(c->target_places);
  free(c->target_values);
  free(c);
}

const source_methods csv_methods = {csv_scan, csv_read, csv_close, csv_kinds_follow};
