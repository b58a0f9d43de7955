/* Reports what was decided about the layout of a CSV file, before its rows are read, one line per decision. */
#include <string.h>
#include <strings.h>

#include "csv/csv_escapes.h"
#include "csv/csv_internal.h"
#include "source/report.h"

const char *csv_delimiter_name(char delimiter, char text[32]) {
  if (delimiter == CSV_BLANKS) return "blanks";
  if (delimiter == '\t') return "tabs";
  if (delimiter == ',') return "commas";
  if (delimiter == ';') return "semicolons";
  (void)snprintf(text, 32, (unsigned char)delimiter < ' ' ? "byte %d" : "'%c'", delimiter);
  return text;
}

static void report_header(const csv_source *c) {
  const csv_layout *l = &c->layout;
  char names[REPORT_BYTES] = "no header", text[32];
  size_t used = 0;
  if (l->names != NULL) {
    (void)snprintf(names, sizeof names, "header: ");
    used = strlen(names);
    for (uint32_t i = 0; i < l->columns && i < 1000; i++)
      report_list_add(names, &used, i == 0 ? "" : ", ", l->names[i]);
  }
  convert_say(c->options, "%s: %u column%s separated by %s, %s", c->base.name, l->columns, l->columns == 1 ? "" : "s",
              csv_delimiter_name(l->delimiter, text), names);
}

static void report_repeated(const csv_source *c) {
  const csv_layout *l = &c->layout;
  char names[REPORT_BYTES] = "";
  size_t used = 0;
  for (uint32_t i = 0; l->repeated != NULL && i < l->columns; i++)
    if (l->repeated[i]) report_list_add(names, &used, ", ", l->names[i]);
  if (used > 0)
    convert_say(c->options, "%s: names that occur in the header more than once are numbered: %s", c->base.name, names);
}

static void report_left_out(const csv_source *c) {
  const csv_layout *l = &c->layout;
  char names[REPORT_BYTES] = "", number[CSV_NUMBER_BYTES];
  size_t used = 0;
  if (c->plan.index_left_out)
    convert_say(c->options, "%s: the first column, %s, numbers or names the rows: left out (--columns keeps it)",
                c->base.name, l->names != NULL ? "without a name" : "each number one more than the last");
  for (uint32_t i = c->plan.index_left_out; i < l->columns; i++) {
    if (c->plan.roles[i] != CSV_LEFT_OUT) continue;
    report_list_add(names, &used, ", ", csv_column_name(l, i, number));
  }
  if (used > 0) convert_say(c->options, "%s: columns left out: %s", c->base.name, names);
}

static bool is_among(const char *name, const char *const *names, uint32_t count) {
  for (uint32_t i = 0; i < count && names != NULL; i++)
    if (strcmp(names[i], name) == 0) return true;
  return false;
}

/* Columns that a model does not take, other than its targets and those that its training left out. Models of former
 * versions do not say which. */
static void report_not_taken(const csv_source *c) {
  const mlpd_convert_options *const o = c->options;
  const name_list *const left_out = &c->base.left_out;
  char names[REPORT_BYTES] = "";
  size_t used = 0;
  if (o->model_columns == NULL || (o->num_model_left_out == 0 && (o->ignore != NULL || o->columns != NULL))) return;
  for (uint64_t i = 0; i < left_out->count; i++)
    if (!is_among(left_out->names[i], o->model_targets, o->num_model_targets) &&
        !is_among(left_out->names[i], o->model_left_out, o->num_model_left_out))
      report_list_add(names, &used, ", ", left_out->names[i]);
  if (used > 0)
    convert_say(o, "note: %s: columns that the model was not trained with are left out: %s", c->base.name, names);
}

/* The last column is the target, but another one is called so. */
static void report_other_target(const csv_source *c) {
  static const char *const words[] = {"label", "target", "class", "y", "labels", "outcome", "response"};
  const csv_layout *l = &c->layout;
  if (c->options->label != NULL || l->names == NULL || c->label == CSV_NO_LABEL) return;
  for (size_t w = 0; w < sizeof words / sizeof *words; w++)
    if (strcasecmp(l->names[c->label], words[w]) == 0) return;
  for (uint32_t i = 0; i < l->columns; i++)
    for (size_t w = 0; w < sizeof words / sizeof *words; w++) {
      if (c->plan.roles[i] != CSV_FEATURE || strcasecmp(l->names[i], words[w]) != 0) continue;
      if (i > 0 && strcasecmp(l->names[i], "y") == 0 && strcasecmp(l->names[i - 1], "x") == 0) continue; /* a place */
      convert_say(c->options,
                  "note: %s: the last column, '%s', is the target, and '%s' is a feature; if '%s' is the target, use "
                  "--label %s",
                  c->base.name, l->names[c->label], l->names[i], l->names[i], l->names[i]);
      return;
    }
}

void csv_report_layout(const csv_source *c) {
  const csv_layout *l = &c->layout;
  char command[ESCAPES_BYTES];
  if (c->options->decision == NULL) return;
  report_header(c);
  if (l->latin)
    convert_say(c->options,
                "note: %s: its text is not UTF-8 and is read as Latin-1 (Windows-1252); if names look wrong, name its "
                "encoding: %s",
                c->base.name, l->others[0] != '\0' ? l->others : "--encoding NAME (iconv -l lists them)");
  if (c->options->skip_lines > 0)
    convert_say(c->options, "%s: the first %u lines are skipped", c->base.name, c->options->skip_lines);
  if (l->titles > 0)
    convert_say(c->options, "%s: %u line%s above the table skipped, the first: '%s'", c->base.name, l->titles,
                l->titles == 1 ? "" : "s", l->title);
  if (l->levels > 1)
    convert_say(c->options, "%s: the names of the columns are joined from the %u lines of the header", c->base.name,
                l->levels);
  if (l->row_or_level > 0)
    convert_say(c->options,
                "note: %s: line %llu is read as a row, but may belong to the header, whose names repeat; if it does, "
                "join the lines to one (pandas: df.columns = ['_'.join(map(str, c)) for c in df.columns])",
                c->base.name, (unsigned long long)l->row_or_level);
  if (l->row_or_names > 0 && c->options->num_model_columns == 0)
    convert_say(c->options,
                "note: %s: line %llu holds numbers at equal intervals and is read as a row; if they name the columns, "
                "use --header yes",
                c->base.name, (unsigned long long)l->row_or_names);
  if (l->escapes > 0 && c->options->num_model_columns == 0)
    convert_say(c->options,
                "note: %s: line %llu has a backslash before a delimiter, which ends the cell; if it belongs to the "
                "cell, put such cells in quotes: %s",
                c->base.name, (unsigned long long)l->escapes, csv_escapes_command(&c->lines, l->delimiter, command));
  if (l->unsure_header)
    convert_say(
        c->options,
        "note: %s: all cells are texts, and those of the first row name the columns; if they are a row like the "
        "others, use --header no",
        c->base.name);
  if (l->unit_lines > 0)
    convert_say(c->options, "%s: %u line%s of units below the header skipped: '%s'", c->base.name, l->unit_lines,
                l->unit_lines == 1 ? "" : "s", l->units);
  if (l->trailing) convert_say(c->options, "%s: trailing delimiters: the empty last column is left out", c->base.name);
  report_repeated(c);
  report_left_out(c);
  report_not_taken(c);
  report_other_target(c);
}
