#include "lanes/row_folds.h"

#include <stdlib.h>

#include "base/memory.h"

/* Row r, if rows were in the order of their classes, belongs to fold r % folds: this decides how many rows of a class
 * each fold gets, not which. */
mlpd_status row_folds_create(uint32_t num_classes, const uint64_t *rows, uint32_t folds, uint64_t seed,
                             row_folds *made) {
  uint64_t before = 0;
  *made = (row_folds){.num_classes = num_classes, .folds = folds, .stream = rng_start(seed, RNG_FOLDS, 0, 0)};
  TRY(memory_allocate(&made->left, (size_t)num_classes * folds, sizeof *made->left, "folds"));
  for (uint32_t k = 0; k < num_classes; before += rows[k++])
    for (uint64_t i = 0; i < folds; i++)
      made->left[(size_t)k * folds + (before + i) % folds] = rows[k] / folds + (i < rows[k] % folds);
  return MLPD_OK;
}

void row_folds_free(row_folds *f) {
  free(f->left);
  *f = (row_folds){0};
}

uint8_t row_folds_draw(row_folds *f, uint32_t class) {
  uint64_t *const left = f->left + (size_t) class * f->folds;
  uint64_t all = 0;
  uint32_t fold = 0;
  for (uint32_t i = 0; i < f->folds; i++) all += left[i];
  for (uint64_t draw = rng_below(&f->stream, all); draw >= left[fold]; fold++) draw -= left[fold];
  left[fold]--;
  return (uint8_t)fold;
}
