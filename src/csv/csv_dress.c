#include "csv/csv_dress.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/* What stands before an amount. The dollars and pounds are of countries that write points before cents. */
static const char *const CURRENCIES[] = {"US$", "A$",  "C$",  "$",      "\u00A3", "\u20B9", "USD", "GBP",
                                         "AUD", "CAD", "INR", "\u20AC", "\u00A5", "EUR",    "CHF", "JPY",
                                         "CNY", "SEK", "NOK", "DKK",    "PLN",    "R$"};
enum { NUM_CURRENCIES = sizeof CURRENCIES / sizeof *CURRENCIES, WITH_POINTS = 11 };

/* ---- Units ------------------------------------------------------------------------------------------ */

/* Signs that say more than a unit does. */
static bool is_mark(const char *p, const char *end) {
  static const char *const marks[] = {"\u00B1", "\u00D7", "\u00F7", "\u2264", "\u2265", "\u2020",
                                      "\u2021", "\u2032", "\u2033", "\u2019", "\u201D", "\u2013",
                                      "\u2014", "\u2212", "\u2009", "\u2007", "\u202F", "\u00A0"};
  for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
    const size_t length = strlen(marks[i]);
    if ((size_t)(end - p) >= length && memcmp(p, marks[i], length) == 0) return true;
  }
  return false;
}

/* Letters, %, degrees, m/s; behind a letter digits, too: gCO2/km. AM and PM are halves of a day. */
static bool is_unit(const char *begin, const char *end) {
  const size_t length = (size_t)(end - begin);
  if (length == 0 || length >= CSV_UNIT_BYTES || is_digit(*begin)) return false;
  if (length == 2 && (strncasecmp(begin, "am", 2) == 0 || strncasecmp(begin, "pm", 2) == 0)) return false;
  for (const char *p = begin; p < end; p++) {
    if (is_mark(p, end)) return false;
    const bool inside = p > begin && p + 1 < end && (*p == ' ' || *p == '/' || *p == '.');
    const bool digit = is_digit(*p) && p > begin && (is_letter(p[-1]) || is_digit(p[-1]));
    if (!is_letter(*p) && (unsigned char)*p < 0x80 && *p != '%' && *p != '$' && !inside && !digit) return false;
  }
  return true;
}

static void trim(const char **begin, const char **end) {
  static const char *const blanks[] = {" ", "\u00A0", "\u202F", "\u2009"};
  for (size_t i = 0; i < sizeof blanks / sizeof *blanks;) {
    const size_t length = strlen(blanks[i]);
    const bool before = (size_t)(*end - *begin) >= length && memcmp(*begin, blanks[i], length) == 0;
    const bool behind = (size_t)(*end - *begin) >= length && memcmp(*end - length, blanks[i], length) == 0;
    if (before)
      *begin += length;
    else if (behind)
      *end -= length;
    i = before || behind ? 0 : i + 1;
  }
}

typedef struct parts {
  char digits[64]; /* with the sign, and a NUL */
  char unit[CSV_UNIT_BYTES];
  bool points; /* a currency of which the decimal sign is a point */
} parts;

static bool take_currency(const char **p, const char *end, parts *made) {
  for (int i = 0; i < NUM_CURRENCIES; i++) {
    const size_t length = strlen(CURRENCIES[i]);
    if ((size_t)(end - *p) <= length || memcmp(*p, CURRENCIES[i], length) != 0) continue;
    memcpy(made->unit, CURRENCIES[i], length + 1);
    made->points = i < WITH_POINTS;
    *p += length;
    return true;
  }
  return false;
}

/* Where the number that begins at p ends: before the first letter or sign that is no part of it. */
static const char *end_of_digits(const char *p, const char *end) {
  const char *last = p; /* behind the last digit */
  for (; p < end; p++) {
    const bool exponent =
        (*p == 'e' || *p == 'E') && p + 1 < end && p == last && (is_digit(p[1]) || p[1] == '+' || p[1] == '-');
    const bool sign = (*p == '+' || *p == '-') && (p[-1] == 'e' || p[-1] == 'E');
    const bool mark = *p == '.' || *p == ',' || *p == '\'' || *p == ' ' || (unsigned char)*p >= 0x80;
    if (is_digit(*p))
      last = p + 1;
    else if (!exponent && !sign && !mark)
      break;
  }
  if (last < end && *last == '.' && (last + 1 == end || !is_letter(last[1]))) last++; /* 5. */
  return last;
}

/* Divides a cell into a number and its unit. */
static bool divide(const csv_cell *cell, parts *made) {
  char utf8[128];
  const char *p = cell->begin, *end = cell->end;
  if (p < end && !csv_is_utf8(p, end)) { /* signs of currencies and degrees, blanks */
    const size_t length = csv_cell_text(cell, utf8, sizeof utf8);
    if (length >= sizeof utf8) return false;
    p = utf8;
    end = utf8 + length;
  }
  char *to = made->digits;
  *made = (parts){.points = false};
  char sign = csv_take_sign(&p, end);
  if (take_currency(&p, end, made) && sign == 0) trim(&p, &end);
  if (made->unit[0] != '\0' && sign == 0) sign = csv_take_sign(&p, end); /* $-5 */
  trim(&p, &end);
  if (p == end || !is_digit(*p)) return false;
  if (*p == '0' && end - p > 1 && is_digit(p[1])) return false; /* a code */
  const char *const last = end_of_digits(p, end);
  const char *unit = last;
  trim(&unit, &end);
  const size_t before = strlen(made->unit), length = (size_t)(end - unit);
  if (unit < end && (!is_unit(unit, end) || before + length >= CSV_UNIT_BYTES)) return false;
  memcpy(made->unit + before, unit, length);
  if (sign == '-') *to++ = '-';
  if ((size_t)(last - p) + 3 > sizeof made->digits) return false;
  memcpy(to, p, (size_t)(last - p));
  return true;
}

/* ---- Numbers ---------------------------------------------------------------------------------------- */

static bool read_digits(const csv_syntax *s, const char *digits, char thousands, number *parsed) {
  const csv_syntax syntax = {.decimal = s->decimal, .thousands = thousands != 0 ? thousands : s->thousands};
  const csv_cell cell = {.begin = digits, .end = digits + strlen(digits)};
  return csv_cell_number(&syntax, &cell, parsed) && isfinite(parsed->value);
}

/* The mark between thousands with which the digits are a number; false: there is none. */
static bool find_mark(const csv_syntax *s, const char *digits, char *mark) {
  static const char marks[] = {0, ' ', '\'', ','};
  number parsed;
  for (size_t i = 0; i < sizeof marks; i++) {
    *mark = marks[i];
    if (*mark != 0 && (*mark == s->decimal || s->thousands != 0)) continue;
    if (read_digits(s, digits, *mark, &parsed)) return true;
  }
  return false;
}

/* A comma may be a decimal sign where there is one, and three digits after it. */
static bool commas_are_clear(const parts *p) {
  const char *const first = strchr(p->digits, ',');
  return first == NULL || p->points || strchr(first + 1, ',') != NULL || strchr(first + 1, '.') != NULL;
}

void csv_dressed_add(const csv_syntax *syntax, const csv_cell *cell, csv_dressed *d) {
  parts p;
  char mark = 0;
  if (!divide(cell, &p) || !find_mark(syntax, p.digits, &mark)) return;
  if (p.unit[0] != '\0' && strpbrk(p.unit, "0123456789") == NULL) { /* --strip takes no digits */
    d->united++;
    d->many_units = !csv_flags_add(d->units, p.unit) || d->many_units;
  }
  if (d->fitting == 0) memcpy(d->first.unit, p.unit, sizeof p.unit);
  if (d->fitting == 0 || d->first.thousands == 0) d->first.thousands = mark;
  d->fitting += strcmp(d->first.unit, p.unit) == 0 && (mark == 0 || mark == d->first.thousands);
  d->clear = d->clear || (mark == ',' && commas_are_clear(&p));
}

bool csv_dressed_settle(const csv_dressed *d, uint64_t texts, uint64_t values, csv_dress *dress) {
  *dress = d->first;
  if (texts == 0 || d->fitting < texts || !csv_is_dressed(dress)) return false;
  if (dress->thousands == ',' && !d->clear) return false;
  return dress->unit[0] == '\0' || texts == values;
}

bool csv_dress_read(const csv_syntax *syntax, const csv_dress *dress, const csv_cell *cell, number *parsed) {
  parts p;
  return divide(cell, &p) && strcmp(p.unit, dress->unit) == 0 &&
         read_digits(syntax, p.digits, dress->thousands, parsed);
}

/* ---- Names ------------------------------------------------------------------------------------------ */

const char *csv_dress_name(const csv_dress *dress, const char *name, char *text, size_t size) {
  (void)snprintf(text, size, "%.350s (%s)", name, dress->unit);
  return text;
}

bool csv_dress_of_name(const char *name, size_t *length, csv_dress *dress) {
  const char *const end = name + strlen(name);
  const char *begin = end;
  *dress = (csv_dress){.thousands = 0};
  if (end == name || end[-1] != ')') return false;
  while (begin > name && *begin != '(') begin--;
  if (begin - name < 2 || begin[-1] != ' ' || end - begin < 3 || end - begin - 2 >= CSV_UNIT_BYTES) return false;
  memcpy(dress->unit, begin + 1, (size_t)(end - begin - 2));
  *length = (size_t)(begin - name - 1);
  return true;
}
