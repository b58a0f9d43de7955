/* mlpdist eval: how good a model is on one part of a data set. */
#include <limits.h>
#include <sys/stat.h>

#include "cli/outcome.h"
#include "program/commands.h"
#include "program/data_options.h"
#include "program/report.h"

typedef struct eval_arguments {
  data_options common;
  uint32_t repeats;
  uint64_t seed;
  bool importance, json, help;
} eval_arguments;

static option rows[] = {
    {"help", "general", NULL, OPTION_FLAG, OPTION_AT(eval_arguments, help), .help = "print this help and exit"},
    {"json", "general", NULL, OPTION_FLAG, OPTION_AT(eval_arguments, json), .help = "print JSON"},
    DATA_OPTION_ROWS(eval_arguments),
    {"y", "input", "PATH", OPTION_PATH, OPTION_AT(eval_arguments, common.y), .help = "targets", .note = "/PART/y"},
    TABLE_OPTION_ROWS(eval_arguments),
    {"importance", "importance", NULL, OPTION_FLAG, OPTION_AT(eval_arguments, importance),
     .help =
         "also print the permutation importance of each column: by how much the error (1 - accuracy, or RMSE) rises "
         "when the values of the column are permuted over the rows"},
    {"repeats", "importance", "N", OPTION_INTEGER, OPTION_AT(eval_arguments, repeats),
     .help = "permutations of each column, of which mean and deviation are printed", .minimum = 1, .maximum = 10000,
     .needs = "importance=yes"},
    {"seed", "importance", "N", OPTION_INTEGER, OPTION_AT(eval_arguments, seed), .help = "seed of the permutations",
     .maximum = 9007199254740992.0, .needs = "importance=yes"},
    COMPUTE_OPTION_ROWS(eval_arguments),
    {.name = NULL},
};

static const void *defaults(void) {
  static eval_arguments arguments;
  arguments = (eval_arguments){.common = data_options_default, .repeats = 5, .seed = 1};
  return &arguments;
}

const option_table eval_table = {
    .command = "eval",
    .usage = "[options]",
    .summary =
        "Evaluates a model, alone or under mpirun: loss, accuracy, precision, recall, F1 and confusion matrix for "
        "classes; loss, RMSE, MAE and R2 for values.",
    .details =
        "Examples\n"
        "  mlpdist eval --model run/model.h5 --data fashion-mnist.h5\n"
        "  mlpdist eval --json | jq .accuracy\n"
        "  mlpdist eval --model run/model.h5 --importance --repeats 10\n",
    .rows = rows,
    .shared = rows,
    .defaults = defaults,
};

static void on_notice(void *context, const char *message) {
  (void)context;
  outcome_note(message);
}

/* Figures of a raw table count all its rows, those of training among them. */
static void note_training_rows(const mlpd_model *model, const char *data) {
  char trained_on[PATH_MAX], note[PATH_MAX + 160];
  struct stat then, now;
  if (!mlpd_model_option(model, "data", trained_on, sizeof trained_on) || stat(trained_on, &then) != 0 ||
      stat(data, &now) != 0 || then.st_dev != now.st_dev || then.st_ino != now.st_ino || !S_ISREG(now.st_mode))
    return;
  (void)snprintf(note, sizeof note,
                 "%s holds the rows that the model was trained on, too; without --data, eval uses the test rows alone",
                 data);
  outcome_note(note);
}

static mlpd_status evaluate(mlpd_comm *comm, const eval_arguments *arguments, const mlpd_data_paths *paths) {
  const data_options *common = &arguments->common;
  mlpd_model *model = NULL;
  mlpd_report report = {0};
  mlpd_importance importance = {0};
  mlpd_status status = data_options_load_model(comm, common, &model);
  if (status == MLPD_OK) mlpd_model_on_notice(model, on_notice, NULL);
  if (status == MLPD_OK)
    status = arguments->importance
                 ? mlpd_evaluate_importance(comm, model, paths, common->part, common->backend, common->threads,
                                            arguments->repeats, arguments->seed, &report, &importance)
                 : mlpd_evaluate(comm, model, paths, common->part, common->backend, common->threads, &report);
  if (status == MLPD_OK && mlpd_comm_rank(comm) == 0) {
    const bool raw = mlpd_data_is_raw(paths);
    if (raw) note_training_rows(model, common->data);
    if (arguments->json) {
      status = report_print_json(&report, &importance, model, stdout);
    } else {
      (void)printf("model     %s\ndata      %s, %s%s\n", common->model, data_options_shown(common),
                   raw ? "all rows" : mlpd_choice_name(mlpd_split_choices, (int)common->part), raw ? "" : " part");
      report_print_text(&report, model, stdout);
      if (arguments->importance) report_print_importance(&importance, report.task, stdout);
    }
  }
  mlpd_report_free(&report);
  mlpd_importance_free(&importance);
  mlpd_model_free(model);
  return status;
}

/* An option that would do nothing is refused. */
static mlpd_status check_idle(const eval_arguments *arguments, const option_results *results) {
  char needed[160];
  for (int i = 0; i < results->num_given; i++) {
    const option *const row = results->given[i];
    if (mlpd_option_lacks(rows, row, arguments, needed, sizeof needed) != NULL)
      return outcome_fail(MLPD_ERROR_USAGE, "--%s has no effect without %s", row->name, needed);
  }
  return MLPD_OK;
}

int command_eval(int argc, char **argv) {
  eval_arguments arguments = *(const eval_arguments *)defaults();
  option_results results = {0};
  mlpd_data_paths paths = {0};
  mlpd_comm *comm = NULL;
  if (options_want_help(argc, argv)) return command_print_help(&eval_table);
  mlpd_status status = options_parse(&eval_table, argc, argv, &arguments, &results);
  if (status == MLPD_OK) status = check_idle(&arguments, &results);
  if (status == MLPD_OK) status = data_options_check(&arguments.common, &results);
  if (status == MLPD_OK) status = data_options_resolve(&arguments.common, &paths);
  status = outcome_begin(status, &arguments.common.stall, &comm);
  if (status == MLPD_OK) status = evaluate(comm, &arguments, &paths);
  options_free(&results);
  return outcome_end(comm, status);
}
