/* Guesses the encoding of text that is not UTF-8. Nothing here is collective. */
#ifndef MLPDIST_CSV_ENCODING_H
#define MLPDIST_CSV_ENCODING_H

#include <stdbool.h>
#include <stddef.h>

enum { ENCODING_ADVICE_BYTES = 400 };

/* What the text of a table is like, as lines of it are added that are not UTF-8. */
typedef struct csv_encoding {
  size_t unknown;      /* bytes that Windows-1252 does not have */
  size_t odd;          /* its rare signs */
  size_t high;         /* all bytes above 127 */
  size_t whole, mixed; /* those in words of such bytes alone, and with letters of ASCII */
  char text[4096];     /* (used) the words with such bytes, one a line */
  size_t used;
} csv_encoding;

void csv_encoding_add(csv_encoding *e, const char *begin, const char *end);

/* Can it be Windows-1252, in which most bytes above 127 are letters with accents between others? */
bool csv_encoding_is_western(const csv_encoding *e);

/* Writes the options that name likely encodings, each with a word as it reads it; "" if none is likely. */
void csv_encoding_advise(const csv_encoding *e, char advice[ENCODING_ADVICE_BYTES]);

/* For text that can be Windows-1252, but has signs within words, or letters together, that no language has that is
 * written in it: 0xB3 in Wroc.aw. As csv_encoding_advise; "" for all other text. */
void csv_encoding_doubt(const csv_encoding *e, char advice[ENCODING_ADVICE_BYTES]);

#endif
