/* Opens a CSV file: finds its layout and the roles of its columns, and allocates memory for a row. */
#include "csv/csv_open.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "csv/csv_kinds.h"

/* Is a text an item of a list that an option gives? */
static bool is_listed(const char *list, const char *text) {
  const size_t length = strlen(text);
  for (const char *at = list; at != NULL && *at != '\0'; at += strcspn(at, ",")) {
    if (*at == ',') at++;
    if (strcspn(at, ",") == length && memcmp(at, text, length) == 0) return true;
  }
  return false;
}

/* Is the text the name by which the options, a model or the first table call a column? */
static bool is_name(const mlpd_convert_options *o, const source *first, const char *text) {
  if (is_listed(o->label, text) || is_listed(o->ignore, text) || is_listed(o->columns, text) ||
      is_listed(o->categorical, text))
    return true;
  for (uint32_t j = 0; o->model_columns != NULL && j < o->num_model_columns; j++)
    if (strcmp(o->model_columns[j], text) == 0) return true;
  return first != NULL && (name_list_holds(&first->columns, text) || name_list_holds(&first->targets, text) ||
                           name_list_holds(&first->left_out, text));
}

/* Does the first row hold such a name? Where all columns are texts, little else tells a header from a row. */
static mlpd_status names_columns(csv_source *c, const mlpd_convert_options *o, const source *first, bool *names) {
  const char *begin = NULL, *end = NULL;
  *names = false;
  TRY(csv_next_line(&c->lines, &begin, &end));
  for (const char *p = begin; p != NULL && !*names;) {
    char text[256];
    csv_cell cell;
    p = csv_next_cell(p, end, c->layout.delimiter, &cell);
    const size_t length = csv_cell_text(&cell, text, sizeof text);
    number parsed;
    if (length == 0 || length >= sizeof text || csv_cell_number(&c->syntax, &cell, &parsed)) continue;
    *names = is_name(o, first, text);
  }
  return csv_lines_rewind(&c->lines);
}

/* Finds the layout again, with another answer to --header. */
static mlpd_status find_again(csv_source *c, const mlpd_convert_options *options, const char *header) {
  csv_layout_free(&c->layout);
  c->lines.skip = options->skip_lines;
  c->lines.columns = 0;
  free(c->lines.header);
  c->lines.header = NULL;
  TRY(csv_lines_rewind(&c->lines));
  return csv_layout_find(&c->lines, header, &c->syntax, &c->layout);
}

static bool has_names(const csv_source *c, const mlpd_convert_options *o, const source *first) {
  for (uint32_t i = 0; i < c->layout.columns; i++)
    if (is_name(o, first, c->layout.names[i])) return true;
  return false;
}

static mlpd_status find_header(csv_source *c, const mlpd_convert_options *options, const source *first) {
  bool names = false;
  c->lines.skip = options->skip_lines;
  TRY(csv_layout_find(&c->lines, options->header, &c->syntax, &c->layout));
  const bool known = options->num_model_columns > 0 || first != NULL; /* then it is known whether texts are names */
  if (c->layout.text_header) {
    const bool named = has_names(c, options, first);
    if (known && !named) return find_again(c, options, "no");
    c->layout.unsure_header = c->layout.unsure_header && !named;
  }
  if (c->layout.header || strcmp(options->header, "auto") != 0) return MLPD_OK;
  TRY(names_columns(c, options, first, &names));
  return names ? find_again(c, options, "yes") : MLPD_OK;
}

static mlpd_status find_layout(csv_source *c, const mlpd_convert_options *options, const source *first) {
  TRY(csv_syntax_make(options, &c->syntax));
  TRY(find_header(c, options, first));
  c->syntax.delimiter = c->layout.delimiter;
  c->fast = c->syntax.decimal == '.';
  if (c->layout.decimal_commas && (options->decimal == NULL || strcmp(options->decimal, "auto") == 0))
    return FAIL(MLPD_ERROR_DATA,
                "%s: commas seem to be both decimal signs and column separators; write it with another separator (and "
                "use --decimal comma), or use --decimal point if every comma separates columns",
                c->base.name);
  if (c->syntax.decimal == c->syntax.delimiter && !c->lines.quotes) /* cells in quotes may contain them */
    return FAIL(MLPD_ERROR_USAGE, "%s: commas separate its columns, so they cannot be decimal signs (--decimal)",
                c->base.name);
  return MLPD_OK;
}

mlpd_status csv_source_open(input *in, meter *m, const mlpd_convert_options *options, const source *first,
                            source **opened) {
  *opened = NULL;
  csv_source *c = NULL;
  mlpd_status status = memory_allocate(&c, 1, sizeof *c, "row source");
  if (status != MLPD_OK) {
    input_close(in);
    return status;
  }
  c->base = (source){.methods = &csv_methods, .name = input_name(in), .table = true};
  c->options = options;
  c->label_ends = extremes_none();
  TRY_GOTO(status, csv_lines_start(in, &c->lines), failed);
  c->lines.encoding = options->encoding;
  TRY_GOTO(status, find_layout(c, options, first), failed);
  TRY_GOTO(status, csv_plan_make(c->base.name, &c->layout, options, &c->plan), failed);
  TRY_GOTO(status, csv_make_room(c), failed);
  TRY_GOTO(status, csv_kinds_begin(c), failed);
  meter_expect(m, 2 * input_stored(in));
  *opened = &c->base;
  return MLPD_OK;
failed:
  source_close(&c->base);
  return status;
}
