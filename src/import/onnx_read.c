#include "import/onnx_read.h"

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
  if (size == 0 || size > INT32_MAX) return FAIL(MLPD_ERROR_DATA, "not an ONNX file: it has %ld bytes", size);
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

/* Makes room for one element more in a list of count. Lists are searched from their beginning, for each operator. */
static mlpd_status grow(void *list, uint32_t count, size_t size) {
  void **const at = list;
  if (count == ONNX_MOST_PARTS)
    return FAIL(MLPD_ERROR_DATA, "the graph has more than %d operators, arrays or entries, which no dense network has",
                ONNX_MOST_PARTS);
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
    case ONNX_NODE_DOMAIN:
      node->domain = field->slice;
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

typedef struct shape_reader {
  uint32_t count;
  uint64_t rows, columns; /* the first dimension; all others together */
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
  if (shape->count == 0) shape->rows = value;
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

static mlpd_status set_input(onnx_file *file, protobuf_slice name) {
  if (file->input.count > 0)
    return FAIL(MLPD_ERROR_DATA, "the graph has several inputs, such as %.*s and %.*s; import takes one",
                (int)file->input.count, file->input.bytes, (int)name.count, name.bytes);
  file->input = name;
  return MLPD_OK;
}

static mlpd_status add_output(onnx_file *file, protobuf_slice name) {
  if (file->num_outputs == ONNX_MOST_OUTPUTS)
    return FAIL(MLPD_ERROR_DATA,
                "the graph has more than %d outputs, such as %.*s; import takes one, and labels beside it",
                ONNX_MOST_OUTPUTS, (int)name.count, name.bytes);
  file->outputs[file->num_outputs++] = name;
  return MLPD_OK;
}

typedef struct graph_reader {
  onnx_file *file;
  bool borders; /* the second time, when the arrays are known: older files list them among the inputs */
  uint32_t num_borders;
} graph_reader;

static mlpd_status read_border(onnx_file *file, const protobuf_field *field) {
  onnx_named value = {0};
  pair_reader reader = {&value, ONNX_VALUE_NAME, ONNX_VALUE_TYPE};
  shape_reader shape = {.columns = 1};
  TRY(protobuf_visit(field->slice, read_pair, &reader));
  if (field->number == ONNX_GRAPH_OUTPUT) return add_output(file, value.name);
  if (find(file->arrays, file->num_arrays, value.name) != NULL) return MLPD_OK;
  TRY(set_input(file, value.name));
  TRY(protobuf_visit(value.content, read_type, &shape));
  file->columns = shape.count > 1 ? shape.columns : 0;
  file->rows = shape.rows;
  return MLPD_OK;
}

static mlpd_status read_graph(void *context, const protobuf_field *field) {
  graph_reader *const reader = context;
  const bool is_border = field->number == ONNX_GRAPH_INPUT || field->number == ONNX_GRAPH_OUTPUT;
  if (reader->borders && is_border && reader->num_borders++ > ONNX_MOST_PARTS + ONNX_MOST_OUTPUTS)
    return FAIL(MLPD_ERROR_DATA, "the file is damaged or forged: its graph names inputs again and again");
  if (reader->borders) return is_border ? read_border(reader->file, field) : MLPD_OK;
  if (field->number == ONNX_GRAPH_NODE) return add_node(reader->file, field->slice);
  return field->number == ONNX_GRAPH_ARRAY ? add_array(reader->file, field->slice) : MLPD_OK;
}

static mlpd_status read_model(void *context, const protobuf_field *field) {
  onnx_file *const file = context;
  graph_reader reader = {.file = file};
  if (field->number == ONNX_MODEL_PRODUCER) file->producer = field->slice;
  if (field->number == ONNX_MODEL_FUNCTION) file->has_functions = true;
  if (field->number == ONNX_MODEL_METADATA) return add_entry(file, field->slice);
  if (field->number != ONNX_MODEL_GRAPH) return MLPD_OK;
  file->graph = field->slice;
  TRY(protobuf_visit(field->slice, read_graph, &reader));
  reader.borders = true;
  return protobuf_visit(field->slice, read_graph, &reader);
}

mlpd_status onnx_read(protobuf_slice message, onnx_file *file) { return protobuf_visit(message, read_model, file); }

mlpd_status onnx_open(const char *path, onnx_file *file) {
  protobuf_slice content = {0};
  *file = (onnx_file){.path = path};
  TRY(read_bytes(path, &content, &file->bytes));
  TRY(onnx_read(content, file));
  if (file->num_nodes == 0 || file->input.count == 0 || file->num_outputs == 0)
    return FAIL(MLPD_ERROR_DATA, "it is not an ONNX file with a graph from an input to an output");
  return MLPD_OK;
}

protobuf_slice onnx_about(const onnx_file *file, const char *key) {
  const protobuf_slice name = {(const unsigned char *)key, strlen(key)};
  const onnx_named *const entry = find(file->entries, file->num_entries, name);
  return entry != NULL ? entry->content : (protobuf_slice){0};
}

const onnx_named *onnx_held_array(const onnx_file *file, protobuf_slice name) {
  return find(file->arrays, file->num_arrays, name);
}

const onnx_node *onnx_maker(const onnx_file *file, protobuf_slice name) {
  for (uint32_t i = 0; i < file->num_nodes; i++)
    if (protobuf_slices_equal(file->nodes[i].output, name)) return &file->nodes[i];
  return NULL;
}
