#include "export/onnx_graph.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void onnx_graph_free(onnx_graph *g) {
  protobuf_free(&g->nodes);
  protobuf_free(&g->rest);
  protobuf_free(&g->arrays);
}

void onnx_scope(onnx_graph *g, const char *scope) { (void)snprintf(g->scope, sizeof g->scope, "%s", scope); }

/* ---- Arrays ------------------------------------------------------------------------------------------ */

static size_t type_size(onnx_type type) {
  switch (type) {
    case ONNX_FLOAT:
      return sizeof(float);
    case ONNX_BOOL:
      return 1;
    default:
      return 8;
  }
}

/* Numbers are those of x86-64: the lowest byte first, as ONNX wants them. A packed list of doubles has the bytes of raw
 * data, and some readers know no raw doubles. */
onnx_name onnx_array(onnx_graph *g, const char *what, onnx_type type, int rank, uint64_t rows, uint64_t columns,
                     const void *data) {
  onnx_name name;
  (void)snprintf(name.text, sizeof name.text, "%s_%s", g->scope, what);
  const size_t place = protobuf_open(&g->arrays, ONNX_GRAPH_ARRAY);
  if (rank > 0) protobuf_integer(&g->arrays, ONNX_ARRAY_DIMENSION, rows);
  if (rank > 1) protobuf_integer(&g->arrays, ONNX_ARRAY_DIMENSION, columns);
  protobuf_integer(&g->arrays, ONNX_ARRAY_TYPE, type);
  protobuf_text(&g->arrays, ONNX_ARRAY_NAME, name.text);
  protobuf_bytes(&g->arrays, type == ONNX_DOUBLE ? ONNX_ARRAY_DOUBLES : ONNX_ARRAY_RAW, data,
                 type_size(type) * (rank > 0 ? rows : 1) * (rank > 1 ? columns : 1));
  protobuf_close(&g->arrays, place);
  return name;
}

static onnx_name add_values(onnx_graph *g, const char *what, int rank, uint64_t n, const double *values) {
  if (g->type == ONNX_DOUBLE) return onnx_array(g, what, ONNX_DOUBLE, rank, n, 0, values);
  float *const narrow = malloc(n * sizeof *narrow);
  if (narrow == NULL) g->arrays.failed = true;
  for (uint64_t i = 0; narrow != NULL && i < n; i++) narrow[i] = (float)values[i];
  const onnx_name name = onnx_array(g, what, ONNX_FLOAT, rank, narrow != NULL ? n : 0, 0, narrow);
  free(narrow);
  return name;
}

onnx_name onnx_vector(onnx_graph *g, const char *what, uint64_t n, const double *values) {
  return add_values(g, what, 1, n, values);
}

onnx_name onnx_scalar(onnx_graph *g, const char *what, double value) { return add_values(g, what, 0, 1, &value); }

/* ---- Operators --------------------------------------------------------------------------------------- */

/* Fields go in the order of their numbers, as the libraries write them: a file that one of them saves again stays the
 * same. */
static void end_operator(onnx_graph *g) {
  if (g->node == 0) return;
  protobuf_text(&g->nodes, ONNX_NODE_OUTPUT, g->output.text);
  protobuf_append(&g->nodes, &g->rest);
  protobuf_close(&g->nodes, g->node);
  g->rest.count = 0;
  g->node = 0;
}

void onnx_operator(onnx_graph *g, const char *op, const char *first, const char *second, const char *third) {
  const char *const inputs[] = {first, second, third};
  onnx_name made;
  end_operator(g);
  (void)snprintf(made.text, sizeof made.text, "%s_%s_%u", g->scope, op, ++g->made);
  g->node = protobuf_open(&g->nodes, ONNX_GRAPH_NODE);
  for (int i = 0; i < 3; i++)
    if (inputs[i] != NULL) protobuf_text(&g->nodes, ONNX_NODE_INPUT, inputs[i]);
  protobuf_text(&g->rest, ONNX_NODE_NAME, made.text);
  protobuf_text(&g->rest, ONNX_NODE_OP, op);
  g->value = g->output = made; /* first may have been the former one */
}

void onnx_apply(onnx_graph *g, const char *op, const char *second) {
  onnx_operator(g, op, g->value.text, second, NULL);
}

static size_t begin_attribute(onnx_graph *g, const char *name) {
  const size_t place = protobuf_open(&g->rest, ONNX_NODE_ATTRIBUTE);
  protobuf_text(&g->rest, ONNX_ATTRIBUTE_NAME, name);
  return place;
}

static void end_attribute(onnx_graph *g, size_t place, uint64_t type) {
  protobuf_integer(&g->rest, ONNX_ATTRIBUTE_TYPE, type);
  protobuf_close(&g->rest, place);
}

void onnx_set_float(onnx_graph *g, const char *name, float value) {
  const size_t place = begin_attribute(g, name);
  protobuf_float(&g->rest, ONNX_ATTRIBUTE_FLOAT, value);
  end_attribute(g, place, ONNX_IS_FLOAT);
}

void onnx_set_integer(onnx_graph *g, const char *name, int64_t value) {
  const size_t place = begin_attribute(g, name);
  protobuf_integer(&g->rest, ONNX_ATTRIBUTE_INTEGER, (uint64_t)value);
  end_attribute(g, place, ONNX_IS_INTEGER);
}

void onnx_set_integers(onnx_graph *g, const char *name, int64_t value) {
  const size_t place = begin_attribute(g, name);
  protobuf_integer(&g->rest, ONNX_ATTRIBUTE_INTEGERS, (uint64_t)value);
  end_attribute(g, place, ONNX_IS_INTEGERS);
}

void onnx_cast(onnx_graph *g, onnx_type type) {
  if (g->type == type) return;
  onnx_apply(g, "Cast", NULL);
  onnx_set_integer(g, "to", type);
  g->type = type;
}

/* ---- The whole --------------------------------------------------------------------------------------- */

/* A value of the graph's border: (n, columns), n not fixed. */
static void add_border(protobuf *graph, uint32_t field, const char *name, onnx_type type, uint32_t columns) {
  const size_t value = protobuf_open(graph, field);
  protobuf_text(graph, ONNX_VALUE_NAME, name);
  const size_t of_type = protobuf_open(graph, ONNX_VALUE_TYPE);
  const size_t array = protobuf_open(graph, ONNX_TYPE_ARRAY);
  protobuf_integer(graph, ONNX_TYPE_ELEMENT, type);
  const size_t shape = protobuf_open(graph, ONNX_TYPE_SHAPE);
  const size_t rows = protobuf_open(graph, ONNX_SHAPE_DIMENSION);
  protobuf_text(graph, ONNX_DIMENSION_NAME, "n");
  protobuf_close(graph, rows);
  const size_t width = protobuf_open(graph, ONNX_SHAPE_DIMENSION);
  protobuf_integer(graph, ONNX_DIMENSION_VALUE, columns);
  protobuf_close(graph, width);
  protobuf_close(graph, shape);
  protobuf_close(graph, array);
  protobuf_close(graph, of_type);
  protobuf_close(graph, value);
}

void onnx_finish(onnx_graph *g, protobuf *model, const char *input, onnx_type input_type, uint32_t inputs,
                 const char *output, uint32_t outputs) {
  (void)snprintf(g->output.text, sizeof g->output.text, "%s", output);
  end_operator(g);
  const size_t place = protobuf_open(model, ONNX_MODEL_GRAPH);
  protobuf_append(model, &g->nodes);
  protobuf_text(model, ONNX_GRAPH_NAME, "mlpdist");
  protobuf_append(model, &g->arrays);
  add_border(model, ONNX_GRAPH_INPUT, input, input_type, inputs);
  add_border(model, ONNX_GRAPH_OUTPUT, output, g->type, outputs);
  protobuf_close(model, place);
}
