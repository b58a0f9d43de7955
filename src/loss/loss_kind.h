/* What a loss is: a row of the table in loss.c, and functions over a few rows in the file of its family. Nothing here
 * is collective. */
#ifndef MLPDIST_LOSS_KIND_H
#define MLPDIST_LOSS_KIND_H

#include <string.h>

#include "loss/loss.h"

/* A row is summed in LOSS_PARTS running sums, element j into sum j mod LOSS_PARTS, so that the sum vectorises and yet
 * depends on nothing but the row. Rows wider than LOSS_CHUNK are summed a chunk at a time. */
enum { LOSS_PARTS = 8, LOSS_CHUNK = 256, LOSS_ROWS = 16 /* that are computed together where they are short */ };

/* LOSS_ROWS rows or fewer: z and a (n, k), y of these rows; delta (n, k), or NULL. */
typedef struct loss_block {
  const loss_spec *loss;
  uint32_t n, k, num_targets; /* of target values a row: k, but for losses with several outputs a target */
  const float *z, *a;
  targets y;
  float *delta;
} loss_block;

/* What the rows of a block come to, before they are weighted. */
typedef struct loss_values {
  double loss[LOSS_ROWS];
  double square[LOSS_ROWS]; /* of target values: half of sum_k (prediction - y)^2 */
  int32_t best[LOSS_ROWS];  /* of classes, k > 1: index of the largest output */
} loss_values;

typedef struct loss_kind {
  /* Fills values and, where it is not NULL, delta = weight dloss/da, or dloss/dz where that is simpler (slope_in_z). */
  void (*rows)(const loss_block *b, loss_values *values);
  bool slope_in_z;
  bool values_only;    /* targets are values, not classes */
  bool per_quantile;   /* a target has an output for each quantile */
  uint32_t per_target; /* else so many; 0: one */
  bool needs_output;   /* it is defined with the activation `output` alone */
  mlpd_activation output;
} loss_kind;

/* Do rows have weights other than 1? And the weight of row i. */
static inline bool loss_is_weighted(const loss_block *b) {
  return b->y.weights != NULL || (b->loss->class_weights != NULL && b->y.classes != NULL);
}

static inline float loss_weight(const loss_block *b, uint32_t i) {
  const float own = b->y.weights != NULL ? b->y.weights[i] : 1;
  return b->loss->class_weights != NULL && b->y.classes != NULL ? own * b->loss->class_weights[b->y.classes[i]] : own;
}

/* Target y as label smoothing over `choices` answers has it. */
static inline double loss_smoothed(const loss_spec *loss, double y, uint32_t choices) {
  const double share = (double)loss->smoothing;
  return share > 0 ? (1 - share) * y + share / choices : y;
}

static inline double loss_sum_parts(const double parts[LOSS_PARTS]) {
  return ((parts[0] + parts[1]) + (parts[2] + parts[3])) + ((parts[4] + parts[5]) + (parts[6] + parts[7]));
}

static inline __attribute__((always_inline)) void loss_add_parts(uint32_t count, const double *restrict values,
                                                                 double *restrict parts) {
  const uint32_t whole = count / LOSS_PARTS * LOSS_PARTS;
  for (uint32_t j = 0; j < whole; j += LOSS_PARTS)
    for (uint32_t p = 0; p < LOSS_PARTS; p++) parts[p] += values[j + p];
  for (uint32_t j = whole; j < count; j++) parts[j - whole] += values[j];
}

/* The target of row i: its values, or NULL for the one-hot row of its class; *binary is room for the target of a single
 * output that is a class. */
static inline const float *loss_target(const loss_block *b, uint32_t i, float *binary) {
  if (b->y.classes == NULL) return b->y.values + (size_t)i * b->k;
  *binary = (float)b->y.classes[i];
  return b->k == 1 ? binary : NULL;
}

/* Elements [begin, begin + count) of the one-hot row of class, in hot. */
static inline const float *loss_one_hot(uint32_t begin, uint32_t count, int32_t class, float *hot) {
  memset(hot, 0, count * sizeof *hot);
  if ((uint32_t) class - begin < count) hot[(uint32_t) class - begin] = 1;
  return hot;
}

/* 0 where all k values of z and a are finite, else not a number. */
float loss_finite_or_nan(uint32_t k, const float *z, const float *a);

/* Index of the largest value of x (k), the lowest on ties; 0 where comparing finds none (not a number). */
uint32_t loss_largest(uint32_t k, const float *x);

/* delta = weight (scale a - y) */
void loss_difference(uint32_t k, float weight, float scale, const float *a, const float *y, float *delta);

/* Half the sum of squares of a - y (k), by parts. */
double loss_half_square(uint32_t k, const float *a, const float *y);

/* loss_entropy.c */
void loss_cross_entropy(const loss_block *b, loss_values *values);
/* loss_binary.c */
void loss_binary_cross_entropy(const loss_block *b, loss_values *values);
/* loss_focal.c: the same with gamma > 0 */
void loss_focal_softmax(const loss_block *b, loss_values *values);
void loss_focal_binary(const loss_block *b, loss_values *values);
/* loss_residual.c: mse, mse-mean, mae, huber */
void loss_residual(const loss_block *b, loss_values *values);
/* loss_log_cosh.c, loss_quantile.c, loss_poisson.c, loss_gaussian.c */
void loss_log_cosh(const loss_block *b, loss_values *values);
void loss_quantile(const loss_block *b, loss_values *values);
void loss_poisson(const loss_block *b, loss_values *values);
void loss_gaussian(const loss_block *b, loss_values *values);

#endif
