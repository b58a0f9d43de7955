/* Config files through the reader of `train`: what is taken can be written and taken again, the same. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/outcome.h"
#include "fuzz.h"
#include "program/commands.h"

static char *printed(const train_arguments *arguments) {
  char *text = NULL;
  FUZZ_ASSERT(mlpd_train_options_text(&arguments->train, &text) == MLPD_OK, "cannot be printed");
  return text;
}

/* The config that comes of reading path, or NULL. */
static char *read_config(const char *path) {
  train_arguments arguments = {0};
  option_results results = {0};
  mlpd_train_options_default(&arguments.train);
  outcome_forget();
  const mlpd_status status = options_read_file(&train_table, path, &arguments, &results);
  char *const text = status == MLPD_OK ? printed(&arguments) : NULL;
  if (status != MLPD_OK) fuzz_check_message(outcome_message(), path);
  options_free(&results);
  return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char *const text = read_config(fuzz_write("run.ini", data, size));
  if (text == NULL) return 0;
  char *const again = read_config(fuzz_write("again.ini", (const uint8_t *)text, strlen(text)));
  FUZZ_ASSERT(again != NULL, "not taken back: %s\n%s", outcome_message(), text);
  FUZZ_ASSERT(strcmp(text, again) == 0, "changed by a second reading:\n%s\n%s", text, again);
  free(text);
  free(again);
  return 0;
}
