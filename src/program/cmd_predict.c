/* mlpdist predict: the model's prediction for every row. */
#include <string.h>

#include "cli/outcome.h"
#include "program/commands.h"
#include "program/data_options.h"

typedef struct predict_arguments {
  data_options common;
  const char *out;
  bool spread, help;
} predict_arguments;

static option rows[] = {
    {"help", "general", NULL, OPTION_FLAG, OPTION_AT(predict_arguments, help), .help = "print this help and exit"},
    DATA_OPTION_ROWS(predict_arguments),
    {"out", "output", "FILE", OPTION_PATH, OPTION_AT(predict_arguments, out),
     .help = "file to write: HDF5 if its name ends in .h5 (/class and /probability, or /value), else CSV; -: standard "
             "output",
     .note = "required"},
    {"spread", "output", NULL, OPTION_FLAG, OPTION_AT(predict_arguments, spread),
     .help = "also write the standard deviation of each output over the members of an ensemble (train --ensemble, "
             "--members)"},
    TABLE_OPTION_ROWS(predict_arguments),
    {"keep", "table", "COLUMNS", OPTION_TEXT, OPTION_AT(predict_arguments, common.table.keep),
     .help = "columns of a raw table to copy to the output, such as id: names, numbers, ranges and patterns; in HDF5 "
             "as texts, /kept and /kept_names",
     .note = "none"},
    COMPUTE_OPTION_ROWS(predict_arguments),
    {.name = NULL},
};

static const void *defaults(void) {
  static predict_arguments arguments;
  arguments = (predict_arguments){.common = data_options_default};
  return &arguments;
}

const option_table predict_table = {
    .command = "predict",
    .usage = "--out FILE [options]",
    .summary =
        "Predicts every row of a data set, alone or under mpirun. Writes classes and probabilities, or values, in the "
        "order of the input.",
    .details =
        "Examples\n"
        "  mlpdist predict --model houses/model.h5 --data new.csv --out prices.csv\n"
        "  mlpdist predict --model run/model.h5 --data new.h5 --x /x --out new.csv\n",
    .rows = rows,
    .shared = rows,
    .defaults = defaults,
};

static void on_notice(void *context, const char *message) {
  (void)context;
  outcome_note(message);
}

/* Where the closing line goes; NULL: nowhere. After rows on the standard output it would spoil them under mpirun of
 * Open MPI 5.0.7, which reads 4096 bytes at a time and puts a part of a line at their end before the next line of
 * standard error instead. */
static FILE *place_of_closing_line(const char *out) {
  if (!outcome_is_stdout(out)) return stdout;
  return outcome_launcher_rank() < 0 ? stderr : NULL;
}

static mlpd_status predict(mlpd_comm *comm, const predict_arguments *arguments, const mlpd_data_paths *paths) {
  const data_options *common = &arguments->common;
  mlpd_model *model = NULL;
  uint64_t num_rows = 0;
  FILE *const said = place_of_closing_line(arguments->out); /* before the file is replaced */
  mlpd_status status = data_options_load_model(comm, common, &model);
  if (status == MLPD_OK) mlpd_model_on_notice(model, on_notice, NULL);
  if (status == MLPD_OK)
    status = (arguments->spread ? mlpd_predict_spread : mlpd_predict)(comm, model, paths, common->part, arguments->out,
                                                                      common->backend, common->threads, &num_rows);
  if (status == MLPD_OK && mlpd_comm_rank(comm) == 0 && said != NULL)
    (void)fprintf(said, "%s: predictions of %llu rows of %s\n",
                  strcmp(arguments->out, "-") == 0 ? "standard output" : arguments->out, (unsigned long long)num_rows,
                  data_options_shown(common));
  mlpd_model_free(model);
  return status;
}

int command_predict(int argc, char **argv) {
  predict_arguments arguments = {.common = data_options_default};
  option_results results = {0};
  mlpd_data_paths paths = {0};
  mlpd_comm *comm = NULL;
  if (options_want_help(argc, argv)) return command_print_help(&predict_table);
  mlpd_status status = options_parse(&predict_table, argc, argv, &arguments, &results);
  if (status == MLPD_OK && arguments.out == NULL)
    status = outcome_fail(MLPD_ERROR_USAGE, "predict needs --out FILE (.h5 or .csv)");
  if (status == MLPD_OK) status = data_options_check(&arguments.common, &results);
  if (status == MLPD_OK) status = data_options_resolve(&arguments.common, &paths);
  status = outcome_begin(status, &arguments.common.stall, &comm);
  if (status == MLPD_OK) status = predict(comm, &arguments, &paths);
  options_free(&results);
  return outcome_end(comm, status);
}
