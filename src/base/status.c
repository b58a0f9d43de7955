#include "base/status.h"

#include <stdarg.h>
#include <string.h>

#include "base/text.h"

enum { MESSAGE_BYTES = 1024 };

static _Thread_local char message[MESSAGE_BYTES];
static _Thread_local char place[128];

mlpd_status status_record(mlpd_status status, const char *file, int line, const char *format, ...) {
  /* Arguments may point into message itself: format beside it, then copy. */
  char text[MESSAGE_BYTES];
  va_list arguments;
  va_start(arguments, format);
  (void)vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  text_make_printable(text); /* names and cells of hostile files: one line without control characters */
  memcpy(message, text, sizeof text);
  const char *slash = strrchr(file, '/');
  (void)snprintf(place, sizeof place, "%s:%d", slash != NULL ? slash + 1 : file, line);
  return status;
}

mlpd_status status_prefix(mlpd_status status, const char *format, ...) {
  char text[MESSAGE_BYTES];
  va_list arguments;
  va_start(arguments, format);
  const int length = vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  if (length >= 0 && (size_t)length < sizeof text) {
    (void)snprintf(text + length, sizeof text - (size_t)length, "%s", message);
    text_make_printable(text);
    memcpy(message, text, sizeof text);
  }
  return status;
}

mlpd_status status_need(const void *pointer, const char *function, const char *argument) {
  return pointer != NULL ? MLPD_OK : FAIL(MLPD_ERROR_USAGE, "%s: %s is NULL", function, argument);
}

const char *mlpd_error_message(void) { return message; }

const char *mlpd_error_place(void) { return place; }
