#include "csv/csv_scan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "csv/csv_codes.h"
#include "csv/csv_kinds.h"
#include "csv/csv_leaks.h"
#include "csv/csv_row.h"
#include "source/date.h"

static const char *label_place(const csv_source *c, char place[600]) {
  const char *const name = c->layout.names != NULL ? c->layout.names[c->label] : NULL;
  (void)snprintf(place, 600, "%s:%llu: column %u%s%.255s%s", c->base.name, (unsigned long long)c->lines.line,
                 c->label + 1, name != NULL ? " (" : "", name != NULL ? name : "", name != NULL ? ")" : "");
  return place;
}

static void note_text_label(const csv_source *c, label_set *labels, const char *text) {
  char hint[CSV_HINT_BYTES], unit[CSV_UNIT_BYTES];
  labels->unit_like += csv_cell_unit_hint(&c->label_cell, hint);
  labels->number_like += csv_cell_is_number_like(&c->label_cell);
  labels->dates += csv_cell_is_date(&c->label_cell);
  labels->lots += csv_cell_may_be_lot(&c->label_cell);
  number parsed;
  labels->unknown += csv_cell_read(&c->syntax, &c->label_cell, &parsed) == CSV_MISSING;
  if (csv_cell_unit(&c->label_cell, unit)) {
    labels->many_flags = labels->many_flags || !csv_flags_add(labels->flags, unit);
    if (labels->united++ == 0 && labels->unknown + 1 == labels->texts) { /* before it were missing values alone */
      (void)label_place(c, labels->text_place);
      (void)snprintf(labels->text, sizeof labels->text, "%.40s", text);
    }
  }
  if (labels->texts > 1) return csv_hint_settle(labels->text_hint, &c->label_cell);
  csv_cell amount;
  if (csv_cell_is_account(&c->label_cell, &amount)) (void)csv_cell_shown(&amount, labels->negative);
  (void)label_place(c, labels->text_place);
  (void)snprintf(labels->text_hint, sizeof labels->text_hint, "%s", hint);
}

/* A value of a regression in a notation that options read. */
static mlpd_status refuse_value(const csv_source *c, const char *hint) {
  char what[CSV_HINT_BYTES + 60];
  (void)snprintf(what, sizeof what, "is not a number in this notation; %s reads it", hint);
  return csv_cell_error(c, c->label, &c->label_cell, what);
}

static mlpd_status gather_label(csv_source *c, label_set *labels) {
  char text[LABEL_NAME_BYTES + 2], place[600];
  const size_t length = csv_cell_text(&c->label_cell, text, sizeof text);
  number parsed;
  const bool answers = c->options->task == MLPD_REGRESSION; /* then yes is the value 1 */
  const bool is_number = csv_cell_number(&c->syntax, &c->label_cell, &parsed) ||
                         (answers && csv_cell_read(&c->syntax, &c->label_cell, &parsed) == CSV_YES_NO);
  if (is_number && !isfinite(parsed.value)) return csv_beyond_error(c, c->label, &c->label_cell);
  char hint[CSV_HINT_BYTES], ordered[CSV_HINT_BYTES];
  if (!is_number && answers && csv_cell_hint(&c->label_cell, hint))
    return refuse_value(c, csv_hint_ordered(hint, c->layout.delimiter, ordered));
  const mlpd_status status = label_add_text(labels, text, length, is_number ? &parsed : NULL);
  if (status != MLPD_OK) return status_prefix(status, "%s: label ", label_place(c, place));
  if (!is_number) note_text_label(c, labels, text);
  if (is_number) extremes_add(&c->label_ends, parsed.value);
  TRY(csv_leaks_see(c, text, length < sizeof text ? length : sizeof text - 1, is_number ? parsed.value : NAN));
  return is_number ? csv_codes_see(c, c->label, c->label_cell.begin, c->label_cell.end) : MLPD_OK;
}

/* Several targets, each 0 or 1, may be one-hot classes. */
static mlpd_status gather_targets(csv_source *c, label_set *labels) {
  if (label_values_settled(labels)) return MLPD_OK;
  for (uint32_t t = 0; t < c->base.y_columns; t++) c->target_values[t] = c->numbers[c->base.features + t].value;
  return label_add_values(labels, c->target_values, c->base.y_columns);
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
    if (r->answers) r->others += n->value != 0 && n->value != 1 && !isnan(n->value);
    if (r->months && !isnan(n->value)) r->months = n->is_integer && date_is_compact_month(n->integer);
    if (r->days && !isnan(n->value)) r->days = n->is_integer && date_is_compact(n->integer);
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
  csv_codes_forget(c);
  c->label_ends = extremes_none();
  for (uint32_t i = 0; c->sets != NULL && i < c->layout.columns; i++)
    if (c->owned[i]) category_set_clear(c->sets[i]);
  c->rows_seen = c->rows_missing = c->rows_trailing = c->rows_empty = c->base.rows = 0;
  return MLPD_OK;
}

static void mark_answers(csv_source *c) {
  for (uint32_t i = 0, f = 0; i < c->layout.columns; i++) {
    const uint32_t count = csv_features_of(&c->plan, i);
    if (count > 0) c->ranges[f].answers = c->answers[i];
    f += count;
  }
}

/* Reads all rows, or a few if they show that columns are of other kinds than assumed; then *again is set. */
static mlpd_status gather_rows(csv_source *c, label_set *labels, bool *again) {
  TRY(csv_leaks_begin(c));
  mark_answers(c);
  for (*again = false; !*again;) {
    bool found;
    row_state state;
    TRY(csv_next_row(c, &found, &state));
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

mlpd_status csv_scan(source *s, label_set *labels) {
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
  char hint[CSV_HINT_BYTES];
  if (csv_hint_ordered(labels->text_hint, c->layout.delimiter, hint) == hint)
    memcpy(labels->text_hint, hint, sizeof labels->text_hint);
  if (c->rows_seen == 0) return FAIL(MLPD_ERROR_DATA, "%s: has a header, but no rows", s->name);
  TRY(csv_faults_judge(c));
  TRY(take_categories(c));
  for (uint32_t f = 0; f < s->features; f++) s->missing = s->missing || c->ranges[f].missing;
  s->type = smallest_type(c);
  finish_targets(c, labels);
  csv_report_rows(c);
  return csv_lines_rewind(&c->lines);
}
