/* ONNX files in memory: nodes, constants, metadata. Texts and arrays are parts of the file's bytes. Nothing here is
 * collective. */
#ifndef MLPDIST_ONNX_READ_H
#define MLPDIST_ONNX_READ_H

#include "base/protobuf_read.h"
#include "export/onnx.h"

enum { ONNX_MOST_INPUTS = 8, ONNX_MOST_OUTPUTS = 2, ONNX_MOST_PARTS = 20000 };

typedef struct onnx_node {
  protobuf_slice message, domain, op, output;
  protobuf_slice inputs[ONNX_MOST_INPUTS]; /* empty: an optional one that is not there */
  uint32_t num_inputs, num_outputs;        /* that are named */
} onnx_node;

/* name, and what belongs to it: the message of an array, or the text of a metadata entry. */
typedef struct onnx_named {
  protobuf_slice name, content;
} onnx_named;

typedef struct onnx_file {
  const char *path; /* borrowed */
  unsigned char *bytes;
  onnx_node *nodes;
  onnx_named *arrays, *entries;
  uint32_t num_nodes, num_arrays, num_entries;
  protobuf_slice producer;                          /* the program that wrote the file */
  protobuf_slice graph;                             /* its message */
  protobuf_slice input, outputs[ONNX_MOST_OUTPUTS]; /* the graph's values; its input, initial values of arrays aside */
  uint32_t num_outputs;
  uint64_t columns;   /* of the input, all dimensions but the first together; 0: not told */
  uint64_t rows;      /* the first dimension; 0: any */
  bool has_functions; /* operators that are graphs of their own */
} onnx_file;

/* Reads a message where it lies; it must outlive the file. Free with onnx_close(), also after a failure. */
mlpd_status onnx_read(protobuf_slice message, onnx_file *file);

/* The same of a file. path must outlive it. */
mlpd_status onnx_open(const char *path, onnx_file *file);
void onnx_close(onnx_file *file);

/* The text of a metadata entry; of count 0 if there is none. */
protobuf_slice onnx_about(const onnx_file *file, const char *key);

/* The node that makes a value; NULL: none. */
const onnx_node *onnx_maker(const onnx_file *file, protobuf_slice name);

/* The array of the graph with this name; NULL: none. */
const onnx_named *onnx_held_array(const onnx_file *file, protobuf_slice name);

#endif
