#include "cli/command.h"

#include <string.h>

#include "cli/outcome.h"

const char program_summary[] = "train multilayer perceptrons data-parallel with MPI, OpenMP and HDF5";

const help_term program_statuses[] = {
    {"0", "done"},
    {"1", "failed"},
    {"2", "wrong usage"},
    {"3", "stopped by a signal, after writing a checkpoint"},
    {"4", "MPI failed, or a wait exceeded --stall-abort"},
    {NULL, NULL},
};

const help_term program_variables[] = {
    {"OMP_NUM_THREADS", "threads per rank, unless --threads is given"},
    {"MLPDIST_DATA_DIR", "folder of digits.h5, the data set used without --data"},
    {"MLPDIST_DEBUG=1", "errors name a place in the source; train prints its plan"},
    {NULL, NULL},
};

const command *command_find(const command *commands, const char *name) {
  for (const command *c = commands; c->name != NULL; c++)
    if (strcmp(name, c->name) == 0) return c;
  return NULL;
}

mlpd_status command_fail_unknown(const command *commands, const char *word) {
  const char *near = NULL;
  char names[128] = "";
  size_t used = 0;
  for (const command *c = commands; c->name != NULL; c++) {
    mlpd_name_offer(word, c->name, &near);
    if (used < sizeof names)
      used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", used > 0 ? ", " : "", c->name);
  }
  if (near != NULL) return outcome_fail(MLPD_ERROR_USAGE, "unknown command \"%s\"; did you mean %s?", word, near);
  return outcome_fail(MLPD_ERROR_USAGE, "unknown command \"%s\"; the commands are %s", word, names);
}
