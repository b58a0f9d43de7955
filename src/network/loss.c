#include "network/loss.h"

#include <math.h>
#include <string.h>

#include "base/portable.h"
#include "kernels/activation.h"
#include "kernels/multiversion.h"

/* A row is summed in PARTS running sums, element j into sum j mod PARTS, so that the sum vectorises and yet
 * depends on nothing but the row. */
enum { PARTS = 8, CHUNK = 256 };

enum { ROWS = 16 }; /* that are computed together where they are short */

static double sum_parts(const double parts[PARTS]) {
  return ((parts[0] + parts[1]) + (parts[2] + parts[3])) + ((parts[4] + parts[5]) + (parts[6] + parts[7]));
}

#define ALWAYS_INLINE static inline __attribute__((always_inline))

ALWAYS_INLINE void add_parts(uint32_t count, const double *restrict values, double *restrict parts) {
  const uint32_t whole = count / PARTS * PARTS;
  for (uint32_t j = 0; j < whole; j += PARTS)
    for (uint32_t p = 0; p < PARTS; p++) parts[p] += values[j + p];
  for (uint32_t j = whole; j < count; j++) parts[j - whole] += values[j];
}

mlpd_status loss_check(mlpd_loss loss, mlpd_activation output) {
  const char *const activation_name = mlpd_choice_name(mlpd_activation_choices, (int)output);
  const char *const loss_name = mlpd_choice_name(mlpd_loss_choices, (int)loss);
  if ((int)loss <= MLPD_LOSS_AUTO || loss >= MLPD_NUM_LOSSES)
    return FAIL(MLPD_ERROR_USAGE, "loss %s (%d) does not say which loss to compute", loss_name, (int)loss);
  if ((int)output < 0 || output >= MLPD_NUM_ACTIVATIONS)
    return FAIL(MLPD_ERROR_USAGE, "output activation %d does not exist", (int)output);
  if (loss == MLPD_CROSS_ENTROPY && output != MLPD_SOFTMAX)
    return FAIL(MLPD_ERROR_USAGE, "loss %s needs output activation softmax, not %s", loss_name, activation_name);
  if (loss == MLPD_BINARY_CROSS_ENTROPY && output != MLPD_SIGMOID)
    return FAIL(MLPD_ERROR_USAGE, "loss %s needs output activation sigmoid, not %s", loss_name, activation_name);
  return MLPD_OK;
}

mlpd_activation loss_default_activation(mlpd_loss loss, mlpd_task task) {
  if (loss == MLPD_CROSS_ENTROPY) return MLPD_SOFTMAX;
  if (loss == MLPD_BINARY_CROSS_ENTROPY) return MLPD_SIGMOID;
  return task == MLPD_CLASSIFICATION ? MLPD_SOFTMAX : MLPD_IDENTITY;
}

/* ---- Softmax and cross-entropy, by whole rows ---------------------------------------------------- */

/* 0 where all k values of z and a are finite, else not a number. */
MULTIVERSION
static float finite_or_nan(uint32_t k, const float *z, const float *a) {
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (uint32_t j = 0; j < k; j++) sum += (z[j] - z[j]) + (a[j] - a[j]); /* 0 or NaN: in any order */
  return sum;
}

/* Index of the largest value of x (k), the lowest on ties; 0 where comparing finds none (not a number). */
MULTIVERSION
static uint32_t largest_index(uint32_t k, const float *x) {
  float largest[PARTS];
  for (uint32_t p = 0; p < PARTS; p++) largest[p] = x[0];
  const uint32_t whole = k / PARTS * PARTS;
  for (uint32_t j = 0; j < whole; j += PARTS)
    for (uint32_t p = 0; p < PARTS; p++) largest[p] = x[j + p] > largest[p] ? x[j + p] : largest[p];
  for (uint32_t j = whole; j < k; j++) largest[0] = x[j] > largest[0] ? x[j] : largest[0];
  for (uint32_t p = 1; p < PARTS; p++) largest[0] = largest[p] > largest[0] ? largest[p] : largest[0];
  for (uint32_t j = 0; j < k; j++)
    if (x[j] == largest[0]) return j;
  return 0;
}

/* delta = weight (scale a - y) */
MULTIVERSION
static void scaled_difference(uint32_t k, float weight, float scale, const float *restrict a, const float *restrict y,
                              float *restrict delta) {
#pragma omp simd
  for (uint32_t j = 0; j < k; j++) delta[j] = weight * (scale * a[j] - y[j]);
}

MULTIVERSION
static void scale_row(uint32_t k, float weight, const float *restrict a, float *restrict delta) {
#pragma omp simd
  for (uint32_t j = 0; j < k; j++) delta[j] = weight * a[j];
}

/* log sum_j exp(z_j) = z_m - log a_m at the largest a_m = softmax(z)_m. As a_m >= 1/k the logarithm is
 * harmless, and the difference z_m - z_j is taken before it is added. */
static double cross_entropy_class(uint32_t k, const float *z, const float *a, uint32_t best, int32_t class,
                                  float weight, float *delta) {
  if (delta != NULL) {
    scale_row(k, weight, a, delta);
    delta[class] = weight * (a[class] - 1);
  }
  return ((double)z[best] - z[class]) - portable_log((double)a[best]) + (double)finite_or_nan(k, z, a);
}

/* cross_entropy_class of up to ROWS rows of up to ROWS outputs, delta left aside: a row a lane of a vector. *best: of
 * each. */
MULTIVERSION
static void cross_entropy_narrow(uint32_t n, uint32_t k, const float *restrict z, const float *restrict a,
                                 const int32_t *restrict classes, double *restrict values, int32_t *restrict best) {
  float zt[ROWS][ROWS], at[ROWS][ROWS], z_best[ROWS], largest[ROWS], bad[ROWS];
  double z_class[ROWS];
  for (uint32_t i = 0; i < ROWS; i++) { /* of rows that are not there, the last */
    const size_t row = i < n ? i : n - 1;
    z_class[i] = z[row * k + (uint32_t)classes[row]];
    for (uint32_t j = 0; j < k; j++) {
      zt[j][i] = z[row * k + j];
      at[j][i] = a[row * k + j];
    }
  }
#pragma omp simd
  for (uint32_t i = 0; i < ROWS; i++) {
    best[i] = 0;
    largest[i] = at[0][i];
    z_best[i] = zt[0][i];
    bad[i] = (z_best[i] - z_best[i]) + (largest[i] - largest[i]);
  }
  for (uint32_t j = 1; j < k; j++) {
#pragma omp simd
    for (uint32_t i = 0; i < ROWS; i++) {
      const float x = at[j][i], y = zt[j][i];
      bad[i] += (y - y) + (x - x);
      best[i] = x > largest[i] ? (int32_t)j : best[i];
      z_best[i] = x > largest[i] ? y : z_best[i];
      largest[i] = x > largest[i] ? x : largest[i];
    }
  }
#pragma omp simd
  for (uint32_t i = 0; i < ROWS; i++)
    values[i] = (((double)z_best[i] - z_class[i]) - portable_log_inline((double)largest[i])) + (double)bad[i];
}

/* *sum_y = sum_j y_j; returns sum_j y_j (top - z_j). */
MULTIVERSION
static double weighted_differences(uint32_t k, double top, const float *z, const float *y, double *sum_y) {
  double parts[PARTS] = {0}, sum[PARTS] = {0};
  const uint32_t whole = k / PARTS * PARTS;
  for (uint32_t j = 0; j < whole; j += PARTS)
    for (uint32_t p = 0; p < PARTS; p++) {
      parts[p] += y[j + p] * (top - z[j + p]);
      sum[p] += y[j + p];
    }
  for (uint32_t j = whole; j < k; j++) {
    parts[j - whole] += y[j] * (top - z[j]);
    sum[j - whole] += y[j];
  }
  *sum_y = sum_parts(sum);
  return sum_parts(parts);
}

static double cross_entropy_values(uint32_t k, const float *z, const float *a, uint32_t best, const float *y,
                                   float weight, float *delta) {
  double sum_y;
  const double differences = weighted_differences(k, z[best], z, y, &sum_y);
  if (delta != NULL) scaled_difference(k, weight, (float)sum_y, a, y, delta);
  return differences - sum_y * portable_log((double)a[best]) + (double)finite_or_nan(k, z, a);
}

/* ---- The others, by chunks of a row: they add to parts ------------------------------------------- */

/* log(1 + exp(z)) - z y = max(z, 0) - z y + log(1 + exp(-|z|)), count <= CHUNK. What the comparison hides of
 * an infinity or NaN, z y shows. */
static inline double binary_cross_entropy(double z, double y, double tail) { return ((z > 0 ? z : 0) - z * y) + tail; }

MULTIVERSION
static void add_binary_cross_entropy(uint32_t count, const float *restrict z, const float *restrict y,
                                     double *restrict parts) {
  float tail[CHUNK];
  double values[CHUNK];
  const uint32_t whole = count / PARTS * PARTS;
  for (uint32_t j = 0; j < whole; j++) tail[j] = -fabsf(z[j]);
  if (whole > 0) activation_forward(MLPD_SOFTPLUS, 1, whole, whole, NULL, tail, tail);
#pragma omp simd
  for (uint32_t j = 0; j < whole; j++) values[j] = binary_cross_entropy(z[j], y[j], tail[j]);
  for (uint32_t j = whole; j < count; j++) /* a few: the call would cost more */
    values[j] = binary_cross_entropy(z[j], y[j], portable_log1p(portable_exp(-fabs((double)z[j]))));
  add_parts(count, values, parts);
}

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

/* count <= CHUNK. The values first, then their sum: each loop vectorises alone. */
ALWAYS_INLINE void sum_residuals(mlpd_loss loss, uint32_t count, const float *restrict a, const float *restrict y,
                                 double *restrict parts) {
  double values[CHUNK];
#pragma omp simd
  for (uint32_t j = 0; j < count; j++) values[j] = residual_loss(loss, (double)a[j] - (double)y[j]);
  add_parts(count, values, parts);
}

ALWAYS_INLINE void slope_residuals(mlpd_loss loss, uint32_t count, float weight, const float *restrict a,
                                   const float *restrict y, float *restrict delta) {
#pragma omp simd
  for (uint32_t j = 0; j < count; j++) delta[j] = weight * residual_slope(loss, a[j] - y[j]);
}

MULTIVERSION
static void add_residuals(mlpd_loss loss, uint32_t count, const float *a, const float *y, double *parts) {
  switch (loss) {
    case MLPD_MAE:
      sum_residuals(MLPD_MAE, count, a, y, parts);
      break;
    case MLPD_HUBER:
      sum_residuals(MLPD_HUBER, count, a, y, parts);
      break;
    case MLPD_MSE_MEAN:
      sum_residuals(MLPD_MSE_MEAN, count, a, y, parts);
      break;
    default:
      sum_residuals(MLPD_MSE, count, a, y, parts);
      break;
  }
}

MULTIVERSION
static void residual_slopes(mlpd_loss loss, uint32_t count, float weight, const float *a, const float *y,
                            float *delta) {
  switch (loss) {
    case MLPD_MAE:
      slope_residuals(MLPD_MAE, count, weight, a, y, delta);
      break;
    case MLPD_HUBER:
      slope_residuals(MLPD_HUBER, count, weight, a, y, delta);
      break;
    case MLPD_MSE_MEAN:
      slope_residuals(MLPD_MSE_MEAN, count, weight, a, y, delta);
      break;
    default:
      slope_residuals(MLPD_MSE, count, weight, a, y, delta);
      break;
  }
}

/* y (k), or NULL for the one-hot row of class. delta gets weight dloss/da (binary cross-entropy: dloss/dz). */
static double chunked_row(mlpd_loss loss, uint32_t k, const float *z, const float *a, const float *y, int32_t class,
                          float weight, float *delta) {
  double parts[PARTS] = {0};
  float hot[CHUNK];
  const float slope_weight = loss == MLPD_MSE_MEAN ? weight / (float)k : weight;
  for (uint32_t begin = 0; begin < k; begin += CHUNK) {
    const uint32_t count = k - begin < CHUNK ? k - begin : CHUNK;
    const float *const target = y != NULL ? y + begin : hot;
    if (y == NULL) {
      memset(hot, 0, count * sizeof *hot);
      if ((uint32_t) class - begin < count) hot[(uint32_t) class - begin] = 1;
    }
    if (loss == MLPD_BINARY_CROSS_ENTROPY) {
      add_binary_cross_entropy(count, z + begin, target, parts);
      if (delta != NULL) scaled_difference(count, weight, 1, a + begin, target, delta + begin);
    } else {
      add_residuals(loss, count, a + begin, target, parts);
      if (delta != NULL) residual_slopes(loss, count, slope_weight, a + begin, target, delta + begin);
    }
  }
  return loss == MLPD_MSE_MEAN ? sum_parts(parts) / k : sum_parts(parts);
}

/* ---- All rows ----------------------------------------------------------------------------------- */

/* ROWS rows or fewer of a single output, residual losses. y: targets. */
ALWAYS_INLINE void rows_of_residuals(mlpd_loss loss, uint32_t n, const float *restrict a, const float *restrict y,
                                     double *restrict values, double *restrict squares) {
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
  switch (loss) {
    case MLPD_MAE:
      rows_of_residuals(MLPD_MAE, n, a, y, values, squares);
      break;
    case MLPD_HUBER:
      rows_of_residuals(MLPD_HUBER, n, a, y, values, squares);
      break;
    case MLPD_MSE_MEAN:
      rows_of_residuals(MLPD_MSE_MEAN, n, a, y, values, squares);
      break;
    default:
      rows_of_residuals(MLPD_MSE, n, a, y, values, squares);
      break;
  }
}

/* What ROWS rows or fewer come to, before they are weighted. */
typedef struct row_values {
  double loss[ROWS], square[ROWS];
  int32_t best[ROWS]; /* index of the largest output, where that is asked for */
} row_values;

static float weight_of(const targets *y, uint64_t i) { return y->weights != NULL ? y->weights[i] : 1; }

static void one_row(mlpd_loss loss, uint32_t k, const float *z, const float *a, const targets *y, uint64_t i,
                    float *delta, row_values *to, uint32_t place) {
  const float weight = weight_of(y, i);
  const int32_t class = y->classes != NULL ? y->classes[i] : 0;
  const float binary = (float)class;
  const float *const yi = y->classes == NULL ? y->values + i * k : k == 1 ? &binary : NULL;
  const bool needs_best = loss == MLPD_CROSS_ENTROPY || (y->classes != NULL && k > 1);
  const uint32_t best = needs_best ? largest_index(k, a) : 0;
  to->best[place] = (int32_t)best;
  if (loss != MLPD_CROSS_ENTROPY)
    to->loss[place] = chunked_row(loss, k, z, a, yi, class, weight, delta);
  else if (yi != NULL)
    to->loss[place] = cross_entropy_values(k, z, a, best, yi, weight, delta);
  else
    to->loss[place] = cross_entropy_class(k, z, a, best, class, weight, delta);
  to->square[place] = y->classes == NULL ? chunked_row(MLPD_MSE, k, z, a, yi, 0, weight, NULL) : 0;
}

static void narrow_rows(uint32_t n, uint32_t k, const float *z, const float *a, const targets *y, uint64_t first,
                        float *delta, row_values *to) {
  const int32_t *const classes = y->classes + first;
  cross_entropy_narrow(n, k, z, a, classes, to->loss, to->best);
  if (delta == NULL) return;
  memcpy(delta, a, (size_t)n * k * sizeof *delta);
  for (uint32_t i = 0; i < n; i++) {
    const float weight = weight_of(y, first + i);
    float *const di = delta + (size_t)i * k;
    if (y->weights != NULL) scale_row(k, weight, a + (size_t)i * k, di);
    di[classes[i]] = weight * (a[(size_t)i * k + (uint32_t)classes[i]] - 1);
  }
}

static void single_rows(mlpd_loss loss, uint32_t n, const float *a, const targets *y, uint64_t first, float *delta,
                        row_values *to) {
  float target[ROWS] = {0};
  for (uint32_t i = 0; i < n; i++) target[i] = y->classes != NULL ? (float)y->classes[first + i] : y->values[first + i];
  single_residuals(loss, n, a, target, to->loss, to->square);
  if (delta == NULL) return;
  residual_slopes(loss, n, 1, a, target, delta);
  for (uint32_t i = 0; y->weights != NULL && i < n; i++) delta[i] = y->weights[first + i] * delta[i];
}

/* Rows [first, first + n) of y, n <= ROWS; z, a and delta begin with the first. */
static void some_rows(mlpd_loss loss, uint32_t n, uint32_t k, const float *z, const float *a, const targets *y,
                      uint64_t first, float *delta, loss_sums *rows) {
  row_values values;
  const bool classes = y->classes != NULL;
  if (loss == MLPD_CROSS_ENTROPY && classes && k > 1 && k <= ROWS)
    narrow_rows(n, k, z, a, y, first, delta, &values);
  else if (k == 1 && loss != MLPD_CROSS_ENTROPY && loss != MLPD_BINARY_CROSS_ENTROPY)
    single_rows(loss, n, a, y, first, delta, &values);
  else
    for (uint32_t i = 0; i < n; i++)
      one_row(loss, k, z + (size_t)i * k, a + (size_t)i * k, y, first + i, delta != NULL ? delta + (size_t)i * k : NULL,
              &values, i);
  for (uint32_t i = 0; i < n; i++) {
    const double weight = (double)weight_of(y, first + i);
    const int32_t class = classes ? y->classes[first + i] : 0;
    const bool correct = classes && (k == 1 ? (a[i] > 0.5f) == (class == 1) : values.best[i] == class);
    rows[i] = (loss_sums){.loss = weight * values.loss[i],
                          .weight = weight,
                          .correct = correct ? weight : 0,
                          .square = classes ? 0 : weight * values.square[i] * 2};
  }
}

void loss_rows(mlpd_loss loss, mlpd_activation output, uint64_t n, uint32_t k, const float *z, const float *a,
               const targets *y, float *delta, loss_sums *rows) {
  for (uint64_t first = 0; first < n; first += ROWS) {
    const uint32_t count = n - first < ROWS ? (uint32_t)(n - first) : ROWS;
    const size_t place = first * k;
    some_rows(loss, count, k, z + place, a + place, y, first, delta != NULL ? delta + place : NULL, rows + first);
  }
  if (delta == NULL || loss == MLPD_CROSS_ENTROPY || loss == MLPD_BINARY_CROSS_ENTROPY) return;
  if (output == MLPD_SOFTMAX)
    softmax_backward(n, k, a, delta);
  else
    activation_backward(output, n, k, k, z, a, delta);
}

void loss_add(uint64_t n, const loss_sums *rows, loss_sums *sums) {
  for (uint64_t i = 0; i < n; i++) {
    sums->loss += rows[i].loss;
    sums->weight += rows[i].weight;
    sums->correct += rows[i].correct;
    sums->square += rows[i].square;
  }
}

void loss_compute(mlpd_loss loss, mlpd_activation output, uint64_t n, uint32_t k, const float *z, const float *a,
                  const targets *y, float *delta, loss_sums *sums) {
  enum { MOST = 8 * ROWS };
  loss_sums rows[MOST];
  for (uint64_t first = 0; first < n; first += MOST) {
    const uint64_t count = n - first < MOST ? n - first : MOST;
    const size_t place = first * k;
    const targets those = {.classes = y->classes != NULL ? y->classes + first : NULL,
                           .values = y->values != NULL ? y->values + place : NULL,
                           .weights = y->weights != NULL ? y->weights + first : NULL};
    loss_rows(loss, output, count, k, z + place, a + place, &those, delta != NULL ? delta + place : NULL, rows);
    loss_add(count, rows, sums);
  }
}
