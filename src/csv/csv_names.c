/* The names of columns, from a header. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "csv/csv_columns.h"
#include "csv/csv_sample.h"
#include "data/names.h"

enum { NAME_BYTES = 256 };

static mlpd_status number_name(char **name, uint32_t times) {
  const size_t bytes = strlen(*name) + 16;
  char *longer;
  TRY(memory_allocate(&longer, bytes, 1, "column name"));
  (void)snprintf(longer, bytes, "%s.%u", *name, times);
  free(*name);
  *name = longer;
  return MLPD_OK;
}

/* Numbers a name that several columns have: a, a, a become a, a.1, a.2, as in pandas. */
static mlpd_status number_repeated(csv_layout *layout, const named_column *columns, uint32_t count) {
  if (layout->repeated == NULL)
    TRY(memory_allocate(&layout->repeated, layout->columns, sizeof *layout->repeated, "column names"));
  for (uint32_t i = 0; i < count; i++) {
    layout->repeated[columns[i].column] = true;
    if (i > 0) TRY(number_name(&layout->names[columns[i].column], i));
  }
  return MLPD_OK;
}

static mlpd_status make_names_differ(csv_layout *layout) {
  named_column *order = NULL;
  TRY(sample_sort_names(layout->names, layout->columns, &order));
  mlpd_status status = MLPD_OK;
  for (uint32_t i = 0, end; i < layout->columns && status == MLPD_OK; i = end) {
    for (end = i + 1; end < layout->columns && strcmp(order[i].name, order[end].name) == 0;) end++;
    if (end > i + 1) status = number_repeated(layout, order + i, end - i);
  }
  free(order);
  return status;
}

/* ---- Levels ----
 *
 * pandas and spreadsheets name columns in levels, one a line, and merge cells:
 *   size,,age     "size width", "size height", "age": an empty cell above a name has the text to its left
 *   width,height, */

static bool is_unnamed(const char *name) { return *name == '\0' || strncmp(name, "Unnamed: ", 9) == 0; }

/* Copies the cell's text without blanks around it to text. */
static void read_name(const csv_cell *cell, char text[NAME_BYTES]) {
  char whole[NAME_BYTES], *begin = whole;
  (void)csv_cell_text(cell, whole, sizeof whole);
  while (*begin == ' ') begin++;
  for (size_t length = strlen(begin); length > 0 && begin[length - 1] == ' ';) begin[--length] = '\0';
  memcpy(text, begin, strlen(begin) + 1);
}

/* Puts a level before the name of the levels below, unless they are the same. */
static mlpd_status put_before(const char *level, char **name) {
  const char *const below = *name != NULL ? *name : "";
  if (*level == '\0' || strcmp(level, below) == 0) return *name != NULL ? MLPD_OK : memory_copy_string("", name);
  char *longer;
  const size_t bytes = strlen(level) + strlen(below) + 2;
  TRY(memory_allocate(&longer, bytes, 1, "column name"));
  (void)snprintf(longer, bytes, "%s%s%s", level, *below != '\0' ? " " : "", below);
  free(*name);
  *name = longer;
  return MLPD_OK;
}

/* Adds the line above those that names are made of. levels: number of lines in all; last: this is the lowest. */
static mlpd_status add_level(const csv_sample *s, int line, uint32_t levels, bool last, const csv_layout *layout,
                             char **names) {
  const char *p = sample_after_hash(s, line, layout->delimiter), *const end = s->lines[line].end;
  const bool row_names = levels == 1 && csv_count_cells(p, end, layout->delimiter) + 1 == layout->columns;
  char text[NAME_BYTES], left[NAME_BYTES] = "";
  for (uint32_t c = 0; c < layout->columns; c++) {
    csv_cell cell = {.begin = "", .end = ""};
    if (p != NULL && !(row_names && c == 0))
      p = csv_next_cell(p, end, layout->delimiter, &cell); /* R omits that name */
    read_name(&cell, text);
    if (levels > 1 && (is_unnamed(text) || (last && strcmp(text, "-") == 0))) text[0] = '\0';
    if (text[0] != '\0') memcpy(left, text, sizeof left);
    const bool merged = text[0] == '\0' && !last && *names[c] != '\0';
    TRY(put_before(merged ? left : text, &names[c]));
  }
  return MLPD_OK;
}

static void free_names(char **names, uint32_t count) {
  for (uint32_t c = 0; names != NULL && c < count; c++) free(names[c]);
  free(names);
}

/* The number of columns that a name tells from the others. The first may lack one: it may name the rows. */
static mlpd_status count_told(char *const *names, uint32_t columns, uint32_t *told) {
  named_column *order = NULL;
  TRY(sample_sort_names(names, columns, &order));
  *told = is_unnamed(names[0]);
  for (uint32_t i = 0; i < columns; i++)
    *told += !is_unnamed(order[i].name) && (i == 0 || strcmp(order[i].name, order[i - 1].name) != 0);
  free(order);
  return MLPD_OK;
}

/* Keeps the names that `levels` lines from first on make, if they tell at least so many columns apart, and more than
 * *told. */
static mlpd_status try_levels(const csv_sample *s, int first, uint32_t levels, uint32_t least, csv_layout *layout,
                              uint32_t *told) {
  char **names = NULL;
  uint32_t now;
  mlpd_status status = memory_allocate(&names, layout->columns, sizeof *names, "column names");
  for (uint32_t l = levels; l > 0 && status == MLPD_OK; l--)
    status = add_level(s, first + (int)l - 1, levels, l == levels, layout, names);
  if (status == MLPD_OK) status = count_told(names, layout->columns, &now);
  if (status == MLPD_OK && (layout->names == NULL || (now > *told && now >= least))) {
    free_names(layout->names, layout->columns);
    layout->names = names;
    layout->levels = levels;
    layout->head = first;
    *told = now;
    return MLPD_OK;
  }
  free_names(names, layout->columns);
  return status;
}

/* The number of cells with text, or -1 if there are more than the table has columns. */
static int64_t count_filled(const csv_sample *s, int line, const csv_layout *layout) {
  int64_t filled = 0;
  const char *p = s->lines[line].text;
  if (csv_count_cells(p, s->lines[line].end, layout->delimiter) > layout->columns) return -1;
  while (p != NULL) {
    csv_cell cell;
    p = csv_next_cell(p, s->lines[line].end, layout->delimiter, &cell);
    filled += cell.begin < cell.end;
  }
  return filled;
}

/* true if the line above the header may hold names of groups: it has two or more, and no numbers. */
static bool may_be_groups(const csv_sample *s, const csv_syntax *syntax, int line, const csv_layout *layout) {
  if (line < 0 || s->lines[line].hash || count_filled(s, line, layout) < 2) return false;
  for (const char *p = s->lines[line].text; p != NULL;) {
    csv_cell cell;
    number parsed;
    p = csv_next_cell(p, s->lines[line].end, layout->delimiter, &cell);
    if (csv_cell_read(syntax, &cell, &parsed) == CSV_NUMBER) return false;
  }
  return true;
}

/* pandas names the index in a line of its own below the levels. Its other cells are empty. */
static mlpd_status take_index_name(const csv_sample *s, const csv_layout *layout, int line, bool *taken) {
  csv_cell cell;
  *taken = false;
  if (layout->levels == 1 || line >= s->count || s->lines[line].hash) return MLPD_OK;
  (void)csv_next_cell(s->lines[line].text, s->lines[line].end, layout->delimiter, &cell);
  if (count_filled(s, line, layout) != (cell.begin < cell.end)) return MLPD_OK;
  char text[NAME_BYTES];
  read_name(&cell, text);
  free(layout->names[0]);
  layout->names[0] = NULL;
  *taken = true;
  return memory_copy_string(text, &layout->names[0]);
}

/* Gives columns without a name the name that pandas gives them. */
static mlpd_status name_unnamed(const csv_layout *layout) {
  char text[32];
  for (uint32_t c = 0; c < layout->columns; c++) {
    if (*layout->names[c] != '\0') continue;
    (void)snprintf(text, sizeof text, "Unnamed: %u", c);
    free(layout->names[c]);
    layout->names[c] = NULL;
    TRY(memory_copy_string(text, &layout->names[c]));
  }
  return MLPD_OK;
}

/* Joins the header with the lines below it that are levels, as long as names are missing. *lines: number in all. */
static mlpd_status take_levels_below(const csv_sample *s, const csv_syntax *syntax, int head, csv_layout *layout,
                                     uint32_t *told, uint32_t *lines) {
  while (*told < layout->columns) {
    const int at = head + (int)*lines;
    level_answer answer = LEVEL;
    if (!sample_is_level(s, syntax, at)) TRY(sample_number_level(s, syntax, at, layout, &answer));
    if (answer == MAY_BE_LEVEL) layout->row_or_level = s->lines[at].line;
    if (answer != LEVEL) return MLPD_OK;
    TRY(try_levels(s, head, ++*lines, 0, layout, told));
  }
  return MLPD_OK;
}

mlpd_status sample_take_names(const csv_sample *s, const csv_syntax *syntax, int head, int *body, csv_layout *layout) {
  uint32_t told = 0, lines = 1;
  bool index_named;
  TRY(try_levels(s, head, 1, 0, layout, &told));
  if (*body == head + 1) TRY(take_levels_below(s, syntax, head, layout, &told, &lines));
  for (uint32_t l = 2; told < layout->columns && l <= lines + 1 && may_be_groups(s, syntax, head - 1, layout); l++)
    TRY(try_levels(s, head - 1, l, layout->columns, layout, &told));
  if (layout->levels > 1) *body = layout->head + (int)layout->levels;
  TRY(take_index_name(s, layout, *body, &index_named));
  *body += index_named;
  TRY(name_unnamed(layout));
  return make_names_differ(layout);
}

const char *csv_column_name(const csv_layout *layout, uint32_t column, char number[CSV_NUMBER_BYTES]) {
  if (layout->names != NULL) return layout->names[column];
  (void)snprintf(number, CSV_NUMBER_BYTES, "%u", column);
  return number;
}

/* ---- Places ---- */

mlpd_status csv_place_names(uint32_t columns, char ***names) {
  mlpd_status status = memory_allocate(names, columns, sizeof **names, "column names");
  for (uint32_t c = 0; c < columns && status == MLPD_OK; c++) {
    char text[32];
    (void)snprintf(text, sizeof text, NAME_PLACE "%u", c);
    status = memory_copy_string(text, &(*names)[c]);
  }
  if (status == MLPD_OK) return MLPD_OK;
  csv_place_names_free(*names, columns);
  *names = NULL;
  return status;
}

void csv_place_names_free(char **names, uint32_t columns) { free_names(names, columns); }
