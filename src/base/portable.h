/* Functions with the same bits on every processor. Those of the C library differ: glibc's log, exp, pow and cos differ
 * by an ulp between processors with and without fused multiply-add. These use only + - * /, which IEEE 754 rounds in
 * one way (sqrt, too, so the C library's is used); the build forbids contraction. Errors are below 3 ulp
 * (portable_cos_turn(): below 3 ulp of 1). Nothing here is collective. */
#ifndef MLPDIST_PORTABLE_H
#define MLPDIST_PORTABLE_H

#include <stdint.h>
#include <string.h>

double portable_log(double x);               /* of normal numbers x > 0 */
double portable_log1p(double x);             /* log(1 + x) for x in [0, 1] */
double portable_exp(double x);               /* for x <= 0; 0 below -708 */
double portable_cos_turn(double t);          /* cos(2 pi t) for t in [0, 1] */
double portable_power(double x, uint64_t n); /* x^n by repeated squaring: error up to about n ulp */
double portable_pow(double x, double p);     /* x^p for x, p >= 0: error below 3 (1 + |p log x|) ulp */

/* ---- portable_log for loops that vectorise ------------------------------------------------------- */

/* ln 2 in two parts; the first has 20 trailing zero bits, so that whole multiples of it are exact */
static const double PORTABLE_LN2_HIGH = 0x1.62e42feep-1, PORTABLE_LN2_LOW = 0x1.a39ef35793c76p-33;

static inline double portable_from_bits(uint64_t bits) {
  double x = 0;
  memcpy(&x, &bits, sizeof x);
  return x;
}

/* log((1 + s) / (1 - s)) - 2 s for |s| <= 0.1716: 2 (s^3 / 3 + s^5 / 5 + ...). */
static inline double portable_atanh_tail(double s) {
  const double q = s * s;
  double sum = 0;
  for (int k = 21; k >= 3; k -= 2) sum = (sum + 1.0 / k) * q;
  return 2 * s * sum;
}

/* x = 2^e m with m in [sqrt(1/2), sqrt(2)); log m by the series of s = (m - 1) / (m + 1) */
static inline double portable_log_inline(double x) {
  const uint64_t sqrt_half = 0x3fe6a09e667f3bcd, bias = 1024;
  uint64_t bits = 0;
  memcpy(&bits, &x, sizeof bits);
  const uint64_t biased = (bits - sqrt_half + (bias << 52)) >> 52;
  const double e = (double)((int32_t)biased - (int32_t)bias);
  const double f = portable_from_bits(bits - ((biased - bias) << 52)) - 1; /* m - 1, exact */
  const double s = f / (2 + f);
  /* 2 s = f - s f: the first term is exact, and the rest is small */
  const double rest = portable_atanh_tail(s) - s * f;
  return e * PORTABLE_LN2_HIGH + (f + (rest + e * PORTABLE_LN2_LOW));
}

#endif
