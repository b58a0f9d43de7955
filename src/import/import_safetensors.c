/* Import of a .safetensors file (Hugging Face): the length of a header, 8 bytes, lowest first; the header, JSON
 * {"fc1.weight": {"dtype": "F32", "shape": [64, 10], "data_offsets": [0, 2560]}, ...}; and the numbers, to which the
 * offsets are relative and which have no gaps. Its writers sort arrays by type and name, so the order says nothing. */
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/half.h"
#include "base/memory.h"
#include "base/text.h"
#include "import/import_state.h"

enum { HEADER_MOST = 100000000 }; /* bytes, as the format says */

static const struct {
  const char *name;
  size_t size;
} TYPES[] = {{"F64", 8}, {"F32", 4}, {"F16", 2}, {"BF16", 2}};

/* An open file. */
typedef struct safetensors {
  FILE *stream;
  uint64_t begin, size; /* of the numbers, bytes */
  json_t *header;
} safetensors;

/* What the header says of an array. */
typedef struct described {
  uint64_t begin, end; /* bytes */
  size_t type;         /* in TYPES; of a counter, which is not read, any */
} described;

/* ---- Header ------------------------------------------------------------------------------------------ */

static mlpd_status damaged(const char *what) { return FAIL(MLPD_ERROR_DATA, "it is no .safetensors file: %s", what); }

static mlpd_status parse(const char *text, size_t bytes, json_t **header) {
  json_error_t error;
  *header = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, &error);
  text_make_printable(error.text);
  if (*header == NULL)
    return FAIL(MLPD_ERROR_DATA, "its header is no JSON: %s, at byte %d", error.text, error.position);
  return json_is_object(*header) ? MLPD_OK : damaged("its header is no JSON object");
}

static mlpd_status read_header(safetensors *s) {
  unsigned char length[8];
  char *text = NULL;
  uint64_t bytes = 0;
  if (fseek(s->stream, 0, SEEK_END) != 0) return FAIL(MLPD_ERROR_FILE, "cannot be read: %s", strerror(errno));
  const long size = ftell(s->stream);
  if (size < 0) return FAIL(MLPD_ERROR_FILE, "cannot be read: %s", strerror(errno));
  rewind(s->stream);
  if (fread(length, 1, sizeof length, s->stream) != sizeof length)
    return damaged("it is shorter than its first number");
  for (size_t i = 0; i < sizeof length; i++) bytes |= (uint64_t)length[i] << 8 * i;
  if (bytes > (uint64_t)size - sizeof length) return damaged("its header is longer than the file");
  if (bytes > HEADER_MOST) return damaged("its header has more than 100 MB");
  s->begin = sizeof length + bytes;
  s->size = (uint64_t)size - s->begin;
  TRY(memory_allocate(&text, bytes + 1, 1, "the header"));
  const mlpd_status status = fread(text, 1, bytes, s->stream) == bytes
                                 ? parse(text, bytes, &s->header)
                                 : FAIL(MLPD_ERROR_FILE, "cannot be read, or has changed");
  free(text);
  return status;
}

/* ---- Arrays ------------------------------------------------------------------------------------------ */

static bool take_size(const json_t *number, uint64_t *size) {
  *size = json_is_integer(number) && json_integer_value(number) >= 0 ? (uint64_t)json_integer_value(number) : 0;
  return json_is_integer(number) && json_integer_value(number) >= 0;
}

/* At most 2^31 elements, as of ONNX: enough for any layer here. */
static mlpd_status take_shape(const json_t *shape, import_array *made) {
  bool is_shape = json_is_array(shape);
  made->rows = made->columns = 1;
  made->rank = (int)json_array_size(shape);
  for (size_t i = 0; is_shape && i < json_array_size(shape); i++) {
    uint64_t size;
    is_shape = take_size(json_array_get(shape, i), &size) && size > 0 && size <= INT32_MAX;
    *(i == 0 ? &made->rows : &made->columns) *= is_shape ? size : 0;
    if (is_shape && made->rows * made->columns > INT32_MAX) is_shape = false;
  }
  return is_shape ? MLPD_OK : FAIL(MLPD_ERROR_DATA, "%s has no shape of 1 to 2^31 elements", made->name);
}

static mlpd_status take_type(const json_t *entry, const import_array *made, size_t *type) {
  const char *const name = json_string_value(json_object_get(entry, "dtype"));
  char shown[32];
  for (*type = 0; name != NULL && *type < sizeof TYPES / sizeof *TYPES; (*type)++)
    if (strcmp(name, TYPES[*type].name) == 0) return MLPD_OK;
  (void)snprintf(shown, sizeof shown, "%s", name != NULL ? name : "(none)");
  text_make_printable(shown);
  return FAIL(MLPD_ERROR_DATA, "%s is of dtype %s; import takes F64, F32, F16 and BF16", made->name, shown);
}

static mlpd_status take_offsets(const json_t *offsets, const import_array *made, uint64_t most, described *d) {
  if (json_array_size(offsets) == 2 && take_size(json_array_get(offsets, 0), &d->begin) &&
      take_size(json_array_get(offsets, 1), &d->end) && d->begin <= d->end && d->end <= most)
    return MLPD_OK;
  return FAIL(MLPD_ERROR_DATA, "%s: its data_offsets are not within the file", made->name);
}

static double value_at(const unsigned char *raw, size_t type) {
  uint64_t bits = 0;
  double number;
  float single;
  for (size_t i = 0; i < TYPES[type].size; i++) bits |= (uint64_t)raw[i] << 8 * i;
  const uint32_t low = (uint32_t)bits;
  memcpy(&number, &bits, sizeof number);
  memcpy(&single, &low, sizeof single);
  switch (type) {
    case 0:
      return number;
    case 1:
      return (double)single;
    case 2:
      return half_to_double((uint16_t)bits);
    default:
      return (double)half_from_bfloat16((uint16_t)bits);
  }
}

static mlpd_status read_values(const safetensors *s, const described *d, import_array *made) {
  const size_t count = made->rows * made->columns, size = TYPES[d->type].size, bytes = count * size;
  unsigned char *raw = NULL;
  if (d->end - d->begin != bytes)
    return FAIL(MLPD_ERROR_DATA, "%s has %llu bytes, but its shape and dtype need %llu", made->name,
                (unsigned long long)(d->end - d->begin), (unsigned long long)bytes);
  TRY(memory_allocate(&raw, bytes, 1, "weights"));
  mlpd_status status = memory_allocate(&made->values, count, sizeof *made->values, "weights");
  if (status == MLPD_OK &&
      (fseek(s->stream, (long)(s->begin + d->begin), SEEK_SET) != 0 || fread(raw, 1, bytes, s->stream) != bytes))
    status = FAIL(MLPD_ERROR_FILE, "cannot be read, or has changed");
  for (size_t i = 0; status == MLPD_OK && i < count; i++) {
    made->values[i] = value_at(raw + i * size, d->type);
    if (!isfinite(made->values[i])) status = FAIL(MLPD_ERROR_DATA, "%s holds a value that is not finite", made->name);
  }
  free(raw);
  return status;
}

static mlpd_status read_array(const safetensors *s, const char *name, const json_t *entry, described *d,
                              import_array *made) {
  bool has_values;
  (void)snprintf(made->name, sizeof made->name, "%s", name);
  text_make_printable(made->name);
  TRY(import_state_name(made->name, &has_values));
  TRY(take_offsets(json_object_get(entry, "data_offsets"), made, s->size, d));
  TRY(take_shape(json_object_get(entry, "shape"), made));
  if (!has_values) return MLPD_OK;
  TRY(take_type(entry, made, &d->type));
  return read_values(s, d, made);
}

static int by_begin(const void *left, const void *right) {
  const described *const a = left, *const b = right;
  if (a->begin != b->begin) return a->begin < b->begin ? -1 : 1;
  return (a->end > b->end) - (a->end < b->end);
}

/* Arrays that share bytes, and bytes of none, are refused, as the format's own reader does. */
static mlpd_status check_gaps(described *all, size_t count, uint64_t size) {
  uint64_t at = 0;
  if (count > 1) qsort(all, count, sizeof *all, by_begin); /* without arrays, all is NULL */
  for (size_t i = 0; i < count; i++) {
    if (all[i].begin != at) return damaged(all[i].begin < at ? "arrays overlap" : "bytes belong to no array");
    at = all[i].end;
  }
  return at == size ? MLPD_OK : damaged("bytes belong to no array");
}

/* ---- The file ---------------------------------------------------------------------------------------- */

static mlpd_status read_arrays(const safetensors *s, import_array *arrays, described *all, size_t *count) {
  const char *name;
  json_t *entry;
  json_object_foreach(s->header, name, entry) {
    if (strcmp(name, "__metadata__") == 0) continue;
    TRY(read_array(s, name, entry, &all[*count], &arrays[*count]));
    (*count)++;
  }
  return check_gaps(all, *count, s->size);
}

static mlpd_status read_file(const safetensors *s, const mlpd_import_options *options, import_chain *chain) {
  const size_t most = json_object_size(s->header);
  import_array *arrays = NULL;
  described *all = NULL;
  size_t count = 0;
  mlpd_status status = memory_allocate(&arrays, most, sizeof *arrays, "weights");
  if (status == MLPD_OK) status = memory_allocate(&all, most, sizeof *all, "weights");
  if (status == MLPD_OK) status = read_arrays(s, arrays, all, &count);
  if (status == MLPD_OK) status = import_state(arrays, count, false, options->layers, chain);
  for (size_t i = 0; arrays != NULL && i < most; i++) free(arrays[i].values);
  free(arrays);
  free(all);
  return status;
}

mlpd_status import_safetensors(const char *path, const mlpd_import_options *options, import_chain *chain) {
  safetensors s = {.stream = fopen(path, "rb")};
  if (s.stream == NULL) return FAIL(MLPD_ERROR_FILE, "cannot be opened: %s", strerror(errno));
  mlpd_status status = read_header(&s);
  if (status == MLPD_OK) status = read_file(&s, options, chain);
  json_decref(s.header);
  (void)fclose(s.stream);
  return status;
}
