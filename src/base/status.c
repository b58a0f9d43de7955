#include "base/status.h"

#include <stdarg.h>
#include <string.h>

#include "base/text.h"

static _Thread_local status_kept last;

mlpd_status status_record(mlpd_status status, const char *file, int line, const char *format, ...) {
  /* Arguments may point into the last message: format beside it, then copy. */
  char text[sizeof last.message];
  va_list arguments;
  va_start(arguments, format);
  (void)vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  text_make_printable(text); /* names and cells of hostile files: one line without control characters */
  memcpy(last.message, text, sizeof text);
  const char *slash = strrchr(file, '/');
  (void)snprintf(last.place, sizeof last.place, "%s:%d", slash != NULL ? slash + 1 : file, line);
  return status;
}

mlpd_status status_prefix(mlpd_status status, const char *format, ...) {
  char text[sizeof last.message];
  va_list arguments;
  va_start(arguments, format);
  const int length = vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  if (length >= 0 && (size_t)length < sizeof text) {
    (void)snprintf(text + length, sizeof text - (size_t)length, "%s", last.message);
    text_make_printable(text);
    memcpy(last.message, text, sizeof text);
  }
  return status;
}

void status_reword(const char *from, const char *to) {
  char text[sizeof last.message];
  const char *const found = *from != '\0' ? strstr(last.message, from) : NULL;
  if (found == NULL) return;
  const int before = (int)(found - last.message);
  (void)snprintf(text, sizeof text, "%.*s%s%s", before, last.message, to, found + strlen(from));
  text_make_printable(text);
  memcpy(last.message, text, sizeof text);
}

mlpd_status status_need(const void *pointer, const char *function, const char *argument) {
  return pointer != NULL ? MLPD_OK : FAIL(MLPD_ERROR_USAGE, "%s: %s is NULL", function, argument);
}

mlpd_status status_need_path(const char *path, const char *function, const char *argument) {
  TRY(status_need(path, function, argument));
  return *path != '\0' ? MLPD_OK : FAIL(MLPD_ERROR_USAGE, "the path is empty");
}

void status_keep(status_kept *kept) { *kept = last; }

void status_put_back(const status_kept *kept) { last = *kept; }

const char *mlpd_error_message(void) { return last.message; }

const char *mlpd_error_place(void) { return last.place; }
