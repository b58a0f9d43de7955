#include "csv/csv_decode.h"

#include <errno.h>
#include <iconv.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { RAW_BYTES = 1 << 16, HEAD_BYTES = 4096, ENCODING_NAME_BYTES = 64 };

struct csv_decoder {
  iconv_t state;
  char name[ENCODING_NAME_BYTES];
  bool guessed;
  size_t begin, end; /* bytes of raw that are not decoded yet */
  bool at_end;
  bool flushed; /* what iconv held back at the end was written */
  bool cut;     /* the bytes that are left begin a character and do not end it */
  char raw[RAW_BYTES];
};

/* Is it UTF-16 without a byte order mark? The high bytes of delimiters, digits and line ends are zero, and bytes of
 * UTF-8 never are. high: where in each pair the high byte stands. */
static bool is_unmarked(const unsigned char *b, size_t count, size_t high) {
  size_t zeros = 0;
  for (size_t i = 0; i + 1 < count; i += 2) {
    const unsigned upper = b[i + high], lower = b[i + 1 - high], unit = upper << 8 | lower;
    if (unit < 0x20 && strchr("\t\n\r\f", (int)unit) == NULL) return false; /* no text */
    if (unit == 0 || unit >= 0xFFF0 || (unit >= 0xE000 && unit < 0xF900)) return false;
    zeros += upper == 0;
  }
  return zeros >= 3 && 16 * zeros >= count;
}

/* count: at most HEAD_BYTES. */
static const char *utf16_name(const unsigned char *b, size_t count) {
  if (count >= 2 && b[0] == 0xFF && b[1] == 0xFE) return "UTF-16LE";
  if (count >= 2 && b[0] == 0xFE && b[1] == 0xFF) return "UTF-16BE";
  if (count < 8 || memchr(b, 0, count) == NULL) return NULL;
  return is_unmarked(b, count, 1) ? "UTF-16LE" : is_unmarked(b, count, 0) ? "UTF-16BE" : NULL;
}

bool csv_is_utf16(const unsigned char *bytes, size_t count) { return utf16_name(bytes, count) != NULL; }

static mlpd_status decoder_open(const input *in, const char *name, bool guessed, csv_decoder **made) {
  const iconv_t state = iconv_open("UTF-8", name);
  if ((intptr_t)state == -1 && guessed)
    return FAIL(MLPD_ERROR_DATA, "%s: is %s, which this system's iconv does not know; convert it to UTF-8",
                input_name(in), name);
  if ((intptr_t)state == -1)
    return FAIL(MLPD_ERROR_USAGE, "encoding '%s' is unknown to this system's iconv; iconv -l lists those that it knows",
                name);
  const mlpd_status status = memory_allocate(made, 1, sizeof **made, "decoder");
  if (status != MLPD_OK) return (void)iconv_close(state), status;
  (*made)->state = state;
  (*made)->guessed = guessed;
  (void)snprintf((*made)->name, sizeof(*made)->name, "%s", name);
  return MLPD_OK;
}

static bool encoding_is_given(const char *encoding) { return encoding != NULL && strcmp(encoding, "auto") != 0; }

mlpd_status csv_decoder_find(input *in, const char *encoding, csv_decoder **found) {
  unsigned char bytes[HEAD_BYTES];
  size_t got = 0;
  *found = NULL;
  if (encoding_is_given(encoding)) return decoder_open(in, encoding, false, found);
  TRY(input_read(in, bytes, sizeof bytes, &got));
  TRY(input_rewind(in));
  const char *name = utf16_name(bytes, got);
  return name != NULL ? decoder_open(in, name, true, found) : MLPD_OK;
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

bool csv_decoder_done(const csv_decoder *d) { return d->flushed; }

mlpd_status csv_decoder_read(csv_decoder *d, input *in, char *out, size_t bytes, size_t *got) {
  char *at = out;
  size_t room = bytes;
  while (room > 0) {
    if ((d->cut || d->end - d->begin < 4) && !d->at_end) TRY(fill(d, in)); /* a character has at most 4 bytes */
    if (d->end == d->begin) { /* encodings such as windows-1255 hold a letter back, as a sign may follow and join it */
      d->flushed = d->flushed || iconv(d->state, NULL, NULL, &at, &room) != (size_t)-1;
      break;
    }
    char *raw = d->raw + d->begin;
    size_t left = d->end - d->begin;
    const size_t converted = iconv(d->state, &raw, &left, &at, &room);
    d->begin = d->end - left;
    d->cut = converted == (size_t)-1 && errno == EINVAL;
    if (converted != (size_t)-1 || (d->cut && !d->at_end)) continue;
    if (errno == E2BIG) break;
    if (d->guessed) return FAIL(MLPD_ERROR_DATA, "%s: is damaged %s", input_name(in), d->name);
    return FAIL(MLPD_ERROR_DATA, "%s: holds bytes that are not valid in %s; is --encoding right?", input_name(in),
                d->name);
  }
  *got = bytes - room;
  return MLPD_OK;
}
