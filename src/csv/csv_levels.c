/* Levels of a header that are numbers, as pandas writes the columns of unstack() and pivot_table():
 *   a,a,b     "a 0", "a 1", "b 0"
 *   0,1,0
 * Such a line looks like a row. It is recognised by its numbers, which differ in columns with the same name, and by the
 * rows below. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "csv/csv_sample.h"

enum { MANY_ROWS = 8 /* among so many rows one would be like the first by chance */ };

typedef struct number_level {
  const csv_sample *s;
  const csv_syntax *syntax;
  uint32_t columns;
  char delimiter;
  named_column *order; /* (columns) by name */
  int64_t *values;     /* (columns) of one line */
  bool *used;          /* (columns) the level has a number here */
} number_level;

static void free_level(number_level *l) {
  free(l->order);
  free(l->values);
  free(l->used);
}

/* Sorts the columns by name. An empty cell has the text to its left, as in the level itself. */
static mlpd_status start_level(number_level *l, char *const *names) {
  char **filled = NULL;
  mlpd_status status;
  TRY_GOTO(status, memory_allocate(&filled, l->columns, sizeof *filled, "column names"), done);
  for (uint32_t c = 0; c < l->columns; c++) filled[c] = *names[c] == '\0' && c > 0 ? filled[c - 1] : names[c];
  TRY_GOTO(status, sample_sort_names(filled, l->columns, &l->order), done);
  TRY_GOTO(status, memory_allocate(&l->values, l->columns, sizeof *l->values, "column numbers"), done);
  TRY_GOTO(status, memory_allocate(&l->used, l->columns, sizeof *l->used, "column numbers"), done);
done:
  free(filled);
  return status;
}

/* Reads the numbers of the columns in use. false if one is no whole number from 0 on. */
static bool read_row(number_level *l, int line) {
  const char *p = l->s->lines[line].text;
  for (uint32_t c = 0; c < l->columns; c++) {
    csv_cell cell;
    number n;
    if (p == NULL) return false;
    p = csv_next_cell(p, l->s->lines[line].end, l->delimiter, &cell);
    if (!l->used[c]) continue;
    if (csv_cell_read(l->syntax, &cell, &n) != CSV_NUMBER || !n.is_integer || n.integer < 0) return false;
    l->values[c] = n.integer;
  }
  return true;
}

/* Marks the columns that have a number in this line. false if another cell has a text; the first may if `named`. */
static bool mark_used(number_level *l, int line, bool named) {
  const char *p = l->s->lines[line].text;
  for (uint32_t c = 0; c < l->columns && p != NULL; c++) {
    csv_cell cell;
    number n;
    p = csv_next_cell(p, l->s->lines[line].end, l->delimiter, &cell);
    const bool empty = cell.begin == cell.end;
    l->used[c] = !empty && csv_cell_read(l->syntax, &cell, &n) == CSV_NUMBER;
    if (!empty && !l->used[c] && (c > 0 || !named)) return false;
  }
  return true;
}

static uint32_t end_of_name(const number_level *l, uint32_t begin) {
  uint32_t end = begin + 1;
  while (end < l->columns && strcmp(l->order[end].name, l->order[begin].name) == 0) end++;
  return end;
}

/* true if the numbers of these columns rise and all occur among those of the columns [all, all_end), which rise too. */
static bool is_part_of(const number_level *l, uint32_t begin, uint32_t end, uint32_t all, uint32_t all_end) {
  uint32_t used = 0;
  for (uint32_t i = begin; i < end; i++) used += l->used[l->order[i].column];
  if (used == 0) return true;
  if (used < end - begin) return false;
  for (uint32_t i = begin; i < end; i++) {
    const int64_t value = l->values[l->order[i].column];
    while (all < all_end && l->values[l->order[all].column] < value) all++;
    if (all == all_end || l->values[l->order[all].column] != value) return false;
    all++; /* the next is larger */
  }
  return true;
}

/* true if columns with the same name have rising numbers, and those with the most have all numbers that occur. */
static bool tells_columns(const number_level *l) {
  uint32_t most = 0, most_end = 1;
  for (uint32_t i = 0, end; i < l->columns; i = end) {
    end = end_of_name(l, i);
    if (end - i > most_end - most && l->used[l->order[i].column]) most = i, most_end = end;
  }
  if (most_end - most < 2) return false;
  for (uint32_t i = most + 1; i < most_end; i++)
    if (l->values[l->order[i].column] <= l->values[l->order[i - 1].column]) return false;
  for (uint32_t i = 0, end; i < l->columns; i = end) {
    end = end_of_name(l, i);
    if (!is_part_of(l, i, end, most, most_end)) return false;
  }
  return true;
}

/* The number of cells of this line that hold text; *first: the first does. */
static uint64_t count_filled(const number_level *l, int line, bool *first) {
  uint64_t filled = 0;
  *first = false;
  for (const char *p = l->s->lines[line].text, *begin = p; p != NULL; begin = NULL) {
    csv_cell cell;
    p = csv_next_cell(p, l->s->lines[line].end, l->delimiter, &cell);
    filled += cell.begin < cell.end;
    if (begin != NULL) *first = cell.begin < cell.end;
  }
  return filled;
}

/* true if pandas' index shows that the line belongs to the header: the next line holds the name of the index alone, or
 * the index has numbers or names in the next line, and none here. */
static bool is_beside_index(const number_level *l, int at, bool *named) {
  bool first, below;
  *named = false;
  if (at + 1 >= l->s->count) return false;
  (void)count_filled(l, at, &first);
  *named = count_filled(l, at + 1, &below) == below;
  return *named || (!first && below);
}

/* true if no row below is like the line `at`, whose largest number is `high`. */
static bool differs_from_rows(number_level *l, int at, int64_t high) {
  int rows = 0, others = 0;
  for (int line = at + 1; line < l->s->count; line++) {
    if (l->s->lines[line].hash) continue;
    bool other = !read_row(l, line);
    if (!other && tells_columns(l)) return false;
    for (uint32_t c = 0; c < l->columns; c++) other = other || (l->used[c] && l->values[c] > high);
    rows++;
    others += other;
  }
  return rows > 0 && others > 0 && (others == rows || rows >= MANY_ROWS);
}

mlpd_status sample_number_level(const csv_sample *s, const csv_syntax *syntax, int at, const csv_layout *layout,
                                level_answer *answer) {
  number_level l = {.s = s, .syntax = syntax, .columns = layout->columns, .delimiter = layout->delimiter};
  mlpd_status status;
  *answer = NO_LEVEL;
  if (at >= s->count || s->lines[at].hash) return MLPD_OK;
  TRY_GOTO(status, start_level(&l, layout->names), done);
  bool named;
  const bool beside = is_beside_index(&l, at, &named);
  if (!mark_used(&l, at, named) || !read_row(&l, at) || !tells_columns(&l)) goto done;
  int64_t high = 0;
  for (uint32_t c = 0; c < l.columns; c++) high = l.used[c] && l.values[c] > high ? l.values[c] : high;
  *answer = beside || differs_from_rows(&l, at, high) ? LEVEL : MAY_BE_LEVEL;
done:
  free_level(&l);
  return status;
}
