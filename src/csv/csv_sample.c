#include "csv/csv_sample.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "csv/csv_footer.h"

enum { SAMPLE_BYTES = 1 << 22 };

/* There may be many comments above the table: keeps only the last of them. */
static void drop_first_but(csv_sample *s, int most) {
  while (s->count > most) sample_drop_first(s);
}

void sample_drop_first(csv_sample *s) {
  free(s->lines[0].text);
  s->count--;
  memmove(s->lines, s->lines + 1, (size_t)s->count * sizeof s->lines[0]);
}

/* Cells such as #ff8000 begin most lines, and all lines have as many delimiters as the first. */
static bool hashes_begin_cells(const csv_sample *s) {
  int hashes = 0;
  for (int i = 0; i < s->count; i++) hashes += s->lines[i].hash;
  if (s->count == 0 || s->lines[0].hash || 2 * hashes <= s->count) return false;
  for (const char *d = ",;\t|"; *d != '\0'; d++) {
    int least = INT_MAX, most = 0;
    for (int i = 0; i < s->count; i++) {
      int times = 0;
      for (const char *p = s->lines[i].text; p < s->lines[i].end; p++) times += *p == *d;
      least = times < least ? times : least;
      most = times > most ? times : most;
    }
    if (least == most && most > 0) return true;
  }
  return false;
}

mlpd_status sample_take(csv_lines *lines, csv_sample *s) {
  size_t bytes = 0;
  bool above = true; /* only comments so far */
  while (s->count < SAMPLE_MOST && (s->count < 2 || bytes < SAMPLE_BYTES)) {
    const char *begin, *end;
    uint64_t rows;
    TRY(csv_next_line(lines, &begin, &end));
    if (begin == NULL || (s->count > 0 && csv_is_footer(begin, end, &rows))) break;
    struct sample_line *line = &s->lines[s->count];
    const size_t length = (size_t)(end - begin);
    TRY(memory_allocate(&line->text, length + 1, 1, "CSV sample"));
    memcpy(line->text, begin, length);
    line->end = line->text + length;
    line->line = lines->line;
    line->indent = 0;
    while (begin - line->indent > lines->buffer && begin[-line->indent - 1] == ' ') line->indent++;
    line->hash = line->text[0] == '#';
    bytes += length;
    s->count++;
    above = above && line->hash;
    if (above) drop_first_but(s, SAMPLE_ROWS - 1);
  }
  s->all_comments = true;
  for (int i = 0; i < s->count; i++) s->all_comments = s->all_comments && s->lines[i].hash;
  if (!s->all_comments && !hashes_begin_cells(s)) return MLPD_OK;
  for (int i = 0; i < s->count; i++) s->lines[i].hash = false; /* they are rows, not comments */
  return MLPD_OK;
}

void sample_free(csv_sample *s) {
  for (int i = 0; i < s->count; i++) free(s->lines[i].text);
  s->count = 0;
}

char sample_named_delimiter(const csv_sample *s) {
  const struct sample_line *line = &s->lines[0];
  const char *text = line->text;
  const size_t length = (size_t)(line->end - text);
  if (length == 5 && memcmp(text, "sep=", 4) == 0) return text[4];
  if (length == 7 && memcmp(text, "\"sep=", 5) == 0 && text[6] == '"') return text[5];
  if (length == 4 && memcmp(text, "sep=", 4) == 0) return '\t'; /* the tab at the end was removed as a blank */
  return 0;
}

static uint64_t cells_of(const csv_sample *s, int line, char delimiter) {
  return csv_count_cells(s->lines[line].text, s->lines[line].end, delimiter);
}

uint64_t sample_columns(const csv_sample *s, char delimiter, int *times) {
  uint64_t counts[SAMPLE_MOST], best = 1;
  *times = 0;
  for (int i = 0; i < s->count; i++) counts[i] = s->lines[i].hash ? 0 : cells_of(s, i, delimiter);
  for (int i = 0; i < s->count; i++) {
    int same = 0;
    for (int j = 0; j < s->count; j++) same += counts[j] == counts[i];
    if (counts[i] > 0 && same > *times) {
      *times = same;
      best = counts[i];
    }
  }
  return best;
}

/* ---- Delimiter ---- */

/* The number of cells that are numbers, in any notation, or yes/no, in the lines that have so many cells. */
static uint64_t count_numbers(const csv_sample *s, const csv_syntax *syntax, uint64_t columns) {
  uint64_t numbers = 0;
  for (int i = 0; i < s->count; i++) {
    if (s->lines[i].hash || cells_of(s, i, syntax->delimiter) != columns) continue;
    for (const char *p = s->lines[i].text; p != NULL;) {
      csv_cell cell;
      number parsed;
      p = csv_next_cell(p, s->lines[i].end, syntax->delimiter, &cell);
      char hint[CSV_HINT_BYTES];
      const csv_kind kind = csv_cell_read(syntax, &cell, &parsed);
      numbers += !cell.damaged && (kind < CSV_MISSING || (kind == CSV_TEXT && csv_cell_hint(&cell, hint)));
    }
  }
  return numbers;
}

/* Do blanks cut so many cells of `times` lines alone, or another number of the first, where best fits all lines? Then
 * they are a part of cells: 5 kg,0.50 EUR. */
static bool are_inside_cells(const csv_sample *s, uint64_t columns, int times, int best_times) {
  int lines = 0, first = 0;
  while (first < s->count && s->lines[first].hash) first++;
  for (int i = first; i < s->count; i++) lines += !s->lines[i].hash;
  return lines > 1 && best_times == lines && (times < lines || cells_of(s, first, CSV_BLANKS) != columns);
}

/* true if each line begins and ends with *, as ROOT prints tables. */
static bool is_starred(const csv_sample *s) {
  for (int i = 0; i < s->count; i++)
    if (s->lines[i].text[0] != '*' || s->lines[i].end[-1] != '*' || cells_of(s, i, '*') < 4) return false;
  return s->count > 1;
}

/* Of the usual delimiters, chooses that with the most numbers, then the most lines of equal length, then the first: the
 * semicolon precedes the comma, which may be a decimal sign. */
char sample_find_delimiter(const csv_sample *s, const csv_syntax *syntax) {
  static const char usual[] = {'\t', ';', ',', '|', CSV_BLANKS}, rare[] = {':', '~', '^', '&', '/', '@', 1, 0x1F};
  csv_syntax tried = *syntax;
  char best = 0;
  if (is_starred(s)) return '*';
  uint64_t most_numbers = 0;
  int most_times = 0;
  for (size_t i = 0; i < sizeof usual; i++) {
    int times;
    tried.delimiter = usual[i];
    const uint64_t columns = sample_columns(s, usual[i], &times);
    if (columns < 2) continue;
    const uint64_t numbers = count_numbers(s, &tried, columns);
    if (usual[i] == CSV_BLANKS && best != 0 && are_inside_cells(s, columns, times, most_times)) continue;
    if (best != 0 && (numbers < most_numbers || (numbers == most_numbers && times <= most_times))) continue;
    best = usual[i];
    most_numbers = numbers;
    most_times = times;
  }
  if (best != 0) return best;
  for (size_t i = 0; i < sizeof rare; i++) {
    int times;
    tried.delimiter = rare[i];
    const uint64_t columns = sample_columns(s, rare[i], &times);
    if (columns < 2 || s->count < 2 || times + 1 < s->count) continue;
    if (count_numbers(s, &tried, columns) >= (uint64_t)(times - 1) * columns)
      return rare[i]; /* almost every cell is a number */
  }
  return ',';
}

bool sample_has_decimal_commas(const csv_sample *s, int body) {
  int rows = 0, zeros = 0, widths[SAMPLE_MOST] = {0};
  for (int i = body; i < s->count; i++) {
    if (s->lines[i].hash) continue;
    int column = 0;
    for (const char *p = s->lines[i].text; p != NULL; column++) {
      csv_cell cell;
      p = csv_next_cell(p, s->lines[i].end, ',', &cell);
      const int width = (int)(cell.end - cell.begin);
      const size_t sign = column % 2 == 0 && (*cell.begin == '-' || *cell.begin == '+');
      if (cell.quoted || column == SAMPLE_MOST || width == 0) return false;
      if (strspn(cell.begin + sign, "0123456789") != (size_t)width - sign) return false;
      if (column % 2 == 0) continue;
      zeros += *cell.begin == '0';
      if (width < 2 || (rows > 0 && width != widths[column])) return false;
      widths[column] = width;
    }
    if (column % 2 != 0) return false;
    rows++;
  }
  return rows >= 8 && zeros > 0;
}

/* Several numbers, each with a point, and a minus sign between any two? */
static bool are_touching(const char *p, const char *end) {
  int numbers = 0;
  for (; p < end; numbers++) {
    const char *const begin = p + (*p == '-');
    int points = 0;
    for (p = begin; p < end && *p != '-'; p++) {
      if ((*p < '0' || *p > '9') && *p != '.') return false;
      points += *p == '.';
    }
    if (points != 1 || p - begin < 2) return false;
  }
  return numbers > 1;
}

static bool find_touching(const csv_sample *s, int line, csv_cell *cell) {
  for (const char *p = s->lines[line].text; p != NULL && !s->lines[line].hash;) {
    p = csv_next_cell(p, s->lines[line].end, CSV_BLANKS, cell);
    if (!cell->quoted && are_touching(cell->begin, cell->end)) return true;
  }
  return false;
}

/* Has another line, in which no numbers touch, as many cells? */
static bool fits_another(const csv_sample *s, int line) {
  csv_cell cell;
  for (int i = 0; i < s->count; i++)
    if (!s->lines[i].hash && cells_of(s, i, CSV_BLANKS) == cells_of(s, line, CSV_BLANKS) && !find_touching(s, i, &cell))
      return true;
  return false;
}

int sample_touching_numbers(const csv_sample *s, csv_cell *cell) {
  for (int i = 0; i < s->count; i++)
    if (find_touching(s, i, cell) && !fits_another(s, i)) return i;
  return -1;
}

static int by_name(const void *a, const void *b) {
  const named_column *x = a, *y = b;
  const int order = strcmp(x->name, y->name);
  return order != 0 ? order : (x->column > y->column) - (x->column < y->column);
}

mlpd_status sample_sort_names(char *const *names, uint32_t columns, named_column **order) {
  TRY(memory_allocate(order, columns, sizeof **order, "column names"));
  for (uint32_t c = 0; c < columns; c++) (*order)[c] = (named_column){names[c], c};
  qsort(*order, columns, sizeof **order, by_name);
  return MLPD_OK;
}
