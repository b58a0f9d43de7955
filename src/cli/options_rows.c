/* Rows of an option table, and texts that live as long as the results of parsing. */
#include <stdlib.h>
#include <string.h>

#include "cli/options.h"
#include "cli/outcome.h"

typedef struct option_string {
  struct option_string *next;
  char text[];
} option_string;

const char *option_keep(option_results *results, const char *text) {
  const size_t bytes = strlen(text) + 1;
  option_string *string = malloc(sizeof *string + bytes);
  if (string == NULL) return NULL;
  memcpy(string->text, text, bytes);
  string->next = results->strings;
  results->strings = string;
  return string->text;
}

void options_free(option_results *results) {
  while (results->strings != NULL) {
    option_string *next = results->strings->next;
    free(results->strings);
    results->strings = next;
  }
  free(results->positionals);
  free(results->given);
  *results = (option_results){0};
}

const option *options_row(const option_table *table, size_t i) {
  size_t own = 0, library = 0;
  while (table->rows[own].name != NULL) own++;
  if (i < own) return &table->rows[i];
  if (table->library_rows == NULL) return NULL;
  while (library < i - own && table->library_rows[library].name != NULL) library++;
  return table->library_rows[library].name != NULL ? &table->library_rows[library] : NULL;
}

/* Only flags have no metavar. */
static bool is_shared(const option *row) { return row->type == OPTION_TEXT && row->metavar == NULL; }

void options_share(option *rows) {
  for (option *row = rows; row != NULL && row->name != NULL; row++) {
    if (!is_shared(row)) continue;
    const option *const train = mlpd_option_find(mlpd_train_option_table, row->name);
    row->type = train->type;
    row->metavar = train->metavar;
    row->minimum = train->minimum;
    if (row->maximum <= 0) row->maximum = train->maximum;
    if (row->choices == NULL) row->choices = train->choices;
    if (row->help == NULL) row->help = train->help;
    if (row->note != NULL) continue;
    row->note = train->note;
    row->automatic = train->automatic;
  }
}

const option *options_find(const option_table *table, const char *name) {
  const option *const own = mlpd_option_find(table->rows, name);
  return own != NULL || table->library_rows == NULL ? own : mlpd_option_find(table->library_rows, name);
}

/* Sets the row, with the library's message as the program's. */
mlpd_status options_set(const option *row, const char *where, const char *text, void *values) {
  const mlpd_status status = mlpd_option_set(row, where, text, values);
  return status == MLPD_OK ? MLPD_OK : outcome_fail(status, "%s", mlpd_error_message());
}
