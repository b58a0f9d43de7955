/* Tables whose texts may be numbers, names or a header: lots, houses, dice, flags, quotes, totals. */
#include <math.h>
#include <stdio.h>

#include "convert_helper.h"

static mlpd_status convert_table(const char *table) {
  mlpd_convert_result r;
  write_text("a.csv", table);
  (void)unlink(in_folder("out.h5"));
  return CONVERT(telling_options(), &r, "a.csv");
}

/* Converts rows of three columns (a text of texts in turn, two numbers) below a header, and keeps what was said.
 * Returns the status. */
static mlpd_status convert_turns(const char *header, const char *row, const char *const *texts, int count, int rows) {
  static char table[1 << 14];
  size_t used = (size_t)snprintf(table, sizeof table, "%s\n", header);
  for (int i = 0; i < rows; i++)
    used += (size_t)snprintf(table + used, sizeof table - used, row, texts[i * 7 % count], i * 37 % 101, i * i % 13);
  return convert_table(table);
}

#define TURNS(header, row, rows, ...)                                \
  convert_turns((header), (row), (const char *const[]){__VA_ARGS__}, \
                (int)(sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)), (rows))

static void assert_refusal(mlpd_status status, const char *part) {
  if (status == MLPD_OK || strstr(mlpd_error_message(), part) == NULL)
    fail_msg("status %d, message '%s', wanted '%s'", (int)status, mlpd_error_message(), part);
}

static void assert_silent(void) {
  if (strstr(said, "note: ") != NULL) fail_msg("a note: %s", said);
}

/* Fails unless the table was read without a note, and part is said. */
static void assert_calm(mlpd_status status, const char *part) {
  if (status != MLPD_OK) fail_msg("refused: %s", mlpd_error_message());
  assert_silent();
  assert_said(part);
}

static void test_lots(void **state) {
  (void)state;
  assert_calm(TURNS("lot,v,k", "%1$s,%2$d,%3$d.5\n", 40, "30-", "40-", "50-"), "columns of categories: lot (3)");
  assert_calm(TURNS("v,w,lot", "%2$d.5,%3$d,%1$s\n", 40, "30-", "40-", "50-"), "3 classes: 30-, 40-, 50-");
  assert_refusal(TURNS("lot,v,k", "%1$s,%2$d,%3$d.5\n", 40, "30-", "40", "50"),
                 "'30-' is a negative number in the notation of accounts; write -30; if they are names, as of lots, "
                 "--categorical 'lot' makes categories");
  assert_refusal(TURNS("v,w,lot", "%2$d.5,%3$d,%1$s\n", 40, "30-", "40", "50"),
                 "write -30, or use --task classification to make the labels classes");
  assert_refusal(TURNS("lot,v,k", "%1$s,%2$d,%3$d.5\n", 40, "30.5-", "40.5-"), "is a negative number");
}

static void test_houses(void **state) {
  (void)state;
  assert_calm(TURNS("v,w,house", "%2$d.5,%3$d,%1$s\n", 40, "12M", "14B", "7", "3"), "4 classes: 12M, 14B, 3, 7");
  assert_calm(TURNS("house,v,k", "%1$s,%2$d,%3$d.5\n", 40, "12M", "14B", "12B"), "columns of categories: house (3)");
  assert_int_equal(TURNS("v,w,value", "%2$d.5,%3$d,%1$s\n", 40, "1.5M", "2B", "3M"), MLPD_OK);
  assert_said("its texts are numbers in units that differ");
  assert_int_equal(TURNS("value,v,k", "%1$s,%2$d,%3$d.5\n", 40, "10k", "50k", "1M"), MLPD_OK);
  assert_said("its texts are numbers in units that differ");
}

static void test_dice(void **state) {
  (void)state;
  assert_calm(TURNS("roll,v,k", "%1$s,%2$d,%3$d.5\n", 40, "2d6", "1d4", "3D8"), "columns of categories: roll (3)");
  assert_calm(TURNS("v,w,roll", "%2$d.5,%3$d,%1$s\n", 40, "2d6", "1d4", "3d8"), "3 classes: 1d4, 2d6, 3d8");
  assert_calm(TURNS("u,v,k", "%1$s,%2$d,%3$d.5\n", 40, "2D+06", "1.5d2", "3.D8", "4D-1"),
              "40 rows of 2 features, stored as");
  if (strstr(said, "categories") != NULL) fail_msg("%s", said);
}

static void test_flags(void **state) {
  (void)state;
  assert_int_equal(TURNS("geo,v,k", "%1$s,%2$d.5 b,1.5\nFR,%2$d.5,2\nIT,%2$d.7 bp,2\nIT,: c,2\n", 30, "DE", "AT"),
                   MLPD_OK);
  assert_said(
      "if these are flags, or a unit that other rows lack, --strip 'bp,b' leaves them off; if they are units, write "
      "all rows in one; --categorical "
      "'v'");
  assert_refusal(
      TURNS("geo,v,k", "%1$s,1,%2$d.5 b\nFR,2,%2$d.5\nIT,3,%2$d.7 bp\nIT,4,: c\n", 30, "DE", "AT"),
      "if these are flags, or a unit that other rows lack, --strip 'bp,b' --task regression leaves them off");
  assert_refusal(TURNS("geo,v,k", "IT,4,: c\nIT,4,:\n%1$s,1,%2$d.5 b\nFR,2,%2$d.5\n", 30, "DE", "AT"),
                 "a.csv:4: column 3 (k): '0.5 b' is a number with a text behind it (30 labels are like this)");
  mlpd_convert_options o = plain_options();
  mlpd_convert_result r;
  o.strip = "bp,b";
  o.task = MLPD_REGRESSION;
  write_text("a.csv", "u,v,k\n1,2.5 bp,3.5 b\n2,: c,2\n3,4 b,: \n4,5,6\n");
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_array("/train/x", 3, 2, ELEMENT_F32, VALUES(1, 2.5, 2, NAN, 4, 5));
  assert_array("/train/y", 3, 1, ELEMENT_F32, VALUES(3.5, 2, 6));
}

/* Some of the numbers have a flag, half of them none, so that the column is one of categories. */
static void test_flags_among_categories(void **state) {
  (void)state;
  assert_int_equal(TURNS("geo,v,k", "%1$s,%2$d.5,%3$d.5\nFR,3.5 b,2\nIT,2.5 p,1\n", 30, "DE", "AT"), MLPD_OK);
  assert_said("--strip 'b,p' leaves them off");
  if (strstr(said, "--missing") != NULL) fail_msg("the flagged numbers are lost: %s", said);
}

/* ---- Units ---- */

static void test_units_are_no_flags(void **state) {
  (void)state;
  assert_int_equal(TURNS("t,v,k", "%2$d.5%1$s,%2$d,%3$d.5\n", 40, "C", "F"), MLPD_OK);
  assert_said("write all rows in one unit");
  if (strstr(said, "--strip") != NULL) fail_msg("units are mixed: %s", said);
  assert_refusal(
      TURNS("u,v,t", "%2$d,%3$d.5,%2$d.5%1$s\n", 40, "C", "F"),
      "if units differ, write all rows in one; if they are names, as of houses, --task classification makes");
}

/* They are values, unlike numbers of versions, which repeat themselves. */
static void test_values_among_words(void **state) {
  (void)state;
  assert_refusal(
      TURNS("u,k", "%2$d,%1$s\n8,mid\n7,%2$d.5\n", 30, "low", "mid", "high"),
      "'low' is not a number, but 30 of 90 labels are, most of them numbers that are not whole and occur once");
  assert_calm(TURNS("u,k", "%2$d,%1$s\n7,low\n", 60, "1.5", "2.5", "beta"), "4 classes: 1.5, 2.5, beta, low");
  assert_refusal(TURNS("u,k", "%1$s,temp=%2$d.5\n", 60, "1", "2"), "reads it, as --strip temp=");
}

static void test_prefixes(void **state) {
  (void)state;
  assert_int_equal(TURNS("c,v,k", "%s,%d,%d.5\n", 40, "10n", "100p", "1u"), MLPD_OK);
  assert_said("its texts are numbers in units that differ");
  assert_int_equal(TURNS("c,v,k", "%s,%d,%d.5\n", 40, "5 mA", "20uA", "1A"), MLPD_OK);
  assert_said("its texts are numbers in units that differ");
  assert_calm(TURNS("c,v,k", "%s,%d,%d.5\n", 40, "5 mA", "20V", "1 s"), "columns of categories: c (3)");
  assert_int_equal(TURNS("c,v,k", "%s,%d,%d.5\n", 40, "10\u00B5", "5m"), MLPD_OK);
  assert_said("its texts are numbers in units that differ");
}

static void test_hemispheres(void **state) {
  (void)state;
  mlpd_convert_result r;
  write_text("a.csv", "lat,lon,k\n48.5N,12.25E,1.5\n12.5S,0.5W,2.5\n1.5N,3.5E,4\n");
  ASSERT_CONVERTED(plain_options(), &r, "a.csv");
  assert_names("/columns/name", "lat.degrees,lon.degrees");
  assert_array("/train/x", 3, 2, ELEMENT_F32, VALUES(48.5, 12.25, -12.5, -0.5, 1.5, 3.5));
  assert_calm(TURNS("house,v,k", "%s,%d,%d.5\n", 40, "12N", "14S", "7N"), "columns of categories: house (3)");
  assert_calm(TURNS("force,v,k", "%2$d.5N,%1$s,%3$d.5\n", 40, "1", "2"), "the same in all rows: force (N)");
}

static void test_weeks_and_half_days(void **state) {
  (void)state;
  mlpd_convert_result r;
  write_text("a.csv", "w,t,k\n2020-W01,1:20 p,1\n2020-W53,12:00 a,2.5\n2021W01,12:00 p,3\n");
  ASSERT_CONVERTED(plain_options(), &r, "a.csv");
  assert_names("/columns/name", "w.year,w.day_of_year,w.seconds,t.time");
  assert_array("/train/x", 3, 4, ELEMENT_I32,
               VALUES(2019, 364, 1577664000, 48000, 2020, 363, 1609113600, 0, 2021, 4, 1609718400, 43200));
  write_text("a.csv", "w,k\n2020-W01-1,1\n2020-W53-5,2.5\n2019W017,3\n2020-W09-6T12:00,3\n");
  ASSERT_CONVERTED(plain_options(), &r, "a.csv");
  assert_names("/columns/name", "w.year,w.day_of_year,w.weekday,w.hour,w.seconds");
  assert_array("/train/x", 4, 5, ELEMENT_I32,
               VALUES(2019, 364, 1, 0, 1577664000, 2021, 1, 5, 0, 1609459200, 2019, 6, 7, 0, 1546732800, 2020, 60, 6,
                      12, 1582977600));
  assert_calm(TURNS("w,v,k", "%s,%d,%d.5\n", 40, "1500W10", "1500W05", "2000W10"), "columns of categories: w (3)");
}

static void test_odd_quotes(void **state) {
  (void)state;
  mlpd_convert_result r;
  write_text("a.csv",
             "\u201Ct\u201D,''u'',k\n\u201Ca\u201D,''1'',\u201Cx\u201D\n\u201Eb\u201C,\u201C2\u201D,'it''s'\n"
             "'O''Brien, J.',3,''''\n\u2018a\u2019,'',\u201Cx\u201D and \u201Cy\u201D\n");
  ASSERT_CONVERTED(plain_options(), &r, "a.csv");
  assert_names("/columns/name", "t,u");
  assert_names("/columns/categories", "O'Brien, J.,a,b");
  assert_names("/class_names", "',it's,x,\u201Cx\u201D and \u201Cy\u201D");
  assert_array("/train/x", 4, 2, ELEMENT_F32, VALUES(1, 1, 2, 2, 0, 3, 1, NAN));
  (void)unlink(in_folder("out.h5"));
  write_text("a.csv", "t,u,k\na,1,x\n\u201Cb, c\u201D,2,y\n");
  ASSERT_REFUSED(plain_options(), MLPD_ERROR_DATA,
                 "a.csv:3: 4 cells, but 3 in the header (typographic quotes do not hold a cell together; make them "
                 "double quotes: sed 's/\u201C/\"/g; s/\u201D/\"/g; s/\u201E/\"/g' '", /* in the C locale, too */
                 "a.csv");
}

/* ---- Late rows ---- */

/* The same text in so many rows that kinds of columns are settled, then another: the first rows do not decide. */
static mlpd_status convert_late(const char *early, const char *late) {
  enum { EARLY = 1040, ROWS = 1060 };
  static char table[1 << 15];
  size_t used = (size_t)snprintf(table, sizeof table, "u,v,k\n");
  for (int i = 0; i < ROWS; i++)
    used += (size_t)snprintf(table + used, sizeof table - used, "%s,%d,%d.5\n", i < EARLY ? early : late, i % 7,
                             i * i % 13);
  return convert_table(table);
}

static void test_late_rows(void **state) {
  (void)state;
  assert_refusal(convert_late("30-", "40"), "a.csv:2: column 1 (u): '30-' is a negative number");
  assert_calm(convert_late("30-", "40-"), "columns of categories: u (2)");
  assert_calm(convert_late("48.5N", "12.5S"), "angles become degrees, south and west negative: u");
  assert_calm(convert_late("48.5N", "12.5N"), "the same in all rows: u (N)");
}

/* ---- Texts alone ---- */

static void test_header_of_texts(void **state) {
  (void)state;
  assert_calm(TURNS("color,shape,class", "%s,round,tree\nblue,round,bush\nblue,square,tree\n", 10, "red", "green"),
              "header: color, shape, class");
  assert_int_equal(TURNS("red,oval,class", "%s,round,tree\nblue,round,bush\nblue,square,tree\n", 10, "red", "green"),
                   MLPD_OK);
  assert_said("no header"); /* red occurs again */
  assert_calm(TURNS("blue,round,tree", "%s,round,tree\nblue,round,bush\nblue,square,tree\n", 10, "red", "green"),
              "no header");
  assert_int_equal(TURNS("name,kind", "%s,tree\n", 2, "elm", "oak"), MLPD_OK);
  assert_said(
      "all cells are texts, and those of the first row name the columns; if they are a row like the others, use "
      "--header no");
  assert_said("header: name, kind");
  mlpd_convert_options o = telling_options(); /* an option names a column */
  mlpd_convert_result r;
  o.label = "kind";
  (void)unlink(in_folder("out.h5"));
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_said("header: name, kind");
  if (strstr(said, "--header no") != NULL) fail_msg("%s", said);
  static const char *const hashed[] = {"# color,shape,class\n", "#color,shape,class\n"};
  for (size_t i = 0; i < sizeof hashed / sizeof *hashed; i++) { /* a comment names the columns */
    char text[200];
    (void)snprintf(text, sizeof text,
                   "%sred,oval,tree\nblue,round,bush\ngreen,round,bush\nblue,thin,bush\npink,thin,bush\n", hashed[i]);
    write_text("a.csv", text);
    (void)unlink(in_folder("out.h5"));
    o = telling_options();
    ASSERT_CONVERTED(o, &r, "a.csv");
    assert_said("header: color, shape, class");
    assert_int_equal(r.train_rows, 5);
    if (strstr(said, "--header no") != NULL) fail_msg("%s", said);
  }
}

/* y, n, t and f are letters among others, as in the mushrooms of UCI, unless a column holds nothing else. */
static void test_header_of_letters(void **state) {
  (void)state;
  assert_int_equal(TURNS("p,x,s,n,t,k", "%s,x,y,w,t,n\ne,b,s,n,f,k\np,f,y,y,t,n\n", 20, "e", "p"), MLPD_OK);
  assert_said("6 columns separated by commas, no header");
  assert_int_equal(TURNS("class,cap,odor,color", "%s,x,y,y\ne,b,n,n\np,x,f,f\n", 20, "e", "p"), MLPD_OK);
  assert_said("header: class, cap, odor, color");
  assert_int_equal(TURNS("name,smokes,k", "%s,yes,a\nbob,maybe,b\n", 20, "ann", "eve"), MLPD_OK);
  assert_said("header: name, smokes, k");
  assert_int_equal(TURNS("name,smokes,k", "%s,yes,a\nbob,no,b\n", 20, "ann", "eve"), MLPD_OK);
  assert_said("header: name, smokes, k");
}

/* A model knows whether they are its names. */
static void test_header_of_texts_for_a_model(void **state) {
  (void)state;
  mlpd_convert_result r;
  const char *const names[] = {"color", "shape"};
  mlpd_convert_options o = telling_options();
  o.model_columns = names;
  o.num_model_columns = 2;
  o.model_categories = (const uint8_t[]){1, 1};
  o.unlabelled = true;
  write_text("a.csv", "shape,color\nround,red\n");
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_said("header: shape, color");
  assert_silent();
  write_text("a.csv", "red,round\ngreen,square\n");
  (void)unlink(in_folder("out.h5"));
  o.decision = on_decision;
  said[0] = '\0';
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_said("no header");
  write_text("a.csv", "red,round\n"); /* a row, not a header without rows */
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_said("1 row of 2 features");
}

/* The first table knows, too: a row of texts is no header below rows without one. */
static void test_header_of_texts_in_further_tables(void **state) {
  (void)state;
  mlpd_convert_result r;
  assert_int_equal(TURNS("red,oval,tree", "%s,round,tree\nblue,round,bush\nblue,square,tree\n", 10, "red", "green"),
                   MLPD_OK);
  write_text("b.csv", "red,square,bush\ngreen,round,tree\n");
  write_text("c.csv", "red,square,bush\n");
  mlpd_convert_options o = telling_options();
  ASSERT_CONVERTED(o, &r, "a.csv", "b.csv", "c.csv");
  assert_int_equal(r.train_rows, 31 + 2 + 1);
  assert_silent();
  (void)TURNS("color,shape,class", "%s,round,tree\nblue,round,bush\nblue,square,tree\n", 10, "red", "green");
  write_text("b.csv", "color,shape,class\nred,square,bush\n");
  o = telling_options();
  ASSERT_CONVERTED(o, &r, "a.csv", "b.csv");
  assert_int_equal(r.train_rows, 30 + 1);
  assert_silent();
  write_text("c.csv", "red,square,bush\n");
  ASSERT_CONVERTED(o, &r, "a.csv", "b.csv", "c.csv"); /* as split cuts a table */
  assert_int_equal(r.train_rows, 30 + 1 + 1);
}

/* ---- Answers and labels ---- */

static void test_answers_among_numbers(void **state) {
  (void)state;
  assert_refusal(TURNS("rain,v,k", "%s,%d,%d.5\n", 40, "0.5", "T", "1.5"),
                 "'T' is read as yes or no, but the column holds numbers; write 1 and 0, or use --missing 'T'");
  const char *const names[] = {"u", "v"};
  mlpd_convert_result r;
  mlpd_convert_options o = telling_options();
  o.model_columns = names;
  o.num_model_columns = 2;
  o.unlabelled = true;
  write_text("a.csv", "u,v\nTRUE,2\nFALSE,3\n");
  (void)unlink(in_folder("out.h5"));
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_said("column u holds 'TRUE' and the like, read as 1 and 0, but numbers in training");
  o.model_categories = (const unsigned char[]){2, 0};
  said[0] = '\0';
  ASSERT_CONVERTED(o, &r, "a.csv");
  if (strstr(said, "note: ") != NULL) fail_msg("%s", said);
  o = telling_options(); /* further tables */
  write_text("train.csv", "u,v,k\n5,1,2.5\n7,2,1.5\n");
  write_text("test.csv", "u,v,k\ntrue,1,2.5\nfalse,2,1.5\n");
  ASSERT_CONVERTED(o, &r, "train.csv", "test.csv");
  assert_said("test.csv: column u holds 'true' and the like, read as 1 and 0, but numbers in training");
}

static void test_values_in_other_notation(void **state) {
  (void)state;
  mlpd_convert_options o = plain_options();
  o.task = MLPD_REGRESSION;
  write_text("a.csv", "u,k\n1,\"123,456\"\n2,5\n");
  ASSERT_REFUSED(o, MLPD_ERROR_DATA,
                 "a.csv:2: column 2 (k): '123,456' is not a number in this notation; --thousands , (or --decimal "
                 "comma) reads it",
                 "a.csv");
}

/* Of a contest: the rows to be predicted have no target. */
static void test_a_test_part_without_target(void **state) {
  (void)state;
  mlpd_convert_options o = plain_options();
  write_text("train.csv", "id,k,u\n1,0,2.5\n2,1,1.5\n");
  write_text("test.csv", "id,u\n3,2.5\n4,1.5\n");
  o.label = "k";
  ASSERT_REFUSED(o, MLPD_ERROR_DATA, "leave the file out, and predict its rows later", "train.csv", "test.csv");
  o.label = "missing";
  ASSERT_REFUSED(o, MLPD_ERROR_USAGE, "label 'missing' is not a column", "train.csv", "test.csv");
}

/* A place, x and y, is no target; y behind another column may be. */
static void test_places(void **state) {
  (void)state;
  assert_calm(TURNS("x,y,z", "%2$d,%1$s,%3$d.5\n", 40, "1", "2", "5"), "target: column 'z'");
  assert_int_equal(TURNS("y,x,z", "%2$d,%1$s,%3$d.5\n", 40, "1", "2", "5"), MLPD_OK);
  assert_said("and 'y' is a feature; if 'y' is the target, use --label y");
}

/* ---- Wide tables ---- */

/* Where the columns end is seen in the fullest line, such as the header. */
static void test_fixed_widths(void **state) {
  (void)state;
  const mlpd_convert_options o = plain_options();
  const char *const unknown = "5, 5, 8]).to_csv('a-cells.csv', index=False)\", with the widths of its columns in place";
  write_text("a.csv", "123451234512345678\n543215432187654321\n111112222233333333\n");
  ASSERT_REFUSED(o, MLPD_ERROR_DATA, "pandas.read_fwf('", "a.csv");
  assert_non_null(strstr(mlpd_error_message(), "header=None, widths=[5, 5, 8]"));
  write_text("a.csv", "alpha bravo  n\n1234512345678\n5432154321876\n1111122222333\n");
  ASSERT_REFUSED(o, MLPD_ERROR_DATA, "a table needs a feature and a label", "a.csv");
  write_text("a.csv", "alphabravocol\n1234512345678\n5432154321876\n1111122222333\n");
  ASSERT_REFUSED(o, MLPD_ERROR_DATA, unknown, "a.csv");
  write_text("a.csv", "    u    v  k\n1234512345678\n5432154321876\n1111122222333\n");
  ASSERT_REFUSED(o, MLPD_ERROR_DATA, "', widths=[5, 5, 3]).to_csv('a-cells.csv', index=False)\"", "a.csv");
  write_text("a.csv", "    u    v  k\n   1212345  0\n5432154321  1\n11111       1\n");
  ASSERT_REFUSED(o, MLPD_ERROR_DATA, "seem to have a fixed width: divide them: python3 -c", "a.csv");
  assert_non_null(strstr(mlpd_error_message(), "', widths=[5, 5, 3])"));
  write_text("a.csv", "city     n  k\nNew York 2  0\nWarsaw   2  1\nLos Angel3  1\n");
  ASSERT_REFUSED(o, MLPD_ERROR_DATA, unknown, "a.csv");
  char rows[80 * 14 + 1];
  size_t used = 0;
  for (int i = 0; i < 80; i++) used += (size_t)sprintf(rows + used, "%5d%5d%3d\n", i, i == 70 ? 12345 : 7, i % 2);
  write_text("a.csv", rows);
  ASSERT_REFUSED(o, MLPD_ERROR_DATA, "header=None, widths=[5, 5, 3]", "a.csv"); /* cells touch below the sample */
  write_text("a.csv", "body mass  k\n     12.5  1\n     13.5  0\n     14.5  1\n");
  ASSERT_REFUSED(o, MLPD_ERROR_DATA, "(is it a title? --skip-lines 1 skips it)", "a.csv");
  write_text("a.csv", "1234512345     678\n543215432187654321\n1111122222333  333\n1111122222     333\n");
  ASSERT_REFUSED(o, MLPD_ERROR_DATA, "header=None, widths=[5, 5, 8]", "a.csv");
  write_text("a.csv", "1\n2\n3\n");
  ASSERT_REFUSED(o, MLPD_ERROR_DATA, "has one column; a table needs a feature and a label", "a.csv");
  mlpd_convert_options second = o; /* without the first of two such columns */
  second.ignore = "0";
  write_text("a.csv", "   1   0\n   2   1\n   3   0\n");
  ASSERT_REFUSED(
      second, MLPD_ERROR_DATA,
      "no column is left for features; a table needs a feature and a label: leave one of its 2 columns out of "
      "--label and --ignore",
      "a.csv");
}

/* It is refused before the cells are counted: all cells of such a line were read for minutes. */
static void test_line_of_delimiters(void **state) {
  (void)state;
  const size_t count = (size_t)1 << 22;
  char *const text = malloc(count + 80);
  assert_non_null(text);
  memset(text, ',', count);
  memcpy(text + count, "\n1,2", 5);
  write_text("a.csv", text);
  ASSERT_REFUSED(plain_options(), MLPD_ERROR_DATA, "a.csv: has more than 4194304 columns", "a.csv");
  memset(text, ',', count + 64);
  memcpy(text, "1,\"\"\"", 5); /* a cell in quotes that begins with one */
  memcpy(text + count + 50, "\",0\n2,b,1\n", 11);
  write_text("a.csv", text);
  mlpd_convert_result r;
  ASSERT_CONVERTED(plain_options(), &r, "a.csv");
  memset(text, ' ', count + 8); /* columns of a fixed width */
  text[0] = '7';
  memcpy(text + count + 7, "8\n1 2", 6);
  write_text("a.csv", text);
  ASSERT_CONVERTED(plain_options(), &r, "a.csv");
  const size_t width = (size_t)1 << 20; /* the same in four lines, whose widths are looked for */
  memset(text, ' ', count);
  for (size_t i = 0; i < 4; i++) text[i * width] = '7';
  for (size_t i = 1; i < 4; i++) memcpy(text + i * width - 2, "8\n", 2);
  memcpy(text + count - 2, "8", 2);
  write_text("a.csv", text);
  free(text);
  ASSERT_CONVERTED(plain_options(), &r, "a.csv");
}

/* The quotes of a line were counted again for each cell that may end in one. */
static void test_line_of_escaped_quotes(void **state) {
  (void)state;
  static const char cell[] = "\"\\\"\",";
  const size_t width = strlen(cell), cells = (size_t)1 << 18; /* an even number */
  char *const text = malloc(cells * width + 4);
  assert_non_null(text);
  for (size_t i = 0; i < cells; i++) memcpy(text + i * width, cell, width);
  memcpy(text + cells * width - 1, "\n1\n", 4);
  write_text("a.csv", text);
  free(text);
  ASSERT_REFUSED(plain_options(), MLPD_ERROR_DATA, "has one column; a table needs a feature and a label", "a.csv");
}

/* ---- Notes ---- */

static void write_months(char *text, size_t size, int last) {
  size_t used = (size_t)snprintf(text, size, "ym,v,k\n");
  for (int i = 0; i < 24; i++)
    used += (size_t)snprintf(text + used, size - used, "20%02d%02d,%d,%d.5\n", 10 + i / 12, i == 23 ? last : 1 + i % 12,
                             i * 7 % 5, i * i % 13);
}

static void test_months(void **state) {
  (void)state;
  char text[1000];
  mlpd_convert_result r;
  write_months(text, sizeof text, 12);
  write_text("a.csv", text);
  ASSERT_CONVERTED(telling_options(), &r, "a.csv");
  assert_said(
      "column ym is read as numbers, but they look like months, as 201001; if they are, they are read as dates where");
  write_months(text, sizeof text, 13);
  write_text("a.csv", text);
  ASSERT_CONVERTED(telling_options(), &r, "a.csv");
  assert_silent();
}

static void test_nanoseconds(void **state) {
  (void)state;
  assert_calm(TURNS("time,v,k", "16094592%2$03d00000001,%1$s,%3$d.5\n", 30, "1", "2", "3"), "30 rows of 2 features");
  assert_int_equal(TURNS("id,v,k", "16094592%2$03d00000001,%1$s,%3$d.5\n", 30, "1", "2", "3"), MLPD_OK);
  assert_said("whole numbers beyond 2^53 = 9007199254740992 are rounded in id");
}

/* Rows whose first column is a text in each of `every` rows, up to `texts` times, else one of `values` whole numbers.
 */
static mlpd_status convert_mixed(int rows, int values, const char *text, int every, int texts) {
  static char table[1 << 15];
  size_t used = (size_t)snprintf(table, sizeof table, "n,v,k\n");
  for (int i = 0; i < rows; i++) {
    const bool is_text = i % every == every - 1 && i < texts * every;
    char number[16];
    (void)snprintf(number, sizeof number, "%d", i % values);
    used += (size_t)snprintf(table + used, sizeof table - used, "%s,%d.5,%d.5\n", is_text ? text : number, i * 37 % 101,
                             i * i % 13);
  }
  return convert_table(table);
}

static void test_few_numbers_and_texts(void **state) {
  (void)state;
  static const char note[] =
      "column n becomes categories, and 3 of them are numbers, as '0', which lose their order; "
      "--missing '3+' reads the column as numbers, --categorical 'n' keeps it without this note";
  for (int rows = 40; rows < 1500; rows += 1400) { /* more rows than are read before a first judgement */
    assert_int_equal(convert_mixed(rows, 3, "3+", 4, rows), MLPD_OK);
    assert_said("columns of categories: n (4)");
    assert_said(note);
  }
  assert_int_equal(convert_mixed(60, 19, "K", 20, 3), MLPD_OK);
  assert_said("columns of categories: n (20)");
  assert_int_equal(convert_mixed(300, 3, "K", 3, 3), MLPD_OK);
  assert_int_equal(convert_mixed(40, 3, "K", 4, 3), MLPD_OK);
  assert_said("columns of categories: n (4)");
  assert_calm(convert_mixed(40, 3, "K", 1, 30), "columns of categories: n (4)"); /* most are texts */
  /* So they are in the end. */
  assert_int_equal(convert_mixed(1100, 3, "K", 4, 1100), MLPD_OK);
  FILE *const file = fopen(in_folder("a.csv"), "a");
  assert_non_null(file);
  for (int i = 0; i < 1200; i++) (void)fprintf(file, "K,%d.5,1.5\n", i % 7);
  assert_int_equal(fclose(file), 0);
  (void)unlink(in_folder("out.h5"));
  assert_calm(CONVERT(telling_options(), &(mlpd_convert_result){0}, "a.csv"), "columns of categories: n (4)");
}

/* They may be wrong, or numbers in another notation. */
static void test_numbers_with_wrong_texts(void **state) {
  (void)state;
  static const char refusal[] = "a.csv:5: column 1 (n): ";
  assert_refusal(convert_mixed(40, 3, "K", 4, 2), refusal);             /* in two rows */
  assert_refusal(convert_mixed(400, 3, "K", 4, 3), refusal);            /* in few of many */
  assert_refusal(convert_mixed(400, 23, "K", 4, 99), refusal);          /* beside many numbers */
  assert_refusal(convert_mixed(40, 3, "2 e", 4, 99), refusal);          /* beside 2 */
  assert_refusal(convert_mixed(40, 3, "K,1,2.5\n0.5", 4, 99), refusal); /* beside a fraction */
  assert_refusal(convert_mixed(40, 3, "K,1,2.5\nL", 4, 2), refusal);    /* two texts, each in two rows */
  static const char *const forms[] = {"1:05",   "05:12:33", "2021-01-05", "2/28/2021", "2021-03",
                                      "2020Q1", "1h 20m",   "5h",         "48.5N"};
  for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
    assert_refusal(convert_mixed(40, 3, forms[i], 4, 99), refusal);
  assert_refusal(convert_mixed(40, 3, "(2)", 4, 99), "is a negative number in the notation of accounts");
  assert_refusal(convert_mixed(40, 3, "v,k,1.5\n0", 4, 99), "is a column name");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test_teardown(test_lots, clear_folder),
                                     cmocka_unit_test_teardown(test_houses, clear_folder),
                                     cmocka_unit_test_teardown(test_dice, clear_folder),
                                     cmocka_unit_test_teardown(test_flags, clear_folder),
                                     cmocka_unit_test_teardown(test_odd_quotes, clear_folder),
                                     cmocka_unit_test_teardown(test_late_rows, clear_folder),
                                     cmocka_unit_test_teardown(test_header_of_letters, clear_folder),
                                     cmocka_unit_test_teardown(test_header_of_texts, clear_folder),
                                     cmocka_unit_test_teardown(test_header_of_texts_for_a_model, clear_folder),
                                     cmocka_unit_test_teardown(test_flags_among_categories, clear_folder),
                                     cmocka_unit_test_teardown(test_values_among_words, clear_folder),
                                     cmocka_unit_test_teardown(test_prefixes, clear_folder),
                                     cmocka_unit_test_teardown(test_hemispheres, clear_folder),
                                     cmocka_unit_test_teardown(test_weeks_and_half_days, clear_folder),
                                     cmocka_unit_test_teardown(test_answers_among_numbers, clear_folder),
                                     cmocka_unit_test_teardown(test_values_in_other_notation, clear_folder),
                                     cmocka_unit_test_teardown(test_a_test_part_without_target, clear_folder),
                                     cmocka_unit_test_teardown(test_places, clear_folder),
                                     cmocka_unit_test_teardown(test_header_of_texts_in_further_tables, clear_folder),
                                     cmocka_unit_test_teardown(test_fixed_widths, clear_folder),
                                     cmocka_unit_test_teardown(test_line_of_delimiters, clear_folder),
                                     cmocka_unit_test_teardown(test_line_of_escaped_quotes, clear_folder),
                                     cmocka_unit_test_teardown(test_units_are_no_flags, clear_folder),
                                     cmocka_unit_test_teardown(test_months, clear_folder),
                                     cmocka_unit_test_teardown(test_nanoseconds, clear_folder),
                                     cmocka_unit_test_teardown(test_few_numbers_and_texts, clear_folder),
                                     cmocka_unit_test_teardown(test_numbers_with_wrong_texts, clear_folder)};
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
