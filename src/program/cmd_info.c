/* mlpdist info: what a file contains. */
#include "cli/outcome.h"
#include "program/commands.h"

typedef struct info_arguments {
  bool help;
} info_arguments;

static const option rows[] = {
    {"help", "general", NULL, OPTION_FLAG, OPTION_AT(info_arguments, help), .help = "print this help and exit"},
    {.name = NULL},
};

static const void *defaults(void) {
  static info_arguments arguments;
  arguments = (info_arguments){.help = false};
  return &arguments;
}

const option_table info_table = {
    .command = "info",
    .usage = "FILE",
    .summary =
        "Describes an HDF5 file: the shapes, types and classes of a data set; the layers, options and digest of a "
        "model or checkpoint; the counters and options of a trainer that a program saved.",
    .details = "Examples\n  mlpdist info run/model.h5\n",
    .rows = rows,
    .defaults = defaults,
    .min_positionals = 1,
    .max_positionals = 1,
};

int command_info(int argc, char **argv) {
  info_arguments arguments = {0};
  option_results results = {0};
  if (options_want_help(argc, argv)) return command_print_help(&info_table);
  mlpd_status status = options_parse(&info_table, argc, argv, &arguments, &results);
  char *text = NULL;
  if (status == MLPD_OK && outcome_launcher_rank() <= 0) status = mlpd_describe(results.positionals[0], &text);
  if (text != NULL) (void)fputs(text, stdout);
  mlpd_text_free(text);
  options_free(&results);
  return outcome_end(NULL, status);
}
