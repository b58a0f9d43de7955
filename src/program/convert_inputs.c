#include "program/convert_inputs.h"

#include <stdlib.h>
#include <string.h>

#include "cli/outcome.h"

/* The part that an argument, "--test" or "--test=FILE", names; *file is the text after the equals sign, or NULL. */
static bool names_part(const char *argument, mlpd_split *part, const char **file) {
  if (strncmp(argument, "--", 2) != 0) return false;
  for (const mlpd_choice *choice = mlpd_split_choices; choice->name != NULL; choice++) {
    const size_t length = strlen(choice->name);
    const char *const after = argument + 2 + length;
    if (strncmp(argument + 2, choice->name, length) != 0 || (*after != '\0' && *after != '=')) continue;
    *part = (mlpd_split)choice->value;
    *file = *after == '=' ? after + 1 : NULL;
    return true;
  }
  return false;
}

mlpd_status convert_inputs_take(int argc, char **argv, convert_inputs *taken) {
  const size_t room = (size_t)argc + 1;
  *taken = (convert_inputs){.argv = calloc(room, sizeof(char *)),
                            .files = calloc(room, sizeof(char *)),
                            .roles = calloc(room, sizeof(mlpd_split))};
  if (taken->argv == NULL || taken->files == NULL || taken->roles == NULL)
    return outcome_fail(MLPD_ERROR_MEMORY, "out of memory, reading the arguments");
  bool only_positionals = false;
  for (int i = 0; i < argc; i++) {
    mlpd_split part = MLPD_TRAIN;
    const char *file = NULL;
    only_positionals = only_positionals || strcmp(argv[i], "--") == 0;
    if (only_positionals || !names_part(argv[i], &part, &file)) {
      taken->argv[taken->argc++] = argv[i];
      continue;
    }
    if (file == NULL && i + 1 < argc && strncmp(argv[i + 1], "--", 2) != 0) file = argv[++i];
    if (file == NULL || file[0] == '\0')
      return outcome_fail(MLPD_ERROR_USAGE, "--%s needs a value (FILE)",
                          mlpd_choice_name(mlpd_split_choices, (int)part));
    taken->files[taken->count] = file;
    taken->roles[taken->count++] = part;
  }
  return MLPD_OK;
}

void convert_inputs_free(convert_inputs *taken) {
  free(taken->argv);
  free(taken->files);
  free(taken->roles);
  *taken = (convert_inputs){0};
}

mlpd_status convert_inputs_choose(const convert_inputs *taken, int num_positionals, const char **positionals,
                                  mlpd_convert_options *options) {
  options->out = positionals[num_positionals - 1];
  options->num_inputs = taken->count > 0 ? taken->count : num_positionals - 1;
  options->inputs = taken->count > 0 ? taken->files : positionals;
  options->roles = taken->count > 0 ? taken->roles : NULL;
  if (taken->count > 0 && num_positionals > 1)
    return outcome_fail(MLPD_ERROR_USAGE,
                        "\"%s\": beside --train, --valid or --test, each input needs one of these options before it",
                        positionals[0]);
  if (options->num_inputs > 0) return MLPD_OK;
  return outcome_fail(
      MLPD_ERROR_USAGE,
      "too few arguments: \"%s\" is the output; name the inputs before it: mlpdist convert INPUT... OUT.h5",
      options->out);
}
