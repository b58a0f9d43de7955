/* Recognises the header of a table of texts alone. */
#include <string.h>

#include "csv/csv_sample.h"

enum { ROWS_LEAST = 4 };

static bool are_equal(const csv_cell *a, const csv_cell *b) {
  const size_t length = (size_t)(a->end - a->begin);
  return (size_t)(b->end - b->begin) == length && memcmp(a->begin, b->begin, length) == 0;
}

/* The table whose header is sought. index: the first column has no name, but a cell in each row, which numbers or names
 * it; only the other cells are texts. */
typedef struct table {
  const csv_sample *s;
  const csv_syntax *syntax;
  int head, body;
  bool index;
} table;

/* Reads the cells of a line: their number, or 0 if one is a number, a date or the like, or there are too many. In the
 * header a # in front is ignored, and no cell may be without a value. */
static int read_texts(const table *t, int line, csv_cell *cells) {
  const csv_sample *const s = t->s;
  const csv_syntax *const syntax = t->syntax;
  const bool names = line == t->head;
  int count = 0;
  const char *p = line < s->count ? s->lines[line].text : NULL;
  if (p != NULL && names) p = sample_after_hash(s, line, syntax->delimiter);
  if (p != NULL && t->index) p = csv_next_cell(p, s->lines[line].end, syntax->delimiter, &cells[0]);
  for (; p != NULL; count++) {
    number parsed;
    char hint[CSV_HINT_BYTES];
    if (count == SAMPLE_TEXTS_MOST) return 0;
    csv_cell *const cell = &cells[count];
    p = csv_next_cell(p, s->lines[line].end, syntax->delimiter, cell);
    const csv_kind kind = csv_cell_read(syntax, cell, &parsed);
    if (kind == CSV_MISSING && !names) continue;
    if (kind < CSV_YES_NO || kind == CSV_MISSING || csv_cell_hint(cell, hint) || csv_cell_is_date(cell)) return 0;
  }
  return count;
}

/* Does a column have the same text in two rows? */
static bool any_repeats(const table *t) {
  csv_cell cells[SAMPLE_TEXTS_MOST], others[SAMPLE_TEXTS_MOST];
  for (int i = t->body; i < t->s->count; i++) {
    const int count = read_texts(t, i, cells);
    for (int j = t->body; j < i; j++) {
      const int other_count = read_texts(t, j, others);
      for (int c = 0; c < count && c < other_count; c++)
        if (cells[c].begin < cells[c].end && are_equal(&cells[c], &others[c])) return true;
    }
  }
  return false;
}

/* Is the first cell of a line empty? */
static bool begins_empty(const csv_sample *s, const csv_syntax *syntax, int line) {
  csv_cell cell;
  (void)csv_next_cell(s->lines[line].text, s->lines[line].end, syntax->delimiter, &cell);
  return cell.begin == cell.end;
}

/* pandas and R write no name above the column that numbers or names the rows. */
static bool has_index(const csv_sample *s, const csv_syntax *syntax, int head, int body) {
  if (syntax->delimiter == CSV_BLANKS || head >= s->count || !begins_empty(s, syntax, head)) return false;
  for (int i = body; i < s->count; i++)
    if (begins_empty(s, syntax, i)) return false;
  return sample_names_rows(s, syntax, body);
}

static bool names_differ(const csv_cell *names, int count) {
  for (int c = 1; c < count; c++)
    for (int k = 0; k < c; k++)
      if (are_equal(&names[c], &names[k])) return false;
  return true;
}

text_header sample_text_header(const csv_sample *s, const csv_syntax *syntax, int head, int body) {
  csv_cell names[SAMPLE_TEXTS_MOST], cells[SAMPLE_TEXTS_MOST];
  const table t = {.s = s, .syntax = syntax, .head = head, .body = body, .index = has_index(s, syntax, head, body)};
  const bool numbered = t.index && sample_column(s, syntax, body, 0) == COLUMN_NUMBERS_ROWS;
  const int count = read_texts(&t, head, names);
  int rows = 0;
  if (count + t.index < 2 || !names_differ(names, count)) return NO_HEADER;
  for (int i = body; i < s->count; i++, rows++) {
    if (s->lines[i].hash || read_texts(&t, i, cells) != count) return NO_HEADER;
    for (int c = 0; c < count && !numbered; c++)
      if (are_equal(&names[c], &cells[c])) return NO_HEADER;
  }
  if (rows == 0) return NO_HEADER;
  return numbered || (rows >= ROWS_LEAST && any_repeats(&t)) ? TEXT_HEADER : UNSURE_HEADER;
}
