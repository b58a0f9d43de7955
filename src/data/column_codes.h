/* Encodes a row of raw columns as inputs of a network. A number becomes one input and, if it was missing in training
 * rows, a second one that is 1 if the value is missing. A category is one-hot: one input for each category that occurs
 * in the training rows and, if it was missing there, one for a missing value. An embedded column is one input, its
 * code: the number of the category among those, a missing value the last, -1 for unknown categories; the
 * network looks up learned values by it (network/embed.c). Nothing here is collective. */
#ifndef MLPDIST_COLUMN_CODES_H
#define MLPDIST_COLUMN_CODES_H

#include "base/element.h"
#include "data/columns.h"

enum { CODES_ONE_HOT_MOST = 255 }; /* most inputs of a one-hot column: its most frequent categories */

typedef struct column_codes {
  columns about;        /* the raw columns */
  double *fill;         /* (columns) replaces a missing number, if the column is marked */
  uint8_t *marked;      /* (columns) missing values have an input or, in an embedded column, a code */
  uint8_t *embedded;    /* (columns) */
  uint32_t *known;      /* (columns) categories that are not -1 in `inputs` */
  int32_t *inputs;      /* (all categories, column after column) index among the inputs or codes of its column, or -1 */
  uint32_t *begin;      /* (columns + 1) first input of each column */
  uint64_t *first;      /* (columns + 1) index in `inputs` of each column's first category */
  uint32_t width;       /* total number of inputs */
  uint32_t embed_width; /* values that the network makes of an embedded column, for descriptions */
} column_codes;

/* Takes ownership of about. Nothing is marked, and no category has an input yet. */
mlpd_status column_codes_create(columns *about, column_codes *made);
void column_codes_free(column_codes *c);

/* Marks the columns of more than `above` categories as embedded. Call it before column_codes_choose(). */
void column_codes_embed(column_codes *c, uint64_t above);

/* Gives categories inputs or codes in the order of their codes: all that have rows or, one-hot, the CODES_ONE_HOT_MOST
 * with the most rows. rows (all categories): rows of each in the training part. Call column_codes_settle() afterwards.
 */
void column_codes_choose(column_codes *c, const uint64_t *rows);

/* Call it after every change of marked, inputs or embedded. */
void column_codes_settle(column_codes *c);

/* true if each column is one input: then affine alone makes the inputs */
bool column_codes_plain(const column_codes *c);

/* true if this code of column j has an input */
bool column_codes_knows(const column_codes *c, uint32_t j, int64_t code);

bool column_codes_any_embedded(const column_codes *c);

/* Sets sizes (width): the number of codes of an embedded input, 0 for other inputs. */
void column_codes_sizes(const column_codes *c, uint32_t *sizes);

/* Sets numbers (width): 1 if the input is a number, 0 for a category, yes/no, or the mark of missing values. */
void column_codes_numbers(const column_codes *c, uint8_t *numbers);

/* Encodes rows rows[0 ... m - 1] (NULL: the first m) of x (any, columns) to out (m, width). A number becomes (x -
 * shift) * scale of its column. */
void column_codes_gather(const column_codes *c, const double *shift, const double *scale, element_type type, uint64_t m,
                         const void *x, const uint32_t *rows, float *out);

/* The raw column that input i comes from. */
uint32_t column_codes_source(const column_codes *c, uint32_t i);

#endif
