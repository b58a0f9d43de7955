#include "csv/csv_footer.h"

#include <string.h>

static bool take_word(const char **p, const char *end, const char *word) {
  const size_t length = strlen(word);
  if ((size_t)(end - *p) < length || memcmp(*p, word, length) != 0) return false;
  *p += length;
  return true;
}

static bool take_digits(const char **p, const char *end) {
  const char *const first = *p;
  while (*p < end && **p >= '0' && **p <= '9') (*p)++;
  return *p > first;
}

/* "(3 rows)" and the like; "[3 rows x 2 columns]" of pandas; "==> 3 selected entries" of ROOT. */
bool csv_is_footer(const char *begin, const char *end, uint64_t *rows) {
  const char *p = begin;
  uint64_t count = 0;
  const bool frame = take_word(&p, end, "["), selected = !frame && take_word(&p, end, "==> ");
  const bool enclosed = take_word(&p, end, "(");
  const char *const digits = p;
  for (; p < end && p - digits < 18 && *p >= '0' && *p <= '9'; p++) count = 10 * count + (uint64_t)(*p - '0');
  *rows = count;
  if (selected) return p > digits && take_word(&p, end, " selected entr");
  if (p == digits || !take_word(&p, end, " ") || !(take_word(&p, end, "row") || take_word(&p, end, "record")))
    return false;
  if (!take_word(&p, end, "(s)")) (void)take_word(&p, end, "s");
  if (frame) return take_word(&p, end, " x ") && take_digits(&p, end) && take_word(&p, end, " column");
  if (enclosed) return take_word(&p, end, ")") ? p == end : p < end && *p == ' ' && end[-1] == ')';
  return p == end || take_word(&p, end, " in set") || take_word(&p, end, " selected");
}

static mlpd_status check_count(const csv_source *c, uint64_t rows) {
  const uint64_t seen = c->rows_seen + c->rows_empty;
  if (!c->gathering || rows == seen) return MLPD_OK;
  return FAIL(MLPD_ERROR_DATA, "%s:%llu: '%s' counts %llu row%s, but %llu %s above it: is the table complete?",
              c->base.name, (unsigned long long)c->lines.line, c->lines.footer, (unsigned long long)rows,
              rows == 1 ? "" : "s", (unsigned long long)seen, seen == 1 ? "is" : "are");
}

/* A line of one cell below a footer, such as "Bye", is a row of one column only if it is a number. */
static bool is_row(const csv_source *c, const char *begin, const char *end, uint64_t rows) {
  const bool words = c->layout.delimiter == CSV_BLANKS && (*begin == '[' || rows == c->rows_seen); /* no cells */
  csv_cell cell;
  number parsed;
  if (c->layout.columns > 1) return csv_count_cells(begin, end, c->layout.delimiter) >= c->layout.columns && !words;
  (void)csv_next_cell(begin, end, c->layout.delimiter, &cell);
  return csv_cell_number(&c->syntax, &cell, &parsed);
}

mlpd_status csv_footer_take(csv_source *c, const char *begin, const char *end, bool *taken) {
  csv_lines *const lines = &c->lines;
  uint64_t rows = 0;
  *taken = lines->footer[0] != '\0';
  if (!*taken && !csv_is_footer(begin, end, &rows)) return MLPD_OK;
  const bool row = is_row(c, begin, end, rows);
  if (*taken && row)
    return FAIL(MLPD_ERROR_DATA,
                "%s:%llu: a row below '%s', which ends the table: delete the line, or give another table a file of its "
                "own",
                c->base.name, (unsigned long long)lines->line, lines->footer);
  if (*taken || row) return MLPD_OK;
  *taken = true;
  (void)csv_cell_shown(&(csv_cell){.begin = begin, .end = end}, lines->footer);
  return check_count(c, rows);
}
