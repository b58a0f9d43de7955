/* Parses the rows of a CSV file: the first pass collects their properties, the second stores them. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "convert/convert_csv_footer.h"
#include "convert/convert_csv_kinds.h"
#include "convert/convert_date.h"
#include "data/stored_labels.h"

/* ---- Errors ---- */

static mlpd_status count_error(const csv_source *c, const char *begin, const char *end) {
  const uint64_t cells = csv_count_cells(begin, end, c->layout.delimiter);
  return FAIL(MLPD_ERROR_DATA, "%s:%llu: %llu cell%s, but %u in the %s%s", c->base.name,
              (unsigned long long)c->lines.line, (unsigned long long)cells, cells == 1 ? "" : "s", c->layout.columns,
              c->layout.header ? "header" : "first line",
              cells >= c->layout.columns ? ""
              : !c->layout.header        ? " (a row must be one line)"
              : cells == 1               ? " (if this line is not a row of the table, delete it)"
                                         : "");
}

static mlpd_status changed_error(const csv_source *c) {
  return FAIL(MLPD_ERROR_DATA, "%s:%llu: changed while it was read", c->base.name, (unsigned long long)c->lines.line);
}

static mlpd_status damaged_error(const csv_source *c, uint32_t column, const csv_cell *cell) {
  return csv_cell_error(c, column, cell,
                        "has no closing quote, or text after it; a quote inside a cell must be doubled: \"\"");
}

/* ---- Rows ---- */

static void worsen(row_state *state, row_state to) {
  if (*state < to) *state = to;
}

/* Handles a missing value: a feature becomes NaN; a row without its target is left out. */
static mlpd_status take_missing(csv_source *c, uint32_t column, const csv_cell *cell, number *parsed,
                                row_state *state) {
  const bool feature = c->plan.roles[column] == CSV_FEATURE;
  *parsed = (number){.value = NAN, .integer = CATEGORY_MISSING, .is_integer = true};
  if (!feature || c->options->drop_missing) worsen(state, ROW_MISSING);
  return c->gathering ? csv_fault_add(c, column, CSV_MISSING, cell) : MLPD_OK;
}

/* Parses a cell that the fast path could not. */
static mlpd_status parse_odd_cell(csv_source *c, uint32_t column, const csv_cell *cell, number *parsed,
                                  row_state *state) {
  if (cell->damaged) return damaged_error(c, column, cell);
  const csv_kind kind = csv_cell_read(&c->syntax, cell, parsed);
  if (kind == CSV_MISSING) return take_missing(c, column, cell, parsed, state);
  if (kind == CSV_TEXT) worsen(state, ROW_FAULTY);
  return kind == CSV_NUMBER || !c->gathering ? MLPD_OK : csv_fault_add(c, column, kind, cell);
}

/* The numbers that a date becomes. */
static mlpd_status parse_date(csv_source *c, uint32_t column, const char *p, const char *end, const char **next,
                              number *parsed, row_state *state) {
  csv_cell cell;
  date found;
  *next = csv_next_cell(p, end, c->layout.delimiter, &cell);
  if (cell.damaged) return damaged_error(c, column, &cell);
  if (csv_cell_is_missing(&c->syntax, &cell)) {
    TRY(take_missing(c, column, &cell, &parsed[0], state));
    parsed[1] = parsed[2] = parsed[0];
    return MLPD_OK;
  }
  if (!date_parse(cell.begin, cell.end, &found)) {
    worsen(state, ROW_FAULTY);
    return c->gathering ? csv_fault_add(c, column, CSV_TEXT, &cell) : MLPD_OK;
  }
  const double values[DATE_FEATURES] = {found.year, found.day_of_year, found.seconds};
  for (int i = 0; i < DATE_FEATURES; i++)
    parsed[i] =
        (number){.value = values[i], .integer = (int64_t)values[i], .is_integer = values[i] == floor(values[i])};
  return MLPD_OK;
}

static mlpd_status parse_category(csv_source *c, uint32_t column, const char *p, const char *end, const char **next,
                                  number *parsed, row_state *state) {
  csv_cell cell;
  *next = csv_next_cell(p, end, c->layout.delimiter, &cell);
  if (cell.damaged) return damaged_error(c, column, &cell);
  if (!csv_cell_is_missing(&c->syntax, &cell)) return csv_kinds_take(c, column, &cell, parsed);
  TRY(take_missing(c, column, &cell, parsed, state));
  parsed->value = CATEGORY_MISSING;
  return MLPD_OK;
}

/* Reads a cell that remains text: that of the only target, or of a column that is left out. */
static mlpd_status parse_text(csv_source *c, uint32_t column, const char *p, const char *end, const char **next,
                              row_state *state) {
  csv_cell cell;
  *next = csv_next_cell(p, end, c->layout.delimiter, &cell);
  if (cell.damaged) return damaged_error(c, column, &cell);
  if (column != c->label) return MLPD_OK;
  c->label_cell = cell;
  number parsed;
  const bool values = c->options->task == MLPD_REGRESSION;
  const bool missing =
      values ? csv_cell_read(&c->syntax, &cell, &parsed) == CSV_MISSING : csv_cell_is_missing(&c->syntax, &cell);
  if (!missing) return MLPD_OK;
  worsen(state, ROW_MISSING);
  return c->gathering ? csv_fault_add(c, column, CSV_MISSING, &cell) : MLPD_OK;
}

static bool cells_are_empty(const char *p, const char *end, char delimiter) {
  for (; p < end; p++)
    if (*p != delimiter && *p != ' ' && *p != '\t') return false;
  return true;
}

bool csv_row_is_empty(const char *begin, const char *end, char delimiter) {
  return *begin == delimiter && cells_are_empty(begin, end, delimiter);
}

static bool is_empty(const csv_source *c, const char *p, const char *end) {
  return cells_are_empty(p, end, c->layout.delimiter);
}

/* Checks a number that is not finite, or that an option such as --missing -999 may declare missing. */
static mlpd_status check_number(csv_source *c, uint32_t column, const char *start, const char *end, number *parsed,
                                row_state *state) {
  csv_cell cell;
  if (isnan(parsed->value)) return MLPD_OK; /* a missing value */
  const bool missing = csv_is_missing_real(&c->syntax, parsed->value);
  if (isfinite(parsed->value) && !missing) return MLPD_OK;
  (void)csv_next_cell(start, end, c->layout.delimiter, &cell);
  if (missing) return take_missing(c, column, &cell, parsed, state);
  return csv_cell_error(c, column, &cell, "is beyond the range of double");
}

/* Parses one line into c->numbers and c->label_cell. */
static mlpd_status parse_row(csv_source *c, const char *begin, const char *end, row_state *state) {
  const char delimiter = c->layout.delimiter;
  const uint32_t columns = c->layout.columns;
  const uint8_t *roles = c->plan.roles;
  number *next = c->numbers;
  const char *p = begin;
  uint32_t column = 0;
  *state = ROW_GOOD;
  for (; p != NULL && column < columns; column++) {
    number *parsed = next;
    if (roles[column] != CSV_FEATURE) {
      if (c->target_places == NULL || roles[column] == CSV_LEFT_OUT) {
        TRY(parse_text(c, column, p, end, &p, state));
        continue;
      }
      parsed = &c->numbers[c->target_places[column]];
    } else {
      next += csv_features_of(&c->plan, column);
      if (c->plan.dates[column]) {
        TRY(parse_date(c, column, p, end, &p, parsed, state));
        continue;
      }
      if (c->sets != NULL && c->sets[column] != NULL) {
        TRY(parse_category(c, column, p, end, &p, parsed, state));
        continue;
      }
    }
    while (p < end && *p == ' ') p++;
    const char *const start = p;
    const char *after = c->fast ? number_parse(p, end, parsed) : NULL;
    if (after == end) {
      p = NULL;
    } else if (after != NULL && *after == delimiter) {
      for (p = after + 1; delimiter == CSV_BLANKS && (*p == ' ' || *p == '\t') && p < end;) p++;
    } else {
      csv_cell cell;
      p = csv_next_cell(p, end, delimiter, &cell);
      TRY(parse_odd_cell(c, column, &cell, parsed, state));
    }
    if (!isfinite(parsed->value) || c->syntax.num_missing_real > 0)
      TRY(check_number(c, column, start, end, parsed, state));
  }
  if (column < columns) return count_error(c, begin, end);
  if (p != NULL && !is_empty(c, p, end)) return count_error(c, begin, end);
  c->rows_trailing += p != NULL;
  return MLPD_OK;
}

/* Finds the next row without faults and, in the second pass, without missing values. */
static mlpd_status next_row(csv_source *c, bool *found, row_state *state) {
  for (;;) {
    const char *begin, *end;
    TRY(csv_next_line(&c->lines, &begin, &end));
    *found = begin != NULL;
    if (!*found) return MLPD_OK;
    bool below = false;
    TRY(csv_footer_take(c, begin, end, &below));
    if (below) continue;
    if (csv_row_is_empty(begin, end, c->layout.delimiter)) {
      c->rows_empty++;
      continue;
    }
    TRY(parse_row(c, begin, end, state));
    if (c->gathering || *state == ROW_GOOD) return MLPD_OK;
    if (*state != ROW_MISSING) return changed_error(c);
  }
}

/* ---- First pass ---- */

static const char *label_place(const csv_source *c, char place[600]) {
  const char *const name = c->layout.names != NULL ? c->layout.names[c->label] : NULL;
  (void)snprintf(place, 600, "%s:%llu: column %u%s%.255s%s", c->base.name, (unsigned long long)c->lines.line,
                 c->label + 1, name != NULL ? " (" : "", name != NULL ? name : "", name != NULL ? ")" : "");
  return place;
}

static void note_text_label(const csv_source *c, label_set *labels) {
  char hint[CSV_HINT_BYTES], unit[CSV_UNIT_BYTES];
  (void)csv_cell_hint(&c->label_cell, hint);
  labels->number_like += csv_cell_is_number_like(&c->label_cell);
  labels->dates += csv_cell_is_date(&c->label_cell);
  labels->united += csv_cell_unit(&c->label_cell, unit);
  if (labels->texts > 1) return;
  (void)label_place(c, labels->text_place);
  (void)snprintf(labels->text_hint, sizeof labels->text_hint, "%s", hint);
}

static mlpd_status gather_label(csv_source *c, label_set *labels) {
  char text[LABEL_NAME_BYTES + 2], place[600];
  const size_t length = csv_cell_text(&c->label_cell, text, sizeof text);
  number parsed;
  const bool answers = c->options->task == MLPD_REGRESSION; /* then yes is the value 1 */
  const bool is_number = csv_cell_number(&c->syntax, &c->label_cell, &parsed) ||
                         (answers && csv_cell_read(&c->syntax, &c->label_cell, &parsed) == CSV_YES_NO);
  if (is_number && !isfinite(parsed.value))
    return csv_cell_error(c, c->label, &c->label_cell, "is beyond the range of double");
  const mlpd_status status = label_add_text(labels, text, length, is_number ? &parsed : NULL);
  if (status != MLPD_OK) return status_prefix(status, "%s: label ", label_place(c, place));
  if (!is_number) note_text_label(c, labels);
  if (is_number) extremes_add(&c->label_ends, parsed.value);
  return MLPD_OK;
}

/* Several targets, each 0 or 1, may be one-hot classes. */
static mlpd_status gather_targets(csv_source *c, label_set *labels) {
  if (!labels->any_vector) labels->any_vector = labels->all_one_hot = true;
  if (!labels->all_one_hot) return MLPD_OK;
  for (uint32_t t = 0; t < c->base.y_columns; t++) c->target_values[t] = c->numbers[c->base.features + t].value;
  const int64_t place = stored_one_hot(c->target_values, c->base.y_columns);
  labels->all_one_hot = place >= 0;
  return place < 0 || labels->task == MLPD_REGRESSION ? MLPD_OK : label_add_integer(labels, place);
}

static void gather_ranges(csv_source *c) {
  static const int64_t exact = INT64_C(1) << 53;
  const uint32_t count = c->base.features + (c->target_places != NULL ? c->base.y_columns : 0);
  for (uint32_t f = 0; f < count; f++) {
    const number *n = &c->numbers[f];
    csv_range *r = &c->ranges[f];
    r->least = n->value < r->least ? n->value : r->least;
    r->most = n->value > r->most ? n->value : r->most;
    r->whole &= n->is_integer;
    r->rounded |= n->is_longer || (n->is_integer && (n->integer > exact || n->integer < -exact));
    extremes_add(&r->ends, n->value);
    r->missing |= isnan(n->value);
  }
}

/* The smallest type for all of x: an integer if all cells are; float64 if a column's offset or magnitude would leave
 * too few digits of its spread in float32. Missing values are NaN, and codes of categories need a sign. */
static element_type smallest_type(const csv_source *c) {
  double least = 0, most = 0;
  bool whole = true, needs_double = false, missing = false;
  if (c->options->num_model_columns > 0) return ELEMENT_F64; /* so that a prediction depends only on its own row */
  for (uint32_t f = 0; f < c->base.features; f++) {
    const csv_range *r = &c->ranges[f];
    whole = whole && r->whole;
    missing = missing || r->missing;
    least = r->least < least ? r->least : least;
    most = r->most > most ? r->most : most;
    needs_double = needs_double || number_needs_double(r->least, r->most, r->whole);
  }
  if (!whole || missing) return needs_double ? ELEMENT_F64 : ELEMENT_F32;
  if (c->base.categories != NULL) least = least < -1 ? least : -1;
  if (c->base.categories != NULL) most = most > CATEGORIES_MOST ? most : CATEGORIES_MOST;
  if (least >= 0 && most <= UINT8_MAX) return ELEMENT_U8;
  if (least >= INT16_MIN && most <= INT16_MAX) return ELEMENT_I16;
  if (least >= INT32_MIN && most <= INT32_MAX) return ELEMENT_I32;
  return needs_double ? ELEMENT_I64 : ELEMENT_F32;
}

static void finish_targets(const csv_source *c, label_set *labels) {
  char shown[300];
  for (uint32_t t = 0; c->target_places != NULL && t < c->base.y_columns; t++) {
    const csv_range *r = &c->ranges[c->base.features + t];
    labels->any_real = labels->any_real || number_needs_double(r->least, r->most, r->whole);
  }
  if (c->label == CSV_NO_LABEL) return;
  (void)snprintf(labels->target, sizeof labels->target, "%s", csv_column_shown(&c->layout, c->label, shown));
}

/* Returns to the first row and discards what was collected. */
static mlpd_status begin_gathering(csv_source *c) {
  TRY(csv_lines_rewind(&c->lines));
  csv_faults_free(c);
  c->label_ends = extremes_none();
  for (uint32_t i = 0; c->sets != NULL && i < c->layout.columns; i++)
    if (c->owned[i]) category_set_clear(c->sets[i]);
  c->rows_seen = c->rows_missing = c->rows_trailing = c->rows_empty = c->base.rows = 0;
  return MLPD_OK;
}

/* Reads all rows, or a few if they show that columns are of other kinds than assumed; then *again is set. */
static mlpd_status gather_rows(csv_source *c, label_set *labels, bool *again) {
  for (*again = false; !*again;) {
    bool found;
    row_state state;
    TRY(next_row(c, &found, &state));
    if (!found) break;
    c->rows_seen++;
    c->rows_missing += state == ROW_MISSING;
    if (state == ROW_GOOD) {
      gather_ranges(c);
      if (c->label != CSV_NO_LABEL) TRY(gather_label(c, labels));
      if (c->target_places != NULL) TRY(gather_targets(c, labels));
      c->base.rows++;
    }
    if (c->rows_seen == CSV_EARLY_ROWS) TRY(csv_kinds_judge(c, false, again));
  }
  return *again ? MLPD_OK : csv_kinds_judge(c, true, again);
}

/* Lists the sets of categories by feature. */
static mlpd_status take_categories(csv_source *c) {
  if (c->sets == NULL) return MLPD_OK;
  TRY(memory_allocate(&c->base.categories, c->base.features, sizeof *c->base.categories, "categories"));
  bool any = false;
  for (uint32_t i = 0, f = 0; i < c->layout.columns; i++) {
    if (c->plan.roles[i] != CSV_FEATURE) continue;
    any = any || c->sets[i] != NULL;
    c->base.categories[f] = c->sets[i];
    f += csv_features_of(&c->plan, i);
  }
  if (any) return MLPD_OK;
  free(c->base.categories);
  c->base.categories = NULL;
  return MLPD_OK;
}

static mlpd_status csv_scan(source *s, label_set *labels) {
  csv_source *c = (csv_source *)s;
  csv_report_layout(c);
  c->gathering = true;
  for (bool again = true; again;) {
    const mlpd_split part = labels->part;
    TRY(gather_rows(c, labels, &again));
    if (!again) break;
    TRY(begin_gathering(c)); /* only for the first table: labels has nothing from other tables yet */
    label_set_free(labels);
    TRY(label_set_create(c->options->task, labels));
    labels->part = part;
  }
  c->gathering = false;
  if (c->rows_seen == 0) return FAIL(MLPD_ERROR_DATA, "%s: has a header, but no rows", s->name);
  TRY(csv_faults_judge(c));
  TRY(take_categories(c));
  for (uint32_t f = 0; f < s->features; f++) s->missing = s->missing || c->ranges[f].missing;
  s->type = smallest_type(c);
  finish_targets(c, labels);
  csv_report_rows(c);
  return csv_lines_rewind(&c->lines);
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
  } else if (c->base.type == ELEMENT_I64) {
    STORE_INTEGERS(int64_t, INT64_MIN, INT64_MAX)
  } else if (c->base.type == ELEMENT_F64) {
    double *out = (double *)x + row * features;
    for (uint32_t f = 0; f < features; f++) out[f] = n[f].value;
  } else {
    float *out = (float *)x + row * features;
    for (uint32_t f = 0; f < features; f++) {
      out[f] = (float)n[f].value;
      if (!isfinite(out[f]) && !isnan(n[f].value)) return changed_error(c);
    }
  }
  return MLPD_OK;
}

static mlpd_status store_label(const csv_source *c, const label_set *labels, int32_t *class_index, double *value) {
  char text[LABEL_NAME_BYTES + 2];
  if (labels->classes) {
    const size_t length = csv_cell_text(&c->label_cell, text, sizeof text);
    *class_index = length < sizeof text ? label_class_of_text(labels, text, length) : -1;
    return *class_index >= 0 ? MLPD_OK : changed_error(c);
  }
  number parsed;
  if (csv_cell_read(&c->syntax, &c->label_cell, &parsed) > CSV_YES_NO) return changed_error(c);
  *value = parsed.value;
  return MLPD_OK;
}

static mlpd_status store_one_hot(const csv_source *c, const label_set *labels, const double *values,
                                 int32_t *class_index) {
  *class_index = label_class_of_integer(labels, stored_one_hot(values, c->base.y_columns));
  return *class_index >= 0 ? MLPD_OK : changed_error(c);
}

static mlpd_status csv_read(source *s, const label_set *labels, uint64_t rows, void *x, int32_t *classes,
                            double *values) {
  csv_source *c = (csv_source *)s;
  for (uint64_t row = 0; row < rows; row++) {
    bool found;
    row_state state;
    TRY(next_row(c, &found, &state));
    if (!found) return changed_error(c);
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
