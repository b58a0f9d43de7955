#include "csv/csv_escapes.h"

#include <string.h>

mlpd_status csv_escapes_check(const csv_sample *s, int head, const csv_lines *lines, char delimiter) {
  const char escaped[] = {'\\', delimiter, '\0'};
  for (int i = head + 1; i < s->count && delimiter != CSV_BLANKS; i++)
    if (strstr(s->lines[i].text, escaped) != NULL)
      return FAIL(
          MLPD_ERROR_DATA,
          "%s:%llu: delimiters inside of cells are written behind a backslash here; put such cells in quotes: "
          "python3 -c \"import csv; csv.writer(open('quoted.csv', 'w', newline='')).writerows("
          "csv.reader(open('FILE', newline=''), escapechar=chr(92), delimiter='%s'))\", with FILE for this table",
          input_name(lines->in), (unsigned long long)s->lines[i].line, delimiter == '\t' ? "\\t" : escaped + 1);
  return MLPD_OK;
}
