/* Steps to look at: a network from options, its gradients by the name of the tensor, and an optimizer's state. Each is
 * compared with its formula in double, gradients with central differences. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/status.h"
#include "mlpdist.h"

enum { ROWS = 4, INPUTS = 3, CLASSES = 2, MOST = 16, STEPS = 3 };

static const float x[ROWS * INPUTS] = {0.5f, -1, 2, 1, 0.25f, -0.75f, -1.5f, 1, 0.125f, 0, 2, -2};
static const float y[ROWS * CLASSES] = {1, 0, 0, 1, 0, 1, 1, 0};
static const float weight[ROWS] = {1, 3, 3, 1};
static const mlpd_samples samples = {ROWS, x, y, weight};

static mlpd_train_options options_make(void) {
  mlpd_train_options options;
  mlpd_train_options_default(&options);
  options.hidden = "4";
  options.activation = "tanh";
  options.loss = MLPD_CROSS_ENTROPY;
  options.lr = 0.125;
  options.weight_decay = 0.25;
  options.seed = 7;
  return options;
}

static mlpd_network *network_make(const mlpd_train_options *options) {
  mlpd_network *network = NULL;
  const mlpd_status status = mlpd_network_from_options(options, INPUTS, CLASSES, &network);
  if (status != MLPD_OK) fail_msg("%s", mlpd_error_message());
  return network;
}

static mlpd_trace trace_make(mlpd_network *network, const mlpd_train_options *options, uint64_t epoch) {
  mlpd_trace trace;
  const mlpd_status status = mlpd_network_trace_options(network, options, epoch, &samples, &trace);
  if (status != MLPD_OK) fail_msg("%s", mlpd_error_message());
  return trace;
}

static double loss_of(mlpd_network *network, const mlpd_train_options *options) {
  mlpd_trace trace = trace_make(network, options, 0);
  const double loss = trace.loss;
  mlpd_trace_free(&trace);
  return loss;
}

/* ---- Networks ---------------------------------------------------------------------------------------- */

static void test_network(void **state) {
  (void)state;
  static const char *const kinds[] = {"noise", "dropout", "scale", "dense", "layer-norm", "dropout", "dense"};
  mlpd_train_options options = options_make();
  options.input_noise = 0.5;
  options.input_dropout = options.input_scale = 0.25;
  options.norm = MLPD_NORM_LAYER;
  options.dropout = "0.5";
  mlpd_network *const network = network_make(&options);
  assert_int_equal(mlpd_network_num_layers(network), 7);
  for (uint32_t l = 0; l < 7; l++) assert_string_equal(mlpd_network_layer(network, l).kind, kinds[l]);
  assert_int_equal(mlpd_network_layer(network, 6).activation, MLPD_SOFTMAX); /* goes with the loss */
  assert_string_equal(mlpd_network_tensor(network, 4, 1).name, "shift");
  assert_true(mlpd_network_tensor(network, 3, 0).values[0] != 0); /* drawn */
  mlpd_network_free(network);
}

/* Bins between quantiles, the places of five edges among four values being 0, 0.75, 1.5, 2.25, 3: the last two are
 * equal, and their bin is empty. A missing value does not count. The second input is a code. */
static void test_network_of_samples(void **state) {
  (void)state;
  static const float rows[] = {0.5f, 1, 1, 0, -1.5f, 1, 1, -1, NAN, 0}, wanted[] = {-1.5f, 0, 0.75f, 1, 1};
  const uint32_t categories[] = {0, 2};
  mlpd_train_options options = options_make();
  mlpd_network *network = NULL;
  options.embed_numbers = MLPD_EMBED_NUMBERS_PIECEWISE;
  options.embed_bins = 4;
  options.embed_width = 3;
  const mlpd_samples given = {.n = 5, .x = rows};
  assert_int_equal(mlpd_network_from_samples(&options, 2, categories, CLASSES, &given, &network), MLPD_OK);
  assert_string_equal(mlpd_network_layer(network, 0).kind, "embed");
  assert_string_equal(mlpd_network_layer(network, 1).kind, "piecewise");
  assert_int_equal(mlpd_network_layer(network, 1).outputs, 4 + 3);
  assert_int_equal(mlpd_network_tensor(network, 0, 0).rows, 2);
  const mlpd_tensor_view edges = mlpd_network_tensor(network, 1, 0);
  assert_string_equal(edges.name, "edge");
  assert_int_equal(edges.rows, 1);
  assert_int_equal(edges.columns, 5);
  assert_memory_equal(edges.values, wanted, sizeof wanted);
  mlpd_network_free(network);
  /* The same rows, of which the second column stays as it is. */
  const uint32_t as_is[] = {0, MLPD_INPUT_AS_IS};
  assert_int_equal(mlpd_network_from_samples(&options, 2, as_is, CLASSES, &given, &network), MLPD_OK);
  assert_string_equal(mlpd_network_layer(network, 0).kind, "piecewise");
  assert_int_equal(mlpd_network_layer(network, 0).outputs, 4 + 1);
  assert_int_equal(mlpd_network_tensor(network, 0, 0).rows, 1);
  assert_memory_equal(mlpd_network_tensor(network, 0, 0).values, wanted, sizeof wanted);
  mlpd_network_free(network);
  options.embed_edges = MLPD_EMBED_EDGES_TARGETS; /* samples have no targets */
  assert_int_equal(mlpd_network_from_samples(&options, 2, categories, CLASSES, &given, &network), MLPD_ERROR_USAGE);
  options.embed_numbers = MLPD_EMBED_NUMBERS_PERIODIC; /* no edges, either */
  assert_int_equal(mlpd_network_from_samples(&options, 2, categories, CLASSES, &given, &network), MLPD_OK);
  mlpd_network_free(network);
  options.hidden = "0";
  assert_int_not_equal(mlpd_network_from_samples(&options, 2, categories, CLASSES, &given, &network), MLPD_OK);
  assert_null(network);
}

/* ---- Gradients ----------------------------------------------------------------------------------------- */

/* Gradients of all tensors are those of central differences; the step is a power of two, so that w +- step is exact or
 * nearly so. */
static void check_gradients(const mlpd_train_options *options) {
  mlpd_network *const network = network_make(options);
  mlpd_trace trace = trace_make(network, options, 0);
  const float step = 0x1p-7f;
  for (uint32_t l = 0; l < mlpd_network_num_layers(network); l++)
    for (uint32_t i = 0; mlpd_network_tensor(network, l, i).name != NULL; i++) {
      const mlpd_tensor_view t = mlpd_network_tensor(network, l, i), g = mlpd_trace_gradient(&trace, network, l, i);
      assert_string_equal(t.name, g.name);
      assert_true(t.rows == g.rows && t.columns == g.columns && t.stride == g.stride);
      for (uint32_t e = 0; e < t.rows * t.columns && strcmp(t.name, "mean") != 0 && strcmp(t.name, "variance") != 0;
           e++) {
        const size_t at = (size_t)(e / t.columns) * t.stride + e % t.columns;
        const float kept = t.values[at];
        t.values[at] = kept + step;
        const double up = loss_of(network, options);
        t.values[at] = kept - step;
        const double want = (up - loss_of(network, options)) / (2 * (double)step);
        t.values[at] = kept;
        if (fabs((double)g.values[at] - want) > 2e-3 * (1 + fabs(want)))
          fail_msg("layer %u, %s %u: %g, by differences %g", l + 1, t.name, e, (double)g.values[at], want);
      }
    }
  assert_null(mlpd_trace_gradient(&trace, network, 0, 9).name);
  mlpd_trace_free(&trace);
  mlpd_network_free(network);
}

static void test_gradients(void **state) {
  (void)state;
  mlpd_train_options options = options_make();
  options.input_scale = 6;
  options.norm = MLPD_NORM_BATCH;
  options.dropout = "0.25";
  options.label_smoothing = 0.125;
  check_gradients(&options);
  options.norm = MLPD_NORM_LAYER;
  options.focal_gamma = 2;
  check_gradients(&options);
  options.norm = MLPD_NORM_RMS;
  check_gradients(&options);
  options.label_smoothing = options.focal_gamma = 0;
  options.loss = MLPD_QUANTILE;
  options.quantiles = "0.25,0.75"; /* targets (4, 1): the first numbers of y */
  check_gradients(&options);
}

/* C = sum_i w_i sum_k -y'_k log p_k with label smoothing, from the outputs. */
static void test_loss(void **state) {
  (void)state;
  mlpd_train_options options = options_make();
  options.label_smoothing = 0.2;
  mlpd_network *const network = network_make(&options);
  mlpd_trace trace = trace_make(network, &options, 0);
  double loss = 0;
  for (int e = 0; e < ROWS * CLASSES; e++)
    loss -= (double)weight[e / CLASSES] * (0.8 * (double)y[e] + 0.1) * log((double)trace.a[1][e]);
  assert_true(fabs(trace.loss - loss) < 1e-5 * loss);
  mlpd_trace_free(&trace);
  mlpd_network_free(network);
}

static void test_draws(void **state) {
  (void)state;
  mlpd_train_options options = options_make();
  options.dropout = "0.5";
  mlpd_network *const network = network_make(&options);
  mlpd_trace first = trace_make(network, &options, 0), again = trace_make(network, &options, 0);
  mlpd_trace next = trace_make(network, &options, 1);
  options.seed++;
  mlpd_trace other = trace_make(network, &options, 0);
  const size_t bytes = ROWS * 4 * sizeof(float);
  assert_memory_equal(first.z[1], again.z[1], bytes); /* factors: 0 or 2 */
  assert_memory_not_equal(first.z[1], next.z[1], bytes);
  assert_memory_not_equal(first.z[1], other.z[1], bytes);
  mlpd_trace_free(&first);
  mlpd_trace_free(&again);
  mlpd_trace_free(&next);
  mlpd_trace_free(&other);
  mlpd_network_free(network);
}

/* At 5/6 of the run the factor is (1 + cos(2/3 pi)) / 2 = 1/4, and dropout 1/8: a value that stays is times 8/7. */
static void test_weaker_dropout(void **state) {
  (void)state;
  mlpd_train_options options = options_make();
  options.dropout = "0.5";
  options.regularization_schedule = MLPD_REGULARIZATION_FLAT_COSINE;
  mlpd_network *const network = network_make(&options);
  const uint64_t epochs[] = {0, 6, 6}, at[] = {5, 3, 5};
  const double kept[] = {2, 2, 8.0 / 7};
  for (int i = 0; i < 3; i++) {
    options.epochs = epochs[i];
    mlpd_trace trace = trace_make(network, &options, at[i]);
    int some = 0;
    for (int j = 0; j < ROWS * 4; j++) {
      const double factor = (double)trace.z[1][j];
      some += factor > 0;
      if (factor != 0 && fabs(factor - kept[i]) > 1e-6) fail_msg("%g, not %g", factor, kept[i]);
    }
    assert_true(some > 0);
    mlpd_trace_free(&trace);
  }
  mlpd_network_free(network);
}

/* ---- Optimizers ---------------------------------------------------------------------------------------- */

/* The output weights (4, 2) in double, with two arrays of state. */
typedef struct double_tensor {
  double w[MOST], s[2][MOST], trust;
} double_tensor;

static double norm_of(const double *values) {
  double sum = 0;
  for (int i = 0; i < 4 * CLASSES; i++) sum += values[i] * values[i];
  return sqrt(sum);
}

static double adam(const mlpd_train_options *o, double_tensor *t, int i, int step, double g) {
  t->s[0][i] = o->beta1 * t->s[0][i] + (1 - o->beta1) * g;
  t->s[1][i] = o->beta2 * t->s[1][i] + (1 - o->beta2) * g * g;
  return t->s[0][i] / (1 - pow(o->beta1, step)) / (sqrt(t->s[1][i] / (1 - pow(o->beta2, step))) + o->epsilon);
}

/* As the papers define them, with the decay of --decay auto. */
static void step_in_double(const mlpd_train_options *o, double_tensor *t, int step, const float *gradient) {
  double g[MOST], direction[MOST];
  const int n = 4 * CLASSES;
  for (int i = 0; i < n; i++) g[i] = (double)gradient[i];
  if (o->optimizer == MLPD_LARS)
    t->trust = o->trust_coefficient * norm_of(t->w) / (norm_of(g) + o->weight_decay * norm_of(t->w));
  for (int i = 0; i < n; i++) {
    if (o->optimizer == MLPD_MOMENTUM || o->optimizer == MLPD_LARS)
      direction[i] = t->s[0][i] = o->momentum * t->s[0][i] + t->trust * (g[i] + o->weight_decay * t->w[i]);
    else
      direction[i] = adam(o, t, i, step, g[i]) + (o->optimizer == MLPD_LAMB ? o->weight_decay * t->w[i] : 0);
  }
  if (o->optimizer == MLPD_LAMB) t->trust = norm_of(t->w) / norm_of(direction);
  for (int i = 0; i < n; i++) {
    const double keep = o->optimizer == MLPD_ADAMW ? 1 - o->lr * o->weight_decay : 1;
    t->w[i] = keep * t->w[i] - o->lr * (o->optimizer == MLPD_LAMB ? t->trust : 1) * direction[i];
  }
}

static void assert_near(double found, double want) {
  if (!(fabs(found - want) < 1e-5 * (1 + fabs(want)))) fail_msg("%.9g, in double %.9g", found, want);
}

static void check_optimizer(mlpd_optimizer kind, uint32_t num_state, bool has_trust) {
  mlpd_train_options options = options_make();
  options.optimizer = kind;
  mlpd_network *const network = network_make(&options);
  mlpd_descent *descent = NULL;
  double_tensor reference = {.trust = 1};
  const mlpd_tensor_view w = mlpd_network_tensor(network, 1, 0);
  assert_int_equal(w.stride, CLASSES);
  for (int i = 0; i < 4 * CLASSES; i++) reference.w[i] = (double)w.values[i];
  assert_int_equal(mlpd_descent_create(&options, network, &descent), MLPD_OK);
  for (int step = 1; step <= STEPS; step++) {
    mlpd_trace trace = trace_make(network, &options, (uint64_t)step);
    step_in_double(&options, &reference, step, mlpd_trace_gradient(&trace, network, 1, 0).values);
    mlpd_descent_step(descent, network, &trace);
    mlpd_trace_free(&trace);
    for (int i = 0; i < 4 * CLASSES; i++) assert_near((double)w.values[i], reference.w[i]);
    for (uint32_t s = 0; s < num_state; s++)
      for (int i = 0; i < 4 * CLASSES; i++)
        assert_near((double)mlpd_descent_state(descent, network, 1, 0, s).values[i], reference.s[s][i]);
    assert_near(mlpd_descent_trust(descent, network, 1, 0), reference.trust);
  }
  assert_true((reference.trust != 1) == has_trust);
  assert_true(mlpd_descent_trust(descent, network, 1, 1) == 1); /* of the biases */
  assert_null(mlpd_descent_state(descent, network, 1, 0, num_state).name);
  mlpd_descent_free(descent);
  mlpd_network_free(network);
}

static void test_optimizers(void **state) {
  (void)state;
  check_optimizer(MLPD_MOMENTUM, 1, false);
  check_optimizer(MLPD_ADAMW, 2, false);
  check_optimizer(MLPD_LARS, 1, true);
  check_optimizer(MLPD_LAMB, 2, true);
  mlpd_train_options options = options_make();
  mlpd_network *const network = network_make(&options);
  mlpd_descent *descent = NULL;
  options.optimizer = MLPD_LBFGS; /* it has no update by one gradient */
  assert_int_equal(mlpd_descent_create(&options, network, &descent), MLPD_ERROR_USAGE);
  assert_non_null(strstr(mlpd_error_message(), "lbfgs"));
  assert_null(descent);
  mlpd_network_free(network);
}

/* Running mean and variance go a tenth of the way to the samples'. */
static void test_statistics(void **state) {
  (void)state;
  mlpd_train_options options = options_make();
  options.norm = MLPD_NORM_BATCH;
  mlpd_network *const network = network_make(&options);
  mlpd_descent *descent = NULL;
  mlpd_trace trace = trace_make(network, &options, 0);
  assert_int_equal(mlpd_descent_create(&options, network, &descent), MLPD_OK);
  mlpd_descent_step(descent, network, &trace);
  for (int j = 0; j < 4; j++) {
    double mean = 0, square = 0;
    for (int i = 0; i < ROWS; i++) mean += (double)trace.a[0][4 * i + j] / ROWS;
    for (int i = 0; i < ROWS; i++) square += pow((double)trace.a[0][4 * i + j] - mean, 2) / (ROWS - 1);
    assert_near((double)mlpd_network_tensor(network, 1, 2).values[j], 0.1 * mean);
    assert_near((double)mlpd_network_tensor(network, 1, 3).values[j], 0.9 + 0.1 * square);
  }
  mlpd_descent_free(descent);
  mlpd_trace_free(&trace);
  mlpd_network_free(network);
}

/* ---- From step to step -------------------------------------------------------------------------------- */

static float value_of(mlpd_network *network) { return mlpd_network_tensor(network, 0, 0).values[0]; }

/* The rates of the steps, all with one trace, whose loss and gradient stay. The optimizer is sgd without decay. */
static void check_rates(const mlpd_train_options *options, const double *rates, int count) {
  mlpd_network *const network = network_make(options);
  mlpd_trace trace = trace_make(network, options, 0);
  const double gradient = (double)mlpd_trace_gradient(&trace, network, 0, 0).values[0];
  mlpd_descent *descent = NULL;
  assert_int_equal(mlpd_descent_create(options, network, &descent), MLPD_OK);
  assert_int_equal(mlpd_descent_follow(descent), MLPD_OK);
  for (int s = 0; s < count; s++) {
    const double lr = mlpd_descent_lr(descent), old = (double)value_of(network);
    if (!(fabs(lr - rates[s]) < 1e-12 * rates[s] + 1e-16)) fail_msg("step %d: %.17g", s, lr);
    mlpd_descent_step(descent, network, &trace);
    assert_true(fabs((double)value_of(network) - (old - lr * gradient)) < 1e-6 * (1 + fabs(old)));
  }
  mlpd_descent_free(descent);
  mlpd_trace_free(&trace);
  mlpd_network_free(network);
}

/* The rate rises for 2 steps, then falls to lr-min along half a cosine of 4: 0.1, 0.2; 0.2, 0.17.., 0.1, 0.02.. */
static void test_schedule(void **state) {
  (void)state;
  mlpd_train_options options = options_make();
  options.optimizer = MLPD_SGD;
  options.weight_decay = 0;
  options.lr = 0.2;
  options.warmup_epochs = 2;
  options.epochs = 6;
  check_rates(&options, (const double[]){0.1, 0.2, 0.2, 0.1707106781186548, 0.1, 0.0292893218813452, 0}, 7);
}

static void test_epochs_unknown(void **state) {
  (void)state;
  mlpd_train_options options = options_make();
  mlpd_network *const network = network_make(&options);
  mlpd_descent *descent = NULL;
  options.lr = 0.2;
  options.epochs = 0; /* auto */
  assert_int_equal(mlpd_descent_create(&options, network, &descent), MLPD_OK);
  assert_true(mlpd_descent_lr(descent) == 0.2);
  assert_int_equal(mlpd_descent_follow(descent), MLPD_ERROR_USAGE);
  assert_non_null(strstr(mlpd_error_message(), "set epochs"));
  mlpd_descent_free(descent);
  mlpd_network_free(network);
}

/* The rate of plateau falls when the losses of the traces do not. */
static void test_plateau(void **state) {
  (void)state;
  mlpd_train_options options = options_make();
  options.optimizer = MLPD_SGD;
  options.weight_decay = 0;
  options.schedule = MLPD_PLATEAU;
  options.lr = 1e-3;
  options.lr_patience = 2;
  options.epochs = 9;
  check_rates(&options, (const double[]){1e-3, 1e-3, 1e-3, 1e-4, 1e-4, 1e-5}, 6);
}

/* Averages of a weight that is 1, 2, 3, ... after the steps. */
static void test_average(void **state) {
  (void)state;
  mlpd_train_options options = options_make();
  mlpd_network *const network = network_make(&options), *const average = network_make(&options);
  float *const weight = mlpd_network_tensor(network, 0, 0).values;
  const float *const mean = mlpd_network_tensor(average, 0, 0).values;
  const float initial = *weight;
  assert_true(*mean == initial && initial != 0);
  *weight = 1;
  assert_false(mlpd_network_average(average, network, &options, 1)); /* none is asked for */
  options.swa_start = 3;
  for (uint64_t step = 1; step <= 6; step++) {
    *weight = (float)step;
    assert_int_equal(mlpd_network_average(average, network, &options, step), step >= 3);
    const double expected = step < 3 ? (double)initial : (3 + (double)step) / 2;
    assert_true(fabs((double)*mean - expected) < 1e-6);
  }
  options.swa_start = 0;
  options.ema = 0.4;
  double expected = 4.5;
  for (uint64_t step = 1; step <= 6; step++) {
    const double rising = (1 + (double)step) / (10 + (double)step), decay = rising < 0.4 ? rising : 0.4;
    *weight = (float)step;
    assert_true(mlpd_network_average(average, network, &options, step));
    expected = decay * expected + (1 - decay) * (double)step;
    assert_true(fabs((double)*mean - expected) < 1e-5);
  }
  mlpd_network_free(network);
  mlpd_network_free(average);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_network),    cmocka_unit_test(test_network_of_samples),
      cmocka_unit_test(test_gradients),  cmocka_unit_test(test_loss),
      cmocka_unit_test(test_draws),      cmocka_unit_test(test_weaker_dropout),
      cmocka_unit_test(test_optimizers), cmocka_unit_test(test_statistics),
      cmocka_unit_test(test_schedule),   cmocka_unit_test(test_epochs_unknown),
      cmocka_unit_test(test_plateau),    cmocka_unit_test(test_average),
  };
  return cmocka_run_group_tests_name("descent", tests, NULL, NULL);
}
