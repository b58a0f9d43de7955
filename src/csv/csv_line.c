#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "csv/csv.h"
#include "csv/csv_decode.h"

static const size_t FIRST_CAPACITY = (size_t)1 << 20, CAPACITY_MOST = (size_t)1 << 28; /* bytes */

enum { QUOTED_MOST = 1 << 16, CHARACTER_MOST = 4 }; /* bytes: most of a row after its first line; longest character */
enum { DRAWN_LEAST = 3 };                           /* -- is a missing value */

static bool is_blank(char c) { return c == ' ' || c == '\t'; }

mlpd_status csv_lines_start(input *in, csv_lines *lines) {
  *lines = (csv_lines){.in = in, .capacity = FIRST_CAPACITY, .line_end = '\n', .next = 1};
  return memory_allocate(&lines->buffer, lines->capacity + 1, 1, "CSV buffer");
}

mlpd_status csv_lines_rewind(csv_lines *lines) {
  lines->begin = lines->end = 0;
  lines->started = lines->at_end = false;
  lines->line = 0;
  lines->next = 1;
  lines->comments = lines->repeated = lines->drawn = 0;
  lines->footer[0] = '\0';
  csv_decoder_free(lines->decoder);
  lines->decoder = NULL;
  return input_rewind(lines->in);
}

void csv_lines_free(csv_lines *lines) {
  csv_decoder_free(lines->decoder);
  free(lines->buffer);
  free(lines->header);
}

/* Doubles the buffer for a row that does not fit. */
static mlpd_status grow(csv_lines *lines) {
  if (lines->capacity >= CAPACITY_MOST)
    return FAIL(MLPD_ERROR_DATA, "%s:%llu: the line is longer than %zu bytes; is this a text file?",
                input_name(lines->in), (unsigned long long)lines->next, CAPACITY_MOST);
  char *larger = realloc(lines->buffer, 2 * lines->capacity + 1);
  if (larger == NULL)
    return FAIL(MLPD_ERROR_MEMORY, "%s: out of memory for a line of %zu bytes", input_name(lines->in),
                2 * lines->capacity);
  lines->buffer = larger;
  lines->capacity *= 2;
  return MLPD_OK;
}

/* '\r' for a file of an old Macintosh (carriage returns, and no line feed, in its first megabyte), else '\n'. */
static char find_line_end(const char *bytes, size_t count) {
  return memchr(bytes, '\n', count) == NULL && count > 0 && memchr(bytes, '\r', count - 1) != NULL ? '\r' : '\n';
}

static mlpd_status nul_error(const csv_lines *lines, const char *at) {
  uint64_t line = lines->next;
  for (const char *p = lines->buffer; p < at; p++) line += *p == lines->line_end;
  return FAIL(MLPD_ERROR_DATA,
              "%s:%llu: contains a NUL byte, so it is not text (is it another format, or damaged? tr -d '\\000' "
              "removes NUL bytes)",
              input_name(lines->in), (unsigned long long)line);
}

/* Skips a byte order mark, or one that was read as Latin-1 and became UTF-8. */
static bool skip_mark(csv_lines *lines) {
  static const char *const marks[] = {"\uFEFF", "\u00EF\u00BB\u00BF"};
  for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
    const size_t length = strlen(marks[i]);
    if (lines->end - lines->begin < length || memcmp(lines->buffer + lines->begin, marks[i], length) != 0) continue;
    lines->begin += length;
    return true;
  }
  return false;
}

static mlpd_status first_bytes(csv_lines *lines) {
  lines->started = true;
  lines->line_end = find_line_end(lines->buffer, lines->end);
  while (skip_mark(lines)) continue; /* some programs write two */
  return MLPD_OK;
}

/* Moves the unused bytes to the start of the buffer and fills the rest. */
static mlpd_status refill(csv_lines *lines) {
  const size_t left = lines->end - lines->begin;
  if (lines->capacity - left < CHARACTER_MOST) TRY(grow(lines));
  memmove(lines->buffer, lines->buffer + lines->begin, left);
  lines->begin = 0;
  size_t got = 0;
  const size_t room = lines->capacity - left;
  if (!lines->started) TRY(csv_decoder_find(lines->in, lines->encoding, &lines->decoder));
  if (lines->decoder != NULL)
    TRY(csv_decoder_read(lines->decoder, lines->in, lines->buffer + left, room, &got));
  else
    TRY(input_read(lines->in, lines->buffer + left, room, &got));
  lines->end = left + got;
  lines->at_end = lines->decoder != NULL ? csv_decoder_done(lines->decoder) : got < room;
  lines->buffer[lines->end] = '\0';
  lines->quotes = lines->quotes || memchr(lines->buffer + left, '"', got) != NULL;
  const char *nul = memchr(lines->buffer + left, '\0', got);
  if (nul != NULL) return nul_error(lines, nul);
  return lines->started ? MLPD_OK : first_bytes(lines);
}

/* Finds the end of the line that contains byte `searched`; searched and *end are offsets from lines->begin. *found is
 * false at the end of the input. May move the buffer. */
static mlpd_status find_end(csv_lines *lines, size_t searched, size_t *end, bool *found) {
  for (;;) {
    const char *at = lines->buffer + lines->begin;
    const size_t left = lines->end - lines->begin;
    const char *match = left > searched ? memchr(at + searched, lines->line_end, left - searched) : NULL;
    *found = match != NULL || (lines->at_end && left > searched);
    if (*found) *end = match != NULL ? (size_t)(match - at) : left;
    if (*found || lines->at_end) return MLPD_OK;
    searched = left;
    TRY(refill(lines));
  }
}

static bool ends_cell(const csv_lines *lines, char c) {
  if (lines->delimiter == CSV_BLANKS) return is_blank(c);
  return lines->delimiter != 0 ? c == lines->delimiter : c == ',' || c == ';' || c == '\t' || c == '|';
}

typedef enum quote_state { QUOTES_CLOSED, QUOTES_OPEN, QUOTES_DAMAGED } quote_state;

/* Determines whether a quoted cell is still open at the end of text. A quote opens a cell only at the cell's start; one
 * inside a cell is text. */
static quote_state scan_quotes(const csv_lines *lines, const char *text, const char *end) {
  const char *p = text;
  while ((p = memchr(p, '"', (size_t)(end - p))) != NULL) {
    const char *before = p;
    while (before > text && is_blank(before[-1]) && !ends_cell(lines, before[-1])) before--;
    p++;
    if (before > text && !ends_cell(lines, before[-1])) continue;
    for (; p < end && (*p != '"' || (p + 1 < end && p[1] == '"')); p++)
      if (*p == '"') p++;
    if (p >= end) return QUOTES_OPEN;
    for (p++; p < end && is_blank(*p) && !ends_cell(lines, *p);) p++;
    if (p < end && *p != '\r' && !ends_cell(lines, *p)) return QUOTES_DAMAGED;
  }
  return QUOTES_CLOSED;
}

/* Adds lines to the row while a quoted cell is open. If no quote closes it, the row is only its first line, and the
 * cell is reported as damaged. *end and *lines_taken: the end of the row and its number of lines. */
static mlpd_status join_lines(csv_lines *lines, size_t *end, uint64_t *lines_taken) {
  const size_t first_end = *end;
  uint64_t joined = 1;
  while (*end - first_end < QUOTED_MOST) {
    const char *text = lines->buffer + lines->begin;
    const quote_state state = scan_quotes(lines, text, text + *end);
    if (state == QUOTES_CLOSED) return *lines_taken = joined, MLPD_OK;
    bool found = false;
    if (state == QUOTES_OPEN) TRY(find_end(lines, *end + 1, end, &found));
    if (!found) break;
    joined++;
  }
  *end = first_end;
  *lines_taken = 1;
  return MLPD_OK;
}

/* The next row, comments included, without its line end; the last line may have none. */
static mlpd_status next_raw_line(csv_lines *lines, const char **begin, const char **end) {
  size_t length = 0;
  uint64_t lines_taken = 1;
  bool found;
  if (!lines->started) TRY(refill(lines));
  TRY(find_end(lines, 0, &length, &found));
  if (!found) return *begin = *end = NULL, MLPD_OK;
  if (lines->quotes && lines->next > lines->skip && memchr(lines->buffer + lines->begin, '"', length) != NULL)
    TRY(join_lines(lines, &length, &lines_taken));
  *begin = lines->buffer + lines->begin;
  *end = *begin + length;
  lines->begin += length + (lines->begin + length < lines->end);
  lines->line = lines->next;
  lines->next += lines_taken;
  return MLPD_OK;
}

static void note_comment(csv_lines *lines, const char *p, const char *q) {
  if (lines->comments++ > 0) return;
  const size_t length = (size_t)(q - p) < CSV_SHOWN_BYTES ? (size_t)(q - p) : CSV_SHOWN_BYTES;
  memcpy(lines->comment, p, length);
  lines->comment[length] = '\0';
  lines->first_comment = lines->line;
}

/* With blanks as delimiter, a separate # at the beginning is not a cell. */
static bool is_comment(const csv_lines *lines, const char *p, const char *q) {
  if (lines->columns == 0) return false;
  if (lines->delimiter == CSV_BLANKS && (p + 1 == q || is_blank(p[1]))) return true;
  const uint64_t cells = csv_count_cells(p, q, lines->delimiter);
  const bool trailing = q[-1] == lines->delimiter;
  return cells - trailing != lines->columns && cells != lines->columns;
}

/* Are two lines the same but for the case of letters, blanks and quotes? */
static bool are_alike(const char *p, const char *q, const char *other, const char *end) {
  for (;; p++, other++) {
    while (p < q && (is_blank(*p) || *p == '"')) p++;
    while (other < end && (is_blank(*other) || *other == '"')) other++;
    if (p == q || other == end) return p == q && other == end;
    if (tolower((unsigned char)*p) != tolower((unsigned char)*other)) return false;
  }
}

/* Of tables that were put together each may begin with a byte order mark and with the header. DOS ended texts with
 * Control-Z. */
static bool is_seam(csv_lines *lines, const char *p, const char *q) {
  static const char mark[] = "\xEF\xBB\xBF";
  if (q == p + 1 && *p == 0x1A) return true;
  if (lines->header == NULL) return false;
  if (q - p > 3 && memcmp(p, mark, 3) == 0) p += 3;
  const bool same = are_alike(p, q, lines->header, lines->header + lines->header_bytes);
  lines->repeated += same;
  return same;
}

/* true for a line of runs of one sign, -----  ----- or ****, which text above and below a table is drawn with. Above
 * a narrow column a run is shorter: =====  ==  =
 */
static bool is_drawn(const char *p, const char *q) {
  const char *const begin = p;
  ptrdiff_t longest = 0, shortest = q - p;
  bool same = true;
  while (p < q) {
    const char *const first = p;
    if (strchr("-=*_~", *first) == NULL) return false;
    while (p < q && *p == *first) p++;
    if (p < q && !is_blank(*p)) return false;
    same = same && *first == *begin;
    longest = p - first > longest ? p - first : longest;
    shortest = p - first < shortest ? p - first : shortest;
    while (p < q && is_blank(*p)) p++;
  }
  return (same ? longest : shortest) >= DRAWN_LEAST;
}

static void note_drawn(csv_lines *lines, const char *p, const char *q) {
  if (lines->columns == 0 || csv_count_cells(p, q, lines->delimiter) != lines->columns) return;
  if (lines->drawn++ == 0) lines->first_drawn = lines->line;
}

/* Clients of databases frame tables: +-----+-----+ */
static bool is_ruler(csv_lines *lines, const char *p, const char *q) {
  const char *const begin = p;
  if (is_drawn(p, q)) return note_drawn(lines, p, q), true;
  if (*p != '+' || q - p < 3 || q[-1] != '+') return false;
  while (p < q && (*p == '+' || *p == '-' || *p == '=')) p++;
  return p == q && (begin[1] == '-' || begin[1] == '=');
}

mlpd_status csv_next_line(csv_lines *lines, const char **begin, const char **end) {
  for (;;) {
    TRY(next_raw_line(lines, begin, end));
    if (*begin == NULL) return MLPD_OK;
    if (lines->line <= lines->skip) continue;
    const char *p = *begin, *q = *end;
    while (q > p && q[-1] == '\r') q--;
    const char *text = p;
    while (text < q && (is_blank(*text) || *text == '\f')) text++; /* a form feed begins a page */
    if (text == q) continue;
    while (p < q && *p == ' ') p++;
    while (q > p && q[-1] == ' ') q--;
    if (*text == '#' && is_comment(lines, text, q)) {
      note_comment(lines, text, q);
      continue;
    }
    if (is_seam(lines, p, q) || is_ruler(lines, p, q)) continue;
    *begin = p;
    *end = q;
    return MLPD_OK;
  }
}
