/* The text of cells: UTF-8, or Windows-1252, which contains Latin-1 and becomes UTF-8. */
#include <stdint.h>
#include <string.h>

#include "csv/csv.h"

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

/* Writes the character of a byte of Windows-1252 as UTF-8, and returns its length. Windows has printed characters where
 * Latin-1 has control characters: the euro, quotes and dashes. */
static int widen(unsigned char byte, char utf8[4]) {
  static const uint16_t printed[] = {0x20AC, 0x81,   0x201A, 0x192,  0x201E, 0x2026, 0x2020, 0x2021,
                                     0x2C6,  0x2030, 0x160,  0x2039, 0x152,  0x8D,   0x17D,  0x8F,
                                     0x90,   0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
                                     0x2DC,  0x2122, 0x161,  0x203A, 0x153,  0x9D,   0x17E,  0x178};
  const unsigned c = byte < 0xA0 ? printed[byte - 0x80] : byte;
  char *to = utf8;
  if (c >= 0x800) *to++ = (char)(0xE0 | c >> 12);
  *to++ = (char)(c >= 0x800 ? 0x80 | (c >> 6 & 0x3F) : 0xC0 | c >> 6);
  *to++ = (char)(0x80 | (c & 0x3F));
  return (int)(to - utf8);
}

size_t csv_cell_text(const csv_cell *cell, char *text, size_t size) {
  size_t length = 0;
  char utf8[4];
  const bool latin = !csv_is_utf8(cell->begin, cell->end);
#define PUT(c)                                 \
  do {                                         \
    if (length + 1 < size) text[length] = (c); \
    length++;                                  \
  } while (0)
  for (const char *p = cell->begin; p < cell->end; p++) {
    if ((cell->quoted && *p == '"') || (cell->doubled && *p == '\'')) p++;
    const unsigned char c = (unsigned char)*p;
    if (c == '\r' && p + 1 < cell->end && p[1] == '\n') continue;
    if (c == '\n' || c == '\r') {
      PUT(' ');
    } else if (latin && c >= 0x80) {
      const int bytes = widen(c, utf8);
      for (int i = 0; i < bytes; i++) PUT(utf8[i]);
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
    if ((unsigned char)*p < ' ' || *p == 0x7F)
      *p = *p == '\t' ? ' ' : '?'; /* do not send control characters to a terminal */
  if (length > CSV_SHOWN_BYTES) {
    size_t cut = strlen(text);
    while (cut > 0 && ((unsigned char)text[cut - 1] & 0xC0) == 0x80) cut--; /* do not cut inside a character */
    if (cut > 0 && (unsigned char)text[cut - 1] >= 0xC0) cut--;
    memcpy(text + cut, "...", 4);
  }
  return text;
}
