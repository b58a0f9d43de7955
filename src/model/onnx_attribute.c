#include "model/onnx_attribute.h"

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
