/* Memory for a row of a CSV file, and the names of its columns. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/foreign.h"
#include "base/memory.h"
#include "csv/csv_fixed.h"
#include "csv/csv_internal.h"
#include "source/date.h"

static mlpd_status add_names(name_list *list, const char *name, date_kind kind, const csv_dress *dress) {
  char part[400];
  if (kind == DATE_NONE && dress->unit[0] == '\0') return name_list_add(list, name);
  if (kind == DATE_NONE) return name_list_add(list, csv_dress_name(dress, name, part, sizeof part));
  for (uint32_t i = 0; i < date_features(kind); i++) {
    (void)snprintf(part, sizeof part, "%.350s%s", name, date_suffix(kind, i));
    TRY(name_list_add(list, part));
  }
  return MLPD_OK;
}

/* Without a header, columns whose kinds a model must know are called by their places. */
static void choose_names(csv_source *c) {
  if (c->follows) return;
  c->by_place = false;
  for (uint32_t i = 0; c->layout.names == NULL && c->options->num_model_columns == 0 && i < c->layout.columns; i++)
    c->by_place = c->by_place || c->plan.dates[i] != DATE_NONE || c->plan.dresses[i].unit[0] != '\0' ||
                  (c->reasons != NULL && c->reasons[i] != NULL);
}

/* Copies the names of features, of targets and of columns left out. */
static mlpd_status copy_names(csv_source *c, char *const *names) {
  const char **chosen = NULL;
  for (uint32_t i = 0; i < c->layout.columns; i++)
    if (c->plan.roles[i] == CSV_FEATURE)
      TRY(add_names(&c->base.columns, names[i], (date_kind)c->plan.dates[i], &c->plan.dresses[i]));
  for (uint32_t i = c->layout.index; i < c->layout.columns; i++) /* an index has no name of its own */
    if (c->plan.roles[i] == CSV_LEFT_OUT) TRY(name_list_add(&c->base.left_out, names[i]));
  TRY(memory_allocate(&chosen, c->layout.columns, sizeof *chosen, "column names"));
  mlpd_status status = MLPD_OK;
  for (uint32_t t = 0; t < c->plan.num_targets; t++) chosen[t] = names[c->plan.targets[t]];
  if (status == MLPD_OK && c->plan.num_targets > 0)
    status = name_list_copy(chosen, c->plan.num_targets, &c->base.targets);
  free(chosen);
  return status;
}

static mlpd_status take_names(csv_source *c) {
  char **places = NULL;
  choose_names(c);
  if (!c->by_place) return c->layout.names != NULL ? copy_names(c, c->layout.names) : MLPD_OK;
  mlpd_status status = csv_place_names(c->layout.columns, &places);
  if (status == MLPD_OK) status = copy_names(c, places);
  csv_place_names_free(places, c->layout.columns);
  return status;
}

static void forget_room(csv_source *c) {
  name_list_free(&c->base.columns);
  name_list_free(&c->base.targets);
  name_list_free(&c->base.left_out);
  free(c->numbers);
  free(c->ranges);
  free(c->target_places);
  free(c->target_values);
  c->numbers = NULL;
  c->ranges = NULL;
  c->target_places = NULL;
  c->target_values = NULL;
}

/* The first column that was left out for what it holds, if possible one of texts, which can be categories; the number
 * of columns if none was. */
static uint32_t find_left_out(const csv_source *c) {
  const uint32_t none = c->layout.columns;
  uint32_t first = none;
  for (uint32_t i = 0; i < none && c->reasons != NULL; i++) {
    if (c->reasons[i] == NULL || c->reasons[i][0] == '\0') continue;
    if (c->examples[i] != NULL) return i;
    if (first == none) first = i;
  }
  return first;
}

static mlpd_status fail_left_out(const csv_source *c, uint32_t column) {
  char shown[300], number[CSV_NUMBER_BYTES];
  const bool texts = c->examples[column] != NULL;
  const char *const name = texts ? csv_column_name(&c->layout, column, number) : "";
  return FAIL(MLPD_ERROR_DATA, "%s: no column is left for features: %s is left out: %s%s%s%s", c->base.name,
              csv_column_shown(&c->layout, column, shown), c->reasons[column], texts ? "; --categorical '" : "", name,
              texts ? "' keeps it" : "");
}

/* No column is left for features. */
static mlpd_status fail_empty(const csv_source *c) {
  char file[FOREIGN_NAME_BYTES], base[FOREIGN_NAME_BYTES];
  char command[FIXED_BYTES];
  const uint32_t left_out = find_left_out(c);
  const char *const pair = c->layout.long_delimiter;
  foreign_command_names(input_path(c->lines.in), file, base);
  if (left_out < c->layout.columns) return fail_left_out(c, left_out);
  if (*pair != '\0')
    return FAIL(MLPD_ERROR_DATA,
                "%s: %s seems to separate the columns, but a delimiter must be one character; replace it by tabs: sed "
                "'s/%s/\\t/g' %s > %s.tsv",
                c->base.name, pair, pair, file, base);
  if (c->layout.columns == 1 && c->layout.widths[0] != '\0')
    return FAIL(MLPD_ERROR_DATA, "%s: has one column; if it is several columns of a fixed width, divide them: %s",
                c->base.name, csv_fixed_command(&c->lines, c->layout.names != NULL, c->layout.widths, command));
  if (c->layout.columns > 1)
    return FAIL(MLPD_ERROR_DATA,
                "%s: no column is left for features; a table needs a feature and a label: leave one of its %u columns "
                "out of --label and --ignore, and name it if --columns is given",
                c->base.name, c->layout.columns);
  return FAIL(MLPD_ERROR_DATA,
              "%s: has one column; a table needs a feature and a label (is the --delimiter right? are the labels in "
              "another file? paste -d, x.csv y.csv > xy.csv joins them)",
              c->base.name);
}

mlpd_status csv_make_room(csv_source *c) {
  const csv_plan *plan = &c->plan;
  const uint32_t targets = plan->num_targets > 1 ? plan->num_targets : 0, count = plan->num_features + targets;
  forget_room(c);
  c->base.features = plan->num_features;
  c->base.y_columns = plan->num_targets;
  c->label = plan->num_targets == 1 ? plan->targets[0] : CSV_NO_LABEL;
  if (plan->num_features == 0) return fail_empty(c);
  TRY(take_names(c));
  TRY(memory_allocate(&c->numbers, count, sizeof *c->numbers, "CSV row"));
  TRY(memory_allocate(&c->ranges, count, sizeof *c->ranges, "CSV row"));
  for (uint32_t i = 0; i < count; i++)
    c->ranges[i] = (csv_range){
        .least = INFINITY, .most = -INFINITY, .whole = true, .days = true, .months = true, .ends = extremes_none()};
  if (targets == 0) return MLPD_OK;
  TRY(memory_allocate(&c->target_places, c->layout.columns, sizeof *c->target_places, "CSV row"));
  TRY(memory_allocate(&c->target_values, targets, sizeof *c->target_values, "CSV row"));
  for (uint32_t t = 0; t < targets; t++) c->target_places[plan->targets[t]] = plan->num_features + t;
  return MLPD_OK;
}
