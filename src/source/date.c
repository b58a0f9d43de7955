#include "source/date.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What a kind of dates becomes. */
static const struct {
  const char *suffixes[DATE_FEATURES]; /* up to the first NULL */
  date_kind order, with_time;
} KINDS[DATE_KINDS] = {
    [DATE_NONE] = {{""}, DATE_NONE, DATE_NONE},
    [DATE_DAY] = {{".year", ".day_of_year", ".weekday", ".seconds"}, DATE_DAY, DATE_TIME},
    [DATE_CLOCK] = {{".time"}, DATE_CLOCK, DATE_CLOCK},
    [DATE_SPAN] = {{".duration"}, DATE_SPAN, DATE_SPAN},
    [DATE_ANGLE] = {{".degrees"}, DATE_ANGLE, DATE_ANGLE},
    [DATE_DAY_FIRST] = {{".dmy.year", ".dmy.day_of_year", ".dmy.weekday", ".dmy.seconds"},
                        DATE_DAY_FIRST,
                        DATE_TIME_DAY_FIRST},
    [DATE_MONTH_FIRST] = {{".mdy.year", ".mdy.day_of_year", ".mdy.weekday", ".mdy.seconds"},
                          DATE_MONTH_FIRST,
                          DATE_TIME_MONTH_FIRST},
    [DATE_PERIOD] = {{".year", ".day_of_year", ".seconds"}, DATE_DAY, DATE_PERIOD},
    [DATE_TIME] = {{".year", ".day_of_year", ".weekday", ".hour", ".seconds"}, DATE_DAY, DATE_TIME},
    [DATE_TIME_DAY_FIRST] = {{".dmy.year", ".dmy.day_of_year", ".dmy.weekday", ".dmy.hour", ".dmy.seconds"},
                             DATE_DAY_FIRST,
                             DATE_TIME_DAY_FIRST},
    [DATE_TIME_MONTH_FIRST] = {{".mdy.year", ".mdy.day_of_year", ".mdy.weekday", ".mdy.hour", ".mdy.seconds"},
                               DATE_MONTH_FIRST,
                               DATE_TIME_MONTH_FIRST}};

uint32_t date_features(date_kind kind) {
  uint32_t count = 0;
  while (count < DATE_FEATURES && KINDS[kind].suffixes[count] != NULL) count++;
  return count;
}

const char *date_suffix(date_kind kind, uint32_t i) { return KINDS[kind].suffixes[i]; }

date_kind date_order_kind(date_kind kind) { return KINDS[kind].order; }

date_kind date_with_time(date_kind kind) { return KINDS[kind].with_time; }

size_t date_stem(const char *const *names, uint32_t count, uint32_t j, date_kind kind) {
  const uint32_t features = date_features(kind);
  if (j >= count || features > count - j) return 0;
  const size_t whole = strlen(names[j]), suffix = strlen(date_suffix(kind, 0));
  if (whole <= suffix) return 0;
  for (uint32_t i = 0; i < features; i++)
    if (strncmp(names[j + i], names[j], whole - suffix) != 0 ||
        strcmp(names[j + i] + whole - suffix, date_suffix(kind, i)) != 0)
      return 0;
  return whole - suffix;
}

void date_values(date_kind kind, const date *parsed, double *values) {
  const uint32_t count = date_features(kind);
  uint32_t i = 0;
  values[i++] = parsed->year;
  values[i++] = parsed->day_of_year;
  if (count > 3) values[i++] = parsed->weekday;
  if (count > 4) values[i++] = parsed->hour;
  values[i] = parsed->seconds;
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* Takes so many digits at *p, with a value in [least, most]. */
static bool take_digits(const char **p, const char *end, int digits, int least, int most, int *value) {
  if (end - *p < digits) return false;
  *value = 0;
  for (int i = 0; i < digits; i++, (*p)++) {
    if (!is_digit(**p)) return false;
    *value = *value * 10 + (**p - '0');
  }
  return *value >= least && *value <= most;
}

/* Takes one or two digits. */
static bool take_short(const char **p, const char *end, int least, int most, int *value) {
  const bool two = end - *p > 1 && is_digit((*p)[0]) && is_digit((*p)[1]);
  return take_digits(p, end, two ? 2 : 1, least, most, value);
}

static bool take_sign(const char **p, const char *end, char sign) {
  if (*p == end || **p != sign) return false;
  (*p)++;
  return true;
}

static bool is_leap(int year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }

static int day_of_year(int year, int month, int day) {
  static const int before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
  return before[month - 1] + day + (month > 2 && is_leap(year) ? 1 : 0);
}

static int days_of_month(int year, int month) {
  static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return days[month - 1] + (month == 2 && is_leap(year) ? 1 : 0);
}

/* Days from 1970-01-01 to the first day of a year, in the Gregorian calendar. */
static int64_t days_to_year(int year) {
  const int64_t y = (int64_t)year - 1;
  const int64_t leaps = y >= 0 ? y / 4 - y / 100 + y / 400 : 0;
  return 365 * ((int64_t)year - 1970) + leaps - 477; /* leap days up to the end of 1969 */
}

/* "Z", "UTC", "GMT", "+02:00", "-0330" or nothing; a blank may stand before it. */
static bool take_zone(const char **p, const char *end, double *seconds) {
  int hours = 0, minutes = 0;
  if (*p != end) (void)take_sign(p, end, ' ');
  if (*p == end || take_sign(p, end, 'Z')) return *p == end;
  if (end - *p == 3 && (strncmp(*p, "UTC", 3) == 0 || strncmp(*p, "GMT", 3) == 0)) return true;
  const bool ahead = **p == '+';
  if (!take_sign(p, end, '+') && !take_sign(p, end, '-')) return false;
  if (!take_digits(p, end, 2, 0, 23, &hours)) return false;
  (void)take_sign(p, end, ':');
  if (*p != end && !take_digits(p, end, 2, 0, 59, &minutes)) return false;
  *seconds += (ahead ? -1 : 1) * (hours * 3600.0 + minutes * 60.0);
  return *p == end;
}

/* ".5" or nothing. */
static void take_fraction(const char **p, const char *end, double *seconds) {
  if (*p == end || (**p != '.' && **p != ',')) return;
  double unit = 0.1;
  for ((*p)++; *p != end && is_digit(**p); (*p)++, unit /= 10) *seconds += unit * (**p - '0');
}

/* " AM", "pm", " a" or nothing: the hours of 12 become those of 24. */
static bool take_half(const char **p, const char *end, int hours, double *seconds) {
  const char *at = *p;
  while (at < end && *at == ' ') at++;
  const bool alone = end - at == 1; /* 1:20 p of weather stations */
  const bool sign = alone || (end - at >= 2 && (at[1] == 'm' || at[1] == 'M'));
  const bool morning = sign && (*at == 'a' || *at == 'A'), afternoon = sign && (*at == 'p' || *at == 'P');
  if (!morning && !afternoon) return true;
  if (hours < 1 || hours > 12) return false;
  *seconds += 3600.0 * ((afternoon ? 12 : 0) - (hours == 12 ? 12 : 0));
  *p = at + (alone ? 1 : 2);
  return true;
}

/* The time of day of a date: "T10:20:30.5" or " 1:20:30 PM", and a zone; compact: "T102030.5". */
static bool take_time(const char **p, const char *end, bool compact, date *d) {
  int hours = 0, minutes = 0, whole = 0;
  double clock = 0, behind = 0; /* seconds since midnight as written, and to UTC */
  const bool apart = !take_sign(p, end, 'T');
  if (apart && (compact || !take_sign(p, end, ' '))) return false;
  if (apart ? !take_short(p, end, 0, 24, &hours) : !take_digits(p, end, 2, 0, 24, &hours)) return false;
  if (!compact && !take_sign(p, end, ':')) return false;
  if (!take_digits(p, end, 2, 0, 59, &minutes)) return false;
  clock = hours * 3600.0 + minutes * 60.0;
  if (compact ? *p != end && is_digit(**p) : take_sign(p, end, ':')) {
    if (!take_digits(p, end, 2, 0, 60, &whole)) return false;
    clock += whole;
    take_fraction(p, end, &clock);
  }
  if ((!compact && !take_half(p, end, hours, &clock)) || !take_zone(p, end, &behind)) return false;
  d->hour = clock / 3600;
  d->seconds += clock + behind;
  return true;
}

static void set_day(date *d, int month, int day) {
  d->day_of_year = day_of_year(d->year, month, day);
  const int64_t days = days_to_year(d->year) + d->day_of_year - 1;
  d->weekday = (int)((days % 7 + 7 + 3) % 7) + 1; /* 1970-01-01 was a Thursday */
  d->hour = 0;
  d->seconds = 86400.0 * (double)days;
}

static bool take_two(const char **p, const char *end, int least, int most, int *value) {
  return take_digits(p, end, 2, least, most, value);
}

static bool take_text(const char **p, const char *end, const char *text) {
  const size_t length = strlen(text);
  if ((size_t)(end - *p) < length || memcmp(*p, text, length) != 0) return false;
  *p += length;
  return true;
}

static bool may_be_year(int year) { return year >= 1800 && year < 2200; } /* 1500W10 and 8471.05.12 are codes */

/* 2021.03.15, 2021.03.15. of Hungary or 2021. 3. 15. of Korea, from the first point on. 2021.3.1 is a version. */
static bool parse_pointed(const char *p, const char *end, date *parsed) {
  int month = 0, day = 0;
  if (!may_be_year(parsed->year) || !take_sign(&p, end, '.')) return false;
  const bool blanks = take_sign(&p, end, ' ');
  bool (*const take)(const char **, const char *, int, int, int *) = blanks ? take_short : take_two;
  if (!take(&p, end, 1, 12, &month) || !take_sign(&p, end, '.') || take_sign(&p, end, ' ') != blanks) return false;
  if (!take(&p, end, 1, 31, &day) || day > days_of_month(parsed->year, month)) return false;
  (void)take_sign(&p, end, '.');
  set_day(parsed, month, day);
  return p == end || take_time(&p, end, false, parsed);
}

/* 2021年3月15日, the words for year, month and day behind the numbers; in Korean also blanks. */
static bool parse_eastern(const char *p, const char *end, date *parsed) {
  static const char *const words[2][3] = {{"\u5E74", "\u6708", "\u65E5"}, {"\uB144", "\uC6D4", "\uC77C"}};
  int month = 0, day = 0;
  const bool korean = take_text(&p, end, words[1][0]);
  if (!korean && !take_text(&p, end, words[0][0])) return false;
  (void)take_sign(&p, end, ' ');
  if (!take_short(&p, end, 1, 12, &month) || !take_text(&p, end, words[korean][1])) return false;
  (void)take_sign(&p, end, ' ');
  if (!take_short(&p, end, 1, 31, &day) || !take_text(&p, end, words[korean][2])) return false;
  if (day > days_of_month(parsed->year, month)) return false;
  set_day(parsed, month, day);
  return p == end || take_time(&p, end, false, parsed);
}

/* A day, from Monday 1, of a week of ISO 8601, of which the first has the 4th of January. */
static void set_week(date *d, int week, int weekday) {
  set_day(d, 1, 4);
  int day = 4 - d->weekday + weekday + 7 * (week - 1);
  const int length = is_leap(d->year) ? 366 : 365;
  if (day < 1) {
    d->year--;
    day += is_leap(d->year) ? 366 : 365;
  } else if (day > length) {
    d->year++;
    day -= length;
  }
  d->day_of_year = day;
  d->weekday = weekday;
  d->seconds = 86400.0 * (double)(days_to_year(d->year) + day - 1);
}

/* A day of a week, as 2000-W08-2 or 2000W082, behind its year at p. */
static bool take_week_day(const char *p, const char *end, date *d) {
  const bool apart = take_sign(&p, end, '-');
  int week = 0, day = 0;
  if (!take_sign(&p, end, 'W') || (!apart && !may_be_year(d->year))) return false;
  if (!take_digits(&p, end, 2, 1, 53, &week) || (apart && !take_sign(&p, end, '-'))) return false;
  if (!take_digits(&p, end, 1, 1, 7, &day)) return false;
  set_week(d, week, day);
  return p == end || take_time(&p, end, !apart, d);
}

bool date_parse(const char *begin, const char *end, date *parsed) {
  const char *p = begin;
  int month = 0, day = 0;
  if (!take_digits(&p, end, 4, 1, 9999, &parsed->year)) return false;
  if (p != end && *p == '.') return parse_pointed(p, end, parsed);
  if (p != end && (unsigned char)*p >= 0x80) return parse_eastern(p, end, parsed);
  if (take_week_day(p, end, parsed)) return true;
  const char sign = p != end && *p == '/' ? '/' : '-';
  const bool compact = !take_sign(&p, end, sign); /* a time must follow, else it is a number */
  bool (*const take)(const char **, const char *, int, int, int *) = sign == '/' ? take_short : take_two;
  if (!take(&p, end, 1, 12, &month) || (!compact && !take_sign(&p, end, sign))) return false;
  if (!take(&p, end, 1, 31, &day) || day > days_of_month(parsed->year, month)) return false;
  set_day(parsed, month, day);
  return (p == end && !compact) || take_time(&p, end, compact, parsed);
}

bool date_parse_ordered(const char *begin, const char *end, date_kind order, date *parsed) {
  const char *p = begin;
  int first = 0, second = 0;
  if (!take_short(&p, end, 1, 31, &first) || p == end || strchr("./-", *p) == NULL) return false;
  const char sign = *p++;
  if (!take_short(&p, end, 1, 31, &second) || !take_sign(&p, end, sign)) return false;
  if (!take_digits(&p, end, 4, 1, 9999, &parsed->year)) return false;
  const int month = order == DATE_MONTH_FIRST ? first : second, day = order == DATE_MONTH_FIRST ? second : first;
  if (month > 12 || day > days_of_month(parsed->year, month)) return false;
  set_day(parsed, month, day);
  (void)(end - p > 2 && p[1] == ' ' && take_sign(&p, end, ',')); /* 3/15/2021, 2:30 PM */
  return p == end || take_time(&p, end, false, parsed);
}

date_order date_order_of(const char *begin, const char *end) {
  date parsed;
  const bool day = date_parse_ordered(begin, end, DATE_DAY_FIRST, &parsed);
  const bool month = date_parse_ordered(begin, end, DATE_MONTH_FIRST, &parsed);
  return day && month ? ORDER_EITHER : day ? ORDER_DAY_FIRST : month ? ORDER_MONTH_FIRST : ORDER_NONE;
}

date_kind date_order_settle(const uint64_t counts[DATE_ORDERS]) {
  const bool day = counts[ORDER_DAY_FIRST] > 0, month = counts[ORDER_MONTH_FIRST] > 0;
  return day == month ? DATE_NONE : day ? DATE_DAY_FIRST : DATE_MONTH_FIRST;
}

bool date_parse_period(const char *begin, const char *end, date *parsed) {
  const char *p = begin;
  int month = 0, quarter = 0;
  if (take_sign(&p, end, 'Q')) { /* Q1 2021, Q1-2021 */
    if (!take_digits(&p, end, 1, 1, 4, &quarter) || (!take_sign(&p, end, ' ') && !take_sign(&p, end, '-')))
      return false;
    if (!take_digits(&p, end, 4, 1, 9999, &parsed->year)) return false;
  } else {
    if (!take_digits(&p, end, 4, 1, 9999, &parsed->year)) return false;
    const bool apart = take_sign(&p, end, '-') || take_sign(&p, end, ' ');
    int week = 0;
    if (take_sign(&p, end, 'W')) {
      if ((!apart && !may_be_year(parsed->year)) || !take_digits(&p, end, 2, 1, 53, &week) || p != end) return false;
      return set_week(parsed, week, 1), true;
    }
    if (take_sign(&p, end, 'Q') ? !take_digits(&p, end, 1, 1, 4, &quarter)
                                : !apart || p[-1] != '-' || !take_digits(&p, end, 2, 1, 12, &month))
      return false;
  }
  set_day(parsed, quarter > 0 ? 3 * quarter - 2 : month, 1);
  return p == end;
}

bool date_is_compact_month(int64_t digits) {
  return digits >= 180001 && digits <= 219912 && digits % 100 >= 1 && digits % 100 <= 12;
}

bool date_is_compact(int64_t digits) {
  if (digits < 18000101 || digits > 21991231) return false;
  const int year = (int)(digits / 10000), month = (int)(digits / 100 % 100), day = (int)(digits % 100);
  return month >= 1 && month <= 12 && day >= 1 && day <= days_of_month(year, month);
}

/* true for "03-Jan-2023" or "January 3, 2023": the name of a month and one or two numbers. A time may follow. */
static bool has_month(const char *begin, const char *end) {
  static const char *const months[] = {"january", "february", "march",     "april",   "may",      "june",
                                       "july",    "august",   "september", "october", "november", "december"};
  int numbers = 0, names = 0;
  for (const char *p = begin; p < end && numbers + names < 3;) {
    const char *const first = p;
    while (p < end && is_digit(*p)) p++;
    numbers += p > first;
    if (p > first + 4) return false;
    if (p > first) continue;
    while (p < end && isalpha((unsigned char)*p)) p++;
    bool month = false;
    for (size_t m = 0; m < sizeof months / sizeof months[0]; m++)
      month = month || (p - first >= 3 && strncasecmp(first, months[m], (size_t)(p - first)) == 0);
    if (p > first && !month) return false;
    names += p > first;
    if (p == first && strchr(" ,.-/", *p++) == NULL) return false;
  }
  return names == 1 && numbers >= 1;
}

bool date_is_foreign(const char *begin, const char *end) {
  if (has_month(begin, end)) return true;
  int groups = 0, longest = 0;
  for (const char *p = begin; p < end;) {
    int digits = 0;
    for (; p < end && is_digit(*p); p++) digits++;
    if (digits == 0 || digits > 4 || digits == 3) return false; /* 804-25-3989 is another number */
    longest = digits > longest ? digits : longest;
    groups++;
    if (p == end) break;
    if (*p == ' ' && groups == 3) break; /* a time follows */
    if (*p != '/' && *p != '.' && *p != '-') return false;
    p++;
  }
  return groups == 3 && (longest == 4 || longest == 2);
}

int date_parse_clock(const char *begin, const char *end, double *seconds) {
  const char *p = begin;
  int hours = 0, minutes = 0, whole = 0, numbers = 2;
  for (; p < end && p < begin + 4 && is_digit(*p); p++) hours = hours * 10 + (*p - '0');
  if (p == begin || !take_sign(&p, end, ':') || !take_digits(&p, end, 2, 0, 59, &minutes)) return 0;
  *seconds = hours * 3600.0 + minutes * 60.0;
  if (take_sign(&p, end, ':')) {
    if (!take_digits(&p, end, 2, 0, 60, &whole)) return 0;
    *seconds += whole;
    take_fraction(&p, end, seconds);
    numbers = 3;
  }
  return take_half(&p, end, hours, seconds) && p == end ? numbers : 0;
}
