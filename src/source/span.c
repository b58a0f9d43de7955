#include "source/span.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "base/number.h"

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static void skip_blanks(const char **p, const char *end) {
  while (*p < end && **p == ' ') (*p)++;
}

/* Digits, and a point among them if the number need not be whole. */
static bool take_number(const char **p, const char *end, bool whole, double *value) {
  const char *at = *p;
  number parsed;
  while (at < end && (is_digit(*at) || (!whole && *at == '.'))) at++;
  if (at == *p || !is_digit(**p) || number_parse(*p, at, &parsed) != at) return false;
  *value = parsed.value;
  *p = at;
  return true;
}

static bool take_text(const char **p, const char *end, const char *text) {
  const size_t length = strlen(text);
  if ((size_t)(end - *p) < length || strncasecmp(*p, text, length) != 0) return false;
  *p += length;
  return true;
}

/* ---- Spans of time ---------------------------------------------------------------------------------- */

typedef struct time_unit {
  double seconds;
  const char *names[8]; /* the longer ones first */
} time_unit;

static const time_unit UNITS[] = {
    {604800, {"weeks", "week", "wk", "w"}},         {86400, {"days", "day", "d"}},
    {3600, {"hours", "hour", "hrs", "hr", "h"}},    {60, {"minutes", "minute", "mins", "min", "m"}},
    {1, {"seconds", "second", "secs", "sec", "s"}},
};
enum { NUM_UNITS = sizeof UNITS / sizeof *UNITS };

/* The name of a unit, a word of its own, of index `from` or above; returns its index, or NUM_UNITS. */
static int take_unit(const char **p, const char *end, int from) {
  for (int u = from; u < NUM_UNITS; u++)
    for (int i = 0; UNITS[u].names[i] != NULL; i++) {
      const char *at = *p;
      if (!take_text(&at, end, UNITS[u].names[i])) continue;
      if (at < end && ((*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z')) && *at != 'T') continue;
      *p = at;
      return u;
    }
  return NUM_UNITS;
}

/* m:ss, m:ss.f, h:mm:ss, h:mm:ss.f. parts: a fraction follows two numbers. */
static bool take_colons(const char **p, const char *end, double *seconds, bool *parts) {
  double numbers[3];
  int count = 0;
  for (bool more = true; more; more = count < 3 && take_text(p, end, ":")) {
    const char *const start = *p;
    if (!take_number(p, end, count == 0, &numbers[count])) return false;
    const size_t digits = strspn(start, "0123456789");
    if (count > 0 && (digits != 2 || numbers[count] >= 60)) return false;
    const bool fraction = start + digits < *p;
    count++;
    if (fraction) {
      *parts = *parts || count == 2;
      break;
    }
  }
  if (count < 2) return false;
  *seconds += count == 2 ? 60 * numbers[0] + numbers[1] : 3600 * numbers[0] + 60 * numbers[1] + numbers[2];
  return true;
}

/* A number and its unit, the next of UNITS from *unit on; in ISO 8601 without blanks. */
static bool take_part(const char **p, const char *end, bool iso, int *unit, double *seconds) {
  double value = 0;
  if (!take_number(p, end, false, &value)) return false;
  if (!iso) skip_blanks(p, end);
  const int found = take_unit(p, end, *unit);
  if (found == NUM_UNITS) return false;
  *seconds += value * UNITS[found].seconds;
  *unit = found + 1;
  if (iso) return true;
  (void)take_text(p, end, ",");
  skip_blanks(p, end);
  return true;
}

bool span_parse(const char *begin, const char *end, double *seconds, bool *parts) {
  const char *p = begin;
  int unit = 0, count = 0;
  *seconds = 0;
  *parts = false;
  const bool negative = take_text(&p, end, "-"), iso = take_text(&p, end, "P");
  bool clock = !iso; /* hours, minutes and seconds may follow: P1M is a month */
  for (; p < end; count++) {
    const char *at = p;
    if (!clock && take_text(&p, end, "T")) clock = true;
    const bool adds = negative && count == 1 && take_text(&at, end, "+"); /* -1 days +23:59:59 of pandas: minus 1 s */
    double rest = 0;
    if (!iso && count <= 1 && take_colons(&at, end, &rest, parts)) {
      if (negative && count == 1 && !adds) return false;
      p = at;
      *seconds += adds ? -rest : rest;
      *parts = *parts || count == 1;
      count++;
      break;
    }
    if (!take_part(&p, end, iso, &unit, seconds) || (!clock && unit > 2)) return false;
  }
  *parts = *parts || iso || count > 1;
  if (negative) *seconds = -*seconds;
  return p == end && count > 0;
}

/* ---- Angles ----------------------------------------------------------------------------------------- */

/* One of the signs for minutes or seconds of arc; a quote may be doubled, as in a cell in quotes. */
static bool take_sign_of(const char **p, const char *end, bool seconds) {
  static const char *const signs[2][4] = {{"\u2032", "\u2019", "'"}, {"\u2033", "\u201D", "\"\"", "\""}};
  for (int i = 0; i < 4 && signs[seconds][i] != NULL; i++)
    if (take_text(p, end, signs[seconds][i])) return true;
  return seconds && take_text(p, end, "''");
}

/* N, S, E or W in capitals: *sign is 1 or -1. */
static bool take_compass(const char **p, const char *end, int *sign) {
  if (*p == end || **p == '\0' || strchr("NSEW", **p) == NULL) return false;
  *sign = **p == 'S' || **p == 'W' ? -1 : 1;
  (*p)++;
  return true;
}

bool angle_parse(const char *begin, const char *end, double *degrees, bool *parts) {
  const char *p = begin;
  double value = 0;
  int compass = 1;
  const bool before = take_compass(&p, end, &compass);
  skip_blanks(&p, end);
  const bool negative = !before && take_text(&p, end, "-");
  *parts = before;
  if (!take_number(&p, end, false, degrees)) return false;
  skip_blanks(&p, end);
  if (!take_text(&p, end, "\u00B0") && !take_text(&p, end, "\u00BA")) { /* 48.51N; houses are 12N and 14S */
    const bool point = memchr(begin, '.', (size_t)(end - begin)) != NULL;
    if (before || negative || !point || !take_compass(&p, end, &compass)) return false;
    *degrees *= compass;
    return p == end;
  }
  for (int i = 0; i < 2; i++) {
    skip_blanks(&p, end);
    if (p == end || !is_digit(*p)) break;
    if (!take_number(&p, end, false, &value) || value >= 60) return false;
    if (!take_sign_of(&p, end, i == 1)) return false;
    *degrees += value / (i == 0 ? 60 : 3600);
    *parts = true;
  }
  skip_blanks(&p, end);
  if (!before && !negative && take_compass(&p, end, &compass)) *parts = true;
  *degrees *= negative ? -1 : compass;
  return p == end;
}
