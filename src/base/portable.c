#include "base/portable.h"

#include <string.h>

/* ln 2 in two parts; the first has 20 trailing zero bits, so that whole multiples of it are exact. */
static const double LN2_HIGH = 0x1.62e42feep-1, LN2_LOW = 0x1.a39ef35793c76p-33;

static uint64_t bits_of(double x) {
  uint64_t bits = 0;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

static double from_bits(uint64_t bits) {
  double x = 0;
  memcpy(&x, &bits, sizeof x);
  return x;
}

/* log((1 + s) / (1 - s)) - 2 s for |s| <= 0.1716: 2 (s^3 / 3 + s^5 / 5 + ...). */
static double atanh_tail(double s) {
  const double q = s * s;
  double sum = 0;
  for (int k = 21; k >= 3; k -= 2) sum = (sum + 1.0 / k) * q;
  return 2 * s * sum;
}

/* x = 2^e m with m in [sqrt(1/2), sqrt(2)); log m by the series of s = (m - 1) / (m + 1). */
double portable_log(double x) {
  static const uint64_t SQRT_HALF = 0x3fe6a09e667f3bcd;
  const uint64_t bits = bits_of(x);
  const int64_t e = ((int64_t)bits - (int64_t)SQRT_HALF) >> 52;
  const double f = from_bits(bits - ((uint64_t)e << 52)) - 1; /* m - 1, exact */
  const double s = f / (2 + f);
  /* 2 s = f - s f: the first term is exact, and the rest is small. */
  const double rest = atanh_tail(s) - s * f;
  return (double)e * LN2_HIGH + (f + (rest + (double)e * LN2_LOW));
}

double portable_log1p(double x) {
  if (x > 0.4) return portable_log(1 + x);
  const double s = x / (2 + x);
  return x + (atanh_tail(s) - s * x);
}

/* x = k ln 2 + r with |r| <= ln 2 / 2; e^r by its series. */
double portable_exp(double x) {
  static const double LOG2_E = 0x1.71547652b82fep+0;
  if (!(x >= -708)) return x < -708 ? 0 : x; /* nan stays nan */
  const int64_t k = (int64_t)(x * LOG2_E - 0.5);
  const double r = (x - (double)k * LN2_HIGH) - (double)k * LN2_LOW;
  double sum = 0;
  for (int n = 14; n >= 2; n--) sum = (sum + 1) * r / n;
  const double e = 1 + (r + r * sum);
  return e * from_bits((uint64_t)(k + 1023) << 52);
}

/* Sine and cosine of 2 pi r for |r| <= 1/8. */
static double cos_part(double r) {
  const double x = 6.28318530717958647692 * r, q = x * x;
  double sum = 0;
  for (int n = 18; n >= 2; n -= 2) sum = (1 - sum) * q / (n * (n - 1));
  return 1 - sum;
}

static double sin_part(double r) {
  const double x = 6.28318530717958647692 * r, q = x * x;
  double sum = 0;
  for (int n = 19; n >= 3; n -= 2) sum = (1 - sum) * q / (n * (n - 1));
  return x - x * sum;
}

double portable_cos_turn(double t) {
  const int quarter = (int)(4 * t + 0.5);
  const double r = t - 0.25 * quarter; /* exact */
  switch (quarter % 4) {
    case 0:
      return cos_part(r);
    case 1:
      return -sin_part(r);
    case 2:
      return -cos_part(r);
    default:
      return sin_part(r);
  }
}

double portable_power(double x, uint64_t n) {
  double power = 1;
  for (; n > 0; n >>= 1) {
    if (n & 1) power *= x;
    x *= x;
  }
  return power;
}
