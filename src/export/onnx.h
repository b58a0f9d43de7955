/* The part of ONNX that export writes and import reads: numbers of fields and types. They are those of onnx.proto,
 * https://github.com/onnx/onnx/blob/main/onnx/onnx.proto, IR version 7 (onnx 1.7 and later). */
#ifndef MLPDIST_ONNX_H
#define MLPDIST_ONNX_H

/* The metadata entry that holds a model of ours without the tensors in the graph, as JSON. */
#define ONNX_DESCRIPTION "mlpdist"

enum { ONNX_IR_VERSION = 7, ONNX_OPSET = 13 };

enum {
  ONNX_MODEL_IR_VERSION = 1,
  ONNX_MODEL_PRODUCER = 2,
  ONNX_MODEL_PRODUCER_VERSION = 3,
  ONNX_MODEL_GRAPH = 7,
  ONNX_MODEL_OPSET = 8,
  ONNX_MODEL_METADATA = 14,
  ONNX_MODEL_FUNCTION = 25
};
enum { ONNX_OPSET_DOMAIN = 1, ONNX_OPSET_VERSION = 2 };
enum { ONNX_ENTRY_KEY = 1, ONNX_ENTRY_VALUE = 2 };
enum { ONNX_GRAPH_NODE = 1, ONNX_GRAPH_NAME = 2, ONNX_GRAPH_ARRAY = 5, ONNX_GRAPH_INPUT = 11, ONNX_GRAPH_OUTPUT = 12 };
enum {
  ONNX_NODE_INPUT = 1,
  ONNX_NODE_OUTPUT = 2,
  ONNX_NODE_NAME = 3,
  ONNX_NODE_OP = 4,
  ONNX_NODE_ATTRIBUTE = 5,
  ONNX_NODE_DOMAIN = 7
};
enum {
  ONNX_ATTRIBUTE_NAME = 1,
  ONNX_ATTRIBUTE_FLOAT = 2,
  ONNX_ATTRIBUTE_INTEGER = 3,
  ONNX_ATTRIBUTE_TEXT = 4,
  ONNX_ATTRIBUTE_ARRAY = 5,
  ONNX_ATTRIBUTE_FLOATS = 7,
  ONNX_ATTRIBUTE_INTEGERS = 8,
  ONNX_ATTRIBUTE_TEXTS = 9,
  ONNX_ATTRIBUTE_TYPE = 20
};
enum { ONNX_IS_FLOAT = 1, ONNX_IS_INTEGER = 2, ONNX_IS_INTEGERS = 7 }; /* values of ONNX_ATTRIBUTE_TYPE */
enum { ONNX_VALUE_NAME = 1, ONNX_VALUE_TYPE = 2 };
enum { ONNX_TYPE_ARRAY = 1, ONNX_TYPE_ELEMENT = 1, ONNX_TYPE_SHAPE = 2 };
enum { ONNX_SHAPE_DIMENSION = 1, ONNX_DIMENSION_VALUE = 1, ONNX_DIMENSION_NAME = 2 };
enum {
  ONNX_ARRAY_DIMENSION = 1,
  ONNX_ARRAY_TYPE = 2,
  ONNX_ARRAY_FLOATS = 4,
  ONNX_ARRAY_INT32S = 5, /* of half floats the bits */
  ONNX_ARRAY_TEXTS = 6,
  ONNX_ARRAY_INT64S = 7,
  ONNX_ARRAY_NAME = 8,
  ONNX_ARRAY_RAW = 9,
  ONNX_ARRAY_DOUBLES = 10,
  ONNX_ARRAY_EXTERNAL = 13, /* entries: location, offset, length */
  ONNX_ARRAY_PLACE = 14
};
enum { ONNX_PLACE_EXTERNAL = 1 }; /* a value of ONNX_ARRAY_PLACE */
typedef enum onnx_type {
  ONNX_FLOAT = 1,
  ONNX_INT32 = 6,
  ONNX_INT64 = 7,
  ONNX_TEXT = 8,
  ONNX_BOOL = 9,
  ONNX_HALF = 10,
  ONNX_DOUBLE = 11,
  ONNX_BFLOAT16 = 16
} onnx_type;

#endif
