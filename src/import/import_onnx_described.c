#include "import/import_onnx_described.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "export/export.h"
#include "import/import_described.h"
#include "import/onnx_constant.h"
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

static mlpd_status take_graph(void *context, const protobuf_field *field) {
  protobuf_slice *const graph = context;
  if (field->number == ONNX_MODEL_GRAPH) *graph = field->slice;
  return MLPD_OK;
}

/* Does the model export this graph? */
static mlpd_status check_graph(const onnx_file *file, const mlpd_model *model) {
  protobuf made = {0};
  protobuf_slice graph = {0};
  mlpd_status status = export_onnx_graph(model, &made);
  if (status == MLPD_OK && made.failed) status = FAIL(MLPD_ERROR_MEMORY, "out of memory, importing");
  if (status == MLPD_OK) status = protobuf_visit((protobuf_slice){made.bytes, made.count}, take_graph, &graph);
  if (status == MLPD_OK && !protobuf_slices_equal(graph, file->graph))
    status = FAIL(MLPD_ERROR_DATA, "the graph is not that of the model described");
  protobuf_free(&made);
  return status;
}

mlpd_status import_onnx_described(const onnx_file *file, mlpd_model **model) {
  const protobuf_slice text = onnx_about(file, ONNX_DESCRIPTION);
  *model = NULL;
  if (text.count == 0 || !protobuf_slice_is(file->producer, "mlpdist")) return MLPD_OK;
  TRY(import_described((const char *)text.bytes, text.count, file->graph.count + text.count, read_tensor, (void *)file,
                       model));
  const mlpd_status status = check_graph(file, *model);
  if (status == MLPD_OK) return MLPD_OK;
  mlpd_model_free(*model);
  *model = NULL;
  return status;
}
