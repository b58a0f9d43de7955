/* Commands: one function a subcommand; argv[0] is its name. Each returns the exit status. */
#ifndef MLPDIST_PROGRAM_COMMANDS_H
#define MLPDIST_PROGRAM_COMMANDS_H

#include "program/options.h"

int command_train(int argc, char **argv);
int command_eval(int argc, char **argv);
int command_predict(int argc, char **argv);
int command_info(int argc, char **argv);
int command_convert(int argc, char **argv);
int command_explain(int argc, char **argv);
int command_doctor(int argc, char **argv);

/* What `mlpdist train` parses into, and its table. */
typedef struct train_arguments {
  mlpd_train_options train; /* first: the library's rows are of it */
  const char *config;
  bool print_config, quiet, help;
} train_arguments;

extern const option_table train_table;

/* The data set taken where none is named: the shipped digits.h5. path gets at most bytes. */
mlpd_status default_data(char *path, size_t bytes);

/* Prints the help of table on the launcher's rank 0; returns the exit status. */
int command_help(const option_table *table, const void *defaults);

#endif
