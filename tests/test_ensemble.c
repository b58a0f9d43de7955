/* Ensembles: the mean of the members' losses and outputs, where they start, and which networks are ensembles. Gradients
 * are compared in test_layers.c. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "network/ensemble.h"
#include "network/layer_kind.h"

enum { INPUTS = 2, MEMBERS = 3, ROWS = 4, MOST_OUTPUTS = 1500 };

/* x o r_k, then heads: an ensemble of linear networks. */
static mlpd_network *make(uint32_t outputs, mlpd_activation activation) {
  mlpd_network *network = NULL;
  const layer_spec specs[] = {{.kind = &layer_fan_out, .outputs = INPUTS, .copies = MEMBERS},
                              {.kind = &layer_heads, .outputs = outputs, .activation = activation}};
  assert_int_equal(network_build(INPUTS, 2, specs, false, &network), MLPD_OK);
  mlpd_network_init(network, MLPD_INIT_AUTO, 4);
  return network;
}

static void run(const mlpd_network *network, workspace *space) {
  const backend *gemm = NULL;
  assert_int_equal(backend_choose(NULL, &gemm), MLPD_OK);
  assert_int_equal(workspace_create(network, ROWS, false, space), MLPD_OK);
  for (int i = 0; i < ROWS * INPUTS; i++) space->x[i] = (float)(i - 3) / 2;
  network_forward(network, gemm, ROWS, space);
}

static float *bias_of(const mlpd_network *network, uint32_t member) {
  const tensor *const t = layer_tensor(network, 1, 1);
  return network->parameters + t->offset + (size_t)member * t->stride;
}

static double at(const float *values, uint32_t k, uint32_t row, uint32_t member, uint32_t output) {
  return (double)values[(row * MEMBERS + member) * k + output];
}

static void assert_near(double value, double want, double most) {
  if (!(fabs(value - want) <= most * (1 + fabs(want)))) fail_msg("%.9g, not %.9g", value, want);
}

static void check_mean(const workspace *space, uint32_t k) {
  for (uint32_t i = 0; i < ROWS; i++)
    for (uint32_t j = 0; j < k; j++) {
      double mean = 0;
      for (uint32_t m = 0; m < MEMBERS; m++) mean += at(space->a[1], k, i, m, j) / MEMBERS;
      assert_near((double)space->output[i * k + j], mean, 1e-6);
    }
}

/* The loss of an evaluation is that of the mean probability, whose logarithm output_z is. */
static void test_mean_of_probabilities(void **state) {
  (void)state;
  workspace space;
  loss_sums sums = {0};
  double want = 0;
  const int32_t classes[ROWS] = {0, 2, 1, 1};
  const loss_spec loss = loss_plain(MLPD_CROSS_ENTROPY);
  mlpd_network *const network = make(3, MLPD_SOFTMAX);
  run(network, &space);
  check_mean(&space, 3);
  loss_compute(&loss, MLPD_SOFTMAX, ROWS, 3, space.output_z, space.output, &(targets){.classes = classes}, NULL, &sums);
  for (uint32_t i = 0; i < ROWS; i++) {
    double p = 0;
    for (uint32_t m = 0; m < MEMBERS; m++) p += at(space.a[1], 3, i, m, (uint32_t)classes[i]) / MEMBERS;
    want -= log(p);
  }
  assert_near(sums.loss, want, 1e-6);
  workspace_free(&space);
  mlpd_network_free(network);
}

/* Members that are sure and wrong: 1 - p is not lost to rounding. */
static void test_mean_of_sigmoids(void **state) {
  (void)state;
  workspace space;
  loss_sums sums = {0};
  const float biases[MEMBERS] = {60, 50, 55};
  const int32_t zeros[ROWS] = {0};
  const loss_spec loss = loss_plain(MLPD_BINARY_CROSS_ENTROPY);
  mlpd_network *const network = make(1, MLPD_SIGMOID);
  memset(network->parameters + layer_tensor(network, 1, 0)->offset, 0, sizeof(float) * MEMBERS * INPUTS);
  for (uint32_t m = 0; m < MEMBERS; m++) *bias_of(network, m) = biases[m];
  run(network, &space);
  loss_compute(&loss, MLPD_SIGMOID, ROWS, 1, space.output_z, space.output, &(targets){.classes = zeros}, NULL, &sums);
  assert_near(sums.loss / ROWS, -log((exp(-60) + exp(-50) + exp(-55)) / MEMBERS), 1e-6);
  *bias_of(network, 1) = NAN;
  workspace_free(&space);
  run(network, &space);
  assert_true(isnan(space.output[0]) && isnan(space.output_z[0]));
  workspace_free(&space);
  mlpd_network_free(network);
}

/* The loss in training is the mean of the members' losses, each row's target being that of each member; wide targets
 * pass in pieces. The sums of rows are those of all. */
static void check_loss(uint32_t k, const float *weights) {
  static float y[ROWS * MOST_OUTPUTS];
  workspace space;
  loss_sums sums = {0}, rows[ROWS];
  double want = 0, weight_sum = 0;
  const loss_spec loss = loss_plain(MLPD_MSE);
  mlpd_network *const network = make(k, MLPD_IDENTITY);
  for (uint32_t i = 0; i < ROWS * k; i++) y[i] = (float)(i % 7) - 3;
  run(network, &space);
  const targets of = {.values = y, .weights = weights};
  ensemble_loss(network, &loss, 0, ROWS, &of, &space, &sums);
  for (uint32_t i = 0; i < ROWS; i++) {
    const double weight = weights != NULL ? (double)weights[i] : 1;
    weight_sum += weight;
    for (uint32_t m = 0; m < MEMBERS; m++)
      for (uint32_t j = 0; j < k; j++) {
        const double error = at(space.a[1], k, i, m, j) - (double)y[i * k + j];
        want += weight * error * error / 2 / MEMBERS;
        assert_near(at(space.delta[1], k, i, m, j), weight * error / MEMBERS, 1e-6);
      }
  }
  assert_near(sums.loss, want, 1e-6);
  assert_near(sums.weight, weight_sum, 1e-6);
  ensemble_loss_rows(network, &loss, 0, ROWS, &of, &space, rows);
  loss_sums added = {0};
  loss_add(ROWS, rows, &added);
  assert_memory_equal(&added, &sums, sizeof sums);
  workspace_free(&space);
  mlpd_network_free(network);
}

static void test_mean_of_losses(void **state) {
  (void)state;
  const float weights[ROWS] = {1, 0.5f, 3, 0};
  check_loss(2, NULL);
  check_loss(1, weights);
  check_loss(MOST_OUTPUTS, weights);
}

/* Members start from different signs, and the heads from different draws. */
static void test_start(void **state) {
  (void)state;
  mlpd_network *network = NULL;
  const layer_spec specs[] = {{.kind = &layer_fan_out, .outputs = 40, .copies = MEMBERS},
                              {.kind = &layer_heads, .outputs = 5}};
  assert_int_equal(network_build(40, 2, specs, false, &network), MLPD_OK);
  mlpd_network_init(network, MLPD_INIT_AUTO, 4);
  const tensor *const scale = layer_tensor(network, 0, 0), *const weight = layer_tensor(network, 1, 0);
  const float *const r = network->parameters + scale->offset, *const w = network->parameters + weight->offset;
  int ups = 0;
  for (uint32_t i = 0; i < MEMBERS * 40; i++) {
    assert_true(r[i] == 1 || r[i] == -1);
    ups += r[i] > 0;
  }
  assert_true(ups > 40 && ups < 80);
  assert_memory_not_equal(r, r + 40, 40 * sizeof *r);
  assert_memory_not_equal(w, w + 40 * 5, 40 * 5 * sizeof *w);
  for (uint32_t i = 0; i < MEMBERS * 40 * 5; i++)
    assert_true(fabsf(w[i]) <= (float)sqrt(6.0 / 45)); /* glorot: of one member's inputs and outputs */
  assert_true(scale->decay == 0 && weight->decay == 1);
  mlpd_network_free(network);
}

/* Units of the heads' gradient never hold rows of two members, and cover all. */
static void test_units_of_heads(void **state) {
  (void)state;
  const char *const names[] = {"plain", NULL};
  for (int b = 0; b < 2; b++) {
    const backend *gemm = NULL;
    const tensor t = {.rows = MEMBERS * 150, .columns = 200, .stride = 200, .groups = MEMBERS};
    uint64_t covered = 0;
    assert_int_equal(backend_choose(names[b], &gemm), MLPD_OK);
    for (uint32_t u = 0; u < tensor_num_units(&t, gemm); u++) {
      const gradient_unit unit = tensor_unit(&t, gemm, u);
      assert_int_equal(unit.row / 150, (unit.row + unit.rows - 1) / 150);
      covered += (uint64_t)unit.rows * unit.columns;
    }
    assert_int_equal(covered, MEMBERS * 150 * 200);
  }
}

/* Scales and biases of more members than a unit has rows: each unit has the gradients of its own members. */
static void test_units_of_many_members(void **state) {
  (void)state;
  enum { MANY = 150 };
  const layer_spec specs[] = {{.kind = &layer_fan_out, .outputs = INPUTS, .copies = MANY},
                              {.kind = &layer_heads, .outputs = 1}};
  mlpd_network *network = NULL;
  const backend *gemm = NULL;
  workspace space;
  assert_int_equal(backend_choose(NULL, &gemm), MLPD_OK);
  assert_int_equal(network_build(INPUTS, 2, specs, false, &network), MLPD_OK);
  assert_int_equal(workspace_create(network, 1, false, &space), MLPD_OK);
  space.x[0] = space.x[1] = 1; /* so that gradients are deltas */
  for (uint32_t m = 0; m < MANY; m++) space.delta[0][2 * m] = space.delta[0][2 * m + 1] = space.delta[1][m] = (float)m;
  for (uint32_t l = 0; l < 2; l++) {
    const uint32_t i = network->layers[l].first_tensor + l; /* the scales, the biases */
    const uint32_t units = tensor_num_units(&network->tensors[i], gemm), stride = network->tensors[i].stride;
    float gradient[2 * MANY];
    assert_true(units > 1);
    for (uint32_t u = 0; u < units; u++) {
      const gradient_unit unit = network_unit(network, gemm, i, u);
      network_gradient(network, gemm, &unit, 0, 1, &space, gradient + (size_t)unit.row * stride, stride);
    }
    for (uint32_t m = 0; m < MANY; m++) assert_true(gradient[m * stride] == (float)m);
  }
  workspace_free(&space);
  mlpd_network_free(network);
}

/* However many threads want blocks, a product of heads keeps the rows of a tile, and one of all members as many. */
static void test_smallest_blocks(void **state) {
  (void)state;
  enum { COPIES = 16, LANE = 64, WANTED = 1000 };
  const layer_spec specs[] = {{.kind = &layer_fork, .outputs = INPUTS, .copies = COPIES},
                              {.kind = &layer_heads, .outputs = 40},
                              {.kind = &layer_heads, .outputs = 40}};
  mlpd_network *network = NULL;
  const backend *gemm = NULL;
  assert_int_equal(backend_choose(NULL, &gemm), MLPD_OK);
  if (gemm->sum_gradients == NULL) skip(); /* its blocks have a fixed size */
  assert_int_equal(network_build(INPUTS, 3, specs, false, &network), MLPD_OK);
  assert_int_equal(network_block(network, gemm, 0, WAY_FORWARD, 0, LANE, WANTED, 0).rows, COPIES);
  assert_int_equal(network_block(network, gemm, 0, WAY_BACKWARD, 0, LANE, WANTED, 0).rows, 16 * COPIES);
  assert_int_equal(network_block(network, gemm, 2, WAY_FORWARD, 0, LANE, WANTED, 0).rows, 16 * COPIES);
  mlpd_network_free(network);
}

static void refuse(uint32_t num_layers, const layer_spec *specs, const char *message) {
  mlpd_network *network = NULL;
  assert_int_equal(network_build(INPUTS, num_layers, specs, false, &network), MLPD_ERROR_USAGE);
  assert_null(network);
  assert_non_null(strstr(mlpd_error_message(), message));
}

static void test_refused(void **state) {
  (void)state;
  const layer_spec fan = {.kind = &layer_fan_out, .outputs = INPUTS, .copies = MEMBERS};
  const layer_spec heads = {.kind = &layer_heads, .outputs = INPUTS}, dense = {.kind = &layer_dense, .outputs = INPUTS};
  const layer_spec wide = {.kind = &layer_dense, .outputs = 1 << 22};
  layer_spec none = fan, many = fan, fork = fan;
  fork.kind = &layer_fork;
  none.copies = 0;
  many.copies = 1024;
  refuse(3, (const layer_spec[]){fan, fan, heads}, "layer 2 is a second fan-out");
  refuse(2, (const layer_spec[]){fan, dense}, "the output layer is dense, and must be heads");
  refuse(1, &heads, "the output layer is heads, and must be dense");
  refuse(3, (const layer_spec[]){fan, heads, heads}, "layer 2 is heads, which are for the output layer only");
  refuse(2, (const layer_spec[]){none, heads}, "an ensemble has 1 to 1024 members, not 0");
  refuse(3, (const layer_spec[]){fork, dense, heads}, "layer 2 is dense, which the members above a fork would share");
  refuse(3, (const layer_spec[]){fork, {.kind = &layer_layer_norm, .outputs = INPUTS}, heads},
         "layer 2 is layer-norm, which the members above a fork would share");
  refuse(3, (const layer_spec[]){fork, fan, heads}, "layer 2 is a second fan-out");
  refuse(3, (const layer_spec[]){many, wide, heads}, "at most 1048575 outputs"); /* the heads would have 2^32 rows */
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_mean_of_probabilities), cmocka_unit_test(test_mean_of_sigmoids),
      cmocka_unit_test(test_mean_of_losses),        cmocka_unit_test(test_start),
      cmocka_unit_test(test_units_of_heads),        cmocka_unit_test(test_refused),
      cmocka_unit_test(test_units_of_many_members), cmocka_unit_test(test_smallest_blocks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
