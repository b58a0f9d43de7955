/* Recognises headers, lines of units, and columns that number the rows. */
#include <math.h>
#include <string.h>

#include "csv/csv_sample.h"

enum {
  FIRST_YEAR = 1500,
  LAST_YEAR = 2200,
  LAST_ROW = 1000000,
  MANY = 8 /* so many values in sequence are no coincidence */
};

/* Behind the sign of a comment in other programs: // or, before a blank, % ! ; which may also begin a name. */
static const char *after_other_sign(const char *text, char delimiter) {
  const char *p = text;
  if (strncmp(text, "//", 2) == 0 && delimiter != '/') return text + 2;
  while (*p != '\0' && strchr("%!;", *p) != NULL && *p != delimiter) p++;
  return *p == ' ' || *p == '\t' ? p : text;
}

/* Are all cells after the first without such a sign? "% fat,% protein" names columns. */
static bool are_unsigned(const char *p, const char *end, char delimiter) {
  csv_cell cell;
  uint64_t others = 0;
  for (p = csv_next_cell(p, end, delimiter, &cell); p != NULL; others++) {
    p = csv_next_cell(p, end, delimiter, &cell);
    if (cell.begin < cell.end && strchr("%!;/", *cell.begin) != NULL) return false;
  }
  return others > 0;
}

/* Behind the sign of another program before a header, or its text. Between blanks a sign is a cell of its own: a name,
 * if the rows have as many cells. */
static const char *after_header_sign(const csv_sample *s, const struct sample_line *line, char delimiter) {
  const struct sample_line *const last = &s->lines[s->count - 1];
  const char *const p = after_other_sign(line->text, delimiter);
  if (p == line->text || !are_unsigned(p, line->end, delimiter)) return line->text;
  const bool name = delimiter == CSV_BLANKS && csv_count_cells(line->text, line->end, delimiter) ==
                                                   csv_count_cells(last->text, last->end, delimiter);
  return name ? line->text : p;
}

const char *sample_after_hash(const csv_sample *s, int line, char delimiter) {
  const char *const text = s->lines[line].text;
  const char *p = text;
  while (*p == '#') p++;
  if (p == text) p = after_header_sign(s, &s->lines[line], delimiter);
  if (p == text) return text;
  while (*p == ' ') p++;
  return *p == '\0' || (*p == delimiter && delimiter != CSV_BLANKS) ? text : p; /* in "#,Name" the first name is # */
}

/* As csv_cell_read(), but also accepts numbers in other notations: they are not names. */
static csv_kind read_cell(const csv_syntax *syntax, const csv_cell *cell, number *parsed) {
  const csv_kind kind = csv_cell_read(syntax, cell, parsed);
  char hint[CSV_HINT_BYTES];
  return kind == CSV_TEXT && csv_cell_hint(cell, hint) ? CSV_NUMBER : kind;
}

static bool is_name(csv_kind kind) { return kind == CSV_TEXT || kind == CSV_YES_NO; } /* y, n and t may be names */

/* The number of columns in which line head has a name and line body a number, or (answers) yes or no. */
static uint64_t names_over_numbers(const csv_sample *s, const csv_syntax *syntax, int head, int body, bool answers) {
  const char *p = sample_after_hash(s, head, syntax->delimiter), *q = s->lines[body].text;
  uint64_t found = 0;
  while (p != NULL && q != NULL) {
    csv_cell above, below;
    number parsed;
    p = csv_next_cell(p, s->lines[head].end, syntax->delimiter, &above);
    q = csv_next_cell(q, s->lines[body].end, syntax->delimiter, &below);
    const csv_kind kind = read_cell(syntax, &below, &parsed);
    if (kind > CSV_YES_NO || (kind == CSV_YES_NO && !answers)) continue;
    const csv_kind head_kind = read_cell(syntax, &above, &parsed);
    found += kind == CSV_NUMBER ? is_name(head_kind) : head_kind == CSV_TEXT;
  }
  return found;
}

/* The numbers of a line that may be a header. */
typedef struct head_numbers {
  int line;
  uint64_t cells, names, numbers;
  int64_t first, step;
  double low, high, width; /* the first number, the last, and the difference of the first two */
  bool regular;            /* whole numbers at equal intervals */
  bool ascending, even;    /* each is larger than the one before; the distances are all `width` */
  bool first_empty;        /* the first cell is empty */
} head_numbers;

static void add_to_scale(head_numbers *h, double value) {
  if (h->numbers == 0) h->low = value;
  if (h->numbers == 1) h->width = value - h->low;
  h->ascending = h->ascending && (h->numbers == 0 || value > h->high);
  h->even = h->even && (h->numbers < 2 || fabs(value - h->high - h->width) <= 1e-3 * fabs(h->width));
  h->high = value;
}

static head_numbers read_head(const csv_sample *s, const csv_syntax *syntax, int head) {
  head_numbers h = {.line = head, .regular = true, .ascending = true, .even = true};
  int64_t last = 0;
  uint64_t at = 0;
  for (const char *p = sample_after_hash(s, head, syntax->delimiter); p != NULL; at++) {
    csv_cell cell;
    number n;
    p = csv_next_cell(p, s->lines[head].end, syntax->delimiter, &cell);
    const csv_kind kind = read_cell(syntax, &cell, &n);
    h.names += is_name(kind);
    if (at == 0) h.first_empty = cell.begin == cell.end;
    if (cell.begin < cell.end || p != NULL) h.cells = at + 1; /* not the empty cell after a trailing delimiter */
    if (kind != CSV_NUMBER) continue;
    if (h.numbers == 0) h.first = n.integer;
    if (h.numbers == 1) h.step = n.integer - h.first;
    h.regular = h.regular && n.is_integer && (h.numbers == 0 || (h.step > 0 && n.integer - last == h.step));
    last = n.integer;
    add_to_scale(&h, n.value);
    h.numbers++;
  }
  return h;
}

/* true if the numbers of line body are unlike column numbers or years: there are decimals, or most are outside of [low,
 * high]. */
static bool is_otherwise(const csv_sample *s, const csv_syntax *syntax, int body, double low, double high) {
  uint64_t numbers = 0, outside = 0;
  bool any_decimal = false;
  for (const char *p = s->lines[body].text; p != NULL;) {
    csv_cell cell;
    number n;
    p = csv_next_cell(p, s->lines[body].end, syntax->delimiter, &cell);
    if (read_cell(syntax, &cell, &n) != CSV_NUMBER) continue;
    any_decimal = any_decimal || !n.is_integer;
    numbers++;
    outside += n.value < low || n.value > high;
  }
  return (any_decimal && low == 0) || numbers == 0 || outside * 2 > numbers;
}

static bool all_have_decimals(const csv_sample *s, const csv_syntax *syntax, int body) {
  enum { ROWS_LEAST = 4 };
  int rows = 0;
  for (int line = body; line < s->count; line++) {
    bool any = false;
    if (s->lines[line].hash) continue;
    for (const char *p = s->lines[line].text; p != NULL;) {
      csv_cell cell;
      number n;
      p = csv_next_cell(p, s->lines[line].end, syntax->delimiter, &cell);
      any = any || (read_cell(syntax, &cell, &n) == CSV_NUMBER && !n.is_integer);
    }
    if (!any) return false;
    rows++;
  }
  return rows >= ROWS_LEAST;
}

/* true if a column has its text in line head in a line from `body` on, too: line head is a row then. */
static bool recurs(const csv_sample *s, const csv_syntax *syntax, int head, int body) {
  for (int line = body; line < s->count; line++) {
    const char *p = sample_after_hash(s, head, syntax->delimiter);
    const char *q = s->lines[line].hash ? NULL : s->lines[line].text;
    while (p != NULL && q != NULL) {
      csv_cell name, cell;
      number parsed;
      p = csv_next_cell(p, s->lines[head].end, syntax->delimiter, &name);
      q = csv_next_cell(q, s->lines[line].end, syntax->delimiter, &cell);
      const size_t length = (size_t)(name.end - name.begin);
      const bool equal = (size_t)(cell.end - cell.begin) == length && memcmp(name.begin, cell.begin, length) == 0;
      const csv_kind kind = equal ? csv_cell_read(syntax, &name, &parsed) : CSV_MISSING;
      if (kind == CSV_TEXT || kind == CSV_YES_NO) return true;
    }
  }
  return false;
}

/* true if no row holds mostly numbers like years, or if three or more years are beside names that are no cells of their
 * columns, and no row of several has numbers at equal intervals. */
static bool are_years_above(const csv_sample *s, const csv_syntax *syntax, int body, const head_numbers *h) {
  enum { YEARS_LEAST = 3, STEP_MOST = 10, ROWS_LEAST = 4 };
  int rows = 0, alike = 0, regular = 0;
  for (int line = body; line < s->count; line++) {
    if (s->lines[line].hash) continue;
    const head_numbers row = read_head(s, syntax, line);
    rows++;
    alike += !is_otherwise(s, syntax, line, FIRST_YEAR, LAST_YEAR);
    regular += row.regular && row.numbers >= YEARS_LEAST;
  }
  const bool beside_names = h->names > 0 && h->numbers >= YEARS_LEAST && h->step <= STEP_MOST;
  return alike == 0 || (beside_names && rows >= ROWS_LEAST && regular == 0 && !recurs(s, syntax, h->line, body));
}

/* true for names 0, 1, 2, ..., which pandas gives to columns without names, or years. */
static bool are_number_names(const csv_sample *s, const csv_syntax *syntax, int body, const head_numbers *h) {
  if (!h->regular || h->numbers < 2 || h->names + h->numbers + h->first_empty < h->cells) return false;
  const int64_t last = h->first + h->step * (int64_t)(h->numbers - 1);
  const bool years = h->first >= FIRST_YEAR && last <= LAST_YEAR;
  if (h->step == 1 && (h->first == 0 || h->first == 1)) {
    const head_numbers next = read_head(s, syntax, body);
    if (next.regular && next.numbers == h->numbers && next.step == 1 && next.first == last + 1) return false;
    if (h->first_empty && !next.first_empty) return true;
    if (h->numbers >= MANY) return true;
    if (h->numbers < 3 && h->names == 0) return false;
    return (h->first == 0 && is_otherwise(s, syntax, body, 0, (double)last)) ||
           (h->names > 0 && all_have_decimals(s, syntax, body) && !recurs(s, syntax, h->line, body));
  }
  return years && are_years_above(s, syntax, body, h);
}

/* true for wavelengths, energies or times, which name the columns of spectra: ascending numbers above all values in the
 * rows, together with a name or, without one, so many at equal distances that they cannot be a row. */
static bool are_positions(const csv_sample *s, const csv_syntax *syntax, int body, const head_numbers *h, bool named) {
  if (!h->ascending || h->names + h->numbers + h->first_empty < h->cells) return false;
  if (h->numbers < (named ? 3 : MANY) || (!named && !h->even)) return false;
  for (int line = body; line < s->count; line++) {
    if (s->lines[line].hash) continue;
    const head_numbers row = read_head(s, syntax, line);
    if ((row.ascending && row.numbers == h->numbers) || !is_otherwise(s, syntax, line, h->low, h->high)) return false;
  }
  return true;
}

/* What a text is that no name is: 'd', a date or a time, or 'u', a number with a unit; else 0. */
static char special_kind(const csv_cell *cell, char unit[CSV_UNIT_BYTES]) {
  if (csv_cell_is_date(cell)) return 'd';
  return csv_cell_unit(cell, unit) ? 'u' : '\0';
}

/* Is a column, whose cell in each line begins at at[line], of dates alone, or of numbers with one unit? Moves at to the
 * next cells. */
static bool take_special_column(const csv_sample *s, const csv_syntax *syntax, int body, const char **at) {
  char first[CSV_UNIT_BYTES] = "", unit[CSV_UNIT_BYTES] = "", kind = '\0';
  bool special = true;
  for (int line = body; line < s->count; line++) {
    csv_cell cell;
    number parsed;
    if (s->lines[line].hash || at[line] == NULL) continue;
    at[line] = csv_next_cell(at[line], s->lines[line].end, syntax->delimiter, &cell);
    if (csv_cell_read(syntax, &cell, &parsed) == CSV_MISSING) continue;
    const char found = special_kind(&cell, unit);
    if (kind == '\0') {
      kind = found;
      memcpy(first, unit, sizeof first);
    }
    special = special && found != '\0' && found == kind && (found == 'd' || strcmp(unit, first) == 0);
  }
  return special && kind != '\0';
}

/* Does the line head have a name above a column of dates, or of numbers with a unit? Such a table may have no others.
 */
static bool is_name_over_special(const csv_sample *s, const csv_syntax *syntax, int head, int body) {
  const char *at[SAMPLE_MOST], *p = sample_after_hash(s, head, syntax->delimiter);
  for (int line = body; line < s->count; line++) at[line] = s->lines[line].text;
  while (p != NULL) {
    csv_cell above;
    number parsed;
    char unit[CSV_UNIT_BYTES];
    p = csv_next_cell(p, s->lines[head].end, syntax->delimiter, &above);
    const bool name = read_cell(syntax, &above, &parsed) == CSV_TEXT && special_kind(&above, unit) == '\0';
    if (take_special_column(s, syntax, body, at) && name) return true;
  }
  return false;
}

/* Does the line head have a name above a column of yes and no alone? Among other letters, y, n, t and f are codes. */
static bool is_name_over_answers(const csv_sample *s, const csv_syntax *syntax, int head, int body) {
  const char *at[SAMPLE_MOST], *p = sample_after_hash(s, head, syntax->delimiter);
  for (int line = body; line < s->count; line++) at[line] = s->lines[line].hash ? NULL : s->lines[line].text;
  while (p != NULL) {
    csv_cell cell;
    number parsed;
    int answers = 0, others = 0;
    p = csv_next_cell(p, s->lines[head].end, syntax->delimiter, &cell);
    const bool name = read_cell(syntax, &cell, &parsed) == CSV_TEXT;
    for (int line = body; line < s->count; line++) {
      if (at[line] == NULL) continue;
      at[line] = csv_next_cell(at[line], s->lines[line].end, syntax->delimiter, &cell);
      const csv_kind kind = read_cell(syntax, &cell, &parsed);
      answers += kind == CSV_YES_NO;
      others += kind != CSV_YES_NO && kind != CSV_MISSING;
    }
    if (name && answers > 0 && others == 0) return true;
  }
  return false;
}

bool sample_may_be_names(const csv_sample *s, const csv_syntax *syntax, int row) {
  enum { YEARS_LEAST = 3, NUMBERS_LEAST = 4 };
  const head_numbers h = read_head(s, syntax, row);
  int rows = 0;
  if (!h.regular || h.numbers < h.cells || h.numbers < YEARS_LEAST) return false;
  if (h.numbers < NUMBERS_LEAST && (h.low < FIRST_YEAR || h.high > LAST_YEAR)) return false;
  for (int line = row + 1; line < s->count; line++) {
    if (s->lines[line].hash) continue;
    if (read_head(s, syntax, line).regular) return false;
    rows++;
  }
  return rows >= MANY;
}

bool sample_is_header(const csv_sample *s, const csv_syntax *syntax, int head, int body) {
  const head_numbers h = read_head(s, syntax, head);
  const bool answers = h.numbers > 0 || h.cells > SAMPLE_TEXTS_MOST; /* each counts, whatever its column holds */
  uint64_t over = 0;
  if (body >= s->count) return h.names > 0 && h.numbers == 0;
  for (int line = body; line < s->count; line++) {
    if (s->lines[line].hash) continue;
    const uint64_t found = names_over_numbers(s, syntax, head, line, answers);
    if (found > over) over = found;
  }
  if (h.numbers == 0 && over == 0)
    return is_name_over_answers(s, syntax, head, body) || is_name_over_special(s, syntax, head, body);
  if (h.numbers == 0 || over * 2 > h.cells) return over > 0;
  const bool numbered = h.regular && h.numbers > 1 && h.step == 1 && (h.first == 0 || h.first == 1);
  return (numbered && over > 0) || are_number_names(s, syntax, body, &h) ||
         are_positions(s, syntax, body, &h, over > 0);
}

static bool all_have_numbers(const csv_sample *s, const csv_syntax *syntax, int body) {
  for (int line = body; line < s->count; line++)
    if (!s->lines[line].hash && read_head(s, syntax, line).numbers == 0) return false;
  return true;
}

bool sample_is_units(const csv_sample *s, const csv_syntax *syntax, int at, bool more) {
  if (at + 1 >= s->count || s->lines[at].hash) return false;
  uint64_t filled = 0, cells = 0;
  for (const char *p = s->lines[at].text; p != NULL;) {
    csv_cell cell;
    number parsed;
    p = csv_next_cell(p, s->lines[at].end, syntax->delimiter, &cell);
    const csv_kind kind = read_cell(syntax, &cell, &parsed);
    const bool empty = cell.begin == cell.end || (cell.end == cell.begin + 1 && strchr("-.", *cell.begin) != NULL);
    if (kind == CSV_NUMBER || (kind == CSV_MISSING && !empty)) return false;
    filled += cell.begin < cell.end;
    cells++;
  }
  const bool types = more && (filled == 1 || (filled < cells && all_have_numbers(s, syntax, at + 1)));
  if (types && !recurs(s, syntax, at, at + 1)) return true;
  for (int line = at + 1; line < s->count; line++)
    if (!s->lines[line].hash && names_over_numbers(s, syntax, at, line, false) > 0) return true;
  return false;
}

/* true for a line of years alone (2019,2020,2019,2020,) above rows of other numbers. */
static bool are_years(const csv_sample *s, const csv_syntax *syntax, int at) {
  int years = 0;
  for (const char *p = s->lines[at].text; p != NULL;) {
    csv_cell cell;
    number n;
    p = csv_next_cell(p, s->lines[at].end, syntax->delimiter, &cell);
    if (cell.begin == cell.end) continue;
    if (read_cell(syntax, &cell, &n) != CSV_NUMBER || !n.is_integer) return false;
    if (n.integer < FIRST_YEAR || n.integer > LAST_YEAR) return false;
    years++;
  }
  for (int line = at + 1; line < s->count; line++)
    if (!s->lines[line].hash && !is_otherwise(s, syntax, line, FIRST_YEAR, LAST_YEAR)) return false;
  return years > 1;
}

bool sample_is_level(const csv_sample *s, const csv_syntax *syntax, int at) {
  return at + 1 < s->count && !s->lines[at].hash &&
         (sample_is_units(s, syntax, at, false) || sample_is_header(s, syntax, at, at + 1) || are_years(s, syntax, at));
}

/* true if a column that counts up from this number may number the rows. A part of a table may begin at any row number,
 * but years are values. */
static bool may_be_row_number(int64_t first) {
  return first >= 0 && first < LAST_ROW && (first < FIRST_YEAR || first > LAST_YEAR);
}

static csv_cell first_cell(const csv_sample *s, const csv_syntax *syntax, int line) {
  csv_cell cell;
  (void)csv_next_cell(s->lines[line].text, s->lines[line].end, syntax->delimiter, &cell);
  return cell;
}

bool sample_names_rows(const csv_sample *s, const csv_syntax *syntax, int body) {
  if (sample_column(s, syntax, body, 0) == COLUMN_DATA) return false;
  for (int i = body; i < s->count; i++) {
    const csv_cell cell = first_cell(s, syntax, i);
    const size_t length = (size_t)(cell.end - cell.begin);
    for (int j = body; j < i && !s->lines[i].hash; j++) {
      const csv_cell other = first_cell(s, syntax, j);
      const bool same = (size_t)(other.end - other.begin) == length && memcmp(other.begin, cell.begin, length) == 0;
      if (!s->lines[j].hash && same) return false;
    }
  }
  return true;
}

/* The cell of a column in a row of the sample; an empty one where the row is too short. */
static csv_cell cell_of(const csv_sample *s, const csv_syntax *syntax, int line, uint32_t column) {
  const char *p = s->lines[line].text, *const end = s->lines[line].end;
  csv_cell cell = {.begin = end, .end = end};
  for (uint32_t i = 0; i <= column && p != NULL; i++) p = csv_next_cell(p, end, syntax->delimiter, &cell);
  return cell;
}

column_role sample_column(const csv_sample *s, const csv_syntax *syntax, int body, uint32_t column) {
  bool counts = true, grows = true, all_text = true;
  int rows = 0;
  int64_t last = 0;
  for (int line = body; line < s->count; line++) {
    number n = {.value = 0};
    if (s->lines[line].hash) continue;
    const csv_cell cell = cell_of(s, syntax, line, column);
    const csv_kind kind = read_cell(syntax, &cell, &n);
    const bool whole = kind == CSV_NUMBER && n.is_integer;
    all_text = all_text && is_name(kind);
    counts = counts && whole && (rows == 0 ? may_be_row_number(n.integer) : n.integer == last + 1);
    grows = grows && whole;
    last = n.integer;
    rows++;
  }
  if (rows == 0) return COLUMN_DATA;
  if (counts && rows >= MANY) return COLUMN_NUMBERS_ROWS;
  return grows ? COLUMN_WHOLE : all_text ? COLUMN_TEXT : COLUMN_DATA;
}
