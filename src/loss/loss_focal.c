/* Focal losses (Lin et al., "Focal Loss for Dense Object Detection", ICCV 2017): the cross-entropy of an answer counts
 * (1 - p)^gamma of itself, p the probability that the network gives it. Scalar code in double: a row costs a few
 * logarithms, as many as it has targets above 0. */
#include "base/portable.h"
#include "loss/loss_kind.h"

/* f = q^gamma ce with q = 1 - p and ce = -log p; slope: -p df/dp = q^gamma (1 + gamma p ce / q). Both are 0 at q = 0.
 */
typedef struct focal {
  double value, slope;
} focal;

static focal focal_of(double gamma, double p, double q, double ce) {
  if (!(q > 0)) return (focal){q, q}; /* 0, or not a number */
  const double power = portable_pow(q, gamma);
  return (focal){power * ce, power * (1 + gamma * p * ce / q)};
}

/* Sum of x (k) but for element j, in order: 1 - x_j without cancellation where x_j is nearly 1. */
static double sum_without(uint32_t k, const float *x, uint32_t j) {
  double sum = 0;
  for (uint32_t i = 0; i < k; i++) sum += i != j ? (double)x[i] : 0;
  return sum;
}

static focal focal_of_class(double gamma, uint32_t k, const float *z, const float *a, uint32_t best, uint32_t j) {
  const double p = (double)a[j], q = p > 0.5 ? sum_without(k, a, j) : 1 - p;
  return focal_of(gamma, p, q, ((double)z[best] - (double)z[j]) - portable_log((double)a[best]));
}

/* sum_j y_j f(p_j) with the smoothed y; of classes without smoothing a single term. dz_j = S a_j - s_j, s_j = y_j
 * slope_j, S their sum. */
static double softmax_row(const loss_block *b, uint32_t i, uint32_t best, const float *y) {
  const uint32_t k = b->k;
  const float *const z = b->z + (size_t)i * k, *const a = b->a + (size_t)i * k;
  float *const delta = b->delta != NULL ? b->delta + (size_t)i * k : NULL;
  double loss = 0, sum = 0;
  for (uint32_t j = 0; j < k; j++) {
    const double hot = y != NULL ? (double)y[j] : (uint32_t)b->y.classes[i] == j;
    const double target = loss_smoothed(b->loss, hot, k);
    const focal f = target != 0 ? focal_of_class((double)b->loss->gamma, k, z, a, best, j) : (focal){0, 0};
    loss += target * f.value;
    sum += target * f.slope;
    if (delta != NULL) delta[j] = (float)(target * f.slope);
  }
  const double weight = (double)loss_weight(b, i);
  for (uint32_t j = 0; delta != NULL && j < k; j++)
    delta[j] = (float)(weight * ((double)a[j] * sum - (double)delta[j]));
  return loss;
}

void loss_focal_softmax(const loss_block *b, loss_values *values) {
  const uint32_t k = b->k;
  for (uint32_t i = 0; i < b->n; i++) {
    const float *const z = b->z + (size_t)i * k, *const a = b->a + (size_t)i * k;
    float binary;
    const float *const y = loss_target(b, i, &binary);
    const uint32_t best = loss_largest(k, a);
    values->best[i] = (int32_t)best;
    values->loss[i] = softmax_row(b, i, best, y) + (double)loss_finite_or_nan(k, z, a);
    if (b->y.classes == NULL) values->square[i] = loss_half_square(k, a, y);
  }
}

/* One sigmoid output: ce = -y log a - (1 - y) log(1 - a), q = 1 - (a y + (1 - a)(1 - y)). dz = q^gamma (a - y) + gamma
 * q^(gamma - 1) (1 - 2 y) a (1 - a) ce. */
static focal focal_of_answer(double gamma, double z, double a, double y) {
  const double ce = ((z > 0 ? z : 0) - z * y) + portable_log1p(portable_exp(z > 0 ? -z : z));
  const double q = a * (1 - y) + y * (1 - a);
  if (!(q > 0)) return (focal){q, q};
  const double power = portable_pow(q, gamma);
  return (focal){power * ce, power * ((a - y) + gamma * (1 - 2 * y) * (a * (1 - a) / q) * ce)};
}

void loss_focal_binary(const loss_block *b, loss_values *values) {
  const uint32_t k = b->k;
  for (uint32_t i = 0; i < b->n; i++) {
    const float *const z = b->z + (size_t)i * k, *const a = b->a + (size_t)i * k;
    const double weight = (double)loss_weight(b, i);
    float binary;
    const float *const y = loss_target(b, i, &binary);
    double loss = 0;
    for (uint32_t j = 0; j < k; j++) {
      const double hot = y != NULL ? (double)y[j] : (uint32_t)b->y.classes[i] == j;
      const focal f =
          focal_of_answer((double)b->loss->gamma, (double)z[j], (double)a[j], loss_smoothed(b->loss, hot, 2));
      loss += f.value;
      if (b->delta != NULL) b->delta[(size_t)i * k + j] = (float)(weight * f.slope);
    }
    values->best[i] = b->y.classes != NULL && k > 1 ? (int32_t)loss_largest(k, a) : 0;
    values->loss[i] = loss + (double)loss_finite_or_nan(k, z, a);
    if (b->y.classes == NULL) values->square[i] = loss_half_square(k, a, y);
  }
}
