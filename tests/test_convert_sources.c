/* Tables as programs and public sources write them, where one detail was misread: R, pandas, Orange, loggers, exports
 * of spreadsheets in other countries. */
#include <math.h>
#include <stdio.h>

#include "convert_helper.h"

static char table[1 << 14];

/* Converts head, and rows of format with the texts in turn and the row's number; keeps what was said. */
static mlpd_status convert_rows(const char *head, const char *format, const char *const *texts, int rows) {
  mlpd_convert_result r;
  int count = 0;
  size_t used = (size_t)snprintf(table, sizeof table, "%s", head);
  while (texts[count] != NULL) count++;
  for (int i = 0; i < rows; i++)
    used += (size_t)snprintf(table + used, sizeof table - used, format, texts[i % count], i, i * i);  // NOLINT
  write_text("a.csv", table);
  (void)unlink(in_folder("out.h5"));
  return CONVERT(telling_options(), &r, "a.csv");
}

#define ROWS(head, format, rows, ...) convert_rows((head), (format), (const char *const[]){__VA_ARGS__, NULL}, (rows))

static void assert_read(mlpd_status status, const char *part) {
  if (status != MLPD_OK) fail_msg("refused: %s", mlpd_error_message());
  assert_said(part);
}

static void assert_refusal(mlpd_status status, const char *part) {
  if (status == MLPD_OK || strstr(mlpd_error_message(), part) == NULL)
    fail_msg("status %d, message '%s', wanted '%s'", (int)status, mlpd_error_message(), part);
}

static void assert_unsaid(const char *part) {
  if (strstr(said, part) != NULL) fail_msg("'%s' is among the decisions:\n%s", part, said);
}

/* ---- Above the rows ---- */

/* write.csv of R and to_csv of pandas: texts alone, below names, beside a column without a name. */
static void test_index_beside_texts(void **state) {
  (void)state;
  assert_read(ROWS("\"\",\"color\",\"shape\"\n", "\"%2$d\",\"%1$s\",\"round\"\n", 10, "red", "blue"),
              "header: Unnamed: 0, color, shape");
  assert_said("10 rows of 1 feature");
  assert_unsaid("--header no");
  assert_read(ROWS(",a,b\n", "%2$d,%1$s\n", 9, "a,b", "b,a"), "header: Unnamed: 0, a, b"); /* cells as the names */
  assert_read(ROWS(",color,shape\n", "row %2$d,%1$s,flat\n", 5, "red", "blue"), "header: Unnamed: 0, color, shape");
  assert_read(ROWS(",red,flat\n", "%2$d,%1$s,round\n", 5, "red", "blue"), "no header"); /* red occurs again */
  assert_read(ROWS(",red,flat\n5,blue,square\n,red,round\n", "%2$d,%1$s,round\n", 5, "pink", "blue"), "no header");
}

/* Orange: names, types, then the part that each column plays. */
static void test_orange(void **state) {
  (void)state;
  assert_read(
      ROWS("u\tv\tname\tk\nc\tcontinuous\tstring\td\n\t\tmeta\tclass\n", "%2$d.5\t%3$d.5\tr%2$d\t%1$s\n", 20, "a", "b"),
      "2 lines of units below the header skipped: 'c continuous string d'");
  assert_class_names("a,b");
  assert_said("20 rows of 2 features");
  assert_read(ROWS("u\tv\tk\nm\ts\t-\n\t7\ta\n", "%2$d.5\t%3$d.5\t%1$s\n", 20, "a", "b"), "21 rows of 2 features");
  assert_read(ROWS("u\tv\tw\tk\nm\ts\t-\t-\n\t\tb\tc\n", "%2$d.5\t%3$d.5\t%1$s\tc\n", 20, "a", "b"), "21 rows of 3");
  assert_read(ROWS("u\tv\tk\nm\ts\t-\n\t\tb\n", "%2$d.5\t%3$d.5\t%1$s\n", 20, "a", "b"), "21 rows of 2 features");
}

/* Loggers of Campbell describe themselves in a line that is wider than the table. */
static void test_wide_title(void **state) {
  (void)state;
  assert_read(ROWS("\"TOA5\",\"CR1000\",\"CR\",\"1234\",\"Std.27\"\n\"TIME\",\"RECORD\",\"T\"\n\"TS\",\"RN\",\"C\"\n"
                   "\"\",\"\",\"Avg\"\n",
                   "\"2021-03-05 %1$s:00\",%2$d,%2$d.5\n", 20, "23:10", "23:20"),
              "header: TIME, RECORD, T");
  assert_said("1 line above the table skipped");
  assert_said("2 lines of units below the header skipped");
  assert_refusal(ROWS("a,b,c,d\n", "%2$d,%3$d,%1$s\n", 5, "1"), "4 cells in the header, but 3 in the rows");
}

/* Rows below a header are no titles: no advice to skip them. */
static void test_commas_in_first_rows(void **state) {
  (void)state;
  assert_refusal(ROWS("u,v,country\n1,2,France, United States\n", "%2$d,%3$d,%1$s\n", 40, "Chile", "Japan"),
                 "a.csv:2: 4 cells, but 3 in the header (a cell that holds commas must be in double quotes)");
}

/* Years of Statistics Sweden above values of which some are like years, too. */
static void test_years_beside_names(void **state) {
  (void)state;
  assert_read(ROWS("region,sex,2015,2016,2017\n", "%2$04d Town,%1$s,%3$d,1600,1700\n", 12, "men", "women"),
              "header: region, sex, 2015, 2016, 2017");
  assert_said("12 rows of 3 features"); /* without the region, which identifies rows */
  assert_read(ROWS("Anna,1900,1925,1950\n", "%1$s%2$d,1890,1913,1970\n", 12, "Bo"), "no header");
  assert_read(ROWS("Rome,1990,2000,2010\n", "%1$s,1890,1913,1970\n", 12, "Oslo", "Rome"), "no header");
  assert_read(ROWS("a,b,2015,2016,2017\n", "%2$04d Town,%1$s,1700,1800,1900\n", 12, "men", "women"), "no header");
}

/* Numbered columns and a named target, of names. */
static void test_numbers_beside_a_name(void **state) {
  (void)state;
  assert_read(ROWS("1,2,3,class\n", "%2$d.5,%3$d,0.25,%1$s\n", 12, "a", "b"), "header: 1, 2, 3, class");
  assert_class_names("a,b");
  assert_read(ROWS("1,2,3,b\n", "%2$d.5,%3$d,0.25,%1$s\n", 12, "a", "b"), "no header"); /* b occurs again */
  assert_read(ROWS("1,2,3,y\n", "%2$d.5,%3$d,0.25,%1$s\n", 12, "y", "n"), "no header");
  assert_read(ROWS("1,2,3,c\n", "%2$d,%3$d,7,%1$s\n", 12, "a", "b"), "no header"); /* may be a row of whole numbers */
}

/* Units behind blanks, and missing cells, between tabs. */
static void test_tabs_beside_units(void **state) {
  (void)state;
  assert_read(ROWS("", "%2$d\t%2$d.5 kg\t%1$s\t%3$d\n", 20, "0.5", "0.25", ""), "4 columns separated by tabs");
  assert_said("20 rows of 2 features");
}

/* ---- Amounts ---- */

static void test_options_for_all_cells(void **state) {
  (void)state;
  assert_refusal(ROWS("k,v\n1.5,$855.00\n", "%2$d.5,\"%1$s\"\n", 20, "$1,041.00"), "--strip '$' --thousands , reads");
  assert_refusal(ROWS("v;k\n855,20;1\n", "%s;%d\n", 20, "1.041,00"), "--decimal comma --thousands . reads it");
}

/* Units behind numbers with a decimal comma were texts that identify rows. Few of them are categories. */
static void test_units_behind_commas(void **state) {
  (void)state;
  assert_refusal(
      ROWS("v;k\n", "%2$d.760,1 %1$s;%2$d\n", 20, "TL"),
      "its texts are numbers with a unit, in another notation; --strip TL --decimal comma --thousands . reads");
  assert_refusal(ROWS("v;k\n", "%2$d,1%1$s;%2$d\n", 20, " kg"), "--strip kg --decimal comma reads them");
  assert_refusal(ROWS("k;v\n", "%2$d;%2$d,1 %1$s\n", 30, "z\u0142"), "--strip z\u0142 --decimal comma reads it");
  assert_refusal(ROWS("v;k\n", "%2$d,1 %1$s;%2$d\n", 20, "Mio", "Mrd"), "its texts are numbers in units that differ");
  assert_refusal(ROWS("v;k\n", "%2$d,1 %1$s;%2$d\n", 20, "kg", "%"), "its texts are numbers in units that differ");
  assert_refusal(ROWS("v;k\n", "%2$d,1 %1$s;%2$d\n", 20, "%", "kg"), "its texts are numbers in units that differ");
  assert_refusal(ROWS("v;k\n", "%2$d,1 %1$s;%2$d\n", 20, "$", "EUR"), "--strip '$,EUR' --decimal comma reads it");
  assert_read(ROWS("event;v;k\n", "%1$s;%2$d;%3$d\n", 20, "1,500 m", "10,000 m"), "columns of categories: event (2)");
  assert_read(ROWS("chem;v;k\n", "%1$s;%2$d;%3$d\n", 21, "2,4 D", "2,4 DB", "other"), "categories: chem (3)");
  assert_read(ROWS("v;k;event\n", "%2$d;%3$d;%1$s\n", 20, "1,500 m", "10,000 m"), "2 classes: 1,500 m, 10,000 m");
}

static void test_multiples_behind_a_currency(void **state) {
  (void)state;
  assert_read(ROWS("u,v,k\n", "%3$d,\u20AC%2$d.5%1$s,%2$d\n", 20, "M", "K"),
              "column v is left out: its texts are numbers in "
              "units that differ");
  assert_read(ROWS("u,v,k\n", "%3$d,$%2$d%1$s,%2$d\n", 20, "M", "K"), "numbers in units that differ");
}

/* Excel's account format. */
static void test_accounts_with_a_currency(void **state) {
  (void)state;
  assert_refusal(ROWS("v,k\n", "%1$s,%2$d\n", 20, " $ (63.77)", " $ 5.20 "),
                 "'$ (63.77)' is a negative number in the notation of accounts; write -63.77");
  assert_refusal(ROWS("v,k\n", "\"%1$s\",%2$d\n", 20, " $ 5.20 ", " $ 7.10 ", " $ 9 ", " $ -   "),
                 "--strip '$' reads it, but not '$ -': --missing '$ -' makes that a missing value");
  assert_refusal(ROWS("v,k\n", "%1$s,%2$d\n", 20, "\u20BA(63.77)", "5.20"), "write -63.77");
  assert_refusal(ROWS("v,k\n", "%1$s,%2$d\n", 20, "\u00A3 (63.77)", "5.20"), "write -63.77");
}

/* Groups of a school: other texts in front of the parentheses are no currencies. */
static void test_texts_before_parentheses(void **state) {
  (void)state;
  assert_read(ROWS("v,u,k\n", "%1$s,%2$d,%3$d.5\n", 20, "\u73ED (1)", "\u73ED (2)"), "columns of categories: v (2)");
  assert_read(ROWS("u,k\n", "%2$d.5,%1$s\n", 20, "\u0413\u0440\u0443 (1)", "\u0413\u0440\u0443 (2)"), "2 classes: ");
}

#define LONG "a_name_of_a_column_that_is_as_long_as_questions_of_a_survey_are_if_exported_from_a_form_"

/* Insurance data of CoIL 2000: most rows hold 0%, others ranges. */
static void test_ranges_beside_percents(void **state) {
  (void)state;
  assert_refusal(ROWS("u,v,w,k\n", "%1$s,%2$d,%1$s,%3$d\n", 20, "0%", "0%", "0%", "1 - 10%"),
                 "--strip % reads it, but not '1 - 10%': --missing '1 - 10%' makes that a missing value, or "
                 "--categorical 'u,w' makes categories");
  assert_refusal(ROWS("u,v,k\n", "%1$s,%2$d,%3$d\n", 20, "0%", "0%", "about one half of all that we have seen here"),
                 "--missing 'TEXT' makes that a missing value"); /* its end is not known from the message */
  assert_refusal(ROWS(LONG "1," LONG "2," LONG "3," LONG "4,k\n", "%1$s,%1$s,%1$s,%1$s,%2$d\n", 20, "0%", "0%", "n/r"),
                 LONG "3' makes categories (more columns are like these)");
}

/* A text of the target that --missing would not know as it is shown. */
static void test_words_in_cures(void **state) {
  (void)state;
  assert_refusal(ROWS("v,k\n", "%2$d,\"%1$s\"\n", 40, "0.5", "1.5", "2.5", "3, or 4"),
                 "leave out such rows with --missing 'TEXT' --drop-missing");
  assert_refusal(ROWS("v,k\n", "%2$d,%1$s\n", 40, "0.5", "1.5", "2.5", "the sensor was broken on this very day"),
                 "leave out such rows with --missing 'the sensor was broken on this very day' --drop-missing");
  assert_refusal(ROWS("v,k\n", "%2$d,%1$s\n", 40, "0.5", "1.5", "2.5", "the sensor was broken on that very long day"),
                 "leave out such rows with --missing 'TEXT' --drop-missing");
}

static void test_several_numbers(void **state) {
  (void)state;
  assert_read(ROWS("u,v,k\n", "%3$d,%2$d (%3$d%1$s),%2$d\n", 20, "%"), "left out: its texts are several numbers each");
  assert_read(ROWS("u,v,k\n", "%3$d,%2$dNm@ %1$s%2$drpm,%2$d\n", 20, "2"), "its texts are several numbers each");
  assert_read(ROWS("u,v,k\n", "%3$d,POINT (%2$d.5 %1$s),%2$d\n", 20, "52.4"), "its texts are several numbers each");
  assert_read(ROWS("u,v,k\n", "%3$d,2021-INV-%2$d%1$s,%2$d\n", 20, "7"), "as if they identified rows");
}

static void test_spans_beside_seconds(void **state) {
  (void)state;
  assert_refusal(ROWS("v,k\n", "%1$s,%2$d\n", 20, "1:05.81", "57.2", "58.1"),
                 "'1:05.81' is a span of time, but other cells of this column are plain numbers; write all alike, as "
                 "0:55.2 for 55.2 seconds");
  assert_read(ROWS("v,k\n", "%1$s,%2$d\n", 20, "1:05.81", "0:57.2", "0:58.1"), "v"); /* the cure */
  assert_names("/columns/name", "v.duration");
}

/* ---- Dates, codes ---- */

static void test_eastern_dates(void **state) {
  (void)state;
  mlpd_convert_result r;
  static const char *const tables[] = {"d,k\n2021\u5E743\u670815\u65E5,1\n2020\u5E7412\u670801\u65E5,2\n",
                                       "d,k\n2021\uB144 3\uC6D4 15\uC77C,1\n2020\uB144 12\uC6D4 1\uC77C,2\n"};
  for (int i = 0; i < 2; i++) {
    write_text("a.csv", tables[i]);
    (void)unlink(in_folder("out.h5"));
    ASSERT_CONVERTED(plain_options(), &r, "a.csv");
    assert_names("/columns/name", "d.year,d.day_of_year,d.weekday,d.seconds");
    assert_array("/train/x", 2, 4, ELEMENT_I32, VALUES(2021, 74, 1, 1615766400, 2020, 336, 2, 1606780800));
  }
  write_text("a.csv", "d,k\n2021\u5E7413\u670815\u65E5,1\n2020\u5E742\u670830\u65E5,2\n"); /* no such days */
  (void)unlink(in_folder("out.h5"));
  ASSERT_CONVERTED(plain_options(), &r, "a.csv");
  assert_names("/columns/name", "d");
}

static void test_dates_with_points(void **state) {
  (void)state;
  mlpd_convert_result r;
  static const char *const tables[] = {"d,k\n2021.03.15,1\n2020.12.01,2\n", "d,k\n2021.03.15.,1\n2020.12.01.,2\n",
                                       "d,k\n2021. 3. 15.,1\n2020. 12. 1.,2\n"};
  for (int i = 0; i < 3; i++) {
    write_text("a.csv", tables[i]);
    (void)unlink(in_folder("out.h5"));
    ASSERT_CONVERTED(plain_options(), &r, "a.csv");
    assert_array("/train/x", 2, 4, ELEMENT_I32, VALUES(2021, 74, 1, 1615766400, 2020, 336, 2, 1606780800));
  }
  assert_read(ROWS("v,k\n", "2021.%1$s,%2$d\n", 20, "1.3", "2.1"), "target"); /* versions */
  assert_names("/columns/name", "v");
}

static void test_no_dates(void **state) {
  (void)state;
  assert_read(ROWS("ssn,v,k\n", "8%2$02d-25-39%2$02d,%3$d,%1$s\n", 20, "0", "1"),
              "column ssn is left out: its texts are");
  assert_unsaid("look like dates");
  assert_read(ROWS("t,v,k\n", "%1$s.00.00,%2$d,%3$d.5\n", 20, "18", "19"),
              "its texts look like times, as '18.00.00'; written as 18:00:00 they are read");
  assert_read(ROWS("t,v,k\n", "%1$s.05.21,%2$d,%3$d.5\n", 20, "18", "19"), "look like dates");
}

/* Codes of goods and accounts. */
static void test_codes_with_points(void **state) {
  (void)state;
  assert_read(ROWS("t,v,k\n", "8471.%1$s.12,%2$d,%3$d.5\n", 20, "05", "06"), "columns of categories: t (2)");
}

/* Sums among the rows of a statistical office. */
static void test_totals_among_rows(void **state) {
  (void)state;
  assert_read(ROWS("sex,v,k\n", "%1$s,%2$d,%3$d.5\n", 21, "Total", "Male", "Female"),
              "rows with 'Total' in column sex may hold sums of other rows");
  assert_read(ROWS("dept,v,k\n", "%1$s,%2$d,%3$d.5\n", 20, "Sales", "Total Sales"), "rows with 'Total Sales'");
  assert_read(ROWS("dept,v,k\n", "%1$s,%2$d,%3$d.5\n", 20, "Sales", "total sales"), "rows with 'total sales'");
  assert_read(ROWS("damage,v,k\n", "%1$s,%2$d,%3$d.5\n", 20, "Total loss", "Partial"), "target");
  assert_unsaid("sums of other rows");
  assert_read(ROWS("u,v,k\n", "%1$s,%2$d,%3$d.5\n", 21, "..", "1.5", "2"), "missing values: u (7)"); /* World Bank */
}

/* -200 of UCI's air quality. A constant beyond 2^53 numbers no rows, though adding 1 does not change it. */
static void test_codes_among_numbers(void **state) {
  (void)state;
  assert_read(ROWS("v,k\n", "%1$s,%2$d\n", 20, "2.5", "-200", "0.5"), "far from all other values: -200 in 7 rows of v");
  assert_read(ROWS("v,k\n", "%1$s,%2$d\n", 20, "2.5", "-200", "-0.5"), "target");
  assert_unsaid("far from");
  assert_read(ROWS("v,k\n", "%1$s,%2$d\n", 20, "5", "-10", "0"), "target"); /* not that far */
  assert_unsaid("far from");
  assert_read(ROWS("id,v,k\n", "1636148068921376768,%1$s,%3$d.%2$d\n", 30, "1", "2"), "beyond 2^53");
  assert_unsaid("numbers the rows");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test_teardown(test_index_beside_texts, clear_folder),
                                     cmocka_unit_test_teardown(test_orange, clear_folder),
                                     cmocka_unit_test_teardown(test_wide_title, clear_folder),
                                     cmocka_unit_test_teardown(test_commas_in_first_rows, clear_folder),
                                     cmocka_unit_test_teardown(test_years_beside_names, clear_folder),
                                     cmocka_unit_test_teardown(test_numbers_beside_a_name, clear_folder),
                                     cmocka_unit_test_teardown(test_tabs_beside_units, clear_folder),
                                     cmocka_unit_test_teardown(test_options_for_all_cells, clear_folder),
                                     cmocka_unit_test_teardown(test_units_behind_commas, clear_folder),
                                     cmocka_unit_test_teardown(test_multiples_behind_a_currency, clear_folder),
                                     cmocka_unit_test_teardown(test_accounts_with_a_currency, clear_folder),
                                     cmocka_unit_test_teardown(test_texts_before_parentheses, clear_folder),
                                     cmocka_unit_test_teardown(test_ranges_beside_percents, clear_folder),
                                     cmocka_unit_test_teardown(test_words_in_cures, clear_folder),
                                     cmocka_unit_test_teardown(test_several_numbers, clear_folder),
                                     cmocka_unit_test_teardown(test_spans_beside_seconds, clear_folder),
                                     cmocka_unit_test_teardown(test_eastern_dates, clear_folder),
                                     cmocka_unit_test_teardown(test_dates_with_points, clear_folder),
                                     cmocka_unit_test_teardown(test_no_dates, clear_folder),
                                     cmocka_unit_test_teardown(test_codes_with_points, clear_folder),
                                     cmocka_unit_test_teardown(test_totals_among_rows, clear_folder),
                                     cmocka_unit_test_teardown(test_codes_among_numbers, clear_folder)};
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
