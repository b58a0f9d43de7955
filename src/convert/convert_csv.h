/* CSV: lines, cells, layout and columns. A row of a table is a line, or several where a cell in double quotes holds
 * line ends (RFC 4180). Lines end with LF, CRLF or, in a whole file, CR. Blank lines and comments are passed over.
 * Nothing here is collective. */
#ifndef MLPDIST_CONVERT_CSV_H
#define MLPDIST_CONVERT_CSV_H

#include "base/number.h"
#include "convert/convert_input.h"

enum {
  CSV_BLANKS = ' ',     /* as a delimiter: any run of blanks and tabs */
  CSV_SHOWN_BYTES = 40, /* of a cell or line in a message */
  CSV_HINT_BYTES = 64
};

/* ---- Lines ---- */

typedef struct csv_decoder csv_decoder;

typedef struct csv_lines {
  input *in;            /* borrowed */
  csv_decoder *decoder; /* from UTF-16; NULL: none is needed */
  char *buffer;         /* (capacity + 1): bytes [begin, end) are still to be read, and a NUL follows */
  size_t capacity, begin, end;
  bool started, at_end; /* the input's first bytes were read; nothing is left in it */
  bool quotes;          /* a quote was read: rows may hold line ends */
  char line_end;
  uint64_t line; /* of the row last taken: its first line, from 1 */
  uint64_t next; /* the line after it */
  /* Set by the user of the lines. */
  uint64_t skip;    /* lines to pass over, read or not, from the first */
  char delimiter;   /* 0: not known yet */
  uint32_t columns; /* 0: not known yet, and comments are rows. A line that begins with # is a comment unless it has
                       as many cells as the table */
  char *header;     /* (header_bytes) the line of names, or NULL: it is passed over where tables were put together */
  size_t header_bytes;
  /* What was passed over from the first line on. */
  uint64_t repeated;                /* lines like the header */
  uint64_t comments, first_comment; /* number of them; line of the first */
  char comment[CSV_SHOWN_BYTES + 1];
} csv_lines;

mlpd_status csv_lines_start(input *in, csv_lines *lines);
mlpd_status csv_lines_rewind(csv_lines *lines);
void csv_lines_free(csv_lines *lines);

/* The next row, without its end and without blanks around it (a tab stays); *begin is NULL at the end of the input.
 * The text lives until the next call; a NUL or a line end follows it. */
mlpd_status csv_next_line(csv_lines *lines, const char **begin, const char **end);

/* UTF-16 with or without a byte order mark, by a file's first bytes. */
bool csv_is_utf16(const unsigned char *bytes, size_t count);

/* ---- Cells ---- */

/* A cell without the blanks around it, and, where quoted, its quotes. */
typedef struct csv_cell {
  const char *begin, *end;
  bool quoted;
  bool damaged; /* no closing quote, or text after it */
} csv_cell;

/* How cells are written. */
typedef struct csv_syntax {
  char delimiter;
  char decimal;         /* '.' or ',' */
  char thousands;       /* between groups of three digits; 0: nothing */
  char **missing;       /* (num_missing) further texts for "no value" */
  double *missing_real; /* (num_missing_real) those of them that are numbers */
  char **strips;        /* (num_strips) texts before or after numbers that count for nothing: %, $ */
  uint32_t num_missing, num_missing_real, num_strips;
} csv_syntax;

typedef enum csv_kind { CSV_NUMBER, CSV_YES_NO, CSV_MISSING, CSV_TEXT } csv_kind;

/* From the options decimal, thousands, missing, strip and delimiter; csv_syntax_free in any case. */
mlpd_status csv_syntax_make(const mlpd_convert_options *options, csv_syntax *syntax);
void csv_syntax_free(csv_syntax *syntax);

/* Cuts the cell at p; returns what follows its delimiter, or NULL after the last cell of the line. */
const char *csv_next_cell(const char *p, const char *end, char delimiter, csv_cell *cell);
uint64_t csv_count_cells(const char *begin, const char *end, char delimiter);

/* Are all cells of a row empty? Such rows are passed over where the first cell is. */
bool csv_row_is_empty(const char *begin, const char *end, char delimiter);

/* Kind and value of a cell; yes is 1, no is 0. */
csv_kind csv_cell_read(const csv_syntax *syntax, const csv_cell *cell, number *parsed);
bool csv_cell_number(const csv_syntax *syntax, const csv_cell *cell, number *parsed);

/* True for what stands for "no value" whatever else is in the column: nothing at all, ?, NA, NaN, null, ..., and what
 * syntax adds. In a column of numbers, csv_cell_read() takes more words so: None, -, ... */
bool csv_cell_is_missing(const csv_syntax *syntax, const csv_cell *cell);
bool csv_is_missing_real(const csv_syntax *syntax, double value);

/* The options that would make a number of the cell, in hint: "--decimal comma", "--strip %"; false: none would. */
bool csv_cell_hint(const csv_cell *cell, char hint[CSV_HINT_BYTES]);

bool csv_is_utf8(const char *begin, const char *end);

/* The cell's text, doubled quotes made single, line ends made blanks, Latin-1 made UTF-8, NUL-terminated; at most
 * size - 1 bytes; returns its length before cutting. */
size_t csv_cell_text(const csv_cell *cell, char *text, size_t size);

/* The same for messages: cut after CSV_SHOWN_BYTES, no control characters. */
const char *csv_cell_shown(const csv_cell *cell, char text[CSV_SHOWN_BYTES + 4]);

/* ---- Layout ---- */

/* What the first lines tell. */
typedef struct csv_layout {
  char delimiter;
  bool header;
  bool trailing;       /* lines end with a delimiter: the empty cell after it is no column */
  bool index;          /* column 0 has no name and numbers the rows, or names them */
  bool named_index;    /* column 0 has a name, and numbers the rows */
  bool decimal_commas; /* numbers and columns both seem to have commas */
  bool latin;          /* texts are no UTF-8, and read as Latin-1 */
  uint32_t columns;    /* without the empty one after trailing delimiters */
  char **names;        /* (columns), each but once; NULL without a header */
  bool *repeated;      /* (columns) the header has this name more than once; NULL: none */
  uint64_t first_line; /* of the rows */
  uint32_t titles;     /* lines above the table that are none of its rows */
  uint32_t unit_lines; /* below the header */
  char title[CSV_SHOWN_BYTES + 4], units[CSV_SHOWN_BYTES + 4]; /* the first of them */
} csv_layout;

/* Finds the layout from the first lines; header "auto", "yes" or "no"; syntax->delimiter 0: found. Leaves lines at the
 * first row. */
mlpd_status csv_layout_find(csv_lines *lines, const char *header, const csv_syntax *syntax, csv_layout *layout);
void csv_layout_free(csv_layout *layout);

#endif
