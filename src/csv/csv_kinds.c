#include "csv/csv_kinds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "csv/csv_forms.h"
#include "csv/csv_mixed.h"
#include "source/date.h"
#include "source/report.h"

enum { TEXT_BYTES = 1024, REASON_BYTES = 300, FEW = 20, LEAST_ROWS = 10 };

static const char no_reason[] = "";

static mlpd_status make_set(csv_source *c, uint32_t column, bool wanted) {
  if (c->sets == NULL) TRY(memory_allocate(&c->sets, c->layout.columns, sizeof *c->sets, "categories"));
  if (c->owned == NULL) TRY(memory_allocate(&c->owned, c->layout.columns, sizeof *c->owned, "categories"));
  if (c->sets[column] != NULL) return MLPD_OK;
  c->owned[column] = true;
  TRY(category_set_create(&c->sets[column]));
  c->sets[column]->wanted = wanted;
  return MLPD_OK;
}

static void free_sets(csv_source *c) {
  for (uint32_t i = 0; c->owned != NULL && i < c->layout.columns; i++)
    if (c->owned[i]) category_set_free(c->sets[i]);
  free(c->sets);
  free(c->owned);
  c->sets = NULL;
  c->owned = NULL;
}

void csv_kinds_free(csv_source *c) {
  free_sets(c);
  for (uint32_t i = 0; c->reasons != NULL && i < c->layout.columns; i++) free(c->reasons[i]);
  free(c->reasons);
  free(c->answers);
  free(c->untrained);
  free(c->mixes);
  for (uint32_t i = 0; c->examples != NULL && i < c->layout.columns; i++) free(c->examples[i]);
  free(c->examples);
}

/* ---- Required categories ---------------------------------------------------------------------------- */

/* The place of the name among the model's columns, or their number. `likely` is looked at first. */
static uint32_t place_in_model(const mlpd_convert_options *o, const char *name, uint32_t likely) {
  const uint32_t count = o->num_model_columns;
  if (likely < count && strcmp(o->model_columns[likely], name) == 0) return likely;
  uint32_t j = 0;
  while (j < count && strcmp(o->model_columns[j], name) != 0) j++;
  return j;
}

/* Marks the columns that are categories in the model: by name, or by position in a table without names. */
static mlpd_status take_model(csv_source *c) {
  const mlpd_convert_options *const o = c->options;
  for (uint32_t i = 0, f = 0; o->model_categories != NULL && i < c->layout.columns; i++) {
    uint32_t j = f;
    f += csv_features_of(&c->plan, i);
    if (c->plan.roles[i] != CSV_FEATURE || c->plan.dates[i]) continue;
    if (c->layout.names != NULL && o->model_columns != NULL) j = place_in_model(o, c->layout.names[i], j);
    if (j >= o->num_model_columns) continue;
    if (o->model_categories[j] == 1) TRY(make_set(c, i, true));
    c->answers[i] = o->model_categories[j] == 2;
  }
  return MLPD_OK;
}

/* Categories are features: what a target holds is for --task to say. */
static void note_targets(const csv_source *c, const bool *marked) {
  char number[CSV_NUMBER_BYTES];
  if (c->options->task == MLPD_CLASSIFICATION) return; /* as wanted */
  for (uint32_t i = 0; i < c->layout.columns; i++)
    if (marked[i] && c->plan.roles[i] == CSV_TARGET)
      convert_say(c->options, "note: %s: '%s' is a target, which --categorical leaves as it is; %s", c->base.name,
                  csv_column_name(&c->layout, i, number),
                  c->plan.num_targets > 1 ? "several targets are values" : "--task classification makes classes");
}

mlpd_status csv_kinds_begin(csv_source *c) {
  bool *marked = NULL;
  TRY(memory_allocate(&c->reasons, c->layout.columns, sizeof *c->reasons, "columns"));
  TRY(memory_allocate(&c->examples, c->layout.columns, sizeof *c->examples, "columns"));
  TRY(memory_allocate(&c->answers, c->layout.columns, sizeof *c->answers, "columns"));
  TRY(memory_allocate(&c->untrained, c->layout.columns, sizeof *c->untrained, "columns"));
  TRY(memory_allocate(&c->mixes, c->layout.columns, sizeof *c->mixes, "columns"));
  if (c->options->num_model_columns > 0) return take_model(c);
  if (c->options->categorical == NULL) return MLPD_OK;
  mlpd_status status = csv_columns_named(c->base.name, &c->layout, "categorical", c->options->categorical, &marked);
  if (status == MLPD_OK && !c->follows) note_targets(c, marked);
  for (uint32_t i = 0; i < c->layout.columns && status == MLPD_OK; i++)
    if (marked[i] && c->plan.roles[i] == CSV_FEATURE) status = make_set(c, i, true);
  free(marked);
  return status;
}

/* ---- Found categories ------------------------------------------------------------------------------- */

static bool is_text_column(const csv_source *c, uint32_t column, bool all) {
  const csv_fault *const f = c->faults != NULL ? c->faults[column] : NULL;
  if (f == NULL) return false;
  if (f->texts == 0) return csv_fault_mixes_answers(f) && f->yes_no + f->missing == c->rows_seen;
  const bool lots = all && f->lots == f->texts && f->texts == c->rows_seen - f->missing; /* 30-, 40-, and no 30 */
  if (2 * f->number_like > f->texts && !lots) return false;
  return 2 * (f->texts + f->yes_no) > c->rows_seen - f->missing;
}

/* Dates with the year at the end for the most part: their order, as long as no row contradicts it. Until all rows are
 * seen, any will do. */
static date_kind order_of_column(const csv_source *c, uint32_t column, bool all) {
  const csv_fault *const f = c->faults != NULL ? c->faults[column] : NULL;
  const char *const told = c->options->dates;
  if (f == NULL) return DATE_NONE;
  const uint64_t days = f->orders[ORDER_DAY_FIRST], months = f->orders[ORDER_MONTH_FIRST];
  if (2 * (days + months + f->orders[ORDER_EITHER]) <= c->rows_seen - f->missing) return DATE_NONE;
  if (days + months > 0) return date_order_settle(f->orders);
  if (told != NULL && strcmp(told, "auto") != 0) return told[0] == 'd' ? DATE_DAY_FIRST : DATE_MONTH_FIRST;
  return all ? DATE_NONE : DATE_DAY_FIRST;
}

/* Dates for the most part: a cell that is none is then refused by its line. Months, quarters and times are known by all
 * cells alone, since 2010-11 may be a season; where some times have seconds, others may be minutes and seconds. */
static date_kind dates_of_column(const csv_source *c, uint32_t column, bool all) {
  const csv_fault *const f = c->faults != NULL ? c->faults[column] : NULL;
  if (f == NULL || f->texts == 0) return DATE_NONE;
  const uint64_t cells = c->rows_seen - f->missing;
  if (2 * f->dates <= cells && f->periods == cells) return DATE_PERIOD;
  const date_kind day = 2 * f->dates > cells ? DATE_DAY : order_of_column(c, column, all);
  if (day != DATE_NONE) return f->timed > 0 ? date_with_time(day) : day;
  if (f->clocks[0] == cells || f->clocks[1] == cells) return DATE_CLOCK;
  if (f->spans == cells && f->span_parts) return DATE_SPAN;
  /* 48.51N may be newtons, unless others are 12.30S. */
  return f->angles == cells && (f->angle_parts || (f->north && f->south)) ? DATE_ANGLE : DATE_NONE;
}

/* 48.51N in all rows, which are newtons unless a later one is 12.30S. */
static bool may_be_angles(const csv_source *c, uint32_t column) {
  const csv_fault *const f = c->faults != NULL ? c->faults[column] : NULL;
  return f != NULL && f->angles > 0 && f->angles == c->rows_seen - f->missing;
}

/* Is another column called as the feature of this one would be? */
static bool name_is_taken(const csv_source *c, uint32_t column, const csv_dress *dress) {
  char name[400];
  (void)csv_dress_name(dress, c->layout.names[column], name, sizeof name);
  for (uint32_t i = 0; i < c->layout.columns; i++)
    if (strcmp(c->layout.names[i], name) == 0) return true;
  return false;
}

/* A dress that the column does not have yet. A model knows the unit. */
static bool dress_of_column(const csv_source *c, uint32_t column, csv_dress *dress) {
  const csv_fault *const f = c->faults != NULL ? c->faults[column] : NULL;
  const csv_dress *const known = &c->plan.dresses[column];
  if (f == NULL || f->yes_no > 0 || known->thousands != 0) return false;
  const bool settled = known->unit[0] != '\0' || c->options->num_model_columns > 0;
  if (!csv_dressed_settle(&f->dressed, f->texts, settled ? f->texts : c->rows_seen - f->missing, dress)) return false;
  if (settled) return strcmp(known->unit, dress->unit) == 0 && dress->thousands != 0;
  return dress->unit[0] == '\0' || c->layout.names == NULL || !name_is_taken(c, column, dress);
}

/* The same unit in all rows, where another column has the name with the unit. */
static bool all_have_units(const category_set *set) {
  char first[CSV_UNIT_BYTES], unit[CSV_UNIT_BYTES];
  for (uint32_t i = 0; i < set->count; i++) {
    const csv_cell cell = {.begin = set->all[i].text, .end = set->all[i].text + set->all[i].length};
    if (!csv_cell_unit(&cell, i == 0 ? first : unit) || (i > 0 && strcmp(first, unit) != 0)) return false;
  }
  return set->count > 0;
}

/* Numbers with a unit, in another notation, as 5,7 kg. NULL: not all are. */
static const char *reason_of_hints(const category_set *set, char text[REASON_BYTES]) {
  char hint[CSV_HINT_BYTES] = "", one[CSV_HINT_BYTES];
  for (uint32_t i = 0; i < set->count; i++) {
    const csv_cell cell = {.begin = set->all[i].text, .end = set->all[i].text + set->all[i].length};
    if (!csv_cell_unit_hint(&cell, i == 0 ? hint : one)) return NULL;
    csv_hint_settle(hint, &cell);
  }
  if (hint[0] == '\0') return "its texts are numbers in units that differ; write all rows in one unit";
  (void)snprintf(text, REASON_BYTES, "its texts are numbers with a unit, in another notation; %s reads them", hint);
  return text;
}

static const char *reason_of_texts(const category_set *set, char text[REASON_BYTES]) {
  char flags[CSV_FLAGS_BYTES];
  if (all_have_units(set)) return "its texts are numbers with a unit, which --strip with the unit reads";
  const char *const dates = csv_form_of_dates(set);
  if (dates != NULL) return dates;
  bool amounts;
  const char *const form = csv_form_of(set, &amounts);
  if (form == csv_form_united && csv_form_flags(set, flags)) {
    (void)snprintf(text, REASON_BYTES,
                   "its texts are numbers, some with another text behind them; if these are flags, or a unit that "
                   "other rows lack, --strip '%s' leaves "
                   "them off; if they are units, write all rows in one",
                   flags);
    return text;
  }
  const char *const reason = form != NULL ? form : reason_of_hints(set, text);
  return reason != NULL ? reason : "its texts are nearly all different, as if they identified rows";
}

/* The reason why a column is useless, perhaps in text, or NULL. */
static const char *reason_against(const csv_source *c, uint32_t column, char text[REASON_BYTES]) {
  const csv_fault *const f = c->faults != NULL ? c->faults[column] : NULL;
  const category_set *const set = c->sets != NULL ? c->sets[column] : NULL;
  if (f != NULL && f->missing == c->rows_seen) return "it has no values";
  if (set == NULL || set->wanted) return NULL;
  const bool all_differ = set->count == set->rows && set->rows >= LEAST_ROWS;
  const bool nearly = set->count > FEW && 2 * (uint64_t)set->count > set->rows;
  if (set->full || nearly || all_differ) return reason_of_texts(set, text);
  return NULL;
}

static void make_dates(csv_source *c, uint32_t column, date_kind kind) {
  c->plan.dates[column] = (uint8_t)kind;
  c->plan.num_features += date_features(kind) - 1;
}

static mlpd_status keep_example(csv_source *c, uint32_t column) {
  char shown[CSV_SHOWN_BYTES + 4];
  const category_set *const set = c->sets != NULL ? c->sets[column] : NULL;
  if (set == NULL || set->count == 0 || c->examples[column] != NULL) return MLPD_OK;
  const category *one = &set->all[0];
  for (uint32_t i = 0; i < set->count; i++) { /* one that is no date as dates are read */
    date parsed;
    one = &set->all[i];
    if (!date_parse(one->text, one->text + one->length, &parsed)) break;
  }
  (void)csv_cell_shown(&(csv_cell){.begin = one->text, .end = one->text + one->length}, shown);
  return memory_copy_string(shown, &c->examples[column]);
}

static void drop_set(csv_source *c, uint32_t column) {
  category_set_free(c->sets[column]);
  c->sets[column] = NULL;
  c->owned[column] = false;
}

static mlpd_status leave_out(csv_source *c, uint32_t column, const char *reason) {
  c->plan.num_features -= csv_features_of(&c->plan, column);
  c->plan.roles[column] = CSV_LEFT_OUT;
  TRY(memory_copy_string(reason, &c->reasons[column]));
  TRY(keep_example(c, column));
  if (c->sets != NULL && c->owned[column]) drop_set(c, column);
  return MLPD_OK;
}

static mlpd_status check_wanted(const csv_source *c, uint32_t column) {
  char shown[300];
  if (c->sets == NULL || c->sets[column] == NULL || !c->sets[column]->full) return MLPD_OK;
  return FAIL(MLPD_ERROR_DATA, "%s: %s has more than %d categories; leave it out with --ignore", c->base.name,
              csv_column_shown(&c->layout, column, shown), CATEGORIES_MOST);
}

/* After all rows, the order of dates in column i, which the first rows left open, may be another, or none; and some may
 * have a time of day. */
static mlpd_status judge_dates(csv_source *c, uint32_t i, bool *changed) {
  const date_kind now = (date_kind)c->plan.dates[i], order = date_order_kind(now);
  const bool timed = now != order || (c->faults != NULL && c->faults[i] != NULL && c->faults[i]->timed > 0);
  const date_kind settled = order == DATE_DAY ? order : order_of_column(c, i, true);
  const date_kind kind = timed ? date_with_time(settled) : settled;
  if (kind == now) return MLPD_OK;
  *changed = true;
  c->plan.dates[i] = (uint8_t)kind;
  c->plan.num_features += date_features(kind) - date_features(now);
  return kind == DATE_NONE ? make_set(c, i, false) : MLPD_OK;
}

/* After all rows, column i, of numbers and texts, is one of categories, or its texts are read as faults again. */
static void judge_mix(csv_source *c, uint32_t i, bool *changed) {
  bool mostly_texts;
  const bool is = csv_mixed_is(c, c->sets[i], &mostly_texts);
  c->mixes[i] = is && !mostly_texts ? MIX_FOUND : MIX_NONE;
  *changed = !is;
  if (!is) drop_set(c, i);
}

static bool is_dates(date_kind kind) { return kind != DATE_PERIOD && date_with_time(kind) != date_order_kind(kind); }

/* Judges column i, a feature. all: all rows were read. */
static mlpd_status judge(csv_source *c, uint32_t i, bool all, bool *changed) {
  const bool plain = (c->sets == NULL || c->sets[i] == NULL) && !c->plan.dates[i];
  const bool model = c->options->num_model_columns > 0;
  const date_kind kind = model ? DATE_NONE : dates_of_column(c, i, all);
  char text[REASON_BYTES];
  const char *const reason = all && !model ? reason_against(c, i, text) : NULL;
  csv_dress dress;
  const date_kind now = (date_kind)c->plan.dates[i];
  if (all && c->mixes[i] == MIX_TRIED) return judge_mix(c, i, changed), MLPD_OK;
  if (all && !model && is_dates(now)) return judge_dates(c, i, changed);
  if (!all && !model && plain && kind == DATE_NONE && may_be_angles(c, i)) return MLPD_OK;
  *changed = true;
  if (plain && kind != DATE_NONE) return make_dates(c, i, kind), MLPD_OK;
  if (plain && dress_of_column(c, i, &dress)) return c->plan.dresses[i] = dress, MLPD_OK;
  if (plain && !model && !csv_is_dressed(&c->plan.dresses[i]) && is_text_column(c, i, all))
    return make_set(c, i, false);
  if (plain && !model && c->mixes[i] == MIX_UNKNOWN && csv_mixed_may_be(c, i))
    return c->mixes[i] = MIX_TRIED, make_set(c, i, false);
  if (reason != NULL) return leave_out(c, i, reason);
  *changed = false;
  return all && !model ? check_wanted(c, i) : MLPD_OK;
}

mlpd_status csv_kinds_judge(csv_source *c, bool all, bool *changed) {
  *changed = false;
  if (c->follows) return MLPD_OK;
  for (uint32_t i = 0; i < c->layout.columns; i++) {
    bool changes = false;
    if (c->plan.roles[i] == CSV_FEATURE) TRY(judge(c, i, all, &changes));
    *changed = *changed || changes;
  }
  return *changed ? csv_make_room(c) : MLPD_OK;
}

/* ---- Several tables ---------------------------------------------------------------------------------- */

/* The index among the features of c of column i, which is a feature. */
static uint32_t feature_of(const csv_source *c, uint32_t column) {
  uint32_t f = 0;
  for (uint32_t i = 0; i < column; i++) f += csv_features_of(&c->plan, i);
  return f;
}

/* The index in first of column i of c, or the number of first's columns if there is none. */
static uint32_t place_in(const csv_source *first, const csv_source *c, uint32_t i) {
  uint32_t k = 0;
  if (c->layout.names == NULL || first->layout.names == NULL) return i;
  if (i < first->layout.columns && strcmp(first->layout.names[i], c->layout.names[i]) == 0) return i;
  while (k < first->layout.columns && strcmp(first->layout.names[k], c->layout.names[i]) != 0) k++;
  return k;
}

mlpd_status csv_kinds_follow(source *s, const source *first_source) {
  csv_source *const c = (csv_source *)s;
  const csv_source *const first = (const csv_source *)first_source;
  if (first_source->methods != s->methods) return MLPD_OK; /* no CSV file */
  c->follows = true;
  c->by_place = first->by_place;
  c->compares = first_source->part == MLPD_TRAIN && s->part != MLPD_TRAIN;
  free_sets(c); /* of required categories: those of the first table count */
  TRY(memory_allocate(&c->sets, c->layout.columns, sizeof *c->sets, "categories"));
  TRY(memory_allocate(&c->owned, c->layout.columns, sizeof *c->owned, "categories"));
  for (uint32_t i = 0; i < c->layout.columns; i++) {
    const uint32_t k = place_in(first, c, i);
    if (k >= first->layout.columns || c->plan.roles[i] != CSV_FEATURE) continue;
    if (first->reasons[k] != NULL) TRY(leave_out(c, i, no_reason));
    if (first->sets != NULL && first->plan.roles[k] == CSV_FEATURE) c->sets[i] = first->sets[k];
    if (first->base.yes_no != NULL && first->plan.roles[k] == CSV_FEATURE)
      c->answers[i] = first->base.yes_no[feature_of(first, k)];
    c->plan.dresses[i] = first->plan.dresses[k];
    if (first->plan.dates[k] && c->plan.roles[i] == CSV_FEATURE) make_dates(c, i, (date_kind)first->plan.dates[k]);
  }
  return csv_make_room(c);
}

/* ---- Cells ------------------------------------------------------------------------------------------ */

/* Does the training part have the category? */
static void note_part(csv_source *c, uint32_t column, uint32_t index) {
  const category_set *const set = c->sets[column];
  if (index == set->count) return; /* it is full */
  if (c->base.part == MLPD_TRAIN) set->all[index].trained = true;
  c->untrained[column] += c->compares && !set->all[index].trained;
}

mlpd_status csv_kinds_take(csv_source *c, uint32_t column, const csv_cell *cell, number *parsed) {
  char text[TEXT_BYTES];
  uint32_t index = 0;
  category_set *const set = c->sets[column];
  int32_t code = 0;
  int64_t whole = 0;
  size_t length = csv_cell_text(cell, text, sizeof text);
  if (length >= sizeof text) length = strlen(text);
  /* 7, +7, 007 and 7.0, as pandas writes a column with missing values, are the same category. */
  if (csv_cell_number(&c->syntax, cell, parsed) && number_is_whole(parsed, &whole))
    length = (size_t)snprintf(text, sizeof text, "%lld", (long long)whole);
  if (c->gathering) {
    TRY(category_set_add(set, text, length, &index));
    code = (int32_t)index; /* until all are known */
    note_part(c, column, index);
  } else {
    TRY(category_set_code(set, text, length, &code));
  }
  if (code == CATEGORY_UNKNOWN)
    return FAIL(MLPD_ERROR_DATA, "%s:%llu: changed while it was read", c->base.name, (unsigned long long)c->lines.line);
  *parsed = (number){.value = code, .integer = code, .is_integer = true};
  return MLPD_OK;
}
