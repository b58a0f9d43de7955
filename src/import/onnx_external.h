/* Numbers of an ONNX model that lie in a data file beside it, as exporters write large ones (PyTorch with dynamo: all
 * of more than 256 bytes). Nothing here is collective. */
#ifndef MLPDIST_ONNX_EXTERNAL_H
#define MLPDIST_ONNX_EXTERNAL_H

#include "import/onnx_read.h"

/* Where an array's numbers lie, as the model says. */
typedef struct onnx_external {
  protobuf_slice location; /* a path relative to the model's folder */
  uint64_t offset, length; /* bytes */
  bool has_length;         /* else up to the end of the array */
  bool damaged;            /* offset or length is no number */
} onnx_external;

/* Takes over one entry (key and value) of an array's external data. */
mlpd_status onnx_external_entry(protobuf_slice message, onnx_external *at);

/* The numbers, of so many bytes, to be freed. The file must be a regular one in the folder of the model or below it,
 * and no link: a model from elsewhere shall not read whatever its user may read. */
mlpd_status onnx_external_read(const onnx_file *file, const onnx_external *at, uint64_t bytes, unsigned char **made);

/* Bytes of all data files of the graph's arrays together; each file counts once, whatever its names. */
mlpd_status onnx_external_size(const onnx_file *file, uint64_t *bytes);

#endif
