/* Dates with the year at the end: the rows of a column show whether the day or the month comes first. */
#include <math.h>
#include <stdio.h>

#include "convert_helper.h"

enum { NOON = 43200 };

/* A table of one column of dates, cells in quotes, and a target. */
static void write_dates(const char *const *cells) {
  char text[4096];
  size_t used = (size_t)snprintf(text, sizeof text, "when,k\n");
  for (int i = 0; cells[i] != NULL; i++)
    used += (size_t)snprintf(text + used, sizeof text - used, "\"%s\",%d.5\n", cells[i], i);
  write_text("a.csv", text);
  (void)unlink(in_folder("out.h5"));
}

#define DATES(...) write_dates((const char *const[]){__VA_ARGS__, NULL})

/* The dates are read in this order ("dmy", "mdy"): the third one is 2021-03-02, some seconds after midnight (in UTC,
 * where a zone is written: the hour is as written); timed: some have a time of day. */
static void assert_timed(const char *dates, const char *order, double seconds, double hour, bool timed) {
  mlpd_convert_options o = telling_options();
  mlpd_convert_result r;
  char names[100];
  double x[64];
  o.dates = dates;
  ASSERT_CONVERTED(o, &r, "a.csv");
  const uint32_t features = timed ? 5 : 4;
  (void)snprintf(names, sizeof names, "when.%s.year,when.%s.day_of_year,when.%s.weekday,%s%s%swhen.%s.seconds", order,
                 order, order, timed ? "when." : "", timed ? order : "", timed ? ".hour," : "", order);
  assert_names("/columns/name", names);
  assert_said(order[0] == 'd' ? "dates, read with the day first (DD.MM.YYYY), become "
                              : "dates, read with the month first (MM/DD/YYYY), become ");
  assert_said(timed ? "become five features each: year, day of the year, weekday, hour, seconds since 1970: when"
                    : "become four features each: year, day of the year, weekday, seconds since 1970: when");
  h5_file *file;
  assert_int_equal(h5_open(in_folder("out.h5"), &file), MLPD_OK);
  assert_int_equal(h5_read(file, "/train/x", r.train_rows, features, ELEMENT_F64, x), MLPD_OK);
  assert_int_equal(h5_close(file), MLPD_OK);
  const double *const third = x + 2 * (size_t)features;
  assert_true(third[0] == 2021);
  assert_true(third[1] == 61);
  assert_true(third[2] == 2); /* a Tuesday */
  if (timed) assert_true(third[3] == hour);
  assert_true(fabs(third[features - 1] - 1614643200 - seconds) <= 64); /* beside 9:05, the type is float32 */
}

static void assert_order(const char *dates, const char *order, double seconds) {
  assert_timed(dates, order, seconds, seconds / 3600, seconds > 0);
}

static void test_order_is_found(void **state) {
  (void)state;
  DATES("1.1.2021", "13.1.2021", "2.3.2021", "");
  assert_order(NULL, "dmy", 0);
  DATES("01/01/2021", "01/13/2021", "03/02/2021");
  assert_order("auto", "mdy", 0);
  DATES("01-01-2021 00:00", "29-02-2020 23:59", "02-03-2021 12:00");
  assert_order(NULL, "dmy", NOON);
  DATES("1/1/2021 1:05 AM", "1/31/2021 11:59 PM", "3/2/2021 12:00 PM");
  assert_order(NULL, "mdy", NOON);
  DATES("1/1/2021, 1:05:09 AM", "1/31/2021, 12:00:00 AM", "3/2/2021, 12:00:00 PM"); /* toLocaleString of JavaScript */
  assert_order(NULL, "mdy", NOON);
  DATES("31.12.2020 9:05", "01.01.2021 09:05:30.5", "02.03.2021 14:00:00+02:00");
  assert_timed(NULL, "dmy", NOON, 14, true);
  DATES("31.12.2020 00:00:00", "01.01.2021 00:00:00", "02.03.2021 00:00:00"); /* as days are written by others */
  assert_order(NULL, "dmy", 0);
}

static void test_year_first(void **state) {
  (void)state;
  mlpd_convert_options o = telling_options();
  mlpd_convert_result r;
  DATES("2021/1/5", "2021/12/31 9:05", "2021/3/2 0:00"); /* as spreadsheets of Japan write them */
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_names("/columns/name", "when.year,when.day_of_year,when.weekday,when.hour,when.seconds");
  assert_array("/train/x", 3, 5, ELEMENT_F32,
               VALUES(2021, 5, 2, 0, 1609804800, 2021, 365, 5, 9 + 5.0F / 60, 1640941440, 2021, 61, 2, 0, 1614643200));
}

/* Where no row shows the order, it is no date, but for --dates. */
static void test_order_is_asked_for(void **state) {
  (void)state;
  mlpd_convert_options o = telling_options();
  mlpd_convert_result r;
  DATES("01/02/2021", "05/01/2021", "02/03/2021", "05/01/2021");
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_names("/columns/name", "when");
  assert_said(
      "a.csv: column when becomes categories, but its texts look like dates, but no row shows whether the day or "
      "the month comes first, as '01/02/2021'; --dates dmy or --dates mdy says it; --categorical 'when' keeps it");
  assert_order("dmy", "dmy", 0);
  DATES("01/02/2021", "05/01/2021", "03/02/2021");
  assert_order("mdy", "mdy", 0);
  DATES("01/02/2021", "13/01/2021", "02/03/2021"); /* a row that shows it is stronger than the option */
  assert_order("mdy", "dmy", 0);
  o.dates = "ymd";
  ASSERT_CONVERTED(plain_options(), &r, "a.csv");
  (void)unlink(in_folder("out.h5"));
  ASSERT_REFUSED(o, MLPD_ERROR_USAGE, "dates must be auto, dmy or mdy, not 'ymd'", "a.csv");
}

static void test_orders_that_contradict(void **state) {
  (void)state;
  mlpd_convert_options o = telling_options();
  mlpd_convert_result r;
  DATES("13/01/2021", "05/01/2021", "01/14/2021", "13/01/2021");
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_said("its texts look like dates, some with the day first and some with the month first, as '13/01/2021'");
  DATES("13/01/21", "05/01/21", "13/01/21"); /* of which year? */
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_said("its texts look like dates, as '13/01/21'; written as 2021-03-15 (ISO 8601) they are read");
  DATES("3/Jan/2021", "4/Feb/2021", "5/Mar/2021");
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_said("its texts look like dates, as '3/Jan/2021'");
}

static void test_cells_that_are_no_dates(void **state) {
  (void)state;
  static const char *const none[] = {"29.2.2021",      "soon",     "2021-03-02", "1.13.2021.",
                                     "1.1.2021 25:00", "1/1.2021", "1.1.21"};
  for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
    DATES("13.1.2021", "1.2.2021", none[i], "5.5.2021");
    ASSERT_REFUSED(plain_options(), MLPD_ERROR_DATA, "a.csv:4: column 1 (when): ", "a.csv");
    assert_non_null(strstr(mlpd_error_message(), "is not a date with the day first, such as 15.3.2021"));
  }
}

/* 3000 rows of days up to 12, but for one text in some row. */
static void write_many(const char *text, int place) {
  FILE *file = fopen(in_folder("a.csv"), "w");
  assert_non_null(file);
  (void)fputs("when,a,k\n", file);
  for (int i = 0; i < 3000; i++) {
    if (i == place)
      (void)fprintf(file, "%s,1,2.5\n", text);
    else
      (void)fprintf(file, "%d/%d/2021,%d,%d.5\n", i % 12 + 1, i / 12 % 12 + 1, i % 7, i);
  }
  (void)fclose(file);
  (void)unlink(in_folder("out.h5"));
}

/* All rows count, not the first ones. */
static void test_late_rows(void **state) {
  (void)state;
  mlpd_convert_options o = telling_options();
  mlpd_convert_result r;
  write_many("5/28/2021", 2990);
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_names("/columns/name", "when.mdy.year,when.mdy.day_of_year,when.mdy.weekday,when.mdy.seconds,a");
  write_many("28/5/2021", 2990);
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_names("/columns/name", "when.dmy.year,when.dmy.day_of_year,when.dmy.weekday,when.dmy.seconds,a");
  write_many("5/28/2021 9:30", 2990); /* the only time of day, too */
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_names("/columns/name", "when.mdy.year,when.mdy.day_of_year,when.mdy.weekday,when.mdy.hour,when.mdy.seconds,a");
  write_many("28/5/2021 9:30", 2990);
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_names("/columns/name", "when.dmy.year,when.dmy.day_of_year,when.dmy.weekday,when.dmy.hour,when.dmy.seconds,a");
  write_many("5/5/2021", 2990);
  said[0] = '\0';
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_names("/columns/name", "when,a");
  assert_said("no row shows whether the day or the month comes first");
  write_many("28/5/2021", 5);
  FILE *file = fopen(in_folder("a.csv"), "a");
  assert_non_null(file);
  (void)fputs("5/28/2021,1,2.5\n", file);
  (void)fclose(file);
  said[0] = '\0';
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_names("/columns/name", "when,a");
  assert_said("some with the day first and some with the month first");
}

/* The first table settles the order for all. */
static void test_further_tables(void **state) {
  (void)state;
  mlpd_convert_result r;
  write_text("train.csv", "when,k\n13/01/2021,1.5\n02/03/2021,2\n05/01/2021,3.5\n");
  write_text("test.csv", "when,k\n02/03/2021,2\n05/01/2021,3\n");
  ASSERT_CONVERTED(plain_options(), &r, "train.csv", "test.csv");
  assert_array("/test/x", 2, 4, ELEMENT_I32, VALUES(2021, 61, 2, 1614643200, 2021, 5, 2, 1609804800));
  write_text("test.csv", "when,k\n02/03/2021,2\n05/14/2021,3\n");
  (void)unlink(in_folder("out.h5"));
  ASSERT_REFUSED(plain_options(), MLPD_ERROR_DATA, "'05/14/2021' is not a date with the day first", "train.csv",
                 "test.csv");
  assert_non_null(strstr(mlpd_error_message(), "unlike the cells of this column in training"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(test_order_is_found, clear_folder),
      cmocka_unit_test_teardown(test_year_first, clear_folder),
      cmocka_unit_test_teardown(test_order_is_asked_for, clear_folder),
      cmocka_unit_test_teardown(test_orders_that_contradict, clear_folder),
      cmocka_unit_test_teardown(test_cells_that_are_no_dates, clear_folder),
      cmocka_unit_test_teardown(test_late_rows, clear_folder),
      cmocka_unit_test_teardown(test_further_tables, clear_folder),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
