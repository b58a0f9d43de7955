/* Numbers as several values that are learned, piecewise-linear embeddings (Gorishniy, Rubachev and Babenko 2022): an
 * input x of size 1 becomes [sum_t c_t W_t ; x]. The edges of the bins t are quantiles of x over the training rows
 * (prepare/column_bins.h), and c_t is the part of bin t that lies below x, from 0 to 1. Other inputs pass through. The
 * values are functions of x that bend at each edge, so that the next product can treat a narrow range of x differently.
 *
 * After version "B" of rtdl_num_embeddings: W starts at 0 beside a linear part. Here the linear part is x itself,
 * which the next product multiplies, and c stays within 0 and 1 in the outermost bins too: beyond the training range
 * only x grows, however narrow these bins are. Each tensor has a row for each number; edges do not learn. With
 * --parametrization ntk the product is sum_t c_t V_t / sqrt(bins): without the root, one step of adam would move the
 * values at the upper end by the rate times the number of bins. */
#include "kernels/piecewise.h"
#include "network/numbers.h"

enum { EDGE, WEIGHT, NUM_TENSORS };

/* Kept for each row and number: its place among the bins. */
enum { FULL, PART, SLOPE, KEPT };

static uint32_t bins_of(const layer *l) { return (uint32_t)l->amount; }

/* The number of learned values of each number, without x. */
static uint32_t learned_of(const layer *l) { return l->width - 1; }

static uint32_t piecewise_tensors(const layer *l, const layer_spec *spec, tensor made[LAYER_MOST_TENSORS]) {
  const tensor one = {.rows = l->copies * layer_total_size(l), .groups = l->copies};
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

static piecewise_place place_of(const float *kept) {
  return (piecewise_place){.full = (uint32_t)kept[FULL], .part = kept[PART], .slope = kept[SLOPE]};
}

static void forward(const mlpd_network *network, uint32_t l, uint32_t number, float x, float *kept, float *z) {
  const layer *const shape = &network->layers[l];
  const piecewise_place at = piecewise_find(x, bins_of(shape), numbers_values(network, l, EDGE, number));
  piecewise_forward(&at, learned_of(shape), numbers_values(network, l, WEIGHT, number), z);
  kept[FULL] = (float)at.full;
  kept[PART] = at.part;
  kept[SLOPE] = at.slope;
}

static float slope(const mlpd_network *network, uint32_t l, uint32_t number, const float *kept, const float *delta) {
  const piecewise_place at = place_of(kept);
  return piecewise_input_slope(&at, learned_of(&network->layers[l]), numbers_values(network, l, WEIGHT, number), delta);
}

static void add(const mlpd_network *network, const gradient_unit *unit, const number_rows *rows, float *gradient) {
  const layer *const shape = &network->layers[unit->layer];
  if (unit->tensor != shape->first_tensor + WEIGHT) return; /* edges have no gradient */
  for (uint64_t r = 0; r < rows->n; r++) {
    const piecewise_place at = place_of(rows->kept + r * rows->kept_stride);
    piecewise_add(&at, learned_of(shape), rows->delta + r * rows->delta_stride, unit->column,
                  unit->column + unit->columns, gradient);
  }
}

static const numbers_kind numbers = {.kept = KEPT, .forward = forward, .slope = slope, .add = add};

const layer_kind layer_piecewise = {.name = "piecewise",
                                    .reach = REACH_ROW,
                                    .of_members = true,
                                    .expands = true,
                                    .numbers = &numbers,
                                    .row_floats = numbers_row_floats,
                                    .tensors = piecewise_tensors,
                                    .forward = numbers_forward,
                                    .backward = numbers_backward,
                                    .gradient = numbers_gradient};
