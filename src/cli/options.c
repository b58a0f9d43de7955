#include "cli/options.h"

#include <stdlib.h>
#include <string.h>

#include "cli/outcome.h"

bool options_want_help(int argc, char **argv) {
  for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
    if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) return true;
  return false;
}

static mlpd_status fail_unknown(const option_table *table, const char *argument, size_t length) {
  char word[64];
  const size_t kept = length < sizeof word ? length : sizeof word - 1;
  memcpy(word, argument + 2, kept);
  word[kept] = '\0';
  const char *near = NULL;
  const option *row;
  for (size_t i = 0; (row = options_row(table, i)) != NULL; i++) mlpd_name_offer(word, row->name, &near);
  if (strcmp(word, "split") == 0 && options_find(table, "part") != NULL) near = "part"; /* its former name */
  if (near != NULL) return outcome_fail(MLPD_ERROR_USAGE, "unknown option --%s; did you mean --%s?", word, near);
  return outcome_fail(MLPD_ERROR_USAGE, "unknown option --%s; mlpdist %s --help lists them", word, table->command);
}

/* Parses the option at argv[*i], with its value in the same argument or the next. */
static mlpd_status parse_option(const option_table *table, int argc, char **argv, int *i, void *values,
                                option_results *results) {
  const char *argument = argv[*i];
  const char *equals = strchr(argument, '=');
  const size_t length = equals != NULL ? (size_t)(equals - argument) - 2 : strlen(argument) - 2;
  char name[64];
  (void)snprintf(name, sizeof name, "%.*s", (int)(length < sizeof name ? length : sizeof name - 1), argument + 2);
  const option *row = options_find(table, name);
  if (row == NULL) return fail_unknown(table, argument, length);
  results->given[results->num_given++] = row;
  char where[72];
  (void)snprintf(where, sizeof where, "--%s", row->name);
  if (row->type == OPTION_FLAG && equals == NULL) return options_set(row, where, "yes", values);
  if (row->type == OPTION_FLAG && equals[1] == '\0')
    return outcome_fail(MLPD_ERROR_USAGE, "--%s= needs yes or no; --%s alone is yes", row->name, row->name);
  if (equals != NULL) return options_set(row, where, equals + 1, values);
  if (*i + 1 >= argc || strncmp(argv[*i + 1], "--", 2) == 0)
    return outcome_fail(MLPD_ERROR_USAGE, "--%s needs a value, %s: %s", row->name, row->metavar, row->help);
  *i += 1;
  return options_set(row, where, argv[*i], values);
}

static mlpd_status parse_arguments(const option_table *table, int argc, char **argv, void *values,
                                   option_results *results) {
  bool only_positionals = false;
  results->num_positionals = results->num_given = 0;
  for (int i = 1; i < argc; i++) {
    const char *argument = argv[i];
    if (!only_positionals && strcmp(argument, "--") == 0) {
      only_positionals = true;
    } else if (!only_positionals && strncmp(argument, "--", 2) == 0) {
      const mlpd_status status = parse_option(table, argc, argv, &i, values, results);
      if (status != MLPD_OK) return status;
    } else if (!only_positionals && argument[0] == '-' && argument[1] != '\0') {
      return outcome_fail(MLPD_ERROR_USAGE,
                          "unknown option %s; options begin with --, and mlpdist %s --help lists them", argument,
                          table->command);
    } else {
      results->positionals[results->num_positionals++] = argument;
    }
  }
  return MLPD_OK;
}

static mlpd_status check_positionals(const option_table *table, const option_results *results) {
  const int given = results->num_positionals;
  if (given < table->min_positionals)
    return outcome_fail(MLPD_ERROR_USAGE, "too few arguments: mlpdist %s %s", table->command, table->usage);
  if (table->max_positionals < 0 || given <= table->max_positionals) return MLPD_OK;
  const char *extra = results->positionals[table->max_positionals];
  if (options_find(table, extra) != NULL)
    return outcome_fail(MLPD_ERROR_USAGE, "unexpected \"%s\"; did you mean --%s?", extra, extra);
  return outcome_fail(MLPD_ERROR_USAGE, "unexpected \"%s\"; usage: mlpdist %s %s", extra, table->command, table->usage);
}

static bool is_given(const option *row, const option_results *results) {
  for (int i = 0; i < results->num_given; i++)
    if (results->given[i] == row) return true;
  return false;
}

mlpd_status options_parse(const option_table *table, int argc, char **argv, void *values, option_results *results) {
  results->positionals = calloc((size_t)argc + 1, sizeof *results->positionals);
  results->given = calloc((size_t)argc + 1, sizeof *results->given);
  if (results->positionals == NULL || results->given == NULL)
    return outcome_fail(MLPD_ERROR_MEMORY, "out of memory, reading the arguments");
  mlpd_status status = parse_arguments(table, argc, argv, values, results);
  const option *config = options_find(table, "config");
  const char *path = NULL;
  if (config != NULL) memcpy(&path, (const char *)values + config->offset, sizeof path);
  if (status == MLPD_OK && path != NULL) {
    status = options_read_file(table, path, values, results);
    if (status == MLPD_OK && table->library_rows == mlpd_train_option_table &&
        is_given(options_find(table, "preset"), results)) {
      status = parse_arguments(table, argc, argv, values, results); /* which preset */
      if (status == MLPD_OK) mlpd_train_options_forget(values);
    }
    /* Once more, because the command line overrides the file. */
    if (status == MLPD_OK) status = parse_arguments(table, argc, argv, values, results);
  }
  return status == MLPD_OK ? check_positionals(table, results) : status;
}

/* Complete config files hold every option: one that says what holds anyway is not worth a note. */
static bool is_default(const option_table *table, const option *row, const void *values) {
  char buffer[64], usual_buffer[64];
  const char *const text = mlpd_option_format(row, values, buffer, sizeof buffer);
  const char *const usual = mlpd_option_format(row, table->defaults(), usual_buffer, sizeof usual_buffer);
  return text == NULL || usual == NULL ? text == usual : strcmp(text, usual) == 0;
}

void options_note_idle(const option_table *table, const void *values, const option_results *results) {
  for (const option *row = table->library_rows; row->name != NULL; row++) {
    char needed[160], note[300];
    const bool given = is_given(row, results);
    if (!given && is_default(table, row, values)) continue;
    if (mlpd_option_lacks(table->library_rows, row, values, needed, sizeof needed) == NULL) continue;
    (void)snprintf(note, sizeof note, "%s%s has no effect without %s", given ? "--" : "config file: ", row->name,
                   needed);
    outcome_note(note);
  }
}
