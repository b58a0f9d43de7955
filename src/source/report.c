#include "source/report.h"

#include <stdarg.h>
#include <string.h>

enum { LIST_BYTES = 300 };

void convert_say(const mlpd_convert_options *options, const char *format, ...) {
  char line[REPORT_BYTES + 300];
  if (options->decision == NULL) return;
  va_list arguments;
  va_start(arguments, format);
  (void)vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  for (char *p = line; *p != '\0'; p++)
    if ((unsigned char)*p < ' ' || *p == 0x7F) *p = '?';
  options->decision(options->context, line);
}

void report_list_add(char *text, size_t *used, const char *separator, const char *item) {
  const size_t bytes = strlen(separator) + strlen(item);
  if (*used >= LIST_BYTES) return;
  if (*used == 0) separator = "";
  if (*used + bytes < LIST_BYTES - 4)
    *used += (size_t)snprintf(text + *used, REPORT_BYTES - *used, "%s%s", separator, item);
  else {
    (void)snprintf(text + *used, REPORT_BYTES - *used, "%s...", separator);
    *used = LIST_BYTES;
  }
}

const char *report_word(const char *text) {
  enum { WHOLE = 38 }; /* longer texts of cells are cut in messages */
  return strlen(text) > WHOLE || strpbrk(text, "',") != NULL ? "TEXT" : text;
}
