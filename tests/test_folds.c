/* Folds: how rows are drawn for them, and what members learn that leave a fold out each. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lanes/row_folds.h"
#include "network/ensemble.h"
#include "network/layer_kind.h"
#include "network/network_options.h"

/* ---- Drawing -------------------------------------------------------------------------------------- */

enum { MOST_CLASSES = 6, MOST_FOLDS = 100, MOST_ROWS = 1000 };

/* Draws class after class; into drawn (rows) the folds. */
static void draw(uint32_t classes, const uint64_t *rows, uint32_t folds, uint64_t seed, uint8_t *drawn) {
  row_folds f;
  assert_int_equal(row_folds_create(classes, rows, folds, seed, &f), MLPD_OK);
  for (uint32_t k = 0; k < classes; k++)
    for (uint64_t i = 0; i < rows[k]; i++) *drawn++ = row_folds_draw(&f, k);
  row_folds_free(&f);
}

static void assert_even(const uint64_t *counts, uint32_t folds) {
  uint64_t least = UINT64_MAX, most = 0;
  for (uint32_t i = 0; i < folds; i++) {
    if (counts[i] < least) least = counts[i];
    if (counts[i] > most) most = counts[i];
  }
  assert_true(most - least <= 1);
}

static void check_draw(uint32_t classes, const uint64_t *rows, uint32_t folds) {
  uint8_t drawn[MOST_ROWS];
  uint64_t of_all[MOST_FOLDS] = {0}, at = 0;
  draw(classes, rows, folds, 3, drawn);
  for (uint32_t k = 0; k < classes; k++) {
    uint64_t of_class[MOST_FOLDS] = {0};
    for (uint64_t i = 0; i < rows[k]; i++, at++) {
      assert_true(drawn[at] < folds);
      of_class[drawn[at]]++;
      of_all[drawn[at]]++;
    }
    assert_even(of_class, folds);
  }
  assert_even(of_all, folds);
}

static void test_even(void **state) {
  (void)state;
  check_draw(1, (const uint64_t[]){353}, 8);
  check_draw(1, (const uint64_t[]){8}, 8);
  check_draw(3, (const uint64_t[]){41, 38, 41}, 8);
  check_draw(6, (const uint64_t[]){1, 0, 3, 700, 7, 9}, 5);
  check_draw(2, (const uint64_t[]){99, 101}, 100);
}

/* Neither in turn nor the same with every seed. */
static void test_random(void **state) {
  (void)state;
  enum { ROWS = 1000, FOLDS = 4 };
  uint8_t first[ROWS], second[ROWS];
  const uint64_t rows = ROWS;
  uint32_t in_turn = 0, same = 0;
  draw(1, &rows, FOLDS, 1, first);
  draw(1, &rows, FOLDS, 2, second);
  for (uint32_t i = 1; i < ROWS; i++) {
    in_turn += first[i] == (first[i - 1] + 1) % FOLDS;
    same += first[i] == second[i];
  }
  assert_true(in_turn > 180 && in_turn < 320); /* 250, deviation 14 */
  assert_true(same > 180 && same < 320);
}

/* ---- Learning ------------------------------------------------------------------------------------- */

enum { N = 7, INPUTS = 2, OUTPUTS = 2, MEMBERS = 3 };

static const uint8_t FOLDS[N] = {0, 2, 1, 1, 0, 2, 2};
static const float WEIGHTS[N] = {1, 0.5f, 3, 0, 1, 2, 1};

typedef struct sample {
  mlpd_network *network;
  const backend *gemm;
  workspace space;
  float y[N * OUTPUTS];
  targets targets;
} sample;

static void set_up(sample *s, const float *weights) {
  const layer_spec specs[] = {{.kind = &layer_scale, .outputs = INPUTS, .amount = 6}, /* shared */
                              {.kind = &layer_fork, .outputs = INPUTS, .copies = MEMBERS},
                              {.kind = &layer_heads, .outputs = 3, .activation = MLPD_TANH},
                              {.kind = &layer_heads, .outputs = OUTPUTS}};
  *s = (sample){.targets = {.weights = weights, .folds = FOLDS}};
  assert_int_equal(backend_choose(NULL, &s->gemm), MLPD_OK);
  assert_int_equal(network_build(INPUTS, 4, specs, false, &s->network), MLPD_OK);
  mlpd_network_init(s->network, MLPD_INIT_AUTO, 4);
  assert_int_equal(workspace_create(s->network, N, false, &s->space), MLPD_OK);
  for (int i = 0; i < N * INPUTS; i++) s->space.x[i] = (float)(i % 5 - 2) / 2;
  for (int i = 0; i < N * OUTPUTS; i++) s->y[i] = (float)(i % 7) - 3;
  s->targets.values = s->y;
}

static void tear_down(sample *s) {
  workspace_free(&s->space);
  mlpd_network_free(s->network);
}

static loss_sums losses(sample *s) {
  const loss_spec loss = loss_plain(MLPD_MSE);
  loss_sums sums = {0};
  network_forward(s->network, s->gemm, N, &s->space);
  ensemble_loss(s->network, &loss, 0, N, &s->targets, &s->space, &sums);
  return sums;
}

static void assert_near(double value, double want, double most) {
  if (!(fabs(value - want) <= most * (1 + fabs(want)))) fail_msg("%.9g, not %.9g", value, want);
}

/* The loss of a row is the mean over the members that learn from it. */
static void check_losses(const float *weights) {
  sample s;
  double want = 0, weight_sum = 0;
  set_up(&s, weights);
  const loss_sums sums = losses(&s);
  for (uint32_t i = 0; i < N; i++) {
    const double weight = weights != NULL ? (double)weights[i] : 1;
    weight_sum += weight;
    for (uint32_t m = 0; m < MEMBERS; m++)
      for (uint32_t j = 0; j < OUTPUTS; j++) {
        const size_t at = ((size_t)i * MEMBERS + m) * OUTPUTS + j;
        const double error = (double)s.space.a[3][at] - (double)s.y[i * OUTPUTS + j];
        const double factor = m == FOLDS[i] ? 0 : weight * MEMBERS / (MEMBERS - 1);
        want += factor * error * error / 2 / MEMBERS;
        assert_near((double)s.space.delta[3][at], factor * error, 1e-6);
        if (m == FOLDS[i]) assert_true(s.space.delta[3][at] == 0);
      }
  }
  assert_near(sums.loss, want, 1e-6);
  assert_near(sums.weight, weight_sum, 1e-6);
  tear_down(&s);
}

static void test_losses(void **state) {
  (void)state;
  check_losses(NULL);
  check_losses(WEIGHTS);
}

static void back(sample *s) {
  for (uint32_t l = s->network->num_layers - 1; l-- > s->network->lowest_delta;)
    for (uint32_t i = 0; i < network_num_blocks(s->network, s->gemm, l, WAY_BACKWARD, N, 1); i++) {
      const block part = network_block(s->network, s->gemm, l, WAY_BACKWARD, 0, N, 1, i);
      network_backward_block(s->network, s->gemm, l, &part, &s->space);
    }
}

/* The gradient of the losses, in the arena's order; to be freed. */
static float *gradient_of(sample *s) {
  float *const gradient = calloc(s->network->arena_size, sizeof *gradient);
  assert_non_null(gradient);
  (void)losses(s);
  back(s);
  for (uint32_t i = 0; i < s->network->num_tensors; i++) {
    const tensor *const t = &s->network->tensors[i];
    for (uint32_t u = 0; u < tensor_num_units(t, s->gemm); u++) {
      const gradient_unit unit = network_unit(s->network, s->gemm, i, u);
      network_gradient(s->network, s->gemm, &unit, 0, N, &s->space,
                       gradient + t->offset + (size_t)unit.row * t->stride + unit.column, t->stride);
    }
  }
  return gradient;
}

/* Gradients are central differences of the losses; those of a member's own tensors are of its own loss, of which the
 * mean has a part. */
static void test_gradients(void **state) {
  (void)state;
  static const float step = 1.0f / 64;
  sample s;
  set_up(&s, WEIGHTS);
  float *const values = s.network->parameters, *const gradient = gradient_of(&s);
  for (uint32_t i = 0; i < s.network->num_tensors; i++) {
    const tensor *const t = &s.network->tensors[i];
    for (uint32_t e = 0; e < t->rows * t->columns; e++) {
      const size_t at = t->offset + (size_t)(e / t->columns) * t->stride + e % t->columns;
      const float kept = values[at];
      values[at] = kept + step;
      const double up = losses(&s).loss;
      values[at] = kept - step;
      const double want = (up - losses(&s).loss) / (2 * (double)step) * (t->layer > 0 ? MEMBERS : 1);
      values[at] = kept;
      assert_near((double)gradient[at], want, 2e-3);
    }
  }
  free(gradient);
  tear_down(&s);
}

/* A network of numbers and codes that become values of every kind. */
static void set_up_embedded(sample *s, mlpd_embed_numbers numbers, const uint8_t *folds) {
  static const uint32_t sizes[INPUTS] = {0, 4};
  mlpd_train_options o;
  mlpd_train_options_default(&o);
  o.hidden = "5";
  o.members = MEMBERS;
  o.embed_numbers = numbers;
  o.embed_bins = o.embed_width = 2;
  o.input_scale = 6;
  o.parametric_activation = 0.5;
  o.output_activation = MLPD_IDENTITY;
  *s = (sample){.targets = {.folds = folds}};
  assert_int_equal(backend_choose(NULL, &s->gemm), MLPD_OK);
  assert_int_equal(network_of_options(&o, &(input_roles){.count = INPUTS, .sizes = sizes}, OUTPUTS, false, &s->network),
                   MLPD_OK);
  mlpd_network_init(s->network, MLPD_INIT_AUTO, 4);
  for (uint32_t i = 0; i < s->network->num_tensors; i++) {
    const tensor *const t = &s->network->tensors[i];
    for (uint32_t e = 0; t->source == TENSOR_FIXED && e < t->rows * t->columns; e++)
      s->network->parameters[t->offset + (size_t)(e / t->columns) * t->stride + e % t->columns] =
          (float)(e % t->columns) - 1; /* edges */
  }
  assert_int_equal(workspace_create(s->network, N, false, &s->space), MLPD_OK);
  for (uint32_t i = 0; i < N; i++) {
    s->space.x[i * INPUTS] = (float)(i % 5) / 4 - 0.6f;
    s->space.x[i * INPUTS + 1] = (float)(i % 4);
  }
  for (int i = 0; i < N * OUTPUTS; i++) s->y[i] = (float)(i % 7) - 3;
  s->targets.values = s->y;
}

/* Where all rows are of one fold, its member learns nothing at all: nothing that it knows is learned by others. */
static void test_left_out(void **state) {
  (void)state;
  static const mlpd_embed_numbers kinds[] = {MLPD_EMBED_NUMBERS_NONE, MLPD_EMBED_NUMBERS_PERIODIC,
                                             MLPD_EMBED_NUMBERS_PIECEWISE};
  static const uint8_t folds[N] = {1, 1, 1, 1, 1, 1, 1};
  for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
    sample s;
    set_up_embedded(&s, kinds[k], folds);
    float *const gradient = gradient_of(&s);
    for (uint32_t i = 0; i < s.network->num_tensors; i++) {
      const tensor *const t = &s.network->tensors[i];
      uint32_t learned[MEMBERS] = {0};
      if (!tensor_learns(t)) continue;
      assert_int_equal(t->rows % MEMBERS, 0);
      for (uint32_t e = 0; e < t->rows * t->columns; e++)
        learned[e / (t->rows / MEMBERS * t->columns)] +=
            gradient[t->offset + (size_t)(e / t->columns) * t->stride + e % t->columns] != 0;
      if (learned[0] == 0 || learned[1] != 0 || learned[2] == 0)
        fail_msg("layer %u, %s: members learn %u, %u and %u values", t->layer + 1, t->name, learned[0], learned[1],
                 learned[2]);
    }
    free(gradient);
    tear_down(&s);
  }
}

/* Each row is judged by the member that left it out. */
static void test_pick(void **state) {
  (void)state;
  sample s;
  set_up(&s, NULL);
  network_forward(s.network, s.gemm, N, &s.space);
  ensemble_pick(s.network, N, FOLDS, &s.space);
  for (uint32_t i = 0; i < N; i++)
    for (uint32_t j = 0; j < OUTPUTS; j++) {
      const size_t at = ((size_t)i * MEMBERS + FOLDS[i]) * OUTPUTS + j;
      assert_true(s.space.output[i * OUTPUTS + j] == s.space.a[3][at]);
      assert_true(s.space.output_z[i * OUTPUTS + j] == s.space.z[3][at]);
    }
  assert_true(s.space.output[0] != s.space.a[3][OUTPUTS]);
  tear_down(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_even), cmocka_unit_test(test_random),    cmocka_unit_test(test_losses),
      cmocka_unit_test(test_pick), cmocka_unit_test(test_gradients), cmocka_unit_test(test_left_out),
  };
  return cmocka_run_group_tests_name("folds", tests, NULL, NULL);
}
