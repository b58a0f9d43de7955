#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/convert_csv.h"

enum { SAMPLE_LINES = 32, SAMPLE_BYTES = 1 << 22, NAME_BYTES = 256 };

static const uint32_t COLUMNS_MOST = UINT32_C(1) << 26;

typedef struct sample {
  char *lines[SAMPLE_LINES]; /* copies */
  size_t lengths[SAMPLE_LINES];
  int count;
} sample;

static mlpd_status sample_take(csv_lines *lines, sample *s) {
  size_t bytes = 0;
  while (s->count < SAMPLE_LINES && (s->count < 2 || bytes < SAMPLE_BYTES)) {
    const char *begin, *end;
    TRY(csv_next_line(lines, &begin, &end));
    if (begin == NULL) break;
    const size_t length = (size_t)(end - begin);
    TRY(memory_allocate(&s->lines[s->count], length + 1, 1, "CSV sample"));
    memcpy(s->lines[s->count], begin, length);
    s->lengths[s->count++] = length;
    bytes += length;
  }
  return MLPD_OK;
}

static void sample_free(sample *s) {
  for (int i = 0; i < SAMPLE_LINES; i++) free(s->lines[i]);
}

static uint64_t count_cells(const sample *s, int line, char delimiter) {
  uint64_t count = 0;
  csv_cell cell;
  const char *end = s->lines[line] + s->lengths[line];
  for (const char *p = s->lines[line]; p != NULL; count++) p = csv_next_cell(p, end, delimiter, &cell);
  return count;
}

/* The first of tab, semicolon, comma and blanks that cuts every line of the sample into the same number
 * of cells, two at least; else the one that cuts the first line into most: the error then names the line
 * that differs. Comma comes after semicolon for "1,5;2,5"-like files, whose error then names the cell. */
static char find_delimiter(const sample *s) {
  static const char candidates[] = {'\t', ';', ',', CSV_BLANKS};
  char best = ',';
  uint64_t most = 1;
  for (size_t i = 0; i < sizeof candidates; i++) {
    const uint64_t cells = count_cells(s, 0, candidates[i]);
    bool same = cells > 1;
    for (int line = 1; line < s->count && same; line++) same = count_cells(s, line, candidates[i]) == cells;
    if (same) return candidates[i];
    if (cells > most) {
      most = cells;
      best = candidates[i];
    }
  }
  return best;
}

/* A header: its first line has, in some column, neither a number nor a missing value where a later line
 * has a number; or, where it stands alone, no number at all. */
static bool has_header(const sample *s, char delimiter) {
  bool any_number = false;
  for (int line = 1; line < s->count; line++) {
    const char *head = s->lines[0], *head_end = head + s->lengths[0];
    const char *body = s->lines[line], *body_end = body + s->lengths[line];
    while (head != NULL && body != NULL) {
      csv_cell head_cell, body_cell;
      head = csv_next_cell(head, head_end, delimiter, &head_cell);
      body = csv_next_cell(body, body_end, delimiter, &body_cell);
      if (!csv_cell_is_number(&head_cell) && !csv_cell_is_missing(&head_cell) && csv_cell_is_number(&body_cell))
        return true;
    }
  }
  csv_cell cell;
  for (const char *p = s->lines[0]; p != NULL && !any_number;) {
    p = csv_next_cell(p, s->lines[0] + s->lengths[0], delimiter, &cell);
    any_number = csv_cell_is_number(&cell);
  }
  return s->count == 1 && !any_number;
}

static mlpd_status take_names(const sample *s, csv_layout *layout) {
  TRY(memory_allocate(&layout->names, layout->columns, sizeof *layout->names, "column names"));
  const char *p = s->lines[0], *end = p + s->lengths[0];
  for (uint32_t c = 0; c < layout->columns; c++) {
    char text[NAME_BYTES];
    csv_cell cell;
    p = csv_next_cell(p, end, layout->delimiter, &cell);
    (void)csv_cell_text(&cell, text, sizeof text);
    TRY(memory_copy_string(text, &layout->names[c]));
  }
  return MLPD_OK;
}

mlpd_status csv_layout_find(csv_lines *lines, const char *header, char delimiter, csv_layout *layout) {
  *layout = (csv_layout){.delimiter = delimiter};
  sample s = {.count = 0};
  mlpd_status status;
  TRY_GOTO(status, sample_take(lines, &s), done);
  if (s.count == 0) {
    status = FAIL(MLPD_ERROR_DATA, "%s: holds no rows", input_name(lines->in));
    goto done;
  }
  if (delimiter == 0) layout->delimiter = find_delimiter(&s);
  const uint64_t columns = count_cells(&s, 0, layout->delimiter);
  if (columns > COLUMNS_MOST) {
    status = FAIL(MLPD_ERROR_DATA, "%s:1: more than %u columns", input_name(lines->in), COLUMNS_MOST);
    goto done;
  }
  layout->columns = (uint32_t)columns;
  layout->header = strcmp(header, "yes") == 0 || (strcmp(header, "auto") == 0 && has_header(&s, layout->delimiter));
  if (layout->header) TRY_GOTO(status, take_names(&s, layout), done);
  status = csv_lines_rewind(lines);
done:
  sample_free(&s);
  if (status != MLPD_OK) csv_layout_free(layout);
  return status;
}

void csv_layout_free(csv_layout *layout) {
  for (uint32_t c = 0; layout->names != NULL && c < layout->columns; c++) free(layout->names[c]);
  free(layout->names);
  layout->names = NULL;
}
