/* The text of cells: UTF-8, or Latin-1, which becomes UTF-8. */
#include <string.h>

#include "convert/convert_csv.h"

/* The length of the UTF-8 character at p, or 0 if there is none. */
static int utf8_length(const unsigned char *p, const unsigned char *end) {
  const int length = *p < 0x80 ? 1 : *p < 0xC2 ? 0 : *p < 0xE0 ? 2 : *p < 0xF0 ? 3 : *p < 0xF5 ? 4 : 0;
  if (length == 0 || end - p < length) return 0;
  for (int i = 1; i < length; i++)
    if ((p[i] & 0xC0) != 0x80) return 0;
  return length;
}

bool csv_is_utf8(const char *begin, const char *end) {
  const unsigned char *p = (const unsigned char *)begin, *const q = (const unsigned char *)end;
  while (p < q) {
    const int length = utf8_length(p, q);
    if (length == 0) return false;
    p += length;
  }
  return true;
}

size_t csv_cell_text(const csv_cell *cell, char *text, size_t size) {
  size_t length = 0;
  const bool latin = !csv_is_utf8(cell->begin, cell->end);
#define PUT(c)                                 \
  do {                                         \
    if (length + 1 < size) text[length] = (c); \
    length++;                                  \
  } while (0)
  for (const char *p = cell->begin; p < cell->end; p++) {
    if (cell->quoted && *p == '"') p++;
    const unsigned char c = (unsigned char)*p;
    if (c == '\r' && p + 1 < cell->end && p[1] == '\n') continue;
    if (c == '\n' || c == '\r') {
      PUT(' ');
    } else if (latin && c >= 0x80) {
      PUT((char)(0xC0 | c >> 6));
      PUT((char)(0x80 | (c & 0x3F)));
    } else {
      PUT((char)c);
    }
  }
#undef PUT
  text[length < size ? length : size - 1] = '\0';
  return length;
}

const char *csv_cell_shown(const csv_cell *cell, char text[CSV_SHOWN_BYTES + 4]) {
  const size_t length = csv_cell_text(cell, text, CSV_SHOWN_BYTES + 1);
  for (char *p = text; *p != '\0'; p++)
    if ((unsigned char)*p < ' ' || *p == 0x7F) *p = '?'; /* do not send control characters to a terminal */
  if (length > CSV_SHOWN_BYTES) {
    size_t cut = strlen(text);
    while (cut > 0 && ((unsigned char)text[cut - 1] & 0xC0) == 0x80) cut--; /* do not cut inside a character */
    if (cut > 0 && (unsigned char)text[cut - 1] >= 0xC0) cut--;
    memcpy(text + cut, "...", 4);
  }
  return text;
}
