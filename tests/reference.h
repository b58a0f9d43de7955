/* The formulas in double, one value at a time, for comparison in tests. They are written from the definitions and use
 * no code of the library. */
#ifndef MLPDIST_TESTS_REFERENCE_H
#define MLPDIST_TESTS_REFERENCE_H

#include <math.h>

#include "mlpdist.h"

static inline double reference_activation(mlpd_activation kind, double z) {
  switch (kind) {
    case MLPD_RELU:
      return z > 0 ? z : 0;
    case MLPD_LEAKY_RELU:
      return z > 0 ? z : 0.01 * z;
    case MLPD_ELU:
      return z > 0 ? z : exp(z) - 1;
    case MLPD_GELU:
      return 0.5 * z * (1 + erf(z / sqrt(2)));
    case MLPD_SILU:
      return z / (1 + exp(-z));
    case MLPD_SIGMOID:
      return 1 / (1 + exp(-z));
    case MLPD_TANH:
      return tanh(z);
    case MLPD_SOFTPLUS:
      return z > 30 ? z : log(1 + exp(z));
    case MLPD_MISH:
      return z * tanh(log1p(exp(z)));
    case MLPD_SELU:
      return 1.0507009873554805 * (z > 0 ? z : 1.6732632423543772 * (exp(z) - 1));
    case MLPD_HARDSWISH:
      return z * fmin(fmax(z + 3, 0), 6) / 6;
    case MLPD_RELU6:
      return fmin(fmax(z, 0), 6);
    case MLPD_EXP:
      return exp(z);
    case MLPD_SQUAREPLUS:
      return z > 0 ? (z + sqrt(z * z + 4)) / 2 : 2 / (sqrt(z * z + 4) - z);
    case MLPD_GELU_TANH:
      return z / (1 + exp(-2 * sqrt(2 / 3.14159265358979323846) * (z + 0.044715 * z * z * z)));
    case MLPD_SOFTSIGN:
      return z / (1 + fabs(z));
    case MLPD_IDENTITY: /* the compiler names an activation that has no case */
    case MLPD_SOFTMAX:  /* not of one value */
    case MLPD_NUM_ACTIVATIONS:
      return z;
  }
  return NAN;
}

static inline double reference_slope(mlpd_activation kind, double z) {
  const double s = 1 / (1 + exp(-z));
  switch (kind) {
    case MLPD_RELU:
      return z > 0 ? 1 : 0;
    case MLPD_LEAKY_RELU:
      return z > 0 ? 1 : 0.01;
    case MLPD_ELU:
      return z > 0 ? 1 : exp(z);
    case MLPD_GELU:
      return 0.5 * (1 + erf(z / sqrt(2))) + z * exp(-z * z / 2) / sqrt(2 * 3.14159265358979323846);
    case MLPD_SILU:
      return s + z * s * (1 - s);
    case MLPD_SIGMOID:
      return s * (1 - s);
    case MLPD_TANH:
      return 1 - tanh(z) * tanh(z);
    case MLPD_SOFTPLUS:
      return s;
    case MLPD_MISH: {
      const double t = tanh(log1p(exp(z)));
      return t + z * s * (1 - t * t);
    }
    case MLPD_SELU:
      return 1.0507009873554805 * (z > 0 ? 1 : 1.6732632423543772 * exp(z));
    case MLPD_HARDSWISH:
      return z <= -3 ? 0 : z >= 3 ? 1 : (2 * z + 3) / 6;
    case MLPD_RELU6:
      return z > 0 && z < 6 ? 1 : 0;
    case MLPD_EXP:
      return exp(z);
    case MLPD_SQUAREPLUS:
      return z > 0 ? (1 + z / sqrt(z * z + 4)) / 2 : 2 / (sqrt(z * z + 4) * (sqrt(z * z + 4) - z));
    case MLPD_GELU_TANH: {
      const double c = 2 * sqrt(2 / 3.14159265358979323846), gate = 1 / (1 + exp(-c * (z + 0.044715 * z * z * z)));
      return gate + z * gate * (1 - gate) * c * (1 + 3 * 0.044715 * z * z);
    }
    case MLPD_SOFTSIGN:
      return 1 / ((1 + fabs(z)) * (1 + fabs(z)));
    case MLPD_IDENTITY:
    case MLPD_SOFTMAX:
    case MLPD_NUM_ACTIVATIONS:
      return 1;
  }
  return NAN;
}

/* a (k) = A(z), z (k), softmax included. */
static inline void reference_activate(mlpd_activation kind, uint32_t k, const double *z, double *a) {
  if (kind != MLPD_SOFTMAX) {
    for (uint32_t j = 0; j < k; j++) a[j] = reference_activation(kind, z[j]);
    return;
  }
  double top = z[0], sum = 0;
  for (uint32_t j = 1; j < k; j++) top = fmax(top, z[j]);
  for (uint32_t j = 0; j < k; j++) sum += a[j] = exp(z[j] - top);
  for (uint32_t j = 0; j < k; j++) a[j] /= sum;
}

/* Target values that k outputs have. */
static inline uint32_t reference_targets(mlpd_loss loss, uint32_t k) { return loss == MLPD_GAUSSIAN ? k / 2 : k; }

/* Of one target: outputs mean and log-variance. */
static inline double reference_gaussian(const double *a, double y) {
  return 0.5 * (a[1] + (y - a[0]) * (y - a[0]) / exp(a[1]));
}

/* Loss of one sample: z, a (k), y (reference_targets). */
static inline double reference_loss(mlpd_loss loss, uint32_t k, const double *z, const double *a, const double *y) {
  double sum = 0, top = z[0], exponentials = 0;
  for (uint32_t t = 0; loss == MLPD_GAUSSIAN && t < k / 2; t++) sum += reference_gaussian(a + (size_t)2 * t, y[t]);
  if (loss == MLPD_GAUSSIAN) return sum;
  for (uint32_t j = 1; j < k; j++) top = fmax(top, z[j]);
  for (uint32_t j = 0; j < k; j++) exponentials += exp(z[j] - top);
  for (uint32_t j = 0; j < k; j++) {
    const double r = a[j] - y[j];
    switch (loss) {
      case MLPD_MSE:
        sum += r * r / 2;
        break;
      case MLPD_MSE_MEAN:
        sum += r * r / k;
        break;
      case MLPD_CROSS_ENTROPY:
        sum -= y[j] * (z[j] - top - log(exponentials));
        break;
      case MLPD_BINARY_CROSS_ENTROPY:
        sum += y[j] * log1p(exp(-z[j])) + (1 - y[j]) * log1p(exp(z[j]));
        break;
      case MLPD_MAE:
        sum += fabs(r);
        break;
      case MLPD_HUBER:
        sum += fabs(r) <= 1 ? r * r / 2 : fabs(r) - 0.5;
        break;
      case MLPD_LOG_COSH:
        sum += log(cosh(r));
        break;
      case MLPD_QUANTILE: /* of 1/2 */
        sum += fabs(r) / 2;
        break;
      case MLPD_POISSON:
        sum += a[j] - y[j] * log(a[j]);
        break;
      default:
        return NAN;
    }
  }
  return sum;
}

/* dloss/dz_j of one sample from the definitions: C'(a), then A'(z) (the Jacobian for softmax). */
static inline void reference_delta(mlpd_loss loss, mlpd_activation output, uint32_t k, const double *z, const double *a,
                                   const double *y, double *delta) {
  double dot = 0;
  for (uint32_t t = 0; loss == MLPD_GAUSSIAN && t < k / 2; t++) {
    const double r = a[2 * t] - y[t], precision = exp(-a[2 * t + 1]);
    delta[2 * t] = r * precision;
    delta[2 * t + 1] = (1 - r * r * precision) / 2;
  }
  if (loss == MLPD_GAUSSIAN) return;
  for (uint32_t j = 0; j < k; j++) {
    const double r = a[j] - y[j];
    switch (loss) {
      case MLPD_MSE_MEAN:
        delta[j] = 2 * r / k;
        break;
      case MLPD_CROSS_ENTROPY:
        delta[j] = -y[j] / a[j];
        break;
      case MLPD_BINARY_CROSS_ENTROPY:
        delta[j] = (1 - y[j]) / (1 - a[j]) - y[j] / a[j];
        break;
      case MLPD_MAE:
        delta[j] = (r > 0) - (r < 0);
        break;
      case MLPD_HUBER:
        delta[j] = fmax(-1, fmin(1, r));
        break;
      case MLPD_LOG_COSH:
        delta[j] = tanh(r);
        break;
      case MLPD_QUANTILE:
        delta[j] = 0.5 * ((r > 0) - (r < 0));
        break;
      case MLPD_POISSON:
        delta[j] = 1 - y[j] / a[j];
        break;
      default:
        delta[j] = r;
        break;
    }
    dot += delta[j] * a[j];
  }
  for (uint32_t j = 0; j < k; j++)
    delta[j] = output == MLPD_SOFTMAX ? a[j] * (delta[j] - dot) : delta[j] * reference_slope(output, z[j]);
}

#endif
