#include "prepare/init_from.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "model/model_hash.h"

enum { VALUE_BYTES = 16384 }; /* 1000 widths */

static mlpd_status take_option(const mlpd_option *row, char *value, mlpd_train_options *options, char **text) {
  if (!mlpd_model_option(options->init_model, row->name, value, VALUE_BYTES)) return MLPD_OK;
  TRY(memory_copy_string(value, text));
  return mlpd_option_set(row, "--init-from", *text, options);
}

/* All that the model decides but --normalize: its shift and scale of each column are taken with the weights. */
static mlpd_status take_options(mlpd_train_options *options, init_source *source) {
  char *value = NULL;
  int next = 0;
  TRY(memory_allocate(&value, VALUE_BYTES, 1, "options"));
  mlpd_status status = MLPD_OK;
  for (const mlpd_option *row = mlpd_train_option_table; row->name != NULL && status == MLPD_OK; row++)
    if (strcmp(row->name, "normalize") != 0 && option_left_to_model(row, options))
      status = take_option(row, value, options, &source->texts[next++]);
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
  for (int i = 0; i < MLPD_MOST_OPTIONS; i++) free(source->texts[i]);
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
