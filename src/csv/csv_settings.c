/* Finds the table below the settings that instruments write above it: LabVIEW, oscilloscopes, spectrometers. */
#include "csv/csv_sample.h"

enum { ROWS_LEAST = 2 };

typedef struct line_kinds {
  uint64_t cells, filled, names, numbers;
} line_kinds;

static line_kinds read_line(const csv_sample *s, const csv_syntax *syntax, int at) {
  line_kinds k = {.cells = 0};
  for (const char *p = s->lines[at].text; p != NULL; k.cells++) {
    csv_cell cell;
    number parsed;
    char hint[CSV_HINT_BYTES];
    p = csv_next_cell(p, s->lines[at].end, syntax->delimiter, &cell);
    const csv_kind kind = csv_cell_read(syntax, &cell, &parsed);
    const bool is_number = kind == CSV_NUMBER || (kind == CSV_TEXT && csv_cell_hint(&cell, hint));
    k.filled += cell.begin < cell.end;
    k.numbers += is_number;
    k.names += !is_number && (kind == CSV_TEXT || kind == CSV_YES_NO);
  }
  return k;
}

/* The fewest numbers in a line from body on, or 0 if the lines are not rows of one table. */
static uint64_t fewest_numbers(const csv_sample *s, const csv_syntax *syntax, int body, uint64_t columns) {
  uint64_t fewest = 0;
  int rows = 0;
  for (int i = body; i < s->count; i++) {
    if (s->lines[i].hash) continue;
    const line_kinds k = read_line(s, syntax, i);
    if (k.cells != columns) return 0;
    if (rows++ == 0 || k.numbers < fewest) fewest = k.numbers;
  }
  return rows >= ROWS_LEAST ? fewest : 0;
}

int sample_after_settings(const csv_sample *s, const csv_syntax *syntax, int start, uint64_t columns) {
  uint64_t most = 0; /* numbers in a line above; one line above names of units may be names: x-axis,1,2 */
  for (int i = start; i + ROWS_LEAST < s->count; i++) {
    if (s->lines[i].hash) continue;
    const line_kinds k = read_line(s, syntax, i);
    const bool header = i > start + 1 && k.cells == columns && k.names == k.filled && 2 * k.filled > k.cells;
    if (header && most > 0 && fewest_numbers(s, syntax, i + 1, columns) > most) return i;
    most = k.numbers > most ? k.numbers : most;
  }
  return start;
}
