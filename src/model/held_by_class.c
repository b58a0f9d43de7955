#include "model/held_by_class.h"

#include <stdlib.h>

#include "base/memory.h"
#include "data/class_counts.h"
#include "data/shard.h"
#include "lanes/row_folds.h"
#include "lanes/row_split.h"

enum { BLOCK_ROWS = 1 << 16 };

typedef struct class_reader {
  part *from;
  uint32_t num_classes; /* as of shard_read */
  int32_t *classes;     /* (BLOCK_ROWS) */
} class_reader;

static mlpd_status count(const class_reader *r, uint64_t begin, uint64_t end, class_counts *counts) {
  for (uint64_t row = begin; row < end; row += BLOCK_ROWS) {
    const uint64_t n = end - row < BLOCK_ROWS ? end - row : BLOCK_ROWS;
    TRY(shard_read_classes(r->from, row, n, r->num_classes, r->classes));
    TRY(class_counts_add(counts, r->classes, n));
  }
  return MLPD_OK;
}

/* Counts the rows of each class over all ranks; each reads its share of the file. One more class at the end is for
 * labels that are not counted. Collective. */
static mlpd_status count_all(mlpd_comm *comm, const class_reader *r, class_counts *counts) {
  const uint64_t rows = r->from->rows, rank = (uint64_t)mlpd_comm_rank(comm), size = (uint64_t)mlpd_comm_size(comm);
  const uint64_t share = rows / size, more = rows % size;
  const uint64_t begin = share * rank + (rank < more ? rank : more);
  TRY(mlpd_comm_agree(comm, count(r, begin, begin + share + (rank < more), counts)));
  double most = (double)counts->count;
  TRY(comm_max_double(comm, &most, 1));
  TRY(mlpd_comm_agree(comm, class_counts_reach(counts, (uint32_t)most + 1)));
  TRY(comm_sum_u64(comm, counts->rows, counts->count));
  uint64_t counted = 0;
  for (uint32_t k = 0; k + 1 < counts->count; k++) counted += counts->rows[k];
  counts->rows[counts->count - 1] = rows - counted;
  return MLPD_OK;
}

/* The number of a class where rows are drawn: all labels that are not counted are one class. */
static uint32_t stratum(uint32_t num_classes, int32_t class) {
  return (uint32_t) class < num_classes - 1 ? (uint32_t) class : num_classes - 1;
}

static mlpd_status draw(const class_reader *r, row_split *split, row_marks *marks) {
  for (uint64_t row = 0; row < r->from->rows; row += BLOCK_ROWS) {
    const uint64_t left = r->from->rows - row, n = left < BLOCK_ROWS ? left : BLOCK_ROWS;
    TRY(shard_read_classes(r->from, row, n, r->num_classes, r->classes));
    for (uint64_t i = 0; i < n; i++)
      if (row_split_draw(split, stratum(split->num_classes, r->classes[i])) == MLPD_VALID)
        row_marks_set(marks, row + i);
  }
  return MLPD_OK;
}

/* One stream of random numbers runs through all rows, so rank 0 draws alone. Collective. */
static mlpd_status mark(mlpd_comm *comm, const class_reader *r, const class_counts *counts, double fraction,
                        uint64_t seed, row_marks *marks) {
  row_split split = {0};
  mlpd_status status = MLPD_OK;
  if (mlpd_comm_rank(comm) == 0) {
    status = row_split_create(counts->count, counts->rows, fraction, 0, seed, &split);
    if (status == MLPD_OK) status = draw(r, &split, marks);
    row_split_free(&split);
  }
  TRY(mlpd_comm_agree(comm, status));
  return comm_broadcast(comm, marks->words, row_marks_words(marks->rows) * sizeof *marks->words, 0);
}

mlpd_status held_by_class(mlpd_comm *comm, part *from, double fraction, uint32_t num_classes, uint64_t seed,
                          row_marks *made) {
  class_reader r = {.from = from, .num_classes = num_classes};
  class_counts counts = NO_CLASSES;
  mlpd_status status = row_marks_create(from->rows, made);
  if (status == MLPD_OK) status = memory_allocate(&r.classes, BLOCK_ROWS, sizeof *r.classes, "classes");
  status = mlpd_comm_agree(comm, status);
  if (status == MLPD_OK) status = count_all(comm, &r, &counts);
  if (status == MLPD_OK) status = mark(comm, &r, &counts, fraction, seed, made);
  class_counts_free(&counts);
  free(r.classes);
  if (status == MLPD_OK)
    row_marks_count(made);
  else
    row_marks_free(made);
  return status;
}

/* ---- Folds -------------------------------------------------------------------------------------------- */

static mlpd_status draw_folds(const class_reader *r, row_folds *folds, uint8_t *fold) {
  for (uint64_t row = 0; row < r->from->rows; row += BLOCK_ROWS) {
    const uint64_t left = r->from->rows - row, n = left < BLOCK_ROWS ? left : BLOCK_ROWS;
    if (r->classes != NULL) TRY(shard_read_classes(r->from, row, n, r->num_classes, r->classes));
    for (uint64_t i = 0; i < n; i++)
      fold[row + i] = row_folds_draw(folds, r->classes != NULL ? stratum(folds->num_classes, r->classes[i]) : 0);
  }
  return MLPD_OK;
}

/* As for marks, rank 0 draws alone. Collective. */
static mlpd_status number(mlpd_comm *comm, const class_reader *r, const class_counts *counts, const fold_wishes *wishes,
                          uint8_t *fold) {
  const uint64_t rows = r->from->rows;
  row_folds folds = {0};
  mlpd_status status = MLPD_OK;
  if (mlpd_comm_rank(comm) == 0) {
    status = row_folds_create(r->classes != NULL ? counts->count : 1, r->classes != NULL ? counts->rows : &rows,
                              wishes->folds, wishes->seed, &folds);
    if (status == MLPD_OK) status = draw_folds(r, &folds, fold);
    row_folds_free(&folds);
  }
  TRY(mlpd_comm_agree(comm, status));
  return comm_broadcast(comm, fold, rows, 0);
}

mlpd_status held_by_fold(mlpd_comm *comm, part *from, const fold_wishes *wishes, uint8_t *fold) {
  class_reader r = {.from = from, .num_classes = wishes->num_classes};
  class_counts counts = NO_CLASSES;
  mlpd_status status =
      wishes->as_classes ? memory_allocate(&r.classes, BLOCK_ROWS, sizeof *r.classes, "classes") : MLPD_OK;
  status = mlpd_comm_agree(comm, status);
  if (status == MLPD_OK && wishes->as_classes) status = count_all(comm, &r, &counts);
  if (status == MLPD_OK) status = number(comm, &r, &counts, wishes, fold);
  class_counts_free(&counts);
  free(r.classes);
  return status;
}
