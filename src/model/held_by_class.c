#include "model/held_by_class.h"

#include <stdlib.h>

#include "base/memory.h"
#include "data/class_counts.h"
#include "lanes/row_split.h"

enum { BLOCK_ROWS = 1 << 16 };

typedef struct class_reader {
  part *from;
  uint32_t num_classes; /* as of shard_read */
  int32_t *classes;     /* (BLOCK_ROWS) */
} class_reader;

static uint64_t block_rows(const part *from, uint64_t row) {
  return from->rows - row < BLOCK_ROWS ? from->rows - row : BLOCK_ROWS;
}

static mlpd_status count(const class_reader *r, class_counts *counts) {
  for (uint64_t row = 0; row < r->from->rows; row += BLOCK_ROWS) {
    const uint64_t n = block_rows(r->from, row);
    TRY(shard_read_classes(r->from, row, n, r->num_classes, r->classes));
    TRY(class_counts_add(counts, r->classes, n));
  }
  return MLPD_OK;
}

/* The number of the class in the split: labels beyond all reason count as one class. */
static uint32_t stratum(const row_split *split, int32_t class) {
  return (uint32_t) class < split->num_classes - 1 ? (uint32_t) class : split->num_classes - 1;
}

static mlpd_status draw(const class_reader *r, row_split *split, row_marks *marks) {
  for (uint64_t row = 0; row < r->from->rows; row += BLOCK_ROWS) {
    const uint64_t n = block_rows(r->from, row);
    TRY(shard_read_classes(r->from, row, n, r->num_classes, r->classes));
    for (uint64_t i = 0; i < n; i++)
      if (row_split_draw(split, stratum(split, r->classes[i])) == MLPD_VALID) row_marks_set(marks, row + i);
  }
  return MLPD_OK;
}

static mlpd_status mark(part *from, double fraction, uint32_t num_classes, uint64_t seed, row_marks *marks) {
  class_reader r = {.from = from, .num_classes = num_classes};
  class_counts counts = NO_CLASSES;
  row_split split = {0};
  uint64_t counted = 0;
  mlpd_status status;
  TRY_GOTO(status, memory_allocate(&r.classes, BLOCK_ROWS, sizeof *r.classes, "classes"), done);
  TRY_GOTO(status, count(&r, &counts), done);
  TRY_GOTO(status, class_counts_reach(&counts, counts.count + 1), done); /* for labels that were not counted */
  for (uint32_t k = 0; k + 1 < counts.count; k++) counted += counts.rows[k];
  counts.rows[counts.count - 1] = from->rows - counted;
  TRY_GOTO(status, row_split_create(counts.count, counts.rows, fraction, 0, seed, &split), done);
  TRY_GOTO(status, draw(&r, &split, marks), done);
done:
  row_split_free(&split);
  class_counts_free(&counts);
  free(r.classes);
  return status;
}

mlpd_status held_by_class(mlpd_comm *comm, part *from, double fraction, uint32_t num_classes, uint64_t seed,
                          row_marks *made) {
  mlpd_status status = row_marks_create(from->rows, made);
  if (status == MLPD_OK && mlpd_comm_rank(comm) == 0) status = mark(from, fraction, num_classes, seed, made);
  status = mlpd_comm_agree(comm, status);
  if (status == MLPD_OK)
    status = comm_broadcast(comm, made->words, row_marks_words(from->rows) * sizeof *made->words, 0);
  if (status == MLPD_OK)
    row_marks_count(made);
  else
    row_marks_free(made);
  return status;
}
