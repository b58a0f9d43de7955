/* Tables whose columns have a fixed width, where cells that fill their columns touch: 1234512345 678. Nothing here is
 * collective. */
#ifndef MLPDIST_CSV_FIXED_H
#define MLPDIST_CSV_FIXED_H

#include "base/foreign.h"
#include "csv/csv_sample.h"

/* Finds the widths of columns, as in "5, 5, 8", if they touch, or if all cells end where those of the first line do and
 * may touch below; "?": the columns seem to touch, but where is not known; "": they have no fixed width. */
void csv_fixed_find(const csv_sample *s, char widths[CSV_WIDTHS_BYTES]);

enum { FIXED_BYTES = 2 * FOREIGN_NAME_BYTES + 2 * CSV_WIDTHS_BYTES };

/* The command that divides them. names: a header is in the first line. widths: as found, or "" where none touch. */
const char *csv_fixed_command(const csv_lines *lines, bool names, const char *widths, char text[FIXED_BYTES]);

#endif
