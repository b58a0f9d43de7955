/* mlpdist: the program. Finds the subcommand and prints help; the rest is in cmd_*.c. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cli/outcome.h"
#include "explain/explain.h"
#include "program/commands.h"

static const command commands[] = {
    {"train", "train a network, on all cores of this machine or under mpirun", command_train, &train_table},
    {"eval", "evaluate a model: accuracy, F1 and confusion, or RMSE, MAE and R2", command_eval, &eval_table},
    {"predict", "predict every row of a data set, in order", command_predict, &predict_table},
    {"info", "describe a data set, model or checkpoint file", command_info, &info_table},
    {"convert", "convert CSV, NPY, NPZ or IDX files into an HDF5 data set", command_convert, &convert_table},
    {"export", "write a model as ONNX, C, JSON or NumPy arrays", command_export, &export_table},
    {"import", "make a model from a network that another program trained", command_import, &import_table},
    {"explain", "show gradient descent of a small network in numbers", command_explain, &explain_table},
    {"doctor", "check whether this machine is set up to be fast", command_doctor, &doctor_table},
    {"help", "print the help of a command", NULL, &help_table},
    {NULL, NULL, NULL, NULL},
};

static bool is_version(const char *word) {
  static const char *const words[] = {"--version", "-V", "-v", "version"};
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (strcmp(word, words[i]) == 0) return true;
  return false;
}

static int print_version(void) {
  if (outcome_launcher_rank() <= 0) (void)printf("%s\n", mlpd_build_description());
  return EXIT_DONE;
}

static int dispatch(int argc, char **argv) {
  if (argc < 2) return outcome_end(NULL, outcome_fail(MLPD_ERROR_USAGE, "no command given; begin with mlpdist --help"));
  if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) return command_help(commands, 1, argv);
  if (is_version(argv[1]) || (argc == 3 && strcmp(argv[2], "--version") == 0)) return print_version();
  const command *const found = command_find(commands, argv[1]);
  if (found == NULL) return outcome_end(NULL, command_fail_unknown(commands, argv[1]));
  return found->run != NULL ? found->run(argc - 1, argv + 1) : command_help(commands, argc - 1, argv + 1);
}

enum { STACK_BYTES_LEAST = 512 << 10 };

/* A stack that is too small would end the process in the middle of its work, without a message. */
static mlpd_status check_stack(void) {
  struct rlimit stack;
  if (getrlimit(RLIMIT_STACK, &stack) != 0 || stack.rlim_cur == RLIM_INFINITY || stack.rlim_cur >= STACK_BYTES_LEAST)
    return MLPD_OK;
  return outcome_fail(MLPD_ERROR_MEMORY,
                      "the limit of the stack is %llu kB, and at least %d kB are needed: ulimit -s 8192",
                      (unsigned long long)stack.rlim_cur >> 10, STACK_BYTES_LEAST >> 10);
}

int main(int argc, char **argv) {
  (void)signal(SIGPIPE, SIG_IGN); /* a reader may leave (`| head`); files are still written */
  (void)signal(SIGXFSZ, SIG_IGN); /* ulimit -f: the write fails, as on a full disk, instead of ending the process */
  explain_settings_prepare();
  for (const command *c = commands; c->name != NULL; c++) options_share(c->table->shared);
  const mlpd_status stack = check_stack();
  const int exit_status = stack == MLPD_OK ? dispatch(argc, argv) : outcome_end(NULL, stack);
  /* A full disk shows when the buffer is written, and must not look like success. */
  if (fflush(stdout) == 0 && ferror(stdout) == 0) return exit_status;
  if (exit_status != EXIT_DONE || outcome_reader_left()) return exit_status;
  return outcome_end(NULL, outcome_fail(MLPD_ERROR_FILE, "standard output cannot be written"));
}
