/* Import of a Keras 3 model (model.save("net.keras")): a zip archive of config.json, the layers; metadata.json, the
 * version; and model.weights.h5, /layers/KIND/vars/0, ... */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "import/import_keras.h"
#include "source/input.h"

enum { NAME_BYTES = 4200 }; /* of a path and an entry, in messages */

static mlpd_status find_entry(const zip_entry *entries, size_t count, const char *name, const zip_entry **found) {
  for (size_t i = 0; i < count; i++)
    if (strcmp(entries[i].name, name) == 0) return *found = &entries[i], MLPD_OK;
  return FAIL(MLPD_ERROR_DATA, "it holds no %s: it is not a model of Keras 3 (model.save(\"net.keras\"))", name);
}

/* The whole entry and a 0 after it, to be freed. The archive's directory was checked: its size is one that so many
 * stored bytes can give. */
static mlpd_status read_entry(const char *path, const zip_entry *entry, char **content) {
  meter m = {0};
  input *in = NULL;
  size_t got = 0;
  TRY(input_open_entry(path, entry, &m, &in));
  mlpd_status status = memory_allocate(content, entry->size + 1, 1, "an entry of the archive");
  if (status == MLPD_OK) status = input_read(in, *content, entry->size, &got);
  input_close(in);
  return status;
}

/* Opens an entry that is an HDF5 file. */
static mlpd_status open_weights(const char *path, const zip_entry *entry, h5_file **file) {
  char *image = NULL, name[NAME_BYTES];
  (void)snprintf(name, sizeof name, "%s: %s", path, entry->name);
  mlpd_status status = read_entry(path, entry, &image);
  if (status == MLPD_OK) status = h5_open_image(name, image, entry->size, file);
  free(image);
  return status;
}

/* 3 if it does not say. */
static void find_version(keras_reader *r, const char *metadata) {
  json_t *const about = json_loads(metadata, 0, NULL);
  const char *const version = json_string_value(json_object_get(about, "keras_version"));
  r->version = version != NULL && version[0] < '3' ? 2 : 3;
  json_decref(about);
}

static mlpd_status read_entries(const char *path, const zip_entry *entries, size_t count, keras_reader *r) {
  const zip_entry *layers = NULL, *weights = NULL, *about = NULL;
  char *config = NULL, *metadata = NULL;
  TRY(find_entry(entries, count, "config.json", &layers));
  TRY(find_entry(entries, count, "metadata.json", &about));
  TRY(find_entry(entries, count, "model.weights.h5", &weights));
  mlpd_status status = read_entry(path, layers, &config);
  if (status == MLPD_OK) status = read_entry(path, about, &metadata);
  if (status == MLPD_OK) find_version(r, metadata);
  if (status == MLPD_OK) status = open_weights(path, weights, &r->file);
  if (status == MLPD_OK) status = keras_read_model(r, config);
  free(config);
  free(metadata);
  (void)h5_close(r->file); /* read-only: nothing is lost */
  return status;
}

mlpd_status import_keras_archive(const char *path, const mlpd_import_options *options, import_chain *chain) {
  keras_reader r = {.chain = chain, .numbered = true};
  zip_entry *entries = NULL;
  size_t count = 0;
  (void)options;
  TRY(zip_list(path, path, &entries, &count));
  const mlpd_status status = read_entries(path, entries, count, &r);
  zip_list_free(entries, count);
  return status;
}
