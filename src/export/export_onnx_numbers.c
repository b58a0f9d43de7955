/* The layer that makes several values of each number, as a part of an ONNX graph. */
#include <stdlib.h>

#include "base/memory.h"
#include "export/export_onnx_rows.h"
#include "kernels/periodic.h"
#include "network/layer_kind.h"

void export_onnx_gather(onnx_graph *g, const char *name, uint32_t count, const int64_t *columns) {
  onnx_apply(g, "Gather", onnx_array(g, name, ONNX_INT64, 1, count, 0, columns).text);
  onnx_set_integer(g, "axis", 1);
}

mlpd_status export_onnx_passed(onnx_graph *g, const layer *of) {
  int64_t *inputs = NULL; /* (outputs) the input that an output begins with */
  double *passes = NULL;  /* (outputs) 1: the output is its input, else 0 */
  TRY(memory_allocate(&inputs, of->outputs, sizeof *inputs, "weights"));
  const mlpd_status status = memory_allocate(&passes, of->outputs, sizeof *passes, "weights");
  for (uint32_t i = 0, output = 0; status == MLPD_OK && i < of->inputs; i++) {
    const uint32_t end = output + (of->sizes[i] > 0 ? of->width : 1);
    passes[end - 1] = 1;
    for (; output < end; output++) inputs[output] = i;
  }
  if (status == MLPD_OK) {
    export_onnx_gather(g, "inputs", of->outputs, inputs);
    onnx_apply(g, "Mul", onnx_vector(g, "passes", of->outputs, passes).text);
  }
  free(passes);
  free(inputs);
  return status;
}

/* What becomes of numbers, array by array: n * 16 cosines of them, and the sums of these. */
typedef struct onnx_numbers {
  uint32_t cosines, outputs, member;
  int64_t *of_cosine;    /* (cosines) its input */
  double *turns, *phase; /* (cosines) */
  double *shift;         /* (outputs) bias */
  float *weight;         /* (cosines, outputs) */
} onnx_numbers;

/* The values of row `number` of a member's part of tensor i. */
static const float *row_of(const mlpd_network *network, uint32_t l, uint32_t i, const onnx_numbers *of,
                           uint32_t number) {
  const tensor *const t = layer_tensor(network, l, i);
  return layer_values(network, l, i) + ((size_t)of->member * tensor_group_rows(t) + number) * t->stride;
}

static void free_numbers(onnx_numbers *of) {
  free(of->of_cosine);
  free(of->turns);
  free(of->weight);
}

static mlpd_status allocate_numbers(const mlpd_network *network, uint32_t l, uint32_t member, onnx_numbers *of) {
  *of = (onnx_numbers){.cosines = layer_total_size(&network->layers[l]) * PERIODIC_COSINES,
                       .outputs = network->layers[l].outputs,
                       .member = member};
  const size_t cosines = of->cosines;
  mlpd_status status = memory_allocate(&of->of_cosine, cosines, sizeof *of->of_cosine, "weights");
  if (status == MLPD_OK) status = memory_allocate(&of->turns, 2 * cosines + of->outputs, sizeof *of->turns, "weights");
  if (status == MLPD_OK) status = memory_allocate(&of->weight, cosines * of->outputs, sizeof *of->weight, "weights");
  if (status != MLPD_OK) return free_numbers(of), status;
  of->phase = of->turns + of->cosines;
  of->shift = of->phase + of->cosines;
  return MLPD_OK;
}

/* A number of input i, whose outputs begin with `output`. */
static void fill_number(const mlpd_network *network, uint32_t l, uint32_t number, uint32_t i, uint32_t output,
                        const onnx_numbers *of) {
  const size_t first = (size_t)number * PERIODIC_COSINES;
  for (uint32_t k = 0; k < PERIODIC_COSINES; k++) {
    of->of_cosine[first + k] = i;
    of->turns[first + k] = 6.283185307179586 * (double)row_of(network, l, 0, of, number)[k];
    of->phase[first + k] = (double)row_of(network, l, 1, of, number)[k];
    for (uint32_t j = 0; j < PERIODIC_LEARNED; j++)
      of->weight[(first + k) * of->outputs + output + j] = row_of(network, l, 2, of, number)[j * PERIODIC_COSINES + k];
  }
  for (uint32_t j = 0; j < PERIODIC_LEARNED; j++) of->shift[output + j] = (double)row_of(network, l, 3, of, number)[j];
}

static void fill_numbers(const mlpd_network *network, uint32_t l, const onnx_numbers *of) {
  const layer *const shape = &network->layers[l];
  for (uint32_t i = 0, number = 0, output = 0; i < shape->inputs; i++) {
    if (shape->sizes[i] > 0) fill_number(network, l, number++, i, output, of);
    output += shape->sizes[i] > 0 ? shape->width : 1;
  }
}

mlpd_status export_onnx_numbers(onnx_graph *g, const mlpd_network *network, uint32_t l, uint32_t member) {
  const onnx_name inputs = g->value;
  onnx_numbers of;
  TRY(export_onnx_passed(g, &network->layers[l]));
  TRY(allocate_numbers(network, l, member, &of));
  fill_numbers(network, l, &of);
  onnx_apply(g, "Add", onnx_vector(g, "bias", of.outputs, of.shift).text);
  const onnx_name passed = g->value;
  g->value = inputs;
  export_onnx_gather(g, "numbers", of.cosines, of.of_cosine);
  onnx_apply(g, "Mul", onnx_vector(g, "frequency", of.cosines, of.turns).text);
  onnx_apply(g, "Add", onnx_vector(g, "phase", of.cosines, of.phase).text);
  onnx_apply(g, "Cos", NULL);
  onnx_apply(g, "MatMul", onnx_array(g, "weight", ONNX_FLOAT, 2, of.cosines, of.outputs, of.weight).text);
  onnx_apply(g, "Add", passed.text);
  free_numbers(&of);
  return MLPD_OK;
}
