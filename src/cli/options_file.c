/* Config files: the INI form of a command's options.
 *
 *   [section]            optional; the keys below must belong to it
 *   key = value          or key: value; blanks around both are dropped
 *   key = "value"        keeps blanks and " ;"; \" and \\ stand for " and \
 *   key = value ; note   " ;" begins a note, and so do ; and # at the start of a line
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/options.h"
#include "cli/outcome.h"

enum { ROWS_MOST = 512 }; /* of a table */

typedef struct config_reader {
  const option_table *table;
  void *values;
  option_results *results;
  const char *path;
  int line_number; /* from 1 */
  char section[64];
  int given[ROWS_MOST]; /* the line that sets each row of the table; 0: none */
} config_reader;

/* ---- Text ------------------------------------------------------------------------------------------- */

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

/* text without blanks around it, in place. */
static char *trim(char *text) {
  while (is_blank(*text)) text++;
  size_t length = strlen(text);
  while (length > 0 && is_blank(text[length - 1])) length--;
  text[length] = '\0';
  return text;
}

/* Ends text before a note: a semicolon after a blank. */
static void cut_note(char *text) {
  for (char *c = text; *c != '\0'; c++)
    if (*c == ';' && c > text && is_blank(c[-1])) {
      *c = '\0';
      return;
    }
}

static mlpd_status fail_line(const config_reader *reader, const char *what) {
  return outcome_fail(MLPD_ERROR_USAGE, "%s:%d: %s", reader->path, reader->line_number, what);
}

/* The content of a quoted value, in place; text begins with the quote. */
static mlpd_status unquote(const config_reader *reader, char **text) {
  char *from = *text + 1, *to = *text;
  for (; *from != '\0' && *from != '"'; from++) {
    if (from[0] == '\\' && (from[1] == '"' || from[1] == '\\')) from++;
    *to++ = *from;
  }
  if (*from == '\0') return fail_line(reader, "the closing \" is missing");
  from++;
  cut_note(from);
  if (*trim(from) != '\0') return fail_line(reader, "there is text after the closing \"");
  *to = '\0';
  return MLPD_OK;
}

/* ---- Sections and keys ------------------------------------------------------------------------------ */

static mlpd_status check_section(const config_reader *reader) {
  const char *near = NULL;
  const option *row;
  for (size_t i = 0; (row = options_row(reader->table, i)) != NULL; i++) {
    if (row->command_line_only) continue;
    if (strcmp(row->group, reader->section) == 0) return MLPD_OK;
    mlpd_name_offer(reader->section, row->group, &near);
  }
  return outcome_fail(MLPD_ERROR_USAGE, "%s:%d: unknown section [%s]%s%s%s", reader->path, reader->line_number,
                      reader->section, near != NULL ? "; did you mean [" : "", near != NULL ? near : "",
                      near != NULL ? "]?" : "");
}

static mlpd_status open_section(config_reader *reader, const char *text) {
  const char *const end = strchr(text, ']');
  if (end == NULL) return fail_line(reader, "neither [section] nor key = value");
  (void)snprintf(reader->section, sizeof reader->section, "%.*s", (int)(end - text - 1), text + 1);
  return check_section(reader);
}

static mlpd_status fail_key(const config_reader *reader, const char *key) {
  const char *near = NULL;
  const option *row;
  for (size_t i = 0; (row = options_row(reader->table, i)) != NULL; i++)
    if (!row->command_line_only) mlpd_name_offer(key, row->name, &near);
  return outcome_fail(MLPD_ERROR_USAGE, "%s:%d: unknown key %s%s%s%s", reader->path, reader->line_number, key,
                      near != NULL ? "; did you mean " : "", near != NULL ? near : "", near != NULL ? "?" : "");
}

/* On the command line the last one counts, as scripts expect; a file that says two things has a mistake. */
static mlpd_status refuse_twice(config_reader *reader, const option *row) {
  size_t i = 0;
  while (i < ROWS_MOST && options_row(reader->table, i) != row) i++;
  if (i == ROWS_MOST) return MLPD_OK;
  if (reader->given[i] > 0)
    return outcome_fail(MLPD_ERROR_USAGE, "%s:%d: %s is given in line %d already", reader->path, reader->line_number,
                        row->name, reader->given[i]);
  reader->given[i] = reader->line_number;
  return MLPD_OK;
}

static mlpd_status set_key(config_reader *reader, const char *key, const char *value) {
  const option *row = options_find(reader->table, key);
  if (row == NULL || row->command_line_only) return fail_key(reader, key);
  /* Keys may stand before the first section; a key in a section must belong to it. */
  if (reader->section[0] != '\0' && strcmp(row->group, reader->section) != 0)
    return outcome_fail(MLPD_ERROR_USAGE, "%s:%d: %s stands in [%s] but belongs in [%s]", reader->path,
                        reader->line_number, key, reader->section, row->group);
  const mlpd_status once = refuse_twice(reader, row);
  if (once != MLPD_OK) return once;
  const char *kept = option_keep(reader->results, value);
  if (kept == NULL) return outcome_fail(MLPD_ERROR_MEMORY, "out of memory, reading %s", reader->path);
  char where[256];
  (void)snprintf(where, sizeof where, "%s:%d: %s", reader->path, reader->line_number, row->name);
  return options_set(row, where, kept, reader->values);
}

/* ---- Lines ------------------------------------------------------------------------------------------ */

static mlpd_status read_line(config_reader *reader, char *line) {
  static const char byte_order_mark[] = "\xef\xbb\xbf";
  reader->line_number++;
  if (reader->line_number == 1 && strncmp(line, byte_order_mark, 3) == 0) line += 3;
  char *const text = trim(line);
  if (*text == '\0' || *text == '#' || *text == ';') return MLPD_OK;
  if (*text == '[') return open_section(reader, text);
  char *const end_of_key = text + strcspn(text, "=:");
  if (*end_of_key == '\0') return fail_line(reader, "neither [section] nor key = value");
  char *value = end_of_key + 1 + strspn(end_of_key + 1, " \t");
  if (*value == '"') {
    const mlpd_status status = unquote(reader, &value);
    if (status != MLPD_OK) return status;
  } else {
    cut_note(end_of_key + 1);
    value = trim(end_of_key + 1);
  }
  *end_of_key = '\0';
  return set_key(reader, trim(text), value);
}

mlpd_status options_read_file(const option_table *table, const char *path, void *values, option_results *results) {
  FILE *file = fopen(path, "r");
  if (file == NULL) return outcome_fail(MLPD_ERROR_FILE, "%s: cannot be opened: %s", path, strerror(errno));
  config_reader reader = {.table = table, .values = values, .results = results, .path = path};
  char *line = NULL;
  size_t bytes = 0;
  mlpd_status status = MLPD_OK;
  while (status == MLPD_OK && getline(&line, &bytes, file) >= 0) status = read_line(&reader, line);
  if (status == MLPD_OK && feof(file) == 0)
    status = outcome_fail(MLPD_ERROR_FILE, "%s: cannot be read: %s", path, strerror(errno));
  free(line);
  (void)fclose(file);
  return status;
}
