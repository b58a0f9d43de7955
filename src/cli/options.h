/* Options: one table a command. From it come the parser, the config file, --help, --print-config and the checks. */
#ifndef MLPDIST_CLI_OPTIONS_H
#define MLPDIST_CLI_OPTIONS_H

#include "mlpdist.h"

typedef mlpd_option option;

#define OPTION_TEXT MLPD_OPTION_TEXT
#define OPTION_PATH MLPD_OPTION_PATH
#define OPTION_WIDTHS MLPD_OPTION_WIDTHS
#define OPTION_LIST MLPD_OPTION_LIST
#define OPTION_INTEGER MLPD_OPTION_INTEGER
#define OPTION_REAL MLPD_OPTION_REAL
#define OPTION_CHOICE MLPD_OPTION_CHOICE
#define OPTION_FLAG MLPD_OPTION_FLAG

/* Where a command's option is stored: offset and size of a member, the fifth and sixth initialisers of an option. */
#define OPTION_AT(type, member) offsetof(type, member), sizeof(((type *)0)->member)

/* The first initialisers of a row that is the training option of its name, stored in a member of its type: what else
 * the row does not give is the training option's (options_share). Neither metavar nor type may be given. */
#define OPTION_SHARED(option_name, option_group, struct_type, member)                      \
  .name = (option_name), .group = (option_group), .offset = offsetof(struct_type, member), \
  .size = sizeof(((struct_type *)0)->member)

/* The rows of --stall-timeout and --stall-abort for a struct with these members. */
#define STALL_OPTION_ROWS(type, timeout, abort) \
  {OPTION_SHARED("stall-timeout", "run", type, timeout)}, { OPTION_SHARED("stall-abort", "run", type, abort) }

/* A heading of --help and the man page that stands before the row of this name, within a group or in its place. */
typedef struct option_heading {
  const char *before, *text;
} option_heading;

typedef struct option_table {
  const char *command;                  /* "train" */
  const char *usage;                    /* the text after the command: "[options]" */
  const char *summary;                  /* one line */
  const char *details;                  /* paragraphs after the options; NULL: none */
  const option *rows;                   /* of the command's struct; ends with name == NULL */
  option *shared;                       /* the same rows, if some are OPTION_SHARED; NULL: none are */
  const option *library_rows;           /* further rows, of the struct that the command's begins with; or NULL */
  const option_heading *headings;       /* ends with before == NULL; NULL: the groups of the rows are the headings */
  const void *(*defaults)(void);        /* the command's struct before any option is parsed */
  int min_positionals, max_positionals; /* arguments that belong to no option; max -1: any number */
} option_table;

/* Results of parsing besides the command's struct. Zero it before; call options_free after the last use of the
 * struct, which borrows its strings from here and from argv. */
typedef struct option_results {
  int num_positionals;
  const char **positionals; /* (num_positionals) */
  int num_given;
  const option **given; /* (num_given): rows named on the command line */
  struct option_string *strings;
} option_results;

/* Parses argv[1 ...] into values, a struct filled with the defaults. If the table has --config, that file is read
 * first. MLPD_ERROR_USAGE or MLPD_ERROR_FILE with one line in outcome_message(). */
mlpd_status options_parse(const option_table *table, int argc, char **argv, void *values, option_results *results);
void options_free(option_results *results);

/* Does argv ask for help? Decided before parsing, so that a wrong option does not prevent it. */
bool options_want_help(int argc, char **argv);
void options_print_help(const option_table *table, FILE *stream); /* wrapped to 80 columns */

/* The heading that stands before row i, in text; NULL: none. */
const char *options_heading(const option_table *table, size_t i, char *text, size_t bytes);

/* The names of the choices with a separator between them, "auto" first if it is allowed; "" if the row has no
 * choices. */
void options_choices(const option *row, const char *separator, char *text, size_t bytes);

/* "needs --stream", "not with --optimizer lbfgs"; NULL: the row needs no other option. */
const char *options_needs(const option *row, char *buffer, size_t bytes);

/* The default as help shows it, in buffer; NULL: none. */
const char *options_default(const option_table *table, const option *row, char *buffer, size_t bytes);

/* Reads a config file, such as mlpd_train_options_text() makes, into values. */
mlpd_status options_read_file(const option_table *table, const char *path, void *values, option_results *results);

/* Row i of the table, the command's own rows first, then library_rows; NULL: none. for (size_t i = 0; (row =
 * options_row(table, i)) != NULL; i++) */
const option *options_row(const option_table *table, size_t i);

/* Completes the rows that are OPTION_SHARED: type, range and choices are those of the training option, and so are help
 * and note unless the row has its own. Where the note is the row's own, "auto" is no value. */
void options_share(option *rows);

const option *options_find(const option_table *table, const char *name); /* NULL: none */

/* mlpd_option_set() with its message as the program's own */
mlpd_status options_set(const option *row, const char *where, const char *text, void *values);

/* Prints a note for each option that has no effect beside the others: each of the command line, and those that a config
 * file changed from the default. */
void options_note_idle(const option_table *table, const void *values, const option_results *results);

/* A copy of text that lives as long as results; NULL: out of memory. */
const char *option_keep(option_results *results, const char *text);

#endif
