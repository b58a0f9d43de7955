/* In a program whose locale has a decimal comma, no file and no message of the library contains one. */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mlpdist.h"
#include "quick_options.h"
#include "temporary_folder.h"

static mlpd_comm *comm;
static bool has_locale;

static char locales[64];

/* Makes German, where the tool and its sources are installed. */
static int make_locale(void **state) {
  (void)state;
  char command[256];
  (void)snprintf(locales, sizeof locales, "/tmp/mlpdist_test_XXXXXX");
  if (mkdtemp(locales) == NULL) return 1;
  (void)snprintf(command, sizeof command, "localedef -i de_DE -f UTF-8 '%s/de_DE.UTF-8' > /dev/null 2>&1", locales);
  has_locale = system(command) == 0;
  return setenv("LOCPATH", locales, 1);
}

static int remove_locale(void **state) {
  (void)state;
  char command[128];
  (void)snprintf(command, sizeof command, "rm -rf '%s'", locales);
  return system(command);
}

static int drop_locale(void **state) {
  (void)setlocale(LC_ALL, "C");
  return teardown(state);
}

static void speak_german(void) {
  if (!has_locale) skip(); /* localedef or the sources of locales (Debian: package locales) are not installed */
  char text[8];
  assert_non_null(setlocale(LC_ALL, "de_DE.UTF-8"));
  (void)snprintf(text, sizeof text, "%g", 1.5);
  assert_string_equal(text, "1,5");
}

static char *content(const char *path) {
  char *text = NULL;
  size_t room = 0;
  FILE *const file = fopen(path, "r");
  assert_non_null(file);
  assert_true(getdelim(&text, &room, '\0', file) > 0);
  (void)fclose(file);
  return text;
}

static void has_text(const char *path, const char *wanted) {
  char *const text = content(path);
  if (strstr(text, wanted) == NULL) fail_msg("%s lacks '%s':\n%s", path, wanted, text);
  free(text);
}

/* Every line of a CSV file has as many commas as its first. */
static void has_regular_lines(const char *path) {
  char *const text = content(path);
  int first = -1, lines = 0;
  for (const char *line = text; *line != '\0'; line += strcspn(line, "\n") + 1) {
    int commas = 0;
    for (const char *c = line; *c != '\n' && *c != '\0'; c++) commas += *c == ',';
    if (first < 0) first = commas;
    assert_int_equal(commas, first);
    lines++;
  }
  assert_true(lines > 1 && first > 0);
  free(text);
}

static void convert(void) {
  static char csv[FILE_PATH_BYTES], out[FILE_PATH_BYTES];
  (void)snprintf(csv, sizeof csv, "%s", in_folder("t.csv"));
  (void)snprintf(out, sizeof out, "%s", in_folder("t.h5"));
  const char *const inputs[] = {csv};
  FILE *const file = fopen(csv, "w");
  assert_non_null(file);
  (void)fputs("a,b,y\n", file);
  /* Integers, as the host's own fprintf would write commas. */
  for (int i = 0; i < 200; i++) (void)fprintf(file, "%d.%d,%d.25,%d.5\n", i % 7, i % 9, i % 5, 3 * (i % 7) - i % 5);
  (void)fclose(file);
  mlpd_convert_options options;
  mlpd_convert_result made;
  mlpd_convert_options_default(&options);
  options.inputs = inputs;
  options.num_inputs = 1;
  options.out = out;
  options.valid_fraction = 0.2;
  options.test_fraction = 0.2;
  assert_ok(mlpd_convert(&options, &made));
  assert_int_equal(made.features, 2);
  assert_int_equal(made.classes, 0);
}

static mlpd_train_options make_options(const char *out) {
  mlpd_train_options options;
  quick_options(&options);
  options.data.file = in_folder("t.h5");
  options.out = out;
  options.hidden = "4";
  options.batch = 32;
  options.epochs = 2;
  options.threads = 1;
  assert_ok(mlpd_train_options_set(&options, "lr", "0.05"));
  assert_true(options.lr == 0.05);
  return options;
}

static void test_files(void **state) {
  (void)state;
  speak_german();
  convert();
  mlpd_train_result result;
  mlpd_train_options options = make_options(in_folder("run"));
  assert_ok(mlpd_train(comm, &options, NULL, &result));
  has_regular_lines(in_folder("run/metrics.csv"));
  has_text(in_folder("run/config.ini"), "\nlr = 0.05\n");
  has_text(in_folder("run/config.ini"), "\nmomentum = 0.9\n");

  mlpd_model *model = NULL;
  uint64_t rows = 0;
  assert_ok(mlpd_model_load(in_folder("run/model.h5"), &model));
  assert_ok(mlpd_predict(comm, model, &options.data, MLPD_TEST, in_folder("p.csv"), NULL, 1, &rows));
  has_regular_lines(in_folder("p.csv"));
  mlpd_model_free(model);
  char *description = NULL;
  assert_ok(mlpd_describe(in_folder("run/model.h5"), &description));
  assert_non_null(strstr(description, "0.05"));
  mlpd_text_free(description);

  /* The host has its locale back. */
  char text[8];
  (void)snprintf(text, sizeof text, "%g", 1.5);
  assert_string_equal(text, "1,5");
}

/* A run that the host began goes on in another locale, to the same weights. */
static void test_resume(void **state) {
  (void)state;
  speak_german();
  convert();
  mlpd_train_result begun, whole;
  mlpd_train_options options = make_options(in_folder("run"));
  assert_ok(mlpd_train(comm, &options, NULL, &begun));
  (void)setlocale(LC_ALL, "C");
  options.epochs = 4;
  options.resume = "auto";
  assert_ok(mlpd_train(comm, &options, NULL, &begun));
  assert_true(begun.resumed_step > 0);
  options.resume = "never";
  options.out = in_folder("whole");
  assert_ok(mlpd_train(comm, &options, NULL, &whole));
  assert_string_equal(begun.digest, whole.digest);
}

static void test_messages(void **state) {
  (void)state;
  speak_german();
  mlpd_train_options options = make_options(in_folder("run"));
  assert_int_equal(mlpd_train_options_set(&options, "lr", "0,1"), MLPD_ERROR_USAGE);
  assert_string_equal(mlpd_error_message(), "--lr: \"0,1\" is not a number");
  options.valid_fraction = 0.95;
  assert_int_equal(mlpd_train_options_check(&options), MLPD_ERROR_USAGE);
  assert_string_equal(mlpd_error_message(), "--valid-fraction: 0.95 is not in [0, 0.9]");
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_files, setup, drop_locale),
      cmocka_unit_test_setup_teardown(test_resume, setup, drop_locale),
      cmocka_unit_test_setup_teardown(test_messages, setup, drop_locale),
  };
  if (mlpd_comm_init(&argc, &argv, &comm) != MLPD_OK) {
    print_error("%s\n", mlpd_error_message());
    return 1;
  }
  const int failed = cmocka_run_group_tests_name("locale", tests, make_locale, remove_locale);
  mlpd_comm_finalize(comm);
  return failed;
}
