/* CSV: lines and cells. Lines end with LF or CRLF; blank lines and lines that begin with # are passed
 * over; cells may stand in double quotes, doubled inside, and end on their line (RFC 4180 but for that). */
#ifndef MLPDIST_CONVERT_CSV_H
#define MLPDIST_CONVERT_CSV_H

#include "data/convert_input.h"

enum { CSV_BLANKS = ' ' }; /* as a delimiter: any run of blanks and tabs */

typedef struct csv_lines {
  input *in;    /* borrowed */
  char *buffer; /* (capacity + 1): bytes [begin, end) are still to be read, and a NUL follows */
  size_t capacity, begin, end;
  bool at_end;   /* nothing is left in the input */
  uint64_t line; /* number of the last one taken, from 1 */
} csv_lines;

mlpd_status csv_lines_start(input *in, csv_lines *lines); /* Not collective */
mlpd_status csv_lines_rewind(csv_lines *lines);           /* Not collective */
void csv_lines_free(csv_lines *lines);                    /* Not collective */

/* The next line that is neither blank nor a comment, without its end and without blanks around it (a tab
 * stays); *begin is NULL at the end of the input. The text lives until the next call; a NUL or a line
 * end follows it. Not collective. */
mlpd_status csv_next_line(csv_lines *lines, const char **begin, const char **end);

/* A cell without the blanks around it, and, where quoted, its quotes. */
typedef struct csv_cell {
  const char *begin, *end;
  bool quoted;
  bool damaged; /* no closing quote, or text after it */
} csv_cell;

/* Cuts the cell at p; returns what follows its delimiter, or NULL after the last cell of the line. */
const char *csv_next_cell(const char *p, const char *end, char delimiter, csv_cell *cell);

/* True for what stands for "no value": nothing at all, ?, NA, N/A, nan, NaN, NAN. */
bool csv_cell_is_missing(const csv_cell *cell);
bool csv_cell_is_number(const csv_cell *cell);

/* The cell's text, doubled quotes made single, NUL-terminated; at most size - 1 bytes; returns its
 * length before cutting. */
size_t csv_cell_text(const csv_cell *cell, char *text, size_t size);

/* What the first lines tell. */
typedef struct csv_layout {
  char delimiter;
  bool header;
  uint32_t columns;
  char **names; /* (columns), or NULL without a header */
} csv_layout;

/* Finds the layout from the first lines; header "auto", "yes" or "no"; delimiter 0: found.
 * Leaves lines at the first one. Not collective. */
mlpd_status csv_layout_find(csv_lines *lines, const char *header, char delimiter, csv_layout *layout);
void csv_layout_free(csv_layout *layout); /* Not collective */

#endif
