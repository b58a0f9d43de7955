/* Delimiters and quotes that other programs write inside of cells: behind a backslash (MySQL's dumps, Hadoop's tables),
 * or as they are (columns of lists of R). Such a table can have as many cells in each row as another that is written as
 * usual, so it is looked for before the layout is. Nothing here is collective. */
#ifndef MLPDIST_CSV_ESCAPES_H
#define MLPDIST_CSV_ESCAPES_H

#include "base/foreign.h"
#include "csv/csv_sample.h"

/* Refuses a table in whose sample quotes inside of quoted cells are behind a backslash. */
mlpd_status csv_escapes_check_quotes(const csv_sample *s, const csv_lines *lines);

/* Refuses a table whose lines have equally many cells only if a delimiter behind a backslash ends none. */
mlpd_status csv_escapes_check_cells(const csv_sample *s, const csv_lines *lines, char delimiter);

/* Refuses a table in whose sample, below line head, a delimiter is behind a backslash: for a header that does not fit.
 */
mlpd_status csv_escapes_check(const csv_sample *s, int head, const csv_lines *lines, char delimiter);

/* For a header with one name less than the rows have cells: refuses cells that hold a delimiter without quotes, as c(4,
 * 5), or any where the first name is empty, so that the column that names the rows has one. Line body holds the first
 * row. */
mlpd_status csv_escapes_check_divided(const csv_sample *s, int body, const csv_lines *lines, const csv_layout *layout);

/* For a table without a header below titles: refuses rows that have as many cells as the line above them, or one more,
 * if a text as c(4, 5, 6) is one cell. That line is no title then, but their header. */
mlpd_status csv_escapes_check_title(const csv_sample *s, int body, const csv_lines *lines, const csv_layout *layout);

/* The line of the file in which a delimiter behind a backslash may belong to its cell, from line body on; 0: none. */
uint64_t csv_escapes_find(const csv_sample *s, int body, char delimiter);

/* May a delimiter behind a backslash belong to its cell? */
bool csv_has_escapes(const char *begin, const char *end, char delimiter);

enum { ESCAPES_BYTES = 2 * FOREIGN_NAME_BYTES + 300 };

/* The commands that put such cells in quotes, and double such quotes. Return text. */
const char *csv_escapes_command(const csv_lines *lines, char delimiter, char text[ESCAPES_BYTES]);
const char *csv_escaped_quotes_command(const csv_lines *lines, char text[ESCAPES_BYTES]);

#endif
