/* mlpdist: the program. Finds the subcommand and prints help; the rest is in cmd_*.c. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "program/commands.h"
#include "program/outcome.h"

typedef struct command {
  const char *name, *summary;
  int (*run)(int argc, char **argv);
} command;

static const command commands[] = {
    {"train", "train a network; under mpirun, or alone on all cores", command_train},
    {"eval", "evaluate a model: accuracy, F1, confusion, or RMSE, MAE, R2", command_eval},
    {"predict", "predict every row of a data set, in its order", command_predict},
    {"info", "say what a data set or model file holds", command_info},
    {"convert", "turn CSV, NPY, NPZ or IDX files into an HDF5 data set", command_convert},
    {"explain", "show one training step of a tiny network in numbers", command_explain},
    {"doctor", "is this machine set up to be fast? measure, predict, name the cures", command_doctor},
    {NULL, NULL, NULL},
};

static int print_help(void) {
  if (outcome_launcher_rank() > 0) return EXIT_DONE;
  (void)printf(
      "mlpdist trains multilayer perceptrons data-parallel with MPI, OpenMP and HDF5.\n\n"
      "Usage: mlpdist COMMAND [options]              on this machine\n"
      "       mpirun -np N mlpdist COMMAND [options] on N ranks: train, eval, predict,\n"
      "                                             doctor\n\n"
      "Commands\n");
  for (const command *c = commands; c->name != NULL; c++) (void)printf("  %-10s%s\n", c->name, c->summary);
  (void)printf(
      "\nmlpdist COMMAND --help lists the options of a command, mlpdist --version says how\n"
      "it was built. To begin: mlpdist train\n\n"
      "Exit status: 0 done, 1 failed, 2 wrong usage, 3 stopped by a signal after a\n"
      "checkpoint.\n\n"
      "Environment\n"
      "  OMP_NUM_THREADS    threads of a rank, where --threads is not given\n"
      "  MLPDIST_DATA_DIR   folder of digits.h5, the data set taken without --data\n"
      "  MLPDIST_DEBUG=1    adds the place in the source to an error message\n");
  return EXIT_DONE;
}

int command_help(const option_table *table, const void *defaults) {
  if (outcome_launcher_rank() <= 0) options_print_help(table, defaults, stdout);
  return EXIT_DONE;
}

static mlpd_status fail_command(const char *word) {
  const char *near = NULL;
  for (const command *c = commands; c->name != NULL; c++) mlpd_name_offer(word, c->name, &near);
  if (near != NULL) return outcome_fail(MLPD_ERROR_USAGE, "unknown command \"%s\"; did you mean %s?", word, near);
  return outcome_fail(MLPD_ERROR_USAGE,
                      "unknown command \"%s\"; there are train, eval, predict, info, convert, explain, doctor", word);
}

static int dispatch(int argc, char **argv) {
  if (argc < 2) return outcome_end(NULL, outcome_fail(MLPD_ERROR_USAGE, "no command given; begin with mlpdist --help"));
  if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) return print_help();
  if (strcmp(argv[1], "--version") == 0) {
    if (outcome_launcher_rank() <= 0) (void)printf("%s\n", mlpd_build_description());
    return EXIT_DONE;
  }
  for (const command *c = commands; c->name != NULL; c++)
    if (strcmp(argv[1], c->name) == 0) return c->run(argc - 1, argv + 1);
  return outcome_end(NULL, fail_command(argv[1]));
}

int main(int argc, char **argv) {
  (void)signal(SIGPIPE, SIG_IGN); /* a reader may leave (`| head`): the files are written all the same */
  (void)signal(SIGXFSZ, SIG_IGN); /* ulimit -f: a write that fails, as on a full disk, and no death */
  const int exit_status = dispatch(argc, argv);
  /* A full disk shows when the buffer is written, and must not look like success. */
  if (fflush(stdout) == 0 && ferror(stdout) == 0) return exit_status;
  if (exit_status != EXIT_DONE || outcome_reader_left()) return exit_status;
  return outcome_end(NULL, outcome_fail(MLPD_ERROR_FILE, "standard output cannot be written"));
}
