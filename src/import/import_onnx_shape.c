#include "import/import_onnx_shape.h"

#include <math.h>
#include <stdlib.h>

#include "import/onnx_attribute.h"
#include "import/onnx_constant.h"

mlpd_status import_shape_part(import_builder *b) {
  const bool of_value = import_find_value(b, b->node->inputs[0]) != NULL;
  return !of_value || protobuf_slice_is(b->node->op, "Shape") ? MLPD_OK : import_refuse(b, "changes the shape of rows");
}

/* Input i of the node, a constant that is one number; NaN: it is none. */
static mlpd_status read_number(const import_builder *b, const onnx_node *node, uint32_t i, double *number) {
  *number = NAN;
  return i < node->num_inputs ? onnx_constant_number(b->file, node->inputs[i], number) : MLPD_OK;
}

/* Nodes that leave a number of rows as it is. */
static bool passes(const onnx_node *node) {
  static const char *const ops[] = {"Unsqueeze", "Squeeze", "Reshape", "Cast", "Identity"};
  for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
    if (protobuf_slice_is(node->op, ops[i])) return node->num_inputs > 0;
  return false;
}

static const onnx_node *made_by(const import_builder *b, protobuf_slice name) {
  enum { MOST_STEPS = 8 };
  const onnx_node *node = onnx_maker(b->file, name);
  for (int i = 0; i < MOST_STEPS && node != NULL && passes(node); i++) node = onnx_maker(b->file, node->inputs[0]);
  return node;
}

/* Is it the shape of a value, from the number of rows on? *end: as Shape has it since operator set 15. */
static mlpd_status is_shape(const import_builder *b, const onnx_node *node, int64_t *end, bool *is) {
  int64_t start = 0;
  *is = false;
  if (node == NULL || !protobuf_slice_is(node->op, "Shape") || node->num_inputs == 0) return MLPD_OK;
  TRY(onnx_attribute_integer(node, "start", 0, &start));
  TRY(onnx_attribute_integer(node, "end", INT64_MAX, end));
  *is = start == 0 && import_find_value(b, node->inputs[0]) != NULL;
  return MLPD_OK;
}

/* Is it the first number of the shape of a value, taken by Shape itself, by Gather, or by Slice from 0 to 1? */
static mlpd_status is_row_count(const import_builder *b, protobuf_slice name, bool *is) {
  const onnx_node *const node = made_by(b, name);
  double first = NAN, end = NAN;
  int64_t end_of_shape;
  TRY(is_shape(b, node, &end_of_shape, is));
  if (*is) *is = end_of_shape == 1;
  if (*is || node == NULL || node->num_inputs < 2) return MLPD_OK;
  TRY(is_shape(b, onnx_maker(b->file, node->inputs[0]), &end_of_shape, is));
  if (!*is) return MLPD_OK;
  TRY(read_number(b, node, 1, &first));
  TRY(read_number(b, node, 2, &end));
  *is = first == 0 && (protobuf_slice_is(node->op, "Gather") || (protobuf_slice_is(node->op, "Slice") && end == 1));
  return MLPD_OK;
}

mlpd_status import_keeps_rows(const import_builder *b, protobuf_slice shape, uint32_t width, bool *keeps) {
  const onnx_node *const node = made_by(b, shape);
  double columns = NAN;
  *keeps = false;
  if (node == NULL || !protobuf_slice_is(node->op, "Concat") || node->num_inputs != 2) return MLPD_OK;
  TRY(read_number(b, node, 1, &columns));
  return columns == -1 || columns == width ? is_row_count(b, node->inputs[0], keeps) : MLPD_OK;
}
