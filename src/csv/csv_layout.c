#include <stdlib.h>
#include <string.h>

#include "base/foreign.h"
#include "base/memory.h"
#include "csv/csv_encoding.h"
#include "csv/csv_escapes.h"
#include "csv/csv_fixed.h"
#include "csv/csv_sample.h"

static const uint64_t COLUMNS_MOST = UINT64_C(1) << 22;

enum { NAMES_COMPARED = 256, ROWS_LEAST = 3 };

/* ---- Where the table begins ---- */

/* The number of empty cells at the end of a line, one after each trailing delimiter. */
static uint64_t empty_at_end(const struct sample_line *line, char delimiter) {
  uint64_t empty = 0;
  if (delimiter == CSV_BLANKS) return 0;
  for (const char *p = line->end; p > line->text; p--) {
    if (p[-1] == delimiter)
      empty++;
    else if (p[-1] != ' ' && p[-1] != '\t')
      break;
  }
  return empty;
}

static bool has_kind(const struct sample_line *line, const csv_syntax *syntax, csv_kind wanted) {
  for (const char *p = line->text; p != NULL;) {
    csv_cell cell;
    number parsed;
    p = csv_next_cell(p, line->end, syntax->delimiter, &cell);
    if (csv_cell_read(syntax, &cell, &parsed) == wanted) return true;
  }
  return false;
}

/* true if a cell is empty, other than those after trailing delimiters. */
static bool has_empty(const struct sample_line *line, const csv_syntax *syntax) {
  uint64_t cells = csv_count_cells(line->text, line->end, syntax->delimiter) - empty_at_end(line, syntax->delimiter);
  for (const char *p = line->text; p != NULL && cells > 0; cells--) {
    csv_cell cell;
    p = csv_next_cell(p, line->end, syntax->delimiter, &cell);
    if (cell.begin == cell.end) return true;
  }
  return false;
}

static bool any_number(const csv_sample *s, const csv_syntax *syntax) {
  for (int i = 0; i < s->count; i++)
    if (has_kind(&s->lines[i], syntax, CSV_NUMBER)) return true;
  return false;
}

/* true if the line has so many cells, of which the last may be empty. */
static bool fits(const struct sample_line *line, const csv_syntax *syntax, uint64_t columns) {
  const uint64_t cells = csv_count_cells(line->text, line->end, syntax->delimiter);
  return cells >= columns && cells - empty_at_end(line, syntax->delimiter) <= columns;
}

/* true for a header that lacks one cell: R omits the name of the column of row names, and a header may lack the empty
 * cell after a trailing delimiter. If the next line has no numbers, it is a title instead. */
static bool is_short_header(const csv_sample *s, int line, const csv_syntax *syntax, uint64_t columns) {
  const struct sample_line *l = &s->lines[line];
  const uint64_t cells = csv_count_cells(l->text, l->end, syntax->delimiter);
  int below = line + 1;
  while (below < s->count && s->lines[below].hash) below++;
  return cells + 1 == columns && strchr("/%;!*-", *l->text) == NULL && below < s->count &&
         !has_kind(l, syntax, CSV_NUMBER) && fits(&s->lines[below], syntax, columns) &&
         has_kind(&s->lines[below], syntax, CSV_NUMBER);
}

/* true for a line of words whose second half is empty, as spreadsheets write titles: Report,,, */
static bool is_padded_title(const struct sample_line *line, const csv_syntax *syntax) {
  uint64_t cells = 0, filled = 0;
  for (const char *p = line->text; p != NULL; cells++) {
    csv_cell cell;
    p = csv_next_cell(p, line->end, syntax->delimiter, &cell);
    filled += cell.begin < cell.end;
  }
  const bool padded = filled <= 1 ? empty_at_end(line, syntax->delimiter) + 1 >= cells : filled * 2 < cells;
  return padded && cells > 1 && (filled == 0 || has_kind(line, syntax, CSV_TEXT));
}

/* true if the line is a header whose empty cells are filled by the one below it: g,,h above a,b,c */
static bool has_level_below(const csv_sample *s, const csv_syntax *syntax, int head) {
  const int below = head + 1;
  return sample_is_level(s, syntax, below) && !has_empty(&s->lines[below], syntax) &&
         sample_is_header(s, syntax, below, below + 1);
}

/* The number of lines from i on that are titles above a header without empty cells. */
static int count_padded_titles(const csv_sample *s, const csv_syntax *syntax, int i, uint64_t columns) {
  int titles = 0;
  while (i + titles < s->count && (s->lines[i + titles].hash || is_padded_title(&s->lines[i + titles], syntax)))
    titles++;
  const int head = i + titles;
  const bool headed = titles > 0 && head < s->count && fits(&s->lines[head], syntax, columns) &&
                      (!has_empty(&s->lines[head], syntax) || has_level_below(s, syntax, head)) &&
                      sample_is_header(s, syntax, head, head + 1);
  return headed ? titles : 0;
}

/* Do all names of a line differ? */
static bool names_differ(const csv_sample *s, int line, char delimiter) {
  const char *const end = s->lines[line].end;
  int i = 0;
  for (const char *p = sample_after_hash(s, line, delimiter); p != NULL && i < NAMES_COMPARED; i++) {
    csv_cell cell, other;
    p = csv_next_cell(p, end, delimiter, &cell);
    for (const char *q = p; q != NULL;) {
      q = csv_next_cell(q, end, delimiter, &other);
      const size_t length = (size_t)(cell.end - cell.begin);
      if ((size_t)(other.end - other.begin) == length && memcmp(other.begin, cell.begin, length) == 0) return false;
    }
  }
  return i < NAMES_COMPARED;
}

static bool has_sign(const csv_sample *s, int line, char delimiter) {
  return !s->lines[line].hash && sample_after_hash(s, line, delimiter) != s->lines[line].text;
}

/* true for a comment of another program above the header, as % made by hand: the line below it is a header, too. Units
 * below names repeat themselves. */
static bool is_signed_title(const csv_sample *s, const csv_syntax *syntax, int line) {
  const int below = line + 1;
  if (!has_sign(s, line, syntax->delimiter) || below + 1 >= s->count || s->lines[below].hash) return false;
  if (has_sign(s, below, syntax->delimiter) && !names_differ(s, below, syntax->delimiter)) return false;
  return sample_is_header(s, syntax, below, below + 1);
}

/* true for a word and, in another cell, "=". */
static bool sets_value(const struct sample_line *line, const csv_syntax *syntax) {
  csv_cell cell;
  number parsed;
  const char *p = csv_next_cell(line->text, line->end, syntax->delimiter, &cell);
  if (csv_cell_read(syntax, &cell, &parsed) != CSV_TEXT) return false;
  while (p != NULL) {
    p = csv_next_cell(p, line->end, syntax->delimiter, &cell);
    if (cell.end - cell.begin == 1 && *cell.begin == '=') return true;
  }
  return false;
}

/* true for a setting, as simulation programs write them above a table: TITLE = "flow". No name of a column is "=".
 * Rows may hold such a cell, too; then some are below other rows. */
static bool is_setting(const csv_sample *s, const csv_syntax *syntax, int line, uint64_t columns) {
  int last = s->count - 1;
  if (!sets_value(&s->lines[line], syntax)) return false;
  while (!sets_value(&s->lines[last], syntax)) last--;
  for (int i = line; i < last; i++)
    if (!sets_value(&s->lines[i], syntax) && fits(&s->lines[i], syntax, columns)) return false;
  return true;
}

/* true for a line with more cells than the rows above their header, as loggers of Campbell write: TOA5,CR1000,1234,...
 */
static bool is_wide_title(const csv_sample *s, const csv_syntax *syntax, int line, uint64_t columns) {
  return line + 2 < s->count && !s->lines[line + 1].hash && fits(&s->lines[line + 1], syntax, columns) &&
         sample_is_header(s, syntax, line + 1, line + 2);
}

/* The first line of the table. Lines above it are titles if they hold words and have fewer cells. A line with more
 * cells would be a header that does not fit the rows. */
static int find_start(const csv_sample *s, const csv_syntax *syntax, uint64_t columns, int times) {
  int first = 0;
  while (first < s->count && s->lines[first].hash) first++;
  for (int i = first; i < s->count && times > 1; i++) {
    if (s->lines[i].hash || is_signed_title(s, syntax, i) || is_setting(s, syntax, i, columns)) continue;
    i += count_padded_titles(s, syntax, i, columns);
    if (fits(&s->lines[i], syntax, columns) || is_short_header(s, i, syntax, columns)) return i;
    if (csv_count_cells(s->lines[i].text, s->lines[i].end, syntax->delimiter) > columns) {
      if (is_wide_title(s, syntax, i, columns)) continue;
      return i;
    }
    if (!has_kind(&s->lines[i], syntax, CSV_TEXT)) return first;
  }
  return first;
}

/* The number of columns without trailing ones that are empty in all lines, including the header. */
static uint64_t without_trailing(const csv_sample *s, int start, char delimiter, uint64_t columns) {
  uint64_t least = columns - 1;
  for (int i = start; i < s->count; i++) {
    const uint64_t cells = csv_count_cells(s->lines[i].text, s->lines[i].end, delimiter);
    const uint64_t filled = cells - empty_at_end(&s->lines[i], delimiter);
    const uint64_t empty = filled < columns ? columns - filled : 0;
    if (!s->lines[i].hash && empty < least) least = empty;
  }
  return columns - least;
}

/* Of comments that may be the header the lower ones hold units, if they repeat themselves and the upper one does not.
 */
static int above_units(const csv_sample *s, const csv_syntax *syntax, int head, uint64_t columns) {
  for (int i = head; i >= 0 && s->lines[i].hash; i--) {
    const char *const names = sample_after_hash(s, i, syntax->delimiter);
    if (csv_count_cells(names, s->lines[i].end, syntax->delimiter) != columns) break;
    if (names_differ(s, i, syntax->delimiter)) return i;
  }
  return head;
}

/* Finds a comment directly above the table that is its header or, if it has as many cells, its first row. Returns its
 * line, else start. */
static int find_hash_line(const csv_sample *s, const csv_syntax *syntax, int start, uint64_t columns, bool *header) {
  *header = false;
  for (int i = start - 1; i >= 0 && s->lines[i].hash; i--) {
    const struct sample_line *line = &s->lines[i];
    const char *names = sample_after_hash(s, i, syntax->delimiter);
    if (csv_count_cells(names, line->end, syntax->delimiter) == columns &&
        (sample_is_header(s, syntax, i, start) || sample_text_header(s, syntax, i, start) != NO_HEADER))
      return *header = true, above_units(s, syntax, i, columns);
    const bool cells = syntax->delimiter != CSV_BLANKS || names == line->text + 1; /* a separate # is not a cell */
    if (cells && csv_count_cells(line->text, line->end, syntax->delimiter) == columns) return i;
  }
  return start;
}

/* ---- Layout ---- */

static bool is_unnamed(const char *name) { return strncmp(name, "Unnamed: ", 9) == 0; }

static void find_index(const csv_sample *s, const csv_syntax *syntax, int body, csv_layout *layout) {
  const column_role role = sample_column(s, syntax, body, 0);
  const bool unnamed = layout->names == NULL || is_unnamed(layout->names[0]);
  if (layout->names != NULL)
    layout->index = unnamed && role != COLUMN_DATA && !(layout->columns > 1 && is_unnamed(layout->names[1]));
  else
    layout->index = role == COLUMN_NUMBERS_ROWS && layout->columns > 2;
}

static void show_line(const struct sample_line *line, char shown[CSV_SHOWN_BYTES + 4]) {
  (void)csv_cell_shown(&(csv_cell){.begin = line->text, .end = line->end}, shown);
}

/* Finds the titles above the table, and its first row, whose line in the sample it returns. */
static int find_rows(const csv_sample *s, const csv_syntax *syntax, int head, int body, csv_layout *layout) {
  const int top = layout->header && head < body ? head : body;
  if (top > 0) show_line(&s->lines[0], layout->title);
  layout->titles = (uint32_t)top;
  while (layout->header && body < s->count && sample_is_units(s, syntax, body, layout->unit_lines > 0)) {
    if (layout->unit_lines++ == 0) show_line(&s->lines[body], layout->units);
    body++;
  }
  layout->first_line = body < s->count ? s->lines[body].line : UINT64_MAX;
  return body;
}

static mlpd_status check_fixed(const struct sample_line *head, uint64_t names, const csv_lines *lines,
                               const csv_layout *layout) {
  char command[FIXED_BYTES];
  if (layout->widths[0] == '\0') return MLPD_OK;
  return FAIL(MLPD_ERROR_DATA,
              "%s:%llu: %llu cells in the header, but %u in the rows, whose columns seem to have a fixed width: divide "
              "them: %s",
              input_name(lines->in), (unsigned long long)head->line, (unsigned long long)names, layout->columns,
              csv_fixed_command(lines, true, layout->widths, command));
}

/* A header with more names than the rows have cells would name the wrong columns. */
static mlpd_status check_header(const csv_sample *s, const struct sample_line *head, const csv_lines *lines,
                                const csv_layout *layout) {
  const uint64_t cells =
      csv_count_cells(sample_after_hash(s, (int)(head - s->lines), layout->delimiter), head->end, layout->delimiter);
  const uint64_t names = cells - empty_at_end(head, layout->delimiter);
  if (names <= layout->columns) return MLPD_OK;
  TRY(csv_escapes_check(s, (int)(head - s->lines), lines, layout->delimiter));
  TRY(check_fixed(head, names, lines, layout));
  const uint64_t skip = layout->fits_from > head->line ? layout->fits_from - 1 : head->line;
  const bool uneven = layout->delimiter == CSV_BLANKS && layout->fits_from != head->line + 1;
  char command[FIXED_BYTES] = "";
  if (uneven) (void)csv_fixed_command(lines, true, "", command);
  return FAIL(MLPD_ERROR_DATA,
              "%s:%llu: %llu cells in the header, but %u in the rows (is it a title? --skip-lines %llu skips %s%s%s)",
              input_name(lines->in), (unsigned long long)head->line, (unsigned long long)names, layout->columns,
              (unsigned long long)skip, skip > head->line ? "all that is above the rows" : "it",
              uneven ? "; where columns have a fixed width, divide them: " : "", command);
}

/* A header may lack the name of the column that names the rows. Where the first column does not, another lacks its
 * name, and all would be called by their neighbour's. */
static mlpd_status check_short_header(const csv_sample *s, const csv_syntax *syntax, int body, const csv_lines *lines,
                                      const csv_layout *layout) {
  const struct sample_line *const head = &s->lines[layout->head];
  const char *const names = sample_after_hash(s, layout->head, layout->delimiter);
  const uint64_t cells = csv_count_cells(names, head->end, layout->delimiter);
  if (layout->levels > 1 || cells + 1 != layout->columns) return MLPD_OK;
  if (body < s->count) TRY(csv_escapes_check_divided(s, body, lines, layout));
  if (sample_names_rows(s, syntax, body)) return MLPD_OK;
  TRY(csv_escapes_check(s, layout->head, lines, layout->delimiter));
  TRY(check_fixed(head, cells, lines, layout));
  return FAIL(MLPD_ERROR_DATA,
              "%s:%llu: %llu names for %u columns, and the first column does not name the rows: one lacks its name; "
              "write it, or use --skip-lines %llu --header no",
              input_name(lines->in), (unsigned long long)head->line, (unsigned long long)cells, layout->columns,
              (unsigned long long)head->line);
}

static mlpd_status keep_header(const struct sample_line *head, csv_lines *lines) {
  lines->header_bytes = (size_t)(head->end - head->text);
  TRY(memory_allocate(&lines->header, lines->header_bytes + 1, 1, "CSV header"));
  memcpy(lines->header, head->text, lines->header_bytes);
  return MLPD_OK;
}

/* The line from which on all lines have so many cells. */
static uint64_t find_fitting(const csv_sample *s, const csv_syntax *syntax, uint64_t columns) {
  int i = s->count;
  while (i > 0 && (s->lines[i - 1].hash || fits(&s->lines[i - 1], syntax, columns))) i--;
  return s->count - i >= ROWS_LEAST ? s->lines[i].line : 0;
}

/* Finds a delimiter of two signs, as of 1::2::0, in all lines of a table that seems to have one column. */
static void find_long_delimiter(const csv_sample *s, char found[3]) {
  static const char *const pairs[] = {"::", "~~", "@@", "##"};
  for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
    int lines = 0;
    while (lines < s->count && strstr(s->lines[lines].text, pairs[i]) != NULL) lines++;
    if (lines == s->count) memcpy(found, pairs[i], 3);
  }
}

/* Names and classes in another encoding than they are read in would be garbage. */
static mlpd_status check_encoding(const csv_sample *s, const csv_lines *lines, csv_layout *layout) {
  csv_encoding e = {.used = 0};
  char advice[ENCODING_ADVICE_BYTES];
  for (int i = 0; i < s->count; i++) {
    if (csv_is_utf8(s->lines[i].text, s->lines[i].end)) continue;
    layout->latin = true;
    csv_encoding_add(&e, s->lines[i].text, s->lines[i].end);
  }
  csv_encoding_doubt(&e, layout->others);
  if (!layout->latin || csv_encoding_is_western(&e)) return MLPD_OK;
  csv_encoding_advise(&e, advice);
  return FAIL(MLPD_ERROR_DATA, "%s: its text is neither UTF-8 nor Windows-1252; name its encoding: %s",
              input_name(lines->in), advice[0] != '\0' ? advice : "--encoding NAME (iconv -l lists them)");
}

/* For a table whose lines have different numbers of cells, or one: 1.5-2.5 may be a text in another. */
static mlpd_status check_touching(const csv_sample *s, const csv_lines *lines) {
  char file[FOREIGN_NAME_BYTES], base[FOREIGN_NAME_BYTES], shown[CSV_SHOWN_BYTES + 4];
  csv_cell cell;
  const int line = sample_touching_numbers(s, &cell);
  if (line < 0) return MLPD_OK;
  foreign_command_names(input_path(lines->in), file, base);
  return FAIL(MLPD_ERROR_DATA,
              "%s:%llu: '%s': numbers touch, because their columns have a fixed width; a blank before each minus sign "
              "separates them: sed 's/\\([0-9.]\\)-/\\1 -/g' '%s' > '%s-apart.txt'",
              input_name(lines->in), (unsigned long long)s->lines[line].line, csv_cell_shown(&cell, shown), file, base);
}

static mlpd_status fail_columns(const csv_lines *lines) {
  return FAIL(MLPD_ERROR_DATA, "%s: has more than %llu columns", input_name(lines->in),
              (unsigned long long)COLUMNS_MOST);
}

/* Delimiters in a line outside of quoted cells, many blanks counted as one. */
static uint64_t count_delimiters(const char *begin, const char *end, char delimiter) {
  uint64_t found = 0;
  bool quoted = false;
  for (const char *p = begin; p < end; p++) {
    const bool opens = *p == '"' && (p == begin || strchr("\t;,| ", p[-1]) != NULL || p[-1] == delimiter);
    if (quoted && *p == '"' && p + 1 < end && p[1] == '"')
      p++; /* a quote in the cell */
    else if (*p == '"')
      quoted = !quoted && opens;
    found += !quoted && *p == delimiter && (*p != ' ' || p == begin || p[-1] != ' ');
  }
  return found;
}

/* Refuses a line of delimiters before any of them is read as the end of a cell, which takes minutes. */
static mlpd_status check_width(const csv_sample *s, const csv_lines *lines) {
  const char delimiters[] = {'\t', ';', ',', '|', ' ', lines->delimiter};
  for (int i = 0; i < s->count; i++)
    for (size_t d = 0; d < sizeof delimiters && delimiters[d] != 0; d++)
      if (count_delimiters(s->lines[i].text, s->lines[i].end, delimiters[d]) >= COLUMNS_MOST)
        return fail_columns(lines);
  return MLPD_OK;
}

static mlpd_status find_table(csv_sample *s, csv_lines *lines, const char *header, const csv_syntax *wanted,
                              csv_layout *layout) {
  csv_syntax syntax = *wanted;
  const char named = sample_named_delimiter(s);
  if (named != 0) sample_drop_first(s);
  if (s->count == 0) return FAIL(MLPD_ERROR_DATA, "%s: holds no rows", input_name(lines->in));
  TRY(csv_escapes_check_quotes(s, lines));
  if (syntax.delimiter == 0) syntax.delimiter = named != 0 ? named : sample_find_delimiter(s, &syntax);
  layout->delimiter = syntax.delimiter;
  TRY(csv_escapes_check_cells(s, lines, syntax.delimiter));
  int times;
  uint64_t columns = sample_columns(s, syntax.delimiter, &times);
  if (columns > COLUMNS_MOST) return fail_columns(lines);
  if (columns == 1 || (syntax.delimiter == CSV_BLANKS && times < s->count)) TRY(check_touching(s, lines));
  if (s->all_comments && !any_number(s, &syntax))
    return FAIL(MLPD_ERROR_DATA, "%s: holds no rows", input_name(lines->in));
  int start = find_start(s, &syntax, columns, times);
  if (strcmp(header, "no") != 0) start = sample_after_settings(s, &syntax, start, columns);
  const uint64_t filled = without_trailing(s, start, syntax.delimiter, columns);
  layout->trailing = filled < columns;
  layout->columns = (uint32_t)filled;
  if (columns == 1) find_long_delimiter(s, layout->long_delimiter);
  if (columns == 1 || syntax.delimiter == CSV_BLANKS) csv_fixed_find(s, layout->widths);
  layout->fits_from = find_fitting(s, &syntax, columns);
  const bool plain_header = sample_is_header(s, &syntax, start, start + 1);
  bool hash_header = false;
  int head = plain_header ? start : find_hash_line(s, &syntax, start, filled, &hash_header);
  const bool found = plain_header || head < start;
  const text_header texts = found ? NO_HEADER : sample_text_header(s, &syntax, start, start + 1);
  const bool own_header = plain_header || texts != NO_HEADER;
  layout->header = strcmp(header, "yes") == 0 || (strcmp(header, "auto") == 0 && (own_header || hash_header));
  if (hash_header && !layout->header) head = start;       /* the line is a comment */
  const bool alone = own_header && start + 1 >= s->count; /* a line of texts, and no other */
  layout->text_header = layout->header && (texts != NO_HEADER || alone) && strcmp(header, "auto") == 0;
  layout->unsure_header = layout->text_header && texts == UNSURE_HEADER;
  int body = !layout->header ? head : hash_header ? start : head + 1;
  if (layout->header) TRY(check_header(s, &s->lines[head], lines, layout));
  if (layout->header) TRY(sample_take_names(s, &syntax, head, &body, layout));
  if (layout->header && has_kind(&s->lines[head], &syntax, CSV_TEXT)) TRY(keep_header(&s->lines[head], lines));
  body = find_rows(s, &syntax, layout->header ? layout->head : head, body, layout);
  if (layout->header) TRY(check_short_header(s, &syntax, body, lines, layout));
  if (!layout->header && strcmp(header, "auto") == 0) TRY(csv_escapes_check_title(s, body, lines, layout));
  TRY(check_encoding(s, lines, layout));
  find_index(s, &syntax, body, layout);
  if (strcmp(header, "auto") == 0 && !layout->header && body < s->count && sample_may_be_names(s, &syntax, body))
    layout->row_or_names = s->lines[body].line;
  if (!layout->header) layout->escapes = csv_escapes_find(s, body, syntax.delimiter);
  layout->decimal_commas = !layout->header && syntax.delimiter == ',' && sample_has_decimal_commas(s, body);
  return MLPD_OK;
}

mlpd_status csv_layout_find(csv_lines *lines, const char *header, const csv_syntax *syntax, csv_layout *layout) {
  *layout = (csv_layout){.delimiter = syntax->delimiter};
  csv_sample s = {.count = 0};
  mlpd_status status;
  lines->delimiter = syntax->delimiter;
  TRY_GOTO(status, sample_take(lines, &s), done);
  if (s.count == 0) {
    status = FAIL(MLPD_ERROR_DATA, "%s: holds no rows", input_name(lines->in));
    goto done;
  }
  TRY_GOTO(status, check_width(&s, lines), done);
  TRY_GOTO(status, find_table(&s, lines, header, syntax, layout), done);
  lines->delimiter = layout->delimiter;
  lines->columns = layout->columns;
  if (layout->first_line > 0) lines->skip = layout->first_line - 1;
  status = csv_lines_rewind(lines);
done:
  sample_free(&s);
  if (status != MLPD_OK) csv_layout_free(layout);
  return status;
}

void csv_layout_free(csv_layout *layout) {
  for (uint32_t c = 0; layout->names != NULL && c < layout->columns; c++) free(layout->names[c]);
  free(layout->names);
  free(layout->repeated);
  layout->names = NULL;
  layout->repeated = NULL;
}
