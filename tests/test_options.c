/* The option tables and everything made from them. This test includes the program's sources to access their statics. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "cli/options.c"
#include "cli/options_file.c"
#include "cli/options_help.c"
#include "cli/options_rows.c"
#include "cli/outcome.c"
#include "cli/start_watch.c"
#include "program/train_options.c"

static train_arguments arguments;
static option_results results;

static int set_up(void **state) {
  (void)state;
  arguments = (train_arguments){0};
  results = (option_results){0};
  mlpd_train_options_default(&arguments.train);
  outcome_forget();
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  options_free(&results);
  return 0;
}

static mlpd_status parse(const char *first, const char *second) {
  char command[] = "train", a[64], b[64];
  (void)snprintf(a, sizeof a, "%s", first);
  (void)snprintf(b, sizeof b, "%s", second);
  char *argv[] = {command, a, b, NULL};
  free(results.positionals);
  free(results.given);
  return options_parse(&train_table, second[0] != '\0' ? 3 : 2, argv, &arguments, &results);
}

/* Every row can be found, has a place inside the struct, and a default that its own parser takes back. */
static void test_table_is_sound(void **state) {
  (void)state;
  const option *row;
  for (size_t i = 0; (row = options_row(&train_table, i)) != NULL; i++) {
    assert_ptr_equal(options_find(&train_table, row->name), row);
    assert_true(row->offset + row->size <= sizeof(train_arguments));
    const option *other;
    for (size_t j = 0; (other = options_row(&train_table, j)) != row; j++)
      assert_true(other->offset + other->size <= row->offset || row->offset + row->size <= other->offset);
    assert_non_null(row->group);
    assert_true(row->help != NULL && row->help[0] != '\0' && row->help[strlen(row->help) - 1] != '.');
    assert_true((row->type == OPTION_FLAG) == (row->metavar == NULL));
    assert_true(row->type == OPTION_LIST || (row->type == OPTION_CHOICE) == (row->choices != NULL));
    char buffer[64], again[64];
    const char *text = mlpd_option_format(row, &arguments, buffer, sizeof buffer);
    if (text == NULL) continue;
    char kept[64];
    (void)snprintf(kept, sizeof kept, "%s", text);
    assert_int_equal(options_set(row, row->name, kept, &arguments), MLPD_OK);
    assert_string_equal(mlpd_option_format(row, &arguments, again, sizeof again), kept);
    assert_string_equal(outcome_message(), mlpd_error_message());
  }
}

/* Sizes are what the types store: a row with another would write past its member. */
static void test_sizes_fit_types(void **state) {
  (void)state;
  const option *row;
  for (size_t i = 0; (row = options_row(&train_table, i)) != NULL; i++) switch (row->type) {
      case OPTION_TEXT:
      case OPTION_PATH:
      case OPTION_WIDTHS:
      case OPTION_LIST:
        assert_int_equal(row->size, sizeof(const char *));
        break;
      case OPTION_INTEGER:
        assert_true(row->size == 4 || row->size == 8);
        assert_true(row->minimum < row->maximum);
        break;
      case OPTION_REAL:
        assert_int_equal(row->size, sizeof(double));
        assert_true(row->minimum < row->maximum);
        break;
      case OPTION_CHOICE:
        assert_int_equal(row->size, sizeof(int));
        break;
      case OPTION_FLAG:
        assert_int_equal(row->size, sizeof(bool));
        break;
    }
}

static void test_values_reach_the_struct(void **state) {
  (void)state;
  assert_int_equal(parse("--lr", "0.25"), MLPD_OK);
  assert_true(arguments.train.lr == 0.25);
  assert_int_equal(parse("--lr=-0", ""), MLPD_OK);
  assert_int_equal(parse("--epochs=12", ""), MLPD_OK);
  assert_int_equal(arguments.train.epochs, 12);
  assert_int_equal(parse("--lanes", "5"), MLPD_OK);
  assert_int_equal(arguments.train.lanes, 5);
  assert_int_equal(parse("--lanes", "auto"), MLPD_OK);
  assert_int_equal(arguments.train.lanes, 0);
  assert_int_equal(parse("--loss", "huber"), MLPD_OK);
  assert_int_equal(arguments.train.loss, MLPD_HUBER);
  assert_int_equal(parse("--output-activation", "tanh"), MLPD_OK);
  assert_int_equal(arguments.train.output_activation, MLPD_TANH);
  assert_int_equal(parse("--output-activation", "auto"), MLPD_OK);
  assert_int_equal(arguments.train.output_activation, -1);
  assert_int_equal(parse("--quiet", ""), MLPD_OK);
  assert_true(arguments.quiet);
  assert_int_equal(parse("--backend", "auto"), MLPD_OK);
  assert_null(arguments.train.backend);
}

static void test_bad_values_change_nothing(void **state) {
  (void)state;
  const double lr = arguments.train.lr;
  const uint64_t epochs = arguments.train.epochs;
  static const char *const bad[][2] = {{"--lr", "1e9"},
                                       {"--lr", "x"},
                                       {"--lr", "0.1x"},
                                       {"--lr", "-1"},
                                       {"--epochs", "1e10"},
                                       {"--epochs", "-3"},
                                       {"--epochs", "-18446744073709551615"},
                                       {"--epochs", "2 "},
                                       {"--epochs", ""}};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    outcome_forget();
    char joined[64];
    (void)snprintf(joined, sizeof joined, "%s=%s", bad[i][0], bad[i][1]);
    assert_int_equal(parse(joined, ""), MLPD_ERROR_USAGE);
    assert_non_null(strstr(outcome_message(), bad[i][0]));
  }
  assert_true(arguments.train.lr == lr);
  assert_int_equal(arguments.train.epochs, epochs);
}

/* --help names every option and every choice, within 80 columns. */
static void test_help_agrees_with_table(void **state) {
  (void)state;
  const option *row;
  char *text = NULL;
  size_t bytes = 0;
  FILE *stream = open_memstream(&text, &bytes);
  options_print_help(&train_table, stream);
  assert_int_equal(fclose(stream), 0);
  for (size_t i = 0; (row = options_row(&train_table, i)) != NULL; i++) {
    char wanted[64];
    (void)snprintf(wanted, sizeof wanted, "\n  --%s", row->name);
    assert_non_null(strstr(text, wanted));
    for (const mlpd_choice *choice = row->choices; choice != NULL && choice->name != NULL; choice++)
      assert_non_null(strstr(text, choice->name));
  }
  for (const char *line = text; *line != '\0'; line += strcspn(line, "\n") + 1)
    assert_true(strcspn(line, "\n") <= WIDTH + 1);
  free(text);
}

/* Writes the options of arguments to a new file, of a name after the pattern in path. */
static void write_config(char *path) {
  char *text = NULL;
  FILE *const file = fdopen(mkstemp(path), "w");
  assert_int_equal(mlpd_train_options_text(&arguments.train, &text), MLPD_OK);
  assert_true(fputs(text, file) >= 0);
  assert_int_equal(fclose(file), 0);
  mlpd_text_free(text);
}

/* A run with every option away from its default comes back from its config file. */
static void test_config_round_trip(void **state) {
  (void)state;
  const option *row;
  for (size_t i = 0; (row = options_row(&train_table, i)) != NULL; i++) {
    if (row->command_line_only) continue;
    const char *text = row->type == OPTION_WIDTHS                             ? "3,4"
                       : row->choices != NULL                                 ? row->choices[1].name
                       : row->type == OPTION_TEXT || row->type == OPTION_PATH ? "/some/thing"
                       : row->type == OPTION_FLAG                             ? "yes"
                       : row->maximum >= 3                                    ? "3"
                                                                              : "0.125";
    assert_int_equal(options_set(row, row->name, text, &arguments), MLPD_OK);
  }
  char path[] = "/tmp/mlpdist-test-XXXXXX";
  write_config(path);
  train_arguments again = {0};
  mlpd_train_options_default(&again.train);
  assert_int_equal(options_read_file(&train_table, path, &again, &results), MLPD_OK);
  assert_int_equal(unlink(path), 0);
  for (size_t i = 0; (row = options_row(&train_table, i)) != NULL; i++) {
    char before[64], after[64];
    const char *wanted = mlpd_option_format(row, &arguments, before, sizeof before);
    const char *got = mlpd_option_format(row, &again, after, sizeof after);
    if (wanted == NULL)
      assert_null(got);
    else
      assert_string_equal(got, wanted);
  }
}

/* Any path comes back from a config file to the byte. */
static void test_odd_paths(void **state) {
  (void)state;
  char text[501];
  memset(text, 'd', sizeof text);
  text[500] = '\0';
  const char *const names[] = {text,
                               "my data ; v2 #3.h5",
                               " lead",
                               "trail ",
                               "\"quoted\"",
                               "a \"b\" ; c",
                               "back\\slash\\\"",
                               ";note",
                               "#note",
                               "a = b: c",
                               "[x]",
                               "\xc3\xbcn %s %n",
                               "it's",
                               "auto",
                               "a;b",
                               "\"",
                               "\\",
                               "a ;",
                               "\xff"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    char path[] = "/tmp/mlpdist-test-XXXXXX";
    arguments.train.data.file = arguments.train.out = names[i];
    write_config(path);
    train_arguments again = {0};
    mlpd_train_options_default(&again.train);
    assert_int_equal(options_read_file(&train_table, path, &again, &results), MLPD_OK);
    assert_int_equal(unlink(path), 0);
    assert_string_equal(again.train.data.file, names[i]);
    assert_string_equal(again.train.out, names[i]);
  }
}

/* A row of another command that is a training option: what it gives itself is kept. */
static void test_shared_rows(void **state) {
  (void)state;
  typedef struct values {
    const char *hidden, *encoding, *decimal;
    uint32_t lanes, skip_lines;
    mlpd_optimizer optimizer;
    bool drop;
  } values;
#define SHARED(name, member) OPTION_SHARED(name, "mine", values, member)
  option rows[] = {
      {"own", "mine", NULL, OPTION_FLAG, OPTION_AT(values, drop), .help = "own"},
      {SHARED("hidden", hidden)},
      {SHARED("encoding", encoding), .note = "as found"},
      {SHARED("decimal", decimal), .help = "a sign"},
      {SHARED("lanes", lanes)},
      {SHARED("skip-lines", skip_lines), .maximum = 7},
      {SHARED("optimizer", optimizer)},
      {SHARED("drop-missing", drop)},
      {.name = NULL},
  };
#undef SHARED
  options_share(rows);
  for (const option *row = rows; row->name != NULL; row++) {
    const option *const train = mlpd_option_find(mlpd_train_option_table, row->name);
    assert_string_equal(row->group, "mine");
    if (train == NULL) continue;
    assert_int_equal(row->type, train->type);
    assert_int_equal(row->size, train->size);
    assert_ptr_equal(row->metavar, train->metavar);
    assert_ptr_equal(row->choices, train->choices);
    if (strcmp(row->name, "decimal") != 0) assert_ptr_equal(row->help, train->help);
    if (strcmp(row->name, "skip-lines") != 0) assert_true(row->maximum == train->maximum);
  }
  assert_string_equal(rows[0].help, "own");
  assert_string_equal(rows[3].help, "a sign");
  assert_string_equal(rows[3].note, mlpd_option_find(mlpd_train_option_table, "decimal")->note);
  assert_true(rows[5].maximum == 7);
  values found = {.lanes = 3};
  assert_int_equal(options_set(&rows[4], "--lanes", "auto", &found), MLPD_OK);
  assert_int_equal(found.lanes, 0);
  assert_int_equal(options_set(&rows[2], "--encoding", "auto", &found), MLPD_OK); /* not "as found" */
  assert_string_equal(found.encoding, "auto");
  assert_int_equal(options_set(&rows[5], "--skip-lines", "8", &found), MLPD_ERROR_USAGE);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_table_is_sound, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_sizes_fit_types, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_values_reach_the_struct, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_bad_values_change_nothing, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_help_agrees_with_table, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_config_round_trip, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_odd_paths, set_up, tear_down),
      cmocka_unit_test(test_shared_rows),
  };
  return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
