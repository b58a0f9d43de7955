/* Tables that could be read wrongly without a word: columns that hold the target, answers of several kinds. */
#include <stdio.h>

#include "convert_helper.h"

static void assert_silent_on(const char *part) {
  if (strstr(said, part) != NULL) fail_msg("'%s' is said without a reason:\n%s", part, said);
}

typedef void row_writer(char *line, size_t size, int row);

/* Writes a header and `rows` rows to a.csv, and converts it. */
static void convert_rows(const char *header, int rows, row_writer *write) {
  static char text[1 << 16];
  mlpd_convert_result r;
  size_t used = (size_t)snprintf(text, sizeof text, "%s\n", header);
  for (int i = 0; i < rows; i++) {
    write(text + used, sizeof text - used, i);
    used += strlen(text + used);
  }
  write_text("a.csv", text);
  const mlpd_convert_options o = telling_options();
  ASSERT_CONVERTED(o, &r, "a.csv");
}

/* A fixed shuffle of 0 ... 100. */
static int mix(int row, int factor) { return (row + 1) * factor % 101; }

/* ---- Features that hold the target ---- */

static const char *name_of(int row) {
  static const char *const names[] = {"elm", "fir", "oak"};
  return names[mix(row, 37) % 3];
}

static void write_code(char *line, size_t size, int row) {
  const char *const name = name_of(row);
  (void)snprintf(line, size, "%d,%d,x%s,%s\n", mix(row, 17), 30 - name[0] % 7, name, name);
}

static void write_code_but_once(char *line, size_t size, int row) {
  const char *const name = name_of(row);
  const char other = name[0] == 'e' ? 'f' : 'e';
  (void)snprintf(line, size, "%d,%d,x%s,%s\n", mix(row, 17), 30 - (row == 90 ? other : name[0]) % 7,
                 name_of(row == 90 ? row + 1 : row), name);
}

static void write_price(char *line, size_t size, int row) {
  const double price = mix(row, 37) + 0.25;
  (void)snprintf(line, size, "%d,%.2f,%.1f,%.2f\n", mix(row, 17), price * 1.1 - 7, price + mix(row, 29) / 20.0, price);
}

static void write_double(char *line, size_t size, int row) {
  (void)snprintf(line, size, "%d.5,%d\n", mix(row, 17), 2 * mix(row, 17) + 1);
}

static void write_lone_code(char *line, size_t size, int row) {
  (void)snprintf(line, size, "%d,%d,%s\n", mix(row, 17), mix(row, 3), row % 2 == 0 ? "even" : "odd");
}

static void test_features_that_hold_the_target(void **state) {
  (void)state;
  convert_rows("height,code,group,tree", 100, write_code);
  assert_said(
      "a.csv: the features 'code', 'group' alone determine the target; if they are made from the target, "
      "--ignore 'code,group' leaves them out");
  convert_rows("height,code,group,tree", 100, write_code_but_once);
  assert_silent_on("the target; if"); /* one row is otherwise */
  convert_rows("height,code,group,tree", 20, write_code);
  assert_silent_on("the target; if"); /* so few agree by chance */
  convert_rows("size,euros,near,price", 100, write_price);
  assert_said(
      "a.csv: the feature 'euros' alone determines the target; if it is made from the target, --ignore 'euros'");
  convert_rows("u,k", 100, write_double);
  assert_silent_on("the target; if"); /* without it there would be no table */
  convert_rows("u,v,k", 100, write_lone_code);
  assert_silent_on("the target; if"); /* each value has one class, as each is one row */
}

/* ---- Answers ---- */

/* In T, F and N the N is no "false", as in Y, N and NA it is none. */
static void test_answers_of_two_kinds(void **state) {
  (void)state;
  mlpd_convert_options o = telling_options();
  mlpd_convert_result r;
  write_text("a.csv", "u,v,w,k\nT,yes,.true.,0\nF,No,false,1\nN,n,T,0\nF,Y,F,1\n");
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_names("/columns/kind", "category,yes/no,yes/no");
  assert_names("/columns/categories", "F,N,T");
  write_text("a.csv", "u,k\nT,0\nF,1\n,0\n");
  write_text("b.csv", "u,k\nT,0\nF,1\nN,1\n"); /* where the kind is settled */
  (void)unlink(in_folder("out.h5"));
  ASSERT_REFUSED(o, MLPD_ERROR_DATA,
                 "b.csv:4: column 1 (u): 'N' is of yes and no, but cells above it are of true and false", "a.csv",
                 "b.csv");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test_teardown(test_features_that_hold_the_target, clear_folder),
                                     cmocka_unit_test_teardown(test_answers_of_two_kinds, clear_folder)};
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
