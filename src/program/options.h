/* Options: one table a command. From it come the parser, the config file, --help, --print-config and the checks. */
#ifndef MLPDIST_PROGRAM_OPTIONS_H
#define MLPDIST_PROGRAM_OPTIONS_H

#include "mlpdist.h"

typedef enum option_type {
  OPTION_TEXT,    /* const char * */
  OPTION_PATH,    /* const char *; NULL where not given */
  OPTION_WIDTHS,  /* const char *: whole numbers from 1 with commas between, or nothing */
  OPTION_INTEGER, /* int32_t, uint32_t or uint64_t, from 0 */
  OPTION_REAL,    /* double */
  OPTION_CHOICE,  /* int or an enumeration */
  OPTION_FLAG     /* bool; takes no value */
} option_type;

typedef struct option {
  const char *name;    /* "lr": --lr on the command line, lr in a config file */
  const char *section; /* of the config file, and heading in --help */
  const char *metavar; /* what its value is called in --help; NULL for flags */
  option_type type;
  size_t offset, size;        /* of the value in the command's struct, bytes */
  const char *help;           /* a phrase without a final point */
  double minimum, maximum;    /* of a number */
  const mlpd_choice *choices; /* of OPTION_CHOICE */
  bool automatic;             /* "auto" stands for NULL (text), 0 (integer) or -1 (choice) */
  const char *note;           /* replaces the default in --help */
  bool command_line_only;
} option;

/* Where a command's option goes: offset and size of a member, the fifth and sixth initialisers of an option. */
#define OPTION_AT(type, member) offsetof(type, member), sizeof(((type *)0)->member)

/* The rows of --stall-timeout and --stall-abort for a struct with these members. */
#define STALL_OPTION_ROWS(type, timeout, abort)                                                     \
  {"stall-timeout",                                                                                 \
   "run",                                                                                           \
   "SECONDS",                                                                                       \
   OPTION_REAL,                                                                                     \
   OPTION_AT(type, timeout),                                                                        \
   .help = "report the ranks being waited for after this long, from the start of MPI on; 0: never", \
   .maximum = 1e6},                                                                                 \
  {                                                                                                 \
    "stall-abort", "run", "SECONDS", OPTION_REAL, OPTION_AT(type, abort),                           \
        .help = "end the run after ranks have been waited for this long; 0: never", .maximum = 1e6  \
  }

typedef struct option_table {
  const char *command;                  /* "train" */
  const char *usage;                    /* what follows the command: "[options]" */
  const char *summary;                  /* one line */
  const char *details;                  /* paragraphs after the options; NULL: none */
  const option *rows;                   /* ends with name == NULL */
  int min_positionals, max_positionals; /* arguments that belong to no option; max -1: any number */
} option_table;

/* What parsing leaves beside the command's struct. Zero it before, options_free it after: the struct borrows its
 * strings from here and from argv. */
typedef struct option_results {
  int num_positionals;
  const char **positionals; /* (num_positionals) */
  struct option_string *strings;
} option_results;

/* Parses argv[1 ...] into values, a struct filled with the defaults; where the table has --config, that file first.
 * MLPD_ERROR_USAGE or MLPD_ERROR_FILE with one line in outcome_message(). */
mlpd_status options_parse(const option_table *table, int argc, char **argv, void *values, option_results *results);
void options_free(option_results *results);

/* Does argv ask for help? Decided before parsing, so that a wrong option beside it does not matter. */
bool options_want_help(int argc, char **argv);
void options_print_help(const option_table *table, const void *defaults, FILE *stream); /* wrapped to 80 columns */

/* Reads a config file into values. */
mlpd_status options_read_file(const option_table *table, const char *path, void *values, option_results *results);

/* Writes values as a config file that options_read_file turns into the same values. */
void options_print_config(const option_table *table, const void *values, FILE *stream);

/* Sets one option from text; where ("--lr", "run.ini:3: lr") begins the message of a failure. text must outlive
 * values. */
mlpd_status option_set(const option *row, const char *where, const char *text, void *values);

/* The value as text that option_set takes, in buffer; NULL where there is none (a path not given). */
const char *option_format(const option *row, const void *values, char *buffer, size_t bytes);

const option *option_find(const option_table *table, const char *name); /* NULL: none */

/* A copy of text that lives as long as results; NULL: out of memory. */
const char *option_keep(option_results *results, const char *text);

#endif
