/* Dates and times of ISO 8601: 2021-03-15, 2021-03-15T10:20, 2021-03-15 10:20:30.5+02:00, 2021-03-15 01:20 PM UTC,
 * 20210315T1020, 2021-W11-1; 2021/3/15 and 2021.03.15 likewise; dates with the year at the end;
 * months and quarters; times of day. Nothing here is collective. */
#ifndef MLPDIST_SOURCE_DATE_H
#define MLPDIST_SOURCE_DATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DATE_FEATURES = 5 }; /* at most */

/* The features of a column of dates, of times, or of spans and angles (span.h). */
typedef enum date_kind {
  DATE_NONE,
  DATE_DAY,
  DATE_CLOCK,
  DATE_SPAN,
  DATE_ANGLE,
  DATE_DAY_FIRST,   /* 15.3.2021, 15/03/2021 */
  DATE_MONTH_FIRST, /* 3/15/2021 */
  DATE_PERIOD,      /* a month or a quarter, which has no weekday; and what models until 2026-11-30 make of any date */
  DATE_TIME,        /* of DATE_DAY, and some have a time of day other than midnight */
  DATE_TIME_DAY_FIRST,
  DATE_TIME_MONTH_FIRST,
  DATE_KINDS
} date_kind;

typedef struct date {
  int year, day_of_year; /* as written, from 1 */
  int weekday;           /* as written, Monday 1 to Sunday 7 */
  double hour;           /* as written, since midnight */
  double seconds;        /* since 1970-01-01 in UTC, or in the time that is meant where no zone is written */
} date;

/* Is the text [begin, end) such a date, and nothing else? */
bool date_parse(const char *begin, const char *end, date *parsed);

/* Is it a date with the year at the end, as 15.3.2021, 15/03/2021 14:30 or 15-03-2021 2:30 PM, whose first number is
 * the day (DATE_DAY_FIRST) or the month (DATE_MONTH_FIRST)? */
bool date_parse_ordered(const char *begin, const char *end, date_kind order, date *parsed);

/* DATE_DAY, DATE_DAY_FIRST or DATE_MONTH_FIRST, whichever a kind with or without times is; else the kind itself. */
date_kind date_order_kind(date_kind kind);

/* The kind of the same dates with times of day. */
date_kind date_with_time(date_kind kind);

/* Which orders a text allows. */
typedef enum date_order { ORDER_NONE, ORDER_EITHER, ORDER_DAY_FIRST, ORDER_MONTH_FIRST, DATE_ORDERS } date_order;
date_order date_order_of(const char *begin, const char *end);

/* The order of dates of which so many (DATE_ORDERS) allow each, where nothing contradicts it: a kind, or DATE_NONE. */
date_kind date_order_settle(const uint64_t counts[DATE_ORDERS]);

/* Is it a month or a quarter: 2021-03, 2021-Q1, 2021Q1, Q1 2021? Its first day is what is parsed. */
bool date_parse_period(const char *begin, const char *end, date *parsed);

/* Is it a time of day or a span of hours: 9:05, 12:34:56.7, 1:05 PM? seconds: since midnight. Returns how many numbers
 * the colons separate, or 0. */
int date_parse_clock(const char *begin, const char *end, double *seconds);

/* Is a number a date of the years 1800 to 2199, as 20210315? */
bool date_is_compact(int64_t digits);

/* The same for months: 202103. */
bool date_is_compact_month(int64_t digits);

/* Does the text look like a date in another notation: 15/03/21, 15.3.2021, 15-Mar-2021? */
bool date_is_foreign(const char *begin, const char *end);

/* The number of features that a column of this kind becomes, and the end of the name of feature i: ".year",
 * ".day_of_year", ".weekday", ".hour" and ".seconds" for dates (no weekday for periods, no hour without times), after
 * ".dmy" or ".mdy" where the year is at the end, so that a model knows the order; ".time" for times, ".duration" for
 * spans, ".degrees" for angles, "" else. */
uint32_t date_features(date_kind kind);
const char *date_suffix(date_kind kind, uint32_t i);

/* Are names[j], names[j + 1], ... (count in all) what dates of this kind become? Returns the length of the column's
 * name in them, or 0. */
size_t date_stem(const char *const *names, uint32_t count, uint32_t j, date_kind kind);

/* The features of a date, in that order: values (DATE_FEATURES, of which date_features(kind) are set). */
void date_values(date_kind kind, const date *parsed, double *values);

#endif
