/* Categories as values that are learned: an input that holds the code of one of `sizes` categories becomes a row of the
 * table, `width` values; other inputs pass through. What is no code (-1: a category that the model does not know)
 * becomes zeros. Members that share nothing have a table each, one below the other.
 *
 * Rows start from N(0, 1) (RealMLP: Holzmueller, Grinsztajn and Steinwart 2024) and do not decay (FT-Transformer:
 * Gorishniy et al. 2021): a rare category has few gradients, but would decay in every step. */
#include <string.h>

#include "network/layer_kind.h"

static uint32_t embed_tensors(const layer *l, const layer_spec *spec, tensor made[LAYER_MOST_TENSORS]) {
  (void)spec;
  made[0] = (tensor){.name = "table",
                     .rows = l->copies * layer_total_size(l),
                     .columns = l->width,
                     .groups = l->copies,
                     .source = TENSOR_GRADIENT,
                     .rate = 1,
                     .start = TENSOR_NORMAL};
  return 1;
}

/* Is x one of the codes 0 to size - 1? NaN is none. */
static bool is_code(float x, uint32_t size) { return x >= 0 && x < (float)size; }

static void embed_row(const layer *shape, const tensor *t, const float *table, const float *x, float *z) {
  for (uint32_t i = 0; i < shape->inputs; i++) {
    if (shape->sizes[i] == 0) {
      *z++ = x[i];
      continue;
    }
    if (is_code(x[i], shape->sizes[i]))
      memcpy(z, table + (size_t)x[i] * t->stride, shape->width * sizeof *z);
    else
      memset(z, 0, shape->width * sizeof *z);
    table += (size_t)shape->sizes[i] * t->stride;
    z += shape->width;
  }
}

static void embed_forward(const mlpd_network *network, const backend *gemm, uint32_t l, const block *part,
                          workspace *space) {
  const layer *const shape = &network->layers[l];
  const tensor *const t = layer_tensor(network, l, 0);
  const size_t table = (size_t)tensor_group_rows(t) * t->stride;
  (void)gemm;
  for (uint64_t row = part->row; row < part->row + part->rows; row++)
    embed_row(shape, t, layer_values(network, l, 0) + row % shape->copies * table, layer_input(network, space, l, row),
              space->z[l] + row * shape->stride);
  layer_activate(network, l, part, NULL, space);
}

/* Codes have no derivative: 0. */
static void embed_backward(const mlpd_network *network, const backend *gemm, uint32_t l, const block *part,
                           workspace *space) {
  const layer *const shape = &network->layers[l];
  float *to = layer_delta_below(network, space, l, part);
  (void)gemm;
  for (uint64_t row = part->row; row < part->row + part->rows; row++, to += layer_input_stride(network, l)) {
    const float *delta = space->delta[l] + row * shape->stride;
    for (uint32_t i = 0; i < shape->inputs; i++) {
      to[i] = shape->sizes[i] > 0 ? 0 : *delta;
      delta += shape->sizes[i] > 0 ? shape->width : 1;
    }
  }
}

/* An input whose rows of the unit's table begin with `first`, and whose outputs begin with column `output`. */
typedef struct embedded_input {
  uint32_t input, first, output;
} embedded_input;

/* Adds the deltas of n rows, those of the unit's member, to the rows of the table that they took, one after the other,
 * as far as the unit has them. */
static void add_deltas(const mlpd_network *network, const gradient_unit *unit, const embedded_input *of, uint64_t row,
                       uint64_t n, const workspace *space, float *gradient, uint32_t stride) {
  const layer *const shape = &network->layers[unit->layer];
  const uint32_t group_rows = tensor_group_rows(layer_tensor(network, unit->layer, 0));
  const uint32_t member = unit->row / group_rows, begin = unit->row % group_rows;
  for (uint64_t r = row + member; r < row + n; r += shape->copies) {
    const float x = layer_input(network, space, unit->layer, r)[of->input];
    if (!is_code(x, shape->sizes[of->input])) continue;
    const uint32_t taken = of->first + (uint32_t)x;
    if (taken < begin || taken >= begin + unit->rows) continue;
    const float *const delta = space->delta[unit->layer] + r * shape->stride + of->output + unit->column;
    float *const to = gradient + (size_t)(taken - begin) * stride;
    for (uint32_t j = 0; j < unit->columns; j++) to[j] += delta[j];
  }
}

static void embed_gradient(const mlpd_network *network, const gradient_unit *unit, uint64_t row, uint64_t n,
                           const workspace *space, float *gradient, uint32_t stride) {
  const layer *const shape = &network->layers[unit->layer];
  const uint32_t begin = unit->row % tensor_group_rows(layer_tensor(network, unit->layer, 0));
  embedded_input of = {0};
  for (uint32_t i = 0; i < unit->rows; i++) memset(gradient + (size_t)i * stride, 0, unit->columns * sizeof *gradient);
  for (; of.input < shape->inputs; of.input++) {
    const uint32_t size = shape->sizes[of.input];
    if (size > 0 && of.first < begin + unit->rows && of.first + size > begin)
      add_deltas(network, unit, &of, row, n, space, gradient, stride);
    of.first += size;
    of.output += size > 0 ? shape->width : 1;
  }
}

const layer_kind layer_embed = {.name = "embed",
                                .reach = REACH_ROW,
                                .of_members = true,
                                .expands = true,
                                .tensors = embed_tensors,
                                .forward = embed_forward,
                                .backward = embed_backward,
                                .gradient = embed_gradient};
