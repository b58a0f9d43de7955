/* Marks rows of a file, one bit per row. Nothing here is collective. */
#ifndef MLPDIST_LANE_MARKS_H
#define MLPDIST_LANE_MARKS_H

#include "base/status.h"

enum { MARKS_BITS = 64, MARKS_BLOCK = 512 }; /* rows per word, and rows per block of the counts */

typedef struct row_marks {
  uint64_t rows, marked;
  uint64_t *words;  /* (rows / MARKS_BITS + 1) */
  uint64_t *before; /* (rows / MARKS_BLOCK + 1) marked rows before each block; made by row_marks_count */
} row_marks;

mlpd_status row_marks_create(uint64_t rows, row_marks *made); /* none marked */
void row_marks_free(row_marks *m);
void row_marks_set(row_marks *m, uint64_t row);
bool row_marks_get(const row_marks *m, uint64_t row);
uint64_t row_marks_words(uint64_t rows); /* words for so many rows */
uint64_t row_marks_bytes(uint64_t rows); /* bytes of memory for so many rows */

/* Computes `before`. Call it after the last row_marks_set and before row_marks_find. */
void row_marks_count(row_marks *m);

/* The row of the file that is the index-th (from 0) of the marked rows, or of those not marked. */
uint64_t row_marks_find(const row_marks *m, bool marked, uint64_t index);

#endif
