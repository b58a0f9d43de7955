/* Cells that are no numbers: counted while the file is read, judged when it has been. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "convert/convert_csv_internal.h"
#include "convert/convert_report.h"

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

mlpd_status csv_fault_add(csv_source *c, uint32_t column, csv_kind kind, const csv_cell *cell) {
  if (c->faults == NULL) TRY(memory_allocate(&c->faults, c->layout.columns, sizeof *c->faults, "columns"));
  if (c->faults[column] == NULL) TRY(memory_allocate(&c->faults[column], 1, sizeof(csv_fault), "column"));
  csv_fault *f = c->faults[column];
  if (kind == CSV_MISSING && f->missing++ == 0) {
    f->missing_line = c->lines.line;
    (void)csv_cell_shown(cell, f->missing_text);
  } else if (kind == CSV_YES_NO && f->yes_no++ == 0) {
    f->yes_no_line = c->lines.line;
  } else if (kind == CSV_TEXT && f->texts++ == 0) {
    f->text_line = c->lines.line;
    (void)csv_cell_hint(cell, f->hint);
    (void)csv_cell_shown(cell, f->text);
  }
  return MLPD_OK;
}

void csv_faults_free(csv_source *c) {
  for (uint32_t i = 0; c->faults != NULL && i < c->layout.columns; i++) free(c->faults[i]);
  free(c->faults);
  c->faults = NULL;
}

/* ---- Judgement ---- */

/* Columns that are text, or empty, for the most part: to be left out, not mended. */
static bool is_text_column(const csv_source *c, const csv_fault *f) {
  const uint64_t filled = c->rows_seen - f->missing;
  if (f->texts > 0) return 2 * (f->texts + f->yes_no) > filled && f->hint[0] == '\0';
  return 2 * f->missing > c->rows_seen && c->rows_seen > 2;
}

static mlpd_status refuse_text_columns(const csv_source *c) {
  char names[REPORT_BYTES] = "", listed[400], example[160] = "";
  size_t used = 0;
  bool *marked, any = false, all_missing = true, others_missing = false;
  TRY(memory_allocate(&marked, c->layout.columns, sizeof *marked, "columns"));
  for (uint32_t i = 0; i < c->layout.columns; i++) {
    const csv_fault *f = c->faults[i];
    char name[300];
    if (f == NULL) continue;
    if (i == c->label || !is_text_column(c, f)) {
      others_missing = others_missing || f->missing > 0;
      continue;
    }
    if (f->texts > 0) all_missing = false;
    marked[i] = true;
    column_name(c, i, name);
    report_list_add(names, &used, ", ", c->layout.names != NULL ? c->layout.names[i] : name);
    if (!any && f->texts > 0)
      (void)snprintf(example, sizeof example, " (line %llu: '%s')", (unsigned long long)f->text_line, f->text);
    any = true;
  }
  if (any) csv_columns_listed(&c->layout, marked, listed, sizeof listed);
  free(marked);
  if (!any) return MLPD_OK;
  return FAIL(MLPD_ERROR_DATA, "%s: not numbers, but %s: %s%s; --ignore %s leaves out such columns%s", c->base.name,
              all_missing ? "missing values for the most part" : "text or missing values for the most part", names,
              example, listed,
              others_missing && !c->options->drop_missing
                  ? ", and --drop-missing the rows with missing values that are left"
                  : "");
}

static mlpd_status refuse_text(const csv_source *c, uint32_t column, const csv_fault *f) {
  char what[300], more[80] = "";
  const bool mixed = f->texts == 0;
  if (f->texts > 1)
    (void)snprintf(more, sizeof more, " (nor are %llu more cells of this column)", (unsigned long long)f->texts - 1);
  if (mixed)
    return place_error(c, f->yes_no_line, column, "True, False, yes, no or the like",
                       "stands in a column of numbers; write 1 and 0");
  if (c->syntax.decimal == ',' && strchr(f->text, '.') != NULL)
    (void)snprintf(
        what, sizeof what,
        "has a point%s, but --decimal comma wants commas; write the same sign in all columns, or --thousands . "
        "takes points as separators of thousands",
        more);
  else if (f->hint[0] != '\0')
    (void)snprintf(what, sizeof what, "is no number as it is written%s; %s reads it", more, f->hint);
  else
    (void)snprintf(what, sizeof what,
                   "is no number%s; correct it, or leave out such rows with --missing '%s' --drop-missing", more,
                   strpbrk(f->text, "',") == NULL ? f->text : "TEXT");
  return place_error(c, f->text_line, column, f->text, what);
}

static mlpd_status refuse_missing(const csv_source *c, uint32_t column, const csv_fault *f) {
  char what[400], ignored[300];
  bool *marked;
  TRY(memory_allocate(&marked, c->layout.columns, sizeof *marked, "columns"));
  marked[column] = true;
  csv_columns_listed(&c->layout, marked, ignored, sizeof ignored);
  free(marked);
  const bool target = c->plan.roles[column] == CSV_TARGET;
  (void)snprintf(what, sizeof what, "is a missing %s; --drop-missing leaves out such rows (%llu of %llu)%s%s%s",
                 target ? "label" : "value", (unsigned long long)c->rows_missing, (unsigned long long)c->rows_seen,
                 target ? "" : ", --ignore ", target ? "" : ignored, target ? "" : " the column");
  return place_error(c, f->missing_line, column, f->missing_text, what);
}

/* The fault that comes first in the file. */
static mlpd_status refuse_first(const csv_source *c, bool missing) {
  const csv_fault *first = NULL;
  uint32_t column = 0;
  uint64_t first_line = UINT64_MAX;
  for (uint32_t i = 0; i < c->layout.columns; i++) {
    const csv_fault *f = c->faults[i];
    if (f == NULL) continue;
    const bool answers = f->texts == 0 && f->yes_no + f->missing == c->rows_seen;
    const uint64_t line = missing          ? (f->missing > 0 ? f->missing_line : UINT64_MAX)
                          : i == c->label  ? UINT64_MAX
                          : f->texts > 0   ? f->text_line
                          : f->yes_no == 0 ? UINT64_MAX
                          : answers        ? UINT64_MAX
                                           : f->yes_no_line;
    if (line >= first_line) continue;
    first = f;
    first_line = line;
    column = i;
  }
  if (first == NULL) return MLPD_OK;
  return missing ? refuse_missing(c, column, first) : refuse_text(c, column, first);
}

static mlpd_status find_answers(csv_source *c) {
  TRY(memory_allocate(&c->base.yes_no, c->base.features, sizeof *c->base.yes_no, "kinds of columns"));
  for (uint32_t i = 0, feature = 0; i < c->layout.columns; i++) {
    if (c->plan.roles[i] != CSV_FEATURE) continue;
    c->base.yes_no[feature++] = c->faults[i] != NULL && c->faults[i]->yes_no > 0;
  }
  return MLPD_OK;
}

mlpd_status csv_faults_judge(csv_source *c) {
  if (c->faults == NULL) return MLPD_OK;
  TRY(refuse_text_columns(c));
  TRY(refuse_first(c, false));
  if (c->rows_missing > 0 && !c->options->drop_missing) TRY(refuse_first(c, true));
  if (c->rows_missing == c->rows_seen && c->rows_seen > 0)
    return FAIL(MLPD_ERROR_DATA, "%s: each of its %llu rows has a missing value: none is left", c->base.name,
                (unsigned long long)c->rows_seen);
  return find_answers(c);
}
