/* Counts the cells that are not numbers while the file is read, and judges them afterwards. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "base/text.h"
#include "csv/csv_internal.h"
#include "source/date.h"
#include "source/report.h"
#include "source/span.h"

static void column_name(const csv_source *c, uint32_t column, char text[300]) {
  if (c->layout.names != NULL)
    (void)snprintf(text, 300, "column %u (%s)", column + 1, c->layout.names[column]);
  else
    (void)snprintf(text, 300, "column %u", column + 1);
}

static mlpd_status place_error(const csv_source *c, uint64_t line, uint32_t column, const char *text,
                               const char *what) {
  char name[300];
  column_name(c, column, name);
  return FAIL(MLPD_ERROR_DATA, "%s:%llu: %s: '%s' %s", c->base.name, (unsigned long long)line, name, text, what);
}

mlpd_status csv_cell_error(const csv_source *c, uint32_t column, const csv_cell *cell, const char *what) {
  char text[CSV_SHOWN_BYTES + 4];
  return place_error(c, c->lines.line, column, csv_cell_shown(cell, text), what);
}

static mlpd_status beyond_error(const csv_source *c, uint64_t line, uint32_t column, const char *text) {
  char what[CSV_SHOWN_BYTES + 120];
  (void)snprintf(what, sizeof what,
                 "is beyond the range of double; correct it, or use --missing '%s' to treat it as a missing value",
                 report_word(text));
  return place_error(c, line, column, text, what);
}

mlpd_status csv_beyond_error(const csv_source *c, uint32_t column, const csv_cell *cell) {
  char text[CSV_SHOWN_BYTES + 4];
  return beyond_error(c, c->lines.line, column, csv_cell_shown(cell, text));
}

static void add_answer(const csv_source *c, csv_fault *f, const csv_cell *cell) {
  const csv_answer answer = csv_cell_answer(cell);
  if (f->yes_no++ == 0) {
    f->yes_no_line = c->lines.line;
    f->first_answer = answer;
    (void)csv_cell_shown(cell, f->answer_text);
  }
  if (!f->answers[answer] && f->yes_no > 1) {
    f->other_line = c->lines.line;
    (void)csv_cell_shown(cell, f->other_text);
  }
  f->answers[answer] = true;
}

bool csv_fault_mixes_answers(const csv_fault *f) { return f->answers[CSV_TRUE_FALSE] && f->answers[CSV_YES_OR_NO]; }

static void count_spans(csv_fault *f, const csv_cell *cell) {
  double value;
  bool parts;
  if (span_parse(cell->begin, cell->end, &value, &parts)) {
    f->spans++;
    f->span_parts = f->span_parts || parts;
  }
  if (angle_parse(cell->begin, cell->end, &value, &parts)) {
    f->angles++;
    f->angle_parts = f->angle_parts || parts;
    f->north = f->north || value > 0;
    f->south = f->south || value < 0;
  }
}

/* One of the kinds that such a text can be read as. */
static date_kind order_kind(date_order order) { return order == ORDER_MONTH_FIRST ? DATE_MONTH_FIRST : DATE_DAY_FIRST; }

static void count_dates(csv_fault *f, const csv_cell *cell) {
  date parsed;
  double seconds;
  const date_order order = date_order_of(cell->begin, cell->end);
  if (date_parse(cell->begin, cell->end, &parsed)) {
    f->dates++;
    f->timed += parsed.hour > 0;
  } else if (order != ORDER_NONE) {
    f->orders[order]++;
    f->timed += date_parse_ordered(cell->begin, cell->end, order_kind(order), &parsed) && parsed.hour > 0;
  } else if (date_parse_period(cell->begin, cell->end, &parsed)) {
    f->periods++;
  } else {
    const int numbers = date_parse_clock(cell->begin, cell->end, &seconds);
    if (numbers > 0) f->clocks[numbers - 2]++;
  }
}

static mlpd_status make_fault(csv_source *c, uint32_t column) {
  if (c->faults == NULL) TRY(memory_allocate(&c->faults, c->layout.columns, sizeof *c->faults, "columns"));
  if (c->faults[column] == NULL) TRY(memory_allocate(&c->faults[column], 1, sizeof(csv_fault), "column"));
  return MLPD_OK;
}

mlpd_status csv_fault_count_order(csv_source *c, uint32_t column, date_order order) {
  TRY(make_fault(c, column));
  c->faults[column]->orders[order]++;
  return MLPD_OK;
}

mlpd_status csv_fault_count_time(csv_source *c, uint32_t column) {
  TRY(make_fault(c, column));
  c->faults[column]->timed++;
  return MLPD_OK;
}

mlpd_status csv_fault_add(csv_source *c, uint32_t column, csv_kind kind, const csv_cell *cell) {
  TRY(make_fault(c, column));
  csv_fault *f = c->faults[column];
  if (kind == CSV_TEXT) {
    count_dates(f, cell);
    count_spans(f, cell);
    csv_dressed_add(&c->syntax, cell, &f->dressed);
  }
  if (kind == CSV_TEXT && csv_cell_is_number_like(cell))
    f->number_like++;
  else if (kind == CSV_TEXT && f->stray[0] == '\0')
    (void)csv_cell_shown(cell, f->stray);
  f->lots += kind == CSV_TEXT && csv_cell_may_be_lot(cell);
  if (kind == CSV_MISSING && f->missing++ == 0) {
    f->missing_line = c->lines.line;
    (void)csv_cell_shown(cell, f->missing_text);
  } else if (kind == CSV_YES_NO) {
    add_answer(c, f, cell);
  } else if (kind == CSV_TEXT && f->texts++ == 0) {
    f->text_line = c->lines.line;
    (void)csv_cell_hint(cell, f->hint);
    csv_cell amount;
    if (csv_cell_is_account(cell, &amount)) (void)csv_cell_shown(&amount, f->negative);
    (void)csv_cell_shown(cell, f->text);
  } else if (kind == CSV_TEXT) {
    csv_hint_settle(f->hint, cell);
  }
  return MLPD_OK;
}

void csv_faults_free(csv_source *c) {
  for (uint32_t i = 0; c->faults != NULL && i < c->layout.columns; i++) free(c->faults[i]);
  free(c->faults);
  c->faults = NULL;
}

/* ---- Judgement ---- */

/* Is a text, but for the case of its letters, the name of a column? */
static bool is_name(const csv_source *c, const char *text) {
  for (uint32_t i = 0; c->layout.names != NULL && i < c->layout.columns; i++)
    if (strcasecmp(c->layout.names[i], text) == 0) return true;
  return false;
}

/* Does the line of a fault hold the names of columns? Two of them, since MM may be a month and a missing value. */
bool csv_fault_is_in_header(const csv_source *c, const csv_fault *fault) {
  if (fault->texts == 0 || !is_name(c, fault->text)) return false;
  for (uint32_t i = 0; i < c->layout.columns; i++) {
    const csv_fault *const f = c->faults[i];
    if (f != NULL && f->texts > 0 && f->text_line == fault->text_line && strcmp(f->text, fault->text) != 0 &&
        is_name(c, f->text))
      return true;
  }
  return false;
}

/* What makes classes or categories of a column of texts. A model knows the kinds of its columns. */
static const char *advise_kind(const csv_source *c, uint32_t column, char text[300]) {
  char number[CSV_NUMBER_BYTES];
  const char *const name = csv_column_name(&c->layout, column, number);
  text[0] = '\0';
  if (c->options->num_model_columns > 0) return text;
  if (c->plan.roles[column] == CSV_TARGET)
    (void)snprintf(text, 300, "--label '%.200s' alone makes classes (several targets are values)", name);
  else
    (void)snprintf(text, 300, "--categorical '%.200s' makes categories", name);
  return text;
}

/* A cell that is not of the kind that the column has: a date, a number with a unit. */
static mlpd_status refuse_unlike(const csv_source *c, uint32_t column, const csv_fault *f) {
  static const char *const what[DATE_KINDS] = {
      [DATE_DAY] = "a date such as 2021-03-15 or 2021-03-15T10:20:30Z (ISO 8601)",
      [DATE_DAY_FIRST] = "a date with the day first, such as 15.3.2021 or 15/03/2021 14:30",
      [DATE_MONTH_FIRST] = "a date with the month first, such as 3/15/2021 or 03/15/2021 14:30",
      [DATE_CLOCK] = "a time such as 12:34 or 12:34:56",
      [DATE_SPAN] = "a span of time such as 6h 52m or 1:02:03.5",
      [DATE_ANGLE] = "an angle such as 48\u00B051'30\"N"};
  const csv_dress *const dress = &c->plan.dresses[column];
  char text[800], number[80], kind[300];
  if (dress->unit[0] != '\0')
    (void)snprintf(number, sizeof number, "a number with %s", dress->unit);
  else
    (void)snprintf(number, sizeof number, "a number with groups of three digits");
  const bool follows = c->follows || c->options->num_model_columns > 0;
  (void)snprintf(text, sizeof text,
                 "is not %s, unlike the %s; correct it, or use --missing to treat it as a missing value%s%s",
                 c->plan.dates[column] != DATE_NONE ? what[date_order_kind((date_kind)c->plan.dates[column])] : number,
                 follows ? "cells of this column in training" : "other cells of this column", follows ? "" : "; ",
                 follows ? "" : advise_kind(c, column, kind));
  return place_error(c, f->text_line, column, f->text, text);
}

static const char *refuse_answer(const csv_fault *f, char text[200]) {
  (void)snprintf(text, 200,
                 "is read as yes or no, but the column holds numbers; write 1 and 0, or use --missing '%s' to treat it "
                 "as a missing value",
                 f->answer_text);
  return text;
}

/* Numbers beside yes and no. Where these are most of the cells, the numbers are odd, not they. */
static mlpd_status refuse_answers(const csv_source *c, uint32_t column, const csv_fault *f) {
  char name[300], text[200];
  uint32_t feature = 0;
  const uint64_t others = c->rows_seen - f->missing - f->yes_no;
  for (uint32_t i = 0; i < column; i++) feature += csv_features_of(&c->plan, i);
  const csv_range *const r = c->plan.roles[column] == CSV_FEATURE ? &c->ranges[feature] : NULL;
  if (r == NULL || f->yes_no <= others)
    return place_error(c, f->yes_no_line, column, f->answer_text, refuse_answer(f, text));
  column_name(c, column, name);
  return FAIL(MLPD_ERROR_DATA,
              "%s: %s: %llu cell%s hold%s yes, no or the like, but %llu hold%s a number (all are from %g to %g, yes "
              "counted as 1); write 1 and 0 in all",
              c->base.name, name, (unsigned long long)f->yes_no, f->yes_no == 1 ? "" : "s", f->yes_no == 1 ? "s" : "",
              (unsigned long long)others, others == 1 ? "s" : "", r->least, r->most);
}

/* Numbers may be parts of names, as of houses. A model and the first of several tables know that they are none. */
static const char *advise_names(const csv_source *c, uint32_t column, const char *what, char text[400]) {
  char kind[300];
  text[0] = '\0';
  if (!c->follows && *advise_kind(c, column, kind) != '\0')
    (void)snprintf(text, 400, "; if they are names, as of %s, %s", what, kind);
  return text;
}

/* Numbers that have a text behind them in some rows: flags, units, or parts of names, as of house 14b. The longer ones
 * are stripped first. */
static void advise_units(const csv_source *c, uint32_t column, const csv_fault *f, char *what, size_t size) {
  char names[400];
  if (strchr(f->dressed.units, ',') == NULL && f->texts == c->rows_seen - f->missing &&
      (c->follows || c->options->num_model_columns > 0))
    return (void)snprintf(what, size,
                          "is a number with a unit, but training had numbers without; --strip '%s' reads it, if those "
                          "were in the same unit",
                          f->dressed.units);
  (void)snprintf(what, size,
                 "is a number with a text behind it, as %llu cell%s of this column; if these are flags, or a unit that "
                 "other cells lack, --strip '%s' "
                 "leaves them off; if they are units, write all rows in one%s",
                 (unsigned long long)f->texts, f->texts == 1 ? " is" : "s are", f->dressed.units,
                 advise_names(c, column, "houses", names));
}

static bool is_beyond(const char *text) {
  number parsed;
  const csv_syntax plain = {.decimal = '.'};
  const csv_cell cell = {.begin = text, .end = text + strlen(text)};
  return csv_cell_number(&plain, &cell, &parsed) && isinf(parsed.value);
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* A text in front of the last line, as of a total or a source. */
static bool is_footer(const csv_source *c, uint32_t column, const csv_fault *f) {
  return column == 0 && f->texts == 1 && f->text_line == c->lines.line && c->rows_seen > 2 && !is_digit(f->text[0]);
}

enum { KINDS_BYTES = 400 };

/* Options read the first text, but not all: "0%" beside "1 - 10%". Other columns are often alike, and named at once. */
static const char *advise_stray_kinds(const csv_source *c, uint32_t column, char text[KINDS_BYTES]) {
  static const char cut[] = ",...";
  char names[REPORT_BYTES] = "", number[CSV_NUMBER_BYTES];
  const char *others = "";
  size_t used = 0;
  if (c->plan.roles[column] == CSV_TARGET) return advise_kind(c, column, text);
  for (uint32_t i = 0; i < c->layout.columns; i++) {
    const csv_fault *const g = c->plan.roles[i] == CSV_FEATURE ? c->faults[i] : NULL;
    const bool set = c->sets != NULL && c->sets[i] != NULL;
    if (g == NULL || set || c->plan.dates[i] != DATE_NONE || g->hint[0] == '\0' || g->stray[0] == '\0') continue;
    report_list_add(names, &used, ",", csv_column_name(&c->layout, i, number));
  }
  if (text_ends_in(names, cut)) {
    names[strlen(names) - strlen(cut)] = '\0';
    others = " (more columns are like these)";
  }
  (void)snprintf(text, KINDS_BYTES, "--categorical '%.300s' makes categories%s", names, others);
  return text;
}

static void advise_stray(const csv_source *c, uint32_t column, const csv_fault *f, const char *more, char *what,
                         size_t size) {
  char kinds[KINDS_BYTES], hint[CSV_HINT_BYTES];
  (void)snprintf(what, size,
                 "is not a number in this notation%s; %s reads it, but not '%s': --missing '%s' makes that a missing "
                 "value, or %s",
                 more, csv_hint_ordered(f->hint, c->layout.delimiter, hint), f->stray, report_word(f->stray),
                 advise_stray_kinds(c, column, kinds));
}

static mlpd_status refuse_text(const csv_source *c, uint32_t column, const csv_fault *f) {
  char what[700] = "", more[80] = "", kind[300] = "", names[400], hint[CSV_HINT_BYTES];
  const bool mixed = f->texts == 0;
  if (c->plan.dates[column] != DATE_NONE || csv_is_dressed(&c->plan.dresses[column]))
    return refuse_unlike(c, column, f);
  if (csv_fault_is_in_header(c, f))
    return place_error(
        c, f->text_line, column, f->text,
        "is a column name: if another table with another order of columns begins here, move it into its own "
        "file; tables are joined by the names of their columns");
  if (is_beyond(f->text)) return beyond_error(c, f->text_line, column, f->text);
  if (f->texts > 1)
    (void)snprintf(more, sizeof more, " (nor %s %llu more cell%s of this column)", f->texts == 2 ? "is" : "are",
                   (unsigned long long)f->texts - 1, f->texts == 2 ? "" : "s");
  if (mixed && f->yes_no + f->missing == c->rows_seen)
    return place_error(c, f->other_line, column, f->other_text,
                       f->first_answer == CSV_TRUE_FALSE
                           ? "is yes or no, but cells above it are true or false; write the same pair in all rows"
                           : "is true or false, but cells above it are yes or no; write the same pair in all rows");
  if (mixed) return refuse_answers(c, column, f);
  if (c->syntax.decimal == ',' && strchr(f->text, '.') != NULL)
    (void)snprintf(
        what, sizeof what,
        "has a decimal point%s, but --decimal comma expects commas; write the same sign in all columns, or use "
        "--thousands . if points separate thousands",
        more);
  else if (f->negative[0] != '\0')
    (void)snprintf(what, sizeof what, "is a negative number in the notation of accounts; write -%s%s", f->negative,
                   f->lots > 0 ? advise_names(c, column, "lots", names) : "");
  else if (f->hint[0] != '\0' && f->stray[0] != '\0' && c->options->num_model_columns == 0 && !c->follows)
    advise_stray(c, column, f, more, what, sizeof what);
  else if (f->spans == f->texts && f->span_parts)
    (void)snprintf(what, sizeof what,
                   "is a span of time, but other cells of this column are plain numbers; write all alike, as 0:55.2 "
                   "for 55.2 seconds");
  else if (f->hint[0] != '\0')
    (void)snprintf(what, sizeof what, "is not a number in this notation%s; %s reads it", more,
                   csv_hint_ordered(f->hint, c->layout.delimiter, hint));
  else if (f->dressed.united == f->texts && !f->dressed.many_units)
    advise_units(c, column, f, what, sizeof what);
  else if (f->number_like == f->texts && f->texts > 1 && is_digit(f->text[0]))
    (void)snprintf(what, sizeof what,
                   "is a number, as %llu more cell%s, but their notations or units differ; write all rows in one",
                   (unsigned long long)f->texts - 1, f->texts == 2 ? " is" : "s are");
  else
    (void)advise_kind(c, column, kind);
  if (*what == '\0' && is_footer(c, column, f))
    (void)snprintf(what, sizeof what,
                   "is not a number; delete this last line if it is no row (a total, a source), or use --missing '%s' "
                   "to treat the cell as a missing value%s%s",
                   report_word(f->text), *kind != '\0' ? "; " : "", kind);
  if (*what == '\0')
    (void)snprintf(what, sizeof what,
                   "is not a number%s; correct it, or use --missing '%s' to treat it as a missing value%s%s", more,
                   report_word(f->text), *kind != '\0' ? "; " : "", kind);
  return place_error(c, f->text_line, column, f->text, what);
}

/* Reports the first cell in the file that is not a number. */
static mlpd_status refuse_first(const csv_source *c) {
  const csv_fault *first = NULL;
  uint32_t column = 0;
  uint64_t first_line = UINT64_MAX;
  for (uint32_t i = 0; i < c->layout.columns; i++) {
    const csv_fault *f = c->faults[i];
    if (f == NULL || i == c->label || c->plan.roles[i] == CSV_LEFT_OUT) continue;
    const bool answers = f->texts == 0 && f->yes_no + f->missing == c->rows_seen && !csv_fault_mixes_answers(f);
    const uint64_t line = f->texts > 0 ? f->text_line : f->yes_no > 0 && !answers ? f->yes_no_line : UINT64_MAX;
    if (line >= first_line) continue;
    first = f;
    first_line = line;
    column = i;
  }
  return first != NULL ? refuse_text(c, column, first) : MLPD_OK;
}

static mlpd_status find_answers(csv_source *c) {
  TRY(memory_allocate(&c->base.yes_no, c->base.features, sizeof *c->base.yes_no, "kinds of columns"));
  for (uint32_t i = 0, feature = 0; i < c->layout.columns; i++) {
    if (c->plan.roles[i] != CSV_FEATURE) continue;
    c->base.yes_no[feature] = c->faults[i] != NULL && c->faults[i]->yes_no > 0;
    feature += csv_features_of(&c->plan, i);
  }
  return MLPD_OK;
}

static mlpd_status fail_missing(const csv_source *c) {
  char shown[300] = "", advice[400] = "";
  if (c->label != CSV_NO_LABEL && c->options->label == NULL && c->options->num_model_columns == 0)
    (void)snprintf(advice, sizeof advice, "; the last of them, %s, is used as the target: choose another with --label",
                   csv_column_shown(&c->layout, c->label, shown));
  return FAIL(MLPD_ERROR_DATA, "%s: each of its %llu rows has a missing %s, so no row is left%s", c->base.name,
              (unsigned long long)c->rows_seen, c->options->drop_missing ? "value" : "target",
              c->options->drop_missing ? "" : advice);
}

mlpd_status csv_faults_judge(csv_source *c) {
  if (c->faults == NULL) return MLPD_OK;
  TRY(refuse_first(c));
  if (c->rows_missing == c->rows_seen && c->rows_seen > 0) return fail_missing(c);
  return find_answers(c);
}
