/* Import of an .npz archive of a PyTorch state dict: numpy.savez(file, **{k: v.numpy() for k, v in
 * net.state_dict()...}). Linear layers are pairs NAME.weight (outputs, inputs) and NAME.bias (outputs), in the order of
 * the archive. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "convert/convert_array.h"
#include "convert/convert_zip.h"
#include "model/import.h"

enum { NAME_BYTES = 200 };

static const char CURE[] =
    "a state dict of linear layers, NAME.weight and NAME.bias, is read; other layers go through ONNX "
    "(torch.onnx.export)";

/* An array of the archive. */
typedef struct named_array {
  char name[NAME_BYTES]; /* without .npy */
  int rank;
  uint64_t rows, columns;
  double *values; /* (rows, columns) */
} named_array;

static mlpd_status read_values(input_array *from, named_array *made) {
  const array_header *const header = &from->header;
  void *raw = NULL;
  made->rank = header->rank;
  made->rows = header->rows;
  made->columns = header->columns;
  if (header->text != ARRAY_NUMBERS) return FAIL(MLPD_ERROR_DATA, "%s holds texts, and no weights", made->name);
  const size_t count = (size_t)(header->rows * header->columns);
  mlpd_status status = memory_allocate(&raw, header->rows, array_row_bytes(header), "weights");
  if (status == MLPD_OK) status = memory_allocate(&made->values, count, sizeof *made->values, "weights");
  if (status == MLPD_OK) status = array_read(from, header->rows, raw);
  for (size_t i = 0; status == MLPD_OK && i < count; i++) made->values[i] = element_get(header->type, raw, i);
  free(raw);
  return status;
}

static mlpd_status read_array(const char *path, const zip_entry *entry, named_array *made) {
  meter m = {0};
  input *in = NULL;
  input_array *array = NULL;
  TRY(input_open_entry(path, entry, &m, &in));
  TRY(array_open(in, &array));
  const mlpd_status status = read_values(array, made);
  array_close(array);
  return status;
}

/* The length of NAME in "NAME.weight" or, of a network that is a single layer, "weight"; -1: no such name. */
static int stem_of(const char *name, const char *kind) {
  const size_t length = strlen(name), end = strlen(kind);
  if (length < end || strcmp(name + length - end, kind) != 0) return -1;
  if (length == end) return 0;
  return name[length - end - 1] == '.' ? (int)(length - end) : -1;
}

static void name_of(const zip_entry *entry, char name[NAME_BYTES]) {
  const size_t length = strlen(entry->name);
  const size_t end = length > 4 && strcmp(entry->name + length - 4, ".npy") == 0 ? length - 4 : length;
  (void)snprintf(name, NAME_BYTES, "%.*s", (int)end, entry->name);
}

/* Reads an entry whose name is that of a weight or bias; others, such as the counters of norms, may be no arrays. */
static mlpd_status read_entry(const char *path, const zip_entry *entry, named_array *made) {
  name_of(entry, made->name);
  if (stem_of(made->name, "weight") >= 0 || stem_of(made->name, "bias") >= 0) return read_array(path, entry, made);
  return FAIL(MLPD_ERROR_DATA, "%s is no weight or bias; %s", made->name, CURE);
}

/* mlpdist's own export is for other programs: it names arrays after layers that a state dict does not have. */
static mlpd_status refuse_export(const zip_entry *entries, size_t count) {
  char name[NAME_BYTES];
  for (size_t i = 0; i < count; i++) {
    name_of(&entries[i], name);
    if (strcmp(name, "layer_1_activation") != 0) continue;
    return FAIL(MLPD_ERROR_DATA,
                "mlpdist exported this file for NumPy, and import does not read it back: use the model.h5 that it came "
                "from");
  }
  return MLPD_OK;
}

static const named_array *find_bias(const named_array *arrays, size_t count, const named_array *weight) {
  const int stem = stem_of(weight->name, "weight");
  for (size_t i = 0; i < count; i++)
    if (stem_of(arrays[i].name, "bias") == stem && strncmp(arrays[i].name, weight->name, (size_t)stem) == 0)
      return &arrays[i];
  return NULL;
}

static mlpd_status add_linear(const named_array *weight, const named_array *bias, import_chain *chain) {
  import_layer *layer = NULL;
  if (weight->rows > INT32_MAX || weight->columns > INT32_MAX)
    return FAIL(MLPD_ERROR_DATA, "%s is too large", weight->name);
  if (bias != NULL && (bias->rank != 1 || bias->rows != weight->rows))
    return FAIL(MLPD_ERROR_DATA, "%s has %llu values, but %s has %llu outputs", bias->name,
                (unsigned long long)(bias->rows * bias->columns), weight->name, (unsigned long long)weight->rows);
  TRY(import_add_layer(chain, (uint32_t)weight->columns, (uint32_t)weight->rows, &layer));
  for (size_t j = 0; j < layer->outputs; j++) {
    for (size_t i = 0; i < layer->inputs; i++)
      layer->weight[i * layer->outputs + j] = weight->values[j * layer->inputs + i];
    if (bias != NULL) layer->bias[j] = bias->values[j];
  }
  return MLPD_OK;
}

/* Everything in the archive must be of a linear layer: what is left out would change the answers. */
static mlpd_status add_layers(const named_array *arrays, size_t count, import_chain *chain) {
  size_t used = 0;
  for (size_t i = 0; i < count; i++) {
    if (stem_of(arrays[i].name, "weight") < 0 || arrays[i].rank != 2) continue;
    const named_array *const bias = find_bias(arrays, count, &arrays[i]);
    TRY(add_linear(&arrays[i], bias, chain));
    used += bias != NULL ? 2 : 1;
  }
  for (size_t i = 0; i < count && used < count; i++) {
    const bool weight = stem_of(arrays[i].name, "weight") >= 0 && arrays[i].rank == 2;
    bool bias = false;
    for (size_t k = 0; k < count; k++)
      bias = bias || (stem_of(arrays[k].name, "weight") >= 0 && arrays[k].rank == 2 &&
                      find_bias(arrays, count, &arrays[k]) == &arrays[i]);
    if (!weight && !bias)
      return FAIL(MLPD_ERROR_DATA, "%s (rank %d) is no weight (outputs, inputs) or bias of a linear layer; %s",
                  arrays[i].name, arrays[i].rank, CURE);
  }
  return MLPD_OK;
}

mlpd_status import_npz(const char *path, const mlpd_import_options *options, import_chain *chain) {
  zip_entry *entries = NULL;
  named_array *arrays = NULL;
  size_t count = 0;
  (void)options;
  chain->needs_activation = true;
  TRY(zip_list(path, &entries, &count));
  mlpd_status status = refuse_export(entries, count);
  if (status == MLPD_OK) status = memory_allocate(&arrays, count, sizeof *arrays, "weights");
  for (size_t i = 0; i < count && status == MLPD_OK; i++) status = read_entry(path, &entries[i], &arrays[i]);
  if (status == MLPD_OK) status = add_layers(arrays, count, chain);
  for (size_t i = 0; arrays != NULL && i < count; i++) free(arrays[i].values);
  free(arrays);
  zip_list_free(entries, count);
  return status;
}
