/* Commands: one function a subcommand; argv[0] is its name. Each returns the exit status. */
#ifndef MLPDIST_PROGRAM_COMMANDS_H
#define MLPDIST_PROGRAM_COMMANDS_H

#include "program/options.h"

typedef struct command {
  const char *name, *summary;
  int (*run)(int argc, char **argv); /* NULL: command_help, which knows them all */
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

int command_train(int argc, char **argv);
int command_eval(int argc, char **argv);
int command_predict(int argc, char **argv);
int command_info(int argc, char **argv);
int command_convert(int argc, char **argv);
void convert_prepare(void); /* completes the rows of convert_table; call it before their first use */
int command_export(int argc, char **argv);
int command_import(int argc, char **argv);
int command_explain(int argc, char **argv);
int command_doctor(int argc, char **argv);
int command_help(const command *commands, int argc, char **argv);

/* What `mlpdist train` parses into, and its table. */
typedef struct train_arguments {
  mlpd_train_options train; /* first: the library's rows are of it */
  const char *config;
  bool print_config, quiet, help;
} train_arguments;

extern const option_table train_table, eval_table, predict_table, info_table, convert_table, export_table, import_table,
    explain_table, doctor_table, help_table;

/* The data set used if none is named: the shipped digits.h5. path (bytes) gets its path. */
mlpd_status default_data(char *path, size_t bytes);

#endif
