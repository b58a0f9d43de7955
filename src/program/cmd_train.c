/* mlpdist train: runs the trainer and prints what it does. */
#include <limits.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/outcome.h"
#include "program/commands.h"
#include "program/progress.h"

/* What the events need to know of the run. */
typedef struct train_view {
  const train_arguments *arguments;
  mlpd_train_result plan;
  progress bar;
} train_view;

/* ---- Signals: the trainer finishes its step, all ranks agree, a checkpoint is written -------------- */

static void on_signal(int number) {
  static volatile sig_atomic_t interrupts;
  if (number == SIGUSR1) {
    mlpd_request(MLPD_REQUEST_CHECKPOINT);
    return;
  }
  if (number == SIGINT && interrupts++ > 0) _exit(128 + SIGINT); /* asked twice: at once */
  mlpd_request(MLPD_REQUEST_STOP);
}

static void catch_signals(void) {
  struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART}, hangup;
  (void)sigemptyset(&action.sa_mask);
  (void)sigaction(SIGINT, &action, NULL);
  (void)sigaction(SIGTERM, &action, NULL);
  (void)sigaction(SIGUSR1, &action, NULL);
  (void)sigaction(SIGUSR2, &action, NULL); /* stops the run. After SIGTERM mpirun sends SIGKILL; this signal it
                                              forwards */
  /* A terminal that is closed. Under nohup it is ignored, and stays so; mpirun starts its ranks with the default. */
  if (sigaction(SIGHUP, NULL, &hangup) == 0 && hangup.sa_handler != SIG_IGN) (void)sigaction(SIGHUP, &action, NULL);
}

static const char *plural(uint64_t n) { return n == 1 ? "" : "s"; }

static void print_loss(double loss) {
  if (fabs(loss) < 0.01 || fabs(loss) >= 1e7)
    (void)printf("loss %.4g", loss);
  else
    (void)printf("loss %.4f", loss);
}

/* An error in the target's units may have any magnitude, so it gets significant digits. */
static void print_figures(mlpd_task task, double loss, double metric) {
  print_loss(loss);
  if (task == MLPD_REGRESSION)
    (void)printf("  rmse %.6g", metric);
  else
    (void)printf("  accuracy %.4f", metric);
}

static void print_part(const char *part, mlpd_task task, double loss, double metric, uint64_t rows) {
  (void)printf("%-9s", part);
  print_figures(task, loss, metric);
  (void)printf("  (%llu row%s)\n", (unsigned long long)rows, plural(rows));
}

static void print_error(mlpd_task task, double error) {
  (void)printf(task == MLPD_REGRESSION ? "%.6g" : "%.4f", error);
}

/* What --embed-numbers auto chose, and why. */
static void print_choice(const mlpd_train_result *result) {
  const mlpd_bins_choice *const choice = &result->choice;
  if (choice->run == 0) return;
  static const char *const how[] = {"without", "with them"};
  const bool with = choice->run == 2;
  (void)printf("bins     %s: validation %s ", with ? "taken" : "not taken",
               result->task == MLPD_REGRESSION ? "rmse" : "error");
  if (isnan(choice->plain_error) || isnan(choice->bins_error)) {
    print_error(result->task, with ? choice->bins_error : choice->plain_error);
    (void)printf(" %s, no figure %s\n", how[with], how[!with]);
    return;
  }
  print_error(result->task, choice->plain_error);
  (void)printf(" without, ");
  print_error(result->task, choice->bins_error);
  (void)printf(" with them; standard error of the difference ");
  print_error(result->task, choice->deviation);
  (void)putchar('\n');
}

static void print_network(const mlpd_train_result *plan) {
  (void)printf("network  %u", plan->inputs);
  for (const char *c = plan->hidden; *c != '\0'; c++) {
    if (c == plan->hidden) (void)putchar('-');
    if (*c != ' ') (void)putchar(*c == ',' ? '-' : *c);
  }
  (void)printf("-%u, %s", plan->outputs, plan->activation);
  if (plan->embed_numbers == MLPD_EMBED_NUMBERS_PERIODIC) (void)printf(", numbers as cosines");
  if (plan->embed_numbers == MLPD_EMBED_NUMBERS_PIECEWISE) (void)printf(", numbers in bins");
  if (plan->ensemble > 1) (void)printf(", ensemble of %u", plan->ensemble);
  if (plan->members > 1) (void)printf(", %u members", plan->members);
  (void)putchar('\n');
}

static void print_plan(const train_view *view) {
  const mlpd_train_result *plan = &view->plan;
  mlpd_train_options settled = view->arguments->train;
  const mlpd_train_options *train = &settled;
  settled.task = plan->task;
  settled.preset = plan->preset;
  mlpd_train_options_settle(&settled);
  if (plan->choice.run > 0)
    (void)printf("bins     run %u of 2, %s, in %s/%s\n", plan->choice.run, plan->choice.run == 2 ? "with" : "without",
                 train->out, plan->choice.folder);
  (void)printf("data     %s: %llu train, %llu valid rows of %u value%s, %u %s%s\n", train->data.file,
               (unsigned long long)plan->train_rows, (unsigned long long)plan->valid_rows, plan->features,
               plural(plan->features), plan->targets, plan->task == MLPD_REGRESSION ? "target" : "class",
               plan->targets == 1              ? ""
               : plan->task == MLPD_REGRESSION ? "s"
                                               : "es");
  print_network(plan);
  if (view->arguments->train.preset == MLPD_PRESET_AUTO && plan->preset != MLPD_PRESET_NONE)
    (void)printf("preset   %s, the default for tables (--preset none: without)\n",
                 mlpd_choice_name(mlpd_preset_choices, (int)plan->preset));
  if (train->init_from != NULL && plan->resumed_step == 0) (void)printf("weights  of %s\n", train->init_from);
  (void)printf("run      %d rank%s x %d thread%s, %u lane%s, %s, ", plan->ranks, plural((uint64_t)plan->ranks),
               plan->threads, plural((uint64_t)plan->threads), plan->lanes, plural(plan->lanes), plan->backend);
  if (train->optimizer == MLPD_LBFGS) /* it has neither batches nor a rate */
    (void)printf("all rows a step, lbfgs history %u", train->lbfgs_history);
  else
    (void)printf("batch %llu, %s lr %g", (unsigned long long)plan->batch,
                 mlpd_choice_name(mlpd_optimizer_choices, (int)train->optimizer), train->lr);
  (void)printf(", seed %llu\n", (unsigned long long)train->seed);
  if (plan->resumed_step > 0) (void)printf("resumed  after step %llu\n", (unsigned long long)plan->resumed_step);
  (void)fflush(stdout);
}

static void on_started(void *context, const mlpd_train_result *plan) {
  train_view *view = context;
  view->plan = *plan;
  if (!view->arguments->quiet) print_plan(view);
  if (outcome_shows_inside()) outcome_note(plan->step);
  progress_start(&view->bar, !view->arguments->quiet);
}

static void on_notice(void *context, const char *message) {
  train_view *view = context;
  progress_clear(&view->bar);
  outcome_note(message);
}

static void on_decided(void *context, const char *line) {
  train_view *view = context;
  if (view->arguments->quiet) return;
  (void)printf("table    %s\n", line);
  (void)fflush(stdout);
}

static void on_stepped(void *context, uint64_t epoch, uint64_t step_in_epoch, uint64_t steps_per_epoch, double loss,
                       double samples_per_second) {
  train_view *view = context;
  if (!view->bar.active || steps_per_epoch == 0) return;
  const uint64_t epochs = view->plan.epochs;
  const double in_epoch = (double)step_in_epoch / (double)steps_per_epoch;
  char left[48], right[96], time_left[32];
  (void)progress_time_left(&view->bar, ((double)(epoch - 1) + in_epoch) / (double)epochs, time_left, sizeof time_left);
  (void)snprintf(left, sizeof left, "epoch %llu/%llu", (unsigned long long)epoch, (unsigned long long)epochs);
  (void)snprintf(right, sizeof right, "loss %.4g  %.0f samples/s%s%s%s", loss, samples_per_second,
                 time_left[0] != '\0' ? "  " : "", time_left, time_left[0] != '\0' ? " left" : "");
  progress_draw(&view->bar, in_epoch, left, right);
}

static int decimal_digits(uint64_t n) {
  char text[24];
  return snprintf(text, sizeof text, "%llu", (unsigned long long)n);
}

static void on_epoch_done(void *context, const mlpd_epoch *epoch) {
  train_view *view = context;
  if (view->arguments->quiet) return;
  progress_clear(&view->bar);
  (void)printf("epoch %*llu/%llu  train ", decimal_digits(epoch->epochs), (unsigned long long)epoch->epoch,
               (unsigned long long)epoch->epochs);
  if (epoch->has_valid) {
    print_loss(epoch->train_loss);
    (void)printf("  valid ");
    print_figures(view->plan.task, epoch->valid_loss, epoch->valid_metric);
  } else {
    print_figures(view->plan.task, epoch->train_loss, epoch->train_metric);
  }
  (void)printf("  lr %.4g  %.0f samples/s%s\n", epoch->lr, epoch->samples_per_second, epoch->best ? "  best" : "");
  (void)fflush(stdout);
}

static void print_share(const char *name, double seconds, double total) {
  (void)printf("  %s %.2f s (%.0f%%)", name, seconds, total > 0 ? 100 * seconds / total : 0.0);
}

static void print_times(const mlpd_train_result *result) {
  const double inside = result->compute_seconds + result->reduce_seconds + result->data_seconds;
  const double outside = result->load_seconds + result->valid_seconds;
  const double total = outside + (inside > result->seconds ? inside : result->seconds);
  (void)printf("time   ");
  print_share("load", result->load_seconds, total);
  print_share("compute", result->compute_seconds, total);
  print_share("reduce", result->reduce_seconds, total);
  print_share("gather rows", result->data_seconds, total);
  print_share("validate", result->valid_seconds, total);
  (void)printf("\n");
}

/* What --quiet leaves out. */
static void print_course(const train_view *view, const mlpd_train_result *result) {
  const mlpd_train_options *const train = &view->arguments->train;
  const char *const half = result->choice.folder;
  if (result->converged)
    (void)printf("stopped  after epoch %llu: no lower loss is found\n", (unsigned long long)result->epochs);
  else if (result->stopped_early)
    (void)printf("stopped  after epoch %llu: no better validation %s in %llu epochs\n",
                 (unsigned long long)result->epochs, mlpd_choice_name(mlpd_select_choices, (int)train->select),
                 (unsigned long long)train->patience);
  if (result->best_epoch > 0) (void)printf("best     epoch %llu\n", (unsigned long long)result->best_epoch);
  const uint64_t steps = result->steps - result->resumed_step;
  (void)printf("speed    %.0f samples/s, %llu step%s in %.2f s\n", result->samples_per_second,
               (unsigned long long)steps, plural(steps), result->seconds);
  print_times(result);
  (void)printf("memory   %.1f MB at most on a rank, %.1f MB expected (%.1f MB of them before loading)\n",
               1e-6 * (double)result->memory_peak, 1e-6 * (double)result->memory_expected,
               1e-6 * (double)result->memory_before);
  (void)printf("files    %s/config.ini  %s/metrics.csv  %s/model.h5\n", train->out, train->out, train->out);
  if (result->checkpoints > 0)
    (void)printf("saved    %llu checkpoint%s in %s/%s%scheckpoints\n", (unsigned long long)result->checkpoints,
                 plural(result->checkpoints), train->out, half != NULL ? half : "", half != NULL ? "/" : "");
}

/* Which file of metrics it was is in a note, if there are several. */
static const char *metrics_name(const mlpd_train_options *train) {
  return strcmp(train->log, "csv") == 0 ? "metrics.csv" : "metrics.csv, or its like of --log,";
}

static void print_metrics_failed(const mlpd_train_options *train, const mlpd_train_result *result) {
  if (result->metrics_failed) (void)printf("FAILED   %s/%s lacks rows\n", train->out, metrics_name(train));
}

/* Files that were not written. */
static void print_failures(const mlpd_train_options *train, const mlpd_train_result *result) {
  if (result->checkpoints_failed > 0)
    (void)printf("FAILED   %llu checkpoint%s could not be written; model.h5 is whole\n",
                 (unsigned long long)result->checkpoints_failed, plural(result->checkpoints_failed));
  print_metrics_failed(train, result);
  if (result->trace_failed) (void)printf("FAILED   the trace could not be written: %s\n", train->trace);
}

static void print_result(const train_view *view, const mlpd_train_result *result) {
  const mlpd_train_options *const train = &view->arguments->train;
  const bool quiet = view->arguments->quiet;
  if (!quiet) print_course(view, result);
  print_failures(train, result);
  if (!quiet && train->trace != NULL && !result->trace_failed) (void)printf("trace    %s\n", train->trace);
  print_choice(result);
  /* Validation first: a script that searches for the best options must not select by the test result. */
  if (result->has_valid)
    print_part("valid", result->task, result->valid_loss, result->valid_metric, result->valid_rows);
  if (result->has_test) print_part("test", result->task, result->test_loss, result->test_metric, result->test_rows);
  (void)printf("digest %s\n", result->digest);
}

static mlpd_status resolve(int argc, char **argv, train_arguments *arguments, option_results *results) {
  static char shipped[PATH_MAX];
  mlpd_status status = options_parse(&train_table, argc, argv, arguments, results);
  mlpd_train_options_settle(&arguments->train);
  if (status != MLPD_OK || arguments->train.data.file != NULL) return status;
  status = default_data(shipped, sizeof shipped);
  arguments->train.data.file = shipped;
  return status;
}

/* The library, which checks the trace against its other inputs, knows nothing of config files. */
static mlpd_status check_trace(const train_arguments *arguments) {
  struct stat trace, config;
  if (arguments->train.trace == NULL || arguments->config == NULL || stat(arguments->train.trace, &trace) != 0 ||
      stat(arguments->config, &config) != 0 || trace.st_dev != config.st_dev || trace.st_ino != config.st_ino)
    return MLPD_OK;
  return outcome_fail(MLPD_ERROR_USAGE, "--trace %s is the file that --config reads: writing it would destroy it",
                      arguments->train.trace);
}

/* What --print-config prints, train accepts. */
static mlpd_status check(const train_arguments *arguments) {
  const mlpd_status status = mlpd_train_check(&arguments->train);
  return status == MLPD_OK ? MLPD_OK : outcome_fail(status, "%s", mlpd_error_message());
}

/* Trained, but a file is missing. */
static mlpd_status check_files(const mlpd_train_options *train, const mlpd_train_result *result) {
  if (result->checkpoints_failed > 0)
    return outcome_fail(MLPD_ERROR_FILE, "trained, but checkpoints could not be written: %llu of them",
                        (unsigned long long)result->checkpoints_failed);
  if (result->metrics_failed)
    return outcome_fail(MLPD_ERROR_FILE, "trained, but %s/%s could not be written whole", train->out,
                        metrics_name(train));
  if (result->trace_failed)
    return outcome_fail(MLPD_ERROR_FILE, "trained, but the trace could not be written: %s", train->trace);
  return MLPD_OK;
}

static mlpd_status train_and_print(mlpd_comm *comm, const train_arguments *arguments) {
  train_view view = {.arguments = arguments};
  const mlpd_train_events events = {.context = &view,
                                    .started = on_started,
                                    .notice = on_notice,
                                    .decided = on_decided,
                                    .stepped = on_stepped,
                                    .epoch_done = on_epoch_done,
                                    .stalled = on_notice};
  mlpd_train_result result = {0};
  const mlpd_status status = mlpd_train(comm, &arguments->train, &events, &result);
  progress_clear(&view.bar);
  if (status != MLPD_OK && mlpd_comm_rank(comm) == 0) print_metrics_failed(&arguments->train, &result);
  if (status != MLPD_OK) return status;
  if (mlpd_comm_rank(comm) == 0) print_result(&view, &result);
  return check_files(&arguments->train, &result);
}

static int run(mlpd_status status, train_arguments *arguments, const option_results *given) {
  mlpd_comm *comm = NULL;
  if (status == MLPD_OK) status = check_trace(arguments);
  status = outcome_begin(status, &(stall_options){arguments->train.stall_timeout, arguments->train.stall_abort}, &comm);
  if (status == MLPD_OK) {
    if (mlpd_comm_rank(comm) == 0) options_note_idle(&train_table, arguments, given);
    catch_signals();
    status = train_and_print(comm, arguments);
  }
  return outcome_end(comm, status);
}

int command_train(int argc, char **argv) {
  train_arguments arguments = {0};
  option_results results = {0};
  mlpd_train_options_default(&arguments.train);
  if (options_want_help(argc, argv)) return command_print_help(&train_table);
  mlpd_status status = resolve(argc, argv, &arguments, &results);
  int exit_status = EXIT_DONE;
  char *text = NULL;
  if (status == MLPD_OK && arguments.print_config) status = check(&arguments);
  if (status == MLPD_OK && arguments.print_config) status = mlpd_train_options_text(&arguments.train, &text);
  if (text == NULL)
    exit_status = run(status, &arguments, &results);
  else if (outcome_launcher_rank() <= 0)
    (void)fputs(text, stdout);
  mlpd_text_free(text);
  options_free(&results);
  return exit_status;
}
