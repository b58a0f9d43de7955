/* Splits lines into cells, and recognises their kinds. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "csv/csv.h"

enum { NUMBER_BYTES = 400 }; /* longest number that is not written as in C */

static bool is_blank(char c) { return c == ' ' || c == '\t'; }
static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* ---- Splitting ---- */

static const char *skip_blanks(const char *p, const char *end, char delimiter) {
  while (p < end && is_blank(*p) && (*p != delimiter || delimiter == CSV_BLANKS)) p++;
  return p;
}

static bool is_delimiter(char c, char delimiter) { return delimiter == CSV_BLANKS ? is_blank(c) : c == delimiter; }

/* The position after the delimiter at p; p < end. */
static const char *after_delimiter(const char *p, const char *end, char delimiter) {
  if (delimiter != CSV_BLANKS) return p + 1;
  p = skip_blanks(p, end, delimiter);
  return p < end ? p : NULL;
}

/* The length of the blank at p that is no space or tab, or 0: no-break spaces, also of Latin-1, the other spaces of
 * Unicode, marks of direction, spaces without width, a byte order mark. They are invisible: "yes" with and without one
 * would be two classes. */
static int wide_blank(const char *p, const char *end) {
  static const struct {
    const char *first, *last; /* of the same length */
  } blanks[] = {{"\u00A0", "\u00A0"}, {"\u2000", "\u200F"}, {"\u2028", "\u202F"},
                {"\u205F", "\u206F"}, {"\u3000", "\u3000"}, {"\uFEFF", "\uFEFF"}};
  if ((unsigned char)*p < 0x80) return 0;
  if (*p == '\xA0') return 1; /* Latin-1: no character of UTF-8 begins so */
  for (size_t i = 0; i < sizeof blanks / sizeof blanks[0]; i++) {
    const size_t length = strlen(blanks[i].first);
    if ((size_t)(end - p) >= length && memcmp(p, blanks[i].first, length) >= 0 &&
        memcmp(p, blanks[i].last, length) <= 0)
      return (int)length;
  }
  return 0;
}

/* The length of the blank that ends at end, or 0. */
static int blank_before(const char *begin, const char *end) {
  if (end == begin) return 0;
  if (is_blank(end[-1])) return 1;
  for (int length = 2; length <= 3; length++)
    if (end - begin >= length && wide_blank(end - length, end) == length) return length;
  const bool alone = end - begin < 2 || (unsigned char)end[-2] < 0x80; /* else a part of a character */
  return end[-1] == '\xA0' && alone;
}

static void trim(csv_cell *cell) {
  int length;
  while ((length = blank_before(cell->begin, cell->end)) > 0) cell->end -= length;
  while (cell->begin < cell->end && (length = is_blank(*cell->begin) ? 1 : wide_blank(cell->begin, cell->end)) > 0)
    cell->begin += length;
}

static const char *next_quoted(const char *p, const char *end, char delimiter, csv_cell *cell) {
  cell->begin = ++p;
  cell->quoted = true;
  for (; p < end && (*p != '"' || (p + 1 < end && p[1] == '"')); p++)
    if (*p == '"') p++;
  cell->end = p;
  if (p >= end) return cell->end = end, cell->damaged = true, NULL;
  trim(cell);
  const char *next = skip_blanks(p + 1, end, delimiter);
  const bool separated = delimiter == CSV_BLANKS ? next > p + 1 : next < end && is_delimiter(*next, delimiter);
  if (next < end && !separated) return cell->damaged = true, NULL;
  if (next == end) return NULL;
  return delimiter == CSV_BLANKS ? next : next + 1;
}

/* The position of the apostrophe that closes the one at p, or NULL: it is not doubled, as are those inside of a cell.
 */
static const char *find_closing(const char *p, const char *end) {
  while ((p = memchr(p + 1, '\'', (size_t)(end - p - 1))) != NULL && p + 1 < end && p[1] == '\'') {
    p++;
    if (p + 1 == end) return NULL;
  }
  return p;
}

/* The position after a cell in single quotes that begins at p, or p: an apostrophe at the end of a cell, without
 * another before it, closes them. */
static const char *after_apostrophes(const char *p, const char *end, char delimiter) {
  const char *const close = end - p > 1 && *p == '\'' ? find_closing(p, end) : NULL;
  if (close == NULL) return p;
  const char *const next = skip_blanks(close + 1, end, delimiter);
  return next == end || is_delimiter(close[1], delimiter) || is_delimiter(*next, delimiter) ? close + 1 : p;
}

/* The quotes around a cell other than double and single ones: ="..." of spreadsheets, which keeps 001 a text; two
 * apostrophes; those of word processors, in UTF-8 and in Windows-1252. */
static const struct {
  const char *before, *behind;
} QUOTES[] = {{"=\"", "\""},        {"''", "''"},         {"\u201C", "\u201D"}, {"\u201E", "\u201C"},
              {"\u201E", "\u201D"}, {"\u2018", "\u2019"}, {"\x93", "\x94"},     {"\x91", "\x92"}};

/* Takes such quotes away, unless there are others between them: ''a'' and ''b''. */
static bool unwrap_pair(csv_cell *cell) {
  const size_t length = (size_t)(cell->end - cell->begin);
  for (size_t i = 0; i < sizeof QUOTES / sizeof QUOTES[0]; i++) {
    const size_t before = strlen(QUOTES[i].before), behind = strlen(QUOTES[i].behind);
    if (length < before + behind || memcmp(cell->begin, QUOTES[i].before, before) != 0) continue;
    if (memcmp(cell->end - behind, QUOTES[i].behind, behind) != 0) continue;
    for (const char *p = cell->begin + before; p + before <= cell->end - behind; p++)
      if (memcmp(p, QUOTES[i].before, before) == 0) return false;
    cell->begin += before;
    cell->end -= behind;
    return true;
  }
  return false;
}

/* Takes away quotes around a cell. */
static void unwrap(csv_cell *cell) {
  if (cell->end - cell->begin < 2) return;
  const char first = *cell->begin;
  if (first == '\'' && find_closing(cell->begin, cell->end) == cell->end - 1) {
    cell->begin++;
    cell->end--;
    cell->doubled = true;
  } else if ((first != '=' && first != '\'' && (unsigned char)first < 0x80) || !unwrap_pair(cell)) {
    return;
  }
  trim(cell);
}

const char *csv_next_cell(const char *p, const char *end, char delimiter, csv_cell *cell) {
  *cell = (csv_cell){.quoted = false};
  p = skip_blanks(p, end, delimiter);
  if (p < end && *p == '"') return next_quoted(p, end, delimiter, cell);
  cell->begin = p;
  p = after_apostrophes(p, end, delimiter);
  while (p < end && !is_delimiter(*p, delimiter)) p++;
  cell->end = p;
  trim(cell);
  unwrap(cell);
  return p < end ? after_delimiter(p, end, delimiter) : NULL;
}

uint64_t csv_count_cells(const char *begin, const char *end, char delimiter) {
  uint64_t count = 0;
  csv_cell cell;
  for (const char *p = begin; p != NULL; count++) p = csv_next_cell(p, end, delimiter, &cell);
  return count;
}

/* ---- Numbers ---- */

/* Length in bytes of a thousands separator at p, or 0. A blank also matches the no-break spaces of Unicode, the thin
 * and the figure space, and an apostrophe the typographic one that Swiss programs write. */
static int separator_length(const csv_syntax *s, const char *p, const char *end) {
  if (s->thousands == 0) return 0;
  if (*p == s->thousands) return 1;
  if (s->thousands == '\'' && end - p > 3 && memcmp(p, "\xE2\x80\x99", 3) == 0) return 3;
  if (s->thousands != ' ') return 0;
  if (end - p > 2 && memcmp(p, "\xC2\xA0", 2) == 0) return 2;
  static const char *const blanks[] = {"\u202F", "\u2009", "\u2007"};
  for (size_t i = 0; i < sizeof blanks / sizeof blanks[0]; i++)
    if (end - p > 3 && memcmp(p, blanks[i], 3) == 0) return 3;
  return 0;
}

/* Fortran omits the letter before an exponent of three digits: 1.5+103. */
static bool is_bare_exponent(const char *p, const char *end, bool whole) {
  return !whole && (*p == '-' || *p == '+') && end - p == 4 && (is_digit(p[-1]) || p[-1] == '.') && is_digit(p[1]) &&
         is_digit(p[2]) && is_digit(p[3]);
}

/* true if a separator may follow so many digits. Groups have three digits; in India (12,34,567) all but the last have
 * two. *group: digits of the groups so far; 0: not known. */
static bool may_separate(bool grouped, int digits, int *group) {
  if (!grouped) return digits >= 1 && digits <= 3;
  if (digits < 2 || digits > 3 || (*group != 0 && digits != *group)) return false;
  *group = digits;
  return true;
}

/* Fortran's exponent, 1.5D+03 or 1D+03. 2d6 are two dice, and 1d3 a code. */
static bool is_d_exponent(const csv_syntax *s, const char *begin, const char *p, const char *end) {
  if ((*p != 'd' && *p != 'D') || p + 1 == end) return false;
  return p[1] == '+' || p[1] == '-' || memchr(begin, s->decimal, (size_t)(p - begin)) != NULL;
}

/* Copies a number in C's notation: without thousands separators, with a decimal point, with e for Fortran's D. false if
 * the separators do not separate such groups of digits. */
static bool rewrite_number(const csv_syntax *s, const char *p, const char *end, char *out) {
  bool grouped = false, whole = true; /* whole: before the decimal sign */
  int digits = 0, group = 0;          /* digits: since the last separator */
  const char *const begin = p;
  for (; p < end; p++) {
    const int separator = whole ? separator_length(s, p, end) : 0;
    if (separator > 0) {
      if (!may_separate(grouped, digits, &group)) return false;
      grouped = true;
      digits = 0;
      p += separator - 1;
      continue;
    }
    if (whole && !is_digit(*p) && *p != '-' && *p != '+') {
      if (grouped && digits != 3) return false;
      whole = false;
    }
    if (*p == '.' && s->decimal != '.') return false;
    const bool exponent = is_d_exponent(s, begin, p, end);
    digits += is_digit(*p);
    if (is_bare_exponent(p, end, whole)) *out++ = 'e';
    *out++ = *p == s->decimal ? '.' : exponent ? 'e' : *p;
  }
  *out = '\0';
  return !(whole && grouped && digits != 3);
}

/* Skips the texts to strip, and blanks, at both ends. */
static void strip(const csv_syntax *s, const char **begin, const char **end) {
  for (uint32_t i = 0; i < s->num_strips; i++) {
    const size_t length = strlen(s->strips[i]);
    if ((size_t)(*end - *begin) <= length) continue;
    if (memcmp(*begin, s->strips[i], length) == 0)
      *begin += length;
    else if (memcmp(*end - length, s->strips[i], length) == 0)
      *end -= length;
    else
      continue;
    while (*begin < *end && is_blank(**begin)) (*begin)++;
    while (*end > *begin && is_blank((*end)[-1])) (*end)--;
  }
}

char csv_take_sign(const char **p, const char *end) {
  static const char *const minus[] = {"\u2212", "\u2013", "\u2010", "\u2011", "\u2012", "\uFE63", "\uFF0D"};
  if (*p == end) return 0;
  const char sign = **p;
  if (sign == '-' || sign == '+') return (*p)++, sign;
  for (size_t i = 0; i < sizeof minus / sizeof minus[0]; i++) {
    const size_t length = strlen(minus[i]);
    if ((size_t)(end - *p) <= length || memcmp(*p, minus[i], length) != 0) continue;
    *p += length;
    return '-';
  }
  return 0;
}

bool csv_cell_number(const csv_syntax *syntax, const csv_cell *cell, number *parsed) {
  const char *p = cell->begin, *end = cell->end;
  if (syntax->decimal == '.' && number_parse(p, end, parsed) == end) return true;
  char text[NUMBER_BYTES], utf8[NUMBER_BYTES], *to = text;
  if (!csv_is_utf8(p, end)) { /* signs of currencies, and blanks */
    const size_t length = csv_cell_text(cell, utf8, sizeof utf8);
    if (length >= sizeof utf8) return false;
    p = utf8;
    end = utf8 + length;
  }
  if (end - p + 2 > (ptrdiff_t)sizeof text || p == end) return false; /* room for an e and a NUL */
  const char sign = csv_take_sign(&p, end);
  if (sign != 0) *to++ = sign; /* -$5 */
  strip(syntax, &p, &end);
  if (sign != 0 && (p == end || *p == '-' || *p == '+')) return false;
  if (!rewrite_number(syntax, p, end, to)) return false;
  const char *text_end = text + strlen(text);
  return number_parse(text, text_end, parsed) == text_end;
}

/* ---- Words ---- */

static bool is_text(const csv_cell *cell, const char *text) {
  const size_t length = (size_t)(cell->end - cell->begin);
  return strlen(text) == length && memcmp(text, cell->begin, length) == 0;
}

static bool is_word(const csv_cell *cell, const char *text) {
  const size_t length = (size_t)(cell->end - cell->begin);
  return strlen(text) == length && strncasecmp(text, cell->begin, length) == 0;
}

/* Is the cell this text of an option, which is UTF-8? */
static bool is_given(const csv_cell *cell, const char *text) {
  char utf8[NUMBER_BYTES];
  if (is_text(cell, text)) return true;
  if (csv_is_utf8(cell->begin, cell->end)) return false;
  return csv_cell_text(cell, utf8, sizeof utf8) < sizeof utf8 && strcmp(utf8, text) == 0;
}

/* What Microsoft's C library prints for NaN: 1.#QNAN, -1.#IND00. */
static bool is_microsoft_nan(const csv_cell *cell) {
  static const char *const words[] = {"IND", "QNAN", "SNAN", "NAN"};
  const char *p = cell->begin;
  if (p < cell->end && *p == '-') p++;
  if (cell->end - p < 6 || memcmp(p, "1.#", 3) != 0) return false;
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
    const size_t length = strlen(words[i]);
    if ((size_t)(cell->end - p) < 3 + length || memcmp(p + 3, words[i], length) != 0) continue;
    for (p += 3 + length; p < cell->end && *p == '0';) p++; /* digits that a format asked for */
    return p == cell->end;
  }
  return false;
}

/* The words that pandas takes as missing values, except None, which may be a class, and Na, which is sodium. */
bool csv_cell_is_missing(const csv_syntax *syntax, const csv_cell *cell) {
  static const char *const texts[] = {
      "",     "?",    "NA",  "N/A",  "nan",  "NaN", "NAN",      "n/a", "null", "NULL", "Null",
      "<NA>", "#N/A", "#NA", "-nan", "-NaN", "NaT", "#N/A N/A", "#NV", "\\N"}; /* #NV: #N/A in German; \N: MySQL */
  const size_t length = (size_t)(cell->end - cell->begin);
  /* The first and the last character rule out most cells. */
  const bool may_be =
      length == 0 || (length <= 8 && !is_digit(cell->end[-1]) && strchr("?Nn<#-1\\", *cell->begin) != NULL);
  for (size_t i = 0; may_be && i < sizeof texts / sizeof texts[0]; i++)
    if (is_text(cell, texts[i])) return true;
  if (length > 5 && is_microsoft_nan(cell)) return true;
  for (uint32_t i = 0; i < syntax->num_missing; i++)
    if (is_given(cell, syntax->missing[i])) return true;
  number parsed;
  return syntax->num_missing_real > 0 && csv_cell_number(syntax, cell, &parsed) &&
         csv_is_missing_real(syntax, parsed.value);
}

bool csv_is_missing_real(const csv_syntax *syntax, double value) {
  for (uint32_t i = 0; i < syntax->num_missing_real; i++)
    if (syntax->missing_real[i] == value) return true;
  return false;
}

/* #DIV/0!, #NAME? and the like, in any language: #WERT!, #NOMBRE!, #\u00A1DIV/0! */
static bool is_spreadsheet_error(const csv_cell *cell) {
  const char *const end = cell->end;
  if (end - cell->begin < 4 || *cell->begin != '#' || (end[-1] != '!' && end[-1] != '?')) return false;
  for (const char *p = cell->begin + 1; p < end - 1; p++)
    if ((*p < 'A' || *p > 'Z') && *p != '/' && *p != '0' && *p != '_' && (unsigned char)*p < 0x80) return false;
  return true;
}

/* : of Eurostat, and with a flag that says why: ": c" */
static bool is_colon(const csv_cell *cell) {
  const size_t length = (size_t)(cell->end - cell->begin);
  if (length == 0 || length > 4 || *cell->begin != ':') return false;
  if (length > 1 && cell->begin[1] != ' ') return false;
  for (size_t i = 2; i < length; i++)
    if (cell->begin[i] < 'a' || cell->begin[i] > 'z') return false;
  return true;
}

/* .a to .z of Stata, .A to .Z and ._ of SAS. */
static bool is_special_missing(const csv_cell *cell) {
  return cell->end - cell->begin == 2 && *cell->begin == '.' &&
         (cell->begin[1] == '_' || (cell->begin[1] >= 'a' && cell->begin[1] <= 'z') ||
          (cell->begin[1] >= 'A' && cell->begin[1] <= 'Z'));
}

/* Texts that can only mean a missing value in a column of numbers. */
static bool is_missing_number(const csv_cell *cell) {
  static const char *const words[] = {"none", "nil",    "missing", "-", "--", "..",
                                      "...",  "\u2013", "\u2014",  ".", "*",  "n.a."};
  if (is_spreadsheet_error(cell) || is_colon(cell) || is_special_missing(cell)) return true;
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
    if (is_word(cell, words[i])) return true;
  return false;
}

static bool read_yes_no(const csv_cell *cell, number *parsed) {
  static const char *const words[2][5] = {{"false", "no", "f", "n", ".false."}, {"true", "yes", "t", "y", ".true."}};
  for (int answer = 0; answer < 2; answer++)
    for (int i = 0; i < 5; i++)
      if (is_word(cell, words[answer][i]))
        return *parsed = (number){.value = answer, .integer = answer, .is_integer = true}, true;
  return false;
}

csv_answer csv_cell_answer(const csv_cell *cell) {
  return strchr("yYnN", *cell->begin) != NULL ? CSV_YES_OR_NO : CSV_TRUE_FALSE;
}

csv_kind csv_cell_read(const csv_syntax *syntax, const csv_cell *cell, number *parsed) {
  if (csv_cell_number(syntax, cell, parsed))
    return csv_is_missing_real(syntax, parsed->value) ? CSV_MISSING : CSV_NUMBER;
  *parsed = (number){.value = 0};
  if (csv_cell_is_missing(syntax, cell) || is_missing_number(cell)) return CSV_MISSING;
  return read_yes_no(cell, parsed) ? CSV_YES_NO : CSV_TEXT;
}
