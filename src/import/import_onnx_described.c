#include "import/import_onnx_described.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "export/export.h"
#include "import/import_described.h"
#include "import/onnx_constant.h"
#include "import/onnx_external.h"
#include "network/layer_kind.h"

/* A tensor from the array layer_N_NAME; the weights of a dense layer are (outputs, inputs) there. */
static mlpd_status read_tensor(void *context, const mlpd_network *network, const tensor *t, float *values) {
  const bool turned = network->layers[t->layer].kind == &layer_dense && !t->vector;
  const size_t rows = t->rows, columns = t->columns;
  char name[64];
  onnx_constant c = {0};
  bool found = false;
  (void)snprintf(name, sizeof name, "layer_%u_%s", t->layer + 1, t->name);
  const protobuf_slice text = {(const unsigned char *)name, strlen(name)};
  TRY(onnx_constant_read(context, text, &found, &c));
  const bool fits = found && c.count == rows * columns;
  for (size_t i = 0; fits && i < rows; i++)
    for (size_t j = 0; j < columns; j++)
      values[i * columns + j] = (float)c.values[turned ? j * rows + i : i * columns + j];
  free(c.values);
  return fits ? MLPD_OK : FAIL(MLPD_ERROR_DATA, "array %s is missing or of another size", name);
}

/* Operators, inputs and outputs. */
static mlpd_status take_other(void *context, const protobuf_field *field) {
  if (field->number != ONNX_GRAPH_ARRAY) protobuf_bytes(context, field->number, field->slice.bytes, field->slice.count);
  return MLPD_OK;
}

/* Are two graphs the same but for their arrays? */
static mlpd_status compare_others(protobuf_slice graph, protobuf_slice other, bool *equal) {
  protobuf a = {0}, b = {0};
  mlpd_status status = protobuf_visit(graph, take_other, &a);
  if (status == MLPD_OK) status = protobuf_visit(other, take_other, &b);
  if (status == MLPD_OK && (a.failed || b.failed)) status = FAIL(MLPD_ERROR_MEMORY, "out of memory, importing");
  *equal = status == MLPD_OK &&
           protobuf_slices_equal((protobuf_slice){a.bytes, a.count}, (protobuf_slice){b.bytes, b.count});
  protobuf_free(&a);
  protobuf_free(&b);
  return status;
}

static mlpd_status compare_arrays(const onnx_file *file, const onnx_file *made, bool *equal) {
  *equal = file->num_arrays == made->num_arrays;
  for (uint32_t i = 0; *equal && i < file->num_arrays; i++) {
    *equal = protobuf_slices_equal(file->arrays[i].name, made->arrays[i].name);
    if (*equal) TRY(onnx_arrays_equal(file, &file->arrays[i], made, &made->arrays[i], equal));
  }
  return MLPD_OK;
}

/* Does the model export this graph? Another program may have put the numbers into other fields, or another file. */
static mlpd_status check_graph(const onnx_file *file, const mlpd_model *model) {
  protobuf made = {0};
  onnx_file own = {.path = file->path};
  bool equal = false;
  mlpd_status status = export_onnx_graph(model, &made);
  if (status == MLPD_OK && made.failed) status = FAIL(MLPD_ERROR_MEMORY, "out of memory, importing");
  if (status == MLPD_OK) status = onnx_read((protobuf_slice){made.bytes, made.count}, &own);
  if (status == MLPD_OK) status = compare_others(file->graph, own.graph, &equal);
  if (status == MLPD_OK && equal) status = compare_arrays(file, &own, &equal);
  if (status == MLPD_OK && !equal) status = FAIL(MLPD_ERROR_DATA, "the graph is not that of the model described");
  onnx_close(&own);
  protobuf_free(&made);
  return status;
}

mlpd_status import_onnx_described(const onnx_file *file, mlpd_model **model) {
  const protobuf_slice text = onnx_about(file, ONNX_DESCRIPTION);
  *model = NULL;
  if (text.count == 0 || !protobuf_slice_is(file->producer, "mlpdist")) return MLPD_OK;
  uint64_t beside = 0;
  TRY(onnx_external_size(file, &beside));
  TRY(import_described((const char *)text.bytes, text.count, file->graph.count + text.count + beside, read_tensor,
                       (void *)file, model));
  const mlpd_status status = check_graph(file, *model);
  if (status == MLPD_OK) return MLPD_OK;
  mlpd_model_free(*model);
  *model = NULL;
  return status;
}
