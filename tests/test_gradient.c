/* Compares the gradients of the training code with central differences, and with examples computed by hand, in double.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "kernels/multiversion.h"
#include "loss/loss.h"
#include "reference.h"

enum { MAX_LAYERS = 4, MAX_WIDTH = 700, ROWS = 5 };

/* A network in double: w (inputs, outputs) and b (outputs) a layer, dw and db their gradients. */
typedef struct reference_network {
  uint32_t num_layers, widths[MAX_LAYERS + 1];
  mlpd_activation activations[MAX_LAYERS];
  double *w[MAX_LAYERS], *b[MAX_LAYERS], *dw[MAX_LAYERS], *db[MAX_LAYERS];
} reference_network;

static reference_network reference_copy(mlpd_network *network) {
  reference_network r = {.num_layers = mlpd_network_num_layers(network)};
  for (uint32_t l = 0; l < r.num_layers; l++) {
    const mlpd_layer_view view = mlpd_network_layer(network, l);
    const size_t size = (size_t)view.inputs * view.outputs;
    r.widths[l] = view.inputs;
    r.widths[l + 1] = view.outputs;
    r.activations[l] = view.activation;
    r.w[l] = calloc(2 * (size + view.outputs), sizeof(double));
    assert_non_null(r.w[l]);
    r.b[l] = r.w[l] + size;
    r.dw[l] = r.b[l] + view.outputs;
    r.db[l] = r.dw[l] + size;
    for (size_t i = 0; i < size; i++) r.w[l][i] = view.weight[i / view.outputs * view.weight_stride + i % view.outputs];
    for (uint32_t j = 0; j < view.outputs; j++) r.b[l][j] = view.bias[j];
  }
  return r;
}

static void reference_free(reference_network *r) {
  for (uint32_t l = 0; l < r->num_layers; l++) free(r->w[l]);
}

/* a[l + 1], z[l + 1] (width) of one row x. */
static void reference_forward(const reference_network *r, const float *x, double a[][MAX_WIDTH],
                              double z[][MAX_WIDTH]) {
  for (uint32_t j = 0; j < r->widths[0]; j++) a[0][j] = x[j];
  for (uint32_t l = 0; l < r->num_layers; l++) {
    const uint32_t width = r->widths[l + 1];
    memcpy(z[l + 1], r->b[l], width * sizeof(double));
    for (uint32_t p = 0; p < r->widths[l]; p++)
      for (uint32_t j = 0; j < width; j++) z[l + 1][j] += a[l][p] * r->w[l][(size_t)p * width + j];
    reference_activate(r->activations[l], width, z[l + 1], a[l + 1]);
  }
}

/* Adds the gradients of one row, given its target (outputs), to dw and db. */
static void reference_backward(const reference_network *r, mlpd_loss loss, double a[][MAX_WIDTH], double z[][MAX_WIDTH],
                               const double *target) {
  static double delta[MAX_WIDTH], below[MAX_WIDTH];
  const uint32_t last = r->num_layers;
  reference_delta(loss, r->activations[last - 1], r->widths[last], z[last], a[last], target, delta);
  for (uint32_t l = last; l-- > 0;) {
    const uint32_t width = r->widths[l + 1];
    for (uint32_t j = 0; j < width; j++) r->db[l][j] += delta[j];
    for (uint32_t p = 0; p < r->widths[l]; p++) {
      below[p] = 0;
      for (uint32_t j = 0; j < width; j++) {
        r->dw[l][(size_t)p * width + j] += a[l][p] * delta[j];
        below[p] += delta[j] * r->w[l][(size_t)p * width + j];
      }
      if (l > 0) below[p] *= reference_slope(r->activations[l - 1], z[l][p]);
    }
    memcpy(delta, below, r->widths[l] * sizeof(double));
  }
}

/* Sum over the rows of x (ROWS, inputs) of the loss against y (ROWS, outputs); gradients too, where asked. */
static double reference_cost(const reference_network *r, mlpd_loss loss, const float *x, const float *y,
                             bool with_gradient) {
  static double a[MAX_LAYERS + 1][MAX_WIDTH], z[MAX_LAYERS + 1][MAX_WIDTH], target[MAX_WIDTH];
  const uint32_t last = r->num_layers, outputs = r->widths[last], targets = reference_targets(loss, outputs);
  double sum = 0;
  for (uint32_t i = 0; i < ROWS; i++) {
    reference_forward(r, x + i * r->widths[0], a, z);
    for (uint32_t j = 0; j < targets; j++) target[j] = y[i * targets + j];
    sum += reference_loss(loss, outputs, z[last], a[last], target);
    if (with_gradient) reference_backward(r, loss, a, z, target);
  }
  return sum;
}

/* Central difference of the cost in one parameter. */
static double slope_in(const reference_network *r, mlpd_loss loss, const float *x, const float *y, double *parameter) {
  static const double STEP = 1e-6;
  const double kept = *parameter;
  *parameter = kept + STEP;
  const double above = reference_cost(r, loss, x, y, false);
  *parameter = kept - STEP;
  const double below = reference_cost(r, loss, x, y, false);
  *parameter = kept;
  return (above - below) / (2 * STEP);
}

/* Compares gradient (size) with expected (size), and with central differences in some of parameters (size):
 * about limit of them, the last one always. Returns the largest slope seen. */
static double check_array(const reference_network *r, mlpd_loss loss, const float *x, const float *y,
                          double *parameters, const double *expected, const float *gradient, size_t size, size_t limit,
                          const char *what) {
  const size_t stride = size / limit + 1;
  double largest = 0, worst = 0;
  for (size_t i = 0; i < size; i++) {
    const bool sampled = i % stride == 0 || i + 1 == size;
    const double slope = sampled ? slope_in(r, loss, x, y, &parameters[i]) : expected[i];
    largest = fmax(largest, fabs(slope));
    const double error = fabs(slope - (double)gradient[i]) + fabs(expected[i] - (double)gradient[i]);
    assert_true((bool)isfinite(error));
    worst = fmax(worst, error);
  }
  if (worst > 2e-5 * (1 + largest))
    fail_msg("%s, %u layers, loss %s, activations %s and %s: off by %g of %g", what, r->num_layers,
             mlpd_choice_name(mlpd_loss_choices, (int)loss),
             mlpd_choice_name(mlpd_activation_choices, (int)r->activations[0]),
             mlpd_choice_name(mlpd_activation_choices, (int)r->activations[r->num_layers - 1]), worst, largest);
  return largest;
}

static void draw_sample(mlpd_loss loss, uint32_t inputs, uint32_t outputs, uint32_t seed, float *x, float *y) {
  rng draws = rng_start(seed, RNG_SPLIT_ROWS, inputs, outputs);
  for (uint32_t i = 0; i < ROWS * inputs; i++) x[i] = (float)rng_normal(&draws);
  for (uint32_t i = 0; i < ROWS * outputs; i++) y[i] = (float)rng_uniform(&draws);
  if (loss != MLPD_CROSS_ENTROPY) return;
  memset(y, 0, ROWS * outputs * sizeof *y);
  for (uint32_t i = 0; i < ROWS; i++) y[i * outputs + (uint32_t)rng_below(&draws, outputs)] = 1;
}

static void check_network(uint32_t num_layers, const uint32_t *widths, mlpd_activation hidden, mlpd_activation output,
                          mlpd_loss loss, size_t limit) {
  static float x[ROWS * MAX_WIDTH], y[ROWS * MAX_WIDTH];
  mlpd_activation activations[MAX_LAYERS] = {0};
  for (uint32_t l = 0; l < num_layers; l++) activations[l] = l + 1 < num_layers ? hidden : output;
  mlpd_network *network = NULL;
  assert_int_equal(mlpd_network_create(num_layers, widths, activations, &network), MLPD_OK);
  mlpd_network_init(network, MLPD_INIT_AUTO, 10);
  for (uint32_t l = 0; l < num_layers; l++)
    for (uint32_t j = 0; j < widths[l + 1]; j++)
      mlpd_network_layer(network, l).bias[j] = 0.1f * (float)((int)(j % 7) - 2);
  draw_sample(loss, widths[0], widths[num_layers], 1 + num_layers, x, y);

  mlpd_trace trace;
  assert_int_equal(mlpd_network_trace(network, loss, ROWS, x, y, &trace), MLPD_OK);
  reference_network r = reference_copy(network);
  const double cost = reference_cost(&r, loss, x, y, true);
  assert_true(fabs(trace.loss - cost) <= 1e-5 * (1 + cost));
  for (uint32_t l = 0; l < num_layers; l++) {
    const size_t size = (size_t)widths[l] * widths[l + 1];
    /* An all-zero gradient would agree with anything that is all zero. */
    assert_true(check_array(&r, loss, x, y, r.w[l], r.dw[l], trace.weight_gradient[l], size, limit, "weights") > 1e-4);
    assert_true(check_array(&r, loss, x, y, r.b[l], r.db[l], trace.bias_gradient[l], widths[l + 1], limit, "biases") >
                1e-4);
  }
  reference_free(&r);
  mlpd_trace_free(&trace);
  mlpd_network_free(network);
}

static void test_every_activation(void **state) {
  (void)state;
  const uint32_t widths[] = {7, 13, 5, 3};
  for (mlpd_activation kind = 0; kind < MLPD_SOFTMAX; kind++) {
    check_network(3, widths, kind, MLPD_SOFTMAX, MLPD_CROSS_ENTROPY, 1000);
    check_network(2, widths, kind, kind, MLPD_MSE, 1000);
  }
}

static void test_every_loss(void **state) {
  (void)state;
  const uint32_t odd[] = {6, 11, 9, 5, 3}, even[] = {6, 12, 8, 6, 4};
  for (mlpd_loss loss = MLPD_MSE; loss < MLPD_NUM_LOSSES; loss++)
    for (mlpd_activation output = 0; output < MLPD_NUM_ACTIVATIONS; output++)
      if (loss_check(loss, output) == MLPD_OK)
        for (uint32_t num_layers = 1; num_layers <= MAX_LAYERS; num_layers++)
          check_network(num_layers, loss == MLPD_GAUSSIAN ? even : odd, MLPD_TANH, output, loss, 40);
}

/* Past the blocks in which layers are cut (256 columns, 128 rows and less). */
static void test_wide_layers(void **state) {
  (void)state;
#ifdef UNDER_SANITIZER /* where differences, which need the reference alone, take most of the time */
  enum { SOME = 3, MORE = 6 };
#else
  enum { SOME = 30, MORE = 60 };
#endif
  const uint32_t wide[] = {301, 517, 259, 10}, wide_output[] = {3, 17, MAX_WIDTH - 1}, wide_input[] = {MAX_WIDTH, 1};
  check_network(3, wide, MLPD_SILU, MLPD_SOFTMAX, MLPD_CROSS_ENTROPY, SOME);
  check_network(3, wide, MLPD_LEAKY_RELU, MLPD_IDENTITY, MLPD_MSE_MEAN, SOME);
  check_network(2, wide_output, MLPD_TANH, MLPD_SOFTMAX, MLPD_CROSS_ENTROPY, MORE);
  check_network(2, wide_output, MLPD_TANH, MLPD_SIGMOID, MLPD_BINARY_CROSS_ENTROPY, MORE);
  check_network(1, wide_input, MLPD_TANH, MLPD_SIGMOID, MLPD_HUBER, MORE);
  check_network(3, wide, MLPD_SILU, MLPD_IDENTITY, MLPD_LOG_COSH, SOME);
  const uint32_t gapped[] = {256, 512, 256, 256}; /* rows with gaps between them */
  check_network(3, gapped, MLPD_SILU, MLPD_SOFTMAX, MLPD_CROSS_ENTROPY, SOME);
}

/* ---- Worked examples: 3-2-1 sigmoid and 1-2-2 relu --------------------------------------------- */

static void assert_close(double got, double expected, double tolerance) {
  if (!(fabs(got - expected) <= tolerance)) fail_msg("%.9g is not %.9g", got, expected);
}

static void assert_all_close(const float *got, const double *expected, uint32_t n) {
  for (uint32_t i = 0; i < n; i++) assert_close(got[i], expected[i], 1e-6);
}

static mlpd_network *example_make(const uint32_t *widths, mlpd_activation kind, const float *w0, const float *b0,
                                  const float *w1, const float *b1) {
  const mlpd_activation activations[] = {kind, kind};
  mlpd_network *network = NULL;
  assert_int_equal(mlpd_network_create(2, widths, activations, &network), MLPD_OK);
  const mlpd_layer_view hidden = mlpd_network_layer(network, 0), output = mlpd_network_layer(network, 1);
  memcpy(hidden.weight, w0, hidden.inputs * hidden.outputs * sizeof(float));
  memcpy(hidden.bias, b0, hidden.outputs * sizeof(float));
  memcpy(output.weight, w1, output.inputs * output.outputs * sizeof(float));
  memcpy(output.bias, b1, output.outputs * sizeof(float));
  return network;
}

/* Units 1..3 inputs, 4 and 5 hidden, 6 output; target 1, learning rate 0.9. The textbook's Err is -delta here. */
static void test_sigmoid_example(void **state) {
  (void)state;
  static const uint32_t widths[] = {3, 2, 1};
  static const float w0[] = {0.2f, -0.3f, 0.4f, 0.1f, -0.5f, 0.2f}, b0[] = {-0.4f, 0.2f}, w1[] = {-0.3f, -0.2f},
                     b1[] = {0.1f};
  static const float x[] = {1, 0, 1}, y[] = {1};
  mlpd_network *const network = example_make(widths, MLPD_SIGMOID, w0, b0, w1, b1);
  mlpd_trace trace;
  assert_int_equal(mlpd_network_trace(network, MLPD_MSE, 1, x, y, &trace), MLPD_OK);

  const double a4 = 1 / (1 + exp(0.7)), a5 = 1 / (1 + exp(-0.1));
  const double z6 = -0.3 * a4 - 0.2 * a5 + 0.1, a6 = 1 / (1 + exp(-z6));
  const double delta6 = (a6 - 1) * a6 * (1 - a6);
  const double delta4 = delta6 * -0.3 * a4 * (1 - a4), delta5 = delta6 * -0.2 * a5 * (1 - a5);
  assert_all_close(trace.z[0], (const double[]){-0.7, 0.1}, 2);
  assert_all_close(trace.a[0], (const double[]){a4, a5}, 2);
  assert_all_close(trace.z[1], &z6, 1);
  assert_all_close(trace.a[1], &a6, 1);
  assert_all_close(trace.delta[1], &delta6, 1);
  assert_all_close(trace.delta[0], (const double[]){delta4, delta5}, 2);
  assert_all_close(trace.weight_gradient[1], (const double[]){delta6 * a4, delta6 * a5}, 2);
  assert_all_close(trace.weight_gradient[0], (const double[]){delta4, delta5, 0, 0, delta4, delta5}, 6);
  assert_close(trace.loss, 0.5 * (a6 - 1) * (a6 - 1), 1e-6);
  /* As printed; within one unit of the last digit, as the text goes on from rounded results. */
  assert_close(trace.a[0][0], 0.332, 1e-3);
  assert_close(trace.a[0][1], 0.525, 1e-3);
  assert_close(trace.z[1][0], -0.105, 1e-3);
  assert_close(trace.a[1][0], 0.474, 1e-3);
  assert_close(-trace.delta[1][0], 0.1311, 1e-4);
  assert_close(-trace.delta[0][1], -0.0065, 1e-4);
  assert_close(-trace.delta[0][0], -0.0087, 1e-4);

  mlpd_network_descend(network, &trace, 0.9f);
  assert_close(mlpd_network_layer(network, 1).bias[0], 0.218, 5e-4);
  assert_close(mlpd_network_layer(network, 1).bias[0], 0.1 - 0.9 * delta6, 1e-6);
  assert_close(mlpd_network_layer(network, 1).weight[0], -0.261, 5e-4);
  assert_close(mlpd_network_layer(network, 1).weight[1], -0.138, 5e-4);
  assert_close(mlpd_network_layer(network, 0).weight[5], 0.1941, 5e-5); /* w35 */
  assert_close(mlpd_network_layer(network, 0).bias[0], -0.408, 5e-4);
  assert_close(mlpd_network_layer(network, 0).bias[1], 0.194, 5e-4);
  mlpd_trace_free(&trace);
  mlpd_network_free(network);
}

/* Three samples, relu on the output too, C' = yhat - y: each number worked out on paper. */
static void test_relu_example(void **state) {
  (void)state;
  static const uint32_t widths[] = {1, 2, 2};
  static const float w0[] = {0.5f, -1}, b0[] = {0.75f, 0.5f}, w1[] = {1, -1, 2, 0.5f}, b1[] = {0.1f, 0.2f};
  static const float x[] = {1, 2, -1}, y[] = {1, 0, 2, 1, 3, 1};
  mlpd_network *const network = example_make(widths, MLPD_RELU, w0, b0, w1, b1);
  mlpd_trace trace;
  assert_int_equal(mlpd_network_trace(network, MLPD_MSE, 3, x, y, &trace), MLPD_OK);
  assert_all_close(trace.z[0], (const double[]){1.25, -0.5, 1.75, -1.5, 0.25, 1.5}, 6);
  assert_all_close(trace.a[0], (const double[]){1.25, 0, 1.75, 0, 0.25, 1.5}, 6);
  assert_all_close(trace.z[1], (const double[]){1.35, -1.05, 1.85, -1.55, 3.35, 0.7}, 6);
  assert_all_close(trace.a[1], (const double[]){1.35, 0, 1.85, 0, 3.35, 0.7}, 6);
  assert_all_close(trace.delta[1], (const double[]){0.35, 0, -0.15, 0, 0.35, -0.3}, 6);
  assert_all_close(trace.delta[0], (const double[]){0.35, 0, -0.15, 0, 0.65, 0.55}, 6);
  assert_all_close(trace.weight_gradient[1], (const double[]){0.2625, -0.075, 0.525, -0.45}, 4);
  assert_all_close(trace.bias_gradient[1], (const double[]){0.55, -0.3}, 2);
  assert_all_close(trace.weight_gradient[0], (const double[]){-0.6, -0.55}, 2);
  assert_all_close(trace.bias_gradient[0], (const double[]){0.85, 0.55}, 2);
  assert_close(trace.loss, 0.67875, 1e-6);
  mlpd_network_descend(network, &trace, 0.1f);
  assert_all_close(mlpd_network_layer(network, 0).weight, (const double[]){0.56, -0.945}, 2);
  assert_all_close(mlpd_network_layer(network, 1).bias, (const double[]){0.045, 0.23}, 2);
  mlpd_trace_free(&trace);
  mlpd_network_free(network);
}

static void test_trace_refuses(void **state) {
  (void)state;
  static const float zeros[6] = {0};
  mlpd_network *const network = example_make((const uint32_t[]){1, 2, 2}, MLPD_RELU, zeros, zeros, zeros, zeros);
  mlpd_trace trace;
  assert_int_equal(mlpd_network_trace(network, MLPD_CROSS_ENTROPY, 1, zeros, zeros, &trace), MLPD_ERROR_USAGE);
  assert_int_equal(mlpd_network_trace(network, MLPD_MSE, 0, zeros, zeros, &trace), MLPD_ERROR_USAGE);
  mlpd_trace_free(&trace);
  mlpd_network_free(network);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_activation), cmocka_unit_test(test_every_loss),
      cmocka_unit_test(test_wide_layers),      cmocka_unit_test(test_sigmoid_example),
      cmocka_unit_test(test_relu_example),     cmocka_unit_test(test_trace_refuses),
  };
  return cmocka_run_group_tests_name("gradient", tests, NULL, NULL);
}
