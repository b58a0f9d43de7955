/* Reports what was decided about the rows of a CSV file, one line per decision. */
#include <math.h>
#include <string.h>

#include "csv/csv_codes.h"
#include "csv/csv_forms.h"
#include "csv/csv_leaks.h"
#include "csv/csv_texts.h"
#include "source/date.h"
#include "source/report.h"

/* Does a word of the name say that the numbers are times? Those of a series follow one another. */
static bool names_time(const char *name) {
  static const char *const words[] = {"year", "yr",     "month",  "week",  "day", "date", "time",      "hour",
                                      "min",  "minute", "second", "epoch", "t",   "jahr", "timestamp", "ts"};
  while (*name != '\0') {
    const size_t length = strcspn(name, " _-./()");
    for (size_t w = 0; w < sizeof words / sizeof *words; w++)
      if (strlen(words[w]) == length && strncasecmp(name, words[w], length) == 0) return true;
    name += length + (name[length] != '\0');
  }
  return false;
}

/* Times since 1970 in nanoseconds, as databases of measurements write them: their last digits say nothing. */
static bool are_nanoseconds(const csv_source *c, uint32_t column, const csv_range *r) {
  static const double year = 365.2425 * 86400e9;
  char number[CSV_NUMBER_BYTES];
  return r->least > 20 * year && r->most < 100 * year && names_time(csv_column_name(&c->layout, column, number));
}

/* Reports features whose whole numbers double precision rounds. */
static void report_rounded(const csv_source *c) {
  char names[REPORT_BYTES] = "", number[CSV_NUMBER_BYTES];
  size_t used = 0;
  for (uint32_t i = 0, f = 0; i < c->layout.columns; i++) {
    if (c->plan.roles[i] != CSV_FEATURE) continue;
    const csv_range *r = &c->ranges[f];
    f += csv_features_of(&c->plan, i);
    if (!r->rounded || are_nanoseconds(c, i, r)) continue;
    report_list_add(names, &used, ",", csv_column_name(&c->layout, i, number));
  }
  if (used > 0)
    convert_say(
        c->options,
        "note: %s: whole numbers beyond 2^53 = 9007199254740992 are rounded in %s; if they identify rows, leave "
        "them out with --ignore",
        c->base.name, names);
}

static const extremes *ends_of(const csv_source *c, uint32_t column, uint32_t feature) {
  if (c->plan.dates[column]) return NULL;
  if (c->plan.roles[column] == CSV_FEATURE) return &c->ranges[feature].ends;
  if (column == c->label) return &c->label_ends;
  return c->plan.roles[column] == CSV_TARGET && c->target_places != NULL ? &c->ranges[c->target_places[column]].ends
                                                                         : NULL;
}

/* Features that number the rows, such as an index that was stored as a column, or several (reset_index in pandas).
 * Where there are no others, they are what the target depends on: a time, a place. */
static void report_counting(const csv_source *c) {
  char shown[REPORT_BYTES] = "", names[REPORT_BYTES] = "", item[300], number[CSV_NUMBER_BYTES];
  size_t used = 0, names_used = 0;
  uint32_t count = 0;
  for (uint32_t i = 0, f = 0; i < c->layout.columns; i++) {
    const extremes *const ends = c->plan.roles[i] == CSV_FEATURE ? ends_of(c, i, f) : NULL;
    f += csv_features_of(&c->plan, i);
    if (ends == NULL || (i == 0 && c->layout.index) || !extremes_count_rows(ends)) continue;
    const char *const name = csv_column_name(&c->layout, i, number);
    if (names_time(name)) continue;
    (void)snprintf(item, sizeof item, "'%.255s'", name);
    report_list_add(shown, &used, ", ", item);
    report_list_add(names, &names_used, ",", name);
    count++;
  }
  if (count > 0 && count < c->base.features)
    convert_say(c->options, "note: %s: the feature%s %s number%s the rows; --ignore '%s' leaves %s out", c->base.name,
                count == 1 ? "" : "s", shown, count == 1 ? "s" : "", names, count == 1 ? "it" : "them");
}

/* Numbers such as -999 far from all others of a column. What they mean is not known here. */
static void report_placeholders(const csv_source *c) {
  char list[REPORT_BYTES] = "", values[REPORT_BYTES] = "", item[400], number[CSV_NUMBER_BYTES], last[40] = "";
  size_t used = 0, values_used = 0;
  for (uint32_t i = 0, f = 0; i < c->layout.columns; i++) {
    double value = 0;
    const extremes *const ends = ends_of(c, i, f);
    f += csv_features_of(&c->plan, i);
    const uint64_t rows = ends != NULL ? extremes_placeholder(ends, &value) : 0;
    if (rows == 0) continue;
    char text[40];
    (void)snprintf(text, sizeof text, "%.10g", value);
    (void)snprintf(item, sizeof item, "%s in %llu row%s of %.255s", text, (unsigned long long)rows,
                   rows == 1 ? "" : "s", csv_column_name(&c->layout, i, number));
    report_list_add(list, &used, ", ", item);
    if (strcmp(text, last) != 0) report_list_add(values, &values_used, ",", text);
    (void)snprintf(last, sizeof last, "%s", text);
  }
  if (used > 0)
    convert_say(c->options,
                "note: %s: far from all other values: %s; --missing %s treats such numbers as missing values",
                c->base.name, list, values);
}

/* Does a category of the last row, which no other has, say that it sums up the rows above it? Total may be a region,
 * and average a grade, unless the numbers of the row are sums or means, or there are none. */
static bool ends_in_total(const csv_source *c, bool numbers_do) {
  enum { CLEAR = 2 };
  static const char *const words[] = {"grand total", "totals", "total", "sum", "average", "mean", "summe", "gesamt"};
  const size_t count = numbers_do ? sizeof words / sizeof *words : CLEAR;
  for (uint32_t i = 0, f = 0; c->sets != NULL && i < c->layout.columns; i++) {
    const category_set *const set = c->plan.roles[i] == CSV_FEATURE ? c->sets[i] : NULL;
    const double code = set != NULL ? c->numbers[f].value : NAN;
    f += csv_features_of(&c->plan, i);
    if (!(code >= 0 && code < set->count) || set->all[(uint32_t)code].rows > 1) continue;
    for (size_t w = 0; w < count; w++)
      if (strcasecmp(set->all[(uint32_t)code].text, words[w]) == 0) return true;
  }
  return false;
}

/* A last row of sums is a total, which spreadsheets put below a table: a table of so many rows has none by chance. */
static void report_total(const csv_source *c) {
  enum { LEAST_ROWS = 10 };
  uint32_t sums = 0, means = 0, columns = 0;
  for (uint32_t i = 0, f = 0; i < c->layout.columns; i++) {
    const extremes *const ends = c->sets != NULL && c->sets[i] != NULL ? NULL : ends_of(c, i, f);
    const bool feature = c->plan.roles[i] == CSV_FEATURE;
    if (ends != NULL && ends->sum != 0 && !(feature && isnan(c->numbers[f].value))) {
      columns++;
      sums += extremes_end_in_sum(ends);
      means += extremes_end_in_mean(ends);
    }
    f += csv_features_of(&c->plan, i);
  }
  if (c->base.rows > LEAST_ROWS && 2 * sums <= columns && ends_in_total(c, 2 * (sums + means) >= columns))
    convert_say(c->options,
                "note: %s: the last row is called a total or the like, and is read as a row; if it is none, delete it",
                c->base.name);
  if (c->base.rows <= LEAST_ROWS || 2 * sums <= columns) return;
  convert_say(
      c->options,
      "note: %s: the last row holds the sums of the columns above it, as a total does, and is read as a row; if it "
      "is a total, delete it",
      c->base.name);
}

static void report_categories(const csv_source *c) {
  char list[REPORT_BYTES] = "", item[320], number[CSV_NUMBER_BYTES];
  size_t used = 0;
  for (uint32_t i = 0; c->sets != NULL && i < c->layout.columns; i++) {
    if (c->sets[i] == NULL || c->plan.roles[i] != CSV_FEATURE) continue;
    (void)snprintf(item, sizeof item, "%.255s (%u)", csv_column_name(&c->layout, i, number), c->sets[i]->count);
    report_list_add(list, &used, ", ", item);
  }
  if (used > 0) convert_say(c->options, "%s: columns of categories: %s", c->base.name, list);
}

/* Comments behind the rows of a table whose cells are separated by blanks. */
static void report_comments(const csv_source *c) {
  for (uint32_t i = 0; c->sets != NULL && i < c->layout.columns; i++) {
    const category_set *const set = c->sets[i];
    if (set == NULL || set->count != 1 || strcmp(set->all[0].text, "#") != 0) continue;
    convert_say(c->options,
                "note: %s: each row has a cell '#': if comments follow the rows, remove them: sed 's/#.*//' OLD > NEW",
                c->base.name);
    return;
  }
}

static void report_dates(const csv_source *c) {
  static const char *const what[] = {[DATE_DAY] = "dates",
                                     [DATE_CLOCK] = "times",
                                     [DATE_SPAN] = "spans of time",
                                     [DATE_ANGLE] = "angles",
                                     [DATE_DAY_FIRST] = "dates, read with the day first (DD.MM.YYYY),",
                                     [DATE_MONTH_FIRST] = "dates, read with the month first (MM/DD/YYYY),"};
  static const char *const become[] = {[DATE_CLOCK] = "become seconds",
                                       [DATE_SPAN] = "become seconds",
                                       [DATE_ANGLE] = "become degrees, south and west negative"};
  static const char *const dates[] = {
      [3] = "become three features each: year, day of the year, seconds since 1970",
      [4] = "become four features each: year, day of the year, weekday, seconds since 1970",
      [5] = "become five features each: year, day of the year, weekday, hour, seconds since 1970"};
  for (int kind = DATE_DAY; kind < DATE_KINDS; kind++) {
    char list[REPORT_BYTES] = "", number[CSV_NUMBER_BYTES];
    size_t used = 0;
    for (uint32_t i = 0; i < c->layout.columns; i++)
      if (c->plan.dates[i] == kind && c->plan.roles[i] == CSV_FEATURE)
        report_list_add(list, &used, ", ", csv_column_name(&c->layout, i, number));
    const uint32_t features = date_features((date_kind)kind);
    if (used > 0)
      convert_say(c->options, "%s: %s %s: %s", c->base.name, what[date_order_kind((date_kind)kind)],
                  features == 1 ? become[kind] : dates[features], list);
  }
}

static void report_dresses(const csv_source *c) {
  char units[REPORT_BYTES] = "", marks[REPORT_BYTES] = "", number[CSV_NUMBER_BYTES], item[400];
  size_t units_used = 0, marks_used = 0;
  for (uint32_t i = 0; i < c->layout.columns; i++) {
    const csv_dress *const dress = &c->plan.dresses[i];
    if (c->plan.roles[i] != CSV_FEATURE) continue;
    const char *const name = csv_column_name(&c->layout, i, number);
    if (dress->unit[0] != '\0')
      report_list_add(units, &units_used, ", ", csv_dress_name(dress, name, item, sizeof item));
    if (dress->thousands != 0) report_list_add(marks, &marks_used, ", ", name);
  }
  if (units_used > 0) convert_say(c->options, "%s: numbers with a unit, the same in all rows: %s", c->base.name, units);
  if (marks_used > 0) convert_say(c->options, "%s: marks between thousands are left off: %s", c->base.name, marks);
}

/* Whole numbers that are all dates or months: from one month to the next they leap by 70, from year to year by 89. */
static void report_compact_dates(const csv_source *c) {
  enum { LEAST_ROWS = 10 };
  char number[CSV_NUMBER_BYTES];
  for (uint32_t i = 0, f = 0; i < c->layout.columns && c->base.rows >= LEAST_ROWS; i++) {
    const csv_range *const r = c->plan.roles[i] == CSV_FEATURE ? &c->ranges[f] : NULL;
    const bool other = c->plan.dates[i] != DATE_NONE || (c->sets != NULL && c->sets[i] != NULL);
    f += csv_features_of(&c->plan, i);
    const bool months = r != NULL && r->months && r->most - r->least > 12;
    if (r == NULL || other || (!r->days && !months) || r->least > r->most || c->options->num_model_columns > 0)
      continue;
    convert_say(c->options,
                "note: %s: column %s is read as numbers, but they look like %s, as %.0f; if they are, "
                "they are read as dates where written as %s (ISO 8601)",
                c->base.name, csv_column_name(&c->layout, i, number), months ? "months" : "dates", r->least,
                months ? "2021-03" : "2021-03-15");
  }
}

/* Categories that look like dates or amounts, unless they were asked for: few enough to be kept, they would lose their
 * order without a word. */
static void report_foreign_dates(const csv_source *c) {
  char number[CSV_NUMBER_BYTES];
  for (uint32_t i = 0; c->sets != NULL && c->options->num_model_columns == 0 && i < c->layout.columns; i++) {
    const category_set *const set = c->sets[i];
    if (set == NULL || set->wanted || set->count == 0 || c->plan.roles[i] != CSV_FEATURE) continue;
    const char *const name = csv_column_name(&c->layout, i, number);
    bool amounts = false;
    const char *const form = csv_form_of(set, &amounts);
    if (amounts)
      convert_say(c->options,
                  "note: %s: column %s becomes categories, but %.*s, as '%.*s'%s; --categorical '%s' keeps it without "
                  "this note",
                  c->base.name, name, (int)strcspn(form, ";"), form, (int)set->all[0].length, set->all[0].text,
                  form + strcspn(form, ";"), name);
    const char *const dates = csv_form_of_dates(set);
    if (dates == NULL) continue;
    const char *const cure = strchr(dates, ';');
    convert_say(c->options,
                "note: %s: column %s becomes categories, but %.*s, as '%.*s'%s; --categorical '%s' keeps it without "
                "this note",
                c->base.name, name, (int)(cure - dates), dates, (int)set->all[0].length, set->all[0].text, cure, name);
  }
}

/* Categories of a further table that no training row has: models count them as none (model/held_out.c). */
static void report_untrained(const csv_source *c) {
  char list[REPORT_BYTES] = "", item[320], number[CSV_NUMBER_BYTES];
  size_t used = 0;
  for (uint32_t i = 0; c->compares && i < c->layout.columns; i++) {
    if (c->untrained[i] == 0) continue;
    (void)snprintf(item, sizeof item, "%.255s (%llu)", csv_column_name(&c->layout, i, number),
                   (unsigned long long)c->untrained[i]);
    report_list_add(list, &used, ", ", item);
  }
  if (used > 0)
    convert_say(c->options, "note: %s: categories that no training row has, which the model will not know: %s",
                c->base.name, list);
}

/* Yes and no in columns that are numbers in training. */
static void report_answers(const csv_source *c) {
  char number[CSV_NUMBER_BYTES];
  const bool later = c->follows || c->options->num_model_columns > 0;
  for (uint32_t i = 0; later && c->faults != NULL && i < c->layout.columns; i++) {
    const csv_fault *const f = c->plan.roles[i] == CSV_FEATURE ? c->faults[i] : NULL;
    if (f == NULL || f->yes_no == 0 || c->answers[i]) continue;
    convert_say(
        c->options,
        "note: %s: column %s holds '%s' and the like, read as 1 and 0, but numbers in training: this is right if "
        "those were 1 and 0",
        c->base.name, csv_column_name(&c->layout, i, number), f->answer_text);
  }
}

/* Other numbers than 0 and 1 in columns that are yes/no in training. */
static void report_no_answers(const csv_source *c) {
  char number[CSV_NUMBER_BYTES];
  for (uint32_t i = 0, f = 0; i < c->layout.columns; i++) {
    const csv_range *const r = c->plan.roles[i] == CSV_FEATURE ? &c->ranges[f] : NULL;
    f += csv_features_of(&c->plan, i);
    if (r == NULL || r->others == 0) continue;
    convert_say(c->options,
                "note: %s: column %s holds numbers from %g to %g, but is yes/no in training: 1 and 0 are right (%llu "
                "row%s neither)",
                c->base.name, csv_column_name(&c->layout, i, number), r->least, r->most, (unsigned long long)r->others,
                r->others == 1 ? " holds" : "s hold");
  }
}

static void report_missing(const csv_source *c) {
  char list[REPORT_BYTES] = "", item[320], number[CSV_NUMBER_BYTES];
  size_t used = 0;
  for (uint32_t i = 0; c->faults != NULL && !c->options->drop_missing && i < c->layout.columns; i++) {
    if (c->faults[i] == NULL || c->faults[i]->missing == 0 || c->plan.roles[i] != CSV_FEATURE) continue;
    (void)snprintf(item, sizeof item, "%.255s (%llu)", csv_column_name(&c->layout, i, number),
                   (unsigned long long)c->faults[i]->missing);
    report_list_add(list, &used, ", ", item);
  }
  if (used > 0) convert_say(c->options, "%s: missing values: %s", c->base.name, list);
}

/* Reports columns that are left out because they are useless. */
static void report_useless(const csv_source *c) {
  char number[CSV_NUMBER_BYTES];
  for (uint32_t i = 0; i < c->layout.columns; i++) {
    if (c->reasons[i] == NULL || c->reasons[i][0] == '\0') continue;
    const char *const name = csv_column_name(&c->layout, i, number);
    if (c->examples[i] == NULL)
      convert_say(c->options, "note: %s: column %s is left out: %s", c->base.name, name, c->reasons[i]);
    else
      convert_say(c->options,
                  "note: %s: column %s is left out: %.*s, as '%s'%s; --categorical '%s' keeps it, --ignore '%s' "
                  "leaves it out without this note",
                  c->base.name, name, (int)strcspn(c->reasons[i], ";"), c->reasons[i], c->examples[i],
                  c->reasons[i] + strcspn(c->reasons[i], ";"), name, name);
  }
}

/* Lines of the table that are no rows of it. */
static void report_skipped(const csv_source *c) {
  if (c->lines.repeated > 0)
    convert_say(c->options, "%s: %llu line%s like the header skipped (are several tables joined?)", c->base.name,
                (unsigned long long)c->lines.repeated, c->lines.repeated == 1 ? "" : "s");
  if (c->lines.drawn > 0)
    convert_say(c->options,
                "note: %s: %llu line%s of dashes or the like skipped, the first in line %llu; if they are rows of "
                "missing values, leave their cells empty",
                c->base.name, (unsigned long long)c->lines.drawn, c->lines.drawn == 1 ? "" : "s",
                (unsigned long long)c->lines.first_drawn);
  if (c->rows_missing > 0)
    convert_say(c->options, "%s%s: %llu of %llu rows left out, %s missing",
                c->options->num_model_columns > 0 ? "note: " : "", c->base.name, (unsigned long long)c->rows_missing,
                (unsigned long long)c->rows_seen,
                c->options->drop_missing ? "because a value is" : "because the target is");
  if (c->lines.footer[0] != '\0')
    convert_say(c->options, "%s: the line below the table, '%s', counts its rows and is skipped", c->base.name,
                c->lines.footer);
  if (c->rows_empty > 0)
    convert_say(c->options, "%s: %llu rows with only empty cells skipped", c->base.name,
                (unsigned long long)c->rows_empty);
  if (c->rows_trailing > 0 && !c->layout.trailing)
    convert_say(c->options, "%s: %llu lines end with a delimiter: the empty cells are left out", c->base.name,
                (unsigned long long)c->rows_trailing);
}

void csv_report_rows(const csv_source *c) {
  uint32_t yes_no = 0;
  if (c->options->decision == NULL) return;
  for (uint32_t f = 0; c->base.yes_no != NULL && f < c->base.features; f++) yes_no += c->base.yes_no[f];
  char answers[80] = "";
  if (yes_no > 0) (void)snprintf(answers, sizeof answers, ", %u of them yes/no (1 and 0)", yes_no);
  convert_say(c->options, "%s: %llu row%s of %u feature%s%s, stored as %s", c->base.name,
              (unsigned long long)c->base.rows, c->base.rows == 1 ? "" : "s", c->base.features,
              c->base.features == 1 ? "" : "s", answers, element_name(c->base.type));
  report_rounded(c);
  if (c->options->num_model_columns == 0) report_counting(c);
  if (c->options->num_model_columns == 0) report_placeholders(c);
  if (c->options->num_model_columns == 0) csv_codes_report(c);
  report_total(c);
  csv_leaks_report(c);
  if (c->lines.comments > 0)
    convert_say(c->options, "%s: %llu comment%s skipped, the first in line %llu: '%s'", c->base.name,
                (unsigned long long)c->lines.comments, c->lines.comments == 1 ? "" : "s",
                (unsigned long long)c->lines.first_comment, c->lines.comment);
  report_categories(c);
  report_comments(c);
  csv_texts_report(c);
  report_untrained(c);
  report_no_answers(c);
  report_answers(c);
  report_dates(c);
  report_dresses(c);
  report_foreign_dates(c);
  report_compact_dates(c);
  report_missing(c);
  csv_doubts_report(c);
  report_useless(c);
  report_skipped(c);
}
