/* mlpdist help: what --help prints, manual pages, and the completion of bash. */
#include <string.h>

#include "cli/outcome.h"
#include "program/commands.h"

static void print_terms(const char *heading, const help_term *terms, int width) {
  (void)printf("\n%s\n", heading);
  for (const help_term *term = terms; term->name != NULL; term++)
    (void)printf("  %-*s%s\n", width, term->name, term->help);
}

static void print_program_help(const command *commands) {
  (void)printf("mlpdist: %s\n\n", program_summary);
  (void)printf(
      "Usage: mlpdist COMMAND [options]                on this machine\n"
      "       mpirun -np N mlpdist COMMAND [options]   on N ranks: train, eval, predict,\n"
      "                                                doctor\n\n"
      "Commands\n");
  for (const command *c = commands; c->name != NULL; c++) (void)printf("  %-10s%s\n", c->name, c->summary);
  (void)printf(
      "\nmlpdist COMMAND --help lists the options of a command; mlpdist --version prints\n"
      "version and libraries. To begin: mlpdist train\n");
  print_terms("Exit status", program_statuses, 4);
  print_terms("Environment", program_variables, 19);
}

typedef struct help_arguments {
  bool man, completion, help;
} help_arguments;

#define AT(member) OPTION_AT(help_arguments, member)

static const option rows[] = {
    {"man", "general", NULL, OPTION_FLAG, AT(man), .help = "print the manual page, in the format of man(7)"},
    {"completion", "general", NULL, OPTION_FLAG, AT(completion), .help = "print the completion of bash"},
    {"help", "general", NULL, OPTION_FLAG, AT(help), .help = "print this help and exit"},
    {.name = NULL},
};

static const void *defaults(void) {
  static const help_arguments arguments;
  return &arguments;
}

const option_table help_table = {
    .command = "help",
    .usage = "[COMMAND] [options]",
    .summary = "Prints the help of a command, as mlpdist COMMAND --help does, or of the program.",
    .details =
        "Examples\n"
        "  mlpdist help train\n"
        "  mlpdist help train --man | man -l -\n"
        "  mlpdist help --completion > ~/.local/share/bash-completion/completions/mlpdist\n",
    .rows = rows,
    .defaults = defaults,
    .max_positionals = 1,
};

static mlpd_status help(const command *commands, const help_arguments *arguments, const char *topic) {
  const command *about = NULL;
  if (topic != NULL) {
    about = command_find(commands, topic);
    if (about == NULL) return command_fail_unknown(commands, topic);
  }
  if (outcome_launcher_rank() > 0) return MLPD_OK;
  if (arguments->completion)
    program_print_completion(commands, stdout);
  else if (arguments->man && about != NULL)
    options_print_man(about->table, about->summary, stdout);
  else if (arguments->man)
    program_print_man(commands, stdout);
  else if (about != NULL)
    options_print_help(about->table, stdout);
  else
    print_program_help(commands);
  return MLPD_OK;
}

int command_help(const command *commands, int argc, char **argv) {
  help_arguments arguments = {0};
  option_results results = {0};
  if (options_want_help(argc, argv)) return command_print_help(&help_table);
  mlpd_status status = options_parse(&help_table, argc, argv, &arguments, &results);
  if (status == MLPD_OK)
    status = help(commands, &arguments, results.num_positionals > 0 ? results.positionals[0] : NULL);
  options_free(&results);
  return outcome_end(NULL, status);
}
