/* What every command of the program has: a name, a table of options, a function; and the texts that help and manual
 * pages share. */
#ifndef MLPDIST_CLI_COMMAND_H
#define MLPDIST_CLI_COMMAND_H

#include "cli/options.h"

typedef struct command {
  const char *name, *summary;
  int (*run)(int argc, char **argv); /* returns the exit status. NULL: command_help, which knows them all */
  const option_table *table;
} command;

/* Lists of commands end with name == NULL. */
const command *command_find(const command *commands, const char *name);      /* NULL: none */
mlpd_status command_fail_unknown(const command *commands, const char *word); /* the message has the nearest name, or
                                                                                all names */
int command_print_help(const option_table *table); /* of a command, on the launcher's rank 0; the exit status */

/* What the help of the program and its manual page share. */
typedef struct help_term {
  const char *name, *help;
} help_term;

extern const char program_summary[];
extern const help_term program_statuses[], program_variables[]; /* end with name == NULL */

void program_print_man(const command *commands, FILE *stream);
void program_print_completion(const command *commands, FILE *stream);
void options_print_man(const option_table *table, const char *summary, FILE *stream);

#endif
