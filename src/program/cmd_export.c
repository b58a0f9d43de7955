/* mlpdist export: a model in a format of others. */
#include "cli/outcome.h"
#include "program/commands.h"
#include "program/written.h"

typedef struct export_arguments {
  bool quiet, help;
} export_arguments;

static const option rows[] = {
    {"quiet", "general", NULL, OPTION_FLAG, OPTION_AT(export_arguments, quiet),
     .help = "do not print what was written"},
    {"help", "general", NULL, OPTION_FLAG, OPTION_AT(export_arguments, help), .help = "print this help and exit"},
    {.name = NULL},
};

static const void *defaults(void) {
  static const export_arguments arguments;
  return &arguments;
}

const option_table export_table = {
    .command = "export",
    .usage = "MODEL.h5 OUT",
    .summary =
        "Writes a model in another format, chosen by the extension of OUT, with everything that a prediction needs: "
        "weights, normalisation of the inputs, scaling of the targets, and names.",
    .details =
        "Formats\n"
        "  .onnx   a graph for ONNX Runtime, OpenCV and others, with input x (rows,\n"
        "          columns) and output probability or value; a category is its code, a\n"
        "          missing value NaN; names are metadata\n"
        "  .c      C99 with a function that predicts a row, which needs -lm alone, and\n"
        "          beside it a header for C and C++ (net.h of net.c). If that name is\n"
        "          taken by a file that no export wrote, nothing is written\n"
        "  .json   all arrays and names as text\n"
        "  .npz    the same for NumPy\n"
        "Batch norm and input scales become part of the weights beside them; dropout and\n"
        "noise are left out, because they act in training only.\n"
        "\n"
        "Examples\n"
        "  mlpdist export run/model.h5 digits.c && gcc -std=c99 -O2 -c digits.c\n"
        "  mlpdist export run/model.h5 digits.onnx\n",
    .rows = rows,
    .defaults = defaults,
    .min_positionals = 2,
    .max_positionals = 2,
};

static mlpd_status export(const char *path, const char *out, bool quiet) {
  mlpd_model *model = NULL;
  mlpd_status status = mlpd_model_load(path, &model);
  if (status == MLPD_OK) status = mlpd_export(model, out);
  if (status == MLPD_OK && !quiet) written_print(out, written_format(out), model);
  mlpd_model_free(model);
  return status;
}

int command_export(int argc, char **argv) {
  export_arguments arguments = {0};
  option_results results = {0};
  if (options_want_help(argc, argv)) return command_print_help(&export_table);
  mlpd_status status = options_parse(&export_table, argc, argv, &arguments, &results);
  if (status == MLPD_OK && outcome_launcher_rank() <= 0)
    status = export(results.positionals[0], results.positionals[1], arguments.quiet);
  options_free(&results);
  return outcome_end(NULL, status);
}
