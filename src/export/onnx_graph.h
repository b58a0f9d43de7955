/* A graph of ONNX in the making: a chain of operators, each of which takes the value that the one before made. Memory
 * that lacks shows in the buffers (protobuf.failed). Nothing here is collective. */
#ifndef MLPDIST_ONNX_GRAPH_H
#define MLPDIST_ONNX_GRAPH_H

#include "base/protobuf.h"
#include "base/status.h"
#include "export/onnx.h"

/* The name of a value or an array. */
typedef struct onnx_name {
  char text[64];
} onnx_name;

enum { ONNX_SCOPE_BYTES = 24 };

typedef struct onnx_graph {
  protobuf nodes, arrays, rest; /* rest: what of the open operator comes after its value's name */
  char scope[ONNX_SCOPE_BYTES];
  onnx_name value;  /* what the next operator takes: what the last one made, unless the caller changes it */
  onnx_name output; /* what the last operator made */
  onnx_type type;   /* of it: float or double */
  uint32_t made;    /* names made so far */
  size_t node;      /* place of the last operator, which is open until the next begins, so that its value can be
                       renamed; 0: none */
} onnx_graph;

void onnx_graph_free(onnx_graph *g);

/* Names of what is made begin with this from now on: "layer_1". */
void onnx_scope(onnx_graph *g, const char *scope);

/* An array of rank 0 to 2 as it is, under the name SCOPE_what. */
onnx_name onnx_array(onnx_graph *g, const char *what, onnx_type type, int rank, uint64_t rows, uint64_t columns,
                     const void *data);

/* n values, or one for all, as an array of the type that the graph's value has, rounded. */
onnx_name onnx_vector(onnx_graph *g, const char *what, uint64_t n, const double *values);
onnx_name onnx_scalar(onnx_graph *g, const char *what, double value);

/* Begins an operator on up to three values (NULL: none), which makes the graph's new value. Attributes may follow. */
void onnx_operator(onnx_graph *g, const char *op, const char *first, const char *second, const char *third);
void onnx_set_float(onnx_graph *g, const char *name, float value);
void onnx_set_integer(onnx_graph *g, const char *name, int64_t value);  /* not negative */
void onnx_set_integers(onnx_graph *g, const char *name, int64_t value); /* a list of one */

/* An operator on the graph's value and another (NULL: none). */
void onnx_apply(onnx_graph *g, const char *op, const char *second);

/* Casts the graph's value, unless it has this type. */
void onnx_cast(onnx_graph *g, onnx_type type);

/* Ends the graph, whose value gets this name, and adds it to a model (ModelProto): input (n, inputs) of type
 * input_type, and the value (n, outputs). */
void onnx_finish(onnx_graph *g, protobuf *model, const char *input, onnx_type input_type, uint32_t inputs,
                 const char *output, uint32_t outputs);

#endif
