#include "lanes/lane_marks.h"

#include <stdlib.h>

#include "base/memory.h"

uint64_t row_marks_words(uint64_t rows) { return rows / MARKS_BITS + 1; }

uint64_t row_marks_bytes(uint64_t rows) { return 8 * (row_marks_words(rows) + rows / MARKS_BLOCK + 1); }

mlpd_status row_marks_create(uint64_t rows, row_marks *made) {
  *made = (row_marks){.rows = rows};
  mlpd_status status = memory_allocate(&made->words, row_marks_words(rows), sizeof *made->words, "a bit for each row");
  if (status == MLPD_OK)
    status = memory_allocate(&made->before, rows / MARKS_BLOCK + 1, sizeof *made->before, "a bit for each row");
  if (status != MLPD_OK) row_marks_free(made);
  return status;
}

void row_marks_free(row_marks *m) {
  free(m->words);
  free(m->before);
  *m = (row_marks){0};
}

void row_marks_set(row_marks *m, uint64_t row) { m->words[row / MARKS_BITS] |= UINT64_C(1) << row % MARKS_BITS; }

bool row_marks_get(const row_marks *m, uint64_t row) {
  return (m->words[row / MARKS_BITS] >> row % MARKS_BITS & 1) != 0;
}

void row_marks_count(row_marks *m) {
  m->marked = 0;
  for (uint64_t word = 0; word < row_marks_words(m->rows); word++) {
    if (word * MARKS_BITS % MARKS_BLOCK == 0) m->before[word * MARKS_BITS / MARKS_BLOCK] = m->marked;
    m->marked += (uint64_t)__builtin_popcountll(m->words[word]);
  }
}

/* The number of marked rows, or of the others, before a block. */
static uint64_t before(const row_marks *m, bool marked, uint64_t block) {
  return marked ? m->before[block] : block * MARKS_BLOCK - m->before[block];
}

uint64_t row_marks_find(const row_marks *m, bool marked, uint64_t index) {
  uint64_t low = 0, high = m->rows / MARKS_BLOCK;
  while (low < high) { /* finds the last block with at most index such rows before it */
    const uint64_t middle = low + (high - low + 1) / 2;
    if (before(m, marked, middle) <= index)
      low = middle;
    else
      high = middle - 1;
  }
  uint64_t row = low * MARKS_BLOCK;
  for (uint64_t left = index - before(m, marked, low); row < m->rows; row++) {
    if (row_marks_get(m, row) != marked) continue;
    if (left-- == 0) break;
  }
  return row;
}
