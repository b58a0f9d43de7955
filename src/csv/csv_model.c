/* Chooses the columns of a table for a model: by its names, or by position. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "csv/csv_columns.h"
#include "source/date.h"
#include "source/report.h"
#include "source/source.h"

/* Writes to hint which column is called like a missing one but for the case of letters, if there is one. */
static const char *other_case(const csv_layout *layout, const char *const *names, uint32_t count,
                              const uint32_t *places, char hint[300]) {
  hint[0] = '\0';
  for (uint32_t j = 0; j < count; j++)
    for (uint32_t c = 0; c < layout->columns && places[j] == UINT32_MAX; c++) {
      if (strcasecmp(layout->names[c], names[j]) != 0) continue;
      (void)snprintf(hint, 300, "; the table has '%.100s', and names must be alike to the letter: write '%.100s'",
                     layout->names[c], names[j]);
      return hint;
    }
  return hint;
}

static mlpd_status fail_missing(const char *file, const csv_layout *layout, const char *what, const char *const *names,
                                uint32_t count, const uint32_t *places) {
  char list[REPORT_BYTES] = "", hint[300];
  size_t used = 0;
  uint32_t missing = 0;
  for (uint32_t j = 0; j < count; j++) {
    if (places[j] != UINT32_MAX) continue;
    report_list_add(list, &used, ", ", names[j]);
    missing++;
  }
  if (names_are_places(names, count))
    return FAIL(MLPD_ERROR_DATA,
                "%s: the table of the model's training had no header, and its columns are found by their places; read "
                "this one likewise: --header no --skip-lines 1",
                file);
  return FAIL(MLPD_ERROR_DATA, "%s: no column%s %s, which the model %s%s", file, missing == 1 ? "" : "s", list, what,
              other_case(layout, names, count, places, hint));
}

/* The column of dates, times or the like from which a model's feature such as "when.year" is computed, or UINT32_MAX.
 */
static uint32_t take_suffixed(const csv_layout *layout, const char *name, date_kind kind, const char *suffix,
                              csv_plan *plan) {
  const size_t length = strlen(name), tail = strlen(suffix);
  if (length <= tail || strcmp(name + length - tail, suffix) != 0) return UINT32_MAX;
  for (uint32_t c = 0; c < layout->columns; c++) {
    if (strncmp(layout->names[c], name, length - tail) != 0 || layout->names[c][length - tail] != '\0') continue;
    plan->roles[c] = CSV_FEATURE;
    plan->dates[c] = (uint8_t)kind;
    return c;
  }
  return UINT32_MAX;
}

/* Models of former versions make other features of a date. */
static uint32_t take_date(const csv_layout *layout, const char *const *names, uint32_t count, uint32_t j,
                          csv_plan *plan) {
  for (int kind = DATE_DAY; kind < DATE_KINDS; kind++)
    for (uint32_t i = 0; i < date_features((date_kind)kind); i++) {
      const char *const suffix = date_suffix((date_kind)kind, i);
      const size_t length = strlen(names[j]), tail = strlen(suffix);
      if (length <= tail || strcmp(names[j] + length - tail, suffix) != 0) continue;
      if (j < i || date_stem(names, count, j - i, (date_kind)kind) != length - tail) continue;
      const uint32_t found = take_suffixed(layout, names[j], (date_kind)kind, suffix, plan);
      if (found != UINT32_MAX) return found;
    }
  return UINT32_MAX;
}

/* The column of numbers with a unit that is the model's feature "NAME (UNIT)", or UINT32_MAX. */
static uint32_t take_united(const csv_layout *layout, const char *name, csv_plan *plan) {
  csv_dress dress = {.thousands = 0};
  size_t length = 0;
  if (!csv_dress_of_name(name, &length, &dress)) return UINT32_MAX;
  for (uint32_t c = 0; c < layout->columns; c++) {
    if (plan->roles[c] != CSV_LEFT_OUT || strlen(layout->names[c]) != length ||
        memcmp(layout->names[c], name, length) != 0)
      continue;
    plan->roles[c] = CSV_FEATURE;
    plan->dresses[c] = dress;
    return c;
  }
  return UINT32_MAX;
}

/* The column with the name that has no role yet, or UINT32_MAX. Looks at column `from` first: most tables have the
 * columns in the model's order, and there may be 100,000.
 */
static uint32_t find_left(const csv_layout *layout, const csv_plan *plan, const char *name, uint32_t from) {
  for (uint32_t i = 0; i < layout->columns; i++) {
    const uint32_t c = (uint32_t)(((uint64_t)from + i) % layout->columns);
    if (plan->roles[c] == CSV_LEFT_OUT && strcmp(layout->names[c], name) == 0) return c;
  }
  return UINT32_MAX;
}

/* Gives the columns with these names a role, and stores their indices in places (count). */
static mlpd_status take_names(const char *file, const csv_layout *layout, const char *what, const char *const *names,
                              uint32_t count, csv_role role, uint32_t *places, csv_plan *plan) {
  bool all = true;
  for (uint32_t j = 0, next = 0; j < count; j++) {
    places[j] = find_left(layout, plan, names[j], next);
    if (places[j] != UINT32_MAX) plan->roles[places[j]] = (uint8_t)role;
    if (places[j] == UINT32_MAX && role == CSV_FEATURE) places[j] = take_date(layout, names, count, j, plan);
    if (places[j] == UINT32_MAX && role == CSV_FEATURE) places[j] = take_united(layout, names[j], plan);
    all = all && places[j] != UINT32_MAX;
    if (places[j] != UINT32_MAX) next = places[j] + 1;
  }
  return all ? MLPD_OK : fail_missing(file, layout, what, names, count, places);
}

/* A model whose target has no name, because its data had none: the columns that label names or, without it, the only
 * one left. */
static mlpd_status take_unnamed(const char *file, const csv_layout *layout, const mlpd_convert_options *o,
                                csv_plan *plan) {
  mlpd_convert_options by_label = {.label = o->label};
  csv_plan named = {.num_targets = 0};
  char only[16];
  uint32_t left = 0;
  for (uint32_t c = 0; c < layout->columns && o->label == NULL; c++) {
    if (plan->roles[c] != CSV_LEFT_OUT || (c == 0 && layout->index)) continue;
    (void)snprintf(only, sizeof only, "%u", c);
    left++;
  }
  if (o->label == NULL && left != 1)
    return FAIL(MLPD_ERROR_USAGE, "%s: the target of the model has no name; name its column: --label COLUMN", file);
  if (o->label == NULL) by_label.label = only;
  mlpd_status status = csv_plan_by_options(file, layout, &by_label, &named);
  for (uint32_t t = 0; t < named.num_targets && status == MLPD_OK; t++) {
    const uint32_t c = named.targets[t];
    char shown[300];
    if (plan->roles[c] == CSV_FEATURE)
      status =
          FAIL(MLPD_ERROR_USAGE, "%s: label: %s is an input of the model", file, csv_column_shown(layout, c, shown));
    plan->roles[c] = CSV_TARGET;
  }
  free(plan->targets);
  plan->targets = named.targets;
  plan->num_targets = named.num_targets;
  named.targets = NULL;
  csv_plan_free(&named);
  return status;
}

/* Chooses columns by the model's names. */
static mlpd_status plan_by_names(const char *file, const csv_layout *layout, const mlpd_convert_options *o,
                                 csv_plan *plan) {
  uint32_t *places = NULL;
  const uint32_t targets = o->unlabelled ? 0 : o->num_model_targets;
  *plan = (csv_plan){.num_targets = 0};
  TRY(memory_allocate(&plan->roles, layout->columns, sizeof *plan->roles, "columns"));
  TRY(memory_allocate(&plan->dates, layout->columns, sizeof *plan->dates, "columns"));
  TRY(memory_allocate(&plan->dresses, layout->columns, sizeof *plan->dresses, "columns"));
  TRY(memory_allocate(&plan->targets, targets, sizeof *plan->targets, "columns"));
  TRY(memory_allocate(&places, o->num_model_columns, sizeof *places, "columns"));
  mlpd_status status =
      take_names(file, layout, "needs", o->model_columns, o->num_model_columns, CSV_FEATURE, places, plan);
  free(places);
  if (status == MLPD_OK)
    status = take_names(file, layout, "predicts", o->model_targets, targets, CSV_TARGET, plan->targets, plan);
  plan->num_features = o->num_model_columns;
  plan->num_targets = targets;
  if (status == MLPD_OK && targets == 0 && !o->unlabelled) status = take_unnamed(file, layout, o, plan);
  return status;
}

/* dates: some choice of columns is short of as many inputs as dates make of one column. */
static mlpd_status fail_count(const char *file, const csv_layout *layout, const mlpd_convert_options *options,
                              bool dates) {
  return FAIL(
      MLPD_ERROR_DATA, "%s: has %u columns, but the model expects %u%s%s", file, layout->columns,
      options->num_model_columns, options->unlabelled ? "" : " and the target",
      dates ? "; if some are dates, each of which is 3 to 5 inputs: they are found by name, so without names convert "
              "the table first (mlpdist convert)"
            : "");
}

/* Chooses columns by position, for a model with so many inputs: with or without the target, with or without ignored
 * columns. */
static mlpd_status plan_by_position(const char *file, const csv_layout *layout, const mlpd_convert_options *options,
                                    csv_plan *plan) {
  mlpd_convert_options ways[3] = {*options, *options, *options};
  const int count = options->unlabelled ? 3 : 1;
  ways[1].label = ways[2].label = "none";
  ways[2].ignore = ways[2].columns = NULL;
  bool dates = false;
  for (int i = 0; i < count; i++) {
    const mlpd_status status = csv_plan_by_options(file, layout, &ways[i], plan);
    if (status == MLPD_OK && plan->num_features == options->num_model_columns) {
      for (uint32_t c = 0; options->unlabelled && c < layout->columns; c++)
        if (plan->roles[c] == CSV_TARGET) plan->roles[c] = CSV_LEFT_OUT;
      if (options->unlabelled) plan->num_targets = 0;
      return MLPD_OK;
    }
    if (count == 1) TRY(status);
    const uint32_t made = status == MLPD_OK ? plan->num_features : UINT32_MAX, wanted = options->num_model_columns;
    dates = dates || (made < wanted && wanted - made >= 2);
    csv_plan_free(plan);
    *plan = (csv_plan){.num_targets = 0};
  }
  return fail_count(file, layout, options, dates);
}

/* A table without a header for a model whose training had none, either: by the names that both give their columns. */
static mlpd_status plan_by_places(const char *file, const csv_layout *layout, const mlpd_convert_options *o,
                                  csv_plan *plan) {
  csv_layout named = *layout;
  TRY(csv_place_names(layout->columns, &named.names));
  mlpd_status status = plan_by_names(file, &named, o, plan);
  csv_place_names_free(named.names, layout->columns);
  if (status == MLPD_OK) return MLPD_OK;
  csv_plan_free(plan);
  return plan_by_position(file, layout, o, plan);
}

mlpd_status csv_plan_make(const char *name, const csv_layout *layout, const mlpd_convert_options *options,
                          csv_plan *plan) {
  if (options->num_model_columns == 0) return csv_plan_by_options(name, layout, options, plan);
  if (layout->names == NULL && names_are_places(options->model_columns, options->num_model_columns))
    return plan_by_places(name, layout, options, plan);
  if (layout->names == NULL || options->model_columns == NULL) return plan_by_position(name, layout, options, plan);
  return plan_by_names(name, layout, options, plan);
}
