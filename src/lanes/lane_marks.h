/* A bit for each row of a file: rows that are set apart. */
#ifndef MLPDIST_LANE_MARKS_H
#define MLPDIST_LANE_MARKS_H

#include "base/status.h"

enum { MARKS_BITS = 64, MARKS_BLOCK = 512 }; /* rows of a word, and of a block that is counted */

typedef struct row_marks {
  uint64_t rows, marked;
  uint64_t *words;  /* (rows / MARKS_BITS + 1) */
  uint64_t *before; /* (rows / MARKS_BLOCK + 1) marked rows before each block; made by row_marks_count */
} row_marks;

mlpd_status row_marks_create(uint64_t rows, row_marks *made); /* none marked */
void row_marks_free(row_marks *m);
void row_marks_set(row_marks *m, uint64_t row);
bool row_marks_get(const row_marks *m, uint64_t row);
uint64_t row_marks_words(uint64_t rows); /* of a file of so many rows */
uint64_t row_marks_bytes(uint64_t rows); /* of memory */

/* After the last row_marks_set, before row_marks_find. */
void row_marks_count(row_marks *m);

/* The file's row that is the index-th (from 0) of the marked rows, or of the others. */
uint64_t row_marks_find(const row_marks *m, bool marked, uint64_t index);

#endif
