/* Manual pages in the macros of man(7), made from the option tables. */
#include <ctype.h>
#include <string.h>

#include "cli/command.h"

/* Text as troff needs it: a hyphen that may be typed, a backslash, a point or quote at the start of a line. */
static void print_text(const char *text, FILE *stream) {
  if (*text == '.' || *text == '\'') (void)fputs("\\&", stream);
  for (const char *c = text; *c != '\0'; c++) {
    if (*c == '-')
      (void)fputs("\\-", stream);
    else if (*c == '\\')
      (void)fputs("\\e", stream);
    else
      (void)fputc(*c, stream);
    if (*c == '\n' && (c[1] == '.' || c[1] == '\'')) (void)fputs("\\&", stream);
  }
}

static void print_title(const char *name, FILE *stream) {
  (void)fputs(".TH \"", stream);
  for (const char *c = name; *c != '\0'; c++) (void)fputc(toupper((unsigned char)*c), stream);
  (void)fprintf(stream, "\" 1 \"\" \"mlpdist %s\" \"User Commands\"\n", MLPD_VERSION);
}

static void print_section(const char *heading, FILE *stream) { (void)fprintf(stream, ".SH %s\n", heading); }

static void print_name(const char *name, const char *summary, FILE *stream) {
  print_section("NAME", stream);
  print_text(name, stream);
  (void)fputs(" \\- ", stream);
  print_text(summary, stream);
  (void)fputc('\n', stream);
}

/* Lines as they are. */
static void print_lines(const char *text, FILE *stream) {
  (void)fputs(".nf\n", stream);
  print_text(text, stream);
  (void)fputs(".fi\n", stream);
}

/* ---- Options ---------------------------------------------------------------------------------------- */

/* Each choice with its formula or meaning. */
static void print_choices(const option *row, FILE *stream) {
  (void)fputs(".RS\n", stream);
  for (const mlpd_choice *choice = row->choices; choice->name != NULL; choice++) {
    (void)fputs(".TP\n.B ", stream);
    print_text(choice->name, stream);
    (void)fputc('\n', stream);
    print_text(choice->help, stream);
    (void)fputc('\n', stream);
  }
  (void)fputs(".RE\n", stream);
}

static bool has_meanings(const option *row) {
  for (const mlpd_choice *choice = row->choices; choice != NULL && choice->name != NULL; choice++)
    if (choice->help == NULL || choice->help[0] == '\0') return false;
  return row->choices != NULL;
}

/* text between before and after, which troff reads as they are. */
static void print_between(const char *before, const char *text, const char *after, FILE *stream) {
  (void)fputs(before, stream);
  print_text(text, stream);
  (void)fputs(after, stream);
}

static void print_option(const option_table *table, const option *row, FILE *stream) {
  char text[1536], buffer[160];
  (void)fputs(".TP\n\\fB", stream);
  print_text("--", stream);
  print_between("", row->name, "\\fR", stream);
  if (row->metavar != NULL) print_between(" \\fI", row->metavar, "\\fR", stream);
  print_between("\n", row->help, "", stream);
  options_choices(row, ", ", text, sizeof text);
  /* The output activations are those of --activation. */
  const bool listed = has_meanings(row) && !row->automatic;
  if (text[0] != '\0' && !listed) print_between(" (", text, ")", stream);
  if (options_needs(row, buffer, sizeof buffer) != NULL) print_between("; ", buffer, "", stream);
  (void)fputs(".\n", stream);
  const char *const value = options_default(table, row, buffer, sizeof buffer);
  if (value != NULL) print_between("Default: ", value, ".\n", stream);
  if (listed) print_choices(row, stream);
}

static void print_options(const option_table *table, FILE *stream) {
  char text[64];
  const option *row;
  print_section("OPTIONS", stream);
  for (size_t i = 0; (row = options_row(table, i)) != NULL; i++) {
    const char *const heading = options_heading(table, i, text, sizeof text);
    if (heading != NULL) (void)fprintf(stream, ".SS %s\n", heading);
    print_option(table, row, stream);
  }
}

/* ---- Pages ------------------------------------------------------------------------------------------ */

/* A line of details: one that begins with a blank as it is, others as parts of a paragraph. *as_is: was the one before?
 */
static void print_note(const char *line, int length, bool *as_is, FILE *stream) {
  char text[160];
  const bool kept = *line == ' ';
  if (kept != *as_is) (void)fputs(kept ? ".nf\n" : ".fi\n", stream);
  *as_is = kept;
  (void)snprintf(text, sizeof text, "%.*s", length, line);
  print_text(text, stream);
  (void)fputc('\n', stream);
}

/* Paragraphs, and after the line "Examples" lines as they are. */
static void print_details(const char *details, FILE *stream) {
  const char *const examples = strstr(details, "Examples\n");
  const char *end = examples != NULL ? examples : details + strlen(details);
  bool as_is = false;
  while (end > details && isspace((unsigned char)end[-1])) end--;
  if (end > details) print_section("NOTES", stream);
  for (const char *line = details; line < end;) {
    const int length = (int)strcspn(line, "\n");
    print_note(line, length, &as_is, stream);
    line += length + 1;
  }
  if (as_is) (void)fputs(".fi\n", stream);
  if (examples == NULL) return;
  print_section("EXAMPLES", stream);
  print_lines(examples + strlen("Examples\n"), stream);
}

void options_print_man(const option_table *table, const char *summary, FILE *stream) {
  char name[64];
  (void)snprintf(name, sizeof name, "mlpdist-%s", table->command);
  print_title(name, stream);
  print_name(name, summary, stream);
  print_section("SYNOPSIS", stream);
  (void)fprintf(stream, ".B mlpdist %s\n", table->command);
  print_text(table->usage, stream);
  (void)fputc('\n', stream);
  print_section("DESCRIPTION", stream);
  print_text(table->summary, stream);
  (void)fputc('\n', stream);
  print_options(table, stream);
  if (table->details != NULL) print_details(table->details, stream);
  print_section("SEE ALSO", stream);
  (void)fputs(".BR mlpdist (1)\n", stream);
}

static void print_terms(const help_term *terms, FILE *stream) {
  for (const help_term *term = terms; term->name != NULL; term++) {
    (void)fputs(".TP\n.B ", stream);
    print_text(term->name, stream);
    (void)fputc('\n', stream);
    print_text(term->help, stream);
    (void)fputc('\n', stream);
  }
}

void program_print_man(const command *commands, FILE *stream) {
  print_title("mlpdist", stream);
  print_name("mlpdist", program_summary, stream);
  print_section("SYNOPSIS", stream);
  (void)fputs(".B mlpdist\n.I COMMAND\n[options]\n.br\n.B mpirun \\-np\n.I N\n.B mlpdist\n.I COMMAND\n[options]\n",
              stream);
  print_section("COMMANDS", stream);
  for (const command *c = commands; c->name != NULL; c++) {
    (void)fprintf(stream, ".TP\n.BR mlpdist\\-%s (1)\n", c->name);
    print_text(c->summary, stream);
    (void)fputc('\n', stream);
  }
  print_section("EXIT STATUS", stream);
  print_terms(program_statuses, stream);
  print_section("ENVIRONMENT", stream);
  print_terms(program_variables, stream);
}
