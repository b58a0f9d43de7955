/* Elementary functions in float without branches, so that loops over them vectorise. They use only separate
 * multiplications and additions, which give the same bits on every instruction set. NaN gives NaN; infinities give the
 * limit.
 *
 * Ranges and polynomials of exp and log are those of Cephes, expf.c and logf.c (S. L. Moshier). tests/test_activation.c
 * checks the stated error bounds. */
#ifndef MLPDIST_VMATH_H
#define MLPDIST_VMATH_H

#include <stdint.h>
#include <string.h>

static inline float vmath_from_bits(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static inline uint32_t vmath_bits(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

static inline float vmath_abs(float x) { return vmath_from_bits(vmath_bits(x) & 0x7fffffffu); }

static inline float vmath_minus_abs(float x) { return vmath_from_bits(vmath_bits(x) | 0x80000000u); }

/* The larger of x and low; NaN stays */
static inline float vmath_at_least(float x, float low) { return x < low ? low : x; }

/* x within [low, high]; NaN stays */
static inline float vmath_clamp(float x, float low, float high) {
  const float raised = vmath_at_least(x, low);
  return raised > high ? high : raised;
}

/* e^x in three short parts, for loops that apply each to a block of x before the next: x = n ln 2 + r. */

/* r, |r| <= ln 2 / 2; *shifted: its low bits are n, its others vanish when shifted left by 23. x in [-89, 89]. */
static inline float vmath_reduce(float x, float *shifted) {
  const float magic = 12582912.0f; /* 1.5 * 2^23: adding it rounds to an integer in the low bits */
  *shifted = x * 1.44269504088896341f + magic;
  const float n = *shifted - magic;
  return (x - n * 0.693359375f) - n * -2.12194440e-4f; /* ln 2 in two parts; n times the first is exact */
}

/* e^r - 1 */
static inline float vmath_expm1_of_rest(float r) {
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  return p * (r * r) + r;
}

/* e^x, rest = e^r - 1; n = 128 is possible, and n = -126 gives zero: 2 (1 + rest) times 2^(n - 1). */
static inline float vmath_exp_of_parts(float rest, float shifted) {
  const float y = 1.0f + rest;
  return (y + y) * vmath_from_bits((vmath_bits(shifted) + 126) << 23);
}

/* e^x - 1; n > -127, n < 128 */
static inline float vmath_expm1_of_parts(float rest, float shifted) {
  const float scale = vmath_from_bits((vmath_bits(shifted) + 127) << 23);
  return scale * rest + (scale - 1.0f);
}

/* e^x, to 2 ulp; 0 for results below 1.7e-38. */
static inline float vmath_exp(float x) {
  float shifted;
  const float r = vmath_reduce(vmath_clamp(x, -87.3f, 89.0f), &shifted);
  return vmath_exp_of_parts(vmath_expm1_of_rest(r), shifted);
}

/* e^x - 1 for x <= 0, to 3 ulp, also near 0 */
static inline float vmath_expm1_negative(float x) {
  float shifted;
  const float r = vmath_reduce(vmath_clamp(x, -30.0f, 0.0f), &shifted);
  return vmath_expm1_of_parts(vmath_expm1_of_rest(r), shifted);
}

/* log(1 + e) for e in [0, 1], to 3 ulp */
static inline float vmath_log1p(float e) {
  const float high = e > 0.41421356f ? 1.0f : 0.0f; /* 1 + e above sqrt 2: take log(2 (1 + f)), f = (e - 1) / 2 */
  const float f = e > 0.41421356f ? 0.5f * (e - 1.0f) : e;
  const float square = f * f;
  float p = 7.0376836292e-2f;
  p = p * f - 1.1514610310e-1f;
  p = p * f + 1.1676998740e-1f;
  p = p * f - 1.2420140846e-1f;
  p = p * f + 1.4249322787e-1f;
  p = p * f - 1.6668057665e-1f;
  p = p * f + 2.0000714765e-1f;
  p = p * f - 2.4999993993e-1f;
  p = p * f + 3.3333331174e-1f;
  const float small = (p * f * square + high * -2.12194440e-4f) - 0.5f * square;
  return (small + f) + high * 0.693359375f;
}

/* Functions of x, given e = e^-|x|: */

/* 1 / (1 + e^-x), to 3 ulp on both sides */
static inline float vmath_sigmoid(float x, float e) { return (x < 0 ? e : 1.0f) / (1.0f + e); }

/* log(1 + e^x), to 3 ulp */
static inline float vmath_softplus(float x, float e) { return (x < 0 ? 0.0f : x) + vmath_log1p(e); }

/* tanh x, to 4 ulp, also near 0, given t = e^-2|x| - 1 */
static inline float vmath_tanh(float x, float t) {
  const float positive = -t / (t + 2.0f);
  return vmath_from_bits(vmath_bits(positive) | (vmath_bits(x) & 0x80000000u));
}

/* The normal distribution function Phi(x) = (1 + erf(x / sqrt 2)) / 2, given bell = e^(-x^2 / 2); also its lower
 * tail has a small relative error. Phi(-|x|) = bell t Q(t), t = 1 / (1 + 0.23 |x|), Q interpolated at
 * Chebyshev's nodes of [0, 1] (relative error 9e-9). */
static inline float vmath_normal(float x, float bell) {
  const float t = 1.0f / (1.0f + 0.23f * vmath_abs(x));
  float q = 0.015886674f;
  q = q * t - 0.0661629737f;
  q = q * t + 0.0840720345f;
  q = q * t - 0.0410793505f;
  q = q * t + 0.0549639614f;
  q = q * t + 0.040238298f;
  q = q * t + 0.0645850633f;
  q = q * t + 0.0770735671f;
  q = q * t + 0.0869094299f;
  q = q * t + 0.0917565742f;
  q = q * t + 0.0917567251f;
  const float tail = bell * (t * q);
  return x < 0 ? tail : 1.0f - tail;
}

/* sin(2 pi s) for s in [-1/4, 1/4], to 4 ulp: s P(s^2), P interpolated at Chebyshev's nodes (relative error 7e-9) */
static inline float vmath_sin_quarter(float s) {
  const float square = s * s;
  float p = 39.7598267f;
  p = p * square - 76.5811691f;
  p = p * square + 81.602478f;
  p = p * square - 41.3416824f;
  p = p * square + 6.28318548f;
  return p * s;
}

/* t turns less the nearest whole number of them, exactly: in [-1/2, 1/2]. Floats beyond 2^22 have whole and half turns
 * only: these and infinities count as whole turns. */
static inline float vmath_part_of_turn(float t) {
  const float magic = 12582912.0f, most = 4194304.0f; /* 1.5 * 2^23, as above; 2^22 */
  const float near = vmath_clamp(t, -most, most);
  return near - ((near + magic) - magic);
}

/* cos(2 pi t), t in turns, to 3e-7 for |t| <= 2^22 */
static inline float vmath_cos_turns(float t) { return vmath_sin_quarter(0.25f - vmath_abs(vmath_part_of_turn(t))); }

/* sin(2 pi t), t in turns, to 4 ulp for |t| <= 2^22 */
static inline float vmath_sin_turns(float t) {
  const float r = vmath_part_of_turn(t), positive = vmath_abs(r);
  const float s = vmath_sin_quarter(positive > 0.25f ? 0.5f - positive : positive);
  return vmath_from_bits(vmath_bits(s) ^ (vmath_bits(r) & 0x80000000u));
}

#endif
