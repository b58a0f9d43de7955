/* Samples the first lines of a CSV file, and guesses its layout from them. Nothing here is collective. */
#ifndef MLPDIST_CSV_SAMPLE_H
#define MLPDIST_CSV_SAMPLE_H

#include "csv/csv.h"

enum { SAMPLE_ROWS = 32, SAMPLE_MOST = 64 };

enum { SAMPLE_TEXTS_MOST = 256 }; /* columns of a table of texts alone whose header is sought */

typedef struct csv_sample {
  struct sample_line {
    char *text; /* a copy */
    const char *end;
    uint64_t line; /* in the file, from 1 */
    int indent;    /* blanks before it */
    bool hash;     /* begins with # */
  } lines[SAMPLE_MOST];
  int count;
  bool all_comments; /* every line begins with #; then none is a comment */
} csv_sample;

mlpd_status sample_take(csv_lines *lines, csv_sample *s);
void sample_free(csv_sample *s);
void sample_drop_first(csv_sample *s);

/* The delimiter of "sep=;", which Excel writes above a table, or 0. */
char sample_named_delimiter(const csv_sample *s);

/* The delimiter with which the lines become a table with the most numbers. */
char sample_find_delimiter(const csv_sample *s, const csv_syntax *syntax);

/* The most frequent number of cells of a line (of equally frequent ones, the first). *times: number of such lines. */
uint64_t sample_columns(const csv_sample *s, char delimiter, int *times);

/* true if line `head` is the header of the lines from `body` on. A # at its beginning is ignored. */
bool sample_is_header(const csv_sample *s, const csv_syntax *syntax, int head, int body);

/* What the first line of a table of texts alone is: a header unless a column has its text in another row, too.
 * UNSURE_HEADER: the rows are few, or their texts never repeat. */
typedef enum text_header { NO_HEADER, UNSURE_HEADER, TEXT_HEADER } text_header;
text_header sample_text_header(const csv_sample *s, const csv_syntax *syntax, int head, int body);

/* true if a row of numbers at equal intervals, which no other row of the sample has, may be names: years. */
bool sample_may_be_names(const csv_sample *s, const csv_syntax *syntax, int row);

/* true if this line, between a header and rows of numbers, holds units or types. more: it follows such a line; then the
 * line in which pandas names the index, and whose other cells are empty, counts too, and one with some cells empty
 * where all rows have numbers (Orange: meta, class), if its texts are in no row. */
bool sample_is_units(const csv_sample *s, const csv_syntax *syntax, int at, bool more);

/* true if this line, below a header that does not tell all columns apart, may be the next level of it. */
bool sample_is_level(const csv_sample *s, const csv_syntax *syntax, int at);

typedef enum level_answer { NO_LEVEL, MAY_BE_LEVEL, LEVEL } level_answer;

/* Whether this line of whole numbers is a level below layout->names: the numbers of equal names rise. MAY_BE_LEVEL:
 * rows look like it, too. */
mlpd_status sample_number_level(const csv_sample *s, const csv_syntax *syntax, int at, const csv_layout *layout,
                                level_answer *answer);

typedef struct named_column {
  const char *name;
  uint32_t column;
} named_column;

/* Makes *order (columns) of the names, sorted by name, then by column. The caller frees it. */
mlpd_status sample_sort_names(char *const *names, uint32_t columns, named_column **order);

/* Makes layout->names from the header in line head: all different, as pandas names columns. A header that does not tell
 * all columns apart is joined with lines below it, or with the line above it, if that tells more of them apart; then
 * *body becomes the line below the header. Sets layout->levels and layout->head, too. */
mlpd_status sample_take_names(const csv_sample *s, const csv_syntax *syntax, int head, int *body, csv_layout *layout);

typedef enum column_role { COLUMN_DATA, COLUMN_NUMBERS_ROWS, COLUMN_WHOLE, COLUMN_TEXT } column_role;

/* The content of a column of the lines from `body` on: COLUMN_NUMBERS_ROWS for consecutive numbers,
 * COLUMN_WHOLE for other whole numbers that differ, COLUMN_TEXT for texts, else COLUMN_DATA. */
column_role sample_column(const csv_sample *s, const csv_syntax *syntax, int body, uint32_t column);

/* true if the first column of the lines from `body` on may name the rows: texts or whole numbers, all different. */
bool sample_names_rows(const csv_sample *s, const csv_syntax *syntax, int body);

/* The line of the names, below a block of settings above the table such as instruments write (Sample Interval,0.001),
 * or start: lines of settings have fewer numbers than each row. */
int sample_after_settings(const csv_sample *s, const csv_syntax *syntax, int start, uint64_t columns);

/* true if commas seem to be both decimal signs and delimiters: the cells are pairs of whole numbers, the second of
 * fixed width. */
bool sample_has_decimal_commas(const csv_sample *s, int body);

/* Finds a cell between blanks in which numbers touch, as Fortran writes them in columns of a fixed width:
 * 136.810-133.035. Where another line has as many cells, such a cell is a text: a range. Returns its line in the
 * sample, or -1. */
int sample_touching_numbers(const csv_sample *s, csv_cell *cell);

/* The text of a line without a leading # and the blanks after it. Of a header also without the sign of a comment of
 * other programs: // or, before a blank, % ! ; */
const char *sample_after_hash(const csv_sample *s, int line, char delimiter);

#endif
