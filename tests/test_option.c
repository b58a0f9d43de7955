/* The library's options: by name, checked, as text, and compared with a checkpoint's. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "options/name.h"
#include "options/option.h"
#include "options/option_text.h"
#include "options/preset.h"
#include "options/preset_values.h"

static void test_reals_are_short_and_exact(void **state) {
  (void)state;
  static const struct {
    double value;
    const char *text;
  } cases[] = {{0, "0"},
               {10, "10"},
               {0.1, "0.1"},
               {1e-8, "1e-8"},
               {1e6, "1e6"},
               {1250, "1250"},
               {0.9999999, "0.9999999"},
               {1.0 / 3, "0.3333333333333333"},
               {99999, "99999"},
               {-20, "-20"}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char buffer[64];
    option_format_real(cases[i].value, buffer, sizeof buffer);
    assert_string_equal(buffer, cases[i].text);
    assert_true(strtod(buffer, NULL) == cases[i].value);
  }
}

static void test_suggestions(void **state) {
  (void)state;
  assert_int_equal(name_distance("kitten", "sitting"), 3);
  assert_int_equal(name_distance("", "abc"), 3);
  assert_int_equal(name_distance("same", "same"), 0);
  const char *near = NULL;
  mlpd_name_offer("epoch", "batch", &near);
  assert_null(near);
  mlpd_name_offer("epoch", "epochs", &near);
  assert_string_equal(near, "epochs");
  near = NULL;
  mlpd_name_offer("learning", "learning-rate", &near);
  assert_string_equal(near, "learning-rate");
  near = NULL;
  mlpd_name_offer("zz", "lr", &near);
  assert_null(near);
}

static mlpd_train_options defaults(void) {
  mlpd_train_options o;
  mlpd_train_options_default(&o);
  return o;
}

static void test_defaults_are_allowed(void **state) {
  (void)state;
  mlpd_train_options o = defaults();
  char buffer[64];
  for (const mlpd_option *row = mlpd_train_option_table; row->name != NULL; row++) {
    const char *const text = mlpd_option_format(row, &o, buffer, sizeof buffer);
    if (row->default_text == NULL)
      assert_null(text);
    else
      assert_string_equal(text, row->default_text);
  }
  o.data.file = "a.h5";
  assert_int_equal(mlpd_train_options_check(&o), MLPD_OK);
}

/* What was chosen stays, before and after the preset, by name and as a member, also where it is the default. */
static void test_preset(void **state) {
  (void)state;
  mlpd_train_options o = defaults();
  assert_int_equal(mlpd_train_options_set(&o, "activation", "silu"), MLPD_OK);
  assert_int_equal(mlpd_train_options_set(&o, "schedule", "step"), MLPD_OK);
  assert_int_equal(mlpd_train_options_set(&o, "preset", "tabular"), MLPD_OK);
  assert_int_equal(mlpd_train_options_set(&o, "beta2", "0.5"), MLPD_OK);
  assert_int_equal(mlpd_train_options_set(&o, "lr", "auto"), MLPD_OK); /* chooses nothing */
  o.batch = 32;
  mlpd_train_options_settle(&o);
  assert_true(o.lr == -1 && o.label_smoothing == 0); /* the task is not known yet */
  assert_int_equal(o.normalize, MLPD_NORMALIZE_ROBUST);
  o.task = MLPD_CLASSIFICATION;
  mlpd_train_options_settle(&o);
  assert_true(o.lr == 0.04 && o.label_smoothing == 0.1 && o.clip_inputs == 3 && o.beta2 == 0.5 && o.weight_decay == 0);
  assert_true(o.batch == 32 && o.epochs == 256 && o.schedule == MLPD_STEP && !o.clamp_predictions);
  assert_string_equal(o.activation, "silu");
  mlpd_train_options_forget(&o);
  o.task = MLPD_REGRESSION;
  mlpd_train_options_settle(&o);
  assert_true(o.lr == 0.07 && o.clip_inputs == 10 && o.beta2 == 0.95 && o.batch == 256 && o.clamp_predictions);
  assert_int_equal(o.schedule, MLPD_COSLOG4);
  assert_string_equal(o.activation, "mish");
  mlpd_train_options_forget(&o);
  o.task = MLPD_CLASSIFICATION;
  o.loss = MLPD_MSE;
  mlpd_train_options_settle(&o);
  assert_true(o.lr == 0.04 && o.label_smoothing == 0); /* which is for other losses */
}

/* Without rates of its own a table gets the values of tabular, anything else none; neither is known before the data. */
static void test_preset_auto(void **state) {
  (void)state;
  for (int table = 0; table < 2; table++) {
    mlpd_train_options o = defaults();
    assert_int_equal(mlpd_train_options_set(&o, "lr", "auto"), MLPD_OK); /* chooses nothing */
    mlpd_train_options_settle(&o);
    assert_true(o.preset == MLPD_PRESET_AUTO && o.lr == -1 && o.weight_decay == -1 && o.clip_inputs == 0);
    assert_true(preset_waits(&o, "clip-inputs") && preset_waits(&o, "optimizer") && !preset_waits(&o, "hidden"));
    o.clip_inputs = 2;
    assert_false(preset_waits(&o, "clip-inputs"));
    preset_decide(table, &o);
    o.task = MLPD_CLASSIFICATION;
    mlpd_train_options_settle(&o);
    assert_int_equal(o.preset, table ? MLPD_PRESET_TABULAR : MLPD_PRESET_NONE);
    assert_true(o.lr == (table ? 0.04 : 0.005) && o.weight_decay == (table ? 0 : 0.1) && o.clip_inputs == 2);
    assert_int_equal(o.parametrization, table ? MLPD_PARAMETRIZATION_NTK : MLPD_PARAMETRIZATION_STANDARD);
    assert_int_equal(o.schedule, table ? MLPD_COSLOG4 : MLPD_COSINE);
    assert_string_equal(o.activation, table ? "selu" : "silu");
    assert_int_equal(o.epochs, 0); /* by the number of steps, not the preset's 256 */
  }
}

/* A rate of the user's, or trained weights, leave everything else as it is without a preset. */
static void test_preset_auto_gives_way(void **state) {
  (void)state;
  const char *const chosen[][2] = {{"lr", "0.005"},
                                   {"optimizer", "adamw"},
                                   {"parametrization", "standard"},
                                   {"parametrization", "ntk"},
                                   {"init-from", "model.h5"}};
  for (size_t i = 0; i < sizeof chosen / sizeof *chosen; i++) {
    mlpd_train_options o = defaults();
    assert_int_equal(mlpd_train_options_set(&o, chosen[i][0], chosen[i][1]), MLPD_OK);
    assert_false(preset_waits(&o, "schedule"));
    mlpd_train_options_settle(&o);
    preset_decide(true, &o);
    o.task = MLPD_REGRESSION;
    mlpd_train_options_settle(&o);
    assert_true(o.preset == MLPD_PRESET_NONE && o.lr == 0.005 && o.weight_decay == 0.1 && !o.clamp_predictions);
    assert_string_equal(o.activation, "silu");
  }
}

/* Of tabular-td, more waits for the task. */
static void test_preset_of_values(void **state) {
  (void)state;
  for (int task = MLPD_CLASSIFICATION; task <= MLPD_REGRESSION; task++) {
    const bool values = task == MLPD_REGRESSION;
    mlpd_train_options o = defaults();
    assert_int_equal(mlpd_train_options_set(&o, "preset", "tabular-td"), MLPD_OK);
    mlpd_train_options_settle(&o);
    assert_true(o.lr == -1 && o.weight_decay == -1 && o.input_scale == 6 && o.embed_numbers == MLPD_EMBED_NUMBERS_NONE);
    o.task = (mlpd_task)task;
    mlpd_train_options_settle(&o);
    assert_true(o.optimizer == MLPD_ADAMW && o.lr == (values ? 0.2 : 0.04) && o.weight_decay == (values ? 0.02 : 0));
    assert_string_equal(o.dropout, values ? "0.15" : "0");
    assert_true(o.embed_numbers == (values ? MLPD_EMBED_NUMBERS_PERIODIC : MLPD_EMBED_NUMBERS_NONE));
    assert_true((o.regularization_schedule == MLPD_REGULARIZATION_FLAT_COSINE) == values);
    assert_true(o.input_scale_decay == values && o.parametric_activation == (values ? 0.1 : 0));
    assert_true(o.label_smoothing == (values ? 0 : 0.1) && o.clamp_predictions == values);
  }
}

static void test_set_by_name(void **state) {
  (void)state;
  mlpd_train_options o = defaults();
  assert_int_equal(mlpd_train_options_set(&o, "lr", "0.25"), MLPD_OK);
  assert_true(o.lr == 0.25);
  assert_int_equal(mlpd_train_options_set(&o, "optimizer", "adam"), MLPD_OK);
  assert_int_equal(o.optimizer, MLPD_ADAM);
  assert_int_equal(mlpd_train_options_set(&o, "hidden", "8,4"), MLPD_OK);
  assert_string_equal(o.hidden, "8,4");
  const struct {
    const char *text;
    uint64_t bytes;
  } sizes[] = {{"500", 500},       {"4e9", 4000000000},     {"4GB", 4000000000},
               {"4g", 4000000000}, {"1.5 GiB", 1610612736}, {"64 MiB", 67108864},
               {"3kB", 3000},      {"2TiB", 2199023255552}};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    assert_int_equal(mlpd_train_options_set(&o, "memory", sizes[i].text), MLPD_OK);
    assert_true(o.memory == sizes[i].bytes);
  }
  assert_int_equal(mlpd_train_options_set(&o, "memory", "4 G B"), MLPD_ERROR_USAGE);
  assert_int_equal(mlpd_train_options_set(&o, "memory", "GB"), MLPD_ERROR_USAGE);
  assert_int_equal(mlpd_train_options_set(&o, "memory", "0.5B"), MLPD_ERROR_USAGE);
  assert_int_equal(mlpd_train_options_set(&o, "batch", "1k"), MLPD_ERROR_USAGE);
  assert_int_equal(mlpd_train_options_set(&o, "lrr", "1"), MLPD_ERROR_USAGE);
  assert_string_equal(mlpd_error_message(), "unknown option --lrr; did you mean --lr?");
  assert_int_equal(mlpd_train_options_set(&o, "config_text", "x"), MLPD_ERROR_USAGE);
  assert_int_equal(mlpd_train_options_set(&o, "lr", "1e9"), MLPD_ERROR_USAGE);
  assert_string_equal(mlpd_error_message(), "--lr: 1e9 is not in [0, 1e6]");
  assert_true(o.lr == 0.25);
}

/* A host that fills the struct itself is refused in the words of the command line. */
static void refuses(const mlpd_train_options *o, const char *message) {
  assert_int_equal(mlpd_train_options_check(o), MLPD_ERROR_USAGE);
  assert_string_equal(mlpd_error_message(), message);
}

static void test_values_are_checked(void **state) {
  (void)state;
  const mlpd_train_options good = defaults();
  mlpd_train_options o = good;
  o.hidden = NULL;
  refuses(&o, "--hidden: NULL is not a value; the default is \"256,256,256\"");
  o.hidden = "8,,4";
  refuses(&o, "--hidden: \"8,,4\" is not a list of widths such as 512,256, of at most 16777216 each, or \"\" for none");
  o.hidden = "16777217";
  refuses(&o,
          "--hidden: \"16777217\" is not a list of widths such as 512,256, of at most 16777216 each, or \"\" for none");
  o = good;
  o.lr_step_epochs = 0;
  refuses(&o, "--lr-step-epochs: 0 is not in [1e-6, 1e9]");
  o = good;
  o.base_batch = 0;
  refuses(&o, "--base-batch: 0 is not in [1, 2147483647]");
  o = good;
  o.threads = -2;
  refuses(&o, "--threads: -2 is not in [0, 4096]");
  o = good;
  o.lr = NAN;
  refuses(&o, "--lr: \"nan\" is not a number");
  o.lr = -INFINITY;
  refuses(&o, "--lr: -inf is not in [0, 1e6]");
  o = good;
  o.optimizer = (mlpd_optimizer)77;
  refuses(
      &o,
      "--optimizer: \"77\" is unknown; the choices are sgd, momentum, nesterov, adam, adamw, rmsprop, adagrad, lion, "
      "lars, lamb, lbfgs, adamax");
  o = good;
  o.output_activation = -2;
  assert_int_equal(mlpd_train_options_check(&o), MLPD_ERROR_USAGE);
  o = good;
  o.out = "";
  refuses(&o, "--out: the path is empty");
  o.out = "a\nb";
  refuses(&o, "--out: \"a?b\" has a control character such as a line end");
  o = good;
  o.resume = o.checkpoint_every = NULL; /* as mlpdist.h says */
  assert_int_equal(mlpd_train_options_check(&o), MLPD_OK);
}

/* Before the data is known, preset auto may still become tabular; what neither would use lacks what it needs. */
static void test_needs_before_data(void **state) {
  (void)state;
  static const struct {
    const char *name;
    mlpd_preset preset;
    const char *lacks; /* NULL: nothing */
  } cases[] = {{"lr-power", MLPD_PRESET_AUTO, "--schedule polynomial"},
               {"power-t", MLPD_PRESET_AUTO, "--schedule invscaling"},
               {"momentum", MLPD_PRESET_AUTO, "--optimizer momentum, nesterov or lars"},
               {"lr-min", MLPD_PRESET_AUTO, NULL},
               {"input-scale-decay", MLPD_PRESET_AUTO, NULL},
               {"input-scale-decay", MLPD_PRESET_NONE, "--input-scale"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    mlpd_train_options o = defaults();
    char buffer[64];
    o.preset = cases[i].preset;
    const mlpd_option *const row = mlpd_option_find(mlpd_train_option_table, cases[i].name);
    const char *const lacks = mlpd_option_lacks(mlpd_train_option_table, row, &o, buffer, sizeof buffer);
    if (cases[i].lacks == NULL)
      assert_null(lacks);
    else
      assert_string_equal(lacks, cases[i].lacks);
  }
}

static void test_needs(void **state) {
  (void)state;
  mlpd_train_options o = defaults();
  char buffer[64];
  const mlpd_option *row = NULL;
  /* Every condition names a row and values that it takes. */
  for (row = mlpd_train_option_table; row->name != NULL; row++) {
    if (row->needs == NULL) continue;
    char key[64];
    (void)snprintf(key, sizeof key, "%.*s", (int)strcspn(row->needs, "!="), row->needs);
    assert_non_null(mlpd_option_find(mlpd_train_option_table, key));
  }
  row = mlpd_option_find(mlpd_train_option_table, "beta1");
  o.optimizer = MLPD_MOMENTUM;
  assert_string_equal(mlpd_option_lacks(mlpd_train_option_table, row, &o, buffer, sizeof buffer),
                      "--optimizer adam, adamw, adamax, lion or lamb");
  o.optimizer = MLPD_ADAMW;
  assert_null(mlpd_option_lacks(mlpd_train_option_table, row, &o, buffer, sizeof buffer));
  row = mlpd_option_find(mlpd_train_option_table, "schedule");
  assert_null(mlpd_option_lacks(mlpd_train_option_table, row, &o, buffer, sizeof buffer));
  o.optimizer = MLPD_LBFGS;
  assert_string_equal(mlpd_option_lacks(mlpd_train_option_table, row, &o, buffer, sizeof buffer),
                      "an --optimizer other than lbfgs");
  /* An option that has no effect gives none to others, whatever its value. */
  row = mlpd_option_find(mlpd_train_option_table, "lr-rise");
  o.schedule = MLPD_ONE_CYCLE;
  assert_string_equal(mlpd_option_lacks(mlpd_train_option_table, row, &o, buffer, sizeof buffer),
                      "an --optimizer other than lbfgs");
  o.optimizer = MLPD_ADAMW;
  assert_null(mlpd_option_lacks(mlpd_train_option_table, row, &o, buffer, sizeof buffer));
  row = mlpd_option_find(mlpd_train_option_table, "window");
  assert_string_equal(mlpd_option_lacks(mlpd_train_option_table, row, &o, buffer, sizeof buffer), "--stream");
  row = mlpd_option_find(mlpd_train_option_table, "trace-steps");
  assert_string_equal(mlpd_option_lacks(mlpd_train_option_table, row, &o, buffer, sizeof buffer), "--trace");
  o.trace = "a.json";
  assert_null(mlpd_option_lacks(mlpd_train_option_table, row, &o, buffer, sizeof buffer));
  row = mlpd_option_find(mlpd_train_option_table, "classes");
  assert_null(mlpd_option_lacks(mlpd_train_option_table, row, &o, buffer, sizeof buffer));
  o.task = MLPD_REGRESSION;
  assert_string_equal(mlpd_option_lacks(mlpd_train_option_table, row, &o, buffer, sizeof buffer),
                      "--task classification");
}

/* A condition of two alternatives holds if one does; where none does, both are named. */
static void test_needs_one_of_two(void **state) {
  typedef struct pair {
    char *first, *second;
    uint32_t third;
  } pair;
  (void)state;
  static const mlpd_option table[] = {
      {"first", "", "X", MLPD_OPTION_TEXT, offsetof(pair, first), sizeof(char *), .help = ""},
      {"second", "", "X", MLPD_OPTION_TEXT, offsetof(pair, second), sizeof(char *), .help = ""},
      {"third", "", "N", MLPD_OPTION_INTEGER, offsetof(pair, third), sizeof(uint32_t), .needs = "first=a,b|second"},
      {.name = NULL}};
  char buffer[64];
  pair given = {.first = "c", .second = ""};
  assert_string_equal(mlpd_option_lacks(table, &table[2], &given, buffer, sizeof buffer), "--first a or b or --second");
  assert_string_equal(mlpd_option_lacks(NULL, &table[2], NULL, buffer, sizeof buffer), "--first a or b or --second");
  given.second = "c";
  assert_null(mlpd_option_lacks(table, &table[2], &given, buffer, sizeof buffer));
  given = (pair){.first = "b", .second = ""};
  assert_null(mlpd_option_lacks(table, &table[2], &given, buffer, sizeof buffer));
}

/* Rates and decays that follow from the optimizer; what is given stays. */
static void test_settle(void **state) {
  (void)state;
  mlpd_train_options o = defaults();
  o.preset = MLPD_PRESET_NONE; /* auto waits for the data */
  mlpd_train_options_settle(&o);
  assert_true(o.lr == 0.005 && o.weight_decay == 0.1);
  for (int optimizer = 0; optimizer < MLPD_NUM_OPTIMIZERS; optimizer++) {
    o = defaults();
    o.preset = MLPD_PRESET_NONE;
    o.optimizer = (mlpd_optimizer)optimizer;
    mlpd_train_options_settle(&o);
    if (optimizer == MLPD_LBFGS) { /* it has no rate: a config file keeps auto */
      assert_true(o.lr < 0 && o.weight_decay == 0);
      continue;
    }
    if (!(o.lr > 0)) fail_msg("no rate for %s", mlpd_choice_name(mlpd_optimizer_choices, optimizer));
    assert_true((o.weight_decay > 0) == (optimizer == MLPD_ADAMW));
  }
  o.lr = 0;
  o.weight_decay = 0;
  o.optimizer = MLPD_ADAMW;
  mlpd_train_options_settle(&o);
  assert_true(o.lr == 0 && o.weight_decay == 0);
}

static char *text_of(const mlpd_train_options *o, void (*write)(const mlpd_train_options *, FILE *)) {
  char *text = NULL;
  size_t bytes = 0;
  FILE *const stream = open_memstream(&text, &bytes);
  write(o, stream);
  assert_int_equal(fclose(stream), 0);
  return text;
}

static void test_texts(void **state) {
  (void)state;
  mlpd_train_options o = defaults();
  o.optimizer = MLPD_MOMENTUM;
  o.schedule = MLPD_CONSTANT;
  o.epochs = 10;
  char *text = text_of(&o, option_text_weights);
  assert_non_null(strstr(text, "\nmomentum = 0.9\n"));
  assert_null(strstr(text, "beta1")); /* has no effect */
  assert_null(strstr(text, "\nepochs"));
  assert_null(strstr(text, "threads"));
  assert_null(strstr(text, "window"));
  free(text);
  o.regularization_schedule = MLPD_REGULARIZATION_FLAT_COSINE;
  text = text_of(&o, option_text_weights);
  assert_non_null(strstr(text, "\nepochs = 10\n")); /* the factors of dropout depend on it */
  free(text);
  o.regularization_schedule = MLPD_REGULARIZATION_CONSTANT;
  o.optimizer = MLPD_ADAM;
  o.schedule = MLPD_COSINE;
  o.stream = true;
  text = text_of(&o, option_text_weights);
  assert_non_null(strstr(text, "\nbeta1 = 0.9\n"));
  assert_non_null(strstr(text, "\nepochs = 10\n")); /* the rates of cosine depend on it */
  assert_non_null(strstr(text, "\nwindow = auto\n"));
  free(text);
  text = text_of(&o, option_text_course);
  assert_non_null(strstr(text, "\nepochs = 10\n"));
  assert_non_null(strstr(text, "\npatience = 0\n"));
  assert_non_null(strstr(text, "\nupdate = split\n"));
  assert_null(strstr(text, "threads"));
  assert_null(strstr(text, "\nout ="));
  free(text);
}

/* A text that a host leaves out decides the same as its default. */
static void test_texts_left_out(void **state) {
  (void)state;
  mlpd_train_options o = defaults();
  o.loss = MLPD_QUANTILE;
  char *const expected = text_of(&o, option_text_weights);
  o.activation = o.dropout = o.quantiles = o.class_weight = NULL;
  char *const text = text_of(&o, option_text_weights);
  assert_string_equal(text, expected);
  free(text);
  free(expected);
}

static void differ(const char *checkpoint, const char *run, const char *their_line, const char *our_line) {
  char theirs[OPTION_LINE_BYTES] = "-", ours[OPTION_LINE_BYTES] = "-";
  assert_true(option_text_differs(checkpoint, run, theirs, ours));
  assert_string_equal(theirs, their_line);
  assert_string_equal(ours, our_line);
}

static void are_alike(const char *checkpoint, const char *run) {
  char theirs[OPTION_LINE_BYTES] = "-", ours[OPTION_LINE_BYTES] = "-";
  if (option_text_differs(checkpoint, run, theirs, ours)) fail_msg("'%s' and '%s' differ", theirs, ours);
}

static void test_comparison(void **state) {
  (void)state;
  char value[400], line[500];
  are_alike("", "");
  are_alike("lr = 1\nseed = 2\n", "seed = 2\nlr = 1\n");
  are_alike("lr = 1\n", "lr = 1\nseed = 1\n"); /* an option that is younger than the checkpoint has its default */
  are_alike("epsilon = 1e-08\nclasses = 0\n", "epsilon = 1e-8\nclasses = auto\n");
  are_alike("lr = 1\nmomentum = 0.9\n", "lr = 1\n"); /* it has no effect here */
  differ("lr = 1\nseed = 2\n", "lr = 1\nseed = 3\n", "seed = 2", "seed = 3");
  differ("lr = 1\n", "lr = 10\n", "lr = 1", "lr = 10");
  differ("lr = 1\n", "lr = 1\nseed = 2\n", "seed = 1", "seed = 2");
  differ("backend = native\n", "backend = plain\n", "backend = native", "backend = plain");
  differ("noise = 0.5\nlr = 1\n", "lr = 1\n", "noise = 0.5", "no noise, an option of a newer version");
  are_alike("lr = 1\n", "lr = 1\nselect = loss\n"); /* there was no other */
  differ("lr = 1\n", "lr = 1\nselect = error\n", "select = loss", "select = error");
  are_alike("lr = 1\n", "lr = 1\nembed-above = 65536\nembed-width = 8\n"); /* categories were one-hot */
  differ("lr = 1\n", "lr = 1\nembed-above = 9\n", "embed-above = 65536", "embed-above = 9");
  /* --normalize none once left the targets as they are, too. */
  are_alike("normalize = none\n", "normalize = none\nnormalize-targets = none\n");
  differ("normalize = none\n", "normalize = none\nnormalize-targets = standard\n", "normalize-targets = none",
         "normalize-targets = standard");
  are_alike("normalize = scale\n", "normalize = scale\nnormalize-targets = standard\n");
  /* Version 0.1.0 */
  are_alike("lanes = 4\nstream window = 100\n", "lanes = 4\nstream = yes\nwindow = 100\n");
  differ("stream window = 100\n", "stream = no\n", "stream = yes", "stream = no");
  differ("stream window = 100\n", "stream = yes\nwindow = 200\n", "window = 100", "window = 200");
  differ("lanes = 4\n", "lanes = 4\nstream = yes\n", "stream = no", "stream = yes");
  memset(value, '1', sizeof value);
  value[399] = '\0';
  (void)snprintf(line, sizeof line, "hidden = %s\n", value);
  char theirs[OPTION_LINE_BYTES], ours[OPTION_LINE_BYTES];
  assert_true(option_text_differs(line, "hidden = 3\n", theirs, ours));
  assert_int_equal(strlen(theirs), OPTION_LINE_BYTES - 1);
}

/* ---- Options that own their texts ------------------------------------------------------------------- */

static void test_named_options(void **state) {
  (void)state;
  mlpd_options *options = NULL;
  char text[64] = "64,32", got[64];
  const mlpd_data_rows rows = {.x = {.columns = 3}};
  assert_int_equal(mlpd_options_create(&options), MLPD_OK);
  const mlpd_train_options *const values = mlpd_options_values(options);
  assert_null(values->out); /* no files unless asked for */
  assert_int_equal(mlpd_options_set(options, "hidden", text), MLPD_OK);
  memset(text, '!', sizeof text - 1); /* it was copied */
  assert_string_equal(values->hidden, "64,32");
  assert_int_equal(mlpd_options_set(options, "hidden", "7"), MLPD_OK);
  assert_int_equal(mlpd_options_set(options, "lr", "0.25"), MLPD_OK);
  assert_int_equal(mlpd_options_set(options, "out", "run7"), MLPD_OK);
  assert_int_equal(mlpd_options_set(options, "lr", "much"), MLPD_ERROR_USAGE);
  assert_non_null(strstr(mlpd_error_message(), "--lr"));
  assert_int_equal(mlpd_options_set(options, "hidden", "7;8"), MLPD_ERROR_USAGE);
  assert_int_equal(mlpd_options_set(options, "epoch", "7"), MLPD_ERROR_USAGE);
  assert_string_equal(mlpd_error_message(), "unknown option --epoch; did you mean --epochs?");
  assert_int_equal(mlpd_options_set(options, "--lr", "1"), MLPD_ERROR_USAGE);
  assert_string_equal(mlpd_error_message(), "option --lr is named without dashes here: lr");
  assert_int_equal(mlpd_options_get(options, "hidden", got, sizeof got), MLPD_OK);
  assert_string_equal(got, "7");
  assert_int_equal(mlpd_options_get(options, "lr", got, sizeof got), MLPD_OK);
  assert_string_equal(got, "0.25");
  assert_int_equal(mlpd_options_get(options, "out", got, 3), MLPD_OK);
  assert_string_equal(got, "ru");
  assert_int_equal(mlpd_options_get(options, "trace", got, sizeof got), MLPD_OK);
  assert_string_equal(got, "");
  assert_int_equal(mlpd_options_get(options, "hiden", got, sizeof got), MLPD_ERROR_USAGE);
  assert_string_equal(mlpd_error_message(), "unknown option --hiden; did you mean --hidden?");
  assert_int_equal(mlpd_options_set(NULL, "lr", "1"), MLPD_ERROR_USAGE);
  mlpd_options_rows(options, &rows);
  assert_true(values->data.rows != NULL && values->data.rows != &rows && values->data.rows->x.columns == 3);
  mlpd_options_rows(options, NULL);
  assert_null(values->data.rows);
  mlpd_options_free(options);
  mlpd_options_free(NULL);
}

/* --help of init-from lists what the model sets; its normalisation is in the first part of that text. */
static void test_options_of_a_model(void **state) {
  (void)state;
  const char *const help = mlpd_option_find(mlpd_train_option_table, "init-from")->help;
  char name[64];
  int found = 0;
  for (const mlpd_option *row = mlpd_train_option_table; row->name != NULL; row++) {
    if (row->from_model == MLPD_FROM_MODEL_NOTHING || strcmp(row->name, "normalize") == 0) continue;
    (void)snprintf(name, sizeof name, "--%s", row->name);
    if (strstr(help, name) == NULL) fail_msg("the help of init-from does not name %s", name);
    found++;
  }
  assert_true(found >= 11);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_named_options),
      cmocka_unit_test(test_reals_are_short_and_exact),
      cmocka_unit_test(test_suggestions),
      cmocka_unit_test(test_defaults_are_allowed),
      cmocka_unit_test(test_set_by_name),
      cmocka_unit_test(test_values_are_checked),
      cmocka_unit_test(test_preset),
      cmocka_unit_test(test_preset_of_values),
      cmocka_unit_test(test_preset_auto),
      cmocka_unit_test(test_preset_auto_gives_way),
      cmocka_unit_test(test_settle),
      cmocka_unit_test(test_needs),
      cmocka_unit_test(test_needs_before_data),
      cmocka_unit_test(test_needs_one_of_two),
      cmocka_unit_test(test_texts),
      cmocka_unit_test(test_texts_left_out),
      cmocka_unit_test(test_comparison),
      cmocka_unit_test(test_options_of_a_model),
  };
  return cmocka_run_group_tests_name("option", tests, NULL, NULL);
}
