#include "run/init_from.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "model/model_hash.h"
#include "options/option.h"

enum { VALUE_BYTES = 16384 }; /* 1000 widths */

/* Those that decide which tensors a network has, and what its layers compute. */
static const char *const OPTIONS[INIT_FROM_TEXTS] = {"hidden",   "activation",  "norm",       "input-scale",
                                                     "ensemble", "clip-inputs", "embed-width"};

static bool is_default(const mlpd_option *row, const mlpd_train_options *options) {
  char buffer[64];
  const char *const value = mlpd_option_format(row, options, buffer, sizeof buffer);
  return value == NULL || strcmp(value, row->default_text) == 0;
}

static mlpd_status take_option(const char *name, char *value, mlpd_train_options *options, init_source *source,
                               int index) {
  const mlpd_option *const row = mlpd_option_find(mlpd_train_option_table, name);
  if (!is_default(row, options) || !mlpd_model_option(options->init_model, name, value, VALUE_BYTES)) return MLPD_OK;
  TRY(memory_copy_string(value, &source->texts[index]));
  return mlpd_option_set(row, "--init-from", source->texts[index], options);
}

static mlpd_status take_options(mlpd_train_options *options, init_source *source) {
  char *value = NULL;
  TRY(memory_allocate(&value, VALUE_BYTES, 1, "options"));
  mlpd_status status = MLPD_OK;
  for (int i = 0; i < INIT_FROM_TEXTS && status == MLPD_OK; i++)
    status = take_option(OPTIONS[i], value, options, source, i);
  free(value);
  return status;
}

mlpd_status init_source_open(mlpd_train_options *options, init_source *source) {
  if (options->init_from == NULL && options->init_model == NULL) return MLPD_OK;
  if (options->init_from != NULL && options->init_model != NULL)
    return FAIL(MLPD_ERROR_USAGE, "--init-from %s: the weights come from a model in memory; give one of the two",
                options->init_from);
  if (options->init_from != NULL) {
    const mlpd_status status = mlpd_model_load(options->init_from, &source->loaded);
    if (status != MLPD_OK) return status_prefix(status, "--init-from ");
    options->init_model = source->loaded;
  }
  return take_options(options, source);
}

void init_source_free_model(init_source *source, mlpd_train_options *options) {
  mlpd_model_free(source->loaded);
  source->loaded = NULL;
  options->init_model = NULL;
}

void init_source_free(init_source *source) {
  mlpd_model_free(source->loaded);
  for (int i = 0; i < INIT_FROM_TEXTS; i++) free(source->texts[i]);
  *source = (init_source){.loaded = NULL};
}

mlpd_status init_source_digest(const mlpd_model *model, char digest[INIT_FROM_DIGEST_BYTES]) {
  model_hashes hashes;
  digest[0] = '\0';
  if (model == NULL) return MLPD_OK;
  mlpd_model used = *model;
  used.config = NULL;
  TRY(model_hash(&used, &hashes));
  (void)snprintf(digest, INIT_FROM_DIGEST_BYTES, "%s%s", hashes.digest, hashes.checksum);
  return MLPD_OK;
}
