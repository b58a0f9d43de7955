/* Numbers in another dress: units, marks between thousands, spans of time, angles; and forms that are named, not read.
 */
#include <math.h>
#include <stdio.h>

#include "convert_helper.h"
#include "source/span.h"

/* A table of one such feature and a target; the cells are in quotes. */
static void write_cells(const char *name, const char *const *cells) {
  static char text[1 << 14];
  size_t used = (size_t)snprintf(text, sizeof text, "v,k\n");
  for (int i = 0; cells[i] != NULL; i++)
    used += (size_t)snprintf(text + used, sizeof text - used, "\"%s\",%d.5\n", cells[i], i);
  write_text(name, text);
}

#define CELLS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* Converts the cells: the feature has this name and these values. */
static void assert_read(const char *const *cells, const char *name, const double *values) {
  mlpd_convert_result r;
  const mlpd_convert_options o = telling_options();
  uint64_t rows = 0;
  while (cells[rows] != NULL) rows++;
  write_cells("a.csv", cells);
  (void)unlink(in_folder("out.h5"));
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_names("/columns/name", name);
  h5_file *file;
  double found[16];
  assert_int_equal(h5_open(in_folder("out.h5"), &file), MLPD_OK);
  assert_int_equal(h5_read(file, "/train/x", rows, 1, ELEMENT_F64, found), MLPD_OK);
  assert_int_equal(h5_close(file), MLPD_OK);
  for (uint64_t i = 0; i < rows; i++)
    if (!(fabs(found[i] - values[i]) <= 1e-5 * fabs(values[i])) && !(isnan(found[i]) && isnan(values[i])))
      fail_msg("'%s' is %.9g, wanted %.9g", cells[i], found[i], values[i]);
}

#define ASSERT_READ(cells, name, ...) assert_read(cells, name, (const double[]){__VA_ARGS__})

static void assert_cell_refused(const char *const *cells, const char *part) {
  write_cells("a.csv", cells);
  (void)unlink(in_folder("out.h5"));
  ASSERT_REFUSED(plain_options(), MLPD_ERROR_DATA, part, "a.csv");
}

/* ---- Units ---- */

static void test_units(void **state) {
  (void)state;
  ASSERT_READ(CELLS("5.1 cm", "-3 cm", "", "1e2cm"), "v (cm)", 5.1, -3, NAN, 100);
  assert_said("numbers with a unit, the same in all rows: v (cm)");
  ASSERT_READ(CELLS("48.2k", "3k", "0.5k"), "v (k)", 48.2, 3, 0.5);
  ASSERT_READ(CELLS("12 %", "7%", "n/a", "-1.5 %"), "v (%)", 12, 7, NAN, -1.5);
  ASSERT_READ(CELLS("$1,200", "$30", "-$5", "$-7", "$1,234,567.89"), "v ($)", 1200, 30, -5, -7, 1234567.89);
  ASSERT_READ(CELLS("USD 5", "USD 1,200"), "v (USD)", 5, 1200);
  ASSERT_READ(CELLS("21.5 \u00B0C", "3\u00A0\u00B0C"), "v (\u00B0C)", 21.5, 3);
  ASSERT_READ(CELLS("3 m/s", "12 m/s"), "v (m/s)", 3, 12);
  ASSERT_READ(CELLS("3 per cent", "12 per cent"), "v (per cent)", 3, 12);
  ASSERT_READ(CELLS("164 gCO2/km", "90 gCO2/km"), "v (gCO2/km)", 164, 90);
  ASSERT_READ(CELLS("97 m2", "5e1 m2", "1 234 m2"), "v (m2)", 97, 50, 1234);
  ASSERT_READ(CELLS("$89K", "-$7.5K"), "v ($K)", 89, -7.5);
  ASSERT_READ(CELLS("\u22125 cm", "\u20132 cm"), "v (cm)", -5, -2);
  ASSERT_READ(CELLS("\u22125", "\u20112.5", "\u20131", "\u200E7\u200F", "\u20093"), "v", -5, -2.5, -1, 7, 3);
  ASSERT_READ(CELLS("2\xB0", "12\xB0"), "v (\u00B0)", 2, 12); /* Latin-1 */
}

static void test_units_that_differ(void **state) {
  (void)state;
  mlpd_convert_result r;
  mlpd_convert_options o = telling_options();
  write_cells("a.csv", CELLS("1 cm", "2 cm", "3 m", "4 cm", "5 m", "6 m", "7 cm", "8 cm", "9 m", "10 m", "11 m"));
  write_text("b.csv", "w,k\n1,2\n");
  (void)unlink(in_folder("out.h5"));
  ASSERT_REFUSED(o, MLPD_ERROR_DATA, "its texts are numbers in units that differ; write all rows in one", "a.csv");
  assert_cell_refused(CELLS("1", "2", "3", "4 p", "5", "6 bp"),
                      "a.csv:5: column 1 (v): '4 p' is a number with a text behind it, as 2 cells are of this column; "
                      "if these are flags, or a unit that other cells lack, --strip 'bp,p' leaves them off; if they "
                      "are units, write all rows in one; if they "
                      "are names, as of houses, --categorical 'v' makes categories");
  o = telling_options();
  o.strip = "bp,p";
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_array("/train/x", 6, 1, ELEMENT_U8, (const double[]){1, 2, 3, 4, 5, 6});
  assert_cell_refused(CELLS("5%", "7", "6%", "8%", "9"), "--strip % reads it");
  assert_cell_refused(CELLS("1,5 %", "2,5 %"), "--strip % --decimal comma reads it");
  assert_cell_refused(CELLS("1,234 \u20AC", "2,500 \u20AC"), "is not a number"); /* may be thousandths */
  write_text("a.csv", "v,v (cm),k\n1 cm,2,3\n2 cm,4,5\n3 cm,5,6\n");             /* the name is taken */
  o = telling_options();
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_names("/columns/name", "v,v (cm)");
  assert_said("columns of categories: v (3)");
  write_text("a.csv", "1 cm,3\n2 cm,5\n3 cm,6\n"); /* without names, the place is the name */
  o.label = "1";
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_said("numbers with a unit, the same in all rows: 0 (cm)");
  assert_names("/columns/name", "column 0 (cm)");
  assert_names("/targets/name", "column 1");
  (void)unlink(in_folder("out.h5"));
  write_text("a.csv", "1,3\n2,5\n3,6\n"); /* numbers alone need no names */
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_names("/columns/name", "");
  o = telling_options();
  o.categorical = "v";
  write_cells("a.csv", CELLS("1 cm", "2 cm", "2 cm"));
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_said("columns of categories: v (2)");
}

static void test_codes_are_no_amounts(void **state) {
  (void)state;
  mlpd_convert_result r;
  const mlpd_convert_options o = telling_options();
  const char *const *const tables[] = {CELLS("007A", "008A", "007A", "008A"), CELLS("No 5", "No 6", "No 5"),
                                       CELLS("10 AM", "11 AM", "10 AM"), CELLS("A5", "A6", "A5"),
                                       CELLS("1 2", "3 4", "1 2")};
  for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
    said[0] = '\0';
    write_cells("a.csv", tables[i]);
    ASSERT_CONVERTED(o, &r, "a.csv");
    assert_said("columns of categories: v (2)");
  }
}

static void test_codes_with_exponents(void **state) {
  (void)state;
  mlpd_convert_result r;
  mlpd_convert_options o = telling_options();
  write_cells("a.csv", CELLS("7e1", "12", "3E20"));
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_said("numbers are read as powers of ten: '7e1' in v; if they are codes, not amounts, --categorical 'v'");
  o = telling_options();
  write_cells("a.csv", CELLS("1e+05", "1.0e5", "3.0", "1e-3"));
  ASSERT_CONVERTED(o, &r, "a.csv");
  if (strstr(said, "powers of ten") != NULL) fail_msg("%s", said);
  o = telling_options(); /* beyond double, among texts and as the only one */
  write_cells("a.csv", CELLS("7643be38", "032d4626", "7643be38", "032d4626", "be38", "be38"));
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_said("columns of categories: v (3)");
  assert_cell_refused(CELLS("1", "2", "1e999"),
                      "a.csv:4: column 1 (v): '1e999' is beyond the range of double; "
                      "correct it, or use --missing '1e999' to treat it as a missing value");
}

static void test_units_of_other_tables(void **state) {
  (void)state;
  mlpd_convert_result r;
  write_cells("train.csv", CELLS("1 cm", "2 cm", "1,234.5 cm"));
  write_cells("test.csv", CELLS("4 cm", "1,200 cm"));
  ASSERT_CONVERTED(plain_options(), &r, "train.csv", "test.csv");
  assert_names("/columns/name", "v (cm)");
  assert_array("/test/x", 2, 1, ELEMENT_F32, (const double[]){4, 1200});
  write_cells("test.csv", CELLS("4 cm", "0.5 m"));
  (void)unlink(in_folder("out.h5"));
  ASSERT_REFUSED(
      plain_options(), MLPD_ERROR_DATA,
      "test.csv:3: column 1 (v): '0.5 m' is not a number with cm, unlike the cells of this column in training",
      "train.csv", "test.csv");
  write_cells("test.csv", CELLS("4", "5"));
  ASSERT_REFUSED(plain_options(), MLPD_ERROR_DATA, "test.csv:2: column 1 (v): '4' is not a number with cm", "train.csv",
                 "test.csv");
}

static void test_units_beside_plain_numbers(void **state) {
  (void)state;
  write_cells("train.csv", CELLS("4", "5"));
  write_cells("test.csv", CELLS("4 cm", "", "5 cm"));
  ASSERT_REFUSED(plain_options(), MLPD_ERROR_DATA,
                 "test.csv:2: column 1 (v): '4 cm' is a number with a unit, but training had numbers without; --strip "
                 "'cm' reads it",
                 "train.csv", "test.csv");
}

/* ---- Marks between thousands ---- */

static void test_thousands(void **state) {
  (void)state;
  ASSERT_READ(CELLS("6,945,643", "12", "209,932"), "v", 6945643, 12, 209932);
  assert_said("marks between thousands are left off: v");
  ASSERT_READ(CELLS("1,234.5", "209,932"), "v", 1234.5, 209932);
  ASSERT_READ(CELLS("82\u2009608", "1\u2009000"), "v", 82608, 1000); /* thin */
  ASSERT_READ(CELLS("82\u2007608", "7"), "v", 82608, 7);             /* figure */
  ASSERT_READ(CELLS("82\u00A0608", "-1\u202F000.5", "."), "v", 82608, -1000.5, NAN);
  ASSERT_READ(CELLS("573'658", "1'000'000"), "v", 573658, 1000000);
  ASSERT_READ(CELLS("12,34,567", "1,23,456"), "v", 1234567, 123456); /* India */
  assert_cell_refused(CELLS("209,932", "147,400"), "--thousands , (or --decimal comma) reads it");
  assert_cell_refused(CELLS("1,234,567", "1,23", "2", "3"), "'1,234,567' is not a number");
}

/* ---- Spans and angles ---- */

static void test_spans(void **state) {
  (void)state;
  ASSERT_READ(CELLS("6h 52m", "45m", "1 d 2 h", "3 hours, 5 mins", "10s"), "v.duration", 24720, 2700, 93600, 11100, 10);
  assert_said("spans of time become seconds: v");
  ASSERT_READ(CELLS("1:13.45", "2:00", "1:02:03.5"), "v.duration", 73.45, 120, 3723.5);
  ASSERT_READ(CELLS("2 days 09:28:19", "-1 days +23:59:59", "0 days 00:00:00"), "v.duration", 206899, -1, 0);
  ASSERT_READ(CELLS("PT1H30M", "P1DT1S", "PT5M"), "v.duration", 5400, 86401, 300);
  ASSERT_READ(CELLS("12h", "3h"), "v (h)", 12, 3); /* one unit */
  ASSERT_READ(CELLS("9:30", "10:00"), "v.time", 34200, 36000);
  double value;
  bool parts;
  static const char *const none[] = {"",       "h",      "5",     "5 h 3",    "P1M",   "P5H",
                                     "1:5",    "1:60.5", "3m 5h", "5 apples", "1h 1h", "-1 days 00:00:01",
                                     "1:2:3:4"};
  for (size_t i = 0; i < sizeof none / sizeof *none; i++)
    if (span_parse(none[i], none[i] + strlen(none[i]), &value, &parts)) fail_msg("'%s' is a span", none[i]);
}

static void test_angles(void **state) {
  (void)state;
  ASSERT_READ(CELLS("89\u00B006'N", "12\u00B030'S", "0\u00B0 0' N"), "v.degrees", 89.1, -12.5, 0);
  assert_said("angles become degrees, south and west negative: v");
  ASSERT_READ(CELLS("48\u00B051\u203230\u2033N", "2\u00B0W", "E 3\u00B0 30'"), "v.degrees", 48.8583333, -2, 3.5);
  ASSERT_READ(CELLS("48\u00B051'30\"\"N", "1\u00B01'30.5\"\"S"), "v.degrees", 48.8583333, -1.0251389);
  ASSERT_READ(CELLS("48\u00B0", "2\u00B0"), "v (\u00B0)", 48, 2);
  double value;
  bool parts;
  static const char *const none[] = {"", "N", "5", "5'", "5\u00B060'", "5\u00B0X", "N 5\u00B0 S", "5\u00B0 5"};
  for (size_t i = 0; i < sizeof none / sizeof *none; i++)
    if (angle_parse(none[i], none[i] + strlen(none[i]), &value, &parts)) fail_msg("'%s' is an angle", none[i]);
}

/* ---- What is not read ---- */

static void test_forms_are_named(void **state) {
  (void)state;
  static const struct {
    const char *format, *words;
  } forms[] = {{"%d.5 \u00B1 0.%d", "are values and their errors, as '10.5 \u00B1 0.1'; write each in a column"},
               {"%d (%d)", "are numbers, with others in parentheses"},
               {"%d-%d", "are ranges of numbers"},
               {"%d/%d", "are two numbers with a slash"},
               {"%d.5 x 10^%d", "are numbers with powers of ten"},
               {"%d.%d\u00D710\u207B\u00B3", "are numbers with powers of ten"},
               {"%d'%d\"\"", "are feet and inches"},
               {"%d''%d", "are feet and inches"},
               {"wind_2=-%d.%d", "are numbers with a name before them"},
               {"%d.5*^%d", "are numbers with powers of ten"},
               {"%d*%d.5", "as Fortran repeats a value"},
               {"0x%02x%02d", "are hexadecimal numbers"},
               {"-0x1.%02xp-%d", "are hexadecimal numbers"},
               {"\uFF11%d%d", NULL},
               {"%dx%d", "are several numbers each"},
               {"[%d, %d]", "are several numbers each"},
               {"[%d.5e-05 -%d.25]", "are several numbers each"},
               {"0.123 -0.456 7.89e-01 10 11 12 13 14 15 16 17 18 19 20 21 22 %d %d", "are several numbers each"},
               {"tensor(%d.%d)", "are numbers in words of Python"},
               {"np.float64(-%d.%d)", "are numbers in words of Python"},
               {"(%d.5+%dj)", "are complex numbers"},
               {"%d.%d**", "are numbers with marks behind them"},
               {"AB-%d-%d", "are nearly all different, as if they identified rows"}};
  for (size_t f = 0; f < sizeof forms / sizeof *forms; f++) {
    char text[4000] = "v,u,k\n";
    mlpd_convert_result r;
    const mlpd_convert_options o = telling_options();
    for (int i = 10; i < 30; i++) {
      const size_t used = strlen(text);
      (void)snprintf(text + used, sizeof text - used, "\"");
      (void)snprintf(text + used + 1, sizeof text - used - 1, forms[f].format, i, i % 9);  // NOLINT
      (void)snprintf(text + strlen(text), sizeof text - strlen(text), "\",%d,%d.5\n", i, i);
    }
    write_text("a.csv", text);
    ASSERT_CONVERTED(o, &r, "a.csv");
    assert_said("column v is left out: its texts are ");
    if (forms[f].words != NULL) assert_said(forms[f].words);
  }
  ASSERT_READ(CELLS("1.5", ":", ": c", "2.5", "\u2013"), "v", 1.5, NAN, NAN, 2.5, NAN); /* Eurostat */
  ASSERT_READ(CELLS("1.5", ".a", ".Z", "2.5", "._"), "v", 1.5, NAN, NAN, 2.5, NAN);     /* Stata, SAS */
}

/* Few texts are categories, or classes, in any order: a note tells that they are amounts. */
static void test_amounts_among_few_texts(void **state) {
  (void)state;
  static const struct {
    const char *texts[2], *words;
  } tables[] = {{{"3*0.5", "3*-0.25"}, "as Fortran repeats a value"},
                {{"201k", "1.5M"}, "numbers in units that differ, as '"},
                {{"8 GB", "512 MB"}, "write all rows in one unit"},
                {{"10\"", "12.5\""}, "numbers with ' or \" behind them, as '10\"'; write the numbers alone"},
                {{"250 g", "1 kg"}, "write all rows in one unit"},
                {{"1500 mg", "1 kg"}, "write all rows in one unit"},
                {{"30 m", "2 h"}, "write all rows in one unit"},
                {{"5 km", "7 km"}, NULL},
                {{"8M", "8W"}, NULL}, /* sizes of shoes, of children's clothes, and others */
                {{"18M", "2T"}, NULL},
                {{"32B", "34G"}, NULL},
                {{"1.5l", "2.0t"}, NULL},
                {{"10h", "2s"}, NULL}, /* cards */
                {{"4B", "2h"}, NULL},  /* pencils */
                {{"2-", "3-"}, NULL},  /* grades */
                {{"2-", "3+"}, NULL},
                {{"3/5", "4/5"}, NULL},
                {{"1a", "2b"}, NULL}};
  for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
    for (int target = 0; target < 2; target++) {
      char text[400] = "v,u,k\n";
      mlpd_convert_result r;
      for (int row = 0; row < 20; row++) {
        const char *const cell = tables[i].texts[row % 2];
        (void)snprintf(text + strlen(text), sizeof text - strlen(text), "%s,%d,%s\n", target ? "1" : cell, row * row,
                       target        ? cell
                       : row % 3 > 0 ? "0"
                                     : "1");
      }
      write_text("a.csv", text);
      ASSERT_CONVERTED(telling_options(), &r, "a.csv");
      if (tables[i].words != NULL) assert_said(tables[i].words);
      if (tables[i].words != NULL)
        assert_said(target ? "the target becomes classes, but its texts are" : "column v becomes");
      if (tables[i].words == NULL && strstr(said, ", but its texts are") != NULL) fail_msg("%s", said);
    }
}

/* Many classes that are numbers with one unit are amounts. */
static void test_many_classes_with_a_unit(void **state) {
  (void)state;
  for (int kind = 0; kind < 3; kind++) {
    static const char *const formats[] = {"%d,%dg\n", "%d,%d%s\n", "%d,%dg\n"};
    char text[3000] = "v,k\n";
    mlpd_convert_result r;
    for (int row = 0; row < 120; row++) {
      const size_t used = strlen(text);
      const int amount = row % (kind == 2 ? 5 : 25);
      (void)snprintf(text + used, sizeof text - used, formats[kind], row * row, amount, row % 2 ? "a" : "b");  // NOLINT
    }
    write_text("a.csv", text);
    ASSERT_CONVERTED(telling_options(), &r, "a.csv");
    const bool noted = strstr(said,
                              "note: the target becomes 25 classes, but its texts are numbers with a unit, as '0g'; "
                              "--strip 'g' reads them, --task classification leaves out this note") != NULL;
    assert_int_equal(noted, kind == 0);
    assert_int_equal(strstr(said, "with a unit") != NULL, kind == 0);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(test_units, clear_folder),
      cmocka_unit_test_teardown(test_units_that_differ, clear_folder),
      cmocka_unit_test_teardown(test_codes_are_no_amounts, clear_folder),
      cmocka_unit_test_teardown(test_codes_with_exponents, clear_folder),
      cmocka_unit_test_teardown(test_units_of_other_tables, clear_folder),
      cmocka_unit_test_teardown(test_units_beside_plain_numbers, clear_folder),
      cmocka_unit_test_teardown(test_thousands, clear_folder),
      cmocka_unit_test_teardown(test_spans, clear_folder),
      cmocka_unit_test_teardown(test_angles, clear_folder),
      cmocka_unit_test_teardown(test_forms_are_named, clear_folder),
      cmocka_unit_test_teardown(test_amounts_among_few_texts, clear_folder),
      cmocka_unit_test_teardown(test_many_classes_with_a_unit, clear_folder),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
