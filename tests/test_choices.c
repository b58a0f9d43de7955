#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "loss/loss.h"

/* Each list has the values 0 ... count - 1 in order, each with a unique name that finds it again, and a help line. */
static void check_table(const mlpd_choice *choices, int count) {
  for (int i = 0; i < count; i++) {
    const char *const name = choices[i].name;
    assert_non_null(name);
    assert_int_equal(choices[i].value, i);
    assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-"), strlen(name));
    assert_true(choices[i].help != NULL && choices[i].help[0] != '\0' && strchr(choices[i].help, '\n') == NULL);
    int value = -7;
    assert_true(mlpd_choice_find(choices, name, &value));
    assert_int_equal(value, i);
    assert_string_equal(mlpd_choice_name(choices, i), name);
  }
  assert_null(choices[count].name);
  int value = -7;
  assert_false(mlpd_choice_find(choices, "no-such-name", &value));
  assert_int_equal(value, -7);
  assert_string_equal(mlpd_choice_name(choices, count), "?");
}

static void test_tables(void **state) {
  (void)state;
  check_table(mlpd_activation_choices, MLPD_NUM_ACTIVATIONS);
  check_table(mlpd_loss_choices, MLPD_NUM_LOSSES);
  check_table(mlpd_init_choices, MLPD_ZEROS + 1);
  check_table(mlpd_optimizer_choices, MLPD_NUM_OPTIMIZERS);
  check_table(mlpd_decay_choices, MLPD_DECAY_DECOUPLED + 1);
  check_table(mlpd_schedule_choices, MLPD_NUM_SCHEDULES);
  check_table(mlpd_lr_scale_choices, MLPD_LR_SCALE_SQRT + 1);
  check_table(mlpd_regularization_choices, MLPD_REGULARIZATION_FLAT_COSINE + 1);
  check_table(mlpd_task_choices, MLPD_REGRESSION + 1);
  check_table(mlpd_normalize_choices, MLPD_NORMALIZE_MIXED + 1);
  check_table(mlpd_preset_choices, MLPD_PRESET_TABULAR_TD + 1);
  check_table(mlpd_reduce_choices, MLPD_REDUCE_ALLREDUCE + 1);
  check_table(mlpd_update_choices, MLPD_UPDATE_EACH + 1);
  check_table(mlpd_overlap_choices, MLPD_OVERLAP_NONE + 1);
  check_table(mlpd_embed_numbers_choices, MLPD_EMBED_NUMBERS_AUTO + 1);
  check_table(mlpd_embed_edges_choices, MLPD_EMBED_EDGES_TARGETS + 1);
  check_table(mlpd_select_choices, MLPD_SELECT_RMSE + 1);
  check_table(mlpd_log_choices, MLPD_LOG_TENSORBOARD + 1);
  check_table(mlpd_save_choices, MLPD_SAVE_LAST + 1);
  check_table(mlpd_split_choices, MLPD_TEST + 1);
}

static void test_names(void **state) {
  (void)state;
  assert_string_equal(mlpd_choice_name(mlpd_activation_choices, MLPD_LEAKY_RELU), "leaky-relu");
  assert_string_equal(mlpd_choice_name(mlpd_loss_choices, MLPD_BINARY_CROSS_ENTROPY), "binary-cross-entropy");
  assert_string_equal(mlpd_choice_name(mlpd_init_choices, MLPD_GLOROT_UNIFORM), "glorot-uniform");
  assert_string_equal(mlpd_choice_name(mlpd_optimizer_choices, MLPD_ADAMW), "adamw");
}

static void test_default_options(void **state) {
  (void)state;
  mlpd_train_options o;
  memset(&o, 0x5a, sizeof o);
  mlpd_train_options_default(&o);
  assert_int_equal(o.output_activation, -1);
  assert_int_equal(o.loss, MLPD_LOSS_AUTO);
  assert_string_equal(o.hidden, "256,256,256");
  assert_string_equal(o.out, "run");
  assert_true(o.data.file == NULL && o.data.test_y == NULL && o.backend == NULL && o.config_text == NULL);
  assert_true(o.base_batch > 0 && o.batch > 0 && o.epochs == 0 && o.lr == -1 && o.lr_step_epochs > 0 && o.epsilon > 0);
  /* What auto becomes for classes and for values is a pair that can be trained. */
  assert_int_equal(loss_check(MLPD_CROSS_ENTROPY, loss_default_activation(MLPD_CROSS_ENTROPY, MLPD_CLASSIFICATION)),
                   MLPD_OK);
  assert_int_equal(loss_check(MLPD_MSE, loss_default_activation(MLPD_MSE, MLPD_REGRESSION)), MLPD_OK);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_tables),
      cmocka_unit_test(test_names),
      cmocka_unit_test(test_default_options),
  };
  return cmocka_run_group_tests_name("choices", tests, NULL, NULL);
}
