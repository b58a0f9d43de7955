/* Text whose rows are wrapped: a table with brackets, quotes or commands around each row. For error messages. Nothing
 * here is collective. */
#ifndef MLPDIST_FOREIGN_ROWS_H
#define MLPDIST_FOREIGN_ROWS_H

/* What a file that begins with text holds: "statements of SQL"; and in *cure the command that makes a table of it, with
 * %F for the file and %B for its name without extension. NULL: rows are not wrapped. */
const char *foreign_wrapped_rows(const char *text, const char **cure);

#endif
