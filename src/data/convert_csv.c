#include "data/convert_csv.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/convert_number.h"
#include "data/convert_source.h"

enum { SHOWN_BYTES = 40 }; /* of a cell in a message */

static const uint32_t NO_LABEL = UINT32_MAX;

typedef struct csv_source {
  source base;
  csv_lines lines;
  csv_layout layout;
  uint32_t label;  /* column, or NO_LABEL */
  number *numbers; /* (features) of the row last parsed */
  csv_cell label_cell;
  bool all_integer;
  int64_t minimum, maximum; /* of the features, where all are integers */
} csv_source;

/* ---- Errors ---- */

static mlpd_status cell_error(const csv_source *c, uint32_t column, const csv_cell *cell, const char *what) {
  char text[SHOWN_BYTES + 1], name[300] = "";
  const size_t length = csv_cell_text(cell, text, sizeof text);
  for (char *p = text; *p != '\0'; p++)
    if ((unsigned char)*p < ' ') *p = '?'; /* no control characters into a terminal */
  if (c->layout.names != NULL) (void)snprintf(name, sizeof name, " (%s)", c->layout.names[column]);
  return FAIL(MLPD_ERROR_DATA, "%s:%llu: column %u%s: '%s%s' %s", c->base.name, (unsigned long long)c->lines.line,
              column + 1, name, text, length > SHOWN_BYTES ? "..." : "", what);
}

static mlpd_status count_error(const csv_source *c, const char *begin, const char *end) {
  uint64_t cells = 0;
  csv_cell cell;
  for (const char *p = begin; p != NULL; cells++) p = csv_next_cell(p, end, c->layout.delimiter, &cell);
  return FAIL(MLPD_ERROR_DATA, "%s:%llu: %llu cells, but %u in the first line", c->base.name,
              (unsigned long long)c->lines.line, (unsigned long long)cells, c->layout.columns);
}

static mlpd_status changed_error(const csv_source *c) {
  return FAIL(MLPD_ERROR_DATA, "%s:%llu: changed while it was read", c->base.name, (unsigned long long)c->lines.line);
}

/* ---- Rows ---- */

/* A cell that the fast path did not take: a number in quotes, or a fault. */
static mlpd_status parse_odd_cell(const csv_source *c, uint32_t column, const csv_cell *cell, number *parsed) {
  if (cell->damaged) return cell_error(c, column, cell, "has text after its closing quote, or none");
  if (csv_cell_is_missing(cell)) return cell_error(c, column, cell, "is a missing value; fill it or drop the row");
  if (number_parse(cell->begin, cell->end, parsed) != cell->end) return cell_error(c, column, cell, "is no number");
  return MLPD_OK;
}

static mlpd_status parse_label(csv_source *c, const char *p, const char *end, const char **next) {
  *next = csv_next_cell(p, end, c->layout.delimiter, &c->label_cell);
  if (c->label_cell.damaged)
    return cell_error(c, c->label, &c->label_cell, "has text after its closing quote, or none");
  if (csv_cell_is_missing(&c->label_cell))
    return cell_error(c, c->label, &c->label_cell, "is a missing label; fill it or drop the row");
  return MLPD_OK;
}

/* Parses one line into c->numbers and c->label_cell. */
static mlpd_status parse_row(csv_source *c, const char *begin, const char *end) {
  const char delimiter = c->layout.delimiter;
  const uint32_t columns = c->layout.columns;
  number *parsed = c->numbers;
  const char *p = begin;
  uint32_t column = 0;
  for (; p != NULL && column < columns; column++) {
    if (column == c->label) {
      TRY(parse_label(c, p, end, &p));
      continue;
    }
    while (p < end && *p == ' ') p++;
    const char *const start = p;
    const char *after = number_parse(p, end, parsed);
    if (after == end) {
      p = NULL;
    } else if (after != NULL && *after == delimiter) {
      for (p = after + 1; delimiter == CSV_BLANKS && (*p == ' ' || *p == '\t') && p < end;) p++;
    } else {
      csv_cell cell;
      p = csv_next_cell(p, end, delimiter, &cell);
      TRY(parse_odd_cell(c, column, &cell, parsed));
    }
    if (!isfinite(parsed->value)) {
      csv_cell cell;
      (void)csv_next_cell(start, end, delimiter, &cell);
      return cell_error(c, column, &cell, "is beyond the range of double");
    }
    parsed++;
  }
  return p != NULL || column < columns ? count_error(c, begin, end) : MLPD_OK;
}

static mlpd_status next_row(csv_source *c, bool *found) {
  const char *begin, *end;
  TRY(csv_next_line(&c->lines, &begin, &end));
  *found = begin != NULL;
  return *found ? parse_row(c, begin, end) : MLPD_OK;
}

static mlpd_status skip_header(csv_source *c) {
  const char *begin, *end;
  return c->layout.header ? csv_next_line(&c->lines, &begin, &end) : MLPD_OK;
}

/* ---- First pass ---- */

static mlpd_status gather_label(csv_source *c, label_set *labels) {
  char text[LABEL_NAME_BYTES + 2];
  const size_t length = csv_cell_text(&c->label_cell, text, sizeof text);
  number parsed;
  const bool is_number = length < sizeof text && number_parse(text, text + length, &parsed) == text + length;
  if (is_number && !isfinite(parsed.value))
    return cell_error(c, c->label, &c->label_cell, "is beyond the range of double");
  const mlpd_status status = label_add_text(labels, text, length, is_number ? &parsed : NULL);
  if (status == MLPD_OK) return status;
  return status_prefix(status, "%s:%llu: column %u%s%s%s: label ", c->base.name, (unsigned long long)c->lines.line,
                       c->label + 1, c->layout.names != NULL ? " (" : "",
                       c->layout.names != NULL ? c->layout.names[c->label] : "", c->layout.names != NULL ? ")" : "");
}

static void gather_range(csv_source *c) {
  int64_t minimum = c->minimum, maximum = c->maximum;
  bool all_integer = true;
  for (uint32_t f = 0; f < c->base.features; f++) {
    const number *n = &c->numbers[f];
    all_integer &= n->is_integer;
    minimum = n->integer < minimum ? n->integer : minimum;
    maximum = n->integer > maximum ? n->integer : maximum;
  }
  c->all_integer = all_integer;
  c->minimum = minimum;
  c->maximum = maximum;
}

static element_type smallest_type(const csv_source *c) {
  if (!c->all_integer) return ELEMENT_F32;
  if (c->minimum >= 0 && c->maximum <= UINT8_MAX) return ELEMENT_U8;
  if (c->minimum >= INT16_MIN && c->maximum <= INT16_MAX) return ELEMENT_I16;
  if (c->minimum >= INT32_MIN && c->maximum <= INT32_MAX) return ELEMENT_I32;
  return ELEMENT_F32;
}

static mlpd_status csv_scan(source *s, label_set *labels) {
  csv_source *c = (csv_source *)s;
  c->all_integer = true;
  TRY(skip_header(c));
  for (;;) {
    bool found;
    TRY(next_row(c, &found));
    if (!found) break;
    if (c->all_integer) gather_range(c);
    if (c->label != NO_LABEL) TRY(gather_label(c, labels));
    s->rows++;
  }
  if (s->rows == 0) return FAIL(MLPD_ERROR_DATA, "%s: a header, but no rows", s->name);
  s->type = smallest_type(c);
  TRY(csv_lines_rewind(&c->lines));
  return skip_header(c);
}

/* ---- Second pass ---- */

#define STORE_INTEGERS(type, least, most)                                                             \
  for (uint32_t f = 0; f < features; f++) {                                                           \
    if (!n[f].is_integer || n[f].integer < (least) || n[f].integer > (most)) return changed_error(c); \
    ((type *)x)[row * features + f] = (type)n[f].integer;                                             \
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
  } else {
    float *out = (float *)x + row * features;
    for (uint32_t f = 0; f < features; f++) {
      out[f] = (float)n[f].value;
      if (!isfinite(out[f]))
        return FAIL(MLPD_ERROR_DATA, "%s:%llu: column %u: %g does not fit float32", c->base.name,
                    (unsigned long long)c->lines.line, f + 1 + (f >= c->label), n[f].value);
    }
  }
  return MLPD_OK;
}

static mlpd_status store_label(const csv_source *c, const label_set *labels, int32_t *class_index, double *value) {
  char text[LABEL_NAME_BYTES + 2];
  const size_t length = csv_cell_text(&c->label_cell, text, sizeof text);
  if (labels->classes) {
    *class_index = length < sizeof text ? label_class_of_text(labels, text, length) : -1;
    return *class_index >= 0 ? MLPD_OK : changed_error(c);
  }
  number parsed;
  if (length >= sizeof text || number_parse(text, text + length, &parsed) != text + length) return changed_error(c);
  *value = parsed.value;
  if (fabs(*value) > (double)FLT_MAX) return cell_error(c, c->label, &c->label_cell, "does not fit float32");
  return MLPD_OK;
}

static mlpd_status csv_read(source *s, const label_set *labels, uint64_t rows, void *x, int32_t *classes,
                            double *values) {
  csv_source *c = (csv_source *)s;
  for (uint64_t row = 0; row < rows; row++) {
    bool found;
    TRY(next_row(c, &found));
    if (!found) return changed_error(c);
    TRY(store_row(c, row, x));
    if (c->label == NO_LABEL) continue;
    TRY(store_label(c, labels, labels->classes ? &classes[row] : NULL, labels->classes ? NULL : &values[row]));
  }
  return MLPD_OK;
}

static void csv_close(source *s) {
  csv_source *c = (csv_source *)s;
  input_close(c->lines.in);
  csv_lines_free(&c->lines);
  csv_layout_free(&c->layout);
  free(c->numbers);
  free(c);
}

static const source_methods csv_methods = {csv_scan, csv_read, csv_close};

/* ---- Opening ---- */

/* A name in the header comes before a number: headers may consist of numbers. */
static mlpd_status find_label(csv_source *c, const char *label) {
  const uint32_t columns = c->layout.columns;
  c->label = columns - 1;
  if (label == NULL) return MLPD_OK;
  for (uint32_t i = 0; c->layout.names != NULL && i < columns; i++)
    if (strcmp(c->layout.names[i], label) == 0) return c->label = i, MLPD_OK;
  if (strcmp(label, "none") == 0) return c->label = NO_LABEL, MLPD_OK;
  if (column_by_number(label, columns, &c->label)) return MLPD_OK;
  return FAIL(MLPD_ERROR_USAGE, "%s: label '%s' is no column; %s%u columns by number from 0%s%s", c->base.name, label,
              c->layout.names != NULL ? "" : "there is no header, but ", columns,
              c->layout.names != NULL ? ", the last is named " : "",
              c->layout.names != NULL ? c->layout.names[columns - 1] : "");
}

/* The header's names, apart for features and target. */
static mlpd_status take_names(csv_source *c) {
  char **const names = c->layout.names;
  const char **features = NULL;
  if (names == NULL) return MLPD_OK;
  TRY(memory_allocate(&features, c->base.features, sizeof *features, "column names"));
  for (uint32_t i = 0, f = 0; i < c->layout.columns; i++)
    if (i != c->label) features[f++] = names[i];
  mlpd_status status = name_list_copy(features, c->base.features, &c->base.columns);
  if (status == MLPD_OK && c->label != NO_LABEL)
    status = name_list_copy((const char *const *)&names[c->label], 1, &c->base.targets);
  free(features);
  return status;
}

mlpd_status csv_source_open(input *in, meter *m, const mlpd_convert_options *options, source **opened) {
  *opened = NULL;
  csv_source *c = NULL;
  mlpd_status status = memory_allocate(&c, 1, sizeof *c, "row source");
  if (status != MLPD_OK) {
    input_close(in);
    return status;
  }
  c->base = (source){.methods = &csv_methods, .name = input_name(in), .table = true};
  c->lines.in = in;
  TRY_GOTO(status, csv_lines_start(in, &c->lines), failed);
  TRY_GOTO(status, csv_layout_find(&c->lines, options->header, options->delimiter, &c->layout), failed);
  TRY_GOTO(status, find_label(c, options->label), failed);
  c->base.features = c->layout.columns - (c->label != NO_LABEL);
  c->base.y_columns = c->label != NO_LABEL;
  if (c->base.features == 0) {
    status =
        FAIL(MLPD_ERROR_DATA, "%s: one column; features and a label need two at least (or --delimiter)", c->base.name);
    goto failed;
  }
  TRY_GOTO(status, take_names(c), failed);
  TRY_GOTO(status, memory_allocate(&c->numbers, c->base.features, sizeof *c->numbers, "CSV row"), failed);
  meter_expect(m, 2 * input_stored(in));
  *opened = &c->base;
  return MLPD_OK;
failed:
  source_close(&c->base);
  return status;
}

mlpd_status csv_source_match(const source *one, const source *other) {
  const csv_source *a = (const csv_source *)one, *b = (const csv_source *)other;
  if (a->layout.names == NULL || b->layout.names == NULL || a->layout.columns != b->layout.columns) return MLPD_OK;
  for (uint32_t c = 0; c < a->layout.columns; c++)
    if (strcmp(a->layout.names[c], b->layout.names[c]) != 0)
      return FAIL(MLPD_ERROR_DATA, "column %u is '%s' in %s, but '%s' in %s", c + 1, a->layout.names[c], one->name,
                  b->layout.names[c], other->name);
  return MLPD_OK;
}
