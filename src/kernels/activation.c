#include "kernels/activation.h"

#include <math.h>

#include "kernels/multiversion.h"
#include "kernels/vmath.h"

/* A(z). The comparisons keep NaN, so that the loss shows it. */

static inline float identity(float z) { return z; }

static inline float relu(float z) { return z < 0 ? 0.0f : z; }

static inline float leaky_relu(float z) { return z * (z < 0 ? 0.01f : 1.0f); }

static inline float elu(float z) {
  const float below = vmath_expm1_negative(z);
  return z > 0 ? z : below;
}

static inline float gelu(float z) {
  const float finite = vmath_clamp(z, -1e30f, INFINITY); /* -inf times 0 would be NaN */
  return finite * vmath_normal(finite, vmath_bell(finite));
}

static inline float silu(float z) {
  const float finite = vmath_clamp(z, -1e30f, INFINITY);
  return finite * vmath_sigmoid(finite);
}

/* tanh(log(1 + e^z)) = (1 + 2 v) / (1 + 2 v + 2 v^2) with v = e^-z, or u (u + 2) / (u (u + 2) + 2) with u = e^z:
 * computes the one that cannot overflow. */
static inline float tanh_softplus(float z) {
  const float e = vmath_exp(-vmath_abs(z)), above = 1.0f + 2.0f * e, below = e * (e + 2.0f);
  return z > 0 ? above / (above + 2.0f * (e * e)) : below / (below + 2.0f);
}

static inline float mish(float z) {
  const float finite = vmath_clamp(z, -1e30f, INFINITY);
  return finite * tanh_softplus(finite);
}

/* Klambauer et al., "Self-Normalizing Neural Networks", NIPS 2017. */
static const float SELU_SCALE = 1.05070099f, SELU_BELOW = 1.75809934f; /* lambda; lambda alpha */

static inline float selu(float z) {
  const float below = SELU_BELOW * vmath_expm1_negative(z);
  return z > 0 ? SELU_SCALE * z : below;
}

static inline float hardswish(float z) {
  const float finite = vmath_clamp(z, -1e30f, INFINITY);
  return finite * (vmath_clamp(finite + 3.0f, 0.0f, 6.0f) * (1.0f / 6.0f));
}

static inline float relu6(float z) { return vmath_clamp(z, 0.0f, 6.0f); }

/* Barron, "Squareplus: A Softplus-Like Algebraic Rectifier", 2021: (z + sqrt(z^2 + 4)) / 2, without its cancellation
 * below 0. Its square would overflow beyond the clamp, where the second part is as good as 0. */
static inline float squareplus(float z) {
  const float size = vmath_clamp(vmath_abs(z), 0.0f, 1e18f);
  return relu(z) + 2.0f / (size + sqrtf(size * size + 4.0f));
}

/* A'(z) as a function of a = A(z), */

static inline float identity_slope(float a) {
  (void)a;
  return 1.0f;
}

static inline float relu_slope(float a) { return a > 0 ? 1.0f : 0.0f; }

static inline float leaky_relu_slope(float a) { return a > 0 ? 1.0f : 0.01f; }

static inline float elu_slope(float a) { return a > 0 ? 1.0f : a + 1.0f; }

static inline float sigmoid_slope(float a) { return a * (1.0f - a); }

static inline float tanh_slope(float a) { return 1.0f - a * a; }

static inline float softplus_slope(float a) { return -vmath_expm1_negative(-a); }

static inline float selu_slope(float a) { return a > 0 ? SELU_SCALE : a + SELU_BELOW; }

/* of exp, its own derivative */
static inline float exp_slope(float a) { return a; }

static inline float relu6_slope(float a) { return a > 0 && a < 6.0f ? 1.0f : 0.0f; }

static inline float squareplus_slope(float a) {
  const float finite = vmath_clamp(a, 0.0f, 1e18f), square = finite * finite;
  return square / (square + 1.0f);
}

/* or of z: Phi(z) + z phi(z), s(z) (1 + z (1 - s(z))), and t + z s(z) (1 - t^2) with t = tanh(softplus(z)). Past the
 * clamps they are 0 or 1 in float. */

static inline float gelu_slope(float z) {
  const float x = vmath_clamp(z, -30.0f, 30.0f), bell = vmath_bell(x);
  return vmath_normal(x, bell) + x * (0.398942280f * bell); /* 1 / sqrt(2 pi) */
}

static inline float silu_slope(float z) {
  const float x = vmath_clamp(z, -100.0f, 100.0f), s = vmath_sigmoid(x);
  return s * (1.0f + x * (1.0f - s));
}

static inline float mish_slope(float z) {
  const float x = vmath_clamp(z, -100.0f, 100.0f), t = tanh_softplus(x);
  return t + x * vmath_sigmoid(x) * (1.0f - t * t);
}

static inline float hardswish_slope(float z) {
  const float between = (2.0f * z + 3.0f) * (1.0f / 6.0f);
  return z <= -3.0f ? 0.0f : z >= 3.0f ? 1.0f : between;
}

/* NAME: activation_forward for one A, bias and activation in one pass. a may be z: each element is read before
 * it is written, so elements do not depend on each other. */
#define DEFINE_FORWARD(NAME, FUNCTION)                                                                        \
  MULTIVERSION static void NAME(uint64_t m, uint64_t n, uint64_t ld, const float *bias, float *z, float *a) { \
    for (uint64_t i = 0; i < m; i++) {                                                                        \
      float *zi = z + i * ld, *ai = a + i * ld;                                                               \
      if (bias == NULL) {                                                                                     \
        _Pragma("omp simd") for (uint64_t j = 0; j < n; j++) ai[j] = FUNCTION(zi[j]);                         \
      } else if (zi == ai) {                                                                                  \
        _Pragma("omp simd") for (uint64_t j = 0; j < n; j++) zi[j] = FUNCTION(zi[j] + bias[j]);               \
      } else {                                                                                                \
        _Pragma("omp simd") for (uint64_t j = 0; j < n; j++) {                                                \
          const float biased = zi[j] + bias[j];                                                               \
          zi[j] = biased;                                                                                     \
          ai[j] = FUNCTION(biased);                                                                           \
        }                                                                                                     \
      }                                                                                                       \
    }                                                                                                         \
  }

/* NAME: activation_backward for one A; from is a or z. */
#define DEFINE_BACKWARD(NAME, SLOPE)                                                                    \
  MULTIVERSION static void NAME(uint64_t m, uint64_t n, uint64_t ld, const float *from, float *delta) { \
    for (uint64_t i = 0; i < m; i++) {                                                                  \
      const float *fi = from + i * ld;                                                                  \
      float *di = delta + i * ld;                                                                       \
      _Pragma("omp simd") for (uint64_t j = 0; j < n; j++) di[j] *= SLOPE(fi[j]);                       \
    }                                                                                                   \
  }

/* A row for each activation: its value in mlpd_activation, the functions above for A and for A', and whether A' is a
 * function of a or of z. */
#define ACTIVATIONS(ROW)                                \
  ROW(MLPD_IDENTITY, identity, identity_slope, a)       \
  ROW(MLPD_RELU, relu, relu_slope, a)                   \
  ROW(MLPD_LEAKY_RELU, leaky_relu, leaky_relu_slope, a) \
  ROW(MLPD_ELU, elu, elu_slope, a)                      \
  ROW(MLPD_GELU, gelu, gelu_slope, z)                   \
  ROW(MLPD_SILU, silu, silu_slope, z)                   \
  ROW(MLPD_SIGMOID, vmath_sigmoid, sigmoid_slope, a)    \
  ROW(MLPD_TANH, vmath_tanh, tanh_slope, a)             \
  ROW(MLPD_SOFTPLUS, vmath_softplus, softplus_slope, a) \
  ROW(MLPD_MISH, mish, mish_slope, z)                   \
  ROW(MLPD_SELU, selu, selu_slope, a)                   \
  ROW(MLPD_HARDSWISH, hardswish, hardswish_slope, z)    \
  ROW(MLPD_RELU6, relu6, relu6_slope, a)                \
  ROW(MLPD_EXP, vmath_exp, exp_slope, a)                \
  ROW(MLPD_SQUAREPLUS, squareplus, squareplus_slope, a)

#define DEFINE_BOTH(KIND, FUNCTION, SLOPE, FROM) \
  DEFINE_FORWARD(forward_##FUNCTION, FUNCTION)   \
  DEFINE_BACKWARD(backward_##SLOPE, SLOPE)
ACTIVATIONS(DEFINE_BOTH)

bool activation_needs_z(mlpd_activation kind) {
  enum { a = false, z = true };
#define ENTRY_NEEDS_Z(KIND, FUNCTION, SLOPE, FROM) [KIND] = FROM,
  static const bool needs_z[MLPD_NUM_ACTIVATIONS] = {ACTIVATIONS(ENTRY_NEEDS_Z)};
  return needs_z[kind];
}

void activation_forward(mlpd_activation kind, uint64_t m, uint64_t n, uint64_t ld, const float *bias, float *z,
                        float *a) {
#define CASE_FORWARD(KIND, FUNCTION, SLOPE, FROM) \
  case KIND:                                      \
    forward_##FUNCTION(m, n, ld, bias, z, a);     \
    break;
  switch (kind) {
    ACTIVATIONS(CASE_FORWARD)
    case MLPD_SOFTMAX:
    case MLPD_NUM_ACTIVATIONS:
      break;
  }
}

void activation_backward(mlpd_activation kind, uint64_t m, uint64_t n, uint64_t ld, const float *z, const float *a,
                         float *delta) {
#define CASE_BACKWARD(KIND, FUNCTION, SLOPE, FROM) \
  case KIND:                                       \
    backward_##SLOPE(m, n, ld, FROM, delta);       \
    break;
  switch (kind) {
    ACTIVATIONS(CASE_BACKWARD)
    case MLPD_SOFTMAX:
    case MLPD_NUM_ACTIVATIONS:
      break;
  }
}
