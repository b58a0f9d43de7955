/* Attributes of a node of an ONNX file. Nothing here is collective. */
#ifndef MLPDIST_ONNX_ATTRIBUTE_H
#define MLPDIST_ONNX_ATTRIBUTE_H

#include "data/names.h"
#include "import/onnx_read.h"

/* Those of its values that are not set are 0. */
typedef struct onnx_attribute {
  protobuf_slice message, name, text, array;
  double number;
  int64_t integer;
  uint64_t first; /* of a list of integers */
  bool has_first;
} onnx_attribute;

mlpd_status onnx_attribute_find(const onnx_node *node, const char *name, onnx_attribute *made, bool *found);

/* The attribute of a node, or `otherwise` if the node lacks it. */
mlpd_status onnx_attribute_float(const onnx_node *node, const char *name, double otherwise, double *value);
mlpd_status onnx_attribute_integer(const onnx_node *node, const char *name, int64_t otherwise, int64_t *value);

/* A list of numbers, to be freed; none if the node lacks the attribute. */
mlpd_status onnx_attribute_floats(const onnx_node *node, const char *name, double **values, uint64_t *count);

/* Adds the texts of a list, and its integers as decimal numbers. */
mlpd_status onnx_attribute_texts(const onnx_node *node, const char *name, name_list *list);

/* Adds bytes of the file as a text for messages and files. */
mlpd_status onnx_add_text(protobuf_slice bytes, name_list *list);

#endif
