#include "import/onnx_attribute.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

typedef struct attribute_reader {
  const char *name;
  onnx_attribute made;
  bool found;
} attribute_reader;

/* The first integer of a list, which may be packed. */
static mlpd_status read_first(const protobuf_field *field, onnx_attribute *made) {
  protobuf_slice rest = field->slice;
  if (made->has_first || (field->wire == PROTOBUF_BYTES && rest.count == 0)) return MLPD_OK;
  made->has_first = true;
  made->first = field->value;
  return field->wire == PROTOBUF_BYTES ? protobuf_next_integer(&rest, &made->first) : MLPD_OK;
}

static mlpd_status read_attribute(void *context, const protobuf_field *field) {
  onnx_attribute *const made = context;
  if (field->number == ONNX_ATTRIBUTE_NAME) made->name = field->slice;
  if (field->number == ONNX_ATTRIBUTE_FLOAT) made->number = (double)protobuf_as_float(field);
  if (field->number == ONNX_ATTRIBUTE_INTEGER) made->integer = (int64_t)field->value;
  if (field->number == ONNX_ATTRIBUTE_TEXT) made->text = field->slice;
  if (field->number == ONNX_ATTRIBUTE_ARRAY) made->array = field->slice;
  return field->number == ONNX_ATTRIBUTE_INTEGERS ? read_first(field, made) : MLPD_OK;
}

static mlpd_status find_attribute(void *context, const protobuf_field *field) {
  attribute_reader *const reader = context;
  onnx_attribute made = {0};
  if (field->number != ONNX_NODE_ATTRIBUTE) return MLPD_OK;
  TRY(protobuf_visit(field->slice, read_attribute, &made));
  if (!protobuf_slice_is(made.name, reader->name)) return MLPD_OK;
  made.message = field->slice;
  reader->made = made;
  reader->found = true;
  return MLPD_OK;
}

mlpd_status onnx_attribute_find(const onnx_node *node, const char *name, onnx_attribute *made, bool *found) {
  attribute_reader reader = {.name = name};
  TRY(protobuf_visit(node->message, find_attribute, &reader));
  *made = reader.made;
  *found = reader.found;
  return MLPD_OK;
}

mlpd_status onnx_attribute_float(const onnx_node *node, const char *name, double otherwise, double *value) {
  onnx_attribute made;
  bool found;
  TRY(onnx_attribute_find(node, name, &made, &found));
  *value = found ? made.number : otherwise;
  return MLPD_OK;
}

mlpd_status onnx_attribute_integer(const onnx_node *node, const char *name, int64_t otherwise, int64_t *value) {
  onnx_attribute made;
  bool found;
  TRY(onnx_attribute_find(node, name, &made, &found));
  *value = found ? made.integer : otherwise;
  return MLPD_OK;
}

/* ---- Lists ------------------------------------------------------------------------------------------- */

typedef struct float_reader {
  double *values; /* NULL: only counting */
  uint64_t count;
} float_reader;

static mlpd_status read_floats(void *context, const protobuf_field *field) {
  float_reader *const r = context;
  if (field->number != ONNX_ATTRIBUTE_FLOATS) return MLPD_OK;
  for (size_t i = 0; i + sizeof(float) <= field->slice.count; i += sizeof(float)) {
    float value;
    memcpy(&value, field->slice.bytes + i, sizeof value);
    if (r->values != NULL) r->values[r->count] = (double)value;
    r->count++;
  }
  return MLPD_OK;
}

mlpd_status onnx_attribute_floats(const onnx_node *node, const char *name, double **values, uint64_t *count) {
  onnx_attribute made;
  bool found;
  float_reader r = {0};
  *values = NULL;
  TRY(onnx_attribute_find(node, name, &made, &found));
  TRY(protobuf_visit(made.message, read_floats, &r));
  *count = r.count;
  r.count = 0;
  TRY(memory_allocate(&r.values, *count, sizeof *r.values, "constants"));
  *values = r.values;
  return *count > 0 ? protobuf_visit(made.message, read_floats, &r) : MLPD_OK;
}

mlpd_status onnx_add_text(protobuf_slice bytes, name_list *list) {
  char *text = NULL;
  TRY(memory_allocate(&text, bytes.count + 1, 1, "names"));
  if (bytes.count > 0) memcpy(text, bytes.bytes, bytes.count);
  text_make_printable(text);
  const mlpd_status status = name_list_add(list, text);
  free(text);
  return status;
}

static mlpd_status add_integer(uint64_t value, name_list *list) {
  char text[24];
  (void)snprintf(text, sizeof text, "%" PRId64, (int64_t)value);
  return name_list_add(list, text);
}

static mlpd_status read_texts(void *context, const protobuf_field *field) {
  protobuf_slice rest = field->slice;
  if (field->number == ONNX_ATTRIBUTE_TEXTS) return onnx_add_text(field->slice, context);
  if (field->number != ONNX_ATTRIBUTE_INTEGERS) return MLPD_OK;
  if (field->wire == PROTOBUF_VARINT) return add_integer(field->value, context);
  while (rest.count > 0) {
    uint64_t value = 0;
    TRY(protobuf_next_integer(&rest, &value));
    TRY(add_integer(value, context));
  }
  return MLPD_OK;
}

mlpd_status onnx_attribute_texts(const onnx_node *node, const char *name, name_list *list) {
  onnx_attribute made;
  bool found;
  TRY(onnx_attribute_find(node, name, &made, &found));
  return protobuf_visit(made.message, read_texts, list);
}
