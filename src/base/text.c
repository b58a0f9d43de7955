#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const uint32_t NO_CHARACTER = UINT32_MAX;

/* The character at text and its length in bytes; a byte that starts no character is NO_CHARACTER of length 1 (RFC
 * 3629). */
static uint32_t decode(const char *text, size_t *length) {
  const unsigned char *const byte = (const unsigned char *)text;
  static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  const size_t count = byte[0] < 0x80    ? 1
                       : byte[0] >= 0xf8 ? 0
                       : byte[0] >= 0xf0 ? 4
                       : byte[0] >= 0xe0 ? 3
                       : byte[0] >= 0xc0 ? 2
                                         : 0;
  *length = 1;
  if (count == 0) return NO_CHARACTER;
  if (count == 1) return byte[0];
  uint32_t code = byte[0] & (0x7fU >> count);
  for (size_t i = 1; i < count; i++) {
    if ((byte[i] & 0xc0) != 0x80) return NO_CHARACTER; /* the NUL at the end, too */
    code = code << 6 | (byte[i] & 0x3f);
  }
  const bool surrogate = code >= 0xd800 && code <= 0xdfff;
  if (code < least[count] || code > 0x10ffff || surrogate) return NO_CHARACTER;
  *length = count;
  return code;
}

/* Characters that control a terminal: C0, DEL, C1, line separators, and direction marks. */
static bool is_control(uint32_t code) {
  return code < 0x20 || (code >= 0x7f && code < 0xa0) || (code >= 0x2028 && code <= 0x202e) ||
         (code >= 0x2066 && code <= 0x2069);
}

/* Copies characters while they fit. Invalid bytes become `instead`; control characters become `control` unless that
 * is NULL. */
static void copy_characters(const char *text, char *copy, size_t size, const char *instead, const char *control) {
  size_t used = 0;
  for (size_t length = 0; *text != '\0'; text += length) {
    const uint32_t code = decode(text, &length);
    const char *from = text;
    if (code == NO_CHARACTER)
      from = instead;
    else if (control != NULL && is_control(code))
      from = control;
    const size_t bytes = from == text ? length : strlen(from);
    if (used + bytes >= size) break;
    memmove(copy + used, from, bytes); /* copy may be text: writing never overtakes reading */
    used += bytes;
  }
  if (size > 0) copy[used] = '\0';
}

void mlpd_text_free(char *text) { free(text); }

void mlpd_text_printable(const char *text, char *copy, size_t size) { copy_characters(text, copy, size, "?", "?"); }

void mlpd_text_utf8(const char *text, char *copy, size_t size) {
  copy_characters(text, copy, size, "\xef\xbf\xbd", NULL); /* U+FFFD, the replacement character */
}

bool text_ends_in(const char *text, const char *end) {
  const size_t length = strlen(text), tail = strlen(end);
  return length >= tail && strcmp(text + length - tail, end) == 0;
}

bool text_ends_in_any_case(const char *text, const char *end) {
  const size_t length = strlen(text), tail = strlen(end);
  return length >= tail && strcasecmp(text + length - tail, end) == 0;
}

void text_make_printable(char *text) { mlpd_text_printable(text, text, strlen(text) + 1); }
