/* Constant values of an ONNX graph. Nothing here is collective. */
#ifndef MLPDIST_ONNX_CONSTANT_H
#define MLPDIST_ONNX_CONSTANT_H

#include "data/names.h"
#include "import/onnx_read.h"

/* A constant (rows, columns) of numbers; one of rank below 2 has one row. */
typedef struct onnx_constant {
  uint64_t rows, columns, count; /* of rank 3 and more: rows 0, for its values alone */
  double *values;                /* (count), to be freed */
} onnx_constant;

/* *found: the value is constant: an array of the graph, a node Constant, or one of these transposed or renamed. */
mlpd_status onnx_constant_read(const onnx_file *file, protobuf_slice name, bool *found, onnx_constant *made);

/* Do two arrays, held by the graphs of these files, have the same type, shape and numbers, wherever these lie? Those of
 * texts must have the same bytes. */
mlpd_status onnx_arrays_equal(const onnx_file *file, const onnx_named *array, const onnx_file *other_file,
                              const onnx_named *other, bool *equal);

/* A constant that is one number; NaN: it is none. */
mlpd_status onnx_constant_number(const onnx_file *file, protobuf_slice name, double *number);

/* Adds the texts of an array of the graph, or its numbers without a fraction; none if there is no such array. */
mlpd_status onnx_constant_texts(const onnx_file *file, protobuf_slice name, name_list *list);

#endif
