/* Numbers as several values that are learned, PBLD of RealMLP-TD (Holzmueller, Grinsztajn and Steinwart 2024; after
 * Gorishniy, Rubachev and Babenko 2022): an input x of size 1 becomes [W cos(2 pi f x + p) + b ; x], 16 cosines and 3
 * values beside x; others pass through. A product after it sees functions of x that bend where one of x alone would
 * need many units.
 *
 * Initial values, rate and decay are those of pytabkit: f from N(0, 0.1^2), p from U(-pi, pi), W and b from
 * U(-1, 1) / sqrt(16), all at a tenth of the rate. Each number has a row of each tensor. */
#include "kernels/periodic.h"
#include "network/numbers.h"

enum { FREQUENCY, PHASE, WEIGHT, BIAS, NUM_TENSORS };

/* Of each row and number: cosines, sines and, once delta is known, dC/d phase. The sines stay: the Jacobian of a
 * prediction is a backward pass for each output after a single forward pass. */
enum { SINES = PERIODIC_COSINES, SLOPES = 2 * PERIODIC_COSINES, KEPT = 3 * PERIODIC_COSINES };

static uint32_t periodic_tensors(const layer *l, const layer_spec *spec, tensor made[LAYER_MOST_TENSORS]) {
  const tensor one = {.rows = l->copies * layer_total_size(l),
                      .groups = l->copies,
                      .source = TENSOR_GRADIENT,
                      .rate = 0.1f,
                      .decay = 1};
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

static void forward(const mlpd_network *network, uint32_t l, uint32_t number, float x, float *kept, float *z) {
  const periodic_values of = {numbers_values(network, l, FREQUENCY, number), numbers_values(network, l, PHASE, number),
                              numbers_values(network, l, WEIGHT, number), numbers_values(network, l, BIAS, number)};
  periodic_forward(x, &of, kept, kept + SINES, z);
}

/* dC/d phase of each cosine, while no thread changes the weights. */
static void periodic_settle(const mlpd_network *network, uint32_t l, const block *part, workspace *space) {
  const layer *const shape = &network->layers[l];
  for (uint64_t row = part->row; row < part->row + part->rows; row++) {
    const float *delta = space->delta[l] + row * shape->stride;
    float *kept = space->kept[l] + row * numbers_row_floats(shape);
    uint32_t number = (uint32_t)(row % shape->copies) * numbers_of_member(network, l);
    for (uint32_t i = 0; i < shape->inputs; i++) {
      if (shape->sizes[i] > 0) {
        periodic_slopes(numbers_values(network, l, WEIGHT, number++), delta, kept + SINES, kept + SLOPES);
        kept += KEPT;
      }
      delta += shape->sizes[i] > 0 ? shape->width : 1;
    }
  }
}

static float slope(const mlpd_network *network, uint32_t l, uint32_t number, const float *kept, const float *delta) {
  (void)delta;
  return periodic_input_slope(numbers_values(network, l, FREQUENCY, number), kept + SLOPES);
}

/* Adds one sample's gradient of the number's row of tensor i. */
static void add_row(uint32_t i, float x, const float *kept, const float *delta, float *gradient) {
  if (i == FREQUENCY) periodic_add(6.28318531f * x, kept + SLOPES, gradient);
  if (i == PHASE) periodic_add(1, kept + SLOPES, gradient);
  for (uint32_t j = 0; j < PERIODIC_LEARNED; j++) {
    if (i == WEIGHT) periodic_add(delta[j], kept, gradient + (size_t)j * PERIODIC_COSINES);
    if (i == BIAS) gradient[j] += delta[j];
  }
}

/* Units hold whole rows, which are shorter than any (tensor.c). */
static void add(const mlpd_network *network, const gradient_unit *unit, const number_rows *rows, float *gradient) {
  const uint32_t i = unit->tensor - network->layers[unit->layer].first_tensor;
  for (uint64_t r = 0; r < rows->n; r++)
    add_row(i, rows->x[r * rows->x_stride], rows->kept + r * rows->kept_stride, rows->delta + r * rows->delta_stride,
            gradient);
}

static const numbers_kind numbers = {.kept = KEPT, .forward = forward, .slope = slope, .add = add};

const layer_kind layer_periodic = {.name = "periodic",
                                   .reach = REACH_ROW,
                                   .of_members = true,
                                   .expands = true,
                                   .numbers = &numbers,
                                   .fixed_width = PERIODIC_LEARNED + 1,
                                   .row_floats = numbers_row_floats,
                                   .tensors = periodic_tensors,
                                   .forward = numbers_forward,
                                   .settle = periodic_settle,
                                   .backward = numbers_backward,
                                   .gradient = numbers_gradient};
