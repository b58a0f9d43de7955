#include "convert/table_keep.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "convert/convert_array.h"
#include "convert/table.h"
#include "convert/table_inputs.h"
#include "csv/csv_columns.h"

struct table_keeper {
  const mlpd_data_paths *data;
  mlpd_convert_options options;
  meter progress;
  table_inputs inputs;
  int next; /* input */
  bool open;
  csv_lines lines;
  csv_layout layout;
  csv_syntax syntax;
  bool *marked; /* (layout.columns) */
  uint32_t columns;
  char **names, **cells; /* (columns) */
};

static void close_input(table_keeper *k) {
  if (!k->open) return;
  input_close(k->lines.in);
  csv_lines_free(&k->lines);
  csv_layout_free(&k->layout);
  csv_syntax_free(&k->syntax);
  free(k->marked);
  k->marked = NULL;
  k->open = false;
}

void table_keeper_free(table_keeper *k) {
  if (k == NULL) return;
  close_input(k);
  for (uint32_t i = 0; i < k->columns; i++) {
    if (k->names != NULL) free(k->names[i]);
    if (k->cells != NULL) free(k->cells[i]);
  }
  free(k->names);
  free(k->cells);
  table_inputs_free(&k->inputs);
  free(k);
}

static mlpd_status check_kind(input *in) {
  input_kind kind;
  TRY(input_kind_of(in, &kind));
  if (kind == KIND_TEXT) return MLPD_OK;
  return FAIL(MLPD_ERROR_USAGE, "%s: --keep copies columns of text tables, but this is an array", input_name(in));
}

/* The next table, to its first row. */
static mlpd_status open_input(table_keeper *k) {
  input *in = NULL;
  const char *const path = k->inputs.paths[k->next++];
  TRY(input_open(path, &k->progress, &in));
  const mlpd_status status = check_kind(in);
  if (status != MLPD_OK) return input_close(in), status;
  k->open = true;
  k->layout = (csv_layout){.columns = 0};
  k->syntax = (csv_syntax){.delimiter = 0};
  TRY(csv_lines_start(in, &k->lines));
  k->lines.encoding = k->options.encoding;
  TRY(csv_syntax_make(&k->options, &k->syntax));
  k->lines.skip = k->options.skip_lines;
  TRY(csv_layout_find(&k->lines, k->options.header, &k->syntax, &k->layout));
  return csv_columns_named(path, &k->layout, "keep", k->data->table.keep, &k->marked);
}

static mlpd_status take_names(table_keeper *k) {
  for (uint32_t i = 0; i < k->layout.columns; i++) k->columns += k->marked[i];
  TRY(memory_allocate(&k->names, k->columns, sizeof *k->names, "columns to keep"));
  TRY(memory_allocate(&k->cells, k->columns, sizeof *k->cells, "columns to keep"));
  for (uint32_t i = 0, j = 0; i < k->layout.columns; i++) {
    char number[24];
    if (!k->marked[i]) continue;
    (void)snprintf(number, sizeof number, "column_%u", i);
    TRY(memory_copy_string(k->layout.names != NULL ? k->layout.names[i] : number, &k->names[j++]));
  }
  return MLPD_OK;
}

mlpd_status table_keeper_create(const mlpd_data_paths *data, const spools *streams, table_keeper **made) {
  TRY(memory_allocate(made, 1, sizeof **made, "columns to keep"));
  table_keeper *const k = *made;
  k->data = data;
  k->progress.streams = streams;
  TRY(table_reading(&data->table, &k->options));
  TRY(table_inputs_list(data->file, &k->inputs));
  TRY(open_input(k));
  return take_names(k);
}

uint32_t table_keeper_columns(const table_keeper *k) { return k->columns; }
const char *table_keeper_name(const table_keeper *k, uint32_t column) { return k->names[column]; }
const char *table_keeper_cell(const table_keeper *k, uint32_t column) { return k->cells[column]; }

/* ---- Rows ------------------------------------------------------------------------------------------- */

static mlpd_status take_cell(const csv_cell *cell, char **text) {
  char first[1];
  const size_t length = csv_cell_text(cell, first, sizeof first);
  free(*text);
  *text = NULL;
  TRY(memory_allocate(text, length + 1, 1, "a cell to keep"));
  (void)csv_cell_text(cell, *text, length + 1);
  return MLPD_OK;
}

static mlpd_status take_cells(table_keeper *k, const char *begin, const char *end) {
  const char *p = begin;
  uint32_t j = 0;
  for (uint32_t i = 0; i < k->layout.columns && p != NULL; i++) {
    csv_cell cell;
    p = csv_next_cell(p, end, k->layout.delimiter, &cell);
    if (k->marked[i] && j < k->columns) TRY(take_cell(&cell, &k->cells[j++]));
  }
  if (j == k->columns) return MLPD_OK;
  return FAIL(MLPD_ERROR_DATA, "%s: changed while it was read", input_name(k->lines.in));
}

mlpd_status table_keeper_next(table_keeper *k) {
  for (;;) {
    const char *begin = NULL, *end = NULL;
    if (k->open) TRY(csv_next_line(&k->lines, &begin, &end));
    if (begin != NULL && csv_row_is_empty(begin, end, k->layout.delimiter)) continue;
    if (begin != NULL) return take_cells(k, begin, end);
    close_input(k);
    if (k->next == k->inputs.count) return FAIL(MLPD_ERROR_DATA, "%s: changed while it was read", k->data->file);
    TRY(open_input(k));
  }
}
