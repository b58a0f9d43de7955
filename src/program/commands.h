/* The commands: one function each; argv[0] is its name. Each returns the exit status. */
#ifndef MLPDIST_PROGRAM_COMMANDS_H
#define MLPDIST_PROGRAM_COMMANDS_H

#include "cli/command.h"

int command_train(int argc, char **argv);
int command_eval(int argc, char **argv);
int command_predict(int argc, char **argv);
int command_info(int argc, char **argv);
int command_convert(int argc, char **argv);
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
