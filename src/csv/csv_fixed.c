#include "csv/csv_fixed.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { ROWS_LEAST = 3, DIGITS_LEAST = 4, NAMES_LEAST = 10, COLUMNS_MOST = 60 };

/* The places in a line behind its cells between blanks. Returns how many, or 0: too many. */
static int find_ends(const struct sample_line *line, ptrdiff_t ends[COLUMNS_MOST]) {
  int count = 0;
  for (const char *p = line->text; p < line->end; p++) {
    if (*p == ' ' || (p + 1 < line->end && p[1] != ' ')) continue;
    if (count == COLUMNS_MOST) return 0;
    ends[count++] = p + 1 - line->text + line->indent;
  }
  return count;
}

static ptrdiff_t width_of(const struct sample_line *line) { return line->end - line->text + line->indent; }

static char sign_at(const struct sample_line *line, ptrdiff_t at) {
  const ptrdiff_t i = at - line->indent;
  return i >= 0 && i < line->end - line->text ? line->text[i] : ' ';
}

static bool is_letter(char c) { return (unsigned char)c >= 0x80 || isalpha((unsigned char)c); }

/* Would the lines be cut there within a word, or before a decimal point? */
static bool cuts(const csv_sample *s, ptrdiff_t at) {
  for (int i = 0; i < s->count; i++) {
    const char before = sign_at(&s->lines[i], at - 1), behind = sign_at(&s->lines[i], at);
    if (is_letter(before) && is_letter(behind)) return true;
    if (behind == '.' && before != ' ') return true;
  }
  return false;
}

static bool is_empty(const csv_sample *s, ptrdiff_t from, ptrdiff_t to) {
  for (int i = 1; i < s->count; i++)
    for (ptrdiff_t at = from; at < to; at++)
      if (sign_at(&s->lines[i], at) != ' ') return false;
  return true;
}

/* Does a line have two numbers there? */
static bool holds_two(const csv_sample *s, ptrdiff_t from, ptrdiff_t to) {
  for (int i = 0; i < s->count; i++)
    for (ptrdiff_t at = from + 1; at < to; at++) {
      if (sign_at(&s->lines[i], at) != ' ' || !isdigit((unsigned char)sign_at(&s->lines[i], at - 1))) continue;
      while (at < to && sign_at(&s->lines[i], at) == ' ') at++;
      if (at < to && !is_letter(sign_at(&s->lines[i], at))) return true;
    }
  return false;
}

/* Writes the widths of columns that end there; false: they are none. */
static bool write_widths(const csv_sample *s, const ptrdiff_t *ends, int count, char widths[CSV_WIDTHS_BYTES]) {
  size_t used = 0;
  ptrdiff_t last = 0;
  for (int c = 0; c < count; last = ends[c++]) {
    if (c + 1 < count && cuts(s, ends[c])) return false;
    if (is_empty(s, last, ends[c]) || holds_two(s, last, ends[c])) return false;
    if (used + 24 > CSV_WIDTHS_BYTES) return false;
    used += (size_t)snprintf(widths + used, CSV_WIDTHS_BYTES - used, "%s%td", c > 0 ? ", " : "", ends[c] - last);
  }
  return count > 1;
}

static bool holds_digits_alone(const struct sample_line *line) {
  const size_t length = (size_t)(line->end - line->text);
  return length >= DIGITS_LEAST && strspn(line->text, "0123456789.+-") == length;
}

/* What the lines have in common. */
typedef struct shape {
  ptrdiff_t width; /* of all rows */
  int least, most; /* cells of a row between blanks */
  int fullest;     /* line with the most cells of all, of that width */
  int head;        /* cells of the first line */
  bool digits;     /* each row is digits alone, as is the first line if it has no letter */
} shape;

static bool find_shape(const csv_sample *s, shape *f) {
  ptrdiff_t ends[COLUMNS_MOST];
  int fullest = 0;
  *f = (shape){.width = width_of(&s->lines[s->count - 1]), .digits = true};
  for (int i = 0; i < s->count; i++) {
    const struct sample_line *const line = &s->lines[i];
    const int cells = find_ends(line, ends);
    if (line->hash || cells == 0 || strpbrk(line->text, "\t,;|\"") != NULL) return false;
    if (i > 0 && width_of(line) != f->width) return false;
    if (i == 0) f->head = cells;
    if (i > 0) f->digits = f->digits && holds_digits_alone(line);
    if (i > 0 && (i == 1 || cells < f->least)) f->least = cells;
    if (i > 0 && cells > f->most) f->most = cells;
    if (cells <= fullest || width_of(line) != f->width) continue;
    fullest = cells;
    f->fullest = i;
  }
  return s->count >= ROWS_LEAST;
}

/* Do the cells of all lines end where those of the first do? */
static bool end_alike(const csv_sample *s, const ptrdiff_t *first, int count) {
  ptrdiff_t ends[COLUMNS_MOST];
  for (int i = 0; i < s->count; i++)
    if (find_ends(&s->lines[i], ends) != count || memcmp(ends, first, (size_t)count * sizeof *ends) != 0) return false;
  return true;
}

void csv_fixed_find(const csv_sample *s, char widths[CSV_WIDTHS_BYTES]) {
  ptrdiff_t ends[COLUMNS_MOST];
  shape f;
  widths[0] = '\0';
  if (!find_shape(s, &f)) return;
  const int count = find_ends(&s->lines[f.fullest], ends);
  const bool one = f.most == 1 && f.head == 1, same_width = width_of(&s->lines[0]) == f.width;
  const bool long_head = holds_digits_alone(&s->lines[0]) || f.width >= NAMES_LEAST;
  if (one && !(f.digits && same_width && long_head)) return;
  if (!one && f.least == f.most && f.head <= f.most && !end_alike(s, ends, count)) return;
  if (!one && write_widths(s, ends, count, widths)) return;
  (void)snprintf(widths, CSV_WIDTHS_BYTES, "%s", one || f.least < f.most ? "?" : "");
}

/* Where pandas looks for the columns itself, it looks at all rows: what is between the columns of the first 100, a
 * digit of a longer number, would be left out. */
const char *csv_fixed_command(const csv_lines *lines, bool names, const char *widths, char text[FIXED_BYTES]) {
  char file[FOREIGN_NAME_BYTES], base[FOREIGN_NAME_BYTES], given[CSV_WIDTHS_BYTES + 20] = ", infer_nrows=10**9";
  foreign_command_names(input_path(lines->in), file, base);
  if (*widths != '\0') (void)snprintf(given, sizeof given, ", widths=[%s]", *widths == '?' ? "5, 5, 8" : widths);
  const char *const hint = *widths == '?'    ? ", with the widths of its columns in place of 5, 5, 8"
                           : *widths == '\0' ? ", with widths=[5, 5, 8] or the like where cells touch"
                                             : "";
  (void)snprintf(text, FIXED_BYTES,
                 "python3 -c \"import pandas; pandas.read_fwf('%s'%s%s).to_csv('%s-cells.csv', index=False%s)\"%s",
                 file, names ? "" : ", header=None", given, base, names ? "" : ", header=False", hint);
  return text;
}
