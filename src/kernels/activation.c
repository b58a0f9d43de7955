#include "kernels/activation.h"

#include <math.h>
#include <string.h>

#include "kernels/multiversion.h"
#include "kernels/vmath.h"

/* A(z). The comparisons keep NaN, so that the loss shows it. */

static inline float identity(float z) { return z; }

static inline float relu(float z) { return z < 0 ? 0.0f : z; }

static inline float leaky_relu(float z) { return z * (z < 0 ? 0.01f : 1.0f); }

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

/* Bergstra et al., "Quadratic Polynomials Learn Better Image Features", 2009. */
static inline float softsign(float z) {
  const float finite = vmath_clamp(z, -1e30f, 1e30f);
  return finite / (1.0f + vmath_abs(finite));
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

/* Klambauer et al., "Self-Normalizing Neural Networks", NIPS 2017. */
static const float SELU_SCALE = 1.05070099f, SELU_BELOW = 1.75809934f; /* lambda; lambda alpha */

static inline float selu_slope(float a) { return a > 0 ? SELU_SCALE : a + SELU_BELOW; }

/* of exp, its own derivative */
static inline float exp_slope(float a) { return a; }

static inline float relu6_slope(float a) { return a > 0 && a < 6.0f ? 1.0f : 0.0f; }

static inline float squareplus_slope(float a) {
  const float finite = vmath_clamp(a, 0.0f, 1e18f), square = finite * finite;
  return square / (square + 1.0f);
}

/* or of z */
static inline float hardswish_slope(float z) {
  const float between = (2.0f * z + 3.0f) * (1.0f / 6.0f);
  return z <= -3.0f ? 0.0f : z >= 3.0f ? 1.0f : between;
}

static inline float softsign_slope(float z) {
  const float root = 1.0f / (1.0f + vmath_abs(z));
  return root * root;
}

/* A that needs an exponential: from z and e = e^x or e^x - 1 of an argument x, which is a function of z. */

static inline float minus_size(float z) { return vmath_at_least(vmath_minus_abs(z), -87.3f); }

static inline float minus_two_sizes(float z) { return vmath_at_least(-2.0f * vmath_abs(z), -30.0f); }

static inline float part_below(float z) { return vmath_clamp(z, -30.0f, 0.0f); }

static inline float bell_argument(float z) { return vmath_at_least(-0.5f * (z * z), -87.3f); }

static inline float itself(float z) { return vmath_clamp(z, -87.3f, 89.0f); }

static inline float elu(float z, float e) { return z > 0 ? z : e; }

static inline float selu(float z, float e) { return z > 0 ? SELU_SCALE * z : SELU_BELOW * e; }

static inline float exponential(float z, float e) {
  (void)z;
  return e;
}

/* -inf times 0 would be NaN. */
static inline float finite_below(float z) { return vmath_at_least(z, -1e30f); }

static inline float gelu(float z, float e) {
  const float finite = finite_below(z);
  return finite * vmath_normal(finite, e);
}

static inline float silu(float z, float e) { return finite_below(z) * vmath_sigmoid(z, e); }

/* tanh(log(1 + e^z)) = (1 + 2 v) / (1 + 2 v + 2 v^2) with v = e^-z, or u (u + 2) / (u (u + 2) + 2) with u = e^z:
 * computes the one that cannot overflow. */
static inline float tanh_softplus(float z, float e) {
  const float above = 1.0f + 2.0f * e, below = e * (e + 2.0f);
  return (z > 0 ? above : below) / (z > 0 ? above + 2.0f * (e * e) : below + 2.0f);
}

/* Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016: (1 + tanh(u)) / 2 = sigmoid(2 u), and this is 2 u. */
static inline float cubic(float z) { return z * (1.59576912f + 0.0713548163f * (z * z)); }

static inline float minus_size_of_cubic(float z) { return minus_size(cubic(z)); }

static inline float gelu_tanh(float z, float e) { return finite_below(z) * vmath_sigmoid(z, e); }

static inline float mish(float z, float e) { return finite_below(z) * tanh_softplus(z, e); }

/* A'(z) of these: Phi(z) + z phi(z), s(z) (1 + z (1 - s(z))), s + z s (1 - s) cubic'(z) with s = sigmoid(cubic(z)), and
 * t + z s(z) (1 - t^2) with t = tanh(softplus(z)). Past the clamps they are 0 or 1 in float. */

static inline float gelu_slope(float z, float e) {
  const float x = vmath_clamp(z, -30.0f, 30.0f);
  return vmath_normal(x, e) + x * (0.398942280f * e); /* 1 / sqrt(2 pi) */
}

static inline float silu_slope(float z, float e) {
  const float x = vmath_clamp(z, -100.0f, 100.0f), s = vmath_sigmoid(z, e);
  return s * (1.0f + x * (1.0f - s));
}

static inline float gelu_tanh_slope(float z, float e) {
  const float x = vmath_clamp(z, -30.0f, 30.0f), t = 1.0f / (1.0f + e); /* s (1 - s) = e t^2 */
  return vmath_sigmoid(z, e) + x * (e * (t * t)) * (1.59576912f + 0.214064449f * (x * x));
}

static inline float mish_slope(float z, float e) {
  const float x = vmath_clamp(z, -100.0f, 100.0f), t = tanh_softplus(z, e);
  return t + x * vmath_sigmoid(z, e) * (1.0f - t * t);
}

#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* ---- Loops ------------------------------------------------------------------------------------------- */

/* forward_NAME: activation_forward for one A, bias and activation in one pass. a may be z: each element is read before
 * it is written, so elements do not depend on each other. */
#define DEFINE_FORWARD(NAME, FUNCTION)                                                                      \
  MULTIVERSION static void forward_##NAME(uint64_t m, uint64_t n, uint64_t ld, const float *bias, float *z, \
                                          float *a) {                                                       \
    for (uint64_t i = 0; i < m; i++) {                                                                      \
      float *zi = z + i * ld, *ai = a + i * ld;                                                             \
      if (bias == NULL) {                                                                                   \
        _Pragma("omp simd") for (uint64_t j = 0; j < n; j++) ai[j] = FUNCTION(zi[j]);                       \
      } else if (zi == ai) {                                                                                \
        _Pragma("omp simd") for (uint64_t j = 0; j < n; j++) zi[j] = FUNCTION(zi[j] + bias[j]);             \
      } else {                                                                                              \
        _Pragma("omp simd") for (uint64_t j = 0; j < n; j++) {                                              \
          const float biased = zi[j] + bias[j];                                                             \
          zi[j] = biased;                                                                                   \
          ai[j] = FUNCTION(biased);                                                                         \
        }                                                                                                   \
      }                                                                                                     \
    }                                                                                                       \
  }

/* slopes_NAME: activation_forward_slopes. */
#define DEFINE_SLOPES(NAME, FUNCTION, SLOPE)                                                                           \
  MULTIVERSION static void slopes_##NAME(uint64_t m, uint64_t n, uint64_t ld, const float *bias, float *z, float *a) { \
    for (uint64_t i = 0; i < m; i++) {                                                                                 \
      float *zi = z + i * ld, *ai = a + i * ld;                                                                        \
      _Pragma("omp simd") for (uint64_t j = 0; j < n; j++) {                                                           \
        const float biased = bias != NULL ? zi[j] + bias[j] : zi[j];                                                   \
        zi[j] = SLOPE(biased);                                                                                         \
        ai[j] = FUNCTION(biased);                                                                                      \
      }                                                                                                                \
    }                                                                                                                  \
  }

/* backward_NAME: activation_backward, A' being a function of a. */
#define DEFINE_BACKWARD(NAME, SLOPE)                                                                            \
  MULTIVERSION static void backward_##NAME(uint64_t m, uint64_t n, uint64_t ld, const float *a, float *delta) { \
    for (uint64_t i = 0; i < m; i++) {                                                                          \
      const float *ai = a + i * ld;                                                                             \
      float *di = delta + i * ld;                                                                               \
      _Pragma("omp simd") for (uint64_t j = 0; j < n; j++) di[j] *= SLOPE(ai[j]);                               \
    }                                                                                                           \
  }

#define DEFINE_OF_A(NAME, FUNCTION, SLOPE) \
  DEFINE_FORWARD(NAME, FUNCTION)           \
  DEFINE_BACKWARD(NAME, SLOPE)

#define DEFINE_OF_Z(NAME, FUNCTION, SLOPE) \
  DEFINE_FORWARD(NAME, FUNCTION)           \
  DEFINE_SLOPES(NAME, FUNCTION, SLOPE)

DEFINE_OF_A(identity, identity, identity_slope)
DEFINE_OF_A(relu, relu, relu_slope)
DEFINE_OF_A(leaky_relu, leaky_relu, leaky_relu_slope)
DEFINE_OF_A(relu6, relu6, relu6_slope)
DEFINE_OF_A(squareplus, squareplus, squareplus_slope)
DEFINE_OF_Z(hardswish, hardswish, hardswish_slope)
DEFINE_OF_Z(softsign, softsign, softsign_slope)
DEFINE_BACKWARD(slopes, identity) /* slopes in place of a */

/* ---- Loops with an exponential ------------------------------------------------------------------------ */

/* An exponential is a chain of 30 operations, each of which needs the one before. A core looks about 60 ahead, so it
 * finds few that it can do at the same time. Rows therefore pass it in blocks, and a block in stages: many short
 * chains. This makes mish twice as fast (AVX2, Zen 3). What is left of a row passes at once. */
enum { STAGE = 64 }; /* elements of a block */

#define EACH(T) _Pragma("omp simd") for (uint64_t T = 0; T < STAGE; T++)

/* The elements of a row from `staged` on; Z: z with its bias. */
#define AT_ONCE(Z, E_OF, FUNCTION, SLOPE)                     \
  _Pragma("omp simd") for (uint64_t j = staged; j < n; j++) { \
    const float biased = Z, e_of_it = E_OF(biased);           \
    zi[j] = SLOPE(biased, e_of_it);                           \
    ai[j] = FUNCTION(biased, e_of_it);                        \
  }

/* NAME for A = FUNCTION(z, e), where e, of an argument, is e^x (END: vmath_exp_of_parts) or e^x - 1
 * (vmath_expm1_of_parts): activation_forward_slopes, or activation_forward if SLOPE is `unchanged`. */
#define DEFINE_STAGED(NAME, ARGUMENT, END, FUNCTION, SLOPE)                                                   \
  ALWAYS_INLINE float e_of_##NAME(float z) {                                                                  \
    float shifted;                                                                                            \
    const float rest = vmath_reduce(ARGUMENT(z), &shifted);                                                   \
    return END(vmath_expm1_of_rest(rest), shifted);                                                           \
  }                                                                                                           \
  MULTIVERSION static void NAME(uint64_t m, uint64_t n, uint64_t ld, const float *bias, float *z, float *a) { \
    _Alignas(64) float x[STAGE], shifted[STAGE], e[STAGE];                                                    \
    const uint64_t staged = n / STAGE * STAGE;                                                                \
    for (uint64_t i = 0; i < m; i++) {                                                                        \
      float *const zi = z + i * ld, *const ai = a + i * ld;                                                   \
      for (uint64_t j = 0; j < staged; j += STAGE) {                                                          \
        if (bias == NULL)                                                                                     \
          EACH(t) x[t] = zi[j + t];                                                                           \
        else                                                                                                  \
          EACH(t) x[t] = zi[j + t] + bias[j + t];                                                             \
        EACH(t) e[t] = vmath_reduce(ARGUMENT(x[t]), &shifted[t]);                                             \
        EACH(t) e[t] = END(vmath_expm1_of_rest(e[t]), shifted[t]);                                            \
        EACH(t) {                                                                                             \
          zi[j + t] = SLOPE(x[t], e[t]);                                                                      \
          ai[j + t] = FUNCTION(x[t], e[t]);                                                                   \
        }                                                                                                     \
      }                                                                                                       \
      if (bias == NULL)                                                                                       \
        AT_ONCE(zi[j], e_of_##NAME, FUNCTION, SLOPE)                                                          \
      else                                                                                                    \
        AT_ONCE(zi[j] + bias[j], e_of_##NAME, FUNCTION, SLOPE)                                                \
    }                                                                                                         \
  }

#define DEFINE_STAGED_OF_A(NAME, ARGUMENT, END, FUNCTION, SLOPE)    \
  DEFINE_STAGED(forward_##NAME, ARGUMENT, END, FUNCTION, unchanged) \
  DEFINE_BACKWARD(NAME, SLOPE)

#define DEFINE_STAGED_OF_Z(NAME, ARGUMENT, END, FUNCTION, SLOPE)    \
  DEFINE_STAGED(forward_##NAME, ARGUMENT, END, FUNCTION, unchanged) \
  DEFINE_STAGED(slopes_##NAME, ARGUMENT, END, FUNCTION, SLOPE)

static inline float unchanged(float z, float e) {
  (void)e;
  return z;
}

DEFINE_STAGED_OF_A(elu, part_below, vmath_expm1_of_parts, elu, elu_slope)
DEFINE_STAGED_OF_A(selu, part_below, vmath_expm1_of_parts, selu, selu_slope)
DEFINE_STAGED_OF_A(sigmoid, minus_size, vmath_exp_of_parts, vmath_sigmoid, sigmoid_slope)
DEFINE_STAGED_OF_A(tanh, minus_two_sizes, vmath_expm1_of_parts, vmath_tanh, tanh_slope)
DEFINE_STAGED_OF_A(softplus, minus_size, vmath_exp_of_parts, vmath_softplus, softplus_slope)
DEFINE_STAGED_OF_A(exp, itself, vmath_exp_of_parts, exponential, exp_slope)
DEFINE_STAGED_OF_Z(gelu, bell_argument, vmath_exp_of_parts, gelu, gelu_slope)
DEFINE_STAGED_OF_Z(silu, minus_size, vmath_exp_of_parts, silu, silu_slope)
DEFINE_STAGED_OF_Z(gelu_tanh, minus_size_of_cubic, vmath_exp_of_parts, gelu_tanh, gelu_tanh_slope)
DEFINE_STAGED_OF_Z(mish, minus_size, vmath_exp_of_parts, mish, mish_slope)

/* ---- All ---------------------------------------------------------------------------------------------- */

typedef void forward_function(uint64_t m, uint64_t n, uint64_t ld, const float *bias, float *z, float *a);
typedef void backward_function(uint64_t m, uint64_t n, uint64_t ld, const float *a, float *delta);

typedef struct activation_kind {
  forward_function *forward, *slopes; /* slopes: NULL if A' is a function of a, */
  backward_function *backward;        /* else this is NULL */
} activation_kind;

#define OF_A(NAME) \
  { forward_##NAME, NULL, backward_##NAME }
#define OF_Z(NAME) \
  { forward_##NAME, slopes_##NAME, NULL }

static const activation_kind KINDS[MLPD_NUM_ACTIVATIONS] = {[MLPD_IDENTITY] = OF_A(identity),
                                                            [MLPD_RELU] = OF_A(relu),
                                                            [MLPD_LEAKY_RELU] = OF_A(leaky_relu),
                                                            [MLPD_ELU] = OF_A(elu),
                                                            [MLPD_GELU] = OF_Z(gelu),
                                                            [MLPD_SILU] = OF_Z(silu),
                                                            [MLPD_SIGMOID] = OF_A(sigmoid),
                                                            [MLPD_TANH] = OF_A(tanh),
                                                            [MLPD_SOFTPLUS] = OF_A(softplus),
                                                            [MLPD_MISH] = OF_Z(mish),
                                                            [MLPD_SELU] = OF_A(selu),
                                                            [MLPD_HARDSWISH] = OF_Z(hardswish),
                                                            [MLPD_RELU6] = OF_A(relu6),
                                                            [MLPD_EXP] = OF_A(exp),
                                                            [MLPD_SQUAREPLUS] = OF_A(squareplus),
                                                            [MLPD_GELU_TANH] = OF_Z(gelu_tanh),
                                                            [MLPD_SOFTSIGN] = OF_Z(softsign)};

bool activation_needs_z(mlpd_activation kind) { return KINDS[kind].slopes != NULL; }

void activation_forward(mlpd_activation kind, uint64_t m, uint64_t n, uint64_t ld, const float *bias, float *z,
                        float *a) {
  KINDS[kind].forward(m, n, ld, bias, z, a);
}

void activation_forward_slopes(mlpd_activation kind, uint64_t m, uint64_t n, uint64_t ld, const float *bias, float *z,
                               float *a) {
  KINDS[kind].slopes(m, n, ld, bias, z, a);
}

void activation_apply_slopes(uint64_t m, uint64_t n, uint64_t ld, const float *slopes, float *delta) {
  backward_slopes(m, n, ld, slopes, delta);
}

void activation_backward(mlpd_activation kind, uint64_t m, uint64_t n, uint64_t ld, const float *z, const float *a,
                         float *delta) {
  if (KINDS[kind].backward != NULL) {
    KINDS[kind].backward(m, n, ld, a, delta);
    return;
  }
  for (uint64_t i = 0; i < m; i++)
    for (uint64_t j = 0; j < n; j += STAGE) {
      float slopes[STAGE], unused[STAGE];
      const uint64_t count = n - j < STAGE ? n - j : STAGE;
      memcpy(slopes, z + i * ld + j, count * sizeof *slopes);
      activation_forward_slopes(kind, 1, count, count, NULL, slopes, unused);
      activation_apply_slopes(1, count, count, slopes, delta + i * ld + j);
    }
}
