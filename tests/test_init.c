#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "network/init.h"
#include "network/network.h"

enum { INPUTS = 400, OUTPUTS = 250, DRAWS = INPUTS * OUTPUTS };

static mlpd_network *network_make(mlpd_activation hidden) {
  const uint32_t widths[] = {INPUTS, OUTPUTS, INPUTS, 3};
  const mlpd_activation activations[] = {hidden, MLPD_TANH, MLPD_SOFTMAX};
  mlpd_network *network = NULL;
  assert_int_equal(mlpd_network_create(3, widths, activations, &network), MLPD_OK);
  return network;
}

/* Mean, variance and, for uniform draws, the bounds of DRAWS weights. variance: the expected one. */
static void check_moments(mlpd_init init, double variance, bool uniform) {
  mlpd_network *const network = network_make(MLPD_RELU);
  mlpd_network_init(network, init, 42);
  const float *const w = mlpd_network_layer(network, 0).weight;
  double sum = 0, squares = 0, largest = 0;
  for (int i = 0; i < DRAWS; i++) {
    sum += w[i];
    squares += (double)w[i] * w[i];
    largest = fmax(largest, fabs((double)w[i]));
  }
  const double mean = sum / DRAWS, found = squares / DRAWS, half_width = sqrt(3 * variance);
  assert_true(fabs(mean) < 5 * sqrt(variance / DRAWS));
  assert_true(fabs(found / variance - 1) < 5 * sqrt((uniform ? 0.8 : 2.0) / DRAWS)); /* 5 deviations of the estimate */
  if (uniform)
    assert_true(largest <= half_width * (1 + 1e-7) && largest > 0.999 * half_width);
  else
    assert_true(largest > 3.5 * sqrt(variance) && largest < 7 * sqrt(variance));
  mlpd_network_free(network);
}

static void test_moments(void **state) {
  (void)state;
  check_moments(MLPD_HE_NORMAL, 2.0 / INPUTS, false);
  check_moments(MLPD_HE_UNIFORM, 2.0 / INPUTS, true);
  check_moments(MLPD_GLOROT_NORMAL, 2.0 / (INPUTS + OUTPUTS), false);
  check_moments(MLPD_GLOROT_UNIFORM, 2.0 / (INPUTS + OUTPUTS), true);
  check_moments(MLPD_LECUN_NORMAL, 1.0 / INPUTS, false);
  check_moments(MLPD_LECUN_UNIFORM, 1.0 / INPUTS, true);
}

static void test_seed_and_layer_make_the_weights(void **state) {
  (void)state;
  mlpd_network *const first = network_make(MLPD_RELU), *const second = network_make(MLPD_RELU);
  mlpd_network_init(first, MLPD_HE_NORMAL, 1);
  for (size_t i = 0; i < second->arena_size; i++) second->parameters[i] = 0; /* and leave the gaps */
  for (uint32_t l = 0; l < 3; l++) mlpd_network_layer(second, l).bias[1] = 9;
  mlpd_network_init(second, MLPD_HE_NORMAL, 1);
  assert_memory_equal(first->parameters, second->parameters, first->arena_size * sizeof(float));
  for (uint32_t l = 0; l < 3; l++)
    for (uint32_t j = 0; j < mlpd_network_layer(second, l).outputs; j++)
      assert_true(mlpd_network_layer(second, l).bias[j] == 0);
  mlpd_network_init(second, MLPD_HE_NORMAL, 2);
  for (uint32_t l = 0; l < 3; l++) {
    const mlpd_layer_view one = mlpd_network_layer(first, l), other = mlpd_network_layer(second, l);
    uint32_t equal = 0;
    for (uint32_t i = 0; i < one.inputs * one.outputs; i++) equal += one.weight[i] == other.weight[i];
    assert_true(equal < one.inputs * one.outputs / 1000);
  }
  const float *const down = mlpd_network_layer(first, 0).weight, *const up = mlpd_network_layer(first, 1).weight;
  uint32_t alike = 0; /* each layer has its own draws: compared at the same scale */
  for (uint32_t i = 0; i < DRAWS; i++) alike += fabs(down[i] * sqrt(INPUTS / 2.0) - up[i] * sqrt(OUTPUTS / 2.0)) < 1e-5;
  assert_true(alike < DRAWS / 1000);
  mlpd_network_free(first);
  mlpd_network_free(second);
}

static void test_any_part_can_be_drawn_alone(void **state) {
  (void)state;
  mlpd_network *const network = network_make(MLPD_RELU);
  const mlpd_init inits[] = {MLPD_HE_NORMAL, MLPD_GLOROT_UNIFORM, MLPD_INIT_AUTO, MLPD_ZEROS};
  for (int i = 0; i < 4; i++) {
    mlpd_network_init(network, inits[i], UINT64_MAX);
    static const size_t begins[] = {0, 1, 16383, 65537, DRAWS - 3};
    for (int b = 0; b < 5; b++) {
      float part[3];
      init_draw(&network->tensors[2], inits[i], UINT64_MAX, begins[b], begins[b] + 3, part);
      assert_memory_equal(part, mlpd_network_layer(network, 1).weight + begins[b], sizeof part);
    }
  }
  assert_true(mlpd_network_layer(network, 1).weight[77] == 0);
  mlpd_network_free(network);
}

static void test_auto_follows_the_activation(void **state) {
  (void)state;
  assert_int_equal(init_for_activation(MLPD_RELU), MLPD_HE_NORMAL);
  assert_int_equal(init_for_activation(MLPD_GELU), MLPD_HE_NORMAL);
  assert_int_equal(init_for_activation(MLPD_MISH), MLPD_HE_NORMAL);
  assert_int_equal(init_for_activation(MLPD_SELU), MLPD_LECUN_NORMAL);
  assert_int_equal(init_for_activation(MLPD_TANH), MLPD_GLOROT_UNIFORM);
  assert_int_equal(init_for_activation(MLPD_SIGMOID), MLPD_GLOROT_UNIFORM);
  assert_int_equal(init_for_activation(MLPD_IDENTITY), MLPD_GLOROT_UNIFORM);
  assert_int_equal(init_for_activation(MLPD_SOFTMAX), MLPD_GLOROT_UNIFORM);
  mlpd_network *const by_auto = network_make(MLPD_RELU), *const by_name = network_make(MLPD_RELU);
  mlpd_network_init(by_auto, MLPD_INIT_AUTO, 5);
  for (uint32_t l = 0; l < 3; l++) {
    mlpd_network_init(by_name, l == 0 ? MLPD_HE_NORMAL : MLPD_GLOROT_UNIFORM, 5);
    const mlpd_layer_view view = mlpd_network_layer(by_auto, l);
    assert_memory_equal(view.weight, mlpd_network_layer(by_name, l).weight,
                        (size_t)view.inputs * view.outputs * sizeof(float));
  }
  mlpd_network_free(by_auto);
  mlpd_network_free(by_name);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_moments),
      cmocka_unit_test(test_seed_and_layer_make_the_weights),
      cmocka_unit_test(test_any_part_can_be_drawn_alone),
      cmocka_unit_test(test_auto_follows_the_activation),
  };
  return cmocka_run_group_tests_name("init", tests, NULL, NULL);
}
