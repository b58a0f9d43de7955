/* The layer of numbers in bins, as a part of an ONNX graph. */
#include <stdlib.h>

#include "base/memory.h"
#include "export/export_onnx_rows.h"
#include "network/layer_kind.h"

/* A file of ONNX holds 2 GiB at most; a matrix of bins has a block of weights for each number, and zeros. */
static const uint64_t MOST_WEIGHTS = UINT64_C(1) << 28;

/* What becomes of numbers, array by array: n * bins parts of bins, and the sums of these. */
typedef struct onnx_bins {
  uint32_t bins, parts, outputs, member;
  int64_t *of_part;      /* (parts) its input */
  double *low, *inverse; /* (parts) lower edge, and 1 / width; 0 of an empty bin */
  float *weight;         /* (parts, outputs) */
} onnx_bins;

static void free_bins(onnx_bins *of) {
  free(of->of_part);
  free(of->low);
  free(of->weight);
}

static mlpd_status allocate_bins(const mlpd_network *network, uint32_t l, uint32_t member, onnx_bins *of) {
  const uint32_t bins = layer_tensor(network, l, 0)->columns - 1, numbers = layer_total_size(&network->layers[l]);
  const uint64_t parts = (uint64_t)numbers * bins, outputs = network->layers[l].outputs;
  *of = (onnx_bins){.bins = bins, .outputs = (uint32_t)outputs, .member = member};
  if (parts > MOST_WEIGHTS / outputs)
    return FAIL(MLPD_ERROR_USAGE,
                "layer %u, %u numbers of %u bins each, is too large for ONNX; export .c, .json or .npz, or train with "
                "fewer --embed-bins",
                l + 1, numbers, bins);
  of->parts = (uint32_t)parts;
  mlpd_status status = memory_allocate(&of->of_part, parts, sizeof *of->of_part, "weights");
  if (status == MLPD_OK) status = memory_allocate(&of->low, 2 * parts, sizeof *of->low, "weights");
  if (status == MLPD_OK) status = memory_allocate(&of->weight, parts * outputs, sizeof *of->weight, "weights");
  if (status != MLPD_OK) return free_bins(of), status;
  of->inverse = of->low + parts;
  return MLPD_OK;
}

/* A number of input i, whose outputs begin with `output`. */
static void fill_number(const mlpd_network *network, uint32_t l, uint32_t number, uint32_t i, uint32_t output,
                        const onnx_bins *of) {
  const tensor *const edge = layer_tensor(network, l, 0), *const weight = layer_tensor(network, l, 1);
  const size_t row = (size_t)of->member * tensor_group_rows(edge) + number;
  const float *const edges = layer_values(network, l, 0) + row * edge->stride;
  const float *const weights = layer_values(network, l, 1) + row * weight->stride;
  const uint32_t learned = network->layers[l].width - 1;
  for (uint32_t t = 0; t < of->bins; t++) {
    const size_t part = (size_t)number * of->bins + t;
    of->of_part[part] = i;
    of->low[part] = (double)edges[t];
    of->inverse[part] = edges[t] < edges[t + 1] ? 1 / ((double)edges[t + 1] - (double)edges[t]) : 0;
    for (uint32_t j = 0; j < learned; j++)
      of->weight[part * of->outputs + output + j] = weights[(size_t)t * learned + j];
  }
}

static void fill_bins(const mlpd_network *network, uint32_t l, const onnx_bins *of) {
  const layer *const shape = &network->layers[l];
  for (uint32_t i = 0, number = 0, output = 0; i < shape->inputs; i++) {
    if (shape->sizes[i] > 0) fill_number(network, l, number++, i, output, of);
    output += shape->sizes[i] > 0 ? shape->width : 1;
  }
}

/* 1 - relu(value) */
static void add_rest(onnx_graph *g, const onnx_name *minus, const onnx_name *one) {
  onnx_apply(g, "Relu", NULL);
  onnx_apply(g, "Mul", minus->text);
  onnx_apply(g, "Add", one->text);
}

/* c = 1 - relu(1 - relu((x - low) / width)), within 0 and 1 and exact however far x is from the bin. */
static void add_parts(onnx_graph *g, const onnx_bins *of) {
  const onnx_name minus = onnx_scalar(g, "minus", -1), one = onnx_scalar(g, "one", 1);
  export_onnx_gather(g, "numbers", of->parts, of->of_part);
  onnx_apply(g, "Sub", onnx_vector(g, "low", of->parts, of->low).text);
  onnx_apply(g, "Mul", onnx_vector(g, "inverse", of->parts, of->inverse).text);
  add_rest(g, &minus, &one);
  add_rest(g, &minus, &one);
}

mlpd_status export_onnx_bins(onnx_graph *g, const mlpd_network *network, uint32_t l, uint32_t member) {
  const onnx_name inputs = g->value;
  onnx_bins of;
  TRY(export_onnx_passed(g, &network->layers[l]));
  const onnx_name passed = g->value;
  TRY(allocate_bins(network, l, member, &of));
  fill_bins(network, l, &of);
  g->value = inputs;
  add_parts(g, &of);
  onnx_apply(g, "MatMul", onnx_array(g, "weight", ONNX_FLOAT, 2, of.parts, of.outputs, of.weight).text);
  onnx_apply(g, "Add", passed.text);
  free_bins(&of);
  return MLPD_OK;
}
