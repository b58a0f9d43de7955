/* How a row of raw columns becomes inputs of a network, where they are not as many: a number is one input, and another
 * one, 1 where the value is missing, if values were missing in the training rows; a category is one input for each of
 * the categories that the training rows hold, 1 where it is this one, and another one likewise. Nothing here is
 * collective. */
#ifndef MLPDIST_COLUMN_CODES_H
#define MLPDIST_COLUMN_CODES_H

#include "base/element.h"
#include "data/columns.h"

enum { CODES_ONE_HOT_MOST = 255 }; /* inputs of a column: its most frequent categories */

typedef struct column_codes {
  columns about;   /* of the raw columns */
  double *fill;    /* (columns) stands for a missing number where the column is marked */
  uint8_t *marked; /* (columns) has an input that tells missing values */
  int32_t *inputs; /* (all categories, column after column) place among the inputs of its column, or -1 */
  uint32_t *begin; /* (columns + 1) of the inputs of each column */
  uint64_t *first; /* (columns + 1) of the categories of each column, in inputs */
  uint32_t width;  /* inputs in all */
} column_codes;

/* Takes over about; nothing is marked, and no category has an input. */
mlpd_status column_codes_create(columns *about, column_codes *made);
void column_codes_free(column_codes *c);

/* Gives categories inputs in the order of their codes: all that have rows, or the CODES_ONE_HOT_MOST that have most.
 * rows: (all categories) of the training part. Must be followed by column_codes_settle(). */
void column_codes_choose(column_codes *c, const uint64_t *rows);

/* Must follow every change of marked and inputs. */
void column_codes_settle(column_codes *c);

/* Are inputs what columns are, one each? Then affine alone makes them. */
bool column_codes_plain(const column_codes *c);

/* Is code of column j one of those that have an input? */
bool column_codes_knows(const column_codes *c, uint32_t j, int64_t code);

/* out (m, width) gets row rows[i] (NULL: row i) of x (any, columns) of type; a number becomes (x - shift) * scale of
 * its column. */
void column_codes_gather(const column_codes *c, const double *shift, const double *scale, element_type type, uint64_t m,
                         const void *x, const uint32_t *rows, float *out);

/* The raw column that input i comes from. */
uint32_t column_codes_source(const column_codes *c, uint32_t i);

#endif
