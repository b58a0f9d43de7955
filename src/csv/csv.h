/* CSV: lines, cells, layout and columns. A row of a table is one line, or several if a cell in double quotes contains
 * line ends (RFC 4180). Lines end with LF, CRLF or, throughout the file, CR. Blank lines and comments are skipped.
 * Nothing here is collective. */
#ifndef MLPDIST_CSV_H
#define MLPDIST_CSV_H

#include "base/number.h"
#include "csv/csv_encoding.h"
#include "source/input.h"

enum {
  CSV_BLANKS = ' ',     /* as a delimiter: any sequence of blanks and tabs */
  CSV_SHOWN_BYTES = 40, /* longest part of a cell or line in a message */
  CSV_HINT_BYTES = 64
};

/* ---- Lines ---- */

typedef struct csv_decoder csv_decoder;

typedef struct csv_lines {
  input *in;            /* borrowed */
  csv_decoder *decoder; /* from another encoding; NULL: none is needed */
  char *buffer;         /* (capacity + 1): bytes [begin, end) are not used yet, and a NUL follows */
  size_t capacity, begin, end;
  bool started, at_end; /* the input's first bytes were read; its end was reached */
  bool quotes;          /* a quote was read: rows may contain line ends */
  char line_end;
  uint64_t line; /* first line of the current row, from 1 */
  uint64_t next; /* line after the current row */
  /* Set by the caller. */
  const char *encoding; /* NULL: found */
  uint64_t skip;        /* number of lines to skip at the beginning of the file */
  char delimiter;       /* 0: not known yet */
  uint32_t columns;     /* 0: not known yet, and comments are rows. A line that begins with # is a comment unless it has
                           as many cells as the table */
  char *header; /* (header_bytes) the line of names, or NULL; repetitions of it, in joined tables, are skipped */
  size_t header_bytes;
  /* Comments skipped so far. */
  uint64_t repeated;                /* lines like the header */
  uint64_t drawn, first_drawn;      /* lines of --- that have as many cells as the table; the first */
  uint64_t comments, first_comment; /* their number; the line of the first */
  char comment[CSV_SHOWN_BYTES + 1];
  char footer[CSV_SHOWN_BYTES + 4]; /* the line that counts the rows, once it was read; "": none */
} csv_lines;

mlpd_status csv_lines_start(input *in, csv_lines *lines);
mlpd_status csv_lines_rewind(csv_lines *lines);
void csv_lines_free(csv_lines *lines);

/* Returns the next row, without its line end and without blanks around it (tabs are kept); *begin is NULL at the end of
 * the input. The text is valid until the next call; a NUL or a line end follows it. */
mlpd_status csv_next_line(csv_lines *lines, const char **begin, const char **end);

/* true if the current row is the last line of the file */
static inline bool csv_at_end(const csv_lines *lines) { return lines->at_end && lines->begin >= lines->end; }

/* true if a file with these first bytes (at most 4096) is UTF-16, with or without a byte order mark */
bool csv_is_utf16(const unsigned char *bytes, size_t count);

/* ---- Cells ---- */

/* A cell, without the blanks around it and without its quotes: "2", '2', ''2'', typographic ones, and ="2" of
 * spreadsheets. */
typedef struct csv_cell {
  const char *begin, *end;
  bool quoted;  /* in double quotes; those inside are doubled */
  bool doubled; /* in single quotes; those inside are doubled: 'O''Brien' */
  bool damaged; /* no closing quote, or text after it */
} csv_cell;

/* The notation of cells. */
typedef struct csv_syntax {
  char delimiter;
  char decimal;         /* '.' or ',' */
  char thousands;       /* separates groups of three digits; 0: no separator */
  char **missing;       /* (num_missing) additional texts for "no value" */
  double *missing_real; /* (num_missing_real) those of them that are numbers */
  char **strips;        /* (num_strips) texts to ignore before or after numbers: %, $ */
  uint32_t num_missing, num_missing_real, num_strips;
} csv_syntax;

/* T, F, true and false are answers of one kind, y, n, yes and no of another: in T, F and N the N is no "false". */
typedef enum csv_answer { CSV_TRUE_FALSE, CSV_YES_OR_NO, CSV_ANSWERS } csv_answer;

typedef enum csv_kind { CSV_NUMBER, CSV_YES_NO, CSV_MISSING, CSV_TEXT } csv_kind;

/* Makes the syntax from the options decimal, thousands, missing, strip and delimiter. Call csv_syntax_free, also on
 * failure. */
mlpd_status csv_syntax_make(const mlpd_convert_options *options, csv_syntax *syntax);
void csv_syntax_free(csv_syntax *syntax);

/* Reads the cell at p; returns the position after its delimiter, or NULL if it was the last cell of the line. */
const char *csv_next_cell(const char *p, const char *end, char delimiter, csv_cell *cell);
uint64_t csv_count_cells(const char *begin, const char *end, char delimiter);

/* true if the row begins with a delimiter and all its cells are empty. Readers skip such rows. */
bool csv_row_is_empty(const char *begin, const char *end, char delimiter);

/* The kind of a cell, and its value in *parsed (yes is 1, no is 0). */
csv_kind csv_cell_read(const csv_syntax *syntax, const csv_cell *cell, number *parsed);
csv_answer csv_cell_answer(const csv_cell *cell); /* of a cell of CSV_YES_NO */
bool csv_cell_number(const csv_syntax *syntax, const csv_cell *cell, number *parsed);

/* Returns the sign at *p (0 if there is none) and moves *p past it. Word processors write Unicode's minus sign, or a
 * dash in its place. */
char csv_take_sign(const char **p, const char *end);

/* true if the cell means "no value" in any column: empty, ?, NA, NaN, null, ..., and the texts that syntax adds. In a
 * column of numbers csv_cell_read() accepts more words: None, -, ... */
bool csv_cell_is_missing(const csv_syntax *syntax, const csv_cell *cell);
bool csv_is_missing_real(const csv_syntax *syntax, double value);

/* Writes to hint the options that would make the cell a number: "--decimal comma", "--strip %"; false if there are
 * none. */
bool csv_cell_hint(const csv_cell *cell, char hint[CSV_HINT_BYTES]);

/* The same, also where any other text stands behind the number: 8.760,11 TL. */
bool csv_cell_unit_hint(const csv_cell *cell, char hint[CSV_HINT_BYTES]);

/* Whether the comma of 147,400 is a decimal sign may show in another cell of the column. Where none shows it, it is
 * less likely if commas separate the columns. Another cell may also have another currency to strip. */
void csv_hint_settle(char hint[CSV_HINT_BYTES], const csv_cell *other);
const char *csv_hint_ordered(const char *hint, char delimiter, char text[CSV_HINT_BYTES]); /* text, or hint itself */

/* true for dates and times in any notation. */
bool csv_cell_is_date(const csv_cell *cell);

enum { CSV_UNIT_BYTES = 12 };

/* true for a number with a unit, as 59.7 kg; copies the unit. */
bool csv_cell_unit(const csv_cell *cell, char unit[CSV_UNIT_BYTES]);

enum { CSV_FLAGS_MOST = 6, CSV_FLAGS_BYTES = CSV_FLAGS_MOST * CSV_UNIT_BYTES };

/* Adds a text to a list such as "bp,e", as --strip takes it: without repetition, the longer ones first. false: the list
 * is full. */
bool csv_flags_add(char list[CSV_FLAGS_BYTES], const char *flag);

/* true for (1.50) and 1.50-, negative numbers in accounts; *amount: 1.50. Grades are written as 2-. */
bool csv_cell_is_account(const csv_cell *cell, csv_cell *amount);

/* true for 30-, a negative number in accounts, or a name, as of a lot. */
bool csv_cell_may_be_lot(const csv_cell *cell);

/* true for a text that stands for a number: one with a hint, one of an account, or infinity. */
bool csv_cell_is_number_like(const csv_cell *cell);

bool csv_is_utf8(const char *begin, const char *end);

/* Writes the cell's text (at most size - 1 bytes and a NUL): doubled quotes become single, line ends become blanks,
 * Windows-1252 becomes UTF-8. Returns its length before truncation. */
size_t csv_cell_text(const csv_cell *cell, char *text, size_t size);

/* The same for messages: truncated after CSV_SHOWN_BYTES, without control characters. Returns text. */
const char *csv_cell_shown(const csv_cell *cell, char text[CSV_SHOWN_BYTES + 4]);

/* ---- Layout ---- */

enum { CSV_WIDTHS_BYTES = 200 };

/* The layout of a table, as found from its first lines. */
typedef struct csv_layout {
  char delimiter;
  bool header;
  bool trailing;                      /* lines end with a delimiter: the empty cell after it is not a column */
  bool index;                         /* column 0 has no name and numbers or names the rows */
  bool decimal_commas;                /* commas seem to be decimal signs as well as delimiters */
  bool latin;                         /* texts are no UTF-8, and read as Windows-1252 */
  char others[ENCODING_ADVICE_BYTES]; /* other encodings that are as likely */
  uint32_t columns;                   /* number of columns, without an empty one after trailing delimiters */
  char **names;                       /* (columns), all different; NULL without a header */
  uint32_t levels;                    /* number of lines that the names are made of */
  int head;                           /* the first of them, in the sample */
  bool text_header;                   /* all cells are texts, and those of the header occur in no row */
  bool unsure_header;                 /* the same, but this does not say much */
  uint64_t row_or_level;              /* line of a row that may be a level of the header instead; 0: none */
  uint64_t row_or_names;              /* line of the first row, of numbers that may be names; 0: it cannot be */
  bool *repeated;                     /* (columns) the header has this name more than once; NULL: no name is repeated */
  uint64_t first_line;                /* line of the first row */
  char widths[CSV_WIDTHS_BYTES];      /* of columns that touch, "?" if it is not known where, or "" (csv_fixed.h) */
  uint64_t escapes;                   /* line of a delimiter that may belong to its cell, behind a backslash; 0: none */
  char long_delimiter[3];             /* two signs between the cells, or "" */
  uint64_t fits_from;                 /* line from which on all lines looked at have so many cells; 0: none */
  uint32_t titles;                    /* number of lines above the table */
  uint32_t unit_lines;                /* number of lines of units below the header */
  char title[CSV_SHOWN_BYTES + 4], units[CSV_SHOWN_BYTES + 4]; /* the first of each */
} csv_layout;

/* Finds the layout from the first lines, including the delimiter if syntax->delimiter is 0. header is "auto", "yes" or
 * "no". Leaves lines at the first row. */
mlpd_status csv_layout_find(csv_lines *lines, const char *header, const csv_syntax *syntax, csv_layout *layout);
void csv_layout_free(csv_layout *layout);

enum { CSV_NUMBER_BYTES = 16 };

/* What options call a column: its name, or where there is no header its number, written to `number`. */
const char *csv_column_name(const csv_layout *layout, uint32_t column, char number[CSV_NUMBER_BYTES]);

#endif
