/* Tables of programs that do not write plain CSV: quotes, encodings and numbers of their own. */
#include <math.h>
#include <stdio.h>

#include "convert_helper.h"

/* Fails unless text becomes two rows of two features, 1 2 and 3 4, of the columns u and v, with the labels 0 and 1. */
static void assert_plain(mlpd_convert_options o, const char *text) {
  mlpd_convert_result r;
  write_text("a.csv", text);
  if (CONVERT(o, &r, "a.csv") != MLPD_OK) fail_msg("'%s' is refused: %s", text, mlpd_error_message());
  if (r.features != 2 || r.train_rows != 2) fail_msg("'%s': %u features, %d rows", text, r.features, (int)r.train_rows);
  assert_array("/train/x", 2, 2, ELEMENT_U8, VALUES(1, 2, 3, 4));
  assert_array("/train/y", 2, 1, ELEMENT_U8, VALUES(0, 1));
  assert_names("/columns/name", "u,v");
  assert_names("/targets/name", "k");
}

/* ---- Quotes and encodings ---- */

static void test_quotes(void **state) {
  (void)state;
  const mlpd_convert_options o = plain_options();
  mlpd_convert_result r;
  assert_plain(o, "'u','v','k'\n'1','2','0'\n'3','4','1'\n");
  assert_plain(o, "'u' 'v' 'k'\n'1' 2 '0'\n'3' '4' 1\n");
  assert_plain(o, "u,v,k\n=\"1\",2,=\"0\"\n=\"3\",4,=\"1\"\n"); /* a spreadsheet keeps texts so */
  write_text("a.csv", "t,u,k\n'a, b',1,'x'\n'','2',\"it's\"\n'90s,3,'80s\n'90s and '80s',4,'n' and 'm'\n");
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_names("/columns/categories", "'90s,'90s and '80s',a, b");
  assert_names("/class_names", "'80s,'n' and 'm',it's,x");
  assert_array("/train/x", 4, 2, ELEMENT_I32, VALUES(2, 1, -1, 2, 0, 3, 1, 4));
}

static void test_windows_text(void **state) {
  (void)state;
  mlpd_convert_options o = plain_options();
  mlpd_convert_result r;
  write_text("a.csv",
             "Preis;v;k\n1\x92"
             "234,50 \x80;\x96;\x93x\x94\n2\x92"
             "000,00 \x80;5;\xFC\n"); /* Windows-1252 */
  (void)unlink(in_folder("out.h5"));
  ASSERT_REFUSED(o, MLPD_ERROR_DATA, "'1\u2019234,50 \u20AC' is not a number", "a.csv");
  o.decimal = "comma";
  o.thousands = '\'';
  o.strip = "\u20AC";
  o.missing = "\u2013"; /* a dash */
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_array("/train/x", 2, 2, ELEMENT_F32, VALUES(1234.5, NAN, 2000, 5));
  assert_names("/class_names", "x,\u00FC");
  o = plain_options();
  o.strip = "\u00A3"; /* pounds, in Latin-1 */
  write_text("a.csv",
             "u,v,k\n\xA3"
             "1,2,0\n\xA3"
             "3,4,1\n");
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_array("/train/x", 2, 2, ELEMENT_U8, VALUES(1, 2, 3, 4));
  assert_plain(plain_options(), "\uFEFF\uFEFF\uFEFF\uFEFF\"u\",v,k\n1,2,0\n3,4,1\n");
  assert_plain(plain_options(), "\u00EF\u00BB\u00BFu,v,k\n1,2,0\n3,4,1\n"); /* a byte order mark that became text */
}

static void test_microsoft_nan(void **state) {
  (void)state;
  static const char *const words[] = {"1.#QNAN0", "-1.#IND00", "1.#IND", "-1.#QNAN", "1.#SNAN000"};
  mlpd_convert_result r;
  char text[80];
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
    (void)snprintf(text, sizeof text, "u,v,k\n1,2,0\n3,%s,1\n", words[i]);
    write_text("a.csv", text);
    ASSERT_CONVERTED(plain_options(), &r, "a.csv");
    assert_array("/train/x", 2, 2, ELEMENT_F32, VALUES(1, 2, 3, NAN));
  }
  write_text("a.csv", "u,v,k\n1,2,0\n3,1.#INF00,1\n5,6,0\n");
  (void)unlink(in_folder("out.h5"));
  ASSERT_REFUSED(plain_options(), MLPD_ERROR_DATA, "'1.#INF00' is not a number", "a.csv");
}

/* ---- Numbers that are none ---- */

static void test_zeros_in_front(void **state) {
  (void)state;
  mlpd_convert_options o = telling_options();
  mlpd_convert_result r;
  write_text("a.csv", "zip,fips,m,n,k\n10001,'001',01,0.5,0011\n00501,=\"01001\",02,0,0100\n00502,7,12,00.25,0011\n");
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_said(
      "numbers lose their leading zeros: '00501' in zip, '01001' in fips; if they are codes, not amounts, "
      "--categorical 'zip,fips' treats them");
  assert_said("labels lose their leading zeros: '0011' becomes 11");
  assert_names("/class_names", "11,100");
  o = telling_options();
  o.categorical = "zip,fips"; /* as the note says */
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_null(strstr(said, "numbers lose"));
  assert_names("/columns/kind", "category,category,number,number");
  o = telling_options();
  write_text("a.csv", "t,v,k\n0,0.5000,0\n1000,0e5,1\n");
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_null(strstr(said, "zeros"));
}

/* ---- Around the table ---- */

static void assert_refused(const char *text, const char *part) {
  write_text("a.csv", text);
  (void)unlink(in_folder("out.h5"));
  ASSERT_REFUSED(plain_options(), MLPD_ERROR_DATA, part, "a.csv");
}

static void test_settings_above(void **state) {
  (void)state;
  const mlpd_convert_options o = plain_options();
  mlpd_convert_result r;
  assert_plain(o, "Model,TBS1\nPoint Format,Y,\nSample Interval,1.6e-05,\n\nu,v,k\n1,2,0\n3,4,1\n");
  assert_plain(o,
               "LabVIEW Measurement\t\nWriter\t2\n***End***\t\nSamples\t9\t\nDate\t2020/05/14\t\nX0\t0\t\n"
               "***End***\t\t\nu\tv\tk\n1\t2\t0\n3\t4\t1\n");
  assert_plain(o, "#u v k\n#m s m\n#f f f\n1 2 0\n3 4 1\n"); /* units below the names */
  assert_plain(o, "# made by hand\n# u v k\n1 2 0\n3 4 1\n");
  write_text("a.csv", "x-axis,1,2\nsecond,Volt,Volt\n.5,1,0\n.25,2,1\n.125,3,1\n");
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_names("/columns/name", "x-axis,1");
  /* Rows above the second header are no settings. */
  assert_refused("u,v,k\n1,2,0\n3,4,1\nv,u,k\n3,4,1\n4,5,0\n", "a.csv:4: column 1 (u): 'v' is a column name");
  assert_refused("3\nwater\nO 0.5 0.1 0\nH 0.5 0.7 1\nH 0.5 0.2 1\n", "use --skip-lines 2");
  assert_refused("Title: A catalogue of stars\nby all of us\n1 2\n3 4\n5 6\n",
                 "--skip-lines 2 skips all that is above");
  write_text("a.csv", "Source,Indicators,\n\nDate,2020-01-01,\n\nName,Code,1960,1961,\nA,a,54211,1,\nB,b,99,0,\n");
  ASSERT_CONVERTED(o, &r, "a.csv"); /* the World Bank */
  assert_names("/columns/name", "Name,Code,1960");
  assert_names("/targets/name", "1961");
}

/* A setting of as many cells as the table has columns is no header. */
static void test_settings_with_signs(void **state) {
  (void)state;
  const mlpd_convert_options o = telling_options();
  mlpd_convert_result r;
  write_text("a.csv", "TITLE = flow\nrows = 3\nunits = mm, s\n1.5 2 3.5\n3 4 4.5\n5 7 2.5\n");
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_names("/columns/name", "");
  assert_int_equal(r.train_rows, 3);
  assert_said("a.csv: 3 lines above the table skipped, the first: 'TITLE = flow'");
  write_text("a.csv", "run = 7\nu v k\n1.5 2 0\n3 4 1\n5 7 1\n");
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_names("/columns/name", "u,v");
  write_text("a.csv", "u op k\n1.5 = 0\n3 < 1\n5 = 1\n");
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_names("/columns/name", "u,op");
  static const char *const rows[] = {"1.5 = 0\n3 = 1\n5 = 1\n2 = 0\n", /* no header: each line is a row */
                                     "1.5 = 0\n3 = 1\n5 < 1\n2 < 0\n", /* as the first cells are numbers */
                                     "u = 0\nv = 1\nu = 1\nv = 0\n",   /* and no line is another */
                                     "u = 0\nv < 1\nu = 1\nv < 0\n"};  /* as such lines follow others */
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    write_text("a.csv", rows[i]);
    ASSERT_CONVERTED(o, &r, "a.csv");
    assert_int_equal(r.train_rows, 4);
  }
}

static void test_touching_numbers(void **state) {
  (void)state;
  mlpd_convert_result r;
  assert_refused(
      " 136.810  14.348-133.035\n  96.810-114.348 133.035\n   6.810   4.348   1.5\n",
      "a.csv:1: '14.348-133.035': numbers touch, because their columns have a fixed width; a blank before each "
      "minus sign separates them: sed 's/\\([0-9.]\\)-/\\1 -/g' '");
  assert_refused("-136.810-114.348\n -96.810-114.348\n", "a.csv:1: '-136.810-114.348': numbers touch");
  assert_refused("   u       v       w\n 1.810  14.348-133.035\n  96.810-114.348 133.035\n",
                 "a.csv:2: '14.348-133.035': numbers touch");
  assert_refused("1 2 0\n3 4 1\n5 6\n7 8 1\n", "read_fwf(");
  assert_refused("1 2 0\n3 4 1\n5 6\n7 8 1\n", ", header=None, infer_nrows=10**9).to_csv(");
  write_text("a.csv", "size v k\n0.5-1.0 2 0\n1.0-1.5 4 1\n0.5-1.0 4 1\n"); /* a text */
  ASSERT_CONVERTED(plain_options(), &r, "a.csv");
  assert_names("/columns/categories", "0.5-1.0,1.0-1.5");
  write_text("a.csv", "Run 5\nsize v k\n0.5-1.0 2 0\n1.0-1.5 4 1\n0.5-1.0 4 1\n"); /* below a title, too */
  ASSERT_CONVERTED(plain_options(), &r, "a.csv");
  assert_names("/columns/categories", "0.5-1.0,1.0-1.5");
}

static void test_drawn_lines(void **state) {
  (void)state;
  const mlpd_convert_options o = plain_options();
  mlpd_convert_result r;
  assert_plain(o, "===  ===  ===\nu    v    k\n===  ===  ===\n1    2    0\n3    4    1\n===  ===  ===\n");
  assert_plain(o, "===== == =\nu     v  k\n===== == =\n1     2  0\n3     4  1\n===== == =\n"); /* reST */
  assert_plain(o, " ------\n u v k\n ------\n 1 2 0\n\f\nU V K\n ------\n 3 4 1\n ------\n");  /* pages */
  assert_plain(o, "   u  v  k\n0  1  2  0\n1  3  4  1\n\n[2 rows x 3 columns]\n");
  write_text("a.csv",
             "*******\n* Row * px * py *\n*******\n* 0 * 1.5 * .5 *\n* 1 * 2.5 * .25 *\n*******\n"
             "==> 2 selected entries\n");
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_names("/columns/name", "Row,px");
  assert_array("/train/x", 2, 2, ELEMENT_F32, VALUES(0, 1.5, 1, 2.5));
  assert_refused("  u  v\n0  1  2\n1 3 4\n\n[3 rows x 2 columns]\n", "counts 3 rows, but 2 are above it");
  write_text("a.csv", "u v k\n1 2 0\n--- --- ---\n3 4 1\n"); /* which could be a row */
  ASSERT_CONVERTED(telling_options(), &r, "a.csv");
  assert_said("1 line of dashes or the like skipped, the first in line 3");
  write_text("a.csv", "u,v,k\n1,--,0\n3,-,1\n"); /* missing values */
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_int_equal(r.train_rows, 2);
}

/* Such rows were a table of one column more, below a title, or one of texts between blanks. */
static void test_backslashes(void **state) {
  (void)state;
  mlpd_convert_result r;
  const char *const cells =
      "delimiters inside of cells are written behind a backslash here; put such cells in quotes: "
      "python3 -c \"import csv; csv.writer(open('";
  assert_refused("u,v,k\nno,a\\, b,0\nyes,a\\, d,0\nno,a\\, d,1\nyes,a\\, d,1\n", cells);
  assert_refused("t,v,k\na\\, b,p,no\na\\, d,q,yes\na\\, d,q,yes\n", cells);
  assert_refused("t,v,k\ne,p,no\na\\, d,q,yes\na\\, d,q,yes\n", cells);
  write_text("a.csv", "a\\, b,1,0\na\\, c,2,1\na\\, b,1,0\n");
  ASSERT_CONVERTED(telling_options(), &r, "a.csv");
  assert_said("line 1 has a backslash before a delimiter, which ends the cell; if it belongs to the cell, put");
  write_text("a.csv", "C:\\u\\,1,0\nC:\\v\\,2,1\n\"C:\\w\\\",3,1\n"); /* paths */
  ASSERT_CONVERTED(telling_options(), &r, "a.csv");
  assert_null(strstr(said, "backslash"));
  const char *const quotes = "quotes inside of cells are written \\\" here, which ends the cell; double them: sed ";
  assert_refused("t,v,k\n\"5\\\" disk\",1,0\n\"6\\\" disk\",2,1\n", quotes);
  assert_refused("t,v,k\n\"5\\\"\",1,0\n\"6\\\"\",2,1\n", quotes);
  assert_refused("t,v,k\n\"a \\\"b\\\", c\",p,no\n\"a \\\"d\\\", c\",q,yes\n", quotes);
  write_text("a.csv", "\"C:\\u\\\" 1 0\n\"C:\\v\\\" 2 1\n\"C:\\\"\"w\"\"\" 3 1\n");
  ASSERT_CONVERTED(plain_options(), &r, "a.csv");
  assert_names("/columns/categories", "C:\\\"w\",C:\\u\\,C:\\v\\");
}

static void test_advice(void **state) {
  (void)state;
  assert_refused("u,v,k\n1,2,0\n3,4,1u,v,k\n5,6,0\n", "a.csv:3: 5 cells, but 3 in the header (are these two rows in");
  assert_refused("u,v,k\n1,2,0\n3,4\n5,6,0\n", "a.csv:3: 2 cells, but 3 in the header (empty cells need");
  assert_refused("u,v,k\n1,2,0\n3,4,1\n5,6",
                 "a.csv:4: 2 cells, but 3 in the header (it is the last line: was the file");
  assert_refused(
      "u   v   k\n1   2   0\n    4   1\n5   6   0\n",
      "a.csv:3: 2 cells, but 3 in the header (an empty cell is not seen between blanks; where columns have a fixed "
      "width, divide them: python3 -c \"import pandas; pandas.read_fwf(");
  assert_refused("t,v,k\na,2,0\nb, c,4,1\nd,6,0\n", "(a cell that holds commas must be in double quotes)");
  assert_refused(
      "1::2::0\n3::4::1\n5::6::0\n",
      ":: seems to separate the columns, but a delimiter must be one character; replace it by tabs: sed 's/::/\\t/g' ");
  assert_refused("u,k\n<0.5,1\n0.7,0\n0.9,1\n", "'<0.5' is not a number in this notation; --strip '<' reads it");
  assert_refused("u,k\n0.5*,1\n0.7,0\n0.9,1\n", "--strip '*' reads it");
  assert_refused("u,k\nx,1\n0.7,0\n0.9,1\n", "; --categorical 'u' makes categories");
  assert_refused("u,k,note\n1,0,\n2,1,\n",
                 "each of its 2 rows has a missing target, so no row is left; the last of them, "
                 "column 'note', is used as the target: choose another with --label");
}

/* Texts in one of several targets, which are values: --categorical would change nothing. */
static void test_texts_in_targets(void **state) {
  (void)state;
  static const char *const tables[] = {"u,k,v\n1,2,a\n3,4,b\n", "u,k,v\n1,2,5\n3,4,b\n5,6,7\n",
                                       "u,k,v\n1,2,1 cm\n3,4,2 cm\n5,6,7\n", "u,k,v\n1,2,0%\n3,4,1 - 10%\n5,6,0%\n",
                                       "u,k,v\n1,2,3\n3,4,5\n5,6,x\n"};
  mlpd_convert_options o = plain_options();
  o.label = "k,v";
  for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
    write_text("a.csv", tables[i]);
    ASSERT_REFUSED(o, MLPD_ERROR_DATA, "--label 'v' alone makes classes (several targets are values)", "a.csv");
  }
  mlpd_convert_result r;
  o = telling_options();
  o.categorical = "0-2";
  write_text("a.csv", "u,v,k\n1,2,0\n3,4,1\n5,6,0\n");
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_said("a.csv: 'k' is a target, which --categorical leaves as it is; --task classification makes classes");
  o.label = "v,k";
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_said("a.csv: 'v' is a target, which --categorical leaves as it is; several targets are values");
  o = telling_options();
  o.categorical = "k";
  o.task = MLPD_CLASSIFICATION; /* as the note advises */
  ASSERT_CONVERTED(o, &r, "a.csv");
  if (strstr(said, "--categorical") != NULL) fail_msg("%s", said);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test_teardown(test_quotes, clear_folder),
                                     cmocka_unit_test_teardown(test_texts_in_targets, clear_folder),
                                     cmocka_unit_test_teardown(test_windows_text, clear_folder),
                                     cmocka_unit_test_teardown(test_microsoft_nan, clear_folder),
                                     cmocka_unit_test_teardown(test_zeros_in_front, clear_folder),
                                     cmocka_unit_test_teardown(test_settings_above, clear_folder),
                                     cmocka_unit_test_teardown(test_settings_with_signs, clear_folder),
                                     cmocka_unit_test_teardown(test_touching_numbers, clear_folder),
                                     cmocka_unit_test_teardown(test_drawn_lines, clear_folder),
                                     cmocka_unit_test_teardown(test_backslashes, clear_folder),
                                     cmocka_unit_test_teardown(test_advice, clear_folder)};
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
