/* What texts would be numbers: in another notation, with a currency, a unit or a mark; and dates. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "csv/csv.h"
#include "source/date.h"
#include "source/span.h"

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

static const char EITHER[] = "--decimal comma, or --thousands ,"; /* 147,400 */

/* The options that make the cell a number once the given texts are stripped, or NULL. */
static const char *notation_hint(const csv_cell *cell, char *strips[], uint32_t num_strips) {
  static const struct {
    char decimal, thousands;
    const char *options;
  } ways[] = {{',', 0, "--decimal comma"},
              {'.', ',', "--thousands ,"},
              {',', '.', "--decimal comma --thousands ."},
              {'.', '\'', "--thousands \"'\""},
              {'.', ' ', "--thousands blank"},
              {',', ' ', "--decimal comma --thousands blank"},
              {',', '\'', "--decimal comma --thousands \"'\""}};
  const char *found = NULL;
  for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
    const csv_syntax syntax = {
        .decimal = ways[i].decimal, .thousands = ways[i].thousands, .strips = strips, .num_strips = num_strips};
    number parsed;
    if (!csv_cell_number(&syntax, cell, &parsed)) continue;
    if (found != NULL && i == 1) return EITHER;
    if (found == NULL) found = ways[i].options;
  }
  return found;
}

/* In Windows-1252 the texts of symbols are others. */
static bool contains(const csv_cell *cell, const char *symbol) {
  const size_t length = strlen(symbol);
  for (const char *p = cell->begin; (size_t)(cell->end - p) >= length; p++)
    if (memcmp(p, symbol, length) == 0) return true;
  return (unsigned char)*symbol >= 0x80 && !csv_is_utf8(cell->begin, cell->end);
}

enum { SYMBOL_BYTES = 8 };

static char symbols[][SYMBOL_BYTES] = {"%",      "\u2030", "$",   "\u20AC", "\u00A3", "\u00A5", "\u20B9",
                                       "USD",    "EUR",    "GBP", "CHF",    "JPY",    "*",      "\u2020",
                                       "\u2021", "<",      ">",   "~",      "\u2264", "\u2265", "\u00B0"};

/* 8.760,11 TL: the text behind a number that is in another notation, too. Few such texts may be names: 2,4 D. */
static bool unit_hint(const csv_cell *cell, char hint[CSV_HINT_BYTES]) {
  const char *unit = cell->end;
  while (unit > cell->begin && (is_letter(unit[-1]) || (unsigned char)unit[-1] >= 0x80)) unit--;
  char text[SYMBOL_BYTES] = "", *one[] = {text};
  const size_t length = (size_t)(cell->end - unit);
  if (length == 0 || length >= sizeof text || !csv_is_utf8(unit, cell->end)) return false;
  memcpy(text, unit, length);
  const csv_syntax plain = {.decimal = '.', .strips = one, .num_strips = 1};
  number parsed;
  const char *const found = csv_cell_number(&plain, cell, &parsed) ? NULL : notation_hint(cell, one, 1);
  if (found == NULL) return false;
  return (void)snprintf(hint, CSV_HINT_BYTES, "--strip %s %.47s", text, found), true;
}

bool csv_cell_hint(const csv_cell *cell, char hint[CSV_HINT_BYTES]) {
  hint[0] = '\0';
  bool any_digit = false;
  for (const char *p = cell->begin; p < cell->end && !any_digit; p++) any_digit = is_digit(*p);
  if (!any_digit) return false; /* most texts */
  const char *found = notation_hint(cell, NULL, 0);
  if (found != NULL) return (void)snprintf(hint, CSV_HINT_BYTES, "%s", found), true;
  for (size_t i = 0; i < sizeof symbols / sizeof symbols[0]; i++) {
    char *one[] = {symbols[i]};
    if (!contains(cell, symbols[i])) continue;
    const char *const quote = strchr("$*<>~", symbols[i][0]) != NULL ? "'" : "";
    const csv_syntax plain = {.decimal = '.', .strips = one, .num_strips = 1};
    number parsed;
    const bool is_plain = csv_cell_number(&plain, cell, &parsed);
    found = is_plain ? "" : notation_hint(cell, one, 1);
    if (found == NULL) continue;
    (void)snprintf(hint, CSV_HINT_BYTES, "--strip %s%.7s%s%s%.40s", quote, symbols[i], quote, is_plain ? "" : " ",
                   found);
    return true;
  }
  return false;
}

bool csv_cell_unit_hint(const csv_cell *cell, char hint[CSV_HINT_BYTES]) {
  return csv_cell_hint(cell, hint) || unit_hint(cell, hint);
}

static const char STRIP[] = "--strip ";

static bool strips(const char *hint) { return strncmp(hint, STRIP, strlen(STRIP)) == 0; }

/* Divides "--strip '$' --thousands ," into the texts to strip and the other options; false: nothing is stripped. */
static bool divide_hint(const char *hint, char texts[CSV_HINT_BYTES], const char **others) {
  if (!strips(hint)) return false;
  const char *p = hint + strlen(STRIP);
  const bool quoted = *p == '\'';
  p += quoted;
  const size_t length = strcspn(p, quoted ? "'" : " ");
  (void)snprintf(texts, CSV_HINT_BYTES, "%.*s", (int)length, p);
  *others = p + length + quoted;
  return true;
}

/* Is one of the texts, with commas between, stripped already? */
static bool is_listed(const char *texts, const char *one) {
  const size_t length = strlen(one);
  for (const char *p = texts; (p = strstr(p, one)) != NULL; p += length)
    if ((p == texts || p[-1] == ',') && (p[length] == '\0' || p[length] == ',')) return true;
  return false;
}

static bool is_symbol(const char *text) {
  for (size_t i = 0; i < sizeof symbols / sizeof symbols[0]; i++)
    if (strcmp(symbols[i], text) == 0) return true;
  return false;
}

/* Adds what the hint of another cell strips: the column has amounts in $ and in EUR. Units that differ (5,6 Mio and
 * 1,2 Mrd) must not be stripped: then no options help. */
static void join_strips(char hint[CSV_HINT_BYTES], const char *more) {
  char texts[CSV_HINT_BYTES], one[CSV_HINT_BYTES], joined[3 * CSV_HINT_BYTES];
  const char *others, *its_others;
  if (!divide_hint(hint, texts, &others) || !divide_hint(more, one, &its_others) || is_listed(texts, one)) return;
  const bool symbols_before = strchr(texts, ',') != NULL || is_symbol(texts);
  if (!is_symbol(one) || !symbols_before) return (void)(hint[0] = '\0');
  if (*others != '\0' && *its_others != '\0' && strcmp(others, its_others) != 0) return;
  const int length =
      snprintf(joined, sizeof joined, "--strip '%s,%s'%s", texts, one, *others != '\0' ? others : its_others);
  if (length < CSV_HINT_BYTES) memcpy(hint, joined, (size_t)length + 1);
}

/* Are the options those of the hint, and others? $855.00 needs --strip '$', and $1,041.00 also --thousands. */
static bool goes_on(const char *hint, const char *more) {
  const size_t length = strlen(hint);
  return strncmp(hint, more, length) == 0 && more[length] == ' ';
}

void csv_hint_settle(char hint[CSV_HINT_BYTES], const csv_cell *other) {
  char more[CSV_HINT_BYTES];
  char *const open = strstr(hint, EITHER);
  if (hint[0] == '\0' || !csv_cell_unit_hint(other, more)) return;
  if (goes_on(hint, more)) return memcpy(hint, more, CSV_HINT_BYTES), (void)0;
  if (open == NULL) return join_strips(hint, more);
  if (strstr(more, EITHER) != NULL) return;
  const size_t same = (size_t)(open - hint); /* what is stripped */
  if (strncmp(hint, more, same) == 0 && strncmp(more + same, "--", 2) == 0)
    (void)snprintf(hint, CSV_HINT_BYTES, "%s", more);
}

const char *csv_hint_ordered(const char *hint, char delimiter, char text[CSV_HINT_BYTES]) {
  const char *const open = strstr(hint, EITHER);
  if (open == NULL || delimiter != ',') return hint;
  (void)snprintf(text, CSV_HINT_BYTES, "%.*s--thousands , (or --decimal comma)", (int)(open - hint), hint);
  return text;
}

static bool is_word(const csv_cell *cell, const char *text) {
  const size_t length = (size_t)(cell->end - cell->begin);
  return strlen(text) == length && strncasecmp(text, cell->begin, length) == 0;
}

bool csv_cell_is_date(const csv_cell *cell) {
  date parsed;
  double seconds;
  bool parts;
  if (span_parse(cell->begin, cell->end, &seconds, &parts) && parts) return true;
  return date_parse(cell->begin, cell->end, &parsed) || date_parse_period(cell->begin, cell->end, &parsed) ||
         date_is_foreign(cell->begin, cell->end) || date_parse_clock(cell->begin, cell->end, &seconds) > 0;
}

bool csv_cell_unit(const csv_cell *cell, char unit[CSV_UNIT_BYTES]) {
  number parsed;
  const char *p = cell->begin;
  while (p < cell->end && strchr("+-.0123456789", *p) != NULL) p++;
  const csv_cell digits = {.begin = cell->begin, .end = p};
  const csv_syntax plain = {.decimal = '.'};
  if (p == cell->begin || !csv_cell_number(&plain, &digits, &parsed)) return false;
  while (p < cell->end && *p == ' ') p++;
  const size_t length = (size_t)(cell->end - p);
  if (length == 0 || length >= CSV_UNIT_BYTES) return false;
  for (const char *q = p; q < cell->end; q++)
    if (!((unsigned char)*q >= 0x80 || (*q >= 'a' && *q <= 'z') || (*q >= 'A' && *q <= 'Z') || *q == '/')) return false;
  memcpy(unit, p, length);
  unit[length] = '\0';
  return true;
}

bool csv_flags_add(char list[CSV_FLAGS_BYTES], const char *flag) {
  const size_t length = strlen(flag);
  char *place = NULL, *p = list;
  int count = 0;
  while (*p != '\0') {
    const size_t other = strcspn(p, ",");
    if (other == length && memcmp(p, flag, length) == 0) return true;
    if (other < length && place == NULL) place = p;
    count++;
    p += other + (p[other] == ',');
  }
  if (count == CSV_FLAGS_MOST) return false;
  if (place == NULL && count > 0) *p++ = ',';
  if (place == NULL) return memcpy(p, flag, length + 1), true;
  memmove(place + length + 1, place, strlen(place) + 1);
  memcpy(place, flag, length);
  place[length] = ',';
  return true;
}

/* $, pounds, yen and the like: those of Unicode's block of currencies, U+20A0 to U+20CF, too. */
static bool take_currency(const char **p, const char *end) {
  static const char *const signs[] = {"$",    "\u00A3", "\u00A5", "\uFFE5",
                                      "\x80", "\xA3",   "\xA5"}; /* \x80: Windows-1252 */
  const unsigned char *const u = (const unsigned char *)*p;
  size_t length = end - *p >= 3 && u[0] == 0xE2 && (u[1] == 0x82 ? u[2] >= 0xA0 : u[1] == 0x83 && u[2] < 0x90) ? 3 : 0;
  for (size_t i = 0; length == 0 && i < sizeof signs / sizeof *signs; i++) {
    const size_t bytes = strlen(signs[i]);
    if ((size_t)(end - *p) >= bytes && memcmp(*p, signs[i], bytes) == 0) length = bytes;
  }
  *p += length;
  return length > 0;
}

bool csv_cell_is_account(const csv_cell *cell, csv_cell *amount) {
  const csv_syntax plain = {.decimal = '.'};
  char hint[CSV_HINT_BYTES];
  number parsed;
  if (cell->end - cell->begin < 2) return false;
  const char *p = cell->begin; /* behind a currency: $ (63.77) */
  if (take_currency(&p, cell->end))
    while (p < cell->end && *p == ' ') p++;
  const bool in_parentheses = p < cell->end && *p == '(' && cell->end[-1] == ')';
  if (!in_parentheses && cell->end[-1] != '-') return false;
  *amount = (csv_cell){.begin = in_parentheses ? p + 1 : cell->begin, .end = cell->end - 1};
  const bool is_grade = !in_parentheses && amount->end - amount->begin == 1;
  if (amount->begin == amount->end || *amount->begin == '-' || is_grade) return false;
  return csv_cell_number(&plain, amount, &parsed) || csv_cell_hint(amount, hint);
}

bool csv_cell_may_be_lot(const csv_cell *cell) {
  const char *p = cell->begin;
  while (p < cell->end && is_digit(*p)) p++;
  return p > cell->begin && p + 1 == cell->end && *p == '-';
}

bool csv_cell_is_number_like(const csv_cell *cell) {
  static const char *const words[] = {"inf", "infinity", "1.#INF"};
  csv_cell unsigned_cell = *cell;
  csv_cell amount;
  char hint[CSV_HINT_BYTES];
  if (cell->begin < cell->end && (*cell->begin == '-' || *cell->begin == '+')) unsigned_cell.begin++;
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
    if (is_word(&unsigned_cell, words[i])) return true;
  return csv_cell_is_account(cell, &amount) || csv_cell_hint(cell, hint);
}
