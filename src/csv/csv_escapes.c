#include "csv/csv_escapes.h"

#include <stdio.h>
#include <string.h>

static bool is_usual(char c) { return c == ',' || c == ';' || c == '\t' || c == '|'; }

/* ---- Quotes ---- */

/* Does an unescaped quote, with a usual delimiter behind it, follow? */
static bool closes_below(const char *p, const char *end) {
  for (; p + 1 < end; p++)
    if (*p == '"' && p[-1] != '\\' && is_usual(p[1])) return true;
  return false;
}

static bool has_odd_quotes(const char *p, const char *end) {
  bool odd = false;
  for (; p < end; p++) odd ^= *p == '"';
  return odd;
}

/* May the quote at p, behind a backslash in a quoted cell that begins at cell, not be its end? odd: the line has an odd
 * number of quotes. */
static bool is_inside(const char *text, const char *cell, const char *p, const char *end, bool odd) {
  const char *const next = p + 1;
  if (next == end || is_usual(*next)) return false;                                 /* "C:\data\", */
  if (*next == ' ' || *next == '\r') return cell > text || closes_below(next, end); /* blanks may separate */
  if (*next != '"') return true;
  return (next + 1 == end || is_usual(next[1])) && odd; /* "5\"", unlike "C:\""dir""" */
}

/* Is a quote inside of a quoted cell behind a backslash? */
static bool escapes_quotes(const char *text, const char *end) {
  const bool odd = has_odd_quotes(text, end);
  for (const char *p = text; (p = memchr(p, '"', (size_t)(end - p))) != NULL; p++) {
    if (p > text && !is_usual(p[-1])) continue;
    const char *const cell = p;
    for (p++; p < end && *p != '"'; p++) {
      if (*p != '\\' || p + 1 == end || p[1] != '"') continue;
      p++;
      if (is_inside(text, cell, p, end, odd)) return true;
      break;
    }
    if (p >= end) return false;
  }
  return false;
}

const char *csv_escaped_quotes_command(const csv_lines *lines, char text[ESCAPES_BYTES]) {
  char file[FOREIGN_NAME_BYTES], base[FOREIGN_NAME_BYTES];
  foreign_command_names(input_path(lines->in), file, base);
  (void)snprintf(text, ESCAPES_BYTES, "sed 's/\\\\\"/\"\"/g' '%s' > '%s-quoted.csv'", file, base);
  return text;
}

mlpd_status csv_escapes_check_quotes(const csv_sample *s, const csv_lines *lines) {
  char command[ESCAPES_BYTES];
  for (int i = 0; i < s->count; i++)
    if (escapes_quotes(s->lines[i].text, s->lines[i].end))
      return FAIL(MLPD_ERROR_DATA,
                  "%s:%llu: quotes inside of cells are written \\\" here, which ends the cell; double them: %s",
                  input_name(lines->in), (unsigned long long)s->lines[i].line,
                  csv_escaped_quotes_command(lines, command));
  return MLPD_OK;
}

/* ---- Delimiters ---- */

/* The number of delimiters behind a backslash, but for one that ends a path: C:\data\, */
static uint64_t count_escapes(const char *begin, const char *end, char delimiter) {
  uint64_t found = 0;
  int backslashes = 0;
  for (const char *p = begin; p < end && delimiter != CSV_BLANKS; p++) {
    const bool ends = *p == delimiter;
    found += ends && backslashes == 1 && p[-1] == '\\';
    backslashes = ends ? 0 : backslashes + (*p == '\\');
  }
  return found;
}

bool csv_has_escapes(const char *begin, const char *end, char delimiter) {
  return count_escapes(begin, end, delimiter) > 0;
}

const char *csv_escapes_command(const csv_lines *lines, char delimiter, char text[ESCAPES_BYTES]) {
  char file[FOREIGN_NAME_BYTES], base[FOREIGN_NAME_BYTES];
  const char itself[] = {delimiter, '\0'}, *const d = delimiter == '\t' ? "\\t" : itself;
  foreign_command_names(input_path(lines->in), file, base);
  (void)snprintf(text, ESCAPES_BYTES,
                 "python3 -c \"import csv; csv.writer(open('%s-quoted.csv', 'w', newline='')).writerows(csv.reader("
                 "(l.replace('%s'+chr(92)+'N', '%s') for l in open('%s', newline='')), escapechar=chr(92), "
                 "delimiter='%s'))\"",
                 base, d, d, file, d);
  return text;
}

static mlpd_status fail_escapes(const csv_sample *s, int line, const csv_lines *lines, char delimiter) {
  char command[ESCAPES_BYTES];
  return FAIL(MLPD_ERROR_DATA,
              "%s:%llu: delimiters inside of cells are written behind a backslash here; put such cells in quotes: %s",
              input_name(lines->in), (unsigned long long)s->lines[line].line,
              csv_escapes_command(lines, delimiter, command));
}

mlpd_status csv_escapes_check(const csv_sample *s, int head, const csv_lines *lines, char delimiter) {
  for (int i = head + 1; i < s->count; i++)
    if (csv_has_escapes(s->lines[i].text, s->lines[i].end, delimiter)) return fail_escapes(s, i, lines, delimiter);
  return MLPD_OK;
}

mlpd_status csv_escapes_check_cells(const csv_sample *s, const csv_lines *lines, char delimiter) {
  uint64_t cells = 0, cells_left = 0;
  bool differ = false, differ_left = false;
  int first = -1;
  for (int i = 0; i < s->count; i++) {
    const struct sample_line *const line = &s->lines[i];
    if (line->hash) continue;
    const uint64_t escapes = count_escapes(line->text, line->end, delimiter);
    const uint64_t all = csv_count_cells(line->text, line->end, delimiter), left = all > escapes ? all - escapes : 0;
    if (escapes > 0 && first < 0) first = i;
    differ = differ || (cells > 0 && all != cells);
    differ_left = differ_left || (cells > 0 && left != cells_left);
    cells = all;
    cells_left = left;
  }
  return first >= 0 && differ && !differ_left && cells_left > 1 ? fail_escapes(s, first, lines, delimiter) : MLPD_OK;
}

uint64_t csv_escapes_find(const csv_sample *s, int body, char delimiter) {
  for (int i = body; i < s->count; i++)
    if (csv_has_escapes(s->lines[i].text, s->lines[i].end, delimiter)) return s->lines[i].line;
  return 0;
}

/* ---- Without a backslash ---- */

/* The cells of a line, if those from an open parenthesis to the one that closes it are one: c(4, 5), which write.csv of
 * R leaves without quotes. */
static uint64_t count_whole(const struct sample_line *line, char delimiter) {
  uint64_t cells = 0, since = 0; /* since the first parenthesis that is open */
  int before = 0;                /* parentheses that are open */
  for (const char *p = line->text; p != NULL;) {
    csv_cell cell;
    int open = 0;
    p = csv_next_cell(p, line->end, delimiter, &cell);
    for (const char *q = cell.begin; q < cell.end && !cell.quoted; q++) open += (*q == '(') - (*q == ')');
    since = before > 0 ? since + 1 : 0;
    cells++;
    if (before > 0 && before + open <= 0) cells -= since;
    before = before + open > 0 ? before + open : 0;
  }
  return cells;
}

static bool has_divided_cell(const struct sample_line *line, char delimiter) {
  return count_whole(line, delimiter) < csv_count_cells(line->text, line->end, delimiter);
}

static mlpd_status fail_divided(const csv_lines *lines, const struct sample_line *row, const csv_layout *layout,
                                uint64_t names) {
  return FAIL(
      MLPD_ERROR_DATA,
      "%s:%llu: %u cells, but the header has %llu names: a text here seems to hold the delimiter; put such texts "
      "into double quotes",
      input_name(lines->in), (unsigned long long)row->line, layout->columns, (unsigned long long)names);
}

mlpd_status csv_escapes_check_divided(const csv_sample *s, int body, const csv_lines *lines, const csv_layout *layout) {
  const struct sample_line *const head = &s->lines[layout->head];
  csv_cell first;
  int i = body;
  (void)csv_next_cell(sample_after_hash(s, layout->head, layout->delimiter), head->end, layout->delimiter, &first);
  while (i < s->count && (s->lines[i].hash || !has_divided_cell(&s->lines[i], layout->delimiter))) i++;
  if (first.begin < first.end && i == s->count) return MLPD_OK;
  return fail_divided(lines, &s->lines[i < s->count ? i : body], layout, layout->columns - 1);
}

mlpd_status csv_escapes_check_title(const csv_sample *s, int body, const csv_lines *lines, const csv_layout *layout) {
  if (body == 0 || body >= s->count || s->lines[body - 1].hash || s->lines[body].hash) return MLPD_OK;
  const struct sample_line *const title = &s->lines[body - 1], *const row = &s->lines[body];
  const uint64_t names = csv_count_cells(title->text, title->end, layout->delimiter);
  const uint64_t whole = count_whole(row, layout->delimiter);
  if (whole == layout->columns || names < 2 || (names != whole && names + 1 != whole)) return MLPD_OK;
  return fail_divided(lines, row, layout, names);
}
