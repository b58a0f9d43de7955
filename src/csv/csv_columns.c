#include "csv/csv_columns.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "csv/csv_internal.h"
#include "source/date.h"
#include "source/report.h"
#include "source/source.h"

enum { NAME_MOST = 63 }; /* longest name (bytes) that is compared for a suggestion */

/* The columns that an option selects. */
typedef struct selection {
  const char *file, *option;
  const csv_layout *layout;
  uint32_t *columns; /* (capacity) in the given order, without repetition */
  uint32_t count, capacity;
  bool *marked; /* (layout->columns) */
  bool partly;  /* items that are no columns here may be columns of other inputs */
  bool *named;  /* (layout->columns) selected individually, not by a range or pattern */
} selection;

/* ---- Suggestions ---- */

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

/* The edit distance (Levenshtein 1966), ignoring the case of letters. */
static size_t distance(const char *a, const char *b) {
  const size_t na = strnlen(a, NAME_MOST), nb = strnlen(b, NAME_MOST);
  size_t row[NAME_MOST + 1];
  for (size_t j = 0; j <= nb; j++) row[j] = j;
  for (size_t i = 1; i <= na; i++) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= nb; j++) {
      const size_t replaced = diagonal + (strncasecmp(a + i - 1, b + j - 1, 1) != 0);
      diagonal = row[j];
      row[j] = smaller(replaced, smaller(row[j], row[j - 1]) + 1);
    }
  }
  return row[nb];
}

static const char *nearest_name(const csv_layout *layout, const char *word) {
  const size_t length = strlen(word), limit = length <= 2 ? 0 : length <= 6 ? 2 : length / 3;
  const char *best = NULL;
  size_t least = limit + 1;
  for (uint32_t c = 0; layout->names != NULL && c < layout->columns; c++) {
    const size_t steps = distance(word, layout->names[c]);
    if (steps >= least || steps >= strlen(layout->names[c])) continue;
    least = steps;
    best = layout->names[c];
  }
  return best;
}

static mlpd_status no_column(const selection *s, const char *item) {
  const csv_layout *layout = s->layout;
  char names[REPORT_BYTES] = "";
  size_t used = 0;
  if (layout->names == NULL)
    return FAIL(MLPD_ERROR_USAGE, "%s: %s '%s' is not a column; the %u columns have no names, only numbers from 0",
                s->file, s->option, item, layout->columns);
  const char *near = nearest_name(layout, item);
  for (uint32_t c = 0; c < layout->columns && c < 1000; c++) report_list_add(names, &used, ", ", layout->names[c]);
  return FAIL(MLPD_ERROR_USAGE, "%s: %s '%s' is not a column; %s%s%sthe columns are %s, or numbers from 0 to %u",
              s->file, s->option, item, near != NULL ? "did you mean '" : "", near != NULL ? near : "",
              near != NULL ? "'? " : "", names, layout->columns - 1);
}

/* ---- Items of a list ---- */

static mlpd_status add(selection *s, uint32_t column, bool named) {
  s->named[column] = s->named[column] || named;
  if (s->marked[column]) return MLPD_OK;
  if (s->count == s->capacity) {
    const uint32_t capacity = s->capacity > 0 ? 2 * s->capacity : 8;
    uint32_t *larger = realloc(s->columns, capacity * sizeof *larger);
    if (larger == NULL) return FAIL(MLPD_ERROR_MEMORY, "%s: out of memory for a list of columns", s->file);
    s->columns = larger;
    s->capacity = capacity;
  }
  s->marked[column] = true;
  s->columns[s->count++] = column;
  return MLPD_OK;
}

static mlpd_status repeated_name(const selection *s, const char *item) {
  char which[REPORT_BYTES] = "", number[16];
  size_t used = 0;
  const size_t length = strlen(item);
  for (uint32_t c = 0; c < s->layout->columns; c++) {
    const char *name = s->layout->names[c];
    if (!s->layout->repeated[c] || strncmp(name, item, length) != 0) continue;
    if (name[length] != '\0' && name[length] != '.') continue;
    (void)snprintf(number, sizeof number, "%u", c);
    report_list_add(which, &used, " and ", number);
  }
  return FAIL(MLPD_ERROR_USAGE, "%s: %s '%s' names more than one column: %s; give one of these numbers", s->file,
              s->option, item, which);
}

/* Finds a column by its name, else by its number. */
static bool find_column(const csv_layout *layout, const char *item, uint32_t *column) {
  for (uint32_t c = 0; layout->names != NULL && c < layout->columns; c++)
    if (strcmp(layout->names[c], item) == 0) return *column = c, true;
  return column_by_number(item, layout->columns, column);
}

/* "2-5", "2..5" or "X1..X8", both ends included. From after to: the range runs backwards. */
static bool find_range(const csv_layout *layout, char *item, uint32_t *from, uint32_t *to) {
  char *dots = strstr(item, "..");
  const size_t digits = strspn(item, "0123456789");
  const bool hyphen = dots == NULL && digits > 0 && item[digits] == '-' && strspn(item + digits + 1, "0123456789") > 0;
  char *const separator = hyphen ? item + digits : dots;
  if (separator == NULL) return false;
  const char kept = *separator;
  *separator = '\0';
  const bool found = find_column(layout, item, from) && find_column(layout, separator + (hyphen ? 1 : 2), to);
  *separator = kept;
  return found;
}

static mlpd_status add_range(selection *s, const char *item, uint32_t from, uint32_t to) {
  if (from > to && s->partly) return MLPD_OK;
  if (from > to)
    return FAIL(MLPD_ERROR_USAGE, "%s: %s '%s' runs backwards: column %u (from 0) comes after column %u", s->file,
                s->option, item, from, to);
  for (uint32_t column = from; column <= to; column++) TRY(add(s, column, false));
  return MLPD_OK;
}

static mlpd_status add_pattern(selection *s, const char *item) {
  bool any = false;
  for (uint32_t c = 0; s->layout->names != NULL && c < s->layout->columns; c++) {
    if (fnmatch(item, s->layout->names[c], 0) != 0) continue;
    any = true;
    TRY(add(s, c, false));
  }
  if (any || s->partly) return MLPD_OK;
  return FAIL(MLPD_ERROR_USAGE, "%s: %s '%s' matches no column%s", s->file, s->option, item,
              s->layout->names == NULL ? "; there is no header" : "");
}

static mlpd_status add_item(selection *s, char *item) {
  uint32_t column, last;
  if (find_column(s->layout, item, &column)) {
    if (s->layout->repeated != NULL && s->layout->repeated[column] && strcmp(s->layout->names[column], item) == 0)
      return repeated_name(s, item);
    return add(s, column, true);
  }
  if (strchr(item, '*') != NULL) return add_pattern(s, item);
  if (!find_range(s->layout, item, &column, &last)) return s->partly ? MLPD_OK : no_column(s, item);
  return add_range(s, item, column, last);
}

/* Reads the next item of a list, up to a comma or, as in a CSV, in double quotes. Returns the rest of the list, or
 * NULL. */
static char *next_item(char *list, char **item) {
  char *end = list + strcspn(list, ",");
  *item = list;
  if (*list == '"' && strchr(list + 1, '"') != NULL) {
    char *to = *item = list + 1, *from = to;
    while (*from != '\0' && (*from != '"' || from[1] == '"')) {
      from += *from == '"';
      *to++ = *from++;
    }
    end = from + strcspn(from, ",");
    *to = '\0';
  }
  const bool more = *end == ',';
  *end = '\0';
  return more ? end + 1 : NULL;
}

static mlpd_status select_columns(selection *s, const char *text) {
  char *list = NULL;
  mlpd_status status;
  TRY(memory_allocate(&s->marked, s->layout->columns, sizeof *s->marked, "columns"));
  TRY(memory_allocate(&s->named, s->layout->columns, sizeof *s->named, "columns"));
  if (text == NULL) return MLPD_OK;
  TRY(memory_copy_string(text, &list));
  uint32_t column;
  char *item, *rest = list;
  status = MLPD_OK;
  if (find_column(s->layout, text, &column)) /* a name may hold commas */
    status = add_item(s, list);
  else
    while (rest != NULL && status == MLPD_OK) {
      rest = next_item(rest, &item);
      status = add_item(s, item);
    }
  free(list);
  return status;
}

static void selection_free(selection *s) {
  free(s->columns);
  free(s->marked);
  free(s->named);
}

mlpd_status csv_columns_named(const char *name, const csv_layout *layout, const char *option, const char *list,
                              bool **marked) {
  selection chosen = {.file = name, .option = option, .layout = layout};
  const mlpd_status status = select_columns(&chosen, list);
  *marked = chosen.marked;
  chosen.marked = NULL;
  selection_free(&chosen);
  return status;
}

static const csv_layout *layout_of(const source *s) { return &((const csv_source *)s)->layout; }

static mlpd_status check_in_any(const source_list *list, char *item) {
  mlpd_status status = MLPD_OK;
  for (int i = list->count - 1; i >= 0; i--) { /* the message that stays is that of the first file */
    selection chosen = {.file = list->all[i]->name, .option = "ignore", .layout = layout_of(list->all[i])};
    status = select_columns(&chosen, NULL);
    if (status == MLPD_OK) status = add_item(&chosen, item);
    selection_free(&chosen);
    if (status == MLPD_OK) break;
  }
  return status;
}

mlpd_status csv_sources_check_ignored(const source_list *list, const mlpd_convert_options *options) {
  uint32_t column;
  char *items, *item;
  if (list->count < 2 || options->ignore == NULL) return MLPD_OK; /* checked when it was opened */
  for (int i = 0; i < list->count; i++)                           /* a name may hold commas */
    if (find_column(layout_of(list->all[i]), options->ignore, &column)) return MLPD_OK;
  TRY(memory_copy_string(options->ignore, &items));
  mlpd_status status = MLPD_OK;
  for (char *rest = items; rest != NULL && status == MLPD_OK;) {
    rest = next_item(rest, &item);
    status = check_in_any(list, item);
  }
  free(items);
  return status;
}

/* ---- Roles ---- */

const char *csv_column_shown(const csv_layout *layout, uint32_t column, char text[300]) {
  if (layout->names != NULL)
    (void)snprintf(text, 300, "column '%s'", layout->names[column]);
  else
    (void)snprintf(text, 300, "column %u (from 0)", column);
  return text;
}

/* Takes the last column that is not left out. */
static mlpd_status default_target(const csv_plan *plan, const csv_layout *layout, selection *label) {
  for (uint32_t c = layout->columns; c-- > 0;)
    if (plan->roles[c] != CSV_LEFT_OUT) return add(label, c, false);
  return FAIL(MLPD_ERROR_USAGE, "%s: every column is left out", label->file);
}

static mlpd_status check_target(const csv_layout *layout, const selection *label, const selection *ignore,
                                const selection *columns, uint32_t target) {
  char shown[300];
  if (ignore->marked[target] && (label->named[target] || ignore->named[target]))
    return FAIL(MLPD_ERROR_USAGE, "%s: %s is in both label and ignore", label->file,
                csv_column_shown(layout, target, shown));
  if (columns->named[target])
    return FAIL(MLPD_ERROR_USAGE, "%s: %s is the target, but also among the features in columns; %s", label->file,
                csv_column_shown(layout, target, shown),
                label->named[target] ? "remove it from one of them" : "without label, the last column is the target");
  return MLPD_OK;
}

static mlpd_status assign_roles(const csv_layout *layout, const mlpd_convert_options *o, selection *label,
                                const selection *ignore, const selection *columns, csv_plan *plan) {
  const bool no_target = o->label != NULL && strcmp(o->label, "none") == 0 && label->count == 0;
  const bool keeps_index = columns->marked[0] || label->marked[0];
  for (uint32_t c = 0; c < layout->columns; c++) {
    const bool index = c == 0 && layout->index && !keeps_index && layout->columns > (no_target ? 1U : 2U);
    plan->roles[c] = ignore->marked[c] || index ? CSV_LEFT_OUT : CSV_FEATURE;
    plan->index_left_out = plan->index_left_out || (index && !ignore->marked[c]);
    plan->num_ignored += ignore->marked[c];
  }
  if (o->label == NULL) TRY(default_target(plan, layout, label));
  for (uint32_t c = 0; o->columns != NULL && c < layout->columns; c++)
    if (!columns->marked[c]) plan->roles[c] = CSV_LEFT_OUT;
  for (uint32_t i = 0; i < label->count; i++) {
    TRY(check_target(layout, label, ignore, columns, label->columns[i]));
    plan->roles[label->columns[i]] = CSV_TARGET;
  }
  for (uint32_t c = 0; c < layout->columns; c++) plan->num_features += plan->roles[c] == CSV_FEATURE;
  return MLPD_OK;
}

mlpd_status csv_plan_by_options(const char *name, const csv_layout *layout, const mlpd_convert_options *options,
                                csv_plan *plan) {
  selection label = {.file = name, .option = "label", .layout = layout};
  const bool partly = options->num_inputs > 1 && layout->names != NULL;
  selection ignore = {.file = name, .option = "ignore", .layout = layout, .partly = partly};
  selection columns = {.file = name, .option = "columns", .layout = layout};
  uint32_t none;
  const bool no_target =
      options->label != NULL && strcmp(options->label, "none") == 0 && !find_column(layout, "none", &none);
  mlpd_status status;
  *plan = (csv_plan){.num_targets = 0};
  TRY_GOTO(status, memory_allocate(&plan->roles, layout->columns, sizeof *plan->roles, "columns"), done);
  TRY_GOTO(status, memory_allocate(&plan->dates, layout->columns, sizeof *plan->dates, "columns"), done);
  TRY_GOTO(status, memory_allocate(&plan->dresses, layout->columns, sizeof *plan->dresses, "columns"), done);
  TRY_GOTO(status, select_columns(&label, no_target ? NULL : options->label), done);
  TRY_GOTO(status, select_columns(&ignore, options->ignore), done);
  TRY_GOTO(status, select_columns(&columns, options->columns), done);
  TRY_GOTO(status, assign_roles(layout, options, &label, &ignore, &columns, plan), done);
  plan->targets = label.columns;
  plan->num_targets = label.count;
  label.columns = NULL;
done:
  selection_free(&label);
  selection_free(&ignore);
  selection_free(&columns);
  return status;
}

uint32_t csv_features_of(const csv_plan *plan, uint32_t column) {
  if (plan->roles[column] != CSV_FEATURE) return 0;
  return date_features((date_kind)plan->dates[column]);
}

void csv_plan_free(csv_plan *plan) {
  free(plan->dates);
  free(plan->dresses);
  free(plan->roles);
  free(plan->targets);
}
