/* Recognises the header of a table of texts alone. */
#include <string.h>

#include "csv/csv_sample.h"

enum { ROWS_LEAST = 4 };

static bool are_equal(const csv_cell *a, const csv_cell *b) {
  const size_t length = (size_t)(a->end - a->begin);
  return (size_t)(b->end - b->begin) == length && memcmp(a->begin, b->begin, length) == 0;
}

/* Reads the cells of a line: their number, or 0 if one is a number, a date or the like, or there are too many. names:
 * a # in front is ignored, and no cell may be without a value. */
static int read_texts(const csv_sample *s, const csv_syntax *syntax, int line, bool names, csv_cell *cells) {
  int count = 0;
  const char *p = line < s->count ? s->lines[line].text : NULL;
  if (p != NULL && names) p = sample_after_hash(s, line, syntax->delimiter);
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
static bool any_repeats(const csv_sample *s, const csv_syntax *syntax, int body) {
  csv_cell cells[SAMPLE_TEXTS_MOST], others[SAMPLE_TEXTS_MOST];
  for (int i = body; i < s->count; i++) {
    const int count = read_texts(s, syntax, i, false, cells);
    for (int j = body; j < i; j++) {
      const int other_count = read_texts(s, syntax, j, false, others);
      for (int c = 0; c < count && c < other_count; c++)
        if (cells[c].begin < cells[c].end && are_equal(&cells[c], &others[c])) return true;
    }
  }
  return false;
}

text_header sample_text_header(const csv_sample *s, const csv_syntax *syntax, int head, int body) {
  csv_cell names[SAMPLE_TEXTS_MOST], cells[SAMPLE_TEXTS_MOST];
  const int count = read_texts(s, syntax, head, true, names);
  int rows = 0;
  if (count < 2) return NO_HEADER;
  for (int c = 1; c < count; c++)
    for (int k = 0; k < c; k++)
      if (are_equal(&names[c], &names[k])) return NO_HEADER;
  for (int i = body; i < s->count; i++, rows++) {
    if (s->lines[i].hash || read_texts(s, syntax, i, false, cells) != count) return NO_HEADER;
    for (int c = 0; c < count; c++)
      if (are_equal(&names[c], &cells[c])) return NO_HEADER;
  }
  if (rows == 0) return NO_HEADER;
  return rows >= ROWS_LEAST && any_repeats(s, syntax, body) ? TEXT_HEADER : UNSURE_HEADER;
}
