/* Cells that hold delimiters behind a backslash, in place of quotes around them. Nothing here is collective. */
#ifndef MLPDIST_CSV_ESCAPES_H
#define MLPDIST_CSV_ESCAPES_H

#include "csv/csv_sample.h"

/* Refuses a table in whose sample, below line head, a delimiter is behind a backslash. MySQL's dumps and Hadoop's tables
 * are written so. */
mlpd_status csv_escapes_check(const csv_sample *s, int head, const csv_lines *lines, char delimiter);

#endif
