/* Import of an .npz archive of a PyTorch state dict: numpy.savez(file, **{k: v.numpy() for k, v in
 * net.state_dict()...}). */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "convert/convert_array.h"
#include "import/import_state.h"
#include "source/zip.h"

static mlpd_status read_values(input_array *from, import_array *made) {
  const array_header *const header = &from->header;
  void *raw = NULL;
  made->rank = header->rank;
  made->rows = header->rows;
  made->columns = header->columns;
  if (header->text != ARRAY_NUMBERS) return FAIL(MLPD_ERROR_DATA, "%s holds texts, not weights", made->name);
  const size_t count = (size_t)(header->rows * header->columns);
  mlpd_status status = memory_allocate(&raw, header->rows, array_row_bytes(header), "weights");
  if (status == MLPD_OK) status = memory_allocate(&made->values, count, sizeof *made->values, "weights");
  if (status == MLPD_OK) status = array_read(from, header->rows, raw);
  for (size_t i = 0; status == MLPD_OK && i < count; i++) made->values[i] = element_get(header->type, raw, i);
  free(raw);
  return status;
}

static mlpd_status read_array(const char *path, const zip_entry *entry, import_array *made) {
  meter m = {0};
  input *in = NULL;
  input_array *array = NULL;
  TRY(input_open_entry(path, entry, &m, &in));
  TRY(array_open(in, &array));
  const mlpd_status status = read_values(array, made);
  array_close(array);
  return status;
}

static void name_of(const zip_entry *entry, char name[IMPORT_NAME_BYTES]) {
  const size_t length = strlen(entry->name);
  const size_t end = length > 4 && strcmp(entry->name + length - 4, ".npy") == 0 ? length - 4 : length;
  (void)snprintf(name, IMPORT_NAME_BYTES, "%.*s", (int)end, entry->name);
}

/* Reads an array of a module. The counter of batch norms, a number, is left alone. */
static mlpd_status read_entry(const char *path, const zip_entry *entry, import_array *made) {
  bool has_values;
  name_of(entry, made->name);
  TRY(import_state_name(made->name, &has_values));
  return has_values ? read_array(path, entry, made) : MLPD_OK;
}

/* mlpdist's own export is for other programs: it names arrays after layers that a state dict does not have. */
static mlpd_status refuse_export(const zip_entry *entries, size_t count) {
  char name[IMPORT_NAME_BYTES];
  for (size_t i = 0; i < count; i++) {
    name_of(&entries[i], name);
    if (strcmp(name, "layer_1_activation") != 0) continue;
    return FAIL(
        MLPD_ERROR_DATA,
        "mlpdist exported this file for NumPy, and import does not read it back: import its .onnx or .json, or use the "
        "model.h5 that it came from");
  }
  return MLPD_OK;
}

mlpd_status import_npz(const char *path, const mlpd_import_options *options, import_chain *chain) {
  zip_entry *entries = NULL;
  import_array *arrays = NULL;
  size_t count = 0;
  TRY(zip_list(path, path, &entries, &count));
  mlpd_status status = refuse_export(entries, count);
  if (status == MLPD_OK) status = memory_allocate(&arrays, count, sizeof *arrays, "weights");
  for (size_t i = 0; i < count && status == MLPD_OK; i++) status = read_entry(path, &entries[i], &arrays[i]);
  if (status == MLPD_OK) status = import_state(arrays, count, true, options->layers, chain);
  for (size_t i = 0; arrays != NULL && i < count; i++) free(arrays[i].values);
  free(arrays);
  zip_list_free(entries, count);
  return status;
}
