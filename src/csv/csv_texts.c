#include "csv/csv_texts.h"

#include <ctype.h>
#include <math.h>
#include <string.h>
#include <strings.h>

#include "base/foreign.h"
#include "csv/csv_forms.h"
#include "source/alike.h"
#include "source/report.h"
#include "source/roles.h"

enum {
  COMPARED_MOST = 200, /* most categories of a column that are compared with one another */
  NUMBERS_FEW = 20,    /* so many whole numbers among texts may be codes */
  TEXTS_SHOWN = 8
};

/* The first two categories that look alike, if there are any. */
static void note_alike(const csv_source *c, uint32_t column) {
  const category_set *const set = c->sets[column];
  char number[CSV_NUMBER_BYTES];
  if (set->count > COMPARED_MOST) return;
  for (uint32_t k = 0; k < set->count; k++)
    for (uint32_t j = 0; j < k; j++) {
      const char *const difference = texts_difference(set->all[j].text, set->all[k].text);
      if (difference == NULL || (set->all[j].length == 1 && set->all[k].length == 1)) continue; /* a and A: codes */
      convert_say(
          c->options,
          "note: %s: the categories '%.60s' and '%.60s' of column %s differ only in %s and are kept apart; write "
          "them alike if they are one",
          c->base.name, set->all[j].text, set->all[k].text, csv_column_name(&c->layout, column, number), difference);
      return;
    }
}

/* Some of the numbers have flags behind them: 12.3 b. */
static bool note_flags(const csv_source *c, uint32_t column) {
  char flags[CSV_FLAGS_BYTES], number[CSV_NUMBER_BYTES];
  bool amounts;
  const category_set *const set = c->sets[column];
  if (csv_form_of(set, &amounts) != csv_form_united || !csv_form_flags(set, flags)) return false;
  const char *const name = csv_column_name(&c->layout, column, number);
  convert_say(c->options,
              "note: %s: column %s becomes categories, but its texts are numbers, some with another text behind them; "
              "if these are flags, or a unit that other rows lack, --strip '%s' leaves them off; --categorical '%s' "
              "keeps it without this note",
              c->base.name, name, flags, name);
  return true;
}

/* Numbers in a column whose other cells are texts. Where these are the most, a few numbers may be codes. */
static void note_numbers(const csv_source *c, uint32_t column) {
  const category_set *const set = c->sets[column];
  const category *example = NULL;
  char texts[REPORT_BYTES] = "", name[16];
  size_t used = 0;
  uint32_t numbers = 0, others = 0;
  bool fractions = false, plain = true;
  for (uint32_t k = 0; k < set->count; k++) {
    const category *const one = &set->all[k];
    const csv_cell cell = {.begin = one->text, .end = one->text + one->length};
    number parsed;
    if (csv_cell_number(&c->syntax, &cell, &parsed)) {
      fractions = fractions || !parsed.is_integer;
      if (numbers++ == 0) example = one;
      continue;
    }
    plain = plain && strpbrk(one->text, ",'") == NULL;
    if (others++ < TEXTS_SHOWN) report_list_add(texts, &used, ",", one->text);
  }
  const bool codes = numbers < 2 || (numbers <= NUMBERS_FEW && !fractions);
  if (others == 0 || (codes && c->mixes[column] != MIX_FOUND)) return;
  if (note_flags(c, column)) return;
  const char *const column_name = csv_column_name(&c->layout, column, name);
  const bool listed = plain && others <= TEXTS_SHOWN;
  convert_say(c->options,
              "note: %s: column %s becomes categories, and %u of them are numbers, as '%s', which lose their order; "
              "--missing %s%s%s reads the column as numbers, --categorical '%s' keeps it without this note",
              c->base.name, column_name, numbers, example->text, listed ? "'" : "", listed ? texts : "with its texts",
              listed ? "'" : "", column_name);
}

/* train, test, ...: the rows say to which part they belong. */
static bool note_parts(const csv_source *c, uint32_t column) {
  const category_set *const set = c->sets[column];
  const char *texts[ROLES_PARTS_MOST];
  char number[CSV_NUMBER_BYTES];
  for (uint32_t k = 0; k < set->count && k < ROLES_PARTS_MOST; k++) texts[k] = set->all[k].text;
  if (!roles_name_parts(texts, set->count)) return false;
  const char *const name = csv_column_name(&c->layout, column, number);
  convert_say(
      c->options,
      "note: %s: column %s names parts of the rows, as '%.40s' and '%.40s', but is read as a feature, and parts "
      "are drawn anew; to keep them, write the rows of each into a file of that name; --ignore '%s' leaves the "
      "column out",
      c->base.name, name, set->all[0].text, set->all[1].text, name);
  return true;
}

/* Does the set hold what follows "Total " in this text, as it is or with the other case of its first letter? */
static bool is_total_of(const category_set *set, const category *one) {
  enum { BEFORE = 6, MOST = 80 };
  char rest[MOST];
  const size_t length = one->length - BEFORE;
  if (length == 0 || length > MOST) return false;
  memcpy(rest, one->text + BEFORE, length);
  if (category_set_holds(set, rest, length)) return true;
  const int first = (unsigned char)rest[0];
  rest[0] = (char)(isupper(first) ? tolower(first) : toupper(first));
  return category_set_holds(set, rest, length);
}

/* Rows of sums among the rows that they sum up: Total beside Male and Female, Total Sales beside Sales. */
static void note_totals(const csv_source *c, uint32_t column) {
  static const char *const words[] = {"total", "subtotal", "sub-total", "grand total"};
  const category_set *const set = c->sets[column];
  char number[CSV_NUMBER_BYTES];
  for (uint32_t k = 0; k < set->count && set->count > 1; k++) {
    const char *const text = set->all[k].text;
    bool found = strncasecmp(text, "total ", 6) == 0 && is_total_of(set, &set->all[k]);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) found = found || strcasecmp(text, words[i]) == 0;
    if (!found) continue;
    const char *const name = csv_column_name(&c->layout, column, number);
    convert_say(c->options,
                "note: %s: rows with '%.60s' in column %s may hold sums of other rows, which would be learnt twice; "
                "leave them out if they do, or use --categorical '%s' to leave out this note",
                c->base.name, text, name, name);
    return;
  }
}

void csv_texts_report(const csv_source *c) {
  for (uint32_t i = 0; c->sets != NULL && c->options->num_model_columns == 0 && i < c->layout.columns; i++) {
    if (c->sets[i] == NULL || c->plan.roles[i] != CSV_FEATURE || c->follows) continue;
    if (!c->sets[i]->wanted && note_parts(c, i)) continue;
    note_alike(c, i);
    if (c->sets[i]->wanted) continue;
    note_numbers(c, i);
    note_totals(c, i);
  }
}

/* A class such as NA (North America, sodium) is lost where the word is read as a missing target. */
static void report_missing_class(const csv_source *c) {
  const csv_fault *const f = c->faults != NULL && c->label != CSV_NO_LABEL ? c->faults[c->label] : NULL;
  if (f == NULL || f->missing == 0 || c->rows_missing == 0 || c->options->task == MLPD_REGRESSION) return;
  if (strcmp(f->missing_text, "NA") != 0 || isfinite(c->label_ends.least[0])) return;
  convert_say(c->options,
              "note: %s: 'NA' (line %llu) is read as a missing target; if it is a class, write it otherwise, as N-A",
              c->base.name, (unsigned long long)f->missing_line);
}

/* Names in the first column and numbers in all others, more than rows: the rows may be columns. */
static void report_transposed(const csv_source *c) {
  enum { FEW = 20 };
  char file[FOREIGN_NAME_BYTES], base[FOREIGN_NAME_BYTES];
  const bool named = !c->layout.header && c->sets != NULL && c->sets[0] != NULL && c->sets[0]->count == c->base.rows;
  if (!named || c->base.rows > FEW || c->layout.columns <= c->base.rows) return;
  for (uint32_t i = 1; i < c->layout.columns; i++)
    if (c->sets[i] != NULL || c->plan.dates[i]) return;
  foreign_command_names(input_path(c->lines.in), file, base);
  convert_say(c->options,
              "note: %s: its first column holds %llu different texts and the %u others numbers: if they are names, its "
              "rows are columns; turn it: python3 -c \"import pandas; pandas.read_csv('%s', header=None, "
              "index_col=0).T.to_csv('%s-turned.csv', index=False)\"",
              c->base.name, (unsigned long long)c->base.rows, c->layout.columns - 1, file, base);
}

void csv_doubts_report(const csv_source *c) {
  report_missing_class(c);
  report_transposed(c);
}
