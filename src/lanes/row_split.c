#include "lanes/row_split.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"

/* A class that may give rows to a part: `remainder` of a row was lost when its share was rounded down. */
typedef struct share {
  double remainder;
  uint64_t rows;
  uint32_t class;
} share;

static int by_remainder(const void *a, const void *b) {
  const share *const x = a, *const y = b;
  if (x->remainder != y->remainder) return x->remainder < y->remainder ? 1 : -1;
  if (x->rows != y->rows) return x->rows < y->rows ? 1 : -1;
  return (x->class > y->class) - (x->class < y->class);
}

/* Assigns `wanted` rows to a part: from each class its share, rounded down, then one more from the classes that lost
 * most by rounding, round by round. At least `kept` rows of each class stay in train. Returns how many rows are
 * missing. */
static uint64_t give(row_split *s, mlpd_split part, const uint64_t *rows, double fraction, uint64_t wanted,
                     uint64_t kept, share *shares) {
  for (uint32_t k = 0; k < s->num_classes && wanted > 0; k++) {
    const double exact = fraction * (double)rows[k], whole = floor(exact);
    const uint64_t free_rows = s->left[k][MLPD_TRAIN] > kept ? s->left[k][MLPD_TRAIN] - kept : 0;
    uint64_t given = (uint64_t)whole < free_rows ? (uint64_t)whole : free_rows;
    if (given > wanted) given = wanted;
    shares[k] = (share){exact - (double)given, rows[k], k};
    s->left[k][part] += given;
    s->left[k][MLPD_TRAIN] -= given;
    wanted -= given;
  }
  if (wanted == 0) return 0;
  qsort(shares, s->num_classes, sizeof *shares, by_remainder);
  for (bool any = true; any && wanted > 0;) {
    any = false;
    for (uint32_t i = 0; i < s->num_classes && wanted > 0; i++) {
      uint64_t *const left = s->left[shares[i].class];
      if (left[MLPD_TRAIN] <= kept) continue;
      left[part]++;
      left[MLPD_TRAIN]--;
      wanted--;
      any = true;
    }
  }
  return wanted;
}

static mlpd_status plan(row_split *s, const uint64_t *rows, double valid, double test) {
  share *shares = NULL;
  uint64_t all = 0;
  TRY(memory_allocate(&shares, s->num_classes, sizeof *shares, "classes"));
  for (uint32_t k = 0; k < s->num_classes; k++) {
    s->left[k][MLPD_TRAIN] = rows[k];
    all += rows[k];
  }
  uint64_t to_valid = (uint64_t)round(valid * (double)all), to_test = (uint64_t)round(test * (double)all);
  while (to_valid + to_test >= all && to_valid + to_test > 0) --*(to_valid > 0 ? &to_valid : &to_test);
  /* First leave one row of each class in train; if the classes are too small for that, take these, too. */
  const uint64_t more_valid = give(s, MLPD_VALID, rows, valid, to_valid, 1, shares);
  const uint64_t more_test = give(s, MLPD_TEST, rows, test, to_test, 1, shares);
  (void)give(s, MLPD_VALID, rows, 0, more_valid, 0, shares);
  (void)give(s, MLPD_TEST, rows, 0, more_test, 0, shares);
  free(shares);
  for (uint32_t k = 0; k < s->num_classes; k++)
    for (int p = 0; p < SPLIT_PARTS; p++) s->total[p] += s->left[k][p];
  return MLPD_OK;
}

mlpd_status row_split_create(uint32_t num_classes, const uint64_t *rows, double valid, double test, uint64_t seed,
                             row_split *made) {
  *made = (row_split){.num_classes = num_classes, .stream = rng_start(seed, RNG_SPLIT_ROWS, 0, 0)};
  mlpd_status status = memory_allocate(&made->left, num_classes, sizeof *made->left, "classes");
  if (status == MLPD_OK) status = plan(made, rows, valid, test);
  if (status != MLPD_OK) row_split_free(made);
  return status;
}

void row_split_free(row_split *split) {
  free(split->left);
  *split = (row_split){0};
}

mlpd_split row_split_draw(row_split *split, uint32_t class) {
  uint64_t *const left = split->left[class];
  const uint64_t others = left[MLPD_VALID] + left[MLPD_TEST], all = others + left[MLPD_TRAIN];
  mlpd_split part = MLPD_TRAIN;
  if (others > 0) {
    const uint64_t draw = rng_below(&split->stream, all);
    part = draw < left[MLPD_VALID] ? MLPD_VALID : draw < others ? MLPD_TEST : MLPD_TRAIN;
  }
  left[part]--;
  return part;
}
