/* Tables that could be read wrongly without a word: columns that hold the target, answers of several kinds. */
#include <math.h>
#include <stdio.h>

#include "convert_helper.h"

static void assert_silent_on(const char *part) {
  if (strstr(said, part) != NULL) fail_msg("'%s' is said without a reason:\n%s", part, said);
}

/* Converts the files with the usual options, and forgets what was said before. */
#define CONVERT_FILES(...)                                \
  do {                                                    \
    const mlpd_convert_options usual = telling_options(); \
    mlpd_convert_result made;                             \
    ASSERT_CONVERTED(usual, &made, __VA_ARGS__);          \
  } while (0)

static void convert_text(const char *text) {
  write_text("a.csv", text);
  CONVERT_FILES("a.csv");
}

typedef void row_writer(char *line, size_t size, int row);

/* Writes a header and `rows` rows to a.csv, and converts it. */
static void convert_rows(const char *header, int rows, row_writer *write) {
  static char text[1 << 16];
  size_t used = (size_t)snprintf(text, sizeof text, "%s\n", header);
  for (int i = 0; i < rows; i++) {
    write(text + used, sizeof text - used, i);
    used += strlen(text + used);
  }
  convert_text(text);
}

/* A fixed shuffle of 0 ... 100. */
static int mix(int row, int factor) { return (row + 1) * factor % 101; }

/* ---- Names that are read as a row ---- */

static void write_counts(char *line, size_t size, int row) {
  (void)snprintf(line, size, "%d,%d,%d\n", 1900 + mix(row, 37), 2000 + mix(row, 17) % 50, 1950 + mix(row, 5));
}

static void write_small(char *line, size_t size, int row) {
  (void)snprintf(line, size, "%d,%d,%d,%d\n", mix(row, 37) % 4, 9 - mix(row, 17) % 3, mix(row, 5) % 3, row % 2);
}

static void test_names_that_are_numbers(void **state) {
  (void)state;
  const char *const note =
      "a.csv: line 1 holds numbers at equal intervals and is read as a row; if they name the columns, use --header yes";
  convert_rows("2001,2002,2003", 20, write_counts); /* years above values of their size */
  assert_said(note);
  convert_rows("1,2,3,4", 20, write_small);
  assert_said(note);
  convert_rows("2001,2002,2003", 4, write_counts); /* so few rows say nothing */
  assert_silent_on("equal intervals");
  convert_rows("10,20,30", 20, write_counts); /* so few numbers, too */
  assert_silent_on("equal intervals");
  convert_rows("2001,2002,2004", 20, write_counts);
  assert_silent_on("equal intervals");
  convert_text("1,2,3,4\n0,9,2,0\n1,9,2,0\n0,7,2,0\n1,9,0,0\n2,3,4,5\n0,8,2,0\n1,7,1,0\n0,9,1,0\n1,8,2,0\n");
  assert_silent_on("equal intervals"); /* another row is like it */
}

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
  const mlpd_convert_options o = telling_options();
  convert_text("u,v,w,k\nT,yes,.true.,0\nF,No,false,1\nN,n,T,0\nF,Y,F,1\n");
  assert_names("/columns/kind", "category,yes/no,yes/no");
  assert_names("/columns/categories", "F,N,T");
  write_text("a.csv", "u,k\nT,0\nF,1\n,0\n");
  write_text("b.csv", "u,k\nT,0\nF,1\nN,1\n"); /* where the kind is settled */
  (void)unlink(in_folder("out.h5"));
  ASSERT_REFUSED(o, MLPD_ERROR_DATA, "b.csv:4: column 1 (u): 'N' is yes or no, but cells above it are true or false",
                 "a.csv", "b.csv");
}

/* ---- Texts ---- */

static void assert_alike(const char *a, const char *b, const char *difference) {
  char text[400], note[400];
  for (int target = 0; target < 2; target++) {
    const char *const other = target ? "1" : "0";
    (void)snprintf(text, sizeof text, target ? "u,k\n%s,%s\n%s,%s\n%s,oak\n" : "u,k\n%2$s,%1$s\n%4$s,%3$s\noak,%5$s\n",
                   other, a, other, b, other);
    convert_text(text);
    if (difference == NULL) {
      assert_silent_on("kept apart");
      continue;
    }
    (void)snprintf(note, sizeof note, "%s '%s' and '%s'%s differ only in %s and are kept apart",
                   target ? "the classes" : "the categories", target && strcmp(a, b) > 0 ? b : a,
                   target && strcmp(a, b) > 0 ? a : b, target ? "" : " of column u", difference);
    assert_said(note);
  }
}

static void test_texts_that_look_alike(void **state) {
  (void)state;
  assert_alike("caf\u00E9", "cafe\u0301", "how an accented letter is encoded");
  assert_alike("e\u0301te\u0301", "\u00E9t\u00E9", "how an accented letter is encoded");
  assert_alike("\u30AC\u30B9", "\u30AB\u3099\u30B9", "how an accented letter is encoded");
  assert_alike("New York", "New\u00A0York", "blanks");
  assert_alike("New York", "New  York", "blanks");
  assert_alike("New York", "New Yo\u00ADrk", "blanks");
  assert_alike("Elm", "elm", "letter case");
  assert_alike(">50K", ">50K.", "a point at the end");
  assert_alike("Elm", "Elm..", NULL);
  assert_alike("caf\u00E9", "cafe\u0300s", NULL);
  assert_alike("caf\u00E9", "caf\u00E8", NULL);
  assert_alike("caf\u00E9", "cafa\u0301", NULL);
  assert_alike("e\u0301", "e\u0300", NULL);
  assert_alike("New York", "NewYork", NULL);
}

static void write_mixed(char *line, size_t size, int row) {
  static const char *const texts[] = {"high", "low", "none of these"};
  if (mix(row, 37) % 3 == 0)
    (void)snprintf(line, size, "%d.5,%d,%d,%d\n", mix(row, 17), mix(row, 29) % 9, row % 5, row % 2);
  else
    (void)snprintf(line, size, "%s,%s,A%d,%d\n", texts[row % 3], "new", row % 5, row % 2);
}

/* Texts in most cells of a column of numbers make it categories, with each number for itself. */
static void test_numbers_among_texts(void **state) {
  (void)state;
  convert_rows("u,v,w,k", 100, write_mixed);
  assert_said(
      "a.csv: column u becomes categories, and 33 of them are numbers, as '85.5', which lose their order; --missing "
      "'high,low,none of these' reads the column as numbers");
  assert_silent_on("column v"); /* a few whole numbers may be codes */
  assert_silent_on("column w");
}

/* ---- Parts ---- */

static void test_parts_that_differ(void **state) {
  (void)state;
  write_text("train.csv", "c,d,yes,k\nelm,x,yes,0\noak,y,no,1\n,x,no,1\n");
  write_text("train2.csv", "c,d,yes,k\nfir,x,no,0\n");
  write_text("test.csv", "d,c,yes,k\nx,Elm,0,1\nx,fir,2,1\ny,OAK,1,0\nx,,1,0\n");
  CONVERT_FILES("train.csv", "train2.csv", "test.csv");
  assert_said("test.csv: categories that no training row has, which the model will not know: c (2)\n");
  assert_said("test.csv: column yes holds numbers from 0 to 2, but is yes/no in training: 1 and 0 are right");
  write_text("test.csv", "d,c,yes,k\nx,elm,0,1\nx,fir,1,1\ny,oak,1,0\n");
  CONVERT_FILES("train.csv", "train2.csv", "test.csv");
  assert_silent_on("which the model will not know");
  assert_silent_on("in training");
  write_text("other_test.csv", "d,c,yes,k\nx,ash,0,1\n"); /* where nothing trains */
  CONVERT_FILES("test.csv", "other_test.csv");
  assert_silent_on("which the model will not know");
}

/* Rows 0 ... rows - 1 of a table of which every column has so many values. */
static void write_some(const char *name, int rows, int values) {
  char text[4000] = "u,v,k\n";
  for (int i = 0; i < rows; i++)
    (void)snprintf(text + strlen(text), sizeof text - strlen(text), "%d,%d.5,%d\n", mix(i, 3) % values,
                   mix(i, 7) % values, i % 2);
  write_text(name, text);
}

static void test_rows_of_two_parts(void **state) {
  (void)state;
  write_some("train.csv", 60, 1000000);
  write_some("test.csv", 20, 1000000);
  CONVERT_FILES("test.csv", "train.csv");
  assert_said("note: 20 of the 20 rows of the test part also occur among the training rows, with the same target");
  write_text("valid.csv", "v,k,u\n0.5,1,3\n1.5,0,4\n"); /* other rows */
  CONVERT_FILES("train.csv", "valid.csv");
  assert_silent_on("also occur");
  write_text("train.csv", "u,k\n0,0\n2,1\n3,0\n"); /* 0 and -0 */
  write_text("test.csv", "k,u\n0,-0.0\n1,7\n0,4.5\n");
  CONVERT_FILES("train.csv", "test.csv");
  assert_said("note: 1 of the 3 rows of the test part also occurs among the training rows");
  write_text("train.csv", "u,k\n1,0\n2,1\n3,0\n"); /* the same numbers in another type, in another order of columns */
  write_text("test.csv", "k,u\n1,2\n1,3\n0,4.5\n");
  CONVERT_FILES("train.csv", "test.csv");
  assert_said("note: 1 of the 3 rows of the test part also occurs among the training rows");
  write_some("train.csv", 60, 3); /* so few values are the same by chance */
  write_some("test.csv", 20, 3);
  CONVERT_FILES("train.csv", "test.csv");
  assert_silent_on("also occur");
}

static void test_doubts(void **state) {
  (void)state;
  convert_text("u,k\n1.5,EU\n2,NA\n3,SA\n4,NA\n5,EU\n6,SA\n");
  assert_said("'NA' (line 3) is read as a missing target; if it is a class, write it otherwise, as N-A");
  convert_text("u,k\n1.5,2.5\n2,NA\n3,7\n4,NA\n5,8\n6,9\n"); /* a number is missing */
  assert_silent_on("missing target; if");
  convert_text("a,1.5,2,3,4\nb,2,3,4,5\ny,0,1,0,1\n");
  assert_said(
      "its first column holds 3 different texts and the 4 others numbers: if they are names, its rows are columns");
  assert_said("pandas.read_csv('");
  assert_said("a.csv', header=None, index_col=0).T.to_csv('");
  convert_text("v,a,1\nw,b,2\nv,c,3\nw,d,4\n"); /* more rows than columns */
  assert_silent_on("rows are columns");
}

/* A column of the words that name files of parts. */
static void test_parts_in_a_column(void **state) {
  (void)state;
  convert_text("split,u,k\ntrain,1,0\nTest,2,1\ntrain,3,1\nvalidation,3,0\n");
  assert_said("column split names parts of the rows, as 'train' and 'Test', but is read as a feature");
  convert_text("u,k,Usage\n1,0,Training\n2,1,PublicTest\n3,1,Training\n4,0,PrivateTest\n");
  assert_said(
      "the classes 'PrivateTest' and 'PublicTest' of the target name parts of the rows; choose another with --label");
  convert_text("by,u,k\ntrain,1,0\nbus,2,1\ntrain,3,1\n");
  assert_silent_on("names parts");
  convert_text("how,u,k\ntest,1,0\nval,2,1\ntest,3,1\n");
  assert_silent_on("names parts");
}

static void test_last_rows_of_totals(void **state) {
  (void)state;
  static const struct {
    const char *last;
    bool noted;
  } rows[] = {{"Grand Total,3,4.5", true}, {"average,2.1,10", true}, {"north,3,4.5", false},
              {"average,5,3.5", false},    {"Total,41,4.5", true},   {"Total,5,3.5", false},
              {"Total,,4.5", false},       {"Total,,10", true},      {"average,2.5,13", false}};
  for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
    char text[400] = "region,u,k\n";
    for (int i = 0; i < 20; i++)
      (void)snprintf(text + strlen(text), sizeof text - strlen(text), "%s,%d,%d.5\n", i % 2 ? "north" : "south",
                     i * i % 7, i);
    (void)snprintf(text + strlen(text), sizeof text - strlen(text), "%s\n", rows[k].last);
    convert_text(text);
    if (rows[k].noted) assert_said("the last row is called a total or the like, and is read as a row");
    if (!rows[k].noted) assert_silent_on("a total");
  }
  /* A grade that many rows have. */
  char text[400] = "condition,u,k\n";
  for (int i = 0; i < 21; i++)
    (void)snprintf(text + strlen(text), sizeof text - strlen(text), "%s,%d,%d.5\n", i % 2 ? "good" : "Average",
                   i * i % 7, i);
  convert_text(text);
  assert_silent_on("a total");
}

/* ---- Times ---- */

static void convert_labels(double stray, int stray_rows) {
  mlpd_convert_result r;
  FILE *file = fopen(in_folder("a.csv"), "w");
  (void)fputs("u,k\n", file);
  for (int i = 0; i < 60; i++) (void)fprintf(file, "%d,%.17g\n", i * 7 % 11, i >= 60 - stray_rows ? stray : i % 3);
  (void)fclose(file);
  ASSERT_CONVERTED(telling_options(), &r, "a.csv");
}

static void test_stray_labels(void **state) {
  (void)state;
  static const char note[] = "the target is read as values because of";
  convert_labels(999999, 1);
  assert_said("because of 999999 in 1 of 60 rows; if the others are classes, correct these rows or leave them out");
  convert_labels(-1, 5);
  assert_said("because of -1 in 5 of 60 rows");
  convert_labels(-1, 6); /* too many to be a fault */
  assert_null(strstr(said, note));
  convert_labels(1, 5);
  assert_null(strstr(said, note));
  convert_labels(0.5, 1);
  assert_null(strstr(said, note));
}

static void test_times(void **state) {
  (void)state;
  const mlpd_convert_options o = telling_options();
  write_text("train.csv",
             "at,lap,noon,k\n0:00,1:02:03.5,12:00 AM,1.5\n9:05,100:00:00,12:30pm,2\n,0:00:59,,3\n23:59,0:10:00,1:05 "
             "PM,4\n");
  CONVERT_FILES("train.csv");
  assert_names("/columns/name", "at.time,lap.time,noon.time");
  assert_said("times become seconds: at, lap, noon");
  assert_array("/train/x", 4, 3, ELEMENT_F32,
               VALUES(0, 3723.5, 0, 32700, 360000, 45000, NAN, 59, NAN, 86340, 600, 47100));
  write_text("test.csv", "lap,at,noon,k\n1:00:00,10:00:30,1:00,1.5\n"); /* a time is a time */
  CONVERT_FILES("train.csv", "test.csv");
  assert_array("/test/x", 1, 3, ELEMENT_F64, VALUES(36030, 3600, 3600));
  write_text("test.csv", "lap,at,noon,k\n1:00:00,10:60,1:00,1.5\n");
  (void)unlink(in_folder("out.h5"));
  ASSERT_REFUSED(o, MLPD_ERROR_DATA, "test.csv:2: column 2 (at): '10:60' is not a time such as 12:34 or 12:34:56",
                 "train.csv", "test.csv");
  convert_text("mixed,odds,half,k\n1:30,1:2,13:00 PM,1\n0:01:30,2:1,1:00 PM,2\n1:45,1:2,1:00 PM,2\n");
  assert_names("/columns/kind", "category,category,category");
}

static void test_months_and_quarters(void **state) {
  (void)state;
  convert_text(
      "m,q,p,t,season,k\n2021-03,Q1 2020,2020Q4,20210315T1020,2010-11,1.5\n2020-12,Q3-1970,2021-Q2,"
      "19700101T000001.5+01,2012-13,2\n");
  assert_said("dates become three features each: year, day of the year, seconds since 1970: m, q, p");
  assert_said("dates become five features each: year, day of the year, weekday, hour, seconds since 1970: t");
  assert_said("columns of categories: season (2)");
  assert_array("/train/x", 2, 15, ELEMENT_F32,
               VALUES(2021, 60, (float)1614556800, 2020, 1, (float)1577836800, 2020, 275, (float)1601510400, 2021, 74,
                      1, 10 + 1.0F / 3, (float)1615803600, 0, 2020, 336, (float)1606780800, 1970, 182, 15638400, 2021,
                      91, (float)1617235200, 1970, 1, 4, 1.5F / 3600, -3598.5, 1));
}

static void write_days(char *line, size_t size, int row) {
  (void)snprintf(line, size, "20%02d%02d%02d,%d,%d\n", row, row % 12 + 1, row % 28 + 1, 20210101 + mix(row, 17),
                 row % 2);
}

static void test_dates_without_signs(void **state) {
  (void)state;
  convert_rows("day,id,k", 60, write_days);
  assert_said(
      "column day is read as numbers, but they look like dates, as 20000101; if they are, they are read as dates "
      "where");
  assert_silent_on("column id"); /* 20210144 is none */
  convert_rows("day,id,k", 9, write_days);
  assert_silent_on("look like dates");
}

static void test_spreadsheet_errors(void **state) {
  (void)state;
  convert_text("u,k\n1.5,0\n#DIV/0!,1\n#NAME?,0\n#SPILL!,1\n#\u00A1DIV/0!,1\n#WERT!,1\n#NV,0\n#N/A,1\n2,1\n");
  assert_names("/columns/kind", "number");
  assert_said("missing values: u (7)");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test_teardown(test_features_that_hold_the_target, clear_folder),
                                     cmocka_unit_test_teardown(test_names_that_are_numbers, clear_folder),
                                     cmocka_unit_test_teardown(test_answers_of_two_kinds, clear_folder),
                                     cmocka_unit_test_teardown(test_texts_that_look_alike, clear_folder),
                                     cmocka_unit_test_teardown(test_numbers_among_texts, clear_folder),
                                     cmocka_unit_test_teardown(test_parts_that_differ, clear_folder),
                                     cmocka_unit_test_teardown(test_rows_of_two_parts, clear_folder),
                                     cmocka_unit_test_teardown(test_doubts, clear_folder),
                                     cmocka_unit_test_teardown(test_parts_in_a_column, clear_folder),
                                     cmocka_unit_test_teardown(test_last_rows_of_totals, clear_folder),
                                     cmocka_unit_test_teardown(test_stray_labels, clear_folder),
                                     cmocka_unit_test_teardown(test_times, clear_folder),
                                     cmocka_unit_test_teardown(test_months_and_quarters, clear_folder),
                                     cmocka_unit_test_teardown(test_dates_without_signs, clear_folder),
                                     cmocka_unit_test_teardown(test_spreadsheet_errors, clear_folder)};
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
