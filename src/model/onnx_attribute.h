/* Attributes of a node of an ONNX file. Nothing here is collective. */
#ifndef MLPDIST_ONNX_ATTRIBUTE_H
#define MLPDIST_ONNX_ATTRIBUTE_H

#include "model/onnx_read.h"

/* Those of its values that are not set are 0. */
typedef struct onnx_attribute {
  protobuf_slice name, text, array;
  double number;
  int64_t integer;
  uint64_t first; /* of a list of integers */
  bool has_first;
} onnx_attribute;

mlpd_status onnx_attribute_find(const onnx_node *node, const char *name, onnx_attribute *made, bool *found);

/* The attribute of a node, or `otherwise` if the node lacks it. */
mlpd_status onnx_attribute_float(const onnx_node *node, const char *name, double otherwise, double *value);
mlpd_status onnx_attribute_integer(const onnx_node *node, const char *name, int64_t otherwise, int64_t *value);

#endif
