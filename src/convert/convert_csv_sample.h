/* The first lines of a CSV file, from which its layout is found. Nothing here is collective. */
#ifndef MLPDIST_CONVERT_CSV_SAMPLE_H
#define MLPDIST_CONVERT_CSV_SAMPLE_H

#include "convert/convert_csv.h"

enum { SAMPLE_ROWS = 32, SAMPLE_MOST = 64 };

typedef struct csv_sample {
  struct sample_line {
    char *text; /* a copy */
    const char *end;
    uint64_t line; /* in the file, from 1 */
    bool hash;     /* begins with # */
  } lines[SAMPLE_MOST];
  int count;
  bool all_comments; /* all begin with #; then none counts as a comment */
} csv_sample;

mlpd_status sample_take(csv_lines *lines, csv_sample *s);
void sample_free(csv_sample *s);
void sample_drop_first(csv_sample *s);

/* The delimiter of "sep=;", which Excel writes above a table, or 0. */
char sample_named_delimiter(const csv_sample *s);

/* The delimiter that makes a table with most numbers of the lines. */
char sample_find_delimiter(const csv_sample *s, const csv_syntax *syntax);

/* How many cells most lines have; of counts that are as frequent, the first. *times: how many lines. */
uint64_t sample_columns(const csv_sample *s, char delimiter, int *times);

/* Is the line at head the header of the lines from body on? A # that begins it is left out of account. */
bool sample_is_header(const csv_sample *s, const csv_syntax *syntax, int head, int body);

/* Do units, or types, stand at this line between a header and rows of numbers? Behind such a line (more), pandas names
 * the index in a line whose other cells are empty. */
bool sample_is_units(const csv_sample *s, const csv_syntax *syntax, int at, bool more);

typedef enum column_role { COLUMN_DATA, COLUMN_NUMBERS_ROWS, COLUMN_WHOLE, COLUMN_TEXT } column_role;

/* What the first column of the lines from body on holds: 0, 1, 2, ... or 1, 2, 3, ...; whole numbers that differ;
 * texts; or else. */
column_role sample_first_column(const csv_sample *s, const csv_syntax *syntax, int body);

/* Numbers with decimal commas that commas separate: pairs of whole numbers, the second of fixed width. */
bool sample_has_decimal_commas(const csv_sample *s, int body);

/* The text of a line without # and the blanks after it. */
const char *sample_after_hash(const csv_sample *s, int line, char delimiter);

#endif
