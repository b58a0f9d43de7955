/* Config files: the INI form of a command's options, read with inih. */
#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <stdlib.h>
#include <string.h>

#include "program/options.h"
#include "program/outcome.h"

typedef struct config_reader {
  const option_table *table;
  void *values;
  option_results *results;
  const char *path;
  FILE *file;
  char *line;
  size_t line_bytes;
  int line_number; /* of the line last given to inih, from 1: what its handler is called about */
  mlpd_status status;
} config_reader;

/* inih's reader. Lines lose their indentation, which inih would take for a continued value. */
static char *read_line(char *buffer, int bytes, void *stream) {
  config_reader *reader = stream;
  if (reader->status != MLPD_OK) return NULL;
  const ssize_t length = getline(&reader->line, &reader->line_bytes, reader->file);
  if (length < 0) {
    if (ferror(reader->file))
      reader->status = outcome_fail(MLPD_ERROR_FILE, "%s: cannot be read: %s", reader->path, strerror(errno));
    return NULL;
  }
  reader->line_number++;
  const char *start = reader->line;
  while (*start == ' ' || *start == '\t') start++;
  if (strlen(start) + 1 > (size_t)bytes) {
    reader->status = outcome_fail(MLPD_ERROR_USAGE, "%s:%d: the line is longer than %d characters", reader->path,
                                  reader->line_number, bytes - 2);
    return NULL;
  }
  memcpy(buffer, start, strlen(start) + 1);
  return buffer;
}

static mlpd_status check_section(const config_reader *reader, const char *section) {
  const char *near = NULL;
  const option *row;
  for (size_t i = 0; (row = options_row(reader->table, i)) != NULL; i++) {
    if (row->command_line_only) continue;
    if (strcmp(row->group, section) == 0) return MLPD_OK;
    mlpd_name_offer(section, row->group, &near);
  }
  return outcome_fail(MLPD_ERROR_USAGE, "%s:%d: unknown section [%s]%s%s%s", reader->path, reader->line_number, section,
                      near != NULL ? "; did you mean [" : "", near != NULL ? near : "", near != NULL ? "]?" : "");
}

static mlpd_status set_key(const config_reader *reader, const char *section, const char *key, const char *value) {
  /* Keys may stand before the first section heading; under a heading they must belong there. */
  mlpd_status status = section[0] != '\0' ? check_section(reader, section) : MLPD_OK;
  if (status != MLPD_OK) return status;
  const option *row = options_find(reader->table, key);
  if (row == NULL || row->command_line_only) {
    const char *near = NULL;
    const option *other;
    for (size_t i = 0; (other = options_row(reader->table, i)) != NULL; i++)
      if (!other->command_line_only) mlpd_name_offer(key, other->name, &near);
    return outcome_fail(MLPD_ERROR_USAGE, "%s:%d: unknown key %s%s%s%s", reader->path, reader->line_number, key,
                        near != NULL ? "; did you mean " : "", near != NULL ? near : "", near != NULL ? "?" : "");
  }
  if (section[0] != '\0' && strcmp(row->group, section) != 0)
    return outcome_fail(MLPD_ERROR_USAGE, "%s:%d: %s stands in [%s] but belongs in [%s]", reader->path,
                        reader->line_number, key, section, row->group);
  const char *kept = option_keep(reader->results, value);
  if (kept == NULL) return outcome_fail(MLPD_ERROR_MEMORY, "out of memory, reading %s", reader->path);
  char where[256];
  (void)snprintf(where, sizeof where, "%s:%d: %s", reader->path, reader->line_number, row->name);
  return options_set(row, where, kept, reader->values);
}

static int handle_key(void *user, const char *section, const char *key, const char *value) {
  config_reader *reader = user;
  if (reader->status == MLPD_OK) reader->status = set_key(reader, section, key, value != NULL ? value : "");
  return 1;
}

mlpd_status options_read_file(const option_table *table, const char *path, void *values, option_results *results) {
  FILE *file = fopen(path, "r");
  if (file == NULL) return outcome_fail(MLPD_ERROR_FILE, "%s: cannot be opened: %s", path, strerror(errno));
  config_reader reader = {.table = table, .values = values, .results = results, .path = path, .file = file};
  const int first_bad_line = ini_parse_stream(read_line, &reader, handle_key, &reader);
  if (reader.status == MLPD_OK && first_bad_line > 0)
    reader.status = outcome_fail(MLPD_ERROR_USAGE, "%s:%d: neither [section] nor key = value", path, first_bad_line);
  if (reader.status == MLPD_OK && first_bad_line < 0)
    reader.status = outcome_fail(MLPD_ERROR_MEMORY, "%s: out of memory", path);
  free(reader.line);
  (void)fclose(file);
  return reader.status;
}

void options_print_config(const option_table *table, const void *values, FILE *stream) {
  (void)fprintf(stream, "# mlpdist %s: mlpdist %s --config THIS-FILE repeats the run.\n", MLPD_VERSION, table->command);
  const char *section = NULL;
  const option *row;
  for (size_t i = 0; (row = options_row(table, i)) != NULL; i++) {
    if (row->command_line_only) continue;
    char buffer[64];
    const char *text = mlpd_option_format(row, values, buffer, sizeof buffer);
    if (text == NULL) continue;
    if (section == NULL || strcmp(section, row->group) != 0) (void)fprintf(stream, "\n[%s]\n", row->group);
    section = row->group;
    (void)fprintf(stream, "%s =%s%s\n", row->name, text[0] != '\0' ? " " : "", text);
  }
}
