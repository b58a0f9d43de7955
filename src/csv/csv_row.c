#include "csv/csv_row.h"

#include <math.h>
#include <string.h>

#include "base/foreign.h"
#include "csv/csv_codes.h"
#include "csv/csv_escapes.h"
#include "csv/csv_fixed.h"
#include "csv/csv_footer.h"
#include "csv/csv_kinds.h"
#include "source/date.h"
#include "source/span.h"

enum { ADVICE_BYTES = FIXED_BYTES + 160 };

/* ---- Errors ---- */

/* What may be wrong with a line between whose cells are blanks. */
static void show_blanks(const csv_source *c, const char *cells, char advice[ADVICE_BYTES]) {
  char command[FIXED_BYTES];
  (void)snprintf(advice, ADVICE_BYTES, " (%s; where columns have a fixed width, divide them: %s)", cells,
                 csv_fixed_command(&c->lines, c->layout.names != NULL, c->layout.widths, command));
}

/* Word processors make such quotes of double ones. */
static bool has_typographic_quotes(const char *p, const char *end) {
  for (; end - p > 2; p++)
    if (memcmp(p, "\u201C", 3) == 0 || memcmp(p, "\u201E", 3) == 0) return true;
  return false;
}

/* What may be wrong with a line of too many cells. */
static void show_too_many(const csv_source *c, uint64_t cells, const char *begin, const char *end,
                          char advice[ADVICE_BYTES]) {
  char name[32], file[FOREIGN_NAME_BYTES], base[FOREIGN_NAME_BYTES], command[ESCAPES_BYTES];
  foreign_command_names(input_path(c->lines.in), file, base);
  const bool two = c->layout.columns > 2 || c->layout.delimiter != CSV_BLANKS; /* else a width may be fixed */
  if (cells + 1 == 2 * (uint64_t)c->layout.columns && two)
    (void)snprintf(advice, ADVICE_BYTES, " (are these two rows in one line?)");
  else if (csv_has_escapes(begin, end, c->layout.delimiter))
    (void)snprintf(advice, ADVICE_BYTES, " (if delimiters inside of cells are written behind a backslash: %s)",
                   csv_escapes_command(&c->lines, c->layout.delimiter, command));
  else if (has_typographic_quotes(begin, end))
    (void)snprintf(advice, ADVICE_BYTES,
                   " (typographic quotes do not hold a cell together; make them double quotes: sed "
                   "'s/\u201C/\"/g; s/\u201D/\"/g; s/\u201E/\"/g' '%s' > '%s-quoted.csv')",
                   file, base);
  else if (c->layout.delimiter == CSV_BLANKS)
    show_blanks(c, "a cell that holds blanks must be in double quotes", advice);
  else
    (void)snprintf(advice, ADVICE_BYTES, " (a cell that holds %s must be in double quotes)",
                   csv_delimiter_name(c->layout.delimiter, name));
}

static mlpd_status count_error(const csv_source *c, const char *begin, const char *end) {
  const uint64_t cells = csv_count_cells(begin, end, c->layout.delimiter), line = c->lines.line;
  char advice[ADVICE_BYTES] = " (empty cells need their delimiters, too)";
  const bool above = !c->layout.header && line < c->layout.fits_from && c->rows_seen == 0;
  if (above)
    (void)snprintf(advice, sizeof advice, " (if the table begins below this line, use --skip-lines %llu)",
                   (unsigned long long)c->layout.fits_from - 1);
  else if (cells > 1 && cells < c->layout.columns && c->rows_seen > 0 && csv_at_end(&c->lines))
    (void)snprintf(advice, sizeof advice,
                   " (it is the last line: was the file cut off? fetch it again, or delete the line)");
  else if (cells > c->layout.columns)
    show_too_many(c, cells, begin, end, advice);
  else if ((cells > 1 || !c->layout.header) && c->layout.delimiter == CSV_BLANKS)
    show_blanks(c, "an empty cell is not seen between blanks", advice);
  else if (!c->layout.header)
    (void)snprintf(advice, sizeof advice, " (a row must be one line)");
  else if (cells == 1)
    (void)snprintf(advice, sizeof advice, " (if this line is not a row of the table, delete it)");
  return FAIL(MLPD_ERROR_DATA, "%s:%llu: %llu cell%s, but %u in the %s%s", c->base.name, (unsigned long long)line,
              (unsigned long long)cells, cells == 1 ? "" : "s", c->layout.columns,
              c->layout.header ? "header"
              : above          ? "rows"
                               : "first line",
              advice);
}

mlpd_status csv_changed_error(const csv_source *c) {
  return FAIL(MLPD_ERROR_DATA, "%s:%llu: changed while it was read", c->base.name, (unsigned long long)c->lines.line);
}

static mlpd_status damaged_error(const csv_source *c, uint32_t column, const csv_cell *cell) {
  char what[ESCAPES_BYTES + 80] = "has no closing quote, or text after it; a quote inside a cell must be doubled: \"\"";
  char command[ESCAPES_BYTES];
  if (cell->end > cell->begin && cell->end[-1] == '\\')
    (void)snprintf(what, sizeof what, "has a quote that is written \\\", which ends the cell; double it: %s",
                   csv_escaped_quotes_command(&c->lines, command));
  return csv_cell_error(c, column, cell, what);
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
  if (kind == CSV_NUMBER && c->gathering) return csv_codes_see(c, column, cell->begin, cell->end);
  return kind == CSV_NUMBER || !c->gathering ? MLPD_OK : csv_fault_add(c, column, kind, cell);
}

/* Reads a date or a time: its numbers, and whether it is a date with a time of day. */
static bool read_date(date_kind kind, const csv_cell *cell, double values[DATE_FEATURES], bool *timed) {
  date found;
  bool parts;
  if (kind == DATE_SPAN) return span_parse(cell->begin, cell->end, &values[0], &parts);
  if (kind == DATE_ANGLE) return angle_parse(cell->begin, cell->end, &values[0], &parts);
  if (kind == DATE_CLOCK) return date_parse_clock(cell->begin, cell->end, &values[0]) > 0;
  const date_kind order = date_order_kind(kind);
  if (order != DATE_DAY) {
    if (!date_parse_ordered(cell->begin, cell->end, order, &found)) return false;
  } else if (!date_parse(cell->begin, cell->end, &found) && !date_parse_period(cell->begin, cell->end, &found))
    return false;
  date_values(kind, &found, values);
  *timed = found.hour > 0;
  return true;
}

/* May what is known of dates still change? It is settled by a model, or by all rows of the first table. */
static bool is_unsettled(const csv_source *c) {
  return c->gathering && !c->follows && c->options->num_model_columns == 0;
}

/* The numbers that a date or a time becomes. */
static mlpd_status parse_date(csv_source *c, uint32_t column, const char *p, const char *end, const char **next,
                              number *parsed, row_state *state) {
  csv_cell cell;
  double values[DATE_FEATURES];
  const date_kind kind = (date_kind)c->plan.dates[column];
  const uint32_t count = date_features(kind);
  *next = csv_next_cell(p, end, c->layout.delimiter, &cell);
  if (cell.damaged) return damaged_error(c, column, &cell);
  if (csv_cell_is_missing(&c->syntax, &cell)) {
    TRY(take_missing(c, column, &cell, &parsed[0], state));
    for (uint32_t i = 1; i < count; i++) parsed[i] = parsed[0];
    return MLPD_OK;
  }
  const date_kind first = date_order_kind(kind);
  const bool ordered = is_unsettled(c) && (first == DATE_DAY_FIRST || first == DATE_MONTH_FIRST);
  const date_order order = ordered ? date_order_of(cell.begin, cell.end) : ORDER_NONE;
  if (order != ORDER_NONE) TRY(csv_fault_count_order(c, column, order));
  if (order == (first == DATE_DAY_FIRST ? ORDER_MONTH_FIRST : ORDER_DAY_FIRST)) { /* judged after all rows */
    for (uint32_t i = 0; i < count; i++) parsed[i] = (number){.value = NAN};
    return MLPD_OK;
  }
  bool timed = false;
  if (!read_date(kind, &cell, values, &timed)) {
    worsen(state, ROW_FAULTY);
    return c->gathering ? csv_fault_add(c, column, CSV_TEXT, &cell) : MLPD_OK;
  }
  if (timed && kind == first && is_unsettled(c)) TRY(csv_fault_count_time(c, column));
  for (uint32_t i = 0; i < count; i++)
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

/* Reads a number in the dress of its column. */
static mlpd_status parse_dressed(csv_source *c, uint32_t column, const char *p, const char *end, const char **next,
                                 number *parsed, row_state *state) {
  csv_cell cell;
  const csv_dress *const dress = &c->plan.dresses[column];
  *next = csv_next_cell(p, end, c->layout.delimiter, &cell);
  if (cell.damaged) return damaged_error(c, column, &cell);
  const csv_kind kind = csv_cell_read(&c->syntax, &cell, parsed);
  if (kind == CSV_MISSING) return take_missing(c, column, &cell, parsed, state);
  const bool plain = kind == CSV_NUMBER && dress->unit[0] == '\0';
  if (!plain && !csv_dress_read(&c->syntax, dress, &cell, parsed)) {
    worsen(state, ROW_FAULTY);
    return c->gathering ? csv_fault_add(c, column, CSV_TEXT, &cell) : MLPD_OK;
  }
  if (csv_is_missing_real(&c->syntax, parsed->value)) return take_missing(c, column, &cell, parsed, state);
  return isfinite(parsed->value) ? MLPD_OK : csv_beyond_error(c, column, &cell);
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
  if (!c->gathering) return csv_changed_error(c);
  worsen(state, ROW_FAULTY);
  return csv_fault_add(c, column, CSV_TEXT, &cell); /* beyond double: 032d4626 among codes is no number */
}

/* Parses a cell that is a number, or stands where one belongs. *next: the cell after it; NULL: none. */
static mlpd_status parse_number(csv_source *c, uint32_t column, const char *p, const char *end, const char **next,
                                number *parsed, row_state *state) {
  const char delimiter = c->layout.delimiter;
  while (p < end && *p == ' ') p++;
  const char *const start = p;
  const char *after = c->fast ? number_parse(p, end, parsed) : NULL;
  if (c->gathering && after != NULL && csv_may_be_code(*start, parsed)) TRY(csv_codes_see(c, column, start, after));
  if (after == end) {
    *next = NULL;
  } else if (after != NULL && *after == delimiter) {
    for (p = after + 1; delimiter == CSV_BLANKS && (*p == ' ' || *p == '\t') && p < end;) p++;
    *next = p;
  } else {
    csv_cell cell;
    *next = csv_next_cell(p, end, delimiter, &cell);
    TRY(parse_odd_cell(c, column, &cell, parsed, state));
  }
  if (isfinite(parsed->value) && c->syntax.num_missing_real == 0) return MLPD_OK;
  return check_number(c, column, start, end, parsed, state);
}

/* Parses one line into c->numbers and c->label_cell. */
static mlpd_status parse_row(csv_source *c, const char *begin, const char *end, row_state *state) {
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
      if (csv_is_dressed(&c->plan.dresses[column])) {
        TRY(parse_dressed(c, column, p, end, &p, parsed, state));
        continue;
      }
      if (c->sets != NULL && c->sets[column] != NULL) {
        TRY(parse_category(c, column, p, end, &p, parsed, state));
        continue;
      }
    }
    TRY(parse_number(c, column, p, end, &p, parsed, state));
  }
  if (column < columns) return count_error(c, begin, end);
  if (p != NULL && !is_empty(c, p, end)) return count_error(c, begin, end);
  c->rows_trailing += p != NULL;
  return MLPD_OK;
}

mlpd_status csv_next_row(csv_source *c, bool *found, row_state *state) {
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
    if (*state != ROW_MISSING) return csv_changed_error(c);
  }
}
