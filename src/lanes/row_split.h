/* Draws a stratified split: how many rows of each class go to train, valid and test, and which. Nothing here is
 * collective. */
#ifndef MLPDIST_ROW_SPLIT_H
#define MLPDIST_ROW_SPLIT_H

#include "base/rng.h"
#include "base/status.h"

enum { SPLIT_PARTS = 3 }; /* by mlpd_split */

typedef struct row_split {
  uint32_t num_classes;          /* 1: no classes */
  uint64_t (*left)[SPLIT_PARTS]; /* (num_classes) rows still to be drawn for each part */
  uint64_t total[SPLIT_PARTS];   /* rows of each part in total */
  rng stream;
} row_split;

/* Plans the split of rows[k] rows of each class k. valid and test are fractions of all rows: exact in total, and in
 * each class as exact as whole rows allow. At least one row of each class stays in train, if possible. */
mlpd_status row_split_create(uint32_t num_classes, const uint64_t *rows, double valid, double test, uint64_t seed,
                             row_split *made);
void row_split_free(row_split *split);

/* Draws the part of the next row of a class by selection sampling (Knuth, The Art of Computer Programming 2, 3.4.2,
 * Algorithm S): the counts are exact, and no list of rows is needed. */
mlpd_split row_split_draw(row_split *split, uint32_t class);

#endif
