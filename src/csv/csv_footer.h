/* The line below a table that counts its rows, as the clients of databases print it:
 *
 *   (60 rows)                    psql
 *   60 rows in set (0.01 sec)    mysql
 *   (60 rows affected)           sqlcmd
 *   60 rows selected.            sqlplus
 *   60 record(s) selected.       db2
 *
 * Nothing here is collective. */
#ifndef MLPDIST_CSV_FOOTER_H
#define MLPDIST_CSV_FOOTER_H

#include "csv/csv_internal.h"

/* true for such a line; *rows is its number. */
bool csv_is_footer(const char *begin, const char *end, uint64_t *rows);

/* *taken: the line is the footer or stands below it, so it is no row. MLPD_ERROR_DATA if the footer's count is not that
 * of the first pass, or a row follows it. */
mlpd_status csv_footer_take(csv_source *c, const char *begin, const char *end, bool *taken);

#endif
