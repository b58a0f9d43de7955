/* Numbers as several values that are learned, piecewise-linear embeddings (Gorishniy, Rubachev and Babenko 2022): an
 * input x of size 1 becomes [sum_t c_t W_t ; x]. The edges of the bins t are quantiles of x over the training rows
 * (run/column_bins.h), and c_t is the part of bin t that lies below x, from 0 to 1. Other inputs pass through. The
 * values are functions of x that bend at each edge, so that the next product can treat a narrow range of x differently.
 *
 * After version "B" of rtdl_num_embeddings: W starts at 0 beside a linear part. Here the linear part is x itself,
 * which the next product multiplies, and c stays within 0 and 1 in the outermost bins too: beyond the training range
 * only x grows, however narrow these bins are. Each tensor has a row for each number; edges do not learn. With
 * --parametrization ntk the product is sum_t c_t V_t / sqrt(bins): without the root, one step of adam would move the
 * values at the upper end by the rate times the number of bins. */
#include <string.h>

#include "kernels/piecewise.h"
#include "network/layer_kind.h"

enum { EDGE, WEIGHT, NUM_TENSORS };

/* Kept for each row and number: its place among the bins. */
enum { FULL, PART, SLOPE, KEPT };

static uint32_t piecewise_row_floats(const layer *l) { return layer_total_size(l) * KEPT; }

static uint32_t bins_of(const layer *l) { return (uint32_t)l->amount; }

/* The number of learned values of each number, without x. */
static uint32_t learned_of(const layer *l) { return l->width - 1; }

static uint32_t outputs_of(const layer *l, uint32_t input) { return l->sizes[input] > 0 ? l->width : 1; }

static uint32_t piecewise_tensors(const layer *l, const layer_spec *spec, tensor made[LAYER_MOST_TENSORS]) {
  const tensor one = {.rows = layer_total_size(l)};
  made[EDGE] = made[WEIGHT] = one;
  made[EDGE].name = "edge";
  made[EDGE].columns = bins_of(l) + 1;
  made[EDGE].source = TENSOR_FIXED;
  made[WEIGHT].name = "weight";
  made[WEIGHT].columns = bins_of(l) * learned_of(l);
  made[WEIGHT].source = TENSOR_GRADIENT;
  made[WEIGHT].rate = spec->learning != NULL ? spec->learning->rate : 1;
  made[WEIGHT].decay = spec->learning != NULL ? spec->learning->decay : 1;
  return NUM_TENSORS;
}

/* Row `number` of tensor i. */
static const float *row_of(const mlpd_network *network, uint32_t l, uint32_t i, uint32_t number) {
  return layer_values(network, l, i) + (size_t)number * layer_tensor(network, l, i)->stride;
}

static float *kept_of(const layer *shape, const workspace *space, uint32_t l, uint64_t row, uint32_t number) {
  return space->kept[l] + row * piecewise_row_floats(shape) + (size_t)number * KEPT;
}

static piecewise_place place_of(const float *kept) {
  return (piecewise_place){.full = (uint32_t)kept[FULL], .part = kept[PART], .slope = kept[SLOPE]};
}

static void forward_row(const mlpd_network *network, uint32_t l, const float *x, float *kept, float *z) {
  const layer *const shape = &network->layers[l];
  const uint32_t learned = learned_of(shape);
  uint32_t number = 0;
  for (uint32_t i = 0; i < shape->inputs; i++) {
    if (shape->sizes[i] > 0) {
      const piecewise_place at = piecewise_find(x[i], bins_of(shape), row_of(network, l, EDGE, number));
      piecewise_forward(&at, learned, row_of(network, l, WEIGHT, number), z);
      kept[FULL] = (float)at.full;
      kept[PART] = at.part;
      kept[SLOPE] = at.slope;
      z += learned;
      kept += KEPT;
      number++;
    }
    *z++ = x[i];
  }
}

static void piecewise_forward_block(const mlpd_network *network, const backend *gemm, uint32_t l, const block *part,
                                    workspace *space) {
  const layer *const shape = &network->layers[l];
  (void)gemm;
  for (uint64_t row = part->row; row < part->row + part->rows; row++)
    forward_row(network, l, layer_input(network, space, l, row), kept_of(shape, space, l, row, 0),
                space->z[l] + row * shape->stride);
  layer_activate(network, l, part, NULL, space);
}

static void piecewise_backward(const mlpd_network *network, const backend *gemm, uint32_t l, const block *part,
                               workspace *space) {
  const layer *const shape = &network->layers[l];
  const uint32_t learned = learned_of(shape);
  float *to = layer_delta_below(network, space, l, part);
  (void)gemm;
  for (uint64_t row = part->row; row < part->row + part->rows; row++, to += layer_input_stride(network, l)) {
    const float *delta = space->delta[l] + row * shape->stride;
    for (uint32_t i = 0, number = 0; i < shape->inputs; i++) {
      to[i] = delta[outputs_of(shape, i) - 1];
      if (shape->sizes[i] > 0) {
        const piecewise_place at = place_of(kept_of(shape, space, l, row, number));
        to[i] += piecewise_input_slope(&at, learned, row_of(network, l, WEIGHT, number), delta);
        number++;
      }
      delta += outputs_of(shape, i);
    }
  }
}

/* A number of a layer, and its first output. */
typedef struct embedded_number {
  uint32_t number, output;
} embedded_number;

/* The gradient of the unit's part of a number's row. */
static void add_rows(const gradient_unit *unit, const layer *shape, const embedded_number *of, uint64_t row, uint64_t n,
                     const workspace *space, float *gradient) {
  for (uint64_t r = row; r < row + n; r++) {
    const piecewise_place at = place_of(kept_of(shape, space, unit->layer, r, of->number));
    piecewise_add(&at, learned_of(shape), space->delta[unit->layer] + r * shape->stride + of->output, unit->column,
                  unit->column + unit->columns, gradient);
  }
}

static void piecewise_gradient(const mlpd_network *network, const gradient_unit *unit, uint64_t row, uint64_t n,
                               const workspace *space, float *gradient, uint32_t stride) {
  const layer *const shape = &network->layers[unit->layer];
  const uint32_t tensor = unit->tensor - shape->first_tensor;
  embedded_number of = {0};
  for (uint32_t i = 0; i < unit->rows; i++) memset(gradient + (size_t)i * stride, 0, unit->columns * sizeof *gradient);
  for (uint32_t i = 0; tensor == WEIGHT && i < shape->inputs; i++) {
    const bool is_number = shape->sizes[i] > 0;
    if (is_number && of.number >= unit->row && of.number < unit->row + unit->rows)
      add_rows(unit, shape, &of, row, n, space, gradient + (size_t)(of.number - unit->row) * stride);
    of.number += is_number;
    of.output += outputs_of(shape, i);
  }
}

const layer_kind layer_piecewise = {.name = "piecewise",
                                    .reach = REACH_ROW,
                                    .expands = true,
                                    .of_numbers = true,
                                    .row_floats = piecewise_row_floats,
                                    .tensors = piecewise_tensors,
                                    .forward = piecewise_forward_block,
                                    .backward = piecewise_backward,
                                    .gradient = piecewise_gradient};
