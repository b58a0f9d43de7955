#include "model/onnx_read.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

void onnx_close(onnx_file *file) {
  free(file->bytes);
  free(file->nodes);
  free(file->arrays);
  free(file->entries);
  *file = (onnx_file){0};
}

/* ---- The file's bytes -------------------------------------------------------------------------------- */

static mlpd_status read_stream(FILE *stream, protobuf_slice *content, unsigned char **bytes) {
  long size = -1;
  if (fseek(stream, 0, SEEK_END) == 0) size = ftell(stream);
  if (size < 0 || fseek(stream, 0, SEEK_SET) != 0) return FAIL(MLPD_ERROR_FILE, "cannot be read: %s", strerror(errno));
  if (size == 0 || size > INT32_MAX) return FAIL(MLPD_ERROR_DATA, "no ONNX file: it has %ld bytes", size);
  TRY(memory_allocate(bytes, (size_t)size, 1, "the ONNX file"));
  if (fread(*bytes, 1, (size_t)size, stream) != (size_t)size)
    return FAIL(MLPD_ERROR_FILE, "cannot be read: %s", ferror(stream) ? strerror(errno) : "it has changed");
  *content = (protobuf_slice){*bytes, (size_t)size};
  return MLPD_OK;
}

static mlpd_status read_bytes(const char *path, protobuf_slice *content, unsigned char **bytes) {
  FILE *const stream = fopen(path, "rb");
  if (stream == NULL) return FAIL(MLPD_ERROR_FILE, "cannot be opened: %s", strerror(errno));
  const mlpd_status status = read_stream(stream, content, bytes);
  (void)fclose(stream);
  return status;
}

/* ---- Lists ------------------------------------------------------------------------------------------- */

/* Makes room for one element more in a list of count. */
static mlpd_status grow(void *list, uint32_t count, size_t size) {
  void **const at = list;
  if (count > 0 && (count & (count - 1)) != 0) return MLPD_OK; /* room for a power of two */
  void *const made = realloc(*at, (count > 0 ? 2 * (size_t)count : 1) * size);
  if (made == NULL) return FAIL(MLPD_ERROR_MEMORY, "out of memory, reading an ONNX file");
  *at = made;
  return MLPD_OK;
}

typedef struct pair_reader {
  onnx_named *into;
  uint32_t name, content; /* their fields */
} pair_reader;

static mlpd_status read_pair(void *context, const protobuf_field *field) {
  const pair_reader *const reader = context;
  if (field->number == reader->name) reader->into->name = field->slice;
  if (field->number == reader->content) reader->into->content = field->slice;
  return MLPD_OK;
}

static mlpd_status add_entry(onnx_file *file, protobuf_slice message) {
  pair_reader reader = {.name = ONNX_ENTRY_KEY, .content = ONNX_ENTRY_VALUE};
  TRY(grow(&file->entries, file->num_entries, sizeof *file->entries));
  reader.into = &file->entries[file->num_entries++];
  *reader.into = (onnx_named){0};
  return protobuf_visit(message, read_pair, &reader);
}

static mlpd_status add_array(onnx_file *file, protobuf_slice message) {
  pair_reader reader = {.name = ONNX_ARRAY_NAME, .content = UINT32_MAX};
  TRY(grow(&file->arrays, file->num_arrays, sizeof *file->arrays));
  reader.into = &file->arrays[file->num_arrays++];
  *reader.into = (onnx_named){.content = message};
  return protobuf_visit(message, read_pair, &reader);
}

static mlpd_status read_node(void *context, const protobuf_field *field) {
  onnx_node *const node = context;
  switch (field->number) {
    case ONNX_NODE_INPUT:
      if (node->num_inputs == ONNX_MOST_INPUTS)
        return FAIL(MLPD_ERROR_DATA, "an operator has more than %d inputs, which none of a dense network has",
                    ONNX_MOST_INPUTS);
      node->inputs[node->num_inputs++] = field->slice;
      return MLPD_OK;
    case ONNX_NODE_OUTPUT:
      if (node->num_outputs == 0) node->output = field->slice;
      node->num_outputs += field->slice.count > 0;
      return MLPD_OK;
    case ONNX_NODE_OP:
      node->op = field->slice;
      return MLPD_OK;
    default:
      return MLPD_OK;
  }
}

static mlpd_status add_node(onnx_file *file, protobuf_slice message) {
  TRY(grow(&file->nodes, file->num_nodes, sizeof *file->nodes));
  onnx_node *const node = &file->nodes[file->num_nodes++];
  *node = (onnx_node){.message = message};
  return protobuf_visit(message, read_node, node);
}

/* ---- The graph's border ------------------------------------------------------------------------------ */

/* All dimensions but the first. */
typedef struct shape_reader {
  uint32_t count;
  uint64_t columns;
} shape_reader;

static mlpd_status read_dimension(void *context, const protobuf_field *field) {
  uint64_t *const value = context;
  if (field->number == ONNX_DIMENSION_VALUE) *value = field->value;
  return MLPD_OK;
}

static mlpd_status read_shape(void *context, const protobuf_field *field) {
  shape_reader *const shape = context;
  uint64_t value = 0;
  if (field->number != ONNX_SHAPE_DIMENSION) return MLPD_OK;
  TRY(protobuf_visit(field->slice, read_dimension, &value));
  if (shape->count++ > 0)
    shape->columns = value <= UINT32_MAX && shape->columns <= UINT32_MAX ? shape->columns * value : 0;
  return MLPD_OK;
}

static mlpd_status read_array_type(void *context, const protobuf_field *field) {
  return field->number == ONNX_TYPE_SHAPE ? protobuf_visit(field->slice, read_shape, context) : MLPD_OK;
}

static mlpd_status read_type(void *context, const protobuf_field *field) {
  return field->number == ONNX_TYPE_ARRAY ? protobuf_visit(field->slice, read_array_type, context) : MLPD_OK;
}

static const onnx_named *find(const onnx_named *list, uint32_t count, protobuf_slice name) {
  for (uint32_t i = 0; i < count; i++)
    if (protobuf_slices_equal(list[i].name, name)) return &list[i];
  return NULL;
}

static mlpd_status set_border(protobuf_slice *border, protobuf_slice name, const char *what) {
  if (border->count > 0)
    return FAIL(MLPD_ERROR_DATA, "the graph has several %s, such as %.*s and %.*s; import takes one of each", what,
                (int)border->count, border->bytes, (int)name.count, name.bytes);
  *border = name;
  return MLPD_OK;
}

typedef struct graph_reader {
  onnx_file *file;
  bool borders; /* the second time, when the arrays are known: older files list them among the inputs */
} graph_reader;

static mlpd_status read_border(onnx_file *file, const protobuf_field *field) {
  onnx_named value = {0};
  pair_reader reader = {&value, ONNX_VALUE_NAME, ONNX_VALUE_TYPE};
  shape_reader shape = {.columns = 1};
  TRY(protobuf_visit(field->slice, read_pair, &reader));
  if (field->number == ONNX_GRAPH_OUTPUT) return set_border(&file->output, value.name, "outputs");
  if (find(file->arrays, file->num_arrays, value.name) != NULL) return MLPD_OK;
  TRY(set_border(&file->input, value.name, "inputs"));
  TRY(protobuf_visit(value.content, read_type, &shape));
  file->columns = shape.count > 1 ? shape.columns : 0;
  return MLPD_OK;
}

static mlpd_status read_graph(void *context, const protobuf_field *field) {
  const graph_reader *const reader = context;
  const bool is_border = field->number == ONNX_GRAPH_INPUT || field->number == ONNX_GRAPH_OUTPUT;
  if (reader->borders) return is_border ? read_border(reader->file, field) : MLPD_OK;
  if (field->number == ONNX_GRAPH_NODE) return add_node(reader->file, field->slice);
  return field->number == ONNX_GRAPH_ARRAY ? add_array(reader->file, field->slice) : MLPD_OK;
}

static mlpd_status read_model(void *context, const protobuf_field *field) {
  onnx_file *const file = context;
  graph_reader reader = {.file = file};
  if (field->number == ONNX_MODEL_METADATA) return add_entry(file, field->slice);
  if (field->number != ONNX_MODEL_GRAPH) return MLPD_OK;
  TRY(protobuf_visit(field->slice, read_graph, &reader));
  reader.borders = true;
  return protobuf_visit(field->slice, read_graph, &reader);
}

mlpd_status onnx_open(const char *path, onnx_file *file) {
  protobuf_slice content = {0};
  *file = (onnx_file){0};
  TRY(read_bytes(path, &content, &file->bytes));
  TRY(protobuf_visit(content, read_model, file));
  if (file->num_nodes == 0 || file->input.count == 0 || file->output.count == 0)
    return FAIL(MLPD_ERROR_DATA, "it is no ONNX file with a graph from an input to an output");
  return MLPD_OK;
}

protobuf_slice onnx_about(const onnx_file *file, const char *key) {
  const protobuf_slice name = {(const unsigned char *)key, strlen(key)};
  const onnx_named *const entry = find(file->entries, file->num_entries, name);
  return entry != NULL ? entry->content : (protobuf_slice){0};
}

const onnx_node *onnx_maker(const onnx_file *file, protobuf_slice name) {
  for (uint32_t i = 0; i < file->num_nodes; i++)
    if (protobuf_slices_equal(file->nodes[i].output, name)) return &file->nodes[i];
  return NULL;
}

/* ---- Attributes -------------------------------------------------------------------------------------- */

typedef struct attribute {
  protobuf_slice name, array;
  double number;
  int64_t integer;
  uint64_t first; /* of a list of integers */
  bool has_first;
} attribute;

typedef struct attribute_reader {
  const char *name;
  attribute made;
  bool found;
} attribute_reader;

/* The first integer of a list, which may be packed. */
static mlpd_status read_first(const protobuf_field *field, attribute *made) {
  protobuf_slice rest = field->slice;
  if (made->has_first || (field->wire == PROTOBUF_BYTES && rest.count == 0)) return MLPD_OK;
  made->has_first = true;
  made->first = field->value;
  return field->wire == PROTOBUF_BYTES ? protobuf_next_integer(&rest, &made->first) : MLPD_OK;
}

static mlpd_status read_attribute(void *context, const protobuf_field *field) {
  attribute *const made = context;
  if (field->number == ONNX_ATTRIBUTE_NAME) made->name = field->slice;
  if (field->number == ONNX_ATTRIBUTE_FLOAT) made->number = (double)protobuf_as_float(field);
  if (field->number == ONNX_ATTRIBUTE_INTEGER) made->integer = (int64_t)field->value;
  if (field->number == ONNX_ATTRIBUTE_ARRAY) made->array = field->slice;
  return field->number == ONNX_ATTRIBUTE_INTEGERS ? read_first(field, made) : MLPD_OK;
}

static mlpd_status find_attribute(void *context, const protobuf_field *field) {
  attribute_reader *const reader = context;
  attribute made = {0};
  if (field->number != ONNX_NODE_ATTRIBUTE) return MLPD_OK;
  TRY(protobuf_visit(field->slice, read_attribute, &made));
  if (!protobuf_slice_is(made.name, reader->name)) return MLPD_OK;
  reader->made = made;
  reader->found = true;
  return MLPD_OK;
}

mlpd_status onnx_attribute_float(const onnx_node *node, const char *name, double otherwise, double *value) {
  attribute_reader reader = {.name = name};
  TRY(protobuf_visit(node->message, find_attribute, &reader));
  *value = reader.found ? reader.made.number : otherwise;
  return MLPD_OK;
}

mlpd_status onnx_attribute_integer(const onnx_node *node, const char *name, int64_t otherwise, int64_t *value) {
  attribute_reader reader = {.name = name};
  TRY(protobuf_visit(node->message, find_attribute, &reader));
  *value = reader.found ? reader.made.integer : otherwise;
  return MLPD_OK;
}

/* ---- Constants --------------------------------------------------------------------------------------- */

/* The fields of an array; numbers may be raw, or of float or double, packed or each a field of its own. */
typedef struct array_reader {
  uint64_t shape[2];
  uint32_t rank;
  uint64_t type, count; /* count: of all dimensions, at most 2^31 */
  protobuf_slice raw;
  bool external;
  double *values; /* NULL: only looking */
  uint64_t filled;
} array_reader;

static mlpd_status add_dimension(array_reader *a, uint64_t size) {
  if (a->rank < 2) a->shape[a->rank] = size;
  a->rank++;
  if (size > INT32_MAX || a->count * size > INT32_MAX)
    return FAIL(MLPD_ERROR_DATA, "the file is damaged: an array has more elements than the file has bytes");
  a->count *= size;
  return MLPD_OK;
}

static mlpd_status read_head(void *context, const protobuf_field *field) {
  array_reader *const a = context;
  protobuf_slice rest = field->slice;
  if (field->number == ONNX_ARRAY_DIMENSION && field->wire == PROTOBUF_VARINT) return add_dimension(a, field->value);
  while (field->number == ONNX_ARRAY_DIMENSION && rest.count > 0) {
    uint64_t size = 0;
    TRY(protobuf_next_integer(&rest, &size));
    TRY(add_dimension(a, size));
  }
  if (field->number == ONNX_ARRAY_TYPE) a->type = field->value;
  if (field->number == ONNX_ARRAY_RAW) a->raw = field->slice;
  if (field->number == ONNX_ARRAY_EXTERNAL) a->external = true;
  return MLPD_OK;
}

/* Adds numbers that lie together: floats or doubles. */
static void take_numbers(array_reader *a, protobuf_slice slice, bool doubles) {
  const size_t size = doubles ? sizeof(double) : sizeof(float);
  for (size_t i = 0; i + size <= slice.count && a->filled < a->count; i += size) {
    float narrow;
    if (doubles)
      memcpy(&a->values[a->filled], slice.bytes + i, size);
    else
      memcpy(&narrow, slice.bytes + i, size);
    if (!doubles) a->values[a->filled] = (double)narrow;
    a->filled++;
  }
}

static mlpd_status read_numbers(void *context, const protobuf_field *field) {
  array_reader *const a = context;
  if (field->number == ONNX_ARRAY_FLOATS) take_numbers(a, field->slice, false);
  if (field->number == ONNX_ARRAY_DOUBLES) take_numbers(a, field->slice, true);
  return MLPD_OK;
}

static mlpd_status check_array(const array_reader *a, protobuf_slice message) {
  if (a->external) return FAIL(MLPD_ERROR_DATA, "its weights are in another file; save it with all weights inside");
  if (a->type != ONNX_FLOAT && a->type != ONNX_DOUBLE)
    return FAIL(MLPD_ERROR_DATA, "an array is of ONNX type %llu; import takes float and double",
                (unsigned long long)a->type);
  if (a->count * (a->type == ONNX_DOUBLE ? 8 : 4) > message.count)
    return FAIL(MLPD_ERROR_DATA, "the file is damaged: an array has more elements than the file has bytes");
  return MLPD_OK;
}

static mlpd_status read_array(protobuf_slice message, onnx_constant *made) {
  array_reader a = {.count = 1};
  TRY(protobuf_visit(message, read_head, &a));
  TRY(check_array(&a, message));
  TRY(memory_allocate(&a.values, a.count, sizeof *a.values, "weights"));
  *made = (onnx_constant){.rows = a.rank == 2  ? a.shape[0]
                                  : a.rank > 2 ? 0
                                               : 1,
                          .columns = a.rank == 2 ? a.shape[1] : a.count,
                          .count = a.count,
                          .values = a.values};
  take_numbers(&a, a.raw, a.type == ONNX_DOUBLE);
  TRY(protobuf_visit(message, read_numbers, &a));
  if (a.filled != a.count) return FAIL(MLPD_ERROR_DATA, "the file is damaged: an array is cut off");
  return MLPD_OK;
}

static mlpd_status transpose(onnx_constant *c) {
  double *turned = NULL;
  if (c->rows == 0 || c->columns == 0)
    return FAIL(MLPD_ERROR_DATA, "it transposes a constant of more than two dimensions, or without elements");
  TRY(memory_allocate(&turned, c->count, sizeof *turned, "weights"));
  for (uint64_t i = 0; i < c->rows; i++)
    for (uint64_t j = 0; j < c->columns; j++) turned[j * c->rows + i] = c->values[i * c->columns + j];
  free(c->values);
  *c = (onnx_constant){.rows = c->columns, .columns = c->rows, .count = c->count, .values = turned};
  return MLPD_OK;
}

/* A matrix is transposed unless perm says that its rows stay first. */
static mlpd_status find_turn(const onnx_node *node, bool *turned) {
  attribute_reader reader = {.name = "perm"};
  TRY(protobuf_visit(node->message, find_attribute, &reader));
  if (!reader.made.has_first || reader.made.first != 0) *turned = !*turned;
  return MLPD_OK;
}

/* Finds the array behind a name; *turned: it is transposed on the way. */
static mlpd_status find_array(const onnx_file *file, protobuf_slice name, protobuf_slice *array, bool *turned) {
  enum { MOST_STEPS = 8 };
  *array = (protobuf_slice){0};
  *turned = false;
  for (int step = 0; step < MOST_STEPS; step++) {
    const onnx_named *const held = find(file->arrays, file->num_arrays, name);
    const onnx_node *const maker = held == NULL ? onnx_maker(file, name) : NULL;
    if (held != NULL) *array = held->content;
    if (maker == NULL) return MLPD_OK;
    if (protobuf_slice_is(maker->op, "Constant")) {
      attribute_reader reader = {.name = "value"};
      TRY(protobuf_visit(maker->message, find_attribute, &reader));
      *array = reader.made.array;
      return MLPD_OK;
    }
    if (protobuf_slice_is(maker->op, "Transpose"))
      TRY(find_turn(maker, turned));
    else if (!protobuf_slice_is(maker->op, "Identity") && !protobuf_slice_is(maker->op, "Cast"))
      return MLPD_OK;
    if (maker->num_inputs == 0) return MLPD_OK;
    name = maker->inputs[0];
  }
  return MLPD_OK;
}

mlpd_status onnx_constant_read(const onnx_file *file, protobuf_slice name, bool *found, onnx_constant *made) {
  protobuf_slice array;
  bool turned;
  *made = (onnx_constant){0};
  TRY(find_array(file, name, &array, &turned));
  *found = array.count > 0;
  if (!*found) return MLPD_OK;
  mlpd_status status = read_array(array, made);
  if (status == MLPD_OK && turned) status = transpose(made);
  if (status == MLPD_OK) return MLPD_OK;
  free(made->values);
  *made = (onnx_constant){0};
  return status;
}
