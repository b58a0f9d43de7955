/* Numbers as several values that are learned, PBLD of RealMLP-TD (Holzmueller, Grinsztajn and Steinwart 2024; after
 * Gorishniy, Rubachev and Babenko 2022): an input x of size 1 becomes [W cos(2 pi f x + p) + b ; x], 16 cosines and 3
 * values beside x; others pass through. A product after it sees functions of x that bend where one of x alone would
 * need many units.
 *
 * Initial values, rate and decay are those of pytabkit: f from N(0, 0.1^2), p from U(-pi, pi), W and b from
 * U(-1, 1) / sqrt(16), all at a tenth of the rate. Each number has a row of each tensor. */
#include <string.h>

#include "kernels/periodic.h"
#include "network/layer_kind.h"

enum { FREQUENCY, PHASE, WEIGHT, BIAS, NUM_TENSORS };

/* Of each row and number: cosines, sines and, once delta is known, dC/d phase. The sines stay: the Jacobian of a
 * prediction is a backward pass for each output after a single forward pass. */
enum { SINES = PERIODIC_COSINES, SLOPES = 2 * PERIODIC_COSINES, KEPT = 3 * PERIODIC_COSINES };

static uint32_t periodic_row_floats(const layer *l) { return layer_total_size(l) * KEPT; }

static uint32_t periodic_tensors(const layer *l, const layer_spec *spec, tensor made[LAYER_MOST_TENSORS]) {
  const tensor one = {.rows = layer_total_size(l), .source = TENSOR_GRADIENT, .rate = 0.1f, .decay = 1};
  (void)spec;
  for (int i = 0; i < NUM_TENSORS; i++) {
    made[i] = one;
    made[i].columns = i == WEIGHT ? PERIODIC_WEIGHTS : i == BIAS ? PERIODIC_LEARNED : PERIODIC_COSINES;
    made[i].start = i == FREQUENCY ? TENSOR_NORMAL : TENSOR_UNIFORM;
    made[i].spread = i == FREQUENCY ? 0.1f : i == PHASE ? 3.14159265f : 0.25f;
  }
  made[FREQUENCY].name = "frequency";
  made[PHASE].name = "phase";
  made[WEIGHT].name = "weight";
  made[BIAS].name = "bias";
  return NUM_TENSORS;
}

static uint32_t outputs_of(const layer *l, uint32_t input) { return l->sizes[input] > 0 ? l->width : 1; }

/* Row `number` of tensor i. */
static const float *row_of(const mlpd_network *network, uint32_t l, uint32_t i, uint32_t number) {
  return layer_values(network, l, i) + (size_t)number * layer_tensor(network, l, i)->stride;
}

static float *kept_of(const layer *shape, const workspace *space, uint32_t l, uint64_t row, uint32_t number) {
  return space->kept[l] + row * periodic_row_floats(shape) + (size_t)number * KEPT;
}

static void forward_row(const mlpd_network *network, uint32_t l, const float *x, float *kept, float *z) {
  const layer *const shape = &network->layers[l];
  uint32_t number = 0;
  for (uint32_t i = 0; i < shape->inputs; i++) {
    if (shape->sizes[i] > 0) {
      const periodic_values of = {row_of(network, l, FREQUENCY, number), row_of(network, l, PHASE, number),
                                  row_of(network, l, WEIGHT, number), row_of(network, l, BIAS, number)};
      periodic_forward(x[i], &of, kept, kept + SINES, z);
      z += PERIODIC_LEARNED;
      kept += KEPT;
      number++;
    }
    *z++ = x[i];
  }
}

static void periodic_forward_block(const mlpd_network *network, const backend *gemm, uint32_t l, const block *part,
                                   workspace *space) {
  const layer *const shape = &network->layers[l];
  (void)gemm;
  for (uint64_t row = part->row; row < part->row + part->rows; row++)
    forward_row(network, l, layer_input(network, space, l, row), kept_of(shape, space, l, row, 0),
                space->z[l] + row * shape->stride);
  layer_activate(network, l, part, NULL, space);
}

/* dC/d phase of each cosine, while no thread changes the weights. */
static void periodic_settle(const mlpd_network *network, uint32_t l, const block *part, workspace *space) {
  const layer *const shape = &network->layers[l];
  for (uint64_t row = part->row; row < part->row + part->rows; row++) {
    const float *delta = space->delta[l] + row * shape->stride;
    uint32_t number = 0;
    for (uint32_t i = 0; i < shape->inputs; i++) {
      if (shape->sizes[i] > 0) {
        float *const kept = kept_of(shape, space, l, row, number);
        periodic_slopes(row_of(network, l, WEIGHT, number), delta, kept + SINES, kept + SLOPES);
        number++;
      }
      delta += outputs_of(shape, i);
    }
  }
}

static void periodic_backward(const mlpd_network *network, const backend *gemm, uint32_t l, const block *part,
                              workspace *space) {
  const layer *const shape = &network->layers[l];
  float *to = layer_delta_below(network, space, l, part);
  (void)gemm;
  for (uint64_t row = part->row; row < part->row + part->rows; row++, to += layer_input_stride(network, l)) {
    const float *delta = space->delta[l] + row * shape->stride;
    uint32_t number = 0;
    for (uint32_t i = 0; i < shape->inputs; i++) {
      const bool learns = shape->sizes[i] > 0;
      if (learns) delta += PERIODIC_LEARNED;
      to[i] = *delta++;
      if (!learns) continue;
      to[i] +=
          periodic_input_slope(row_of(network, l, FREQUENCY, number), kept_of(shape, space, l, row, number) + SLOPES);
      number++;
    }
  }
}

/* A number of a layer: its input, its row of the tensors, and its first output. */
typedef struct embedded_number {
  uint32_t input, number, output;
} embedded_number;

/* Adds one sample's gradient of the number's row of tensor i. */
static void add_row(const mlpd_network *network, uint32_t l, uint32_t i, const embedded_number *of, uint64_t row,
                    const workspace *space, float *gradient) {
  const layer *const shape = &network->layers[l];
  const float *const cosine = kept_of(shape, space, l, row, of->number), *const slope = cosine + SLOPES;
  const float *const delta = space->delta[l] + row * shape->stride + of->output;
  if (i == FREQUENCY)
    periodic_add(6.28318531f * layer_input(network, space, l, row)[of->input], slope, gradient);
  else if (i == PHASE)
    periodic_add(1, slope, gradient);
  for (uint32_t j = 0; j < PERIODIC_LEARNED; j++) {
    if (i == WEIGHT) periodic_add(delta[j], cosine, gradient + (size_t)j * PERIODIC_COSINES);
    if (i == BIAS) gradient[j] += delta[j];
  }
}

/* Units hold whole rows, which are shorter than any (tensor.c). */
static void periodic_gradient(const mlpd_network *network, const gradient_unit *unit, uint64_t row, uint64_t n,
                              const workspace *space, float *gradient, uint32_t stride) {
  const uint32_t l = unit->layer, i = unit->tensor - network->layers[l].first_tensor;
  const layer *const shape = &network->layers[l];
  embedded_number of = {0};
  for (; of.input < shape->inputs; of.input++) {
    const bool is_number = shape->sizes[of.input] > 0;
    if (is_number && of.number >= unit->row && of.number < unit->row + unit->rows) {
      float *const to = gradient + (size_t)(of.number - unit->row) * stride;
      memset(to, 0, unit->columns * sizeof *to);
      for (uint64_t r = row; r < row + n; r++) add_row(network, l, i, &of, r, space, to);
    }
    of.number += is_number;
    of.output += outputs_of(shape, of.input);
  }
}

const layer_kind layer_periodic = {.name = "periodic",
                                   .reach = REACH_ROW,
                                   .expands = true,
                                   .of_numbers = true,
                                   .fixed_width = PERIODIC_LEARNED + 1,
                                   .row_floats = periodic_row_floats,
                                   .tensors = periodic_tensors,
                                   .forward = periodic_forward_block,
                                   .settle = periodic_settle,
                                   .backward = periodic_backward,
                                   .gradient = periodic_gradient};
