/* Losses of a residual r = a - y: mse, mse-mean, mae, huber. */
#include <math.h>

#include "kernels/multiversion.h"
#include "loss/loss_kind.h"

/* The losses of a residual r = a - y and their slopes dloss/dr, written so that NaN falls through the
 * comparisons; mse-mean without its 1/k. */
static inline double residual_loss(mlpd_loss loss, double r) {
  const double size = fabs(r);
  switch (loss) {
    case MLPD_MAE:
      return size;
    case MLPD_HUBER:
      return size > 1 ? size - 0.5 : 0.5 * (r * r);
    case MLPD_MSE_MEAN:
      return r * r;
    default:
      return 0.5 * (r * r);
  }
}

static inline float residual_slope(mlpd_loss loss, float r) {
  switch (loss) {
    case MLPD_MAE:
      return r > 0 ? 1 : r < 0 ? -1 : r;
    case MLPD_HUBER:
      return r > 1 ? 1 : r < -1 ? -1 : r;
    case MLPD_MSE_MEAN:
      return 2 * r;
    default:
      return r;
  }
}

/* count <= LOSS_CHUNK. The values first, then their sum: each loop vectorises alone. */
static inline __attribute__((always_inline)) void sum_residuals(mlpd_loss loss, uint32_t count, const float *restrict a,
                                                                const float *restrict y, double *restrict parts) {
  double values[LOSS_CHUNK];
#pragma omp simd
  for (uint32_t j = 0; j < count; j++) values[j] = residual_loss(loss, (double)a[j] - (double)y[j]);
  loss_add_parts(count, values, parts);
}

static inline __attribute__((always_inline)) void slope_residuals(mlpd_loss loss, uint32_t count, float weight,
                                                                  const float *restrict a, const float *restrict y,
                                                                  float *restrict delta) {
#pragma omp simd
  for (uint32_t j = 0; j < count; j++) delta[j] = weight * residual_slope(loss, a[j] - y[j]);
}

/* function(loss, ...) with a loss that the compiler knows, so that it makes a loop for each. */
#define WITH_KNOWN_LOSS(loss, function, ...)  \
  do {                                        \
    switch (loss) {                           \
      case MLPD_MAE:                          \
        function(MLPD_MAE, __VA_ARGS__);      \
        break;                                \
      case MLPD_HUBER:                        \
        function(MLPD_HUBER, __VA_ARGS__);    \
        break;                                \
      case MLPD_MSE_MEAN:                     \
        function(MLPD_MSE_MEAN, __VA_ARGS__); \
        break;                                \
      default:                                \
        function(MLPD_MSE, __VA_ARGS__);      \
        break;                                \
    }                                         \
  } while (0)

MULTIVERSION
static void add_residuals(mlpd_loss loss, uint32_t count, const float *a, const float *y, double *parts) {
  WITH_KNOWN_LOSS(loss, sum_residuals, count, a, y, parts);
}

MULTIVERSION
static void residual_slopes(mlpd_loss loss, uint32_t count, float weight, const float *a, const float *y,
                            float *delta) {
  WITH_KNOWN_LOSS(loss, slope_residuals, count, weight, a, y, delta);
}

/* y (k), or NULL for the one-hot row of class. delta gets weight dloss/da. */
static double whole_row(mlpd_loss loss, uint32_t k, const float *a, const float *y, int32_t class, float weight,
                        float *delta) {
  double parts[LOSS_PARTS] = {0};
  float hot[LOSS_CHUNK];
  const float slope_weight = loss == MLPD_MSE_MEAN ? weight / (float)k : weight;
  for (uint32_t begin = 0; begin < k; begin += LOSS_CHUNK) {
    const uint32_t count = k - begin < LOSS_CHUNK ? k - begin : LOSS_CHUNK;
    const float *const target = y != NULL ? y + begin : loss_one_hot(begin, count, class, hot);
    add_residuals(loss, count, a + begin, target, parts);
    if (delta != NULL) residual_slopes(loss, count, slope_weight, a + begin, target, delta + begin);
  }
  return loss == MLPD_MSE_MEAN ? loss_sum_parts(parts) / k : loss_sum_parts(parts);
}

double loss_half_square(uint32_t k, const float *a, const float *y) { return whole_row(MLPD_MSE, k, a, y, 0, 1, NULL); }

/* LOSS_ROWS rows or fewer of a single output, residual losses. y: targets. */
static inline __attribute__((always_inline)) void rows_of_residuals(mlpd_loss loss, uint32_t n, const float *restrict a,
                                                                    const float *restrict y, double *restrict values,
                                                                    double *restrict squares) {
#pragma omp simd
  for (uint32_t i = 0; i < n; i++) {
    const double r = (double)a[i] - (double)y[i];
    values[i] = residual_loss(loss, r);
    squares[i] = residual_loss(MLPD_MSE, r);
  }
}

MULTIVERSION
static void single_residuals(mlpd_loss loss, uint32_t n, const float *a, const float *y, double *values,
                             double *squares) {
  WITH_KNOWN_LOSS(loss, rows_of_residuals, n, a, y, values, squares);
}

static void single_rows(const loss_block *b, loss_values *values) {
  const mlpd_loss loss = b->loss->kind;
  float target[LOSS_ROWS] = {0};
  for (uint32_t i = 0; i < b->n; i++) target[i] = *loss_target(b, i, &target[i]);
  single_residuals(loss, b->n, b->a, target, values->loss, values->square);
  if (b->delta == NULL) return;
  residual_slopes(loss, b->n, 1, b->a, target, b->delta);
  for (uint32_t i = 0; loss_is_weighted(b) && i < b->n; i++) b->delta[i] = loss_weight(b, i) * b->delta[i];
}

void loss_residual(const loss_block *b, loss_values *values) {
  const uint32_t k = b->k;
  if (k == 1) {
    single_rows(b, values);
    return;
  }
  for (uint32_t i = 0; i < b->n; i++) {
    const float *const a = b->a + (size_t)i * k, *const y = b->y.classes == NULL ? b->y.values + (size_t)i * k : NULL;
    float *const delta = b->delta != NULL ? b->delta + (size_t)i * k : NULL;
    const int32_t class = y == NULL ? b->y.classes[i] : 0;
    values->best[i] = y == NULL ? (int32_t)loss_largest(k, a) : 0;
    values->loss[i] = whole_row(b->loss->kind, k, a, y, class, loss_weight(b, i), delta);
    if (y != NULL) values->square[i] = loss_half_square(k, a, y);
  }
}
