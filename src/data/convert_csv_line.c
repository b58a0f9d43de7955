#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/convert_csv.h"
#include "data/convert_number.h"

static const size_t FIRST_CAPACITY = (size_t)1 << 20, CAPACITY_MOST = (size_t)1 << 28; /* bytes */

static bool is_blank(char c) { return c == ' ' || c == '\t'; }

mlpd_status csv_lines_start(input *in, csv_lines *lines) {
  *lines = (csv_lines){.in = in, .capacity = FIRST_CAPACITY};
  return memory_allocate(&lines->buffer, lines->capacity + 1, 1, "CSV buffer");
}

mlpd_status csv_lines_rewind(csv_lines *lines) {
  lines->begin = lines->end = 0;
  lines->at_end = false;
  lines->line = 0;
  return input_rewind(lines->in);
}

void csv_lines_free(csv_lines *lines) { free(lines->buffer); }

/* A line longer than the buffer: twice the room. */
static mlpd_status grow(csv_lines *lines) {
  if (lines->capacity >= CAPACITY_MOST)
    return FAIL(MLPD_ERROR_DATA, "%s:%llu: the line is longer than %zu bytes; is this a text file?",
                input_name(lines->in), (unsigned long long)(lines->line + 1), CAPACITY_MOST);
  char *larger = realloc(lines->buffer, 2 * lines->capacity + 1);
  if (larger == NULL)
    return FAIL(MLPD_ERROR_MEMORY, "%s: out of memory for a line of %zu bytes", input_name(lines->in),
                2 * lines->capacity);
  lines->buffer = larger;
  lines->capacity *= 2;
  return MLPD_OK;
}

/* Moves what is left to the buffer's front and fills the rest. */
static mlpd_status refill(csv_lines *lines) {
  const size_t left = lines->end - lines->begin;
  if (left == lines->capacity) TRY(grow(lines));
  memmove(lines->buffer, lines->buffer + lines->begin, left);
  lines->begin = 0;
  size_t got = 0;
  const size_t room = lines->capacity - left;
  TRY(input_read(lines->in, lines->buffer + left, room, &got));
  lines->end = left + got;
  lines->at_end = got < room;
  lines->buffer[lines->end] = '\0';
  if (memchr(lines->buffer + left, '\0', got) != NULL)
    return FAIL(MLPD_ERROR_DATA, "%s: holds a NUL byte, so it is no CSV (UTF-16? convert it to UTF-8)",
                input_name(lines->in));
  return MLPD_OK;
}

/* Any next line, without its end; the last may lack one. */
static mlpd_status next_raw_line(csv_lines *lines, const char **begin, const char **end) {
  size_t searched = 0; /* bytes after begin known to hold no line end */
  for (;;) {
    const char *at = lines->buffer + lines->begin;
    const size_t left = lines->end - lines->begin;
    const char *found = left > searched ? memchr(at + searched, '\n', left - searched) : NULL;
    if (found != NULL || (lines->at_end && left > 0)) {
      *begin = at;
      *end = found != NULL ? found : at + left;
      lines->begin = (size_t)(*end - lines->buffer) + (found != NULL);
      lines->line++;
      return MLPD_OK;
    }
    if (lines->at_end) return *begin = *end = NULL, MLPD_OK;
    searched = left;
    TRY(refill(lines));
  }
}

mlpd_status csv_next_line(csv_lines *lines, const char **begin, const char **end) {
  for (;;) {
    TRY(next_raw_line(lines, begin, end));
    if (*begin == NULL) return MLPD_OK;
    const char *p = *begin, *q = *end;
    if (lines->line == 1 && q - p >= 3 && memcmp(p, "\xEF\xBB\xBF", 3) == 0) p += 3; /* UTF-8 byte order mark */
    if (q > p && q[-1] == '\r') q--;
    const char *text = p;
    while (text < q && is_blank(*text)) text++;
    if (text == q || *text == '#') continue;
    while (p < q && *p == ' ') p++;
    while (q > p && q[-1] == ' ') q--;
    *begin = p;
    *end = q;
    return MLPD_OK;
  }
}

static const char *skip_blanks(const char *p, const char *end, char delimiter) {
  while (p < end && is_blank(*p) && (*p != delimiter || delimiter == CSV_BLANKS)) p++;
  return p;
}

static bool is_delimiter(char c, char delimiter) { return delimiter == CSV_BLANKS ? is_blank(c) : c == delimiter; }

/* What follows the delimiter at p, where p < end. */
static const char *after_delimiter(const char *p, const char *end, char delimiter) {
  if (delimiter != CSV_BLANKS) return p + 1;
  p = skip_blanks(p, end, delimiter);
  return p < end ? p : NULL;
}

static const char *next_quoted(const char *p, const char *end, char delimiter, csv_cell *cell) {
  cell->begin = ++p;
  cell->quoted = true;
  for (; p < end && (*p != '"' || (p + 1 < end && p[1] == '"')); p++)
    if (*p == '"') p++;
  cell->end = p;
  if (p >= end) return cell->end = end, cell->damaged = true, NULL;
  const char *next = skip_blanks(p + 1, end, delimiter);
  const bool separated = delimiter == CSV_BLANKS ? next > p + 1 : next < end && is_delimiter(*next, delimiter);
  if (next < end && !separated) return cell->damaged = true, NULL;
  if (next == end) return NULL;
  return delimiter == CSV_BLANKS ? next : next + 1;
}

const char *csv_next_cell(const char *p, const char *end, char delimiter, csv_cell *cell) {
  *cell = (csv_cell){.quoted = false};
  p = skip_blanks(p, end, delimiter);
  if (p < end && *p == '"') return next_quoted(p, end, delimiter, cell);
  cell->begin = p;
  while (p < end && !is_delimiter(*p, delimiter)) p++;
  cell->end = p;
  while (cell->end > cell->begin && is_blank(cell->end[-1])) cell->end--;
  return p < end ? after_delimiter(p, end, delimiter) : NULL;
}

bool csv_cell_is_missing(const csv_cell *cell) {
  static const char *const tokens[] = {"", "?", "NA", "N/A", "nan", "NaN", "NAN"}; /* Na is sodium */
  const size_t length = (size_t)(cell->end - cell->begin);
  for (size_t i = 0; i < sizeof tokens / sizeof tokens[0]; i++)
    if (strlen(tokens[i]) == length && memcmp(tokens[i], cell->begin, length) == 0) return true;
  return false;
}

bool csv_cell_is_number(const csv_cell *cell) {
  number parsed;
  return number_parse(cell->begin, cell->end, &parsed) == cell->end;
}

size_t csv_cell_text(const csv_cell *cell, char *text, size_t size) {
  size_t length = 0;
  for (const char *p = cell->begin; p < cell->end; p++, length++) {
    if (cell->quoted && *p == '"') p++;
    if (length + 1 < size) text[length] = *p;
  }
  text[length < size ? length : size - 1] = '\0';
  return length;
}
