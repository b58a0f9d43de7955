#include "convert/convert_csv_decode.h"

#include <errno.h>
#include <iconv.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { RAW_BYTES = 1 << 16 };

struct csv_decoder {
  iconv_t state;
  size_t begin, end; /* bytes of raw that are not decoded yet */
  bool at_end;
  char raw[RAW_BYTES];
};

/* Without a byte order mark, UTF-16 is recognised by every other byte being zero, as in text in Latin letters. */
static const char *utf16_name(const unsigned char *b, size_t count) {
  if (count >= 2 && b[0] == 0xFF && b[1] == 0xFE) return "UTF-16LE";
  if (count >= 2 && b[0] == 0xFE && b[1] == 0xFF) return "UTF-16BE";
  if (count < 8) return NULL;
  bool little = true, big = true;
  for (size_t i = 0; i < 8; i++) {
    little = little && (b[i] == 0) == (i % 2 == 1);
    big = big && (b[i] == 0) == (i % 2 == 0);
  }
  return little ? "UTF-16LE" : big ? "UTF-16BE" : NULL;
}

bool csv_is_utf16(const unsigned char *bytes, size_t count) { return utf16_name(bytes, count) != NULL; }

mlpd_status csv_decoder_find(input *in, csv_decoder **found) {
  unsigned char bytes[8];
  size_t got = 0;
  *found = NULL;
  TRY(input_read(in, bytes, sizeof bytes, &got));
  TRY(input_rewind(in));
  const char *name = utf16_name(bytes, got);
  if (name == NULL) return MLPD_OK;
  TRY(memory_allocate(found, 1, sizeof **found, "decoder"));
  (*found)->state = iconv_open("UTF-8", name);
  if ((intptr_t)(*found)->state != -1) return MLPD_OK;
  free(*found);
  *found = NULL;
  return FAIL(MLPD_ERROR_DATA, "%s: is %s, which this system's iconv does not know; convert it to UTF-8",
              input_name(in), name);
}

void csv_decoder_free(csv_decoder *decoder) {
  if (decoder == NULL) return;
  (void)iconv_close(decoder->state);
  free(decoder);
}

static mlpd_status fill(csv_decoder *d, input *in) {
  const size_t left = d->end - d->begin;
  size_t got = 0;
  memmove(d->raw, d->raw + d->begin, left);
  TRY(input_read(in, d->raw + left, sizeof d->raw - left, &got));
  d->begin = 0;
  d->end = left + got;
  d->at_end = d->end < sizeof d->raw;
  return MLPD_OK;
}

bool csv_decoder_done(const csv_decoder *d) { return d->at_end && d->begin == d->end; }

mlpd_status csv_decoder_read(csv_decoder *d, input *in, char *out, size_t bytes, size_t *got) {
  char *at = out;
  size_t room = bytes;
  while (room > 0) {
    if (d->end - d->begin < 4 && !d->at_end) TRY(fill(d, in)); /* a character has at most 4 bytes */
    if (d->end == d->begin) break;
    char *raw = d->raw + d->begin;
    size_t left = d->end - d->begin;
    const size_t converted = iconv(d->state, &raw, &left, &at, &room);
    d->begin = d->end - left;
    if (converted != (size_t)-1 || (errno == EINVAL && !d->at_end)) continue;
    if (errno == E2BIG) break;
    return FAIL(MLPD_ERROR_DATA, "%s: is damaged UTF-16", input_name(in));
  }
  *got = bytes - room;
  return MLPD_OK;
}
