/* --help: the table as text, 80 columns wide. */
#include <ctype.h>
#include <string.h>

#include "cli/command.h"
#include "cli/outcome.h"

enum { WIDTH = 80, HELP_COLUMN = 30 };

/* Prints text from column on, broken at blanks, further lines indented by indent, and ends the line. */
static void print_wrapped(FILE *stream, int column, int indent, const char *text) {
  while (*text != '\0') {
    const int length = (int)strcspn(text, " ");
    if (column > indent && column + 1 + length > WIDTH) {
      (void)fprintf(stream, "\n%*s", indent, "");
      column = indent;
    } else if (column > indent) {
      (void)fputc(' ', stream);
      column++;
    }
    (void)fprintf(stream, "%.*s", length, text);
    column += length;
    text += length;
    while (*text == ' ') text++;
  }
  (void)fputc('\n', stream);
}

const char *options_heading(const option_table *table, size_t i, char *text, size_t bytes) {
  const option *const row = options_row(table, i);
  for (const option_heading *h = table->headings; h != NULL && h->before != NULL; h++)
    if (strcmp(h->before, row->name) == 0) return h->text;
  if (i > 0 && strcmp(options_row(table, i - 1)->group, row->group) == 0) return NULL;
  (void)snprintf(text, bytes, "%c%s", toupper((unsigned char)row->group[0]), row->group + 1);
  return text;
}

const char *options_default(const option_table *table, const option *row, char *buffer, size_t bytes) {
  const char *value = row->note;
  if (value == NULL && row->type != OPTION_FLAG) value = mlpd_option_format(row, table->defaults(), buffer, bytes);
  return value != NULL && value[0] != '\0' ? value : NULL;
}

void options_choices(const option *row, const char *separator, char *text, size_t bytes) {
  text[0] = '\0';
  if (row->choices == NULL) return;
  size_t used = row->automatic ? (size_t)snprintf(text, bytes, "auto") : 0;
  for (const mlpd_choice *choice = row->choices; choice->name != NULL && used < bytes; choice++)
    used += (size_t)snprintf(text + used, bytes - used, "%s%s", used > 0 ? separator : "", choice->name);
}

const char *options_needs(const option *row, char *buffer, size_t bytes) {
  char needed[150];
  const char *const other = row->needs != NULL ? strstr(row->needs, "!=") : NULL;
  if (mlpd_option_lacks(NULL, row, NULL, needed, sizeof needed) == NULL) return NULL;
  if (other != NULL) /* one value alone */
    (void)snprintf(buffer, bytes, "not with --%.*s %s", (int)(other - row->needs), row->needs, other + 2);
  else
    (void)snprintf(buffer, bytes, "needs %s", needed);
  return buffer;
}

/* The row's help with its choices, what it needs, and its default: "learning rate [0.1]". */
static void describe(const option_table *table, const option *row, char *text, size_t bytes) {
  char buffer[160], choices[1024];
  options_choices(row, ", ", choices, sizeof choices);
  size_t used = (size_t)snprintf(text, bytes, "%s", row->help);
  if (choices[0] != '\0' && used < bytes) used += (size_t)snprintf(text + used, bytes - used, " (%s)", choices);
  if (options_needs(row, buffer, sizeof buffer) != NULL && used < bytes)
    used += (size_t)snprintf(text + used, bytes - used, "; %s", buffer);
  const char *const value = options_default(table, row, buffer, sizeof buffer);
  if (value != NULL && used < bytes) (void)snprintf(text + used, bytes - used, " [%s]", value);
}

static void print_row(const option_table *table, const option *row, FILE *stream) {
  char text[1536];
  describe(table, row, text, sizeof text);
  int column = fprintf(stream, "  --%s%s%s", row->name, row->metavar != NULL ? " " : "",
                       row->metavar != NULL ? row->metavar : "");
  if (column > HELP_COLUMN - 2) {
    (void)fputc('\n', stream);
    column = 0;
  }
  (void)fprintf(stream, "%*s", HELP_COLUMN - column, "");
  print_wrapped(stream, HELP_COLUMN, HELP_COLUMN, text);
}

void options_print_help(const option_table *table, FILE *stream) {
  (void)fprintf(stream, "Usage: mlpdist %s %s\n\n", table->command, table->usage);
  print_wrapped(stream, 0, 0, table->summary);
  char text[64];
  const option *row;
  for (size_t i = 0; (row = options_row(table, i)) != NULL; i++) {
    const char *const heading = options_heading(table, i, text, sizeof text);
    if (heading != NULL) (void)fprintf(stream, "\n%s\n", heading);
    print_row(table, row, stream);
  }
  if (table->details != NULL) (void)fprintf(stream, "\n%s", table->details);
}

int command_print_help(const option_table *table) {
  if (outcome_launcher_rank() <= 0) options_print_help(table, stdout);
  return EXIT_DONE;
}
