/* Draws the folds of a training part: which member of an ensemble leaves which row out. Nothing here is collective. */
#ifndef MLPDIST_ROW_FOLDS_H
#define MLPDIST_ROW_FOLDS_H

#include "base/rng.h"
#include "base/status.h"

typedef struct row_folds {
  uint32_t num_classes, folds;
  uint64_t *left; /* (num_classes, folds) rows still to be drawn */
  rng stream;
} row_folds;

/* Plans folds of rows[k] rows of each class k (num_classes 1: no classes). The folds have equally many rows, within
 * one, and so has each class in them. */
mlpd_status row_folds_create(uint32_t num_classes, const uint64_t *rows, uint32_t folds, uint64_t seed,
                             row_folds *made);
void row_folds_free(row_folds *f);

/* Draws the fold (from 0) of the next row of a class by selection sampling, as row_split_draw does. */
uint8_t row_folds_draw(row_folds *f, uint32_t class);

#endif
