/* The names of columns, from a header. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "convert/convert_csv_sample.h"

enum { NAME_BYTES = 256 };

typedef struct named_column {
  const char *name;
  uint32_t column;
} named_column;

static int by_name(const void *a, const void *b) {
  const named_column *x = a, *y = b;
  const int order = strcmp(x->name, y->name);
  return order != 0 ? order : (x->column > y->column) - (x->column < y->column);
}

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
  TRY(memory_allocate(&order, layout->columns, sizeof *order, "column names"));
  for (uint32_t c = 0; c < layout->columns; c++) order[c] = (named_column){layout->names[c], c};
  qsort(order, layout->columns, sizeof *order, by_name);
  mlpd_status status = MLPD_OK;
  for (uint32_t i = 0, end; i < layout->columns && status == MLPD_OK; i = end) {
    for (end = i + 1; end < layout->columns && strcmp(order[i].name, order[end].name) == 0;) end++;
    if (end > i + 1) status = number_repeated(layout, order + i, end - i);
  }
  free(order);
  return status;
}

/* Copies a name without blanks around it. A column without a name gets the name that pandas gives it. */
static mlpd_status take_name(const csv_cell *cell, uint32_t column, char **name) {
  char text[NAME_BYTES], *begin = text;
  (void)csv_cell_text(cell, text, sizeof text);
  while (*begin == ' ') begin++;
  for (size_t length = strlen(begin); length > 0 && begin[length - 1] == ' ';) begin[--length] = '\0';
  if (*begin == '\0') (void)snprintf(text, sizeof text, "Unnamed: %u", column);
  return memory_copy_string(*begin == '\0' ? text : begin, name);
}

mlpd_status sample_take_names(const csv_sample *s, int head, csv_layout *layout) {
  TRY(memory_allocate(&layout->names, layout->columns, sizeof *layout->names, "column names"));
  const char *p = sample_after_hash(s, head, layout->delimiter), *const end = s->lines[head].end;
  const csv_cell none = {.begin = "", .end = ""};
  const uint64_t cells = csv_count_cells(p, end, layout->delimiter);
  for (uint32_t c = 0; c < layout->columns; c++) {
    csv_cell cell = none;
    const bool row_names = cells + 1 == layout->columns && c == 0; /* R writes no name for this column */
    if (p != NULL && !row_names) p = csv_next_cell(p, end, layout->delimiter, &cell);
    TRY(take_name(&cell, c, &layout->names[c]));
  }
  return make_names_differ(layout);
}
