/* The options of a training run as a config file. */
#include <stdlib.h>
#include <string.h>

#include "base/locale.h"
#include "base/status.h"
#include "options/option.h"
#include "options/option_given.h"
#include "options/preset_values.h"

/* Would the reader of config files change this text? It ends a value at " ;", and removes blanks and quotes around
 * it. */
static bool needs_quotes(const char *text) {
  const size_t length = strlen(text);
  if (length == 0) return false;
  return strchr(" \";", text[0]) != NULL || text[length - 1] == ' ' || strstr(text, " ;") != NULL;
}

static void print_quoted(const char *text, FILE *stream) {
  (void)fputc('"', stream);
  for (const char *c = text; *c != '\0'; c++) {
    if (*c == '"' || *c == '\\') (void)fputc('\\', stream);
    (void)fputc(*c, stream);
  }
  (void)fputc('"', stream);
}

static void print_value(const char *text, FILE *stream) {
  if (text[0] != '\0') (void)fputc(' ', stream);
  if (needs_quotes(text))
    print_quoted(text, stream);
  else
    (void)fputs(text, stream);
}

static void print(const mlpd_train_options *given, FILE *stream) {
  mlpd_train_options options = *given;
  mlpd_train_options_settle(&options);
  const char *group = NULL;
  (void)fprintf(stream, "# mlpdist %s: mlpdist train --config THIS-FILE repeats the run.\n", MLPD_VERSION);
  for (const mlpd_option *row = mlpd_train_option_table; row->name != NULL; row++) {
    if (row->command_line_only) continue;
    char buffer[64];
    const char *const text = mlpd_option_format(row, &options, buffer, sizeof buffer);
    const bool waits = options.init_model == NULL && option_left_to_model(row, &options); /* until the model is read */
    if (text == NULL || waits) continue;
    if (group == NULL || strcmp(group, row->group) != 0) (void)fprintf(stream, "\n[%s]\n", row->group);
    group = row->group;
    if (preset_waits(&options, row->name)) {
      (void)fprintf(stream, "# %s: --preset %s decides by the data\n", row->name,
                    mlpd_choice_name(mlpd_preset_choices, (int)options.preset));
      continue;
    }
    (void)fprintf(stream, "%s =", row->name);
    print_value(text, stream);
    (void)fputc('\n', stream);
  }
}

mlpd_status mlpd_train_options_text(const mlpd_train_options *options, char **text) {
  IN_C_LOCALE();
  NEED(text);
  *text = NULL;
  NEED(options);
  size_t bytes = 0;
  FILE *const stream = open_memstream(text, &bytes);
  if (stream != NULL) print(options, stream);
  const bool written = stream != NULL && ferror(stream) == 0;
  if (stream != NULL && fclose(stream) == 0 && written) return MLPD_OK;
  free(*text);
  *text = NULL;
  return FAIL(MLPD_ERROR_MEMORY, "out of memory, writing the options as text");
}

/* Undoes print_value() on the text of a line after its equals sign. */
static bool take_value(const char *from, const char *end, char *value, size_t bytes) {
  size_t length = 0;
  while (from < end && *from == ' ') from++;
  const bool quoted = end - from >= 2 && *from == '"' && end[-1] == '"';
  if (quoted) {
    from++;
    end--;
  }
  for (; from < end && length + 1 < bytes; from++) {
    if (quoted && *from == '\\' && from + 1 < end) from++;
    value[length++] = *from;
  }
  value[length] = '\0';
  return from == end;
}

bool option_config_value(const char *text, const char *key, char *value, size_t bytes) {
  const size_t length = strlen(key);
  for (const char *line = text; line != NULL && *line != '\0';) {
    const char *const end = line + strcspn(line, "\n");
    if (strncmp(line, key, length) == 0 && strncmp(line + length, " =", 2) == 0)
      return take_value(line + length + 2, end, value, bytes);
    line = *end == '\n' ? end + 1 : end;
  }
  return false;
}
